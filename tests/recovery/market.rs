//! Three venues on loopback sockets that outlive every engine, a market with an edge that moves from venue to venue, and a
//! configuration of an engine that trades it live.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arbalest::clock::{Clock, OsClock};
use arbalest::exchanges::Dialect;
use arbalest::sim::server::{Pace, VenueServer};
use arbalest::sim::tape::MarketChange;
use arbalest::sim::venue::{RateLimits, Truth, VenueCore, VenueSetup};
use arbalest::units::{Price, Qty, Side, UnixNanos};

pub(crate) const NAMES: [&str; 3] = ["spot_a", "spot_b", "perp"];
pub(crate) const SYMBOLS: [&str; 3] = ["BTC/USDT", "BTC/USDT", "BTC/USDT:USDT"];
const DIALECTS: [Dialect; 3] = [
    Dialect::BinanceSpot,
    Dialect::BinanceSpot,
    Dialect::BinanceUsdm,
];
const KEY: &str = "recovery-test-key";
const SECRET: &str = "recovery-test-secret";

/// Best bid without an edge, in cents.
const BID: i64 = 6_000_000;
/// An edge of about 33 basis points.
const EDGE: i64 = 20_000;
const SPREAD: i64 = 10;

pub(crate) struct Venues {
    pub(crate) servers: Arc<Vec<VenueServer>>,
    moving: tokio::task::JoinHandle<()>,
}

/// Decimals of quantities on the venues' grid, by venue.
pub(crate) const QTY_DECIMALS: [u32; 3] = [5, 5, 3];

impl Venues {
    pub(crate) fn start() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let servers: Vec<VenueServer> = DIALECTS
            .into_iter()
            .map(|dialect| {
                let mut setup = VenueSetup::demo(dialect, KEY, SECRET);
                // Twenty starts in two minutes are more than a venue allows.
                setup.limits = RateLimits {
                    weight_per_minute: 1_000_000,
                    orders_per_10s: 1_000_000,
                    orders_long: 1_000_000,
                    ..setup.limits
                };
                let core = VenueCore::new(setup, OsClock::new().now_unix());
                VenueServer::start(core, None, Pace::RealTime, any, any).unwrap()
            })
            .collect();
        let servers = Arc::new(servers);
        let moving = tokio::spawn(play(Arc::clone(&servers)));
        Self { servers, moving }
    }

    pub(crate) fn truths(&self) -> Vec<Truth> {
        let truth = |server: &VenueServer| server.truth(0).unwrap();
        self.servers.iter().map(truth).collect()
    }
    /// Executions of all venues.
    pub(crate) fn fills(&self) -> usize {
        self.truths().iter().map(|truth| truth.fills.len()).sum()
    }
    /// Requests of all venues.
    pub(crate) fn requests(&self) -> u64 {
        let count = |server: &VenueServer| {
            server.status().messages_received + server.status().http_requests
        };
        self.servers.iter().map(count).sum()
    }
    /// Nothing moves any more.
    pub(crate) fn freeze(&self) {
        self.moving.abort();
    }
}

/// Every 30 ms the touch of every venue changes; every half second another venue is the dear one.
async fn play(servers: Arc<Vec<VenueServer>>) {
    let mut last_id = 0_u64;
    let mut resting: [[Vec<u64>; 2]; 3] = [const { [const { Vec::new() }; 2] }; 3];
    let mut quoted = [BID; 3];
    let mut beat = 0_i64;
    let mut ticks = tokio::time::interval(Duration::from_millis(30));
    loop {
        ticks.tick().await;
        beat += 1;
        let dear = beat.div_euclid(16).rem_euclid(3);
        for (venue, server) in (0_i64..).zip(servers.iter()) {
            let index = venue as usize;
            let lot = 10_i64.pow(QTY_DECIMALS[index]);
            let bid = if venue == dear { BID + EDGE } else { BID };
            // The side that the market moves away from first: it neither trades with itself nor stands empty.
            let sides = if bid >= quoted[index] {
                [Side::Sell, Side::Buy]
            } else {
                [Side::Buy, Side::Sell]
            };
            quoted[index] = bid;
            for side in sides {
                let (touch, away) = match side {
                    Side::Buy => (bid, -500),
                    Side::Sell => (bid + SPREAD, 500),
                };
                let slot = usize::from(side == Side::Sell);
                let old = std::mem::take(&mut resting[index][slot]);
                for level in 0..4_i64 {
                    last_id += 1;
                    resting[index][slot].push(last_id);
                    let place = MarketChange::Place {
                        order_id: last_id,
                        side,
                        price: Price(touch + away * level),
                        qty: Qty(lot * (2 + beat.rem_euclid(3) + level)),
                        ioc: false,
                    };
                    server.play(0, place);
                }
                for order_id in old {
                    server.play(0, MarketChange::Cancel { order_id });
                }
            }
            if index == 2 {
                let mark = Price(bid);
                server.play(
                    0,
                    MarketChange::Mark {
                        mark,
                        index: mark,
                        funding_ppb: 0,
                        next_funding_time: UnixNanos(4_000_000_000_000_000_000),
                    },
                );
            }
        }
    }
}

