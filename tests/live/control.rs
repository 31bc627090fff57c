//! People steer a running engine: what they ask happens, is judged again by the engine, and stands in the journal.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use arbalest::dashboard::{self, Bounds, Door, Keyring};
use arbalest::engine::control::{
    Caller, ControlAnswer, ControlError, ControlRequest, LevelAnswer, LimitAnswer, WhatIf,
    WhatIfAnswer,
};
use arbalest::risk::{KillLevel, Person, Role};
use arbalest::units::Side;
use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::world::{B, SOON, Terms, World, live, until};

fn caller(name: &str, role: Role) -> Caller {
    Caller {
        person: Person::new(name, role),
        from: "127.0.0.1:1".to_owned(),
    }
}

async fn ask(
    world: &World,
    name: &str,
    role: Role,
    request: ControlRequest,
) -> Result<ControlAnswer, ControlError> {
    let asking = world.engine.control(None).ask(caller(name, role), request);
    tokio::time::timeout(SOON, asking).await.unwrap()
}

async fn levels(world: &World) -> Vec<LevelAnswer> {
    match ask(world, "vic", Role::Viewer, ControlRequest::Levels).await {
        Ok(ControlAnswer::Levels(levels)) => levels,
        other => panic!("{other:?}"),
    }
}

async fn limits(world: &World) -> Vec<(String, String, Decimal)> {
    let line = |line: LimitAnswer| (line.control, line.scope, line.limit);
    match ask(world, "vic", Role::Viewer, ControlRequest::Limits).await {
        Ok(ControlAnswer::Limits(limits)) => limits.into_iter().map(line).collect(),
        other => panic!("{other:?}"),
    }
}

fn order(quantity: &str) -> ControlRequest {
    ControlRequest::WhatIf(WhatIf {
        venue: "spot_a".to_owned(),
        symbol: "BTC/USDT".to_owned(),
        side: Side::Buy,
        quantity: quantity.parse().unwrap(),
        price: None,
        strategy: None,
    })
}

/// What the gate would say to an order of the trader.
async fn what_if(world: &World, qty: &str) -> WhatIfAnswer {
    match ask(world, "tess", Role::Trader, order(qty)).await {
        Ok(ControlAnswer::WhatIf(answer)) => *answer,
        other => panic!("no verdict: {other:?}"),
    }
}

#[test]
fn people_steer_and_the_journal_knows() {
    live(async || {
        let world = World::start(Terms::default()).await;
        let small = what_if(&world, "0.002").await;
        assert!(small.approved, "{small:?}");
        let large = what_if(&world, "0.6").await;
        assert_eq!(large.code.as_deref(), Some("NOT_PERMITTED"), "{large:?}");
        let before = world.snapshot().await;
        assert_eq!(before.totals.orders_sent, 0, "a what-if sends nothing");
        assert_eq!(before.risk.checks_passed, 0, "and counts nothing");

        let halt = ControlRequest::Raise {
            scope: "venue:spot_a".to_owned(),
            level: KillLevel::Halt,
            reason: "a test".to_owned(),
        };
        assert!(
            ask(&world, "tess", Role::Trader, halt.clone())
                .await
                .is_ok()
        );
        let held = levels(&world).await;
        assert_eq!((held[0].scope.as_str(), held[0].level), ("venue:spot_a", 4));
        assert!(held[0].causes[0].contains("a test"), "{held:?}");
        let halted = what_if(&world, "0.002").await;
        let again = until("the gate has heard", SOON, async || {
            let answer = what_if(&world, "0.002").await;
            answer.code.filter(|_| !answer.approved)
        });
        assert_eq!(again.await, "KILL_HALT", "{halted:?}");

        // The engine judges the role again, whatever the server thought.
        let refused = ask(&world, "vic", Role::Viewer, halt.clone()).await;
        assert!(matches!(&refused, Err(ControlError::Refused(text)) if text.contains("viewer")));
        let unknown = ControlRequest::CancelAll {
            scope: "venue:nowhere".to_owned(),
            reason: "a test".to_owned(),
        };
        let wrong = ask(&world, "tess", Role::Trader, unknown).await;
        assert!(matches!(&wrong, Err(ControlError::Wrong(text)) if text.contains("venue:nowhere")));
        let reload = ControlRequest::ProposeLimits {
            reason: "a test".to_owned(),
        };
        let built_in = ask(&world, "ria", Role::RiskOfficer, reload).await;
        assert!(matches!(&built_in, Err(ControlError::Refused(text)) if text.contains("--config")));

        let (_, entries) = world.stop().await;
        let mut actions = Vec::new();
        for entry in entries {
            if entry.record["kind"] == "control_action" {
                let text = |key: &str| entry.record[key].as_str().unwrap().to_owned();
                actions.push((text("by"), text("action"), entry.record["accepted"] == true));
            }
        }
        let told = |by: &str, action: &str, accepted| (by.to_owned(), action.to_owned(), accepted);
        assert_eq!(
            actions,
            [
                told("tess", "halt", true),
                told("vic", "halt", false),
                told("tess", "cancel_all", false),
                told("ria", "propose_limits", false),
            ]
        );
    });
}

