//! Everything a check may look at, and the ordered list of checks.

use crate::market::{Book, Books, Top};
use crate::risk::{
    InstrumentRisk, KillLevel, PortfolioRisk, PreTradeLimits, Refusal, StrategyRisk, VarModel,
};
use crate::trade::{JournalFacts, Leg, StrategyId, TimeInForce, VenueFacts};
use crate::units::{Asset, MonoNanos, Nanos, Ppm};

use super::exposure::{Cell, Exposure};
use super::funds::{Funds, Margin};
use super::holds::Holds;
use super::open::Open;
use super::plan::Parent;
use super::rates::Rates;
use super::references::References;
use super::repeats::Repeats;
use super::scope::Scope;
use super::terms::{Caps, Terms, floor};
use super::{
    account, capital, flow, form, market, permit, plan, price, size, state, structure, tail, venue,
};

/// What one order is part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) strategy: StrategyId,
    pub(super) time_in_force: TimeInForce,
    /// Of a new set; a repair has none.
    pub(super) edge: Option<Ppm>,
    /// Of a new set; a repair is decided now.
    pub(super) decided_at: Option<MonoNanos>,
    /// Orders with an unknown outcome in the instruments of all its legs.
    pub(super) unknown_orders: u32,
    /// The leg before it brings what it spends: nothing of the account is needed (PT-23).
    pub(super) funded: bool,
    /// What a repair belongs to.
    pub(super) parent: Option<Parent>,
}

/// The portfolio as the last view told it.
#[derive(Debug, Clone, Default)]
pub(super) struct Portfolio {
    /// In worth.
    pub(super) equity: Option<i128>,
    pub(super) journal: Option<JournalFacts>,
    pub(super) var_model: Option<std::sync::Arc<VarModel>>,
    /// Position of each base asset of the gate among the model's factors.
    pub(super) factors: Vec<Option<usize>>,
}

impl Portfolio {
    /// Takes the last view's. `assets` are the gate's base assets; nothing allocates beyond their number.
    pub(super) fn on_view(&mut self, news: &PortfolioRisk, assets: &[Asset], caps: &Caps) {
        self.journal = news.journal;
        self.equity = news
            .equity
            .map(|equity| floor(equity, u32::from(caps.decimals)));
        let same = match (self.var_model.as_ref(), news.var_model.as_ref()) {
            (Some(known), Some(news)) => std::sync::Arc::ptr_eq(known, news),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return;
        }
        self.var_model.clone_from(&news.var_model);
        let model = news.var_model.as_deref();
        for (asset, slot) in assets.iter().zip(&mut self.factors) {
            *slot = model.and_then(|model| model.factor(*asset));
        }
    }
    /// The gate's base asset of one factor.
    pub(super) fn asset_of(&self, factor: usize) -> Option<usize> {
        self.factors.iter().position(|known| *known == Some(factor))
    }
}

/// One order under examination. Checks are pure functions of this.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) plan: &'a Plan,
    pub(super) leg: &'a Leg,
    pub(super) terms: &'a Terms,
    pub(super) caps: &'a Caps,
    pub(super) limits: &'a PreTradeLimits,
    pub(super) cell: Cell,
    pub(super) exposure: &'a Exposure,
    pub(super) holds: &'a Holds,
    pub(super) open: &'a Open,
    pub(super) funds: &'a Funds,
    pub(super) rates: &'a Rates,
    pub(super) repeats: &'a Repeats,
    pub(super) references: &'a References,
    pub(super) scope: Option<&'a Scope>,
    pub(super) portfolio: &'a Portfolio,
    pub(super) books: &'a Books,
    pub(super) book: Option<&'a Book>,
    pub(super) top: Option<Top>,
    /// The instrument and the strategy as the last view told them; defaults without one.
    pub(super) risk: InstrumentRisk,
    pub(super) strategy: StrategyRisk,
    pub(super) facts: Option<&'a VenueFacts>,
    pub(super) margin: Option<Margin>,
    /// Highest level over the order's scopes.
    pub(super) level: KillLevel,
    /// `None` when there is no view, or it lacks this instrument or strategy.
    pub(super) view_age: Option<Nanos>,
    pub(super) view_issued_at: MonoNanos,
    pub(super) now: MonoNanos,
    /// Pool that pays for the order and how much it needs; `None` when that does not fit a number.
    pub(super) need: Option<(usize, i128)>,
    /// PT-27 holds: on the reducing side and not larger than what is left to reduce.
    pub(super) reducing: bool,
    /// A repair that brings back what its set has opened (see `Gate::check_repair`).
    pub(super) offsetting: bool,
    pub(super) repair: bool,
}

/// A check: the reason to refuse, or none.
type Check = fn(&Look<'_>) -> Result<(), Refusal>;

/// In the order of evaluation: state (E), structure (A), price (B), size (C), flow (D).
pub(super) const CHECKS: &[Check] = &[
    state::check_level,
    state::check_view,
    permit::check_permission,
    state::check_loss,
    state::check_journal,
    venue::check_ready,
    venue::check_clock,
    venue::check_dead_man,
    venue::check_reconciled,
    venue::check_calendar,
    structure::check_status,
    structure::check_rules_age,
    structure::check_fields,
    structure::check_price_grid,
    structure::check_lot,
    structure::check_venue_qty,
    structure::check_venue_notional,
    form::check_venue_band,
    form::check_form,
    price::check_reference,
    price::check_book,
    price::check_collar,
    market::check_jump,
    market::check_consensus,
    price::check_edge,
    size::check_order_qty,
    size::check_order_notional,
    size::check_position,
    size::check_scopes,
    account::check_open_orders,
    account::check_open_notional,
    capital::check_balance,
    capital::check_margin,
    capital::check_leverage,
    market::check_depth,
    account::check_self_trade,
    tail::check_tail,
    permit::check_scope,
    plan::check_age,
    plan::check_parent,
    flow::check_submit_rate,
    flow::check_venue_budget,
    flow::check_ban,
    flow::check_repeats,
    flow::check_duplicate,
    flow::check_unknown,
    flow::check_in_flight,
    flow::check_order_to_trade,
];

impl Look<'_> {
    /// Runs every check in order; the first refusal ends it.
    #[inline]
    pub(super) fn judge(&self) -> Result<(), Refusal> {
        CHECKS.iter().try_for_each(|check| check(self))
    }
    /// Sum of bid and ask: twice the reference price, so that no half step is lost.
    pub(super) fn reference_twice(&self) -> Option<i128> {
        self.top
            .map(|top| i128::from(top.bid.price.0) + i128::from(top.ask.price.0))
    }
    /// Reduces, or brings back what its set opened.
    pub(super) const fn eases(&self) -> bool {
        self.reducing || self.offsetting
    }
    /// The answer where a fact was never heard: increasing orders pass only when facts are not required.
    pub(super) const fn missing(&self, fact: &'static str) -> Result<(), Refusal> {
        if self.reducing || !self.limits.facts_required {
            Ok(())
        } else {
            Err(Refusal::FactMissing { fact })
        }
    }
    /// A limit times the smaller size factor (2.4, 2.5), rounded down. What brings risk back is not made smaller.
    pub(super) fn sized(&self, limit: i128) -> i128 {
        let factor = self.risk.size_factor.min(self.strategy.size_factor);
        if factor >= Ppm::ONE || self.eases() {
            return limit;
        }
        limit
            .checked_mul(i128::from(factor.0.max(0)))
            .map_or(limit, |product| product.div_euclid(1_000_000))
    }
}
