//! Target H: recorded bursts at 50x over a loopback socket, spinning; latency from the instant a frame was due.
//!
//! One thread is the venues: it sends every recorded frame of BTC spot and USD-M when its recorded time, divided by 50, has
//! come. The other reads them, keeps both full books and tests the spread after each quote (feed machines and books, as
//! `decode -- A.` does). The floor reads the same bytes and only adds them up. Frames carry a four-byte length instead of
//! WebSocket framing.
#![allow(missing_docs, clippy::allow_attributes, reason = "a bench")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_sign_loss,
    reason = "a bench"
)]

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use arbalest::clock::{Clock, OsClock};
use arbalest::units::{MonoNanos, Nanos};
use harness::mix;
use harness::recorded::{self, Line, Source};
use harness::replay::{RecordedFeed, Watcher};
use hdrhistogram::Histogram;

const SOURCES: [Source; 2] = [Source::SpotBtc, Source::UsdmBtc];
const SPEED: u64 = 50;

fn main() {
    let Some(lines) = recorded::lines(&SOURCES) else {
        println!("no recordings (ARBALEST_DATA): target H is not measured");
        return;
    };
    let (rounds, count, speed) = if harness::is_large() {
        (3, lines.len(), SPEED)
    } else {
        (1, 3_000, 1_000_000)
    };
    let lines: Arc<[Line]> = lines.into_iter().take(count).collect();
    println!(
        "## H. {count} recorded frames at {speed}x, nanoseconds from the due instant to processed"
    );
    println!(
        "{:<22}{:>9}{:>9}{:>9}{:>10}{:>10}{:>11}",
        "case", "p50", "p90", "p99", "p99.9", "p99.99", "max"
    );
    for round in 0..rounds {
        let mut add = |line: &Line, hash: &mut u64| {
            *hash = line
                .bytes
                .iter()
                .fold(*hash, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        };
        let (base, _) = run(&lines, speed, 0, &mut add);
        let mut engine = Engine::new();
        let (ours, _) = run(&lines, speed, 0, &mut |line, hash| {
            engine.feeds[line.source].on_line(line, &mut engine.watcher);
            *hash = mix(*hash, line.source as u64);
        });
        let opportunities = engine.watcher.outcome().opportunities;
        if harness::is_large() {
            assert_eq!(opportunities, 3_723, "opportunities at 5 bps");
        }
        for (name, histogram) in [
            ("base: bytes added up", base),
            ("feed, books, spread", ours),
        ] {
            let at = |quantile: f64| histogram.value_at_quantile(quantile);
            println!(
                "{name:<22}{:>9}{:>9}{:>9}{:>10}{:>10}{:>11}   round {round}",
                at(0.5),
                at(0.9),
                at(0.99),
                at(0.999),
                at(0.9999),
                histogram.max()
            );
        }
    }
}

struct Engine {
    feeds: [RecordedFeed; 2],
    watcher: Watcher,
}

impl Engine {
    fn new() -> Self {
        Self {
            feeds: [
                RecordedFeed::new(SOURCES[0], 0),
                RecordedFeed::new(SOURCES[1], 1),
            ],
            watcher: Watcher::new(SOURCES),
        }
    }
}

/// Sends all lines on schedule from another thread and hands each to `work` as it arrives.
fn run(
    lines: &Arc<[Line]>,
    speed: u64,
    mut hash: u64,
    work: &mut impl FnMut(&Line, &mut u64),
) -> (Histogram<u64>, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut receiver, _) = listener.accept().unwrap();
    sender.set_nodelay(true).unwrap();
    receiver.set_nonblocking(true).unwrap();
    let clock = OsClock::new();
    let start = clock.now().after(Nanos::from_millis(50));
    let first = lines[0].time;
    let due = move |line: &Line| -> MonoNanos {
        start.after(Nanos((line.time - first).max(0) as u64).div_floor(speed))
    };
    let (plan, venue_clock) = (Arc::clone(lines), clock.clone());
    let venue = std::thread::spawn(move || {
        let mut frame = Vec::new();
        for line in plan.iter() {
            while venue_clock.now() < due(line) {
                std::hint::spin_loop();
            }
            frame.clear();
            frame.extend_from_slice(&u32::try_from(line.bytes.len()).unwrap().to_le_bytes());
            frame.extend_from_slice(&line.bytes);
            sender.write_all(&frame).unwrap();
        }
    });
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let mut inbox: Vec<u8> = Vec::with_capacity(1 << 20);
    let mut buffer = vec![0_u8; 1 << 16];
    let mut next = 0;
    while next < lines.len() {
        match receiver.read(&mut buffer) {
            Ok(0) => panic!("the venue closed early"),
            Ok(count) => inbox.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::hint::spin_loop();
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        let mut from = 0;
        while let Some(head) = inbox[from..].first_chunk::<4>() {
            let length = u32::from_le_bytes(*head) as usize;
            if inbox.len() - from < 4 + length {
                break;
            }
            let line = &lines[next];
            debug_assert_eq!(
                &inbox[from + 4..from + 4 + length],
                &line.bytes[..],
                "Invariant: frames arrive whole"
            );
            work(line, &mut hash);
            histogram.record(clock.now().since(due(line)).0).unwrap();
            from += 4 + length;
            next += 1;
        }
        inbox.drain(..from);
    }
    venue.join().unwrap();
    (histogram, hash)
}

trait DivFloor {
    fn div_floor(self, by: u64) -> Self;
}

impl DivFloor for Nanos {
    fn div_floor(self, by: u64) -> Self {
        Self(self.0.div_euclid(by))
    }
}
