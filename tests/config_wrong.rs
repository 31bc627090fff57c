//! Wrong configurations and what a trader is told about them. A case is a directory of `config_wrong/`: the files that differ from
//! `config/examples/BASE`, and `expected.txt`, what `arbalest check` answers. `UPDATE_SNAPSHOTS=1` rewrites these.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if path.extension().is_some_and(|end| end == "toml") {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn check(directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_arbalest"))
        .args(["config", "check", "--config"])
        .arg(directory)
        .output()
        .unwrap()
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/config_wrong")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// What the case is told: the mistakes, or the findings of what is well written and cannot earn.
fn told(case: &Path) -> String {
    let base = std::fs::read_to_string(case.join("base")).unwrap();
    let name = case.file_name().unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("config_wrong")
        .join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    copy(
        &root().join("config/examples").join(base.trim()),
        &directory,
    );
    copy(case, &directory);
    let output = check(&directory);
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let findings = out
        .split_once("\nFindings\n")
        .map_or("", |(_, findings)| findings);
    let findings = findings
        .split_once("\n\nconfiguration ")
        .map_or("", |(findings, _)| findings);
    let all = format!("{findings}\n{err}");
    let code = output.status.code();
    if code != Some(2) {
        return format!("ended with {code:?}\n{all}");
    }
    all.replace(&directory.display().to_string(), "DIR")
        .trim()
        .to_owned()
        + "\n"
}

#[test]
fn a_trader_is_told_what_is_wrong_where_and_what_to_do() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let (mut different, mut seen) = (Vec::new(), BTreeSet::new());
    for case in cases() {
        let told = told(&case);
        if !told.contains("fix: ") {
            different.push(format!("{} has no cure:\n{told}", case.display()));
            continue;
        }
        let path = case.join("expected.txt");
        if update {
            std::fs::write(&path, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if expected != told {
            different.push(format!(
                "{}\nexpected:\n{expected}\ntold:\n{told}",
                case.display()
            ));
        }
        seen.insert(told);
    }
    assert!(
        different.is_empty(),
        "UPDATE_SNAPSHOTS=1 rewrites them\n{}",
        different.join("\n")
    );
    assert!(
        seen.len() >= 40,
        "only {} different mistakes are shown",
        seen.len()
    );
}

#[test]
fn no_message_repeats_a_secret() {
    let case = root().join("tests/config_wrong/venue_secret_in_the_file");
    let told = told(&case);
    assert!(told.contains("api_secret"), "{told}");
    assert!(!told.contains("NhqPtmdSJYdKjVHjA7PZ"), "{told}");
}

#[test]
fn the_examples_pass_and_say_why() {
    for (kind, parts) in [
        (
            "cross_exchange",
            [
                "buy spot_b:BTC/USDT, sell perp:BTC/USDT:USDT   3.7           3    6.7",
                "notional_usd_max.gross",
                "configuration is good",
            ],
        ),
        (
            "triangular",
            [
                "buy spot:BTC/USDT, buy spot:ETH/BTC, sell spot:ETH/USDT",
                "spot:ETH/BTC",
                "configuration is good",
            ],
        ),
        (
            "spot_perp_basis",
            [
                "spot:BTC/USDT against perp:BTC/USDT:USDT, in and out    14           3     23",
                "Worst-case exposure",
                "configuration is good",
            ],
        ),
    ] {
        let output = check(&root().join("config/examples").join(kind));
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}{error}");
        // What a basis pair sells at its exit was bought at its entry: nothing is missing before.
        assert!(!text.contains("note  carry"), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part} not in\n{text}");
        }
    }
}
