//! A snapshot as samples: which metric, which label values, which value. Pure, so a test can read it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::catalogue::{self as names, Metric};
use super::counters::Counts;
use super::snapshot::{
    EngineSnapshot, InstrumentStatus, RiskFigures, StrategyStatus, TradingState, VenueStatus,
};

/// The value of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A gauge.
    Level(f64),
    /// A counter of events.
    Count(u64),
    /// A counter of money: exact, never below zero, never falling.
    Amount(Decimal),
}

/// One series and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which metric.
    pub metric: Metric,
    /// In the order of `metric.labels`.
    pub labels: Vec<String>,
    /// Its value.
    pub value: Value,
}

/// All samples of a snapshot.
#[must_use]
pub fn samples(snapshot: &EngineSnapshot) -> Vec<Sample> {
    let mut out = Samples(Vec::new());
    out.engine(snapshot);
    for symbol in &snapshot.symbols {
        let labels = [symbol.symbol.as_str()];
        out.level(
            names::POSITION_QUANTITY,
            &labels,
            Some(symbol.position_quantity),
        );
        out.level(names::UNREALIZED_PNL, &labels, symbol.unrealized_pnl);
        out.level(names::SYMBOL_EXPOSURE, &labels, symbol.exposure);
    }
    out.level(names::TOTAL_EXPOSURE, &[], snapshot.total_exposure);
    snapshot
        .instruments
        .iter()
        .for_each(|instrument| out.instrument(instrument));
    snapshot.venues.iter().for_each(|venue| out.venue(venue));
    snapshot
        .strategies
        .iter()
        .for_each(|strategy| out.strategy(strategy));
    out.risk(snapshot);
    out.0
}

struct Samples(Vec<Sample>);

impl Samples {
    fn push(&mut self, metric: Metric, labels: &[&str], value: Value) {
        debug_assert_eq!(
            labels.len(),
            metric.labels.len(),
            "Invariant: {} has its labels",
            metric.name
        );
        self.0.push(Sample {
            metric,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            value,
        });
    }
    /// An unknown amount is NaN, never zero.
    fn level(&mut self, metric: Metric, labels: &[&str], value: Option<Decimal>) {
        let value = value.and_then(|value| value.to_f64()).unwrap_or(f64::NAN);
        self.push(metric, labels, Value::Level(value));
    }
    fn size(&mut self, metric: Metric, labels: &[&str], size: u64) {
        self.level(metric, labels, Some(Decimal::from(size)));
    }
    fn flag(&mut self, metric: Metric, labels: &[&str], on: bool) {
        self.size(metric, labels, u64::from(on));
    }
    fn seconds(&mut self, metric: Metric, labels: &[&str], nanos: i64) {
        self.level(metric, labels, Some(Decimal::new(nanos, 9)));
    }
    fn counts(&mut self, metric: Metric, owner: &str, counts: &Counts) {
        for (label, count) in counts.iter() {
            self.push(metric, &[owner, label], Value::Count(count));
        }
    }

    fn engine(&mut self, snapshot: &EngineSnapshot) {
        let build = &snapshot.build;
        self.flag(
            names::BUILD_INFO,
            &[build.version, build.revision, build.rustc],
            true,
        );
        self.flag(names::CONFIG_INFO, &[&build.config_hash], true);
        self.flag(names::LIMITS_INFO, &[&build.limits_hash], true);
        self.flag(
            names::REPORTING_CURRENCY_INFO,
            &[&snapshot.reporting_currency],
            true,
        );
        self.flag(names::PAPER_TRADING, &[], snapshot.paper);
        for state in TradingState::ALL {
            self.flag(
                names::TRADING_STATE,
                &[state.label()],
                state == snapshot.state,
            );
        }
        // A scope that is not listed is at level 0; the portfolio's series is always there for alerts to read.
        if snapshot
            .kill_levels
            .iter()
            .all(|scope| scope.scope != "portfolio")
        {
            self.size(names::KILL_LEVEL, &["portfolio"], 0);
        }
        for scope in &snapshot.kill_levels {
            self.size(names::KILL_LEVEL, &[&scope.scope], u64::from(scope.level));
        }
        for queue in &snapshot.queues {
            self.size(names::QUEUE_DEPTH, &[&queue.queue], queue.depth);
            self.size(names::QUEUE_CAPACITY, &[&queue.queue], queue.capacity);
            self.push(
                names::QUEUE_DROPPED_TOTAL,
                &[&queue.queue],
                Value::Count(queue.dropped),
            );
        }
        for (component, time_ns) in &snapshot.heartbeats {
            self.seconds(names::HEARTBEAT_TIMESTAMP_SECONDS, &[component], *time_ns);
        }
        self.size(names::JOURNAL_PENDING, &[], snapshot.journal.pending);
        let lag = i64::try_from(snapshot.journal.lag_ns).unwrap_or(i64::MAX);
        self.seconds(names::JOURNAL_LAG_SECONDS, &[], lag);
        self.memory(snapshot);
    }

