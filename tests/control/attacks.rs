//! Hostile requests, one by one: each is refused with the reason it deserves, is counted, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbalest::dashboard::Bounds;
use arbalest::dashboard::routes::{Method, Op, ROUTES, Route};
use arbalest::risk::Role;

use super::world::{Ask, PEOPLE, World, keyring, now_ms, quick};

fn route(op: Op) -> &'static Route {
    ROUTES.iter().find(|route| route.op == op).unwrap()
}

/// Reasons that fit, or `""` for a refusal of the HTTP reader, which says a status of 4xx or closes.
struct Attack {
    class: &'static str,
    bytes: Vec<u8>,
    reasons: &'static [&'static str],
}

impl Attack {
    /// Sends it and answers the reason of its refusal.
    fn strike(&self, world: &World) -> String {
        let answer = world.send(&self.bytes);
        let end = self.bytes.len().min(400);
        let shown = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        let reason = answer.reason();
        let case = format!("{}: {reason:?} {answer:?} to\n{shown}", self.class);
        assert!(self.reasons.contains(&reason.as_str()), "{case}");
        assert!(
            answer.status == 0 || (400..500).contains(&answer.status),
            "{case}"
        );
        assert!(
            !answer.head.contains("X-Evil") && !answer.body.contains('\r'),
            "{case}"
        );
        let asked = world.engine.asked.lock().unwrap();
        assert!(
            asked.is_empty(),
            "reached the engine with {asked:?}: {case}"
        );
        reason
    }
}

struct Script<'a> {
    world: &'a World,
    attacks: Vec<Attack>,
}

impl Script<'_> {
    fn raw(
        &mut self,
        class: &'static str,
        bytes: impl Into<Vec<u8>>,
        reasons: &'static [&'static str],
    ) {
        self.attacks.push(Attack {
            class,
            bytes: bytes.into(),
            reasons,
        });
    }
    /// A good request, by another of the role's people each time: the rate of one would hide the reasons.
    fn ask(&self, role: Role, route: &Route) -> Ask {
        self.world.ask_as(role, self.attacks.len() % PEOPLE, route)
    }
    /// A good halt by a trader, changed and then signed rightly.
    fn signed(
        &mut self,
        class: &'static str,
        reasons: &'static [&'static str],
        change: impl FnOnce(&mut Ask),
    ) {
        let mut ask = self.ask(Role::Trader, route(Op::Halt));
        change(&mut ask);
        self.raw(class, ask.bytes(), reasons);
    }
    /// A good halt by a name that nobody has, changed after it was signed: a lock-out of real people would hide the reasons.
    fn forged(&mut self, class: &'static str, change: impl FnOnce(&mut Ask)) {
        let mut ask = self.ask(Role::Trader, route(Op::Halt));
        let signature = ask.signature();
        change(&mut ask);
        self.raw(class, ask.bytes_with(&signature), &["signature", "locked"]);
    }
    fn body(&mut self, class: &'static str, op: Op, body: impl Into<Vec<u8>>) {
        let mut ask = self.ask(Role::RiskOfficer, route(op));
        ask.body = body.into();
        self.raw(class, ask.bytes(), &["body"]);
    }
}

const READER: &[&str] = &[""];

/// Makes a good request a bad one.
type Spoil = fn(&mut Ask);

