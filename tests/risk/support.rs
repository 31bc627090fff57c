//! A small world for the gate and the monitor: three venues, trusted books around 60,000, generous limits.

use std::sync::Arc;

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use arbalest::risk::{
    ControlLimits, Gate, InstrumentLimits, InstrumentRisk, Limits, Parent, Permits, PreTradeLimits,
    Refusal, Repair, RiskView, SetVerdict, Verdict,
};
use arbalest::trade::{ApprovalSeq, Intent, Leg, SetId, StrategyId};
use arbalest::units::{Asset, Grid, MonoNanos, Nanos, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

pub const NORTH: InstrumentId = InstrumentId(0);
pub const SOUTH: InstrumentId = InstrumentId(1);
pub const PERP: InstrumentId = InstrumentId(2);
pub const ETHER: InstrumentId = InstrumentId(3);
pub const EURO: InstrumentId = InstrumentId(4);

/// One base unit in steps (quantities have six decimals, prices two).
pub const ONE: i64 = 1_000_000;
pub const HALF: i64 = 500_000;
/// The mid of every BTC book.
pub const MID: i64 = 6_000_000;
pub const START: MonoNanos = MonoNanos(3_600_000_000_000);

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn usdt() -> Asset {
    Asset::new("USDT").unwrap()
}

fn instrument(id: u16, venue: u8, symbol: &str, has_reduce_only: bool) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(venue),
        symbol: symbol.parse().unwrap(),
        native: symbol.replace('/', ""),
        grid: Grid::new(2, 6).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(1_000 * ONE),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(1),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only,
        price_band: None,
    }
}

pub fn instruments() -> Vec<Instrument> {
    vec![
        instrument(0, 0, "BTC/USDT", false),
        instrument(1, 1, "BTC/USDT", false),
        instrument(2, 2, "BTC/USDT:USDT", true),
        instrument(3, 0, "ETH/USDT", false),
        instrument(4, 1, "BTC/EUR", false),
    ]
}

/// Controls that never speak, for tests of something else.
pub fn wide_controls() -> ControlLimits {
    let (huge, all) = (dec("1000000000"), Ppm(1_000_000_000));
    let long = Nanos::from_secs(1_000_000);
    ControlLimits {
        symbol_loss_usd_max: huge,
        strategy_loss_max: all,
        venue_loss_max: all,
        portfolio_loss_max: all,
        drawdown_warn: all,
        drawdown_max: all,
        drawdown_flatten: all,
        leverage_max: all,
        venue_equity_max: all,
        leg_imbalance_usd_max: huge,
        asset_delta_usd_max: huge,
        var99_usd_max: huge,
        es975_usd_max: huge,
        message_age_max: long,
        book_age_max: long,
        heartbeat_age_max: long,
        acknowledge_within: long,
        price_usable: long,
        ..ControlLimits::default()
    }
}

pub fn limits() -> Limits {
    let own = InstrumentLimits {
        order_qty_max: Qty(100 * ONE),
        position_qty_max: Qty(1_000 * ONE),
    };
    let huge = dec("1000000000");
    Limits {
        instruments: vec![Some(own); 5],
        order_notional_usd_max: huge,
        notional_usd_max_symbol: huge,
        notional_usd_max_venue: huge,
        notional_usd_max_asset_net: huge,
        notional_usd_max_gross: huge,
        notional_usd_max_net: huge,
        notional_margin: Ppm(0),
        ref_price_age_max: Nanos::from_millis(1_000),
        book_crossed_max: Nanos::from_millis(100),
        spread_max: Ppm::from_bps(100),
        submit_rate_max_symbol: 200,
        submit_rate_max_venue: 200,
        submit_rate_max_global: 200,
        unrealized_loss_usd_max: dec("500"),
        warn_at: Ppm(800_000),
        cooldown: Nanos::from_secs(60),
        risk_view_age_max: Nanos::from_millis(2_000),
        // Facts by RISK.md's limits, for the monitor; everything else open.
        pre_trade: PreTradeLimits {
            clock_offset_max: PreTradeLimits::default().clock_offset_max,
            clock_step_quiet: PreTradeLimits::default().clock_step_quiet,
            recon_age_max: PreTradeLimits::default().recon_age_max,
            journal_lag_max: PreTradeLimits::default().journal_lag_max,
            disk_free_bytes_min: PreTradeLimits::default().disk_free_bytes_min,
            ..PreTradeLimits::open()
        },
        controls: wide_controls(),
        close: arbalest::risk::CloseLimits::default(),
        kill: arbalest::risk::KillLimits::default(),
    }
}

pub fn catalogue(instruments: Vec<Instrument>) -> Arc<Catalogue> {
    let venues = ["north", "south", "perp"].map(str::to_owned).to_vec();
    Arc::new(Catalogue::new(venues, instruments).unwrap())
}

/// A gate with books and a fresh view.
pub struct World {
    pub gate: Gate,
    pub books: Books,
    pub now: MonoNanos,
    pub view: RiskView,
}

