//! The virtual-time world: the whole engine and its simulated venues in one thread, without a socket, as fast as the CPU
//! allows. It is what `arbalest simulate`, backtests and fault simulation stand on.
//!
//! The rooms are the ones that trade live: feed and gateway machines speak their venues' wire protocol to
//! [`VenueCore`]s, the hot path decides, the desk sends, the ledger books, the monitor judges
//! (`engine/flow.rs` names the routes). Only time and transport differ: a queue ordered by instant and by order of entry,
//! and bytes handed over in memory after the venue's own latency. So equal inputs give equal decisions to the last bit.
//!
//! [`World::run`] takes the next happening of tape, venues and agenda, in this order at equal instants, and carries
//! everything that follows from it to its end before time moves on.

mod account;
mod agenda;
mod attribute;
mod closing;
mod facts;
mod finish;
mod links;
mod record;
mod setup;
mod simulate;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::engine::opportunity::Window;
use crate::engine::{DecisionDigest, HotOutput, HotPath, VenueWatch};
use crate::exchanges::feed::Feed;
use crate::exchanges::gateway::{Gateway, GatewayOut};
use crate::execution::{Attribution, Attributor, Desk, DeskOutput};
use crate::ledger::Ledger;
use crate::market::{Catalogue, MarketEvent};
use crate::risk::{KillLevel, Monitor, RiskOutput, RiskView};
use crate::sim::checker::{Checker, Violation};
use crate::sim::tape::Tape;
use crate::sim::venue::{ConnId, Outgoing, VenueCore};
use crate::trade::Fill;
use crate::trade::unwind::VenuePosition;
use crate::units::{Asset, MonoNanos, Nanos, UnixNanos};

use account::VenueAccount;
use agenda::Agenda;
use closing::CloseWatch;
pub use closing::{Closing, Net};
pub use finish::WorldReport;
use links::{Due, Links};
pub use record::Seen;
pub use setup::{PlannedCommand, PlannedFault, WorldError, WorldSetup, WorldVenue};
pub use simulate::{
    SimulateError, SimulateOptions, simulate, simulate_faulty, usual_rules, world_setup,
};
use work::Work;

/// Our clock starts at one hour, so that early instants subtract safely.
const ORIGIN: MonoNanos = MonoNanos(3_600_000_000_000);
/// How often the desk and the hot path look at their deadlines.
const TICK: Nanos = Nanos::from_millis(10);
/// Ticks between two looks of the feeds, gateways and the monitor.
const SLOW_TICKS: u64 = 5;
/// Ticks between two questions to the venues what we hold.
const ASK_TICKS: u64 = 200;
/// From the engine's start to the market's first movement: time to connect, subscribe and log on. The model places its first
/// orders at the start and moves from here on; a recording begins here.
pub const LEAD: Nanos = Nanos::from_secs(1);
/// Longest time for orders to end after the last decision (RISK.md I32: 60 s).
const SETTLE: Nanos = Nanos::from_secs(60);
/// Answers may be on their way for this long when everything has ended.
const LAST_ANSWERS: Nanos = Nanos::from_millis(200);

/// One venue with our gateway to it.
struct VenueSeat {
    core: VenueCore,
    gateway: Gateway,
    links: Links,
    account: VenueAccount,
    watch: VenueWatch,
    /// Our balances at the start.
    begun: BTreeMap<Asset, Decimal>,
}

/// One market data connection.
struct FeedSeat {
    machine: Feed,
    venue: usize,
    links: Links,
}

/// The whole engine and its venues.
pub struct World {
    catalogue: Arc<Catalogue>,
    start: UnixNanos,
    now: UnixNanos,
    venues: Vec<VenueSeat>,
    feeds: Vec<FeedSeat>,
    agenda: Agenda<Due>,
    /// Faults planned: without any, gaps are violations.
    faults: usize,
    ticks: u64,
    hot: HotPath,
    hot_out: HotOutput,
    desk: Desk,
    desk_out: Vec<DeskOutput>,
    ledger: Ledger,
    monitor: Monitor,
    risk_out: Vec<RiskOutput>,
    gateway_out: GatewayOut,
    words: Vec<VenuePosition>,
    work: VecDeque<Work>,
    events: Vec<MarketEvent>,
    inbox: Vec<(ConnId, Outgoing)>,
    digest: DecisionDigest,
    checker: Checker,
    tally: finish::Tally,
    closing: CloseWatch,
    record: record::Record,
    /// The run is over this long after the last forced close ended.
    end_after: Option<Nanos>,
    fills: Vec<Fill>,
    attributor: Attributor,
    attributions: Vec<Attribution>,
    /// Edges of the whole run, and the window that is swapped next.
    opportunities: [Window; 2],
    /// The monitor's last view while not armed.
    waiting_view: Option<RiskView>,
    monitor_level: KillLevel,
    /// All gateways were ready once: approvals may be sent.
    armed: bool,
    /// Nothing new is sent.
    stopping: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("digest", &self.digest.hex())
            .finish_non_exhaustive()
    }
}

