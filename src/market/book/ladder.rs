//! One side of a depth book: a window of tick-indexed levels around the best price, and a sorted vector for the rest.
//!
//! Nearly every change lies near the touch, so the window answers it with one array access and one bit; the few levels
//! far away are found by binary search. The window moves with the best price, in whole words of its bitmap, and its
//! size adapts: it doubles while many changes fall just behind its end and the book has enough levels to fill it, so a
//! thin book costs 2 KiB a side and a deep one is still an array (`benches/book.rs`). Moving and changing levels
//! allocates nothing once window and vector have grown. Slow twin: `BTreeMap` (tests below and `tests/properties.rs`).

use crate::capacity::BOOK_SIDE_LEVELS_MAX;
use crate::units::{Price, Qty, Side};

use super::Level;

/// Ticks in a bitmap word.
const WORD_TICKS: usize = 64;
const WORD_TICKS_I64: i64 = 64;
/// Words of the first window: 256 ticks, 2 KiB of quantities.
const WORDS_MIN: usize = 4;
/// Words of the largest window: 32,768 ticks, 256 KiB of quantities.
const WORDS_MAX: usize = 512;
/// The window doubles only while that leaves at most so many ticks a level (8 bytes each).
const TICKS_A_LEVEL_MAX: usize = 16;
/// Changes just behind the window before it is asked whether it should grow.
const HITS_ASKED: u32 = 64;
/// It grows when at least one change in so many fell there.
const HIT_SHARE: u32 = 64;
/// Prices beyond this (in steps, either sign) are never in a window, so that window arithmetic cannot overflow.
const WINDOW_PRICE_MAX: u64 = 1 << 60;
/// Largest tick that windows are built on.
const TICK_MAX: i64 = 1 << 40;
/// `first` of an empty window.
const NONE: usize = usize::MAX;

/// A level outside the window, by depth key.
#[derive(Debug, Clone, Copy)]
struct FarLevel {
    key: i64,
    qty: i64,
}

/// One side. Positions are counted in ticks *away from the book's inside*: position 0 is the most aggressive price
/// of the window, for bids the highest, for asks the lowest.
#[derive(Debug, Clone)]
pub struct Ladder {
    /// Depth key of window position 0, a multiple of a word's span; a depth key grows with distance from the inside.
    base: i64,
    tick: i64,
    /// Steps the window covers: 0 until the first level, then ticks of the window times `tick`.
    span: u64,
    /// First occupied window position, [`NONE`] when the window is empty.
    first: usize,
    /// Key of the first far level, `i64::MAX` when there is none.
    far_first: i64,
    /// Quantity a window position; meaningful only where `occupied` says so.
    quantities: Box<[i64]>,
    occupied: Box<[u64]>,
    /// Levels outside the window or off the tick, by rising key.
    far: Vec<FarLevel>,
    window_levels: usize,
    /// Changes since growth was last considered, and how many of them a window twice as large would have taken.
    changes: u32,
    hits: u32,
    side: Side,
}

const _: () = assert!(
    BOOK_SIDE_LEVELS_MAX < WORDS_MAX * WORD_TICKS,
    "Invariant: a full book side can be a window"
);

impl Ladder {
    /// An empty side; `tick` below 1 counts as 1. Takes memory with the first level only.
    #[must_use]
    pub fn new(side: Side, tick: Price) -> Self {
        Self {
            base: 0,
            tick: tick.0.clamp(1, TICK_MAX),
            span: 0,
            first: NONE,
            far_first: i64::MAX,
            quantities: Box::default(),
            occupied: Box::default(),
            far: Vec::new(),
            window_levels: 0,
            changes: 0,
            hits: 0,
            side,
        }
    }