pub fn apply(books: &mut Books, id: InstrumentId, at: MonoNanos, kinds: &[EventKind]) {
    let book = books.get_mut(id).unwrap();
    for kind in kinds {
        book.apply(&MarketEvent {
            received_at: at,
            kind: *kind,
            decode_nanos: 0,
            instrument: id,
            flags: END_OF_BATCH,
        });
    }
    book.finish_batch(at, true);
}

pub fn level(side: Side, price: i64, qty: i64) -> EventKind {
    EventKind::Level {
        side,
        price: Price(price),
        qty: Qty(qty),
        update_id: 1,
    }
}

/// Replaces a book by one level a side.
pub fn quote(books: &mut Books, id: InstrumentId, at: MonoNanos, bid: i64, ask: i64) {
    let kinds = [
        EventKind::Clear,
        level(Side::Buy, bid, ONE),
        level(Side::Sell, ask, ONE),
        EventKind::Synced { update_id: 1 },
    ];
    apply(books, id, at, &kinds);
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub fn with(edit: impl FnOnce(&mut Limits), shape: impl FnOnce(&mut Vec<Instrument>)) -> Self {
        Self::permitted(edit, shape, Permits::everything)
    }

    pub fn permitted(
        edit: impl FnOnce(&mut Limits),
        shape: impl FnOnce(&mut Vec<Instrument>),
        permits: impl FnOnce(&Catalogue) -> Permits,
    ) -> Self {
        let (mut own, mut all) = (limits(), instruments());
        edit(&mut own);
        shape(&mut all);
        let catalogue = catalogue(all);
        let mut books = Books::new(&catalogue);
        for id in [NORTH, SOUTH, PERP, EURO] {
            quote(&mut books, id, START, MID - 1, MID + 1);
        }
        quote(&mut books, ETHER, START, 299_999, 300_001);
        let view = RiskView {
            version: 0,
            as_of: ApprovalSeq(0),
            issued_at: START,
            portfolio: arbalest::risk::PortfolioRisk::default(),
            venues: Vec::new(),
            instruments: vec![InstrumentRisk::default(); 5],
            strategies: vec![arbalest::risk::StrategyRisk::default(); 4],
        };
        let permits = permits(&catalogue);
        let gate = Gate::new(Arc::new(own), catalogue, usdt(), &permits);
        let mut world = Self {
            gate,
            books,
            now: START,
            view,
        };
        world.see(|_| {});
        world
    }

    /// Changes the view and shows it to the gate.
    pub fn see(&mut self, edit: impl FnOnce(&mut RiskView)) {
        self.view.version += 1;
        self.view.issued_at = self.now;
        edit(&mut self.view);
        self.gate.on_view(&self.view);
    }

    pub fn own(&mut self, id: InstrumentId, qty: i64) {
        self.see(|view| view.instruments[id.index()].position_qty = Qty(qty));
    }

    pub fn set(&mut self, legs: &[Leg]) -> SetVerdict {
        let intent = Intent::new(StrategyId(0), legs, self.now);
        self.gate.check_set(&intent, &self.books, self.now)
    }

    /// `ok`, or the code of the refusal.
    pub fn order(&mut self, leg: Leg) -> &'static str {
        match self.set(&[leg]) {
            SetVerdict::Approved(_) => "ok",
            SetVerdict::Refused { refusal, .. } => refusal.code(),
        }
    }

    pub fn refusal(&mut self, leg: Leg) -> Refusal {
        match self.set(&[leg]) {
            SetVerdict::Approved(set) => panic!("approved: {set:?}"),
            SetVerdict::Refused { refusal, .. } => refusal,
        }
    }

    pub fn repair(&mut self, leg: Leg) -> &'static str {
        match self
            .gate
            .check_repair(&repair_of(&leg), &self.books, self.now)
        {
            Verdict::Approved(_) => "ok",
            Verdict::Refused(refusal) => refusal.code(),
        }
    }
}

/// A repair of set 1 whose parent has room for anything.
pub fn repair_of(leg: &Leg) -> Repair<'_> {
    Repair {
        set: SetId(1),
        leg_index: 0,
        strategy: StrategyId(0),
        leg,
        parent: Parent {
            qty: Qty(i64::MAX),
            ..Parent::default()
        },
    }
}

pub fn leg(id: InstrumentId, side: Side, qty: i64) -> Leg {
    let mid = if id == ETHER { 300_000 } else { MID };
    at_price(id, side, qty, mid)
}

pub fn at_price(id: InstrumentId, side: Side, qty: i64, price: i64) -> Leg {
    Leg {
        instrument: id,
        side,
        qty: Qty(qty),
        limit_price: Price(price),
        decision_price: Price(price),
    }
}

pub fn buy(qty: i64) -> Leg {
    leg(NORTH, Side::Buy, qty)
}

pub fn sell(qty: i64) -> Leg {
    leg(NORTH, Side::Sell, qty)
}
