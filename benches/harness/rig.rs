//! Two venues of one pair with everything that lies between a frame and an order: feeds, hot path, desk, gateways.
//!
//! Decisions get a time that moves as told (250 ms a tick, so that no rate limit hides the work); spans are measured by
//! the caller with a real clock. The venues refuse every order, so that the world is flat again before the next tick.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a bench"
)]
#![allow(
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a bench"
)]
#![allow(clippy::wildcard_enum_match_arm, clippy::panic, reason = "a bench")]

use std::sync::Arc;

use arbalest::engine::{HotOutput, HotPath, HotSetup};
use arbalest::exchanges::feed::{Feed, FeedInstrument, FeedOptions};
use arbalest::exchanges::gateway::{
    Gateway, GatewayInstrument, GatewayOptions, GatewayOut, HttpAnswer,
};
use arbalest::exchanges::secret::{Credentials, KeyKind};
use arbalest::exchanges::{Action, Channel, Dialect, RequestId};
use arbalest::execution::{CommandAction, Desk, DeskOutput, DeskParams, RepairRules};
use arbalest::market::event::MarketEvent;
use arbalest::market::{Catalogue, Instrument, InstrumentId, InstrumentStatus, VenueId};
use arbalest::risk::{InstrumentLimits, InstrumentRisk, Limits, RiskView};
use arbalest::strategy::{CommonParams, CrossVenue, CrossVenueParams};
use arbalest::telemetry::StageTimer;
use arbalest::trade::{ApprovalSeq, OrderIdSource, StrategyId};
use arbalest::units::{Asset, Grid, MonoNanos, Nanos, Notional, Ppm, Price, Qty, UnixNanos};
use rust_decimal::Decimal;
use secrecy::SecretString;

pub const SPOT: usize = 0;
pub const USDM: usize = 1;
const DIALECTS: [Dialect; 2] = [Dialect::BinanceSpot, Dialect::BinanceUsdm];
const MID_CENTS: i64 = 6_000_000;
const START_MS: i64 = 1_723_161_253_000;

fn grid() -> Grid {
    Grid::new(2, 5).unwrap()
}

pub fn catalogue() -> Arc<Catalogue> {
    let instrument = |id: u16, symbol: &str| Instrument {
        id: InstrumentId(id),
        venue: VenueId(u8::try_from(id).unwrap()),
        symbol: symbol.parse().unwrap(),
        native: "BTCUSDT".to_owned(),
        grid: grid(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(100_000_000),
        notional_min: Decimal::from(5),
        notional_max: None,
        price_min: Price(1),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: id == 1,
        price_band: None,
    };
    let venues = ["spot", "usdm"].map(str::to_owned).to_vec();
    Arc::new(
        Catalogue::new(
            venues,
            vec![instrument(0, "BTC/USDT"), instrument(1, "BTC/USDT:USDT")],
        )
        .unwrap(),
    )
}

pub fn limits() -> Limits {
    let own = InstrumentLimits {
        order_qty_max: Qty(100_000_000),
        position_qty_max: Qty(1_000_000_000),
    };
    let huge = Decimal::from(1_000_000_000);
    Limits {
        instruments: vec![Some(own); 2],
        order_notional_usd_max: huge,
        notional_usd_max_symbol: huge,
        notional_usd_max_venue: huge,
        notional_usd_max_asset_net: huge,
        notional_usd_max_gross: huge,
        notional_usd_max_net: huge,
        notional_margin: Ppm(0),
        ref_price_age_max: Nanos::from_millis(5_000),
        book_crossed_max: Nanos::from_millis(100),
        spread_max: Ppm::from_bps(100),
        submit_rate_max_symbol: 200,
        submit_rate_max_venue: 200,
        submit_rate_max_global: 200,
        unrealized_loss_usd_max: Decimal::from(500),
        warn_at: Ppm(800_000),
        cooldown: Nanos::from_secs(60),
        risk_view_age_max: Nanos::from_millis(2_000),
        pre_trade: arbalest::risk::PreTradeLimits::open(),
        controls: arbalest::risk::ControlLimits::default(),
        close: arbalest::risk::CloseLimits::default(),
        kill: arbalest::risk::KillLimits::default(),
    }
}

fn params() -> CrossVenueParams {
    let usdt = 10_i128.pow(7);
    CrossVenueParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "bench".to_owned(),
            min_net_edge: Ppm(500),
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
        min_order_notional: Notional(10 * usdt),
        max_order_notional: Notional(1_000 * usdt),
        max_inventory_notional: Notional(1_000_000 * usdt),
    }
}

