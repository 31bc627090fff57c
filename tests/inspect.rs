//! `arbalest inspect` against the recordings' known figures, and against recordings that are wrong in every way we know.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::too_many_lines,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use arbalest::cli::inspect::{BookReport, InspectVenue, Inspection, inspect};
use arbalest::sim::recording::Recording;

#[path = "support/data.rs"]
mod data;

use InspectVenue::{BinanceCoinm, BinanceSpot, BinanceUsdm};

/// Known figures of one single-instrument recording.
struct Known {
    file: &'static str,
    venue: InspectVenue,
    symbol: &'static str,
    lines: u64,
    depth: u64,
    quotes: u64,
    times: [i64; 2],
    applied: u64,
    update_id: u64,
    levels: [usize; 2],
    bid: [&'static str; 2],
    ask: [&'static str; 2],
    top20: &'static str,
    quotes_equal: u64,
    trades: u64,
    trade_ids: [u64; 2],
    quantity: &'static str,
    quote_sum: &'static str,
    buyer_is_maker: u64,
}

const KNOWN: [Known; 5] = [
    Known {
        file: "binance_spot_btcusdt_20240808.gz",
        venue: BinanceSpot,
        symbol: "BTCUSDT",
        lines: 41_249,
        depth: 3_451,
        quotes: 28_040,
        times: [1_723_161_253_937_085_768, 1_723_161_599_999_231_384],
        applied: 3_449,
        update_id: 50_093_421_584,
        levels: [1_209, 2_196],
        bid: ["61685.99", "1.0087"],
        ask: ["61686", "2.29327"],
        top20: "a6f081ff03e21c59f4ecbb299d93fa02904af42868bd1bbdf79bba23143ebf61",
        quotes_equal: 564,
        trades: 9_757,
        trade_ids: [3_735_683_259, 3_735_693_015],
        quantity: "212.03315",
        quote_sum: "13084074.1123886",
        buyer_is_maker: 5_654,
    },
    Known {
        file: "binance_spot_ethusdt_20240808.gz",
        venue: BinanceSpot,
        symbol: "ETHUSDT",
        lines: 33_618,
        depth: 3_434,
        quotes: 24_077,
        times: [1_723_161_254_024_619_568, 1_723_161_599_900_862_584],
        applied: 3_432,
        update_id: 35_346_671_849,
        levels: [1_195, 1_158],
        bid: ["2682.5", "3.3168"],
        ask: ["2682.51", "48.9739"],
        top20: "521428843681c3959207dfd4d4562bd79e45296d46ef80a65e9a8e5fa68e4645",
        quotes_equal: 577,
        trades: 6_106,
        trade_ids: [1_520_538_925, 1_520_545_030],
        quantity: "2261.3149",
        quote_sum: "6066483.27618",
        buyer_is_maker: 2_875,
    },
    Known {
        file: "binance_usdm_btcusdt_20240808.gz",
        venue: BinanceUsdm,
        symbol: "BTCUSDT",
        lines: 93_954,
        depth: 6_551,
        quotes: 66_089,
        times: [1_723_161_255_030_314_667, 1_723_161_599_833_492_584],
        applied: 6_547,
        update_id: 5_123_135_475_514,
        levels: [5_018, 4_578],
        bid: ["61659.7", "1.486"],
        ask: ["61659.8", "0.981"],
        top20: "d997582f03bef93d9c469ee8e6a5ddd3b9f3645103593d2fb38a03dbd577ca16",
        quotes_equal: 629,
        trades: 21_313,
        trade_ids: [5_266_583_935, 5_266_605_247],
        quantity: "2429.366",
        quote_sum: "149845680.8898",
        buyer_is_maker: 11_697,
    },
    Known {
        file: "binance_usdm_ethusdt_20240808.gz",
        venue: BinanceUsdm,
        symbol: "ETHUSDT",
        lines: 74_655,
        depth: 6_586,
        quotes: 53_992,
        times: [1_723_161_255_088_156_767, 1_723_161_599_881_488_984],
        applied: 6_581,
        update_id: 5_123_135_545_737,
        levels: [3_181, 3_013],
        bid: ["2681.38", "8.486"],
        ask: ["2681.39", "22.624"],
        top20: "6c547d52c5d5bed4e13ffabb22c3d2b55985f12353c53b16369389f1259f6949",
        quotes_equal: 551,
        trades: 14_076,
        trade_ids: [4_308_068_523, 4_308_082_598],
        quantity: "9164.948",
        quote_sum: "24574856.5142",
        buyer_is_maker: 7_092,
    },
    Known {
        file: "binance_cm_btcusd_perp_20240808.gz",
        venue: BinanceCoinm,
        symbol: "BTCUSD_PERP",
        lines: 48_270,
        depth: 26_847,
        quotes: 19_136,
        times: [1_723_161_256_172_216_566, 1_723_161_599_994_891_784],
        applied: 26_824,
        update_id: 1_007_202_248_021,
        levels: [1_110, 1_123],
        bid: ["61668.6", "1380"],
        ask: ["61668.7", "871"],
        top20: "7c7213c456a2b2518715dfd32fc64f9ab48b739737837e573209830cb2003441",
        quotes_equal: 1_124,
        trades: 2_286,
        trade_ids: [849_714_402, 849_716_687],
        quantity: "83241",
        quote_sum: "5134772336.7",
        buyer_is_maker: 1_305,
    },
];

fn frames(inspection: &Inspection, kind: &str) -> u64 {
    inspection.frames.get(kind).copied().unwrap_or(0)
}

fn check_book(book: &BookReport, known: &Known) {
    assert_eq!(book.symbol, known.symbol);
    assert!(book.trusted, "{}", known.file);
    assert_eq!(
        (book.gaps, book.crossed, book.snapshots),
        (0, 0, 1),
        "{}",
        known.file
    );
    assert_eq!(
        (book.updates_applied, book.update_id),
        (known.applied, known.update_id)
    );
    assert_eq!([book.bid_levels, book.ask_levels], known.levels);
    assert_eq!((book.bid.len(), book.ask.len()), (5, 5));
    assert_eq!(
        (&book.bid[0], &book.ask[0]),
        (&known.bid.map(str::to_owned), &known.ask.map(str::to_owned))
    );
    assert_eq!(book.top20_sha256, known.top20);
    assert_eq!(
        (book.quotes_equal, book.quotes_different),
        (known.quotes_equal, 0)
    );
}

#[test]
fn the_long_recordings_come_to_their_known_figures() {
    let Some(dir) = data::data_dir() else { return };
    for known in KNOWN {
        let found = inspect(&[dir.join("recordings").join(known.file)], known.venue).unwrap();
        assert_eq!(found.lines, known.lines, "{}", known.file);
        assert_eq!(
            (found.ignored, found.malformed, found.other_lines),
            (0, 0, 0)
        );
        assert_eq!(frames(&found, "depthUpdate"), known.depth);
        assert_eq!(frames(&found, "bookTicker"), known.quotes);
        assert_eq!(frames(&found, "trade"), known.trades);
        assert_eq!(frames(&found, "snapshot"), 1);
        assert_eq!([found.first_time, found.last_time], known.times);
        assert!(
            found.delay_ns.unwrap()[1] < -1_200_000_000,
            "the recorder's clock ran behind"
        );
        assert_eq!(
            (
                found.books.len(),
                found.trades.len(),
                found.agg_trades.len()
            ),
            (1, 1, 0)
        );
        check_book(&found.books[0], &known);
        let trades = &found.trades[0];
        assert_eq!((trades.count, trades.gaps), (known.trades, 0));
        assert_eq!([trades.first_id, trades.last_id], known.trade_ids);
        assert_eq!(
            (trades.quantity_sum.as_str(), trades.quote_sum.as_str()),
            (known.quantity, known.quote_sum)
        );
        assert_eq!(trades.buyer_is_maker, known.buyer_is_maker);
        assert!(found.table().contains(known.top20));
    }
}

#[test]
fn two_instruments_in_two_files_keep_their_snapshots() {
    let Some(dir) = data::data_dir() else { return };
    let files = [0, 1].map(|index: usize| dir.join("recordings").join(KNOWN[index].file));
    let found = inspect(&files, BinanceSpot).unwrap();
    assert_eq!(found.lines, KNOWN[0].lines + KNOWN[1].lines);
    for (book, known) in found.books.iter().zip(&KNOWN) {
        check_book(book, known);
    }
}

/// Symbol, updates applied, final id, equal quotes, best bid, best ask, levels.
type KnownBook = (
    &'static str,
    u64,
    u64,
    u64,
    [&'static str; 2],
    [&'static str; 2],
    [usize; 2],
);

#[test]
fn cryptofeed_runs_come_to_their_known_books_in_any_order_of_files() {
    let Some(dir) = data::data_dir() else { return };
    let spot: &[KnownBook] = &[
        (
            "BLZETH",
            9,
            281_916_638,
            1,
            ["0.00006547", "100"],
            ["0.0000656", "1528"],
            [173, 999],
        ),
        (
            "NKNUSDT",
            149,
            499_870_179,
            19,
            ["0.3527", "9602"],
            ["0.3531", "152"],
            [614, 994],
        ),
    ];
    let futures: &[KnownBook] = &[
        (
            "AKROUSDT",
            188,
            600_860_423_964,
            7,
            ["0.01734", "502"],
            ["0.01735", "50697"],
            [613, 761],
        ),
        (
            "SUSHIUSDT",
            252,
            600_860_425_198,
            12,
            ["7.612", "303"],
            ["7.616", "267"],
            [1_006, 1_000],
        ),
    ];
    let delivery: &[KnownBook] = &[
        (
            "BCHUSD_210924",
            101,
            167_006_259_209,
            13,
            ["429.34", "200"],
            ["429.46", "40"],
            [197, 193],
        ),
        (
            "BCHUSD_PERP",
            208,
            167_006_263_994,
            62,
            ["427.79", "222"],
            ["427.8", "150"],
            [444, 536],
        ),
        (
            "ETCUSD_PERP",
            215,
            167_006_263_908,
            23,
            ["42.28", "426"],
            ["42.281", "2"],
            [440, 383],
        ),
        (
            "LINKUSD_PERP",
            228,
            167_006_263_775,
            12,
            ["15.066", "1039"],
            ["15.067", "128"],
            [554, 494],
        ),
        (
            "XRPUSD_PERP",
            176,
            167_006_262_175,
            44,
            ["0.5661", "4137"],
            ["0.5662", "608"],
            [652, 995],
        ),
    ];
    for (run, venue, books) in [
        ("BINANCE", BinanceSpot, spot),
        ("BINANCE_FUTURES", BinanceUsdm, futures),
        ("BINANCE_DELIVERY", BinanceCoinm, delivery),
    ] {
        let file = |part: &str| dir.join(format!("recordings/cryptofeed/{run}.{part}.gz"));
        let orders = [
            vec![file("ws.1.0"), file("http.0.0")],
            vec![file("0"), file("http.0.0"), file("ws.1.0")],
        ];
        for files in orders {
            let found = inspect(&files, venue).unwrap();
            assert_eq!(found.malformed, 0);
            assert_eq!(found.books.len(), books.len(), "{run}");
            for (book, known) in found.books.iter().zip(books) {
                let (symbol, applied, update_id, equal, bid, ask, levels) = *known;
                assert_eq!(
                    (book.symbol.as_str(), book.trusted, book.gaps, book.crossed),
                    (symbol, true, 0, 0)
                );
                assert_eq!(
                    (book.updates_applied, book.update_id),
                    (applied, update_id),
                    "{symbol}"
                );
                assert_eq!(
                    (book.quotes_equal, book.quotes_different),
                    (equal, 0),
                    "{symbol}"
                );
                assert_eq!(
                    (&book.bid[0], &book.ask[0]),
                    (&bid.map(str::to_owned), &ask.map(str::to_owned))
                );
                assert_eq!([book.bid_levels, book.ask_levels], levels, "{symbol}");
            }
        }
        let alone = inspect(&[file("ws.1.0")], venue).unwrap();
        assert!(
            alone
                .books
                .iter()
                .all(|book| !book.trusted && book.updates_applied == 0),
            "no snapshot, no trust"
        );
    }
}

/// The lines of a recording as text.
fn lines_of(path: &Path) -> Vec<String> {
    let mut recording = Recording::open(&[path]).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = recording.next_line().unwrap() {
        lines.push(format!("{} {}", line.time.0, line.text().unwrap()));
    }
    lines
}

fn written(dir: &tempfile::TempDir, name: &str, lines: &[String]) -> PathBuf {
    let path = dir.path().join(name);
    let file = std::fs::File::create(&path).unwrap();
    let mut out = std::io::BufWriter::new(file);
    for line in lines {
        writeln!(out, "{line}").unwrap();
    }
    out.flush().unwrap();
    path
}

#[test]
fn a_snapshot_may_stand_anywhere_and_a_missing_diff_ends_trust() {
    let Some(dir) = data::data_dir() else { return };
    let temp = tempfile::tempdir().unwrap();
    for known in [&KNOWN[1], &KNOWN[4]] {
        let lines = lines_of(&dir.join("recordings").join(known.file));
        let at = lines
            .iter()
            .position(|line| line.contains("{\"lastUpdateId\""))
            .unwrap();
        let mut moved = lines.clone();
        let snapshot = moved.remove(at);
        let without = written(&temp, "without", &moved);
        let found = inspect(&[without], known.venue).unwrap();
        assert_eq!(
            (
                found.books[0].trusted,
                found.books[0].bid_levels,
                found.books[0].updates_applied
            ),
            (false, 0, 0)
        );
        moved.push(snapshot.clone());
        check_book(
            &inspect(&[written(&temp, "last", &moved)], known.venue)
                .unwrap()
                .books[0],
            known,
        );
        moved.pop();
        moved.insert(0, snapshot);
        check_book(
            &inspect(&[written(&temp, "first", &moved)], known.venue)
                .unwrap()
                .books[0],
            known,
        );

        let halves = lines.split_at(lines.len() / 2);
        let parts = [
            written(&temp, "one", halves.0),
            written(&temp, "two", halves.1),
        ];
        check_book(&inspect(&parts, known.venue).unwrap().books[0], known);

        let mut apart = lines.clone();
        let alone = written(&temp, "alone", &[apart.remove(at)]);
        let parts = [alone, written(&temp, "others", &apart)];
        check_book(&inspect(&parts, known.venue).unwrap().books[0], known);

        let mut holed = lines;
        let depth = holed
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("@depth@"))
            .nth(2_000)
            .unwrap()
            .0;
        holed.remove(depth);
        let found = inspect(&[written(&temp, "holed", &holed)], known.venue).unwrap();
        let book = &found.books[0];
        assert_eq!((book.trusted, book.gaps), (false, 1));
        assert!(book.updates_applied < 2_000 && book.updates_applied > 1_900);
    }
}

fn spot_diff(symbol: &str, first: u64, last: u64, bids: &str, asks: &str) -> String {
    let stream = symbol.to_ascii_lowercase();
    format!(
        "{{\"stream\":\"{stream}@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"{symbol}\",\
         \"U\":{first},\"u\":{last},\"b\":[{bids}],\"a\":[{asks}]}}}}"
    )
}

fn usdm_diff(first: u64, last: u64, previous: u64, bids: &str, asks: &str) -> String {
    format!(
        "{{\"stream\":\"abc@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"ABC\",\
         \"U\":{first},\"u\":{last},\"pu\":{previous},\"b\":[{bids}],\"a\":[{asks}]}}}}"
    )
}

fn snapshot(id: u64) -> String {
    format!("{{\"lastUpdateId\":{id},\"bids\":[[\"10\",\"1\"]],\"asks\":[[\"11\",\"1\"]]}}")
}

fn read(venue: InspectVenue, frames: &[String]) -> Inspection {
    let temp = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (1_000_u64..)
        .zip(frames)
        .map(|(time, frame)| format!("{time} {frame}"))
        .collect();
    inspect(&[written(&temp, "script", &lines)], venue).unwrap()
}

#[test]
fn scripts_of_loss_and_repetition_by_the_spot_rule() {
    let diff = |first, last| spot_diff("ABC", first, last, "[\"9\",\"1\"]", "");
    // (frames, trusted, gaps, applied, update id)
    let rows = [
        (
            vec![snapshot(10), diff(5, 9), diff(10, 12), diff(13, 13)],
            true,
            0,
            2,
            13,
        ),
        (
            vec![diff(5, 10), diff(11, 12), snapshot(10), diff(13, 13)],
            true,
            0,
            2,
            13,
        ),
        (
            vec![diff(12, 13), snapshot(10), diff(14, 15)],
            false,
            0,
            0,
            0,
        ),
        (
            vec![snapshot(10), diff(11, 12), diff(11, 11), diff(13, 13)],
            true,
            0,
            2,
            13,
        ),
        (
            vec![snapshot(10), diff(11, 12), diff(9, 15)],
            true,
            0,
            2,
            15,
        ),
        (
            vec![snapshot(10), diff(11, 12), diff(14, 15), diff(16, 17)],
            false,
            1,
            1,
            0,
        ),
        (
            vec![
                snapshot(10),
                diff(11, 12),
                diff(14, 15),
                snapshot(15),
                diff(16, 17),
            ],
            true,
            1,
            2,
            17,
        ),
        (
            vec![
                snapshot(10),
                diff(11, 12),
                diff(14, 15),
                snapshot(12),
                diff(16, 17),
            ],
            false,
            1,
            1,
            0,
        ),
        (
            vec![
                snapshot(10),
                diff(11, 12),
                diff(14, 15),
                diff(18, 19),
                snapshot(17),
            ],
            true,
            2,
            2,
            19,
        ),
        (vec![diff(11, 12), diff(14, 15)], false, 1, 0, 0),
        (vec![snapshot(10)], false, 0, 0, 0),
    ];
    for (index, (frames, trusted, gaps, applied, update_id)) in rows.into_iter().enumerate() {
        let found = read(BinanceSpot, &frames);
        let Some(book) = found.books.first() else {
            assert!(
                !trusted && found.ignored == 1,
                "row {index}: a snapshot of nobody knows what"
            );
            continue;
        };
        assert_eq!(
            (
                book.trusted,
                book.gaps,
                book.updates_applied,
                book.update_id
            ),
            (trusted, gaps, applied, update_id),
            "row {index}"
        );
    }
}

#[test]
fn scripts_of_loss_and_repetition_by_the_futures_rule() {
    let diff = |first, last, previous| usdm_diff(first, last, previous, "[\"9\",\"1\"]", "");
    let rows = [
        (
            vec![
                snapshot(10),
                diff(5, 9, 4),
                diff(10, 12, 9),
                diff(20, 22, 12),
            ],
            true,
            0,
            2,
            22,
        ),
        (
            vec![diff(5, 10, 4), diff(20, 22, 10), snapshot(10)],
            true,
            0,
            2,
            22,
        ),
        (
            vec![snapshot(10), diff(11, 12, 9), diff(13, 14, 12)],
            false,
            0,
            0,
            0,
        ),
        (
            vec![snapshot(10), diff(9, 12, 8), diff(13, 14, 13)],
            false,
            1,
            1,
            0,
        ),
        (
            vec![snapshot(10), diff(9, 12, 8), diff(9, 12, 8)],
            false,
            1,
            1,
            0,
        ),
        (
            vec![
                snapshot(10),
                diff(9, 12, 8),
                diff(30, 31, 20),
                snapshot(31),
                diff(32, 33, 31),
            ],
            true,
            1,
            3,
            33,
        ),
    ];
    for (index, (frames, trusted, gaps, applied, update_id)) in rows.into_iter().enumerate() {
        let found = read(BinanceUsdm, &frames);
        let book = &found.books[0];
        assert_eq!(
            (
                book.trusted,
                book.gaps,
                book.updates_applied,
                book.update_id
            ),
            (trusted, gaps, applied, update_id),
            "row {index}"
        );
    }
}

#[test]
fn crossed_one_sided_and_differing_books_are_noted() {
    let quote = "{\"stream\":\"abc@bookTicker\",\"data\":{\"u\":12,\"s\":\"ABC\",\"b\":\"10\",\"B\":\"2\",\"a\":\"11\",\"A\":\"1\"}}";
    let found = read(
        BinanceSpot,
        &[
            snapshot(10),
            spot_diff("ABC", 11, 12, "", ""),
            quote.to_owned(),
            spot_diff("ABC", 13, 13, "[\"11\",\"1\"]", ""),
            spot_diff("ABC", 14, 14, "[\"11\",\"0\"]", "[\"12.5\",\"3\"]"),
        ],
    );
    let book = &found.books[0];
    assert_eq!(
        (
            book.trusted,
            book.crossed,
            book.quotes_equal,
            book.quotes_different
        ),
        (true, 1, 0, 1)
    );
    let crossed = read(
        BinanceSpot,
        &[snapshot(10), spot_diff("ABC", 11, 11, "[\"12\",\"1\"]", "")],
    );
    assert!(!crossed.books[0].trusted);
    let emptied = read(
        BinanceSpot,
        &[snapshot(10), spot_diff("ABC", 11, 11, "", "[\"11\",\"0\"]")],
    );
    assert!(!emptied.books[0].trusted && emptied.books[0].ask.is_empty());
}

#[test]
fn several_instruments_and_enormous_quantities() {
    let big = "[\"0.00001\",\"250000000000.00000000\"]";
    let url = "https://h/api/v3/depth?symbol=PEPEUSDT&limit=1000 -> 1.5:";
    let text = format!(
        "1.0: {}\n{url} {{\"lastUpdateId\":10,\"bids\":[{big}],\"asks\":[[\"0.00002\",\"1.0\"]]}}\n2.0: {}\n3.0: {}\n",
        spot_diff("PEPEUSDT", 9, 10, "", ""),
        spot_diff("PEPEUSDT", 11, 12, big, ""),
        spot_diff("ABC", 1, 2, "", ""),
    );
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("run");
    std::fs::write(&path, text).unwrap();
    let found = inspect(&[path], BinanceSpot).unwrap();
    assert_eq!(found.malformed, 0);
    let symbols: Vec<(&str, bool)> = found
        .books
        .iter()
        .map(|book| (book.symbol.as_str(), book.trusted))
        .collect();
    assert_eq!(symbols, [("ABC", false), ("PEPEUSDT", true)]);
    assert_eq!(found.books[1].bid[0], ["0.00001", "250000000000"]);
}

#[test]
fn malformed_frames_are_counted_by_kind() {
    let good = spot_diff("ABC", 11, 12, "[\"9\",\"1\"]", "");
    let deep = "[".repeat(100_000);
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20));
    let frames = vec![
        good.clone(),
        good.replace("\"9\"", "\"1e400\""),
        good.replace("\"9\"", "\"NaN\""),
        good.replace("\"1\"", "\"-1\""),
        good.replace("\"9\"", "\"0\""),
        good.replace("\"9\"", "9"),
        good.replace("\"U\":11,", ""),
        good.replace("\"U\":11,", "\"U\":11,\"U\":11,"),
        good.replace("\"U\":11,", "\"U\":13,"),
        deep,
        large,
        "\u{feff}{}".to_owned(),
        "{}".to_owned(),
        "{\"result\":null,\"id\":1}".to_owned(),
        "{\"stream\":\"abc@kline_1m\",\"data\":{\"e\":\"kline\",\"k\":{\"t\":1}}}".to_owned(),
    ];
    let found = read(BinanceSpot, &frames);
    assert_eq!((found.lines, found.ignored, found.malformed), (15, 3, 11));
    let kinds: Vec<(&str, u64)> = found
        .malformed_kinds
        .iter()
        .map(|(kind, count)| (*kind, *count))
        .collect();
    assert_eq!(
        kinds,
        [
            ("duplicate_field", 1),
            ("field_type", 1),
            ("ids", 1),
            ("json", 1),
            ("missing_field", 1),
            ("number", 2),
            ("sign", 2),
            ("too_deep", 1),
            ("too_large", 1),
        ]
    );
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("utf8");
    std::fs::write(&path, b"1 {\"e\":\"\xFF\"}\n").unwrap();
    assert_eq!(
        inspect(&[path], BinanceSpot)
            .unwrap()
            .malformed_kinds
            .get("not_utf8"),
        Some(&1)
    );
}

#[test]
fn wrong_recordings_are_named_with_exit_code_two() {
    let temp = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = temp.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let spot = format!("1 {}\n", spot_diff("ABC", 1, 2, "", ""));
    let usdm = format!("1 {}\n", usdm_diff(1, 2, 0, "", ""));
    let spot_quote = "7 {\"stream\":\"abc@bookTicker\",\"data\":{\"u\":1,\"s\":\"ABC\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}}\n";
    let rows = [
        (
            "spot",
            spot.as_bytes().to_vec(),
            BinanceUsdm,
            "line 1: a recording of binance_spot, not of binance_usdm",
        ),
        (
            "quote",
            spot_quote.into(),
            BinanceUsdm,
            "line 1: a recording of binance_spot, not of binance_usdm",
        ),
        (
            "usdm",
            usdm.as_bytes().to_vec(),
            BinanceSpot,
            "line 1: a recording of binance futures, not of binance_spot",
        ),
        (
            "coinm",
            usdm.as_bytes().to_vec(),
            BinanceCoinm,
            "line 1: a recording of binance_usdm, not of binance_coinm",
        ),
        (
            "kraken",
            b"1 [325,{\"as\":[]},\"book-1000\",\"ADA/XBT\"]\n".to_vec(),
            BinanceSpot,
            "line 1: a recording of kraken",
        ),
        (
            "bybit",
            b"1 {\"topic\":\"orderbook.1.BTCUSDT\",\"data\":{}}\n".to_vec(),
            BinanceSpot,
            "a recording of bybit",
        ),
        (
            "okx",
            b"1 {\"arg\":{\"channel\":\"books\"},\"data\":[]}\n".to_vec(),
            BinanceUsdm,
            "a recording of okx",
        ),
        (
            "text",
            b"Hello\n".to_vec(),
            BinanceSpot,
            "line 1: not a recording",
        ),
        (
            "cut",
            spot.as_bytes()[..spot.len() - 9].to_vec(),
            BinanceSpot,
            "line 1: the file is cut off here",
        ),
        (
            "empty",
            Vec::new(),
            BinanceSpot,
            "not a recording: it is empty",
        ),
        (
            "binary",
            vec![0, 159, 146, 150],
            BinanceSpot,
            "neither gzip nor zstd nor text",
        ),
    ];
    for (name, bytes, venue, expected) in rows {
        let path = file(name, &bytes);
        let error = inspect(std::slice::from_ref(&path), venue).unwrap_err();
        assert_eq!(error.code, 2, "{name}");
        assert!(
            error.message.contains(expected),
            "{name}: {}",
            error.message
        );
        assert!(
            error.message.contains(&path.display().to_string()),
            "{name}: {}",
            error.message
        );
    }
    let missing = inspect(&[temp.path().join("missing")], BinanceSpot).unwrap_err();
    assert!(missing.code == 2 && missing.message.contains("cannot be opened"));
}

#[test]
fn recordings_of_other_venues_are_refused() {
    let Some(dir) = data::data_dir() else { return };
    let recordings = dir.join("recordings");
    for (file, venue) in [
        ("binance_usdm_btcusdt_20240808.gz", BinanceSpot),
        ("binance_cm_btcusd_perp_20240808.gz", BinanceSpot),
        ("binance_spot_btcusdt_20240808.gz", BinanceUsdm),
        ("binance_usdm_ethusdt_20240808.gz", BinanceCoinm),
        ("cryptofeed/KRAKEN.ws.50.0.gz", BinanceSpot),
        ("cryptofeed/OKX.ws.1.0.gz", BinanceUsdm),
        ("cryptofeed/COINBASE.ws.28.0.gz", BinanceSpot),
        ("cryptofeed/BYBIT.ws.26.0.gz", BinanceCoinm),
        ("cryptofeed/BINANCE.ws.1.0.gz", BinanceUsdm),
        ("cryptofeed/BINANCE_FUTURES.ws.1.0.gz", BinanceSpot),
    ] {
        let error = inspect(&[recordings.join(file)], venue).unwrap_err();
        assert!(
            error.code == 2 && error.message.contains("line 1: a recording of"),
            "{file}: {}",
            error.message
        );
    }
    // COIN-M in USD-M's form is welcome as such.
    assert!(
        inspect(&[recordings.join(KNOWN[4].file)], BinanceUsdm)
            .unwrap()
            .books[0]
            .trusted
    );
}

#[test]
fn the_json_has_the_promised_fields() {
    let found = read(
        BinanceSpot,
        &[snapshot(10), spot_diff("ABC", 11, 12, "", "")],
    );
    let json = serde_json::to_value(&found).unwrap();
    for field in [
        "lines",
        "frames",
        "ignored",
        "malformed",
        "first_time",
        "last_time",
        "books",
        "trades",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
    let book = &json["books"][0];
    for field in [
        "symbol",
        "gaps",
        "updates_applied",
        "trusted",
        "bid_levels",
        "ask_levels",
        "bid",
        "ask",
        "top20_sha256",
    ] {
        assert!(book.get(field).is_some(), "{field}");
    }
    assert_eq!(book["bid"], serde_json::json!([["10", "1"]]));
    let trade = "{\"stream\":\"abc@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"ABC\",\"t\":7,\"p\":\"10\",\"q\":\"0.5\",\"T\":1,\"m\":true}}";
    let skipped = trade.replace("\"t\":7", "\"t\":9");
    let json = serde_json::to_value(read(BinanceSpot, &[trade.to_owned(), skipped])).unwrap();
    assert_eq!(
        json["trades"][0],
        serde_json::json!({"symbol": "ABC", "count": 2, "first_id": 7, "last_id": 9, "gaps": 1,
            "quantity_sum": "1", "quote_sum": "10", "buyer_is_maker": 2})
    );
}
