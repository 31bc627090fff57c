//! How the seats are started, in order, and what they wait for.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use actix::prelude::{Actor, Addr, Arbiter, ArbiterHandle};
use arc_swap::ArcSwapOption;

use crate::capacity::{APPROVAL_RING_SETS, FEED_RING_EVENTS};
use crate::clock::{Clock, OsClock};
use crate::config::assemble::Assembly;
use crate::config::settings::VenueSettings;
use crate::config::{Layout, Settings, Wait};
use crate::engine::HotPath;
use crate::exchanges::Channel;
use crate::exchanges::feed::{Feed, FeedInstrument};
use crate::exchanges::gateway::{Gateway, GatewayInstrument, GatewayOptions};
use crate::exchanges::rules::RuleBook;
use crate::exchanges::secret::Credentials;
use crate::exchanges::session::http_client;
use crate::exchanges::socket::{SocketError, tls_config};
use crate::execution::{Desk, DeskParams};
use crate::journal::{Journal, Record};
use crate::ledger::Ledger;
use crate::market::{EventKind, InstrumentId, InstrumentKind, MarketEvent, VenueId};
use crate::ring::{Consumer, Producer, WaitStrategy, Wake, ring};
use crate::risk::Monitor;
use crate::telemetry::{Lanes, LiveTimer, Stage, Telemetry};
use crate::trade::OrderIdSource;
use crate::units::{MonoNanos, Qty};

use super::account::{AccountSeat, Accounts, BindGateways, MarkStart};
use super::board::Board;
use super::execution::{BindSignal, ExecutionParts, ExecutionSeat};
use super::feed::{FeedParts, FeedSeat};
use super::gateway::{BindExecution as BindGateway, GatewayParts, GatewaySeat};
use super::link::{Link, Transport, fetch};
use super::mailbox::Mail;
use super::position::{PositionParts, PositionSeat};
use super::ready::{refuse_leftovers, wait_ready};
use super::risk::{
    BindAccount, BindExecution, RiskParts, RiskSeat, StartupBegins, StartupReconciled,
};
use super::sampler::{Facts, Handles};
use super::signal::{Approval, SignalParts, SignalSeat};
use super::system::{Engine, RunOptions, StartError, Threads};

/// What is shared while starting.
struct Start<'a> {
    /// Second at which the session began: in every client order id.
    epoch_secs: u32,
    settings: &'a Settings,
    options: &'a RunOptions,
    clock: OsClock,
    hub: Arc<Telemetry>,
    assembly: Assembly,
    transports: Vec<Transport>,
    books: Vec<RuleBook>,
}

fn wait_strategy(wait: Wait) -> WaitStrategy {
    match wait {
        Wait::Spin => WaitStrategy::Spin,
        Wait::SpinThenPark(span) => WaitStrategy::SpinThenPark(span),
        Wait::Park => WaitStrategy::Park,
    }
}

/// A thread whose runtime looks at its sockets between any two tasks: for seats that spin.
fn hot_arbiter() -> Arbiter {
    Arbiter::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(1)
            .build()
            .unwrap_or_else(|error| panic!("Invariant: a thread can build its runtime: {error}"))
    })
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
    let clock = OsClock::new();
    let transports = transports(settings, credentials)?;
    let books = rule_books(settings, &transports).await?;
    let assembly = Assembly::new(settings, &books)?;
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
    let epoch_secs =
        u32::try_from(clock.now_unix().floor_millis().div_euclid(1_000)).unwrap_or(u32::MAX);
    let start = Start {
        epoch_secs,
        settings,
        options,
        clock,
        hub,
        assembly,
        transports,
        books,
    };
    start.seats(credentials, &feeds).await
}

fn transports(
    settings: &Settings,
    credentials: &[Option<Credentials>],
) -> Result<Vec<Transport>, StartError> {
    let tls =
        tls_config().map_err(|error: SocketError| StartError::Transport(error.to_string()))?;
    let http = http_client(&tls).map_err(|error| StartError::Transport(error.to_string()))?;
    Ok(settings
        .venues()
        .iter()
        .enumerate()
        .map(|(index, venue)| Transport {
            tls: Arc::clone(&tls),
            http: http.clone(),
            rest_base: venue.rest_url.clone(),
            api_key: credentials
                .get(index)
                .and_then(Option::as_ref)
                .map(|key| key.api_key().to_owned()),
        })
        .collect())
}

