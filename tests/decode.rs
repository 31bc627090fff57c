//! The market-data decoders against their slow twin, on every recorded frame and on seeded mutations, and against hostile
//! bytes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::too_many_lines,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

use std::path::Path;

use arbalest::exchanges::Dialect;
use arbalest::exchanges::decode::{Decoder, decode_snapshot};
use arbalest::exchanges::frame::{DepthLevels, Malformed, Message};
use arbalest::prng::Prng;
use arbalest::sim::recording::{LineKind, Recording};
use arbalest::units::Grid;

#[path = "support/data.rs"]
mod data;
#[path = "support/twin.rs"]
mod twin;

use Dialect::{BinanceSpot, BinanceUsdm};

/// One frame of each kind and dialect, as the venue writes them.
const SAMPLES: &[(Dialect, &str)] = &[
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["56854.58000000","1.5"]],"a":[["61837.64000000","1.54698000"]]}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":5,"u":5,"b":[],"a":[]}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1633998523963,"s":"BTCUSDT","a":15683430,"p":"0.35280000","q":"58.00000000","f":19862790,"l":19862790,"T":1633998523963,"m":false,"M":true}}"#,
    ),
    (
        BinanceSpot,
        r#"{"u":1,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}"#,
    ),
    (
        BinanceSpot,
        r#"{"e":"trade","E":1,"s":"ETHUSDT","t":1,"p":"1","q":"1","T":1,"m":false}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5,"s":"BTCUSDT","ps":"BTCUSDT","st":1,"b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"]],"a":[["61800.30","0.000"],["61801.50","7"]]}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":2,"s":"BTCUSDT","t":3,"p":"0","q":"0","X":"NA","m":false}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000","ap":"11794.1","i":"11784.62659091","P":"11784.25641265","r":"0.00038167","T":1562306400000}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"11794.159999999999","i":"1","P":"1","r":"","T":0}}"#,
    ),
    (BinanceSpot, r#"{"result":null,"id":7}"#),
    (
        BinanceSpot,
        r#"{"error":{"code":2,"msg":"Invalid request"},"id":"x"}"#,
    ),
    (BinanceUsdm, r#"{"code":2,"msg":"Invalid request"}"#),
    (
        BinanceSpot,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1723161255343}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"btcusdt@depth5","data":{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}}"#,
    ),
    (
        BinanceUsdm,
        r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1,"o":"0.3527\u0030","x":false,"n":[1.5e3,null,-0]}}}"#,
    ),
    (
        BinanceSpot,
        r#"{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker","s":"A"}]}"#,
    ),
];

fn table(grid: Grid) -> twin::Table {
    ["BTCUSDT", "ETHUSDT", "BTCUSD_PERP", "NKNUSDT", "BLZETH"]
        .into_iter()
        .map(|name| (name.to_owned(), grid))
        .collect()
}

fn decoder(dialect: Dialect, table: &twin::Table) -> Decoder {
    let mut decoder = Decoder::new(dialect);
    for (name, grid) in table {
        decoder.insert(name, *grid);
    }
    decoder
}

/// Short way, careful way and twin give one answer. Returns whether it was accepted.
fn agree(decoder: &mut Decoder, dialect: Dialect, table: &twin::Table, bytes: &[u8]) -> bool {
    let expected = twin::decode(dialect, table, bytes);
    for is_careful in [false, true] {
        let found = if is_careful {
            decoder.decode_carefully(bytes)
        } else {
            decoder.decode(bytes)
        };
        let context = || {
            format!(
                "careful {is_careful}: {}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(600)])
            )
        };
        match (&found, &expected) {
            (Ok(message), Some((twin_message, levels))) => {
                assert_eq!(message, twin_message, "{}", context());
                if matches!(message, Message::Depth(_)) {
                    assert_eq!(decoder.levels(), levels, "{}", context());
                }
            }
            (Err(_), None) => {}
            _ => panic!("decoder {found:?}, twin {expected:?}\n{}", context()),
        }
    }
    expected.is_some()
}

/// Calls `frame` for each recorded frame and snapshot.
fn each_recorded(path: &Path, mut frame: impl FnMut(&[u8], bool)) {
    let mut recording = Recording::open(&[path]).unwrap();
    while let Some(line) = recording.next_line().unwrap() {
        match line.kind {
            LineKind::Frame => frame(line.bytes, false),
            LineKind::Http { .. } => frame(line.bytes, true),
            LineKind::Opened { .. } | LineKind::Sent { .. } | LineKind::Configuration => {}
        }
    }
}