/// A best quote as each venue writes it.
pub fn quote(venue: usize, update_id: u64, bid_cents: i64, ask_cents: i64) -> String {
    let price = |cents: i64| format!("{}.{:02}", cents.div_euclid(100), cents.rem_euclid(100));
    let (bid, ask) = (price(bid_cents), price(ask_cents));
    if venue == SPOT {
        format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{update_id},"s":"BTCUSDT","b":"{bid}000000","B":"3.78826000","a":"{ask}000000","A":"1.54698000"}}}}"#
        )
    } else {
        format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{update_id},"s":"BTCUSDT","b":"{bid}","B":"2.507","a":"{ask}","A":"2.510","T":{START_MS},"E":{START_MS}}}}}"#
        )
    }
}

/// A quote around the usual price.
pub fn calm(venue: usize, update_id: u64) -> String {
    let wobble = i64::try_from(update_id % 3).unwrap();
    quote(
        venue,
        update_id,
        MID_CENTS - 10 - wobble,
        MID_CENTS + 10 + wobble,
    )
}

/// A spot quote that can be sold 10 bps above where USD-M can be bought.
pub fn takable(update_id: u64) -> String {
    quote(SPOT, update_id, MID_CENTS + 6_000, MID_CENTS + 6_020)
}

/// A depth diff near the touch.
pub fn diff(venue: usize, previous: u64, update_id: u64, offset: i64) -> String {
    let bid = MID_CENTS - 100 - offset;
    let ask = MID_CENTS + 100 + offset;
    let text = |cents: i64| format!("{}.{:02}", cents.div_euclid(100), cents.rem_euclid(100));
    let (bid, ask) = (text(bid), text(ask));
    let (times, link) = if venue == SPOT {
        (String::new(), String::new())
    } else {
        (
            format!(r#""T":{START_MS},"#),
            format!(r#""pu":{previous},"#),
        )
    };
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{START_MS},{times}"s":"BTCUSDT","U":{},"u":{update_id},{link}"b":[["{bid}","1.5"]],"a":[["{ask}","0.7"]]}}}}"#,
        previous + 1
    )
}

pub struct Rig<T> {
    pub feeds: Vec<Feed>,
    pub hot: HotPath,
    pub desk: Desk,
    pub gateways: Vec<Gateway>,
    pub timer: T,
    pub now: MonoNanos,
    pub time: UnixNanos,
    pub ids: [u64; 2],
    pub out: HotOutput,
    pub desk_out: Vec<DeskOutput>,
    pub gateway_out: Vec<GatewayOut>,
    events: Vec<MarketEvent>,
    actions: Vec<Action>,
    view: RiskView,
    /// Order texts of the last tick.
    pub sent: u64,
}

impl<T: StageTimer> Rig<T> {
    pub fn new(timer: T) -> Self {
        let catalogue = catalogue();
        let setup = HotSetup {
            may_send: vec![true; 16],
            catalogue: Arc::clone(&catalogue),
            limits: Arc::new(limits()),
            reporting: Asset::new("USDT").unwrap(),
            strategies: vec![Box::new(CrossVenue::new(params(), &catalogue).unwrap())],
            taker_fees: vec![Ppm(0); 2],
            feeds: vec![vec![InstrumentId(0)], vec![InstrumentId(1)]],
            available_at_start: vec![Qty(10_000_000), Qty(0)],
            mark_interval: Nanos::from_millis(10),
            repair_rules: vec![RepairRules {
                on_broken: arbalest::execution::OnBroken::Cheapest,
                cost_max: Ppm(3_000),
                book_age_max: Nanos::from_secs(5),
                cushion: Ppm(200),
                notional_margin: Ppm(0),
            }],
        };
        let gateways = (0..2).map(gateway).collect();
        let mut rig = Self {
            feeds: (0..2).map(feed).collect(),
            hot: HotPath::new(setup),
            desk: Desk::new(
                catalogue,
                OrderIdSource::new(1, 1_723_161_253),
                DeskParams::default(),
            ),
            gateways,
            timer,
            now: MonoNanos(3_600_000_000_000),
            time: UnixNanos::from_millis(START_MS),
            ids: [100; 2],
            out: HotOutput::with_capacity(),
            desk_out: Vec::with_capacity(1_024),
            gateway_out: (0..2).map(|_| GatewayOut::default()).collect(),
            events: Vec::with_capacity(4_096),
            actions: Vec::with_capacity(64),
            view: RiskView {
                version: 1,
                as_of: ApprovalSeq(0),
                issued_at: MonoNanos(3_600_000_000_000),
                portfolio: arbalest::risk::PortfolioRisk::default(),
                venues: Vec::new(),
                instruments: vec![InstrumentRisk::default(); 2],
                strategies: vec![arbalest::risk::StrategyRisk::default()],
            },
            sent: 0,
        };
        rig.ready_gateways();
        rig.build_books();
        rig
    }

