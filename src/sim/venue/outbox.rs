//! Messages on their way: requests that have not reached the engine, answers and events that have not reached a client.
//!
//! A message never overtakes an earlier one on its connection and direction.

use std::collections::BTreeMap;

use crate::prng::Prng;
use crate::units::{Nanos, UnixNanos};

/// Names a WebSocket connection of one venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What the shell does with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// Send one text message.
    Text(String),
    /// Send one text frame of these bytes, valid UTF-8 or not.
    Raw(Vec<u8>),
    /// Close it.
    Close,
}

/// Something under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Travelling {
    /// A client's text on its way in.
    Request(ConnId, String),
    /// An answer or event on its way out.
    Delivery(ConnId, Outgoing),
}

/// The messages under way and those that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    travelling: BTreeMap<(UnixNanos, u64), Travelling>,
    ready: Vec<(ConnId, Outgoing)>,
    last_in: BTreeMap<ConnId, UnixNanos>,
    last_out: BTreeMap<ConnId, UnixNanos>,
    sequence: u64,
    jitter: Nanos,
    prng: Prng,
    /// Added to the next deliveries: a fault.
    pub(crate) extra: Option<(Nanos, u32)>,
}

impl Outbox {
    pub(crate) const fn new(jitter: Nanos, prng: Prng) -> Self {
        Self {
            travelling: BTreeMap::new(),
            ready: Vec::new(),
            last_in: BTreeMap::new(),
            last_out: BTreeMap::new(),
            sequence: 0,
            jitter,
            prng,
            extra: None,
        }
    }

    fn delay(&mut self, base: Nanos) -> Nanos {
        if self.jitter == Nanos::ZERO {
            return base;
        }
        Nanos(
            base.0
                .saturating_add(self.prng.below(self.jitter.0.saturating_add(1))),
        )
    }

    fn put(&mut self, due: UnixNanos, message: Travelling) {
        self.sequence += 1;
        self.travelling.insert((due, self.sequence), message);
    }

    /// A request on its way to the engine; gives it back when it arrives at once.
    pub(crate) fn enter(&mut self, conn: ConnId, text: &str, now: UnixNanos, base: Nanos) -> bool {
        let due = now.after(self.delay(base));
        let last = self.last_in.entry(conn).or_insert(due);
        let due = due.max(*last);
        *last = due;
        if due <= now {
            return true;
        }
        self.put(due, Travelling::Request(conn, text.to_owned()));
        false
    }

    /// Sends to a client.
    pub(crate) fn send(&mut self, conn: ConnId, message: Outgoing, now: UnixNanos, base: Nanos) {
        let mut due = now.after(self.delay(base));
        if let Some((more, count)) = self.extra.take() {
            due = due.after(more);
            self.extra = (count > 1).then_some((more, count.saturating_sub(1)));
        }
        let last = self.last_out.entry(conn).or_insert(due);
        let due = due.max(*last);
        *last = due;
        if due <= now {
            self.ready.push((conn, message));
        } else {
            self.put(due, Travelling::Delivery(conn, message));
        }
    }

    /// When the next message arrives.
    pub(crate) fn next_due(&self) -> Option<UnixNanos> {
        self.travelling.first_key_value().map(|(&(due, _), _)| due)
    }
    /// Takes the next message that arrived by `now`.
    pub(crate) fn arrive(&mut self, now: UnixNanos) -> Option<(UnixNanos, Travelling)> {
        let (&(due, _), _) = self
            .travelling
            .first_key_value()
            .filter(|((due, _), _)| *due <= now)?;
        self.travelling
            .pop_first()
            .map(|(_, message)| (due, message))
    }
    /// A delivery that arrived.
    pub(crate) fn deliver(&mut self, conn: ConnId, message: Outgoing) {
        self.ready.push((conn, message));
    }
    /// Moves what arrived to the shell.
    pub(crate) fn drain(&mut self, out: &mut Vec<(ConnId, Outgoing)>) {
        out.append(&mut self.ready);
    }
    /// Forgets a closed connection.
    pub(crate) fn forget(&mut self, conn: ConnId) {
        self.last_in.remove(&conn);
        self.last_out.remove(&conn);
    }
}
