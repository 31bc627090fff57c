//! Checked settings as plain values, and what the other rooms are built from with them.

use std::net::SocketAddr;
use std::path::PathBuf;

use rust_decimal::Decimal;

use crate::engine::recovery::{Policy, Unexplained};
use crate::exchanges::Dialect;
use crate::exchanges::gateway::DeadManTerms;
use crate::execution::LegBudget;
use crate::market::{Catalogue, InstrumentId, Symbol, VenueId};
use crate::priority::Priorities;
use crate::risk::{InstrumentLimits, Limits};
use crate::trade::StrategyId;
use crate::units::{Asset, Nanos, Ppm};

use super::document::Echo;
use super::strategies::StrategySettings;

/// Everything that was configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The process.
    pub engine: EngineSettings,
    /// The venue instances; a venue's index is its `VenueId`.
    pub venues: Vec<VenueSettings>,
    /// The risk officer's limits.
    pub limits: LimitSettings,
    /// The strategies; an index is a `StrategyId`.
    pub strategies: Vec<StrategySettings>,
    /// SHA-256 over the files, hex.
    pub hash: String,
    /// Every setting as it was understood.
    pub echoes: Vec<Echo>,
}

/// Whether orders leave, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineMode {
    /// No orders.
    Observe,
    /// Orders to simulated venues.
    Paper,
    /// Real orders.
    Live,
}

/// The same for one strategy.
pub type StrategyMode = EngineMode;

impl EngineMode {
    /// Configuration word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
    /// By configuration word; observe for anything else (the safe one).
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "live" => Self::Live,
            "paper" => Self::Paper,
            _ => Self::Observe,
        }
    }
}

/// How the signal thread waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Never sleeps.
    Spin,
    /// Looks again for a while, then sleeps.
    SpinThenPark(Nanos),
    /// Sleeps at once.
    Park,
}

/// Which threads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Execution on its own thread.
    Seats,
    /// Execution on the signal thread.
    Fused,
}

/// `engine.toml`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Whether orders leave.
    pub mode: EngineMode,
    /// Currency of limits and profit.
    pub reporting_currency: Asset,
    /// Number of this process in client order ids.
    pub node: u16,
    /// Where the journal and the `SQLite` database are written.
    pub data_dir: PathBuf,
    /// How the signal thread waits.
    pub wait: Wait,
    /// Which threads there are.
    pub layout: Layout,
    /// Core of the signal thread.
    pub pin_core: Option<usize>,
    /// Where the web server listens; loopback.
    pub metrics_address: SocketAddr,
    /// What is filled from the journal.
    pub store: StoreSettings,
    /// Who outside is told of alerts.
    pub alerts: Vec<AlertSettings>,
    /// Who may steer; none reads only.
    pub tokens_file: Option<PathBuf>,
    /// What a start does with what an earlier session left.
    pub recovery: RecoverySettings,
    /// The venues' dead-man switches, unless they are not to be armed.
    pub dead_man: Option<DeadManTerms>,
    /// When and how a watchdog acts.
    pub watchdog: WatchdogSettings,
    /// How far threads that do not trade step back.
    pub threads: Priorities,
}

/// `[watchdog]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchdogSettings {
    /// Longest time without a new heartbeat.
    pub grace: Nanos,
    /// How far through the best price its orders may go.
    pub protection: Ppm,
}

/// `[recovery]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverySettings {
    /// What is done with positions and our open orders.
    pub policy: Policy,
    /// What is done with a difference that no execution explains.
    pub unexplained: Unexplained,
    /// Longest time for two equal comparisons.
    pub timeout: Nanos,
}

/// Which database is filled from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// None.
    None,
    /// `DATA_DIR/arbalest.db`.
    Sqlite,
    /// A server.
    Postgres {
        /// Where its address is.
        url: KeySource,
        /// Schema of our tables.
        schema: String,
    },
}

/// `[[alert]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// How the receiver is served.
    pub terms: crate::engine::alerts::SinkTerms,
    /// Where its address is.
    pub url: KeySource,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
}

/// `[venue.keys]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// Ed25519 when true, HMAC-SHA256 otherwise.
    pub ed25519: bool,
    /// The API key.
    pub api_key: KeySource,
    /// The secret or private key.
    pub secret: KeySource,
}

/// An asset that pays fees at a discount while it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeDiscount {
    /// Which.
    pub asset: Asset,
    /// Share of a fee that is saved.
    pub discount: Ppm,
    /// Worth of it in the quote asset below which no discount is assumed.
    pub floor_quote: Decimal,
}

