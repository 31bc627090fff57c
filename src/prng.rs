//! The one source of chance: a small seeded generator (xoshiro256**), equal on every machine.
//!
//! Algorithm: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (public domain), seeded by
//! splitmix64. Not for secrets: those are the operating system's, see [`secret_bytes`].

/// Bytes that nobody can guess, from the operating system: tokens and nonces, never decisions.
///
/// # Errors
/// The system has no randomness to give.
pub fn secret_bytes<const N: usize>() -> Result<[u8; N], std::io::Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_opaque| std::io::Error::other("the system gave no random bytes"))?;
    Ok(bytes)
}

/// A seeded generator. Equal seeds give equal sequences for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prng {
    state: [u64; 4],
}

const fn splitmix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (state, mixed ^ (mixed >> 31))
}

impl Prng {
    /// A generator for `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let (state, first) = splitmix(seed);
        let (state, second) = splitmix(state);
        let (state, third) = splitmix(state);
        let (_, fourth) = splitmix(state);
        Self {
            state: [first, second, third, fourth],
        }
    }

    /// An independent generator for a named part: same seed and label, same child.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        let mut hash = self.state[0];
        for byte in label.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        Self::new(hash)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        let result = self.state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = self.state[1] << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// Uniform in `0..bound` (Lemire's multiply; the bias is below 2^-64 × bound). Zero for a bound of zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Uniform in `low..=high`; `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let width = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(self.below(width))
    }

    /// True with probability `ppm` in a million.
    pub fn chance_ppm(&mut self, ppm: u64) -> bool {
        self.below(1_000_000) < ppm
    }

    /// Uniform in `[0, 1)` with 53 bits: for models and statistics, never for money.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "53 bits fit a double exactly"
    )]
    pub fn unit_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (sum of twelve uniforms less six): light tails, no transcendental functions, so it is
    /// equal on every machine.
    #[expect(clippy::float_arithmetic, reason = "a model's noise")]
    pub fn normal_f64(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            sum += self.unit_f64();
        }
        sum - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_agree_and_parts_differ() {
        let mut one = Prng::new(7);
        let mut two = Prng::new(7);
        let first: Vec<u64> = (0..8).map(|_| one.next_u64()).collect();
        let second: Vec<u64> = (0..8).map(|_| two.next_u64()).collect();
        assert_eq!(first, second);
        assert_ne!(
            Prng::new(7).fork("a").next_u64(),
            Prng::new(7).fork("b").next_u64()
        );
        assert_ne!(Prng::new(7).next_u64(), Prng::new(8).next_u64());
    }

    #[test]
    fn ranges_hold() {
        let mut prng = Prng::new(1);
        for _ in 0..10_000 {
            assert!(prng.below(10) < 10);
            assert!((-3..=3).contains(&prng.between(-3, 3)));
            let unit = prng.unit_f64();
            assert!((0.0..1.0).contains(&unit));
        }
        assert_eq!(prng.below(0), 0);
        assert_eq!(prng.between(5, 5), 5);
    }
}
