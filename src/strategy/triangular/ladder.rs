//! The levels of one side of a book that a leg may take, with running sums: what a quantity costs or yields, and back.

use crate::market::Level;
use crate::units::Price;

/// Levels looked at on one side of one book.
pub const LEVELS_MAX: usize = 20;

/// One level with everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Rung {
    price: i64,
    /// Quantity up to the end of the level before, in steps.
    qty_before: i64,
    /// Quantity up to the end of this level.
    qty_end: i64,
    /// Value up to the end of the level before, in notional steps.
    notional_before: i128,
    /// Value up to the end of this level.
    notional_end: i128,
}

/// Levels best first, as an order would take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    rungs: [Rung; LEVELS_MAX],
    count: usize,
}

impl Ladder {
    /// The first levels that are `within` the worst price allowed; empty levels are passed over.
    pub fn of(levels: impl Iterator<Item = Level>, within: impl Fn(Price) -> bool) -> Self {
        let mut ladder = Self {
            rungs: [Rung::default(); LEVELS_MAX],
            count: 0,
        };
        let mut last = Rung::default();
        let usable = levels.filter(|level| level.qty.0 > 0).take(LEVELS_MAX);
        for level in usable {
            if level.price.0 <= 0 || !within(level.price) {
                break;
            }
            let Some(qty_end) = last.qty_end.checked_add(level.qty.0) else {
                break;
            };
            last = Rung {
                price: level.price.0,
                qty_before: last.qty_end,
                qty_end,
                notional_before: last.notional_end,
                // Twenty products of two 63-bit numbers stay below 2^131 only in theory: quantities add up to 63 bits.
                notional_end: last
                    .notional_end
                    .saturating_add(level.price.times(level.qty).0),
            };
            if let Some(slot) = ladder.rungs.get_mut(ladder.count) {
                *slot = last;
                ladder.count += 1;
            }
        }
        ladder
    }

    fn rungs(&self) -> &[Rung] {
        self.rungs.get(..self.count).unwrap_or_default()
    }

    /// Best price; zero when nothing is there.
    #[must_use]
    pub fn touch(&self) -> Price {
        Price(self.rungs().first().map_or(0, |rung| rung.price))
    }
    /// Everything that is there.
    #[must_use]
    pub fn qty(&self) -> i64 {
        self.rungs().last().map_or(0, |rung| rung.qty_end)
    }
    /// Value of the first `qty` steps; `None` when there are fewer.
    #[must_use]
    pub fn notional(&self, qty: i64) -> Option<i128> {
        if qty <= 0 {
            return Some(0);
        }
        let rung = self.rungs().iter().find(|rung| rung.qty_end >= qty)?;
        let inside = i128::from(qty - rung.qty_before) * i128::from(rung.price);
        rung.notional_before.checked_add(inside)
    }
    /// Smallest quantity whose value is at least `notional`; `None` when all is worth less.
    #[must_use]
    pub fn qty_reaching(&self, notional: i128) -> Option<i64> {
        if notional <= 0 {
            return Some(0);
        }
        let mut rungs = self.rungs().iter();
        let rung = rungs.find(|rung| rung.notional_end >= notional)?;
        let inside = notional - rung.notional_before;
        let steps = -(-inside).div_euclid(i128::from(rung.price));
        i64::try_from(steps).ok()?.checked_add(rung.qty_before)
    }
    /// Largest quantity whose value is at most `notional`.
    #[must_use]
    pub fn qty_within(&self, notional: i128) -> i64 {
        let mut rungs = self.rungs().iter();
        let Some(rung) = rungs.find(|rung| rung.notional_end > notional) else {
            return self.qty();
        };
        let inside = (notional - rung.notional_before).max(0);
        let steps = inside.div_euclid(i128::from(rung.price));
        rung.qty_before + i64::try_from(steps).unwrap_or(0)
    }
    /// Worst price that the first `qty` steps touch.
    #[must_use]
    pub fn worst_price(&self, qty: i64) -> Option<Price> {
        let rung = self.rungs().iter().find(|rung| rung.qty_end >= qty)?;
        Some(Price(rung.price))
    }
    /// Price of the step after the first `qty`; `None` at the end.
    #[must_use]
    pub fn next_price(&self, qty: i64) -> Option<Price> {
        let rung = self.rungs().iter().find(|rung| rung.qty_end > qty)?;
        Some(Price(rung.price))
    }
    /// Without the levels before which more than `reserve_max` notional steps would be locked beyond their value: an order
    /// limited at such a level locks its price for all that came cheaper.
    #[must_use]
    pub fn within_reserve(mut self, reserve_max: i128) -> Self {
        let fits = |rung: &&Rung| {
            let locked = i128::from(rung.qty_before) * i128::from(rung.price);
            locked - rung.notional_before <= reserve_max
        };
        self.count = self.rungs().iter().take_while(fits).count();
        self
    }
    /// Largest quantity whose value at the worst price that it touches is at most `notional`: what the venue locks for a
    /// purchase limited there.
    #[must_use]
    pub fn qty_locking(&self, notional: i128) -> i64 {
        let mut most = 0;
        for rung in self.rungs() {
            let lockable = notional.div_euclid(i128::from(rung.price)).max(0);
            let lockable = i64::try_from(lockable).unwrap_or(i64::MAX);
            if lockable <= rung.qty_before {
                break;
            }
            most = lockable.min(rung.qty_end);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Qty;

    fn ladder() -> Ladder {
        let level = |price, qty| Level {
            price: Price(price),
            qty: Qty(qty),
        };
        let levels = [level(100, 5), level(101, 0), level(102, 10), level(110, 1)];
        Ladder::of(levels.into_iter(), |price| price.0 <= 105)
    }

    #[test]
    fn sums_and_their_inverses() {
        let ladder = ladder();
        assert_eq!((ladder.touch(), ladder.qty()), (Price(100), 15));
        for (qty, notional) in [(0, 0), (5, 500), (6, 602), (15, 1_520)] {
            assert_eq!(ladder.notional(qty), Some(notional));
            assert_eq!(ladder.qty_reaching(notional), Some(qty));
            assert_eq!(ladder.qty_within(notional), qty);
        }
        assert_eq!(ladder.notional(16), None);
        assert_eq!(
            (ladder.qty_reaching(501), ladder.qty_within(601)),
            (Some(6), 5)
        );
        assert_eq!(
            (ladder.qty_reaching(1_521), ladder.qty_within(9_999)),
            (None, 15)
        );
        assert_eq!(
            (ladder.worst_price(5), ladder.next_price(5)),
            (Some(Price(100)), Some(Price(102)))
        );
        assert_eq!(ladder.next_price(15), None);
    }

    #[test]
    fn what_a_limit_locks() {
        let ladder = ladder();
        assert_eq!(
            ladder.within_reserve(9).qty(),
            5,
            "5 at 102 instead of 100 lock 10 more"
        );
        assert_eq!(ladder.within_reserve(10).qty(), 15);
        for (notional, qty) in [(99, 0), (450, 4), (500, 5), (511, 5), (612, 6), (9_999, 15)] {
            assert_eq!(ladder.qty_locking(notional), qty, "{notional}");
        }
    }
}
