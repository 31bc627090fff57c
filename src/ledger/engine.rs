//! The ledger of a running engine: every fill once, a position an instrument, and the snapshots for the risk seat.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::capacity::TRADE_IDS_MAX;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind};
use crate::trade::{ApprovalSeq, Fill, PositionSnapshot, Purpose};
use crate::units::{Asset, Money, Price, Qty};

use super::{Applied, Change, Fee, LedgerError, Pair, Position, PositionBook, Trade};

/// What a fill did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillEffect {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Counted before: nothing changed.
    pub duplicate: bool,
    /// Came after a newer one, booked at its place.
    pub late: bool,
    /// What changed; all zero for a duplicate.
    pub change: Change,
    /// The position afterwards.
    pub snapshot: PositionSnapshot,
}

/// All positions of one engine. One owner: the position seat.
#[derive(Debug)]
pub struct Ledger {
    catalogue: Arc<Catalogue>,
    books: Vec<PositionBook<u64>>,
    unwind_filled: Vec<Qty>,
    settled: ApprovalSeq,
    fill_count: u64,
}

impl Ledger {
    /// Flat in every instrument.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        let books: Vec<_> = catalogue
            .all()
            .iter()
            .map(|instrument| PositionBook::new(pair(instrument), TRADE_IDS_MAX))
            .collect();
        Self {
            unwind_filled: vec![Qty::ZERO; books.len()],
            books,
            catalogue,
            settled: ApprovalSeq(0),
            fill_count: 0,
        }
    }

    /// Books a fill once, ours or not.
    ///
    /// # Errors
    /// [`LedgerError`]: the state cannot be trusted any more, the caller halts (K4). The fill was not booked.
    pub fn on_fill(&mut self, fill: &Fill) -> Result<FillEffect, LedgerError> {
        let instrument = self
            .catalogue
            .get(fill.instrument)
            .ok_or(LedgerError::UnknownInstrument)?;
        if instrument.kind() == InstrumentKind::InversePerpetual {
            return Err(LedgerError::Inverse);
        }
        let fee = match fill.fee_asset {
            Some(asset) => Fee::Known {
                amount: fill.fee,
                asset: Some(asset),
            },
            // A fee of nothing in no asset is how a message without fees looks.
            None => Fee::Unknown,
        };
        let trade = Trade {
            side: fill.side,
            qty: instrument.grid.qty_decimal(fill.qty),
            price: instrument.grid.price_decimal(fill.price),
            fee,
        };
        let book = self
            .books
            .get_mut(fill.instrument.index())
            .ok_or(LedgerError::UnknownInstrument)?;
        let applied = book.apply(&trade, fill.venue_time.0, fill.trade_id)?;
        let (duplicate, late, change) = match applied {
            Applied::Duplicate => (true, false, Change::default()),
            Applied::InOrder(change) => (false, false, change),
            Applied::Late(change) => (false, true, change),
        };
        if !duplicate {
            self.fill_count += 1;
            if fill.purpose == Some(Purpose::Unwind)
                && let Some(sum) = self.unwind_filled.get_mut(fill.instrument.index())
            {
                *sum = sum.checked_add(fill.qty).ok_or(LedgerError::OffGrid)?;
            }
        }
        let snapshot = self.snapshot(fill.instrument).ok_or(LedgerError::OffGrid)?;
        Ok(FillEffect {
            instrument: fill.instrument,
            duplicate,
            late,
            change,
            snapshot,
        })
    }

    /// Every approval up to `seq` is terminal and all its fills were given to [`Ledger::on_fill`]. Never falls. Send a
    /// snapshot of any instrument to the risk seat afterwards: it carries the number.
    pub fn settle(&mut self, seq: ApprovalSeq) {
        self.settled = self.settled.max(seq);
    }

    /// One position as the risk seat needs it. Digits finer than the grid (fees taken in the base asset) are cut towards
    /// zero: they cannot be traded. `None` when unknown or too large for the grid.
    #[must_use]
    pub fn snapshot(&self, id: InstrumentId) -> Option<PositionSnapshot> {
        let position = self.position(id)?;
        let grid = self.catalogue.get(id)?.grid;
        let magnitude = grid.qty_floor(position.qty().abs())?;
        Some(PositionSnapshot {
            instrument: id,
            qty: if position.qty() < Decimal::ZERO {
                Qty(-magnitude.0)
            } else {
                magnitude
            },
            cost: position.cost(),
            realized_pnl: position.realized_pnl(),
            settled: self.settled,
            unwind_filled: self
                .unwind_filled
                .get(id.index())
                .copied()
                .unwrap_or_default(),
        })
    }

    /// One position in full.
    #[must_use]
    pub fn position(&self, id: InstrumentId) -> Option<&Position> {
        self.books.get(id.index()).map(PositionBook::position)
    }
    /// One position with its memory of trades.
    #[must_use]
    pub fn book(&self, id: InstrumentId) -> Option<&PositionBook<u64>> {
        self.books.get(id.index())
    }
    /// Average price of one open position; `None` when flat.
    #[must_use]
    pub fn average_price(&self, id: InstrumentId) -> Option<Decimal> {
        let book = self.book(id)?;
        book.position().average_price(book.pair().multiplier)
    }
    /// Profit or loss of one open position at a mark; `None` when unknown or it does not fit.
    #[must_use]
    pub fn unrealized_pnl(&self, id: InstrumentId, mark: Price) -> Option<Decimal> {
        let book = self.book(id)?;
        let mark = self.catalogue.get(id)?.grid.price_decimal(mark);
        book.position()
            .unrealized_pnl(mark, book.pair().multiplier)
            .ok()
    }
    /// Realized profit by quote asset.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn realized_by_quote(&self) -> Result<BTreeMap<Asset, Money>, LedgerError> {
        let mut sums: BTreeMap<Asset, Money> = BTreeMap::new();
        for book in &self.books {
            let Some(quote) = book.pair().quote else {
                continue;
            };
            let sum = sums.entry(quote).or_default();
            *sum = sum.add(Money(book.position().realized_pnl()))?;
        }
        Ok(sums)
    }
    /// Fees paid by asset, over all positions.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn fees(&self) -> Result<BTreeMap<Asset, Money>, LedgerError> {
        let mut sums: BTreeMap<Asset, Money> = BTreeMap::new();
        for (asset, amount) in self.books.iter().flat_map(|book| book.position().fees()) {
            let sum = sums.entry(*asset).or_default();
            *sum = sum.add(*amount)?;
        }
        Ok(sums)
    }
    /// Fills booked, duplicates not counted.
    #[must_use]
    pub const fn fill_count(&self) -> u64 {
        self.fill_count
    }
    /// Fills that came again.
    #[must_use]
    pub fn duplicate_count(&self) -> u64 {
        self.books.iter().map(PositionBook::duplicate_count).sum()
    }
    /// The settled watermark.
    #[must_use]
    pub const fn settled(&self) -> ApprovalSeq {
        self.settled
    }
}

fn pair(instrument: &Instrument) -> Pair {
    Pair {
        base: Some(instrument.symbol.base),
        quote: Some(instrument.symbol.quote),
        is_spot: instrument.kind() == InstrumentKind::Spot,
        multiplier: instrument.multiplier,
    }
}
