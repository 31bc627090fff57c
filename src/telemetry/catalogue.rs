//! Every exported metric, once: name, type, labels, unit and help. `docs/METRICS.md` is generated from this table.

use std::fmt::Write as _;

use super::stage::Stage;

/// Prometheus type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Cumulative buckets since the start.
    Histogram,
    /// Exact quantiles of the last closed window.
    Summary,
}

impl Kind {
    /// As in the TYPE line.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Full name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Label names, in order of the values.
    pub labels: &'static [&'static str],
    /// Unit of the value.
    pub unit: &'static str,
    /// HELP line.
    pub help: &'static str,
}

macro_rules! catalogue {
    ($($id:ident: $kind:ident $name:literal [$($label:literal),*] $unit:literal, $help:literal;)*) => {
        $(#[doc = $help]
        pub const $id: Metric = Metric {
            name: concat!("arbitrage_", $name), kind: Kind::$kind, labels: &[$($label),*], unit: $unit, help: $help,
        };)*
        /// All, in the order of the documentation.
        pub const CATALOGUE: &[Metric] = &[$($id),*];
    };
}

catalogue! {
    POSITION_QUANTITY: Gauge "position_quantity" ["symbol"] "base units", "Net position over all venues of this node, signed; 0 when closed";
    UNREALIZED_PNL: Gauge "unrealized_pnl" ["symbol"] "reporting currency", "Unrealized profit and loss at mid; NaN while an open position cannot be priced";
    TOTAL_EXPOSURE: Gauge "total_exposure" [] "reporting currency", "Gross absolute exposure over all symbols; NaN while an open position cannot be priced";

    SYMBOL_EXPOSURE: Gauge "symbol_exposure" ["symbol"] "reporting currency", "Gross absolute value of a symbol's positions over all venues at mid; NaN while one cannot be priced";
    VENUE_POSITION_QUANTITY: Gauge "venue_position_quantity" ["venue", "symbol"] "base units", "Signed position at one venue";
    REALIZED_PNL: Gauge "realized_pnl" ["strategy"] "reporting currency", "Realized profit and loss since the start, after fees";
    FEES_PAID_TOTAL: Counter "fees_paid_total" ["venue"] "reporting currency", "Trading fees paid";
    REBATES_RECEIVED_TOTAL: Counter "rebates_received_total" ["venue"] "reporting currency", "Maker rebates received";
    PNL: Gauge "pnl" [] "reporting currency", "Realized and unrealized profit and loss since the start, after fees; NaN while it cannot be told";
    EQUITY: Gauge "equity" ["venue"] "reporting currency", "Account equity; NaN while an asset has no rate";
    NAV: Gauge "nav" [] "units", "Value of one unit of the portfolio; 1 at the start; deposits and withdrawals do not move it";
    HIGH_WATER_MARK: Gauge "high_water_mark" [] "units", "Highest value of one unit";
    DRAWDOWN_RATIO: Gauge "drawdown_ratio" [] "ratio", "Fall of the unit value from its high-water mark";
    MAX_DRAWDOWN_RATIO: Gauge "max_drawdown_ratio" [] "ratio", "Largest fall of the unit value since the start";
    VAR99_USD: Gauge "var99_usd" [] "reporting currency", "Value at risk, 99 % over one day: the larger of the historical and the weighted estimate; NaN until there is enough history";
    ES975_USD: Gauge "es975_usd" [] "reporting currency", "Expected shortfall, 97.5 % over one day; NaN until there is enough history";
    MARGIN_USAGE_RATIO: Gauge "margin_usage_ratio" [] "ratio", "Initial margin over equity of the account nearest to its limit; NaN where no account has margin";
    MAINT_MARGIN_RATIO: Gauge "maint_margin_ratio" [] "ratio", "Maintenance margin over equity of the account nearest to its limit; NaN where no account has margin";
    UNHEDGED_DELTA_USD: Gauge "unhedged_delta_usd" [] "reporting currency", "Value of what leg sets have open on one side only";
    NET_DELTA: Gauge "net_delta" ["asset"] "reporting currency", "Signed net value of a base asset over all venues";
    UNPRICED_POSITIONS: Gauge "unpriced_positions" [] "1", "Open positions without a usable price";
    RISK_LIMIT: Gauge "risk_limit" ["limit", "scope"] "the limit's unit", "Configured value of a limit";
    RISK_LIMIT_UTILIZATION_RATIO: Gauge "risk_limit_utilization_ratio" ["limit", "scope"] "ratio", "Used part of a limit; above 1 it is breached";
    RISK_CHECKS_TOTAL: Counter "risk_checks_total" ["result"] "1", "Pre-trade checks by result (pass, reject)";
    RISK_REJECTIONS_TOTAL: Counter "risk_rejections_total" ["reason", "strategy"] "1", "Orders stopped by the pre-trade check";
    KILL_LEVEL: Gauge "kill_level" ["scope"] "level", "Kill level: 0 armed, 1 reduce only, 2 cancel all, 3 flatten, 4 halt";
    TRADING_STATE: Gauge "trading_state" ["state"] "0/1", "One series a state: starting, active, reduce_only, halted";
    FORCE_CLOSE_TOTAL: Counter "force_close_total" ["cause", "result"] "1", "Forced closes by cause and result";
    CONTROL_REQUESTS_TOTAL: Counter "control_requests_total" ["result"] "1", "Requests of the control API by result: ok, or why refused; no_request is a connection without a whole request";
    CONTROL_TARPIT_TOTAL: Counter "control_tarpit_total" ["what"] "1", "Refusals without a right signature: delayed were answered late, crowded were closed without an answer because too many waited";
    PAPER_TRADING: Gauge "paper_trading" [] "0/1", "1 when no real order can leave";

    OPPORTUNITIES_TOTAL: Counter "opportunities_total" ["strategy", "outcome"] "1", "Opportunities by what became of them";
    BEST_EDGE_BPS: Gauge "best_edge_bps" ["strategy", "symbol"] "basis points", "Best net edge now, after fees";
    SETS_TOTAL: Counter "sets_total" ["strategy", "outcome"] "1", "Leg sets by outcome (opened, hedged, broken, and how broken ones ended)";
    OPEN_SETS: Gauge "open_sets" ["strategy"] "1", "Leg sets open now";
    ORDERS_TOTAL: Counter "orders_total" ["venue", "side", "type", "result"] "1", "Orders by final result";
    ORDER_REJECTS_TOTAL: Counter "order_rejects_total" ["venue", "reason"] "1", "Venue rejections by class";
    FILLS_TOTAL: Counter "fills_total" ["venue", "side", "liquidity"] "1", "Fills (maker, taker)";
    TRADED_NOTIONAL_TOTAL: Counter "traded_notional_total" ["venue", "symbol"] "reporting currency", "Traded notional";
    OPEN_ORDERS: Gauge "open_orders" ["venue"] "1", "Live orders";
    UNKNOWN_ORDERS: Gauge "unknown_orders" ["venue"] "1", "Orders whose state at the venue is not known";

    VENUE_CONNECTED: Gauge "venue_connected" ["venue", "channel"] "0/1", "WebSocket session is up and subscribed";
    RECONNECTS_TOTAL: Counter "reconnects_total" ["venue", "channel", "cause"] "1", "Reconnections by cause";
    MESSAGES_RECEIVED_TOTAL: Counter "messages_received_total" ["venue", "channel"] "1", "Input frames";
    RECEIVED_BYTES_TOTAL: Counter "received_bytes_total" ["venue", "channel"] "bytes", "Input bytes";
    DECODE_ERRORS_TOTAL: Counter "decode_errors_total" ["venue", "channel"] "1", "Frames that could not be decoded";
    BOOK_GAPS_TOTAL: Counter "book_gaps_total" ["venue", "cause"] "1", "Sequence gaps or checksum faults";
    BOOK_RESYNCS_TOTAL: Counter "book_resyncs_total" ["venue", "cause"] "1", "Book rebuilds";
    BOOK_CROSSED_TOTAL: Counter "book_crossed_total" ["venue"] "1", "Crossed books seen";
    BOOK_TRUSTED: Gauge "book_trusted" ["venue", "symbol"] "0/1", "1 while the book may price an order";
    BOOK_UPDATE_TIMESTAMP_SECONDS: Gauge "book_update_timestamp_seconds" ["venue", "symbol"] "seconds", "Receive time of the last applied update";
    CLOCK_OFFSET_SECONDS: Gauge "clock_offset_seconds" ["venue"] "seconds", "Estimated venue less local clock";

    BUILD_INFO: Gauge "build_info" ["version", "revision", "rustc"] "1", "Constant 1";
    CONFIG_INFO: Gauge "config_info" ["hash"] "1", "Constant 1; the running configuration";
    LIMITS_INFO: Gauge "limits_info" ["hash"] "1", "Constant 1; the limits in force";
    REPORTING_CURRENCY_INFO: Gauge "reporting_currency_info" ["currency"] "1", "Constant 1";
    QUEUE_DEPTH: Gauge "queue_depth" ["queue"] "1", "Elements waiting";
    QUEUE_CAPACITY: Gauge "queue_capacity" ["queue"] "1", "Most elements that can wait";
    QUEUE_DROPPED_TOTAL: Counter "queue_dropped_total" ["queue"] "1", "Dropped or conflated elements";
    HEARTBEAT_TIMESTAMP_SECONDS: Gauge "heartbeat_timestamp_seconds" ["component"] "seconds", "Last beat of a component";
    JOURNAL_PENDING: Gauge "journal_pending" [] "1", "Records not yet on disk";
    JOURNAL_LAG_SECONDS: Gauge "journal_lag_seconds" [] "seconds", "Age of the oldest record that is not on disk";
    JOURNAL_REFUSED_TOTAL: Counter "journal_refused_total" [] "1", "Records given up because the queue was full or a write had failed";
    JOURNAL_FAILED: Gauge "journal_failed" [] "0/1", "1 after a failed write: nothing is recorded any more";
    JOURNAL_DISK_FREE_BYTES: Gauge "journal_disk_free_bytes" [] "bytes", "Free space on the journal's disk";
    STORE_UP: Gauge "store_up" [] "0/1", "1 while the database takes rows; absent without a database";
    STORE_LAG_RECORDS: Gauge "store_lag_records" [] "1", "Journal records on disk that the database does not have";
    STORE_LAG_SECONDS: Gauge "store_lag_seconds" [] "seconds", "Age of the oldest of them";
    STORE_ROWS_TOTAL: Counter "store_rows_total" [] "1", "Rows written";
    STORE_ERRORS_TOTAL: Counter "store_errors_total" [] "1", "Failed attempts to reach or fill the database";
    ALERTS_SENT_TOTAL: Counter "alerts_sent_total" ["sink"] "1", "Alerts that a receiver outside took";
    ALERTS_FAILED_TOTAL: Counter "alerts_failed_total" ["sink"] "1", "Failed attempts to send one";
    ALERTS_DROPPED_TOTAL: Counter "alerts_dropped_total" ["sink"] "1", "Alerts dropped for want of room, refused, or given up";
    ALERTS_WAITING: Gauge "alerts_waiting" ["sink"] "1", "Alerts not sent yet";

    FEED_DELAY: Histogram "feed_delay_seconds" ["venue"] "seconds", "Venue time stamp to frame received (includes the clock offset)";
    FEED_DELAY_WINDOW: Summary "feed_delay_window_seconds" ["venue"] "seconds", "Last closed 10 s window of feed_delay; exact for this process, do not average over nodes";
    DECODE: Histogram "decode_seconds" ["venue"] "seconds", "Frame received to typed events";
    DECODE_WINDOW: Summary "decode_window_seconds" ["venue"] "seconds", "Last closed 10 s window of decode; exact for this process, do not average over nodes";
    QUEUE_WAIT: Histogram "queue_wait_seconds" ["queue"] "seconds", "Pushed into a ring to popped";
    QUEUE_WAIT_WINDOW: Summary "queue_wait_window_seconds" ["queue"] "seconds", "Last closed 10 s window of queue_wait; exact for this process, do not average over nodes";
    BOOK_APPLY: Histogram "book_apply_seconds" ["venue"] "seconds", "Typed event to book updated";
    BOOK_APPLY_WINDOW: Summary "book_apply_window_seconds" ["venue"] "seconds", "Last closed 10 s window of book_apply; exact for this process, do not average over nodes";
    STRATEGY_EVAL: Histogram "strategy_eval_seconds" ["strategy"] "seconds", "Book updated to decision";
    STRATEGY_EVAL_WINDOW: Summary "strategy_eval_window_seconds" ["strategy"] "seconds", "Last closed 10 s window of strategy_eval; exact for this process, do not average over nodes";
    RISK_CHECK: Histogram "risk_check_seconds" [] "seconds", "Pre-trade check of one set";
    RISK_CHECK_WINDOW: Summary "risk_check_window_seconds" [] "seconds", "Last closed 10 s window of risk_check; exact for this process, do not average over nodes";
    ENCODE: Histogram "encode_seconds" ["venue"] "seconds", "Approved to order bytes ready";
    ENCODE_WINDOW: Summary "encode_window_seconds" ["venue"] "seconds", "Last closed 10 s window of encode; exact for this process, do not average over nodes";
    WRITE: Histogram "write_seconds" ["venue"] "seconds", "Order bytes ready to handed to the socket";
    WRITE_WINDOW: Summary "write_window_seconds" ["venue"] "seconds", "Last closed 10 s window of write; exact for this process, do not average over nodes";
    TICK_TO_TRADE: Histogram "tick_to_trade_seconds" ["venue"] "seconds", "Frame received to order handed to the socket";
    TICK_TO_TRADE_WINDOW: Summary "tick_to_trade_window_seconds" ["venue"] "seconds", "Last closed 10 s window of tick_to_trade; exact for this process, do not average over nodes";
    ORDER_ACK: Histogram "order_ack_seconds" ["venue"] "seconds", "Order written to acknowledged";
    ORDER_ACK_WINDOW: Summary "order_ack_window_seconds" ["venue"] "seconds", "Last closed 10 s window of order_ack; exact for this process, do not average over nodes";
    ACK_TO_FILL: Histogram "ack_to_fill_seconds" ["venue"] "seconds", "Acknowledged to first fill";
    ACK_TO_FILL_WINDOW: Summary "ack_to_fill_window_seconds" ["venue"] "seconds", "Last closed 10 s window of ack_to_fill; exact for this process, do not average over nodes";
}

