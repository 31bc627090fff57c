//! The market of `arbalest venue`: recordings or the seeded model, and the symbols and funds that go with it.

use std::sync::{Arc, Mutex};

use crate::exchanges::Dialect;
use crate::market::Symbol;
use crate::sim::tape::{
    MarketModel, ModelParams, ModelSetup, RecordedSource, RecordedTape, SymbolShape, Tape,
    TapeEvent, VenueShape, recording_at, recordings_in,
};
use crate::sim::venue::{Amount, SymbolSetup, VenueSetup};
use crate::units::{Asset, Grid, Price, Qty, UnixNanos};

use super::VenueArgs;
use crate::cli::CliError;

/// Where a tape leaves the reason it broke off.
pub(super) type Failure = Arc<Mutex<Option<String>>>;

/// A recorded tape that tells its end's reason.
struct Watched {
    tape: RecordedTape,
    failure: Failure,
}

impl Tape for Watched {
    fn peek(&self) -> Option<UnixNanos> {
        self.tape.peek()
    }
    fn next(&mut self) -> Option<TapeEvent> {
        let event = self.tape.next();
        if event.is_none()
            && let (Some(error), Ok(mut slot)) = (self.tape.failure(), self.failure.lock())
        {
            *slot = Some(error.to_string());
        }
        event
    }
}

pub(super) type BoxedTape = Box<dyn Tape + Send>;

pub(super) fn from_recordings(
    args: &VenueArgs,
    failure: &Failure,
) -> Result<(Vec<SymbolSetup>, BoxedTape), CliError> {
    let mut files = Vec::new();
    for path in &args.recording {
        let named = |reason: String| CliError::usage(format!("{}: {reason}", path.display()));
        if path.is_dir() {
            let found = recordings_in(path).map_err(|error| named(error.to_string()))?;
            files.extend(
                found
                    .files
                    .into_iter()
                    .filter(|file| file.venue.label() == args.dialect.label()),
            );
            continue;
        }
        let file = recording_at(path).map_err(named)?;
        if file.venue.label() != args.dialect.label() {
            let (venue, dialect) = (file.venue.label(), args.dialect.label());
            return Err(named(format!(
                "is a recording of {venue}, not of {dialect}"
            )));
        }
        files.push(file);
    }
    let (mut setups, mut sources) = (Vec::<SymbolSetup>::new(), Vec::new());
    for file in files {
        let mut symbols = Vec::new();
        for native in &file.natives {
            let known = setups.iter().position(|setup| setup.native == *native);
            let index = if let Some(index) = known {
                index
            } else {
                let setup = SymbolSetup::from_recording(&file.path, native, args.dialect).map_err(
                    |reason| CliError::usage(format!("{}: {reason}", file.path.display())),
                )?;
                setups.push(setup);
                setups.len() - 1
            };
            symbols.push((native.clone(), index));
        }
        sources.push(RecordedSource {
            path: file.path,
            venue: 0,
            symbols,
        });
    }
    if setups.is_empty() {
        return Err(CliError::usage(format!(
            "no recording of {} was found",
            args.dialect.label()
        )));
    }
    let tape = RecordedTape::open(sources, crate::sim::tape::Pace::RECORDED)
        .map_err(|error| CliError::usage(error.to_string()))?;
    Ok((
        setups,
        Box::new(Watched {
            tape,
            failure: Arc::clone(failure),
        }),
    ))
}

pub(super) fn from_model(
    args: &VenueArgs,
    now: UnixNanos,
) -> Result<(Vec<SymbolSetup>, BoxedTape), CliError> {
    let is_spot = args.dialect == Dialect::BinanceSpot;
    let default = [String::from("BTC/USDT"), String::from("ETH/USDT")];
    let names: &[String] = if args.symbol.is_empty() {
        &default
    } else {
        &args.symbol
    };
    let (mut setups, mut shapes) = (Vec::new(), Vec::new());
    for name in names {
        let mut symbol: Symbol = name
            .parse()
            .map_err(|error| CliError::usage(format!("--symbol: {error}")))?;
        symbol.settle = if is_spot { None } else { Some(symbol.quote) };
        let (price_decimals, qty_decimals) = (2, if is_spot { 5 } else { 3 });
        let grid = Grid::new(price_decimals, qty_decimals)
            .map_err(|error| CliError::usage(error.to_string()))?;
        let tick = Price(if !is_spot && symbol.base.as_str() == "BTC" {
            10
        } else {
            1
        });
        let taker_fee = VenueSetup::new(args.dialect, Vec::new()).taker_fee;
        shapes.push(SymbolShape::usual(symbol, grid, tick, Qty(1), taker_fee));
        setups.push(SymbolSetup::new(
            symbol.base,
            symbol.quote,
            grid,
            tick,
            Qty(1),
        ));
    }
    let model = ModelSetup {
        venues: vec![VenueShape { symbols: shapes }],
        seed: args.seed,
        params: ModelParams::default(),
        start: now,
    };
    Ok((setups, Box::new(MarketModel::new(&model))))
}

/// One account with plenty of everything.
pub(super) fn funded(args: &VenueArgs, symbols: Vec<SymbolSetup>) -> VenueSetup {
    let mut setup = VenueSetup::demo(args.dialect, &args.key, &args.secret);
    let mut assets: Vec<Asset> = Vec::new();
    for symbol in &symbols {
        let both = [symbol.quote, symbol.base];
        let wanted = if args.dialect == Dialect::BinanceSpot {
            both.as_slice()
        } else {
            both.get(..1).unwrap_or_default()
        };
        assets.extend(wanted);
    }
    assets.sort_unstable();
    assets.dedup();
    let quotes: Vec<Asset> = symbols.iter().map(|symbol| symbol.quote).collect();
    if let Some(account) = setup.accounts.first_mut() {
        let units = |asset: &Asset| {
            if quotes.contains(asset) {
                1_000_000
            } else {
                1_000
            }
        };
        account.balances = assets
            .iter()
            .map(|asset| (*asset, Amount::whole(units(asset))))
            .collect();
    }
    setup.symbols = symbols;
    setup.seed = args.seed;
    setup
}
