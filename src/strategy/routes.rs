//! The instruments one strategy compares, by small slot numbers, and what each pair of them demands of an order.

use crate::capacity::ROUTE_VENUES_MAX;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::units::{Asset, Grid, Money, Notional, Ppm, Price, Qty};

use super::edge::{kept_ppm, spent_ppm};
use super::fees::{TakerFees, discounted_ceil};
use super::params::CrossVenueParams;
use super::sizing::{LEVELS_MAX, RouteRules};
use super::triangular::CycleError;

/// Quote assets that one cross-venue strategy compares.
pub const QUOTES_MAX: usize = 4;

/// Why a strategy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// Fewer than 2 or more than [`ROUTE_VENUES_MAX`] instruments.
    #[error("strategy had {0} instruments, not 2 to {ROUTE_VENUES_MAX}")]
    InstrumentCount(usize),
    /// An instrument is not in the catalogue, or named twice.
    #[error("instrument {0} was unknown or named twice")]
    Instrument(u16),
    /// Instruments of different base or quantity grid cannot be compared.
    #[error("instrument {0} was of another base or quantity grid")]
    NotComparable(u16),
    /// Inverse contracts and contracts of other than one base unit are not compared by this strategy.
    #[error("instrument {0} was inverse or had a multiplier other than 1")]
    Contract(u16),
    /// One taker fee a venue, each below 100%.
    #[error("taker fees were {0}, one a venue below 100% is needed")]
    Fees(usize),
    /// Two venues' lots have no common multiple that fits.
    #[error("lots of instruments {0} and {1} had no common multiple")]
    Lots(u16, u16),
    /// A quote asset has no book that converts it, or there are too many of them.
    #[error("quote {0} had no conversion book, or there were more than {QUOTES_MAX} quotes")]
    Conversion(String),
    /// A fee asset's instrument is at another venue, or its discount is not between 0 and 100%.
    #[error("fee asset instrument {0} was at another venue, or its discount not 0 to 100%")]
    FeeAsset(u16),
    /// One inventory target an instrument, from 0 to 1, with a band above 0 and a skew of 0 or more.
    #[error(
        "inventory targets were {0}, one an instrument from 0 to 1 and a band above 0 is needed"
    )]
    Inventory(usize),
    /// This order of legs is not built.
    #[error("leg order maker_then_taker is not built")]
    LegOrder,
    /// A venue's smallest order value does not fit the grid.
    #[error("smallest order value of instrument {0} did not fit")]
    NotionalMin(u16),
    /// The cycles cannot be watched.
    #[error("{0}")]
    Cycle(#[from] CycleError),
    /// A parameter that must be above zero is not, or it does not fit.
    #[error("{0} was not above zero or too large")]
    Parameter(&'static str),
}

impl StrategyError {
    /// Fixed short word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::InstrumentCount(_) => "instrument_count",
            Self::Instrument(_) => "instrument",
            Self::NotComparable(_) => "not_comparable",
            Self::Contract(_) => "contract",
            Self::Fees(_) => "fees",
            Self::Lots(..) => "lots",
            Self::Conversion(_) => "conversion",
            Self::FeeAsset(_) => "fee_asset",
            Self::Inventory(_) => "inventory",
            Self::LegOrder => "leg_order",
            Self::NotionalMin(_) => "notional_min",
            Self::Cycle(error) => error.label(),
            Self::Parameter(_) => "parameter",
        }
    }
}

/// What one venue demands.
#[derive(Debug, Clone, Copy)]
struct Slot {
    instrument: InstrumentId,
    kind: InstrumentKind,
    tick: Price,
    qty_min: Qty,
    qty_max: Qty,
    /// The venue's and the strategy's smallest value, and the strategy's largest, in the slot's own quote and grid.
    notional_min: Notional,
    notional_max: Notional,
    /// The largest position value.
    inventory_max: Notional,
    /// Number of its quote asset; zero is the first instrument's.
    quote: usize,
    /// What brings its prices to the finest price grid of all slots.
    price_scale: i64,
    /// Lowest fee that may ever be paid here.
    fee_min: Ppm,
}

/// Slots 0 to n-1, in the order of the parameters.
#[derive(Debug, Clone)]
pub struct RouteTable {
    slots: Vec<Slot>,
    /// Slot plus one by instrument id; zero for strangers.
    by_instrument: Vec<u8>,
    fees: TakerFees,
    quotes: Vec<Asset>,
    /// Least edge that is ever asked for.
    edge_min: Ppm,
    /// Common lot by pair.
    lots: [[Qty; ROUTE_VENUES_MAX]; ROUTE_VENUES_MAX],
    denied: [[bool; ROUTE_VENUES_MAX]; ROUTE_VENUES_MAX],
}

