//! How the seats are started, in order, and what they wait for.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use actix::prelude::{Actor, Addr, Arbiter, ArbiterHandle};
use arc_swap::ArcSwapOption;

use crate::capacity::{APPROVAL_RING_SETS, FEED_RING_EVENTS};
use crate::clock::{Clock, OsClock};
use crate::config::assemble::Assembly;
use crate::config::{Layout, Settings};
use crate::engine::heartbeat::HeartState;
use crate::engine::opportunity::asked;
use crate::engine::recovery::{History, Reading, StartLimits, Taken};
use crate::exchanges::rules::RuleBook;
use crate::exchanges::secret::Credentials;
use crate::journal::{
    Cursor, Entry, Instant, Journal, Line, LossReading, Names, Record, first_seq, kept_limits,
    levels_from_journal,
};
use crate::ledger::Ledger;
use crate::market::{MarketEvent, VenueId};
use crate::ring::{Consumer, Wake, ring};
use crate::risk::{LevelState, LossPoint};
use crate::store::Follower;
use crate::telemetry::snapshot::RecoveryStatus;
use crate::telemetry::{Lanes, Telemetry};
use crate::trade::OrderIdSource;

use super::account::{AccountSeat, BindGateways};
use super::alerts::AlertPost;
use super::board::Board;
use super::execution::BindSignal;
use super::gateway::BindExecution as BindGateway;
use super::heart::{HeartBaselines, HeartIs, HeartSeat, Signs};
use super::link::Transport;
use super::mailbox::Mail;
use super::position::{PositionParts, PositionSeat};
use super::reach::{feed_names, rule_books, transports};
use super::ready::wait_ready;
use super::recover::{Recovery, durable};
use super::risk::{
    BindAccount, BindExecution, BindPosition, OrdersLive, Positions, RestoreLevels, RestoreLosses,
    StartupBegins, StartupReconciled,
};
use super::sampler::{Facts, Handles};
use super::seats::{gap_event, hot_arbiter};
use super::signal::Approval;
use super::system::{Engine, RunOptions, StartError, Threads};

/// What is shared while starting.
pub(super) struct Start<'a> {
    /// Number of the session: in every client order id. The second it began, or the next number that no session had.
    pub(super) epoch_secs: u32,
    pub(super) settings: &'a Settings,
    pub(super) options: &'a RunOptions,
    pub(super) clock: OsClock,
    pub(super) hub: Arc<Telemetry>,
    pub(super) assembly: Assembly,
    pub(super) transports: Vec<Transport>,
    pub(super) books: Vec<RuleBook>,
    past: Past,
    pub(super) signs: Arc<Signs>,
}

/// The journal and what earlier sessions wrote in it.
struct Past {
    journal: Option<Arc<Journal>>,
    history: History,
    /// The levels that the last session held.
    levels: Option<LevelState>,
    /// What earlier sessions lost and earned.
    losses: Vec<LossPoint>,
    /// The limits to begin with, and what the file loosened meanwhile.
    limits: StartLimits,
}

/// Starts everything. Call inside an actix system. `credentials` by venue index.
///
/// # Errors
/// [`StartError`]; what was started is stopped.
pub(super) async fn start(
    settings: &Settings,
    credentials: &[Option<Credentials>],
    options: &RunOptions,
) -> Result<Engine, StartError> {
    crate::priority::choose(settings.engine.threads);
    let clock = OsClock::new();
    let transports = transports(settings, credentials)?;
    let books = rule_books(settings, &transports).await?;
    let mut assembly = Assembly::new(settings, &books)?;
    let feeds = feed_names(settings);
    let hub = Telemetry::new(Lanes {
        venues: settings
            .venues()
            .iter()
            .map(|venue| venue.id.clone())
            .collect(),
        queues: feeds.iter().map(|(_, _, name)| name.clone()).collect(),
        strategies: settings
            .strategies
            .iter()
            .map(|strategy| strategy.id.clone())
            .collect(),
    });
    let past = past(settings, options, &clock, &assembly)?;
    assembly.limits = Arc::clone(&past.limits.limits);
    let second = u32::try_from(clock.now_unix().floor_millis().div_euclid(1_000));
    let epoch_secs = second
        .unwrap_or(u32::MAX)
        .max(past.history.last_epoch_secs.saturating_add(1));
    let signs = Arc::new(Signs::new(Arc::clone(&assembly.catalogue)));
    let start = Start {
        epoch_secs,
        settings,
        options,
        clock,
        hub,
        assembly,
        transports,
        books,
        past,
        signs,
    };
    start.seats(credentials, &feeds).await
}

