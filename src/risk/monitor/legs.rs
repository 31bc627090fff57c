//! AT-15: what sets have open on one side only, and for how long.
//!
//! The sum over the fills of a set of signed base quantity, from the first fill to the even end. What is open is at most what
//! the base asset is net over all venues: when that is flat, no set leaves anything unhedged.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::{Instrument, VenueId};
use crate::risk::{KillLevel, Scope};
use crate::trade::{Fill, Purpose, SetFacts, SetId};
use crate::units::{Asset, Money, MonoNanos, Nanos, Side};

use super::Monitor;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Sets remembered; the oldest is forgotten beyond it.
const SETS_MAX: usize = 4_096;

/// One set's fills.
#[derive(Debug, Clone)]
struct OpenSet {
    asset: Asset,
    /// Signed base quantity.
    delta: Decimal,
    /// Absolute base quantity filled by venue.
    filled: BTreeMap<VenueId, Decimal>,
}

/// Sets that have fills and no even end.
#[derive(Debug, Default)]
pub(super) struct OpenLegs {
    sets: BTreeMap<SetId, OpenSet>,
    /// Since when an asset's imbalance is above the limit.
    since: BTreeMap<Asset, MonoNanos>,
}

/// One asset's imbalance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Imbalance {
    /// Absolute base quantity.
    pub(super) delta: Decimal,
    /// The venue that lacks its leg: least filled of the largest set.
    pub(super) venue: Option<VenueId>,
}

impl OpenLegs {
    /// A fill of a set's order. Forced closes and strangers are no set.
    pub(super) fn on_fill(&mut self, instrument: &Instrument, fill: &Fill) {
        let Some(id) = fill.client_order_id.map(crate::trade::ClientOrderId::set) else {
            return;
        };
        if fill
            .purpose
            .is_none_or(|purpose| purpose == Purpose::Unwind)
        {
            return;
        }
        let qty = Money(instrument.grid.qty_decimal(fill.qty));
        let Ok(base) = qty.mul(Money(instrument.multiplier)) else {
            return;
        };
        let signed = if fill.side == Side::Buy {
            base.0
        } else {
            -base.0
        };
        let set = self.sets.entry(id).or_insert_with(|| OpenSet {
            asset: instrument.symbol.base,
            delta: Decimal::ZERO,
            filled: BTreeMap::new(),
        });
        set.delta = set.delta.saturating_add(signed);
        let at = set.filled.entry(instrument.venue).or_default();
        *at = at.saturating_add(base.0);
        if self.sets.len() > SETS_MAX {
            self.sets.pop_first();
        }
    }

    /// A set ended. What it leaves uneven stays open.
    pub(super) fn on_end(&mut self, set: &SetFacts) {
        let even = self
            .sets
            .get(&set.set)
            .is_some_and(|open| open.delta.is_zero());
        if even || !set.held {
            self.sets.remove(&set.set);
        }
    }

    /// Forgets what was left uneven of an asset that is flat again: people or a forced close evened it.
    fn forget(&mut self, asset: Asset) {
        self.sets.retain(|_, open| open.asset != asset);
    }

    /// What is open of one asset.
    pub(super) fn of(&self, asset: Asset) -> Imbalance {
        let mut delta = Decimal::ZERO;
        let mut worst: Option<&OpenSet> = None;
        for set in self.sets.values().filter(|set| set.asset == asset) {
            delta = delta.saturating_add(set.delta.abs());
            if worst.is_none_or(|other| set.delta.abs() > other.delta.abs()) {
                worst = Some(set);
            }
        }
        let venue = worst.and_then(|set| {
            let least = set.filled.iter().min_by_key(|(_, filled)| **filled);
            least.map(|(venue, _)| *venue)
        });
        Imbalance { delta, venue }
    }
}

