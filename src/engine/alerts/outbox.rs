//! What one receiver is still to be told: without repeats, at a bounded rate, with retries, and never more than it can hold.

use std::collections::{BTreeMap, VecDeque};

use crate::risk::Severity;
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::{Note, SinkTerms};

/// Alerts that wait for one receiver. Beyond it the oldest of the quietest is dropped, and counted.
const WAITING_MAX: usize = 256;
/// Alerts remembered as open. Beyond it the oldest is forgotten.
const OPEN_MAX: usize = 1_024;
/// The same alert is said again only after this long.
const REPEAT_AFTER: Nanos = Nanos::from_secs(300);
/// The span of a rate.
const MINUTE: Nanos = Nanos::from_secs(60);
/// Pause after the first failure; it doubles up to the longest.
const BACKOFF: Nanos = Nanos::from_secs(1);
/// Longest pause.
const BACKOFF_MAX: Nanos = Nanos::from_secs(60);
/// An alert is given up after so many attempts.
const ATTEMPTS_MAX: u32 = 10;

/// How a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Sent,
    /// It may go better later: no answer, 429 or 5xx.
    Retry,
    /// It will never take it: another 4xx.
    Refused,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this body, then tell [`Outbox::on_outcome`].
    Send(String),
    /// Nothing before this instant; `None`: nothing at all.
    Wait(Option<MonoNanos>),
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages taken by the receiver.
    pub sent: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts dropped: no room, refused, or too many attempts.
    pub dropped: u64,
    /// Alerts not said again because they were open already, or because a louder word on the same took their place.
    pub repeated: u64,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    since: UnixNanos,
    said_at: MonoNanos,
    severity: Severity,
}

/// One receiver's queue.
#[derive(Debug, Clone)]
pub struct Outbox {
    terms: SinkTerms,
    waiting: VecDeque<(Note, UnixNanos)>,
    open: BTreeMap<(String, String), Open>,
    /// When the messages of the last minute were sent.
    recent: VecDeque<MonoNanos>,
    in_flight: Option<(Note, UnixNanos)>,
    attempts: u32,
    not_before: MonoNanos,
    counts: Counts,
}

impl Outbox {
    /// Empty.
    #[must_use]
    pub const fn new(terms: SinkTerms) -> Self {
        Self {
            terms,
            waiting: VecDeque::new(),
            open: BTreeMap::new(),
            recent: VecDeque::new(),
            in_flight: None,
            attempts: 0,
            not_before: MonoNanos(0),
            counts: Counts {
                sent: 0,
                failed: 0,
                dropped: 0,
                repeated: 0,
            },
        }
    }

