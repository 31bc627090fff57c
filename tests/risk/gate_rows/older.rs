//! Rows whose boundaries stand in `tests/risk/gate.rs`, by function; the sources are searched, so that a name cannot stay
//! when its test goes.

use super::Proven;

/// See above.
pub(super) const PROVEN: Proven = &[
    "KILL_REDUCE_ONLY",
    "KILL_CANCEL_ALL",
    "KILL_FLATTEN",
    "KILL_HALT",
    "RISK_VIEW_MISSING",
    "RISK_VIEW_STALE",
    "INSTRUMENT_UNKNOWN",
    "INSTRUMENT_NOT_TRADING",
    "ORDER_FIELD_INVALID",
    "PRICE_OFF_TICK",
    "PRICE_OUTSIDE_FILTER",
    "QTY_OFF_LOT",
    "QTY_BELOW_MIN",
    "QTY_ABOVE_MAX",
    "CONVERSION_MISSING",
    "NOTIONAL_BELOW_MIN",
    "NOTIONAL_ABOVE_VENUE_MAX",
    "REF_PRICE_MISSING",
    "REF_PRICE_STALE",
    "BOOK_ONE_SIDED",
    "BOOK_CROSSED",
    "BOOK_OUT_OF_SYNC",
    "SPREAD_TOO_WIDE",
    "LIMIT_MISSING",
    "ORDER_QTY_MAX",
    "ORDER_NOTIONAL_MAX",
    "POSITION_LIMIT",
    "POSITION_UNPRICED",
    "NOTIONAL_LIMIT_SYMBOL",
    "NOTIONAL_LIMIT_VENUE",
    "NOTIONAL_LIMIT_ASSET",
    "NOTIONAL_LIMIT_GROSS",
    "NOTIONAL_LIMIT_NET",
    "RATE_SUBMIT",
];

#[test]
fn their_tests_are_still_there() {
    let tests = include_str!("../gate.rs");
    for code in PROVEN {
        assert!(tests.contains(&format!("\"{code}\"")), "{code}");
    }
}
