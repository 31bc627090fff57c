//! What the risk seat tells the gate (back edge 1): kill levels and positions as of an approval number.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::market::{Catalogue, VenueId};
use crate::trade::{ApprovalSeq, Balance, DeadMan, JournalFacts, MarginFacts, VenueFacts};
use crate::units::{MonoNanos, Nanos, Ppm, Qty};

use super::{Amount, OrderFlow, VarModel};

/// Kill levels of RISK.md 2.3, ordered: the effective level of an order is the highest over its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum KillLevel {
    /// K0: orders are checked and pass.
    #[default]
    Armed = 0,
    /// K1: only strictly reducing orders.
    ReduceOnly = 1,
    /// K2: all resting orders cancelled; only forced close or operator.
    CancelAll = 2,
    /// K3: positions are driven to flat by the forced close alone.
    Flatten = 3,
    /// K4: nothing; humans act.
    Halt = 4,
}

impl KillLevel {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::ReduceOnly => "reduce_only",
            Self::CancelAll => "cancel_all",
            Self::Flatten => "flatten",
            Self::Halt => "halt",
        }
    }
    /// The level of a word, as in [`KillLevel::label`].
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        [
            Self::Armed,
            Self::ReduceOnly,
            Self::CancelAll,
            Self::Flatten,
            Self::Halt,
        ]
        .into_iter()
        .find(|level| level.label() == label)
    }
}

/// A budget that is used up: what was measured and what was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Measured.
    pub value: Amount,
    /// Allowed.
    pub limit: Amount,
}

/// One instrument as the risk seat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentRisk {
    /// Signed position that contains every approval up to [`RiskView::as_of`].
    pub position_qty: Qty,
    /// Signed cost of it in the settlement asset ([`crate::market::Contract::value`] at its entries).
    pub position_cost: Decimal,
    /// Highest level over symbol-venue, symbol, asset, venue and portfolio scopes.
    pub level: KillLevel,
    /// Share of the order limits that is allowed now: [`Ppm::ONE`], less near a limit (2.4) and in probation (2.5).
    pub size_factor: Ppm,
    /// Our orders with an unknown outcome (PT-39).
    pub unknown_orders: u32,
    /// Our orders that the venue has not acknowledged (PT-40).
    pub inflight_orders: u32,
    /// Remaining quantity of our own buys that carry no approval of this session (adopted at start-up).
    pub adopted_buy_qty: Qty,
    /// The same of sells.
    pub adopted_sell_qty: Qty,
    /// The loss budget of one of its scopes is used up (PT-50).
    pub loss: Option<Spent>,
    /// The nearest funding, past or next (PT-51).
    pub next_event_at: Option<MonoNanos>,
    /// When trading in it stops: settlement, delisting (PT-51). Maintenance of the venue is in its [`VenueFacts`].
    pub halts_at: Option<MonoNanos>,
    /// Own orders that carry no approval of this session (PT-22); their quantities are above.
    pub adopted_orders: u32,
    /// What became of our orders over the last ten minutes (PT-41, see [`super::OrderWindow`]); `None` when not counted.
    pub order_flow: Option<OrderFlow>,
}

impl Default for InstrumentRisk {
    /// Flat, armed, full size, nothing pending.
    fn default() -> Self {
        Self {
            position_qty: Qty::ZERO,
            position_cost: Decimal::ZERO,
            level: KillLevel::Armed,
            size_factor: Ppm::ONE,
            unknown_orders: 0,
            inflight_orders: 0,
            adopted_buy_qty: Qty::ZERO,
            adopted_sell_qty: Qty::ZERO,
            loss: None,
            next_event_at: None,
            halts_at: None,
            adopted_orders: 0,
            order_flow: None,
        }
    }
}

/// One strategy as the risk seat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrategyRisk {
    /// Level of its scope.
    pub level: KillLevel,
    /// As [`InstrumentRisk::size_factor`].
    pub size_factor: Ppm,
    /// Its loss budget is used up (PT-50).
    pub loss: Option<Spent>,
}

impl Default for StrategyRisk {
    /// Armed, full size.
    fn default() -> Self {
        Self {
            level: KillLevel::Armed,
            size_factor: Ppm::ONE,
            loss: None,
        }
    }
}

/// The portfolio as the risk seat sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortfolioRisk {
    /// Level of the portfolio scope.
    pub level: KillLevel,
    /// Equity in the reporting currency; `None` when it cannot be told.
    pub equity: Option<Decimal>,
    /// State of the journal (PT-47); `None` when it was not heard.
    pub journal: Option<JournalFacts>,
    /// For incremental VaR and expected shortfall (PT-29); `None` until there is enough history and no limit is set.
    pub var_model: Option<Arc<VarModel>>,
}

/// A complete picture, replaced whole. The gate refuses increasing orders when it is missing or too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskView {
    /// Running number; never falls.
    pub version: u64,
    /// Every approval up to this one is terminal and in `position_qty`: its hold is forgotten.
    pub as_of: ApprovalSeq,
    /// When it was made.
    pub issued_at: MonoNanos,
    /// The whole.
    pub portfolio: PortfolioRisk,
    /// By instrument id.
    pub instruments: Vec<InstrumentRisk>,
    /// By strategy id.
    pub strategies: Vec<StrategyRisk>,
    /// By venue id: the last facts heard; `None` when a venue was never heard.
    pub venues: Vec<Option<Arc<VenueFacts>>>,
}

impl RiskView {
    /// Everything was heard and is good: flat, armed, rich, every venue ready. For tests and benches.
    #[must_use]
    pub fn calm(catalogue: &Catalogue, strategies: usize, now: MonoNanos) -> Self {
        let plenty = Decimal::from(1_000_000_000_000_u64);
        let venue = |venue: VenueId| {
            let mut balances: Vec<_> = catalogue
                .at_venue(venue)
                .flat_map(|instrument| [instrument.symbol.base, instrument.symbol.quote])
                .map(|asset| {
                    let locked = Decimal::ZERO;
                    (
                        asset,
                        Balance {
                            free: plenty,
                            locked,
                        },
                    )
                })
                .collect();
            balances.sort_by_key(|(asset, _)| *asset);
            balances.dedup_by_key(|(asset, _)| *asset);
            let derivatives = catalogue
                .at_venue(venue)
                .any(|instrument| instrument.symbol.settle.is_some());
            VenueFacts {
                ready: true,
                session_started_at: Some(now),
                reconciled_at: Some(now),
                clock_offset_ns: Some(0),
                dead_man: DeadMan::Armed {
                    refreshed_at: now,
                    window: Nanos::from_secs(60),
                },
                rules_loaded_at: Some(now),
                balances,
                margin: derivatives.then_some(MarginFacts {
                    equity: plenty,
                    initial: Decimal::ZERO,
                    maintenance: Decimal::ZERO,
                }),
                ..VenueFacts::unheard(venue)
            }
        };
        Self {
            version: 1,
            as_of: ApprovalSeq(0),
            issued_at: now,
            portfolio: PortfolioRisk {
                level: KillLevel::Armed,
                equity: Some(plenty),
                journal: Some(JournalFacts {
                    disk_free_bytes: Some(u64::MAX),
                    ..JournalFacts::default()
                }),
                var_model: None,
            },
            instruments: vec![InstrumentRisk::default(); catalogue.all().len()],
            strategies: vec![StrategyRisk::default(); strategies],
            venues: (0..catalogue.venue_names().len())
                .map(|index| {
                    u8::try_from(index)
                        .ok()
                        .map(|index| Arc::new(venue(VenueId(index))))
                })
                .collect(),
        }
    }
}
