//! How often the cross-venue strategy finds an edge on the real recordings, against an independent count.
#![expect(clippy::print_stderr, reason = "a test stops at the first surprise")]

use arbalest::cli::inspect::{InspectVenue, edges};

#[path = "support/data.rs"]
mod data;

use InspectVenue::{BinanceCoinm, BinanceSpot, BinanceUsdm};

const SPOT_BTC: (&str, InspectVenue) = ("binance_spot_btcusdt_20240808.gz", BinanceSpot);
const USDM_BTC: (&str, InspectVenue) = ("binance_usdm_btcusdt_20240808.gz", BinanceUsdm);
const COINM_BTC: (&str, InspectVenue) = ("binance_cm_btcusd_perp_20240808.gz", BinanceCoinm);
const SPOT_ETH: (&str, InspectVenue) = ("binance_spot_ethusdt_20240808.gz", BinanceSpot);
const USDM_ETH: (&str, InspectVenue) = ("binance_usdm_ethusdt_20240808.gz", BinanceUsdm);

/// One pair of recordings: quotes with both sides known, then for buying at the first and at the second stream how many were
/// above zero, and (quotes, episodes) at 0, 1, 2 and 5 bps.
struct Known {
    streams: [(&'static str, InspectVenue); 2],
    events: u64,
    above_par: [u64; 2],
    at: [[(u64, u64); 4]; 2],
}

/// "events", "> 0" and "5 bps" are the data README's; the others were counted by a script of their own with the README's rule
/// and exact integers.
const KNOWN: [Known; 4] = [
    Known {
        streams: [SPOT_BTC, USDM_BTC],
        events: 93_851,
        above_par: [100, 93_704],
        at: [
            [(100, 2), (0, 0), (0, 0), (0, 0)],
            [(93_704, 5), (93_614, 9), (93_146, 16), (3_723, 48)],
        ],
    },
    Known {
        streams: [SPOT_BTC, COINM_BTC],
        events: 46_822,
        above_par: [234, 46_400],
        at: [
            [(238, 6), (164, 4), (126, 2), (3, 1)],
            [(46_400, 21), (45_853, 27), (40_225, 82), (0, 0)],
        ],
    },
    Known {
        streams: [USDM_BTC, COINM_BTC],
        events: 84_960,
        above_par: [79_864, 3_746],
        at: [
            [(80_511, 43), (41_622, 104), (10_886, 83), (328, 10)],
            [(4_010, 34), (416, 5), (12, 1), (0, 0)],
        ],
    },
    Known {
        streams: [SPOT_ETH, USDM_ETH],
        events: 77_787,
        above_par: [0, 77_780],
        at: [
            [(0, 0), (0, 0), (0, 0), (0, 0)],
            [(77_780, 4), (77_777, 5), (77_686, 6), (12_093, 123)],
        ],
    },
];

#[test]
fn the_strategy_finds_the_known_edges_in_both_directions() {
    let Some(dir) = data::data_dir() else { return };
    for known in KNOWN {
        let [first, second] = known
            .streams
            .map(|(file, venue)| (dir.join("recordings").join(file), venue));
        let report = edges(&first, &second).unwrap();
        eprintln!("{}", report.table());
        assert_eq!(report.events, known.events, "{:?}", report.streams);
        for (direction, counts) in report.edges.chunks(4).enumerate() {
            let found: Vec<(u64, u64)> = counts
                .iter()
                .map(|count| (count.events, count.episodes))
                .collect();
            let name = format!("{:?}", counts.first().unwrap());
            assert_eq!(found, known.at.get(direction).unwrap(), "{name}");
            let bps: Vec<i64> = counts.iter().map(|count| count.min_bps).collect();
            assert_eq!(bps, [0, 1, 2, 5]);
            let [at_zero, ..] = counts else {
                unreachable!()
            };
            assert_eq!(Some(&at_zero.above_par), known.above_par.get(direction));
        }
    }
}

#[test]
fn a_recording_of_another_venue_is_named() {
    let Some(dir) = data::data_dir() else { return };
    let path = |file: &str| dir.join("recordings").join(file);
    let first = (path(COINM_BTC.0), BinanceSpot);
    let second = (path(USDM_BTC.0), BinanceUsdm);
    let error = edges(&first, &second).unwrap_err();
    assert_eq!(error.code, 2);
    assert!(
        error.message.contains("not of binance_spot"),
        "{}",
        error.message
    );
}
