//! The account seat: what the venues themselves say we hold. Asks regularly, and tells the risk seat.
//!
//! A derivative's position is the venue's word. A spot position is the change of the base balance since start. The seat
//! decides nothing: the risk seat compares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};
use rust_decimal::Decimal;

use crate::clock::{Clock, OsClock};
use crate::engine::VenueWatch;
use crate::engine::recovery::OpenOrder;
use crate::exchanges::gateway::{AccountEvent, AccountQuery};
use crate::ledger::Funding;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::trade::unwind::{PositionSource, VenuePosition};
use crate::trade::{Fact, Seat, VenueFacts};
use crate::units::{Asset, MonoNanos, Nanos, Qty};

use super::gateway::{AccountNews, AskAccount, GatewaySeat};
use super::mailbox::Mail;
use super::position::{Funded, PositionSeat};
use super::risk::{Facts, RiskSeat, VenueWord};

/// How often balances and positions are asked for.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often this seat says that it lives (AT-29).
const BEAT_EVERY: Duration = Duration::from_millis(100);
/// A question without an answer for longer is asked again.
const QUESTION_MAX: Nanos = Nanos::from_secs(10);

/// What one venue says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VenueAccount {
    /// Order entry and account stream are live.
    pub ready: bool,
    /// The venue refused our key.
    pub refused: Option<i32>,
    /// Free and locked, by asset.
    pub balances: BTreeMap<Asset, (Decimal, Decimal)>,
    /// What belonged to the account before this engine traded there, by asset (docs/RECOVERY.md).
    pub baseline: Option<BTreeMap<Asset, Decimal>>,
    /// Positions by instrument.
    pub positions: BTreeMap<InstrumentId, Qty>,
    /// The venue's entry price of each.
    pub entries: BTreeMap<InstrumentId, Decimal>,
    /// The open orders themselves.
    pub open: Vec<OpenOrder>,
    /// Answered questions for own executions, and failed ones, by instrument.
    pub histories: BTreeMap<InstrumentId, (u64, u64)>,
    /// Open orders at the last answer.
    pub open_orders: u64,
    /// Complete answers: balances, positions, open orders.
    pub answers: [u64; 3],
    /// The venue's clock less ours.
    pub clock_offset_ns: Option<i64>,
    asked_at: MonoNanos,
    /// Parts of the running round that are not answered yet.
    open_questions: u8,
    listing_open: Vec<OpenOrder>,
    seen_positions: Vec<InstrumentId>,
}

/// Asks for everything known.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Accounts")]
pub struct AskAccounts;

/// By venue id.
#[derive(Debug, Clone, PartialEq, Eq, actix::MessageResponse)]
pub struct Accounts(pub Vec<VenueAccount>);

/// The gateways exist now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindGateways(pub Vec<Addr<GatewaySeat>>);

/// Ask the venues now, not at the next turn.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct AskNow;

/// From now on, spot positions are counted from these baselines, by venue id.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Baselines(pub Vec<Option<BTreeMap<Asset, Decimal>>>);

/// What a gateway knows of its venue; its heartbeat.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct LineFacts(pub VenueFacts);

/// A venue's rules were read again and are the same.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct RulesSame(pub VenueId);

/// Keeps the venues' word.
#[derive(Debug)]
pub struct AccountSeat {
    catalogue: Arc<Catalogue>,
    accounts: Vec<VenueAccount>,
    watches: Vec<VenueWatch>,
    gateways: Vec<Addr<GatewaySeat>>,
    risk: Addr<RiskSeat>,
    position: Addr<PositionSeat>,
    clock: OsClock,
}

impl VenueAccount {
    /// No question is open: the next answers are to questions asked from now on.
    pub(super) const fn is_idle(&self) -> bool {
        self.open_questions == 0
    }
}

impl AccountSeat {
    pub(super) fn new(
        catalogue: Arc<Catalogue>,
        risk: Addr<RiskSeat>,
        position: Addr<PositionSeat>,
        clock: OsClock,
    ) -> Self {
        let accounts = vec![VenueAccount::default(); catalogue.venue_names().len()];
        let loaded_at = clock.now();
        let watches = (0_u8..)
            .map(VenueId)
            .zip(catalogue.venue_names())
            .map(|(venue, _)| VenueWatch::new(venue, loaded_at));
        Self {
            watches: watches.collect(),
            catalogue,
            accounts,
            gateways: Vec::new(),
            risk,
            position,
            clock,
        }
    }

