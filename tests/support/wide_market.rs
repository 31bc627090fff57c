//! An engine over five venues and ever so many symbols, its books built, with `cross_exchange` on sixteen of the symbols.

use std::sync::Arc;

use arbalest::capacity::STRATEGIES_MAX;
use arbalest::config::Settings;
use arbalest::engine::{HotOutput, HotPath, HotSetup};
use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{
    Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use arbalest::risk::{InstrumentLimits, Limits};
use arbalest::sim::build::venue_setup;
use arbalest::sim::world::world_setup;
use arbalest::strategy::{CommonParams, CrossVenue, CrossVenueParams, LegOrder, Strategy};
use arbalest::telemetry::NoopTimer;
use arbalest::trade::StrategyId;
use arbalest::units::{Grid, MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

/// Venues of it.
pub(crate) const VENUES: usize = 5;
const MIDDLE: i64 = 100_000;

/// Symbol by symbol, each at every venue: instrument `symbol × 5 + venue`.
fn wide_catalogue(symbols: usize) -> Arc<Catalogue> {
    let instrument = |id: usize| Instrument {
        id: InstrumentId(u16::try_from(id).unwrap()),
        venue: VenueId(u8::try_from(id % VENUES).unwrap()),
        symbol: format!("C{}/USDT:USDT", id.div_euclid(VENUES))
            .parse()
            .unwrap(),
        native: format!("C{}USDT", id.div_euclid(VENUES)),
        grid: Grid::new(2, 3).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(1_000_000),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: true,
        price_band: None,
    };
    let names = (0..VENUES).map(|venue| format!("v{venue}")).collect();
    let instruments = (0..symbols * VENUES).map(instrument).collect();
    Arc::new(Catalogue::new(names, instruments).unwrap())
}

fn params(which: usize, symbol: usize) -> CrossVenueParams {
    let first = symbol * VENUES;
    let id = |id: usize| InstrumentId(u16::try_from(id).unwrap());
    CrossVenueParams {
        common: CommonParams {
            id: StrategyId(u8::try_from(which).unwrap()),
            name: format!("s{which}"),
            min_net_edge: Ppm(500),
            max_net_edge: Ppm(15_000),
            confirm_updates: 1,
            max_book_take: Ppm(250_000),
            max_book_age: Nanos(u64::MAX),
            max_leg_skew: Nanos(u64::MAX),
            cooldown: Nanos::ZERO,
            max_sets_per_min: 30,
            max_open_sets: 1,
            limit_cushion: Ppm(0),
            leg_timeout: Nanos::from_millis(500),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        instruments: (first..first + VENUES).map(id).collect(),
        taker_fees: vec![Ppm(500); VENUES],
        maker_fees: Vec::new(),
        fee_assets: Vec::new(),
        conversions: Vec::new(),
        max_quote_depeg: Ppm(0),
        routes_deny: Vec::new(),
        leg_order: LegOrder::Together,
        inventory: None,
        min_runway_sets: 0,
        min_order_notional: Notional(0),
        max_order_notional: Notional(1_000_000_000),
        max_inventory_notional: Notional(1_000_000_000),
    }
}

/// Everything of the signal seat for `symbols` symbols at each of five venues.
pub(crate) fn wide_hot_path(symbols: usize) -> HotPath {
    let settings = Settings::embedded().unwrap();
    let venues = settings.venues().iter();
    let venues = venues
        .map(|venue| venue_setup(venue, "key", "secret", 1))
        .collect();
    let start = UnixNanos(1_700_000_000_000_000_000);
    let usual = world_setup(&settings, venues, 1, start).unwrap().hot;
    let catalogue = wide_catalogue(symbols);
    let count = catalogue.all().len();
    let own = InstrumentLimits {
        order_qty_max: Qty(1_000_000),
        position_qty_max: Qty(1_000_000),
    };
    let strategies = STRATEGIES_MAX.min(symbols);
    let spread = symbols.div_euclid(strategies).max(1);
    let strategy = |which: usize| -> Box<dyn Strategy> {
        let params = params(which, which * spread);
        Box::new(CrossVenue::new(params, &catalogue).unwrap())
    };
    HotPath::new(HotSetup {
        limits: Arc::new(Limits {
            instruments: vec![Some(own); count],
            ..(*usual.limits).clone()
        }),
        strategies: (0..strategies).map(strategy).collect(),
        may_send: vec![true; strategies],
        taker_fees: vec![Ppm(500); count],
        feeds: vec![Vec::new(); VENUES],
        available_at_start: vec![Qty::ZERO; count],
        catalogue: Arc::clone(&catalogue),
        ..usual
    })
}

/// One event that ends a batch, or not.
pub(crate) fn tell(
    hot: &mut HotPath,
    instrument: usize,
    kind: EventKind,
    at: u64,
    is_last: bool,
    out: &mut HotOutput,
) {
    let event = MarketEvent {
        received_at: MonoNanos(at),
        kind,
        decode_nanos: 0,
        instrument: InstrumentId(u16::try_from(instrument).unwrap()),
        flags: if is_last { END_OF_BATCH } else { 0 },
    };
    let feed = instrument % VENUES;
    hot.on_event(feed, &event, MonoNanos(at), &mut NoopTimer, out);
}

/// A snapshot of so many levels a side for every instrument.
pub(crate) fn build_books(hot: &mut HotPath, levels: i64, out: &mut HotOutput) {
    for instrument in 0..hot.catalogue().all().len() {
        tell(hot, instrument, EventKind::Clear, 1, false, out);
        for depth in 1..=levels {
            for (side, sign) in [(Side::Buy, -1), (Side::Sell, 1)] {
                let level = EventKind::Level {
                    side,
                    price: Price(MIDDLE + sign * depth),
                    qty: Qty(depth),
                    update_id: 1,
                };
                tell(hot, instrument, level, 1, false, out);
            }
        }
        let synced = EventKind::Synced { update_id: 1 };
        tell(hot, instrument, synced, 1, true, out);
        out.marks.clear();
    }
}

/// The touch of one instrument changes a little.
pub(crate) fn touch(hot: &mut HotPath, instrument: usize, id: u64, out: &mut HotOutput) {
    let shift = i64::try_from(id % 3).unwrap();
    let quote = EventKind::Quote {
        bid_price: Price(MIDDLE - 1 - shift),
        bid_qty: Qty(1 + shift),
        ask_price: Price(MIDDLE + 1 + shift),
        ask_qty: Qty(2 + shift),
        update_id: id,
    };
    tell(hot, instrument, quote, id, true, out);
}
