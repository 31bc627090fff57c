//! The gateways against the simulated venues in virtual time: every order settled, every execution told once and exactly,
//! while connections are cut, answers swallowed and delayed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    reason = "helpers and scripts of a test file"
)]

use std::collections::BTreeMap;

use arbalest::exchanges::gateway::{
    AccountEvent, AccountQuery, DeadManTerms, Gateway, GatewayInstrument, GatewayOptions,
    GatewayOut, HttpAnswer,
};
use arbalest::exchanges::rules::{RuleBook, TradingRules};
use arbalest::exchanges::secret::{Credentials, KeyKind};
use arbalest::exchanges::{Action, Channel, Dialect, Method, RequestId};
use arbalest::market::{InstrumentId, VenueId};
use arbalest::prng::Prng;
use arbalest::sim::tape::{MarketChange, TapeEvent};
use arbalest::sim::venue::{
    ConnId, Fault, FaultScope, HttpRequest, LatencySetup, Outgoing, VenueCore, VenueSetup,
};
use arbalest::trade::{
    ApprovalSeq, ClientOrderId, DeadMan, OrderIdSource, OrderReport, Purpose, RejectReason,
    ReportKind, SetId, StrategyId, Ticket, TimeInForce,
};
use arbalest::units::{Grid, MonoNanos, Nanos, Price, Qty, Side, UnixNanos};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use secrecy::SecretString;

const BTC: InstrumentId = InstrumentId(0);
const STEP: Nanos = Nanos::from_millis(10);
/// The documentation key that the venue publishes; not a secret.
const DOC_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u";

struct World {
    venue: VenueCore,
    gateway: Gateway,
    instruments: Vec<GatewayInstrument>,
    credentials: Credentials,
    now: MonoNanos,
    time: UnixNanos,
    out: GatewayOut,
    /// Open connections.
    links: Vec<(Channel, ConnId)>,
    targets: BTreeMap<Channel, String>,
    /// Openings to come.
    openings: Vec<(UnixNanos, Channel)>,
    reports: Vec<OrderReport>,
    account: Vec<AccountEvent>,
    ids: u64,
    model_ids: u64,
}

fn rules(venue: &mut VenueCore, time: UnixNanos) -> RuleBook {
    let dialect = venue.dialect();
    let target = RuleBook::target(dialect, &["BTCUSDT", "ETHUSDT"]);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let request = HttpRequest {
        method: Method::Get,
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::new(),
        api_key: None,
    };
    let reply = venue.http(&request, time);
    assert_eq!(reply.status, 200, "{}", reply.body);
    RuleBook::parse(dialect, reply.body.as_bytes()).unwrap()
}

impl World {
    fn new(dialect: Dialect, kind: KeyKind, latency: LatencySetup) -> Self {
        Self::with(dialect, kind, latency, GatewayOptions::default())
    }

    fn with(
        dialect: Dialect,
        kind: KeyKind,
        latency: LatencySetup,
        options: GatewayOptions,
    ) -> Self {
        let time = UnixNanos::from_millis(1_723_161_253_000);
        let mut setup = VenueSetup::demo(dialect, "key", "secret");
        setup.latency = latency;
        let der = base64::engine::general_purpose::STANDARD
            .decode(DOC_KEY)
            .unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
        setup.accounts[0].ed25519_public = Some(pair.public_key().as_ref().to_vec());
        let mut venue = VenueCore::new(setup, time);
        let secret = match kind {
            KeyKind::HmacSha256 => "secret",
            KeyKind::Ed25519 => DOC_KEY,
        };
        let key = SecretString::from("key");
        let credentials = Credentials::new(kind, key, &SecretString::from(secret)).unwrap();
        let book = rules(&mut venue, time);
        assert_eq!(book.refused, []);
        let instruments = ["BTCUSDT", "ETHUSDT"]
            .iter()
            .zip(0_u16..)
            .map(|(native, index)| {
                let rules = book.find(native).unwrap();
                // The venue's grid is the engine's: at least as fine as its own rules need.
                let grid = venue.setup().symbols[usize::from(index)].grid;
                let own = TradingRules::shared_grid(&[rules]).unwrap();
                assert!(own.price_decimals() <= grid.price_decimals());
                let id = InstrumentId(index);
                let instrument = rules.instrument(id, VenueId(0), grid).unwrap();
                GatewayInstrument {
                    id,
                    native: instrument.native,
                    grid: instrument.grid,
                }
            })
            .collect::<Vec<_>>();
        let mut gateway = Gateway::new(
            dialect,
            VenueId(0),
            instruments.clone(),
            credentials.clone(),
            options,
        );
        gateway.set_limits(&book.limits);
        let mut world = Self {
            venue,
            gateway,
            instruments,
            credentials,
            now: MonoNanos(3_600_000_000_000),
            time,
            out: GatewayOut::default(),
            links: Vec::new(),
            targets: BTreeMap::new(),
            openings: Vec::new(),
            reports: Vec::new(),
            account: Vec::new(),
            ids: 0,
            model_ids: 0,
        };
        world.gateway.start(world.now, world.time, &mut world.out);
        world.run(Nanos::from_secs(2));
        assert!(world.gateway.is_ready(), "{:?}", world.gateway);
        world
    }

