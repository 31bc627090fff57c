//! Two spot venues and a perpetual on loopback sockets with a market that only the test moves, and the engine against them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arbalest::actors::alerts::SinkTarget;
use arbalest::actors::feed::FullRing;
use arbalest::actors::system::{self, Engine, RunOptions, StartError};
use arbalest::clock::{Clock, OsClock};
use arbalest::config::Settings;
use arbalest::config::document::Document;
use arbalest::config::load::Files;
use arbalest::engine::Summary;
use arbalest::exchanges::feed::FeedOptions;
use arbalest::exchanges::gateway::GatewayOptions;
use arbalest::exchanges::secret::{Credentials, KeyKind};
use arbalest::journal;
use arbalest::market::{InstrumentId, VenueId};
use arbalest::risk::{
    Hex32, KillLevel, OperatorCommand, OperatorDone, OperatorRefusal, Person, Role, Scope,
};
use arbalest::sim::build::venue_setup;
use arbalest::sim::server::{Pace, VenueServer};
use arbalest::sim::tape::MarketChange;
use arbalest::sim::venue::{Fault, RateLimits, Truth, VenueCore};
use arbalest::telemetry::EngineSnapshot;
use arbalest::telemetry::snapshot::InstrumentStatus;
use arbalest::trade::Fill;
use arbalest::units::{Nanos, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;
use secrecy::SecretString;

/// Venues, and the instrument of each, by index.
pub const A: usize = 0;
pub const B: usize = 1;
pub const PERP: usize = 2;
pub const VENUES: [usize; 3] = [A, B, PERP];

/// Where every market begins: bid and ask in cents.
pub const BID: i64 = 6_000_000;
pub const ASK: i64 = 6_000_010;

/// One BTC in the steps of all three venues.
pub const BTC: i64 = 100_000_000;

pub const KEY: &str = "live-test-key";
pub const SECRET: &str = "live-test-secret";

/// Longest wait for anything that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);
/// Longest wait for what needs proof over time: an order that the venue never saw is given up after 10 s at the earliest.
pub const LATER: Duration = Duration::from_secs(60);

/// What a test wants different.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Largest position of an instrument, in BTC.
    pub position_max: &'static str,
    /// Largest order of an instrument, in BTC.
    pub order_max: &'static str,
    /// Largest unrealized loss of a position.
    pub loss_max: &'static str,
    /// Largest leg, in USDT.
    pub leg_quote: &'static str,
    /// What the engine signs with.
    pub secret: [&'static str; 3],
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            position_max: "2",
            order_max: "0.5",
            loss_max: "100000",
            leg_quote: "130",
            secret: [SECRET; 3],
        }
    }
}