fn lines_and_hosts(script: &mut Script<'_>) {
    let host = script.world.host();
    let other_hosts = [
        "evil.example",
        "evil.example:9464",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "[::2]",
        "127.0.0.2",
        "localhost:",
        "user@localhost",
        "localhost:80:80",
        "127.1",
        "2130706433",
        "",
    ];
    for other in other_hosts {
        script.signed("host of another machine", &["host", ""], |ask| {
            ask.host = other.to_owned();
        });
    }
    let ask = script.ask(Role::Trader, route(Op::Halt));
    let without = String::from_utf8(ask.bytes())
        .unwrap()
        .replace(&format!("Host: {host}\r\n"), "");
    script.raw("no host", without, &["host", ""]);
    script.signed("two hosts", &["host", ""], |ask| {
        ask.more.push("Host: evil.example".to_owned());
    });
    script.signed("two hosts", &["host", ""], |ask| {
        ask.more.push(format!("Host: {}", ask.host));
    });
    for origin in [
        "null",
        "http://evil.example",
        "https://evil.example",
        "http://127.0.0.1",
        "http://localhost:1",
        "file://",
        "chrome-extension://x",
    ] {
        script.signed("origin of a page", &["origin"], |ask| {
            ask.more.push(format!("Origin: {origin}"));
        });
    }
    for site in ["cross-site", "same-site", "evil"] {
        script.signed("fetch of another site", &["origin"], |ask| {
            ask.more.push(format!("Sec-Fetch-Site: {site}"));
        });
    }
    script.signed("two origins", &["origin"], |ask| {
        ask.more.extend([
            format!("Origin: http://{}", ask.host),
            "Origin: http://evil.example".to_owned(),
        ]);
    });
    absolute_targets(script);
}

fn absolute_targets(script: &mut Script<'_>) {
    for target in [
        "http://evil.example/api/v1/halt",
        "https://127.0.0.1/api/v1/halt",
        "http://127.0.0.1:1/api/v1/halt",
        "ftp://x/api/v1/halt",
        "//evil.example/api/v1/halt",
    ] {
        script.signed(
            "absolute form",
            &["request_line", "path", "method", ""],
            |ask| ask.target = target.to_owned(),
        );
    }
}

#[expect(clippy::too_many_lines, reason = "a table of attacks, one entry each")]
fn paths_and_methods(script: &mut Script<'_>) {
    let tricks = [
        "/api/v1/../v1/halt",
        "/api/v1/./halt",
        "/api/v1//halt",
        "//api/v1/halt",
        "/api/v1/halt/",
        "/api/v1/halt/.",
        "/api/v1/halt/..",
        "/api/v1/status/../halt",
        "/api/v1/%68alt",
        "/api/v1/hal%74",
        "/api/v1%2fhalt",
        "/api/v1/%2e%2e/v1/halt",
        "/%61pi/v1/halt",
        "/api/v1/halt%00",
        "/api/v1/halt%20",
        "/api/v1/halt;x=1",
        "/api/v1/HALT",
        "/API/V1/halt",
        "/api/v1/halt.json",
        "/api/v2/halt",
        "/api/halt",
        "/halt",
        "/api/v1/re-arm",
        "/api/v1/re-arm/",
        "/api/v1/re-arm/approve/x",
        "/api/v1/\\halt",
        "/api/v1/halt\\",
        "/api/v1/halt/%2e%2e/flatten",
        "/etc/passwd",
        "/../../../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
    ];
    for target in tricks {
        script.signed("path tricks", &["path", "method", ""], |ask| {
            ask.target = target.to_owned();
        });
    }
    for method in [
        "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "post", "Get", "HALT", "PROPFIND",
        "LOCK",
    ] {
        for op in [Op::Halt, Op::Status] {
            let mut ask = script.ask(Role::Trader, route(op));
            ask.method = method.to_owned();
            script.raw("other methods", ask.bytes(), &["method", ""]);
        }
    }
    script.raw(
        "connect",
        format!(
            "CONNECT evil.example:443 HTTP/1.1\r\nHost: {}\r\n\r\n",
            script.world.host()
        ),
        &["request_line", "method", ""],
    );
    for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
        let mut ask = script.ask(Role::RiskOfficer, route);
        ask.method = "GET".to_owned();
        script.raw("get that would change state", ask.bytes(), &["method"]);
        let text = format!(
            "GET {}?reason=x&scope=portfolio HTTP/1.1\r\nHost: {}\r\n\r\n",
            route.path,
            script.world.host()
        );
        script.raw("get that would change state", text, &["method"]);
    }
    for route in ROUTES.iter().filter(|route| route.method == Method::Get) {
        let mut ask = script.ask(Role::RiskOfficer, route);
        ask.method = "POST".to_owned();
        script.raw("post to what is read", ask.bytes(), &["method"]);
    }
    for header in [
        "X-HTTP-Method-Override: POST",
        "X-Method-Override: POST",
        "X-HTTP-Method: POST",
    ] {
        let mut ask = script.ask(Role::Trader, route(Op::Halt));
        ask.method = "GET".to_owned();
        ask.more.push(header.to_owned());
        script.raw("method override", ask.bytes(), &["method"]);
    }
    for query in ["?", "?scope=portfolio", "?reason=x", "?a=1&b=2"] {
        script.signed("query", &["body"], |ask| ask.target.push_str(query));
    }
    for page in ["/metrics", "/status", "/", "/healthz", "/readyz"] {
        let text = format!(
            "POST {page} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            script.world.host()
        );
        script.raw("post to the page", text, &["method"]);
    }
}