/// Opens the journal and reads it. Its lock is the lease: a second engine on it is refused.
fn past(
    settings: &Settings,
    options: &RunOptions,
    clock: &OsClock,
    assembly: &Assembly,
) -> Result<Past, StartError> {
    let names: Vec<String> = settings
        .strategies
        .iter()
        .map(|strategy| strategy.id.clone())
        .collect();
    // The accounts of simulated venues begin with the process: nothing that was traded there is left.
    let fresh = settings.venues().iter().map(|venue| venue.simulated);
    let fresh: Vec<bool> = fresh.collect();
    let mut losses = LossReading::new(&assembly.catalogue, &names, fresh.clone());
    let mut reading = Reading::new(&assembly.catalogue, &names, fresh);
    let Some(directory) = options.journal_dir.as_deref() else {
        return Ok(Past {
            journal: None,
            history: reading.finish(),
            levels: None,
            losses: Vec::new(),
            limits: start_limits(None, assembly)?,
        });
    };
    let journal = Journal::open(directory, clock.clone())?;
    let mut cursor = Cursor::new(directory, first_seq(directory)?);
    let (mut last_levels, mut last_limits) = (Vec::new(), None);
    while let Some(line) = cursor.next()? {
        match reading.take(&line)? {
            Taken::Levels => {
                last_levels = vec![Entry {
                    seq: line.seq,
                    time_ns: line.time_ns,
                    record: line.record(),
                }];
            }
            Taken::Losses => losses
                .take(&line)
                .map_err(|error| StartError::Losses(error.to_string()))?,
            Taken::Limits => last_limits = Some(line),
            Taken::History | Taken::Other => {}
        }
    }
    let names_of = Names {
        catalogue: &assembly.catalogue,
        strategies: &names,
    };
    let now = Instant {
        mono: clock.now(),
        unix: clock.now_unix(),
    };
    let levels = levels_from_journal(&last_levels, &names_of, now)
        .map_err(|error| StartError::Levels(error.to_string()))?;
    Ok(Past {
        journal: Some(Arc::new(journal)),
        history: reading.finish(),
        levels,
        losses: losses.finish(),
        limits: start_limits(last_limits.as_ref(), assembly)?,
    })
}

/// The limits to begin with, after those of the journal's last word on them.
fn start_limits(kept: Option<&Line>, assembly: &Assembly) -> Result<StartLimits, StartError> {
    let kept = kept.map(kept_limits).transpose();
    let kept = kept.map_err(|error| StartError::Limits(error.to_string()))?;
    StartLimits::new(&assembly.limits, kept.as_ref(), &assembly.catalogue)
        .map_err(|unreadable| StartError::Limits(unreadable.join("; ")))
}

