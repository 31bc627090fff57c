//! Rate limits as the venue shows them: `rateLimits` lists, headers, and the answer when a limit is exceeded.

use crate::exchanges::Dialect;
use crate::sim::venue::VenueCore;
use crate::sim::venue::rate::RateCounters;
use crate::units::UnixNanos;

use super::error::ApiError;
use super::json::{Obj, array};

fn entry(kind: &str, interval: &str, number: u32, limit: u32, count: Option<u32>) -> String {
    let body = Obj::new()
        .text("rateLimitType", kind)
        .text("interval", interval)
        .int("intervalNum", number)
        .int("limit", limit);
    match count {
        None => body.end(),
        Some(count) => body.int("count", count).end(),
    }
}

const fn long_interval(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::BinanceSpot => "DAY",
        Dialect::BinanceUsdm => "MINUTE",
    }
}

/// `rateLimits` of `exchangeInfo`: limits only.
pub(crate) fn published(core: &VenueCore) -> String {
    let limits = core.rates.limits();
    let mut entries = vec![
        entry(
            "REQUEST_WEIGHT",
            "MINUTE",
            1,
            limits.weight_per_minute,
            None,
        ),
        entry("ORDERS", "SECOND", 10, limits.orders_per_10s, None),
        entry(
            "ORDERS",
            long_interval(core.dialect()),
            1,
            limits.orders_long,
            None,
        ),
    ];
    if core.dialect() == Dialect::BinanceSpot {
        entries.push(entry("RAW_REQUESTS", "MINUTE", 5, 300_000, None));
    }
    array(entries)
}

/// `rateLimits` of a WebSocket API answer: order counts for order requests, weight always.
pub(crate) fn used(
    core: &mut VenueCore,
    account: Option<usize>,
    is_order: bool,
    now: UnixNanos,
) -> String {
    let limits = core.rates.limits();
    let used = core.rates.used(now, account);
    let long = long_interval(core.dialect());
    let mut entries = Vec::new();
    if is_order {
        entries.push(entry(
            "ORDERS",
            "SECOND",
            10,
            limits.orders_per_10s,
            Some(used.orders_10s),
        ));
        entries.push(entry(
            "ORDERS",
            long,
            1,
            limits.orders_long,
            Some(used.orders_long),
        ));
    }
    entries.push(entry(
        "REQUEST_WEIGHT",
        "MINUTE",
        1,
        limits.weight_per_minute,
        Some(used.weight),
    ));
    array(entries)
}

/// Answer of the order counters.
pub(crate) fn order_counts(core: &mut VenueCore, account: usize, now: UnixNanos) -> String {
    let limits = core.rates.limits();
    let used = core.rates.used(now, Some(account));
    let long = long_interval(core.dialect());
    array([
        entry(
            "ORDERS",
            "SECOND",
            10,
            limits.orders_per_10s,
            Some(used.orders_10s),
        ),
        entry(
            "ORDERS",
            long,
            1,
            limits.orders_long,
            Some(used.orders_long),
        ),
    ])
}

/// Headers of a REST answer.
pub(crate) fn headers(
    core: &mut VenueCore,
    account: Option<usize>,
    is_order: bool,
    now: UnixNanos,
) -> Vec<(String, String)> {
    let used = core.rates.used(now, account);
    let mut headers = vec![
        ("X-MBX-USED-WEIGHT".to_owned(), used.weight.to_string()),
        ("X-MBX-USED-WEIGHT-1M".to_owned(), used.weight.to_string()),
    ];
    if is_order {
        let long = match core.dialect() {
            Dialect::BinanceSpot => "X-MBX-ORDER-COUNT-1D",
            Dialect::BinanceUsdm => "X-MBX-ORDER-COUNT-1M",
        };
        headers.push((
            "X-MBX-ORDER-COUNT-10S".to_owned(),
            used.orders_10s.to_string(),
        ));
        headers.push((long.to_owned(), used.orders_long.to_string()));
    }
    headers
}

/// Counts a request's weight; the 429 when the limit, or a fault, says so; the 418 while banned.
pub(crate) fn admit(core: &mut VenueCore, weight: u32, now: UnixNanos) -> Result<(), ApiError> {
    let refuse = |seconds: i64, limit: u32| {
        let message =
            format!("Too many requests; current limit is {limit} request weight per 1 MINUTE.");
        ApiError {
            retry_after: Some(seconds),
            ..ApiError::new(-1003, message)
        }
    };
    if let Some(until) = core.faults.banned_until.filter(|until| now < *until) {
        core.faults.fire("ban");
        return Err(ApiError::banned(until, now));
    }
    let limit = core.rates.limits().weight_per_minute;
    if let Some((count, seconds)) = core
        .faults
        .rate_limit
        .take()
        .filter(|(count, _)| *count > 0)
    {
        core.faults.rate_limit = (count > 1).then_some((count.saturating_sub(1), seconds));
        core.faults.fire("rate_limit");
        return Err(refuse(i64::from(seconds), limit));
    }
    if core.rates.add_weight(now, weight) {
        Ok(())
    } else {
        Err(refuse(RateCounters::weight_reset_seconds(now), limit))
    }
}
