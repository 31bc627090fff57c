//! What we own and may own: position and holds an instrument, and the worst-case value of every scope above it.
//!
//! Worst case. With position P, pending buys B and pending sells S of an instrument, its worst-case position is
//! `max(|P + B|, |P - S|)`: everything on one side fills and nothing on the other. Gross scopes (symbol, venue, portfolio)
//! add the worst cases of their instruments, which never net. Net scopes (base asset, portfolio) use the same formula one
//! floor up: `max(|sum(P + B) x R|, |sum(P - S) x R|)`. That covers a whole set as well as every subset of its legs, of this
//! set and of all others in flight, since legs that hedge each other fill at different instants.
//!
//! Sums are kept as exact integers and changed by differences when a price, a position or a hold changes.

use crate::units::{Price, Qty, Side};

use super::terms::Terms;

/// Largest worth of one instrument that is summed (2^100); sums over all instruments then fit.
const WORTH_MAX: i128 = 1 << 100;

/// One instrument's part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) position: i128,
    pub(super) buys: i128,
    pub(super) sells: i128,
    /// Last reference price in steps; zero while none was ever seen.
    price: i64,
    /// Parts of `buys` and `sells` that orders without an approval of this session make up.
    adopted_buys: i128,
    adopted_sells: i128,
    part: Part,
    listed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Part {
    gross: i128,
    high: i128,
    low: i128,
    unpriced: bool,
}

/// Worst-case worth of every scope that one instrument belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scopes {
    pub(super) symbol: i128,
    pub(super) venue: i128,
    pub(super) asset_net: i128,
    pub(super) gross: i128,
    pub(super) net: i128,
}

#[derive(Debug, Clone)]
pub(super) struct Exposure {
    cells: Vec<Cell>,
    /// Instruments with a position or a hold.
    active: Vec<usize>,
    symbol: Vec<i128>,
    venue: Vec<i128>,
    asset_high: Vec<i128>,
    asset_low: Vec<i128>,
    gross: i128,
    high: i128,
    low: i128,
    unpriced_count: usize,
}

impl Cell {
    /// Largest absolute position that the pending orders can lead to.
    pub(super) fn worst(&self) -> i128 {
        (self.position + self.buys)
            .abs()
            .max((self.position - self.sells).abs())
    }
    /// With one more pending order.
    pub(super) fn with(mut self, side: Side, qty: Qty) -> Self {
        match side {
            Side::Buy => self.buys += i128::from(qty.0),
            Side::Sell => self.sells += i128::from(qty.0),
        }
        self
    }
    /// Replaces what orders without an approval of this session may still buy and sell.
    pub(super) fn adopt(&mut self, buys: Qty, sells: Qty) {
        let (buys, sells) = (i128::from(buys.0), i128::from(sells.0));
        self.buys += buys - self.adopted_buys;
        self.sells += sells - self.adopted_sells;
        (self.adopted_buys, self.adopted_sells) = (buys, sells);
    }
    /// What such orders may still do on one side.
    pub(super) const fn adopted(&self, side: Side) -> i128 {
        match side {
            Side::Buy => self.adopted_buys,
            Side::Sell => self.adopted_sells,
        }
    }
    /// Worst-case gross worth.
    pub(super) const fn gross(&self) -> i128 {
        self.part.gross
    }
    /// What may still be sold (of a long) or bought (of a short) without flipping, pending reductions counted.
    pub(super) fn reducible(&self, side: Side) -> i128 {
        match side {
            Side::Sell if self.position > 0 => (self.position - self.sells).max(0),
            Side::Buy if self.position < 0 => (-self.position - self.buys).max(0),
            Side::Buy | Side::Sell => 0,
        }
    }
    fn value(&self, terms: &Terms) -> Part {
        if self.worst() == 0 {
            return Part::default();
        }
        let price = i128::from(self.price);
        let at = |qty: i128| {
            terms
                .worth(price, qty)
                .filter(|worth| worth.abs() <= WORTH_MAX)
        };
        let high = at(self.position + self.buys);
        let low = at(self.position - self.sells);
        match (high, low) {
            (Some(high), Some(low)) if price > 0 => Part {
                gross: high.abs().max(low.abs()),
                high,
                low,
                unpriced: false,
            },
            _ => Part {
                unpriced: true,
                ..Part::default()
            },
        }
    }
}

