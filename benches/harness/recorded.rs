//! The recordings as the benches need them: which files, their grids, their lines and depth messages in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    reason = "a bench"
)]

use std::path::PathBuf;

use arbalest::sim::recording::Recording;
use arbalest::units::{Grid, Price, Qty};
use serde_json::Value;

/// The recordings the targets speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    SpotBtc,
    UsdmBtc,
    SpotEth,
    UsdmEth,
}

impl Source {
    pub const ALL: [Self; 4] = [Self::SpotBtc, Self::UsdmBtc, Self::SpotEth, Self::UsdmEth];

    pub fn label(self) -> &'static str {
        match self {
            Self::SpotBtc => "recorded spot BTC",
            Self::UsdmBtc => "recorded USD-M BTC",
            Self::SpotEth => "recorded spot ETH",
            Self::UsdmEth => "recorded USD-M ETH",
        }
    }

    pub fn path(self) -> Option<PathBuf> {
        let name = match self {
            Self::SpotBtc => "binance_spot_btcusdt_20240808.gz",
            Self::UsdmBtc => "binance_usdm_btcusdt_20240808.gz",
            Self::SpotEth => "binance_spot_ethusdt_20240808.gz",
            Self::UsdmEth => "binance_usdm_ethusdt_20240808.gz",
        };
        data_dir()
            .map(|folder| folder.join("recordings").join(name))
            .filter(|path| path.is_file())
    }

    pub fn native(self) -> &'static str {
        match self {
            Self::SpotBtc | Self::UsdmBtc => "BTCUSDT",
            Self::SpotEth | Self::UsdmEth => "ETHUSDT",
        }
    }

    pub fn is_spot(self) -> bool {
        matches!(self, Self::SpotBtc | Self::SpotEth)
    }

    /// The grid both venues share, and this venue's tick on it. Eight decimals of quantity: the spot books hold a few
    /// old levels finer than today's lot size.
    pub fn grid(self) -> (Grid, i64) {
        (
            Grid::new(2, 8).unwrap(),
            if self == Self::UsdmBtc { 10 } else { 1 },
        )
    }
}

/// Where the recordings are, if they are there.
pub fn data_dir() -> Option<PathBuf> {
    super::data_dir().filter(|folder| folder.join("recordings").is_dir())
}

/// One recorded line.
#[derive(Debug)]
pub struct Line {
    /// Receive time, nanoseconds since 1970.
    pub time: i64,
    /// Index in the list of sources.
    pub source: usize,
    pub bytes: Vec<u8>,
}

/// The lines of some recordings, merged by receive time; at equal times the first named comes first.
pub fn lines(sources: &[Source]) -> Option<Vec<Line>> {
    let paths: Vec<PathBuf> = sources
        .iter()
        .map(|source| source.path())
        .collect::<Option<_>>()?;
    let mut recording = Recording::open(&paths).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = recording.next_line().unwrap() {
        let source = paths.iter().position(|path| path == line.file).unwrap();
        lines.push(Line {
            time: line.time.0,
            source,
            bytes: line.bytes.to_vec(),
        });
    }
    Some(lines)
}

/// The levels of one depth message.
#[derive(Debug, Default)]
pub struct DepthMessage {
    pub bids: Vec<(Price, Qty)>,
    pub asks: Vec<(Price, Qty)>,
}

fn levels(value: &Value, grid: Grid) -> Vec<(Price, Qty)> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|level| {
            let text = |index: usize| level[index].as_str().unwrap().as_bytes();
            (
                grid.parse_price(text(0)).unwrap(),
                grid.parse_qty(text(1)).unwrap(),
            )
        })
        .collect()
}

/// The snapshot and every depth message after it that is newer.
pub fn depth_messages(source: Source, grid: Grid) -> Vec<DepthMessage> {
    let mut messages = Vec::new();
    let mut pending = Vec::new();
    let mut snapshot_id = None;
    for line in lines(&[source]).unwrap() {
        let frame: Value = serde_json::from_slice(&line.bytes).unwrap();
        if let Some(id) = frame["lastUpdateId"].as_u64() {
            snapshot_id = Some(id);
            messages.push(DepthMessage {
                bids: levels(&frame["bids"], grid),
                asks: levels(&frame["asks"], grid),
            });
        } else if frame["data"]["e"] == "depthUpdate" {
            let data = &frame["data"];
            pending.push((
                data["u"].as_u64().unwrap(),
                DepthMessage {
                    bids: levels(&data["b"], grid),
                    asks: levels(&data["a"], grid),
                },
            ));
        }
    }
    let snapshot_id = snapshot_id.unwrap();
    messages.extend(
        pending
            .into_iter()
            .filter(|(id, _)| *id >= snapshot_id)
            .map(|(_, message)| message),
    );
    messages
}

/// Resident memory of this process; zero where it cannot be read.
pub fn resident_bytes() -> usize {
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().nth(1)?.parse::<usize>().ok())
        .unwrap_or(0)
        * 4_096
}