impl Monitor {
    /// Net base quantity of an asset over all venues.
    fn net_base(&self, asset: Asset) -> Option<Decimal> {
        let watched = self.catalogue.all().iter().zip(&self.watches);
        watched
            .filter(|(instrument, _)| instrument.symbol.base == asset)
            .map(|(instrument, watch)| {
                let qty = Money(instrument.grid.qty_decimal(watch.qty()));
                qty.mul(Money(instrument.multiplier))
                    .ok()
                    .map(|base| base.0)
            })
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one?))
    }

    /// Value of what sets have open on one side of one asset.
    pub(super) fn unhedged(&self, asset: Asset) -> (Option<Decimal>, Option<VenueId>) {
        let open = self.legs.of(asset);
        if open.delta.is_zero() {
            return (Some(Decimal::ZERO), None);
        }
        let value = self
            .net_base(asset)
            .zip(self.rate(asset))
            .and_then(|(net, rate)| {
                let bounded = open.delta.min(net.abs());
                Money(bounded).mul(Money(rate)).ok().map(|value| value.0)
            });
        (value, open.venue)
    }

    /// Keeps since when the imbalance of one asset is above its limit.
    pub(super) fn note_legs(&mut self, asset: Asset, now: MonoNanos) {
        if self.net_base(asset).is_some_and(|net| net.is_zero()) && !self.has_open(asset) {
            self.legs.forget(asset);
        }
        let limit = self.limits.controls.leg_imbalance_usd_max;
        match self.unhedged(asset).0 {
            Some(value) if value > limit => {
                self.legs.since.entry(asset).or_insert(now);
            }
            Some(_) => {
                self.legs.since.remove(&asset);
            }
            None => {}
        }
    }

    /// Orders of ours are open in an instrument of the asset.
    fn has_open(&self, asset: Asset) -> bool {
        self.catalogue.all().iter().any(|instrument| {
            instrument.symbol.base == asset
                && self
                    .heard
                    .orders(instrument.id)
                    .is_some_and(|orders| orders.open > 0)
        })
    }

    /// AT-15 of one asset: an alert by age, then K2 at the venue that lacks its leg, then K4.
    pub(super) fn read_legs(&self, asset: Asset, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let limit = own.leg_imbalance_usd_max;
        let (value, venue) = self.unhedged(asset);
        let age = self.legs.since.get(&asset).map(|since| now.since(*since));
        // Too young for a step, an imbalance stands at the limit: neither over nor gone.
        let by = |after: Nanos| {
            let old = age.is_some_and(|age| age > after);
            value.map(|value| if old { value } else { value.min(limit) })
        };
        let step = |scope, after, tier| Reading::new(Control::LegImbalance, scope, by(after), tier);
        let mut first = step(
            Scope::Asset(asset),
            own.leg_unwind_after,
            Tier::auto(limit, KillLevel::Armed),
        );
        let hedge_late = age.is_some_and(|age| age > own.leg_hedge_after);
        first.warn = Some(if hedge_late {
            Decimal::ZERO
        } else {
            Decimal::MAX
        });
        out.push(first);
        // One scope has one reading: only the asset that is over may speak for a venue or the portfolio.
        let venue_scope = venue.map(Scope::Venue);
        for scope in venue_scope.into_iter().chain([Scope::Portfolio]) {
            let (after, tier) = self.leg_step(scope);
            let reading = step(scope, after, tier).warns_at(Decimal::MAX);
            if reading.value.is_some_and(|value| value > limit) {
                out.push(reading);
            }
        }
        // What no asset speaks for any more is over.
        for scope in self.judged.beyond(Control::LegImbalance) {
            let (_, tier) = self.leg_step(scope);
            if !matches!(scope, Scope::Asset(_)) && !self.has_late_leg(scope, now) {
                let gone = Some(Decimal::ZERO);
                let reading = Reading::new(Control::LegImbalance, scope, gone, tier);
                out.push(reading.warns_at(Decimal::MAX));
            }
        }
    }

    /// After which age a scope is raised, and to which level.
    fn leg_step(&self, scope: Scope) -> (Nanos, Option<Tier>) {
        let own = &self.limits.controls;
        let limit = own.leg_imbalance_usd_max;
        match scope {
            Scope::Venue(_) => (
                own.leg_cancel_after,
                Tier::latched(limit, KillLevel::CancelAll),
            ),
            Scope::Portfolio
            | Scope::Asset(_)
            | Scope::Symbol(_)
            | Scope::Instrument(_)
            | Scope::Strategy(_) => (own.leg_halt_after, Tier::latched(limit, KillLevel::Halt)),
        }
    }

    /// Some asset is above its limit, or cannot be valued, for longer than a scope allows.
    fn has_late_leg(&self, scope: Scope, now: MonoNanos) -> bool {
        let (after, _) = self.leg_step(scope);
        let limit = self.limits.controls.leg_imbalance_usd_max;
        self.legs.since.iter().any(|(asset, since)| {
            let (value, venue) = self.unhedged(*asset);
            let is_there = scope == Scope::Portfolio || venue.map(Scope::Venue) == Some(scope);
            let is_above = value.is_none_or(|value| value > limit);
            is_there && is_above && now.since(*since) > after
        })
    }
}
