//! A strategy of one's own: a type that is a [`Strategy`], put into the simulated world in place of the configured ones.
//!
//! `cargo run --example custom_strategy`
//!
//! `Twin` watches one coin at two spot venues. When the bid of one lies above the ask of the other by more than both fees and a
//! margin, it buys here and sells there, always the same quantity, one set at a time. Everything else (the gate and its limits,
//! orders, repairs, the ledger, the risk monitor) is the engine's own: a strategy cannot go around it.
//!
//! To name such a type in a configuration file it needs two things more: its parameters in `src/strategy/params.rs` and a line
//! in `strategy::build`.
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::error::Error;

use arbalest::config::Settings;
use arbalest::market::{Books, InstrumentId, Top};
use arbalest::sim::build::{model_setup, venue_setup};
use arbalest::sim::tape::{MarketModel, ModelParams};
use arbalest::sim::venue::VenueSetup;
use arbalest::sim::world::{World, world_setup};
use arbalest::strategy::edge::{gross_edge_floor, net_edge_floor};
use arbalest::strategy::{
    EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Inventory, Outcome, Route, RouteId, Strategy,
    StrategyCounters,
};
use arbalest::trade::{Intent, Leg, StrategyId};
use arbalest::units::{MonoNanos, Nanos, Ppm, Qty, Side, UnixNanos};

/// Oldest book that may be traded at.
const AGE_MAX: Nanos = Nanos::from_millis(250);

/// Buys at one venue and sells at the other.
#[derive(Debug)]
struct Twin {
    venues: [InstrumentId; 2],
    fees: [Ppm; 2],
    /// Quantity of both legs.
    qty: Qty,
    min_edge: Ppm,
    /// A set is out.
    is_busy: bool,
    is_halted: bool,
    outcomes: [Outcome; 2],
    counters: StrategyCounters,
}

impl Twin {
    /// Buys at venue `buy`, if that pays; the route's number is the venue's.
    fn try_buy_at(&mut self, buy: usize, tops: [Top; 2], now: MonoNanos) -> Option<Intent> {
        let sell = 1 - buy;
        let (ask, bid) = (tops.get(buy)?.ask, tops.get(sell)?.bid);
        let edge = net_edge_floor(
            ask.price.times(self.qty),
            *self.fees.get(buy)?,
            bid.price.times(self.qty),
            *self.fees.get(sell)?,
        )?;
        let is_enough = edge >= self.min_edge && ask.qty >= self.qty && bid.qty >= self.qty;
        if !is_enough || self.is_busy || self.is_halted {
            return None;
        }
        let leg = |instrument: &InstrumentId, side, price| Leg {
            instrument: *instrument,
            side,
            qty: self.qty,
            limit_price: price,
            decision_price: price,
        };
        let legs = [
            leg(self.venues.get(buy)?, Side::Buy, ask.price),
            leg(self.venues.get(sell)?, Side::Sell, bid.price),
        ];
        let mut intent = Intent::new(self.id(), &legs, now);
        intent.net_edge = edge;
        intent.gross_edge = gross_edge_floor(ask.price.times(self.qty), bid.price.times(self.qty))?;
        Some(intent)
    }
}

