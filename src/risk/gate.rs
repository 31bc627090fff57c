//! The gate: may this order be sent? Pure checks in a fixed order, against the risk seat's last picture and the gate's
//! own holds. Does not know why a strategy wants it, nor how it is sent.
//!
//! A set passes only if every leg passes in sequence, each seeing the holds of the legs before it. Holds are taken at
//! approval, counted at once, and forgotten when the risk seat's picture contains them ([`RiskView::as_of`]). On the first
//! refusal the holds of the whole set are taken back. Nothing allocates after construction.

use std::sync::Arc;

use crate::capacity::STRATEGIES_MAX;
use crate::market::{Book, Books, Catalogue, InstrumentId, Trust};
use crate::trade::{ApprovalSeq, Intent, TimeInForce};
use crate::units::{Asset, MonoNanos, Qty};

use super::{
    ApprovedSet, InstrumentRisk, KillLevel, Limits, Permits, PreTradeLimits, Refusal, RiskView,
    SetVerdict, StrategyRisk, Verdict,
};

mod account;
mod capital;
mod exposure;
mod flow;
mod form;
mod funds;
mod holds;
mod judge;
mod limits;
mod look;
mod market;
mod modify;
mod open;
mod permit;
mod plan;
mod price;
mod rates;
mod references;
mod repeats;
mod scope;
mod size;
mod state;
mod structure;
mod tail;
pub(super) mod terms;
mod venue;
mod what_if;

pub use form::{ORDER_ID_BYTES_MAX, check_expiry, check_order_id};
pub use plan::{Parent, Repair};
pub(super) use size::check_reduce_only;

use exposure::Exposure;
use funds::Funds;
use holds::Holds;
use look::{Plan, Portfolio};
use modify::ModifyRate;
use open::Open;
use rates::Rates;
use references::References;
use repeats::Repeats;
use scope::Scope;
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
#[derive(Debug, Clone)]
pub struct Gate {
    terms: Vec<Terms>,
    caps: Caps,
    limits: PreTradeLimits,
    exposure: Exposure,
    holds: Holds,
    open: Open,
    funds: Funds,
    rates: Rates,
    modifies: ModifyRate,
    repeats: Repeats,
    references: References,
    /// By strategy id; `None` for one that may trade nothing.
    scopes: Vec<Option<Scope>>,
    view: Option<ViewHead>,
    portfolio: Portfolio,
    risks: Vec<InstrumentRisk>,
    strategies: Vec<StrategyRisk>,
    /// Base assets of the exposure, by its index.
    assets: Vec<Asset>,
    last_seq: u64,
    counters: GateCounters,
}

