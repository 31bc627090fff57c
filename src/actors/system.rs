//! The supervisor: starts the seats in order, waits for the venues' word, arms, reports, and stops in the opposite order.
//!
//! Start-up is recovery: nothing increases risk before two comparisons with the venues in a row agreed.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{Addr, Arbiter};

use crate::clock::Clock;
use crate::config::Settings;
use crate::config::assemble::AssembleError;
use crate::config::reload::LimitsSource;
use crate::engine::Summary;
use crate::engine::control::Control;
use crate::engine::heartbeat::HeartState;
use crate::engine::recovery::{HistoryError, report};
use crate::exchanges::feed::FeedOptions;
use crate::exchanges::gateway::GatewayOptions;
use crate::exchanges::rules::RulesError;
use crate::exchanges::secret::Credentials;
use crate::journal::{Journal, JournalError, Record};
use crate::ledger::LedgerError;
use crate::market::Catalogue;
use crate::risk::{Limits, Monitor, OperatorCommand, OperatorDone, OperatorRefusal};
use crate::store::{Follower, StoreError};
use crate::telemetry::Telemetry;
use crate::telemetry::snapshot::{JournalStatus, StoreStatus};
use crate::trade::Fill;
use crate::units::MonoNanos;

use super::board::Board;
use super::control::SeatControl;
use super::execution::CancelOrders;
use super::feed::FullRing;
use super::gateway::Disarm;
use super::heart::{HeartIs, HeartSeat};
use super::mailbox::Mail;
use super::reload::{self, LimitsWatch, WatchParts};
use super::risk::{InspectRisk, Operator};
use super::sampler::{self, Handles, Picture};
use super::signal::Pause;
use super::{outcome, picture};

/// Longest wait for the signal seat at stop.
const PAUSE_WAIT: Duration = Duration::from_secs(2);
/// Longest wait for one picture of all seats.
const PICTURE_WAIT: Duration = Duration::from_secs(3);
/// Longest wait for open orders at stop.
const QUIET_WAIT: Duration = Duration::from_secs(10);

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can be sent to the receivers of alerts.
    #[error("alerts cannot be sent: {0}")]
    Alerts(std::io::Error),
    /// A venue did not answer its list of instruments.
    #[error(
        "venue {venue}: no list of instruments from {url} (status {status}): is the address right and the venue up?"
    )]
    Unreachable {
        /// Venue instance.
        venue: String,
        /// What was asked.
        url: String,
        /// Status, 0 when there was no answer.
        status: u16,
    },
    /// Its answer cannot be used.
    #[error("venue {venue}: {error}")]
    Rules {
        /// Venue instance.
        venue: String,
        /// What is wrong.
        error: RulesError,
    },
    /// The venues' rules do not fit the configuration.
    #[error("{0}")]
    Assemble(#[from] AssembleError),
    /// A venue's key is missing.
    #[error("venue {0} has no keys: orders need them (venues.toml, [venue.keys])")]
    NoKeys(String),
    /// A venue refuses our key: only a person can change that.
    #[error(
        "venue {venue} refused our key (code {code}): is it this venue's, active, and allowed to trade?"
    )]
    Refused {
        /// Venue instance.
        venue: String,
        /// The venue's code.
        code: i32,
    },
    /// A gateway did not become live in time.
    #[error("venue {venue} was not ready after {seconds} s{reason}")]
    NotReady {
        /// Venue instance.
        venue: String,
        /// How long we waited.
        seconds: u64,
        /// What it said.
        reason: String,
    },
    /// `[recovery] policy = "refuse"`: an earlier session, or a person, left something.
    #[error(
        "venue {venue} has {open_orders} open orders and {open_positions} open derivative positions: \
         cancel and close them first, or set [recovery] policy = \"adopt\" in engine.toml"
    )]
    Leftovers {
        /// Venue instance.
        venue: String,
        /// Open orders in the configured instruments.
        open_orders: u64,
        /// Derivative positions that are not flat.
        open_positions: usize,
    },
    /// The journal has a record that cannot be taken back.
    #[error("{0}")]
    History(#[from] HistoryError),
    /// The kill levels of the last session cannot be read: nobody knows what was held.
    #[error(
        "journal: its last kill levels cannot be read ({0}): restore it from a copy, or move it away"
    )]
    Levels(String),
    /// The heartbeat's thread cannot be started.
    #[error("the heartbeat cannot be written: {0}")]
    Heart(std::io::Error),
    /// Nobody knows what was lost today.
    #[error(
        "journal: a record of losses cannot be read ({0}): restore it from a copy, or move it away"
    )]
    Losses(String),
    /// Nobody knows which limits were in force.
    #[error(
        "journal: its last limits cannot be read ({0}): restore it from a copy, or move it away"
    )]
    Limits(String),
    /// The executions of the journal contradict each other.
    #[error("journal: {0}: its positions cannot be trusted")]
    Ledger(#[from] LedgerError),
    /// The journal cannot be written.
    #[error("journal: {0}")]
    Journal(#[from] JournalError),
    /// The database can never be filled as it is.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// TLS or the HTTP client cannot be set up.
    #[error("transport: {0}")]
    Transport(String),
}

/// How to run, beyond the configuration.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Seed of every jitter, and of the simulated market where there is one.
    pub seed: Option<u64>,
    /// What feeds do when their ring is full.
    pub full_ring: FullRing,
    /// No real order can leave.
    pub paper: bool,
    /// Where the journal is written; `None` keeps none.
    pub journal_dir: Option<std::path::PathBuf>,
    /// Who outside is told of alerts.
    pub alerts: Vec<super::alerts::SinkTarget>,
    /// What is filled from the journal; nothing without one.
    pub store: Option<crate::store::Place>,
    /// Settings of every feed.
    pub feed: FeedOptions,
    /// Depth stream speed by venue, where it differs from the feed's.
    pub depth_speeds: Vec<Option<String>>,
    /// Settings of every gateway.
    pub gateway: GatewayOptions,
}