impl Strategy for Twin {
    fn id(&self) -> StrategyId {
        StrategyId(0)
    }
    fn name(&self) -> &'static str {
        "twin"
    }
    fn kind(&self) -> &'static str {
        "twin"
    }
    fn instruments(&self) -> &[InstrumentId] {
        &self.venues
    }
    fn on_batch(
        &mut self,
        _changed: InstrumentId,
        books: &Books,
        _inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        self.counters.evaluations += 1;
        // Only a trusted, fresh book is a price.
        let tops = self.venues.map(|id| books.trusted_top(id, now, AGE_MAX));
        let [Some(first), Some(second)] = tops else {
            self.counters.count_many(Outcome::StaleBook, 2);
            self.outcomes = [Outcome::StaleBook; 2];
            return Evaluation::Nothing;
        };
        for (buy, route) in [(0, RouteId(0)), (1, RouteId(1))] {
            let intent = self.try_buy_at(buy, [first, second], now);
            let outcome = intent.map_or(Outcome::BelowThreshold, |_| Outcome::Taken);
            self.counters.count(outcome);
            if let Some(last) = self.outcomes.get_mut(buy) {
                *last = outcome;
            }
            if let Some(intent) = intent {
                self.is_busy = true;
                self.counters.opportunities += 1;
                let (net_edge, gross_edge) = (intent.net_edge, intent.gross_edge);
                let end = EdgeEnd::Taken {
                    net_edge,
                    gross_edge,
                };
                edges.edge(EdgeSeen { route, end });
                return Evaluation::Taken(intent);
            }
        }
        Evaluation::Nothing
    }
    fn on_set_refused(&mut self) {
        self.is_busy = false;
    }
    fn on_set_done(&mut self) {
        self.is_busy = false;
    }
    // One broken set is enough: a person must look.
    fn on_set_broken(&mut self, _now: MonoNanos) {
        self.is_halted = true;
    }
    fn rearm(&mut self) {
        self.is_halted = false;
    }
    fn is_halted(&self) -> bool {
        self.is_halted
    }
    fn counters(&self) -> &StrategyCounters {
        &self.counters
    }
    fn route_count(&self) -> usize {
        2
    }
    fn route(&self, id: RouteId) -> Option<(Route, Outcome)> {
        let [first, second] = self.venues;
        let legs = match id.0 {
            0 => [(first, Side::Buy), (second, Side::Sell)],
            1 => [(second, Side::Buy), (first, Side::Sell)],
            _ => return None,
        };
        Some((Route::new(id, &legs), *self.outcomes.get(id.index())?))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (seed, start) = (7, UnixNanos(1_700_000_000_000_000_000));
    let settings = Settings::embedded()?;
    let venues: Vec<VenueSetup> = settings
        .venues()
        .iter()
        .map(|venue| venue_setup(venue, "key", "secret", seed))
        .collect();
    let market = model_setup(settings.venues(), &venues, ModelParams::demo(), seed, start);
    let mut setup = world_setup(&settings, venues, seed, start)?;

    // The first BTC/USDT spot instrument of two venues.
    let btc = "BTC/USDT".parse()?;
    let all = setup.hot.catalogue.all().iter();
    let mut spot = all.filter(|instrument| instrument.symbol == btc);
    let (Some(first), Some(second)) = (spot.next(), spot.next()) else {
        return Err("the embedded configuration has two spot venues".into());
    };
    let fee = |id: InstrumentId| setup.hot.taker_fees.get(id.index()).copied();
    let (Some(first_fee), Some(second_fee)) = (fee(first.id), fee(second.id)) else {
        return Err("every instrument has a fee".into());
    };
    let twin = Twin {
        venues: [first.id, second.id],
        fees: [first_fee, second_fee],
        qty: first.grid.parse_qty(b"0.01")?,
        min_edge: Ppm::from_bps(4),
        is_busy: false,
        is_halted: false,
        outcomes: [Outcome::BelowThreshold; 2],
        counters: StrategyCounters::default(),
    };
    setup.hot.strategies = vec![Box::new(twin)];
    setup.hot.may_send = vec![true];

    let report = World::new(setup)?.run(&mut MarketModel::new(&market), Nanos::from_secs(30));
    let summary = &report.summary;
    println!("sets opened     {}", summary.sets_opened);
    println!("sets hedged     {}", summary.sets_hedged);
    println!("fills           {}", summary.fills);
    println!("realized profit {} USDT", summary.realized_pnl);
    println!("still open      {} USDT", summary.unrealized_pnl);
    println!("violations      {}", report.violations.len());
    if summary.sets_hedged == 0 || !report.violations.is_empty() {
        return Err("the example trades and holds every invariant".into());
    }
    Ok(())
}
