//! The ledger of a running engine: every fill once, a position an instrument, and the snapshots for the risk seat.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::capacity::TRADE_IDS_MAX;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::trade::{ApprovalSeq, Fact, Fill, PaymentId, PositionSnapshot, Purpose};
use crate::units::{Asset, Money, Price, Qty};

use super::{
    Applied, Bust, Change, Fee, FeeRate, LedgerError, Pair, Payment, Position, PositionBook, Rate,
    Rates, Trade, TradeIds,
};

/// Funding payments remembered, over all venues.
const FUNDING_IDS_MAX: usize = 16_384;

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
    /// Price of a fee's third asset that was used, and when it held; `None` when none was needed or known.
    pub fee_rate: Option<FeeRate>,
    /// The position afterwards.
    pub snapshot: PositionSnapshot,
}

/// A funding payment as a venue told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funding {
    /// Which venue.
    pub venue: VenueId,
    /// Of which position; `None` when the venue told only the balance.
    pub instrument: Option<InstrumentId>,
    /// In which asset.
    pub asset: Asset,
    /// Positive when we paid, negative when we received.
    pub paid: Decimal,
    /// The venue's own words for it: with the same again it is the same payment.
    pub id: PaymentId,
}

impl Funding {
    /// The payment that a fact tells; `None` when it tells something else.
    #[must_use]
    pub const fn of(fact: &Fact) -> Option<Self> {
        let Fact::Funding {
            venue,
            asset,
            instrument,
            paid,
            id,
        } = *fact
        else {
            return None;
        };
        Some(Self {
            venue,
            instrument,
            asset,
            paid,
            id,
        })
    }
}

