//! The tape of recordings: verbatim, merged by time, exact gaps, broken files named. Made-up files, and the real ones when
//! they are there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::units::UnixNanos;

const SPOT: &str = concat!(
    "1723161253937085768 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}}\n",
    "1723161253937085770 {\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}\n",
    "1723161253937085770 {\"stream\":\"ethusdt@bookTicker\",\"data\":{\"u\":3,\"s\":\"ETHUSDT\"}}\n",
    "1723161253937085790 {\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"p\":\"1.0\" , \"q\":\"2\"}}\n",
);
const USDM: &str = concat!(
    "1723161253937085769 {\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"U\":1,\"u\":2,\"pu\":0,\"b\":[],\"a\":[]}}\n",
    "1723161253937085790 {\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":3}}\n",
);
const COINM: &str = "1723161253937085769 {\"stream\":\"btcusd_perp@depth@0ms\",\"data\":{\"ps\":\"BTCUSD\",\"pu\":0,\"b\":[],\"a\":[]}}\n";

fn gz(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    std::fs::write(&path, encoder.finish().unwrap()).unwrap();
    path
}

fn source(path: PathBuf, venue: usize) -> RecordedSource {
    RecordedSource {
        path,
        venue,
        symbols: vec![("BTCUSDT".to_owned(), 0)],
    }
}

fn drain(tape: &mut RecordedTape) -> Vec<TapeEvent> {
    std::iter::from_fn(|| {
        let at = tape.peek();
        let event = tape.next();
        assert_eq!(
            at,
            event.as_ref().map(|event| event.at),
            "peek tells the truth"
        );
        event
    })
    .collect()
}

