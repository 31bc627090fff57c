//! `arbalest inspect --against`: how often two recorded streams of best quotes stood far enough apart.
//!
//! The `cross_exchange` strategy itself looks, without fees, at both streams merged by receive time: what it would call an
//! edge is counted. After each quote, once both sides are known, either direction is looked at with the last quote of each.
//! Prices are compared as written: a COIN-M contract counts US dollars where its neighbour counts a stablecoin.

use std::path::PathBuf;

use serde::Serialize;

use crate::exchanges::decode::Decoder;
use crate::exchanges::frame::{Message, QuoteMessage};
use crate::market::event::END_OF_BATCH;
use crate::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use crate::sim::recording::{LineKind, Recording};
use crate::strategy::{
    CommonParams, CrossVenue, CrossVenueParams, EdgeEnd, EdgeSeen, Evaluation, Inventory, LegOrder,
    Strategy,
};
use crate::trade::StrategyId;
use crate::units::{Grid, Money, MonoNanos, Nanos, Notional, Ppm, Price, Qty};

use super::report::aligned;
use super::{CliError, InspectVenue, origin};

/// Minimum edges counted, in basis points.
const LEVELS_BPS: [i64; 4] = [0, 1, 2, 5];

/// A file of one instrument, and the venue it is of.
pub type Stream = (PathBuf, InspectVenue);

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeReport {
    /// The two streams as `venue:SYMBOL`.
    pub streams: [String; 2],
    /// Quotes after which both sides were known.
    pub events: u64,
    /// One a direction and minimum.
    pub edges: Vec<EdgeCount>,
}

/// One direction at one minimum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeCount {
    /// Where it is bought.
    pub buy: String,
    /// Where it is sold.
    pub sell: String,
    /// Least edge before fees, in basis points of the price paid.
    pub min_bps: i64,
    /// Quotes after which the edge was at least that.
    pub events: u64,
    /// Those whose bid was above the ask; fewer than `events` only at a minimum of zero.
    pub above_par: u64,
    /// Unbroken runs of such quotes.
    pub episodes: u64,
}

/// One minimum, counted by a strategy of its own.
#[derive(Debug)]
struct Counter {
    min_bps: i64,
    strategy: CrossVenue,
    /// By direction: buy at the first, buy at the second.
    counts: [Tally; 2],
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    events: u64,
    above_par: u64,
    episodes: u64,
    is_open: bool,
}

/// Counts the edges between two recordings of one instrument each.
///
/// # Errors
/// [`CliError`] with exit code 2 when a file cannot be read to its end, or holds several instruments.
pub fn edges(first: &Stream, second: &Stream) -> Result<EdgeReport, CliError> {
    let streams = [first, second];
    let catalogue = pair().ok_or_else(|| CliError::usage("the two streams are one"))?;
    let mut books = Books::new(&catalogue);
    for id in [InstrumentId(0), InstrumentId(1)] {
        apply(&mut books, id, EventKind::Clear, MonoNanos(0));
        let synced = EventKind::Synced { update_id: 0 };
        apply(&mut books, id, synced, MonoNanos(0));
    }
    let mut counters = Vec::with_capacity(LEVELS_BPS.len());
    for min_bps in LEVELS_BPS {
        counters.push(Counter {
            min_bps,
            strategy: CrossVenue::new(open_params(min_bps), &catalogue)
                .map_err(|error| CliError::usage(error.to_string()))?,
            counts: [Tally::default(); 2],
        });
    }
    let mut decoders = streams.map(|(_, venue)| Decoder::new(venue.dialect()));
    let mut recording = Recording::open(&streams.map(|(path, _)| path))
        .map_err(|error| CliError::usage(error.to_string()))?;
    let mut events = 0;
    while let Some(line) = recording
        .next_line()
        .map_err(|error| CliError::usage(error.to_string()))?
    {
        // The same file twice is told apart by nothing: the first takes it all, and nothing is counted.
        let which = usize::from(line.file != streams[0].0.as_path());
        let (Some((_, venue)), Some(decoder)) = (streams.get(which), decoders.get_mut(which))
        else {
            continue;
        };
        if line.kind != LineKind::Frame || line.is_cut {
            continue;
        }
        let Some(quote) = read_quote(decoder, line.bytes, *venue)? else {
            continue;
        };
        let Ok(at) = u64::try_from(line.time.0).map(MonoNanos) else {
            continue;
        };
        let id = InstrumentId(u16::from(which == 1));
        show(&mut books, id, &quote, at);
        events += u64::from(count(&mut counters, &books, id, at));
    }
    let names = [0, 1].map(|which: usize| {
        let label = streams.get(which).map_or("?", |(_, venue)| venue.label());
        let symbol = decoders.get(which).and_then(|one| one.table().native(0));
        format!("{label}:{}", symbol.unwrap_or("?"))
    });
    Ok(report(names, events, &counters))
}