/// The seats' threads; dropped, they are stopped.
#[derive(Debug, Default)]
pub(super) struct Threads(pub(super) Vec<Arbiter>);

impl Threads {
    /// Ends every seat and waits for its thread.
    fn stop(&mut self) {
        for arbiter in &self.0 {
            arbiter.stop();
        }
        for arbiter in self.0.drain(..) {
            if arbiter.join().is_err() {
                tracing::error!("a seat's thread ended by panic");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    pub(super) handles: Handles,
    pub(super) threads: Threads,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) records: super::records::PictureRecords,
    pub(super) edges: super::edges::EdgeRecords,
    pub(super) heart: Option<Addr<HeartSeat>>,
    pub(super) store: Option<Follower>,
}
/// Starts everything. Call inside an actix system. `credentials` by venue index.
///
/// # Errors
/// [`StartError`]; what was started is stopped.
pub async fn start(
    settings: &Settings,
    credentials: &[Option<Credentials>],
    options: &RunOptions,
) -> Result<Engine, StartError> {
    super::start::start(settings, credentials, options).await
}

impl Engine {
    /// The metrics and status hub.
    #[must_use]
    pub fn hub(&self) -> Arc<Telemetry> {
        Arc::clone(&self.handles.hub)
    }
    /// What the start found and did, as a table for people.
    #[must_use]
    pub fn recovery_text(&self) -> String {
        report::text(&self.handles.facts.recovery)
    }
    /// The instruments.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }
    /// What the seats wrote down.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.handles.board)
    }
    /// The control port. `config_dir` is where limits are read again; none for built-in configurations.
    #[must_use]
    pub fn control(&self, config_dir: Option<std::path::PathBuf>) -> Arc<dyn Control> {
        Arc::new(SeatControl {
            handles: self.handles.clone(),
            journal: self
                .journal
                .as_ref()
                .map(Arc::downgrade)
                .unwrap_or_default(),
            config_dir,
        })
    }
    /// Watches `limits.toml` of a directory until the answer is dropped. Call on a thread with a runtime.
    ///
    /// # Errors
    /// The directory cannot be watched.
    pub fn watch_limits(&self, source: LimitsSource) -> Result<LimitsWatch, notify::Error> {
        reload::watch(WatchParts {
            source,
            catalogue: Arc::clone(&self.catalogue),
            risk: self.handles.risk.clone(),
            board: Arc::clone(&self.handles.board),
            clock: self.handles.clock.clone(),
        })
    }
    /// Gives an operator's command to the risk seat; `None` when the seat is gone.
    pub async fn operate(
        &self,
        command: OperatorCommand,
    ) -> Option<Result<OperatorDone, OperatorRefusal>> {
        self.handles.risk.send(Operator(command)).await.ok()
    }
    /// The limits in force; `None` when the risk seat is gone.
    pub async fn limits(&self) -> Option<Arc<Limits>> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let question = Box::new(move |monitor: &Monitor, _: MonoNanos| {
            if sender.send(Arc::clone(monitor.limits())).is_err() {
                tracing::debug!("nobody waits for the limits");
            }
        });
        self.handles.risk.send(InspectRisk(question)).await.ok()?;
        receiver.await.ok()
    }
    /// Asks every seat and publishes one snapshot. False when a seat is gone.
    pub async fn sample(&self) -> bool {
        self.sample_as(false).await
    }
    /// The last sample of a session ends what is still being watched.
    async fn sample_as(&self, last: bool) -> bool {
        let Some(picture) = self.gather(false).await else {
            return false;
        };
        self.handles.hub.collect(self.handles.clock.now());
        sampler::tell_latency(&self.handles);
        let mut snapshot = picture::snapshot(&self.handles, &picture, self.journal_status());
        snapshot.store = self.store_status();
        self.records.write(&snapshot, &picture.risk.metrics);
        let strategies = &picture.signal.strategies;
        self.edges
            .collect(&self.handles, strategies, &mut snapshot, last)
            .await;
        snapshot.alert_sinks = self.handles.board.alert_sinks();
        self.handles.hub.publish(snapshot);
        true
    }
    /// Asks every seat; `None` when one is gone or does not answer in time.
    async fn gather(&self, with_books: bool) -> Option<Picture> {
        let asking = sampler::gather(&self.handles, with_books);
        tokio::time::timeout(PICTURE_WAIT, asking)
            .await
            .ok()
            .flatten()
    }

