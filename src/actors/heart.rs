//! The heartbeat: a small file in `data_dir`, made ten times a second by the control thread, for the watchdog.
//!
//! A beat is made on the thread that judges risk and carries the signs of the signal seat: when that thread stands still, so
//! does the beat. It is written by a thread of its own, so that a disk that hangs stops the file and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{
    Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, Running,
};
use rust_decimal::Decimal;
use tokio::sync::watch;

use crate::clock::{Clock, OsClock};
use crate::engine::heartbeat::{HEARTBEAT_FILE, HeartState, Heartbeat};
use crate::journal::Tail;
use crate::market::Catalogue;
use crate::risk::{KillLevel, OperatorCommand, Person, Role, Scope};
use crate::units::Nanos;

use super::mailbox::Mail;
use super::recover::BaselinesByVenue;
use super::risk::{Operator, RiskSeat};

mod signs;
mod writer;

pub(super) use signs::Signs;
use writer::Writer;

/// Time between two beats.
const BEAT_EVERY: Duration = Duration::from_millis(100);
/// Longest wait for a beat to be on disk at a stop.
const WRITTEN_WAIT: Duration = Duration::from_secs(2);
/// The name under which a beat that is not written asks for less risk.
const ASKS: &str = "heartbeat";

/// The engine does something else now. Answered once it is written.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct HeartIs(pub(super) HeartState);

/// Makes the beats.
#[derive(Debug)]
pub(super) struct HeartSeat {
    beat: Heartbeat,
    signs: Arc<Signs>,
    clock: OsClock,
    /// Number of the last beat on disk.
    written: watch::Receiver<u64>,
    /// So many beats that are not on disk are half of what the watchdog waits.
    behind_max: u64,
    is_behind: bool,
    risk: Option<Addr<RiskSeat>>,
}

impl HeartSeat {
    /// Until the start is through, the beat goes on saying what the last session left (`Heartbeat::at_start`). `grace` is the
    /// watchdog's; `disk` is looked at along the way.
    pub(super) fn new(
        directory: &Path,
        epoch_secs: u32,
        clock: OsClock,
        signs: Arc<Signs>,
        grace: Nanos,
        disk: Option<Tail>,
    ) -> std::io::Result<Self> {
        let before = match std::fs::read(directory.join(HEARTBEAT_FILE)) {
            Ok(text) => Some(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_unreadable) => Some(Heartbeat::default()),
        };
        let written = Writer::start(directory, &signs, clock.clone(), disk)?;
        let every = Nanos::from_millis(100);
        Ok(Self {
            beat: Heartbeat {
                epoch_secs,
                pid: std::process::id(),
                ..Heartbeat::at_start(before)
            },
            signs,
            clock,
            written,
            behind_max: grace.0.div_euclid(2 * every.0).max(1),
            is_behind: false,
            risk: None,
        })
    }

    fn beat(&mut self) {
        self.beat.seq += 1;
        self.beat.time_ns = self.clock.now_unix().0;
        self.signs.set_beat(self.beat.clone());
        self.look_behind();
    }

    /// A watchdog that sees no beat acts soon, and two must not trade one account: nothing increases risk until people look.
    fn look_behind(&mut self) {
        let behind = self.beat.seq.saturating_sub(*self.written.borrow());
        let was_behind = std::mem::replace(&mut self.is_behind, behind > self.behind_max);
        if !self.is_behind || was_behind {
            return;
        }
        tracing::error!("{behind} heartbeats are not on disk: the watchdog will act");
        if let Some(risk) = &self.risk {
            risk.must(Operator(OperatorCommand::Raise {
                scope: Scope::Portfolio,
                level: KillLevel::ReduceOnly,
                by: Person::new(ASKS, Role::Trader),
                reason: format!("{behind} heartbeats are not on disk: the watchdog may act"),
            }));
        }
    }
}

impl Actor for HeartSeat {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        self.beat();
        context.run_interval(BEAT_EVERY, |seat, _| seat.beat());
    }
    fn stopping(&mut self, _: &mut Self::Context) -> Running {
        self.signs.end();
        Running::Stop
    }
}

impl Drop for HeartSeat {
    /// A thread that ends drops its actors without stopping them.
    fn drop(&mut self) {
        self.signs.end();
    }
}

impl Handler<HeartIs> for HeartSeat {
    type Result = ResponseFuture<()>;
    fn handle(&mut self, message: HeartIs, _: &mut Self::Context) -> Self::Result {
        self.beat.state = message.0;
        self.beat();
        let (seq, mut written) = (self.beat.seq, self.written.clone());
        Box::pin(async move {
            let on_disk = written.wait_for(|on_disk| *on_disk >= seq);
            if !matches!(tokio::time::timeout(WRITTEN_WAIT, on_disk).await, Ok(Ok(_))) {
                tracing::error!("the heartbeat does not say yet what the engine does");
            }
        })
    }
}

/// What was found in the spot accounts. From here on the beat says what the engine itself holds.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct HeartBaselines {
    baselines: BTreeMap<String, BTreeMap<String, Decimal>>,
    risk: Addr<RiskSeat>,
}

impl HeartBaselines {
    pub(super) fn new(
        catalogue: &Catalogue,
        baselines: &BaselinesByVenue,
        risk: Addr<RiskSeat>,
    ) -> Self {
        let of = |baseline: &Option<BTreeMap<_, _>>| {
            let assets = baseline.iter().flatten();
            assets
                .map(|(asset, amount): (&crate::units::Asset, _)| (asset.to_string(), *amount))
                .collect()
        };
        let names = catalogue.venue_names().iter().cloned();
        Self {
            baselines: names.zip(baselines.iter().map(of)).collect(),
            risk,
        }
    }
}

impl Handler<HeartBaselines> for HeartSeat {
    type Result = ();
    fn handle(&mut self, message: HeartBaselines, _: &mut Self::Context) {
        self.beat.baselines = message.baselines;
        self.risk = Some(message.risk);
        self.signs.own_is_known();
        self.beat();
    }
}