/// One `[[venue]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueSettings {
    /// Its name.
    pub id: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its symbols, in order: instrument ids follow the order of venues and symbols.
    pub symbols: Vec<Symbol>,
    /// Run it inside the process.
    pub simulated: bool,
    /// One way to the simulated venue.
    pub simulated_latency: Nanos,
    /// REST base address without a slash at the end.
    pub rest_url: String,
    /// Stream base address without a slash at the end.
    pub ws_url: String,
    /// Order entry address.
    pub ws_api_url: String,
    /// Paid by the side that takes.
    pub taker_fee: Ppm,
    /// Paid by the side that rests; negative is a rebate.
    pub maker_fee: Ppm,
    /// What fees are paid with at a discount.
    pub fee_discount: Option<FeeDiscount>,
    /// Keys, unless public data only.
    pub keys: Option<KeySettings>,
    /// Keys of the watchdog.
    pub watchdog_keys: Option<KeySettings>,
    /// What taking an asset out costs, in that asset.
    pub withdraw_fees: Vec<(Asset, Decimal)>,
    /// How long that takes.
    pub withdraw_time: Option<Nanos>,
    /// Starting balances of a simulated venue.
    pub balances: Vec<(Asset, Decimal)>,
}

/// `limits.toml`, before the instruments' grids are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// All but the instruments.
    pub common: Limits,
    /// By venue index and symbol, in base units: order, position.
    pub instruments: Vec<(VenueId, Symbol, Decimal, Decimal)>,
}

/// The venues' rules contradict the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A configured symbol is not in the venue's list of instruments.
    #[error("venue {venue} does not list {symbol}")]
    InstrumentMissing {
        /// Venue instance.
        venue: String,
        /// Unified symbol.
        symbol: String,
    },
    /// A limit is smaller than one step of the instrument, or does not fit.
    #[error("{what} of {instrument} was {value}, not at least one step of its grid")]
    NoStep {
        /// Which limit.
        what: &'static str,
        /// Venue and symbol.
        instrument: String,
        /// As configured.
        value: Decimal,
    },
}

impl Settings {
    /// The venue instances; an index is a `VenueId`.
    #[must_use]
    pub fn venues(&self) -> &[VenueSettings] {
        &self.venues
    }

    /// How much each strategy's sets may have unhedged for how long, by strategy id.
    #[must_use]
    pub fn leg_budgets(&self) -> Vec<LegBudget> {
        let all = self.strategies.iter();
        all.map(|strategy| strategy.leg_budget).collect()
    }

    /// The limits on the instruments' grids, rounded down.
    ///
    /// # Errors
    /// [`SettingsError`] when an instrument is missing or a limit is below one step.
    pub fn limits(&self, catalogue: &Catalogue) -> Result<Limits, SettingsError> {
        let mut limits = self.limits.common.clone();
        limits.instruments = vec![None; catalogue.all().len()];
        for (venue, symbol, order, position) in &self.limits.instruments {
            let id = self.instrument(catalogue, *venue, symbol)?;
            let steps = |what: &'static str, value: Decimal| {
                catalogue
                    .get(id)
                    .and_then(|instrument| instrument.grid.qty_floor(value))
                    .filter(|qty| qty.0 > 0)
                    .ok_or_else(|| SettingsError::NoStep {
                        what,
                        instrument: catalogue.label(id),
                        value,
                    })
            };
            let order_qty_max = steps("order_qty_base_max", *order)?;
            let position_qty_max = steps("position_qty_base_max", *position)?;
            if let Some(slot) = limits.instruments.get_mut(id.index()) {
                *slot = Some(InstrumentLimits {
                    order_qty_max,
                    position_qty_max,
                });
            }
        }
        Ok(limits)
    }

    /// A strategy's id by its name.
    #[must_use]
    pub fn strategy_id(&self, name: &str) -> Option<StrategyId> {
        let index = self
            .strategies
            .iter()
            .position(|strategy| strategy.id == name)?;
        u8::try_from(index).ok().map(StrategyId)
    }

    pub(super) fn instrument(
        &self,
        catalogue: &Catalogue,
        venue: VenueId,
        symbol: &Symbol,
    ) -> Result<InstrumentId, SettingsError> {
        catalogue
            .at_venue(venue)
            .find(|instrument| instrument.symbol == *symbol)
            .map(|instrument| instrument.id)
            .ok_or_else(|| SettingsError::InstrumentMissing {
                venue: self
                    .venues
                    .get(venue.index())
                    .map_or_else(String::new, |venue| venue.id.clone()),
                symbol: symbol.to_string(),
            })
    }
}
