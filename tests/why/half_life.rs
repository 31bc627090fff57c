//! The recorded minutes of BTC through the whole hot path: how long the edge of selling spot and buying USD-M lives.

use std::path::Path;
use std::sync::Arc;

use arbalest::engine::opportunity::{Markout, OpportunityRules, PROBES, RouteTally, Window};
use arbalest::engine::{HotOutput, HotPath, HotSetup};
use arbalest::exchanges::feed::{Feed, FeedInstrument, FeedOptions};
use arbalest::exchanges::{Action, Dialect, RequestId};
use arbalest::execution::RepairRules;
use arbalest::market::{
    Catalogue, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use arbalest::risk::{InstrumentLimits, Limits};
use arbalest::sim::recording::{LineKind, Recording};
use arbalest::strategy::{CommonParams, CrossVenue, CrossVenueParams};
use arbalest::telemetry::NoopTimer;
use arbalest::trade::StrategyId;
use arbalest::units::{Asset, Grid, MonoNanos, Nanos, Notional, Ppm, Price, Qty, UnixNanos};
use rust_decimal::Decimal;

use super::data;

fn instrument(id: u16, symbol: &str, tick: i64) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(u8::try_from(id).unwrap()),
        symbol: symbol.parse().unwrap(),
        native: "BTCUSDT".to_owned(),
        grid: Grid::new(2, 8).unwrap(),
        tick: Price(tick),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: Decimal::from(5),
        notional_max: None,
        price_min: Price(1),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: id == 1,
        price_band: None,
    }
}

fn limits() -> Limits {
    let own = InstrumentLimits {
        order_qty_max: Qty(1),
        position_qty_max: Qty(1),
    };
    let one = Decimal::ONE;
    Limits {
        instruments: vec![Some(own); 2],
        order_notional_usd_max: one,
        notional_usd_max_symbol: one,
        notional_usd_max_venue: one,
        notional_usd_max_asset_net: one,
        notional_usd_max_gross: one,
        notional_usd_max_net: one,
        notional_margin: Ppm(0),
        ref_price_age_max: Nanos::from_secs(5),
        book_crossed_max: Nanos::from_millis(100),
        spread_max: Ppm::from_bps(100),
        submit_rate_max_symbol: 1,
        submit_rate_max_venue: 1,
        submit_rate_max_global: 1,
        unrealized_loss_usd_max: one,
        warn_at: Ppm(800_000),
        cooldown: Nanos::from_secs(60),
        risk_view_age_max: Nanos::from_secs(2),
        pre_trade: arbalest::risk::PreTradeLimits::open(),
        controls: arbalest::risk::ControlLimits::default(),
        close: arbalest::risk::CloseLimits::default(),
        kill: arbalest::risk::KillLimits::default(),
    }
}

/// Zero fees, 5 bps asked, and it only observes.
fn hot_path() -> HotPath {
    let catalogue = Arc::new(
        Catalogue::new(
            ["spot", "usdm"].map(str::to_owned).to_vec(),
            vec![
                instrument(0, "BTC/USDT", 1),
                instrument(1, "BTC/USDT:USDT", 10),
            ],
        )
        .unwrap(),
    );
    let params = CrossVenueParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "btc".to_owned(),
            min_net_edge: Ppm::from_bps(5),
            max_net_edge: Ppm(50_000),
            confirm_updates: 1,
            max_book_take: Ppm(1_000_000),
            max_book_age: Nanos::from_secs(5),
            max_leg_skew: Nanos::from_secs(5),
            cooldown: Nanos::ZERO,
            max_sets_per_min: 256,
            max_open_sets: 16,
            limit_cushion: Ppm(200),
            leg_timeout: Nanos::from_secs(2),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 1_000,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        instruments: vec![InstrumentId(0), InstrumentId(1)],
        taker_fees: vec![Ppm(0), Ppm(0)],
        routes_deny: Vec::new(),
        maker_fees: Vec::new(),
        fee_assets: Vec::new(),
        conversions: Vec::new(),
        max_quote_depeg: Ppm::from_bps(30),
        leg_order: arbalest::strategy::LegOrder::Together,
        inventory: None,
        min_runway_sets: 0,
        min_order_notional: Notional(10_i128.pow(11)),
        max_order_notional: Notional(10_i128.pow(13)),
        max_inventory_notional: Notional(10_i128.pow(16)),
    };
    let strategy = CrossVenue::new(params, &catalogue).unwrap();
    let mut hot = HotPath::new(HotSetup {
        may_send: vec![false],
        limits: Arc::new(limits()),
        reporting: Asset::new("USDT").unwrap(),
        strategies: vec![Box::new(strategy)],
        taker_fees: vec![Ppm(0); 2],
        feeds: vec![vec![InstrumentId(0)], vec![InstrumentId(1)]],
        available_at_start: vec![Qty(10_i64.pow(12)), Qty(0)],
        mark_interval: Nanos::from_millis(10),
        repair_rules: vec![RepairRules {
            cost_max: Ppm(3_000),
            book_age_max: Nanos::from_secs(5),
            cushion: Ppm(200),
            ..RepairRules::default()
        }],
        catalogue,
    });
    hot.set_opportunity_rules(OpportunityRules {
        interval_min: Nanos::ZERO,
        per_second_max: u32::MAX,
    });
    hot
}

/// One venue's feed machine, its snapshot request answered when the recorded answer comes along.
struct RecordedFeed {
    feed: Feed,
    actions: Vec<Action>,
    asked: Option<RequestId>,
}

