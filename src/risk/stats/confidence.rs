//! Confidence levels as exact parts per million: `20 × (1 - 0.9)` is 2 here, and 1.9999999999999996 in binary.

use rust_decimal::Decimal;

/// A confidence level between 50 % and 100 %, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u32);

/// The whole in parts per million.
const WHOLE: u32 = 1_000_000;

impl Confidence {
    /// 90 %.
    pub const P90: Self = Self(900_000);
    /// 95 %.
    pub const P95: Self = Self(950_000);
    /// 97.5 %: expected shortfall (AT-13).
    pub const P975: Self = Self(975_000);
    /// 99 %: value at risk (AT-12).
    pub const P99: Self = Self(990_000);

    /// From parts per million; `None` outside 500,000 to 999,999.
    #[must_use]
    pub const fn new(ppm: u32) -> Option<Self> {
        if ppm >= 500_000 && ppm < WHOLE {
            Some(Self(ppm))
        } else {
            None
        }
    }

    /// `n × (1 - a)` in exact parts per million.
    #[must_use]
    pub fn tail_ppm(self, observations: usize) -> u64 {
        u64::try_from(observations)
            .unwrap_or(u64::MAX)
            .saturating_mul(u64::from(WHOLE - self.0))
    }
}

/// Quantile of the normal distribution at 95 % (1.6448536270 to ten places).
pub const Z_95: Decimal = Decimal::from_parts(1_231_775_719, 3_829_723, 0, false, 16);
/// Quantile at 97.5 % (1.9599639845).
pub const Z_975: Decimal = Decimal::from_parts(3_266_703_326, 4_563_396, 0, false, 16);
/// Quantile at 99 % (2.3263478740).
pub const Z_99: Decimal = Decimal::from_parts(3_129_989_211, 5_416_450, 0, false, 16);
/// Normal expected shortfall over deviation at 95 % (2.0627128075).
pub const ES_95: Decimal = Decimal::from_parts(2_175_187_668, 4_802_627, 0, false, 16);
/// Normal expected shortfall over deviation at 97.5 % (2.3378027922).
pub const ES_975: Decimal = Decimal::from_parts(1_238_843_328, 5_443_121, 0, false, 16);
/// Normal expected shortfall over deviation at 99 % (2.6652142203).
pub const ES_99: Decimal = Decimal::from_parts(1_821_004_288, 6_205_435, 0, false, 16);
