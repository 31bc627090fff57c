//! B: is there a price to judge by, and is the order's near it? The reference is the mid of a trusted, fresh book.

use crate::market::Trust;
use crate::risk::{Amount, Refusal};
use crate::units::{Nanos, Side};

use super::look::Look;

pub(super) fn millis(span: Nanos) -> Amount {
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

/// PT-14, on the aggressive side only: a buy above, a sale below the reference. Without a reference (only a reducing order
/// gets that far) there is nothing to compare with.
pub(super) fn check_collar(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(reference) = look.reference_twice().filter(|twice| *twice > 0) else {
        return Ok(());
    };
    let limit = 2 * i128::from(look.leg.limit_price.0);
    let beyond = (limit - reference) * i128::from(look.leg.side.sign());
    let collar = look.terms.collar;
    if beyond.saturating_mul(1_000_000) <= reference.saturating_mul(i128::from(collar.0)) {
        return Ok(());
    }
    // Hundredths of a ppm, so that one tick beyond the collar shows.
    let distance = beyond
        .saturating_mul(100_000_000)
        .div_euclid(reference.max(1));
    Err(Refusal::PriceCollar {
        distance_bps: Amount::new(distance, 4),
        distance_bps_max: Amount::new(i128::from(collar.0), 2),
    })
}

/// PT-17. The edge of a set is after fees and slippage; a repair has none.
pub(super) fn check_edge(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(edge) = look.plan.edge.filter(|_| !look.reducing) else {
        return Ok(());
    };
    let bps = |edge: crate::units::Ppm| Amount::new(i128::from(edge.0), 2);
    if edge > look.limits.edge_max {
        return Err(Refusal::EdgeImplausible {
            edge_bps: bps(edge),
            edge_bps_max: bps(look.limits.edge_max),
        });
    }
    if edge < look.limits.edge_min {
        return Err(Refusal::EdgeTooSmall {
            edge_bps: bps(edge),
            edge_bps_min: bps(look.limits.edge_min),
        });
    }
    Ok(())
}
