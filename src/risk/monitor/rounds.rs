//! Which controls are judged after which input: positions and prices at once, facts at once, time only where a condition is
//! one of elapsed time (RISK.md 2.2).

use std::sync::Arc;

use crate::market::{Instrument, InstrumentId, VenueId};
use crate::risk::RiskOutput;
use crate::trade::Fact;
use crate::units::{MonoNanos, UnixNanos};

use super::Monitor;
use super::judge::Reading;

impl Monitor {
    /// An instant of our clock as wall time, by the last word of it; our clock's own origin before that.
    pub(super) fn unix(&self, now: MonoNanos) -> UnixNanos {
        let (wall, at) = self.wall;
        wall.after(now.since(at))
    }

    fn venues(&self) -> impl Iterator<Item = VenueId> + use<> {
        let count = self.catalogue.venue_names().len();
        (0_u8..).map(VenueId).take(count)
    }

    /// A position or a price of an instrument changed.
    pub(super) fn after_value(
        &mut self,
        id: InstrumentId,
        moved: bool,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let catalogue = Arc::clone(&self.catalogue);
        let Some(instrument) = catalogue.get(id) else {
            return;
        };
        self.note_price(instrument.symbol.base, now);
        self.note_symbol(instrument.symbol, now);
        self.note_legs(instrument.symbol.base, now);
        self.refresh_var(moved, now);
        let mut readings = Vec::with_capacity(24);
        self.read_symbol_loss(instrument.symbol, &mut readings);
        self.read_notional(instrument, &mut readings);
        self.read_delta(instrument, &mut readings);
        self.read_legs(instrument.symbol.base, now, &mut readings);
        self.read_unpriced(instrument, now, &mut readings);
        if instrument.symbol.settle.is_some() {
            self.read_distance(instrument.venue, &mut readings);
        }
        self.after_worth(now, &mut readings);
        self.judge_all(&readings, now, out);
    }

    /// Everything that depends on the equity.
    fn after_worth(&mut self, now: MonoNanos, readings: &mut Vec<Reading>) {
        let (venues, whole) = self.equities();
        self.note_equity(&venues, whole, now);
        self.read_scope_losses(readings);
        self.read_drawdown(readings);
        self.read_concentration(&venues, whole, readings);
        self.read_leverage(whole, readings);
        self.read_var(readings);
        self.read_stress(readings);
        self.equity = (venues, whole);
    }

    /// The venue's word on a position.
    pub(super) fn take_word(
        &mut self,
        word: &crate::trade::VenuePosition,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let catalogue = Arc::clone(&self.catalogue);
        let Some(instrument) = catalogue.get(word.instrument) else {
            return;
        };
        self.note_word(instrument, word, now);
        let mut readings = Vec::new();
        self.read_breaks(instrument, now, &mut readings);
        self.judge_all(&readings, now, out);
    }

