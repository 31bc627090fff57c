//! The conventions that a compiler cannot see: floors, and what is deliberately absent from each room.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Rooms by floor. A room may import from lower floors.
const FLOORS: [&[&str]; 8] = [
    &["units", "capacity", "priority", "prng", "ring"],
    &["market", "clock"],
    &["trade", "telemetry"],
    &["strategy", "risk", "ledger", "exchanges"],
    &["execution", "journal", "store"],
    &["engine", "config"],
    &["actors", "sim", "dashboard"],
    &["cli", "main", "lib"],
];

/// Imports within one floor that are wanted: (room, what it imports, why).
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("ring", "units", "a wait strategy has a span"),
    ("ring", "capacity", "bounds are on one page"),
    ("ring", "prng", "its tests draw chance from a seed"),
    (
        "store",
        "journal",
        "the database is filled from the journal",
    ),
    (
        "config",
        "engine",
        "settings are turned into what the engine is built from, for every world alike",
    ),
];

/// Longest file without its tests. One question a file.
const LINES_MAX: usize = 500;

/// Files that are longer, with the most lines they may have. This list may only become shorter.
const LONGER: &[(&str, usize)] = &[("exchanges/binance/answers.rs", 600)];

struct Source {
    /// Below `src/`, with `/`.
    path: String,
    /// First folder, or the file's stem.
    room: String,
    text: String,
    /// Without comments.
    code: String,
}