#[expect(clippy::too_many_lines, reason = "a table of attacks, one entry each")]
fn signatures(script: &mut Script<'_>) {
    for bit in 0..64 {
        let mut ask = script.ask(Role::Trader, route(Op::Status));
        ask.name = "mallory".to_owned();
        let mut digits = ask.signature().into_bytes();
        digits[bit] = if digits[bit] == b'0' { b'1' } else { b'0' };
        script.raw(
            "guessed signature",
            ask.bytes_with(&String::from_utf8(digits).unwrap()),
            &["signature", "locked"],
        );
    }
    script.forged("signature of another path", |ask| {
        ask.name = "mallory".to_owned();
        ask.target = "/api/v1/flatten".to_owned();
    });
    for name in [
        "mallory", "root", "admin", "ri", "riaa", "operator", "startup", "a",
    ] {
        script.signed("unknown name", &["signature", "locked"], |ask| {
            ask.name = name.to_owned();
        });
    }
    let malformed: [(&str, Spoil); 22] = [
        ("name", |ask| ask.name = String::new()),
        ("name", |ask| ask.name = "TOM".to_owned()),
        ("name", |ask| ask.name = "tom risk_officer".to_owned()),
        ("name", |ask| ask.name = "tom,ria".to_owned()),
        ("name", |ask| ask.name = "x".repeat(1_000)),
        ("name", |ask| ask.name = "tom\u{e9}".to_owned()),
        ("name", |ask| ask.name = "../tom".to_owned()),
        ("time", |ask| ask.time = String::new()),
        ("time", |ask| ask.time = "now".to_owned()),
        ("time", |ask| ask.time = format!("-{}", ask.time)),
        ("time", |ask| ask.time = format!("+{}", ask.time)),
        ("time", |ask| ask.time = format!("{}.0", ask.time)),
        ("time", |ask| ask.time = "9".repeat(400)),
        ("time", |ask| ask.time = "0x18c".to_owned()),
        ("time", |ask| ask.time = "1e12".to_owned()),
        ("nonce", |ask| ask.nonce = String::new()),
        ("nonce", |ask| ask.nonce = "0".repeat(31)),
        ("nonce", |ask| ask.nonce = "0".repeat(33)),
        ("nonce", |ask| ask.nonce = "g".repeat(32)),
        ("nonce", |ask| ask.nonce = "A".repeat(32)),
        ("nonce", |ask| ask.nonce = "0".repeat(100_000)),
        ("nonce", |ask| {
            ask.nonce = "' or 1=1 -- 00000000000000000000".to_owned();
        }),
    ];
    for (_, change) in malformed {
        script.signed("malformed signature headers", &["headers", ""], change);
    }
    for signature in [
        "",
        "0",
        "deadbeef",
        &"0".repeat(63),
        &"0".repeat(65),
        &"G".repeat(64),
        &"A".repeat(64),
        "null",
        "undefined",
    ] {
        let ask = script.ask(Role::Trader, route(Op::Halt));
        script.raw(
            "malformed signature",
            ask.bytes_with(signature),
            &["headers"],
        );
    }
    for header in [
        "X-Arbalest-Name: ria",
        "X-Arbalest-Time: 1",
        "X-Arbalest-Nonce: 00",
        "X-Arbalest-Signature: 00",
    ] {
        script.signed("signature header twice", &["headers"], |ask| {
            ask.more.push(header.to_owned());
        });
    }
    for missing in [
        "X-Arbalest-Time",
        "X-Arbalest-Nonce",
        "X-Arbalest-Signature",
        "X-Arbalest-Name",
    ] {
        let text = String::from_utf8(script.ask(Role::Trader, route(Op::Halt)).bytes()).unwrap();
        let less: Vec<&str> = text
            .split("\r\n")
            .filter(|line| !line.starts_with(missing))
            .collect();
        script.raw(
            "signature header missing",
            less.join("\r\n"),
            &["headers", "unsigned"],
        );
    }
    let (_, token) = super::world::person(Role::Admin, 0);
    for header in [
        format!("Authorization: Bearer {token}"),
        format!("Authorization: Basic {token}"),
        format!("Cookie: token={token}"),
        format!("X-Api-Key: {token}"),
        "X-Forwarded-For: 127.0.0.1".to_owned(),
    ] {
        let text = format!(
            "POST /api/v1/halt HTTP/1.1\r\nHost: {}\r\n{header}\r\nContent-Length: 0\r\n\r\n",
            script.world.host()
        );
        script.raw("other schemes", text, &["unsigned"]);
    }
    for header in [
        "X-Role: risk_officer",
        "X-Arbalest-Role: admin",
        "X-Original-URL: /api/v1/halt",
        "X-Rewrite-URL: /api/v1/halt",
        "Forwarded: for=127.0.0.1",
    ] {
        let mut ask = script.ask(Role::Viewer, route(Op::Halt));
        ask.more.push(header.to_owned());
        script.raw("claimed role", ask.bytes(), &["role"]);
    }
    for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
        script.raw(
            "viewer acts",
            script.ask(Role::Viewer, route).bytes(),
            &["role"],
        );
    }
    for op in [Op::ApproveRearm, Op::ConfirmLimits] {
        for role in [Role::Trader, Role::Admin] {
            script.raw(
                "only a risk officer lowers",
                script.ask(role, route(op)).bytes(),
                &["role"],
            );
        }
    }
    for late in [
        -30_500,
        -31_000,
        -60_000,
        -86_400_000,
        31_000,
        60_000,
        86_400_000,
    ] {
        script.signed("signed at another time", &["stale_time"], |ask| {
            ask.time = (now_ms() + late).to_string();
        });
    }
    for time in ["0", "1", "999999999999999"] {
        script.signed("signed at another time", &["stale_time"], |ask| {
            ask.time = time.to_owned();
        });
    }
}

