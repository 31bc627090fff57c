//! Numbers as the venue prints them: spot writes eight decimals everywhere, USD-M the symbol's own.

use crate::exchanges::Dialect;
use crate::sim::venue::{Amount, SymbolSetup};
use crate::units::{Price, Qty};

const SPOT_DECIMALS: u8 = 8;

/// Appends `steps` of `10^-decimals` with `wire` decimals: zeros added, or digits beyond cut (they are zeros on a tick).
pub(crate) fn push_steps(out: &mut String, steps: i64, decimals: u8, wire: u8) {
    let mut digits = [0_u8; 24];
    let mut value = steps.unsigned_abs();
    let mut length = 0_usize;
    while value > 0 || length <= usize::from(decimals) {
        if let Some(slot) = digits.get_mut(length) {
            *slot = u8::try_from(value % 10).unwrap_or(0);
        }
        value = value.div_euclid(10);
        length += 1;
    }
    if steps < 0 {
        out.push('-');
    }
    for place in (0..length).rev() {
        if place < usize::from(decimals.saturating_sub(wire)) {
            break;
        }
        out.push(char::from(b'0' + digits.get(place).copied().unwrap_or(0)));
        if place == usize::from(decimals) && wire > 0 {
            out.push('.');
        }
    }
    if decimals == 0 && wire > 0 && !out.ends_with('.') {
        out.push('.');
    }
    for _ in decimals..wire {
        out.push('0');
    }
}

/// Decimals of prices on the wire.
pub(crate) const fn price_wire(dialect: Dialect, setup: &SymbolSetup) -> u8 {
    match dialect {
        Dialect::BinanceSpot => SPOT_DECIMALS,
        Dialect::BinanceUsdm => setup.price_precision,
    }
}
/// Decimals of quantities on the wire.
pub(crate) const fn qty_wire(dialect: Dialect, setup: &SymbolSetup) -> u8 {
    match dialect {
        Dialect::BinanceSpot => SPOT_DECIMALS,
        Dialect::BinanceUsdm => setup.qty_precision,
    }
}

/// Appends a price.
pub(crate) fn push_price(out: &mut String, dialect: Dialect, setup: &SymbolSetup, price: Price) {
    push_steps(
        out,
        price.0,
        setup.grid.price_decimals(),
        price_wire(dialect, setup),
    );
}
/// Appends a quantity.
pub(crate) fn push_qty(out: &mut String, dialect: Dialect, setup: &SymbolSetup, qty: Qty) {
    push_steps(
        out,
        qty.0,
        setup.grid.qty_decimals(),
        qty_wire(dialect, setup),
    );
}
/// A price as text.
pub(crate) fn price(dialect: Dialect, setup: &SymbolSetup, price: Price) -> String {
    let mut text = String::with_capacity(24);
    push_price(&mut text, dialect, setup, price);
    text
}
/// A quantity as text.
pub(crate) fn qty(dialect: Dialect, setup: &SymbolSetup, qty: Qty) -> String {
    let mut text = String::with_capacity(24);
    push_qty(&mut text, dialect, setup, qty);
    text
}
/// Money with eight decimals.
pub(crate) fn money(amount: Amount) -> String {
    amount.text(SPOT_DECIMALS)
}
/// An average price of `cost` for `qty`.
pub(crate) fn average(setup: &SymbolSetup, cost: Amount, qty: Qty) -> String {
    cost.per_unit_floor(setup.grid, qty).text(SPOT_DECIMALS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_padded_or_cut_at_the_wire_decimals() {
        let text = |steps, decimals, wire| {
            let mut out = String::new();
            push_steps(&mut out, steps, decimals, wire);
            out
        };
        assert_eq!(text(6_183_763, 2, 8), "61837.63000000");
        assert_eq!(text(6_180_020_000_000, 8, 2), "61800.20");
        assert_eq!(text(6_180_020_000_000, 8, 0), "61800");
        assert_eq!(text(5, 3, 3), "0.005");
        assert_eq!(text(-5, 3, 8), "-0.00500000");
        assert_eq!(text(42, 0, 0), "42");
        assert_eq!(text(42, 0, 3), "42.000");
        assert_eq!(text(0, 2, 8), "0.00000000");
        assert_eq!(text(i64::MIN, 0, 0), "-9223372036854775808");
    }
}
