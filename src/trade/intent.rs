//! What a strategy wants: a set of legs as one unit, before any risk check.

use crate::capacity::LEGS_MAX;
use crate::market::InstrumentId;
use crate::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::{StrategyId, TimeInForce};

/// One order of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Where and what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Quantity, above zero, on the venue's lot.
    pub qty: Qty,
    /// Worst price accepted, on the venue's tick.
    pub limit_price: Price,
    /// The price the edge was computed with (touch at decision).
    pub decision_price: Price,
}

/// What makes a set even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SetForm {
    /// Legs in one base asset: even when as much was bought as sold. A single leg is even by itself.
    #[default]
    Hedge,
    /// A chain on one venue: each leg spends what the one before yields, the first spends `start` and the last yields it. Even
    /// when no asset but `start` has changed beyond dust.
    Cycle {
        /// The asset that it begins and ends in.
        start: Asset,
    },
}

/// In which order the legs leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendOrder {
    /// All at once.
    #[default]
    Together,
    /// The first alone; the others together once it is over, each at most in proportion to what it filled.
    FirstThenParallel,
    /// One after another, each at most for what the one before yielded.
    Sequential,
}

/// Where the edge of a set is earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarnedBy {
    /// By its own executions: they are compared with it (AT-22).
    #[default]
    Set,
    /// By what is held afterwards (funding, a basis that falls), or earlier: its executions alone say nothing of it.
    Holding,
}

/// A wanted set: all legs or none should happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// Who wants it.
    pub strategy: StrategyId,
    legs: [Option<Leg>; LEGS_MAX],
    /// What makes it even.
    pub form: SetForm,
    /// In which order its legs leave.
    pub send: SendOrder,
    /// How long its orders may rest; strategies take what is there today.
    pub time_in_force: TimeInForce,
    /// Expected edge after fees, of the set's notional.
    pub net_edge: Ppm,
    /// Edge before fees.
    pub gross_edge: Ppm,
    /// Where that edge is earned.
    pub earned_by: EarnedBy,
    /// When the frame that caused it was received.
    pub tick_received_at: MonoNanos,
    /// When it was decided.
    pub decided_at: MonoNanos,
    /// How long legs may stay unhedged before the resolver acts.
    pub leg_timeout: Nanos,
}

impl Intent {
    /// A set of the given legs.
    ///
    /// # Panics
    /// Invariant: a set has 1 to `LEGS_MAX` legs.
    #[must_use]
    pub fn new(strategy: StrategyId, wanted: &[Leg], at: MonoNanos) -> Self {
        assert!(
            !wanted.is_empty() && wanted.len() <= LEGS_MAX,
            "Invariant: a set has 1 to {LEGS_MAX} legs"
        );
        let mut legs = [None; LEGS_MAX];
        for (slot, leg) in legs.iter_mut().zip(wanted) {
            *slot = Some(*leg);
        }
        Self {
            strategy,
            legs,
            form: SetForm::Hedge,
            send: SendOrder::Together,
            time_in_force: TimeInForce::ImmediateOrCancel,
            net_edge: Ppm(0),
            gross_edge: Ppm(0),
            earned_by: EarnedBy::Set,
            tick_received_at: at,
            decided_at: at,
            leg_timeout: Nanos::from_millis(500),
        }
    }
    /// Its legs in order.
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter().flatten()
    }
    /// Whether the leg before this one brings what it spends: it leaves only after that one, and for no more than it yielded.
    #[must_use]
    pub const fn is_funded(&self, leg_index: usize) -> bool {
        match (self.form, self.send) {
            (SetForm::Hedge, _) | (SetForm::Cycle { .. }, SendOrder::Together) => false,
            (SetForm::Cycle { .. }, SendOrder::FirstThenParallel) => leg_index == 1,
            (SetForm::Cycle { .. }, SendOrder::Sequential) => leg_index > 0,
        }
    }
    /// How many legs.
    #[must_use]
    pub fn leg_count(&self) -> usize {
        self.legs().count()
    }
}
