//! What a simulated venue is made of: dialect, symbols with their filters, accounts, fees, latency, limits.
//!
//! All values are plain and public: a world, a configuration or a test fills them in; [`VenueSetup::demo`] is a small
//! venue that works at once.

use crate::exchanges::Dialect;
use crate::units::{Asset, Grid, Nanos, Notional, Ppm, Price, Qty};

use super::amount::Amount;

/// The asset a spot fee is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeAsset {
    /// Of what the order received (base for a buy, quote for a sell): the real venue without a discount.
    Received,
    /// Always of the quote asset, like the real venue's mode that pays fees from another asset's balance (BNB): the
    /// bought quantity arrives whole. An open buy reserves its fee too.
    Quote,
}

/// Time on the way, each way. A message takes `base + uniform(0..=jitter)`, and never overtakes one on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencySetup {
    /// A request to the matching engine.
    pub order_entry: Nanos,
    /// An answer or an account event back to the client.
    pub response: Nanos,
    /// A market event to its subscribers.
    pub market_data: Nanos,
    /// Added on top, uniform, seeded; zero: none.
    pub jitter: Nanos,
}

impl LatencySetup {
    /// No time at all: answers leave in the same instant.
    pub const NONE: Self = Self {
        order_entry: Nanos::ZERO,
        response: Nanos::ZERO,
        market_data: Nanos::ZERO,
        jitter: Nanos::ZERO,
    };
}

/// Request limits. Zero switches a limit off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Request weight a minute (for all clients of this venue together).
    pub weight_per_minute: u32,
    /// Orders of one account in 10 s.
    pub orders_per_10s: u32,
    /// Orders of one account in the long window: a day on spot, a minute on USD-M.
    pub orders_long: u32,
    /// Control messages a second on one market connection; more closes it.
    pub control_per_second: u32,
}

/// One tradable symbol. Prices and quantities in steps of `grid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolSetup {
    /// The venue's name, such as `BTCUSDT`.
    pub native: String,
    /// Base asset.
    pub base: Asset,
    /// Quote asset; on USD-M also the margin asset.
    pub quote: Asset,
    /// Decimal grid of prices and quantities: at most 18 decimals together.
    pub grid: Grid,
    /// Price step.
    pub tick: Price,
    /// Quantity step.
    pub lot: Qty,
    /// Least quantity of an order.
    pub qty_min: Qty,
    /// Largest quantity of an order.
    pub qty_max: Qty,
    /// Least price.
    pub price_min: Price,
    /// Largest price.
    pub price_max: Price,
    /// Least price times quantity.
    pub notional_min: Notional,
    /// Open orders one account may have.
    pub open_orders_max: u32,
    /// Leverage of USD-M positions, at least 1.
    pub leverage: u32,
    /// Decimals of prices on the wire of USD-M (spot always writes eight).
    pub price_precision: u8,
    /// Decimals of quantities on the wire of USD-M.
    pub qty_precision: u8,
}

impl SymbolSetup {
    /// A symbol whose native name is base and quote joined, with wide bounds and a least notional of five quote units.
    #[must_use]
    pub fn new(base: Asset, quote: Asset, grid: Grid, tick: Price, lot: Qty) -> Self {
        let notional_min = grid
            .notional_floor(crate::units::Money(rust_decimal::Decimal::from(5)))
            .unwrap_or_default();
        Self {
            native: format!("{base}{quote}"),
            base,
            quote,
            grid,
            tick,
            lot,
            qty_min: lot,
            qty_max: Qty(lot
                .0
                .saturating_mul(1_000_000_000)
                .min(i64::MAX.div_euclid(4))),
            price_min: tick,
            price_max: Price(
                tick.0
                    .saturating_mul(100_000_000)
                    .min(i64::MAX.div_euclid(4)),
            ),
            notional_min,
            open_orders_max: 200,
            leverage: 20,
            price_precision: grid.price_decimals(),
            qty_precision: grid.qty_decimals(),
        }
    }
}

