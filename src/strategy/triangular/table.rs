//! The cycles as flat rows, which of them contain an instrument, and the log of each leg's rate: what an update touches.
//!
//! A leg is a number: the place of its instrument among those of the cycles, times two, plus its side. The log of its rate at
//! the touch is kept under that number, rounded up; a changed book changes two of them. The cheap test of a cycle adds the
//! logs of its legs. It touches 12 bytes of the cycle and a table of 16 bytes an instrument.

use crate::capacity::LEGS_MAX;
use crate::market::{Catalogue, Instrument, InstrumentId, Top};
use crate::units::{Asset, Money, Ppm, Price, Side};

use super::super::params::TriangularParams;
use super::super::routes::StrategyError;
use super::chain::LegDecimals;
use super::discover::{Cycle, CycleError};
use super::logs::NEVER;
use super::wide::Rate;

/// What a venue demands of orders in one instrument, in steps of its grid.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Which.
    pub instrument: InstrumentId,
    /// Base asset.
    pub base: Asset,
    /// Quote asset.
    pub quote: Asset,
    /// Its decimals.
    pub decimals: LegDecimals,
    /// Price increment.
    pub tick: Price,
    /// Quantity increment.
    pub lot: i64,
    /// Smallest and largest quantity.
    pub qty_min: i64,
    /// See above.
    pub qty_max: i64,
    /// Smallest and largest value in notional steps.
    pub notional_min: i128,
    /// See above.
    pub notional_max: i128,
    /// Taker fee.
    pub fee: Ppm,
    /// How a buy and a sale turn one asset into the other, and without fee.
    pub rates: [Rate; 2],
    /// See above.
    pub free_rates: [Rate; 2],
}

impl Terms {
    fn new(instrument: &Instrument, params: &TriangularParams) -> Result<Self, StrategyError> {
        let id = instrument.id.0;
        let fee = params.taker_fees.get(instrument.id.index());
        let fee = *fee.ok_or(StrategyError::Fees(params.taker_fees.len()))?;
        let grid = instrument.grid;
        let rates = |fee: Ppm| {
            let rate = |side| Rate::new(side, grid.price_decimals(), fee, params.fee_taken);
            Some([rate(Side::Buy)?, rate(Side::Sell)?])
        };
        let fees = StrategyError::Fees(params.taker_fees.len());
        let notional = |value| {
            let money = Money(value);
            let floor = grid.notional_floor(money)?;
            Some((floor.0, grid.notional_money(floor) == Some(money)))
        };
        let (floor, exact) =
            notional(instrument.notional_min).ok_or(StrategyError::NotionalMin(id))?;
        let notional_max = instrument.notional_max.and_then(notional);
        if instrument.lot.0 <= 0 || instrument.tick.0 <= 0 {
            return Err(StrategyError::Lots(id, id));
        }
        Ok(Self {
            instrument: instrument.id,
            base: instrument.symbol.base,
            quote: instrument.symbol.quote,
            decimals: LegDecimals {
                price: grid.price_decimals(),
                qty: grid.qty_decimals(),
            },
            tick: instrument.tick,
            lot: instrument.lot.0,
            qty_min: instrument.qty_min.0,
            qty_max: instrument.qty_max.0,
            // The floor plus one step is at or above the exact minimum: never understated.
            notional_min: floor.saturating_add(i128::from(!exact)),
            notional_max: notional_max.map_or(i128::MAX, |(floor, _)| floor),
            fee,
            rates: rates(fee).ok_or_else(|| fees.clone())?,
            free_rates: rates(Ppm(0)).ok_or(fees)?,
        })
    }
    /// How a leg of `side` turns one asset into the other.
    #[must_use]
    pub const fn rate(&self, side: Side) -> Rate {
        match (self.rates, side) {
            ([buy, _], Side::Buy) => buy,
            ([_, sell], Side::Sell) => sell,
        }
    }
    /// The same without a fee.
    #[must_use]
    pub const fn free_rate(&self, side: Side) -> Rate {
        match (self.free_rates, side) {
            ([buy, _], Side::Buy) => buy,
            ([_, sell], Side::Sell) => sell,
        }
    }
    /// Asset that a leg of `side` spends.
    #[must_use]
    pub const fn spent(&self, side: Side) -> Asset {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }
}

