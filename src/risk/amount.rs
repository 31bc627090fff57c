//! One exact number for refusals, alerts and records: integer steps with their decimals, quantity, price or value.

use rust_decimal::Decimal;

/// `steps × 10^-decimals`. Compares by value only within one `decimals`; use [`Amount::decimal`] across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Amount {
    /// Integer part of the number.
    pub steps: i128,
    /// How many decimals, 0 to 54.
    pub decimals: u8,
}

impl Amount {
    /// From steps and decimals.
    #[must_use]
    pub const fn new(steps: i128, decimals: u8) -> Self {
        Self { steps, decimals }
    }
    /// A plain count.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::new(i128::from(count), 0)
    }
    /// From an exact decimal.
    #[must_use]
    pub fn of_decimal(value: Decimal) -> Self {
        Self::new(value.mantissa(), u8::try_from(value.scale()).unwrap_or(0))
    }
    /// As a decimal; digits beyond 28 places are cut towards minus infinity; `None` above 96 bits.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        let (mut steps, mut decimals) = (self.steps, self.decimals);
        while decimals > 0 && (decimals > 28 || steps.rem_euclid(10) == 0) {
            steps = steps.div_euclid(10);
            decimals -= 1;
        }
        Decimal::try_from_i128_with_scale(steps, u32::from(decimals)).ok()
    }
}

impl std::fmt::Display for Amount {
    /// Without trailing zeros.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.decimal() {
            Some(value) => f.pad(&value.normalize().to_string()),
            None => write!(f, "{}e-{}", self.steps, self.decimals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_exactly() {
        assert_eq!(Amount::new(1_000_002, 2).to_string(), "10000.02");
        assert_eq!(Amount::new(-50, 1).to_string(), "-5");
        assert_eq!(Amount::new(0, 9).to_string(), "0");
        assert_eq!(Amount::new(5 * 10_i128.pow(36), 36).to_string(), "5");
        assert_eq!(
            Amount::new(i128::MAX, 0).to_string(),
            format!("{}e-0", i128::MAX)
        );
    }
}
