//! What a journal line says: records with names instead of numbers, so that a line can be read alone years later.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::ledger::Funding;
use crate::market::{Catalogue, InstrumentId};
use crate::risk::output::{CloseIntent, CloseRecord, LevelChange, Scope};
use crate::trade::{Fill, Liquidity, StrategyId};
use crate::units::{Price, Qty, Side};

use super::edges::{AttributionRecord, LookRow, OpportunityRecord, RouteRow};
use super::levels::{ClearRecord, HeldRecord, LimitRecord, ProbationRecord, actor};
use super::losses::LossRecord;
use super::rows::{
    AlertRecord, CancelRecord, ConfigRecord, ControlRecord, OrderRecord, PositionRow, RefusalRow,
    ReportRecord, RiskMetricsRecord,
};

/// Turns ids into names.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Instruments and venues.
    pub catalogue: &'a Catalogue,
    /// Strategies by id.
    pub strategies: &'a [String],
}

/// One record. Amounts are exact decimals, written as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The process began to write.
    Started {
        /// Package version.
        version: String,
        /// SHA-256 of the configuration, hex.
        config_hash: String,
        /// Session epoch of the client order ids.
        epoch_secs: u32,
    },
    /// The process stopped in order.
    Stopped {
        /// Why.
        reason: String,
    },
    /// What an account held before this engine ever traded there: balances of a spot venue are compared with it.
    Baseline {
        /// Venue instance.
        venue: String,
        /// Whole balance by asset; an asset that is not listed was at zero.
        balances: BTreeMap<String, Decimal>,
        /// The venue's clock before the balances were asked for, ns since 1970: executions before it are in them.
        since: i64,
    },
    /// A start reconciled with the venues.
    Recovered(RecoveredRecord),
    /// A difference that no execution explains was accepted: added to the baseline (spot), or booked at `price`.
    Adjusted {
        /// Venue instance.
        venue: String,
        /// Asset of a balance, or unified symbol of a position.
        what: String,
        /// Signed change of what we hold.
        quantity: Decimal,
        /// Entry price by the venue; none for a balance.
        price: Option<Decimal>,
    },
    /// An execution.
    Fill(FillRecord),
    /// Funding was booked.
    Funding {
        /// Venue instance.
        venue: String,
        /// Unified symbol; absent when the venue told only the balance.
        symbol: Option<String>,
        /// In which asset.
        asset: String,
        /// Positive when we paid.
        paid: Decimal,
        /// Venue's time, ns since 1970.
        time: i64,
        /// The balance after it: with the time, what tells it from others. Absent in older journals.
        #[serde(skip_serializing_if = "Option::is_none")]
        balance: Option<Decimal>,
    },
    /// A kill level changed.
    LevelChanged {
        /// Where: `portfolio`, `venue:spot_a`, `instrument:spot_a:BTC/USDT`.
        scope: String,
        /// Level before.
        from: &'static str,
        /// Level after.
        to: &'static str,
        /// What caused it.
        cause: &'static str,
        /// A control's row of RISK.md, or `operator:NAME`.
        by: String,
        /// In words.
        reason: String,
    },
    /// Every kill level that is held, after a change; the last one is restored at the next start.
    LevelState {
        /// What holds which scope up.
        held: Vec<HeldRecord>,
        /// Automatic clears of the last day.
        clears: Vec<ClearRecord>,
        /// Scopes on probation after a re-arm.
        probations: Vec<ProbationRecord>,
    },
    /// What losses are measured by: each minute, at new heights and after sets; a day of them is restored at the next start.
    LossState(Box<LossRecord>),
    /// Other limits are in force.
    LimitsChanged {
        /// SHA-256 of their text, hex.
        hash: String,
        /// As in `level_changed`.
        by: String,
        /// In words.
        reason: String,
        /// What differs.
        changes: Vec<LimitRecord>,
    },
    /// Every limit in force, at a start and after a change; the next start is not looser than the last one.
    LimitsInForce {
        /// Value by key, as text.
        limits: BTreeMap<String, String>,
    },
    /// A forced close is about to begin.
    CloseIntent(CloseIntentRecord),
    /// A forced close ended.
    CloseRecord {
        /// What was intended.
        intent: CloseIntentRecord,
        /// done, dust, handover.
        result: &'static str,
        /// Price when it was triggered.
        decision_price: Option<Decimal>,
        /// Its orders.
        children: Vec<ChildRecord>,
        /// Quantity that we closed.
        closed: Decimal,
        /// Volume-weighted average price.
        average_price: Option<Decimal>,
        /// Cost against the decision price in the quote asset; positive is a loss.
        slippage_cost: Option<Decimal>,
        /// The same in basis points.
        slippage_bps: Option<Decimal>,
        /// Signed position at the end.
        position: Decimal,
        /// From trigger to end.
        duration_ns: u64,
    },
    /// An order is about to be sent.
    Order(OrderRecord),
    /// A cancel is about to be sent.
    Cancel(CancelRecord),
    /// A venue's word about an order.
    Report(ReportRecord),
    /// People were told something.
    Alert(AlertRecord),
    /// What the gate refused since the last such record.
    Refusals {
        /// By strategy and code; never empty.
        rows: Vec<RefusalRow>,
    },
    /// An edge from its first look to its end. A sample: see `docs/WHY.md`.
    Opportunity(Box<OpportunityRecord>),
    /// Edges by route since the last such record: all of them.
    Routes {
        /// Since when, ns since 1970.
        since: i64,
        /// By route.
        rows: Vec<RouteRow>,
        /// Episodes without a record of their own: too soon after another, or too many.
        sampled_out: u64,
        /// Episodes without a record of their own for want of room.
        dropped: u64,
    },
    /// Looks by strategy and outcome since the last such record.
    Looks {
        /// By strategy and outcome.
        rows: Vec<LookRow>,
    },
    /// The parts of an ended set's result. A set that a late execution opened again comes again: the last one holds.
    Attribution(AttributionRecord),
    /// Risk figures, once a second.
    RiskMetrics(Box<RiskMetricsRecord>),
    /// All positions, when one of them changed.
    Positions {
        /// By venue and symbol.
        rows: Vec<PositionRow>,
    },
    /// Somebody asked for something.
    ControlAction(ControlRecord),
    /// The configuration that a session began with; changes of limits follow as `limits_changed`.
    ConfigVersion(ConfigRecord),
    /// Records before this one were given up, because the queue was full.
    NotRecorded {
        /// How many since the last such record.
        count: u64,
    },
}