    /// The process dies and another begins: the venue lives on.
    fn restart(&mut self) {
        for (_, link) in std::mem::take(&mut self.links) {
            self.venue.close(link, self.time);
        }
        self.openings.clear();
        self.reports.clear();
        self.account.clear();
        self.out = GatewayOut::default();
        self.gateway = Gateway::new(
            self.venue.dialect(),
            VenueId(0),
            self.instruments.clone(),
            self.credentials.clone(),
            GatewayOptions::default(),
        );
        self.gateway.start(self.now, self.time, &mut self.out);
        self.run(Nanos::from_secs(2));
        assert!(self.gateway.is_ready(), "{:?}", self.gateway);
    }

    fn history(&mut self, from_id: u64) -> AccountQuery {
        let query = AccountQuery::History {
            instrument: BTC,
            from_id,
            since: UnixNanos(0),
        };
        self.gateway
            .request_account(query, self.now, self.time, &mut self.out);
        self.run(Nanos::from_millis(500));
        query
    }

    fn grid(&self) -> Grid {
        self.venue.setup().symbols[0].grid
    }

    fn open(&mut self, channel: Channel) {
        if let Some(at) = self.links.iter().position(|link| link.0 == channel) {
            let (_, old) = self.links.remove(at);
            self.venue.close(old, self.time);
        }
        match self.venue.open(&self.targets[&channel], self.time) {
            Ok(link) => {
                self.links.push((channel, link));
                self.gateway
                    .on_open(channel, self.now, self.time, &mut self.out);
            }
            Err(_) => self
                .gateway
                .on_closed(channel, self.now, self.time, &mut self.out),
        }
    }

    fn perform(&mut self) {
        while !self.out.actions.is_empty() {
            for action in std::mem::take(&mut self.out.actions) {
                match action {
                    Action::Open { channel, target } => {
                        self.targets.insert(channel, target);
                        self.open(channel);
                    }
                    Action::Send { channel, text } => {
                        if let Some(link) = self.links.iter().find(|link| link.0 == channel) {
                            self.venue.on_text(link.1, &text, self.time);
                        }
                    }
                    Action::Http {
                        request,
                        method,
                        target,
                        with_key,
                    } => self.http(request, method, &target, with_key),
                    Action::Reconnect { channel, delay, .. } => {
                        if let Some(at) = self.links.iter().position(|link| link.0 == channel) {
                            let (_, old) = self.links.remove(at);
                            self.venue.close(old, self.time);
                        }
                        self.openings.push((self.time.after(delay), channel));
                    }
                }
            }
        }
        self.reports.append(&mut self.out.reports);
        self.account.append(&mut self.out.account);
    }

