//! What `check` and `inventory` stand on: ticks, minimums, prices and balances, from the simulated venues or from the asker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rust_decimal::Decimal;

use crate::cli::CliError;
use crate::config::Settings;
use crate::config::assemble::{AssembleError, Assembly};
use crate::config::proof::Ground;
use crate::exchanges::rules::RuleBook;
use crate::market::VenueId;
use crate::sim::tape::usual_price_cents;
use crate::sim::world::usual_rules;
use crate::strategy::{Strategy, build};
use crate::units::Asset;

/// What the asker knows better.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GroundArgs {
    /// Price of an asset in the reporting currency, e.g. BTC=60000; may be repeated
    #[arg(long = "price", value_name = "ASSET=AMOUNT", value_parser = price)]
    pub prices: Vec<(Asset, Decimal)>,
    /// What a venue holds, e.g. binance:BTC=1.5; may be repeated
    #[arg(long = "balance", value_name = "VENUE:ASSET=AMOUNT", value_parser = balance)]
    pub balances: Vec<(String, Asset, Decimal)>,
    /// A real venue's own ticks and minimums: its saved exchange information, e.g. binance=exchangeInfo.json; may be repeated
    #[arg(long = "rules", value_name = "VENUE=FILE", value_parser = rules)]
    pub rules: Vec<(String, PathBuf)>,
}

fn price(text: &str) -> Result<(Asset, Decimal), String> {
    let cure = "write ASSET=AMOUNT, e.g. BTC=60000";
    let (asset, amount) = text.split_once('=').ok_or(cure)?;
    let amount = Decimal::from_str_exact(amount).ok();
    let amount = amount.filter(|amount| amount.is_sign_positive() && !amount.is_zero());
    Ok((Asset::new(asset).ok_or(cure)?, amount.ok_or(cure)?))
}

pub(crate) fn balance(text: &str) -> Result<(String, Asset, Decimal), String> {
    let cure = "write VENUE:ASSET=AMOUNT, e.g. binance:BTC=1.5";
    let (venue, rest) = text.split_once(':').ok_or(cure)?;
    let (asset, amount) = rest.split_once('=').ok_or(cure)?;
    let amount = Decimal::from_str_exact(amount).ok();
    let amount = amount.filter(|amount| !amount.is_sign_negative());
    let asset = Asset::new(asset).ok_or(cure)?;
    Ok((venue.to_owned(), asset, amount.ok_or(cure)?))
}

fn rules(text: &str) -> Result<(String, PathBuf), String> {
    let (venue, file) = text
        .split_once('=')
        .ok_or("write VENUE=FILE, e.g. binance=exchangeInfo.json")?;
    Ok((venue.to_owned(), PathBuf::from(file)))
}

/// What must stay while a [`Ground`] is looked at.
#[derive(Debug)]
pub(crate) struct Base {
    assembly: Assembly,
    strategies: Vec<Box<dyn Strategy>>,
    values: BTreeMap<Asset, Decimal>,
    balances: Vec<Option<BTreeMap<Asset, Decimal>>>,
    assumed: BTreeSet<VenueId>,
}

impl Base {
    /// Builds everything that an engine would build, without venues.
    ///
    /// # Errors
    /// Exit code 2 when a strategy cannot be built on the venues' rules, or an argument names what is not there.
    pub(crate) fn new(settings: &Settings, args: &GroundArgs) -> Result<Self, CliError> {
        let usage = |error: String| CliError::usage(error);
        let venue_of = |name: &str| {
            let venues = settings.venues().iter();
            let mut named = (0_u8..).map(VenueId).zip(venues);
            let found = named.find(|(_, venue)| venue.id == name);
            found.ok_or_else(|| CliError::usage(format!("{name} is not a venue of venues.toml")))
        };
        let mut books = usual_rules(settings).map_err(|error| usage(error.to_string()))?;
        let real = (0_u8..).map(VenueId).zip(settings.venues());
        let real = real.filter(|(_, venue)| !venue.simulated);
        let mut assumed: BTreeSet<VenueId> = real.map(|(id, _)| id).collect();
        for (name, file) in &args.rules {
            let (id, venue) = venue_of(name)?;
            let body = std::fs::read(file)
                .map_err(|error| usage(format!("{}: {error}", file.display())))?;
            let book = RuleBook::parse(venue.dialect, &body)
                .map_err(|error| usage(format!("{}: {error}", file.display())))?;
            if let Some(slot) = books.get_mut(id.index()) {
                *slot = book;
            }
            assumed.remove(&id);
        }
        let not_built = |error: AssembleError| {
            let text = format!("configuration cannot be built on its venues' rules: {error}");
            usage(text)
        };
        let assembly = Assembly::new(settings, &books).map_err(not_built)?;
        let strategies = settings
            .strategy_params(&assembly.catalogue)
            .map_err(|error| not_built(error.into()))?
            .into_iter()
            .zip(&settings.strategies)
            .map(|(params, named)| {
                build(params, &assembly.catalogue)
                    .map_err(|error| usage(format!("strategy {} cannot trade: {error}", named.id)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut balances: Vec<Option<BTreeMap<Asset, Decimal>>> = settings
            .venues()
            .iter()
            .map(|venue| {
                let held = venue.balances.iter().copied();
                venue.simulated.then(|| held.collect())
            })
            .collect();
        for (name, asset, amount) in &args.balances {
            let (id, _) = venue_of(name)?;
            if let Some(held) = balances.get_mut(id.index()) {
                held.get_or_insert_default().insert(*asset, *amount);
            }
        }
        Ok(Self {
            values: values(settings, args),
            assembly,
            strategies,
            balances,
            assumed,
        })
    }

    /// What there is to look at.
    #[must_use]
    pub(crate) fn ground<'a>(&'a self, settings: &'a Settings) -> Ground<'a> {
        Ground {
            settings,
            catalogue: &self.assembly.catalogue,
            limits: &self.assembly.limits,
            strategies: &self.strategies,
            values: self.values.clone(),
            balances: self.balances.clone(),
            assumed: self.assumed.clone(),
        }
    }
}

/// The asker's prices, and those at which the simulated market begins.
fn values(settings: &Settings, args: &GroundArgs) -> BTreeMap<Asset, Decimal> {
    let mut values = BTreeMap::new();
    let dollar = |asset: Asset| ["USD", "USDT", "USDC"].contains(&asset.as_str());
    if dollar(settings.engine.reporting_currency) {
        let simulated = settings.venues().iter().filter(|venue| venue.simulated);
        for symbol in simulated.flat_map(|venue| &venue.symbols) {
            for asset in [symbol.base, symbol.quote] {
                if !dollar(asset) {
                    let cents = usual_price_cents(asset.as_str());
                    values.insert(asset, Decimal::new(cents, 2));
                }
            }
        }
    }
    values.extend(args.prices.iter().copied());
    values
}
