//! Between the hot path and the gate: who may trade what, and which kill level a refusal raises.

use crate::market::{Catalogue, InstrumentId};
use crate::risk::{GateRaise, Permits, RaiseScope, Refusal, Scope, StrategyPermit};
use crate::trade::StrategyId;

use super::hot_path::{HotOutput, HotSetup, RAISES_MAX};

/// Each strategy's instruments and largest order as configured; one that only observes may trade nothing.
pub(super) fn permits(setup: &HotSetup) -> Permits {
    let may_send = |index: usize| setup.may_send.get(index).copied().unwrap_or(false);
    Permits {
        strategies: setup
            .strategies
            .iter()
            .enumerate()
            .map(|(index, strategy)| StrategyPermit {
                strategy: strategy.id(),
                instruments: if may_send(index) {
                    strategy.instruments().to_vec()
                } else {
                    Vec::new()
                },
                order_notional_max: strategy.order_notional_max(),
            })
            .collect(),
        taker_fees: setup.taker_fees.clone(),
    }
}

/// Tells the risk seat what a refusal raises.
pub(super) fn raise(
    refusal: &Refusal,
    strategy: StrategyId,
    instrument: Option<InstrumentId>,
    catalogue: &Catalogue,
    out: &mut HotOutput,
) {
    let Some((level, scope)) = refusal.raises() else {
        return;
    };
    let venue = instrument
        .and_then(|id| catalogue.get(id))
        .map(|instrument| instrument.venue);
    let scope = match (scope, venue) {
        (RaiseScope::Strategy, _) => Scope::Strategy(strategy),
        (RaiseScope::Venue, Some(venue)) => Scope::Venue(venue),
        (RaiseScope::Portfolio, _) | (RaiseScope::Venue, None) => Scope::Portfolio,
    };
    if out.raises.len() < RAISES_MAX {
        out.raises.push(GateRaise {
            scope,
            level,
            refusal: *refusal,
        });
    }
}
