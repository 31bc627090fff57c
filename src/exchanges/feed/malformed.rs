//! Frames that cannot be understood: whom they may have concerned, and when there are too many.

use crate::exchanges::frame::{Malformed, SymbolTable};
use crate::exchanges::{Action, ReconnectCause};
use crate::market::TrustCause;
use crate::market::event::EventSink;
use crate::units::{MonoNanos, Nanos};

use super::Feed;
use super::book::Writer;

const WINDOW: Nanos = Nanos::from_secs(60);

/// Malformed frames within the running minute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MalformedWindow {
    began_at: Option<MonoNanos>,
    count: u32,
}

impl MalformedWindow {
    fn count(&mut self, now: MonoNanos) -> u32 {
        if self.began_at.is_none_or(|began| now.since(began) >= WINDOW) {
            self.began_at = Some(now);
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
    pub(super) const fn clear(&mut self) {
        self.began_at = None;
        self.count = 0;
    }
}

/// Whose book a malformed frame may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    None,
    Book(usize),
    All,
}

/// Looks at the stream name alone: whoever writes rubbish there is believed nothing.
fn concern(bytes: &[u8], table: &SymbolTable) -> Concern {
    let named = bytes.strip_prefix(b"{\"stream\":\"").and_then(|rest| {
        let end = rest.iter().take(96).position(|byte| *byte == b'"')?;
        rest.get(..end)
    });
    let Some(name) = named else {
        return Concern::All;
    };
    let mut parts = name.split(|byte| *byte == b'@');
    let symbol = parts.next().unwrap_or_default().to_ascii_uppercase();
    let Some((slot, _)) = table.find(&symbol) else {
        return Concern::All;
    };
    match parts.next() {
        Some(b"trade" | b"aggTrade" | b"markPrice") => Concern::None,
        _ => Concern::Book(slot),
    }
}

impl Feed {
    /// The connection ended at a frame that could not even be read (too large, or text that is no text): it counts as a
    /// frame received and malformed.
    pub fn on_unreadable(
        &mut self,
        malformed: Malformed,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        self.counters.frames_received += 1;
        self.counters.count_malformed(malformed);
        self.reconnect(ReconnectCause::HostileFrames, now, sink, actions);
    }

    pub(super) fn on_malformed(
        &mut self,
        malformed: Malformed,
        bytes: &[u8],
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        self.counters.count_malformed(malformed);
        let is_oversized = matches!(malformed, Malformed::TooLarge { .. });
        if is_oversized || self.malformed.count(now) > self.options.malformed_per_minute_max {
            self.reconnect(ReconnectCause::HostileFrames, now, sink, actions);
            return;
        }
        match concern(bytes, self.decoder.table()) {
            Concern::None => {}
            Concern::All => self.distrust_all(TrustCause::Malformed, now, sink),
            Concern::Book(slot) if self.carries_books() => {
                if let Some(book) = self.books.get_mut(slot) {
                    book.sync.restart();
                    let writer = Writer {
                        instrument: book.id,
                        received_at: now,
                    };
                    writer.distrust(TrustCause::Malformed, sink);
                }
            }
            Concern::Book(_) => {}
        }
    }
}