/// How much of the queue a record may use: what is rarer and matters more still fits when the rest no longer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Forced closes, kill levels, people, starts and stops: the whole queue.
    Vital,
    /// Orders, reports, executions: all but a reserve for the vital ones.
    Trade,
    /// Figures, positions, refusals, alerts: a quarter.
    Bulk,
}

impl Record {
    /// Its lane.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Started { .. }
            | Self::Baseline { .. }
            | Self::Recovered(_)
            | Self::Adjusted { .. }
            | Self::Stopped { .. }
            | Self::LevelChanged { .. }
            | Self::LevelState { .. }
            | Self::LossState(_)
            | Self::LimitsChanged { .. }
            | Self::LimitsInForce { .. }
            | Self::CloseIntent(_)
            | Self::CloseRecord { .. }
            | Self::ControlAction(_)
            | Self::ConfigVersion(_)
            | Self::NotRecorded { .. } => Lane::Vital,
            Self::Fill(_)
            | Self::Funding { .. }
            | Self::Order(_)
            | Self::Cancel(_)
            | Self::Attribution(_)
            | Self::Report(_) => Lane::Trade,
            Self::Alert(_)
            | Self::Refusals { .. }
            | Self::Opportunity(_)
            | Self::Routes { .. }
            | Self::Looks { .. }
            | Self::RiskMetrics(_)
            | Self::Positions { .. } => Lane::Bulk,
        }
    }
}

