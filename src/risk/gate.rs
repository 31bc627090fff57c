//! The gate: may this order be sent? Pure checks in a fixed order, against the risk seat's last picture and the gate's
//! own holds. Does not know why a strategy wants it, nor how it is sent.
//!
//! A set passes only if every leg passes in sequence, each seeing the holds of the legs before it. Holds are taken at
//! approval, counted at once, and forgotten when the risk seat's picture contains them ([`RiskView::as_of`]). On the first
//! refusal the holds of the whole set are taken back. Nothing allocates after construction.

use std::sync::Arc;

use crate::capacity::OPEN_ORDERS_MAX;
use crate::market::{Books, Catalogue, InstrumentId, Trust};
use crate::trade::{ApprovalSeq, Intent, Leg, Purpose, SetId, StrategyId, TimeInForce};
use crate::units::{Asset, MonoNanos, Price, Qty, Side};

use super::{Approved, ApprovedSet, KillLevel, Limits, Refusal, RiskView, SetVerdict, Verdict};

mod exposure;
mod flow;
mod holds;
mod look;
mod price;
mod rates;
mod size;
mod state;
mod structure;
pub(super) mod terms;

pub(super) use size::check_reduce_only;

use exposure::Exposure;
use holds::{Hold, Holds};
use look::Look;
use rates::Rates;
use terms::{Caps, Terms};

/// What the gate has decided since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateCounters {
    /// Orders approved (and not taken back by a later leg of the same set).
    pub approved: u64,
    /// Sets and repairs refused.
    pub refused: u64,
    /// Views ignored because they were older than the one known.
    pub views_ignored: u64,
}

#[derive(Debug, Clone, Copy)]
struct ViewHead {
    version: u64,
    as_of: ApprovalSeq,
    issued_at: MonoNanos,
    portfolio_level: KillLevel,
    complete: bool,
}

/// Checks orders before they leave the process. One owner: the signal seat.
#[derive(Debug)]
pub struct Gate {
    terms: Vec<Terms>,
    caps: Caps,
    exposure: Exposure,
    holds: Holds,
    rates: Rates,
    view: Option<ViewHead>,
    levels: Vec<KillLevel>,
    strategy_levels: Vec<KillLevel>,
    last_seq: u64,
    counters: GateCounters,
}

/// What an order is for: a repair is judged with two differences, see [`Gate::check_repair`].
#[derive(Debug, Clone, Copy)]
struct Order<'a> {
    strategy: StrategyId,
    leg: &'a Leg,
    set: Option<SetId>,
    leg_index: u8,
    tick_received_at: MonoNanos,
}

