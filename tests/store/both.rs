//! What must hold in both databases alike.

use arbalest::clock::OsClock;
use arbalest::journal::{Cursor, Journal};
use arbalest::store::rows::Position;
use arbalest::store::{Batch, Follower, StoreError, verify};

use crate::support::{KINDS, append, databases, edge_sample, fill, sample, until};

#[test]
fn every_kind_is_stored_as_it_was_written_and_both_databases_agree() {
    let mut dumps = Vec::new();
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
    fill(&journal, 0..KINDS * 4);
    (0..8).for_each(|index| append(&journal, edge_sample(index)));
    for database in databases("kinds") {
        let follower = database.follow(&journal);
        assert_eq!(follower.stop(), 0, "{}", database.name);
        let dump = database.dump();
        for (table, rows) in &dump {
            assert!(!rows.is_empty(), "{}: {table} is empty", database.name);
            let seqs: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
            let expected: Vec<String> = (1..=rows.len()).map(|seq| seq.to_string()).collect();
            assert_eq!(seqs, expected, "{}: {table} has a gap", database.name);
            // A column that never holds anything reads a key that no record has.
            for column in 0..rows[0].len() {
                let is_used = rows.iter().any(|row| row[column] != "-");
                assert!(is_used, "{}: {table}: column {column}", database.name);
            }
        }
        let fill = &database
            .query(
                "SELECT quantity, price, fee, trade_id, client_order_id FROM fills WHERE seq = 1",
            )
            .unwrap()[0];
        assert_eq!(
            fill.as_slice(),
            [
                "0.015",
                "79228162514264337593543950335",
                "-0.00000000000000000000000001",
                "2",
                "-"
            ],
            "{}",
            database.name
        );
        let order_id = database.column("SELECT venue_order_id FROM reports WHERE seq = 1");
        assert_eq!(order_id, [u64::MAX.to_string()]);
        let text = database.column("SELECT text FROM alerts WHERE seq = 1");
        assert_eq!(
            text,
            ["quote ' and \"double\"; -- \u{e4} \\ \n DROP TABLE audit"]
        );
        // The audit table has every record that is not only trade or figures, word for word.
        let audited = database.journal_seqs("audit");
        let expected: Vec<u64> = (0..KINDS * 4)
            .filter(|index| ![0, 1, 2, 3, 5, 6, 7].contains(&(index % KINDS)))
            .map(|index| index + 1)
            .collect();
        assert_eq!(audited, expected);
        let mut backend = database.place.open_to_read().unwrap();
        let found = verify::database(backend.as_mut(), Some(directory.path()), None).unwrap();
        assert_eq!(found.rows, expected.len() as u64);
        assert!(found.compared_with_journal);
        dumps.push(dump);
    }
    for dump in &dumps[1..] {
        assert_eq!(*dump, dumps[0]);
    }
}

#[test]
fn sessions_restarts_and_new_files_lose_nothing_and_double_nothing() {
    for database in databases("restarts") {
        let mut written = 0;
        for session in 0..4_u64 {
            let journal =
                Journal::with_file_bytes(&database.journal, OsClock::new(), 20_000).unwrap();
            // A reader that starts before, in the middle and after.
            for part in 0..3 {
                let count = 40 + session * 13 + part * 7;
                if part == 1 {
                    fill(&journal, written..written + count);
                    drop(database.follow(&journal));
                } else {
                    let follower = database.follow(&journal);
                    fill(&journal, written..written + count);
                    assert_eq!(follower.stop(), 0, "{}", database.name);
                }
                written += count;
            }
            assert!(journal.close());
        }
        let orders: Vec<u64> = (0..written)
            .filter(|index| index % KINDS == 0)
            .map(|index| index + 1)
            .collect();
        assert_eq!(database.journal_seqs("orders"), orders, "{}", database.name);
        let mut backend = database.place.open_to_read().unwrap();
        let found = verify::database(backend.as_mut(), Some(&database.journal), None).unwrap();
        assert_eq!(found.journal_seq, written);
        let parts = std::fs::read_dir(&database.journal).unwrap().count();
        assert!(parts > 5, "{parts} files: no new file was begun");
    }
}

#[test]
fn a_batch_is_stored_whole_or_not_at_all_and_never_twice() {
    for database in databases("batch") {
        let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
        fill(&journal, 0..30);
        let mut cursor = Cursor::new(&database.journal, 1);
        let mut to = Position::default();
        let mut rows = Vec::new();
        while let Some(line) = cursor.next().unwrap() {
            to.add(&line, &mut rows).unwrap();
        }
        let batch = Batch {
            from_seq: 0,
            to,
            rows,
        };
        // A row that the database refuses: a second one with the same number.
        let mut broken = batch.clone();
        broken.rows.push(broken.rows[0].clone());
        let mut backend = database.place.open().unwrap();
        assert!(backend.write(&broken).is_err(), "{}", database.name);
        let mut backend = database.place.open().unwrap();
        assert_eq!(backend.position().unwrap(), Position::default());
        assert_eq!(database.journal_seqs("orders"), [] as [u64; 0]);
        backend.write(&batch).unwrap();
        assert_eq!(backend.position().unwrap(), batch.to);
        let error = backend.write(&batch).unwrap_err();
        assert!(error.to_string().contains("who else writes"), "{error}");
        let mut backend = database.place.open().unwrap();
        assert_eq!(backend.position().unwrap(), batch.to);
        assert_eq!(database.journal_seqs("orders"), [1, 16]);
    }
}

