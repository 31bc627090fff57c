//! What each seat is built from: the parts of a start, without its order.

use std::sync::Arc;

use actix::prelude::{Actor, Addr, Arbiter, ArbiterHandle};
use arc_swap::ArcSwapOption;

use crate::clock::Clock as _;
use crate::config::assemble::{feed_instruments, gateway_instruments};
use crate::config::{Layout, Wait};
use crate::engine::HotPath;
use crate::exchanges::Channel;
use crate::exchanges::feed::Feed;
use crate::exchanges::gateway::{Gateway, GatewayOptions};
use crate::exchanges::secret::Credentials;
use crate::execution::{Desk, DeskParams};
use crate::journal::Journal;
use crate::market::{EventKind, InstrumentId, InstrumentKind, MarketEvent, VenueId};
use crate::ring::{Consumer, Producer, WaitStrategy, Wake};
use crate::risk::Monitor;
use crate::telemetry::{LiveTimer, Stage};
use crate::trade::OrderIdSource;
use crate::units::{MonoNanos, Qty, UnixNanos};

use super::account::AccountSeat;
use super::board::Board;
use super::execution::{ExecutionParts, ExecutionSeat};
use super::feed::{FeedParts, FeedSeat};
use super::gateway::{GatewayParts, GatewaySeat};
use super::link::Link;
use super::position::PositionSeat;
use super::recover::BaselinesByVenue;
use super::risk::{RiskParts, RiskSeat};
use super::signal::{Approval, SignalParts, SignalSeat};
use super::start::Start;
use super::system::StartError;

fn wait_strategy(wait: Wait) -> WaitStrategy {
    match wait {
        Wait::Spin => WaitStrategy::Spin,
        Wait::SpinThenPark(span) => WaitStrategy::SpinThenPark(span),
        Wait::Park => WaitStrategy::Park,
    }
}

/// A thread whose runtime looks at its sockets between any two tasks: for seats that spin.
pub(super) fn hot_arbiter() -> Arbiter {
    Arbiter::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(1)
            .build()
            .unwrap_or_else(|error| panic!("Invariant: a thread can build its runtime: {error}"))
    })
}

impl Start<'_> {
    pub(super) fn strategy_names(&self) -> Vec<String> {
        self.settings
            .strategies
            .iter()
            .map(|strategy| strategy.id.clone())
            .collect()
    }

    pub(super) fn risk(
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
            ),
            catalogue: Arc::clone(&self.assembly.catalogue),
            view: Arc::clone(view),
            journal,
            strategies: self.strategy_names(),
            board: Arc::clone(board),
            clock: self.clock.clone(),
        };
        RiskSeat::start_in_arbiter(on, |_| RiskSeat::new(parts))
    }

    pub(super) fn gateways(
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
            let instruments = gateway_instruments(&self.assembly.catalogue, venue);
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
            let mut machine = Gateway::new(configured.dialect, venue, instruments, key, options);
            if let Some(book) = self.books.get(venue.index()) {
                machine.set_limits(&book.limits);
            }
            let parts = GatewayParts {
                venue,
                machine,
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
    pub(super) fn execution(
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
            )
            .with_budgets(self.settings.leg_budgets()),
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
            signs: Arc::clone(&self.signs),
        };
        ExecutionSeat::start_in_arbiter(on, |_| ExecutionSeat::new(parts))
    }

    pub(super) fn hot_path(
        &self,
        feeds: &[(VenueId, usize, String)],
        baselines: &BaselinesByVenue,
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
                // What is on hand is this and the position.
                InstrumentKind::Spot => baselines
                    .get(instrument.venue.index())
                    .and_then(|baseline| baseline.as_ref()?.get(&instrument.symbol.base))
                    .and_then(|held| instrument.grid.qty_floor(*held))
                    .unwrap_or_default(),
                InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual => Qty::ZERO,
            });
        let setup = self
            .assembly
            .hot_setup(self.settings, by_feed, available.collect())?;
        let mut hot = HotPath::new(setup);
        let (now, wall) = (self.clock.now(), self.clock.now_unix());
        let since_zero = i64::try_from(now.0).unwrap_or(i64::MAX);
        hot.on_clock(UnixNanos(wall.0.saturating_sub(since_zero)));
        Ok(hot)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a seat or an end of a queue, named once, here"
    )]
    pub(super) fn signal(
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
            signs: Arc::clone(&self.signs),
        };
        SignalSeat::start_in_arbiter(on, |_| SignalSeat::new(parts))
    }

    pub(super) fn feeds(
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
            let instruments = feed_instruments(&self.assembly.catalogue, *venue);
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
                machine: Feed::new(configured.dialect, *lane, *venue, instruments, options),
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
pub(super) fn gap_event(lost: u64) -> MarketEvent {
    MarketEvent {
        received_at: MonoNanos(0),
        kind: EventKind::Gap { lost },
        decode_nanos: 0,
        instrument: InstrumentId(0),
        flags: 0,
    }
}
