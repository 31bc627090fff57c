//! What the model's traders react to: each underlying's fair price and bursts, each venue's view of it.

use crate::prng::Prng;
use crate::units::{Nanos, UnixNanos};

/// One whole in parts per billion.
pub(super) const WHOLE: i64 = 1_000_000_000;

/// The fair price of one base asset, shared by all symbols that trade it.
#[derive(Debug, Clone)]
pub(super) struct Underlying {
    /// Fair price against the start, in parts per billion.
    pub(super) level: i64,
    pub(super) prng: Prng,
    /// The model's indices of the symbols that trade it.
    pub(super) symbols: Vec<usize>,
    /// The model's indices of the cross pairs that are quoted in it.
    pub(super) quoted: Vec<usize>,
    burst_until: UnixNanos,
    /// Only the newest chain of jumps goes on.
    pub(super) jump_turn: u64,
    /// No second dislocation before this instant.
    pub(super) calm_from: UnixNanos,
}

impl Underlying {
    pub(super) const fn new(prng: Prng) -> Self {
        Self {
            level: WHOLE,
            prng,
            symbols: Vec::new(),
            quoted: Vec::new(),
            burst_until: UnixNanos(0),
            jump_turn: 0,
            calm_from: UnixNanos(0),
        }
    }
    pub(super) fn in_burst(&self, now: UnixNanos) -> bool {
        now < self.burst_until
    }
    pub(super) const fn burst(&mut self, now: UnixNanos, span: Nanos) {
        self.burst_until = now.after(span);
    }
    /// Moves the fair price by so many parts per billion of itself; never below a hundredth of the start.
    pub(super) fn jump(&mut self, ppb: i64) {
        self.level = scaled(self.level, WHOLE + ppb).max(WHOLE.div_euclid(100));
    }
}

/// What one symbol's makers see.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Price at the start, in steps.
    pub(super) base_price: i64,
    /// The fair price as it last arrived here.
    pub(super) level: i64,
    /// The newest that arrived, also while the makers sleep.
    pub(super) newest: i64,
    /// Makers sleep until then.
    pub(super) asleep_until: UnixNanos,
    /// A dislocation's push, in parts per billion.
    pub(super) bias: i64,
    /// A perpetual's basis, in parts per billion.
    pub(super) basis: i64,
    /// This venue's own lag.
    pub(super) lag: Nanos,
    /// Moves arrive in order.
    pub(super) last_arrival: UnixNanos,
    /// Direction of the last dislocation: the next one likes the other.
    pub(super) last_sign: i64,
}

impl View {
    /// What the symbol is worth here, in steps (rounded down).
    pub(super) fn worth(&self) -> i64 {
        scaled(
            scaled(self.base_price, self.level),
            WHOLE + self.bias + self.basis,
        )
    }
    /// The same without dislocation and venue lag: the mark.
    pub(super) fn mark(&self) -> i64 {
        scaled(scaled(self.base_price, self.newest), WHOLE + self.basis)
    }
    /// The underlying's price: the index.
    pub(super) fn index(&self) -> i64 {
        scaled(self.base_price, self.newest)
    }
}

/// The fair price of a base against that of a quote, both against the start, in parts per billion, rounded down.
pub(super) fn quotient(base: i64, quote: i64) -> i64 {
    let wide = i128::from(base) * i128::from(WHOLE);
    i64::try_from(wide.div_euclid(i128::from(quote.max(1)))).unwrap_or(i64::MAX)
}

/// `value × ppb / 10^9`, rounded down: the model's one rounding from its process to steps.
pub(super) fn scaled(value: i64, ppb: i64) -> i64 {
    let wide = i128::from(value) * i128::from(ppb);
    i64::try_from(wide.div_euclid(i128::from(WHOLE))).unwrap_or(i64::MAX)
}
