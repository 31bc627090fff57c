//! Feed to signal through the ring: ours against bare rtrb and a standard channel, batch and paced.
#![allow(missing_docs, clippy::allow_attributes, reason = "a bench")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod harness;

use std::sync::atomic::{AtomicBool, Ordering};

use arbalest::clock::{Clock, OsClock};
use arbalest::ring::ring;
use arbalest::units::Nanos;
use harness::{Group, mix, size};
use hdrhistogram::Histogram;

fn main() {
    let count = size(20_000, 2_000_000);
    let mut group = Group::new("one thread, push and drain 64 at a time");
    group.case("bare rtrb", count, || {
        let (mut producer, mut consumer) = rtrb::RingBuffer::<u64>::new(1_024);
        let mut hash = 0;
        for item in 0..count as u64 {
            producer.push(item).unwrap();
            if item % 64 == 63 {
                while let Ok(item) = consumer.pop() {
                    hash = mix(hash, item);
                }
            }
        }
        hash
    });
    group.case("ring (gap memory, bell, stats)", count, || {
        let (mut producer, mut consumer) = ring::<u64>(1_024, |_| u64::MAX);
        let mut hash = 0;
        for item in 0..count as u64 {
            producer.push(item);
            if item % 64 == 63 {
                consumer.drain(64, |item| hash = mix(hash, *item));
            }
        }
        hash
    });
    group.case("std channel", count, || {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<u64>(1_024);
        let mut hash = 0;
        for item in 0..count as u64 {
            sender.try_send(item).unwrap();
            if item % 64 == 63 {
                while let Ok(item) = receiver.try_recv() {
                    hash = mix(hash, item);
                }
            }
        }
        hash
    });
    group.run();
    paced();
}

/// One item every 20 us, two threads, the reader spins: latency from the planned instant.
fn paced() {
    let count = size(500, 50_000);
    println!(
        "\n## two threads, one item every 20 us, reader spins, latency from the planned instant"
    );
    println!(
        "{:<26}{:>10}{:>10}{:>10}{:>12}",
        "case", "p50 ns", "p99 ns", "p99.9 ns", "max ns"
    );
    for round in 0..size(1, 5) {
        let bare = {
            let (mut producer, mut consumer) = rtrb::RingBuffer::<u64>::new(1_024);
            spin(
                count,
                move |item| producer.push(item).is_ok(),
                move || consumer.pop().ok(),
            )
        };
        let ours = {
            let (mut producer, mut consumer) = ring::<u64>(1_024, |_| u64::MAX);
            spin(
                count,
                move |item| producer.push(item),
                move || {
                    let mut seen = None;
                    consumer.drain(1, |item| seen = Some(*item));
                    seen
                },
            )
        };
        for (name, histogram) in [("bare rtrb", &bare), ("ring", &ours)] {
            println!(
                "{:<26}{:>10}{:>10}{:>10}{:>12}   round {round}",
                name,
                histogram.value_at_quantile(0.5),
                histogram.value_at_quantile(0.99),
                histogram.value_at_quantile(0.999),
                histogram.max()
            );
        }
    }
}

fn spin(
    count: usize,
    mut push: impl FnMut(u64) -> bool + Send + 'static,
    mut pop: impl FnMut() -> Option<u64>,
) -> Histogram<u64> {
    let clock = OsClock::new();
    let writer_clock = clock.clone();
    let go = std::sync::Arc::new(AtomicBool::new(false));
    let started = std::sync::Arc::clone(&go);
    let writer = std::thread::spawn(move || {
        started.store(true, Ordering::Release);
        let mut due = writer_clock.now();
        for _ in 0..count {
            due = due.after(Nanos::from_micros(20));
            while writer_clock.now() < due {
                std::hint::spin_loop();
            }
            assert!(
                push(due.0),
                "Invariant: a reader that spins keeps the ring empty enough"
            );
        }
    });
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let mut seen = 0;
    while seen < count {
        if let Some(due) = pop() {
            histogram.record(clock.now().0.saturating_sub(due)).unwrap();
            seen += 1;
        }
    }
    writer.join().unwrap();
    assert!(go.load(Ordering::Acquire));
    histogram
}