/// One cycle: its legs' numbers, padded with `Table::nothing`, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    legs: [u16; LEGS_MAX],
    count: u8,
}

/// Everything that is fixed at start, and the logs.
#[derive(Debug, Clone)]
pub struct Table {
    terms: Vec<Terms>,
    instruments: Vec<InstrumentId>,
    /// Place among `terms` plus one by instrument id; zero for strangers.
    by_instrument: Vec<u16>,
    rows: Vec<Row>,
    /// Where the cycles of an instrument begin in `containing`, by place; one more at the end.
    begins: Vec<u32>,
    containing: Vec<u16>,
    /// Log of the rate without its price, by leg number.
    fixed_logs: Vec<i64>,
    /// Log of the rate at the touch, by leg number; zero for the padding after the last.
    logs: Vec<i64>,
    /// Touch that the logs stand for, by place.
    tops: Vec<Option<(Price, Price)>>,
}

impl Table {
    /// Lays the cycles out.
    ///
    /// # Errors
    /// [`StrategyError`] when an instrument cannot be traded.
    pub fn new(
        cycles: &[Cycle],
        params: &TriangularParams,
        catalogue: &Catalogue,
    ) -> Result<Self, StrategyError> {
        let mut table = Self {
            terms: Vec::new(),
            instruments: Vec::new(),
            by_instrument: vec![0; catalogue.all().len()],
            rows: Vec::with_capacity(cycles.len()),
            begins: Vec::new(),
            containing: Vec::new(),
            fixed_logs: Vec::new(),
            logs: Vec::new(),
            tops: Vec::new(),
        };
        let used = cycles.iter().flat_map(|cycle| &cycle.legs);
        let mut used: Vec<InstrumentId> = used.map(|(instrument, _)| *instrument).collect();
        used.sort_unstable();
        used.dedup();
        for id in &used {
            let instrument = catalogue.get(*id).ok_or(StrategyError::Instrument(id.0))?;
            let terms = Terms::new(instrument, params)?;
            table
                .fixed_logs
                .extend(terms.rates.iter().map(Rate::log_ceil));
            table.terms.push(terms);
            if let Some(entry) = table.by_instrument.get_mut(id.index()) {
                *entry = u16::try_from(table.terms.len()).unwrap_or(0);
            }
        }
        table.instruments = used;
        table.tops = vec![None; table.terms.len()];
        table.logs = vec![NEVER; table.fixed_logs.len()];
        table.logs.push(0);
        table.lay_rows(cycles)?;
        Ok(table)
    }

    fn lay_rows(&mut self, cycles: &[Cycle]) -> Result<(), StrategyError> {
        let mut containing = vec![Vec::new(); self.terms.len()];
        for (id, cycle) in cycles.iter().enumerate() {
            let id = u16::try_from(id).map_err(|_many| CycleError::TooMany)?;
            let mut row = Row {
                legs: [self.nothing(); LEGS_MAX],
                count: u8::try_from(cycle.legs.len()).unwrap_or(0),
            };
            for (slot, (instrument, side)) in row.legs.iter_mut().zip(&cycle.legs) {
                let unknown = StrategyError::Instrument(instrument.0);
                let place = self.place(*instrument).ok_or(unknown)?;
                *slot = leg_number(place, *side);
                if let Some(list) = containing.get_mut(place) {
                    list.push(id);
                }
            }
            self.rows.push(row);
        }
        self.begins.push(0);
        for list in containing {
            self.containing.extend(list);
            let end = u32::try_from(self.containing.len()).unwrap_or(u32::MAX);
            self.begins.push(end);
        }
        Ok(())
    }