#[test]
fn attacks_leave_levels_limits_and_trading_as_they_were() {
    live(async || {
        let world = World::start(Terms::default()).await;
        let keyring =
            Keyring::parse("ria risk_officer q3VfP0c2Zk9xT1hKdDR3bUxhN1lyRWJ1SDZpUzhuQ2o").unwrap();
        let door = Door {
            control: world.engine.control(None),
            keyring: Some(keyring),
            // The market stands still meanwhile: a late answer would let its feeds go stale.
            bounds: Bounds {
                delay: std::time::Duration::ZERO,
                ..Bounds::default()
            },
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = dashboard::serve(address, world.engine.hub(), Some(door)).unwrap();
        let before = (levels(&world).await, limits(&world).await);
        let host = server.address.to_string();
        let zeros = "0".repeat(64);
        let signed = format!(
            "X-Arbalest-Name: ria\r\nX-Arbalest-Time: 1\r\nX-Arbalest-Nonce: {}\r\nX-Arbalest-Signature: {zeros}\r\n",
            "0".repeat(32)
        );
        let body = "{\"reason\":\"attack\"}";
        for path in [
            "halt",
            "flatten",
            "raise",
            "cancel-all",
            "re-arm/approve",
            "drill",
        ] {
            for headers in ["", signed.as_str(), "Origin: http://evil.example\r\n"] {
                for method in ["POST", "GET", "PUT"] {
                    let text = format!(
                        "{method} /api/v1/{path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: application/json\r\n\
                         Content-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let mut stream = tokio::net::TcpStream::connect(server.address)
                        .await
                        .unwrap();
                    stream.write_all(text.as_bytes()).await.unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).await.unwrap();
                    assert!(answer.starts_with("HTTP/1.1 4"), "{text}\n{answer}");
                }
            }
        }
        assert_eq!((levels(&world).await, limits(&world).await), before);
        world.edge_at(B);
        world
            .until("it trades as before", |snapshot| {
                snapshot.totals.sets_opened >= 1
            })
            .await;
        world.no_edge();
        server.stop();
        world.stop().await;
    });
}

/// The program as a newcomer uses it: a demo in one terminal, `arbalest risk` in another, without any argument to find it.
#[test]
fn the_command_line_finds_the_demo_and_steers_it() {
    let folder = tempfile::tempdir().unwrap();
    let arbalest = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arbalest"));
        command.args(arguments).env("TMPDIR", folder.path());
        command
            .env_remove("ARBALEST_LOG")
            .env_remove("ARBALEST_TOKEN_FILE");
        command
    };
    let mut demo = arbalest(&["demo", "--for", "120s", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(demo.stderr.take().unwrap()));
    let said = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("risk halt")));
    assert!(said.is_some(), "the demo says how to steer it");
    // Keep reading, so that the demo never waits for us.
    let reader = std::thread::spawn(move || lines.for_each(drop));
    let risk = |arguments: &[&str], code: i32| {
        let output = arbalest(&[&["risk"], arguments].concat()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {said}{errors}"
        );
        format!("{said}{errors}")
    };
    assert!(risk(&["status"], 0).contains("portfolio level"));
    assert!(risk(&["positions"], 0).contains("spot_a"));
    assert!(risk(&["limits"], 0).contains("AT-01"));
    assert!(risk(&["alerts"], 0).len() > 3);
    assert!(risk(&["closes"], 0).len() > 3);
    assert!(risk(&["--as", "vic", "halt", "--reason", "not allowed"], 3).contains("role"));
    assert!(risk(&["halt", "--reason", "a\nb"], 2).contains("control characters"));
    assert!(risk(&["halt"], 2).contains("--reason"));
    assert!(risk(&["flatten", "--reason", "no terminal"], 2).contains("--yes"));
    assert!(risk(&["--as", "nobody", "status"], 2).contains("alice, bob, tess, vic"));
    assert!(risk(&["--as", "tess", "halt", "--reason", "try it"], 0).contains("K4 halt"));
    assert!(risk(&["levels"], 0).contains("try it"));
    // The gate hears of a level with its next cycle; until then it may refuse for another reason.
    let judged = |_| {
        let output = arbalest(&["risk", "what-if", "spot_a", "BTC/USDT", "buy", "0.01"]).output();
        String::from_utf8_lossy(&output.unwrap().stdout).contains("KILL_HALT")
    };
    assert!((0..200).any(judged), "the gate has heard of the halt");
    assert!(
        risk(
            &[
                "re-arm",
                "approve",
                &"0".repeat(64),
                &"0".repeat(64),
                "--yes"
            ],
            3
        )
        .contains("token")
    );
    let status: serde_json::Value = serde_json::from_str(&risk(&["status", "--json"], 0)).unwrap();
    assert_eq!(status["portfolio_level"], 4);
    assert!(risk(&["--url", "http://127.0.0.1:1", "status"], 1).contains("--url"));
    assert!(risk(&["token", "new", "cy", "trader"], 0).starts_with("cy trader "));
    // SIGTERM: the demo ends in order and leaves nothing behind.
    let stopped = Command::new("kill")
        .arg(demo.id().to_string())
        .status()
        .unwrap();
    assert!(stopped.success() && demo.wait().unwrap().success());
    reader.join().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