impl World {
    /// Our monotonic instant.
    fn mono(&self) -> MonoNanos {
        let since = self.now.signed_since(self.start);
        ORIGIN.after(Nanos(u64::try_from(since).unwrap_or(0)))
    }

    /// Runs until the tape ends or `span` of market time is over, then brings everything to rest.
    pub fn run(mut self, tape: &mut dyn Tape, span: Nanos) -> WorldReport {
        self.begin();
        let on_time = self.play(tape, self.start.after(LEAD).after(span));
        let ended_by = if self.is_over() {
            "closed"
        } else if on_time {
            "time"
        } else {
            "recording_end"
        };
        let market_span = self.now.signed_since(self.start.after(LEAD));
        self.stop();
        let last = self.now.after(SETTLE);
        while self.now < last && !self.is_quiet() {
            self.play(tape, self.now.after(TICK));
            self.run_until(self.now.after(TICK));
        }
        // Late answers on their way change nothing, but are heard.
        self.run_until(self.now.after(LAST_ANSWERS));
        self.report(ended_by, market_span)
    }

    /// Plays the tape up to an instant. False when it ended before: then it is the instant of its last event.
    fn play(&mut self, tape: &mut dyn Tape, until: UnixNanos) -> bool {
        loop {
            let Some(market) = tape.peek() else {
                return false;
            };
            if market > until || self.is_over() {
                self.run_until(until.min(market));
                return true;
            }
            self.run_until(market);
            if let Some(event) = tape.next() {
                self.on_market(&event);
            }
        }
    }

    /// Everything that happens up to an instant, market events excepted; then it is that instant.
    fn run_until(&mut self, until: UnixNanos) {
        loop {
            let venue = self.venue_due().filter(|(at, _)| *at <= until);
            let planned = self.agenda.peek().filter(|at| *at <= until);
            match (venue, planned) {
                (Some((at, venue)), planned) if planned.is_none_or(|planned| at <= planned) => {
                    self.now = self.now.max(at);
                    if let Some(seat) = self.venues.get_mut(venue) {
                        seat.core.advance(at);
                    }
                    self.settle();
                }
                (_, Some(at)) => {
                    self.now = self.now.max(at);
                    if let Some(due) = self.agenda.take(at) {
                        self.on_due(due);
                    }
                    self.settle();
                }
                (_, None) => break,
            }
        }
        self.now = self.now.max(until);
    }

    fn venue_due(&self) -> Option<(UnixNanos, usize)> {
        self.venues
            .iter()
            .enumerate()
            .filter_map(|(index, seat)| Some((seat.core.next_due()?, index)))
            .min()
    }

    fn on_market(&mut self, event: &crate::sim::tape::TapeEvent) {
        if let Some(seat) = self.venues.get_mut(event.venue) {
            seat.core.on_market(event, self.now);
        }
        self.tally.market_events += 1;
        self.settle();
    }

    /// Delivers what venues sent until nothing is left at this instant.
    fn settle(&mut self) {
        loop {
            let mut busy = false;
            for venue in 0..self.venues.len() {
                let mut inbox = std::mem::take(&mut self.inbox);
                if let Some(seat) = self.venues.get_mut(venue) {
                    seat.core.drain(&mut inbox);
                }
                busy |= !inbox.is_empty();
                for (conn, outgoing) in inbox.drain(..) {
                    self.deliver(venue, conn, &outgoing);
                }
                self.inbox = inbox;
            }
            if !busy {
                self.note_resting();
                return;
            }
        }
    }

    /// The invariants that were broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.checker.violations()
    }
}
