//! What a venue would take: on the lot, and not below its smallest quantity and value.

use rust_decimal::Decimal;

use crate::market::Instrument;
use crate::units::{Money, Ppm, Price, Qty};

/// Floored to the lot; `None` when the venue would not take that little. `margin` is added to its smallest order value.
#[must_use]
pub fn tradable(instrument: &Instrument, price: Price, qty: Qty, margin: Ppm) -> Option<Qty> {
    let floored = qty.floor_to(instrument.lot)?;
    let enough = floored.0 > 0
        && floored >= instrument.qty_min
        && reaches_minimum(instrument, price, floored, margin);
    enough.then_some(floored)
}

fn reaches_minimum(instrument: &Instrument, price: Price, qty: Qty, margin: Ppm) -> bool {
    let least = || {
        let factor = Decimal::new(Ppm::ONE.0.checked_add(margin.0)?, 6);
        Money(instrument.notional_min).mul(Money(factor)).ok()
    };
    let value = || {
        let notional = instrument.grid.notional_money(price.times(qty))?;
        notional.mul(Money(instrument.multiplier)).ok()
    };
    match (least(), value()) {
        (Some(least), Some(value)) => value >= least,
        _ => false,
    }
}
