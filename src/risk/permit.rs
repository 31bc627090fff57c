//! Who may trade what: the table that PT-30 and PT-49 are judged by, fixed at start-up.

use crate::capacity::STRATEGIES_MAX;
use crate::market::{Catalogue, InstrumentId};
use crate::trade::StrategyId;
use crate::units::{Notional, Ppm};

/// What one strategy was approved for at deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyPermit {
    /// Which strategy.
    pub strategy: StrategyId,
    /// The instruments that it may trade; none for one that only observes.
    pub instruments: Vec<InstrumentId>,
    /// Largest value of one leg at its limit price, on the instrument's grid; `None` leaves it to the limits.
    pub order_notional_max: Option<Notional>,
}

/// All strategies' permits, and what orders cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permits {
    /// A strategy that is not listed trades nothing.
    pub strategies: Vec<StrategyPermit>,
    /// Taker fee by instrument id; a missing one counts as [`Self::FEE_UNKNOWN`].
    pub taker_fees: Vec<Ppm>,
}

impl Permits {
    /// Fee of an instrument whose fee nobody told: 0.1 %.
    pub const FEE_UNKNOWN: Ppm = Ppm(1_000);

    /// Every strategy may trade everything, without fees: for tests and benches.
    #[must_use]
    pub fn everything(catalogue: &Catalogue) -> Self {
        let instruments: Vec<InstrumentId> = catalogue
            .all()
            .iter()
            .map(|instrument| instrument.id)
            .collect();
        Self {
            strategies: (0..STRATEGIES_MAX)
                .filter_map(|index| u8::try_from(index).ok())
                .map(|index| StrategyPermit {
                    strategy: StrategyId(index),
                    instruments: instruments.clone(),
                    order_notional_max: None,
                })
                .collect(),
            taker_fees: vec![Ppm(0); instruments.len()],
        }
    }
}
