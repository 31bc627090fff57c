//! How a consumer waits when its rings are empty, and how a producer wakes it without a lost wake-up.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use crate::units::{MonoNanos, Nanos};

/// The bell between producers and one sleeping consumer.
///
/// The producer pays one relaxed load when the consumer is awake, and a system call only when it sleeps.
#[derive(Debug, Default)]
pub struct Wake {
    sleeping: AtomicBool,
    waker: AtomicWaker,
}

impl Wake {
    /// Producer side: call after the item is in the ring.
    #[inline]
    pub fn notify(&self) {
        // Pairs with the fence in `poll_sleep`: either we see `sleeping`, or the consumer sees the item.
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Consumer side: ready when `has_work`, else asleep until the next [`Wake::notify`].
    pub fn poll_sleep(&self, context: &mut Context<'_>, has_work: impl Fn() -> bool) -> Poll<()> {
        self.waker.register(context.waker());
        self.sleeping.store(true, Ordering::Relaxed);
        // Pairs with the fence in `notify`.
        fence(Ordering::SeqCst);
        if has_work() {
            self.sleeping.store(false, Ordering::Relaxed);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// What to do in an idle duty cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Look again at once.
    Spin,
    /// Sleep until a producer rings.
    Park,
}

/// How the consumer of a ring waits. What each costs is in `docs/LATENCY.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitStrategy {
    /// Never sleeps: lowest latency, one core always busy.
    Spin,
    /// Looks again for the given span after the last work, then sleeps.
    SpinThenPark(Nanos),
    /// Sleeps as soon as there is nothing to do: for small machines.
    Park,
}

impl WaitStrategy {
    /// What an idle cycle at `now` should do when the last work was at `worked_at`.
    #[must_use]
    #[inline]
    pub const fn idle(self, worked_at: MonoNanos, now: MonoNanos) -> Idle {
        match self {
            Self::Spin => Idle::Spin,
            Self::SpinThenPark(budget) => {
                if now.since(worked_at).0 < budget.0 {
                    Idle::Spin
                } else {
                    Idle::Park
                }
            }
            Self::Park => Idle::Park,
        }
    }
    /// Configuration and report name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::SpinThenPark(_) => "spin_then_park",
            Self::Park => "park",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn strategies_decide_by_time() {
        let spin_then_park = WaitStrategy::SpinThenPark(Nanos(50));
        assert_eq!(
            spin_then_park.idle(MonoNanos(100), MonoNanos(149)),
            Idle::Spin
        );
        assert_eq!(
            spin_then_park.idle(MonoNanos(100), MonoNanos(150)),
            Idle::Park
        );
        assert_eq!(
            WaitStrategy::Spin.idle(MonoNanos(0), MonoNanos(u64::MAX)),
            Idle::Spin
        );
        assert_eq!(
            WaitStrategy::Park.idle(MonoNanos(0), MonoNanos(0)),
            Idle::Park
        );
    }

    /// A consumer that parks after every item never sleeps through one.
    #[test]
    fn no_wake_up_is_lost() {
        let (mut producer, mut consumer) = crate::ring::ring::<u64>(4, |_| u64::MAX);
        let count: u64 = if cfg!(miri) { 50 } else { 20_000 };
        let writer = std::thread::spawn(move || {
            let mut next = 0;
            while next < count {
                if producer.free_slots() > 0 {
                    assert!(producer.push(next));
                    next += 1;
                } else {
                    std::thread::yield_now();
                }
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let wake: Arc<Wake> = consumer.wake();
        runtime.block_on(async {
            let mut seen = 0;
            while seen < count {
                seen += u64::try_from(consumer.drain(1, |_| {})).unwrap();
                if seen < count {
                    std::future::poll_fn(|context| {
                        wake.poll_sleep(context, || !consumer.is_empty())
                    })
                    .await;
                }
            }
        });
        writer.join().unwrap();
    }
}