#[test]
fn a_database_that_hangs_blocks_nobody_and_catches_up_in_order() {
    const RECORDS: u64 = 20_000;
    for database in databases("hangs") {
        let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
        let follower = database.follow(&journal);
        fill(&journal, 0..10);
        until("caught up", || follower.gauge().lag_records == 0);
        let release = database.block();
        // A minute of a busy day at once: every record is taken and on disk while the database takes none.
        fill(&journal, 10..RECORDS);
        let gauge = follower.gauge();
        assert_eq!(gauge.lag_records, RECORDS - 10, "{}", database.name);
        let now = arbalest::clock::Clock::now(&OsClock::new());
        let journal_gauge = journal.gauge(now);
        assert_eq!((journal_gauge.refused, journal_gauge.failed), (0, false));
        until("the failure is told", || {
            let gauge = follower.gauge();
            gauge.errors > 0 && !gauge.is_up && gauge.lag.0 > 0 && !gauge.last_error.is_empty()
        });
        release();
        until("caught up", || follower.gauge().lag_records == 0);
        assert!(follower.gauge().is_up);
        assert_eq!(follower.stop(), 0);
        let fills: Vec<u64> = (0..RECORDS)
            .filter(|index| index % KINDS == 2)
            .map(|index| index + 1)
            .collect();
        assert_eq!(database.journal_seqs("fills"), fills, "{}", database.name);
        let mut backend = database.place.open_to_read().unwrap();
        let found = verify::database(backend.as_mut(), Some(&database.journal), None).unwrap();
        assert_eq!(found.journal_seq, RECORDS);
    }
}

#[test]
fn a_server_that_drops_the_connection_under_load_loses_nothing() {
    for database in databases("drops") {
        if !database.is_postgres() {
            continue;
        }
        let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
        let follower = database.follow(&journal);
        for round in 0..8 {
            fill(&journal, round * 1_500..(round + 1) * 1_500);
            database
                .run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE application_name = 'arbalest ' || current_schema()",
                )
                .unwrap();
        }
        until("caught up", || follower.gauge().lag_records == 0);
        assert!(follower.gauge().errors > 0, "no connection was dropped");
        assert_eq!(follower.stop(), 0);
        let orders: Vec<u64> = (0..12_000)
            .filter(|index| index % KINDS == 0)
            .map(|index| index + 1)
            .collect();
        assert_eq!(database.journal_seqs("orders"), orders);
    }
}

#[test]
fn a_newer_schema_another_journal_and_foreign_tables_are_refused() {
    for database in databases("refused") {
        let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
        fill(&journal, 0..20);
        assert_eq!(database.follow(&journal).stop(), 0);
        let other = tempfile::tempdir().unwrap();
        for records in [0, 5, 40] {
            let place = other.path().join(records.to_string());
            let another = Journal::open(&place, OsClock::new()).unwrap();
            if records > 0 {
                fill(&another, 1_000..1_000 + records);
            }
            let refused = Follower::start(database.place.clone(), another.tail(), OsClock::new());
            let error = refused.map(drop).unwrap_err();
            assert!(
                matches!(error, StoreError::OtherJournal { seq: 20, .. }),
                "{}: {records}: {error}",
                database.name
            );
        }
        let version = if database.is_postgres() {
            "UPDATE store_version SET version = 7"
        } else {
            "PRAGMA user_version = 7"
        };
        database.run(version).unwrap();
        let refused = Follower::start(database.place.clone(), journal.tail(), OsClock::new());
        let error = refused.map(drop).unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { found: 7, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("run the newer program"));
        assert!(database.place.open_to_read().is_err());
    }
    for database in databases("foreign") {
        if database.is_postgres() {
            database
                .run("SELECT 1; CREATE SCHEMA IF NOT EXISTS test_foreign_x")
                .unwrap();
            database.run("DROP SCHEMA test_foreign_x").unwrap();
            let schema = format!("test_foreign_{}", std::process::id());
            database
                .run(&format!(
                    "CREATE SCHEMA {schema}; CREATE TABLE {schema}.theirs (x INT)"
                ))
                .unwrap();
        } else {
            database.run("CREATE TABLE theirs (x INT)").unwrap();
        }
        let error = database.place.open().map(drop).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert_eq!(database.column("SELECT count(*) FROM theirs"), ["0"]);
    }
}

#[test]
fn a_record_that_no_table_understands_is_kept_as_it_is() {
    for database in databases("strange") {
        let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
        let follower = database.follow(&journal);
        // A number that no column of 63 bits holds: the order goes to the audit table, nothing else is disturbed.
        let mut order = sample(0);
        if let arbalest::journal::Record::Order(order) = &mut order {
            order.approval = u64::MAX;
        }
        append(&journal, order);
        append(&journal, sample(0));
        assert_eq!(follower.stop(), 0);
        assert_eq!(database.journal_seqs("orders"), [2]);
        assert_eq!(database.column("SELECT seq FROM orders"), ["1"]);
        assert_eq!(database.journal_seqs("audit"), [1]);
        let mut backend = database.place.open_to_read().unwrap();
        verify::database(backend.as_mut(), Some(&database.journal), None).unwrap();
    }
}