    fn http(&mut self, request: RequestId, method: Method, target: &str, with_key: bool) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = HttpRequest {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            body: String::new(),
            api_key: with_key.then(|| self.gateway.api_key().to_owned()),
        };
        let reply = self.venue.http(&asked, self.time);
        let answer = HttpAnswer {
            request,
            status: reply.status,
            headers: &reply.headers,
            body: reply.body.as_bytes(),
        };
        self.gateway
            .on_http(&answer, self.now, self.time, &mut self.out);
    }

    fn step(&mut self) {
        self.now = self.now.after(STEP);
        self.time = self.time.after(STEP);
        self.venue.advance(self.time);
        let mut leaving = Vec::new();
        self.venue.drain(&mut leaving);
        for (link, message) in leaving {
            let Some(at) = self.links.iter().position(|held| held.1 == link) else {
                continue;
            };
            let channel = self.links[at].0;
            match message {
                Outgoing::Text(text) => {
                    let bytes = text.as_bytes();
                    self.gateway
                        .on_frame(channel, bytes, self.now, self.time, &mut self.out);
                }
                Outgoing::Raw(bytes) => {
                    self.gateway
                        .on_frame(channel, &bytes, self.now, self.time, &mut self.out);
                }
                Outgoing::Close => {
                    self.links.remove(at);
                    self.gateway
                        .on_closed(channel, self.now, self.time, &mut self.out);
                }
            }
        }
        let due: Vec<Channel> = self
            .openings
            .iter()
            .filter(|opening| opening.0 <= self.time)
            .map(|opening| opening.1)
            .collect();
        self.openings.retain(|opening| opening.0 > self.time);
        for channel in due {
            self.open(channel);
        }
        self.gateway.on_timer(self.now, self.time, &mut self.out);
        self.perform();
    }

    fn run(&mut self, span: Nanos) {
        let until = self.time.after(span);
        while self.time < until {
            self.step();
        }
    }

    /// A participant of the market rests or takes.
    fn model(&mut self, side: Side, price: Price, qty: Qty, ioc: bool) {
        self.model_ids += 1;
        let change = MarketChange::Place {
            order_id: self.model_ids,
            side,
            price,
            qty,
            ioc,
        };
        let event = TapeEvent {
            at: self.time,
            venue: 0,
            symbol: 0,
            change,
        };
        self.venue.on_market(&event, self.time);
    }

    fn ticket(&mut self, side: Side, price: &str, qty: &str) -> Ticket {
        self.ids += 1;
        let grid = self.grid();
        Ticket {
            client_order_id: OrderIdSource::new(1, 1_723_161_253).id(SetId(self.ids), 0, 0),
            approval: ApprovalSeq(self.ids),
            strategy: StrategyId(0),
            instrument: BTC,
            side,
            qty: grid.parse_qty(qty.as_bytes()).unwrap(),
            limit_price: grid.parse_price(price.as_bytes()).unwrap(),
            time_in_force: TimeInForce::ImmediateOrCancel,
            reduce_only: false,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }
    fn place(&mut self, ticket: &Ticket) {
        self.gateway
            .place(ticket, self.now, self.time, &mut self.out);
        self.perform();
    }
    fn query(&mut self, order: ClientOrderId) {
        self.gateway
            .query(BTC, order, self.now, self.time, &mut self.out);
        self.perform();
    }
    fn cancel(&mut self, order: ClientOrderId) {
        self.gateway
            .cancel(BTC, order, self.now, self.time, &mut self.out);
        self.perform();
    }
    /// Kinds reported of one order so far.
    fn kinds(&self, order: ClientOrderId) -> Vec<ReportKind> {
        self.reports
            .iter()
            .filter(|report| report.client_order_id == Some(order))
            .map(|report| report.kind)
            .collect()
    }
    /// Places, waits, gives the reports.
    fn outcome(&mut self, ticket: &Ticket) -> Vec<ReportKind> {
        self.place(ticket);
        self.run(Nanos::from_millis(200));
        self.kinds(ticket.client_order_id)
    }
}

const VENUES: [(Dialect, KeyKind); 4] = [
    (Dialect::BinanceSpot, KeyKind::HmacSha256),
    (Dialect::BinanceSpot, KeyKind::Ed25519),
    (Dialect::BinanceUsdm, KeyKind::HmacSha256),
    (Dialect::BinanceUsdm, KeyKind::Ed25519),
];

