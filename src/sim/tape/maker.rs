//! One symbol of one venue in the model: what its makers believe rests there, and the orders they send.
//!
//! The belief follows the model's own orders only. What the arbitrageur takes, the makers learn nothing of: the truth
//! always holds a part of the belief, so an order that does not cross the belief does not cross the truth either, and
//! fresh orders at the fair price fill the hole within some ten milliseconds.

use crate::prng::Prng;
use crate::units::{Price, Qty, Side};

use super::MarketChange;
use super::chance::{LEVEL_SIZE, ORDER_SIZE, TAKER_SIZE};

/// Takers pay up to this far beyond the touch, in parts per billion.
const TAKER_REACH_PPB: u64 = 100_000;
/// Fresh orders on each side right after the price moved.
const FRESH_ORDERS: usize = 3;

/// Where a trader's orders go.
pub(super) type Out<'a> = dyn FnMut(MarketChange) + 'a;

/// An order believed to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Resting {
    price: i64,
    qty: i64,
    order_id: u64,
}

/// One side, best price first, older first at one price.
#[derive(Debug, Clone, Default)]
struct Half {
    orders: Vec<Resting>,
}

/// What shapes one symbol's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Price increment in steps.
    pub(super) tick: i64,
    /// Quantity increment in steps.
    pub(super) lot: i64,
    /// Median quantity at the touch, in steps.
    pub(super) touch_qty: i64,
    /// Orders at the touch, about.
    pub(super) touch_orders: usize,
    /// Orders on one side, at most.
    pub(super) side_orders: usize,
    /// Reach of resting orders, in ppm of the price.
    pub(super) depth_ppm: i64,
    /// Share of moves made by a sweep, in ppm.
    pub(super) sweep_ppm: u64,
}

/// The makers and takers of one symbol of one venue.
#[derive(Debug, Clone)]
pub(super) struct Makers {
    shape: Shape,
    prng: Prng,
    bids: Half,
    asks: Half,
    /// Best bid the makers want; the ask they want is one tick above.
    target: i64,
    last_order_id: u64,
}

impl Makers {
    pub(super) const fn new(shape: Shape, prng: Prng, target: i64) -> Self {
        Self {
            shape,
            prng,
            bids: Half { orders: Vec::new() },
            asks: Half { orders: Vec::new() },
            target,
            last_order_id: 0,
        }
    }

    /// The first orders: both sides filled.
    pub(super) fn open(&mut self, out: &mut Out<'_>) {
        for count in 0..self.shape.side_orders {
            for side in [Side::Buy, Side::Sell] {
                let offset = if count < self.shape.touch_orders {
                    0
                } else {
                    self.offset()
                };
                self.place(side, offset, out);
            }
        }
    }

    /// The makers' wanted best bid moved to `target` (on the tick): the passed side is swept or cancelled, then both
    /// sides quote anew.
    pub(super) fn move_to(&mut self, target: i64, out: &mut Out<'_>) {
        if target == self.target {
            return;
        }
        let passed = if target > self.target {
            Side::Sell
        } else {
            Side::Buy
        };
        self.target = target;
        let limit = match passed {
            Side::Sell => target,
            Side::Buy => target + self.shape.tick,
        };
        // The new quotes of the passed side come first, behind the old ones, so that it is never empty.
        self.place_fresh(passed, out);
        let count = self.half(passed).passed_by(passed, limit);
        if count > 1 && self.prng.chance_ppm(self.shape.sweep_ppm) {
            let swept = self.half(passed).orders.iter().take(count);
            let qty = swept.map(|order| order.qty).sum();
            self.send(passed.opposite(), limit, qty, true, out);
            self.half_mut(passed).orders.drain(..count);
        } else {
            for order in self.half_mut(passed).orders.drain(..count) {
                out(MarketChange::Cancel {
                    order_id: order.order_id,
                });
            }
        }
        // A large move leaves nothing of the passed side but the fresh quotes: some depth comes with them.
        while self.half(passed).orders.len() < 3 * FRESH_ORDERS {
            let offset = self.far_offset();
            self.place(passed, offset, out);
        }
        self.place_fresh(passed.opposite(), out);
        for side in [passed, passed.opposite()] {
            while self.half(side).orders.len() > self.shape.side_orders {
                let Some(order) = self.half_mut(side).orders.pop() else {
                    break;
                };
                out(MarketChange::Cancel {
                    order_id: order.order_id,
                });
            }
        }
    }

