//! Plays a tape into the core: when each event is due, and what a recording waits for.

use crate::sim::tape::{MarketChange, Tape, TapeEvent};
use crate::sim::venue::VenueCore;
use crate::units::{Nanos, UnixNanos};

use super::Pace;

/// A recording starts this long after its first listener even if not everything is subscribed.
const GATE_WAIT: Nanos = Nanos::from_secs(10);
/// After the last depth subscription: time for the other streams of the same client.
const GATE_SETTLE: Nanos = Nanos::from_millis(250);
/// A recording stands at most this long at a snapshot nobody asks for.
const SNAPSHOT_WAIT: Nanos = Nanos::from_secs(5);
/// A modelled tape that begins within this span of now keeps its own instants.
const OWN_TIME_SPAN: Nanos = Nanos::from_secs(60);

/// What the player does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An event is due now.
    Play,
    /// Nothing before this instant.
    At(UnixNanos),
    /// Nothing before somebody connects, subscribes or asks.
    Wait,
    /// The tape ended.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A recording without (all of) its listeners. Since when all are there.
    Gate(Option<UnixNanos>),
    Playing,
    /// Standing at a snapshot of this symbol, until then.
    AtSnapshot(usize, UnixNanos),
}

/// A tape being played.
pub(super) struct Player {
    tape: Box<dyn Tape + Send>,
    next: Option<TapeEvent>,
    pace: Pace,
    stage: Stage,
    is_recorded: bool,
    /// Tape time and wall time that belong together.
    anchor: Option<(UnixNanos, UnixNanos)>,
}

impl Player {
    pub(super) fn new(mut tape: Box<dyn Tape + Send>, pace: Pace) -> Self {
        let next = tape.next();
        let is_recorded = next.as_ref().is_some_and(|event| {
            matches!(
                event.change,
                MarketChange::Frame { .. } | MarketChange::Snapshot { .. }
            )
        });
        let waits = is_recorded || pace == Pace::Max;
        let stage = if waits {
            Stage::Gate(None)
        } else {
            Stage::Playing
        };
        Self {
            tape,
            next,
            pace,
            stage,
            is_recorded,
            anchor: None,
        }
    }

    pub(super) const fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// What to do at `now`; `first_heard` is when the first client came.
    pub(super) fn next(
        &mut self,
        core: &VenueCore,
        first_heard: Option<UnixNanos>,
        now: UnixNanos,
    ) -> Next {
        match self.stage {
            Stage::Gate(since) => {
                let Some(first_heard) = first_heard else {
                    return Next::Wait;
                };
                let all_heard =
                    (0..core.setup().symbols.len()).all(|symbol| core.depth_is_heard(symbol));
                let deadline = first_heard.after(GATE_WAIT);
                let since = all_heard.then(|| since.unwrap_or(now));
                self.stage = Stage::Gate(since);
                let open = since.map_or(deadline, |since| since.after(GATE_SETTLE).min(deadline));
                if now < open {
                    return Next::At(open);
                }
                self.stage = Stage::Playing;
            }
            Stage::AtSnapshot(symbol, deadline) => {
                if !core.depth_was_requested(symbol) && now < deadline {
                    return Next::At(deadline);
                }
                self.stage = Stage::Playing;
                // The time spent standing does not count.
                self.anchor = None;
            }
            Stage::Playing => {}
        }
        let Some(event) = &self.next else {
            return Next::Done;
        };
        let due = self.due(event.at, now);
        if due <= now {
            Next::Play
        } else {
            Next::At(due)
        }
    }

    fn due(&mut self, at: UnixNanos, now: UnixNanos) -> UnixNanos {
        let speed = match self.pace {
            Pace::Max => return now,
            Pace::RealTime => 1,
            Pace::Times(times) => i64::from(times.max(1)),
        };
        let keeps_own = !self.is_recorded
            && speed == 1
            && at.signed_since(now).unsigned_abs() <= OWN_TIME_SPAN.0;
        let (tape_zero, wall_zero) =
            *self
                .anchor
                .get_or_insert(if keeps_own { (at, at) } else { (at, now) });
        let gap = at.signed_since(tape_zero).max(0).div_euclid(speed);
        wall_zero.after(Nanos(gap.unsigned_abs()))
    }

    /// Takes the event that is due.
    pub(super) fn take(&mut self, now: UnixNanos) -> Option<TapeEvent> {
        let event = self.next.take()?;
        self.next = self.tape.next();
        if let MarketChange::Snapshot { .. } = event.change {
            self.stage = Stage::AtSnapshot(event.symbol, now.after(SNAPSHOT_WAIT));
        }
        Some(event)
    }
}