pub fn files(terms: &Terms) -> Files {
    let venue = |id: &str, dialect: &str, symbol: &str, fee: &str| {
        format!(
            "[[venue]]\nid = \"{id}\"\ndialect = \"{dialect}\"\nsimulated = true\nsymbols = [\"{symbol}\"]\n\
             [venue.fees]\ntaker_fee_bps = {fee}\nmaker_fee_bps = 0\n\
             [venue.balances]\nUSDT = \"1000000\"\nBTC = \"5\"\n"
        )
    };
    let instrument = |id: &str, symbol: &str| {
        format!(
            "[[instrument]]\nvenue = \"{id}\"\nsymbol = \"{symbol}\"\norder_qty_base_max = \"{}\"\nposition_qty_base_max = \"{}\"\n",
            terms.order_max, terms.position_max
        )
    };
    // Ages are generous: a busy machine is no reason for a refusal here. So are the controls of feeds and legs: what the books
    // and the resolver do by themselves is looked at here, the controls in tests/risk.
    let limits = format!(
        "order_notional_usd_max = \"100000\"\nunrealized_loss_usd_max = \"{}\"\nref_price_age_ms_max = 10000\n\
         risk_view_age_ms_max = 20000\ncooldown_ms = 60000\n\
         [notional_usd_max]\nsymbol = \"1000000\"\nvenue = \"1000000\"\nasset_net = \"100000\"\ngross = \"1000000\"\nnet = \"1000000\"\n\
         [pre_trade]\njournal_lag_ms_max = 10000\nclock_offset_ms_max = 10000\nclock_step_quiet_ms = 0\n\
         [controls]\nmessage_age_ms_max = 60000\nbook_age_ms_max = 60000\nheartbeat_age_ms_max = 60000\nfeed_faults_warn = 1000\n\
         feed_faults_max = 1000\nleg_imbalance_usd_max = \"100000\"\n\
         [kill]\nrearm_feed_healthy_ms_min = 0\nprobation_ms = 0\n",
        terms.loss_max
    );
    let strategy = format!(
        "id = \"cross\"\nkind = \"cross_exchange\"\nmode = \"paper\"\nsymbol = \"BTC/USDT\"\nvenues = [\"spot_a\", \"spot_b\", \"perp\"]\n\
         min_net_edge_bps = 1.5\nmin_order_quote = \"20\"\nmax_order_quote = \"{}\"\nmax_inventory_quote = \"500000\"\n\
         max_book_age_ms = 10000\nmax_leg_skew_ms = 10000\ncooldown_ms = 100\nmax_sets_per_min = 256\nmax_open_sets = 1\n\
         limit_cushion_bps = 0.5\nmax_broken_sets = 1000\n",
        terms.leg_quote
    );
    Files {
        engine: Document::new(
            "engine.toml",
            "mode = \"paper\"\nreporting_currency = \"USDT\"\n[signal]\nwait = \"park\"\n",
        ),
        venues: Document::new(
            "venues.toml",
            [
                venue("spot_a", "binance_spot", "BTC/USDT", "1"),
                venue("spot_b", "binance_spot", "BTC/USDT", "2"),
                venue("perp", "binance_usdm", "BTC/USDT:USDT", "1.5"),
            ]
            .concat(),
        ),
        limits: Document::new(
            "limits.toml",
            [
                limits,
                instrument("spot_a", "BTC/USDT"),
                instrument("spot_b", "BTC/USDT"),
                instrument("perp", "BTC/USDT:USDT"),
            ]
            .concat(),
        ),
        strategies: vec![Document::new("strategies/cross.toml", strategy)],
    }
}

/// One venue's market as the test set it.
#[derive(Debug, Default)]
struct Quoted {
    bid: i64,
    ask: i64,
    /// Resting orders: bids, asks.
    orders: [Vec<u64>; 2],
    beat: Option<u64>,
}

/// The script: who moves the markets, and keeps them moving.
#[derive(Debug, Default)]
struct Script {
    quoted: [Quoted; 3],
    last_id: u64,
    beats: u64,
}

impl Script {
    fn place(&mut self, server: &VenueServer, side: Side, price: i64, qty: i64) -> u64 {
        self.last_id += 1;
        let order_id = self.last_id;
        let change = MarketChange::Place {
            order_id,
            side,
            price: Price(price),
            qty: Qty(qty),
            ioc: false,
        };
        server.play(0, change);
        order_id
    }

    /// A new touch of 2 BTC with 10 BTC behind it at each of five prices. New orders come before the old ones leave.
    fn quote(&mut self, server: &VenueServer, venue: usize, bid: i64, ask: i64) {
        let sides = if bid >= self.quoted[venue].bid {
            [Side::Sell, Side::Buy]
        } else {
            [Side::Buy, Side::Sell]
        };
        (self.quoted[venue].bid, self.quoted[venue].ask) = (bid, ask);
        for side in sides {
            let (touch, away) = match side {
                Side::Buy => (bid, -500),
                Side::Sell => (ask, 500),
            };
            let slot = usize::from(side == Side::Sell);
            let old = std::mem::take(&mut self.quoted[venue].orders[slot]);
            let beat = (side == Side::Buy)
                .then(|| self.quoted[venue].beat.take())
                .flatten();
            for level in 0..6 {
                let qty = if level == 0 { 2 * BTC } else { 10 * BTC };
                let id = self.place(server, side, touch + away * level, qty);
                self.quoted[venue].orders[slot].push(id);
            }
            for order_id in old.into_iter().chain(beat) {
                server.play(0, MarketChange::Cancel { order_id });
            }
        }
        if venue == PERP {
            let mark = Price(bid);
            let change = MarketChange::Mark {
                mark,
                index: mark,
                funding_ppb: 0,
                next_funding_time: UnixNanos(4_000_000_000_000_000_000),
            };
            server.play(0, change);
        }
    }