#[test]
fn files_merge_by_time_and_stay_verbatim() {
    let dir = tempfile::tempdir().unwrap();
    let sources = vec![
        source(gz(dir.path(), "a.gz", SPOT), 0),
        source(gz(dir.path(), "b.gz", USDM), 1),
    ];
    let mut tape = RecordedTape::open(sources.clone(), Pace::RECORDED).unwrap();
    let events = drain(&mut tape);
    let seen: Vec<(i64, usize)> = events
        .iter()
        .map(|event| (event.at.0 - 1_723_161_253_937_085_000, event.venue))
        .collect();
    assert_eq!(seen, vec![(768, 0), (769, 1), (770, 0), (790, 0), (790, 1)]);
    assert!(
        matches!(&events[2].change, MarketChange::Snapshot { data } if &**data == r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#)
    );
    assert!(
        matches!(&events[3].change, MarketChange::Frame { stream, data }
        if &**stream == "btcusdt@trade" && &**data == r#"{"e":"trade","p":"1.0" , "q":"2"}"#)
    );
    assert_eq!(
        tape.counts(),
        RecordedCounts {
            frames: 4,
            snapshots: 1,
            skipped: 1
        },
        "ETHUSDT was not asked for"
    );
    assert!(tape.failure().is_none());

    let pace = Pace {
        start: Some(UnixNanos(1_000)),
        speed: 1,
    };
    let shifted = drain(&mut RecordedTape::open(sources.clone(), pace).unwrap());
    assert_eq!(
        shifted.iter().map(|event| event.at.0).collect::<Vec<_>>(),
        vec![1_000, 1_001, 1_002, 1_022, 1_022]
    );
    let pace = Pace {
        start: Some(UnixNanos(1_000)),
        speed: 2,
    };
    let faster = drain(&mut RecordedTape::open(sources, pace).unwrap());
    assert_eq!(
        faster.iter().map(|event| event.at.0).collect::<Vec<_>>(),
        vec![1_000, 1_000, 1_001, 1_011, 1_011]
    );
}

#[test]
fn a_directory_is_told_by_content() {
    let dir = tempfile::tempdir().unwrap();
    gz(dir.path(), "z_spot_by_another_name.gz", SPOT);
    gz(dir.path(), "a_futures.gz", USDM);
    gz(dir.path(), "coin.gz", COINM);
    std::fs::write(dir.path().join("README.md"), "# no recording").unwrap();
    gz(dir.path(), "other.gz", "1628000000.123: {\"x\":1}\n");
    let found = recordings_in(dir.path()).unwrap();
    let venues: Vec<(RecordedVenue, &str)> = found
        .files
        .iter()
        .map(|file| (file.venue, file.natives[0].as_str()))
        .collect();
    assert_eq!(
        venues,
        vec![
            (RecordedVenue::Spot, "BTCUSDT"),
            (RecordedVenue::Usdm, "BTCUSDT")
        ]
    );
    assert_eq!(found.files[0].natives, vec!["BTCUSDT", "ETHUSDT"]);
    assert_eq!(found.left_out.len(), 3);
    assert!(
        found
            .left_out
            .iter()
            .any(|(path, reason)| path.ends_with("coin.gz") && reason.contains("COIN-M"))
    );
    assert!(recordings_in(&dir.path().join("absent")).is_err());
}

#[test]
fn broken_files_are_named_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace::RECORDED;
    let open = |path: PathBuf| {
        RecordedTape::open(vec![source(path, 0)], pace).map(|mut tape| {
            let count = drain(&mut tape).len();
            (count, tape.failure().map(ToString::to_string))
        })
    };
    // Cut inside the compressed stream.
    let whole = std::fs::read(gz(dir.path(), "whole.gz", SPOT)).unwrap();
    let cut = dir.path().join("cut.gz");
    std::fs::write(&cut, &whole[..whole.len() - 12]).unwrap();
    let cut_result = open(cut);
    assert!(
        matches!(&cut_result, Err(_) | Ok((_, Some(_)))),
        "{cut_result:?}"
    );
    // Cut inside a line.
    let torn = dir.path().join("torn");
    std::fs::write(&torn, &SPOT[..SPOT.len() - 5]).unwrap();
    let (count, failure) = open(torn).unwrap();
    assert_eq!(count, 2);
    assert!(failure.unwrap().contains("line 4"));
    // No recording at all.
    for (name, text) in [
        ("empty", ""),
        ("text", "hello"),
        ("bare", "1723161253937085768\n"),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = open(path).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(open(dir.path().join("absent")).is_err());
}

/// The data README's counts, when the data is there.
#[test]
fn real_recordings_play_whole() {
    let dir = std::env::var_os("ARBALEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let dir = dir.join("recordings");
    if !dir.is_dir() {
        assert!(
            std::env::var_os("ARBALEST_REQUIRE_DATA").is_none(),
            "{} is absent",
            dir.display()
        );
        println!("skipped: {} is absent", dir.display());
        return;
    }
    let found = recordings_in(&dir).unwrap();
    let names: Vec<String> = found
        .files
        .iter()
        .map(|file| format!("{} {}", file.venue.label(), file.natives.join("+")))
        .collect();
    assert_eq!(
        names,
        [
            "binance_spot BTCUSDT",
            "binance_spot ETHUSDT",
            "binance_usdm BTCUSDT",
            "binance_usdm ETHUSDT"
        ]
    );
    assert_eq!(found.left_out.len(), 1, "{:?}", found.left_out);
    let sources = found.of(RecordedVenue::Spot).map(|file| {
        let symbol = usize::from(file.natives[0] != "BTCUSDT");
        RecordedSource {
            path: file.path.clone(),
            venue: 0,
            symbols: vec![(file.natives[0].clone(), symbol)],
        }
    });
    let mut tape = RecordedTape::open(sources.collect(), Pace::RECORDED).unwrap();
    let mut last = UnixNanos(0);
    while let Some(event) = tape.next() {
        assert!(event.at >= last);
        last = event.at;
    }
    assert!(tape.failure().is_none());
    let frames = 3_451 + 28_040 + 9_757 + 24_077 + 3_434 + 6_106;
    assert_eq!(
        tape.counts(),
        RecordedCounts {
            frames,
            snapshots: 2,
            skipped: 0
        }
    );
    assert_eq!(
        (tape.origin().0, last.0),
        (1_723_161_253_937_085_768, 1_723_161_599_999_231_384)
    );
}