    /// What the journal could not take, and the database.
    fn memory(&mut self, snapshot: &EngineSnapshot) {
        let journal = &snapshot.journal;
        let refused = Value::Count(journal.refused);
        self.push(names::JOURNAL_REFUSED_TOTAL, &[], refused);
        self.flag(names::JOURNAL_FAILED, &[], journal.failed);
        if let Some(free) = journal.disk_free_bytes {
            self.size(names::JOURNAL_DISK_FREE_BYTES, &[], free);
        }
        for sink in &snapshot.alert_sinks {
            let labels = [sink.sink.as_str()];
            self.push(names::ALERTS_SENT_TOTAL, &labels, Value::Count(sink.sent));
            self.push(
                names::ALERTS_FAILED_TOTAL,
                &labels,
                Value::Count(sink.failed),
            );
            self.push(
                names::ALERTS_DROPPED_TOTAL,
                &labels,
                Value::Count(sink.dropped),
            );
            self.size(names::ALERTS_WAITING, &labels, sink.waiting);
        }
        let Some(store) = &snapshot.store else { return };
        self.flag(names::STORE_UP, &[], store.is_up);
        self.size(names::STORE_LAG_RECORDS, &[], store.lag_records);
        let lag = i64::try_from(store.lag_ns).unwrap_or(i64::MAX);
        self.seconds(names::STORE_LAG_SECONDS, &[], lag);
        self.push(names::STORE_ROWS_TOTAL, &[], Value::Count(store.rows));
        self.push(names::STORE_ERRORS_TOTAL, &[], Value::Count(store.errors));
    }

    fn instrument(&mut self, instrument: &InstrumentStatus) {
        let labels = [instrument.venue.as_str(), instrument.symbol.as_str()];
        self.level(
            names::VENUE_POSITION_QUANTITY,
            &labels,
            Some(instrument.quantity),
        );
        self.flag(names::BOOK_TRUSTED, &labels, instrument.trust == "trusted");
        if let Some(time_ns) = instrument.book_update_time_ns {
            self.seconds(names::BOOK_UPDATE_TIMESTAMP_SECONDS, &labels, time_ns);
        }
        self.push(
            names::TRADED_NOTIONAL_TOTAL,
            &labels,
            Value::Amount(instrument.traded_notional),
        );
    }

