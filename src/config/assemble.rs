//! From settings and the venues' own rules to what the engine is built from: catalogue, limits, strategies, fees.
//!
//! The live system and the virtual-time world both come through here, so that they cannot differ.

use std::sync::Arc;

use crate::engine::HotSetup;
use crate::exchanges::feed::FeedInstrument;
use crate::exchanges::gateway::GatewayInstrument;
use crate::exchanges::rules::{RuleBook, RulesError, TradingRules};
use crate::execution::RepairRules;
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::risk::Limits;
use crate::strategy::{StrategyError, build};
use crate::units::{Nanos, Ppm, Qty};

use super::settings::{EngineMode, Settings, SettingsError};

/// The venues' rules do not fit the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// A venue does not list a configured symbol.
    #[error(
        "venue {venue} does not list {symbol}: remove it from venues.toml, or correct the symbol"
    )]
    NotListed {
        /// Venue instance.
        venue: String,
        /// Unified symbol.
        symbol: String,
    },
    /// A rule cannot be used.
    #[error("venue {venue}: {error}")]
    Rules {
        /// Venue instance.
        venue: String,
        /// What is wrong.
        error: RulesError,
    },
    /// Limits or strategies do not fit the instruments.
    #[error("{0}")]
    Settings(#[from] SettingsError),
    /// A strategy's instruments cannot be traded together.
    #[error("{0}")]
    Strategy(#[from] StrategyError),
    /// Ids, venues or grids contradict each other.
    #[error("instruments did not form a catalogue")]
    Catalogue,
}

/// What every engine shares.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// All instruments; ids follow the order of venues and their symbols.
    pub catalogue: Arc<Catalogue>,
    /// The gate's and the monitor's limits.
    pub limits: Arc<Limits>,
    /// Taker fee by instrument id.
    pub taker_fees: Vec<Ppm>,
}

/// What a gateway of one venue is told of its instruments.
#[must_use]
pub fn gateway_instruments(catalogue: &Catalogue, venue: VenueId) -> Vec<GatewayInstrument> {
    catalogue
        .at_venue(venue)
        .map(|instrument| GatewayInstrument {
            id: instrument.id,
            native: instrument.native.clone(),
            grid: instrument.grid,
        })
        .collect()
}

/// What a feed of one venue is told of its instruments.
#[must_use]
pub fn feed_instruments(catalogue: &Catalogue, venue: VenueId) -> Vec<FeedInstrument> {
    catalogue
        .at_venue(venue)
        .map(|instrument| FeedInstrument {
            id: instrument.id,
            native: instrument.native.clone(),
            grid: instrument.grid,
        })
        .collect()
}

/// Shortest time between two marks of one instrument.
const MARK_INTERVAL: Nanos = Nanos::from_millis(10);

impl Assembly {
    /// Builds the catalogue from each venue's rules (same order as the settings' venues), then the limits.
    ///
    /// # Errors
    /// [`AssembleError`]; nothing is guessed.
    pub fn new(settings: &Settings, books: &[RuleBook]) -> Result<Self, AssembleError> {
        let mut chosen: Vec<(VenueId, &TradingRules)> = Vec::new();
        for ((venue, configured), book) in (0_u8..).map(VenueId).zip(settings.venues()).zip(books) {
            for symbol in &configured.symbols {
                let rules = book
                    .find_symbol(symbol)
                    .ok_or_else(|| AssembleError::NotListed {
                        venue: configured.id.clone(),
                        symbol: symbol.to_string(),
                    })?;
                chosen.push((venue, rules));
            }
        }
        let mut instruments = Vec::with_capacity(chosen.len());
        for (id, (venue, rules)) in (0_u16..).map(InstrumentId).zip(&chosen) {
            let same: Vec<&TradingRules> = chosen
                .iter()
                .map(|(_, other)| *other)
                .filter(|other| {
                    other.symbol.base == rules.symbol.base
                        && other.symbol.quote == rules.symbol.quote
                })
                .collect();
            let named = |error| AssembleError::Rules {
                venue: settings
                    .venues()
                    .get(venue.index())
                    .map_or_else(String::new, |one| one.id.clone()),
                error,
            };
            let grid = TradingRules::shared_grid(&same).map_err(named)?;
            instruments.push(rules.instrument(id, *venue, grid).map_err(named)?);
        }
        let names = settings
            .venues()
            .iter()
            .map(|venue| venue.id.clone())
            .collect();
        let catalogue = Catalogue::new(names, instruments).ok_or(AssembleError::Catalogue)?;
        let limits = settings.limits(&catalogue)?;
        let taker_fees = settings.taker_fees(&catalogue);
        Ok(Self {
            catalogue: Arc::new(catalogue),
            limits: Arc::new(limits),
            taker_fees,
        })
    }

    /// The hot path's setup. `feeds` names the instruments of each feed ring; `available` what each instrument can sell at
    /// start (spot base balances; zero for derivatives).
    ///
    /// # Errors
    /// [`AssembleError`] when a strategy does not fit the instruments.
    pub fn hot_setup(
        &self,
        settings: &Settings,
        feeds: Vec<Vec<InstrumentId>>,
        available: Vec<Qty>,
    ) -> Result<HotSetup, AssembleError> {
        let rules = settings.strategies.iter().map(|strategy| {
            let common = strategy.common();
            RepairRules {
                on_broken: strategy.on_broken,
                cost_max: common.max_unwind_cost,
                book_age_max: common.max_book_age,
                cushion: common.limit_cushion,
                notional_margin: self.limits.notional_margin,
            }
        });
        let rules = rules.collect();
        let strategies = settings
            .strategy_params(&self.catalogue)?
            .into_iter()
            .map(|params| build(params, &self.catalogue))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(HotSetup {
            catalogue: Arc::clone(&self.catalogue),
            limits: Arc::clone(&self.limits),
            reporting: settings.engine.reporting_currency,
            strategies,
            // Orders leave only for a strategy that is as far as the engine itself: a paper strategy of a live engine
            // observes, and an observing engine sends nothing.
            may_send: settings
                .strategies
                .iter()
                .map(|strategy| {
                    settings.engine.mode != EngineMode::Observe
                        && strategy.mode >= settings.engine.mode
                })
                .collect(),
            taker_fees: self.taker_fees.clone(),
            feeds,
            available_at_start: available,
            mark_interval: MARK_INTERVAL,
            repair_rules: rules,
        })
    }
}
