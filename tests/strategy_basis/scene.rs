//! A pair on two books, and what is held of it.

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{Books, Catalogue, EventKind, Instrument, InstrumentId, MarketEvent};
use arbalest::strategy::{
    BasisDirection, BasisParams, CommonParams, EdgeSeen, Evaluation, ExitStyle, Inventory,
    MarginRoom, Pass, SpotPerpBasis, Strategy,
};
use arbalest::trade::{Intent, Leg, StrategyId};
use arbalest::units::{Money, MonoNanos, Nanos, Ppm, Price, Qty};
use rust_decimal::Decimal;

use super::small_market::{catalogue, instrument, set_book};

pub(crate) const T0: MonoNanos = MonoNanos(1_000_000_000_000_000);
pub(crate) const HOUR: Nanos = Nanos::from_secs(3_600);
pub(crate) const SPOT: InstrumentId = InstrumentId(0);
pub(crate) const PERP: InstrumentId = InstrumentId(1);

pub(crate) fn money(text: &str) -> Money {
    Money(text.parse().unwrap())
}

pub(crate) fn params() -> BasisParams {
    BasisParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "carry".to_owned(),
            min_net_edge: Ppm(0),
            max_net_edge: Ppm::from_bps(150),
            confirm_updates: 1,
            max_book_take: Ppm(250_000),
            max_book_age: Nanos::from_millis(250),
            max_leg_skew: Nanos::from_millis(100),
            cooldown: Nanos::from_millis(250),
            max_sets_per_min: 30,
            max_open_sets: 1,
            limit_cushion: Ppm::from_bps(2),
            leg_timeout: Nanos::from_millis(500),
            max_unwind_cost: Ppm::from_bps(30),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        spot: SPOT,
        perp: PERP,
        spot_fee: Ppm::from_bps(10),
        perp_fee: Ppm::from_bps(4),
        direction: BasisDirection::ShortPerp,
        entry_basis: Ppm::from_bps(20),
        exit_basis: Ppm::from_bps(5),
        min_net_carry_per_day: Ppm::from_bps(3),
        carry_horizon: Nanos(72 * HOUR.0),
        min_funding_8h_ppb: 100_000,
        funding_flip_exit: true,
        funding_interval: Nanos(8 * HOUR.0),
        no_entry_before_funding: Nanos::from_secs(30),
        max_hold: Nanos(336 * HOUR.0),
        leverage: 2,
        min_liq_distance: Ppm::from_bps(2_000),
        slice: money("200"),
        max_position: money("5000"),
        slice_interval: Nanos::from_secs(1),
        delta_band: Ppm::from_bps(50),
        exit_style: ExitStyle::PairSlices,
    }
}

/// What is held, owned.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) positions: Vec<Qty>,
    pub(crate) available: Vec<Qty>,
    pub(crate) costs: Vec<Money>,
    pub(crate) margins: Vec<Option<MarginRoom>>,
    pub(crate) unsettled: Vec<bool>,
    pub(crate) factor: Ppm,
}

impl Held {
    pub(crate) fn new(spot: i64, perp: i64) -> Self {
        Self {
            positions: vec![Qty(spot), Qty(perp)],
            available: vec![Qty(1_000_000), Qty(0)],
            costs: vec![Money::ZERO; 2],
            margins: vec![None, MarginRoom::new(money("100000"), money("100"))],
            unsettled: vec![false; 2],
            factor: Ppm::ONE,
        }
    }
    pub(crate) fn inventory(&self) -> Inventory<'_> {
        Inventory {
            positions: &self.positions,
            available: &self.available,
            size_factors: &[Ppm::ONE; 2],
            size_factor: self.factor,
            costs: &self.costs,
            margins: &self.margins,
            unsettled: &self.unsettled,
            venues: &[],
        }
    }
}

pub(crate) struct Scene {
    pub(crate) books: Books,
    pub(crate) strategy: SpotPerpBasis,
    pub(crate) held: Held,
    pub(crate) seen: Vec<EdgeSeen>,
}

