//! One position fed by trades that may come twice, late, or be taken back: counted once, and booked in the venue's order.
//!
//! The order of trades never changes the total, but it changes how the total splits into realized and unrealized (V12).
//! Ours is the venue's: trade time, then trade id. The last [`HISTORY_TRADES`] trades are kept, so a late one is booked at its
//! place, a busted one is taken out (X06), and the later ones are booked again. A trade later than that is booked last, and
//! counted.

use std::collections::VecDeque;

use super::{Change, LedgerError, Pair, Payment, Position, Trade, TradeIds};

/// How many of the newest trades can be booked again after a late or busted one.
pub const HISTORY_TRADES: usize = 1_024;
/// How many of the newest keep the state before them: a trade at most this late costs nothing more.
const CHECKPOINTS: usize = 64;

/// What became of one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Its id was counted before: nothing changed.
    Duplicate,
    /// The venue took it back before it came: nothing changed.
    Busted,
    /// Booked as the newest.
    InOrder(Change),
    /// Booked before newer ones. The change is what it did to the whole: quantities are not split.
    Late(Change),
}

/// What became of one bust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bust {
    /// The fill is out: all is as without it. The change is what that did to the whole.
    Reverted(Change),
    /// The fill never came; it will not be booked when it does.
    Ahead,
    /// Busted before: nothing changed.
    Duplicate,
}

#[derive(Debug, Clone)]
struct Entry<Id> {
    key: (i64, Id),
    id: Id,
    trade: Trade,
    before: Option<Position>,
}

/// A position with its memory of trades.
#[derive(Debug, Clone)]
pub struct PositionBook<Id> {
    pair: Pair,
    position: Position,
    ids: TradeIds<Id>,
    busted: TradeIds<Id>,
    payments: TradeIds<Id>,
    /// The state before the oldest entry.
    base: Position,
    entries: VecDeque<Entry<Id>>,
    duplicate_count: u64,
    late_count: u64,
    out_of_order_count: u64,
    bust_count: u64,
}

impl<Id: Ord + Clone> PositionBook<Id> {
    /// A flat position that remembers `id_capacity` trade ids.
    #[must_use]
    pub fn new(pair: Pair, id_capacity: usize) -> Self {
        Self {
            pair,
            position: Position::default(),
            ids: TradeIds::new(id_capacity),
            busted: TradeIds::new(id_capacity),
            payments: TradeIds::new(id_capacity),
            base: Position::default(),
            entries: VecDeque::new(),
            duplicate_count: 0,
            late_count: 0,
            out_of_order_count: 0,
            bust_count: 0,
        }
    }

    /// Books a trade once. `time` is the venue's trade time in nanoseconds.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing changes then.
    pub fn apply(&mut self, trade: &Trade, time: i64, id: Id) -> Result<Applied, LedgerError> {
        if self.ids.contains(&id) {
            self.duplicate_count += 1;
            return Ok(Applied::Duplicate);
        }
        if self.busted.contains(&id) {
            self.ids.insert(id);
            return Ok(Applied::Busted);
        }
        let key = (time, id.clone());
        let newer = self.entries.iter().rev();
        let later = newer.take_while(|entry| entry.key > key).count();
        let beyond = later == self.entries.len() && later >= HISTORY_TRADES;
        let applied = if later == 0 || beyond {
            // Beyond the history it takes the newest place, under the newest key, so that the entries stay sorted.
            let newest = self.entries.back().filter(|_| beyond);
            let key = newest.map_or(key, |newest| newest.key.clone());
            let change = self.book_newest(trade, key, id.clone())?;
            self.out_of_order_count += u64::from(beyond);
            if beyond {
                Applied::Late(change)
            } else {
                Applied::InOrder(change)
            }
        } else {
            let entry = Entry {
                key,
                id: id.clone(),
                trade: *trade,
                before: None,
            };
            let at = self.entries.len() - later;
            Applied::Late(self.rebook(at, Some(entry), 0)?)
        };
        self.late_count += u64::from(matches!(applied, Applied::Late(_)));
        self.ids.insert(id);
        self.forget()?;
        Ok(applied)
    }

    fn book_newest(
        &mut self,
        trade: &Trade,
        key: (i64, Id),
        id: Id,
    ) -> Result<Change, LedgerError> {
        let mut after = self.position.clone();
        let change = after.apply(trade, &self.pair)?;
        let before = std::mem::replace(&mut self.position, after);
        self.entries.push_back(Entry {
            key,
            id,
            trade: *trade,
            before: Some(before),
        });
        self.thin();
        Ok(change)
    }

