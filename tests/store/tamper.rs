//! What was written cannot be changed unseen.

use arbalest::clock::OsClock;
use arbalest::journal::Journal;
use arbalest::store::verify;

use crate::support::{Database, databases, fill};

fn filled(database: &Database) {
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    fill(&journal, 0..60);
    assert_eq!(database.follow(&journal).stop(), 0);
}

fn verify(database: &Database, with_journal: bool) -> Result<verify::ChainFound, String> {
    let mut backend = database.place.open_to_read().unwrap();
    let journal = with_journal.then_some(database.journal.as_path());
    verify::database(backend.as_mut(), journal, None).map_err(|broken| broken.to_string())
}

fn disarm(database: &Database) {
    let triggers = if database.is_postgres() {
        "DROP TRIGGER audit_no_change ON audit"
    } else {
        "DROP TRIGGER audit_no_UPDATE; DROP TRIGGER audit_no_DELETE"
    };
    database.run(triggers).unwrap();
}

#[test]
fn the_database_refuses_to_change_an_audit_row() {
    for database in databases("refuses") {
        filled(&database);
        let before = database.dump();
        let mut attempts = vec![
            "UPDATE audit SET content = 'x' WHERE seq = 3",
            "UPDATE audit SET seq = 99 WHERE seq = 3",
            "DELETE FROM audit WHERE seq = 3",
            "DELETE FROM audit",
        ];
        if database.is_postgres() {
            attempts.push("TRUNCATE audit");
        }
        for attempt in attempts {
            let error = database.run(attempt).unwrap_err();
            assert!(error.contains("append-only"), "{attempt}: {error}");
        }
        assert_eq!(database.dump(), before, "{}", database.name);
    }
}

#[test]
fn every_changed_removed_or_added_row_is_named() {
    for database in databases("named") {
        filled(&database);
        let rows = verify(&database, true).unwrap().rows;
        assert!(rows >= 24);
        disarm(&database);
        // Each statement, what undoes it, and the row that verify must name.
        let set = |column: &str, value: &str, seq: u64| {
            format!("UPDATE audit SET {column} = {value} WHERE seq = {seq}")
        };
        let text = |column: &str, seq: u64| {
            let rows = database.column(&format!("SELECT {column} FROM audit WHERE seq = {seq}"));
            format!("'{}'", rows[0].replace('\'', "''"))
        };
        let mut cases: Vec<(String, String, String)> = Vec::new();
        for seq in [1, 2, 11, rows] {
            let name = format!("audit row {seq} ");
            for column in ["content", "hash", "journal_hash", "kind"] {
                let old = text(column, seq);
                let new = if column == "kind" {
                    "'other'".to_owned()
                } else {
                    // One letter of the text, somewhere in the middle.
                    let place = old.len() / 2;
                    let letter = if &old[place..=place] == "0" { "1" } else { "0" };
                    format!("{}{letter}{}", &old[..place], &old[place + 1..])
                };
                cases.push((set(column, &new, seq), set(column, &old, seq), name.clone()));
            }
            cases.push((
                set("time_ns", "time_ns + 1", seq),
                set("time_ns", "time_ns - 1", seq),
                name.clone(),
            ));
        }
        for (change, undo, name) in cases {
            database.run(&change).unwrap();
            let broken = verify(&database, false).unwrap_err();
            assert!(broken.starts_with(&name), "{change}: {broken}");
            database.run(&undo).unwrap();
        }
        verify(&database, true).unwrap();
        // Rows that are gone: in the middle, at the start, at the end.
        for seq in [5, 1, rows] {
            let copy = "CREATE TABLE copy AS SELECT * FROM audit WHERE seq = ";
            database
                .run(&format!("{copy}{seq}; DELETE FROM audit WHERE seq = {seq}"))
                .unwrap();
            let broken = verify(&database, false).unwrap_err();
            assert!(broken.contains("rows are missing"), "{seq}: {broken}");
            database
                .run("INSERT INTO audit SELECT * FROM copy; DROP TABLE copy")
                .unwrap();
        }
        verify(&database, true).unwrap();
        database.run("DELETE FROM orders WHERE seq = 2").unwrap();
        let broken = verify(&database, false).unwrap_err();
        assert!(broken.starts_with("table orders "), "{broken}");
    }
}

#[test]
fn a_whole_new_chain_is_seen_by_its_head_and_by_the_journal() {
    for database in databases("head") {
        filled(&database);
        let head = verify(&database, true).unwrap().head;
        // A journal with one fill changed and every checksum made right again.
        let forged = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(database.journal.join("journal.jsonl")).unwrap();
        let lines = text.lines().map(|line| {
            let changed = line.replace("\"trade_id\":32,", "\"trade_id\":33,");
            let (body, _) = changed.rsplit_once(",\"crc\":\"").unwrap();
            let mut crc = flate2::Crc::new();
            crc.update(body.as_bytes());
            format!("{body},\"crc\":\"{:08x}\"}}\n", crc.sum())
        });
        let forgery: String = lines.collect();
        assert_ne!(forgery, text);
        std::fs::write(forged.path().join("journal.jsonl"), forgery).unwrap();
        verify::journal(forged.path()).unwrap();
        let mut backend = database.place.open_to_read().unwrap();
        let broken = verify::database(backend.as_mut(), Some(forged.path()), None).unwrap_err();
        assert!(
            broken.to_string().contains("other journal lines"),
            "{broken}"
        );
        // A chain made anew from the forged journal is whole, but it does not have the head that was kept elsewhere.
        for other in databases("forged") {
            let journal = Journal::open(forged.path(), OsClock::new()).unwrap();
            assert_eq!(other.follow(&journal).stop(), 0);
            let mut backend = other.place.open_to_read().unwrap();
            verify::database(backend.as_mut(), Some(forged.path()), None).unwrap();
            let broken = verify::database(backend.as_mut(), None, Some(&head)).unwrap_err();
            assert!(broken.to_string().contains(&head), "{broken}");
        }
        let mut backend = database.place.open_to_read().unwrap();
        let found = verify::database(backend.as_mut(), None, Some(&head)).unwrap();
        assert_eq!(found.has_expected_head, Some(true));
    }
}
