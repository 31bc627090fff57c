//! A: does the venue take an order of this form at this price? Also the checks on what is not sent yet.

use crate::market::PriceBand;
use crate::risk::{Amount, Refusal};
use crate::trade::{ClientOrderId, TimeInForce};
use crate::units::{MonoNanos, Nanos, Ppm, Price, Side};

use super::look::Look;
use super::price::millis;

/// PT-08. The venue's average is its mark where it publishes one, else our reference; with neither (only a reducing order
/// gets that far) there is nothing to compare with.
pub(super) fn check_venue_band(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(band) = look.terms.price_band else {
        return Ok(());
    };
    let mark = look.book.and_then(crate::market::Book::venue_mark);
    let average = mark
        .map(|mark| 2 * i128::from(mark.0))
        .or_else(|| look.reference_twice())
        .filter(|twice| *twice > 0);
    let Some(average) = average else {
        return Ok(());
    };
    let PriceBand {
        buy_down,
        buy_up,
        sell_down,
        sell_up,
    } = band;
    let (down, up) = match look.leg.side {
        Side::Buy => (buy_down, buy_up),
        Side::Sell => (sell_down, sell_up),
    };
    let limit = look.leg.limit_price;
    let scaled = i128::from(limit.0).saturating_mul(2_000_000);
    let bound = |share: Ppm| average.saturating_mul(i128::from(share.0));
    let outside = |share: Ppm| {
        let at = bound(share).div_euclid(2_000_000);
        Err(Refusal::PriceOutsideVenueBand {
            price: look.terms.price(limit),
            bound: look
                .terms
                .price(Price(i64::try_from(at).unwrap_or(i64::MAX))),
        })
    };
    if up.0 > 0 && scaled > bound(up) {
        return outside(up);
    }
    if down.0 > 0 && scaled < bound(down) {
        return outside(down);
    }
    Ok(())
}

/// PT-09. Every dialect takes immediate and fill-or-kill limit orders; resting ones are the risk officer's to allow.
pub(super) fn check_form(look: &Look<'_>) -> Result<(), Refusal> {
    match look.plan.time_in_force {
        TimeInForce::Unpriced => Err(Refusal::UnpricedMarketForbidden {}),
        TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill => Ok(()),
        TimeInForce::GoodTillCancel if look.limits.allow_resting => Ok(()),
        TimeInForce::GoodTillCancel => Err(Refusal::OrderTypeUnsupported {
            time_in_force: "good_till_cancel",
        }),
    }
}

/// PT-11: an order with an expiry must live long enough. No such order is sent today; whoever first sends one asks here.
///
/// # Errors
/// [`Refusal::ExpireTimeInPast`] when it expires at or before `now + lead_min`; exactly at it passes no more.
pub fn check_expiry(
    expires_at: Option<MonoNanos>,
    now: MonoNanos,
    lead_min: Nanos,
) -> Result<(), Refusal> {
    match expires_at {
        Some(at) if at <= now.after(lead_min) => Err(Refusal::ExpireTimeInPast {
            lead_ms: millis(at.since(now)),
            lead_ms_min: millis(lead_min),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Longest client order id that every dialect takes.
pub const ORDER_ID_BYTES_MAX: usize = 36;

/// PT-10: a client order id is new, and every venue can take it: 1 to [`ORDER_ID_BYTES_MAX`] bytes of letters, digits and
/// `-`, `_`, `.`, `:`, `/`. The desk makes the ids and asks here before an order leaves.
///
/// # Errors
/// [`Refusal::ClientOrderIdDuplicate`] when `is_known`, [`Refusal::ClientOrderIdInvalid`] with the length of `text`.
pub fn check_order_id(id: ClientOrderId, text: &[u8], is_known: bool) -> Result<(), Refusal> {
    if is_known {
        return Err(Refusal::ClientOrderIdDuplicate {
            set: id.set().0,
            leg: id.leg(),
            attempt: id.attempt(),
        });
    }
    let legal = text.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')
    });
    if !text.is_empty() && text.len() <= ORDER_ID_BYTES_MAX && legal {
        return Ok(());
    }
    let count = |length: usize| Amount::count(u64::try_from(length).unwrap_or(u64::MAX));
    Err(Refusal::ClientOrderIdInvalid {
        length: count(text.len()),
        length_max: count(ORDER_ID_BYTES_MAX),
    })
}
