//! The instruments one strategy compares, by small slot numbers, and what each pair of them demands of an order.

use crate::capacity::ROUTE_VENUES_MAX;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind};
use crate::units::{Money, Notional, Ppm, Price, Qty};

use super::fees::TakerFees;
use super::params::CrossVenueParams;
use super::sizing::RouteRules;
use super::triangular::CycleError;

/// Why a strategy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// Fewer than 2 or more than [`ROUTE_VENUES_MAX`] instruments.
    #[error("strategy had {0} instruments, not 2 to {ROUTE_VENUES_MAX}")]
    InstrumentCount(usize),
    /// An instrument is not in the catalogue, or named twice.
    #[error("instrument {0} was unknown or named twice")]
    Instrument(u16),
    /// Instruments of different base, quote or grid cannot be compared.
    #[error("instrument {0} was of another base, quote or grid")]
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
    /// A venue's smallest order value does not fit the grid.
    #[error("smallest order value of instrument {0} did not fit")]
    NotionalMin(u16),
    /// The cycles cannot be watched.
    #[error("{0}")]
    Cycle(#[from] CycleError),
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
            Self::NotionalMin(_) => "notional_min",
            Self::Cycle(error) => error.label(),
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
    notional_min: Notional,
}

/// Slots 0 to n-1, in the order of the parameters.
#[derive(Debug, Clone)]
pub struct RouteTable {
    slots: Vec<Slot>,
    /// Slot plus one by instrument id; zero for strangers.
    by_instrument: Vec<u8>,
    fees: TakerFees,
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
        let fees = TakerFees::new(params.taker_fees.clone()).filter(|fees| fees.count() == count);
        let fees = fees.ok_or(StrategyError::Fees(params.taker_fees.len()))?;
        let mut table = Self {
            slots: Vec::with_capacity(count),
            by_instrument: vec![0; catalogue.all().len()],
            fees,
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
            table.slots.push(slot_of(instrument, first)?);
            known.push(instrument);
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

    /// What both venues and the strategy demand of a set on this route.
    #[must_use]
    pub fn rules(&self, buy: usize, sell: usize, params: &CrossVenueParams) -> RouteRules {
        let nothing = Slot {
            instrument: InstrumentId(u16::MAX),
            kind: InstrumentKind::Spot,
            tick: Price(1),
            qty_min: Qty(i64::MAX),
            qty_max: Qty::ZERO,
            notional_min: Notional(i128::MAX),
        };
        let one = self.slots.get(buy).copied().unwrap_or(nothing);
        let two = self.slots.get(sell).copied().unwrap_or(nothing);
        RouteRules {
            buy_tick: one.tick,
            sell_tick: two.tick,
            lot: self
                .lots
                .get(buy)
                .and_then(|row| row.get(sell))
                .copied()
                .unwrap_or(Qty(i64::MAX)),
            qty_min: one.qty_min.max(two.qty_min),
            qty_max: one.qty_max.min(two.qty_max),
            notional_min: one
                .notional_min
                .max(two.notional_min)
                .max(params.min_order_notional),
            notional_max: params.max_order_notional,
            buy_fee: self.fee(buy),
            sell_fee: self.fee(sell),
            edge_min: params.common.min_net_edge,
            book_take: params.common.max_book_take,
            cushion: params.common.limit_cushion,
        }
    }
}

fn slot_of(instrument: &Instrument, first: Option<&Instrument>) -> Result<Slot, StrategyError> {
    let id = instrument.id.0;
    let same = |first: &Instrument| {
        first.symbol.base == instrument.symbol.base
            && first.symbol.quote == instrument.symbol.quote
            && first.grid == instrument.grid
    };
    if !first.is_some_and(same) {
        return Err(StrategyError::NotComparable(id));
    }
    let kind = instrument.kind();
    if kind == InstrumentKind::InversePerpetual
        || instrument.multiplier != rust_decimal::Decimal::ONE
    {
        return Err(StrategyError::Contract(id));
    }
    let floor = instrument
        .grid
        .notional_floor(Money(instrument.notional_min));
    // Floor plus one step is at or above the exact minimum: never understated.
    let notional_min = match floor {
        Some(floor)
            if instrument.grid.notional_money(floor) == Some(Money(instrument.notional_min)) =>
        {
            floor
        }
        Some(floor) => Notional(floor.0.saturating_add(1)),
        None => return Err(StrategyError::NotionalMin(id)),
    };
    Ok(Slot {
        instrument: instrument.id,
        kind,
        tick: instrument.tick,
        qty_min: instrument.qty_min.max(Qty(1)),
        qty_max: instrument.qty_max,
        notional_min,
    })
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
