//! Alerts to people outside, over a real HTTP server: every template, a dead receiver, a flood, and `arbalest alert test`.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arbalest::actors::alerts::{AlertPost, SinkTarget};
use arbalest::clock::OsClock;
use arbalest::engine::alerts::{Next, Note, Outbox, Outcome, SinkKind, SinkTerms};
use arbalest::risk::{KillLevel, Scope, Severity};
use arbalest::units::{MonoNanos, Nanos, UnixNanos};
use secrecy::SecretString;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::world::{SOON, Terms, World, live, until};

/// What arrived: request line and body.
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers each request with the next of `statuses`, the last one for ever.
async fn receiver(statuses: &'static [u16]) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen: Seen = Arc::default();
    let own = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let seen = Arc::clone(&own);
            tokio::spawn(async move {
                while let Some(request) = request(&mut socket).await {
                    let count = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request);
                        seen.len()
                    };
                    let status = statuses[(count - 1).min(statuses.len() - 1)];
                    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (base, seen)
}

async fn request(socket: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_it = name.eq_ignore_ascii_case("content-length");
                is_it.then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                let line = head.lines().next().unwrap().to_owned();
                return Some((line, serde_json::from_str(body).unwrap()));
            }
        }
        let mut part = [0_u8; 4_096];
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    }
}

fn target(kind: SinkKind, url: String) -> SinkTarget {
    SinkTarget {
        terms: SinkTerms {
            name: "ops".to_owned(),
            kind,
            chat: Some("42".to_owned()),
            min_severity: Severity::Warning,
            rate_max: 1_000,
        },
        url: SecretString::from(url),
    }
}

fn note(kind: &str, raised: bool) -> Note {
    Note {
        at: UnixNanos(1_700_000_000_000_000_000),
        severity: Severity::Critical,
        kind: kind.to_owned(),
        scope: "spot_a".to_owned(),
        raised,
        text: format!("{kind} spot_a value=7 limit=5"),
    }
}

#[tokio::test]
async fn each_receiver_gets_its_own_form_and_the_clear() {
    for (kind, path) in [
        (SinkKind::Webhook, "/hook/secret"),
        (SinkKind::Slack, "/services/T/B/x"),
        (SinkKind::Telegram, "/bot1:x/sendMessage"),
        (SinkKind::Alertmanager, "/api/v2/alerts"),
    ] {
        let (base, seen) = receiver(&[200]).await;
        let sink = target(kind, format!("{base}{path}"));
        let post = AlertPost::start(vec![sink], OsClock::new()).unwrap();
        post.add(&note("level_raised", true));
        post.add(&note("level_raised", true));
        post.add(&note("level_raised", false));
        post.flush().await;
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 2, "{kind:?}: once, and its end");
        assert_eq!(seen[0].0, format!("POST {path} HTTP/1.1"));
        let (first, last) = (&seen[0].1, &seen[1].1);
        match kind {
            SinkKind::Webhook => {
                assert_eq!(
                    (&first["state"], &last["state"]),
                    (&"raised".into(), &"ended".into())
                );
                assert_eq!(first["scope"], "spot_a");
            }
            SinkKind::Slack => assert_eq!(
                first["text"],
                "[critical] arbalest raised: level_raised spot_a value=7 limit=5"
            ),
            SinkKind::Telegram => assert_eq!(first["chat_id"], "42"),
            SinkKind::Alertmanager => {
                assert_eq!(first[0]["labels"], last[0]["labels"]);
                assert_eq!(last[0]["endsAt"], "2023-11-14T22:13:20.000Z");
            }
        }
        let status = &post.status()[0];
        assert_eq!((status.sent, status.failed, status.dropped), (2, 0, 0));
    }
}

#[tokio::test]
async fn a_failure_is_tried_again_and_a_refusal_is_not() {
    let (base, seen) = receiver(&[503, 200]).await;
    let sink = target(SinkKind::Webhook, base);
    let post = AlertPost::start(vec![sink], OsClock::new()).unwrap();
    post.add(&note("a", true));
    post.flush().await;
    let status = post.status().remove(0);
    assert_eq!((status.sent, status.failed, status.waiting), (1, 1, 0));
    assert_eq!(seen.lock().unwrap().len(), 2);

    let (base, seen) = receiver(&[404]).await;
    let sink = target(SinkKind::Webhook, base);
    let post = AlertPost::start(vec![sink], OsClock::new()).unwrap();
    post.add(&note("a", true));
    post.flush().await;
    let status = post.status().remove(0);
    assert_eq!((status.sent, status.failed, status.dropped), (0, 1, 1));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// A receiver that takes connections and never answers beside one that works: the second hears everything.
#[tokio::test]
async fn a_dead_receiver_holds_up_nobody_and_a_flood_is_bounded() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = target(
        SinkKind::Webhook,
        format!("http://{}/", silent.local_addr().unwrap()),
    );
    let (base, seen) = receiver(&[200]).await;
    let mut fine = target(SinkKind::Webhook, base);
    fine.terms.name = "fine".to_owned();
    let post = AlertPost::start(vec![dead, fine], OsClock::new()).unwrap();
    post.add(&note("first", true));
    let heard = async {
        while seen.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard)
        .await
        .unwrap();
    for index in 0..20_000 {
        post.add(&note(&format!("k{index}"), true));
    }
    let status = &post.status()[0];
    assert!(status.waiting <= 257, "{}", status.waiting);
    assert!(status.dropped >= 19_700, "{}", status.dropped);
    assert_eq!(status.sent, 0);
}

