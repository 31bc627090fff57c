//! What a feed tells the risk monitor: faults, signs of life, and the next funding of its instruments.

use crate::trade::{Fact, FeedFacts};
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::Feed;

/// A next event that moved by less is the same one.
const SAME_EVENT: Nanos = Nanos::from_secs(1);

/// A venue's instant on our monotonic clock; `None` when the venue named none.
pub(super) fn on_our_clock(
    event: UnixNanos,
    received_at: MonoNanos,
    received_time: UnixNanos,
) -> Option<MonoNanos> {
    if event.0 <= 0 {
        return None;
    }
    let ahead = event.signed_since(received_time);
    Some(match u64::try_from(ahead) {
        Ok(ahead) => received_at.after(Nanos(ahead)),
        Err(_) => MonoNanos(received_at.0.saturating_sub(ahead.unsigned_abs())),
    })
}

impl Feed {
    /// Pushes the state of this connection, and next events that moved. `lost`: events its ring had no room for.
    pub fn drain_facts(&mut self, lane: u8, lost: u64, out: &mut Vec<Fact>) {
        out.push(Fact::Feed(FeedFacts {
            venue: self.venue,
            lane,
            faults: self.counters.gaps,
            message_at: self.connection.message_at,
            heartbeat_at: self
                .connection
                .is_open()
                .then_some(self.connection.heard_at),
            lost,
        }));
        for book in &mut self.books {
            let Some(at) = book.next_event else { continue };
            let same = book
                .told_event
                .is_some_and(|told| told.since(at).max(at.since(told)) < SAME_EVENT);
            if !same {
                book.told_event = Some(at);
                out.push(Fact::NextEvent {
                    instrument: book.id,
                    at,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn venue_time_on_our_clock() {
        let (at, time) = (MonoNanos(1_000), UnixNanos(5_000));
        assert_eq!(
            on_our_clock(UnixNanos(5_600), at, time),
            Some(MonoNanos(1_600))
        );
        assert_eq!(
            on_our_clock(UnixNanos(4_600), at, time),
            Some(MonoNanos(600))
        );
        assert_eq!(on_our_clock(UnixNanos(0), at, time), None);
    }
}
