//! Losses in the journal: one record a minute, and a day of them read back at the next start (RISK.md 2.1).

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::market::{Catalogue, VenueId};
use crate::risk::{KeptPosition, KeptUnit, LossPoint};
use crate::trade::StrategyId;
use crate::units::{Asset, Qty, UnixNanos};

use super::line::Line;
use super::record::{Names, Record};

/// Records are kept this far back: the windows look back a day and one step.
const KEPT_NANOS: i64 = 25 * 3_600 * 1_000_000_000;
/// One record is kept for each span as long as this, the last one.
const SPAN_NANOS: i64 = 60 * 1_000_000_000;

/// A unitised value, in the reporting currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRecord {
    /// Number of units.
    pub units: Decimal,
    /// Highest value that a unit ever had.
    pub high: Decimal,
    /// Equity.
    pub equity: Decimal,
}

/// Profit of a strategy's sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyRecord {
    /// Equity of the whole at its first set.
    pub begun: Decimal,
    /// That and its profit since.
    pub sum: Decimal,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingRecord {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed quantity.
    pub quantity: Decimal,
    /// Signed cost.
    pub cost: Decimal,
    /// Cash of its trades.
    pub cash: Decimal,
}

/// What losses are measured by, with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossRecord {
    /// What amounts are in.
    pub reporting: String,
    /// The whole; absent while a balance or a price is unknown.
    pub whole: Option<UnitRecord>,
    /// Largest fall from the high-water mark.
    pub worst_drawdown: Option<Decimal>,
    /// By venue.
    pub venues: BTreeMap<String, UnitRecord>,
    /// Profit by symbol.
    pub symbols: BTreeMap<String, Decimal>,
    /// By strategy.
    pub strategies: BTreeMap<String, StrategyRecord>,
    /// Price of a unit of each base asset.
    pub prices: BTreeMap<String, Decimal>,
    /// Balances by our own books, by venue and asset.
    pub balances: BTreeMap<String, BTreeMap<String, Decimal>>,
    /// Every position, flat ones that were never traded left out.
    pub positions: Vec<HoldingRecord>,
}

impl From<KeptUnit> for UnitRecord {
    fn from(unit: KeptUnit) -> Self {
        Self {
            units: unit.units.normalize(),
            high: unit.high.normalize(),
            equity: unit.equity.normalize(),
        }
    }
}

impl From<&UnitRecord> for KeptUnit {
    fn from(record: &UnitRecord) -> Self {
        Self {
            units: record.units,
            high: record.high,
            equity: record.equity,
        }
    }
}

impl Names<'_> {
    /// Losses as they stand.
    #[must_use]
    pub fn losses(&self, point: &LossPoint) -> Record {
        let venue = |id: VenueId| self.catalogue.venue_name(id).to_owned();
        let mut balances: BTreeMap<String, BTreeMap<String, Decimal>> = BTreeMap::new();
        for (at, asset, amount) in &point.balances {
            let own = balances.entry(venue(*at)).or_default();
            own.insert(asset.to_string(), amount.normalize());
        }
        let traded = point.positions.iter().filter(|position| {
            !(position.qty.is_zero() && position.trade_cash.is_zero() && position.cost.is_zero())
        });
        Record::LossState(Box::new(LossRecord {
            reporting: point.reporting.to_string(),
            whole: point.whole.map(UnitRecord::from),
            worst_drawdown: point.worst_drawdown,
            venues: point
                .venues
                .iter()
                .map(|(id, unit)| (venue(*id), UnitRecord::from(*unit)))
                .collect(),
            symbols: point
                .symbols
                .iter()
                .map(|(symbol, profit)| (symbol.to_string(), profit.normalize()))
                .collect(),
            strategies: point
                .strategies
                .iter()
                .map(|(id, begun, sum)| {
                    let (begun, sum) = (begun.normalize(), sum.normalize());
                    (self.strategy(*id), StrategyRecord { begun, sum })
                })
                .collect(),
            prices: point
                .prices
                .iter()
                .map(|(asset, price)| (asset.to_string(), price.normalize()))
                .collect(),
            balances,
            positions: traded
                .filter_map(|position| {
                    let grid = self.catalogue.get(position.instrument)?.grid;
                    let (venue, symbol) = self.venue_and_symbol(position.instrument);
                    Some(HoldingRecord {
                        venue,
                        symbol,
                        quantity: grid.qty_decimal(position.qty).normalize(),
                        cost: position.cost.normalize(),
                        cash: position.trade_cash.normalize(),
                    })
                })
                .collect(),
        }))
    }
}

/// Collects what a start needs of the journal's records of losses.
#[derive(Debug)]
pub struct LossReading<'a> {
    catalogue: &'a Catalogue,
    strategies: &'a [String],
    fresh: Vec<bool>,
    points: VecDeque<LossPoint>,
}