    fn place_fresh(&mut self, side: Side, out: &mut Out<'_>) {
        for _ in 0..FRESH_ORDERS {
            self.place(side, 0, out);
        }
    }

    /// A maker places or cancels one order.
    pub(super) fn change(&mut self, out: &mut Out<'_>) {
        let bits = self.prng.next_u64();
        let side = if bits & 1 == 0 { Side::Buy } else { Side::Sell };
        let at_touch = bits & 2 == 0;
        let touch = self.touch(side);
        let half = self.half(side);
        let resting = half.orders.len();
        let touching = half
            .orders
            .iter()
            .take_while(|order| order.price == touch)
            .count();
        // Half of the changes happen at the touch; counts are pulled to the shape's.
        let (present, wanted) = if at_touch {
            (touching, self.shape.touch_orders)
        } else {
            (
                resting - touching,
                self.shape
                    .side_orders
                    .saturating_sub(self.shape.touch_orders),
            )
        };
        let place_ppm =
            u64::try_from((1_000_000 * wanted).div_euclid((wanted + present).max(1))).unwrap_or(0);
        if present < 2 || (resting <= self.shape.side_orders && self.prng.chance_ppm(place_ppm)) {
            let offset = if at_touch { 0 } else { self.offset() };
            self.place(side, offset, out);
        } else {
            let first = if at_touch { 0 } else { touching };
            let pick = self.prng.below(u64::try_from(present).unwrap_or(0));
            let index = first + usize::try_from(pick).unwrap_or(0);
            if index < resting {
                let order = self.half_mut(side).orders.remove(index);
                out(MarketChange::Cancel {
                    order_id: order.order_id,
                });
            }
        }
    }

    /// A taker sends an immediate order of heavy-tailed size with a limit a little beyond the touch.
    pub(super) fn take(&mut self, out: &mut Out<'_>) {
        let side = if self.prng.next_u64() & 1 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let size = TAKER_SIZE.sample(&mut self.prng);
        let qty = self.sized(size);
        let reach = self.prng.below(TAKER_REACH_PPB);
        let away = self.parts(reach, 1_000_000_000);
        let limit = match side {
            Side::Buy => self.target + self.shape.tick + away,
            Side::Sell => self.target - away,
        };
        self.send(side, limit, qty, true, out);
        self.half_mut(side.opposite())
            .eat(side.opposite(), limit, qty);
    }

    const fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The price the makers want at the touch.
    const fn touch(&self, side: Side) -> i64 {
        match side {
            Side::Buy => self.target,
            Side::Sell => self.target + self.shape.tick,
        }
    }

    /// `price × part / whole`, down to the tick.
    fn parts(&self, part: u64, whole: i64) -> i64 {
        let wide = i128::from(self.target) * i128::from(part);
        let steps = i64::try_from(wide.div_euclid(i128::from(whole))).unwrap_or(0);
        steps - steps.rem_euclid(self.shape.tick)
    }

    /// A distance behind the touch: dense near it, thin at the reach's end.
    fn offset(&mut self) -> i64 {
        let draw = self.prng.below(1_000);
        let reach = u64::try_from(self.shape.depth_ppm).unwrap_or(0);
        self.parts(reach * draw * draw, 1_000_000_000_000)
            .max(self.shape.tick)
    }

    /// A distance beyond the reach of takers.
    fn far_offset(&mut self) -> i64 {
        let reach = u64::try_from(self.shape.depth_ppm).unwrap_or(0);
        let part = reach.div_euclid(4) + self.prng.below(reach.div_euclid(2) + 1);
        self.parts(part, 1_000_000).max(self.shape.tick)
    }

    /// A quantity of so many thousandths of the median touch, on the lot, at least one lot.
    fn sized(&self, thousandths: u64) -> i64 {
        let wide = i128::from(self.shape.touch_qty) * i128::from(thousandths);
        let steps = i64::try_from(wide.div_euclid(1_000)).unwrap_or(0);
        (steps - steps.rem_euclid(self.shape.lot)).max(self.shape.lot)
    }

