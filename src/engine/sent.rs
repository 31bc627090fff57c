//! What the legs of approved sets could have been traded at when they were handed to the gateways.
//!
//! The desk says only at a set's end when its legs left; so the first changes of the touch after the decision are kept, a
//! few a leg, until then.

use crate::capacity::{LEGS_MAX, OPEN_SETS_MAX};
use crate::market::{InstrumentId, Top};
use crate::risk::ApprovedSet;
use crate::trade::StrategyId;
use crate::units::{MonoNanos, Price, Side};

/// Changes of the touch kept a leg; later ones are not needed, because legs leave at once.
const TOUCHES_MAX: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Leg {
    instrument: InstrumentId,
    side: Side,
    touches: [(MonoNanos, Price); TOUCHES_MAX],
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Watched {
    strategy: StrategyId,
    decided_at: MonoNanos,
    legs: [Option<Leg>; LEGS_MAX],
}

/// Sets on their way. When all places are used the oldest is forgotten: its decay counts as slippage.
#[derive(Debug)]
pub(super) struct SentTouches {
    sets: Vec<Watched>,
}

impl SentTouches {
    pub(super) fn new() -> Self {
        Self {
            sets: Vec::with_capacity(OPEN_SETS_MAX),
        }
    }

    pub(super) fn on_approved(&mut self, set: &ApprovedSet) {
        if self.sets.len() >= OPEN_SETS_MAX {
            self.sets.remove(0);
        }
        let mut legs = [None; LEGS_MAX];
        for (slot, approved) in legs.iter_mut().zip(set.legs()) {
            let first = (set.decided_at(), approved.decision_price());
            *slot = Some(Leg {
                instrument: approved.instrument(),
                side: approved.side(),
                touches: [first; TOUCHES_MAX],
                count: 1,
            });
        }
        self.sets.push(Watched {
            strategy: set.strategy(),
            decided_at: set.decided_at(),
            legs,
        });
    }

    /// Nothing is to do while no set is on its way.
    #[inline]
    pub(super) fn on_touch(&mut self, changed: InstrumentId, top: Option<Top>, at: MonoNanos) {
        let Some(top) = top.filter(|_| !self.sets.is_empty()) else {
            return;
        };
        let legs = self.sets.iter_mut().flat_map(|set| set.legs.iter_mut());
        for leg in legs.flatten().filter(|leg| leg.instrument == changed) {
            let price = match leg.side {
                Side::Buy => top.ask.price,
                Side::Sell => top.bid.price,
            };
            if let Some(place) = leg.touches.get_mut(leg.count) {
                *place = (at, price);
                leg.count += 1;
            }
        }
    }

    /// The touches at an instant. The set is forgotten: who books a late fill remembers them.
    pub(super) fn take(
        &mut self,
        strategy: StrategyId,
        decided_at: MonoNanos,
        sent_at: MonoNanos,
    ) -> [Option<Price>; LEGS_MAX] {
        let mut found = [None; LEGS_MAX];
        let place = self
            .sets
            .iter()
            .position(|set| set.strategy == strategy && set.decided_at == decided_at);
        let Some(place) = place else { return found };
        let set = self.sets.swap_remove(place);
        for (slot, leg) in found.iter_mut().zip(&set.legs) {
            *slot = leg.as_ref().and_then(|leg| {
                let known = leg.touches.get(..leg.count)?;
                let before = known.iter().rev().find(|(at, _)| *at <= sent_at);
                before.map(|(_, price)| *price)
            });
        }
        found
    }

    pub(super) fn forget(&mut self, strategy: StrategyId, decided_at: MonoNanos) {
        self.sets
            .retain(|set| set.strategy != strategy || set.decided_at != decided_at);
    }
}