#[test]
fn orders_live_and_end() {
    for (dialect, kind) in VENUES {
        let what = format!("{dialect:?} {kind:?}");
        let mut world = World::new(dialect, kind, LatencySetup::NONE);
        let grid = world.grid();
        let price = |text: &str| grid.parse_price(text.as_bytes()).unwrap();
        let qty = |text: &str| grid.parse_qty(text.as_bytes()).unwrap();
        world.model(Side::Sell, price("60000"), qty("0.1"), false);
        world.model(Side::Sell, price("60001"), qty("0.1"), false);
        world.model(Side::Buy, price("59990"), qty("0.5"), false);
        // Half of it is there.
        let ticket = world.ticket(Side::Buy, "60000", "0.2");
        let kinds = world.outcome(&ticket);
        assert!(
            matches!(kinds[0], ReportKind::Acked { .. }),
            "{what} {kinds:?}"
        );
        assert!(
            matches!(kinds[1], ReportKind::Filled { qty: found, .. } if found == qty("0.1")),
            "{what} {kinds:?}"
        );
        let ended = ReportKind::Done {
            filled: qty("0.1"),
            complete: false,
        };
        assert_eq!(kinds[2..], [ended], "{what}");
        // Nothing there: fill or kill.
        let kill = Ticket {
            time_in_force: TimeInForce::FillOrKill,
            ..world.ticket(Side::Buy, "60001", "0.2")
        };
        let kinds = world.outcome(&kill);
        let nothing = ReportKind::Done {
            filled: Qty(0),
            complete: false,
        };
        assert!(
            kinds.last() == Some(&nothing)
                || matches!(
                    kinds.last(),
                    Some(ReportKind::Rejected {
                        reason: RejectReason::CannotFill,
                        ..
                    })
                ),
            "{what} {kinds:?}"
        );
        // Post-only that would take.
        let taking = Ticket {
            time_in_force: TimeInForce::GoodTillCancel,
            post_only: true,
            ..world.ticket(Side::Buy, "60001", "0.01")
        };
        let kinds = world.outcome(&taking);
        assert!(
            kinds.last() == Some(&nothing)
                || matches!(
                    kinds.last(),
                    Some(ReportKind::Rejected {
                        reason: RejectReason::WouldTake,
                        ..
                    })
                ),
            "{what} {kinds:?}"
        );
        // Resting, asked for, partly filled, cancelled.
        let resting = Ticket {
            time_in_force: TimeInForce::GoodTillCancel,
            ..world.ticket(Side::Buy, "59995", "0.02")
        };
        let id = resting.client_order_id;
        assert_eq!(world.outcome(&resting).len(), 1, "{what}");
        world.query(id);
        world.run(Nanos::from_millis(200));
        let open = ReportKind::Open { filled: Qty(0) };
        assert_eq!(world.kinds(id).last(), Some(&open), "{what}");
        world.gateway.request_account(
            AccountQuery::OpenOrders,
            world.now,
            world.time,
            &mut world.out,
        );
        world.run(Nanos::from_millis(200));
        assert!(
            world.account.iter().any(|event| matches!(event,
                AccountEvent::OpenOrder { client_order_id, qty: found, .. }
                    if *client_order_id == Some(id) && *found == qty("0.02"))),
            "{what}"
        );
        world.model(Side::Sell, price("59995"), qty("0.005"), true);
        world.cancel(id);
        world.run(Nanos::from_millis(200));
        let ended = ReportKind::Done {
            filled: qty("0.005"),
            complete: false,
        };
        assert_eq!(world.kinds(id).last(), Some(&ended), "{what}");
        world.cancel(id);
        world.run(Nanos::from_millis(200));
        assert_eq!(
            world.kinds(id).last(),
            Some(&ReportKind::CancelRejected),
            "{what}"
        );
        let nobody = world.ticket(Side::Buy, "1", "1").client_order_id;
        world.query(nobody);
        world.run(Nanos::from_millis(200));
        assert_eq!(world.kinds(nobody), [ReportKind::NotFound], "{what}");
        assert_eq!(world.gateway.counters().frames_malformed, 0, "{what}");
        assert_eq!(world.gateway.counters().unmatched, 0, "{what}");
    }
}

