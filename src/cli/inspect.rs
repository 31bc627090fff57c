//! `arbalest inspect`: what a recording holds, and what its books come to.
//!
//! The files are one recording; the venue's decoder and book synchronisation run over it as they would live, with the
//! recorded snapshots as the HTTP answers. A book without a snapshot, or with a gap that no later snapshot heals, is not
//! trusted at the end.

mod book;
mod edges;
mod origin;
mod report;
mod run;

use std::path::PathBuf;

use crate::exchanges::Dialect;

use super::{CliError, print_json, print_text};

pub use edges::{EdgeCount, EdgeReport, Stream, edges};
pub use report::{BookReport, Inspection, TradeReport};
pub use run::inspect;

/// What a recording is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum InspectVenue {
    /// Binance Spot.
    #[value(alias = "binance")]
    BinanceSpot,
    /// Binance USD-M futures (COIN-M is read, too: one engine carries both).
    #[value(alias = "binance_futures")]
    BinanceUsdm,
    /// Binance COIN-M futures, whose market data have the form of USD-M's.
    #[value(aliases = ["binance_cm", "binance_delivery"])]
    BinanceCoinm,
}

impl InspectVenue {
    /// Name on the command line.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BinanceSpot => "binance_spot",
            Self::BinanceUsdm => "binance_usdm",
            Self::BinanceCoinm => "binance_coinm",
        }
    }
    /// The dialect that decodes it.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::BinanceSpot => Dialect::BinanceSpot,
            Self::BinanceUsdm | Self::BinanceCoinm => Dialect::BinanceUsdm,
        }
    }
}

/// Read a recording and say what is in it: frames by kind, trades, gaps, and the final books.
///
/// Several files are one recording, merged by receive time. Files are gzip, zstd or plain text; lines are
/// `<nanoseconds> <frame>` or cryptofeed's. Exit code 2 when a file is cut off, no recording, or of another venue.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  \
    arbalest inspect btcusdt.gz --venue binance_spot\n  \
    arbalest inspect BINANCE.ws.1.0.gz BINANCE.http.0.0.gz --venue binance_spot --json\n  \
    arbalest inspect spot.gz --venue binance_spot --against usdm.gz --against-venue binance_usdm")]
pub struct InspectArgs {
    /// Recording files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The venue that was recorded.
    #[arg(long, value_name = "V")]
    pub venue: InspectVenue,
    /// Count instead how often the best quotes of this other recording and of the one FILE stood 0, 1, 2 and 5 basis points
    /// apart, before fees: what the cross_exchange strategy would call an edge.
    #[arg(long, value_name = "FILE", requires = "against_venue")]
    pub against: Option<PathBuf>,
    /// The venue of that other recording.
    #[arg(long, value_name = "V", requires = "against")]
    pub against_venue: Option<InspectVenue>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// [`CliError`] with exit code 2 when the recording cannot be read to its end.
pub fn run(args: &InspectArgs) -> Result<(), CliError> {
    if let (Some(other), Some(venue)) = (&args.against, args.against_venue) {
        return run_edges(args, &(other.clone(), venue));
    }
    let inspection = inspect(&args.files, args.venue)?;
    if args.json {
        print_json(&inspection)
    } else {
        print_text(&inspection.table());
        Ok(())
    }
}

fn run_edges(args: &InspectArgs, other: &Stream) -> Result<(), CliError> {
    let [file] = args.files.as_slice() else {
        return Err(CliError::usage("--against compares with one FILE"));
    };
    if *file == other.0 {
        return Err(CliError::usage("--against names the same file"));
    }
    let report = edges(&(file.clone(), args.venue), other)?;
    if args.json {
        print_json(&report)
    } else {
        print_text(&report.table());
        Ok(())
    }
}
