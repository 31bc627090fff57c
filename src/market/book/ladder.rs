//! One side of a depth book: a window of tick-indexed levels around the best price, and a map for the rest.
//!
//! Nearly every change lies near the touch, so the window answers it with one array access and a bitmap; the far map
//! holds the rest. The window is re-centred when the best price leaves its middle. Slow twin: `BTreeMap` alone
//! (`tests/properties.rs` compares them).

use std::collections::BTreeMap;

use crate::units::{Price, Qty, Side};

use super::Level;

/// Ticks in the window: 4096 × 8 bytes = 32 KiB a side.
const WINDOW_TICKS: usize = 4_096;
const WORDS: usize = WINDOW_TICKS / 64;
/// Share of the window behind the best price after re-centring: most depth lies there.
const LEAD_TICKS: i64 = 1_024;

/// One side. Positions are counted in ticks *away from the book's inside*: position 0 is the most aggressive price
/// of the window, for bids the highest, for asks the lowest.
#[derive(Debug, Clone)]
pub struct Ladder {
    side: Side,
    tick: i64,
    /// Depth key of window position 0; a depth key grows with distance from the inside for both sides.
    base: i64,
    quantities: Box<[i64]>,
    occupied: [u64; WORDS],
    /// One bit a word of `occupied` that is not zero.
    summary: u64,
    window_levels: usize,
    /// Levels outside the window or off the tick, by depth key in price steps.
    far: BTreeMap<i64, i64>,
    placed: bool,
}

const _: () = assert!(WORDS <= 64, "Invariant: one summary word covers the window");

impl Ladder {
    /// An empty side; `tick` below 1 counts as 1.
    #[must_use]
    pub fn new(side: Side, tick: Price) -> Self {
        Self {
            side,
            tick: tick.0.max(1),
            base: 0,
            quantities: vec![0; WINDOW_TICKS].into_boxed_slice(),
            occupied: [0; WORDS],
            summary: 0,
            window_levels: 0,
            far: BTreeMap::new(),
            placed: false,
        }
    }

