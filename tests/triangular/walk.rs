//! What a set of orders comes to when each is filled at the book's levels, in decimals: independent of the strategy's units.

use arbalest::market::Books;
use arbalest::market::Catalogue;
use arbalest::trade::Intent;
use arbalest::units::{Asset, Ppm, Side};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Changes of each asset: base and quote moved, fees taken from what was received.
pub(crate) fn fill(
    intent: &Intent,
    books: &Books,
    catalogue: &Catalogue,
    fee: Ppm,
) -> BTreeMap<Asset, Decimal> {
    let mut changes: BTreeMap<Asset, Decimal> = BTreeMap::new();
    for leg in intent.legs() {
        let instrument = catalogue.get(leg.instrument).unwrap();
        let walk = books.get(leg.instrument).unwrap();
        let walk = walk.walk(leg.side, leg.limit_price, leg.qty);
        assert_eq!(walk.qty, leg.qty, "the limit reaches all that was planned");
        let qty = instrument.grid.qty_decimal(leg.qty);
        let value = instrument.grid.notional_money(walk.notional).unwrap().0;
        let kept = Decimal::ONE - Decimal::new(fee.0, 6);
        let (base, quote) = match leg.side {
            Side::Buy => (qty * kept, -value),
            Side::Sell => (-qty, value * kept),
        };
        *changes.entry(instrument.symbol.base).or_default() += base;
        *changes.entry(instrument.symbol.quote).or_default() += quote;
    }
    changes
}