#[expect(clippy::too_many_lines, reason = "a table of attacks, one entry each")]
fn bodies(script: &mut Script<'_>) {
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "",
        "application/jsonx",
        "json",
    ] {
        script.signed("another content type", &["media_type"], |ask| {
            ask.kind = Some(kind.to_owned());
        });
    }
    for (op, body) in [
        (Op::Halt, "{\"reason\":1}"),
        (Op::Halt, "{\"reason\":true}"),
        (Op::Halt, "{\"reason\":null}"),
        (Op::Halt, "{\"reason\":[\"x\"]}"),
        (Op::Halt, "{\"reason\":{\"x\":1}}"),
        (Op::Halt, "{\"reason\":\"x\",\"scope\":1}"),
        (Op::Halt, "{\"reason\":\"x\",\"scope\":[]}"),
        (
            Op::WhatIf,
            "{\"venue\":\"a\",\"symbol\":\"b\",\"side\":\"buy\",\"quantity\":1}",
        ),
        (
            Op::WhatIf,
            "{\"venue\":\"a\",\"symbol\":\"b\",\"side\":1,\"quantity\":\"1\"}",
        ),
    ] {
        script.body("wrong types", op, body);
    }
    for body in [
        "[]",
        "[\"x\"]",
        "\"x\"",
        "1",
        "null",
        "true",
        "[\"portfolio\",\"why\"]",
    ] {
        script.body("no object", Op::Halt, body);
    }
    for body in [
        "",
        " ",
        "{",
        "}",
        "{}}",
        "{\"reason\"}",
        "{\"reason\":}",
        "{'reason':'x'}",
        "{reason:\"x\"}",
        "{\"reason\":\"x\",}",
        "{\"reason\":\"x\"} {}",
        "{\"reason\":\"x\"}garbage",
        "//\n{\"reason\":\"x\"}",
        "reason=x",
    ] {
        script.body("no json", Op::Halt, body);
    }
    for body in [
        "{\"reason\":\"x\",\"level\":\"halt\"}",
        "{\"reason\":\"x\",\"__proto__\":{}}",
        "{\"reason\":\"x\",\"role\":\"admin\"}",
        "{\"Reason\":\"x\"}",
        "{\"reason\":\"x\",\"by\":\"ria\"}",
    ] {
        script.body("unknown fields", Op::Halt, body);
    }
    for body in [
        "{\"reason\":\"x\",\"reason\":\"y\"}",
        "{\"scope\":\"portfolio\",\"scope\":\"venue:a\",\"reason\":\"x\"}",
        "{\"reason\":\"x\",\"re\\u0061son\":\"y\"}",
    ] {
        script.body("fields twice", Op::Halt, body);
    }
    for depth in [10, 127, 128, 129, 10_000] {
        script.body("deep json", Op::Halt, "[".repeat(depth));
        script.body(
            "deep json",
            Op::Halt,
            format!("{{\"reason\":{}", "[".repeat(depth)),
        );
        script.body(
            "deep json",
            Op::Halt,
            format!("{{\"more\":{}1{}}}", "[".repeat(depth), "]".repeat(depth)),
        );
        script.body("deep json", Op::Halt, "{\"a\":".repeat(depth));
    }
    for bytes in [
        &b"{\"reason\":\"\xff\"}"[..],
        b"{\"reason\":\"\xc3\x28\"}",
        b"\xef\xbb\xbf{\"reason\":\"x\"}",
        b"{\"reason\":\"x\x00\"}",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b"{\"reason\":\"\xed\xa0\x80\"}",
        b"{\"reason\":\"\\ud800\"}",
    ] {
        script.body("bad text encoding", Op::Halt, bytes);
    }
    for text in [
        "a\\r\\nHTTP/1.1 200 OK",
        "a\\nlevel=armed",
        "a\\u0000b",
        "\\u001b[2J",
        "\\u202edrah",
        "\\u2028x",
        "\\u0085x",
        "\\u2066x\\u2069",
        "\\ufeffx",
        "\\u200bx",
        "\\u007f",
    ] {
        script.body(
            "lines forged in a reason",
            Op::Halt,
            format!("{{\"reason\":\"{text}\"}}"),
        );
        script.body(
            "lines forged in a scope",
            Op::Reduce,
            format!("{{\"reason\":\"x\",\"scope\":\"venue:{text}\"}}"),
        );
    }
    for (scope, reason) in [("x", ""), ("x", "   "), ("", "x"), (" ", "x")] {
        script.body(
            "empty words",
            Op::Halt,
            format!("{{\"scope\":\"{scope}\",\"reason\":\"{reason}\"}}"),
        );
    }
    script.body(
        "long words",
        Op::Halt,
        format!("{{\"reason\":\"{}\"}}", "x".repeat(201)),
    );
    script.body(
        "long words",
        Op::Halt,
        format!("{{\"reason\":\"x\",\"scope\":\"{}\"}}", "y".repeat(65)),
    );
    script.body(
        "long words",
        Op::Halt,
        format!("{{\"reason\":\"{}\"}}", "x".repeat(60_000)),
    );
    for quantity in [
        "0",
        "-1",
        "1e400",
        "1e3",
        "NaN",
        "Infinity",
        "0x10",
        "",
        "1_0",
        "1,5",
        " 1",
        "--1",
        "9".repeat(41).as_str(),
        "0.0000000000000000000000000000001",
        "\u{661}",
    ] {
        script.body(
            "hostile numbers",
            Op::WhatIf,
            format!(
                "{{\"venue\":\"a\",\"symbol\":\"b\",\"side\":\"buy\",\"quantity\":\"{quantity}\"}}"
            ),
        );
        script.body("hostile numbers", Op::WhatIf, format!("{{\"venue\":\"a\",\"symbol\":\"b\",\"side\":\"buy\",\"quantity\":\"1\",\"price\":\"{quantity}\"}}"));
    }
    for level in ["armed", "ARMED", "0", "K0", "none", "", "halt ", "lower"] {
        script.body(
            "raise that would lower",
            Op::Raise,
            format!("{{\"level\":\"{level}\",\"reason\":\"x\"}}"),
        );
    }
    for token in [
        "",
        "0",
        "../../x",
        &"0".repeat(63),
        &"0".repeat(65),
        &"F".repeat(64),
        &"g".repeat(64),
    ] {
        script.body(
            "malformed one-time tokens",
            Op::ApproveRearm,
            format!(
                "{{\"token\":\"{token}\",\"state_hash\":\"{}\"}}",
                "0".repeat(64)
            ),
        );
        script.body(
            "malformed one-time tokens",
            Op::ConfirmLimits,
            format!("{{\"token\":\"{}\",\"hash\":\"{token}\"}}", "0".repeat(64)),
        );
    }
    let mut ask = script.ask(Role::Viewer, route(Op::Status));
    ask.kind = Some("application/json".to_owned());
    ask.body = b"{}".to_vec();
    script.raw("get with a body", ask.bytes(), &["body"]);
}