    /// Something was observed.
    #[expect(clippy::too_many_lines, reason = "one arm a fact")]
    pub(super) fn after_fact(&mut self, fact: &Fact, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let catalogue = Arc::clone(&self.catalogue);
        let mut readings = Vec::with_capacity(16);
        match fact {
            Fact::Venue(facts) => {
                let venue = facts.venue;
                self.note_errors(venue, facts.errors, now);
                self.note_venue(facts, now);
                self.show_reconciled(venue);
                self.read_errors(venue, now, &mut readings);
                self.read_margin(venue, &mut readings);
                self.read_distance(venue, &mut readings);
                self.read_deadman(venue, now, &mut readings);
                self.read_balances(venue, now, &mut readings);
                self.after_worth(now, &mut readings);
            }
            Fact::Orders(facts) => {
                if let Some(instrument) = catalogue.get(facts.instrument) {
                    self.note_orders(facts, now);
                    self.note_open(instrument.venue, now);
                    self.read_orders(instrument, now, &mut readings);
                    self.read_ratio(instrument.venue, now, &mut readings);
                }
            }
            Fact::Feed(facts) => {
                self.note_feed(facts, now);
                self.read_feeds(facts.venue, now, &mut readings);
                self.read_latency(now, &mut readings);
            }
            Fact::Filled(facts) => {
                if let Some(instrument) = catalogue.get(facts.fill.instrument) {
                    self.on_filled(facts, instrument, now, &mut readings);
                }
            }
            Fact::SetEnded(facts) => {
                self.legs.on_end(facts);
                self.quality.on_set(facts, &self.limits.controls);
                self.note_set(facts, now, out);
                self.read_quality(facts.strategy, &mut readings);
            }
            Fact::LegRisk(facts) => self.read_leg_risk(facts, now, &mut readings),
            Fact::VenueClosed { instrument } => {
                if let Some(instrument) = catalogue.get(*instrument) {
                    self.note_venue_close(instrument, &mut readings);
                }
            }
            Fact::Latency(_) => self.read_latency(now, &mut readings),
            Fact::Beat(seat) => self.beats.on_beat(*seat),
            Fact::Scraped => self.read_people(now, &mut readings),
            Fact::Acknowledged => self.acknowledged(now, out),
            Fact::Funding {
                venue, asset, paid, ..
            } => {
                // Paid in the account's asset: a loss like any other.
                self.own_books.add(*venue, *asset, -*paid);
                self.after_worth(now, &mut readings);
            }
            Fact::Flow {
                venue,
                asset,
                amount,
            } => {
                self.own_books.add(*venue, *asset, *amount);
                let value = self.rate(*asset).and_then(|rate| rate.checked_mul(*amount));
                if let Some(value) = value {
                    self.note_flow(*venue, value);
                }
                self.after_worth(now, &mut readings);
            }
            Fact::Time(wall) => self.wall = (*wall, now),
            Fact::Journal(_) | Fact::NextEvent { .. } => {}
        }
        self.judge_all(&readings, now, out);
    }

    fn on_filled(
        &mut self,
        facts: &crate::trade::FillFacts,
        instrument: &Instrument,
        now: MonoNanos,
        readings: &mut Vec<Reading>,
    ) {
        let fill = &facts.fill;
        let (base, quote) = (instrument.symbol.base, instrument.symbol.quote);
        // A fee in a third asset is no part of the position's own cash.
        if let Some(asset) = fill.fee_asset
            && asset != quote
            && (asset != base || instrument.symbol.settle.is_some())
        {
            self.own_books.add(instrument.venue, asset, -fill.fee);
        }
        self.legs.on_fill(instrument, fill);
        self.quality
            .on_fill(facts, instrument, &self.limits.controls);
        self.note_legs(base, now);
        self.note_fill(instrument, facts, readings);
        self.read_legs(base, now, readings);
        if let Some(strategy) = fill.strategy {
            self.read_quality(strategy, readings);
        }
    }

    /// A person has seen the open critical alerts.
    pub(super) fn acknowledged(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.people.acknowledge();
        let mut readings = Vec::new();
        self.read_people(now, &mut readings);
        self.judge_all(&readings, now, out);
    }

    /// Conditions of elapsed time.
    pub(super) fn after_time(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let catalogue = Arc::clone(&self.catalogue);
        let mut readings = Vec::with_capacity(128);
        for instrument in catalogue.all() {
            self.read_orders(instrument, now, &mut readings);
            self.read_book(instrument, now, &mut readings);
            self.read_unpriced(instrument, now, &mut readings);
            self.read_breaks(instrument, now, &mut readings);
        }
        let mut bases: Vec<_> = catalogue.all().iter().map(|one| one.symbol.base).collect();
        bases.sort_unstable();
        bases.dedup();
        for base in bases {
            self.read_legs(base, now, &mut readings);
        }
        for venue in self.venues() {
            self.read_feeds(venue, now, &mut readings);
            self.read_errors(venue, now, &mut readings);
            self.read_deadman(venue, now, &mut readings);
            self.read_balances(venue, now, &mut readings);
            self.read_ratio(venue, now, &mut readings);
        }
        self.refresh_var(false, now);
        self.read_beats(now, &mut readings);
        self.read_latency(now, &mut readings);
        self.read_people(now, &mut readings);
        self.read_unvalued(now, &mut readings);
        self.read_health(&mut readings);
        self.after_worth(now, &mut readings);
        self.judge_all(&readings, now, out);
    }
}
