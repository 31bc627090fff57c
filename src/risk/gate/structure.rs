//! A: would the venue take this order? Status, fields, tick, lot and the venue's own bounds.

use crate::market::InstrumentStatus;
use crate::risk::Refusal;

use super::look::Look;
use super::price::millis;

/// PT-01, second half (an unknown instrument is refused before there is anything to look at).
pub(super) fn check_status(look: &Look<'_>) -> Result<(), Refusal> {
    match look.terms.status {
        InstrumentStatus::Trading => Ok(()),
        InstrumentStatus::CancelOnly => Err(Refusal::InstrumentNotTrading {
            status: "cancel_only",
        }),
        InstrumentStatus::Halted => Err(Refusal::InstrumentNotTrading { status: "halted" }),
    }
}

/// PT-02.
pub(super) fn check_rules_age(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(loaded_at) = look.facts.and_then(|facts| facts.rules_loaded_at) else {
        return look.missing("rules_loaded_at");
    };
    let (age, age_max) = (
        look.now.since(loaded_at),
        look.limits.instrument_rules_age_max,
    );
    if age > age_max {
        return Err(Refusal::InstrumentRulesStale {
            age_ms: millis(age),
            age_ms_max: millis(age_max),
        });
    }
    Ok(())
}

/// PT-03.
pub(super) fn check_fields(look: &Look<'_>) -> Result<(), Refusal> {
    if look.leg.limit_price.0 > 0 && look.leg.qty.0 > 0 {
        return Ok(());
    }
    Err(Refusal::OrderFieldInvalid {
        price: look.terms.price(look.leg.limit_price),
        qty: look.terms.qty(look.leg.qty),
    })
}

/// PT-04.
pub(super) fn check_price_grid(look: &Look<'_>) -> Result<(), Refusal> {
    let (terms, price) = (look.terms, look.leg.limit_price);
    if price.floor_to(terms.tick) != Some(price) {
        return Err(Refusal::PriceOffTick {
            price: terms.price(price),
            tick: terms.price(terms.tick),
        });
    }
    let outside = |bound| {
        Err(Refusal::PriceOutsideFilter {
            price: terms.price(price),
            bound: terms.price(bound),
        })
    };
    if price < terms.price_min {
        return outside(terms.price_min);
    }
    match terms.price_max {
        Some(bound) if price > bound => outside(bound),
        Some(_) | None => Ok(()),
    }
}

/// PT-05.
pub(super) fn check_lot(look: &Look<'_>) -> Result<(), Refusal> {
    let (terms, qty) = (look.terms, look.leg.qty);
    if qty.floor_to(terms.lot) == Some(qty) {
        return Ok(());
    }
    Err(Refusal::QtyOffLot {
        qty: terms.qty(qty),
        lot: terms.qty(terms.lot),
    })
}

/// PT-06.
pub(super) fn check_venue_qty(look: &Look<'_>) -> Result<(), Refusal> {
    let (terms, qty) = (look.terms, look.leg.qty);
    if qty < terms.qty_min {
        return Err(Refusal::QtyBelowMin {
            qty: terms.qty(qty),
            qty_min: terms.qty(terms.qty_min),
        });
    }
    if qty > terms.qty_max {
        return Err(Refusal::QtyAboveMax {
            qty: terms.qty(qty),
            qty_max: terms.qty(terms.qty_max),
        });
    }
    Ok(())
}

/// PT-07 for immediate orders: with reference R and limit p the protection is x = |p - R| / R, so the minimum is tested
/// at R - |p - R| and the maximum at R + |p - R|. Without a reference (only a reducing order gets that far) both use p.
pub(super) fn check_venue_notional(look: &Look<'_>) -> Result<(), Refusal> {
    let (terms, caps) = (look.terms, look.caps);
    if terms.factor.is_none() {
        return Err(Refusal::ConversionMissing {
            quote: terms.quote,
            reporting: caps.reporting,
        });
    }
    let limit_twice = 2 * i128::from(look.leg.limit_price.0);
    let reference_twice = look.reference_twice().unwrap_or(limit_twice);
    let reach = (limit_twice - reference_twice).abs();
    // Doubled prices make doubled values: halve by rounding against ourselves. A venue counts in the quote asset.
    let worth_twice = |price_twice: i128| {
        price_twice
            .checked_mul(i128::from(look.leg.qty.0))
            .and_then(|value| value.checked_mul(terms.quote_unit))
            .ok_or(Refusal::Arithmetic {})
    };
    let low = worth_twice(reference_twice - reach)?.div_euclid(2);
    if low < terms.notional_min {
        return Err(Refusal::NotionalBelowMin {
            notional: caps.amount(low),
            notional_min: caps.amount(terms.notional_min),
        });
    }
    let high = worth_twice(reference_twice + reach)?
        .saturating_add(1)
        .div_euclid(2);
    match terms.notional_max {
        Some(notional_max) if high > notional_max => Err(Refusal::NotionalAboveVenueMax {
            notional: caps.amount(high),
            notional_max: caps.amount(notional_max),
        }),
        Some(_) | None => Ok(()),
    }
}