impl Gate {
    /// A gate that refuses every increasing order until the first [`RiskView`] arrives.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the shared values are the seat's to give; only converted copies stay"
    )]
    pub fn new(limits: Arc<Limits>, catalogue: Arc<Catalogue>, reporting: Asset) -> Self {
        let (terms, caps, symbol_count, asset_count) =
            terms::convert(&limits, &catalogue, reporting);
        let venue_count = catalogue.venue_names().len();
        Self {
            exposure: Exposure::new(terms.len(), symbol_count, venue_count, asset_count),
            holds: Holds::new(),
            rates: Rates::new(
                (symbol_count, limits.submit_rate_max_symbol),
                (venue_count, limits.submit_rate_max_venue),
                limits.submit_rate_max_global,
            ),
            view: None,
            levels: vec![KillLevel::Armed; terms.len()],
            strategy_levels: vec![KillLevel::Armed; usize::from(u8::MAX) + 1],
            last_seq: 0,
            counters: GateCounters::default(),
            terms,
            caps,
        }
    }

    /// Takes the risk seat's newest picture and forgets the holds it contains. An older one is ignored.
    pub fn on_view(&mut self, view: &RiskView) {
        if self
            .view
            .is_some_and(|known| view.version <= known.version || view.as_of < known.as_of)
        {
            self.counters.views_ignored += 1;
            return;
        }
        let strategies = view.strategies.len();
        for (index, level) in self.strategy_levels.iter_mut().enumerate() {
            // A strategy that the risk seat does not know gets no order through.
            *level = view
                .strategies
                .get(index)
                .map_or(KillLevel::Halt, |strategy| strategy.level);
        }
        self.view = Some(ViewHead {
            version: view.version,
            as_of: view.as_of,
            issued_at: view.issued_at,
            portfolio_level: view.portfolio.level,
            complete: view.instruments.len() >= self.terms.len() && strategies > 0,
        });
        while let Some(hold) = self.holds.pop_settled(view.as_of.0) {
            self.unhold(&hold);
        }
        for (terms, (own, level)) in self
            .terms
            .iter()
            .zip(view.instruments.iter().zip(&mut self.levels))
        {
            *level = own.level;
            let position = i128::from(own.position_qty.0);
            self.exposure
                .change(terms.id.index(), terms, |cell| cell.position = position);
        }
        self.exposure.relist();
    }

    /// Checks a new set. Approval takes the holds at once; refusal leaves none.
    pub fn check_set(&mut self, intent: &Intent, books: &Books, now: MonoNanos) -> SetVerdict {
        self.reprice(books);
        let mut set = ApprovedSet::empty(intent);
        for (leg_index, (leg, slot)) in (0_u8..).zip(intent.legs().zip(&mut set.legs)) {
            let order = Order {
                strategy: intent.strategy,
                leg,
                set: None,
                leg_index,
                tick_received_at: intent.tick_received_at,
            };
            match self.check(&order, books, now) {
                Ok(approved) => *slot = Some(approved),
                Err(refusal) => {
                    for _ in 0..leg_index {
                        self.take_back();
                    }
                    self.counters.refused += 1;
                    return SetVerdict::Refused { leg_index, refusal };
                }
            }
        }
        SetVerdict::Approved(set)
    }

    /// Checks one order that completes or reverses a broken set.
    ///
    /// All checks apply, with two differences. Submit rates (PT-33) have a reserve, so that a flood of new sets cannot
    /// starve the way out. And the exposure checks (PT-20, PT-21) treat the order as reducing when it is *offsetting*: when
    /// its quantity does not exceed what the base asset is net on the other side, or what is held on the other side by
    /// orders in flight (a leg that just filled is still a hold here), less the repairs already held. The dead leg that it
    /// replaces is still held, so the worst case would otherwise count both. At K1 a repair must strictly reduce (PT-27)
    /// like any other order; at K2 and above the forced close alone acts.
    pub fn check_repair(
        &mut self,
        set: SetId,
        leg_index: u8,
        strategy: StrategyId,
        leg: &Leg,
        books: &Books,
        now: MonoNanos,
    ) -> Verdict {
        self.reprice(books);
        let order = Order {
            strategy,
            leg,
            set: Some(set),
            leg_index,
            tick_received_at: now,
        };
        match self.check(&order, books, now) {
            Ok(approved) => Verdict::Approved(approved),
            Err(refusal) => {
                self.counters.refused += 1;
                Verdict::Refused(refusal)
            }
        }
    }

    /// Gives the hold of an approval back that never left the process (a full ring). Unknown numbers change nothing.
    pub fn release(&mut self, seq: ApprovalSeq) {
        if let Some(hold) = self.holds.release(seq.0) {
            self.unhold(&hold);
        }
    }

    /// What it has decided.
    #[must_use]
    pub const fn counters(&self) -> GateCounters {
        self.counters
    }
    /// Number of the last approval; zero before the first.
    #[must_use]
    pub const fn last_seq(&self) -> ApprovalSeq {
        ApprovalSeq(self.last_seq)
    }
    /// Approvals whose hold is still counted.
    #[must_use]
    pub fn hold_count(&self) -> usize {
        self.holds.len()
    }
    /// Pending buys and sells of one instrument.
    #[must_use]
    pub fn held(&self, instrument: InstrumentId) -> (Qty, Qty) {
        let cell = self.exposure.cell(instrument.index());
        let narrow = |qty: i128| Qty(i64::try_from(qty).unwrap_or(i64::MAX));
        (narrow(cell.buys), narrow(cell.sells))
    }

    fn check(
        &mut self,
        order: &Order<'_>,
        books: &Books,
        now: MonoNanos,
    ) -> Result<Approved, Refusal> {
        let (leg, repair) = (order.leg, order.set.is_some());
        let index = leg.instrument.index();
        let Some(&terms) = self.terms.get(index) else {
            return Err(Refusal::InstrumentUnknown {
                instrument: leg.instrument.0,
            });
        };
        self.reprice_one(index, books);
        let cell = self.exposure.cell(index);
        let book = books.get(leg.instrument);
        let view = self.view.filter(|view| view.complete);
        let level =
            |levels: &[KillLevel], index: usize| levels.get(index).copied().unwrap_or_default();
        let look = Look {
            leg,
            terms: &terms,
            caps: &self.caps,
            cell,
            exposure: &self.exposure,
            rates: &self.rates,
            book,
            top: book.and_then(crate::market::Book::top),
            level: level(&self.levels, index)
                .max(if self.view.is_some() {
                    level(&self.strategy_levels, usize::from(order.strategy.0))
                } else {
                    KillLevel::Armed
                })
                .max(
                    self.view
                        .map_or(KillLevel::Armed, |view| view.portfolio_level),
                ),
            view_age: view.map(|view| now.since(view.issued_at)),
            now,
            open_count: self.holds.len(),
            open_max: OPEN_ORDERS_MAX,
            reducing: leg.qty.0 > 0 && i128::from(leg.qty.0) <= cell.reducible(leg.side),
            offsetting: repair && self.is_offsetting(&terms, leg),
            repair,
        };
        look.judge()?;
        let reduce_only = repair && look.reducing && terms.has_reduce_only;
        self.last_seq += 1;
        self.holds.push(Hold {
            seq: self.last_seq,
            instrument: index,
            side: leg.side,
            qty: leg.qty,
            repair,
        });
        self.exposure
            .change(index, &terms, |cell| *cell = cell.with(leg.side, leg.qty));
        self.rates.push(terms.symbol, terms.venue, now);
        self.counters.approved += 1;
        Ok(Approved {
            seq: ApprovalSeq(self.last_seq),
            set: order.set,
            leg_index: order.leg_index,
            strategy: order.strategy,
            leg: *leg,
            time_in_force: TimeInForce::ImmediateOrCancel,
            reduce_only,
            purpose: if repair {
                Purpose::Repair
            } else {
                Purpose::Leg
            },
            approved_at: now,
            tick_received_at: order.tick_received_at,
        })
    }

    /// See [`Gate::check_repair`].
    fn is_offsetting(&self, terms: &Terms, leg: &Leg) -> bool {
        let same_asset = |index: usize| {
            self.terms
                .get(index)
                .filter(|other| other.asset == terms.asset)
        };
        let net: i128 = self
            .exposure
            .iter_active()
            .filter_map(|(index, cell)| Some(cell.position * same_asset(index)?.base_factor))
            .sum();
        let held = |side: Side, repair: bool| -> i128 {
            self.holds
                .iter()
                .filter(|hold| hold.side == side && hold.repair == repair)
                .filter_map(|hold| {
                    Some(i128::from(hold.qty.0) * same_asset(hold.instrument)?.base_factor)
                })
                .sum()
        };
        let against = (-net * i128::from(leg.side.sign())).max(0);
        let room = against.max(held(leg.side.opposite(), false)) - held(leg.side, true);
        i128::from(leg.qty.0) * terms.base_factor <= room
    }

    fn take_back(&mut self) {
        let Some(hold) = self.holds.pop_newest() else {
            return;
        };
        self.unhold(&hold);
        if let Some(terms) = self.terms.get(hold.instrument) {
            self.rates.pop(terms.symbol, terms.venue);
        }
        self.last_seq -= 1;
        self.counters.approved -= 1;
    }

    fn unhold(&mut self, hold: &Hold) {
        let Some(terms) = self.terms.get(hold.instrument) else {
            return;
        };
        let qty = i128::from(hold.qty.0);
        self.exposure
            .change(hold.instrument, terms, |cell| match hold.side {
                Side::Buy => cell.buys -= qty,
                Side::Sell => cell.sells -= qty,
            });
    }

    /// Values every position and hold at its book's present mid.
    fn reprice(&mut self, books: &Books) {
        for place in 0..self.exposure.active_count() {
            if let Some(index) = self.exposure.active(place) {
                self.reprice_one(index, books);
            }
        }
    }

    /// The mid, rounded up: exposure is never understated. A book that is being rebuilt keeps its last price.
    fn reprice_one(&mut self, index: usize, books: &Books) {
        let Some(terms) = self.terms.get(index) else {
            return;
        };
        let Some(book) = books.get(terms.id) else {
            return;
        };
        let usable = match book.trust() {
            Trust::Trusted | Trust::Suspect => true,
            Trust::Building | Trust::Bad => self.exposure.price(index).is_none(),
        };
        if let (true, Some(top)) = (usable, book.top()) {
            let twice = i128::from(top.bid.price.0) + i128::from(top.ask.price.0);
            if let Ok(mid) = i64::try_from((twice + 1).div_euclid(2)) {
                self.exposure.reprice(index, terms, Price(mid));
            }
        }
    }
}