/// Critical ones go first, past the rate, and past a quieter one that is being tried again.
#[test]
fn the_loudest_goes_first() {
    let mut terms = target(SinkKind::Webhook, String::new()).terms;
    terms.rate_max = 2;
    let mut outbox = Outbox::new(terms);
    let said = |kind: &str, severity, raised| Note {
        severity,
        ..note(kind, raised)
    };
    let next = |outbox: &mut Outbox, now| match outbox.next(now) {
        Next::Send(body) => {
            let body: Value = serde_json::from_str(&body).unwrap();
            format!(
                "{} {}",
                body["kind"].as_str().unwrap(),
                body["state"].as_str().unwrap()
            )
        }
        Next::Wait(until) => format!("{until:?}"),
    };
    let (start, warning, critical) = (MonoNanos(0), Severity::Warning, Severity::Critical);
    for kind in ["w1", "w2", "w3", "w4"] {
        outbox.add(&said(kind, warning, true), start);
    }
    outbox.add(&said("c1", critical, true), start);
    for kind in ["c1", "w1", "w2"] {
        assert_eq!(next(&mut outbox, start), format!("{kind} raised"));
        outbox.on_outcome(Outcome::Sent, start);
    }
    let minute = start.after(Nanos::from_secs(60));
    assert_eq!(next(&mut outbox, start), format!("{:?}", Some(minute)));
    for kind in ["c2", "c3", "c4"] {
        outbox.add(&said(kind, critical, true), start);
        assert_eq!(
            next(&mut outbox, start),
            format!("{kind} raised"),
            "past the rate"
        );
        outbox.on_outcome(Outcome::Sent, start);
    }
    assert_eq!(next(&mut outbox, minute), "w3 raised");
    outbox.on_outcome(Outcome::Retry, minute);
    outbox.add(&said("w3", critical, true), minute);
    outbox.add(&said("w3", critical, false), minute);
    for state in ["raised", "ended"] {
        assert_eq!(
            next(&mut outbox, minute),
            format!("w3 {state}"),
            "past a retry"
        );
        outbox.on_outcome(Outcome::Sent, minute);
    }
    assert_eq!(
        next(&mut outbox, minute),
        "w4 raised",
        "and no older w3 after its end"
    );
    outbox.on_outcome(Outcome::Sent, minute);
    assert_eq!(outbox.waiting(), 0);
}

/// A person's halt, and its end: scope, levels, cause and name reach the receiver.
#[test]
fn an_operators_halt_arrives() {
    live(async || {
        let (base, seen) = receiver(&[200]).await;
        let alerts = vec![target(SinkKind::Webhook, base)];
        let terms = Terms::default();
        let world = World::start_telling(terms, alerts).await.unwrap();
        let said = async |kind: &str, state: &str| {
            until("the receiver is told", SOON, async || {
                let seen = seen.lock().unwrap();
                let is_it = |body: &Value| {
                    let is = |key: &str, word: &str| body[key].as_str() == Some(word);
                    let by_hand = body["text"].as_str().unwrap().contains("operator");
                    is("kind", kind) && is("state", state) && is("scope", "portfolio") && by_hand
                };
                let found = seen.iter().map(|(_, body)| body).find(|body| is_it(body));
                found.cloned()
            })
            .await
        };
        world.raise(Scope::Portfolio, KillLevel::CancelAll).await;
        world.raise(Scope::Portfolio, KillLevel::Halt).await;
        assert_eq!(
            said("kill_level_cancel_all", "raised").await["severity"],
            "critical"
        );
        let halt = said("kill_level_halt", "raised").await;
        assert_eq!(halt["severity"], "critical");
        assert_eq!(
            halt["text"],
            "kill level of portfolio: cancel_all to halt, cause operator, by operator tom: scripted"
        );
        world.rearm(Scope::Portfolio).await;
        for kind in ["kill_level_cancel_all", "kill_level_halt"] {
            let end = said(kind, "ended").await;
            assert!(end["text"].as_str().unwrap().contains("by operator olga"));
        }
        world.stop().await;
    });
}

fn config(directory: &Path, url_file: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    std::fs::create_dir(directory.join("strategies")).unwrap();
    for part in ["", "strategies"] {
        for entry in std::fs::read_dir(shipped.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let to = directory.join(part).join(path.file_name().unwrap());
                std::fs::copy(&path, to).unwrap();
            }
        }
    }
    let engine = directory.join("engine.toml");
    let mut text = std::fs::read_to_string(&engine).unwrap_or_default();
    text.push_str(&format!(
        "\n[[alert]]\nname = \"pager\"\nkind = \"slack\"\nurl_file = {:?}\n",
        url_file.display().to_string()
    ));
    std::fs::write(engine, text).unwrap();
}

#[tokio::test]
async fn the_command_tries_the_receivers_of_a_configuration() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let url_file = place.path().join("url");
    config(place.path(), &url_file);
    let run = async |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arbalest"));
        command
            .args(["alert", "test", "--config"])
            .arg(place.path())
            .args(more);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    for (statuses, code, says) in [
        (&[200][..], Some(0), "pager: took it"),
        (&[403][..], Some(1), "pager: answered with status 403"),
    ] {
        let (base, seen) = receiver(statuses).await;
        std::fs::write(&url_file, format!("{base}/very-secret")).unwrap();
        std::fs::set_permissions(&url_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let (found, text) = run(&["--sink", "pager"]).await;
        assert_eq!(found, code, "{text}");
        assert!(text.contains(says), "{text}");
        assert!(
            !text.contains("very-secret"),
            "the address is a secret: {text}"
        );
        assert!(
            seen.lock().unwrap()[0].1["text"]
                .as_str()
                .unwrap()
                .contains("this is a test")
        );
    }
    let (code, text) = run(&["--sink", "nobody"]).await;
    assert_eq!(code, Some(2), "{text}");
    std::fs::set_permissions(&url_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text) = run(&[]).await;
    assert!(code == Some(2) && text.contains("chmod 600"), "{text}");
}
