//! What must be true before a level is lowered (RISK.md 2.5), each with its numbers. What was never heard is not true.

use crate::market::{Instrument, VenueId};
use crate::risk::levels::contains;
use crate::risk::operator::{Need, OperatorRefusal, Unmet};
use crate::risk::{Amount, Scope};
use crate::trade::FeedFacts;
use crate::units::{MonoNanos, Nanos};

use super::Monitor;

/// A feed that says nothing at all for this long is not healthy (AT-17's heartbeat).
const FEED_SILENCE_MAX: Nanos = Nanos::from_secs(5);

/// How long each feed connection has been without a fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct FeedHealth {
    venue: VenueId,
    lane: u8,
    /// Gaps, checksum failures and lost events so far.
    faults: u64,
    heard_at: MonoNanos,
    heartbeat_at: Option<MonoNanos>,
    since: MonoNanos,
}

impl FeedHealth {
    /// Takes the newest word on a feed. The first one begins the time of health, as does a new fault or a silence.
    pub(super) fn hear(all: &mut Vec<Self>, facts: &FeedFacts, now: MonoNanos) {
        let faults = facts.faults.saturating_add(facts.lost);
        let heard = Self {
            venue: facts.venue,
            lane: facts.lane,
            faults,
            heard_at: now,
            heartbeat_at: facts.heartbeat_at.max(facts.message_at),
            since: now,
        };
        let known = all
            .iter_mut()
            .find(|one| one.venue == facts.venue && one.lane == facts.lane);
        match known {
            Some(known)
                if known.faults == faults && !heard.is_silent(now) && !known.is_silent(now) =>
            {
                let since = known.since;
                *known = Self { since, ..heard };
            }
            Some(known) => *known = heard,
            None => all.push(heard),
        }
    }
    fn is_silent(&self, now: MonoNanos) -> bool {
        now.since(self.heard_at) > FEED_SILENCE_MAX
            || self
                .heartbeat_at
                .is_none_or(|at| now.since(at) > FEED_SILENCE_MAX)
    }
    fn healthy_for(&self, now: MonoNanos) -> Nanos {
        if self.is_silent(now) {
            Nanos::ZERO
        } else {
            now.since(self.since)
        }
    }
}

fn millis(span: Nanos) -> Amount {
    Amount::count(span.floor_millis())
}

impl Monitor {
    /// Every need that a scope does not meet now; empty when it may be lowered.
    #[must_use]
    pub fn unmet(&self, scope: Scope, now: MonoNanos) -> Vec<Unmet> {
        let covers = |instrument: &Instrument| match scope {
            // A strategy may trade anywhere.
            Scope::Strategy(_) => true,
            Scope::Portfolio
            | Scope::Venue(_)
            | Scope::Asset(_)
            | Scope::Symbol(_)
            | Scope::Instrument(_) => contains(scope, instrument),
        };
        let mut unmet = Vec::new();
        let mut venues = Vec::new();
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if !covers(instrument) {
                continue;
            }
            if !venues.contains(&instrument.venue) {
                venues.push(instrument.venue);
            }
            let place = Scope::Instrument(instrument.id);
            let unknown = self
                .heard
                .orders(instrument.id)
                .map(|orders| orders.unknown);
            if unknown != Some(0) {
                unmet.push(Unmet {
                    need: Need::NoUnknownOrders,
                    scope: place,
                    value: unknown.map(|count| Amount::count(u64::from(count))),
                    limit: Amount::count(0),
                });
            }
            let loss = watch.unrealized().map(|pnl| -pnl.0);
            let most = self.limits.unrealized_loss_usd_max;
            if !watch.qty().is_zero() && loss.is_none_or(|loss| loss >= most) {
                unmet.push(Unmet {
                    need: Need::LossBudget,
                    scope: place,
                    value: loss.map(Amount::of_decimal),
                    limit: Amount::of_decimal(most),
                });
            }
        }
        for venue in venues {
            self.unmet_at(venue, now, &mut unmet);
        }
        self.unmet_by_journal(&mut unmet);
        unmet
    }

    fn unmet_at(&self, venue: VenueId, now: MonoNanos, unmet: &mut Vec<Unmet>) {
        let rules = &self.limits.pre_trade;
        let scope = Scope::Venue(venue);
        let facts = self.heard.venue(venue);
        let mut need = |need, value: Option<Nanos>, limit: Nanos, is_met: bool| {
            if !is_met {
                unmet.push(Unmet {
                    need,
                    scope,
                    value: value.map(millis),
                    limit: millis(limit),
                });
            }
        };
        let within = |value: Option<Nanos>, limit: Nanos| value.is_some_and(|value| value <= limit);
        let matched = facts
            .and_then(|facts| facts.reconciled_at)
            .map(|at| now.since(at));
        let age = rules.recon_age_max;
        // As PT-46: whether an agreement that was never heard of refuses is the risk officer's `facts_required`.
        let agrees = within(matched, age) || (matched.is_none() && !rules.facts_required);
        need(Need::PositionsMatched, matched, age, agrees);
        let offset = facts
            .and_then(|facts| facts.clock_offset_ns)
            .map(|offset| Nanos(offset.unsigned_abs()));
        let most = rules.clock_offset_max;
        need(Need::ClockGood, offset, most, within(offset, most));
        let stepped = facts
            .and_then(|facts| facts.clock_stepped_at)
            .map(|at| now.since(at));
        let quiet = rules.clock_step_quiet;
        let calm = stepped.is_none_or(|since| since > quiet);
        need(Need::ClockGood, stepped, quiet, calm);
        let healthy = self
            .feed_health
            .iter()
            .filter(|feed| feed.venue == venue)
            .map(|feed| feed.healthy_for(now))
            .min();
        let least = self.limits.kill.rearm_feed_healthy;
        let is_healthy = healthy.is_some_and(|span| span >= least);
        need(Need::FeedHealthy, healthy, least, is_healthy);
    }

    fn unmet_by_journal(&self, unmet: &mut Vec<Unmet>) {
        let most = self.limits.pre_trade.journal_lag_max;
        let journal = self.heard.journal;
        if journal.is_none_or(|journal| journal.failed || journal.lag > most) {
            unmet.push(Unmet {
                need: Need::JournalGood,
                scope: Scope::Portfolio,
                value: journal.map(|journal| millis(journal.lag)),
                limit: millis(most),
            });
        }
    }

    pub(super) fn safe_to_rearm(
        &self,
        scope: Scope,
        now: MonoNanos,
    ) -> Result<(), OperatorRefusal> {
        let unmet = self.unmet(scope, now);
        if unmet.is_empty() {
            Ok(())
        } else {
            Err(OperatorRefusal::Unmet(unmet))
        }
    }
}