impl Gate {
    /// A gate that refuses every increasing order until the first [`RiskView`] arrives.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the shared values are the seat's to give; only converted copies stay"
    )]
    pub fn new(
        limits: Arc<Limits>,
        catalogue: Arc<Catalogue>,
        reporting: Asset,
        permits: &Permits,
    ) -> Self {
        let (terms, caps, symbol_count, asset_count) =
            terms::convert(&limits, &catalogue, reporting, permits);
        let (count, venue_count) = (terms.len(), catalogue.venue_names().len());
        let own = &limits.pre_trade;
        let mut scopes = vec![None; STRATEGIES_MAX];
        for permit in &permits.strategies {
            if let Some(slot) = scopes.get_mut(usize::from(permit.strategy.0)) {
                *slot = Some(Scope::new(permit, &catalogue));
            }
        }
        let mut assets = Vec::new();
        for instrument in catalogue.all() {
            terms::dense(&mut assets, instrument.symbol.base);
        }
        let portfolio = Portfolio {
            factors: vec![None; asset_count],
            ..Portfolio::default()
        };
        Self {
            exposure: Exposure::new(count, symbol_count, venue_count, asset_count),
            holds: Holds::new(),
            open: Open::new(count, venue_count),
            funds: Funds::new(&catalogue),
            rates: Rates::new(
                (symbol_count, limits.submit_rate_max_symbol),
                (venue_count, limits.submit_rate_max_venue),
                limits.submit_rate_max_global,
            ),
            modifies: ModifyRate::new(count, own.modify_rate_max),
            repeats: Repeats::new(count, permits, own),
            references: References::new(&terms, &catalogue, own),
            scopes,
            view: None,
            portfolio,
            risks: vec![InstrumentRisk::default(); count],
            strategies: vec![StrategyRisk::default(); STRATEGIES_MAX],
            assets,
            last_seq: 0,
            counters: GateCounters::default(),
            terms,
            caps,
            limits: limits.pre_trade.clone(),
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
        // A strategy that the risk seat does not know gets no order through.
        let unknown = StrategyRisk {
            level: KillLevel::Halt,
            ..StrategyRisk::default()
        };
        for (index, strategy) in self.strategies.iter_mut().enumerate() {
            *strategy = view.strategies.get(index).copied().unwrap_or(unknown);
        }
        self.view = Some(ViewHead {
            version: view.version,
            as_of: view.as_of,
            issued_at: view.issued_at,
            portfolio_level: view.portfolio.level,
            complete: view.instruments.len() >= self.terms.len() && !view.strategies.is_empty(),
        });
        for venue in 0..self.open.venue_count() {
            let facts = view.venues.get(venue).and_then(Option::as_ref);
            self.funds.on_facts(venue, facts, &self.caps);
        }
        self.portfolio
            .on_view(&view.portfolio, &self.assets, &self.caps);
        while let Some(hold) = self.holds.pop_settled(view.as_of.0) {
            self.unhold(&hold, true);
        }
        for (terms, (news, own)) in self
            .terms
            .iter()
            .zip(view.instruments.iter().zip(&mut self.risks))
        {
            *own = *news;
            let position = i128::from(own.position_qty.0);
            self.exposure.change(terms.id.index(), terms, |cell| {
                cell.position = position;
                cell.adopt(own.adopted_buy_qty, own.adopted_sell_qty);
            });
            self.open
                .adopt(terms.id.index(), terms.venue, own.adopted_orders);
        }
        self.exposure.relist();
    }

    /// A book changed its best prices: remembers the reference for PT-15. Call at the end of each such batch.
    #[inline]
    pub fn on_book(&mut self, instrument: InstrumentId, book: &Book) {
        if book.trust() == Trust::Trusted
            && let Some(top) = book.top()
        {
            let twice = i128::from(top.bid.price.0) + i128::from(top.ask.price.0);
            self.references
                .observe(instrument.index(), twice, book.received_at());
        }
    }

    /// Checks a new set. Approval takes the holds at once; refusal leaves none.
    pub fn check_set(&mut self, intent: &Intent, books: &Books, now: MonoNanos) -> SetVerdict {
        self.reprice(books);
        let unknown_orders = intent
            .legs()
            .filter_map(|leg| self.risks.get(leg.instrument.index()))
            .map(|risk| risk.unknown_orders)
            .fold(0, u32::saturating_add);
        let mut plan = Plan {
            strategy: intent.strategy,
            time_in_force: intent.time_in_force,
            funded: false,
            edge: Some(intent.net_edge),
            decided_at: Some(intent.decided_at),
            unknown_orders,
            parent: None,
        };
        let mut set = ApprovedSet::empty(intent);
        for (leg_index, (leg, slot)) in (0_u8..).zip(intent.legs().zip(&mut set.legs)) {
            plan.funded = intent.is_funded(usize::from(leg_index));
            let order = judge::Order {
                plan: &plan,
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
                    let refusal = self.name_plan(refusal, &order, books, now);
                    return SetVerdict::Refused { leg_index, refusal };
                }
            }
        }
        SetVerdict::Approved(set)
    }

    /// Checks one order that completes or reverses a broken set.
    ///
    /// All checks apply, with these differences. It has a parent (PT-32) instead of an edge (PT-17), an age (PT-31) and a
    /// largest size (PT-49). Submit rates (PT-33) have a reserve, so that a flood of new sets cannot starve the way out, and
    /// it may be sent again as it was (PT-37, PT-38). And it is *offsetting* when its quantity does not exceed what the base
    /// asset is net on the other side, or what is held on the other side by orders in flight (a leg that just filled is
    /// still a hold here), less the repairs already held: then PT-20 to 22, 24 to 26, 29, 30, 41, 50 and 51 treat it as
    /// reducing. The dead leg that it replaces is still held, so the worst case would otherwise count both. At K1 a repair
    /// must strictly reduce (PT-27) like any other order; at K2 and above the forced close alone acts.
    pub fn check_repair(&mut self, repair: &Repair<'_>, books: &Books, now: MonoNanos) -> Verdict {
        self.reprice(books);
        let own = self.risks.get(repair.leg.instrument.index());
        let plan = Plan {
            strategy: repair.strategy,
            time_in_force: TimeInForce::ImmediateOrCancel,
            funded: false,
            edge: None,
            decided_at: None,
            unknown_orders: own.map_or(0, |risk| risk.unknown_orders),
            parent: Some(repair.parent),
        };
        let order = judge::Order {
            plan: &plan,
            leg: repair.leg,
            set: Some(repair.set),
            leg_index: repair.leg_index,
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

    /// PT-34: may one more modification be sent in this instrument? Counts it when it may. No modification is sent today;
    /// cancels need no leave.
    ///
    /// # Errors
    /// [`Refusal::RateModify`] with the count and the limit.
    pub fn check_modify(
        &mut self,
        instrument: InstrumentId,
        now: MonoNanos,
    ) -> Result<(), Refusal> {
        self.modifies.check(instrument.index(), now)
    }

    /// Gives the hold of an approval back that never left the process (a full ring). Unknown numbers change nothing.
    pub fn release(&mut self, seq: ApprovalSeq) {
        if let Some(hold) = self.holds.release(seq.0) {
            self.unhold(&hold, false);
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
}
