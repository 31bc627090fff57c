//! The queue itself: push that remembers losses, drain in bounded batches, shared statistics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Wake;

/// What a ring has seen: written by the producer, readable from any thread.
#[derive(Debug, Default)]
pub struct RingStats {
    pushed: AtomicU64,
    lost: AtomicU64,
    depth: AtomicU64,
    capacity: AtomicU64,
}

impl RingStats {
    /// Items placed.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Relaxed)
    }
    /// Items lost because the ring was full.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
    /// Items waiting, as of the last push or drain.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth.load(Ordering::Relaxed)
    }
    /// Slots.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity.load(Ordering::Relaxed)
    }
}

/// The writing end. One thread owns it.
#[derive(Debug)]
pub struct Producer<T> {
    inner: rtrb::Producer<T>,
    make_gap: fn(u64) -> T,
    /// Lost since the last gap marker was placed.
    lost: u64,
    overflowed: bool,
    wake: Arc<Wake>,
    stats: Arc<RingStats>,
}

/// The reading end. One thread owns it.
#[derive(Debug)]
pub struct Consumer<T> {
    inner: rtrb::Consumer<T>,
    wake: Arc<Wake>,
    stats: Arc<RingStats>,
}

/// A ring of `capacity` slots; `make_gap(lost)` builds the marker that stands for lost items.
#[must_use]
pub fn ring<T: Copy>(capacity: usize, make_gap: fn(u64) -> T) -> (Producer<T>, Consumer<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(capacity);
    let wake = Arc::new(Wake::default());
    let stats = Arc::new(RingStats::default());
    stats.capacity.store(
        u64::try_from(capacity).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
    (
        Producer {
            inner: producer,
            make_gap,
            lost: 0,
            overflowed: false,
            wake: Arc::clone(&wake),
            stats: Arc::clone(&stats),
        },
        Consumer {
            inner: consumer,
            wake,
            stats,
        },
    )
}

impl<T: Copy> Producer<T> {
    /// Places an item, or counts it as lost. Wakes a sleeping consumer. False when the item was lost.
    #[inline]
    pub fn push(&mut self, item: T) -> bool {
        let placed = self.push_quiet(item);
        self.wake.notify();
        placed
    }

    /// As [`Producer::push`] without the wake-up: for all but the last item of a batch.
    #[inline]
    pub fn push_quiet(&mut self, item: T) -> bool {
        if self.lost > 0 {
            if self.inner.push((self.make_gap)(self.lost)).is_err() {
                return self.lose();
            }
            self.lost = 0;
        }
        if self.inner.push(item).is_err() {
            return self.lose();
        }
        self.stats.pushed.fetch_add(1, Ordering::Relaxed);
        true
    }

    #[cold]
    fn lose(&mut self) -> bool {
        self.lost += 1;
        self.overflowed = true;
        self.stats.lost.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// True once after items were lost: the owner must rebuild what the consumer now distrusts.
    pub fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflowed)
    }

    /// Tells the consumer that something is there.
    #[inline]
    pub fn notify(&self) {
        self.wake.notify();
    }

    /// Slots free now (the consumer may free more at any time).
    #[must_use]
    pub fn free_slots(&self) -> usize {
        self.inner.slots()
    }

    /// True when the consumer is gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.inner.is_abandoned()
    }

    /// Shared statistics.
    #[must_use]
    pub fn stats(&self) -> Arc<RingStats> {
        Arc::clone(&self.stats)
    }
}

impl<T: Copy> Consumer<T> {
    /// Hands at most `count_max` items to `each`, oldest first; returns how many.
    #[inline]
    pub fn drain(&mut self, count_max: usize, mut each: impl FnMut(&T)) -> usize {
        let available = self.inner.slots();
        if available == 0 {
            return 0;
        }
        let count = available.min(count_max);
        let Ok(chunk) = self.inner.read_chunk(count) else {
            return 0;
        };
        let (first, second) = chunk.as_slices();
        for item in first.iter().chain(second) {
            each(item);
        }
        chunk.commit_all();
        self.stats.depth.store(
            u64::try_from(available - count).unwrap_or(0),
            Ordering::Relaxed,
        );
        count
    }

    /// True when nothing waits.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// True when the producer is gone and nothing waits.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_abandoned() && self.inner.is_empty()
    }

    /// The wake-up shared with the producer.
    #[must_use]
    pub fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }

    /// Uses a wake-up shared among several rings (one consumer of many producers). Call before the producer runs.
    #[must_use]
    pub fn with_wake(mut self, producer: &mut Producer<T>, wake: &Arc<Wake>) -> Self {
        self.wake = Arc::clone(wake);
        producer.wake = Arc::clone(wake);
        self
    }

    /// Shared statistics.
    #[must_use]
    pub fn stats(&self) -> Arc<RingStats> {
        Arc::clone(&self.stats)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::prng::Prng;

    const GAP: u64 = 1 << 60;

    /// The ring agrees with a naive queue on random pushes and drains, gaps included.
    #[test]
    fn agrees_with_a_queue() {
        for seed in 0..50 {
            let mut prng = Prng::new(seed);
            let (mut producer, mut consumer) = ring::<u64>(8, |lost| GAP + lost);
            let mut twin: VecDeque<u64> = VecDeque::new();
            let mut twin_lost = 0;
            let mut seen = Vec::new();
            let mut expected = Vec::new();
            for item in 0..2_000 {
                if prng.chance_ppm(600_000) {
                    let mut place = |twin: &mut VecDeque<u64>, item: u64| -> bool {
                        if twin_lost > 0 {
                            if twin.len() == 8 {
                                return false;
                            }
                            twin.push_back(GAP + twin_lost);
                            twin_lost = 0;
                        }
                        if twin.len() == 8 {
                            return false;
                        }
                        twin.push_back(item);
                        true
                    };
                    let placed = place(&mut twin, item);
                    twin_lost += u64::from(!placed);
                    assert_eq!(producer.push(item), placed);
                } else {
                    let count = usize::try_from(prng.below(5)).unwrap();
                    consumer.drain(count, |item| seen.push(*item));
                    expected.extend(twin.drain(..count.min(twin.len())));
                    assert_eq!(seen, expected);
                }
            }
            assert_eq!(producer.take_overflow(), producer.stats().lost() > 0);
            assert!(!producer.take_overflow());
        }
    }

    #[test]
    fn two_threads_lose_nothing() {
        let (mut producer, mut consumer) = ring::<u64>(64, |lost| GAP + lost);
        let count = if cfg!(miri) { 200 } else { 200_000 };
        let writer = std::thread::spawn(move || {
            let mut next = 0;
            while next < count {
                if producer.free_slots() > 0 && producer.push(next) {
                    next += 1;
                }
            }
        });
        let mut expected = 0;
        while expected < count {
            consumer.drain(16, |item| {
                assert_eq!(
                    *item, expected,
                    "Invariant: no loss, duplication or reordering"
                );
                expected += 1;
            });
        }
        writer.join().unwrap();
        assert!(consumer.is_finished());
    }
}