const RECORDINGS: [(&str, Dialect); 8] = [
    ("binance_spot_btcusdt_20240808.gz", BinanceSpot),
    ("binance_spot_ethusdt_20240808.gz", BinanceSpot),
    ("binance_usdm_btcusdt_20240808.gz", BinanceUsdm),
    ("binance_usdm_ethusdt_20240808.gz", BinanceUsdm),
    ("binance_cm_btcusd_perp_20240808.gz", BinanceUsdm),
    ("cryptofeed/BINANCE.ws.1.0.gz", BinanceSpot),
    ("cryptofeed/BINANCE_FUTURES.ws.1.0.gz", BinanceUsdm),
    ("cryptofeed/BINANCE_DELIVERY.ws.1.0.gz", BinanceUsdm),
];

#[test]
fn every_recorded_frame_reads_like_the_twin() {
    let Some(dir) = data::data_dir() else { return };
    std::thread::scope(|scope| {
        for (file, dialect) in RECORDINGS {
            let path = dir.join("recordings").join(file);
            scope.spawn(move || {
                let table = table(Grid::FINEST);
                let mut decoder = decoder(dialect, &table);
                let mut frames = 0_u64;
                each_recorded(&path, |bytes, is_snapshot| {
                    if !is_snapshot {
                        assert!(
                            agree(&mut decoder, dialect, &table, bytes),
                            "{file}: a recorded frame is well-formed"
                        );
                        frames += 1;
                    }
                });
                assert!(frames > 200, "{file}: {frames}");
            });
        }
    });
}

/// Some frames of each recording and all samples.
fn seeds() -> Vec<(Dialect, Vec<u8>)> {
    let mut seeds: Vec<(Dialect, Vec<u8>)> = SAMPLES
        .iter()
        .map(|(dialect, text)| (*dialect, text.as_bytes().to_vec()))
        .collect();
    if let Some(dir) = data::data_dir() {
        for (file, dialect) in RECORDINGS {
            let mut number = 0_u64;
            each_recorded(&dir.join("recordings").join(file), |bytes, _| {
                number += 1;
                if number.is_multiple_of(211) && bytes.len() < 3_000 {
                    seeds.push((dialect, bytes.to_vec()));
                }
            });
        }
    }
    seeds
}

/// One small damage.
fn mutate(prng: &mut Prng, bytes: &mut Vec<u8>) {
    const SPLICES: [&[u8]; 22] = [
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"0",
        b"-",
        b".",
        b"e",
        b"\xFF",
        b"\\u0041",
        b"null",
        b"1e400",
        b"\"u\":1,",
        b"\"e\":\"trade\",",
        b"\"zz\":{\"a\":[1,\"\\n\"]},",
        b"\xC3\xA9",
        b"99999999999999999999",
    ];
    let place = |prng: &mut Prng, length: usize| {
        usize::try_from(prng.below(u64::try_from(length).unwrap())).unwrap()
    };
    if bytes.is_empty() {
        bytes.push(b'{');
    }
    let at = place(prng, bytes.len());
    let end = (at + 1 + place(prng, 12)).min(bytes.len());
    match prng.below(9) {
        0 => bytes[at] = u8::try_from(prng.below(256)).unwrap(),
        1 => bytes[at] ^= 1 << prng.below(8),
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        5 => {
            // A digit for another: mostly still well-formed.
            if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                bytes[at + digit] = b'0' + u8::try_from(prng.below(10)).unwrap();
            }
        }
        6 => {
            let mut fields: Vec<&[u8]> = bytes.split(|byte| *byte == b',').collect();
            let (one, other) = (place(prng, fields.len()), place(prng, fields.len()));
            fields.swap(one, other);
            *bytes = fields.join(&b","[..]);
        }
        _ => {
            let splice = SPLICES[place(prng, SPLICES.len())];
            bytes.splice(at..at, splice.iter().copied());
        }
    }
}

