//! The only file that sends to an actor, because a full mailbox needs a stated policy and a counter.
//!
//! actix's `do_send` ignores the mailbox's capacity; everything here uses `try_send`. Two policies:
//! [`Mail::must`] for what may never be lost (reports, fills, commands: a full mailbox there is a broken invariant and stops
//! the process) and [`Mail::latest`] for what a newer message replaces (marks, snapshots: dropped and counted).

use std::sync::atomic::{AtomicU64, Ordering};

use actix::dev::ToEnvelope;
use actix::prelude::{Actor, Addr, Handler, Message, SendError};

/// Messages dropped because a mailbox was full, by policy `latest`, since the process began.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Messages dropped so far: exported as `arbitrage_queue_dropped_total{queue="mailbox"}`.
#[must_use]
pub fn dropped_count() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Sending to an actor by policy.
pub trait Mail<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    /// Sends what must arrive. A closed mailbox is fine during shutdown and answers false.
    ///
    /// # Panics
    /// Invariant: mailboxes of must-arrive messages are larger than everything that can be in flight.
    fn must(&self, message: M) -> bool;

    /// Sends what the next message of its kind will replace; dropped and counted when the mailbox is full.
    fn latest(&self, message: M);
}

/// Asking an actor and waiting for its answer.
pub(super) trait Ask<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    /// The answer; `None` when the actor is gone. Waits for room in its mailbox: whoever asks is not on the flow.
    fn ask(&self, message: M) -> impl Future<Output = Option<M::Result>> + Send;
}

impl<A, M> Ask<M> for Addr<A>
where
    M: Message + Send + 'static,
    M::Result: Send,
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
{
    fn ask(&self, message: M) -> impl Future<Output = Option<M::Result>> + Send {
        let asked = self.send(message);
        async move { asked.await.ok() }
    }
}

impl<A, M> Mail<M> for Addr<A>
where
    M: Message + Send + 'static,
    M::Result: Send,
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
{
    fn must(&self, message: M) -> bool {
        match self.try_send(message) {
            Ok(()) => true,
            Err(SendError::Closed(_)) => false,
            Err(SendError::Full(_)) => {
                panic!(
                    "Invariant: a mailbox of must-arrive messages is larger than all that can be in flight"
                )
            }
        }
    }

    fn latest(&self, message: M) {
        if let Err(SendError::Full(_)) = self.try_send(message) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}
