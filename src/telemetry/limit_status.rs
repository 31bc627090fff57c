//! How much of a limit is used.

use rust_decimal::Decimal;
use serde::Serialize;

/// One limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LimitStatus {
    /// `gross_notional`, `position_quantity`, ...
    pub limit: &'static str,
    /// `portfolio`, `spot_a:BTC/USDT`, ...
    pub scope: String,
    /// As configured.
    pub value: Decimal,
    /// Measured; absent when not known.
    pub used: Option<Decimal>,
    /// The limit is a least value, not a largest.
    pub less_is_worse: bool,
}

/// Smallest measured value that a least-value limit is compared with: its share stays a number where nothing is left.
const LEAST_MEASURED: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

impl LimitStatus {
    /// Used part of the limit, above 1 when it is breached. For a least value it is the limit over what was measured: a
    /// distance to liquidation twice as large as asked for uses half of it.
    #[must_use]
    pub fn utilization(&self, used: Decimal) -> Option<Decimal> {
        if self.less_is_worse {
            self.value.checked_div(used.max(LEAST_MEASURED))
        } else {
            used.checked_div(self.value)
        }
    }
}
