//! Targets C and D: from a tick's planned instant to order bytes back at the venue, over loopback, open loop, spinning and
//! parked; the floor beside it in the same run sends the same bytes back without any protocol or decision.
//!
//! One thread is the venue (it sends ticks on a schedule and receives orders), one is the engine: the machines of feed,
//! hot path, desk and gateways as plain calls (`harness/rig.rs`), with WebSocket framing by hand in place of the session.
//! Every tick is a takable edge; decision time is virtual, so that no rate limit of ours refuses.
#![allow(
    missing_docs,
    clippy::allow_attributes,
    clippy::too_many_lines,
    reason = "a bench"
)]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::integer_division,
    reason = "a bench"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench"
)]
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a bench"
)]

mod harness;
#[path = "harness/rig.rs"]
mod rig;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use arbalest::clock::{Clock, OsClock};
use arbalest::exchanges::Action;
use arbalest::telemetry::NoopTimer;
use arbalest::units::Nanos;
use harness::size;
use hdrhistogram::Histogram;
use rig::{Rig, SPOT, USDM};

/// Reads what is there; zero when nothing is.
fn read_some(socket: &mut TcpStream, buffer: &mut [u8]) -> usize {
    match socket.read(buffer) {
        Ok(0) => panic!("the other side closed early"),
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    }
}

/// Length of header and payload of the first frame; zero when it is not complete. Payloads are 126 to 65,535 bytes.
fn frame_length(bytes: &[u8], is_masked: bool) -> (usize, usize) {
    let header = if is_masked { 8 } else { 4 };
    let Some([_, _, high, low]) = bytes.first_chunk() else {
        return (0, 0);
    };
    let payload = usize::from(u16::from_be_bytes([*high, *low]));
    if bytes.len() < header + payload {
        (0, 0)
    } else {
        (header, payload)
    }
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for socket in [&client, &server] {
        socket.set_nodelay(true).unwrap();
    }
    (client, server)
}

/// The venue: sends ticks when they are due, notes when the first order of each comes back.
fn venue(mut socket: TcpStream, ticks: usize, gap: Nanos, clock: &OsClock) -> Histogram<u64> {
    socket.set_nonblocking(true).unwrap();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let warm_up = ticks.div_euclid(10);
    let start = clock.now().after(Nanos::from_millis(20));
    let due = |tick: usize| start.after(Nanos(gap.0 * tick as u64));
    let (mut sent, mut orders) = (0, 0);
    let mut inbox = Vec::with_capacity(1 << 16);
    let mut buffer = vec![0_u8; 1 << 16];
    while orders < 2 * ticks {
        if sent < ticks && clock.now() >= due(sent) {
            let text = rig::takable(1_000 + 10 * sent as u64);
            let mut frame = vec![0x81, 126];
            frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(text.as_bytes());
            socket.write_all(&frame).unwrap();
            sent += 1;
        }
        let count = read_some(&mut socket, &mut buffer);
        if count == 0 {
            continue;
        }
        let arrived = clock.now();
        inbox.extend_from_slice(&buffer[..count]);
        loop {
            let (header, payload) = frame_length(&inbox, true);
            if header == 0 {
                break;
            }
            inbox.drain(..header + payload);
            if orders % 2 == 0 && orders.div_euclid(2) >= warm_up {
                histogram
                    .record(arrived.since(due(orders.div_euclid(2))).0)
                    .unwrap();
            }
            orders += 1;
        }
    }
    histogram
}