impl Source {
    /// The text up to the tests at its end; nothing of a file of tests.
    fn before_tests(&self) -> &str {
        let is_tests = self.path.ends_with("tests.rs");
        if is_tests {
            ""
        } else {
            self.text.split("#[cfg(test)]").next().unwrap()
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Cuts line comments; `://` inside an address is not one.
fn without_comment(line: &str) -> &str {
    let start = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    start.map_or(line, |(at, _)| &line[..at])
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|file| {
            let path = file
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let room = path
                .split('/')
                .next()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            let text = std::fs::read_to_string(file).unwrap();
            let code = text
                .lines()
                .map(without_comment)
                .collect::<Vec<_>>()
                .join("\n");
            Source {
                path,
                room,
                text,
                code,
            }
        })
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn identifier(text: &str) -> &str {
    let end = text
        .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

/// The rooms that a file names by `crate::room` or `crate::{room, ..}`.
fn imported_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        if code[..at].ends_with(['_', '$']) || code[..at].ends_with(char::is_alphanumeric) {
            continue;
        }
        let rest = &code[at + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            rooms.insert(identifier(rest).to_owned());
            continue;
        };
        let mut depth = 1_usize;
        let mut start = true;
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => start = true,
                _ if depth == 1 && start && letter.is_alphabetic() => {
                    rooms.insert(identifier(&group[at..]).to_owned());
                    start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

/// Fails with every line of `sources` that has one of `words` and is not in an allowed file.
fn absent(rule: &str, words: &[&str], within: impl Fn(&Source) -> bool, allowed: &[&str]) {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| within(source)) {
        if allowed
            .iter()
            .any(|allowed| source.path.starts_with(allowed))
        {
            continue;
        }
        for (index, line) in source.code.lines().enumerate() {
            for word in words {
                if has_word(line, word) {
                    found.push(format!(
                        "src/{}:{}: {}",
                        source.path,
                        index + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// The text as whole words: `rand` is not in `operand`.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = word.starts_with(is_part) && line[..at].ends_with(is_part);
        let after = word.ends_with(is_part) && line[at + word.len()..].starts_with(is_part);
        !before && !after
    })
}

fn everywhere(_source: &Source) -> bool {
    true
}

fn in_rooms(rooms: &'static [&'static str]) -> impl Fn(&Source) -> bool {
    move |source| rooms.contains(&source.room.as_str())
}

#[test]
fn rooms_import_only_from_lower_floors() {
    let mut found = Vec::new();
    for source in sources() {
        let Some(own) = floor(&source.room) else {
            found.push(format!(
                "src/{}: room {} is on no floor",
                source.path, source.room
            ));
            continue;
        };
        for other in imported_rooms(&source.code) {
            let Some(its) = floor(&other) else { continue };
            let sideways = SIDEWAYS
                .iter()
                .any(|(room, import, _)| *room == source.room && *import == other);
            let into_itself = other == source.room;
            if !(into_itself || its < own || sideways) {
                found.push(format!(
                    "src/{}: floor {own} imports {other} of floor {its}",
                    source.path
                ));
            }
        }
    }
    assert!(
        found.is_empty(),
        "a room imports only from lower floors:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_room_is_reached_around_its_name() {
    let mut found = Vec::new();
    for source in sources() {
        let is_root = source.path.ends_with("mod.rs") || !source.path.contains('/');
        let depth = source.path.matches('/').count() + usize::from(!is_root);
        let before_tests = source.before_tests();
        let chain = "super::".repeat(depth.max(1));
        if depth > 0 && before_tests.contains(&chain) {
            found.push(format!("src/{}: leaves its room by {chain}", source.path));
        }
    }
    assert!(
        found.is_empty(),
        "name another room by crate::, so that the floors can be seen:\n{}",
        found.join("\n")
    );
}

#[test]
fn only_one_file_reads_time_and_one_makes_chance() {
    let time = [
        "Instant::now",
        "SystemTime::now",
        "UNIX_EPOCH",
        "quanta",
        "thread::sleep",
    ];
    absent("only clock.rs reads time", &time, everywhere, &["clock.rs"]);
    let chance = ["rand", "fastrand", "getrandom", "thread_rng", "RandomState"];
    absent(
        "only prng.rs makes chance",
        &chance,
        everywhere,
        &["prng.rs"],
    );
}

#[test]
fn rooms_that_decide_are_plain_functions() {
    let rooms = || {
        in_rooms(&[
            "strategy",
            "risk",
            "ledger",
            "execution",
            "engine",
            "market",
            "trade",
            "units",
        ])
    };
    absent(
        "what decides never awaits",
        &["async", ".await", "tokio", "actix", "actix_rt"],
        rooms(),
        &[],
    );
    absent(
        "what decides never reads a clock",
        &["OsClock", "ManualClock", "crate::clock"],
        rooms(),
        &[],
    );
    absent(
        "what decides never logs or prints",
        &["tracing", "println", "eprintln", "dbg"],
        rooms(),
        &[],
    );
    let shared = ["Mutex", "RwLock", "RefCell", "AtomicU64", "AtomicBool"];
    absent("what decides shares nothing", &shared, rooms(), &[]);
    absent(
        "what decides names no venue",
        &["binance", "Binance", "kraken", "okx", "bybit", "coinbase"],
        rooms(),
        &[],
    );
}

#[test]
fn money_never_passes_through_a_float() {
    let rooms = in_rooms(&[
        "units",
        "market",
        "trade",
        "ledger",
        "execution",
        "risk",
        "strategy",
        "engine",
        "ring",
    ]);
    absent(
        "no float where money or quantities are counted",
        &["f64", "f32"],
        rooms,
        &["risk/stats/backtest.rs"], /* likelihoods of exception counts, never money */
    );
}

#[test]
fn each_outside_has_one_door() {
    absent(
        "only sessions know WebSockets",
        &["tungstenite", "tokio_tungstenite"],
        everywhere,
        &["exchanges/socket.rs", "exchanges/session.rs", "sim/server"],
    );
    absent(
        "do_send ignores a mailbox's capacity",
        &["do_send"],
        everywhere,
        &[],
    );
    absent(
        "only the mailbox file sends to an actor",
        &["try_send"],
        in_rooms(&["actors"]),
        &["actors/mailbox.rs"],
    );
    absent(
        "only the shells know actors",
        &["actix", "actix_rt", "actix_web"],
        everywhere,
        &["actors", "dashboard", "cli", "main.rs"],
    );
    absent(
        "iteration order must be the same on every run",
        &["HashMap", "HashSet"],
        everywhere,
        &[],
    );
    absent(
        "only the ring room is unsafe",
        &["unsafe"],
        everywhere,
        &["ring"],
    );
    absent(
        "only the doors print to people",
        &["println", "eprintln"],
        |source| !source.path.ends_with("tests.rs"),
        &["cli", "main.rs"],
    );
}

#[test]
fn only_telemetry_names_a_metric() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.room != "telemetry") {
        for (index, line) in source.code.lines().enumerate() {
            if line.contains("\"arbitrage_") {
                found.push(format!("src/{}:{}", source.path, index + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "only telemetry/ names a metric:\n{}",
        found.join("\n")
    );
    absent(
        "hot rooms never touch the metrics macros",
        &["metrics::counter", "metrics::gauge", "metrics::histogram"],
        everywhere,
        &[],
    );
}

#[test]
fn files_are_short_and_say_their_question() {
    let mut found = Vec::new();
    for source in sources() {
        let lines = source.before_tests().lines().count();
        let most = LONGER
            .iter()
            .find(|(path, _)| *path == source.path)
            .map_or(LINES_MAX, |(_, most)| *most);
        if lines > most {
            found.push(format!(
                "src/{} has {lines} lines, more than {most}",
                source.path
            ));
        }
        if !source.text.starts_with("//!") && !source.path.ends_with("tests.rs") {
            found.push(format!(
                "src/{} does not begin with //! and its question",
                source.path
            ));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The checks above must be able to fail.
#[test]
fn the_eyes_of_this_test_are_open() {
    let rooms = imported_rooms(
        "use crate::{\n    market::{Book, Top},\n    units::Qty,\n};\nlet x = crate::sim::Y;\nmy_crate::no::X",
    );
    assert_eq!(
        rooms.into_iter().collect::<Vec<_>>(),
        ["market", "sim", "units"]
    );
    assert!(has_word("let x: f64 = 1;", "f64") && !has_word("let f64_text = 1;", "f64"));
    assert!(has_word("rand::random()", "rand") && !has_word("operand", "rand"));
    assert_eq!(
        without_comment("let a = \"http://x\"; // Instant::now"),
        "let a = \"http://x\"; "
    );
    assert!(sources().len() > 30);
    assert!(
        SIDEWAYS
            .iter()
            .all(|(room, import, why)| floor(room) == floor(import) && !why.is_empty())
    );
}
