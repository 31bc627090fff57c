//! What a run saw in its order: levels, orders that left, executions, and what rested at the venues. For tests of what a kill
//! level lets out, by a second pair of eyes: nothing here is read by the engine.

use crate::market::VenueId;
use crate::risk::LevelChange;
use crate::trade::{Fill, Ticket};
use crate::units::{Nanos, Qty};

use super::World;

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A kill level changed.
    Level(LevelChange),
    /// An order left for its venue.
    Sent {
        /// Which.
        ticket: Ticket,
        /// The position by our books at that moment.
        position: Qty,
    },
    /// An execution was booked, once.
    Filled {
        /// Which.
        fill: Fill,
        /// The position by our books afterwards.
        position: Qty,
    },
    /// Orders that rest at a venue, whoever placed them, by the venue's own books. Told when the number changes.
    Resting {
        /// Where.
        venue: VenueId,
        /// How many.
        count: usize,
    },
}

/// Everything seen, with the time since the engine's start.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) seen: Vec<(Nanos, Seen)>,
    resting: Vec<usize>,
}

impl World {
    /// Notes a thing as it happens.
    pub(super) fn note(&mut self, what: Seen) {
        let at = self.since_start();
        self.record.seen.push((at, what));
    }

    /// Notes what rests at the venues now.
    pub(super) fn note_resting(&mut self) {
        self.record.resting.resize(self.venues.len(), 0);
        for index in 0..self.venues.len() {
            let count = self
                .venues
                .get(index)
                .map_or(0, |seat| seat.core.resting_count());
            let known = self.record.resting.get_mut(index);
            if known.is_some_and(|known| std::mem::replace(known, count) != count)
                && let Ok(venue) = u8::try_from(index)
            {
                let venue = VenueId(venue);
                self.note(Seen::Resting { venue, count });
            }
        }
    }
}