impl RecordedFeed {
    fn new(dialect: Dialect, index: u8) -> Self {
        let own = FeedInstrument {
            id: InstrumentId(u16::from(index)),
            native: "BTCUSDT".to_owned(),
            grid: Grid::new(2, 8).unwrap(),
        };
        let mut actions = Vec::new();
        let mut feed = Feed::new(
            dialect,
            0,
            VenueId(index),
            vec![own],
            FeedOptions::default(),
        );
        feed.start(MonoNanos(1), &mut actions);
        feed.on_open(MonoNanos(1), &mut actions);
        actions.clear();
        Self {
            feed,
            actions,
            asked: None,
        }
    }

    fn on_line(
        &mut self,
        kind: LineKind<'_>,
        bytes: &[u8],
        time: i64,
        events: &mut Vec<MarketEvent>,
    ) {
        let at = MonoNanos(u64::try_from(time).unwrap());
        if kind == LineKind::Frame && !bytes.starts_with(b"{\"lastUpdateId\"") {
            let time = UnixNanos(time);
            self.feed
                .on_frame(bytes, at, time, events, &mut self.actions);
        } else if let Some(request) = self.asked.take() {
            self.feed
                .on_http(request, 200, bytes, at, events, &mut self.actions);
        }
        for action in self.actions.drain(..) {
            let Action::Http { request, .. } = action else {
                panic!("a recording needs no {action:?}");
            };
            self.asked = Some(request);
        }
    }
}

/// Plays the frames of both files, in order of receive time.
fn play(dir: &Path) -> (Window, Arc<Catalogue>) {
    let files = [
        "binance_spot_btcusdt_20240808.gz",
        "binance_usdm_btcusdt_20240808.gz",
    ]
    .map(|name| dir.join("recordings").join(name));
    let mut recording = Recording::open(&files).unwrap();
    let mut hot = hot_path();
    let mut out = HotOutput::with_capacity();
    let mut feeds = [
        RecordedFeed::new(Dialect::BinanceSpot, 0),
        RecordedFeed::new(Dialect::BinanceUsdm, 1),
    ];
    let (mut sum, mut window) = (
        hot.opportunities().empty_window(),
        hot.opportunities().empty_window(),
    );
    let mut events = Vec::new();
    let mut last = 0;
    while let Some(line) = recording.next_line().unwrap() {
        if line.kind == LineKind::Configuration {
            continue;
        }
        let index = usize::from(line.file == files[1]);
        feeds[index].on_line(line.kind, line.bytes, line.time.0, &mut events);
        last = line.time.0;
        for event in events.drain(..) {
            let now = event.received_at;
            hot.on_event(index, &event, now, &mut NoopTimer, &mut out);
        }
        out.marks.clear();
        if hot.opportunities().window().opportunities.len() > 32 {
            hot.opportunities_mut().swap(&mut window);
            sum.absorb(&window);
            window.reset();
        }
    }
    hot.opportunities_mut()
        .stop(MonoNanos(u64::try_from(last).unwrap()));
    hot.opportunities_mut().swap(&mut window);
    sum.absorb(&window);
    (sum, Arc::clone(hot.catalogue()))
}

/// PERFORMANCE.md, last section: sell spot, buy USD-M, 5 bps before fees. 48 episodes over 3,723 quotes (data README).
#[test]
fn the_recorded_edge_lives_as_long_as_the_specification_says() {
    let Some(dir) = data::data_dir() else { return };
    let (window, _) = play(&dir);
    let route = |buy: u16| {
        let is_it = |tally: &&RouteTally| {
            let first = tally.route.and_then(|route| route.legs().next());
            first.is_some_and(|(id, _)| id == InstrumentId(buy))
        };
        window.routes.iter().find(is_it).unwrap()
    };
    let tally = route(1);
    assert_eq!((tally.opened, tally.closed, tally.looks), (48, 48, 3_723));
    let shares: Vec<u64> = (0..PROBES.len())
        .map(|place| {
            let (present, probed) = (tally.present[place], tally.probed[place]);
            assert_eq!(probed, 48);
            (present * 200 + probed).div_euclid(probed * 2)
        })
        .collect();
    assert_eq!(shares, [96, 90, 69, 44], "percent, rounded half up");
    // Never interrupted: a little fewer.
    let alive = PROBES.map(|delay| {
        let longer = |step: &hdrhistogram::iterators::IterationValue<u32>| {
            step.value_iterated_to() > delay.0.div_euclid(1_000)
        };
        let steps = tally.lifetimes.iter_recorded().filter(longer);
        steps.map(|step| step.count_at_value()).sum::<u32>()
    });
    assert_eq!(alive, [46, 42, 32, 20]);
    // Every look says why no set was sent, and every look is told once.
    let told: u64 = tally.reasons.iter().map(|reason| reason.looks).sum();
    assert_eq!(told + tally.reasons_other, tally.looks);
    assert_eq!(window.opportunities.len() as u64 + window.dropped, 48);
    let first = &window.opportunities[0];
    assert!(
        first
            .markouts
            .iter()
            .all(|markout| *markout != Markout::Pending)
    );
    assert!(first.opened.net_edge >= Ppm::from_bps(5));
    assert!(first.peak.net_edge >= first.opened.net_edge);
    // The best of the data README: 11.0414 and 0.7955 bps.
    assert_eq!(tally.best_edge, Some(Ppm(1_104)));
    assert_eq!(route(0).best_edge, Some(Ppm(79)));
    assert_eq!(route(0).looks, 0);
}
