//! What reading a frame costs, a kind and a whole recording, against serde_json; and target A: both BTC recordings merged
//! by receive time, every message read, both full books kept, the spread tested after each quote.
#![allow(
    missing_docs,
    clippy::allow_attributes,
    clippy::too_many_lines,
    reason = "a bench"
)]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::integer_division,
    reason = "a bench"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench"
)]
#![allow(clippy::cast_sign_loss, clippy::as_conversions, reason = "a bench")]

mod harness;

use std::cell::RefCell;

use arbalest::exchanges::Dialect;
use arbalest::exchanges::decode::Decoder;
use arbalest::exchanges::frame::Message;
use arbalest::units::{Grid, parse_fixed};
use harness::floor::{Floor, Outcome};
use harness::recorded::{self, Source};
use harness::{Group, mix, replay, size};
use serde::Deserialize;

fn main() {
    kinds();
    recordings();
    for (pair, sources, expected) in [
        ("BTC", [Source::SpotBtc, Source::UsdmBtc], 3_723),
        ("ETH", [Source::SpotEth, Source::UsdmEth], 12_093),
    ] {
        target_a(pair, sources, expected);
    }
}

/// One frame of every hot kind, as the venues write them.
fn samples() -> Vec<(&'static str, Dialect, String)> {
    let levels = |count: usize, start: i64| {
        let level = |index: usize| {
            let cents = start + i64::try_from(index).unwrap() * 37;
            format!(
                "[\"{}.{:02}000000\",\"{}.{:05}000\"]",
                cents.div_euclid(100),
                cents.rem_euclid(100),
                index % 7,
                index * 131
            )
        };
        (0..count).map(level).collect::<Vec<_>>().join(",")
    };
    let depth = |count: usize| {
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":50093239208,"u":50093239224,"b":[{}],"a":[{}]}}}}"#,
            levels(count, 6_180_011),
            levels(count, 6_190_013)
        )
    };
    vec![
        (
            "spot quote",
            Dialect::BinanceSpot,
            r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#.to_owned(),
        ),
        (
            "usdm quote",
            Dialect::BinanceUsdm,
            r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}}"#.to_owned(),
        ),
        (
            "spot trade",
            Dialect::BinanceSpot,
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#.to_owned(),
        ),
        (
            "usdm trade",
            Dialect::BinanceUsdm,
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#.to_owned(),
        ),
        (
            "usdm aggTrade",
            Dialect::BinanceUsdm,
            r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1723161256322,"a":2297100001,"s":"BTCUSDT","p":"61800.30","q":"0.006","f":5266583935,"l":5266583936,"T":1723161256322,"m":false}}"#.to_owned(),
        ),
        (
            "usdm markPrice",
            Dialect::BinanceUsdm,
            r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1723161257000,"s":"BTCUSDT","p":"61800.30000000","P":"61811.52231004","i":"61832.10500000","r":"0.00010000","T":1723190400000}}"#.to_owned(),
        ),
        ("spot depth, 2 levels", Dialect::BinanceSpot, depth(1)),
        ("spot depth, 40 levels", Dialect::BinanceSpot, depth(20)),
        ("spot depth, 1,000 levels", Dialect::BinanceSpot, depth(500)),
    ]
}

fn decoder(dialect: Dialect, native: &str) -> Decoder {
    let mut decoder = Decoder::new(dialect);
    decoder.insert(native, GRID);
    decoder
}

/// Two decimals of price, eight of quantity (see `harness/recorded.rs`).
const GRID: Grid = match Grid::new(2, 8) {
    Ok(grid) => grid,
    Err(_) => Grid::FINEST,
};

/// The numbers of a message, mixed.
fn sum(message: &Message<'_>, decoder: &Decoder) -> u64 {
    match message {
        Message::Quote(quote) => [
            quote.bid.price.0,
            quote.bid.qty.0,
            quote.ask.price.0,
            quote.ask.qty.0,
        ]
        .into_iter()
        .fold(quote.update_id, |hash, number| mix(hash, number as u64)),
        Message::Depth(depth) => decoder
            .levels()
            .iter()
            .fold(depth.ids.last, |hash, (_, level)| {
                mix(mix(hash, level.price.0 as u64), level.qty.0 as u64)
            }),
        Message::Trade(trade) => mix(
            mix(trade.trade_id, trade.price.0 as u64),
            trade.qty.0 as u64,
        ),
        Message::Mark(mark) => mix(mark.price.0 as u64, mark.funding_ppb as u64),
        Message::UnknownSymbol { .. }
        | Message::Control { .. }
        | Message::Shutdown
        | Message::Ignored => 0,
    }
}

/// The slow rival: serde_json into borrowed fields, numbers by the library's own parser.
#[derive(Deserialize)]
struct Envelope<D> {
    data: D,
}

#[derive(Deserialize)]
struct SlowQuote<'a> {
    u: u64,
    b: &'a str,
    #[serde(rename = "B")]
    bid_qty: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_qty: &'a str,
}

#[derive(Deserialize)]
struct SlowDepth<'a> {
    u: u64,
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
struct SlowTrade<'a> {
    #[serde(alias = "a")]
    t: u64,
    p: &'a str,
    q: &'a str,
}

#[derive(Deserialize)]
struct SlowMark<'a> {
    p: &'a str,
    r: &'a str,
}

fn number(text: &str, decimals: u8) -> u64 {
    let decimals = usize::from(decimals);
    let point = text.find('.').unwrap_or(text.len());
    let end = text.len().min(point + 1 + decimals);
    // What is finer than the grid is zeros (prices of marks are cut).
    parse_fixed(&text.as_bytes()[..end], u8::try_from(decimals).unwrap()).unwrap() as u64
}

