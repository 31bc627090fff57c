//! What a world is made of, and its making.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::config::assemble::{feed_instruments, gateway_instruments};
use crate::engine::{DecisionDigest, HotOutput, HotPath, HotSetup, VenueWatch};
use crate::exchanges::feed::{Feed, FeedOptions};
use crate::exchanges::gateway::{Gateway, GatewayOptions, GatewayOut};
use crate::exchanges::secret::Credentials;
use crate::execution::{Attributor, Desk, DeskParams, LegBudget};
use crate::ledger::Ledger;
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::risk::{KillLevel, Monitor, OperatorCommand};
use crate::sim::checker::Checker;
use crate::sim::venue::{Fault, VenueCore, VenueSetup};
use crate::trade::OrderIdSource;
use crate::units::{Asset, Nanos, UnixNanos};

use super::account::VenueAccount;
use super::agenda::Agenda;
use super::closing::CloseWatch;
use super::finish::Tally;
use super::links::{Due, Links};
use super::{FeedSeat, VenueSeat, World};

/// One venue and how the engine reaches it.
#[derive(Debug, Clone)]
pub struct WorldVenue {
    /// The venue; its first account is ours.
    pub core: VenueSetup,
    /// Our key there.
    pub credentials: Credentials,
    /// How its market data is taken.
    pub feed: FeedOptions,
    /// How its orders are sent.
    pub gateway: GatewayOptions,
    /// Its market comes from a recording: depth questions wait for the recorded snapshot.
    pub is_recorded: bool,
}

/// One misbehaviour of one venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// After the engine's start.
    pub at: Nanos,
    /// Which venue.
    pub venue: VenueId,
    /// What it does.
    pub fault: Fault,
}

/// One thing that a person asks of the risk seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCommand {
    /// After the engine's start.
    pub at: Nanos,
    /// What.
    pub command: OperatorCommand,
}

/// A whole engine and its venues.
#[derive(Debug)]
pub struct WorldSetup {
    /// By venue id. A venue's instruments are the catalogue's, matched by native name.
    pub venues: Vec<WorldVenue>,
    /// Catalogue, limits and strategies. `feeds` is filled in by the world.
    pub hot: HotSetup,
    /// How patient the desk is.
    pub desk: DeskParams,
    /// How much each strategy's sets may have unhedged, by strategy id.
    pub leg_budgets: Vec<LegBudget>,
    /// Number of this engine in client order ids.
    pub node: u16,
    /// Echoed in the report; the tape and the venues have their own.
    pub seed: u64,
    /// What the venues do wrong, and when.
    pub faults: Vec<PlannedFault>,
    /// What people ask of the risk seat, and when.
    pub commands: Vec<PlannedCommand>,
    /// End the run this long after the last forced close ended; `None`: with its time or its recording.
    pub end_after: Option<Nanos>,
    /// When the engine starts; the market moves from [`super::LEAD`] later on.
    pub start: UnixNanos,
}

/// Why a world cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// The catalogue and the venues differ.
    #[error("world has {venues} venues, its catalogue {named}")]
    Venues {
        /// Venues given.
        venues: usize,
        /// Venues named.
        named: usize,
    },
}

/// The instruments of each feed.
fn instruments_of(catalogue: &Catalogue, feeds: &[FeedSeat]) -> Vec<Vec<InstrumentId>> {
    let of_feed =
        |feed: &FeedSeat| u8::try_from(feed.venue).map(|venue| ids_at(catalogue, VenueId(venue)));
    let all = feeds.iter();
    all.map(|feed| of_feed(feed).unwrap_or_default()).collect()
}

