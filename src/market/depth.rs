//! What a book shows near its touch: enough to size a forced close and to say before what it will cost.
//!
//! A [`Depth`] is a bounded copy: the first levels one by one, and the sums within each protection band of the forced close
//! (RISK.md 2.7 rule 6). Making it looks at no more than [`WALK_LEVELS_MAX`] levels a side and allocates nothing; a book
//! with more levels inside a band shows less than is there, never more.

use crate::units::{Notional, Ppm, Price, Qty, Side};

use super::book::{Book, Level};

/// Distance from the touch within which depth is summed: the protection ladder of the forced close.
pub const PROTECTION_BANDS: [Ppm; 5] = [
    Ppm::from_bps(20),
    Ppm::from_bps(50),
    Ppm::from_bps(100),
    Ppm::from_bps(200),
    Ppm::from_bps(500),
];
/// Levels kept one by one, a side.
pub const DEPTH_LEVELS: usize = 20;
/// Levels looked at, a side.
pub const WALK_LEVELS_MAX: usize = 100;

/// A quantity and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pool {
    /// Sum of the quantities.
    pub qty: Qty,
    /// Sum of price times quantity.
    pub notional: Notional,
}

impl Pool {
    fn add(&mut self, level: Level) {
        self.qty = Qty(self.qty.0.saturating_add(level.qty.0));
        let value = level.price.times(level.qty);
        self.notional = Notional(self.notional.0.saturating_add(value.0));
    }
}

/// One side of a book, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideDepth {
    levels: [Level; DEPTH_LEVELS],
    level_count: usize,
    bands: [Pool; PROTECTION_BANDS.len()],
}

const NOTHING: Level = Level {
    price: Price(0),
    qty: Qty(0),
};

impl SideDepth {
    /// Sums levels that come best first; `taker` is the side of an order that meets them.
    pub fn of(taker: Side, met: impl Iterator<Item = Level>) -> Self {
        let mut depth = Self {
            levels: [NOTHING; DEPTH_LEVELS],
            level_count: 0,
            bands: [Pool::default(); PROTECTION_BANDS.len()],
        };
        let mut caps: Option<[Price; PROTECTION_BANDS.len()]> = None;
        for level in met.take(WALK_LEVELS_MAX) {
            let caps = *caps.get_or_insert_with(|| {
                PROTECTION_BANDS
                    .map(|band| protected(level.price, taker, band).unwrap_or(level.price))
            });
            let within = |cap: Price| match taker {
                Side::Buy => level.price <= cap,
                Side::Sell => level.price >= cap,
            };
            if !caps.last().is_some_and(|cap| within(*cap)) {
                break;
            }
            for (pool, cap) in depth.bands.iter_mut().zip(caps) {
                if within(cap) {
                    pool.add(level);
                }
            }
            if let Some(slot) = depth.levels.get_mut(depth.level_count) {
                *slot = level;
                depth.level_count += 1;
            }
        }
        depth
    }

    /// The first levels, best first.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        self.levels.get(..self.level_count).unwrap_or_default()
    }
    /// Everything from the touch to the end of band `step` of [`PROTECTION_BANDS`]; past the last step: of the last.
    #[must_use]
    pub fn within(&self, step: usize) -> Pool {
        let last = PROTECTION_BANDS.len() - 1;
        self.bands.get(step.min(last)).copied().unwrap_or_default()
    }
}

/// Both sides of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// What a sale meets.
    pub bids: SideDepth,
    /// What a purchase meets.
    pub asks: SideDepth,
}

impl Depth {
    /// What a book shows now, a newer best quote first.
    #[must_use]
    pub fn of(book: &Book) -> Self {
        Self {
            bids: SideDepth::of(Side::Sell, book.available(Side::Sell)),
            asks: SideDepth::of(Side::Buy, book.available(Side::Buy)),
        }
    }
    /// The side that an order of `taker` meets.
    #[must_use]
    pub const fn met_by(&self, taker: Side) -> &SideDepth {
        match taker {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        }
    }
}

/// `touch` moved by `band` against an order of `taker`, rounded so that the band is not exceeded: a purchase's down, a sale's
/// up. `None` when it does not fit.
#[must_use]
pub fn protected(touch: Price, taker: Side, band: Ppm) -> Option<Price> {
    let million = i128::from(Ppm::ONE.0);
    let factor = million + i128::from(taker.sign()) * i128::from(band.0);
    let scaled = i128::from(touch.0).checked_mul(factor)?;
    let moved = match taker {
        Side::Buy => scaled.div_euclid(million),
        Side::Sell => -(-scaled).div_euclid(million),
    };
    i64::try_from(moved).ok().map(Price)
}
