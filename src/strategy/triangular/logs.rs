//! Base-two logarithms of whole numbers in fixed point, bounded on both sides: what the cheap test of a cycle adds up.
//!
//! A log has 32 fractional bits. [`log2_floor`] is never above the true value and less than 2^-31 below it, so a sum of upper
//! bounds compared with a lower bound of the threshold can only err to the side of looking closer.

/// Fractional bits of a log.
pub const LOG_BITS: u32 = 32;
/// The log of a rate that is not known: no sum with it reaches a threshold, and five of them still fit.
pub const NEVER: i64 = -(1 << 60);

/// Largest log not above `log2(value)`; [`NEVER`] for zero.
///
/// By squaring: a mantissa in 1 to 2 is squared, and each time that it reaches 2 is one bit. Each squaring cuts less than
/// 2^-63 of the mantissa, which moves the log by less than 2^-62 of that bit's weight, so all cuts together stay below
/// 2^-61; the bits after the 32nd are less than 2^-32.
#[must_use]
pub fn log2_floor(value: u64) -> i64 {
    let Some(whole) = value.checked_ilog2() else {
        return NEVER;
    };
    let mut mantissa = value << (63 - whole);
    let mut log = i64::from(whole);
    for _ in 0..LOG_BITS {
        let square = u128::from(mantissa) * u128::from(mantissa);
        // The square of a mantissa with 63 fractional bits has 126 of them: bit 127 says that it reached 2.
        let reached = square >> 127 == 1;
        log = (log << 1) | i64::from(reached);
        let kept = square >> if reached { 64 } else { 63 };
        mantissa = u64::try_from(kept).unwrap_or(u64::MAX);
    }
    log
}

/// A log not below `log2(value)` and less than 2^-30 above it; [`NEVER`] for zero.
#[must_use]
pub fn log2_ceil(value: u64) -> i64 {
    match log2_floor(value) {
        NEVER => NEVER,
        floor => floor + 2,
    }
}

/// About `(2^log - 1) × 10^6`, for small logs only: where the search for the exact edge begins.
#[must_use]
pub fn edge_guess(log: i64) -> i64 {
    // ln 2 = 0.693147, times a million, on 32 fractional bits; then the second term of the series.
    let first = (i128::from(log) * 693_147) >> LOG_BITS;
    let second = (first * first).div_euclid(2_000_000);
    i64::try_from(first + second).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Prng;
    use num_bigint::BigUint;

    /// Slow twin: `value >= 2^(log / 2^14)` exactly, by raising both to the power 2^14 (the fixed point cut to 14 bits).
    fn at_most(log14: i64, value: u64) -> bool {
        let whole = BigUint::from(2_u8).pow(u32::try_from(log14).unwrap());
        whole <= BigUint::from(value).pow(1 << 14)
    }

    #[test]
    fn bounds_enclose_the_true_log() {
        let mut prng = Prng::new(7);
        let mut values = vec![1, 2, 3, 10, 1_000_000, 999_000, u64::MAX];
        for _ in 0..12 {
            values.push(prng.next_u64() >> prng.below(63));
        }
        for value in values.into_iter().filter(|value| *value > 0) {
            let (low, high) = (log2_floor(value), log2_ceil(value));
            assert!(at_most(low >> 18, value), "{value}: {low} is above");
            assert!(
                !at_most((high >> 18) + 1, value),
                "{value}: {high} is below"
            );
            assert!(high - low <= 2);
        }
        assert_eq!(log2_floor(8), 3 << LOG_BITS);
        assert_eq!((log2_floor(0), log2_ceil(0)), (NEVER, NEVER));
    }

    #[test]
    fn guesses_are_near() {
        let log = |ppm: u64| log2_floor(1_000_000 + ppm) - log2_floor(1_000_000);
        for ppm in [0, 1, 100, 600, 5_000, 50_000] {
            let guess = edge_guess(log(ppm));
            let ppm = i64::try_from(ppm).unwrap();
            assert!(
                (guess - ppm).abs() <= 1 + ppm.div_euclid(1_000),
                "{ppm}: {guess}"
            );
        }
    }
}
