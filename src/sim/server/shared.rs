//! What the tasks of the venue's thread share: the core, the connections' queues, and who to wake.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use crate::clock::{Clock, OsClock};
use crate::sim::venue::{ConnId, Outgoing, VenueCore};
use crate::units::UnixNanos;

use super::Pace;
use super::handle::Counters;
use super::queue::{QUEUE_MAX, Queue};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) core: RefCell<VenueCore>,
    pub(super) counters: Arc<Counters>,
    pub(super) pace: Pace,
    /// The driver has something new to look at.
    pub(super) wake: Notify,
    /// A queue ran empty.
    pub(super) drained: Notify,
    /// The tape moved or a depth answer became possible.
    pub(super) moved: Notify,
    /// When somebody first opened a stream connection.
    pub(super) first_heard: Cell<Option<UnixNanos>>,
    clock: OsClock,
    queues: RefCell<BTreeMap<ConnId, Rc<Queue>>>,
    scratch: RefCell<Vec<(ConnId, Outgoing)>>,
}

impl Shared {
    pub(super) fn new(core: VenueCore, pace: Pace, counters: Arc<Counters>) -> Self {
        Self {
            core: RefCell::new(core),
            counters,
            pace,
            wake: Notify::new(),
            drained: Notify::new(),
            moved: Notify::new(),
            first_heard: Cell::new(None),
            clock: OsClock::new(),
            queues: RefCell::new(BTreeMap::new()),
            scratch: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn now(&self) -> UnixNanos {
        self.clock.now_unix()
    }

    /// Registers a connection's queue.
    pub(super) fn attach(&self, conn: ConnId) -> Rc<Queue> {
        let queue = Rc::new(Queue::default());
        self.queues.borrow_mut().insert(conn, Rc::clone(&queue));
        Counters::add(&self.counters.connections_opened, 1);
        if self.first_heard.get().is_none() {
            self.first_heard.set(Some(self.now()));
        }
        queue
    }
    /// Forgets a connection.
    pub(super) fn detach(&self, conn: ConnId) {
        self.queues.borrow_mut().remove(&conn);
        self.core.borrow_mut().close(conn, self.now());
        self.drained.notify_one();
        self.wake.notify_one();
    }

    /// Moves what left the core into the connections' queues. A client over its bound is cut, except at the greatest
    /// pace, where the tape waits instead.
    pub(super) fn deliver(&self) {
        let mut scratch = self.scratch.borrow_mut();
        self.core.borrow_mut().drain(&mut scratch);
        let queues = self.queues.borrow();
        for (conn, message) in scratch.drain(..) {
            let Some(queue) = queues.get(&conn) else {
                continue;
            };
            if !queue.push(message) && self.pace != Pace::Max {
                queue.cut();
                Counters::add(&self.counters.slow_clients, 1);
            }
        }
        let waiting: usize = queues.values().map(|queue| queue.len()).sum();
        self.counters.messages_waiting.store(
            u64::try_from(waiting).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// Like [`Shared::deliver`], and lets the driver look at its timers again.
    pub(super) fn deliver_and_wake(&self) {
        self.deliver();
        self.wake.notify_one();
    }

    /// True when a client has so much waiting that a tape at the greatest pace must hold.
    pub(super) fn is_congested(&self) -> bool {
        self.queues
            .borrow()
            .values()
            .any(|queue| queue.len() >= QUEUE_MAX.div_euclid(8))
    }

    /// Closes every connection.
    pub(super) fn close_all(&self) {
        for queue in self.queues.borrow().values() {
            queue.push(Outgoing::Close);
        }
    }
    /// True when no connection is left.
    pub(super) fn is_empty(&self) -> bool {
        self.queues.borrow().is_empty()
    }
}