    /// Changes the quantity at every best bid, so that quotes and diffs flow and every book is looked at again.
    fn beat(&mut self, servers: &[VenueServer]) {
        self.beats += 1;
        let tenths = if self.beats.is_multiple_of(2) { 2 } else { 4 };
        let qty = BTC.div_euclid(10) * tenths;
        for (venue, server) in servers.iter().enumerate() {
            let bid = self.quoted[venue].bid;
            let id = self.place(server, Side::Buy, bid, qty);
            if let Some(order_id) = self.quoted[venue].beat.replace(id) {
                server.play(0, MarketChange::Cancel { order_id });
            }
        }
    }
}

/// A running world.
pub struct World {
    pub servers: Rc<Vec<VenueServer>>,
    pub engine: Engine,
    pub journal: tempfile::TempDir,
    settings: Settings,
    credentials: Vec<Option<Credentials>>,
    options: RunOptions,
    script: Rc<RefCell<Script>>,
    beating: actix_rt::task::JoinHandle<()>,
}

/// Runs a test inside an actix system.
pub fn live(test: impl AsyncFnOnce()) {
    actix::System::new().block_on(test());
}

/// Asks until there is an answer.
pub async fn until<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(within, asking).await {
        Ok(answer) => answer,
        Err(_elapsed) => panic!("within {} s it did not happen: {what}", within.as_secs()),
    }
}

impl World {
    /// Starts everything; books are trusted and stand equal when this returns.
    pub async fn start(terms: Terms) -> Self {
        let world = Self::try_start(terms).await.unwrap();
        world
            .until("all books trusted", |snapshot| {
                snapshot.instruments.iter().all(is_trusted)
            })
            .await;
        // A second's worth of frames more: the risk seat has prices too.
        let before = world.snapshot().await.totals.frames_received;
        world
            .until("frames", |snapshot| {
                snapshot.totals.frames_received >= before + 100
            })
            .await;
        world
    }

    pub async fn try_start(terms: Terms) -> Result<Self, StartError> {
        Self::start_telling(terms, Vec::new()).await
    }

