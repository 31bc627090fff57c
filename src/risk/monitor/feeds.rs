//! AT-17, AT-18 and AT-33: market data that is old or broken, positions that no usable price values.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;

use crate::market::{Instrument, VenueId};
use crate::risk::{KillLevel, Scope};
use crate::units::{MonoNanos, Nanos};

use super::Monitor;
use super::exposure::over;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Window of AT-18.
const FAULT_WINDOW: Nanos = Nanos::from_secs(600);

/// A cumulative count over time: how much came within a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    steps: VecDeque<(MonoNanos, u64)>,
    newest: u64,
}

impl Counted {
    /// The count now. The first tells where it begins.
    pub(super) fn on_count(&mut self, count: u64, now: MonoNanos) {
        if self.steps.is_empty() || count != self.newest {
            let before = if self.steps.is_empty() {
                count
            } else {
                self.newest
            };
            self.steps.push_back((now, before));
            self.newest = count;
        }
    }
    /// What came within the last `window`; older steps are forgotten.
    pub(super) fn within(&mut self, window: Nanos, now: MonoNanos) -> u64 {
        while self
            .steps
            .front()
            .is_some_and(|(at, _)| now.since(*at) > window)
            && self.steps.len() > 1
        {
            self.steps.pop_front();
        }
        match self.steps.front() {
            Some((at, before)) if now.since(*at) <= window => self.newest.saturating_sub(*before),
            _ => 0,
        }
    }
}

/// Faults of feeds over time.
#[derive(Debug, Default)]
pub(super) struct FeedRecord {
    faults: BTreeMap<(VenueId, u8), Counted>,
    pub(super) lost: BTreeMap<(VenueId, u8), Counted>,
}

/// Age over its limit, as a share.
fn share(age: Nanos, limit: Nanos) -> Option<Decimal> {
    over(Decimal::from(age.0), Decimal::from(limit.0.max(1)))
}

impl Monitor {
    /// Keeps the counts of one feed.
    pub(super) fn note_feed(&mut self, facts: &crate::trade::FeedFacts, now: MonoNanos) {
        let key = (facts.venue, facts.lane);
        let record = &mut self.feed_record;
        record
            .faults
            .entry(key)
            .or_default()
            .on_count(facts.faults, now);
        record
            .lost
            .entry(key)
            .or_default()
            .on_count(facts.lost, now);
    }

    /// AT-17 and AT-18 of one venue's market data.
    pub(super) fn read_feeds(&mut self, venue: VenueId, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let lanes = self.heard.feeds.range((venue, 0)..=(venue, u8::MAX));
        let (mut message, mut quietest): (Option<MonoNanos>, Option<MonoNanos>) = (None, None);
        for (_, facts) in lanes {
            message = message.max(facts.message_at);
            if let Some(heard) = facts.heartbeat_at {
                quietest = Some(quietest.map_or(heard, |other| other.min(heard)));
            }
        }
        // Before the first message nothing can be traded there: its books were never trusted.
        if let Some(message) = message {
            let message = share(now.since(message), own.message_age_max);
            let heartbeat = quietest.map_or(Some(Decimal::ZERO), |heard| {
                share(now.since(heard), own.heartbeat_age_max)
            });
            let mut reading = Reading::new(
                Control::StaleFeed,
                Scope::Venue(venue),
                message
                    .zip(heartbeat)
                    .map(|(message, beat)| message.max(beat)),
                Tier::auto(Decimal::ONE, KillLevel::ReduceOnly),
            );
            reading.cooldown = Some(own.feed_healthy);
            out.push(reading);
        }
        let (limit, warn) = (own.feed_faults_max, own.feed_faults_warn);
        let record = self
            .feed_record
            .faults
            .range_mut((venue, 0)..=(venue, u8::MAX));
        let faults: u64 = record
            .map(|(_, counted)| counted.within(FAULT_WINDOW, now))
            .sum();
        out.push(
            Reading::new(
                Control::FeedFaults,
                Scope::Venue(venue),
                Some(Decimal::from(faults)),
                Tier::auto(Decimal::from(limit), KillLevel::ReduceOnly),
            )
            .warns_at(Decimal::from(warn)),
        );
    }

    /// AT-17 of one book: nothing was heard of it for too long.
    pub(super) fn read_book(
        &self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<Reading>,
    ) {
        let own = &self.limits.controls;
        let Some(mark) = self
            .watches
            .get(instrument.id.index())
            .and_then(|watch| watch.mark)
        else {
            return;
        };
        let mut reading = Reading::new(
            Control::StaleFeed,
            Scope::Instrument(instrument.id),
            share(now.since(mark.received_at), own.book_age_max),
            Tier::auto(Decimal::ONE, KillLevel::ReduceOnly),
        );
        reading.source = Some(instrument.id);
        reading.cooldown = Some(own.feed_healthy);
        out.push(reading);
    }

    /// AT-33: seconds that the open position has no usable price. Its last price goes on valuing it.
    pub(super) fn read_unpriced(
        &mut self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<Reading>,
    ) {
        let own = &self.limits.controls;
        let Some(watch) = self.watches.get_mut(instrument.id.index()) else {
            return;
        };
        let usable = watch.qty().is_zero()
            || (watch.value().is_some()
                && watch
                    .last_mid()
                    .is_some_and(|(_, at)| now.since(at) <= own.price_usable));
        if usable {
            watch.unpriced_since = None;
        }
        let since = (!usable).then(|| *watch.unpriced_since.get_or_insert(now));
        let limit = seconds(own.unpriced_after);
        let mut reading = Reading::new(
            Control::Unpriceable,
            Scope::Symbol(instrument.symbol),
            Some(since.map_or(Decimal::ZERO, |since| seconds(now.since(since)))),
            Tier::auto(limit, KillLevel::ReduceOnly),
        )
        .warns_at(Decimal::MAX);
        reading.source = Some(instrument.id);
        out.push(reading);
    }
}

/// A span in seconds.
pub(super) fn seconds(span: Nanos) -> Decimal {
    Decimal::try_from_i128_with_scale(i128::from(span.0), 9)
        .unwrap_or(Decimal::MAX)
        .normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_a_window() {
        let mut counted = Counted::default();
        let at = |secs: u64| MonoNanos(0).after(Nanos::from_secs(secs));
        counted.on_count(40, at(1));
        assert_eq!(counted.within(FAULT_WINDOW, at(1)), 0, "where it begins");
        counted.on_count(43, at(2));
        counted.on_count(44, at(500));
        assert_eq!(counted.within(FAULT_WINDOW, at(601)), 4);
        assert_eq!(counted.within(FAULT_WINDOW, at(603)), 1);
        assert_eq!(counted.within(FAULT_WINDOW, at(1_101)), 0);
        counted.on_count(45, at(1_102));
        assert_eq!(counted.within(FAULT_WINDOW, at(1_103)), 1);
    }
}