    /// Asks every live venue that has no question open: answers of two rounds must not mix.
    fn ask(&mut self) {
        let now = self.clock.now();
        let watched = self.accounts.iter_mut().zip(&mut self.watches);
        for ((account, watch), gateway) in watched.zip(&self.gateways) {
            let answered =
                account.open_questions == 0 || now.since(account.asked_at) > QUESTION_MAX;
            if account.ready && answered {
                account.asked_at = now;
                watch.on_ask(now);
                account.listing_open.clear();
                account.seen_positions.clear();
                account.open_questions = 3;
                for query in [
                    AccountQuery::Balances,
                    AccountQuery::Positions,
                    AccountQuery::OpenOrders,
                ] {
                    gateway.latest(AskAccount(query));
                }
            }
        }
    }

    /// Tells what an event means for the monitor and the ledger.
    fn tell_event(&mut self, news: &AccountNews) {
        let place = news.venue.index();
        let (Some(watch), Some(account)) = (self.watches.get_mut(place), self.accounts.get(place))
        else {
            return;
        };
        let is_open = |id| account.positions.get(&id).is_some_and(|qty| !qty.is_zero());
        let mut facts = Vec::new();
        watch.on_event(&news.event, &self.catalogue, is_open, &mut facts);
        if facts.is_empty() {
            return;
        }
        let funding: Vec<Funding> = facts.iter().filter_map(Funding::of).collect();
        if !funding.is_empty() {
            self.position.must(Funded(funding));
        }
        self.risk.must(Facts(facts));
    }

    /// Sends the pictures of venues that are due, with a beat of this seat.
    fn tell_facts(&mut self, beat: bool) {
        let now = self.clock.now();
        let mut facts: Vec<Fact> = self
            .watches
            .iter_mut()
            .filter_map(|watch| watch.take_due(now))
            .collect();
        if beat {
            facts.push(Fact::Beat(Seat::Account));
        }
        if !facts.is_empty() {
            self.risk.latest(Facts(facts));
        }
    }

    fn tell(
        &self,
        venue: VenueId,
        source: PositionSource,
        taken_at: MonoNanos,
        only: Option<InstrumentKind>,
    ) {
        let Some(account) = self.accounts.get(venue.index()) else {
            return;
        };
        for instrument in self.catalogue.at_venue(venue) {
            if only.is_some_and(|kind| {
                (kind == InstrumentKind::Spot) != (instrument.kind() == InstrumentKind::Spot)
            }) {
                continue;
            }
            // Two spot pairs share one base balance: it says nothing of either position.
            let sharing = self
                .catalogue
                .at_venue(venue)
                .filter(|other| {
                    other.kind() == InstrumentKind::Spot
                        && other.symbol.base == instrument.symbol.base
                })
                .count();
            if instrument.kind() == InstrumentKind::Spot && sharing > 1 {
                continue;
            }
            if let Some(qty) = position_of(account, instrument) {
                self.risk.latest(VenueWord(VenuePosition {
                    instrument: instrument.id,
                    qty,
                    source,
                    taken_at,
                }));
            }
        }
    }

    /// An answer of the venue is complete.
    fn snapshot_done(&mut self, venue: VenueId, query: AccountQuery) {
        let Some(account) = self.accounts.get_mut(venue.index()) else {
            return;
        };
        let asked_at = account.asked_at;
        if !matches!(
            query,
            AccountQuery::Trades { .. } | AccountQuery::History { .. }
        ) {
            account.open_questions = account.open_questions.saturating_sub(1);
        }
        match query {
            AccountQuery::Balances => {
                account.answers[0] += 1;
                self.tell(
                    venue,
                    PositionSource::Snapshot,
                    asked_at,
                    Some(InstrumentKind::Spot),
                );
            }
            AccountQuery::Positions => {
                account.answers[1] += 1;
                // A venue lists only instruments with a position: what it left out is flat.
                let seen = std::mem::take(&mut account.seen_positions);
                account
                    .positions
                    .retain(|instrument, _| seen.contains(instrument));
                let kind = Some(InstrumentKind::LinearPerpetual);
                self.tell(venue, PositionSource::Snapshot, asked_at, kind);
            }
            AccountQuery::OpenOrders => {
                account.answers[2] += 1;
                account.open = std::mem::take(&mut account.listing_open);
                account.open_orders = u64::try_from(account.open.len()).unwrap_or(u64::MAX);
            }
            AccountQuery::History { instrument, .. } => {
                account.histories.entry(instrument).or_default().0 += 1;
            }
            AccountQuery::Trades { .. } => {}
        }
    }
}

/// A row of the open orders.
const fn open_order(event: &AccountEvent) -> Option<OpenOrder> {
    let AccountEvent::OpenOrder {
        instrument,
        client_order_id,
        venue_order_id,
        side,
        qty,
        filled,
        ..
    } = *event
    else {
        return None;
    };
    Some(OpenOrder {
        instrument,
        client_order_id,
        venue_order_id,
        side,
        left: Qty(qty.0.saturating_sub(filled.0)),
    })
}

