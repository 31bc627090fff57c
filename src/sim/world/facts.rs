//! What the live seats tell the risk seat as facts, in virtual time: venues, orders, fills, sets, feeds, journal, beats.

use crate::execution::SetSummary;
use crate::market::VenueId;
use crate::trade::{Fact, Fill, FillFacts, JournalFacts, LatencyFacts, Seat};
use crate::units::{MonoNanos, Price};

use super::World;

/// Slow looks between two tellings of what live seats tell each 100 ms.
const TELL_LOOKS: u64 = 2;
/// Slow looks between two readings of the venues' rules (three minutes).
const RULES_LOOKS: u64 = 3_600;
/// Slow looks a second.
const SECOND_LOOKS: u64 = 20;

impl World {
    /// Tells the monitor one fact.
    pub(super) fn tell(&mut self, fact: &Fact) {
        self.drive_monitor(|monitor, now, out| monitor.on_fact(fact, now, out));
    }

    /// One slow look (50 ms): what is due of the venues, and what is told at a rate.
    pub(super) fn tell_facts(&mut self, look: u64) {
        let now = self.mono();
        let mut facts = Vec::new();
        for seat in &mut self.venues {
            seat.watch.on_gateway(&seat.gateway.facts(now));
            if look.is_multiple_of(RULES_LOOKS) {
                // The virtual venues' rules are those of their setup: they do not change.
                seat.watch.on_rules(now);
            }
            facts.extend(seat.watch.take_due(now));
        }
        if look.is_multiple_of(TELL_LOOKS) {
            self.rated_facts(&mut facts);
        }
        if look.is_multiple_of(SECOND_LOOKS) {
            // What the engine computes takes no virtual time.
            facts.push(Fact::Latency(LatencyFacts::default()));
            facts.push(Fact::Time(self.now));
        }
        for fact in &facts {
            self.tell(fact);
        }
    }

    fn rated_facts(&mut self, facts: &mut Vec<Fact>) {
        let mut lanes = vec![0_u8; self.venues.len()];
        for feed in &mut self.feeds {
            let Some(lane) = lanes.get_mut(feed.venue) else {
                continue;
            };
            feed.machine.drain_facts(*lane, 0, facts);
            *lane += 1;
        }
        // A simulation writes no journal: nothing lags, and the disk it does not use is never full.
        facts.push(Fact::Journal(JournalFacts {
            disk_free_bytes: Some(u64::MAX),
            ..JournalFacts::default()
        }));
        let gateways = (0_u8..)
            .zip(&self.venues)
            .map(|(id, _)| Seat::Gateway(VenueId(id)));
        let seats = [Seat::Signal, Seat::Execution, Seat::Position, Seat::Account];
        facts.extend(seats.into_iter().chain(gateways).map(Fact::Beat));
    }

    /// The pictures of venues that changed.
    pub(super) fn tell_venue(&mut self, venue: usize, now: MonoNanos) {
        let due = self
            .venues
            .get_mut(venue)
            .and_then(|seat| seat.watch.take_due(now));
        if let Some(fact) = due {
            self.tell(&fact);
        }
    }

    /// Orders that changed.
    pub(super) fn tell_orders(&mut self) {
        let mut facts = Vec::new();
        self.desk.drain_facts(&mut facts);
        for fact in &facts {
            self.tell(fact);
        }
    }

    /// An execution was booked.
    pub(super) fn tell_fill(&mut self, fill: &Fill, decision_price: Option<Price>) {
        self.tell(&Fact::Filled(Box::new(FillFacts {
            fill: *fill,
            decision_price,
        })));
    }

    /// A set ended.
    pub(super) fn tell_set(&mut self, summary: &SetSummary) {
        if !summary.reopened {
            let fact = Fact::SetEnded(summary.facts(&self.catalogue));
            self.tell(&fact);
        }
    }
}