    fn place(&mut self, side: Side, offset: i64, out: &mut Out<'_>) {
        let price = match side {
            Side::Buy => self.target - offset,
            Side::Sell => self.target + self.shape.tick + offset,
        };
        if price < self.shape.tick {
            return;
        }
        let table = if offset == 0 { ORDER_SIZE } else { LEVEL_SIZE };
        let size = table.sample(&mut self.prng);
        let qty = self.sized(size);
        let order_id = self.send(side, price, qty, false, out);
        self.half_mut(side).insert(
            side,
            Resting {
                price,
                qty,
                order_id,
            },
        );
    }

    fn send(&mut self, side: Side, price: i64, qty: i64, ioc: bool, out: &mut Out<'_>) -> u64 {
        self.last_order_id += 1;
        out(MarketChange::Place {
            order_id: self.last_order_id,
            side,
            price: Price(price.max(self.shape.tick)),
            qty: Qty(qty),
            ioc,
        });
        self.last_order_id
    }
}

impl Half {
    fn insert(&mut self, side: Side, order: Resting) {
        let index = self.orders.partition_point(|other| match side {
            Side::Buy => other.price >= order.price,
            Side::Sell => other.price <= order.price,
        });
        self.orders.insert(index, order);
    }

    /// How many orders an opposite limit would cross.
    fn passed_by(&self, side: Side, limit: i64) -> usize {
        self.orders.partition_point(|order| match side {
            Side::Buy => order.price >= limit,
            Side::Sell => order.price <= limit,
        })
    }

    /// Takes what a taker takes from here.
    fn eat(&mut self, side: Side, limit: i64, qty: i64) {
        let crossed = self.passed_by(side, limit);
        let (mut left, mut gone) = (qty, 0);
        for order in self.orders.iter_mut().take(crossed) {
            let taken = order.qty.min(left);
            order.qty -= taken;
            left -= taken;
            gone += usize::from(order.qty == 0);
            if left == 0 {
                break;
            }
        }
        self.orders.drain(..gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        tick: 10,
        lot: 100,
        touch_qty: 50_000,
        touch_orders: 6,
        side_orders: 20,
        depth_ppm: 2_000,
        sweep_ppm: 500_000,
    };

    /// Through moves, changes and takers: belief sorted, uncrossed, two-sided, on tick and lot, ids rising.
    #[test]
    fn quotes_stay_sane() {
        for seed in 0..20 {
            let mut makers = Makers::new(SHAPE, Prng::new(seed), 6_000_000);
            let mut last_id = 0;
            let mut check = |change: MarketChange| {
                if let MarketChange::Place {
                    order_id,
                    price,
                    qty,
                    ..
                } = change
                {
                    assert!(order_id > last_id);
                    last_id = order_id;
                    assert!(
                        price.0 > 0 && price.0 % 10 == 0 && qty.0 > 0 && qty.0 % 100 == 0,
                        "{change:?}"
                    );
                }
            };
            makers.open(&mut check);
            let mut prng = Prng::new(seed + 1_000);
            for _ in 0..5_000 {
                match prng.below(10) {
                    0 => {
                        let target = makers.target + 10 * prng.between(-300, 300);
                        makers.move_to(target, &mut check);
                    }
                    1 => makers.take(&mut check),
                    _ => makers.change(&mut check),
                }
                assert!(
                    makers
                        .bids
                        .orders
                        .is_sorted_by(|one, two| one.price >= two.price)
                );
                assert!(
                    makers
                        .asks
                        .orders
                        .is_sorted_by(|one, two| one.price <= two.price)
                );
                let bid = makers.bids.orders.first().map(|order| order.price);
                let ask = makers.asks.orders.first().map(|order| order.price);
                if let (Some(bid), Some(ask)) = (bid, ask) {
                    assert!(bid < ask);
                }
                assert!(makers.bids.orders.len() <= 23 && makers.asks.orders.len() <= 23);
            }
            // Whatever happened, makers alone fill both sides again.
            for _ in 0..400 {
                makers.change(&mut check);
            }
            assert!(makers.bids.orders.len() > 7 && makers.asks.orders.len() > 7);
        }
    }
}