    /// Drops the checkpoints older than the newest [`CHECKPOINTS`]: those kept are always the newest, without a gap.
    fn thin(&mut self) {
        let older = self.entries.len().saturating_sub(CHECKPOINTS);
        for entry in self.entries.range_mut(..older).rev() {
            if entry.before.take().is_none() {
                break;
            }
        }
    }

    /// Takes back a fill (a trade bust): position, cost, fees and realized return to the state without it (X06).
    ///
    /// # Errors
    /// [`LedgerError::BustTooOld`] when it was booked but is not kept any more; others as [`PositionBook::apply`]. Nothing
    /// changes then.
    pub fn bust(&mut self, id: &Id) -> Result<Bust, LedgerError> {
        if self.busted.contains(id) {
            return Ok(Bust::Duplicate);
        }
        let bust = match self.entries.iter().rposition(|entry| entry.id == *id) {
            Some(at) => Bust::Reverted(self.rebook(at, None, 1)?),
            None if self.ids.contains(id) => return Err(LedgerError::BustTooOld),
            None => Bust::Ahead,
        };
        self.busted.insert(id.clone());
        self.bust_count += 1;
        Ok(bust)
    }

    /// Books funding once. Its place among the trades does not matter: payments add up in any order.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing changes then.
    pub fn pay(&mut self, payment: &Payment, id: Id) -> Result<bool, LedgerError> {
        if self.payments.contains(&id) {
            self.duplicate_count += 1;
            return Ok(false);
        }
        let mut next = (self.position.clone(), self.base.clone());
        next.0.pay(payment, &self.pair)?;
        next.1.pay(payment, &self.pair)?;
        let mut checkpoints = Vec::with_capacity(CHECKPOINTS);
        for entry in self.entries.iter().rev() {
            let Some(before) = &entry.before else { break };
            let mut before = before.clone();
            before.pay(payment, &self.pair)?;
            checkpoints.push(before);
        }
        for (entry, before) in self.entries.iter_mut().rev().zip(checkpoints) {
            entry.before = Some(before);
        }
        (self.position, self.base) = next;
        self.payments.insert(id);
        Ok(true)
    }

    /// Puts `entry` at a place, or takes `removed` entries out there, and books everything later again.
    fn rebook(
        &mut self,
        at: usize,
        entry: Option<Entry<Id>>,
        removed: usize,
    ) -> Result<Change, LedgerError> {
        let mut position = self.state_before(at)?;
        let later = self.entries.range(at + removed..).cloned();
        let mut suffix: Vec<Entry<Id>> = entry.into_iter().chain(later).collect();
        let bare = suffix.len().saturating_sub(CHECKPOINTS);
        for (index, entry) in suffix.iter_mut().enumerate() {
            entry.before = (index >= bare).then(|| position.clone());
            position.apply(&entry.trade, &self.pair)?;
        }
        let realized_pnl = position.realized_pnl() - self.position.realized_pnl();
        self.position = position;
        self.entries.truncate(at);
        self.entries.extend(suffix);
        self.thin();
        Ok(Change {
            realized_pnl,
            ..Change::default()
        })
    }

    /// The state before an entry, from its checkpoint or booked again from the oldest.
    fn state_before(&self, at: usize) -> Result<Position, LedgerError> {
        let Some(entry) = self.entries.get(at) else {
            return Ok(self.position.clone());
        };
        if let Some(before) = &entry.before {
            return Ok(before.clone());
        }
        let mut position = self.base.clone();
        for entry in self.entries.range(..at) {
            position.apply(&entry.trade, &self.pair)?;
        }
        Ok(position)
    }

    /// Drops the oldest entry beyond the history.
    fn forget(&mut self) -> Result<(), LedgerError> {
        while self.entries.len() > HISTORY_TRADES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.base.apply(&oldest.trade, &self.pair)?;
        }
        Ok(())
    }

    /// Its state.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }
    /// What it is in.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }
    /// Trades and payments that came again.
    #[must_use]
    pub const fn duplicate_count(&self) -> u64 {
        self.duplicate_count
    }
    /// Trades that came after a newer one.
    #[must_use]
    pub const fn late_count(&self) -> u64 {
        self.late_count
    }
    /// Late trades beyond the history, booked last instead of at their place.
    #[must_use]
    pub const fn out_of_order_count(&self) -> u64 {
        self.out_of_order_count
    }
    /// Trades that the venue took back.
    #[must_use]
    pub const fn bust_count(&self) -> u64 {
        self.bust_count
    }
}