impl Exposure {
    pub(super) fn new(instruments: usize, symbols: usize, venues: usize, assets: usize) -> Self {
        Self {
            cells: vec![Cell::default(); instruments],
            active: Vec::with_capacity(instruments),
            symbol: vec![0; symbols],
            venue: vec![0; venues],
            asset_high: vec![0; assets],
            asset_low: vec![0; assets],
            gross: 0,
            high: 0,
            low: 0,
            unpriced_count: 0,
        }
    }
    pub(super) fn cell(&self, instrument: usize) -> Cell {
        self.cells.get(instrument).copied().unwrap_or_default()
    }
    pub(super) fn price(&self, instrument: usize) -> Option<Price> {
        self.cells
            .get(instrument)
            .map(|cell| Price(cell.price))
            .filter(|price| price.0 > 0)
    }
    pub(super) const fn has_unpriced(&self) -> bool {
        self.unpriced_count > 0
    }
    pub(super) fn active_count(&self) -> usize {
        self.active.len()
    }
    pub(super) fn active(&self, index: usize) -> Option<usize> {
        self.active.get(index).copied()
    }
    pub(super) fn iter_active(&self) -> impl Iterator<Item = (usize, Cell)> + '_ {
        self.active
            .iter()
            .map(|instrument| (*instrument, self.cell(*instrument)))
    }

    /// Changes one cell and every sum it is part of.
    pub(super) fn change(
        &mut self,
        instrument: usize,
        terms: &Terms,
        edit: impl FnOnce(&mut Cell),
    ) {
        let Some(cell) = self.cells.get_mut(instrument) else {
            return;
        };
        edit(cell);
        let old = cell.part;
        let new = cell.value(terms);
        cell.part = new;
        if cell.worst() != 0 && !cell.listed {
            cell.listed = true;
            self.active.push(instrument);
        }
        if old == new {
            return;
        }
        shift(&mut self.symbol, terms.symbol, new.gross - old.gross);
        shift(&mut self.venue, terms.venue, new.gross - old.gross);
        shift(&mut self.asset_high, terms.asset, new.high - old.high);
        shift(&mut self.asset_low, terms.asset, new.low - old.low);
        self.gross += new.gross - old.gross;
        self.high += new.high - old.high;
        self.low += new.low - old.low;
        self.unpriced_count += usize::from(new.unpriced);
        self.unpriced_count -= usize::from(old.unpriced);
    }

    /// Takes a newer reference price.
    #[inline]
    pub(super) fn reprice(&mut self, instrument: usize, terms: &Terms, price: Price) {
        if self
            .cells
            .get(instrument)
            .is_some_and(|cell| cell.price != price.0)
        {
            self.change(instrument, terms, |cell| cell.price = price.0);
        }
    }

    /// Forgets which instruments are active and lists them anew.
    pub(super) fn relist(&mut self) {
        self.active.clear();
        for (instrument, cell) in self.cells.iter_mut().enumerate() {
            cell.listed = cell.worst() != 0;
            if cell.listed {
                self.active.push(instrument);
            }
        }
    }

    /// The scopes of one instrument as they are.
    pub(super) fn scopes(&self, terms: &Terms) -> Scopes {
        self.scopes_with(terms, Part::default(), Part::default())
    }

    /// The scopes of one instrument with one more pending order; `None` when that cannot be valued.
    pub(super) fn scopes_after(
        &self,
        instrument: usize,
        terms: &Terms,
        side: Side,
        qty: Qty,
    ) -> Option<Scopes> {
        let cell = self.cell(instrument);
        let new = cell.with(side, qty).value(terms);
        (!new.unpriced).then(|| self.scopes_with(terms, cell.part, new))
    }

    /// Worst-case gross worth of some instruments.
    pub(super) fn gross_of(&self, instruments: &[usize]) -> i128 {
        let cells = instruments.iter().map(|index| self.cell(*index).gross());
        cells.sum()
    }

    /// Worst-case worth of one base asset by both extremes: everything pending bought, or everything pending sold.
    pub(super) fn asset_extremes(&self, asset: usize) -> (i128, i128) {
        let at = |sums: &[i128]| sums.get(asset).copied().unwrap_or(0);
        (at(&self.asset_high), at(&self.asset_low))
    }

    /// What one more pending order adds to the extremes of its base asset; `None` when that cannot be valued.
    pub(super) fn extremes_added(
        &self,
        instrument: usize,
        terms: &Terms,
        side: Side,
        qty: Qty,
    ) -> Option<(i128, i128)> {
        let cell = self.cell(instrument);
        let new = cell.with(side, qty).value(terms);
        (!new.unpriced).then(|| (new.high - cell.part.high, new.low - cell.part.low))
    }

    fn scopes_with(&self, terms: &Terms, old: Part, new: Part) -> Scopes {
        let at = |sums: &[i128], index: usize| sums.get(index).copied().unwrap_or(0);
        let (gross, high, low) = (
            new.gross - old.gross,
            new.high - old.high,
            new.low - old.low,
        );
        Scopes {
            symbol: at(&self.symbol, terms.symbol) + gross,
            venue: at(&self.venue, terms.venue) + gross,
            asset_net: (at(&self.asset_high, terms.asset) + high)
                .abs()
                .max((at(&self.asset_low, terms.asset) + low).abs()),
            gross: self.gross + gross,
            net: (self.high + high).abs().max((self.low + low).abs()),
        }
    }
}

fn shift(sums: &mut [i128], index: usize, by: i128) {
    if let Some(sum) = sums.get_mut(index) {
        *sum += by;
    }
}
