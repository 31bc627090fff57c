//! What a watchdog does at one venue when the engine is gone: cancel everything, then reduce every position to flat. Pure.
//!
//! It trusts nothing but the venue's own answers: a round of open orders, positions and balances that was asked for after its
//! last action, with no answer to an older question still to come. While an order of ours is out, nothing else is sent in that
//! instrument. A derivative is closed reduce-only; of a spot account only the engine's own purchases are sold ([`Claim`]), and what is
//! missing is not bought back. Nothing at the venue stops a second sale of the same coins, so a spot order whose end is not known is asked
//! for by its id until it is. It never adds risk, so it asks no gate; and it stops in the moment in which the engine beats again.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::exchanges::gateway::{AccountEvent, AccountQuery};
use crate::market::{Instrument, InstrumentId, InstrumentKind};
use crate::trade::id::UNWIND_SET_FIRST;
use crate::trade::{
    ApprovalSeq, ClientOrderId, OrderIdSource, OrderReport, Purpose, SetId, StrategyId, Ticket,
    TimeInForce,
};
use crate::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side};

mod claim;
mod order;

pub use claim::Claim;
use order::{ORDER_WAIT, QUERY_PAUSE, Sent, protected};

/// A round without all answers is asked for again after this.
const ROUND_WAIT: Nanos = Nanos::from_secs(5);
/// Pause between two rounds while something is to be done.
const ROUND_PAUSE: Nanos = Nanos::from_millis(500);
/// Pause between two rounds while nothing is.
const WATCH_PAUSE: Nanos = Nanos::from_secs(30);
/// Answers that did not come by now never will: the gateway gives every question an end before.
const ANSWER_WAIT: Nanos = Nanos::from_secs(30);
/// Oldest quote that prices an order.
const QUOTE_AGE_MAX: Nanos = Nanos::from_secs(2);
/// Sets of a watchdog: apart from those of the engine's own forced closes.
const SETS_FIRST: u64 = UNWIND_SET_FIRST | (1 << 38);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RescueOutput {
    /// Ask the venue.
    Ask(AccountQuery),
    /// Cancel everything in one instrument.
    CancelAll(InstrumentId),
    /// Ask for the best prices.
    Quote(InstrumentId),
    /// Send an order.
    Place(Ticket),
    /// Ask what became of an order.
    Query(InstrumentId, ClientOrderId),
    /// Tell people.
    Say(String),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RescueState {
    /// The engine is responsible.
    #[default]
    Watching,
    /// Orders may be open.
    Cancelling,
    /// None is; positions are.
    Flattening,
    /// Nothing is left that can be closed.
    Flat,
}

impl RescueState {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Cancelling => "cancelling",
            Self::Flattening => "flattening",
            Self::Flat => "flat",
        }
    }
}

#[derive(Debug, Default)]
struct Round {
    asked_at: Option<MonoNanos>,
    done: [bool; 3],
    open_orders: u64,
    positions: BTreeMap<InstrumentId, Qty>,
    totals: BTreeMap<Asset, Decimal>,
}

/// One venue.
#[derive(Debug)]
pub struct Rescue {
    instruments: Vec<Instrument>,
    ids: OrderIdSource,
    /// How far through the best price an order may go.
    protection: Ppm,
    dry_run: bool,
    state: RescueState,
    asking: Round,
    /// Answers still to come: open orders, positions, balances.
    to_come: [u32; 3],
    /// When they were last asked for.
    asked_at: MonoNanos,
    /// The last whole round; gone once something was done.
    answered: Option<Round>,
    next_round_at: MonoNanos,
    orders: BTreeMap<InstrumentId, Sent>,
    quotes: BTreeMap<InstrumentId, (Price, Price, MonoNanos)>,
    /// What stays of each spot asset, fixed by the first balance after the death: later ones have our own sales in them.
    floors: BTreeMap<Asset, Decimal>,
    orders_sent: u64,
    told: Option<String>,
}