/// Good bodies cut at every place.
fn mutations(script: &mut Script<'_>) {
    for cut in 1..40 {
        let mut ask = script.ask(Role::RiskOfficer, route(Op::Halt));
        ask.body = br#"{"scope":"portfolio","reason":"cut short"}"#.to_vec();
        let whole = ask.body.len();
        ask.body.truncate(whole - cut);
        script.raw("cut bodies", ask.bytes(), &["body"]);
    }
}

#[expect(clippy::too_many_lines, reason = "a table of attacks, one entry each")]
fn sizes_and_framing(script: &mut Script<'_>) {
    let host = script.world.host();
    for size in [65_537, 70_000, 1_000_000] {
        script.signed("huge body", &["too_large"], |ask| {
            ask.body = vec![b' '; size];
        });
    }
    for length in ["1073741824", "18446744073709551615"] {
        let text = String::from_utf8(script.ask(Role::Trader, route(Op::Halt)).bytes()).unwrap();
        let claimed: Vec<String> = text
            .split("\r\n")
            .map(|line| {
                if line.starts_with("Content-Length") {
                    format!("Content-Length: {length}")
                } else {
                    line.to_owned()
                }
            })
            .collect();
        script.raw("claimed length", claimed.join("\r\n"), &["too_large", ""]);
    }
    let chunked = |script: &Script<'_>, body: &str| {
        let mut ask = script.ask(Role::Trader, route(Op::Halt));
        ask.kind = None;
        ask.body = vec![];
        ask.more.extend([
            "Content-Type: application/json".to_owned(),
            "Transfer-Encoding: chunked".to_owned(),
        ]);
        let mut bytes = ask.bytes();
        bytes.extend_from_slice(body.as_bytes());
        bytes
    };
    for body in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}",
        "2;\r\n\r\n{}\r\n0",
        "\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r\n{}xx0\r\n\r\n",
        "1000000\r\n{}",
    ] {
        let bytes = chunked(script, body);
        script.raw(
            "chunked nonsense",
            bytes,
            &["body", "signature", "locked", "slow", "too_large", ""],
        );
    }
    let huge = format!("11170\r\n{}\r\n0\r\n\r\n", " ".repeat(70_000));
    let bytes = chunked(script, &huge);
    script.raw("huge chunk", bytes, &["too_large", ""]);
    for framing in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Content-Length: 0",
        "Content-Length: -1",
        "Content-Length: +2",
        "Content-Length: 0x10",
        "Content-Length: 1, 2",
    ] {
        script.forged("two lengths", |ask| {
            ask.name = "mallory".to_owned();
            ask.more.push(framing.to_owned());
        });
        if let Some(last) = script.attacks.last_mut() {
            last.reasons = &["signature", "locked", "body", "slow", ""];
        }
    }
    for size in [9_000, 140_000, 300_000] {
        let ask = script.ask(Role::Viewer, route(Op::Halt));
        let mut ask = ask;
        ask.more.push(format!("X-Filler: {}", "x".repeat(size)));
        script.raw("huge header", ask.bytes(), &["role", ""]);
    }
    for count in [97, 300, 5_000] {
        let mut ask = script.ask(Role::Viewer, route(Op::Halt));
        ask.more
            .extend((0..count).map(|number| format!("X-{number}: x")));
        script.raw("many headers", ask.bytes(), &["role", ""]);
    }
    for size in [5_000, 200_000] {
        script.raw(
            "huge path",
            format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "a".repeat(size)),
            &["path", ""],
        );
    }
    let noise: [&[u8]; 10] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /api/v1/status\r\n\r\n",
        b"GET /api/v1/status HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"GET\t/\tHTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\nHost: localhost\n\n",
        b"HELO arbalest\r\n\r\n",
        b"*1\r\n$4\r\nINFO\r\n\r\n",
    ];
    for bytes in noise {
        script.raw("no http", bytes, &["host", "path", ""]);
    }
    for line in [
        "X-Evil: a\u{0}b",
        "X-Evil\u{0}: a",
        ": a",
        "X Evil: a",
        "X-Arbalest-Name: tom\rX-Evil: 1",
    ] {
        script.signed("broken header lines", READER, |ask| {
            ask.more.push(line.to_owned());
        });
    }
    script.forged("header line smuggled in a name", |ask| {
        ask.name = "mallory\r\nX-Arbalest-Role: admin".to_owned();
    });
    for upgrade in [
        "Connection: Upgrade\r\nUpgrade: websocket",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    ] {
        let text = format!("GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\n{upgrade}\r\n\r\n");
        script.raw("upgrade", text, &["unsigned"]);
    }
}