    /// Takes an alert. One that is open already (same kind and scope) is not said again within five minutes unless it is
    /// louder now; the end of one that was never said is not said either.
    pub fn add(&mut self, note: &Note, now: MonoNanos) {
        let key = (note.kind.clone(), note.scope.clone());
        let known = self.open.get(&key).copied();
        let mut note = note.clone().cleaned();
        if !note.raised {
            let Some(open) = self.open.remove(&key) else {
                return;
            };
            // Under the labels it began with, so that the receiver knows it again.
            note.severity = open.severity;
            self.push(note, open.since);
            return;
        }
        if note.severity < self.terms.min_severity {
            return;
        }
        let is_repeat = known.is_some_and(|open| {
            now.since(open.said_at) < REPEAT_AFTER && note.severity <= open.severity
        });
        if is_repeat {
            self.counts.repeated += 1;
            return;
        }
        if self.open.len() >= OPEN_MAX {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.said_at);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.open.remove(&oldest);
            }
        }
        let since = known.map_or(note.at, |open| open.since);
        let open = Open {
            since,
            said_at: now,
            severity: note.severity,
        };
        self.open.insert(key, open);
        self.push(note, since);
    }

    fn push(&mut self, note: Note, since: UnixNanos) {
        // What was quieter of the same alert would arrive after it, and contradict it.
        let before = self.waiting.len();
        self.waiting
            .retain(|(other, _)| !same_alert(other, &note) || other.severity >= note.severity);
        let replaced = before - self.waiting.len();
        self.counts.repeated += u64::try_from(replaced).unwrap_or(u64::MAX);
        self.waiting.push_back((note, since));
        if self.waiting.len() > WAITING_MAX {
            let quietest = self.waiting.iter().map(|(note, _)| note.severity).min();
            let at = self
                .waiting
                .iter()
                .position(|(note, _)| Some(note.severity) == quietest);
            if let Some(at) = at {
                self.waiting.remove(at);
            }
            self.counts.dropped += 1;
        }
    }

    /// Where the first of the loudest waits.
    fn loudest(&self) -> Option<usize> {
        let most = self.waiting.iter().map(|(note, _)| note.severity).max();
        self.waiting
            .iter()
            .position(|(note, _)| Some(note.severity) == most)
    }

    fn has_critical(&self) -> bool {
        let mut all = self.waiting.iter().map(|(note, _)| note);
        all.any(|note| note.severity == Severity::Critical)
    }

    /// The next message, if one may go now: the loudest first, in their order. Nothing else goes until its outcome is told. A
    /// critical one waits for no rate, and takes the place of a quieter one that waits to be tried again.
    pub fn next(&mut self, now: MonoNanos) -> Next {
        if let Some((note, _)) = &self.in_flight
            && note.severity < Severity::Critical
            && self.has_critical()
            && let Some(retried) = self.in_flight.take()
        {
            let louder_waits = |(note, _): &(Note, UnixNanos)| {
                same_alert(note, &retried.0) && note.severity > retried.0.severity
            };
            if self.waiting.iter().any(louder_waits) {
                self.counts.repeated += 1;
            } else {
                self.waiting.push_front(retried);
            }
            self.attempts = 0;
            self.not_before = now;
        }
        if self.in_flight.is_none() && self.waiting.is_empty() {
            return Next::Wait(None);
        }
        if now < self.not_before {
            return Next::Wait(Some(self.not_before));
        }
        while self
            .recent
            .front()
            .is_some_and(|sent| now.since(*sent) >= MINUTE)
        {
            self.recent.pop_front();
        }
        if self.in_flight.is_none() {
            let loudest = self.loudest();
            self.in_flight = loudest.and_then(|at| self.waiting.remove(at));
        }
        let most = usize::try_from(self.terms.rate_max.max(1)).unwrap_or(usize::MAX);
        let is_critical =
            matches!(&self.in_flight, Some((note, _)) if note.severity == Severity::Critical);
        if !is_critical
            && self.recent.len() >= most
            && let Some(oldest) = self.recent.front()
        {
            return Next::Wait(Some(oldest.after(MINUTE)));
        }
        let Some((note, since)) = &self.in_flight else {
            return Next::Wait(None);
        };
        if note.severity < Severity::Critical {
            self.recent.push_back(now);
        }
        Next::Send(note.body(&self.terms, *since))
    }

    /// How the message of [`Outbox::next`] went.
    pub fn on_outcome(&mut self, outcome: Outcome, now: MonoNanos) {
        self.attempts += 1;
        match outcome {
            Outcome::Sent => self.counts.sent += 1,
            Outcome::Retry if self.attempts < ATTEMPTS_MAX => {
                self.counts.failed += 1;
                let doubled = BACKOFF.0.saturating_mul(1 << (self.attempts - 1).min(16));
                self.not_before = now.after(Nanos(doubled.min(BACKOFF_MAX.0)));
                return;
            }
            Outcome::Retry | Outcome::Refused => {
                self.counts.failed += 1;
                self.counts.dropped += 1;
            }
        }
        self.in_flight = None;
        self.attempts = 0;
    }

    /// Alerts not sent yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len() + usize::from(self.in_flight.is_some())
    }
    /// Counters since the start.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }
    /// How it is served.
    #[must_use]
    pub const fn terms(&self) -> &SinkTerms {
        &self.terms
    }
}

