//! What a watchdog does at one venue when the engine is gone: cancel everything, then reduce every position to flat. Pure.
//!
//! It trusts nothing but the venue's own answers: a round of open orders, positions and balances that was asked for after its
//! last action. While an order of ours is out, nothing else is sent in that instrument. A derivative is closed reduce-only; of a
//! spot account only what is above the baseline is sold, and what is missing is not bought back. It never adds risk, so it
//! asks no gate; and it stops in the moment in which the engine beats again.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::exchanges::gateway::{AccountEvent, AccountQuery};
use crate::market::{Instrument, InstrumentId, InstrumentKind};
use crate::trade::id::UNWIND_SET_FIRST;
use crate::trade::{
    ApprovalSeq, ClientOrderId, OrderIdSource, OrderReport, Purpose, ReportKind, SetId, StrategyId,
    Ticket, TimeInForce,
};
use crate::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side};

/// A round without all answers is asked for again after this.
const ROUND_WAIT: Nanos = Nanos::from_secs(5);
/// Pause between two rounds while something is to be done.
const ROUND_PAUSE: Nanos = Nanos::from_millis(500);
/// Pause between two rounds while nothing is.
const WATCH_PAUSE: Nanos = Nanos::from_secs(30);
/// An order without an end after this is left to the next round: immediate orders do not rest.
const ORDER_WAIT: Nanos = Nanos::from_secs(5);
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
    /// The last whole round; gone once something was done.
    answered: Option<Round>,
    next_round_at: MonoNanos,
    orders: BTreeMap<InstrumentId, (ClientOrderId, MonoNanos)>,
    quotes: BTreeMap<InstrumentId, (Price, Price, MonoNanos)>,
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
            answered: None,
            next_round_at: MonoNanos(0),
            orders: BTreeMap::new(),
            quotes: BTreeMap::new(),
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
        let asking = &mut self.asking;
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
                let part = match query {
                    AccountQuery::OpenOrders => 0,
                    AccountQuery::Positions => 1,
                    AccountQuery::Balances => 2,
                    AccountQuery::Trades { .. } | AccountQuery::History { .. } => return,
                };
                if let Some(done) = asking.done.get_mut(part) {
                    *done = true;
                }
                if asking.done == [true; 3] && asking.asked_at.is_some() {
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
        let over = match report.kind {
            ReportKind::Rejected { .. } | ReportKind::Done { .. } | ReportKind::Unknown => true,
            ReportKind::Written
            | ReportKind::Acked { .. }
            | ReportKind::Filled { .. }
            | ReportKind::Open { .. }
            | ReportKind::NotFound
            | ReportKind::CancelRejected => false,
        };
        let ours = self
            .orders
            .get(&report.instrument)
            .is_some_and(|(id, _)| Some(*id) == report.client_order_id);
        if over && ours {
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

    /// Time passes. `gone`: the engine does not beat. `baseline`: what of a spot account is not the engine's.
    pub fn on_timer(
        &mut self,
        gone: bool,
        baseline: Option<&BTreeMap<Asset, Decimal>>,
        now: MonoNanos,
        out: &mut Vec<RescueOutput>,
    ) {
        if !gone {
            if self.state != RescueState::Watching {
                self.go(RescueState::Watching);
                self.say("the engine beats again: standing back".to_owned(), out);
                self.acted();
            }
        } else if self.state == RescueState::Watching {
            self.go(RescueState::Cancelling);
            self.acted();
            self.cancel_all(out);
        }
        self.orders
            .retain(|_, (_, sent_at)| now.since(*sent_at) < ORDER_WAIT);
        if gone {
            self.act(baseline, now, out);
        }
        self.ask(gone, now, out);
    }

    fn ask(&mut self, gone: bool, now: MonoNanos, out: &mut Vec<RescueOutput>) {
        let waiting = self
            .asking
            .asked_at
            .is_some_and(|asked_at| now.since(asked_at) < ROUND_WAIT);
        if waiting || now < self.next_round_at || !self.orders.is_empty() {
            return;
        }
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
    fn act(
        &mut self,
        baseline: Option<&BTreeMap<Asset, Decimal>>,
        now: MonoNanos,
        out: &mut Vec<RescueOutput>,
    ) {
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
        let targets: Vec<(Instrument, Qty)> = self
            .instruments
            .iter()
            .filter_map(|instrument| {
                let held = self.held(instrument, &round, baseline)?;
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
    fn held(
        &self,
        instrument: &Instrument,
        round: &Round,
        baseline: Option<&BTreeMap<Asset, Decimal>>,
    ) -> Option<Qty> {
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
        let kept = baseline?.get(&base).copied().unwrap_or_default();
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
        self.orders.insert(id, (client_order_id, now));
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

/// The worst price that is still taken, on the tick towards the better side.
fn protected(side: Side, bid: Price, ask: Price, protection: Ppm, tick: Price) -> Price {
    let tick = tick.0.max(1);
    let through = |price: i64| {
        i64::try_from((i128::from(price) * i128::from(protection.0)).div_euclid(1_000_000))
            .unwrap_or(0)
    };
    match side {
        // Ceil and floor: never worse than the protection.
        Side::Sell => {
            let worst = bid.0.saturating_sub(through(bid.0));
            Price(worst.saturating_add(tick - 1).div_euclid(tick) * tick)
        }
        Side::Buy => {
            let worst = ask.0.saturating_add(through(ask.0));
            Price(worst.div_euclid(tick) * tick)
        }
    }
}
