//! Many and slow: floods and slow clients cost themselves, not the person who needs the brake.

use std::io::Write as _;
use std::time::Duration;

use arbalest::dashboard::Bounds;
use arbalest::dashboard::routes::{Op, ROUTES, Route};
use arbalest::risk::Role;

use super::world::{World, keyring, read};

fn route(op: Op) -> &'static Route {
    ROUTES.iter().find(|route| route.op == op).unwrap()
}

/// Short waits, so that the test need not wait long.
fn short() -> World {
    let bounds = Bounds {
        head: Duration::from_secs(1),
        body: Duration::from_millis(100),
        connections: 32,
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
