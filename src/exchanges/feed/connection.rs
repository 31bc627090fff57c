//! The connection's life: opening, subscribing, silence, staleness, rotation, loss.

use crate::exchanges::binance::streams::subscriptions;
use crate::exchanges::{Action, Channel, ReconnectCause};
use crate::market::TrustCause;
use crate::market::event::EventSink;
use crate::units::{MonoNanos, Nanos};

use super::book::Writer;
use super::{Feed, SubscribeBy};

/// The first wait before a connection is tried again, and the longest.
pub(super) const RECONNECT_WAIT_FIRST: Nanos = Nanos::from_millis(250);
pub(super) const RECONNECT_WAIT_CAP: Nanos = Nanos::from_secs(30);
/// A connection that stood this long was a good one: the next wait is short again.
const STOOD_LONG: Nanos = Nanos::from_secs(60);
/// A planned replacement of an even younger connection waits like a failed one, or a confused venue makes us spin.
const STOOD_SHORT: Nanos = Nanos::from_secs(10);

/// Where the connection stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection {
    opened_at: Option<MonoNanos>,
    rotate_at: MonoNanos,
    pub(super) heard_at: MonoNanos,
    /// Last message.
    pub(super) message_at: Option<MonoNanos>,
    /// Subscription requests without an answer.
    unacknowledged: Vec<u64>,
    acknowledge_by: MonoNanos,
    next_subscription: u64,
}

impl Connection {
    pub(super) const fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }
    /// An answer to one of our requests arrived.
    pub(super) fn acknowledge(&mut self, id: u64) {
        self.unacknowledged.retain(|waiting| *waiting != id);
    }
}

impl Feed {
    fn stream_names(&self) -> Vec<String> {
        let Some(lane) = self.lane else {
            return Vec::new();
        };
        let table = self.decoder.table();
        lane.streams(
            (0..table.len()).filter_map(|slot| table.native(slot)),
            &self.options,
        )
    }

    /// Begins: asks for the connection. A lane without any wanted stream asks for nothing.
    pub fn start(&mut self, now: MonoNanos, actions: &mut Vec<Action>) {
        self.connection.heard_at = now;
        let names = self.stream_names();
        let Some(lane) = self.lane.filter(|_| !names.is_empty()) else {
            return;
        };
        let target = match self.options.subscribe_by {
            SubscribeBy::Address => lane.target(&names),
            SubscribeBy::Message => lane.bare_target(),
        };
        actions.push(Action::Open {
            channel: Channel::Market,
            target,
        });
    }

    /// The connection stands: subscribe, unless the address did.
    pub fn on_open(&mut self, now: MonoNanos, actions: &mut Vec<Action>) {
        let jitter = Nanos(
            self.prng
                .below(self.options.rotate_jitter.0.saturating_add(1)),
        );
        let age = Nanos(self.options.rotate_after.0.saturating_sub(jitter.0));
        self.connection.opened_at = Some(now);
        self.connection.rotate_at = now.after(age);
        self.connection.heard_at = now;
        self.connection.unacknowledged.clear();
        for book in &mut self.books {
            book.restart(now);
        }
        if self.options.subscribe_by == SubscribeBy::Message {
            let first = self.connection.next_subscription;
            for (text, id) in subscriptions(&self.stream_names(), first)
                .into_iter()
                .zip(first..)
            {
                actions.push(Action::Send {
                    channel: Channel::Market,
                    text,
                });
                self.connection.unacknowledged.push(id);
                self.connection.next_subscription = id + 1;
            }
            self.connection.acknowledge_by = now.after(self.options.acknowledge_within);
        }
    }

    /// The connection was lost, or could not be made.
    pub fn on_closed(
        &mut self,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        self.reconnect(ReconnectCause::Lost, now, sink, actions);
    }

    /// A sign of life without content, such as a ping.
    pub const fn on_ping(&mut self, now: MonoNanos) {
        self.connection.heard_at = now;
    }

    /// Our own ring lost events: every book is rebuilt from a new snapshot.
    pub fn resync(
        &mut self,
        now: MonoNanos,
        sink: &mut impl EventSink,
        _actions: &mut Vec<Action>,
    ) {
        self.distrust_all(TrustCause::RingFull, now, sink);
    }

    /// Lets time pass: staleness, silence, snapshot retries, rotation. Call about every 100 ms.
    pub fn on_timer(
        &mut self,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        if !self.connection.is_open() {
            return;
        }
        let connection = &self.connection;
        let cause = if now >= connection.rotate_at {
            Some(ReconnectCause::Rotation)
        } else if now.since(connection.heard_at) >= self.options.silence_after {
            Some(ReconnectCause::Silence)
        } else if !connection.unacknowledged.is_empty() && now >= connection.acknowledge_by {
            Some(ReconnectCause::Subscription)
        } else {
            None
        };
        if let Some(cause) = cause {
            self.reconnect(cause, now, sink, actions);
            return;
        }
        self.note_stale(now, sink);
        self.ask_due_snapshots(now, sink, actions);
    }

    fn note_stale(&mut self, now: MonoNanos, sink: &mut impl EventSink) {
        if !self.carries_books() {
            return;
        }
        for book in &mut self.books {
            if !book.is_stale && now.since(book.heard_at) >= self.options.stale_after {
                book.is_stale = true;
                self.counters.stale += 1;
                let writer = Writer {
                    instrument: book.id,
                    received_at: now,
                };
                writer.distrust(TrustCause::Stale, sink);
            }
        }
    }

    /// Every book of this connection is wrong from now on, and is built anew.
    pub(super) fn distrust_all(
        &mut self,
        cause: TrustCause,
        now: MonoNanos,
        sink: &mut impl EventSink,
    ) {
        if !self.carries_books() {
            return;
        }
        for book in &mut self.books {
            book.sync.restart();
            let writer = Writer {
                instrument: book.id,
                received_at: now,
            };
            writer.distrust(cause, sink);
        }
    }

    /// Gives the connection up and asks for another.
    pub(super) fn reconnect(
        &mut self,
        cause: ReconnectCause,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        let stood = self
            .connection
            .opened_at
            .take()
            .map_or(Nanos::ZERO, |opened| now.since(opened));
        if stood >= STOOD_LONG {
            self.backoff.reset();
        }
        let is_planned = matches!(
            cause,
            ReconnectCause::Rotation | ReconnectCause::ServerShutdown
        );
        let delay = if is_planned && stood >= STOOD_SHORT {
            Nanos::ZERO
        } else {
            self.backoff.next(&mut self.prng)
        };
        self.counters.reconnects += 1;
        self.counters.reconnect_cause = Some(cause);
        self.distrust_all(TrustCause::Disconnected, now, sink);
        for book in &mut self.books {
            book.restart(now);
        }
        self.malformed.clear();
        actions.push(Action::Reconnect {
            channel: Channel::Market,
            cause,
            delay,
        });
    }
}
