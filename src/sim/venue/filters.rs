//! The venue's tests on a new order's numbers, before any money is looked at.

use crate::units::Price;

use super::order::{NewOrder, OrderKind, Refusal};
use super::setup::SymbolSetup;

/// Checks price, quantity and notional; `reference` prices a market order's notional.
pub(crate) fn check(
    setup: &SymbolSetup,
    order: &NewOrder,
    reference: Option<Price>,
) -> Result<(), Refusal> {
    if order.qty.0 <= 0 {
        return Err(Refusal::QtyNotPositive);
    }
    if let Some(price) = order.price.filter(|_| order.kind != OrderKind::Market) {
        if price < setup.price_min || price > setup.price_max {
            return Err(Refusal::PriceOutside);
        }
        if price.0.rem_euclid(setup.tick.0.max(1)) != 0 {
            return Err(Refusal::PriceOffTick);
        }
    }
    if order.qty < setup.qty_min {
        return Err(Refusal::QtyBelowMin);
    }
    if order.qty > setup.qty_max {
        return Err(Refusal::QtyAboveMax);
    }
    if order.qty.0.rem_euclid(setup.lot.0.max(1)) != 0 {
        return Err(Refusal::QtyOffLot);
    }
    let price = order.price.or(reference);
    let notional = price.map(|price| price.times(order.qty));
    // Reduce-only orders are exempt: a small rest must be closable.
    if !order.reduce_only && notional.is_some_and(|notional| notional < setup.notional_min) {
        return Err(Refusal::NotionalBelowMin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchanges::Dialect;
    use crate::sim::venue::book::SelfTrade;
    use crate::sim::venue::order::TimeInForce;
    use crate::sim::venue::setup::VenueSetup;
    use crate::units::{Qty, Side};

    #[test]
    fn each_filter_has_its_refusal_and_bounds_are_inclusive() {
        let mut setup = VenueSetup::demo(Dialect::BinanceSpot, "k", "s")
            .symbols
            .remove(0);
        (setup.lot, setup.qty_min, setup.qty_max) = (Qty(10), Qty(20), Qty(1_000_000));
        (setup.tick, setup.price_min, setup.price_max) = (Price(5), Price(10), Price(10_000_000));
        let test = |price: i64, qty: i64| {
            let order = NewOrder {
                symbol: 0,
                client_id: None,
                side: Side::Buy,
                kind: OrderKind::Limit,
                time_in_force: TimeInForce::Gtc,
                price: Some(Price(price)),
                qty: Qty(qty),
                reduce_only: false,
                self_trade: SelfTrade::Allow,
            };
            check(&setup, &order, None)
        };
        assert_eq!(test(10_000_000, 1_000_000), Ok(()));
        assert_eq!(test(10_000_005, 100), Err(Refusal::PriceOutside));
        assert_eq!(test(5, 100), Err(Refusal::PriceOutside));
        assert_eq!(test(6_000_001, 100), Err(Refusal::PriceOffTick));
        assert_eq!(test(6_000_000, 0), Err(Refusal::QtyNotPositive));
        assert_eq!(test(6_000_000, 10), Err(Refusal::QtyBelowMin));
        assert_eq!(test(6_000_000, 1_000_010), Err(Refusal::QtyAboveMax));
        assert_eq!(test(6_000_000, 25), Err(Refusal::QtyOffLot));
        // 5 USDT is 5 * 10^7 of price steps (2 decimals) times quantity steps (5 decimals).
        assert_eq!(test(50_000, 1_000), Ok(()));
        assert_eq!(test(50_000, 990), Err(Refusal::NotionalBelowMin));
    }
}