    fn journal_status(&self) -> JournalStatus {
        let now = self.handles.clock.now();
        self.journal
            .as_ref()
            .map_or_else(JournalStatus::default, |journal| {
                let gauge = journal.gauge(now);
                JournalStatus {
                    pending: gauge.pending,
                    committed: gauge.committed,
                    lag_ns: gauge.lag.0,
                    refused: gauge.refused,
                    failed: gauge.failed,
                    disk_free_bytes: gauge.disk_free_bytes,
                }
            })
    }

    fn store_status(&self) -> Option<StoreStatus> {
        let gauge = self.store.as_ref()?.gauge();
        Some(StoreStatus {
            is_up: gauge.is_up,
            lag_records: gauge.lag_records,
            lag_ns: gauge.lag.0,
            rows: gauge.rows,
            errors: gauge.errors,
            last_error: gauge.last_error,
        })
    }
    /// The summary as of now, with books.
    pub async fn summary(&self, mode: &'static str, ended_by: &str) -> Option<Summary> {
        let picture: Picture = self.gather(true).await?;
        self.handles.hub.collect(self.handles.clock.now());
        Some(outcome::summary(&self.handles, &picture, mode, ended_by))
    }
    /// All executions so far, oldest first.
    #[must_use]
    pub fn fills(&self) -> Vec<Fill> {
        self.handles.board.read().fills.clone()
    }

    async fn beat(&self, state: HeartState) {
        if let Some(heart) = &self.heart
            && heart.send(HeartIs(state)).await.is_err()
        {
            tracing::error!("the heartbeat has stopped already");
        }
    }

    /// Stops in order: no new sets, cancel what is open, wait until nothing is open or unknown, then close.
    pub async fn stop(mut self, mode: &'static str, ended_by: &str) -> Option<Summary> {
        self.beat(HeartState::Stopping).await;
        // Cancels do not wait for the signal seat: a stalled one must not keep orders open.
        self.handles.execution.must(CancelOrders(None));
        if tokio::time::timeout(PAUSE_WAIT, self.handles.signal.send(Pause))
            .await
            .is_err()
        {
            tracing::error!("the signal seat did not answer; stopping without it");
        }
        self.handles.execution.must(CancelOrders(None));
        let quiet = async {
            while let Some(picture) = self.gather(false).await {
                if picture.execution.open.is_quiet() && picture.is_settled() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(QUIET_WAIT, quiet).await.is_err() {
            tracing::warn!(
                "orders or sets were still open after {} s",
                QUIET_WAIT.as_secs()
            );
        }
        for gateway in &self.handles.gateways {
            gateway.must(Disarm);
        }
        // The recorders publish once a second: let the last second in.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        self.sample_as(true).await;
        let summary = self.summary(mode, ended_by).await;
        self.beat(HeartState::Stopped).await;
        self.handles.board.flush_alerts().await;
        self.threads.stop();
        drop(self.records);
        drop(self.edges);
        if let Some(journal) = self.journal.and_then(Arc::into_inner) {
            let stopped = Record::Stopped {
                reason: ended_by.to_owned(),
            };
            if journal.append(stopped).is_err() || !journal.close() {
                tracing::error!("the journal is not complete");
            }
        }
        // After the journal's last record, so that it is stored as well.
        if let Some(left) = self.store.map(Follower::stop).filter(|left| *left > 0) {
            tracing::warn!(
                "{left} journal records are not in the database; the next start stores them"
            );
        }
        summary
    }
}
