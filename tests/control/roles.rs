//! Every route by every role, without a token, and without any tokens configured.

use arbalest::dashboard::Bounds;
use arbalest::dashboard::routes::{Access, Method, Op, ROUTES};
use arbalest::risk::{Action, Role};
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::oneshot;

use super::world::{World, good_body, keyring, now_ms, quick};

#[test]
fn every_route_asks_for_its_role() {
    let world = World::new();
    for route in ROUTES {
        for role in Role::ALL {
            let before = world.engine.asked.lock().unwrap().len();
            let answer = world.send(&world.ask(role, route).bytes());
            let (allowed, after) = (
                route.access.allows(role),
                world.engine.asked.lock().unwrap().len(),
            );
            let case = format!(
                "{} {} as {}: {answer:?}",
                route.method.label(),
                route.path,
                role.label()
            );
            if allowed {
                assert_eq!(answer.status, 200, "{case}");
                assert_eq!(
                    after,
                    before + usize::from(route.op != Op::OpenApi),
                    "{case}"
                );
            } else {
                assert_eq!(
                    (answer.status, answer.reason().as_str()),
                    (403, "role"),
                    "{case}"
                );
                assert_eq!(after, before, "{case}");
            }
        }
    }
    for (caller, _) in world.engine.asked.lock().unwrap().iter() {
        assert!(caller.from.starts_with("127.0.0.1:"), "{caller:?}");
    }
}

/// RISK.md S07 and 2.5, written out: the table in the code cannot drift from it unseen.
#[test]
fn the_matrix_is_the_specification() {
    let may = |op: Op| -> Vec<&str> {
        let route = ROUTES.iter().find(|route| route.op == op).unwrap();
        Role::ALL
            .into_iter()
            .filter(|role| route.access.allows(*role))
            .map(Role::label)
            .collect()
    };
    for op in [
        Op::Status,
        Op::Positions,
        Op::Limits,
        Op::Levels,
        Op::Alerts,
        Op::Closes,
        Op::OpenApi,
    ] {
        assert_eq!(
            may(op),
            ["viewer", "trader", "risk_officer", "admin"],
            "{op:?}"
        );
    }
    for op in [
        Op::WhatIf,
        Op::Halt,
        Op::Reduce,
        Op::Flatten,
        Op::Raise,
        Op::CancelAll,
        Op::Acknowledge,
        Op::RequestRearm,
        Op::Drill,
    ] {
        assert_eq!(may(op), ["trader", "risk_officer", "admin"], "{op:?}");
    }
    assert_eq!(may(Op::ProposeLimits), ["risk_officer", "admin"]);
    for op in [Op::ApproveRearm, Op::ConfirmLimits] {
        assert_eq!(may(op), ["risk_officer"], "{op:?}");
    }
    assert!(
        Action::ALL
            .into_iter()
            .filter(|action| *action != Action::See)
            .all(|action| !Role::Viewer.may(action))
    );
}

#[test]
fn without_a_signature_nothing_is_answered() {
    let world = World::new();
    for route in ROUTES {
        let body = if route.method == Method::Post {
            good_body(route)
        } else {
            String::new()
        };
        let text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            route.method.label(),
            route.path,
            world.host(),
            body.len()
        );
        let answer = world.send(text.as_bytes());
        match route.access {
            Access::Open => assert_eq!(answer.status, 200, "{answer:?}"),
            Access::May(_) => assert_eq!(
                (answer.status, answer.reason().as_str()),
                (401, "unsigned"),
                "{answer:?}"
            ),
        }
    }
    assert!(world.engine.asked.lock().unwrap().is_empty());
    let text = format!("GET /status HTTP/1.1\r\nHost: {}\r\n\r\n", world.host());
    assert_eq!(
        world.send(text.as_bytes()).status,
        200,
        "the page stays open on loopback"
    );
}

#[test]
fn without_tokens_everything_can_be_read_and_nothing_done() {
    let world = World::with(None, quick());
    for route in ROUTES {
        for signed in [false, true] {
            let answer = if signed {
                world.send(&world.ask(Role::RiskOfficer, route).bytes())
            } else {
                let length = if route.method == Method::Post {
                    "Content-Length: 2\r\n"
                } else {
                    ""
                };
                let body = if route.method == Method::Post {
                    "{}"
                } else {
                    ""
                };
                let text = format!(
                    "{} {} HTTP/1.1\r\nHost: {}\r\n{length}\r\n{body}",
                    route.method.label(),
                    route.path,
                    world.host()
                );
                world.send(text.as_bytes())
            };
            match route.method {
                Method::Get => assert_eq!(answer.status, 200, "{} {answer:?}", route.path),
                Method::Post => {
                    assert_eq!(
                        (answer.status, answer.reason().as_str()),
                        (403, "no_tokens"),
                        "{} {answer:?}",
                        route.path
                    );
                    assert!(
                        answer.body.contains("arbalest risk token new"),
                        "the cure is named: {answer:?}"
                    );
                }
            }
        }
    }
    assert!(world.engine.changes().is_empty());
}

#[test]
fn what_was_asked_arrives_with_who_and_why() {
    let world = World::new();
    let route = ROUTES.iter().find(|route| route.op == Op::Reduce).unwrap();
    let mut ask = world.ask(Role::Trader, route);
    ask.body = br#"{"scope":"venue:spot_a","reason":"fees look wrong"}"#.to_vec();
    assert_eq!(world.send(&ask.bytes()).status, 200);
    let changes = world.engine.changes();
    let (caller, request) = changes.first().unwrap();
    assert_eq!(
        (caller.person.name.as_str(), caller.person.role),
        ("trader0", Role::Trader)
    );
    assert_eq!(
        format!("{request:?}"),
        "Raise { scope: \"venue:spot_a\", level: ReduceOnly, reason: \"fees look wrong\" }"
    );
    assert_eq!(world.counted("ok"), 1);
    assert!(now_ms() > 0);
}

#[test]
fn what_takes_too_long_is_finished_and_not_written_down_as_refused() {
    let bounds = Bounds {
        engine: Duration::from_millis(50),
        ..quick()
    };
    let world = World::with(Some(keyring()), bounds);
    let (release, released) = oneshot::channel();
    let (done, finished) = mpsc::channel();
    *world.engine.held.lock().unwrap() = Some((released, done));
    let raise = ROUTES.iter().find(|route| route.is_stop).unwrap();
    let answer = world.send(&world.ask(Role::RiskOfficer, raise).bytes());
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (503, "unavailable"),
        "{answer:?}"
    );
    assert!(world.engine.refused.lock().unwrap().is_empty());
    release.send(()).unwrap();
    finished.recv_timeout(Duration::from_secs(20)).unwrap();
}
