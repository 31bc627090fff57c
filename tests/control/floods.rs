//! Many and slow: floods and slow clients cost themselves, not the person who needs the brake.

use std::io::Write as _;
use std::time::Duration;

use arbalest::clock::Clock;
use arbalest::dashboard::Bounds;
use arbalest::dashboard::routes::{Op, ROUTES, Route};
use arbalest::risk::Role;

use super::world::{World, keyring, quick, read};

fn route(op: Op) -> &'static Route {
    ROUTES.iter().find(|route| route.op == op).unwrap()
}

/// Short waits, so that the test need not wait long.
fn short() -> World {
    let bounds = Bounds {
        head: Duration::from_secs(1),
        body: Duration::from_millis(100),
        connections: 32,
        ..quick()
    };
    World::with(Some(keyring()), bounds)
}

#[test]
fn slow_clients_are_let_go() {
    let world = short();
    let bytes = world.ask(Role::Trader, route(Op::Halt)).bytes();
    let end_of_head = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    // Nothing, a part of the line, a part of the headers, the headers without the end: the reader lets go.
    for cut in [0, 3, 40, end_of_head - 2] {
        let mut stream = world.connect();
        stream.write_all(&bytes[..cut]).unwrap();
        let answer = read(&mut stream);
        assert!(
            answer.status == 408 || answer.status == 0,
            "{cut}: {answer:?}"
        );
    }
    // All but the last byte of the body.
    for cut in [end_of_head, bytes.len() - 1] {
        let mut stream = world.connect();
        stream.write_all(&bytes[..cut]).unwrap();
        let answer = read(&mut stream);
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (408, "slow"),
            "{cut}: {answer:?}"
        );
    }
    assert_eq!(world.counted("slow"), 2);
    assert!(world.engine.asked.lock().unwrap().is_empty());
}