impl Scene {
    pub(crate) fn of(catalogue: &Catalogue, params: BasisParams) -> Self {
        Self {
            books: Books::new(catalogue),
            strategy: SpotPerpBasis::new(params, catalogue).unwrap(),
            held: Held::new(0, 0),
            seen: Vec::new(),
        }
    }
    /// Spot 59,999 / 60,000, perpetual 60,180 / 60,181, one coin at each price, funding 3 bps in two hours.
    pub(crate) fn new(params: BasisParams) -> Self {
        let mut scene = Self::of(&small(), params);
        scene.spot(5_999_900, 6_000_000, T0);
        scene.perp(6_018_000, 6_018_100, T0);
        scene.fund(300_000, Some(T0.after(Nanos(2 * HOUR.0))), T0);
        scene
    }
    pub(crate) fn spot(&mut self, bid: i64, ask: i64, at: MonoNanos) {
        set_book(&mut self.books, 0, &[(bid, 10_000)], &[(ask, 10_000)], at);
    }
    pub(crate) fn perp(&mut self, bid: i64, ask: i64, at: MonoNanos) {
        set_book(&mut self.books, 1, &[(bid, 10_000)], &[(ask, 10_000)], at);
    }
    pub(crate) fn fund(&mut self, rate_ppb: i64, next: Option<MonoNanos>, at: MonoNanos) {
        let price = self
            .books
            .get(PERP)
            .unwrap()
            .top()
            .map_or(Price(1), |top| top.bid.price);
        self.books.get_mut(PERP).unwrap().apply(&MarketEvent {
            received_at: at,
            kind: EventKind::Mark {
                price,
                funding_ppb: rate_ppb,
                next_funding_at: next,
            },
            decode_nanos: 0,
            instrument: PERP,
            flags: END_OF_BATCH,
        });
    }
    /// The same market, heard again at `now`.
    pub(crate) fn again(&mut self, now: MonoNanos) {
        for id in [SPOT, PERP] {
            self.books.get_mut(id).unwrap().finish_batch(now, true);
        }
        let told = self.books.get(PERP).unwrap().funding().unwrap();
        self.fund(told.rate_ppb, told.next_at, now);
    }
    pub(crate) fn look(&mut self, now: MonoNanos) -> Evaluation {
        let inventory = self.held.inventory();
        self.strategy
            .on_batch(PERP, &self.books, &inventory, now, &mut self.seen)
    }
    pub(crate) fn taken(&mut self, now: MonoNanos) -> Intent {
        match self.look(now) {
            Evaluation::Taken(intent) => intent,
            other @ (Evaluation::Refused { .. } | Evaluation::Nothing) => {
                panic!("not taken: {other:?}")
            }
        }
    }
    pub(crate) fn refusal(&mut self, now: MonoNanos) -> Pass {
        match self.look(now) {
            Evaluation::Refused { reason, .. } => reason,
            other @ (Evaluation::Taken(_) | Evaluation::Nothing) => {
                panic!("not refused: {other:?}")
            }
        }
    }
}

pub(crate) fn legs(intent: &Intent) -> Vec<Leg> {
    intent.legs().copied().collect()
}

pub(crate) fn small() -> Catalogue {
    catalogue(vec![instrument(0, false), instrument(1, true)])
}

/// Spot of one venue against an inverse perpetual of another: 100 USD a contract.
pub(crate) fn inverse() -> Catalogue {
    let perp = Instrument {
        symbol: "BTC/USD:BTC".parse().unwrap(),
        grid: arbalest::units::Grid::new(1, 0).unwrap(),
        multiplier: Decimal::from(100),
        ..instrument(1, true)
    };
    let spot = Instrument {
        grid: arbalest::units::Grid::new(2, 8).unwrap(),
        ..instrument(0, false)
    };
    catalogue(vec![spot, perp])
}
