use super::*;
use crate::prng::Prng;
use crate::units::{Price, Qty};

fn spot(first: u64, last: u64) -> DepthIds {
    DepthIds {
        first,
        last,
        previous: None,
    }
}

fn usdm(first: u64, last: u64, previous: u64) -> DepthIds {
    DepthIds {
        first,
        last,
        previous: Some(previous),
    }
}

/// One bid level whose quantity is the update id, so that a wrong order shows.
fn levels(id: u64) -> DepthLevels {
    let level = LevelChange {
        price: Price(100),
        qty: Qty(i64::try_from(id).unwrap()),
    };
    DepthLevels {
        bids: vec![level],
        asks: Vec::new(),
    }
}

fn taken(sync: &mut BookSync) -> (Vec<u64>, u64) {
    let mut ids = Vec::new();
    let last = sync.take_built(|part| {
        assert_eq!(part.is_snapshot, ids.is_empty());
        assert_eq!(
            part.bids
                .iter()
                .map(|level| level.qty.0.unsigned_abs())
                .collect::<Vec<_>>(),
            [part.update_id]
        );
        ids.push(part.update_id);
    });
    (ids, last)
}

#[test]
fn links_by_each_rule() {
    use SyncRule::{NextId, PreviousId};
    let rows = [
        (NextId, 10, spot(11, 15), Link::Next),
        (NextId, 10, spot(8, 15), Link::Next),
        (NextId, 10, spot(8, 10), Link::Next),
        (NextId, 10, spot(8, 9), Link::Old),
        (NextId, 10, spot(12, 15), Link::Gap),
        (PreviousId, 10, usdm(50, 60, 10), Link::Next),
        (PreviousId, 10, usdm(11, 60, 9), Link::Gap),
        (PreviousId, 10, usdm(11, 60, 11), Link::Gap),
        (PreviousId, 10, spot(11, 60), Link::Gap),
    ];
    for (rule, last, ids, expected) in rows {
        assert_eq!(rule.link(last, ids), expected, "{rule:?} {last} {ids:?}");
    }
}

#[test]
fn bridges_by_each_rule() {
    use SyncRule::{NextId, PreviousId};
    let rows = [
        (NextId, spot(5, 9), Bridge::Contained),
        (NextId, spot(5, 10), Bridge::Contained),
        (NextId, spot(5, 11), Bridge::First),
        (NextId, spot(11, 11), Bridge::First),
        (NextId, spot(12, 14), Bridge::TooOld),
        (PreviousId, usdm(5, 9, 4), Bridge::Contained),
        (PreviousId, usdm(5, 10, 4), Bridge::First),
        (PreviousId, usdm(10, 12, 4), Bridge::First),
        (PreviousId, usdm(11, 12, 4), Bridge::TooOld),
    ];
    for (rule, ids, expected) in rows {
        assert_eq!(rule.bridge(10, ids), expected, "{rule:?} {ids:?}");
    }
}

#[test]
fn a_snapshot_meets_diffs_before_and_after() {
    for snapshot_at in 0..5 {
        let mut sync = BookSync::new(SyncRule::NextId, SyncBounds::LIVE);
        let (mut seen, mut last) = (Vec::new(), 0);
        for step in 0..6_u64 {
            let mut note = |sync: &mut BookSync, outcome: SyncStep| match outcome {
                SyncStep::Built => (seen, last) = taken(sync),
                SyncStep::Apply => {
                    seen.push(step * 10 + 9);
                    last = step * 10 + 9;
                }
                SyncStep::Waiting => {}
                SyncStep::Old | SyncStep::Gap | SyncStep::TooOld | SyncStep::Overflow => {
                    panic!("step {step}: {outcome:?}")
                }
            };
            if step == snapshot_at {
                let outcome = sync.on_snapshot(19, &mut levels(19));
                note(&mut sync, outcome);
            }
            let outcome = sync.on_diff(spot(step * 10, step * 10 + 9), &levels(step * 10 + 9));
            note(&mut sync, outcome);
        }
        assert_eq!(
            (seen.as_slice(), last),
            ([19, 29, 39, 49, 59].as_slice(), 59),
            "snapshot at {snapshot_at}"
        );
        assert_eq!(sync.gaps(), 0);
    }
}

#[test]
fn an_old_snapshot_is_asked_again() {
    let mut sync = BookSync::new(SyncRule::PreviousId, SyncBounds::LIVE);
    assert!(!sync.wants_snapshot());
    assert_eq!(
        sync.on_diff(usdm(20, 29, 15), &levels(29)),
        SyncStep::Waiting
    );
    assert!(sync.wants_snapshot());
    assert_eq!(sync.on_snapshot(12, &mut levels(12)), SyncStep::TooOld);
    assert!(sync.wants_snapshot() && !sync.is_live());
    assert_eq!(sync.on_snapshot(29, &mut levels(29)), SyncStep::Built);
    assert_eq!(taken(&mut sync), (vec![29, 29], 29));
    assert_eq!(
        sync.on_snapshot(50, &mut levels(50)),
        SyncStep::Old,
        "a live book needs none"
    );
}