/// The histogram and the window summary of a stage.
#[must_use]
pub const fn of_stage(stage: Stage) -> (Metric, Metric) {
    match stage {
        Stage::FeedDelay => (FEED_DELAY, FEED_DELAY_WINDOW),
        Stage::Decode => (DECODE, DECODE_WINDOW),
        Stage::QueueWait => (QUEUE_WAIT, QUEUE_WAIT_WINDOW),
        Stage::BookApply => (BOOK_APPLY, BOOK_APPLY_WINDOW),
        Stage::StrategyEval => (STRATEGY_EVAL, STRATEGY_EVAL_WINDOW),
        Stage::RiskCheck => (RISK_CHECK, RISK_CHECK_WINDOW),
        Stage::Encode => (ENCODE, ENCODE_WINDOW),
        Stage::Write => (WRITE, WRITE_WINDOW),
        Stage::TickToOrder => (TICK_TO_TRADE, TICK_TO_TRADE_WINDOW),
        Stage::OrderAck => (ORDER_ACK, ORDER_ACK_WINDOW),
        Stage::AckToFill => (ACK_TO_FILL, ACK_TO_FILL_WINDOW),
    }
}

/// The metric of a name; histogram and summary suffixes (`_bucket`, `_sum`, `_count`) are understood.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    let exact = |name: &str| CATALOGUE.iter().find(|metric| metric.name == name);
    exact(name).or_else(|| {
        ["_bucket", "_sum", "_count"]
            .into_iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find_map(|stem| {
                exact(stem).filter(|metric| matches!(metric.kind, Kind::Histogram | Kind::Summary))
            })
    })
}