#[test]
fn mutated_frames_read_like_the_twin() {
    let seeds = seeds();
    let rounds = (60_000 / seeds.len()).clamp(20, 2_000);
    let grids = [
        Grid::FINEST,
        Grid::new(2, 5).unwrap(),
        Grid::new(1, 3).unwrap(),
    ];
    let (mut accepted, mut refused) = (0_u64, 0_u64);
    for (number, (dialect, seed)) in seeds.iter().enumerate() {
        let mut prng = Prng::new(u64::try_from(number).unwrap());
        let table = table(grids[number % grids.len()]);
        let mut decoder = decoder(*dialect, &table);
        for _ in 0..rounds {
            let mut bytes = seed.clone();
            for _ in 0..=prng.below(3) {
                mutate(&mut prng, &mut bytes);
            }
            if agree(&mut decoder, *dialect, &table, &bytes) {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    }
    println!(
        "{} seeds, {accepted} accepted, {refused} refused",
        seeds.len()
    );
    assert!(
        accepted > 4_000 && refused > 10_000,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn samples_read_like_the_twin_in_any_field_order_and_spacing() {
    let table = table(Grid::FINEST);
    for (number, (dialect, text)) in SAMPLES.iter().enumerate() {
        let mut decoder = decoder(*dialect, &table);
        assert!(
            agree(&mut decoder, *dialect, &table, text.as_bytes()),
            "sample {number}"
        );
        let spaced = format!(
            " {}\r\n\t",
            text.replace(':', " : ").replace("\" : \"", "\":\n\"")
        );
        assert_eq!(
            agree(&mut decoder, *dialect, &table, spaced.as_bytes()),
            twin::decode(*dialect, &table, spaced.as_bytes()).is_some()
        );
        let Some((head, fields)) = text.split_once("\"data\":{") else {
            continue;
        };
        let Some(body) = fields.strip_suffix("}}") else {
            continue;
        };
        if body.contains(['[', '{']) {
            continue;
        }
        let mut prng = Prng::new(u64::try_from(number).unwrap());
        let mut parts: Vec<&str> = body.split(',').collect();
        for _ in 0..40 {
            let last = parts.len() - 1;
            for index in 0..last {
                let other = index
                    + usize::try_from(prng.below(u64::try_from(last - index + 1).unwrap()))
                        .unwrap();
                parts.swap(index, other);
            }
            let shuffled = format!("{head}\"data\":{{{}}}}}", parts.join(","));
            assert!(
                agree(&mut decoder, *dialect, &table, shuffled.as_bytes()),
                "{shuffled}"
            );
        }
        for missing in 0..parts.len() {
            let mut fewer = parts.clone();
            fewer.remove(missing);
            let fewer = format!("{head}\"data\":{{{}}}}}", fewer.join(","));
            agree(&mut decoder, *dialect, &table, fewer.as_bytes());
            let mut more = parts.clone();
            more.push(parts[missing]);
            let more = format!("{head}\"data\":{{{}}}}}", more.join(","));
            agree(&mut decoder, *dialect, &table, more.as_bytes());
        }
    }
}

#[test]
fn hostile_frames_are_named_not_followed() {
    let table = table(Grid::new(2, 5).unwrap());
    let quote = SAMPLES[0].1;
    let depth = SAMPLES[1].1;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20));
    let brackets = "[".repeat(100_000);
    let braces = "{\"a\":".repeat(100_000);
    let hidden = quote.replace("\"u\":", &format!("\"x\":{},\"u\":", "[".repeat(100_000)));
    let levels = format!("\"b\":[{}],", vec!["[\"1.00\",\"1\"]"; 10_001].join(","));
    let flood = depth.replace(
        "\"b\":[[\"61737.63000000\",\"0.00000000\"],[\"56854.58000000\",\"1.5\"]],",
        &levels,
    );
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("number", quote.replace("61837.63000000", "1e400").into()),
        ("number", quote.replace("61837.63000000", "NaN").into()),
        ("number", quote.replace("61837.63000000", "").into()),
        (
            "number",
            quote.replace("61837.63000000", "61837.635").into(),
        ),
        (
            "number",
            quote
                .replace("61837.63000000", "99999999999999999999")
                .into(),
        ),
        (
            "number",
            quote.replace("50093239212", "99999999999999999999").into(),
        ),
        ("sign", quote.replace("3.78826000", "-3.78826000").into()),
        ("sign", quote.replace("3.78826000", "-0").into()),
        ("sign", quote.replace("61837.63000000", "0.00000000").into()),
        ("sign", quote.replace("61837.63000000", "-1.00").into()),
        ("sign", depth.replace("61737.63000000", "0.00").into()),
        ("sign", depth.replace("0.00000000", "-1").into()),
        (
            "field_type",
            quote.replace("\"61837.63000000\"", "61837.63").into(),
        ),
        (
            "field_type",
            quote.replace("\"61837.63000000\"", "null").into(),
        ),
        (
            "field_type",
            quote.replace("50093239212", "\"50093239212\"").into(),
        ),
        ("field_type", quote.replace("50093239212", "5.0").into()),
        ("field_type", quote.replace("50093239212", "-5").into()),
        (
            "field_type",
            depth
                .replace("[\"61737.63000000\",\"0.00000000\"]", "[\"61737.63\"]")
                .into(),
        ),
        (
            "field_type",
            depth
                .replace("[\"61737.63000000\",\"0.00000000\"]", "{}")
                .into(),
        ),
        ("json", quote.replace("50093239212", "050093239212").into()),
        ("json", quote.replace("50093239212", "NaN").into()),
        ("json", quote.replace("50093239212", "1e").into()),
        ("json", quote.strip_suffix('}').unwrap().into()),
        ("json", format!("{quote}{quote}").into()),
        ("json", format!("\u{feff}{quote}").into()),
        ("json", quote.replace("61837.63000000", "61837\n.63").into()),
        ("json", Vec::new()),
        ("json", b" ".to_vec()),
        ("json", b"\0\0".to_vec()),
        (
            "not_utf8",
            quote
                .replace("BTCUSDT", "BTC?SDT")
                .bytes()
                .map(|byte| if byte == b'?' { 0xFF } else { byte })
                .collect(),
        ),
        ("not_utf8", b"{\"unknown\":\"\xC0\x80\"}".to_vec()),
        (
            "missing_field",
            quote.replace("\"B\":\"3.78826000\",", "").into(),
        ),
        (
            "missing_field",
            quote
                .replace("\"stream\":\"btcusdt@bookTicker\",", "")
                .into(),
        ),
        (
            "missing_field",
            depth.replace("\"e\":\"depthUpdate\",", "").into(),
        ),
        ("duplicate_field", quote.replace("\"b\":", "\"B\":").into()),
        (
            "duplicate_field",
            quote.replace("\"u\":", "\"q\":1,\"q\":1,\"u\":").into(),
        ),
        (
            "duplicate_field",
            quote
                .replace("\"data\":", "\"stream\":\"x\",\"data\":")
                .into(),
        ),
        (
            "ids",
            depth
                .replace("\"U\":50093239189", "\"U\":50093239203")
                .into(),
        ),
        ("too_deep", brackets.into()),
        ("too_deep", braces.into()),
        ("too_deep", hidden.into()),
        ("too_many_levels", flood.into()),
        ("too_large", large.into()),
    ];
    let mut decoder = decoder(BinanceSpot, &table);
    for (expected, bytes) in rows {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert_eq!(
            decoder.decode(&bytes).map_err(Malformed::label),
            Err(expected),
            "{shown}"
        );
        assert!(
            twin::decode(BinanceSpot, &table, &bytes).is_none(),
            "{shown}"
        );
        assert!(
            decoder.decode(quote.as_bytes()).is_ok(),
            "alive after {shown}"
        );
    }
}

#[test]
fn fixtures_of_the_venue_are_read_or_ignored() {
    let Some(dir) = data::data_dir() else { return };
    let mut decoded = 0;
    for (folder, dialect) in [("binance-spot", BinanceSpot), ("binance-usdm", BinanceUsdm)] {
        for entry in std::fs::read_dir(dir.join("fixtures").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let table: twin::Table = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "BNBBTC", "BTCUSD_PERP"]
                .into_iter()
                .map(|name| (name.to_owned(), Grid::FINEST))
                .collect();
            let mut decoder = decoder(dialect, &table);
            agree(&mut decoder, dialect, &table, &bytes);
            if let Ok(
                Message::Quote(_) | Message::Depth(_) | Message::Trade(_) | Message::Mark(_),
            ) = decoder.decode(&bytes)
            {
                decoded += 1;
            }
        }
    }
    assert!(decoded >= 3, "{decoded}");
}