#[test]
fn five_hundred_attacks_change_nothing() {
    let bounds = Bounds {
        head: Duration::from_secs(1),
        body: Duration::from_millis(500),
        ..quick()
    };
    let world = World::with(Some(keyring()), bounds);
    let (mut classes, mut count) = (BTreeSet::new(), 0_u64);
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    // Part by part: what is signed is good for half a minute only.
    for part in [
        lines_and_hosts,
        paths_and_methods,
        signatures,
        bodies,
        mutations,
        sizes_and_framing,
    ] {
        let mut script = Script {
            world: &world,
            attacks: vec![],
        };
        part(&mut script);
        for attack in script.attacks {
            classes.insert(attack.class);
            count += 1;
            *reasons.entry(attack.strike(&world)).or_default() += 1;
        }
    }
    assert!(count >= 500, "{count} attacks");
    assert!(classes.len() >= 40, "{} classes", classes.len());
    // Some reasons could not be read (HEAD, a reader that closed): they are counted all the same.
    reasons.remove("");
    for (reason, read) in &reasons {
        assert!(world.counted(reason) >= *read, "{reason} is counted");
    }
    // The server forgets a connection a little after its client: ask on until the last is counted.
    let refused = || world.hub.control().counts().sum() - world.counted("ok");
    let open = world.ask(Role::Viewer, route(Op::OpenApi)).bytes();
    let all_counted = (0..5_000).any(|_| {
        assert_eq!(world.send(&open).status, 200);
        refused() == count
    });
    assert!(all_counted, "{} of {count} are counted", refused());
    // It still answers, and a person still gets through.
    let ask = world.ask(Role::RiskOfficer, route(Op::Halt));
    assert_eq!(world.send(&ask.bytes()).status, 200);
    assert_eq!(world.engine.changes().len(), 1);
    for refused in world.engine.refused.lock().unwrap().iter() {
        let texts = [&refused.name, &refused.from, &refused.what, &refused.reason];
        assert!(
            texts.iter().all(|text| !text.chars().any(char::is_control)),
            "{refused:?}"
        );
    }
}

