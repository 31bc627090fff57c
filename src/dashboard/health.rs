//! Whether the engine can do its work now, and if not, why.

use serde::Serialize;

use crate::telemetry::EngineSnapshot;
use crate::telemetry::snapshot::TradingState;
use crate::units::{Nanos, UnixNanos};

/// A snapshot older than this is no proof of life.
const SNAPSHOT_AGE_MAX: Nanos = Nanos::from_secs(5);

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// True when nothing stands in the way.
    pub ready: bool,
    /// What stands in the way.
    pub reasons: Vec<String>,
}

/// Reads the snapshot: alive, active, connected, books trusted.
#[must_use]
pub fn readiness(snapshot: &EngineSnapshot, now: UnixNanos) -> Readiness {
    let mut reasons = Vec::new();
    let age = now.signed_since(UnixNanos(snapshot.time_ns));
    if age > i64::try_from(SNAPSHOT_AGE_MAX.0).unwrap_or(i64::MAX) {
        reasons.push("no snapshot from the engine for more than 5 s".to_owned());
    }
    if snapshot.state != TradingState::Active {
        reasons.push(format!("trading state is {}", snapshot.state.label()));
    }
    for venue in &snapshot.venues {
        let down = venue.channels.iter().filter(|channel| !channel.connected);
        reasons.extend(
            down.map(|channel| format!("{} {} is not connected", venue.venue, channel.channel)),
        );
    }
    let distrusted = snapshot
        .instruments
        .iter()
        .filter(|instrument| instrument.trust != "trusted");
    reasons.extend(distrusted.map(|instrument| {
        let cause = instrument.trust_cause.unwrap_or("no snapshot yet");
        format!(
            "book {}:{} is {} ({cause})",
            instrument.venue, instrument.symbol, instrument.trust
        )
    }));
    Readiness {
        ready: reasons.is_empty(),
        reasons,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::snapshot::{ChannelStatus, InstrumentStatus, VenueStatus};

    fn good() -> EngineSnapshot {
        EngineSnapshot {
            time_ns: 1_000_000_000,
            state: TradingState::Active,
            venues: vec![VenueStatus {
                venue: "spot_a".into(),
                channels: vec![ChannelStatus {
                    channel: "market",
                    connected: true,
                    ..ChannelStatus::default()
                }],
                ..VenueStatus::default()
            }],
            instruments: vec![InstrumentStatus {
                trust: "trusted",
                ..InstrumentStatus::default()
            }],
            ..EngineSnapshot::default()
        }
    }

    #[test]
    fn every_obstacle_is_named() {
        let now = UnixNanos(2_000_000_000);
        assert!(readiness(&good(), now).ready);
        let late = UnixNanos(6_000_000_001);
        assert_eq!(readiness(&good(), late).reasons.len(), 1);
        let mut bad = good();
        bad.state = TradingState::Halted;
        bad.venues[0].channels[0].connected = false;
        bad.instruments[0].trust = "bad";
        bad.instruments[0].trust_cause = Some("sequence_gap");
        let answer = readiness(&bad, now);
        assert!(!answer.ready);
        assert_eq!(answer.reasons.len(), 3, "{:?}", answer.reasons);
    }
}