impl RouteTable {
    /// Checks that the instruments can be compared and merges their rules.
    ///
    /// # Errors
    /// The first [`StrategyError`].
    pub fn new(params: &CrossVenueParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        let count = params.instruments.len();
        if !(2..=ROUTE_VENUES_MAX).contains(&count) {
            return Err(StrategyError::InstrumentCount(count));
        }
        if let Some(inventory) = &params.inventory {
            let whole = 0..=Ppm::ONE.0;
            let targets = &inventory.targets;
            if targets.len() != count
                || !targets.iter().all(|target| whole.contains(&target.0))
                || inventory.band.0 <= 0
                || inventory.skew.0 < 0
            {
                return Err(StrategyError::Inventory(targets.len()));
            }
        }
        let fees = TakerFees::new(params.taker_fees.clone()).filter(|fees| fees.count() == count);
        let fees = fees.ok_or(StrategyError::Fees(params.taker_fees.len()))?;
        let mut table = Self {
            slots: Vec::with_capacity(count),
            by_instrument: vec![0; catalogue.all().len()],
            fees,
            quotes: Vec::new(),
            edge_min: least_edge(params),
            lots: [[Qty(1); ROUTE_VENUES_MAX]; ROUTE_VENUES_MAX],
            denied: [[false; ROUTE_VENUES_MAX]; ROUTE_VENUES_MAX],
        };
        let first = params.instruments.first().and_then(|id| catalogue.get(*id));
        let mut known: Vec<&Instrument> = Vec::with_capacity(count);
        for id in &params.instruments {
            let instrument = catalogue.get(*id).ok_or(StrategyError::Instrument(id.0))?;
            let number = u8::try_from(known.len() + 1).unwrap_or(u8::MAX);
            match table.by_instrument.get_mut(id.index()) {
                Some(entry) if *entry == 0 => *entry = number,
                _ => return Err(StrategyError::Instrument(id.0)),
            }
            let slot = table.slot_of(instrument, first, params, (known.len(), catalogue))?;
            table.slots.push(slot);
            known.push(instrument);
        }
        let finest = known.iter().map(|one| one.grid.price_decimals()).max();
        for (slot, one) in table.slots.iter_mut().zip(&known) {
            let finer = finest.unwrap_or(0) - one.grid.price_decimals();
            slot.price_scale = 10_i64
                .checked_pow(u32::from(finer))
                .ok_or(StrategyError::NotComparable(one.id.0))?;
        }
        for (buy, one) in known.iter().enumerate() {
            for (sell, two) in known.iter().enumerate() {
                let lot = common_multiple(one.lot, two.lot)
                    .ok_or(StrategyError::Lots(one.id.0, two.id.0))?;
                let denied = buy == sell || params.routes_deny.contains(&(one.id, two.id));
                if let Some(cell) = table.lots.get_mut(buy).and_then(|row| row.get_mut(sell)) {
                    *cell = lot;
                }
                if let Some(cell) = table.denied.get_mut(buy).and_then(|row| row.get_mut(sell)) {
                    *cell = denied;
                }
            }
        }
        Ok(table)
    }