#[test]
fn reduce_only_never_flips() {
    let mut world = World::new(
        Dialect::BinanceUsdm,
        KeyKind::HmacSha256,
        LatencySetup::NONE,
    );
    let grid = world.grid();
    let price = grid.parse_price(b"60000").unwrap();
    world.model(Side::Sell, price, grid.parse_qty(b"1").unwrap(), false);
    let reducing = Ticket {
        reduce_only: true,
        ..world.ticket(Side::Buy, "60000", "0.1")
    };
    let kinds = world.outcome(&reducing);
    assert!(
        matches!(
            kinds.last(),
            Some(ReportKind::Rejected {
                reason: RejectReason::ReduceOnly,
                ..
            })
        ),
        "{kinds:?}"
    );
}

#[test]
fn the_account_is_read() {
    for (dialect, kind) in VENUES {
        let mut world = World::new(dialect, kind, LatencySetup::NONE);
        let grid = world.grid();
        let price = grid.parse_price(b"60000").unwrap();
        world.model(Side::Sell, price, grid.parse_qty(b"1").unwrap(), false);
        let ticket = world.ticket(Side::Buy, "60000", "0.1");
        world.outcome(&ticket);
        world.account.clear();
        let queries = [
            AccountQuery::Balances,
            AccountQuery::Positions,
            AccountQuery::OpenOrders,
            AccountQuery::Trades {
                instrument: BTC,
                since: UnixNanos(0),
            },
        ];
        let before = world.reports.len();
        for query in queries {
            world
                .gateway
                .request_account(query, world.now, world.time, &mut world.out);
            world.run(Nanos::from_millis(100));
            let done = AccountEvent::SnapshotDone(query);
            assert!(
                world.account.contains(&done) || matches!(query, AccountQuery::Trades { .. }),
                "{dialect:?} {query:?}"
            );
        }
        assert_eq!(world.reports.len(), before, "executions are told once");
        let truth = world.venue.truth(0);
        let balances = world
            .account
            .iter()
            .filter(|event| matches!(event, AccountEvent::Balance { .. }))
            .count();
        assert!(balances >= truth.balances.len(), "{dialect:?}");
        let positions: Vec<Qty> = world
            .account
            .iter()
            .filter_map(|event| match event {
                AccountEvent::Position {
                    instrument: BTC,
                    qty,
                    ..
                } => Some(*qty),
                _ => None,
            })
            .collect();
        let expected: Vec<Qty> = match dialect {
            Dialect::BinanceSpot => vec![],
            Dialect::BinanceUsdm => vec![grid.parse_qty(b"0.1").unwrap()],
        };
        assert_eq!(positions, expected);
    }
}

/// What a careful desk believes of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    /// Placed or open.
    Live,
    /// Asked for at that time.
    Unknown(UnixNanos),
    /// Nothing more will come.
    Ended,
}

/// A desk in one function: asks after the unknown, gives up an order that was not found long after its window.
fn settle(
    world: &mut World,
    beliefs: &mut BTreeMap<ClientOrderId, (Belief, UnixNanos)>,
    from: usize,
) {
    let time = world.time;
    for report in &world.reports[from..] {
        let Some(id) = report.client_order_id else {
            panic!("an execution lost its order: {report:?}");
        };
        let Some((belief, placed)) = beliefs.get_mut(&id) else {
            panic!("of no order: {report:?}");
        };
        match report.kind {
            ReportKind::Rejected { .. } | ReportKind::Done { .. } => *belief = Belief::Ended,
            ReportKind::Unknown | ReportKind::CancelRejected if *belief == Belief::Live => {
                *belief = Belief::Unknown(UnixNanos(0));
            }
            ReportKind::NotFound if time.signed_since(*placed) > 10_000_000_000 => {
                *belief = Belief::Ended;
            }
            ReportKind::Open { .. } if *belief != Belief::Ended => *belief = Belief::Live,
            ReportKind::Acked { .. }
            | ReportKind::Written
            | ReportKind::Open { .. }
            | ReportKind::Filled { .. }
            | ReportKind::Unknown
            | ReportKind::NotFound
            | ReportKind::CancelRejected => {}
        }
    }
    let due: Vec<ClientOrderId> = beliefs
        .iter_mut()
        .filter_map(|(id, (belief, _))| match belief {
            Belief::Unknown(at) if time.signed_since(*at) > 1_000_000_000 => {
                *at = time;
                Some(*id)
            }
            Belief::Unknown(_) | Belief::Live | Belief::Ended => None,
        })
        .collect();
    for id in due {
        world.query(id);
    }
}