#[test]
fn more_idle_connections_than_places_do_not_keep_the_brake_away() {
    let world = short();
    let idle: Vec<_> = (0..100).map(|_| world.connect()).collect();
    let answer = world.send(&world.ask(Role::Trader, route(Op::Halt)).bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(idle);
    assert_eq!(world.engine.changes().len(), 1);
}

#[test]
fn thousands_of_connections_come_and_go() {
    let world = World::new();
    let bad = format!(
        "GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n",
        world.host()
    );
    for number in 0..3_000 {
        let mut stream = world.connect();
        if number % 10 == 0 {
            stream.write_all(bad.as_bytes()).unwrap();
            assert_eq!(read(&mut stream).reason(), "unsigned");
        }
    }
    assert_eq!(world.counted("unsigned"), 300);
    assert_eq!(
        world
            .send(&world.ask(Role::Trader, route(Op::Halt)).bytes())
            .status,
        200
    );
    // What is written down of a flood is bounded; how much was left out is written too.
    let refused = world.engine.refused.lock().unwrap();
    let unwritten: u64 = refused.iter().map(|refused| refused.unwritten).sum();
    assert!(u64::try_from(refused.len()).unwrap() + unwritten <= 300);
    assert!(refused.len() >= 10);
}

#[test]
fn one_name_cannot_flood_the_engine() {
    let world = World::new();
    let mut taken = 0_usize;
    for _ in 0..300 {
        let answer = world.send(&world.ask(Role::Trader, route(Op::WhatIf)).bytes());
        match answer.status {
            200 => taken += 1,
            429 => assert_eq!(answer.reason(), "rate"),
            _ => panic!("{answer:?}"),
        }
    }
    assert!(taken >= 40, "the burst of 40 passes: {taken}");
    assert_eq!(world.engine.asked.lock().unwrap().len(), taken);
    assert_eq!(
        world
            .send(&world.ask(Role::RiskOfficer, route(Op::Halt)).bytes())
            .status,
        200
    );
}

/// Waits that no test outlives: what is answered all the same did not wait.
fn endless(places: usize) -> World {
    let bounds = Bounds {
        delay: Duration::from_secs(3_600),
        delayed_max: places,
        close_every: Duration::from_millis(1),
        ..Bounds::default()
    };
    World::with(Some(keyring()), bounds)
}

#[test]
fn refusals_wait_and_right_signatures_do_not() {
    let world = endless(8);
    let host = world.host();
    let good = || world.ask(Role::Trader, route(Op::Halt));
    let mut evil = good();
    evil.host = "evil.example".to_owned();
    let mut page = good();
    page.more.push("Origin: http://evil.example".to_owned());
    let mut lost = good();
    lost.target = "/api/v1/nothing".to_owned();
    let mut malformed = good();
    malformed.nonce = "x".to_owned();
    let unproven = [
        (evil.bytes(), "host"),
        (page.bytes(), "origin"),
        (lost.bytes(), "path"),
        (malformed.bytes(), "headers"),
        (good().bytes_with(&"0".repeat(64)), "signature"),
        (
            format!("GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
            "unsigned",
        ),
    ];
    let mut waiting = Vec::new();
    for (bytes, reason) in unproven {
        let mut stream = world.connect();
        stream.write_all(&bytes).unwrap();
        waiting.push(stream);
        while world.hub.control().delayed() < u64::try_from(waiting.len()).unwrap() {
            std::thread::yield_now();
        }
        assert_eq!(world.counted(reason), 1, "{reason}");
    }
    assert_eq!(world.hub.control().delayed(), 6);
    // A right signature passes them all, its refusals too.
    let viewer = world.ask(Role::Viewer, route(Op::Halt)).bytes();
    assert_eq!(world.send(&viewer).reason(), "role");
    let bytes = good().bytes();
    assert_eq!(world.send(&bytes).status, 200);
    assert_eq!(world.send(&bytes).reason(), "replay");
    for stream in &mut waiting {
        stream.set_nonblocking(true).unwrap();
        let nothing = std::io::Read::read(stream, &mut [0; 1]).unwrap_err();
        assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    }
    assert_eq!(world.hub.control().delayed(), 6);
    assert_eq!(world.hub.control().crowded(), 0);
}

#[test]
fn only_so_many_refusals_wait_and_the_rest_is_closed() {
    let world = endless(8);
    let bad = format!(
        "GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n",
        world.host()
    );
    let mut waiting = Vec::new();
    for number in 1..=8 {
        let mut stream = world.connect();
        stream.write_all(bad.as_bytes()).unwrap();
        while world.hub.control().delayed() < number {
            std::thread::yield_now();
        }
        waiting.push(stream);
    }
    for _ in 0..50 {
        let answer = world.send(bad.as_bytes());
        assert_eq!((answer.status, answer.body.as_str()), (429, ""));
    }
    assert_eq!(world.hub.control().delayed(), 8);
    assert_eq!(world.hub.control().crowded(), 50);
    assert_eq!(world.counted("unsigned"), 58);
    let stop = world.ask(Role::Trader, route(Op::Halt)).bytes();
    assert_eq!(world.send(&stop).status, 200);
    drop(waiting);
}

/// The kernel's value for each thread, by its name: field 19 of its `stat`, the 17th after the name.
#[cfg(target_os = "linux")]
#[test]
fn the_server_yields_to_the_threads_that_trade() {
    let mine = || nice_of(std::path::Path::new("/proc/thread-self/stat")).1;
    let before = mine();
    let _world = World::new();
    assert_eq!(mine(), before, "the caller keeps its priority");
    let lowered = (before + 15).min(19);
    // The server's threads begin one after the other.
    let clock = arbalest::clock::OsClock::new();
    let began = clock.now();
    for name in ["dashboard", "actix-server ac"] {
        loop {
            let threads: Vec<(String, i32)> = std::fs::read_dir("/proc/self/task")
                .unwrap()
                .filter_map(|task| Some(task.ok()?.path().join("stat")))
                .filter(|stat| stat.exists())
                .map(|stat| nice_of(&stat))
                .collect();
            if threads.contains(&(name.to_owned(), lowered)) {
                break;
            }
            assert!(
                clock.now().since(began) < arbalest::units::Nanos::from_secs(20),
                "{name} at {lowered}: {threads:?}"
            );
            std::thread::yield_now();
        }
    }
}

#[cfg(target_os = "linux")]
fn nice_of(stat: &std::path::Path) -> (String, i32) {
    let text = std::fs::read_to_string(stat).unwrap_or_default();
    let Some((head, tail)) = text.rsplit_once(") ") else {
        return (String::new(), 0);
    };
    let name = head.split_once('(').unwrap().1.to_owned();
    (name, tail.split(' ').nth(16).unwrap().parse().unwrap())
}