impl Start<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "the order of starting is what this file answers: one page, read from the top"
    )]
    async fn seats(
        self,
        credentials: &[Option<Credentials>],
        feeds: &[(VenueId, usize, String)],
    ) -> Result<Engine, StartError> {
        let control = Arbiter::new();
        let signal_arbiter = hot_arbiter();
        let own_io = match self.settings.engine.layout {
            Layout::Seats => Some(Arbiter::new()),
            Layout::Fused => None,
        };
        let io = own_io
            .as_ref()
            .map_or_else(|| signal_arbiter.handle(), Arbiter::handle);
        let execution_on = match self.settings.engine.layout {
            Layout::Seats => control.handle(),
            Layout::Fused => signal_arbiter.handle(),
        };
        let (on_control, on_signal) = (control.handle(), signal_arbiter.handle());
        // From here on an early return stops what was started.
        let threads = Threads(
            own_io
                .into_iter()
                .chain([signal_arbiter, control])
                .collect(),
        );
        let catalogue = Arc::clone(&self.assembly.catalogue);
        let post = AlertPost::start(self.options.alerts.clone(), self.clock.clone());
        let board = Arc::new(Board::new(post.map_err(StartError::Alerts)?));
        let view = Arc::new(ArcSwapOption::empty());
        let journal = self.past.journal.clone();
        if let Some(journal) = &journal {
            // On disk before the first order: no later session may use this number again.
            let started = Record::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                config_hash: self.settings.hash.clone(),
                epoch_secs: self.epoch_secs,
            };
            durable(journal, started).await;
            if let Err(error) = journal.append(super::records::config(self.settings)) {
                tracing::error!("the configuration is not in the journal: {error}");
            }
            let strategies = self.strategy_names();
            let names = Names {
                catalogue: &catalogue,
                strategies: &strategies,
            };
            durable(journal, names.limits_in_force(&self.assembly.limits)).await;
        }
        if let Some(text) = self.past.limits.told() {
            super::reload::warn(&board, &self.clock, text);
        }
        let heart = self.heart(&on_control, journal.as_deref())?;
        let store = match (&self.options.store, &journal) {
            (Some(place), Some(journal)) => Some(Follower::start(
                place.clone(),
                journal.tail(),
                self.clock.clone(),
            )?),
            (None, _) | (_, None) => None,
        };
        let risk = self.risk(&on_control, &view, &board, journal.clone());
        risk.must(StartupBegins);
        if let Some(levels) = self.past.levels.clone() {
            risk.must(RestoreLevels(levels));
        }
        let ledger = self.ledger()?;
        // Flat ones too: the first word on an instrument is the monitor's baseline, and what was earned before is not new.
        risk.must(Positions(
            catalogue
                .all()
                .iter()
                .filter_map(|instrument| ledger.snapshot(instrument.id))
                .collect(),
        ));
        risk.must(RestoreLosses(self.past.losses.clone()));
        board.set_ledger(&ledger, &catalogue);
        let parts = PositionParts {
            ledger,
            catalogue: Arc::clone(&catalogue),
            risk: risk.clone(),
            journal: journal.clone(),
            strategies: self.strategy_names(),
            board: Arc::clone(&board),
            signs: Arc::clone(&self.signs),
        };
        let position = PositionSeat::start_in_arbiter(&on_control, |_| PositionSeat::new(parts));
        let account = {
            let (catalogue, risk, clock) =
                (Arc::clone(&catalogue), risk.clone(), self.clock.clone());
            let position = position.clone();
            AccountSeat::start_in_arbiter(&on_control, |_| {
                AccountSeat::new(catalogue, risk, position, clock)
            })
        };
        let gateways = self.gateways(credentials, &io, &account)?;
        account.must(BindGateways(gateways.clone()));
        risk.must(BindAccount(account.clone()));
        risk.must(BindPosition(position.clone()));

        let (approvals_in, approvals_out) = ring::<Approval>(APPROVAL_RING_SETS, |_| Approval::Gap);
        let approvals_stats = approvals_out.stats();
        let execution = self.execution(
            &execution_on,
            approvals_out,
            &gateways,
            &position,
            &risk,
            &board,
            journal.clone(),
        );
        risk.must(BindExecution(execution.clone()));
        for gateway in &gateways {
            gateway.must(BindGateway(execution.clone()));
        }
        wait_ready(self.settings, &account).await?;
        risk.must(OrdersLive);
        let (recovery, baselines) = Recovery {
            settings: self.settings,
            catalogue: &catalogue,
            clock: &self.clock,
            ids: OrderIdSource::new(self.settings.engine.node, self.epoch_secs),
            history: &self.past.history,
            account: &account,
            gateways: &gateways,
            execution: &execution,
            position: &position,
            risk: &risk,
            board: &board,
            journal: journal.as_deref(),
        }
        .run(self.status())
        .await?;

        let (transports, books) = (self.transports.clone(), self.books.clone());
        super::rules::keep(self.settings, transports, books, account.clone());

        let wake = Arc::new(Wake::default());
        let mut producers = Vec::new();
        let mut consumers: Vec<Consumer<MarketEvent>> = Vec::new();
        for _ in feeds {
            let (mut producer, consumer) = ring(FEED_RING_EVENTS, gap_event);
            consumers.push(consumer.with_wake(&mut producer, &wake));
            producers.push(producer);
        }
        let rings = consumers.iter().map(Consumer::stats).collect();
        let hot = self.hot_path(feeds, &baselines)?;
        let edges = super::edges::EdgeRecords::new(
            journal.clone(),
            [(); 2].map(|()| hot.opportunities().empty_window()),
            asked(hot.strategies()),
            self.clock.now(),
        );
        // Nothing below is refused any more: from here on silence is a death.
        if let Some(heart) = &heart {
            heart.must(HeartBaselines::new(&catalogue, &baselines, risk.clone()));
            heart.must(HeartIs(HeartState::Running));
        }
        let signal = self.signal(
            &on_signal,
            hot,
            consumers,
            wake,
            approvals_in,
            &view,
            &execution,
            &risk,
        );
        execution.must(BindSignal(signal.clone()));
        risk.must(super::risk::BindSignal(signal.clone()));
        let feed_seats = self.feeds(&io, feeds, producers, &risk);

        if recovery.matched {
            risk.must(StartupReconciled(
                "two comparisons with the venues in a row agreed".to_owned(),
            ));
        }
        let handles = Handles {
            catalogue: Arc::clone(&catalogue),
            feeds: feed_seats,
            feed_names: feeds.iter().map(|(_, _, name)| name.clone()).collect(),
            rings,
            approvals: approvals_stats,
            gateways,
            signal,
            execution,
            account,
            risk,
            board,
            hub: self.hub,
            facts: Arc::new(Facts {
                paper: self.options.paper,
                reporting: self.settings.engine.reporting_currency.to_string(),
                seed: self.options.seed,
                config_hash: self.settings.hash.clone(),
                dialects: self
                    .settings
                    .venues()
                    .iter()
                    .map(|venue| venue.dialect.label())
                    .collect(),
                strategies: self
                    .settings
                    .strategies
                    .iter()
                    .map(|strategy| strategy.id.clone())
                    .collect(),
                started_at: self.clock.now(),
                scrapes_seen: AtomicU64::new(0),
                recovery,
            }),
            clock: self.clock,
        };
        Ok(Engine {
            handles,
            threads,
            catalogue,
            heart,
            records: super::records::PictureRecords::new(journal.clone()),
            edges,
            store,
            journal,
        })
    }

    /// The heartbeat, where there is a directory for it.
    fn heart(
        &self,
        on: &ArbiterHandle,
        journal: Option<&Journal>,
    ) -> Result<Option<Addr<HeartSeat>>, StartError> {
        let Some(directory) = self.options.journal_dir.as_deref() else {
            return Ok(None);
        };
        let seat = HeartSeat::new(
            directory,
            self.epoch_secs,
            self.clock.clone(),
            Arc::clone(&self.signs),
            self.settings.engine.watchdog.grace,
            journal.map(Journal::tail),
        )
        .map_err(StartError::Heart)?;
        Ok(Some(HeartSeat::start_in_arbiter(on, |_| seat)))
    }

    /// The ledger with every execution of the journal booked.
    fn ledger(&self) -> Result<Ledger, StartError> {
        let mut ledger = Ledger::new(Arc::clone(&self.assembly.catalogue));
        self.past.history.book(&mut ledger)?;
        Ok(ledger)
    }

    fn status(&self) -> RecoveryStatus {
        let mut remarks = Vec::new();
        if self.past.history.fills_elsewhere > 0 {
            remarks.push(format!(
                "{} executions of the journal are of venues or symbols that are not configured, or of simulated accounts: left out",
                self.past.history.fills_elsewhere
            ));
        }
        RecoveryStatus {
            policy: self.settings.engine.recovery.policy.label(),
            epoch_secs: self.epoch_secs,
            sessions: self.past.history.sessions,
            stopped_in_order: self.past.history.stopped_in_order,
            remarks,
            ..RecoveryStatus::default()
        }
    }
}