/// The quote of a frame, if it is one.
fn read_quote(
    decoder: &mut Decoder,
    bytes: &[u8],
    venue: InspectVenue,
) -> Result<Option<QuoteMessage>, CliError> {
    let mut decoded = decoder.decode(bytes);
    if let Ok(Message::UnknownSymbol { symbol, .. }) = decoded {
        if let Some(found) = origin::foreign_symbol(symbol, venue) {
            let own = venue.label();
            return Err(CliError::usage(format!(
                "a recording of {found}, not of {own}"
            )));
        }
        if decoder.table().native(0).is_some() {
            return Err(CliError::usage(format!(
                "{}: more than one instrument: edges are counted between two",
                venue.label()
            )));
        }
        decoder.insert(symbol, Grid::FINEST);
        decoded = decoder.decode(bytes);
    }
    Ok(match decoded {
        Ok(Message::Quote(quote)) => Some(quote),
        Ok(_) | Err(_) => None,
    })
}

/// Lets every strategy look; true when both sides are known.
fn count(counters: &mut [Counter], books: &Books, changed: InstrumentId, now: MonoNanos) -> bool {
    let top = |id: u16| books.trusted_top(InstrumentId(id), now, Nanos(u64::MAX));
    let (Some(first), Some(second)) = (top(0), top(1)) else {
        return false;
    };
    let above_par = [
        second.bid.price > first.ask.price,
        first.bid.price > second.ask.price,
    ];
    let mut seen: Vec<EdgeSeen> = Vec::with_capacity(4);
    for counter in counters {
        seen.clear();
        let strategy = &mut counter.strategy;
        if let Evaluation::Taken(_) =
            strategy.on_batch(changed, books, &NOTHING_HELD, now, &mut seen)
        {
            strategy.on_set_refused();
        }
        for ((tally, id), above) in counter.counts.iter_mut().zip([0, 1]).zip(above_par) {
            let is_edge = seen.iter().any(|edge| {
                let buys_here = strategy
                    .route(edge.route)
                    .and_then(|(route, _)| route.legs().next())
                    .is_some_and(|(instrument, _)| instrument == InstrumentId(id));
                buys_here && !matches!(edge.end, EdgeEnd::Gone(_))
            });
            tally.events += u64::from(is_edge);
            tally.above_par += u64::from(is_edge && above);
            tally.episodes += u64::from(is_edge && !tally.is_open);
            tally.is_open = is_edge;
        }
    }
    true
}

fn report(streams: [String; 2], events: u64, counters: &[Counter]) -> EdgeReport {
    let mut edges = Vec::new();
    let [first, second] = &streams;
    for (direction, (buy, sell)) in [(first, second), (second, first)].into_iter().enumerate() {
        for counter in counters {
            let tally = counter.counts.get(direction).copied().unwrap_or_default();
            edges.push(EdgeCount {
                buy: buy.clone(),
                sell: sell.clone(),
                min_bps: counter.min_bps,
                events: tally.events,
                above_par: tally.above_par,
                episodes: tally.episodes,
            });
        }
    }
    EdgeReport {
        streams,
        events,
        edges,
    }
}

