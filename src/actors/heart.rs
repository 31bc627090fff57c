//! The heartbeat: a small file in `data_dir`, written ten times a second by the control thread, for the watchdog.
//!
//! It is written on the thread that judges risk: when that thread stands still, so does the beat.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix::prelude::{Actor, AsyncContext, Context, Handler, Message};

use crate::clock::{Clock, OsClock};
use crate::engine::heartbeat::{HEARTBEAT_FILE, HeartState, Heartbeat};
use crate::market::Catalogue;

use super::recover::BaselinesByVenue;

/// Time between two beats.
const BEAT_EVERY: Duration = Duration::from_millis(100);

/// The engine does something else now. Answered once it is written.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct HeartIs(pub(super) HeartState);

/// Writes the heartbeat.
#[derive(Debug)]
pub(super) struct HeartSeat {
    path: PathBuf,
    fresh: PathBuf,
    beat: Heartbeat,
    clock: OsClock,
    failed: bool,
}

impl HeartSeat {
    /// Until the start is through, the beat goes on saying what the last session left (`Heartbeat::at_start`).
    pub(super) fn new(directory: &Path, epoch_secs: u32, clock: OsClock) -> Self {
        let path = directory.join(HEARTBEAT_FILE);
        let before = match std::fs::read(&path) {
            Ok(text) => Some(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_unreadable) => Some(Heartbeat::default()),
        };
        Self {
            path,
            fresh: directory.join(format!("{HEARTBEAT_FILE}.new")),
            beat: Heartbeat {
                epoch_secs,
                pid: std::process::id(),
                ..Heartbeat::at_start(before)
            },
            clock,
            failed: false,
        }
    }

    /// Replaces the file as a whole: a reader never sees half a beat.
    fn write(&mut self) {
        self.beat.seq += 1;
        self.beat.time_ns = self.clock.now_unix().0;
        let written = serde_json::to_vec(&self.beat)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(&self.fresh, text))
            .and_then(|()| std::fs::rename(&self.fresh, &self.path));
        if let Err(error) = &written
            && !self.failed
        {
            tracing::error!("the heartbeat cannot be written: {error}");
        }
        self.failed = written.is_err();
    }
}

impl Actor for HeartSeat {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        self.write();
        context.run_interval(BEAT_EVERY, |seat, _| seat.write());
    }
}

impl Handler<HeartIs> for HeartSeat {
    type Result = ();
    fn handle(&mut self, message: HeartIs, _: &mut Self::Context) {
        self.beat.state = message.0;
        self.write();
    }
}

/// What was found in the spot accounts.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct HeartBaselines(
    pub(super) BTreeMap<String, BTreeMap<String, rust_decimal::Decimal>>,
);

impl HeartBaselines {
    pub(super) fn new(catalogue: &Catalogue, baselines: &BaselinesByVenue) -> Self {
        let of = |baseline: &Option<BTreeMap<_, _>>| {
            let assets = baseline.iter().flatten();
            assets
                .map(|(asset, amount): (&crate::units::Asset, _)| (asset.to_string(), *amount))
                .collect()
        };
        let names = catalogue.venue_names().iter().cloned();
        Self(names.zip(baselines.iter().map(of)).collect())
    }
}

impl Handler<HeartBaselines> for HeartSeat {
    type Result = ();
    fn handle(&mut self, message: HeartBaselines, _: &mut Self::Context) {
        self.beat.baselines = message.0;
        self.write();
    }
}