    /// Starts everything, with these receivers of alerts.
    #[expect(
        clippy::too_many_lines,
        reason = "the order of starting a world, read from the top"
    )]
    pub async fn start_telling(terms: Terms, alerts: Vec<SinkTarget>) -> Result<Self, StartError> {
        let mut settings = Settings::from_files(&files(&terms)).unwrap();
        let now = OsClock::new().now_unix();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut servers = Vec::new();
        let mut credentials = Vec::new();
        for (venue, secret) in settings.venues.iter_mut().zip(terms.secret) {
            let mut setup = venue_setup(venue, KEY, SECRET, 1);
            setup.limits = RateLimits {
                orders_per_10s: 10_000,
                ..setup.limits
            };
            assert_eq!(setup.symbols[0].grid.qty_decimals(), 8);
            let core = VenueCore::new(setup, now);
            let server = VenueServer::start(core, None, Pace::RealTime, any, any).unwrap();
            venue.rest_url = server.http_url();
            venue.ws_url = server.ws_url();
            venue.ws_api_url = server.ws_url();
            servers.push(server);
            let key = SecretString::from(KEY.to_owned());
            let secret = SecretString::from(secret.to_owned());
            let kind = KeyKind::HmacSha256;
            credentials.push(Some(Credentials::new(kind, key, &secret).unwrap()));
        }
        let script = Rc::new(RefCell::new(Script::default()));
        for (venue, server) in servers.iter().enumerate() {
            script.borrow_mut().quote(server, venue, BID, ASK);
        }
        let servers = Rc::new(servers);
        let (beaten, beating) = (Rc::clone(&servers), Rc::clone(&script));
        let beating = actix_rt::spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(40));
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                interval.tick().await;
                beating.borrow_mut().beat(&beaten);
            }
        });
        let journal = tempfile::tempdir().unwrap();
        let options = RunOptions {
            alerts,
            seed: Some(1),
            full_ring: FullRing::Gap,
            paper: true,
            journal_dir: Some(journal.path().to_owned()),
            store: Some(arbalest::store::Place::Sqlite(
                journal.path().join("arbalest.db"),
            )),
            feed: FeedOptions {
                seed: 1,
                stale_after: Nanos::from_secs(3),
                ..FeedOptions::default()
            },
            depth_speeds: vec![None; 3],
            gateway: GatewayOptions {
                seed: 1,
                ..GatewayOptions::default()
            },
        };
        let engine = system::start(&settings, &credentials, &options).await?;
        Ok(Self {
            servers,
            engine,
            journal,
            settings,
            credentials,
            options,
            script,
            beating,
        })
    }

    /// Stops the engine and starts another on the same journal; the venues go on.
    pub async fn restart(self) -> Self {
        self.engine.stop("test", "test").await.unwrap();
        let starting = system::start(&self.settings, &self.credentials, &self.options);
        let engine = starting.await.unwrap();
        Self { engine, ..self }
    }

    /// The same with the limits of other terms in the file.
    pub async fn restart_with(mut self, terms: &Terms) -> Self {
        self.settings.limits = Settings::from_files(&files(terms)).unwrap().limits;
        self.restart().await
    }

    /// Moves one market.
    pub fn quote(&self, venue: usize, bid: i64) {
        let mut script = self.script.borrow_mut();
        script.quote(&self.servers[venue], venue, bid, bid + ASK - BID);
    }
    /// Moves every market to the same price.
    pub fn quote_all(&self, bid: i64) {
        for venue in VENUES {
            self.quote(venue, bid);
        }
    }
    /// An edge of about 33 basis points on this venue: it is dear, or the others are cheap.
    pub fn edge_at(&self, venue: usize) {
        for other in VENUES.into_iter().filter(|other| *other != venue) {
            self.quote(other, BID - 20_000);
        }
    }
    /// No edge anywhere.
    pub fn no_edge(&self) {
        self.quote_all(BID);
    }
    pub fn inject(&self, venue: usize, fault: Fault) {
        self.servers[venue].inject(fault);
    }

    /// A fresh picture.
    pub async fn snapshot(&self) -> Arc<EngineSnapshot> {
        assert!(self.engine.sample().await, "a seat is gone");
        self.engine.hub().snapshot()
    }
    /// Asks for pictures until one is right.
    pub async fn until(
        &self,
        what: &str,
        right: impl FnMut(&EngineSnapshot) -> bool,
    ) -> Arc<EngineSnapshot> {
        self.until_within(what, SOON, right).await
    }
    pub async fn until_within(
        &self,
        what: &str,
        within: Duration,
        mut right: impl FnMut(&EngineSnapshot) -> bool,
    ) -> Arc<EngineSnapshot> {
        let mut last = None;
        let asking = async {
            loop {
                let snapshot = self.snapshot().await;
                if right(&snapshot) {
                    return snapshot;
                }
                last = Some(snapshot);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(within, asking).await {
            Ok(snapshot) => snapshot,
            Err(_elapsed) => panic!(
                "within {} s it did not happen: {what}\n{last:#?}",
                within.as_secs()
            ),
        }
    }

    /// Orders sent to a venue so far.
    pub fn placed(&self, venue: usize) -> u64 {
        let id = VenueId(u8::try_from(venue).unwrap());
        let board = self.engine.board();
        let data = board.read();
        data.placed
            .iter()
            .filter(|((at, _), _)| *at == id)
            .map(|(_, count)| count)
            .sum()
    }
    /// Texts of all alerts so far, oldest first.
    pub fn alerts(&self) -> Vec<String> {
        let board = self.engine.board();
        let data = board.read();
        data.alerts.iter().map(|alert| alert.text.clone()).collect()
    }
    pub fn truth(&self, venue: usize) -> Truth {
        self.servers[venue].truth(0).unwrap()
    }

    /// Waits until no order is open or unknown and no set or forced close is under way, ten looks in a row without a new
    /// order: a set approved just before the edge went away is still on its way to the desk at the first of them.
    pub async fn quiet(&self, within: Duration) -> Summary {
        let mut last = None;
        let asking = async {
            let (mut looks, mut sent) = (0, None);
            loop {
                let summary = self.engine.summary("test", "now").await.unwrap();
                let busy = summary.remarks.iter().any(|remark| {
                    remark.contains("sets not ended") || remark.contains("still running")
                });
                let still = summary.orders_open == 0 && summary.orders_unknown == 0 && !busy;
                let same = sent == Some(summary.orders_sent);
                looks = if still && same { looks + 1 } else { 0 };
                if looks >= 10 {
                    return summary;
                }
                sent = Some(summary.orders_sent);
                last = Some(summary.remarks);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(within, asking).await {
            Ok(summary) => summary,
            Err(_elapsed) => panic!(
                "something stayed open: {last:#?}\nalerts {:#?}\npositions {:?}",
                self.alerts(),
                self.positions()
            ),
        }
    }

    async fn operate(&self, command: OperatorCommand) -> OperatorDone {
        self.engine.operate(command).await.unwrap().unwrap()
    }
    pub async fn raise(&self, scope: Scope, level: KillLevel) {
        self.operate(OperatorCommand::Raise {
            scope,
            level,
            by: Person::new("tom", Role::Trader),
            reason: "scripted".to_owned(),
        })
        .await;
    }
    /// Tom asks until all is well, Olga approves what she was shown.
    pub async fn rearm(&self, scope: Scope) {
        let offer = until("a re-arm is offered", SOON, async || {
            let request = OperatorCommand::RequestRearm {
                scope,
                to_level: KillLevel::Armed,
                by: Person::new("tom", Role::Trader),
                reason: "scripted".to_owned(),
                token: Hex32([7; 32]),
            };
            match self.engine.operate(request).await.unwrap() {
                Ok(OperatorDone::RearmOffered(offer)) => Some(offer),
                Err(OperatorRefusal::Unmet(_)) => None,
                other => panic!("{other:?}"),
            }
        })
        .await;
        self.operate(OperatorCommand::ApproveRearm {
            token: offer.token,
            state_hash: offer.state_hash,
            by: Person::new("olga", Role::RiskOfficer),
        })
        .await;
    }

    /// Our ledger says exactly what the venues know: executions one by one, positions, balances.
    pub async fn assert_truth(&self) {
        until("the ledger equals the venues' truth", SOON, async || {
            self.compare().is_ok().then_some(())
        })
        .await;
    }

    fn compare(&self) -> Result<(), String> {
        let fills = self.engine.fills();
        let board = self.engine.board();
        for venue in VENUES {
            let instrument = InstrumentId(u16::try_from(venue).unwrap());
            let truth = self.truth(venue);
            let real: Vec<_> = truth
                .fills
                .iter()
                .map(|fill| (fill.trade_id, fill.side, fill.qty, fill.price))
                .collect();
            let mut known: Vec<_> = fills
                .iter()
                .filter(|fill| fill.instrument == instrument)
                .map(|fill| (fill.trade_id, fill.side, fill.qty, fill.price))
                .collect();
            known.sort_by_key(|fill| fill.0);
            if real != known {
                return Err(format!("venue {venue}: {real:?} is known as {known:?}"));
            }
            let grid = self.engine.catalogue().get(instrument).unwrap().grid;
            let held: i64 = real.iter().map(|fill| fill.1.sign() * fill.2.0).sum();
            let booked = board.read().positions[venue].quantity;
            if grid.qty_decimal(Qty(held)) != booked {
                return Err(format!("venue {venue}: {held} is booked as {booked}"));
            }
            if !truth.open_orders.is_empty() {
                return Err(format!("venue {venue}: {:?}", truth.open_orders));
            }
        }
        Ok(())
    }

    /// Our position in BTC at each venue.
    pub fn positions(&self) -> [Decimal; 3] {
        let board = self.engine.board();
        let data = board.read();
        [A, B, PERP].map(|venue| data.positions[venue].quantity)
    }

    /// Stops the engine, then the venues; what it said at the end and what it wrote.
    pub async fn stop(self) -> (Summary, Vec<journal::Entry>) {
        let summary = self.engine.stop("test", "test").await.unwrap();
        self.beating.abort();
        let journal = journal::read(&self.journal.path().join("journal.jsonl")).unwrap();
        assert_eq!(journal.torn_bytes, 0);
        (summary, journal.entries)
    }
}

pub fn is_trusted(book: &InstrumentStatus) -> bool {
    book.trust == "trusted"
}

/// Position after each execution at one venue, in steps.
pub fn running(fills: &[Fill], venue: usize) -> Vec<i64> {
    let mut sum = 0;
    fills
        .iter()
        .filter(|fill| fill.venue.index() == venue)
        .map(|fill| {
            sum += fill.side.sign() * fill.qty.0;
            sum
        })
        .collect()
}

/// Counts of a strategy's outcome.
pub fn outcome(snapshot: &EngineSnapshot, label: &str) -> u64 {
    let counts: BTreeMap<&str, u64> = snapshot.strategies[0].opportunities.iter().collect();
    counts.get(label).copied().unwrap_or(0)
}
/// Refusals of the gate by code.
pub fn refusals(snapshot: &EngineSnapshot, code: &str) -> u64 {
    let counts: BTreeMap<&str, u64> = snapshot.strategies[0].rejections.iter().collect();
    counts.get(code).copied().unwrap_or(0)
}