    /// How many instruments.
    #[must_use]
    #[inline]
    pub const fn count(&self) -> usize {
        self.slots.len()
    }
    /// Slot of an instrument; `None` for one that is not compared here.
    #[must_use]
    #[inline]
    pub fn slot(&self, id: InstrumentId) -> Option<usize> {
        self.by_instrument
            .get(id.index())
            .and_then(|entry| usize::from(*entry).checked_sub(1))
    }
    /// Instrument of a slot.
    #[must_use]
    #[inline]
    pub fn instrument(&self, slot: usize) -> Option<InstrumentId> {
        self.slots.get(slot).map(|slot| slot.instrument)
    }
    /// Taker fee of a slot.
    #[must_use]
    #[inline]
    pub fn fee(&self, slot: usize) -> Ppm {
        self.fees.of(slot)
    }
    /// What its quote asset is among [`Self::quote_count`]; zero is the first instrument's.
    #[must_use]
    #[inline]
    pub fn quote(&self, slot: usize) -> usize {
        self.slots.get(slot).map_or(0, |slot| slot.quote)
    }
    /// How many quote assets there are.
    #[must_use]
    pub const fn quote_count(&self) -> usize {
        self.quotes.len()
    }
    /// The quote assets.
    #[must_use]
    pub fn quotes(&self) -> &[Asset] {
        &self.quotes
    }
    /// What brings a slot's prices to the finest price grid of all.
    #[must_use]
    #[inline]
    pub fn price_scale(&self, slot: usize) -> i64 {
        self.slots.get(slot).map_or(1, |slot| slot.price_scale)
    }
    /// What a sale keeps at most and a purchase costs at least, in ppm, whatever is held and where inventory lies.
    #[must_use]
    #[inline]
    pub fn best_terms(&self, slot: usize) -> (i64, i64) {
        let fee = self.slots.get(slot).map_or(Ppm::ONE, |slot| slot.fee_min);
        (kept_ppm(fee), spent_ppm(fee, self.edge_min))
    }
    /// The strategy's largest position value at a slot, in its quote and grid.
    #[must_use]
    pub fn inventory_max(&self, slot: usize) -> Notional {
        self.slots
            .get(slot)
            .map_or(Notional::ZERO, |slot| slot.inventory_max)
    }
    /// Kind of a slot; unknown slots count as spot, which can sell only what it holds.
    #[must_use]
    pub fn kind(&self, slot: usize) -> InstrumentKind {
        self.slots
            .get(slot)
            .map_or(InstrumentKind::Spot, |slot| slot.kind)
    }
    /// True for a pair that must not trade.
    #[must_use]
    #[inline]
    pub fn is_denied(&self, buy: usize, sell: usize) -> bool {
        self.denied
            .get(buy)
            .and_then(|row| row.get(sell))
            .copied()
            .unwrap_or(true)
    }
    /// Every pair that may trade.
    pub fn allowed(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let count = self.count();
        (0..count)
            .flat_map(move |buy| (0..count).map(move |sell| (buy, sell)))
            .filter(|(buy, sell)| !self.is_denied(*buy, *sell))
    }
    /// Fees a route pays, as the edge that only breaks even.
    #[must_use]
    pub fn break_even(&self, buy: usize, sell: usize) -> Ppm {
        self.fees.break_even(buy, sell)
    }

    /// What both venues and the strategy demand of a set on this route; fees, edge and conversion are the caller's to fill in.
    #[must_use]
    pub fn rules(&self, buy: usize, sell: usize, params: &CrossVenueParams) -> RouteRules {
        let lot = self.lots.get(buy).and_then(|row| row.get(sell)).copied();
        let mut rules = RouteRules {
            buy_tick: Price(1),
            sell_tick: Price(1),
            lot: lot.unwrap_or(Qty(i64::MAX)),
            qty_min: Qty(i64::MAX),
            qty_max: Qty::ZERO,
            buy_notional_min: Notional(i128::MAX),
            sell_notional_min: Notional(i128::MAX),
            buy_notional_max: Notional::ZERO,
            sell_notional_max: Notional::ZERO,
            buy_fee: self.fee(buy),
            sell_fee: self.fee(sell),
            buy_factor: 1,
            sell_factor: 1,
            edge_min: params.common.min_net_edge,
            book_take: params.common.max_book_take,
            cushion: params.common.limit_cushion,
            levels: params.common.depth_levels.clamp(1, LEVELS_MAX),
        };
        if let (Some(one), Some(two)) = (self.slots.get(buy), self.slots.get(sell)) {
            rules.buy_tick = one.tick;
            rules.sell_tick = two.tick;
            rules.qty_min = one.qty_min.max(two.qty_min);
            rules.qty_max = one.qty_max.min(two.qty_max);
            rules.buy_notional_min = one.notional_min;
            rules.sell_notional_min = two.notional_min;
            rules.buy_notional_max = one.notional_max;
            rules.sell_notional_max = two.notional_max;
        }
        rules
    }