impl Rescue {
    /// Nothing known yet. `instruments` are all of this venue.
    #[must_use]
    pub const fn new(
        instruments: Vec<Instrument>,
        ids: OrderIdSource,
        protection: Ppm,
        dry_run: bool,
    ) -> Self {
        Self {
            instruments,
            ids,
            protection,
            dry_run,
            state: RescueState::Watching,
            asking: Round {
                asked_at: None,
                done: [false; 3],
                open_orders: 0,
                positions: BTreeMap::new(),
                totals: BTreeMap::new(),
            },
            to_come: [0; 3],
            asked_at: MonoNanos(0),
            answered: None,
            next_round_at: MonoNanos(0),
            orders: BTreeMap::new(),
            quotes: BTreeMap::new(),
            floors: BTreeMap::new(),
            orders_sent: 0,
            told: None,
        }
    }

    /// How far it is.
    #[must_use]
    pub const fn state(&self) -> RescueState {
        self.state
    }
    /// Open orders and positions of the last whole round.
    #[must_use]
    pub fn seen(&self) -> Option<(u64, usize)> {
        let round = self.answered.as_ref()?;
        let positions = round.positions.values().filter(|qty| !qty.is_zero());
        Some((round.open_orders, positions.count()))
    }

    /// The venue's word on the account.
    pub fn on_event(&mut self, event: &AccountEvent) {
        if let AccountEvent::SnapshotDone(query) | AccountEvent::SnapshotFailed(query) = *event
            && let Some(to_come) = part(query).and_then(|part| self.to_come.get_mut(part))
        {
            *to_come = to_come.saturating_sub(1);
        }
        let asking = &mut self.asking;
        if asking.asked_at.is_none() {
            // An answer to a question from before our last action.
            return;
        }
        match *event {
            AccountEvent::Balance {
                asset,
                free,
                locked,
            } => {
                asking.totals.insert(asset, free.saturating_add(locked));
            }
            AccountEvent::Position {
                instrument, qty, ..
            } => {
                asking.positions.insert(instrument, qty);
            }
            AccountEvent::OpenOrder { .. } => asking.open_orders += 1,
            AccountEvent::SnapshotDone(query) => {
                if let Some(done) = part(query).and_then(|part| asking.done.get_mut(part)) {
                    *done = true;
                }
                if asking.done == [true; 3] {
                    self.answered = Some(std::mem::take(asking));
                }
            }
            AccountEvent::Ready
            | AccountEvent::NotReady
            | AccountEvent::BalanceChanged { .. }
            | AccountEvent::Margin(_)
            | AccountEvent::VenueClosed { .. }
            | AccountEvent::CancelAllDone { .. }
            | AccountEvent::CancelAllFailed { .. }
            | AccountEvent::SnapshotFailed(_)
            | AccountEvent::ServerTime { .. }
            | AccountEvent::Refused { .. } => {}
        }
    }

    /// The venue's word on an order.
    pub fn on_report(&mut self, report: &OrderReport) {
        let ours = self.orders.get_mut(&report.instrument);
        let Some(sent) = ours.filter(|sent| Some(sent.id) == report.client_order_id) else {
            return;
        };
        if sent.is_over(report) {
            self.orders.remove(&report.instrument);
            self.acted();
        }
    }

    /// The best prices.
    pub fn on_quote(&mut self, instrument: InstrumentId, bid: Price, ask: Price, now: MonoNanos) {
        self.quotes.insert(instrument, (bid, ask, now));
    }

    /// What was answered before no longer counts.
    fn acted(&mut self) {
        self.answered = None;
        self.asking = Round::default();
        self.next_round_at = MonoNanos(0);
    }

    fn say(&mut self, text: String, out: &mut Vec<RescueOutput>) {
        if self.told.as_ref() != Some(&text) {
            self.told = Some(text.clone());
            out.push(RescueOutput::Say(text));
        }
    }

    fn go(&mut self, state: RescueState) {
        self.state = state;
    }