    fn venue(&mut self, venue: &VenueStatus) {
        let name = venue.venue.as_str();
        for channel in &venue.channels {
            let labels = [name, channel.channel];
            self.flag(names::VENUE_CONNECTED, &labels, channel.connected);
            self.push(
                names::MESSAGES_RECEIVED_TOTAL,
                &labels,
                Value::Count(channel.messages_received),
            );
            self.push(
                names::RECEIVED_BYTES_TOTAL,
                &labels,
                Value::Count(channel.received_bytes),
            );
            self.push(
                names::DECODE_ERRORS_TOTAL,
                &labels,
                Value::Count(channel.decode_errors),
            );
            for (cause, count) in channel.reconnects.iter() {
                self.push(
                    names::RECONNECTS_TOTAL,
                    &[name, channel.channel, cause],
                    Value::Count(count),
                );
            }
        }
        self.counts(names::BOOK_GAPS_TOTAL, name, &venue.book_gaps);
        self.counts(names::BOOK_RESYNCS_TOTAL, name, &venue.book_resyncs);
        self.push(
            names::BOOK_CROSSED_TOTAL,
            &[name],
            Value::Count(venue.book_crossed),
        );
        if let Some(offset) = venue.clock_offset_ns {
            self.seconds(names::CLOCK_OFFSET_SECONDS, &[name], offset);
        }
        for order in &venue.orders {
            self.push(
                names::ORDERS_TOTAL,
                &[name, order.side, order.r#type, order.result],
                Value::Count(order.count),
            );
        }
        self.counts(names::ORDER_REJECTS_TOTAL, name, &venue.rejects);
        for fill in &venue.fills {
            self.push(
                names::FILLS_TOTAL,
                &[name, fill.side, fill.liquidity],
                Value::Count(fill.count),
            );
        }
        self.size(names::OPEN_ORDERS, &[name], venue.open_orders);
        self.size(names::UNKNOWN_ORDERS, &[name], venue.unknown_orders);
        self.push(
            names::FEES_PAID_TOTAL,
            &[name],
            Value::Amount(venue.fees_paid),
        );
        self.push(
            names::REBATES_RECEIVED_TOTAL,
            &[name],
            Value::Amount(venue.rebates_received),
        );
    }

    fn strategy(&mut self, strategy: &StrategyStatus) {
        let name = strategy.strategy.as_str();
        self.counts(names::OPPORTUNITIES_TOTAL, name, &strategy.opportunities);
        self.counts(names::SETS_TOTAL, name, &strategy.sets);
        for (reason, count) in strategy.rejections.iter() {
            self.push(
                names::RISK_REJECTIONS_TOTAL,
                &[reason, name],
                Value::Count(count),
            );
        }
        for (symbol, edge) in &strategy.best_edge_bps {
            self.level(names::BEST_EDGE_BPS, &[name, symbol], Some(*edge));
        }
        self.size(names::OPEN_SETS, &[name], strategy.open_sets);
        self.level(names::REALIZED_PNL, &[name], Some(strategy.realized_pnl));
    }

    fn figures(&mut self, figures: &RiskFigures) {
        for (venue, equity) in &figures.venue_equity {
            self.level(names::EQUITY, &[venue], *equity);
        }
        for (asset, delta) in &figures.net_delta {
            self.level(names::NET_DELTA, &[asset], *delta);
        }
        for (metric, value) in [
            (names::PNL, figures.pnl),
            (names::NAV, figures.nav),
            (names::HIGH_WATER_MARK, figures.high_water_mark),
            (names::DRAWDOWN_RATIO, figures.drawdown),
            (names::MAX_DRAWDOWN_RATIO, figures.max_drawdown),
            (names::VAR99_USD, figures.var99),
            (names::ES975_USD, figures.es975),
            (names::MARGIN_USAGE_RATIO, figures.margin_usage),
            (names::MAINT_MARGIN_RATIO, figures.maint_margin),
            (names::UNHEDGED_DELTA_USD, figures.unhedged_delta),
        ] {
            self.level(metric, &[], value);
        }
    }

    fn risk(&mut self, snapshot: &EngineSnapshot) {
        let risk = &snapshot.risk;
        for limit in &risk.limits {
            let labels = [limit.limit, limit.scope.as_str()];
            self.level(names::RISK_LIMIT, &labels, Some(limit.value));
            if let Some(used) = limit.used {
                self.level(
                    names::RISK_LIMIT_UTILIZATION_RATIO,
                    &labels,
                    limit.utilization(used),
                );
            }
        }
        self.push(
            names::RISK_CHECKS_TOTAL,
            &["pass"],
            Value::Count(risk.checks_passed),
        );
        self.push(
            names::RISK_CHECKS_TOTAL,
            &["reject"],
            Value::Count(risk.checks_rejected),
        );
        self.figures(&risk.figures);
        for close in &risk.force_closes {
            self.push(
                names::FORCE_CLOSE_TOTAL,
                &[close.cause, close.result],
                Value::Count(close.count),
            );
        }
        self.size(names::UNPRICED_POSITIONS, &[], risk.unpriced_positions);
        for (result, count) in snapshot.control.iter() {
            self.push(
                names::CONTROL_REQUESTS_TOTAL,
                &[result],
                Value::Count(count),
            );
        }
        for (what, count) in [
            ("delayed", snapshot.control_delayed),
            ("crowded", snapshot.control_crowded),
        ] {
            self.push(names::CONTROL_TARPIT_TOTAL, &[what], Value::Count(count));
        }
    }
}
