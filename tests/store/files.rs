//! A database file that is not what it should be, and a disk that is not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use arbalest::clock::OsClock;
use arbalest::journal::Journal;
use arbalest::store::{Follower, Place, StoreError};

use crate::support::{fill, sample, sqlite, until};

/// A disk of 2 MiB, as only root can mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let disk = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(disk.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(disk));
        }
        eprintln!("skipped: a small disk can only be mounted by root");
        None
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let away = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.path())
            .status();
        assert!(away.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

fn start(path: &Path, journal: &Journal) -> Result<Follower, StoreError> {
    Follower::start(
        Place::Sqlite(path.to_owned()),
        journal.tail(),
        OsClock::new(),
    )
}

#[test]
fn a_new_file_is_for_its_owner_alone() {
    let database = sqlite();
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    fill(&journal, 0..20);
    let follower = database.follow(&journal);
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", database.path().display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    assert_eq!(follower.stop(), 0);
}

#[test]
fn a_damaged_empty_or_cut_file_is_named_and_left_as_it_is() {
    let database = sqlite();
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    fill(&journal, 0..2_000);
    assert_eq!(database.follow(&journal).stop(), 0);
    let path = database.path();
    let whole = std::fs::read(path).unwrap();
    assert!(whole.len() > 100 * 4_096);
    let mut bad: Vec<(String, Vec<u8>)> = vec![
        ("empty".to_owned(), Vec::new()),
        ("text".to_owned(), b"this is no database".repeat(300)),
    ];
    for part in [1, 50, 99, 100, 512, 4_096, 4_097, 40_960] {
        bad.push((format!("cut to {part}"), whole[..part].to_vec()));
    }
    for tenth in 1..10 {
        let to = whole.len() * tenth / 10;
        bad.push((format!("cut to {to}"), whole[..to].to_vec()));
    }
    let mut holes = whole.clone();
    holes[8_192..20_480].fill(0xA5);
    bad.push(("pages overwritten".to_owned(), holes));
    for (what, bytes) in bad {
        std::fs::write(path, &bytes).unwrap();
        let error = start(path, &journal).map(drop).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Damaged { .. } | StoreError::Foreign { .. }
            ),
            "{what}: {error}"
        );
        let text = error.to_string();
        assert!(
            text.contains("arbalest.db") && text.contains("move it away"),
            "{text}"
        );
        assert_eq!(
            std::fs::read(path).unwrap(),
            bytes,
            "{what}: it was changed"
        );
    }
    // The cure that the message names: moved away, a new one is filled from the journal.
    std::fs::remove_file(path).unwrap();
    assert_eq!(database.follow(&journal).stop(), 0);
    assert_eq!(std::fs::read(path).unwrap().len(), whole.len());
    std::fs::remove_file(path).unwrap();
    std::fs::write(format!("{}-wal", path.display()), b"log").unwrap();
    let error = start(path, &journal).map(drop).unwrap_err();
    assert!(error.to_string().contains("-wal"), "{error}");
}

#[test]
fn a_place_where_nothing_can_be_written_refuses_the_start() {
    let database = sqlite();
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    for place in ["/proc/arbalest.db", "/nowhere/arbalest.db"] {
        let error = start(Path::new(place), &journal).map(drop).unwrap_err();
        assert!(error.to_string().contains(place), "{error}");
    }
}

#[test]
fn a_full_disk_is_told_and_what_was_missed_follows() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let database = sqlite();
    let journal = Journal::open(&database.journal, OsClock::new()).unwrap();
    let path = disk.path().join("arbalest.db");
    let follower = start(&path, &journal).unwrap();
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![7_u8; 1_500_000]).unwrap();
    fill(&journal, 0..1_500);
    until("the full disk is told", || {
        follower.gauge().last_error.contains("full")
    });
    assert!(follower.gauge().lag_records > 0);
    std::fs::remove_file(&filler).unwrap();
    until("caught up", || follower.gauge().lag_records == 0);
    assert_eq!(follower.stop(), 0);
    let mut backend = Place::Sqlite(path).open_to_read().unwrap();
    let found = arbalest::store::verify::database(backend.as_mut(), Some(&database.journal), None);
    assert_eq!(found.unwrap().journal_seq, 1_500);
}

#[test]
fn a_journal_on_a_full_disk_fails_loudly_and_keeps_what_it_acknowledged() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let clock = OsClock::new();
    let journal = Journal::open(disk.path(), clock.clone()).unwrap();
    fill(&journal, 0..20);
    std::fs::write(disk.path().join("filler"), vec![7_u8; 3 << 20]).unwrap_err();
    // Some record no longer fits; whoever waits for it is told so.
    let mut acknowledged = 20;
    let told = (20..20_000_u64).any(|index| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let queued = journal.append_durable(sample(index), move |durable| {
            sender.send(durable).unwrap();
        });
        let durable = queued.is_ok() && receiver.recv().unwrap();
        acknowledged += u64::from(durable);
        !durable
    });
    assert!(told, "the disk never became full");
    let now = arbalest::clock::Clock::now(&clock);
    journal.tail().look_at_disk(now);
    let gauge = journal.gauge(now);
    assert!(gauge.failed);
    let free = gauge.disk_free_bytes.unwrap();
    assert!(free < 64 << 10, "{free} bytes free");
    assert!(
        journal.append(sample(0)).is_err(),
        "it failed, and took a record"
    );
    assert_eq!(journal.tail().durable_seq(), acknowledged);
    assert!(!journal.close());
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    // What was acknowledged is there; at most the torn rest of the failed write is cut off.
    let journal = Journal::open(disk.path(), clock).unwrap();
    assert!(journal.tail().durable_seq() >= acknowledged);
    fill(&journal, 0..5);
    assert!(journal.close());
}
