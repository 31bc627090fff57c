//! B: is there a price to judge by? The reference is the mid of a trusted, fresh book. Reducing orders skip these.

use crate::market::Trust;
use crate::risk::{Amount, Refusal};
use crate::units::{Nanos, Side};

use super::look::Look;

fn millis(span: Nanos) -> Amount {
    Amount::new(i128::from(span.0), 6)
}

/// PT-12. A book with one side only has no mid either: PT-13 names that case.
pub(super) fn check_reference(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(book) = look.book else {
        return Err(Refusal::RefPriceMissing {});
    };
    if look.top.is_none()
        && book.ladder_best(Side::Buy).is_none()
        && book.ladder_best(Side::Sell).is_none()
    {
        return Err(Refusal::RefPriceMissing {});
    }
    let age = look.now.since(book.received_at());
    if age > look.caps.ref_price_age_max {
        return Err(Refusal::RefPriceStale {
            age_ms: millis(age),
            age_ms_max: millis(look.caps.ref_price_age_max),
        });
    }
    Ok(())
}

/// PT-13.
pub(super) fn check_book(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(book) = look.book else {
        return Err(Refusal::RefPriceMissing {});
    };
    let Some(top) = look.top else {
        return Err(Refusal::BookOneSided {});
    };
    if let Some(since) = book.crossed_since() {
        let crossed = look.now.since(since);
        if crossed > look.caps.book_crossed_max {
            return Err(Refusal::BookCrossed {
                crossed_ms: millis(crossed),
                crossed_ms_max: millis(look.caps.book_crossed_max),
            });
        }
    }
    if book.trust() != Trust::Trusted {
        return Err(Refusal::BookOutOfSync {
            standing: book.trust().label(),
        });
    }
    let (bid, ask) = (i128::from(top.bid.price.0), i128::from(top.ask.price.0));
    let spread_max = look.caps.spread_max;
    // (ask - bid) / ((bid + ask) / 2) > max / 10^6, without dividing.
    if (ask - bid) * 2_000_000 > i128::from(spread_max.0) * (bid + ask) {
        let spread = ((ask - bid) * 200_000_000).div_euclid((bid + ask).max(1));
        return Err(Refusal::SpreadTooWide {
            spread_bps: Amount::new(spread, 4),
            spread_bps_max: Amount::new(i128::from(spread_max.0), 2),
        });
    }
    Ok(())
}
