//! AT-27 to AT-32: errors of venues, latency and rings, beats of seats, dead-man switches, people and the watch over us.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::VenueId;
use crate::risk::{AlertKind, KillLevel, RiskOutput, Scope, Severity};
use crate::trade::{DeadMan, Seat};
use crate::units::{MonoNanos, Nanos, Ppm};

use super::Monitor;
use super::exposure::{over, ratio};
use super::feeds::{Counted, seconds};
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Window of AT-27.
const ERROR_WINDOW: Nanos = Nanos::from_secs(300);
/// An event lost in a ring counts for this long (AT-28).
const LOST_WINDOW: Nanos = Nanos::from_secs(60);
/// One beat.
const BEAT: Nanos = Nanos::from_millis(100);

/// Errors of venues over time.
#[derive(Debug, Default)]
pub(super) struct ErrorRecord(BTreeMap<VenueId, Counted>);

/// Beats of seats. Missed ones are counted by our own ticks, so that a stall of this seat blames no other.
#[derive(Debug, Default)]
pub(super) struct Beats {
    missed: BTreeMap<Seat, u32>,
    ticked_at: Option<MonoNanos>,
}

impl Beats {
    /// A seat lives.
    pub(super) fn on_beat(&mut self, seat: Seat) {
        self.missed.insert(seat, 0);
    }
    /// Our own time passes.
    fn tick(&mut self, now: MonoNanos) {
        let ticked = self.ticked_at.get_or_insert(now);
        if now.since(*ticked) < BEAT {
            return;
        }
        *ticked = now;
        for missed in self.missed.values_mut() {
            *missed = missed.saturating_add(1);
        }
    }
    fn worst(&self) -> u32 {
        self.missed.values().copied().max().unwrap_or(0)
    }
}

/// Open critical alerts that no person acknowledged.
#[derive(Debug, Default)]
pub(super) struct People {
    open: BTreeMap<(AlertKind, Scope), MonoNanos>,
}

impl People {
    /// An alert is critical from now on, or not any more.
    pub(super) fn note(&mut self, kind: AlertKind, scope: Scope, critical: bool, now: MonoNanos) {
        if critical {
            self.open.entry((kind, scope)).or_insert(now);
        } else {
            self.open.remove(&(kind, scope));
        }
    }
    /// What a forced close said. A hand-over or a broken postcondition stands until the position is closed again, or a person
    /// has seen it; what blocks or delays a close ends with it.
    pub(super) fn on_close_said(&mut self, said: &[RiskOutput], now: MonoNanos) {
        for output in said {
            let RiskOutput::Alert(alert) = output else {
                continue;
            };
            let critical = alert.raised && alert.severity == Severity::Critical;
            if matches!(
                alert.kind,
                AlertKind::CloseBlocked
                    | AlertKind::CloseEscalated
                    | AlertKind::CloseHandover
                    | AlertKind::ClosePostcondition
            ) {
                self.note(alert.kind, alert.scope, critical, now);
            }
            if alert.kind == AlertKind::CloseStarted {
                self.note(AlertKind::CloseBlocked, alert.scope, false, now);
                self.note(AlertKind::CloseEscalated, alert.scope, false, now);
            }
            if alert.kind == AlertKind::CloseStarted && alert.raised {
                self.note(AlertKind::CloseHandover, alert.scope, false, now);
                self.note(AlertKind::ClosePostcondition, alert.scope, false, now);
            }
        }
    }
    /// A person has seen everything that is open.
    pub(super) fn acknowledge(&mut self) {
        self.open.clear();
    }
    fn oldest(&self) -> Option<MonoNanos> {
        self.open.values().copied().min()
    }
}

impl Monitor {
    /// Keeps the errors of one venue.
    pub(super) fn note_errors(&mut self, venue: VenueId, errors: u64, now: MonoNanos) {
        let counted = self.error_record.0.entry(venue).or_insert_with(|| {
            let mut counted = Counted::default();
            counted.on_count(0, now);
            counted
        });
        counted.on_count(errors, now);
    }