fn trouble(world: &mut World, prng: &mut Prng) {
    let fault = match prng.below(8) {
        0 => Fault::Cut(FaultScope::Api),
        1 => Fault::Cut(FaultScope::Account),
        2 => Fault::Cut(FaultScope::All),
        3 => Fault::SwallowAck,
        4 => Fault::SwallowRequest,
        5 => Fault::AnnounceShutdown,
        6 => Fault::Delay {
            span: Nanos::from_millis(4_000),
            count: 3,
        },
        _ => Fault::RejectNext {
            code: -2010,
            message: "Account has insufficient balance for requested action.".to_owned(),
        },
    };
    world.venue.inject(fault, world.time);
}

/// After any trouble, what was told of every order is what the venue knows of it: each execution once, with its fee.
#[test]
fn every_execution_is_told_once_whatever_happens() {
    let latency = LatencySetup {
        order_entry: Nanos::from_millis(15),
        response: Nanos::from_millis(15),
        market_data: Nanos::ZERO,
        jitter: Nanos::from_millis(40),
    };
    let (mut unknown, mut lost, mut repeated) = (0, 0, 0);
    for seed in 0..12_u64 {
        let (dialect, kind) = VENUES[usize::try_from(seed % 4).unwrap()];
        let mut prng = Prng::new(seed);
        let mut world = World::new(dialect, kind, latency);
        let grid = world.grid();
        let mut beliefs = BTreeMap::new();
        let mut seen = world.reports.len();
        for round in 0..150 {
            let price = 60_000 + prng.between(-5, 5);
            let side = if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            };
            let steps = grid.parse_price(price.to_string().as_bytes()).unwrap();
            let qty = grid.parse_qty(b"0.013").unwrap();
            world.model(side, steps, qty, prng.chance_ppm(300_000));
            let ticket = Ticket {
                time_in_force: match prng.below(3) {
                    0 => TimeInForce::GoodTillCancel,
                    1 => TimeInForce::FillOrKill,
                    _ => TimeInForce::ImmediateOrCancel,
                },
                post_only: prng.chance_ppm(150_000),
                ..world.ticket(side.opposite(), &price.to_string(), "0.02")
            };
            beliefs.insert(ticket.client_order_id, (Belief::Live, world.time));
            world.place(&ticket);
            if prng.chance_ppm(120_000) {
                trouble(&mut world, &mut prng);
            }
            world.run(Nanos::from_millis(prng.below(400)));
            settle(&mut world, &mut beliefs, seen);
            seen = world.reports.len();
            if round % 3 == 0 && prng.chance_ppm(500_000) {
                world.cancel(ticket.client_order_id);
            }
        }
        // Quiet: cancel what rests, ask after the rest, until everything is settled.
        for _ in 0..200 {
            let live: Vec<ClientOrderId> = beliefs
                .iter()
                .filter(|(_, belief)| belief.0 == Belief::Live)
                .map(|(id, _)| *id)
                .collect();
            for id in live {
                world.cancel(id);
            }
            world.run(Nanos::from_millis(1_000));
            settle(&mut world, &mut beliefs, seen);
            seen = world.reports.len();
            if beliefs.values().all(|belief| belief.0 == Belief::Ended) {
                break;
            }
        }
        world.run(Nanos::from_secs(90));
        settle(&mut world, &mut beliefs, seen);
        let open: Vec<_> = beliefs
            .iter()
            .filter(|(_, belief)| belief.0 != Belief::Ended)
            .collect();
        assert!(open.is_empty(), "seed {seed}: {open:?}");
        let truth = world.venue.truth(0);
        assert!(
            truth.open_orders.is_empty(),
            "seed {seed}: {:?}",
            truth.open_orders
        );
        let mut told: Vec<(u64, String, Qty, Price, String)> = world
            .reports
            .iter()
            .filter_map(|report| match report.kind {
                ReportKind::Filled {
                    qty,
                    price,
                    fee,
                    trade_id,
                    ..
                } => Some((
                    trade_id,
                    report.client_order_id.unwrap().to_string(),
                    qty,
                    price,
                    fee.normalize().to_string(),
                )),
                _ => None,
            })
            .collect();
        told.sort();
        let mut known: Vec<_> = truth
            .fills
            .iter()
            .map(|fill| {
                let fee: rust_decimal::Decimal = fill.fee.exact_text().parse().unwrap();
                (
                    fill.trade_id,
                    fill.client_order_id.clone(),
                    fill.qty,
                    fill.price,
                    fee.normalize().to_string(),
                )
            })
            .collect();
        known.sort();
        assert_eq!(told, known, "seed {seed}");
        assert!(known.len() > 20, "seed {seed}: {} fills", known.len());
        assert_eq!(world.gateway.counters().fills_missing, 0, "seed {seed}");
        assert_eq!(world.gateway.counters().frames_malformed, 0, "seed {seed}");
        unknown += world
            .reports
            .iter()
            .filter(|report| report.kind == ReportKind::Unknown)
            .count();
        lost += world.gateway.counters().reconnects;
        repeated += world.gateway.counters().duplicate_fills;
    }
    // There was trouble indeed.
    assert!(
        unknown > 50 && lost > 50 && repeated > 50,
        "{unknown} {lost} {repeated}"
    );
}