/// What a start found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecoveredRecord {
    /// The last session wrote that it stopped.
    pub stopped_in_order: bool,
    /// Executions read from this journal.
    pub fills_known: u64,
    /// Executions that only the venues knew.
    pub fills_found: u64,
    /// Our orders of earlier sessions that were still open: cancelled.
    pub orders_cancelled: u64,
    /// Open orders that are not ours.
    pub orders_foreign: u64,
    /// Differences that no execution explains.
    pub unexplained: u64,
    /// Questions to all venues until two answers in a row agreed.
    pub rounds: u64,
    /// Two did.
    pub matched: bool,
}

/// An execution with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FillRecord {
    /// Venue's trade time, ns since 1970.
    pub time: i64,
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// buy, sell.
    pub side: &'static str,
    /// In base units.
    pub quantity: Decimal,
    /// In the quote asset.
    pub price: Decimal,
    /// Positive when we paid.
    pub fee: Decimal,
    /// Asset of the fee; empty when the venue did not say.
    pub fee_asset: String,
    /// Venue's trade id.
    pub trade_id: u64,
    /// Our order, 32 hex digits; none for a fill that is not ours.
    pub client_order_id: Option<String>,
    /// maker, taker.
    pub liquidity: &'static str,
    /// Configured name of the strategy.
    pub strategy: Option<String>,
}

/// A close that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloseIntentRecord {
    /// Number of the close.
    pub set: u64,
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Which control.
    pub cause: &'static str,
    /// The limit that was crossed.
    pub limit: Option<Decimal>,
    /// The value that crossed it.
    pub value: Option<Decimal>,
    /// Signed position when it was triggered.
    pub position: Decimal,
    /// Largest absolute position that ends it.
    pub target: Decimal,
    /// Expected cost against the mid, in the quote asset, without fees; `None` without a fresh book.
    pub cost_expected: Option<Decimal>,
    /// The same in basis points.
    pub slippage_bps_expected: Option<Decimal>,
    /// Quantity that the book did not show within the widest protection.
    pub unfillable: Option<Decimal>,
}

/// One order of a close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChildRecord {
    /// Its approval.
    pub approval: u64,
    /// Its quantity.
    pub quantity: Decimal,
    /// Its limit.
    pub limit_price: Decimal,
    /// What filled.
    pub filled: Decimal,
}