/// The page `docs/METRICS.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Metrics\n\nGenerated from `src/telemetry/catalogue.rs`; `UPDATE_DOCS=1 cargo test --test metrics` rewrites it.\n\
         Served at `http://127.0.0.1:9464/metrics` (text format 0.0.4). Amounts are in the reporting currency. Symbols,\n\
         venues and strategies are those of the configuration, so the number of series is bounded by it.\n\
         The `_window_seconds` summaries are exact for one process (three digits) and must not be averaged over nodes;\n\
         use the histograms for that.\n\n\
         | Name | Type | Labels | Unit | Meaning |\n|---|---|---|---|---|\n",
    );
    for metric in CATALOGUE {
        let labels = if metric.labels.is_empty() {
            "-".to_owned()
        } else {
            metric.labels.join(", ")
        };
        let written = writeln!(
            page,
            "| `{}` | {} | {labels} | {} | {} |",
            metric.name,
            metric.kind.label(),
            metric.unit,
            metric.help
        );
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for (index, metric) in CATALOGUE.iter().enumerate() {
            let name = metric.name;
            assert!(
                CATALOGUE[index + 1..]
                    .iter()
                    .all(|other| other.name != name),
                "{name} twice"
            );
            assert_eq!(
                name.ends_with("_total"),
                metric.kind == Kind::Counter,
                "{name}"
            );
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{name}"
            );
            assert!(
                !metric.help.is_empty() && !metric.help.ends_with('.'),
                "{name}"
            );
        }
        for stage in Stage::ALL {
            let (histogram, window) = of_stage(stage);
            assert_eq!(
                (histogram.kind, window.kind),
                (Kind::Histogram, Kind::Summary)
            );
            assert_eq!(histogram.labels, stage.dimension().label().as_slice());
            assert_eq!(window.labels, histogram.labels);
        }
        assert_eq!(find("arbitrage_decode_seconds_bucket"), Some(&DECODE));
        assert_eq!(find("arbitrage_position_quantity_sum"), None);
    }
}