impl World {
    /// A world at its start.
    ///
    /// # Errors
    /// [`WorldError`] when the parts do not fit each other.
    pub fn new(mut setup: WorldSetup) -> Result<Self, WorldError> {
        let catalogue = Arc::clone(&setup.hot.catalogue);
        let named = catalogue.venue_names().len();
        if named != setup.venues.len() {
            return Err(WorldError::Venues {
                venues: setup.venues.len(),
                named,
            });
        }
        let limits = Arc::clone(&setup.hot.limits);
        let venues = std::mem::take(&mut setup.venues);
        let (mut seats, mut feeds) = (Vec::with_capacity(venues.len()), Vec::new());
        for (id, venue) in (0_u8..).map(VenueId).zip(venues) {
            add_feeds(&catalogue, id, &venue, &mut feeds);
            seats.push(venue_seat(&catalogue, id, venue, setup.start));
        }
        setup.hot.feeds = instruments_of(&catalogue, &feeds);
        let faults = setup.faults.len();
        let agenda = plan(setup.start, setup.faults, setup.commands);
        let reporting = setup.hot.reporting;
        let strategies = setup.hot.strategies.iter();
        let traded = strategies
            .map(|strategy| strategy.instruments().to_vec())
            .collect();
        let hot = hot_path(setup.hot, setup.start);
        let epoch = u32::try_from(setup.start.0.div_euclid(1_000_000_000)).unwrap_or(0);
        Ok(Self {
            attributor: Attributor::default(),
            attributions: Vec::new(),
            opportunities: [(); 2].map(|()| hot.opportunities().empty_window()),
            start: setup.start,
            now: setup.start,
            venues: seats,
            feeds,
            agenda,
            faults,
            ticks: 0,
            hot,
            hot_out: HotOutput::with_capacity(),
            desk: Desk::new(
                Arc::clone(&catalogue),
                OrderIdSource::new(setup.node, epoch),
                setup.desk,
            )
            .with_budgets(setup.leg_budgets),
            desk_out: Vec::new(),
            ledger: Ledger::new(Arc::clone(&catalogue)),
            monitor: Monitor::new(Arc::clone(&limits), Arc::clone(&catalogue), reporting)
                .with_strategies(traded)
                .never_traded(),
            risk_out: Vec::new(),
            gateway_out: GatewayOut::default(),
            words: Vec::new(),
            work: VecDeque::new(),
            events: Vec::new(),
            inbox: Vec::new(),
            digest: DecisionDigest::default(),
            checker: Checker::new(Arc::clone(&catalogue), limits),
            tally: Tally::new(setup.seed),
            closing: CloseWatch::default(),
            record: super::record::Record::default(),
            end_after: setup.end_after,
            fills: Vec::new(),
            waiting_view: None,
            monitor_level: KillLevel::Armed,
            armed: false,
            stopping: false,
            catalogue,
        })
    }
}

/// What venues will do wrong and people will ask, at its time.
fn plan(start: UnixNanos, faults: Vec<PlannedFault>, commands: Vec<PlannedCommand>) -> Agenda<Due> {
    let mut agenda = Agenda::new();
    for planned in faults {
        let due = Due::Misbehave(planned.venue.index(), Box::new(planned.fault));
        agenda.plan(start.after(planned.at), due);
    }
    for planned in commands {
        let due = Due::Operate(Box::new(planned.command));
        agenda.plan(start.after(planned.at), due);
    }
    agenda
}

fn ids_at(catalogue: &Catalogue, venue: VenueId) -> Vec<InstrumentId> {
    catalogue
        .at_venue(venue)
        .map(|instrument| instrument.id)
        .collect()
}

/// One feed machine a lane of the venue's dialect.
fn add_feeds(catalogue: &Catalogue, id: VenueId, venue: &WorldVenue, feeds: &mut Vec<FeedSeat>) {
    let dialect = venue.core.dialect;
    for lane in 0..Feed::lanes(dialect) {
        let instruments = feed_instruments(catalogue, id);
        let machine = Feed::new(dialect, lane, id, instruments, venue.feed.clone());
        feeds.push(FeedSeat {
            machine,
            venue: id.index(),
            links: Links::default(),
        });
    }
}

fn venue_seat(
    catalogue: &Catalogue,
    id: VenueId,
    venue: WorldVenue,
    start: UnixNanos,
) -> VenueSeat {
    let instruments = gateway_instruments(catalogue, id);
    let dialect = venue.core.dialect;
    let gateway = Gateway::new(dialect, id, instruments, venue.credentials, venue.gateway);
    let begun = start_balances(&venue.core);
    let mut core = VenueCore::new(venue.core, start);
    if venue.is_recorded {
        core.expect_recording();
    }
    VenueSeat {
        core,
        gateway,
        links: Links::default(),
        account: VenueAccount::new(id, begun.clone()),
        watch: VenueWatch::new(id, super::ORIGIN),
        begun,
    }
}

fn start_balances(setup: &VenueSetup) -> BTreeMap<Asset, Decimal> {
    let balances = setup
        .accounts
        .first()
        .map(|account| account.balances.as_slice())
        .unwrap_or_default();
    balances
        .iter()
        .map(|(asset, amount)| (*asset, crate::sim::checker::decimal(*amount)))
        .collect()
}

/// Told the time of day: zero of our clock is this long before the start.
fn hot_path(setup: HotSetup, start: UnixNanos) -> HotPath {
    let mut hot = HotPath::new(setup);
    let since_zero = i64::try_from(super::ORIGIN.0).unwrap_or(i64::MAX);
    hot.on_clock(UnixNanos(start.0.saturating_sub(since_zero)));
    hot
}
