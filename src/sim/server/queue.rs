//! What one connection still has to be sent. Single-threaded: the owner pushes, the connection's task takes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tokio::sync::Notify;

use crate::sim::venue::Outgoing;

/// Messages a slow client may have waiting before it is cut (or, at the greatest pace, before the tape waits).
pub(super) const QUEUE_MAX: usize = 8_192;

/// A connection's outgoing messages.
#[derive(Debug, Default)]
pub(super) struct Queue {
    messages: RefCell<VecDeque<Outgoing>>,
    pub(super) filled: Notify,
    cut: Cell<bool>,
}

impl Queue {
    /// Adds a message; false when the queue is over its bound.
    pub(super) fn push(&self, message: Outgoing) -> bool {
        if self.cut.get() {
            return true;
        }
        let mut messages = self.messages.borrow_mut();
        messages.push_back(message);
        self.filled.notify_one();
        messages.len() <= QUEUE_MAX
    }
    /// Throws everything away and closes.
    pub(super) fn cut(&self) {
        let mut messages = self.messages.borrow_mut();
        messages.clear();
        messages.push_back(Outgoing::Close);
        self.cut.set(true);
        self.filled.notify_one();
    }
    pub(super) fn pop(&self) -> Option<Outgoing> {
        self.messages.borrow_mut().pop_front()
    }
    pub(super) fn len(&self) -> usize {
        self.messages.borrow().len()
    }
}