impl EdgeReport {
    /// The counts for people.
    #[must_use]
    pub fn table(&self) -> String {
        let [first, second] = &self.streams;
        let mut out = vec![
            format!("streams  {first} and {second}"),
            format!("quotes   {} with both sides known", self.events),
            String::new(),
        ];
        let header = ["sell", "buy", "min bps", "quotes", "above par", "episodes"];
        let mut rows = vec![header.map(str::to_owned)];
        rows.extend(self.edges.iter().map(|edge| {
            [
                edge.sell.clone(),
                edge.buy.clone(),
                edge.min_bps.to_string(),
                edge.events.to_string(),
                edge.above_par.to_string(),
                edge.episodes.to_string(),
            ]
        }));
        out.extend(aligned(&rows));
        out.join("\n")
    }
}

const NO_POSITIONS: [Qty; 2] = [Qty(0); 2];
const FULL_SIZE: [Ppm; 2] = [Ppm::ONE; 2];
const NOTHING_HELD: Inventory<'static> = Inventory {
    positions: &NO_POSITIONS,
    available: &NO_POSITIONS,
    size_factors: &FULL_SIZE,
    size_factor: Ppm::ONE,
    costs: &[Money::ZERO; 2],
    margins: &[None, None],
    unsettled: &[false, false],
    venues: &[],
};

/// Both streams as perpetuals of one pair at two venues, so that either side may be sold.
fn pair() -> Option<Catalogue> {
    let symbol = "BTC/USDT:USDT".parse().ok()?;
    let instrument = |id: u8| Instrument {
        id: InstrumentId(u16::from(id)),
        venue: VenueId(id),
        symbol,
        native: String::new(),
        grid: Grid::FINEST,
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: rust_decimal::Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: rust_decimal::Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: true,
        price_band: None,
    };
    let names = ["first", "second"].map(str::to_owned).to_vec();
    Catalogue::new(names, vec![instrument(0), instrument(1)])
}

/// No fees, no bounds: only the minimum edge decides.
fn open_params(min_bps: i64) -> CrossVenueParams {
    CrossVenueParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "edges".to_owned(),
            min_net_edge: Ppm::from_bps(min_bps),
            max_net_edge: Ppm(i64::MAX),
            confirm_updates: 1,
            max_book_take: Ppm::ONE,
            max_book_age: Nanos(u64::MAX),
            max_leg_skew: Nanos(u64::MAX),
            cooldown: Nanos::ZERO,
            max_sets_per_min: u32::MAX,
            max_open_sets: u32::MAX,
            limit_cushion: Ppm(0),
            leg_timeout: Nanos::from_secs(1),
            max_unwind_cost: Ppm(0),
            max_broken_sets: u32::MAX,
            depth_levels: 1,
            blackout: Vec::new(),
        },
        instruments: vec![InstrumentId(0), InstrumentId(1)],
        taker_fees: vec![Ppm(0); 2],
        maker_fees: Vec::new(),
        fee_assets: Vec::new(),
        conversions: Vec::new(),
        max_quote_depeg: Ppm(0),
        routes_deny: Vec::new(),
        leg_order: LegOrder::Together,
        inventory: None,
        min_runway_sets: 0,
        min_order_notional: Notional(0),
        max_order_notional: Notional(i128::MAX),
        max_inventory_notional: Notional(i128::MAX),
    }
}

fn show(books: &mut Books, id: InstrumentId, quote: &QuoteMessage, at: MonoNanos) {
    let kind = EventKind::Quote {
        bid_price: quote.bid.price,
        bid_qty: quote.bid.qty,
        ask_price: quote.ask.price,
        ask_qty: quote.ask.qty,
        update_id: quote.update_id,
    };
    apply(books, id, kind, at);
}

fn apply(books: &mut Books, instrument: InstrumentId, kind: EventKind, at: MonoNanos) {
    if let Some(book) = books.get_mut(instrument) {
        book.apply(&MarketEvent {
            received_at: at,
            kind,
            decode_nanos: 0,
            instrument,
            flags: END_OF_BATCH,
        });
        book.finish_batch(at, true);
    }
}
