//! The meeting place of all measurements: recorders come from here, snapshots arrive here, `/metrics` is drawn here.
//!
//! Locks here are held by the sampler and by readers of `/metrics` and `/status` only; a hot thread meets none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::units::{MonoNanos, Nanos};

use super::control::ControlTally;
use super::exporter::Exporter;
use super::latency::{Lanes, LatencyStore, StageLatency};
use super::recorder::{Port, StageRecorder};
use super::series::samples;
use super::snapshot::EngineSnapshot;
use super::stage::Stage;
use super::text::write_latency;

/// Shared by the whole process (behind an `Arc`).
#[derive(Debug)]
pub struct Telemetry {
    lanes: Lanes,
    ports: Mutex<Vec<Arc<Port>>>,
    latency: Mutex<LatencyStore>,
    exporter: Mutex<Exporter>,
    snapshot: Mutex<Arc<EngineSnapshot>>,
    scrapes: AtomicU64,
    control: ControlTally,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telemetry {
    /// A hub whose series carry the given names.
    #[must_use]
    pub fn new(lanes: Lanes) -> Arc<Self> {
        Arc::new(Self {
            lanes,
            ports: Mutex::default(),
            latency: Mutex::default(),
            exporter: Mutex::new(Exporter::new()),
            snapshot: Mutex::default(),
            scrapes: AtomicU64::new(0),
            control: ControlTally::default(),
        })
    }

    /// The names of the lanes.
    #[must_use]
    pub const fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Requests of the control API by result.
    #[must_use]
    pub const fn control(&self) -> &ControlTally {
        &self.control
    }

    /// A recorder for one thread and the stages it measures. Allocates everything now.
    #[must_use]
    pub fn recorder(&self, stages: &[Stage]) -> StageRecorder {
        let (recorder, port) = StageRecorder::new(stages, &self.lanes);
        locked(&self.ports).push(port);
        recorder
    }

    /// Takes what the recorders handed over and closes windows that are over. Call once a second.
    ///
    /// Returns how many spans so far had no place in their recorder (a wiring mistake when not zero).
    pub fn collect(&self, now: MonoNanos) -> u64 {
        let ports = locked(&self.ports).clone();
        let mut store = locked(&self.latency);
        let mut unlisted = 0_u64;
        for port in ports {
            unlisted = unlisted.saturating_add(port.drain(|set| {
                for (stage, lane, spans) in set.iter() {
                    store.merge(stage, lane, spans);
                }
            }));
        }
        store.roll(now);
        unlisted
    }

    /// Makes a snapshot the current one, with the latency figures added. Call once a second.
    pub fn publish(&self, mut snapshot: EngineSnapshot) {
        snapshot.latency = self.latency();
        snapshot.control = self.control.counts();
        snapshot.control_delayed = self.control.delayed();
        snapshot.control_crowded = self.control.crowded();
        locked(&self.exporter).apply(samples(&snapshot));
        *locked(&self.snapshot) = Arc::new(snapshot);
    }

    /// The current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<EngineSnapshot> {
        Arc::clone(&locked(&self.snapshot))
    }