    /// Time passes. `gone`: the engine does not beat. `claim`: what of a spot account is the engine's.
    pub fn on_timer(
        &mut self,
        gone: bool,
        claim: Claim<'_>,
        now: MonoNanos,
        out: &mut Vec<RescueOutput>,
    ) {
        if !gone {
            if self.state != RescueState::Watching {
                self.go(RescueState::Watching);
                self.floors.clear();
                self.say("the engine beats again: standing back".to_owned(), out);
                self.acted();
            }
        } else if self.state == RescueState::Watching {
            self.go(RescueState::Cancelling);
            self.acted();
            self.cancel_all(out);
        }
        self.seek(now, out);
        if gone {
            self.act(claim, now, out);
        }
        self.ask(gone, now, out);
    }

    /// Lets go of reduce-only orders that are due, and asks for the spot orders that are.
    fn seek(&mut self, now: MonoNanos, out: &mut Vec<RescueOutput>) {
        self.orders
            .retain(|_, sent| sent.spot || now.since(sent.sent_at) < ORDER_WAIT);
        for (instrument, sent) in &mut self.orders {
            let due_at = sent.ask_at.unwrap_or(sent.sent_at.after(ORDER_WAIT));
            if now >= due_at {
                sent.ask_at = Some(now.after(QUERY_PAUSE));
                out.push(RescueOutput::Query(*instrument, sent.id));
            }
        }
    }

    fn ask(&mut self, gone: bool, now: MonoNanos, out: &mut Vec<RescueOutput>) {
        let waiting = self
            .asking
            .asked_at
            .is_some_and(|asked_at| now.since(asked_at) < ROUND_WAIT);
        // An answer tells neither its question nor its time: none may be under way when the next round begins.
        let to_come = self.to_come != [0; 3] && now.since(self.asked_at) < ANSWER_WAIT;
        // An order that is being sought keeps its own instrument shut, not the others.
        let out_now = self.orders.values().any(|sent| sent.ask_at.is_none());
        if waiting || to_come || now < self.next_round_at || out_now {
            return;
        }
        self.to_come = [1; 3];
        self.asked_at = now;
        self.asking = Round {
            asked_at: Some(now),
            ..Round::default()
        };
        let idle = !gone || self.state == RescueState::Flat;
        self.next_round_at = now.after(if idle { WATCH_PAUSE } else { ROUND_PAUSE });
        for query in [
            AccountQuery::OpenOrders,
            AccountQuery::Positions,
            AccountQuery::Balances,
        ] {
            out.push(RescueOutput::Ask(query));
        }
    }

    fn cancel_all(&mut self, out: &mut Vec<RescueOutput>) {
        if self.dry_run {
            self.say("would cancel every open order".to_owned(), out);
            return;
        }
        self.say("cancelling every open order".to_owned(), out);
        let ids = self.instruments.iter().map(|instrument| instrument.id);
        out.extend(ids.map(RescueOutput::CancelAll));
    }

    /// One step from the last whole round.
    fn act(&mut self, claim: Claim<'_>, now: MonoNanos, out: &mut Vec<RescueOutput>) {
        let Some(round) = self.answered.take() else {
            return;
        };
        if round.open_orders > 0 && !self.dry_run {
            self.go(RescueState::Cancelling);
            self.acted();
            self.next_round_at = now.after(ROUND_PAUSE);
            let ids = self.instruments.iter().map(|instrument| instrument.id);
            out.extend(ids.map(RescueOutput::CancelAll));
            return;
        }
        if !claim.is_unknown() {
            for (asset, total) in &round.totals {
                let floor = self.floors.entry(*asset);
                floor.or_insert_with(|| claim.floor(*asset, *total));
            }
        }
        let targets: Vec<(Instrument, Qty)> = self
            .instruments
            .iter()
            .filter_map(|instrument| {
                let held = self.held(instrument, &round)?;
                Some((instrument.clone(), held))
            })
            .collect();
        self.answered = Some(round);
        if targets.is_empty() {
            self.go(RescueState::Flat);
            self.say("no open order, nothing left to close".to_owned(), out);
            return;
        }
        self.go(RescueState::Flattening);
        for (instrument, held) in targets {
            self.close(&instrument, held, now, out);
        }
    }