#[test]
fn a_request_is_good_once() {
    let world = World::new();
    let bytes = world.ask(Role::Trader, route(Op::Halt)).bytes();
    assert_eq!(world.send(&bytes).status, 200);
    for _ in 0..10 {
        let answer = world.send(&bytes);
        assert_eq!((answer.status, answer.reason().as_str()), (401, "replay"));
    }
    assert_eq!(world.engine.changes().len(), 1);
    // The same nonce in another request of the same person is used up too.
    let first = world.ask(Role::Trader, route(Op::Halt));
    let mut second = world.ask(Role::Trader, route(Op::Flatten));
    second.nonce.clone_from(&first.nonce);
    assert_eq!(world.send(&first.bytes()).status, 200);
    assert_eq!(world.send(&second.bytes()).reason(), "replay");
    // Recorded before this process began: its nonce may be forgotten, so its time is refused.
    let mut old = world.ask(Role::Trader, route(Op::Halt));
    old.time = (now_ms() - 29_000).to_string();
    assert_eq!(world.send(&old.bytes()).reason(), "stale_time");
    assert_eq!(world.counted("replay"), 11);
}

#[test]
fn guessing_locks_the_name_and_stopping_still_works() {
    let world = World::new();
    let guess = |op: Op| {
        let ask = world.ask(Role::Trader, route(op));
        world.send(&ask.bytes_with(&"0".repeat(64))).reason()
    };
    for _ in 0..5 {
        assert_eq!(guess(Op::Status), "signature");
    }
    for _ in 0..20 {
        assert_eq!(guess(Op::Status), "locked");
        assert_eq!(guess(Op::Halt), "locked");
    }
    let locked = world.send(&world.ask(Role::Trader, route(Op::Status)).bytes());
    assert_eq!(
        (locked.status, locked.reason().as_str()),
        (429, "locked"),
        "the right token waits too, to read"
    );
    assert!(
        locked.head.to_lowercase().contains("retry-after:"),
        "{locked:?}"
    );
    let other = world.send(&world.ask(Role::RiskOfficer, route(Op::Status)).bytes());
    assert_eq!(other.status, 200, "other people are not locked out");
    assert!(world.engine.changes().is_empty());
    let stop = world.send(&world.ask(Role::Trader, route(Op::Halt)).bytes());
    assert_eq!(stop.status, 200, "nobody is kept from the brake: {stop:?}");
    let after = world.send(&world.ask(Role::Trader, route(Op::Status)).bytes());
    assert_eq!(after.status, 200, "a right signature ends the suspicion");
}

#[test]
fn a_connection_carries_one_request() {
    let world = World::new();
    let first = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", world.host());
    let second = world.ask(Role::Trader, route(Op::Halt)).bytes();
    let answer = world.send(&[first.as_bytes(), &second].concat());
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("\"second\""), "{answer:?}");
    assert_eq!(world.counted("second"), 1);
    assert!(world.engine.changes().is_empty());
}