/// One customer of the venue.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountSetup {
    /// API key, sent in clear.
    pub api_key: String,
    /// Secret of HMAC-SHA256 signatures; empty: that kind is refused.
    pub api_secret: String,
    /// Raw Ed25519 public key (32 bytes); `None`: that kind is refused.
    pub ed25519_public: Option<Vec<u8>>,
    /// Balances at the start (USD-M: wallet balances).
    pub balances: Vec<(Asset, Amount)>,
}

impl std::fmt::Debug for AccountSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountSetup")
            .field("api_key", &self.api_key)
            .field("balances", &self.balances)
            .finish_non_exhaustive()
    }
}

/// One simulated venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueSetup {
    /// Its wire language.
    pub dialect: Dialect,
    /// Symbols; a tape names them by index.
    pub symbols: Vec<SymbolSetup>,
    /// Customers.
    pub accounts: Vec<AccountSetup>,
    /// Fee of a resting order.
    pub maker_fee: Ppm,
    /// Fee of a taking order.
    pub taker_fee: Ppm,
    /// Where spot fees come from (USD-M: always the margin asset).
    pub fee_asset: FeeAsset,
    /// Time on the way.
    pub latency: LatencySetup,
    /// Request limits.
    pub limits: RateLimits,
    /// Seed of jitter and of generated ids.
    pub seed: u64,
}

impl RateLimits {
    /// What the real venue publishes.
    #[must_use]
    pub const fn published(dialect: Dialect) -> Self {
        match dialect {
            Dialect::BinanceSpot => Self {
                weight_per_minute: 6_000,
                orders_per_10s: 50,
                orders_long: 160_000,
                control_per_second: 5,
            },
            Dialect::BinanceUsdm => Self {
                weight_per_minute: 2_400,
                orders_per_10s: 300,
                orders_long: 1_200,
                control_per_second: 10,
            },
        }
    }
}

impl VenueSetup {
    /// A venue without accounts, with published limits, no latency and common fees.
    #[must_use]
    pub fn new(dialect: Dialect, symbols: Vec<SymbolSetup>) -> Self {
        let (maker_fee, taker_fee) = match dialect {
            Dialect::BinanceSpot => (Ppm(1_000), Ppm(1_000)),
            Dialect::BinanceUsdm => (Ppm(200), Ppm(500)),
        };
        Self {
            dialect,
            symbols,
            accounts: Vec::new(),
            maker_fee,
            taker_fee,
            fee_asset: FeeAsset::Received,
            latency: LatencySetup::NONE,
            limits: RateLimits::published(dialect),
            seed: 1,
        }
    }

    /// BTCUSDT and ETHUSDT with the recordings' steps, and one account with the given key and secret, well funded.
    #[must_use]
    pub fn demo(dialect: Dialect, api_key: &str, api_secret: &str) -> Self {
        let spot = dialect == Dialect::BinanceSpot;
        let qty_decimals = |spot_decimals| if spot { spot_decimals } else { 3 };
        let symbol = |base: &str, tick: i64, qty_decimals: u8| {
            let base = Asset::new(base)?;
            let grid = Grid::new(2, qty_decimals).ok()?;
            Some(SymbolSetup::new(
                base,
                Asset::new("USDT")?,
                grid,
                Price(tick),
                Qty(1),
            ))
        };
        let symbols = [
            symbol("BTC", if spot { 1 } else { 10 }, qty_decimals(5)),
            symbol("ETH", 1, qty_decimals(4)),
        ];
        let mut setup = Self::new(dialect, symbols.into_iter().flatten().collect());
        let funds: &[(&str, i64)] = if spot {
            &[("USDT", 1_000_000), ("BTC", 10), ("ETH", 200)]
        } else {
            &[("USDT", 1_000_000)]
        };
        let balances = funds
            .iter()
            .filter_map(|&(code, units)| Some((Asset::new(code)?, Amount::whole(units))))
            .collect();
        setup.accounts.push(AccountSetup {
            api_key: api_key.to_owned(),
            api_secret: api_secret.to_owned(),
            ed25519_public: None,
            balances,
        });
        setup
    }
}