/// As `sum`, by serde_json; frames of other kinds are 0.
fn slow(bytes: &[u8]) -> u64 {
    let head = &bytes[..bytes.len().min(48)];
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if has(b"@bookTicker") {
        let frame: Envelope<SlowQuote<'_>> = serde_json::from_slice(bytes).unwrap();
        let quote = frame.data;
        [
            number(quote.b, 2),
            number(quote.bid_qty, 8),
            number(quote.a, 2),
            number(quote.ask_qty, 8),
        ]
        .into_iter()
        .fold(quote.u, mix)
    } else if has(b"@depth") {
        let frame: Envelope<SlowDepth<'_>> = serde_json::from_slice(bytes).unwrap();
        let depth = frame.data;
        depth
            .b
            .iter()
            .chain(&depth.a)
            .fold(depth.u, |hash, (price, qty)| {
                mix(mix(hash, number(price, 2)), number(qty, 8))
            })
    } else if has(b"rade\"") {
        let frame: Envelope<SlowTrade<'_>> = serde_json::from_slice(bytes).unwrap();
        mix(
            mix(frame.data.t, number(frame.data.p, 2)),
            number(frame.data.q, 8),
        )
    } else if has(b"@markPrice") {
        let frame: Envelope<SlowMark<'_>> = serde_json::from_slice(bytes).unwrap();
        mix(number(frame.data.p, 2), number(frame.data.r, 9))
    } else {
        0
    }
}

fn kinds() {
    for (name, dialect, text) in samples() {
        let repeats = size(20, 200_000_000 / (text.len() * 100));
        let mut group = Group::new(&format!("{name}: {} bytes", text.len()));
        let bytes = text.as_bytes();
        for (case, is_careful) in [("ours", false), ("ours, careful way", true)] {
            let mut decoder = decoder(dialect, "BTCUSDT");
            group.case(case, repeats, move || {
                let mut hash = 0;
                for _ in 0..repeats {
                    let bytes = std::hint::black_box(bytes);
                    let message = if is_careful {
                        decoder.decode_carefully(bytes)
                    } else {
                        decoder.decode(bytes)
                    }
                    .unwrap();
                    hash = mix(hash, sum(&message, &decoder));
                }
                hash
            });
        }
        group.case("serde_json", repeats, move || {
            let mut hash = 0;
            for _ in 0..repeats {
                hash = mix(hash, slow(std::hint::black_box(bytes)));
            }
            hash
        });
        group.run_agreeing();
    }
}

/// Whole recordings through the decoder alone.
fn recordings() {
    for source in Source::ALL {
        let Some(mut lines) = recorded::lines(&[source]) else {
            println!("no {} (ARBALEST_DATA)", source.label());
            continue;
        };
        lines.retain(|line| line.bytes.starts_with(b"{\"stream\""));
        if !harness::is_large() {
            lines.truncate(500);
        }
        let dialect = if source.is_spot() {
            Dialect::BinanceSpot
        } else {
            Dialect::BinanceUsdm
        };
        let bytes: usize = lines.iter().map(|line| line.bytes.len()).sum();
        let mut group = Group::new(&format!(
            "{}: {} frames, {bytes} bytes",
            source.label(),
            lines.len()
        ));
        for (case, is_careful) in [("ours", false), ("ours, careful way", true)] {
            let mut decoder = decoder(dialect, source.native());
            let lines = &lines;
            group.case(case, lines.len(), move || {
                lines.iter().fold(0, |hash, line| {
                    let frame = line.bytes.as_slice();
                    let message = if is_careful {
                        decoder.decode_carefully(frame)
                    } else {
                        decoder.decode(frame)
                    }
                    .unwrap();
                    mix(hash, sum(&message, &decoder))
                })
            });
        }
        group.case("serde_json", lines.len(), || {
            lines
                .iter()
                .fold(0, |hash, line| mix(hash, slow(&line.bytes)))
        });
        group.run_agreeing();
    }
}

/// Both recordings of a pair merged: read, keep both full books, test the spread after each quote.
fn target_a(pair: &str, sources: [Source; 2], expected: u64) {
    let Some(lines) = recorded::lines(&sources) else {
        println!("no recordings (ARBALEST_DATA): target A is not measured");
        return;
    };
    if !harness::is_large() {
        // The whole file once, ours only: the count is checked wherever the data is.
        assert_eq!(
            replay::play(sources, &lines).opportunities,
            expected,
            "opportunities at 5 bps, {pair}"
        );
        return;
    }
    let by_hand = RefCell::new(Floor::new());
    let mut group = Group::new(&format!(
        "A. {pair}: {} messages of both venues, ns a message",
        lines.len()
    ));
    let check = |outcome: Outcome| {
        assert_eq!(
            outcome.opportunities, expected,
            "opportunities at 5 bps, {pair}"
        );
        mix(outcome.hash, outcome.opportunities)
    };
    let merged = &lines;
    group.prepared_case(
        "base: by hand, flat books",
        lines.len(),
        || by_hand.borrow_mut().reset(merged),
        || check(by_hand.borrow_mut().play(merged)),
    );
    group.case("ours: feed machines, books", lines.len(), || {
        check(replay::play(sources, merged))
    });
    group.case("ours, rings between", lines.len(), || {
        check(replay::play_through_rings(sources, merged))
    });
    group.run_agreeing();
    println!(
        "opportunities at 5 bps gross, sell spot, buy USD-M: {expected} in every round and case"
    );
}