    /// Signed quantity to close, in whole lots that the venue takes; `None` when there is none.
    fn held(&self, instrument: &Instrument, round: &Round) -> Option<Qty> {
        if instrument.kind() != InstrumentKind::Spot {
            let qty = *round.positions.get(&instrument.id)?;
            return (!qty.is_zero()).then_some(qty);
        }
        let base = instrument.symbol.base;
        // Two pairs share one balance: the first sells it.
        let first = self
            .instruments
            .iter()
            .find(|other| other.kind() == InstrumentKind::Spot && other.symbol.base == base)?;
        let kept = *self.floors.get(&base)?;
        let surplus = round.totals.get(&base)?.checked_sub(kept)?;
        let qty = instrument
            .grid
            .qty_floor(surplus)?
            .floor_to(instrument.lot)?;
        (first.id == instrument.id && qty >= instrument.qty_min && qty.0 > 0).then_some(qty)
    }

    fn close(
        &mut self,
        instrument: &Instrument,
        held: Qty,
        now: MonoNanos,
        out: &mut Vec<RescueOutput>,
    ) {
        let id = instrument.id;
        if self.orders.contains_key(&id) {
            return;
        }
        let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
        let qty = Qty(held.0.saturating_abs()).min(instrument.qty_max);
        if self.dry_run {
            let text = format!(
                "would {} {} {}",
                side,
                instrument.grid.qty_text(qty),
                instrument.symbol
            );
            self.say(text, out);
            return;
        }
        let quote = self.quotes.get(&id).copied();
        let Some((bid, ask, _)) = quote.filter(|(_, _, at)| now.since(*at) <= QUOTE_AGE_MAX) else {
            out.push(RescueOutput::Quote(id));
            return;
        };
        self.quotes.remove(&id);
        let limit_price = protected(side, bid, ask, self.protection, instrument.tick);
        let value = limit_price.0 > 0
            && instrument
                .grid
                .notional_money(limit_price.times(qty))
                .is_some_and(|value| value.0 >= instrument.notional_min);
        if instrument.kind() == InstrumentKind::Spot && !value {
            // Dust: the venue would refuse it.
            self.say(format!("{} is too small to sell", instrument.symbol), out);
            return;
        }
        self.orders_sent += 1;
        let set = SetId(SETS_FIRST.saturating_add(self.orders_sent));
        let client_order_id = self.ids.id(set, u8::MAX, 0);
        let sent = Sent {
            id: client_order_id,
            sent_at: now,
            spot: instrument.kind() == InstrumentKind::Spot,
            ask_at: None,
            not_found: 0,
        };
        self.orders.insert(id, sent);
        self.acted();
        self.say(
            format!(
                "{side} {} {} at {} or better",
                instrument.grid.qty_text(qty),
                instrument.symbol,
                instrument.grid.price_text(limit_price)
            ),
            out,
        );
        out.push(RescueOutput::Place(Ticket {
            client_order_id,
            approval: ApprovalSeq(self.orders_sent),
            strategy: StrategyId(0),
            instrument: id,
            side,
            qty,
            limit_price,
            time_in_force: TimeInForce::ImmediateOrCancel,
            reduce_only: true,
            post_only: false,
            purpose: Purpose::Unwind,
        }));
    }
}

/// Which answer of a round.
const fn part(query: AccountQuery) -> Option<usize> {
    match query {
        AccountQuery::OpenOrders => Some(0),
        AccountQuery::Positions => Some(1),
        AccountQuery::Balances => Some(2),
        AccountQuery::Trades { .. } | AccountQuery::History { .. } => None,
    }
}
