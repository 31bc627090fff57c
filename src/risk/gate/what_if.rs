//! What would the gate say to one order now? Asked by people; nothing is held, counted or sent.

use crate::market::Books;
use crate::risk::{Refusal, SetVerdict};
use crate::trade::{Intent, Leg, StrategyId};
use crate::units::{MonoNanos, Ppm};

use super::Gate;

impl Gate {
    /// Judges one order as [`Gate::check_set`] would, on a copy of the gate. The copy allocates: ask rarely. `edge` stands for
    /// the edge that a strategy would have computed.
    ///
    /// # Errors
    /// The [`Refusal`] that a strategy would have had.
    pub fn what_if(
        &self,
        strategy: StrategyId,
        leg: &Leg,
        edge: Ppm,
        books: &Books,
        now: MonoNanos,
    ) -> Result<(), Refusal> {
        let mut intent = Intent::new(strategy, &[*leg], now);
        (intent.net_edge, intent.gross_edge) = (edge, edge);
        match self.clone().check_set(&intent, books, now) {
            SetVerdict::Approved(_) => Ok(()),
            SetVerdict::Refused { refusal, .. } => Err(refusal),
        }
    }
}
