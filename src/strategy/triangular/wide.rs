//! What a round trip gains against what it costs, exactly: two products in 512 bits.
//!
//! A sale turns one base unit into `bid × (10^6 - fee) / (10^pd × 10^6)` quote units, a purchase one quote unit into
//! `10^pd × (10^6 - fee) / (ask × 10^6)` base units (or `10^pd × 10^6 / (ask × (10^6 + fee))` when the fee is paid on top).
//! The numerators multiply to `gain`, the denominators to `cost`; the trip reaches an edge when
//! `gain × 10^6 >= cost × (10^6 + edge)`. Nothing is divided and nothing is cut: five legs and the threshold need at most
//! 5 × (63 + 21) + 64 bits.

use crate::capacity::LEGS_MAX;
use crate::units::{Ppm, Price, Side};

use super::super::params::FeeTaken;
use super::logs::{log2_ceil, log2_floor};

const WORDS: usize = 8;

const _: () = assert!(
    LEGS_MAX * (63 + 21) + 64 <= WORDS * 64,
    "Invariant: the product of a cycle fits"
);

/// A whole number of 512 bits, lowest word first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wide([u64; WORDS]);

impl Wide {
    const ONE: Self = Self([1, 0, 0, 0, 0, 0, 0, 0]);

    /// # Panics
    /// Invariant: the product fits (asserted above for every use here).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "splits a product in two words"
    )]
    fn times(mut self, factor: u64) -> Self {
        let mut carry = 0_u64;
        for word in &mut self.0 {
            let product = u128::from(*word) * u128::from(factor) + u128::from(carry);
            *word = product as u64;
            carry = (product >> 64) as u64;
        }
        assert!(
            carry == 0,
            "Invariant: the product of a cycle fits 512 bits"
        );
        self
    }

    fn at_least(&self, other: &Self) -> bool {
        self.0.iter().rev().ge(other.0.iter().rev())
    }
}

/// How one instrument turns one asset into the other, but for the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Factors of `gain` and of `cost`; the price belongs to `gain` for a sale and to `cost` for a purchase.
    gain: (u64, u64),
    cost: (u64, u64),
    side: Side,
}

impl Rate {
    /// `None` when the fee is not within ±100% or the decimals are more than 18.
    #[must_use]
    pub fn new(side: Side, price_decimals: u8, fee: Ppm, taken: FeeTaken) -> Option<Self> {
        let million = 1_000_000_u64;
        let scale = 10_u64.checked_pow(u32::from(price_decimals))?;
        if fee.0.abs() >= Ppm::ONE.0 || price_decimals > 18 {
            return None;
        }
        let kept = u64::try_from(Ppm::ONE.0 - fee.0).ok()?;
        let spent = u64::try_from(Ppm::ONE.0 + fee.0).ok()?;
        let (gain, cost) = match (side, taken) {
            (Side::Sell, _) => ((1, kept), (scale, million)),
            (Side::Buy, FeeTaken::FromReceived) => ((scale, kept), (1, million)),
            (Side::Buy, FeeTaken::FromQuote) => ((scale, million), (1, spent)),
        };
        Some(Self { gain, cost, side })
    }

    /// The log of this rate without its price, bounded from above.
    #[must_use]
    pub fn log_ceil(&self) -> i64 {
        let above = log2_ceil(self.gain.0) + log2_ceil(self.gain.1);
        above - log2_floor(self.cost.0) - log2_floor(self.cost.1)
    }

    /// What the price adds to the log, bounded from above; `None` for a price that is not above zero.
    #[must_use]
    pub fn price_log_ceil(&self, price: Price) -> Option<i64> {
        let steps = u64::try_from(price.0).ok().filter(|steps| *steps > 0)?;
        Some(match self.side {
            Side::Sell => log2_ceil(steps),
            Side::Buy => -log2_floor(steps),
        })
    }
}

/// The lower bound of the log of `1 + edge`: a sum of upper bounds below it cannot reach the edge.
#[must_use]
pub fn threshold_floor(edge: Ppm) -> i64 {
    let reached = u64::try_from(Ppm::ONE.0.saturating_add(edge.0)).unwrap_or(0);
    log2_floor(reached) - log2_ceil(1_000_000)
}

/// A round trip at given prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    gain: Wide,
    cost: Wide,
}

impl RoundTrip {
    /// The product of all legs; a price that is not above zero makes a trip that gains nothing.
    pub fn new(legs: impl Iterator<Item = (Rate, Price)>) -> Self {
        let mut trip = Self {
            gain: Wide::ONE,
            cost: Wide::ONE,
        };
        for (rate, price) in legs.take(LEGS_MAX) {
            let steps = u64::try_from(price.0).unwrap_or(0);
            let (gained, spent) = match rate.side {
                Side::Sell => (steps, 1),
                Side::Buy => (u64::from(steps > 0), steps.max(1)),
            };
            let gain = trip.gain.times(rate.gain.0).times(rate.gain.1);
            let cost = trip.cost.times(rate.cost.0).times(rate.cost.1);
            trip.gain = gain.times(gained);
            trip.cost = cost.times(spent);
        }
        trip
    }

    /// True when the trip nets at least `edge` of what it begins with. Exact.
    #[must_use]
    pub fn reaches(&self, edge: Ppm) -> bool {
        let wanted = u64::try_from(Ppm::ONE.0.saturating_add(edge.0)).unwrap_or(0);
        self.gain
            .times(1_000_000)
            .at_least(&self.cost.times(wanted))
    }

    /// The edge in ppm, rounded down, searched from `guess` in steps that double. Within ±10^12; beyond it the bound.
    #[must_use]
    pub fn edge_floor(&self, guess: i64) -> Ppm {
        const FAR: i64 = 1_000_000_000_000;
        let reaches = |edge: i64| self.reaches(Ppm(edge));
        let guess = guess.clamp(-Ppm::ONE.0, FAR);
        // `low` is reached, `high` is not.
        let (mut low, mut high) = if reaches(guess) {
            let (mut low, mut step) = (guess, 1);
            while low + step <= FAR && reaches(low + step) {
                low += step;
                step *= 2;
            }
            (low, low + step)
        } else {
            let (mut high, mut step) = (guess, 1);
            // An edge of -100% is always reached.
            while high - step > -Ppm::ONE.0 && !reaches(high - step) {
                high -= step;
                step *= 2;
            }
            ((high - step).max(-Ppm::ONE.0), high)
        };
        while high - low > 1 {
            let middle = (low + high).div_euclid(2);
            if reaches(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ppm(low.min(FAR))
    }
}
