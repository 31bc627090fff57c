//! One venue with any spot pairs, books filled by hand, an account, and a triangular strategy over them.

use std::sync::Arc;

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use arbalest::strategy::{
    CommonParams, CycleChoice, EdgeSeen, Evaluation, FeeTaken, Inventory, Pass, SizeSearch,
    Strategy, Triangular, TriangularParams,
};
use arbalest::trade::{Balance, Intent, Leg, SendOrder, StrategyId, VenueFacts};
use arbalest::units::{Asset, Grid, Money, MonoNanos, Nanos, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

pub(crate) const T0: MonoNanos = MonoNanos(10_000_000_000_000);
pub(crate) const VENUE: VenueId = VenueId(0);

pub(crate) fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A spot pair with the given decimals of price and quantity; tick and lot are one step.
pub(crate) fn pair(id: u16, symbol: &str, price_decimals: u8, qty_decimals: u8) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VENUE,
        symbol: symbol.parse().unwrap(),
        native: symbol.replace('/', ""),
        grid: Grid::new(price_decimals, qty_decimals).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: false,
        price_band: None,
    }
}

pub(crate) fn params(instruments: usize) -> TriangularParams {
    TriangularParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "tri".to_owned(),
            min_net_edge: Ppm(600),
            max_net_edge: Ppm(100_000),
            confirm_updates: 1,
            max_book_take: Ppm::ONE,
            max_book_age: Nanos::from_millis(50),
            max_leg_skew: Nanos::from_millis(25),
            cooldown: Nanos::from_millis(250),
            max_sets_per_min: 30,
            max_open_sets: 1,
            limit_cushion: Ppm(200),
            leg_timeout: Nanos::from_millis(300),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        venue: VENUE,
        taker_fees: vec![Ppm(1_000); instruments],
        fee_taken: FeeTaken::FromReceived,
        start_assets: vec![asset("USDT")],
        cycles: CycleChoice::Discover {
            assets_allow: Vec::new(),
            assets_deny: Vec::new(),
        },
        max_cycle_legs: 3,
        start_min: Money(Decimal::ONE),
        start_max: Money(Decimal::from(10_000)),
        size_search: SizeSearch::Bisect,
        execution: SendOrder::Sequential,
        protective_limit: Ppm(2_000),
        asset_caps: Vec::new(),
    }
}

/// Levels of one side, price and quantity in steps, best first.
pub(crate) type Levels = Vec<(i64, i64)>;

pub(crate) struct Scene {
    pub(crate) catalogue: Catalogue,
    pub(crate) books: Books,
    pub(crate) strategy: Triangular,
    pub(crate) balances: Vec<(Asset, Balance)>,
    pub(crate) size_factor: Ppm,
    pub(crate) unsettled: Vec<bool>,
    pub(crate) edges: Vec<EdgeSeen>,
    update_id: u64,
}

impl Scene {
    pub(crate) fn new(instruments: Vec<Instrument>, params: TriangularParams) -> Self {
        let count = instruments.len();
        let catalogue = Catalogue::new(vec!["v0".to_owned()], instruments).unwrap();
        let strategy = Triangular::new(params, &catalogue).unwrap();
        Self {
            books: Books::new(&catalogue),
            catalogue,
            strategy,
            balances: Vec::new(),
            size_factor: Ppm::ONE,
            unsettled: vec![false; count],
            edges: Vec::new(),
            update_id: 0,
        }
    }

    /// Vector V32: BTC/USDT at 60,000, ETH/BTC at 0.05, ETH/USDT at 3,015, plenty of each.
    pub(crate) fn v32(params: TriangularParams) -> Self {
        let pairs = vec![
            pair(0, "BTC/USDT", 2, 5),
            pair(1, "ETH/BTC", 5, 4),
            pair(2, "ETH/USDT", 2, 4),
        ];
        let mut scene = Self::new(pairs, params);
        scene.fund("USDT", "20000");
        scene.show_v32(T0);
        scene
    }
    pub(crate) fn show_v32(&mut self, at: MonoNanos) {
        self.show(0, &[(5_999_000, 500_000)], &[(6_000_000, 500_000)], at);
        self.show(1, &[(4_990, 500_000)], &[(5_000, 500_000)], at);
        self.show(2, &[(301_500, 500_000)], &[(301_600, 500_000)], at);
    }