/// A directory with the configuration of a live engine against the venues.
pub(crate) fn configuration(venues: &Venues, extra: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let venue = |index: usize| {
        let server = &venues.servers[index];
        format!(
            "[[venue]]\nid = \"{}\"\ndialect = \"{}\"\nsymbols = [\"{}\"]\nrest_url = \"{}\"\nws_url = \"{}\"\nws_api_url = \"{}\"\n\
             [venue.fees]\ntaker_fee_bps = {}\nmaker_fee_bps = 0\n\
             [venue.keys]\napi_key_env = \"RECOVERY_TEST_KEY\"\nsecret_env = \"RECOVERY_TEST_SECRET\"\n\
             [venue.watchdog_keys]\napi_key_env = \"RECOVERY_TEST_KEY\"\nsecret_env = \"RECOVERY_TEST_SECRET\"\n",
            NAMES[index],
            DIALECTS[index].label(),
            SYMBOLS[index],
            server.http_url(),
            server.ws_url(),
            server.ws_url(),
            if index == 2 { 5 } else { 10 },
        )
    };
    let instrument = |index: usize| {
        format!(
            "[[instrument]]\nvenue = \"{}\"\nsymbol = \"{}\"\norder_qty_base_max = \"0.5\"\nposition_qty_base_max = \"3\"\n",
            NAMES[index], SYMBOLS[index]
        )
    };
    // Ages are generous: a busy machine is no reason for a refusal here.
    let limits = "order_notional_usd_max = \"100000\"\nunrealized_loss_usd_max = \"100000\"\nref_price_age_ms_max = 10000\n\
         risk_view_age_ms_max = 20000\n\
         [notional_usd_max]\nsymbol = \"1000000\"\nvenue = \"1000000\"\nasset_net = \"100000\"\ngross = \"1000000\"\nnet = \"1000000\"\n";
    let strategy = "id = \"cross\"\nkind = \"cross_exchange\"\nmode = \"live\"\nsymbol = \"BTC/USDT\"\nvenues = [\"spot_a\", \"spot_b\", \"perp\"]\n\
         min_net_edge_bps = 1.5\nmin_order_quote = \"100\"\nmax_order_quote = \"500\"\nmax_inventory_quote = \"100000\"\n\
         max_book_age_ms = 10000\nmax_leg_skew_ms = 10000\ncooldown_ms = 30\nmax_sets_per_min = 256\nmax_open_sets = 2\n\
         limit_cushion_bps = 0.5\nmax_broken_sets = 1000\nmax_unwind_cost_bps = 200\n";
    let engine = format!(
        "mode = \"live\"\ndata_dir = \"{}\"\n{extra}\n[metrics]\naddress = \"127.0.0.1:0\"\n[signal]\nwait = \"park\"\n",
        data_dir(directory.path()).display()
    );
    std::fs::create_dir(directory.path().join("strategies")).unwrap();
    for (name, text) in [
        ("engine.toml", engine),
        ("venues.toml", (0..3).map(venue).collect()),
        (
            "limits.toml",
            [limits.to_owned(), (0..3).map(instrument).collect()].concat(),
        ),
        ("strategies/cross.toml", strategy.to_owned()),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

pub(crate) fn data_dir(configuration: &Path) -> PathBuf {
    configuration.join("var")
}

/// The program with the keys of the venues; its diagnosis goes to a file.
pub(crate) fn program(arguments: &[&str], errors: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_arbalest"))
        .args(arguments)
        .env_remove("ARBALEST_LOG")
        .env("RECOVERY_TEST_KEY", KEY)
        .env("RECOVERY_TEST_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(errors).unwrap())
        .spawn()
        .unwrap()
}

/// The engine.
pub(crate) fn engine(configuration: &Path, errors: &Path) -> Child {
    program(
        &[
            "run",
            "--live",
            "--json",
            "--config",
            configuration.to_str().unwrap(),
        ],
        errors,
    )
}

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until it is so; `errors` is what the process said.
pub(crate) async fn until(what: &str, errors: &Path, mut ask: impl FnMut() -> bool) {
    let asking = async {
        while !ask() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, asking).await.is_err() {
        let said = std::fs::read_to_string(errors).unwrap();
        panic!(
            "within {} s it did not happen: {what}\n{said}",
            PATIENCE.as_secs()
        );
    }
}