#[test]
fn snapshots_are_read_whole_or_refused() {
    let grid = Grid::new(2, 5).unwrap();
    let mut levels = DepthLevels::default();
    let good = r#"{"lastUpdateId":7,"bids":[["10.5","1"],["10.4","0.00001"]],"asks":[["11","2"]],"x":[{}]}"#;
    assert_eq!(
        decode_snapshot(BinanceSpot, good.as_bytes(), grid, &mut levels),
        Ok(7)
    );
    assert_eq!((levels.bids.len(), levels.asks.len()), (2, 1));
    for (expected, text) in [
        (
            "missing_field",
            r#"{"code":-1121,"msg":"Invalid symbol."}"#.to_owned(),
        ),
        ("missing_field", good.replace("\"asks\"", "\"other\"")),
        ("duplicate_field", good.replace("\"x\"", "\"bids\"")),
        ("sign", good.replace("\"1\"", "\"-1\"")),
        ("number", good.replace("\"10.5\"", "\"10.555\"")),
        ("field_type", good.replace(":7,", ":\"7\",")),
        ("json", "<html>".to_owned()),
        ("json", String::new()),
        (
            "too_large",
            format!("{{\"a\":\"{}\"}}", "x".repeat(5 << 20)),
        ),
    ] {
        let found = decode_snapshot(BinanceUsdm, text.as_bytes(), grid, &mut levels);
        assert_eq!(
            found.map_err(Malformed::label),
            Err(expected),
            "{}",
            &text[..text.len().min(100)]
        );
    }
    let Some(dir) = data::data_dir() else { return };
    for (file, dialect) in RECORDINGS.iter().take(5) {
        each_recorded(&dir.join("recordings").join(file), |bytes, is_snapshot| {
            if is_snapshot {
                decode_snapshot(*dialect, bytes, Grid::FINEST, &mut levels).unwrap();
                assert_eq!(
                    (levels.bids.len(), levels.asks.len()),
                    (1_000, 1_000),
                    "{file}"
                );
                assert!(levels.bids[0].price < levels.asks[0].price);
            }
        });
    }
}