impl<'a> LossReading<'a> {
    /// Before the first line. `fresh` by venue id: its account began with this process, so what was lost there is over, and so
    /// is every sum that it is part of.
    #[must_use]
    pub const fn new(catalogue: &'a Catalogue, strategies: &'a [String], fresh: Vec<bool>) -> Self {
        Self {
            catalogue,
            strategies,
            fresh,
            points: VecDeque::new(),
        }
    }

    /// Takes the next `loss_state` line.
    ///
    /// # Errors
    /// It is no such line.
    pub fn take(&mut self, line: &Line) -> Result<(), serde_json::Error> {
        let record: LossRecord = serde_json::from_str(&line.text)?;
        let Some(point) = self.point(&record, UnixNanos(line.time_ns)) else {
            return Ok(());
        };
        let span = |point: &LossPoint| point.at.0.div_euclid(SPAN_NANOS);
        // The first of all stays: what was there at the beginning is what the first losses are measured from.
        if self.points.len() > 1 && self.points.back().map(span) == Some(span(&point)) {
            self.points.pop_back();
        }
        let oldest = point.at.0.saturating_sub(KEPT_NANOS);
        self.points.push_back(point);
        // One from before stays: what it says held until the next.
        while self.points.get(1).is_some_and(|next| next.at.0 < oldest) {
            self.points.pop_front();
        }
        Ok(())
    }

    /// After the last line: oldest first.
    #[must_use]
    pub fn finish(self) -> Vec<LossPoint> {
        self.points.into()
    }

    fn is_fresh(&self, venue: VenueId) -> bool {
        self.fresh.get(venue.index()) == Some(&true)
    }

    fn venue(&self, name: &str) -> Option<VenueId> {
        let names = self.catalogue.venue_names();
        let index = names.iter().position(|venue| venue == name)?;
        u8::try_from(index).ok().map(VenueId)
    }

    fn position(&self, holding: &HoldingRecord) -> Option<KeptPosition> {
        let venue = self.venue(&holding.venue)?;
        let mut all = self.catalogue.at_venue(venue);
        let one = all.find(|one| one.symbol.to_string() == holding.symbol)?;
        let magnitude = one.grid.qty_floor(holding.quantity.abs())?;
        Some(KeptPosition {
            instrument: one.id,
            qty: if holding.quantity < Decimal::ZERO {
                Qty(-magnitude.0)
            } else {
                magnitude
            },
            cost: holding.cost,
            trade_cash: holding.cash,
        })
    }

    /// What a record says in this configuration; `None` in an unknown currency.
    fn point(&self, record: &LossRecord, at: UnixNanos) -> Option<LossPoint> {
        let (mut venues, mut elsewhere) = (Vec::new(), Decimal::ZERO);
        for (name, unit) in &record.venues {
            match self.venue(name) {
                Some(venue) if self.is_fresh(venue) => {}
                Some(venue) => venues.push((venue, KeptUnit::from(unit))),
                None => elsewhere = elsewhere.saturating_add(unit.equity),
            }
        }
        let mixed = self.fresh.contains(&true);
        let symbols = record.symbols.iter().filter_map(|(name, profit)| {
            let symbol = name.parse().ok()?;
            let mut all = self.catalogue.all().iter();
            let gone = all.any(|one| one.symbol == symbol && self.is_fresh(one.venue));
            (!gone).then_some((symbol, *profit))
        });
        let strategies = record.strategies.iter().filter_map(|(name, own)| {
            let index = self.strategies.iter().position(|one| one == name)?;
            let id = StrategyId(u8::try_from(index).ok()?);
            (!mixed).then_some((id, own.begun, own.sum))
        });
        let prices = record.prices.iter();
        let balances = record.balances.iter().filter_map(|(name, each)| {
            let venue = self.venue(name).filter(|venue| !self.is_fresh(*venue))?;
            let known = |(code, amount): (&String, &Decimal)| {
                Asset::new(code).map(|asset| (venue, asset, *amount))
            };
            Some(each.iter().filter_map(known).collect::<Vec<_>>())
        });
        Some(LossPoint {
            at,
            reporting: Asset::new(&record.reporting)?,
            whole: record.whole.as_ref().filter(|_| !mixed).map(KeptUnit::from),
            worst_drawdown: record.worst_drawdown.filter(|_| !mixed),
            venues,
            elsewhere,
            symbols: symbols.collect(),
            strategies: strategies.collect(),
            prices: prices
                .filter_map(|(code, price)| Some((Asset::new(code)?, *price)))
                .collect(),
            balances: balances.flatten().collect(),
            positions: self.positions(record),
        })
    }

    /// Every position as it stood: what a record leaves out was never traded.
    fn positions(&self, record: &LossRecord) -> Vec<KeptPosition> {
        let held = record.positions.iter();
        let mut all: Vec<KeptPosition> =
            held.filter_map(|holding| self.position(holding)).collect();
        for one in self.catalogue.all() {
            if !all.iter().any(|position| position.instrument == one.id) {
                all.push(KeptPosition {
                    instrument: one.id,
                    qty: Qty::ZERO,
                    cost: Decimal::ZERO,
                    trade_cash: Decimal::ZERO,
                });
            }
        }
        all
    }
}