#[test]
fn a_gap_ends_trust_until_the_next_snapshot() {
    let mut sync = BookSync::new(SyncRule::PreviousId, SyncBounds::LIVE);
    sync.on_diff(usdm(20, 29, 15), &levels(29));
    assert_eq!(sync.on_snapshot(25, &mut levels(25)), SyncStep::Built);
    taken(&mut sync);
    assert_eq!(sync.on_diff(usdm(40, 49, 29), &levels(49)), SyncStep::Apply);
    assert_eq!(sync.on_diff(usdm(70, 79, 60), &levels(79)), SyncStep::Gap);
    assert!(!sync.is_live() && sync.wants_snapshot());
    // The same diff again breaks the chain of those that wait.
    assert_eq!(
        sync.on_diff(usdm(70, 79, 60), &levels(79)),
        SyncStep::Waiting
    );
    assert_eq!(sync.gaps(), 2);
    assert_eq!(
        sync.on_diff(usdm(81, 89, 79), &levels(89)),
        SyncStep::Waiting
    );
    assert_eq!(sync.on_snapshot(85, &mut levels(85)), SyncStep::Built);
    assert_eq!(taken(&mut sync), (vec![85, 89], 89));
}

#[test]
fn a_flood_without_snapshot_starts_again() {
    let bounds = SyncBounds {
        diffs_max: 4,
        levels_max: 100,
    };
    let mut sync = BookSync::new(SyncRule::NextId, bounds);
    for id in 1..=4 {
        assert_eq!(sync.on_diff(spot(id, id), &levels(id)), SyncStep::Waiting);
    }
    assert_eq!(sync.on_diff(spot(5, 5), &levels(5)), SyncStep::Overflow);
    assert_eq!(
        sync.on_snapshot(3, &mut levels(3)),
        SyncStep::TooOld,
        "what it would need is gone"
    );
    assert_eq!(sync.on_snapshot(4, &mut levels(4)), SyncStep::Built);
    assert_eq!(taken(&mut sync), (vec![4, 5], 5));
    let mut wide = BookSync::new(
        SyncRule::NextId,
        SyncBounds {
            diffs_max: 100,
            levels_max: 2,
        },
    );
    wide.on_diff(spot(1, 1), &levels(1));
    wide.on_diff(spot(2, 2), &levels(2));
    assert_eq!(wide.on_diff(spot(3, 3), &levels(3)), SyncStep::Overflow);
}

/// Whatever is lost, doubled or swapped: a live book has every change since its snapshot, in order.
#[test]
fn never_live_with_a_hole() {
    for seed in 0..300 {
        let mut prng = Prng::new(seed);
        let rule = if seed % 2 == 0 {
            SyncRule::NextId
        } else {
            SyncRule::PreviousId
        };
        let mut sync = BookSync::new(rule, SyncBounds::LIVE);
        let mut stream: Vec<DepthIds> = Vec::new();
        let mut last = 1_000;
        for _ in 0..120 {
            let first = if rule == SyncRule::NextId {
                last + 1
            } else {
                last + 1 + prng.below(5)
            };
            let end = first + prng.below(4);
            stream.push(DepthIds {
                first,
                last: end,
                previous: Some(last),
            });
            last = end;
        }
        let sent = stream.clone();
        let mut position = 0;
        while position + 1 < stream.len() {
            match prng.below(40) {
                0 => drop(stream.remove(position)),
                1 => stream.insert(position, stream[position]),
                2 => stream.swap(position, position + 1),
                _ => {}
            }
            position += 1;
        }
        // The book as the set of ids it contains: everything up to the snapshot, then each diff applied.
        let mut stands_at = None;
        for ids in stream {
            let step = sync.on_diff(ids, &levels(ids.last));
            match step {
                SyncStep::Apply => {
                    let before: u64 = stands_at.unwrap();
                    let expected = sent
                        .iter()
                        .find(|sent| sent.last > before)
                        .map(|sent| sent.last);
                    assert!(
                        expected == Some(ids.last) || ids.last == before,
                        "seed {seed}: {before} then {ids:?}"
                    );
                    stands_at = Some(ids.last);
                }
                SyncStep::Gap | SyncStep::Waiting => stands_at = None,
                SyncStep::Built => stands_at = Some(sync.take_built(|_| {})),
                SyncStep::Old | SyncStep::TooOld => {}
                SyncStep::Overflow => panic!("seed {seed}: no flood here"),
            }
            if sync.wants_snapshot() && prng.chance_ppm(300_000) {
                let snapshot = ids.last.saturating_sub(prng.below(6));
                if sync.on_snapshot(snapshot, &mut levels(snapshot)) == SyncStep::Built {
                    stands_at = Some(sync.take_built(|_| {}));
                }
            }
        }
    }
}
