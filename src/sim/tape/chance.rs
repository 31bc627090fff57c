//! Chance in integers: heavy-tailed sizes and gaps from small quantile tables, and a normal draw.
//!
//! The size tables are the recordings' own quantiles (docs/MARKET_MODEL.md says how they were taken), so the model needs
//! no logarithm and is equal on every machine.

use crate::prng::Prng;

/// An inverse distribution function at 33 equal steps, in thousandths of its unit; linear between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles(&'static [u32; 33]);

/// Gaps of a Poisson process, in thousandths of the mean gap.
pub const GAP: Quantiles = Quantiles(&[
    0, 32, 65, 98, 134, 170, 208, 247, 288, 330, 375, 421, 470, 521, 575, 633, 693, 758, 827, 901,
    981, 1068, 1163, 1269, 1386, 1520, 1674, 1856, 2079, 2367, 2773, 3466, 5075,
]);

/// Sizes of orders added at or taken from the touch, in thousandths of the median touch quantity.
pub const ORDER_SIZE: Quantiles = Quantiles(&[
    1, 1, 1, 2, 3, 4, 6, 8, 11, 16, 23, 28, 34, 39, 47, 55, 68, 76, 84, 97, 113, 126, 142, 157,
    179, 204, 220, 247, 271, 305, 428, 544, 2_000,
]);

/// Sizes of takers' orders, in thousandths of the median touch quantity.
pub const TAKER_SIZE: Quantiles = Quantiles(&[
    0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 4, 6, 7, 10, 13, 16, 20, 24, 31, 40, 46, 62, 87, 114,
    165, 229, 347, 730, 6_000,
]);

/// Quantities of levels behind the touch, in thousandths of the median touch quantity.
pub const LEVEL_SIZE: Quantiles = Quantiles(&[
    1, 1, 1, 2, 2, 3, 3, 5, 6, 10, 13, 18, 24, 28, 31, 40, 56, 73, 93, 112, 130, 159, 186, 229,
    300, 376, 464, 554, 670, 800, 1_041, 1_534, 4_000,
]);

impl Quantiles {
    /// One draw, in thousandths of the unit.
    #[inline]
    pub fn sample(self, prng: &mut Prng) -> u64 {
        let bits = prng.next_u64();
        let cell = usize::try_from(bits >> 59).unwrap_or(0);
        let part = (bits >> 27) & 0xFFFF_FFFF;
        let low = u64::from(self.0.get(cell).copied().unwrap_or(0));
        let high = u64::from(self.0.get(cell + 1).copied().unwrap_or(0));
        low + (((high - low) * part) >> 32)
    }
}

/// A normal draw with the given standard deviation: the sum of twelve 16-bit uniforms, so never beyond six deviations.
pub fn normal(prng: &mut Prng, deviation: i64) -> i64 {
    let mut sum: i64 = 0;
    for _ in 0..3 {
        let bits = prng.next_u64();
        for part in 0..4 {
            sum += i64::from(u16::try_from((bits >> (16 * part)) & 0xFFFF).unwrap_or(0));
        }
    }
    ((sum - 6 * 65_536) * deviation) >> 16
}

/// A span between `low` and `high` spread over octaves: as many draws between 5 and 10 as between 160 and 320.
pub fn octaves(prng: &mut Prng, low: u64, high: u64) -> u64 {
    if low == 0 || high <= low {
        return low;
    }
    let count = high.div_euclid(low).ilog2() + 1;
    let floor = low << prng.below(u64::from(count));
    (floor + prng.below(floor)).min(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_their_means() {
        let mut prng = Prng::new(3);
        let mut mean = |table: Quantiles| {
            (0..100_000)
                .map(|_| table.sample(&mut prng))
                .sum::<u64>()
                .div_euclid(100_000)
        };
        assert!((950..=1_060).contains(&mean(GAP)), "gaps keep the rate");
        assert!((100..=220).contains(&mean(ORDER_SIZE)));
        assert!((100..=250).contains(&mean(TAKER_SIZE)));
    }

    #[test]
    fn normal_is_centred_and_spread() {
        let mut prng = Prng::new(4);
        let draws: Vec<i64> = (0..50_000).map(|_| normal(&mut prng, 1_000)).collect();
        let mean = draws.iter().sum::<i64>().div_euclid(50_000);
        let variance = draws
            .iter()
            .map(|draw| draw * draw)
            .sum::<i64>()
            .div_euclid(50_000);
        assert!(mean.abs() < 20, "{mean}");
        assert!((960_000..1_040_000).contains(&variance), "{variance}");
    }

    #[test]
    fn octaves_stay_in_range() {
        let mut prng = Prng::new(5);
        for _ in 0..10_000 {
            assert!((5..=500).contains(&octaves(&mut prng, 5, 500)));
        }
        assert_eq!(octaves(&mut prng, 7, 7), 7);
    }
}