    /// Number of the padding: its log is zero.
    fn nothing(&self) -> u16 {
        u16::try_from(self.fixed_logs.len()).unwrap_or(u16::MAX)
    }

    /// The instruments of the cycles, in id order.
    #[must_use]
    pub fn instruments(&self) -> &[InstrumentId] {
        &self.instruments
    }
    /// Place of an instrument; `None` for a stranger.
    #[must_use]
    #[inline]
    pub fn place(&self, id: InstrumentId) -> Option<usize> {
        let entry = self.by_instrument.get(id.index())?;
        usize::from(*entry).checked_sub(1)
    }
    /// How many cycles.
    #[must_use]
    pub const fn cycle_count(&self) -> usize {
        self.rows.len()
    }
    /// Where the cycles that contain an instrument stand, for [`Self::cycle_at`].
    #[must_use]
    #[inline]
    pub fn containing(&self, place: usize) -> std::ops::Range<usize> {
        let at = |place: usize| self.begins.get(place).map_or(0, |begin| *begin as usize);
        at(place)..at(place + 1)
    }
    /// One of them.
    #[must_use]
    #[inline]
    pub fn cycle_at(&self, index: usize) -> u16 {
        self.containing.get(index).copied().unwrap_or(u16::MAX)
    }

    /// The touch of an instrument's book changed: both its logs are made anew where its price did.
    #[inline]
    pub fn set_top(&mut self, place: usize, top: Option<&Top>) {
        let prices = top.map(|top| (top.bid.price, top.ask.price));
        let (Some(known), Some(terms)) = (self.tops.get_mut(place), self.terms.get(place)) else {
            return;
        };
        let changed = match (*known, prices) {
            (Some(known), Some(now)) => (known.0 != now.0, known.1 != now.1),
            (None, None) => (false, false),
            (Some(_), None) | (None, Some(_)) => (true, true),
        };
        *known = prices;
        for (side, changed) in [(Side::Sell, changed.0), (Side::Buy, changed.1)] {
            let number = usize::from(leg_number(place, side));
            let (Some(log), Some(fixed)) = (self.logs.get_mut(number), self.fixed_logs.get(number))
            else {
                continue;
            };
            if changed {
                let price = prices.map(|(bid, ask)| match side {
                    Side::Sell => bid,
                    Side::Buy => ask,
                });
                let moved = price.and_then(|price| terms.rate(side).price_log_ceil(price));
                *log = moved.map_or(NEVER, |moved| moved + fixed);
            }
        }
    }

    /// Upper bound of the log of a cycle's round trip at the touch.
    #[must_use]
    #[inline]
    pub fn log_ceil(&self, cycle: u16) -> i64 {
        let Some(row) = self.rows.get(usize::from(cycle)) else {
            return NEVER;
        };
        let log = |leg: &u16| self.logs.get(usize::from(*leg)).copied().unwrap_or(NEVER);
        row.legs.iter().map(log).sum()
    }

    /// The legs of a cycle in order.
    pub fn legs(&self, cycle: u16) -> impl Iterator<Item = (&Terms, Side)> {
        let row = self.rows.get(usize::from(cycle));
        let legs = row.map(|row| row.legs.iter().take(usize::from(row.count)));
        legs.into_iter().flatten().filter_map(|leg| {
            let side = if leg & 1 == 0 { Side::Buy } else { Side::Sell };
            Some((self.terms.get(usize::from(leg >> 1))?, side))
        })
    }

    /// Bytes of everything above.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        fn of<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        of(&self.terms)
            + of(&self.instruments)
            + of(&self.by_instrument)
            + of(&self.rows)
            + of(&self.begins)
            + of(&self.containing)
            + of(&self.fixed_logs)
            + of(&self.logs)
            + of(&self.tops)
    }
}

/// Number of a leg; instruments are fewer than 2^15 in any catalogue that fits memory.
#[expect(clippy::cast_possible_truncation, reason = "place is an instrument's")]
const fn leg_number(place: usize, side: Side) -> u16 {
    (place as u16) * 2 + side as u16
}
