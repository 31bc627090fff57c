//! `arbalest audit` and `[store]` as a person meets them: words and exit codes.

use std::path::Path;
use std::process::{Command, Output};

use arbalest::clock::OsClock;
use arbalest::journal::Journal;

use crate::support::{fill, sqlite};

fn arbalest(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_arbalest"))
        .args(arguments)
        .env_remove("ARBALEST_TEST_URL")
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    (status.code(), text)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn verify_and_show_say_what_is_there_and_what_is_wrong() {
    let database = sqlite();
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    fill(&journal, 0..60);
    assert_eq!(database.follow(&journal).stop(), 0);
    assert!(journal.close());
    let (db, directory) = (text(database.path()), text(&database.journal));

    let whole = ["audit", "verify", "--db", db, "--journal", directory];
    let (code, said) = arbalest(&whole);
    assert_eq!(code, Some(0), "{said}");
    for words in ["60 records good", "32 audit rows good", "\nhead "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let head = said.rsplit("head ").next().unwrap().trim().to_owned();
    let (code, said) = arbalest(&["audit", "verify", "--db", db, "--head", &head, "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["database"]["has_expected_head"], true);
    let (code, said) = arbalest(&["audit", "verify", "--db", db, "--head", "00"]);
    assert_eq!(code, Some(1), "{said}");

    let (code, said) = arbalest(&["audit", "show", "--db", db, "--kind", "control_action"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.contains("reason=\"reason 8\"") && said.contains("role=risk_officer"));
    let (code, said) = arbalest(&["audit", "show", "--db", db, "--since", "1h", "--json"]);
    assert_eq!((code, said.lines().count()), (Some(0), 32));

    database
        .run("DROP TRIGGER audit_no_UPDATE; UPDATE audit SET content = replace(content, 'reason 8', 'reason 9')")
        .unwrap();
    let (code, said) = arbalest(&whole);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("audit row 2 "), "{said}");

    let mut bytes = std::fs::read(database.journal.join("journal.jsonl")).unwrap();
    bytes[20] ^= 1;
    std::fs::write(database.journal.join("journal.jsonl"), bytes).unwrap();
    let (code, said) = arbalest(&["audit", "verify", "--journal", directory]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("line 1") && said.contains("journal.jsonl"),
        "{said}"
    );
    for gone in [
        ["audit", "verify", "--db", "/nowhere/x.db"],
        ["audit", "verify", "--journal", "/nowhere"],
        ["audit", "show", "--db", "/nowhere/x.db"],
    ] {
        let (code, said) = arbalest(&gone);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("/nowhere"), "{said}");
    }
    let (code, said) = arbalest(&["audit", "verify", "--url-env", "ARBALEST_TEST_URL"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("ARBALEST_TEST_URL"), "{said}");
}

#[test]
fn an_address_is_checked_and_never_shown() {
    use arbalest::store::postgres::Address;
    let secret = "canary7f3a";
    for (host, schema) in [
        ("db.example.com", "arbalest"),
        ("10.0.0.5", "arbalest"),
        ("localhost,db.example.com", "arbalest"),
        ("localhost", "Arbalest"),
        ("localhost", "a; DROP SCHEMA public"),
        ("localhost", ""),
        ("localhost", "pg_x"),
        ("localhost", "9a"),
    ] {
        let url = format!("postgresql://me:{secret}@{host}/base");
        let error = Address::parse(&url, schema).unwrap_err().to_string();
        assert!(!error.contains(secret), "{error}");
    }
    let unreadable = format!("postgresql://me:{secret}@localhost:port/base");
    let error = Address::parse(&unreadable, "arbalest").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    let url = format!("postgresql://me:{secret}@localhost:1/base");
    let address = Address::parse(&url, "arbalest").unwrap();
    assert!(!format!("{address:?} {}", address.place()).contains(secret));
    let error = arbalest::store::postgres::Postgres::open(&address).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret), "{error}");
}

#[test]
fn contradictions_of_the_section_are_all_named() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    let copied = Command::new("cp")
        .args(["-r", concat!(env!("CARGO_MANIFEST_DIR"), "/config")])
        .arg(&config)
        .status();
    assert!(copied.unwrap().success());
    let engine = config.join("engine.toml");
    let good = std::fs::read_to_string(&engine).unwrap();
    for (section, words) in [
        ("kind = \"postgres\"", "has no source"),
        (
            "kind = \"postgres\"\nurl_env = \"A\"\nurl_file = \"b\"",
            "has two sources",
        ),
        ("url_env = \"A\"", "is only for kind"),
        ("kind = \"oracle\"", "sqlite"),
        ("kinds = \"sqlite\"", "kind"),
    ] {
        std::fs::write(&engine, format!("{good}\n[store]\n{section}\n")).unwrap();
        let (code, said) = arbalest(&["check", "--config", text(&config)]);
        assert_eq!(code, Some(2), "{section}: {said}");
        assert!(
            said.contains(words) && said.contains("store"),
            "{section}: {said}"
        );
    }
    std::fs::write(&engine, format!("{good}\n[store]\nkind = \"none\"\n")).unwrap();
    assert_eq!(arbalest(&["check", "--config", text(&config)]).0, Some(0));
}