#[test]
fn a_new_session_learns_whose_the_executions_before_it_are() {
    for (dialect, kind) in VENUES {
        let mut world = World::new(dialect, kind, LatencySetup::NONE);
        let (price, unit) = (
            world.grid().parse_price(b"60000").unwrap(),
            world.grid().parse_qty(b"1").unwrap(),
        );
        world.model(Side::Sell, price, unit, false);
        let taken: Vec<Ticket> = (0..3)
            .map(|_| {
                let ticket = world.ticket(Side::Buy, "60000", "0.1");
                world.outcome(&ticket);
                ticket
            })
            .collect();
        // One order with more executions than a page has.
        let resting = Ticket {
            time_in_force: TimeInForce::GoodTillCancel,
            ..world.ticket(Side::Sell, "61000", "2")
        };
        world.place(&resting);
        let higher = world.grid().parse_price(b"61000").unwrap();
        let lot = Qty(unit.0.div_euclid(1_000));
        // What the first market order still has below that price.
        world.model(Side::Buy, price, unit, true);
        for _ in 0..1_100 {
            world.model(Side::Buy, higher, lot, true);
        }
        world.run(Nanos::from_millis(200));
        let truth = world.venue.truth(0);
        assert!(truth.fills.len() >= 1_103);

        world.restart();
        assert_eq!(
            world.reports,
            [],
            "{dialect:?}: a start asks for nothing by itself"
        );
        let first = truth.fills[0].trade_id;
        let query = world.history(first);
        assert!(world.account.contains(&AccountEvent::SnapshotDone(query)));
        let told: Vec<(Option<ClientOrderId>, u64)> = world
            .reports
            .iter()
            .filter_map(|report| match report.kind {
                ReportKind::Filled { trade_id, .. } => Some((report.client_order_id, trade_id)),
                _ => None,
            })
            .collect();
        let real: Vec<(Option<ClientOrderId>, u64)> = truth
            .fills
            .iter()
            .map(|fill| {
                let id = ClientOrderId::parse(fill.client_order_id.as_bytes());
                (id, fill.trade_id)
            })
            .collect();
        assert_eq!(told, real, "{dialect:?}");
        assert!(real.iter().all(|(id, _)| id.is_some()));
        assert_eq!(told[0].0, Some(taken[0].client_order_id));

        // Asked again, nothing is told twice; the answer still ends.
        world.reports.clear();
        world.account.clear();
        let query = world.history(first);
        assert!(world.account.contains(&AccountEvent::SnapshotDone(query)));
        assert_eq!(world.reports, []);
        // The one that still rests is ours and can be cancelled by its id.
        world.gateway.request_account(
            AccountQuery::OpenOrders,
            world.now,
            world.time,
            &mut world.out,
        );
        world.run(Nanos::from_millis(100));
        let open = world.account.iter().find_map(|event| match event {
            AccountEvent::OpenOrder {
                client_order_id, ..
            } => *client_order_id,
            _ => None,
        });
        assert_eq!(open, Some(resting.client_order_id));
        world.cancel(resting.client_order_id);
        world.run(Nanos::from_millis(100));
        assert_eq!(world.venue.truth(0).open_orders, []);
    }
}