    fn slot_of(
        &mut self,
        instrument: &Instrument,
        first: Option<&Instrument>,
        params: &CrossVenueParams,
        (place, catalogue): (usize, &Catalogue),
    ) -> Result<Slot, StrategyError> {
        let id = instrument.id.0;
        let (base, qty_decimals) = (instrument.symbol.base, instrument.grid.qty_decimals());
        let Some(first) = first
            .filter(|first| first.symbol.base == base && first.grid.qty_decimals() == qty_decimals)
        else {
            return Err(StrategyError::NotComparable(id));
        };
        let kind = instrument.kind();
        if kind == InstrumentKind::InversePerpetual
            || instrument.multiplier != rust_decimal::Decimal::ONE
        {
            return Err(StrategyError::Contract(id));
        }
        let own = instrument.symbol.quote;
        let quote = self.quotes.iter().position(|known| *known == own);
        let quote = quote.unwrap_or_else(|| {
            self.quotes.push(own);
            self.quotes.len() - 1
        });
        if quote >= QUOTES_MAX {
            return Err(StrategyError::Conversion(own.to_string()));
        }
        // Amounts of the first quote count as much in another, less (or more) what a conversion may be off.
        let depeg = if quote == 0 {
            Ppm(0)
        } else {
            params.max_quote_depeg
        };
        let grids = [first.grid, instrument.grid].map(Grid::price_decimals);
        let most = |value: Notional| {
            let less = Ppm::ONE.saturating_sub(depeg);
            rescaled_floor(value, grids)
                .and_then(|value| value.times_ppm_floor(less))
                .unwrap_or(Notional::ZERO)
        };
        let least = rescaled_ceil(params.min_order_notional, grids)
            .and_then(|value| value.times_ppm_ceil(Ppm::ONE.saturating_add(depeg)))
            .ok_or(StrategyError::NotionalMin(id))?;
        let discount = fee_discount(params, place, instrument.venue, catalogue)?;
        let fee = self.fees.of(place);
        Ok(Slot {
            instrument: instrument.id,
            kind,
            tick: instrument.tick,
            qty_min: instrument.qty_min.max(Qty(1)),
            qty_max: instrument.qty_max,
            notional_min: venue_min(instrument)?.max(least),
            notional_max: most(params.max_order_notional),
            inventory_max: most(params.max_inventory_notional),
            quote,
            price_scale: 1,
            fee_min: discounted_ceil(fee, discount),
        })
    }
}

/// Its smallest order value, rounded up.
fn venue_min(instrument: &Instrument) -> Result<Notional, StrategyError> {
    let grid = instrument.grid;
    let wanted = Money(instrument.notional_min);
    match grid.notional_floor(wanted) {
        Some(floor) if grid.notional_money(floor) == Some(wanted) => Ok(floor),
        // Floor plus one step is at or above the exact minimum: never understated.
        Some(floor) => Ok(Notional(floor.0.saturating_add(1))),
        None => Err(StrategyError::NotionalMin(instrument.id.0)),
    }
}

/// Discount that a fee asset can give at a place of the parameters; zero without one.
fn fee_discount(
    params: &CrossVenueParams,
    place: usize,
    venue: VenueId,
    catalogue: &Catalogue,
) -> Result<Ppm, StrategyError> {
    let Some(asset) = params.fee_assets.get(place).copied().flatten() else {
        return Ok(Ppm(0));
    };
    let error = StrategyError::FeeAsset(asset.instrument.0);
    let at = catalogue.get(asset.instrument);
    let at_venue = at.is_some_and(|one| one.venue == venue && one.symbol.settle.is_none());
    if !at_venue || !(0..=Ppm::ONE.0).contains(&asset.discount.0) {
        return Err(error);
    }
    Ok(asset.discount)
}

/// The least edge that inventory may ever ask for.
fn least_edge(params: &CrossVenueParams) -> Ppm {
    let edge = params.common.min_net_edge;
    let skew = params
        .inventory
        .as_ref()
        .map_or(0, |targets| targets.skew.0);
    let least = Ppm(edge.0.saturating_sub(skew.saturating_mul(2)));
    least.max(edge.min(Ppm(0)))
}

fn rescaled_floor(value: Notional, [from, to]: [u8; 2]) -> Option<Notional> {
    let factor = 10_i128.checked_pow(u32::from(from.abs_diff(to)))?;
    if to >= from {
        // What does not fit is beyond every amount.
        return Some(Notional(value.0.saturating_mul(factor)));
    }
    Some(Notional(value.0.div_euclid(factor)))
}

fn rescaled_ceil(value: Notional, [from, to]: [u8; 2]) -> Option<Notional> {
    let factor = 10_i128.checked_pow(u32::from(from.abs_diff(to)))?;
    if to >= from {
        return value.0.checked_mul(factor).map(Notional);
    }
    Some(Notional(-(-value.0).div_euclid(factor)))
}

/// Least common multiple: the coarser lot when one divides the other.
fn common_multiple(one: Qty, two: Qty) -> Option<Qty> {
    let (mut larger, mut smaller) = (one.0, two.0);
    if larger <= 0 || smaller <= 0 {
        return None;
    }
    while smaller != 0 {
        (larger, smaller) = (smaller, larger.rem_euclid(smaller));
    }
    one.0.div_euclid(larger).checked_mul(two.0).map(Qty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarser_lot() {
        assert_eq!(common_multiple(Qty(10), Qty(1_000)), Some(Qty(1_000)));
        assert_eq!(common_multiple(Qty(4), Qty(6)), Some(Qty(12)));
        assert_eq!(common_multiple(Qty(0), Qty(6)), None);
        assert_eq!(common_multiple(Qty(i64::MAX), Qty(i64::MAX - 1)), None);
    }
}