/// All positions of one engine. One owner: the position seat.
#[derive(Debug)]
pub struct Ledger {
    catalogue: Arc<Catalogue>,
    books: Vec<PositionBook<u64>>,
    unwind_filled: Vec<Qty>,
    rates: Rates,
    /// Funding that belongs to no one position, paid, by venue and asset.
    loose_funding: BTreeMap<(VenueId, Asset), Money>,
    /// Every payment booked, whoever paid it.
    payments: TradeIds<(VenueId, Asset, PaymentId)>,
    payment_count: u64,
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
            rates: Rates::default(),
            loose_funding: BTreeMap::new(),
            payments: TradeIds::new(FUNDING_IDS_MAX),
            payment_count: 0,
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
        let settlement = instrument.settlement();
        let is_third = |asset: Asset| {
            let is_base = instrument.contract().is_spot() && asset == instrument.symbol.base;
            asset != settlement && !is_base
        };
        let fee_rate = fill
            .fee_asset
            .filter(|asset| is_third(*asset) && !fill.fee.is_zero())
            .and_then(|asset| self.rates.of_fee(asset, settlement));
        let fee = match fill.fee_asset {
            Some(asset) => Fee::Known {
                amount: fill.fee,
                asset: Some(asset),
                rate: fee_rate,
            },
            // A fee of nothing in no asset is how a message without fees looks.
            None => Fee::Unknown,
        };
        let trade = Trade {
            side: fill.side,
            qty: instrument.grid.qty_decimal(fill.qty),
            price: instrument.grid.price_decimal(fill.price),
            venue_value: None,
            fee,
        };
        let book = self
            .books
            .get_mut(fill.instrument.index())
            .ok_or(LedgerError::UnknownInstrument)?;
        let applied = book.apply(&trade, fill.venue_time.0, fill.trade_id)?;
        let (duplicate, late, change) = match applied {
            Applied::Duplicate | Applied::Busted => (true, false, Change::default()),
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
            fee_rate,
            snapshot,
        })
    }

    /// Takes back a fill that the venue busted; all is as without it (X06). Quantities of forced closes stay counted as filled:
    /// they name what the desk reported.
    ///
    /// # Errors
    /// [`LedgerError`]: the caller halts (K4). Nothing changed.
    pub fn on_bust(
        &mut self,
        instrument: InstrumentId,
        trade_id: u64,
    ) -> Result<Bust, LedgerError> {
        let book = self.books.get_mut(instrument.index());
        book.ok_or(LedgerError::UnknownInstrument)?.bust(&trade_id)
    }

    /// Books funding once, by the venue's own words for it: several positions pay at one instant. A venue that tells only the
    /// balance is asked no further: the one open derivative there that settles in the asset paid it; when there is none or
    /// several, it is counted for the venue alone.
    ///
    /// `false` when it was booked before.
    ///
    /// # Errors
    /// [`LedgerError`]: the caller halts (K4). Nothing changed.
    pub fn on_funding(&mut self, funding: &Funding) -> Result<bool, LedgerError> {
        let id = (funding.venue, funding.asset, funding.id);
        if self.payments.contains(&id) {
            return Ok(false);
        }
        match funding.instrument.or_else(|| self.payer(funding)) {
            Some(instrument) => self.pay(instrument, funding)?,
            None => {
                let sum = self.loose_funding.entry((funding.venue, funding.asset));
                let sum = sum.or_default();
                *sum = sum.add(Money(funding.paid))?;
            }
        }
        self.payments.insert(id);
        self.payment_count += 1;
        Ok(true)
    }

    fn pay(&mut self, instrument: InstrumentId, funding: &Funding) -> Result<(), LedgerError> {
        let settlement = self
            .catalogue
            .get(instrument)
            .ok_or(LedgerError::UnknownInstrument)?
            .settlement();
        let payment = Payment {
            amount: funding.paid,
            asset: funding.asset,
            rate: self.rates.of_fee(funding.asset, settlement),
        };
        let book = self.books.get_mut(instrument.index());
        // Told apart above, so that each is new to the position.
        book.ok_or(LedgerError::UnknownInstrument)?
            .pay(&payment, self.payment_count)?;
        Ok(())
    }

    fn payer(&self, funding: &Funding) -> Option<InstrumentId> {
        let mut open = self.catalogue.at_venue(funding.venue).filter(|instrument| {
            instrument.kind() != InstrumentKind::Spot
                && instrument.settlement() == funding.asset
                && self
                    .position(instrument.id)
                    .is_some_and(|position| !position.qty().is_zero())
        });
        let first = open.next()?.id;
        open.next().is_none().then_some(first)
    }

    /// Bid and ask of an instrument: what fees in its base asset are valued at (its middle). Only spot tells a rate.
    ///
    /// Steps of its own grid; `time` in nanoseconds since 1970.
    pub fn on_quote(&mut self, instrument: InstrumentId, bid: Price, ask: Price, time: i64) {
        let Some(own) = self.catalogue.get(instrument) else {
            return;
        };
        if own.kind() == InstrumentKind::Spot {
            let rate = Rate {
                bid: own.grid.price_decimal(bid),
                ask: own.grid.price_decimal(ask),
                time,
            };
            self.rates.set(own.symbol.base, own.symbol.quote, rate);
        }
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
            trade_cash: position.cash().checked_add(position.funding())?,
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
        book.position().average_price(book.pair().contract)
    }
    /// Profit or loss of one open position at a mark; `None` when unknown or it does not fit.
    #[must_use]
    pub fn unrealized_pnl(&self, id: InstrumentId, mark: Price) -> Option<Decimal> {
        let book = self.book(id)?;
        let mark = self.catalogue.get(id)?.grid.price_decimal(mark);
        book.position()
            .unrealized_pnl(mark, book.pair().contract)
            .ok()
    }
    /// Realized profit by settlement asset, funding of no one position included.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn realized_by_asset(&self) -> Result<BTreeMap<Asset, Money>, LedgerError> {
        let mut sums: BTreeMap<Asset, Money> = BTreeMap::new();
        for book in &self.books {
            let Some(asset) = book.pair().settlement() else {
                continue;
            };
            let sum = sums.entry(asset).or_default();
            *sum = sum.add(Money(book.position().realized_pnl()))?;
        }
        for ((_, asset), paid) in &self.loose_funding {
            let sum = sums.entry(*asset).or_default();
            *sum = sum.sub(*paid)?;
        }
        Ok(sums)
    }
    /// Funding paid that belongs to no one position, by venue and asset.
    #[must_use]
    pub const fn loose_funding(&self) -> &BTreeMap<(VenueId, Asset), Money> {
        &self.loose_funding
    }
    /// Stocks of third assets that fees made, by venue and asset: below zero when more was paid than came back (V15).
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn fee_stocks(&self) -> Result<BTreeMap<(VenueId, Asset), Money>, LedgerError> {
        let mut sums: BTreeMap<(VenueId, Asset), Money> = BTreeMap::new();
        for (instrument, book) in self.catalogue.all().iter().zip(&self.books) {
            for (asset, stock) in book.position().stocks() {
                let sum = sums.entry((instrument.venue, *asset)).or_default();
                *sum = sum.add(stock.qty)?;
            }
        }
        Ok(sums)
    }
    /// False while a fee is unknown or has no rate: realized profit lacks it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.books.iter().all(|book| book.position().is_complete())
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
        contract: instrument.contract(),
    }
}