async fn rule_books(
    settings: &Settings,
    transports: &[Transport],
) -> Result<Vec<RuleBook>, StartError> {
    let mut books = Vec::with_capacity(transports.len());
    for (venue, transport) in settings.venues().iter().zip(transports) {
        books.push(rule_book(venue, transport).await?);
    }
    Ok(books)
}

/// Reads one venue's rules.
pub(super) async fn rule_book(
    venue: &VenueSettings,
    transport: &Transport,
) -> Result<RuleBook, StartError> {
    let natives: Vec<String> = venue
        .symbols
        .iter()
        .map(|symbol| venue.dialect.native_guess(symbol))
        .collect();
    let natives: Vec<&str> = natives.iter().map(String::as_str).collect();
    let url = format!(
        "{}{}",
        transport.rest_base,
        RuleBook::target(venue.dialect, &natives)
    );
    let answer = fetch(transport.http.get(&url)).await;
    if answer.status != 200 {
        return Err(StartError::Unreachable {
            venue: venue.id.clone(),
            url,
            status: answer.status,
        });
    }
    RuleBook::parse(venue.dialect, &answer.body).map_err(|error| StartError::Rules {
        venue: venue.id.clone(),
        error,
    })
}

/// Every feed connection: venue, lane, name.
fn feed_names(settings: &Settings) -> Vec<(VenueId, usize, String)> {
    let mut feeds = Vec::new();
    for (venue, configured) in (0_u8..).map(VenueId).zip(settings.venues()) {
        let lanes = Feed::lanes(configured.dialect);
        for lane in 0..lanes {
            let name = if lanes == 1 {
                configured.id.clone()
            } else {
                format!("{}_{lane}", configured.id)
            };
            feeds.push((venue, lane, name));
        }
    }
    feeds
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
        let board = Arc::new(Board::default());
        let view = Arc::new(ArcSwapOption::empty());
        let journal = match self.options.journal_dir.as_deref() {
            Some(directory) => Some(Arc::new(Journal::open(directory, self.clock.clone())?)),
            None => None,
        };
        if let Some(journal) = &journal {
            let started = Record::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                config_hash: self.settings.hash.clone(),
                epoch_secs: self.epoch_secs,
            };
            if let Err(error) = journal.append(started) {
                tracing::error!("the start is not in the journal: {error}");
            }
            if let Err(error) = journal.append(super::records::config(self.settings)) {
                tracing::error!("the configuration is not in the journal: {error}");
            }
        }
        let risk = self.risk(&on_control, &view, &board, journal.clone());
        risk.must(StartupBegins);
        let ledger = Ledger::new(Arc::clone(&catalogue));
        board.set_ledger(&ledger, &catalogue);
        let parts = PositionParts {
            ledger,
            catalogue: Arc::clone(&catalogue),
            risk: risk.clone(),
            journal: journal.clone(),
            strategies: self.strategy_names(),
            board: Arc::clone(&board),
        };
        let position = PositionSeat::start_in_arbiter(&on_control, |_| PositionSeat::new(parts));
        let account = {
            let (catalogue, risk, clock) =
                (Arc::clone(&catalogue), risk.clone(), self.clock.clone());
            AccountSeat::start_in_arbiter(&on_control, |_| AccountSeat::new(catalogue, risk, clock))
        };
        let gateways = self.gateways(credentials, &io, &account)?;
        account.must(BindGateways(gateways.clone()));
        risk.must(BindAccount(account.clone()));

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
        let accounts = wait_ready(self.settings, &account).await?;
        refuse_leftovers(self.settings, &accounts)?;
        account.must(MarkStart);
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
        let hot = self.hot_path(feeds, &accounts)?;
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
        let feed_seats = self.feeds(&io, feeds, producers, &risk);

        risk.must(StartupReconciled(
            "gateways live, accounts heard twice, no open orders".to_owned(),
        ));
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
            }),
            clock: self.clock,
        };
        Ok(Engine {
            handles,
            threads,
            catalogue,
            records: super::records::PictureRecords::new(journal.clone()),
            journal,
        })
    }

    /// What each strategy trades; nothing when the configuration was refused elsewhere.
    fn strategy_instruments(&self) -> Vec<Vec<InstrumentId>> {
        let params = self.settings.cross_venue_params(&self.assembly.catalogue);
        let params = params.unwrap_or_default().into_iter();
        params.map(|params| params.instruments).collect()
    }

    fn strategy_names(&self) -> Vec<String> {
        self.settings
            .strategies
            .iter()
            .map(|strategy| strategy.id.clone())
            .collect()
    }

    fn risk(
        &self,
        on: &ArbiterHandle,
        view: &Arc<ArcSwapOption<crate::risk::RiskView>>,
        board: &Arc<Board>,
        journal: Option<Arc<Journal>>,
    ) -> Addr<RiskSeat> {
        let parts = RiskParts {
            monitor: Monitor::new(
                Arc::clone(&self.assembly.limits),
                Arc::clone(&self.assembly.catalogue),
                self.settings.engine.reporting_currency,
            )
            .with_strategies(self.strategy_instruments()),
            catalogue: Arc::clone(&self.assembly.catalogue),
            view: Arc::clone(view),
            journal,
            strategies: self.strategy_names(),
            board: Arc::clone(board),
            clock: self.clock.clone(),
        };
        RiskSeat::start_in_arbiter(on, |_| RiskSeat::new(parts))
    }

    fn gateways(
        &self,
        credentials: &[Option<Credentials>],
        on: &ArbiterHandle,
        account: &Addr<AccountSeat>,
    ) -> Result<Vec<Addr<GatewaySeat>>, StartError> {
        let mut seats = Vec::new();
        for (venue, configured) in (0_u8..).map(VenueId).zip(self.settings.venues()) {
            let key = credentials
                .get(venue.index())
                .cloned()
                .flatten()
                .ok_or_else(|| StartError::NoKeys(configured.id.clone()))?;
            let instruments =
                self.assembly
                    .catalogue
                    .at_venue(venue)
                    .map(|instrument| GatewayInstrument {
                        id: instrument.id,
                        native: instrument.native.clone(),
                        grid: instrument.grid,
                    });
            let options = GatewayOptions {
                seed: self.options.seed.unwrap_or(1),
                ..self.options.gateway
            };
            let links = Gateway::channels(configured.dialect).iter().map(|channel| {
                let base = match channel {
                    Channel::Orders => &configured.ws_api_url,
                    Channel::Account | Channel::Market => &configured.ws_url,
                };
                Link::new(*channel, base.clone())
            });
            let parts = GatewayParts {
                venue,
                machine: Gateway::new(
                    configured.dialect,
                    venue,
                    instruments.collect(),
                    key,
                    options,
                ),
                links: links.collect(),
                transport: self.transports.get(venue.index()).cloned().ok_or_else(|| {
                    StartError::Transport("Invariant: one transport a venue".to_owned())
                })?,
                clock: self.clock.clone(),
                timer: LiveTimer::new(
                    self.clock.clone(),
                    self.hub.recorder(&[Stage::Encode, Stage::Write]),
                ),
                account: account.clone(),
            };
            seats.push(GatewaySeat::start_in_arbiter(on, |_| {
                GatewaySeat::new(parts)
            }));
        }
        Ok(seats)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a seat or an end of a queue, named once, here"
    )]
    fn execution(
        &self,
        on: &ArbiterHandle,
        approvals: Consumer<Approval>,
        gateways: &[Addr<GatewaySeat>],
        position: &Addr<PositionSeat>,
        risk: &Addr<RiskSeat>,
        board: &Arc<Board>,
        journal: Option<Arc<Journal>>,
    ) -> Addr<ExecutionSeat> {
        let ids = OrderIdSource::new(self.settings.engine.node, self.epoch_secs);
        let stages = [Stage::TickToOrder, Stage::OrderAck, Stage::AckToFill];
        let wait = match self.settings.engine.layout {
            Layout::Fused => wait_strategy(self.settings.engine.wait),
            Layout::Seats => WaitStrategy::Park,
        };
        let parts = ExecutionParts {
            desk: Desk::new(
                Arc::clone(&self.assembly.catalogue),
                ids,
                DeskParams::default(),
            ),
            catalogue: Arc::clone(&self.assembly.catalogue),
            approvals,
            clock: self.clock.clone(),
            timer: LiveTimer::new(self.clock.clone(), self.hub.recorder(&stages)),
            wait,
            gateways: gateways.to_vec(),
            position: position.clone(),
            risk: risk.clone(),
            board: Arc::clone(board),
            journal,
            strategies: self.strategy_names(),
        };
        ExecutionSeat::start_in_arbiter(on, |_| ExecutionSeat::new(parts))
    }

    fn hot_path(
        &self,
        feeds: &[(VenueId, usize, String)],
        accounts: &Accounts,
    ) -> Result<HotPath, StartError> {
        let catalogue = &self.assembly.catalogue;
        let by_feed = feeds
            .iter()
            .map(|(venue, lane, _)| match lane {
                0 => catalogue
                    .at_venue(*venue)
                    .map(|instrument| instrument.id)
                    .collect(),
                _ => Vec::new(),
            })
            .collect();
        let available = catalogue
            .all()
            .iter()
            .map(|instrument| match instrument.kind() {
                InstrumentKind::Spot => accounts
                    .0
                    .get(instrument.venue.index())
                    .and_then(|account| account.balances.get(&instrument.symbol.base))
                    .and_then(|(free, _)| instrument.grid.qty_floor(*free))
                    .unwrap_or_default(),
                InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual => Qty::ZERO,
            });
        let setup = self
            .assembly
            .hot_setup(self.settings, by_feed, available.collect())?;
        Ok(HotPath::new(setup)?)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a seat or an end of a queue, named once, here"
    )]
    fn signal(
        &self,
        on: &ArbiterHandle,
        hot: HotPath,
        rings: Vec<Consumer<MarketEvent>>,
        wake: Arc<Wake>,
        approvals: Producer<Approval>,
        view: &Arc<ArcSwapOption<crate::risk::RiskView>>,
        execution: &Addr<ExecutionSeat>,
        risk: &Addr<RiskSeat>,
    ) -> Addr<SignalSeat> {
        let stages = [
            Stage::QueueWait,
            Stage::BookApply,
            Stage::StrategyEval,
            Stage::RiskCheck,
        ];
        let parts = SignalParts {
            hot,
            rings,
            wake,
            approvals,
            view: Arc::clone(view),
            clock: self.clock.clone(),
            timer: LiveTimer::new(self.clock.clone(), self.hub.recorder(&stages)),
            wait: wait_strategy(self.settings.engine.wait),
            execution: execution.clone(),
            risk: risk.clone(),
            core: self
                .settings
                .engine
                .pin_core
                .map(|id| core_affinity::CoreId { id }),
        };
        SignalSeat::start_in_arbiter(on, |_| SignalSeat::new(parts))
    }

    fn feeds(
        &self,
        on: &ArbiterHandle,
        feeds: &[(VenueId, usize, String)],
        producers: Vec<Producer<MarketEvent>>,
        risk: &Addr<RiskSeat>,
    ) -> Vec<Addr<FeedSeat>> {
        let mut seats = Vec::new();
        for ((venue, lane, name), producer) in feeds.iter().zip(producers) {
            let Some((configured, transport)) = self
                .settings
                .venues()
                .get(venue.index())
                .zip(self.transports.get(venue.index()))
            else {
                continue;
            };
            let instruments =
                self.assembly
                    .catalogue
                    .at_venue(*venue)
                    .map(|instrument| FeedInstrument {
                        id: instrument.id,
                        native: instrument.native.clone(),
                        grid: instrument.grid,
                    });
            let mut options = self.options.feed.clone();
            if let Some(speed) = self
                .options
                .depth_speeds
                .get(venue.index())
                .cloned()
                .flatten()
            {
                options.depth_speed = speed;
            }
            let parts = FeedParts {
                name: name.clone(),
                venue: *venue,
                machine: Feed::new(
                    configured.dialect,
                    *lane,
                    *venue,
                    instruments.collect(),
                    options,
                ),
                link: Link::new(Channel::Market, configured.ws_url.clone()),
                transport: transport.clone(),
                producer,
                full_ring: self.options.full_ring,
                lane: u8::try_from(*lane).unwrap_or(u8::MAX),
                risk: risk.clone(),
                clock: self.clock.clone(),
                timer: LiveTimer::new(
                    self.clock.clone(),
                    self.hub.recorder(&[Stage::FeedDelay, Stage::Decode]),
                ),
            };
            seats.push(FeedSeat::start_in_arbiter(on, |_| FeedSeat::new(parts)));
        }
        seats
    }
}

/// Stands for lost events in a feed's ring.
fn gap_event(lost: u64) -> MarketEvent {
    MarketEvent {
        received_at: MonoNanos(0),
        kind: EventKind::Gap { lost },
        decode_nanos: 0,
        instrument: InstrumentId(0),
        flags: 0,
    }
}