    fn ready_gateways(&mut self) {
        for venue in 0..2 {
            let mut out = GatewayOut::default();
            self.gateways[venue].start(self.now, self.time, &mut out);
            for _ in 0..8 {
                let actions = std::mem::take(&mut out.actions);
                for action in actions {
                    self.answer_setup(venue, &action, &mut out);
                }
            }
            assert!(
                self.gateways[venue].is_ready(),
                "Invariant: the scripted venue {venue} makes its gateway ready"
            );
        }
    }

    fn answer_setup(&mut self, venue: usize, action: &Action, out: &mut GatewayOut) {
        let gateway = &mut self.gateways[venue];
        match action {
            Action::Open { channel, .. } => gateway.on_open(*channel, self.now, self.time, out),
            Action::Http {
                request, target, ..
            } => {
                let body = if target.contains("/time") {
                    format!(r#"{{"serverTime":{START_MS}}}"#)
                } else {
                    r#"{"listenKey":"pqia91ma19a5s61"}"#.to_owned()
                };
                let answer = HttpAnswer {
                    request: RequestId(request.0),
                    status: 200,
                    headers: &[],
                    body: body.as_bytes(),
                };
                gateway.on_http(&answer, self.now, self.time, out);
            }
            Action::Send { channel, text } => {
                let id = request_id(text);
                let answer = format!(
                    r#"{{"id":{id},"status":200,"result":{{"subscriptionId":0}},"rateLimits":[]}}"#
                );
                gateway.on_frame(*channel, answer.as_bytes(), self.now, self.time, out);
            }
            other => panic!("not scripted: {other:?}"),
        }
    }

    fn build_books(&mut self) {
        for venue in 0..2 {
            let first = diff(venue, 100, 110, 0);
            self.on_frame(venue, first.as_bytes());
            let request = self.actions.drain(..).find_map(|action| match action {
                Action::Http { request, .. } => Some(request),
                _ => None,
            });
            let snapshot = format!(
                r#"{{"lastUpdateId":105,"E":{START_MS},"T":{START_MS},"bids":[["59999.90","1.0"],["59999.00","2.0"]],"asks":[["60000.10","1.0"],["60001.00","2.0"]]}}"#
            );
            self.feeds[venue].on_http(
                request.unwrap(),
                200,
                snapshot.as_bytes(),
                self.now,
                &mut self.events,
                &mut self.actions,
            );
            self.decide(venue);
            self.ids[venue] = 110;
        }
        self.refresh_view();
    }

    /// What the risk seat says between ticks: flat, everything settled.
    pub fn refresh_view(&mut self) {
        self.view.version += 1;
        self.view.issued_at = self.now;
        self.hot.on_view(&self.view);
    }

    pub fn step(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.time = self.time.after(span);
    }

    pub fn next_id(&mut self, venue: usize) -> u64 {
        self.ids[venue] += 1;
        self.ids[venue]
    }

    /// Frame to events.
    #[inline]
    pub fn on_frame(&mut self, venue: usize, bytes: &[u8]) {
        self.feeds[venue].on_frame(
            bytes,
            self.now,
            self.time,
            &mut self.events,
            &mut self.actions,
        );
    }

    /// Events to approved sets.
    #[inline]
    pub fn decide(&mut self, venue: usize) {
        for event in &self.events {
            self.hot
                .on_event(venue, event, self.now, &mut self.timer, &mut self.out);
        }
        self.events.clear();
    }

    /// Sets to order commands.
    #[inline]
    pub fn send(&mut self) {
        for set in self.out.sets.drain(..) {
            self.desk.on_set(&set, self.now, &mut self.desk_out);
        }
        self.out.marks.clear();
    }

    /// Order commands to signed bytes; returns how many orders are ready.
    #[inline]
    pub fn encode(&mut self) -> usize {
        let mut count = 0;
        for output in &self.desk_out {
            if let DeskOutput::Command(command) = output
                && let CommandAction::Place(ticket) = command.action()
            {
                let venue = command.venue().index();
                self.gateways[venue].place(
                    ticket,
                    self.now,
                    self.time,
                    &mut self.gateway_out[venue],
                );
                count += 1;
            }
        }
        count
    }

    /// One tick through everything.
    #[inline]
    pub fn tick(&mut self, venue: usize, bytes: &[u8]) -> usize {
        self.on_frame(venue, bytes);
        self.decide(venue);
        if self.out.sets.is_empty() {
            self.out.marks.clear();
            return 0;
        }
        self.send();
        self.encode()
    }

    /// The venues refuse what was sent; the desk ends the set, the gate forgets its holds.
    pub fn settle(&mut self) {
        let mut reports = Vec::new();
        for venue in 0..2 {
            let out = &mut self.gateway_out[venue];
            let texts: Vec<String> = out
                .actions
                .drain(..)
                .filter_map(|action| match action {
                    Action::Send { text, .. } => Some(text),
                    _ => None,
                })
                .collect();
            self.sent += texts.len() as u64;
            for text in texts {
                let id = request_id(&text);
                let answer = format!(
                    r#"{{"id":{id},"status":400,"error":{{"code":-2010,"msg":"insufficient balance"}}}}"#
                );
                self.gateways[venue].on_frame(
                    Channel::Orders,
                    answer.as_bytes(),
                    self.now,
                    self.time,
                    out,
                );
            }
            reports.append(&mut out.reports);
            out.clear();
        }
        for report in &reports {
            self.desk.on_report(report, self.now, &mut self.desk_out);
        }
        for output in self.desk_out.drain(..) {
            match output {
                DeskOutput::Settled(seq) => self.view.as_of = seq,
                DeskOutput::SetDone(summary) => self.hot.on_set_done(&summary),
                DeskOutput::Broken(broken) => panic!("both orders are refused: {broken:?}"),
                _ => {}
            }
        }
        self.refresh_view();
    }
}

fn request_id(text: &str) -> u64 {
    let at = text.find("\"id\":").unwrap() + 5;
    let digits: String = text[at..]
        .chars()
        .skip_while(|byte| *byte == '"')
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap()
}

fn feed(venue: usize) -> Feed {
    let index = u8::try_from(venue).unwrap();
    let instrument = FeedInstrument {
        id: InstrumentId(u16::from(index)),
        native: "BTCUSDT".to_owned(),
        grid: grid(),
    };
    let mut actions = Vec::new();
    let mut feed = Feed::new(
        DIALECTS[venue],
        0,
        VenueId(index),
        vec![instrument],
        FeedOptions::default(),
    );
    feed.start(MonoNanos(1), &mut actions);
    feed.on_open(MonoNanos(1), &mut actions);
    feed
}

fn gateway(venue: usize) -> Gateway {
    let index = u8::try_from(venue).unwrap();
    let secret = SecretString::from("0123456789012345678901234567890123456789");
    let credentials =
        Credentials::new(KeyKind::HmacSha256, SecretString::from("key"), &secret).unwrap();
    let instrument = GatewayInstrument {
        id: InstrumentId(u16::from(index)),
        native: "BTCUSDT".to_owned(),
        grid: grid(),
    };
    Gateway::new(
        DIALECTS[venue],
        VenueId(index),
        vec![instrument],
        credentials,
        GatewayOptions::default(),
    )
}