    /// Figures of every stage over all lanes since the start, by stage name.
    #[must_use]
    pub fn latency(&self) -> std::collections::BTreeMap<&'static str, StageLatency> {
        let store = locked(&self.latency);
        Stage::ALL
            .into_iter()
            .map(|stage| (stage.label(), store.stage(stage)))
            .collect()
    }

    /// From frame to decision, 99th percentile of the last closed window, all stages on the way summed (RISK.md AT-28).
    #[must_use]
    pub fn decision_p99(&self) -> Nanos {
        locked(&self.latency).decision_p99()
    }

    /// From frame to the venue's acknowledgement, median and 99th percentile since the start, over all
    /// venues: to the socket and from there, summed (so the 99th is a little too long). Zero until both are known.
    #[must_use]
    pub fn tick_to_ack(&self) -> (Nanos, Nanos) {
        let store = locked(&self.latency);
        let (order, ack) = (
            store.stage(Stage::TickToOrder),
            store.stage(Stage::OrderAck),
        );
        if order.count == 0 || ack.count == 0 {
            return (Nanos::ZERO, Nanos::ZERO);
        }
        (
            Nanos(order.p50_ns.saturating_add(ack.p50_ns)),
            Nanos(order.p99_ns.saturating_add(ack.p99_ns)),
        )
    }

    /// How often `/metrics` was drawn (RISK.md AT-32).
    #[must_use]
    pub fn scrapes(&self) -> u64 {
        self.scrapes.load(Ordering::Relaxed)
    }

    /// The page `/metrics`, text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.scrapes.fetch_add(1, Ordering::Relaxed);
        let mut page = locked(&self.exporter).render();
        write_latency(&locked(&self.latency), &self.lanes, &mut page);
        page
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::telemetry::snapshot::{SymbolStatus, VenueStatus};

    fn hub() -> Arc<Telemetry> {
        Telemetry::new(Lanes {
            venues: vec!["spot_a".into()],
            queues: vec!["feed".into()],
            strategies: vec![],
        })
    }

    #[test]
    fn a_closed_position_is_zero_and_an_unpriced_one_is_not() {
        let hub = hub();
        let symbol = |name: &str, pnl: Option<i64>| SymbolStatus {
            symbol: name.into(),
            position_quantity: Decimal::ZERO,
            unrealized_pnl: pnl.map(Decimal::from),
            exposure: None,
        };
        hub.publish(EngineSnapshot {
            symbols: vec![symbol("BTC/USDT", Some(0)), symbol("ETH/USDT", None)],
            ..EngineSnapshot::default()
        });
        let page = hub.render();
        for line in [
            "arbitrage_position_quantity{symbol=\"BTC/USDT\"} 0\n",
            "arbitrage_unrealized_pnl{symbol=\"BTC/USDT\"} 0\n",
            "arbitrage_unrealized_pnl{symbol=\"ETH/USDT\"} NaN\n",
            "arbitrage_total_exposure NaN\n",
            "arbitrage_trading_state{state=\"starting\"} 1\n",
        ] {
            assert!(page.contains(line), "{line} not in\n{page}");
        }
    }

    #[test]
    fn amounts_are_exact_and_never_fall() {
        let hub = hub();
        for fees in ["0.1", "0.30000000000000000001", "0.2"] {
            hub.publish(EngineSnapshot {
                venues: vec![VenueStatus {
                    venue: "spot_a".into(),
                    fees_paid: fees.parse().unwrap(),
                    ..VenueStatus::default()
                }],
                ..EngineSnapshot::default()
            });
        }
        let page = hub.render();
        assert!(
            page.contains("arbitrage_fees_paid_total{venue=\"spot_a\"} 0.30000000000000000001\n"),
            "{page}"
        );
    }

    #[test]
    fn spans_travel_from_recorder_to_page() {
        let hub = hub();
        let mut recorder = hub.recorder(&[Stage::Decode, Stage::RiskCheck]);
        recorder.record(Stage::Decode, 0, Nanos(1_000));
        recorder.record(Stage::Decode, 0, Nanos(30_000));
        recorder.record(Stage::RiskCheck, 0, Nanos(700));
        assert!(recorder.publish());
        assert_eq!(hub.collect(MonoNanos(0)), 0);
        assert_eq!(hub.collect(MonoNanos(0).after(Nanos::from_secs(10))), 0);
        let page = hub.render();
        for line in [
            "arbitrage_decode_seconds_bucket{venue=\"spot_a\",le=\"0.000001\"} 1\n",
            "arbitrage_decode_seconds_bucket{venue=\"spot_a\",le=\"+Inf\"} 2\n",
            "arbitrage_decode_seconds_sum{venue=\"spot_a\"} 0.000031000\n",
            "arbitrage_risk_check_window_seconds{quantile=\"0.99\"} 0.000000700\n",
            "arbitrage_risk_check_window_seconds_count 1\n",
        ] {
            assert!(page.contains(line), "{line} not in\n{page}");
        }
        assert_eq!(
            hub.latency().get("decode").map(|figures| figures.count),
            Some(2)
        );
    }
}
