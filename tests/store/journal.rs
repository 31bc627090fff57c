//! The journal's files: cut anywhere, changed anywhere.

use arbalest::clock::OsClock;
use arbalest::journal::{Journal, JournalError, Record, read};
use arbalest::store::verify;

use crate::support::{fill, sample};

#[test]
fn cut_at_every_byte_of_fifty_records_it_keeps_every_whole_one() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
    let path = journal.path().to_owned();
    // Short ones: every cut reads the whole file again.
    for index in 0..50_u64 {
        let reason = index.to_string();
        journal.append(Record::Stopped { reason }).unwrap();
    }
    assert!(journal.close());
    let whole = std::fs::read(&path).unwrap();
    let entries = read(&path).unwrap().entries;
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let contents = read(&path).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(contents.entries, entries[..lines], "cut at {cut}");
        assert_eq!(contents.good_bytes + contents.torn_bytes, cut as u64);
        // Opening it for writing is slower: around the ends of lines, and here and there.
        if cut % 97 == 0 || whole[cut.saturating_sub(1)] == b'\n' || whole[cut] == b'\n' {
            let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
            assert_eq!(journal.torn_bytes(), contents.torn_bytes);
            journal.append(sample(0)).unwrap();
            assert!(journal.close());
            let after = read(&path).unwrap();
            assert_eq!(after.torn_bytes, 0);
            assert_eq!(after.entries.len(), lines + 1);
            assert_eq!(after.entries[..lines], entries[..lines]);
        }
    }
}

#[test]
fn a_changed_byte_is_reported_and_never_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
    let path = journal.path().to_owned();
    fill(&journal, 0..15);
    assert!(journal.close());
    let whole = std::fs::read(&path).unwrap();
    let before_last = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 8);
        std::fs::write(&path, &changed).unwrap();
        let line = whole[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
        match verify::journal(directory.path()) {
            Err(JournalError::Damaged { line: named, .. }) => assert_eq!(named, line),
            // The last line cannot be told from a torn write: it is not taken for good, and it is reported.
            Ok(found) => {
                assert!(
                    place >= before_last,
                    "byte {place} of line {line} was skipped"
                );
                assert!(found.torn_bytes > 0);
                // Without the newline before it, the last line and the one before look like one torn write.
                assert_eq!(found.records, if place > before_last { 14 } else { 13 });
            }
            Err(error) => panic!("byte {place}: {error}"),
        }
    }
}
