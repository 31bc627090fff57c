//! The order book against a slow twin: a plain list sorted by price and time, on the same seeded orders.

use super::book::{Execution, OrderBook, OrderKey, Owner, SelfTrade, accepts};
use crate::prng::Prng;
use crate::units::{Price, Qty, Side};

#[derive(Default)]
struct Twin {
    /// Key, side, price, left; in order of arrival.
    orders: Vec<(OrderKey, Side, Price, i64)>,
}

impl Twin {
    fn take(
        &mut self,
        side: Side,
        limit: Price,
        mut left: i64,
        owner: Owner,
    ) -> (Vec<Execution>, i64) {
        let mut executions = Vec::new();
        while left > 0 {
            let best = self
                .orders
                .iter()
                .enumerate()
                .filter(|(_, order)| order.1 != side && accepts(side, Some(limit), order.2))
                .min_by_key(|(arrival, order)| (order.2.0 * side.sign(), *arrival))
                .map(|(arrival, _)| arrival);
            let Some(at) = best else { break };
            if owner != Owner::Model && self.orders[at].0.owner == owner {
                self.orders.remove(at);
                continue;
            }
            let order = &mut self.orders[at];
            let qty = order.3.min(left);
            executions.push(Execution {
                maker: Some(order.0),
                price: order.2,
                qty: Qty(qty),
            });
            order.3 -= qty;
            left -= qty;
            if order.3 == 0 {
                self.orders.remove(at);
            }
        }
        (executions, left)
    }

    fn level(&self, side: Side, price: Price) -> i64 {
        self.orders
            .iter()
            .filter(|order| order.1 == side && order.2 == price)
            .map(|order| order.3)
            .sum()
    }
}

#[test]
fn book_agrees_with_the_twin_on_seeded_orders() {
    for seed in 0..20 {
        let mut prng = Prng::new(seed);
        let (mut book, mut twin) = (OrderBook::default(), Twin::default());
        for id in 0..1_500_u64 {
            let owner = if prng.chance_ppm(300_000) {
                Owner::Account(0)
            } else {
                Owner::Model
            };
            let key = OrderKey { owner, id };
            let side = if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            };
            let price = Price(1_000 + prng.between(-8, 8) - side.sign() * 3);
            let qty = prng.between(1, 50);
            if prng.chance_ppm(250_000) {
                let victim = prng.below(id.max(1));
                for owner in [Owner::Account(0), Owner::Model] {
                    let key = OrderKey { owner, id: victim };
                    let place = twin.orders.iter().position(|order| order.0 == key);
                    let expected = place.map(|at| Qty(twin.orders.remove(at).3));
                    assert_eq!(book.cancel(key), expected);
                }
                continue;
            }
            let wanted = book.available(side, Some(price), Qty(qty), owner, SelfTrade::ExpireMaker);
            let taken = book.take(side, Some(price), Qty(qty), owner, SelfTrade::ExpireMaker);
            let (executions, left) = twin.take(side, price, qty, owner);
            assert_eq!(
                (taken.executions, taken.left.0),
                (executions, left),
                "seed {seed} order {id}"
            );
            assert_eq!(wanted.0, qty - left, "what was available was taken");
            if prng.chance_ppm(800_000) {
                book.rest(key, side, price, Qty(left));
                if left > 0 {
                    twin.orders.push((key, side, price, left));
                    assert!(book.holds(key));
                }
            }
            for price in (980..1_020).map(Price) {
                for side in [Side::Buy, Side::Sell] {
                    assert_eq!(book.level_qty(side, price).0, twin.level(side, price));
                }
            }
            if let (Some((bid, _)), Some((ask, _))) = (book.best(Side::Buy), book.best(Side::Sell))
            {
                assert!(bid < ask, "crossed at seed {seed} order {id}");
            }
        }
    }
}