    /// AT-27 of one venue.
    pub(super) fn read_errors(&mut self, venue: VenueId, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let Some(counted) = self.error_record.0.get_mut(&venue) else {
            return;
        };
        let errors = counted.within(ERROR_WINDOW, now);
        let reading = Reading::new(
            Control::VenueErrors,
            Scope::Venue(venue),
            Some(Decimal::from(errors)),
            Tier::auto(Decimal::from(own.errors_max), KillLevel::ReduceOnly),
        );
        let hard = Tier::auto(Decimal::from(own.errors_cancel), KillLevel::CancelAll);
        out.push(reading.then(hard));
    }

    /// AT-28. A lost event stands for a full ring; a slow decision for one that warns.
    pub(super) fn read_latency(&mut self, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let record = self.feed_record.lost.values_mut();
        let lost: u64 = record.map(|counted| counted.within(LOST_WINDOW, now)).sum();
        let facts = self.heard.latency.unwrap_or_default();
        let slow = facts.tick_to_decision_p99 > own.decision_latency_warn;
        let warn = ratio(own.ring_warn);
        let just_above = warn.saturating_add(Decimal::new(1, 6));
        let mut used = ratio(facts.ring_used);
        if slow {
            used = used.max(just_above);
        }
        if lost > 0 {
            used = used.max(ratio(Ppm::ONE));
        }
        let reading = Reading::new(
            Control::Latency,
            Scope::Portfolio,
            Some(used),
            Tier::auto(ratio(own.ring_max), KillLevel::ReduceOnly),
        );
        out.push(reading.warns_at(warn));
    }

    /// AT-29, on our own ticks.
    pub(super) fn read_beats(&mut self, now: MonoNanos, out: &mut Vec<Reading>) {
        self.beats.tick(now);
        let own = &self.limits.controls;
        // The beat that is due now is not missed yet.
        let missed = self.beats.worst().saturating_sub(1);
        let reading = Reading::new(
            Control::Heartbeat,
            Scope::Portfolio,
            Some(Decimal::from(missed)),
            Tier::latched(Decimal::from(own.beats_max), KillLevel::CancelAll),
        );
        let warn = own.beats_warn.saturating_sub(1);
        out.push(reading.warns_at(Decimal::from(warn)));
    }

    /// AT-30 of one venue. A venue without the switch, or whose switch is not used, has no age.
    pub(super) fn read_deadman(&self, venue: VenueId, now: MonoNanos, out: &mut Vec<Reading>) {
        let Some(DeadMan::Armed {
            refreshed_at,
            window,
        }) = self.heard.venue(venue).map(|facts| facts.dead_man)
        else {
            return;
        };
        let age = Decimal::from(now.since(refreshed_at).0);
        out.push(Reading::new(
            Control::DeadMan,
            Scope::Venue(venue),
            over(age, Decimal::from(window.0.max(1))),
            Tier::auto(
                ratio(self.limits.controls.deadman_age_max),
                KillLevel::ReduceOnly,
            ),
        ));
    }

    /// AT-31 and AT-32.
    pub(super) fn read_people(&mut self, now: MonoNanos, out: &mut Vec<Reading>) {
        let began = *self.began_at.get_or_insert(now);
        let own = &self.limits.controls;
        let age = |since: MonoNanos| seconds(now.since(since));
        out.push(Reading::new(
            Control::Unacknowledged,
            Scope::Portfolio,
            Some(self.people.oldest().map_or(Decimal::ZERO, age)),
            Tier::latched(seconds(own.acknowledge_within), KillLevel::CancelAll),
        ));
        let required = own.scrape_required.then_some(began);
        if let Some(since) = self.heard.scraped_at.or(required) {
            let reading = Reading::new(
                Control::Unscraped,
                Scope::Portfolio,
                Some(age(since)),
                Tier::auto(seconds(own.scrape_age_max), KillLevel::ReduceOnly),
            );
            out.push(reading.warns_at(seconds(own.scrape_age_warn)));
        }
    }
}