impl Names<'_> {
    /// Venue instance and unified symbol of an instrument.
    #[must_use]
    pub fn venue_and_symbol(&self, id: InstrumentId) -> (String, String) {
        self.catalogue.get(id).map_or_else(
            || ("?".to_owned(), format!("instrument {}", id.0)),
            |instrument| {
                (
                    self.catalogue.venue_name(instrument.venue).to_owned(),
                    instrument.symbol.to_string(),
                )
            },
        )
    }
    /// A quantity in base units.
    #[must_use]
    pub fn qty(&self, id: InstrumentId, qty: Qty) -> Decimal {
        let instrument = self.catalogue.get(id);
        instrument.map_or(Decimal::from(qty.0), |instrument| {
            instrument.grid.qty_decimal(qty).normalize()
        })
    }
    /// A price in the quote asset.
    #[must_use]
    pub fn price(&self, id: InstrumentId, price: Price) -> Decimal {
        let instrument = self.catalogue.get(id);
        instrument.map_or(Decimal::from(price.0), |instrument| {
            instrument.grid.price_decimal(price).normalize()
        })
    }
    pub(super) fn strategy(&self, id: StrategyId) -> String {
        self.strategies
            .get(usize::from(id.0))
            .cloned()
            .unwrap_or_else(|| format!("strategy {}", id.0))
    }
    /// A scope as `kind:name`.
    #[must_use]
    pub fn scope(&self, scope: &Scope) -> String {
        let kind = scope.label();
        match scope {
            Scope::Portfolio => kind.to_owned(),
            Scope::Venue(venue) => format!("{kind}:{}", self.catalogue.venue_name(*venue)),
            Scope::Asset(asset) => format!("{kind}:{asset}"),
            Scope::Symbol(symbol) => format!("{kind}:{symbol}"),
            Scope::Instrument(id) => format!("{kind}:{}", self.catalogue.label(*id)),
            Scope::Strategy(id) => format!("{kind}:{}", self.strategy(*id)),
        }
    }

    /// A funding payment.
    #[must_use]
    pub fn funding(&self, funding: &Funding) -> Record {
        Record::Funding {
            venue: self.catalogue.venue_name(funding.venue).to_owned(),
            symbol: funding.instrument.map(|id| self.venue_and_symbol(id).1),
            asset: funding.asset.to_string(),
            paid: funding.paid.normalize(),
            time: funding.id.time.0,
            balance: funding.id.balance.map(|it| it.normalize()),
        }
    }

    /// An execution.
    #[must_use]
    pub fn fill(&self, fill: &Fill) -> FillRecord {
        let (venue, symbol) = self.venue_and_symbol(fill.instrument);
        let hex = |id: crate::trade::ClientOrderId| String::from_utf8_lossy(&id.hex()).into_owned();
        FillRecord {
            time: fill.venue_time.0,
            venue,
            symbol,
            side: match fill.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            },
            quantity: self.qty(fill.instrument, fill.qty),
            price: self.price(fill.instrument, fill.price),
            fee: fill.fee.normalize(),
            fee_asset: fill
                .fee_asset
                .map(|asset| asset.to_string())
                .unwrap_or_default(),
            trade_id: fill.trade_id,
            client_order_id: fill.client_order_id.map(hex),
            liquidity: match fill.liquidity {
                Liquidity::Maker => "maker",
                Liquidity::Taker => "taker",
            },
            strategy: fill.strategy.map(|id| self.strategy(id)),
        }
    }

    /// A change of a kill level.
    #[must_use]
    pub fn level(&self, change: &LevelChange) -> Record {
        Record::LevelChanged {
            scope: self.scope(&change.scope),
            from: change.from.label(),
            to: change.to.label(),
            cause: change.cause,
            by: actor(&change.by),
            reason: change.reason.clone(),
        }
    }

    /// A forced close that is about to begin.
    #[must_use]
    pub fn close_intent(&self, intent: &CloseIntent) -> CloseIntentRecord {
        let (venue, symbol) = self.venue_and_symbol(intent.instrument);
        CloseIntentRecord {
            set: intent.set.0,
            venue,
            symbol,
            cause: intent.cause.label(),
            limit: intent.limit.decimal(),
            value: intent.value.decimal(),
            position: self.qty(intent.instrument, intent.position),
            target: self.qty(intent.instrument, intent.target),
            cost_expected: intent.estimate.map(|estimate| estimate.cost),
            slippage_bps_expected: intent.estimate.map(|estimate| estimate.slippage_bps),
            unfillable: intent
                .estimate
                .map(|estimate| self.qty(intent.instrument, estimate.unfillable)),
        }
    }

    /// A forced close that ended.
    #[must_use]
    pub fn close_record(&self, record: &CloseRecord) -> Record {
        let id = record.intent.instrument;
        let child = |child: &crate::risk::output::CloseChild| ChildRecord {
            approval: child.approval.0,
            quantity: self.qty(id, child.qty),
            limit_price: self.price(id, child.limit_price),
            filled: self.qty(id, child.filled),
        };
        Record::CloseRecord {
            intent: self.close_intent(&record.intent),
            result: record.result.label(),
            decision_price: record.decision_price.map(|price| self.price(id, price)),
            children: record.children.iter().map(child).collect(),
            closed: self.qty(id, record.closed),
            average_price: record.average_price,
            slippage_cost: record.slippage_cost,
            slippage_bps: record.slippage_bps,
            position: self.qty(id, record.position),
            duration_ns: record.duration.0,
        }
    }
}