/// Time passes at the venue while we stand still.
fn silence(world: &mut World, span: Nanos) {
    world.now = world.now.after(span);
    world.time = world.time.after(span);
    world.venue.advance(world.time);
    world.venue.drain(&mut Vec::new());
}

#[test]
fn a_dead_man_switch_is_armed_refreshed_fires_and_is_armed_again() {
    let terms = DeadManTerms::default();
    let options = GatewayOptions {
        dead_man: Some(terms),
        ..GatewayOptions::default()
    };
    let kind = KeyKind::HmacSha256;
    let spot = World::with(Dialect::BinanceSpot, kind, LatencySetup::NONE, options);
    assert_eq!(spot.gateway.facts(spot.now).dead_man, DeadMan::Unsupported);
    let off = World::new(Dialect::BinanceUsdm, kind, LatencySetup::NONE);
    assert_eq!(off.gateway.facts(off.now).dead_man, DeadMan::Off);

    let mut world = World::with(Dialect::BinanceUsdm, kind, LatencySetup::NONE, options);
    let refreshed = |world: &World| match world.gateway.facts(world.now).dead_man {
        DeadMan::Armed {
            refreshed_at,
            window,
        } => {
            assert_eq!(window, terms.window);
            refreshed_at
        }
        other => panic!("{other:?}"),
    };
    // Never older than a refresh and a tick, for as long as we live: nothing is cancelled.
    let price = world.grid().parse_price(b"60000").unwrap();
    let unit = world.grid().parse_qty(b"1").unwrap();
    world.model(Side::Sell, price, unit, false);
    let resting = |world: &mut World| {
        let ticket = Ticket {
            time_in_force: TimeInForce::GoodTillCancel,
            ..world.ticket(Side::Buy, "50000", "0.1")
        };
        world.place(&ticket);
        world.run(Nanos::from_millis(100));
        assert_eq!(world.venue.truth(0).open_orders.len(), 1);
    };
    resting(&mut world);
    for _ in 0..20 {
        world.run(Nanos::from_secs(10));
        let age = world.now.since(refreshed(&world));
        assert!(age <= terms.refresh.max(Nanos::from_secs(15)), "{age:?}");
    }
    assert_eq!(world.venue.truth(0).open_orders.len(), 1);

    // Silent for as long as the window, it fires.
    let before = refreshed(&world);
    let left = Nanos(terms.window.0 - world.now.since(before).0);
    silence(&mut world, Nanos(left.0 - 1_000_000_000));
    assert_eq!(world.venue.truth(0).open_orders.len(), 1, "not before");
    silence(&mut world, Nanos::from_secs(2));
    assert_eq!(world.venue.truth(0).open_orders, [], "the venue cancelled");

    // Alive again, it is armed again by itself.
    world.run(Nanos::from_secs(20));
    assert!(refreshed(&world) > before);
    resting(&mut world);
    silence(&mut world, Nanos::from_secs(61));
    assert_eq!(world.venue.truth(0).open_orders, [], "it fires again");

    // A stop in order switches it off: what rests then is meant to rest.
    world.run(Nanos::from_secs(20));
    resting(&mut world);
    world.gateway.disarm(world.now, world.time, &mut world.out);
    world.perform();
    assert_eq!(world.gateway.facts(world.now).dead_man, DeadMan::Off);
    silence(&mut world, Nanos::from_secs(600));
    assert_eq!(world.venue.truth(0).open_orders.len(), 1);
}