fn masked(text: &str, out: &mut Vec<u8>) {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    out.extend_from_slice(&[0x81, 0xFE]);
    out.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&MASK);
    out.extend(
        text.bytes()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

/// Hands each frame of the stream to `each` until `ticks` have come.
fn serve(
    mut socket: TcpStream,
    ticks: usize,
    is_spinning: bool,
    mut each: impl FnMut(&[u8], &mut TcpStream),
) {
    socket.set_nonblocking(is_spinning).unwrap();
    let mut inbox: Vec<u8> = Vec::with_capacity(1 << 16);
    let mut buffer = vec![0_u8; 1 << 16];
    let mut seen = 0;
    while seen < ticks {
        let count = read_some(&mut socket, &mut buffer);
        if count == 0 {
            std::hint::spin_loop();
            continue;
        }
        inbox.extend_from_slice(&buffer[..count]);
        let mut from = 0;
        loop {
            let (header, payload) = frame_length(&inbox[from..], false);
            if header == 0 {
                break;
            }
            each(&inbox[from + header..from + header + payload], &mut socket);
            from += header + payload;
            seen += 1;
        }
        inbox.drain(..from);
    }
}

fn floor(socket: TcpStream, ticks: usize, is_spinning: bool) {
    let mut answer = Vec::new();
    masked(&"x".repeat(500), &mut answer);
    masked(&"x".repeat(500), &mut answer);
    serve(socket, ticks, is_spinning, |_, socket| {
        socket.write_all(&answer).unwrap()
    });
}

fn engine(socket: TcpStream, ticks: usize, is_spinning: bool) {
    let mut rig = Rig::new(NoopTimer);
    let mut bytes = Vec::with_capacity(4_096);
    serve(socket, ticks, is_spinning, |frame, socket| {
        bytes.clear();
        assert_eq!(rig.tick(SPOT, frame), 2, "Invariant: every tick is taken");
        for out in &rig.gateway_out {
            for action in &out.actions {
                if let Action::Send { text, .. } = action {
                    masked(text, &mut bytes);
                }
            }
        }
        socket.write_all(&bytes).unwrap();
        // Between ticks: both orders are refused, both venues quote calmly again.
        rig.settle();
        rig.step(Nanos::from_millis(250));
        rig.ids[SPOT] += 10;
        for venue in [SPOT, USDM] {
            let id = if venue == SPOT {
                spot_id(frame) + 5
            } else {
                rig.next_id(USDM)
            };
            assert_eq!(rig.tick(venue, rig::calm(venue, id).as_bytes()), 0);
        }
    });
}

/// Update id of a crafted frame, so that the calm quote after it is newer.
fn spot_id(frame: &[u8]) -> u64 {
    let text = std::str::from_utf8(frame).unwrap();
    let at = text.find("\"u\":").unwrap() + 4;
    let digits = text[at..].find(',').unwrap();
    text[at..at + digits].parse().unwrap()
}

fn main() {
    let clock = OsClock::new();
    println!(
        "## C/D. wire to wire over loopback, nanoseconds from the planned instant to the first order's bytes"
    );
    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>10}{:>10}{:>11}",
        "case", "p50", "p90", "p99", "p99.9", "p99.99", "max"
    );
    for (rate, gap) in [
        (1_000, Nanos::from_micros(1_000)),
        (10_000, Nanos::from_micros(100)),
    ] {
        let ticks = size(40, if rate == 1_000 { 2_000 } else { 20_000 });
        let rounds = size(1, 5);
        let names = ["base, spin", "engine, spin", "base, park", "engine, park"];
        let mut pooled: Vec<Histogram<u64>> =
            names.iter().map(|_| Histogram::new(3).unwrap()).collect();
        let mut medians = vec![Vec::new(); names.len()];
        for _ in 0..rounds {
            for (index, whole) in pooled.iter_mut().enumerate() {
                let (client, server) = pair();
                let is_spinning = index < 2;
                let worker = std::thread::spawn(move || {
                    if index % 2 == 0 {
                        floor(client, ticks, is_spinning)
                    } else {
                        engine(client, ticks, is_spinning)
                    }
                });
                let histogram = venue(server, ticks, gap, &clock);
                worker.join().unwrap();
                medians[index].push(histogram.value_at_quantile(0.5));
                whole.add(&histogram).unwrap();
            }
        }
        for ((name, histogram), median) in names.iter().zip(&pooled).zip(&mut medians) {
            median.sort_unstable();
            let at = |quantile: f64| histogram.value_at_quantile(quantile);
            println!(
                "{:<34}{:>9}{:>9}{:>9}{:>10}{:>10}{:>11}   p50 by round {median:?}",
                format!("{rate}/s {name}"),
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