/// The position by the venue's own word; `None` before the session began or when it does not fit the grid.
fn position_of(account: &VenueAccount, instrument: &Instrument) -> Option<Qty> {
    if instrument.kind() != InstrumentKind::Spot {
        return Some(
            account
                .positions
                .get(&instrument.id)
                .copied()
                .unwrap_or_default(),
        );
    }
    let base = &instrument.symbol.base;
    let (free, locked) = account.balances.get(base).copied().unwrap_or_default();
    let baseline = account.baseline.as_ref()?.get(base).copied();
    let change = free
        .checked_add(locked)?
        .checked_sub(baseline.unwrap_or_default())?;
    instrument.grid.qty_floor(change)
}

impl Actor for AccountSeat {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        context.run_interval(ASK_EVERY, |seat, _| seat.ask());
        context.run_interval(BEAT_EVERY, |seat, _| seat.tell_facts(true));
    }
}

impl Handler<AccountNews> for AccountSeat {
    type Result = ();
    fn handle(&mut self, news: AccountNews, _: &mut Self::Context) {
        self.tell_event(&news);
        self.tell_facts(false);
        let Some(account) = self.accounts.get_mut(news.venue.index()) else {
            return;
        };
        match news.event {
            AccountEvent::Ready => {
                account.ready = true;
                self.ask();
            }
            AccountEvent::NotReady => {
                account.ready = false;
                account.open_questions = 0;
            }
            AccountEvent::SnapshotFailed(AccountQuery::History { instrument, .. }) => {
                account.histories.entry(instrument).or_default().1 += 1;
            }
            AccountEvent::SnapshotFailed(_) => {
                account.open_questions = account.open_questions.saturating_sub(1);
            }
            AccountEvent::Balance {
                asset,
                free,
                locked,
            } => {
                account.balances.insert(asset, (free, locked));
                // Rows of an answer are told when it is complete.
                if account.open_questions > 0 {
                    return;
                }
                self.tell(
                    news.venue,
                    PositionSource::Stream,
                    news.received_at,
                    Some(InstrumentKind::Spot),
                );
            }
            AccountEvent::Position {
                instrument,
                qty,
                entry,
            } => {
                account.positions.insert(instrument, qty);
                account.entries.insert(instrument, entry);
                account.seen_positions.push(instrument);
                if account.open_questions > 0 {
                    return;
                }
                self.tell(
                    news.venue,
                    PositionSource::Stream,
                    news.received_at,
                    Some(InstrumentKind::LinearPerpetual),
                );
            }
            AccountEvent::OpenOrder { .. } => account.listing_open.extend(open_order(&news.event)),
            AccountEvent::SnapshotDone(query) => self.snapshot_done(news.venue, query),
            AccountEvent::ServerTime { .. } => {}
            AccountEvent::Refused { code } => account.refused = Some(code),
            AccountEvent::BalanceChanged { .. }
            | AccountEvent::Margin(_)
            | AccountEvent::VenueClosed { .. }
            | AccountEvent::CancelAllDone { .. }
            | AccountEvent::CancelAllFailed { .. } => {}
        }
    }
}

impl Handler<LineFacts> for AccountSeat {
    type Result = ();
    fn handle(&mut self, message: LineFacts, _: &mut Self::Context) {
        let venue = message.0.venue;
        if let Some(account) = self.accounts.get_mut(venue.index()) {
            account.clock_offset_ns = message.0.clock_offset_ns;
        }
        if let Some(watch) = self.watches.get_mut(venue.index()) {
            watch.on_gateway(&message.0);
        }
        self.risk
            .latest(Facts(vec![Fact::Beat(Seat::Gateway(venue))]));
        self.tell_facts(false);
    }
}

impl Handler<RulesSame> for AccountSeat {
    type Result = ();
    fn handle(&mut self, message: RulesSame, _: &mut Self::Context) {
        let now = self.clock.now();
        if let Some(watch) = self.watches.get_mut(message.0.index()) {
            watch.on_rules(now);
        }
    }
}

impl Handler<BindGateways> for AccountSeat {
    type Result = ();
    fn handle(&mut self, message: BindGateways, _: &mut Self::Context) {
        self.gateways = message.0;
        self.ask();
    }
}

impl Handler<AskNow> for AccountSeat {
    type Result = ();
    fn handle(&mut self, _: AskNow, _: &mut Self::Context) {
        self.ask();
    }
}

impl Handler<Baselines> for AccountSeat {
    type Result = ();
    fn handle(&mut self, message: Baselines, _: &mut Self::Context) {
        for (account, baseline) in self.accounts.iter_mut().zip(message.0) {
            account.baseline = baseline;
        }
    }
}

impl Handler<AskAccounts> for AccountSeat {
    type Result = Accounts;
    fn handle(&mut self, _: AskAccounts, _: &mut Self::Context) -> Accounts {
        Accounts(self.accounts.clone())
    }
}
