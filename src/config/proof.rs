//! Can this configuration earn? What fees, ticks, minimums, inventory and limits leave of it, with the numbers.
//!
//! Reading finds what is written wrong. This finds what is written right and can never pay: an edge that rounding eats, an
//! order that is too small for the venue or too large for the limits, a venue without the coins to sell.

pub mod advice;
mod exposure;
mod routes;
pub mod runway;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::market::{Catalogue, Instrument, InstrumentKind, VenueId};
use crate::risk::Limits;
use crate::strategy::Strategy;
use crate::units::{Asset, Ppm};

use super::settings::Settings;
use super::strategies::{StrategyKind, StrategySettings};

/// Assets that are taken for one unit of each other where no price says otherwise.
const PAR: [&str; 6] = ["USD", "USDT", "USDC", "FDUSD", "TUSD", "DAI"];

/// Everything that is known about a configuration's world.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// Its instruments with their ticks, lots and minimums.
    pub catalogue: &'a Catalogue,
    /// Its limits on these instruments.
    pub limits: &'a Limits,
    /// Its strategies as built, in the order of the settings.
    pub strategies: &'a [Box<dyn Strategy>],
    /// What one unit of an asset is worth in the reporting currency.
    pub values: BTreeMap<Asset, Decimal>,
    /// What is free by venue; `None` where nobody knows.
    pub balances: Vec<Option<BTreeMap<Asset, Decimal>>>,
    /// Venues whose ticks and minimums are assumed, not their own.
    pub assumed: BTreeSet<VenueId>,
}

/// What is said of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Good,
    /// It holds, but somebody should know.
    Note,
    /// It cannot earn.
    Refused,
}

/// One row, with the reason when there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// By column.
    pub cells: Vec<String>,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why, in words; empty when good.
    pub reason: String,
    /// What to do; empty when there is nothing to do.
    pub cure: String,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// What it shows.
    pub title: &'static str,
    /// How to read it.
    pub note: &'static str,
    /// Headings.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Row>,
}

/// All tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// In the order in which a trader asks.
    pub sheets: Vec<Sheet>,
}

impl Proof {
    /// Looks at everything.
    #[must_use]
    pub fn of(ground: &Ground<'_>) -> Self {
        Self {
            sheets: vec![
                routes::sheet(ground),
                sizes::sheet(ground),
                runway::sheet(ground),
                exposure::sheet(ground),
            ],
        }
    }
    /// Rows that say something, the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<(&Sheet, &Row)> {
        let rows = self.sheets.iter();
        let mut found: Vec<(&Sheet, &Row)> = rows
            .flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row)))
            .filter(|(_, row)| row.verdict != Verdict::Good)
            .collect();
        found.sort_by_key(|(_, row)| std::cmp::Reverse(row.verdict));
        found
    }
    /// How many rows cannot earn.
    #[must_use]
    pub fn refused(&self) -> usize {
        let found = self.findings();
        let refused = found.iter();
        refused
            .filter(|(_, row)| row.verdict == Verdict::Refused)
            .count()
    }
}

impl Row {
    fn good(cells: Vec<String>) -> Self {
        Self {
            cells,
            verdict: Verdict::Good,
            reason: String::new(),
            cure: String::new(),
        }
    }
    fn say(mut self, verdict: Verdict, reason: impl Into<String>, cure: impl Into<String>) -> Self {
        // The worse word stands.
        if verdict > self.verdict {
            self.verdict = verdict;
            self.reason = reason.into();
            self.cure = cure.into();
        }
        self
    }
}

impl Ground<'_> {
    /// What one unit of an asset is worth in the reporting currency.
    #[must_use]
    pub fn value(&self, asset: Asset) -> Option<Decimal> {
        let known = self.values.get(&asset).copied();
        let reporting = self.settings.engine.reporting_currency;
        let is_par = |asset: Asset| PAR.contains(&asset.as_str());
        known.or_else(|| {
            (asset == reporting || (is_par(asset) && is_par(reporting))).then_some(Decimal::ONE)
        })
    }
    /// About what an instrument trades at, in its quote asset.
    fn price(&self, instrument: &Instrument) -> Option<Decimal> {
        let (base, quote) = (instrument.symbol.base, instrument.symbol.quote);
        self.value(base)?.checked_div(self.value(quote)?)
    }
    /// What one unit of quantity is worth in the quote asset.
    fn unit(&self, instrument: &Instrument) -> Option<Decimal> {
        if instrument.kind() == InstrumentKind::InversePerpetual {
            return Some(instrument.multiplier);
        }
        self.price(instrument)?.checked_mul(instrument.multiplier)
    }
    fn venue(&self, venue: VenueId) -> &str {
        self.catalogue.venue_name(venue)
    }
    /// `venue:SYMBOL`
    fn name(&self, instrument: &Instrument) -> String {
        format!("{}:{}", self.venue(instrument.venue), instrument.symbol)
    }
    /// Largest value of one leg in the reporting currency.
    fn largest_leg(&self, strategy: &StrategySettings) -> Option<Decimal> {
        let (_, amount, asset) = strategy.largest_order();
        amount.checked_mul(self.value(asset?)?)
    }
    /// Smallest value of one leg in the reporting currency; none where the strategy has no lower bound of its own.
    fn smallest_leg(&self, strategy: &StrategySettings) -> Option<Decimal> {
        let (amount, asset) = match &strategy.kind {
            StrategyKind::CrossExchange(cross) => (cross.min_order_quote, cross.symbol.quote),
            StrategyKind::Triangular(params) => {
                (params.start_min.0, params.start_assets.first().copied()?)
            }
            StrategyKind::SpotPerpBasis(_) => return None,
        };
        amount.checked_mul(self.value(asset)?)
    }
    /// Each strategy with what was built of it.
    fn strategies(&self) -> impl Iterator<Item = (&StrategySettings, &dyn Strategy)> {
        let built = self.strategies.iter().map(AsRef::as_ref);
        self.settings.strategies.iter().zip(built)
    }
    /// The instruments that a strategy trades.
    fn traded(&self, strategy: &dyn Strategy) -> Vec<&Instrument> {
        let mut ids = BTreeSet::new();
        for (route, _) in strategy.routes() {
            ids.extend(route.legs().map(|(id, _)| id));
        }
        if ids.is_empty() {
            ids.extend(strategy.instruments().iter().copied());
        }
        ids.into_iter()
            .filter_map(|id| self.catalogue.get(id))
            .collect()
    }
}

/// The price of an asset is not known: what to do.
fn price_cure(asset: Asset) -> String {
    format!("give one: --price {asset}=AMOUNT")
}

fn ratio(ppm: Ppm) -> Decimal {
    Decimal::new(ppm.0, 6)
}

/// A ratio in basis points, for a table.
fn bps(ratio: Option<Decimal>) -> String {
    let bps = ratio.and_then(|ratio| ratio.checked_mul(Decimal::from(10_000)));
    bps.map_or_else(
        || "?".to_owned(),
        |bps| bps.round_dp(2).normalize().to_string(),
    )
}

/// An amount, for a table.
fn amount(amount: Option<Decimal>) -> String {
    amount.map_or_else(
        || "?".to_owned(),
        |amount| {
            let places = if amount.abs() < Decimal::ONE { 6 } else { 2 };
            amount.round_dp(places).normalize().to_string()
        },
    )
}
