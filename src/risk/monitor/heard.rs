//! What seats told the monitor ([`Fact`]): the last word of each kind, kept for the gate's picture and for the controls.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::market::{InstrumentId, VenueId};
use crate::risk::RiskOutput;
use crate::trade::{Fact, FeedFacts, JournalFacts, LatencyFacts, OrderFacts, VenueFacts};
use crate::units::MonoNanos;

use super::{FeedHealth, Monitor};

/// The last facts of each kind.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// By venue id.
    pub(super) venues: Vec<Option<Arc<VenueFacts>>>,
    /// By instrument id.
    pub(super) orders: Vec<Option<OrderFacts>>,
    /// Next funding or settlement, by instrument id.
    pub(super) next_events: Vec<Option<MonoNanos>>,
    pub(super) feeds: BTreeMap<(VenueId, u8), FeedFacts>,
    pub(super) journal: Option<JournalFacts>,
    pub(super) latency: Option<LatencyFacts>,
    pub(super) scraped_at: Option<MonoNanos>,
}

impl Heard {
    pub(super) fn new(venues: usize, instruments: usize) -> Self {
        Self {
            venues: vec![None; venues],
            orders: vec![None; instruments],
            next_events: vec![None; instruments],
            ..Self::default()
        }
    }

    pub(super) fn venue(&self, venue: VenueId) -> Option<&VenueFacts> {
        self.venues.get(venue.index())?.as_deref()
    }

    pub(super) fn orders(&self, id: InstrumentId) -> Option<&OrderFacts> {
        self.orders.get(id.index())?.as_ref()
    }

    /// Next funding, settlement or announced maintenance of an instrument (PT-51).
    pub(super) fn next_event(&self, id: InstrumentId, venue: VenueId) -> Option<MonoNanos> {
        let own = self.next_events.get(id.index()).copied().flatten();
        let maintenance = self.venue(venue).and_then(|facts| facts.maintenance_at);
        [own, maintenance].into_iter().flatten().min()
    }
}

impl Monitor {
    /// Somebody observed something. Keeps it, and publishes a picture when the gate's depends on it.
    pub fn on_fact(&mut self, fact: &Fact, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        match fact {
            Fact::Venue(facts) => {
                if let Some(slot) = self.heard.venues.get_mut(facts.venue.index()) {
                    *slot = Some(Arc::new((**facts).clone()));
                    self.view_changed = true;
                }
            }
            Fact::Orders(facts) => {
                if let Some(slot) = self.heard.orders.get_mut(facts.instrument.index()) {
                    *slot = Some(*facts);
                    self.view_changed = true;
                }
            }
            Fact::NextEvent { instrument, at } => {
                if let Some(slot) = self.heard.next_events.get_mut(instrument.index()) {
                    *slot = Some(*at);
                    self.view_changed = true;
                }
            }
            Fact::Feed(facts) => {
                FeedHealth::hear(&mut self.feed_health, facts, now);
                self.heard.feeds.insert((facts.venue, facts.lane), *facts);
            }
            Fact::Journal(facts) => {
                self.view_changed |= self.heard.journal != Some(*facts);
                self.heard.journal = Some(*facts);
            }
            Fact::Latency(facts) => self.heard.latency = Some(*facts),
            Fact::Scraped => self.heard.scraped_at = Some(now),
            Fact::SetEnded(_)
            | Fact::LegRisk(_)
            | Fact::Filled(_)
            | Fact::VenueClosed { .. }
            | Fact::Acknowledged
            | Fact::Beat(_)
            | Fact::Time(_)
            | Fact::Funding { .. }
            | Fact::Flow { .. } => {}
        }
        self.after_fact(fact, now, out);
        self.finish(now, out);
    }
}