    pub(crate) fn fund(&mut self, code: &str, free: &str) {
        let balance = Balance {
            free: decimal(free),
            locked: Decimal::ZERO,
        };
        self.balances.retain(|(known, _)| *known != asset(code));
        self.balances.push((asset(code), balance));
    }

    /// Replaces a book, trusted as of `at`, and lets the strategy know without looking at its answer.
    pub(crate) fn show(
        &mut self,
        id: u16,
        bids: &[(i64, i64)],
        asks: &[(i64, i64)],
        at: MonoNanos,
    ) {
        self.update_id += 1;
        let update_id = self.update_id;
        let book = self.books.get_mut(InstrumentId(id)).unwrap();
        let mut apply = |kind, flags| {
            book.apply(&MarketEvent {
                received_at: at,
                kind,
                decode_nanos: 0,
                instrument: InstrumentId(id),
                flags,
            });
        };
        apply(EventKind::Clear, 0);
        for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for (price, qty) in levels {
                let (price, qty) = (Price(*price), Qty(*qty));
                apply(
                    EventKind::Level {
                        side,
                        price,
                        qty,
                        update_id,
                    },
                    0,
                );
            }
        }
        apply(EventKind::Synced { update_id }, END_OF_BATCH);
        book.finish_batch(at, true);
    }

    /// The strategy looks at a changed instrument.
    pub(crate) fn look_at(&mut self, id: u16, now: MonoNanos) -> Evaluation {
        let count = self.catalogue.all().len();
        let facts = VenueFacts {
            balances: self.balances.clone(),
            ..VenueFacts::unheard(VENUE)
        };
        let inventory = Inventory {
            positions: &vec![Qty::ZERO; count],
            available: &vec![Qty::ZERO; count],
            size_factors: &vec![Ppm::ONE; count],
            size_factor: self.size_factor,
            costs: &[],
            margins: &[],
            unsettled: &self.unsettled.clone(),
            venues: &[Some(Arc::new(facts))],
        };
        self.edges.clear();
        self.strategy.on_batch(
            InstrumentId(id),
            &self.books,
            &inventory,
            now,
            &mut self.edges,
        )
    }

    /// Looks once at every instrument; the last answer that is not nothing.
    pub(crate) fn look(&mut self, now: MonoNanos) -> Evaluation {
        let mut last = Evaluation::Nothing;
        for id in 0..u16::try_from(self.catalogue.all().len()).unwrap() {
            let answer = self.look_at(id, now);
            if answer != Evaluation::Nothing {
                last = answer;
            }
        }
        last
    }

    /// Makes every log follow its book, by looks at books too old to trade on.
    pub(crate) fn warm(&mut self) {
        let late = T0.after(Nanos::from_secs(1));
        assert_eq!(self.look(late), Evaluation::Nothing);
    }
}

pub(crate) fn taken(evaluation: Evaluation) -> Intent {
    match evaluation {
        Evaluation::Taken(intent) => intent,
        other @ (Evaluation::Refused { .. } | Evaluation::Nothing) => {
            panic!("not taken: {other:?}")
        }
    }
}

pub(crate) fn refusal(evaluation: Evaluation) -> Pass {
    match evaluation {
        Evaluation::Refused { reason, .. } => reason,
        other @ (Evaluation::Taken(_) | Evaluation::Nothing) => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn legs(intent: &Intent) -> Vec<Leg> {
    intent.legs().copied().collect()
}