    /// Depth key: grows with distance from the inside.
    #[inline]
    const fn key(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => -price.0,
            Side::Sell => price.0,
        }
    }

    #[inline]
    const fn price(&self, key: i64) -> Price {
        match self.side {
            Side::Buy => Price(-key),
            Side::Sell => Price(key),
        }
    }

    /// Window position of a key; `None` outside the window or off the tick.
    #[inline]
    fn position(&self, key: i64) -> Option<usize> {
        let offset = key - self.base;
        if offset < 0 || offset >= WINDOW_TICKS as i64 * self.tick {
            return None;
        }
        if self.tick == 1 {
            return usize::try_from(offset).ok();
        }
        (offset.rem_euclid(self.tick) == 0)
            .then(|| usize::try_from(offset.div_euclid(self.tick)).ok())
            .flatten()
    }

    /// Sets the absolute quantity at a price; zero or less removes the level.
    #[inline]
    pub fn set(&mut self, price: Price, qty: Qty) {
        let key = self.key(price);
        if !self.placed && qty.0 > 0 {
            self.placed = true;
            self.base = key - LEAD_TICKS * self.tick;
        }
        match self.position(key) {
            Some(position) => {
                self.set_window(position, qty.0);
                if qty.0 > 0 && position < (LEAD_TICKS as usize) / 4 {
                    self.recentre();
                }
            }
            None if qty.0 > 0 => {
                self.far.insert(key, qty.0);
                if key < self.base {
                    self.recentre();
                }
            }
            None => {
                self.far.remove(&key);
            }
        }
    }

    #[inline]
    fn set_window(&mut self, position: usize, qty: i64) {
        let Some(slot) = self.quantities.get_mut(position) else {
            return;
        };
        let was = *slot;
        *slot = qty.max(0);
        let (word, bit) = (position / 64, 1_u64 << (position % 64));
        let Some(bits) = self.occupied.get_mut(word) else {
            return;
        };
        if qty > 0 {
            *bits |= bit;
            self.summary |= 1 << word;
            self.window_levels += usize::from(was == 0);
        } else if was > 0 {
            *bits &= !bit;
            if *bits == 0 {
                self.summary &= !(1 << word);
            }
            self.window_levels -= 1;
        }
    }

    /// First occupied window position at or after `from`.
    #[inline]
    fn next_position(&self, from: usize) -> Option<usize> {
        let word = from / 64;
        let bits = self.occupied.get(word)? & (u64::MAX << (from % 64));
        if bits != 0 {
            return Some(word * 64 + bits.trailing_zeros() as usize);
        }
        if word + 1 >= WORDS {
            return None;
        }
        let rest = self.summary & (u64::MAX << (word + 1));
        if rest == 0 {
            return None;
        }
        let word = rest.trailing_zeros() as usize;
        Some(word * 64 + self.occupied.get(word)?.trailing_zeros() as usize)
    }

    fn window_key(&self, position: usize) -> i64 {
        self.base + i64::try_from(position).unwrap_or(0) * self.tick
    }

    /// The best level.
    #[must_use]
    #[inline]
    pub fn best(&self) -> Option<Level> {
        let window = self
            .next_position(0)
            .map(|position| (self.window_key(position), position));
        let far = if self.far.is_empty() {
            None
        } else {
            self.far.first_key_value()
        };
        match (window, far) {
            (Some((key, _)), Some((far_key, qty))) if *far_key < key => Some(Level {
                price: self.price(*far_key),
                qty: Qty(*qty),
            }),
            (Some((key, position)), _) => Some(Level {
                price: self.price(key),
                qty: Qty(self.quantities.get(position).copied()?),
            }),
            (None, Some((far_key, qty))) => Some(Level {
                price: self.price(*far_key),
                qty: Qty(*qty),
            }),
            (None, None) => None,
        }
    }

    /// Moves the window so that the best price has [`LEAD_TICKS`] of room before it.
    fn recentre(&mut self) {
        let Some(best) = self.best() else { return };
        let mut position = 0;
        while let Some(found) = self.next_position(position) {
            let qty = self.quantities.get(found).copied().unwrap_or(0);
            let key = self.window_key(found);
            self.set_window(found, 0);
            self.far.insert(key, qty);
            position = found;
        }
        self.base = self.key(best.price) - LEAD_TICKS * self.tick;
        let end = self.base + WINDOW_TICKS as i64 * self.tick;
        let mut outside = self.far.split_off(&self.base);
        let mut beyond = outside.split_off(&end);
        for (key, qty) in outside {
            match self.position(key) {
                Some(position) => self.set_window(position, qty),
                None => {
                    beyond.insert(key, qty);
                }
            }
        }
        self.far.append(&mut beyond);
    }

    /// Forgets every level.
    pub fn clear(&mut self) {
        let mut position = 0;
        while let Some(found) = self.next_position(position) {
            self.set_window(found, 0);
            position = found;
        }
        self.far.clear();
        self.placed = false;
    }

    /// How many levels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window_levels + self.far.len()
    }
    /// True without any level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All levels, best first.
    pub fn iter(&self) -> impl Iterator<Item = Level> + '_ {
        let mut far = self.far.iter().peekable();
        let mut position = self.next_position(0);
        std::iter::from_fn(move || {
            let window_key = position.map(|found| self.window_key(found));
            match (window_key, far.peek()) {
                (Some(key), Some((far_key, _))) if **far_key < key => {
                    let (key, qty) = far.next()?;
                    Some(Level {
                        price: self.price(*key),
                        qty: Qty(*qty),
                    })
                }
                (Some(key), _) => {
                    let found = position?;
                    position = self.next_position(found + 1);
                    Some(Level {
                        price: self.price(key),
                        qty: Qty(self.quantities.get(found).copied()?),
                    })
                }
                (None, Some(_)) => {
                    let (key, qty) = far.next()?;
                    Some(Level {
                        price: self.price(*key),
                        qty: Qty(*qty),
                    })
                }
                (None, None) => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
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
}
