//! The venue's error answers: code, text and HTTP status of each refusal.

use crate::exchanges::Dialect;
use crate::sim::venue::order::Refusal;
use crate::units::UnixNanos;

use super::json::Obj;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// HTTP status, also `status` of the WebSocket API.
    pub(crate) status: u16,
    pub(crate) code: i32,
    pub(crate) message: String,
    /// `Retry-After`, seconds.
    pub(crate) retry_after: Option<i64>,
}

impl ApiError {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        let status = match code {
            -1003 | -1015 => 429,
            -2014 | -2015 => 401,
            -1007 => 503,
            _ => 400,
        };
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }
    /// 418: the address is banned until an instant.
    pub(crate) fn banned(until: UnixNanos, now: UnixNanos) -> Self {
        let millis = until.floor_millis();
        let left = millis.saturating_sub(now.floor_millis());
        let message = format!(
            "Way too much request weight used; IP banned until {millis}. Please use WebSocket Streams for live updates to \
             avoid bans."
        );
        Self {
            status: 418,
            // Whole seconds, the rest of one counts.
            retry_after: Some(-(-left).div_euclid(1_000)),
            ..Self::new(-1003, message)
        }
    }
    pub(crate) fn missing(name: &str) -> Self {
        Self::new(
            -1102,
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
        )
    }
    pub(crate) fn illegal(name: &str) -> Self {
        Self::new(
            -1100,
            format!("Illegal characters found in parameter '{name}'."),
        )
    }
    pub(crate) fn too_fine(dialect: Dialect, name: &str) -> Self {
        match dialect {
            Dialect::BinanceSpot => {
                Self::new(-1111, format!("Parameter '{name}' has too much precision."))
            }
            Dialect::BinanceUsdm => Self::new(
                -1111,
                "Precision is over the maximum defined for this asset.",
            ),
        }
    }
    pub(crate) fn unknown_symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }
    /// `{"code":..,"msg":..}`.
    pub(crate) fn body(&self) -> String {
        Obj::new()
            .int("code", self.code)
            .text("msg", &self.message)
            .end()
    }
}

/// The venue's words for a refused order.
pub(crate) fn refusal(dialect: Dialect, refusal: Refusal) -> ApiError {
    let (code, message) = match dialect {
        Dialect::BinanceSpot => spot_refusal(refusal),
        Dialect::BinanceUsdm => usdm_refusal(refusal),
    };
    ApiError::new(code, message)
}

const fn spot_refusal(refusal: Refusal) -> (i32, &'static str) {
    match refusal {
        Refusal::PriceOutside | Refusal::PriceOffTick => (-1013, "Filter failure: PRICE_FILTER"),
        Refusal::QtyNotPositive => (-1013, "Invalid quantity."),
        Refusal::QtyBelowMin | Refusal::QtyAboveMax | Refusal::QtyOffLot => {
            (-1013, "Filter failure: LOT_SIZE")
        }
        Refusal::NotionalBelowMin => (-1013, "Filter failure: NOTIONAL"),
        Refusal::TooManyOpenOrders => (-1013, "Filter failure: MAX_NUM_ORDERS"),
        Refusal::BalanceShort | Refusal::MarginShort => (
            -2010,
            "Account has insufficient balance for requested action.",
        ),
        Refusal::WouldTake => (-2010, "Order would immediately match and take."),
        Refusal::DuplicateClientId => (-2010, "Duplicate order sent."),
        // Spot has no reduce-only and expires such a fill-or-kill instead; named for completeness.
        Refusal::ReduceOnly | Refusal::CannotFillWhole => (-2010, "New order rejected."),
    }
}

const fn usdm_refusal(refusal: Refusal) -> (i32, &'static str) {
    match refusal {
        Refusal::PriceOutside => (-4013, "Price is out of the allowed range."),
        Refusal::PriceOffTick => (-4014, "Price not increased by tick size."),
        Refusal::QtyNotPositive => (-4003, "Quantity less than or equal to zero."),
        Refusal::QtyBelowMin => (-4004, "Quantity less than min quantity."),
        Refusal::QtyAboveMax => (-4005, "Quantity greater than max quantity."),
        Refusal::QtyOffLot => (-4023, "Qty not increased by step size."),
        Refusal::NotionalBelowMin => (
            -4164,
            "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
        ),
        Refusal::TooManyOpenOrders => (-2025, "Reach max open order limit."),
        Refusal::BalanceShort | Refusal::MarginShort => (-2019, "Margin is insufficient."),
        Refusal::ReduceOnly => (-2022, "ReduceOnly Order is rejected."),
        Refusal::WouldTake => (
            -5022,
            "Due to the order could not be executed as maker, the Post Only order will be rejected. The order will not be recorded in the order history",
        ),
        Refusal::CannotFillWhole => (
            -5021,
            "Due to the order could not be filled immediately, the FOK order has been rejected. The order will not be recorded in the order history",
        ),
        Refusal::DuplicateClientId => (-4116, "ClientOrderId is duplicated."),
    }
}