fn same_alert(one: &Note, other: &Note) -> bool {
    one.kind == other.kind && one.scope == other.scope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::alerts::SinkKind;

    const fn at(secs: u64) -> MonoNanos {
        MonoNanos(secs * 1_000_000_000)
    }

    fn note(kind: &str, severity: Severity, raised: bool) -> Note {
        Note {
            at: UnixNanos(5),
            severity,
            kind: kind.to_owned(),
            scope: "spot_a".to_owned(),
            raised,
            text: kind.to_owned(),
        }
    }

    fn outbox(rate_max: u32) -> Outbox {
        Outbox::new(SinkTerms {
            name: "ops".to_owned(),
            kind: SinkKind::Slack,
            chat: None,
            min_severity: Severity::Warning,
            rate_max,
        })
    }

    /// Sends all that may go now.
    fn sent(own: &mut Outbox, now: MonoNanos) -> usize {
        let mut count = 0;
        while let Next::Send(_) = own.next(now) {
            own.on_outcome(Outcome::Sent, now);
            count += 1;
        }
        count
    }

    #[test]
    fn repeats_are_said_once_and_ends_only_of_what_was_said() {
        let mut own = outbox(100);
        own.add(&note("a", Severity::Info, true), at(1));
        own.add(&note("a", Severity::Warning, false), at(1));
        assert_eq!(
            sent(&mut own, at(1)),
            0,
            "too quiet, and the end of nothing"
        );
        for second in 1..100 {
            own.add(&note("a", Severity::Warning, true), at(second));
        }
        assert_eq!((sent(&mut own, at(100)), own.counts().repeated), (1, 98));
        own.add(&note("a", Severity::Critical, true), at(101));
        own.add(&note("a", Severity::Critical, true), at(402));
        own.add(&note("a", Severity::Info, false), at(403));
        own.add(&note("a", Severity::Info, false), at(404));
        assert_eq!(
            sent(&mut own, at(405)),
            3,
            "louder, again after five minutes, its end once"
        );
    }

    #[test]
    fn a_flood_is_bounded_in_number_and_rate() {
        let mut own = outbox(10);
        own.add(&note("first", Severity::Critical, true), at(1));
        for index in 0..10_000 {
            own.add(&note(&format!("k{index}"), Severity::Warning, true), at(1));
        }
        assert_eq!((own.waiting(), own.counts().dropped), (256, 9_745));
        let Next::Send(body) = own.next(at(1)) else {
            panic!("one may go");
        };
        assert!(body.contains("first"), "the louder one was kept");
        own.on_outcome(Outcome::Sent, at(1));
        assert_eq!(
            sent(&mut own, at(1)),
            10,
            "the critical one counts for no rate"
        );
        assert_eq!(own.next(at(2)), Next::Wait(Some(at(61))));
        assert_eq!(sent(&mut own, at(61)), 10);
    }

    #[test]
    fn a_dead_receiver_is_asked_ever_more_rarely_and_given_up() {
        let mut own = outbox(1_000);
        own.add(&note("a", Severity::Critical, true), at(0));
        let (mut now, mut pauses) = (at(0), Vec::new());
        while let Next::Send(_) = own.next(now) {
            own.on_outcome(Outcome::Retry, now);
            if let Next::Wait(Some(then)) = own.next(now) {
                pauses.push(then.since(now));
                now = then;
            }
        }
        assert_eq!(
            pauses,
            [1, 2, 4, 8, 16, 32, 60, 60, 60].map(Nanos::from_secs)
        );
        assert_eq!((own.counts().failed, own.counts().dropped), (10, 1));
        own.add(&note("b", Severity::Critical, true), now);
        assert!(matches!(own.next(now), Next::Send(_)));
        own.on_outcome(Outcome::Refused, now);
        assert_eq!((own.waiting(), own.counts().dropped), (0, 2));
    }
}