    /// Depth key: grows with distance from the inside.
    #[inline]
    const fn key(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => price.0.saturating_neg(),
            Side::Sell => price.0,
        }
    }

    #[inline]
    const fn price(&self, key: i64) -> Price {
        match self.side {
            Side::Buy => Price(key.saturating_neg()),
            Side::Sell => Price(key),
        }
    }

    /// Window position of a key; `None` outside the window or off the tick.
    #[inline]
    fn position(&self, key: i64) -> Option<usize> {
        let offset = key.wrapping_sub(self.base).cast_unsigned();
        if offset >= self.span {
            return None;
        }
        if self.tick == 1 {
            return usize::try_from(offset).ok();
        }
        let tick = self.tick.cast_unsigned();
        if offset.checked_rem(tick)? != 0 {
            return None;
        }
        usize::try_from(offset.checked_div(tick)?).ok()
    }

    /// Sets the absolute quantity at a price; zero or less removes the level.
    #[inline]
    pub fn set(&mut self, price: Price, qty: Qty) {
        let key = self.key(price);
        self.changes = self.changes.saturating_add(1);
        match self.position(key) {
            Some(position) if qty.0 > 0 => self.put(position, qty.0),
            Some(position) => self.take(position),
            None => self.set_outside(key, qty.0),
        }
    }

    #[inline]
    fn put(&mut self, position: usize, qty: i64) {
        let (word, bit) = (
            position.div_euclid(WORD_TICKS),
            1_u64 << (position % WORD_TICKS),
        );
        if let (Some(slot), Some(bits)) = (
            self.quantities.get_mut(position),
            self.occupied.get_mut(word),
        ) {
            *slot = qty;
            self.window_levels += usize::from(*bits & bit == 0);
            *bits |= bit;
            self.first = self.first.min(position);
        }
    }

    #[inline]
    fn take(&mut self, position: usize) {
        let (word, bit) = (
            position.div_euclid(WORD_TICKS),
            1_u64 << (position % WORD_TICKS),
        );
        let Some(bits) = self.occupied.get_mut(word) else {
            return;
        };
        if *bits & bit == 0 {
            return;
        }
        *bits &= !bit;
        self.window_levels -= 1;
        if position == self.first {
            self.first = self.next_position(position).unwrap_or(NONE);
            // The touch went deep into the window, or out of it: follow it.
            if self.first >= self.quantities.len().div_euclid(2) {
                self.follow();
            }
        }
    }

    /// A change that the window does not cover.
    fn set_outside(&mut self, key: i64, qty: i64) {
        let found = self.far.binary_search_by_key(&key, |level| level.key);
        match (found, qty > 0) {
            (Ok(index), true) => {
                if let Some(level) = self.far.get_mut(index) {
                    level.qty = qty;
                }
            }
            (Ok(index), false) => {
                self.far.remove(index);
            }
            (Err(_), false) => return,
            (Err(index), true) => {
                if self.span == 0 {
                    self.grow();
                }
                if self.window_levels == 0 || key < self.base {
                    self.move_to(key);
                    if let Some(position) = self.position(key) {
                        return self.put(position, qty);
                    }
                    let index = self.far.partition_point(|level| level.key < key);
                    self.far.insert(index, FarLevel { key, qty });
                } else {
                    self.far.insert(index, FarLevel { key, qty });
                }
                if self.len() > BOOK_SIDE_LEVELS_MAX {
                    self.far.pop();
                }
            }
        }
        self.far_first = self.far.first().map_or(i64::MAX, |level| level.key);
        self.consider_growth(key);
    }

    /// First occupied window position at or after `from`.
    #[inline]
    fn next_position(&self, from: usize) -> Option<usize> {
        let word = from.div_euclid(WORD_TICKS);
        let bits = self.occupied.get(word)? & (u64::MAX << (from % WORD_TICKS));
        if bits != 0 {
            return Some(word * WORD_TICKS + bits.trailing_zeros() as usize);
        }
        let rest = self.occupied.get(word + 1..)?;
        let skipped = rest.iter().position(|bits| *bits != 0)?;
        let bits = rest.get(skipped)?;
        Some((word + 1 + skipped) * WORD_TICKS + bits.trailing_zeros() as usize)
    }

    fn window_key(&self, position: usize) -> i64 {
        self.base + i64::try_from(position).unwrap_or(0) * self.tick
    }

    /// The best level.
    #[must_use]
    #[inline]
    pub fn best(&self) -> Option<Level> {
        if let Some(qty) = self.quantities.get(self.first) {
            let key = self.window_key(self.first);
            if key < self.far_first {
                return Some(Level {
                    price: self.price(key),
                    qty: Qty(*qty),
                });
            }
        }
        let level = self.far.first()?;
        Some(Level {
            price: self.price(level.key),
            qty: Qty(level.qty),
        })
    }

    /// Steps of one bitmap word.
    const fn word_span(&self) -> i64 {
        self.tick * WORD_TICKS_I64
    }

    /// Moves the window to where the best price is now.
    #[cold]
    fn follow(&mut self) {
        if let Some(best) = self.best() {
            self.move_to(self.key(best.price));
        }
    }

    /// Moves the window, by whole words, so that `key` has a quarter of it as room before it.
    fn move_to(&mut self, key: i64) {
        if key.unsigned_abs() > WINDOW_PRICE_MAX {
            return;
        }
        let words = self.occupied.len();
        let lead = i64::try_from(words.div_euclid(4)).unwrap_or(0);
        let base = (key.div_euclid(self.word_span()) - lead) * self.word_span();
        let shift = (self.base - base).div_euclid(self.word_span());
        let distance = usize::try_from(shift.unsigned_abs())
            .map_or(words, |words_moved| words_moved.min(words));
        let kept = words - distance;
        if shift >= 0 {
            // Towards better prices: what falls out of the far end goes before the far levels.
            self.spill(kept * WORD_TICKS);
            self.occupied.copy_within(..kept, distance);
            self.quantities
                .copy_within(..kept * WORD_TICKS, distance * WORD_TICKS);
            self.occupied
                .iter_mut()
                .take(distance)
                .for_each(|bits| *bits = 0);
        } else {
            // Away: nothing stands before the best price, unless the window is empty or the best is off the tick.
            self.occupied.copy_within(distance.., 0);
            self.quantities.copy_within(distance * WORD_TICKS.., 0);
            self.occupied
                .iter_mut()
                .skip(kept)
                .for_each(|bits| *bits = 0);
        }
        self.base = base;
        self.pull();
    }

    /// Moves the levels at or after a position to the far levels.
    fn spill(&mut self, from: usize) {
        let mut position = from;
        let known = self.far.len();
        while let Some(found) = self.next_position(position) {
            let key = self.window_key(found);
            let qty = self.quantities.get(found).copied().unwrap_or(0);
            self.far.push(FarLevel { key, qty });
            self.window_levels -= 1;
            position = found + 1;
        }
        let spilled = self.far.len() - known;
        self.far.rotate_right(spilled);
        if self.far_first < self.window_key(self.quantities.len()) {
            // Levels off the tick stand between those of the window.
            self.far.sort_unstable_by_key(|level| level.key);
        }
    }

    /// Takes those far levels into the window that it covers now, and finds its first level.
    fn pull(&mut self) {
        let end = self.window_key(self.quantities.len());
        let covered = self.far.partition_point(|level| level.key < end);
        let mut stayed = 0;
        self.first = NONE;
        for index in 0..covered {
            let Some(level) = self.far.get(index).copied() else {
                break;
            };
            if let Some(position) = self.position(level.key) {
                self.put(position, level.qty);
            } else {
                self.far.swap(stayed, index);
                stayed += 1;
            }
        }
        self.far.drain(stayed..covered);
        self.far_first = self.far.first().map_or(i64::MAX, |level| level.key);
        self.first = self.next_position(0).unwrap_or(NONE);
    }

    /// Doubles the window when it would take enough of the changes that miss it now, and would not be too empty.
    fn consider_growth(&mut self, key: i64) {
        let offset = key.wrapping_sub(self.base).cast_unsigned();
        if offset >= self.span.saturating_mul(2) {
            return;
        }
        self.hits += 1;
        if self.hits < HITS_ASKED {
            return;
        }
        let is_worth_it = self.changes < self.hits.saturating_mul(HIT_SHARE);
        let is_filled = self.quantities.len() * 2 <= self.len() * TICKS_A_LEVEL_MAX;
        self.hits = 0;
        self.changes = 0;
        if is_worth_it && is_filled && self.occupied.len() < WORDS_MAX {
            self.grow();
        }
    }

    /// Doubles the window; the room before the best price grows with it.
    #[cold]
    fn grow(&mut self) {
        let words_before = self.occupied.len();
        let words = (words_before * 2).max(WORDS_MIN);
        let lead = words.div_euclid(4) - words_before.div_euclid(4);
        let mut occupied = vec![0_u64; words].into_boxed_slice();
        let mut quantities = vec![0_i64; words * WORD_TICKS].into_boxed_slice();
        for (to, from) in occupied.iter_mut().skip(lead).zip(&self.occupied) {
            *to = *from;
        }
        for (to, from) in quantities
            .iter_mut()
            .skip(lead * WORD_TICKS)
            .zip(&self.quantities)
        {
            *to = *from;
        }
        self.occupied = occupied;
        self.quantities = quantities;
        self.base -= i64::try_from(lead).unwrap_or(0) * self.word_span();
        self.span = self.word_span().cast_unsigned() * words as u64;
        self.pull();
    }

    /// Forgets every level; the window keeps its size.
    pub fn clear(&mut self) {
        self.occupied.fill(0);
        self.window_levels = 0;
        self.first = NONE;
        self.far.clear();
        self.far_first = i64::MAX;
    }

    /// How many levels there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.window_levels + self.far.len()
    }
    /// True without any level.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All levels, best first.
    pub fn iter(&self) -> impl Iterator<Item = Level> + '_ {
        let mut far = self.far.iter().peekable();
        let mut position = self.next_position(0);
        std::iter::from_fn(move || {
            if let Some(found) = position {
                let key = self.window_key(found);
                if far.peek().is_none_or(|level| key < level.key) {
                    position = self.next_position(found + 1);
                    return Some(Level {
                        price: self.price(key),
                        qty: Qty(self.quantities.get(found).copied()?),
                    });
                }
            }
            let level = far.next()?;
            Some(Level {
                price: self.price(level.key),
                qty: Qty(level.qty),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::prng::Prng;

    /// The fast ladder agrees with a plain map on random walks that leave and re-enter the window.
    #[test]
    fn agrees_with_a_map() {
        for seed in 0..40 {
            let mut prng = Prng::new(seed);
            let side = if seed % 2 == 0 { Side::Buy } else { Side::Sell };
            let tick = if seed % 3 == 0 { 10 } else { 1 };
            let mut ladder = Ladder::new(side, Price(tick));
            let mut twin: BTreeMap<i64, i64> = BTreeMap::new();
            let mut centre = 1_000_000;
            for step in 0..4_000 {
                centre += prng.between(-400, 400);
                let mut price = centre + prng.between(-6_000, 6_000);
                if prng.chance_ppm(900_000) {
                    price -= price.rem_euclid(tick);
                }
                let qty = if prng.chance_ppm(400_000) {
                    0
                } else {
                    prng.between(1, 1_000)
                };
                ladder.set(Price(price), Qty(qty));
                if qty == 0 {
                    twin.remove(&price);
                } else {
                    twin.insert(price, qty);
                }
                let best = match side {
                    Side::Buy => twin.last_key_value(),
                    Side::Sell => twin.first_key_value(),
                };
                assert_eq!(
                    ladder.best().map(|level| (level.price.0, level.qty.0)),
                    best.map(|(price, qty)| (*price, *qty)),
                    "seed {seed} step {step}"
                );
                assert_eq!(ladder.len(), twin.len(), "seed {seed} step {step}");
                if step % 500 == 0 {
                    let all: Vec<(i64, i64)> = ladder
                        .iter()
                        .map(|level| (level.price.0, level.qty.0))
                        .collect();
                    let mut expected: Vec<(i64, i64)> =
                        twin.iter().map(|(p, q)| (*p, *q)).collect();
                    if side == Side::Buy {
                        expected.reverse();
                    }
                    assert_eq!(all, expected, "seed {seed} step {step}");
                }
            }
            ladder.clear();
            assert!(ladder.is_empty() && ladder.best().is_none());
        }
    }

    /// Wide books grow their window, thin ones stay small, and no side exceeds its bound or overflows.
    #[test]
    fn the_window_adapts() {
        let mut prng = Prng::new(7);
        let mut thin = Ladder::new(Side::Buy, Price(1));
        let mut deep = Ladder::new(Side::Sell, Price(1));
        for _ in 0..50_000 {
            let offset = prng.between(0, 12_000);
            thin.set(Price(1_000_000 - offset.rem_euclid(50)), Qty(1));
            deep.set(Price(1_000_000 + offset), Qty(1));
        }
        assert_eq!(thin.quantities.len(), WORDS_MIN * WORD_TICKS);
        assert!(
            deep.quantities.len() >= 8_192,
            "window {}",
            deep.quantities.len()
        );
        for price in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX] {
            for ladder in [&mut thin, &mut deep] {
                ladder.set(Price(price), Qty(3));
                assert!(ladder.iter().any(|level| level.qty == Qty(3)));
                ladder.set(Price(price), Qty(0));
                assert!(ladder.iter().all(|level| level.qty != Qty(3)));
            }
        }
        for offset in 0..20_000 {
            deep.set(Price(2_000_000 + offset * 1_000), Qty(1));
        }
        assert_eq!(deep.len(), BOOK_SIDE_LEVELS_MAX);
        assert_eq!(deep.best().map(|level| level.price), Some(Price(1_000_000)));
    }
}
