//! One position fed by trades that may come twice or late: counted once, and booked in the venue's order.
//!
//! The order of trades never changes the total, but it changes how the total splits into realized and unrealized (V12).
//! Ours is the venue's: trade time, then trade id. The last [`REORDER_TRADES`] trades keep the state before them, so a late
//! one is booked at its place and the later ones again after it. A trade later than that is booked last, and counted.

use std::collections::VecDeque;

use super::{Change, LedgerError, Pair, Position, Trade, TradeIds};

/// How many of the newest trades can be booked again after a late one.
pub const REORDER_TRADES: usize = 64;

/// What became of one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Its id was counted before: nothing changed.
    Duplicate,
    /// Booked as the newest.
    InOrder(Change),
    /// Booked before newer ones. The change is what it did to the whole: quantities are not split.
    Late(Change),
}

#[derive(Debug, Clone)]
struct Recent<Id> {
    key: (i64, Id),
    trade: Trade,
    before: Position,
}

/// A position with its memory of trades.
#[derive(Debug, Clone)]
pub struct PositionBook<Id> {
    pair: Pair,
    position: Position,
    ids: TradeIds<Id>,
    recent: VecDeque<Recent<Id>>,
    duplicate_count: u64,
    late_count: u64,
    out_of_order_count: u64,
}

impl<Id: Ord + Clone> PositionBook<Id> {
    /// A flat position that remembers `id_capacity` trade ids.
    #[must_use]
    pub fn new(pair: Pair, id_capacity: usize) -> Self {
        Self {
            pair,
            position: Position::default(),
            ids: TradeIds::new(id_capacity),
            recent: VecDeque::with_capacity(REORDER_TRADES),
            duplicate_count: 0,
            late_count: 0,
            out_of_order_count: 0,
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
        let key = (time, id.clone());
        let later = self
            .recent
            .iter()
            .rev()
            .take_while(|recent| recent.key > key)
            .count();
        let beyond = later == self.recent.len() && later == REORDER_TRADES;
        let applied = if later == 0 || beyond {
            let before = self.position.clone();
            let change = self.position.apply(trade, &self.pair)?;
            self.out_of_order_count += u64::from(beyond);
            // Out of the window it takes the newest place, under the newest key, so that the window stays sorted.
            let key = if beyond {
                self.recent.back().map_or(key, |newest| newest.key.clone())
            } else {
                key
            };
            self.remember(Recent {
                key,
                trade: *trade,
                before,
            });
            if beyond {
                Applied::Late(change)
            } else {
                Applied::InOrder(change)
            }
        } else {
            Applied::Late(self.insert_late(trade, key, later)?)
        };
        self.late_count += u64::from(matches!(applied, Applied::Late(_)));
        self.ids.insert(id);
        Ok(applied)
    }

    fn insert_late(
        &mut self,
        trade: &Trade,
        key: (i64, Id),
        later: usize,
    ) -> Result<Change, LedgerError> {
        let at = self.recent.len() - later;
        let mut recent = self.recent.clone();
        let before = recent
            .get(at)
            .map_or_else(|| self.position.clone(), |next| next.before.clone());
        let mut position = before.clone();
        recent.insert(
            at,
            Recent {
                key,
                trade: *trade,
                before,
            },
        );
        for entry in recent.iter_mut().skip(at) {
            entry.before = position.clone();
            position.apply(&entry.trade, &self.pair)?;
        }
        let realized = position.realized_pnl() - self.position.realized_pnl();
        self.position = position;
        self.recent = recent;
        while self.recent.len() > REORDER_TRADES {
            self.recent.pop_front();
        }
        Ok(Change {
            realized_pnl: realized,
            ..Change::default()
        })
    }

    fn remember(&mut self, recent: Recent<Id>) {
        if self.recent.len() >= REORDER_TRADES {
            self.recent.pop_front();
        }
        self.recent.push_back(recent);
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
    /// Trades that came again.
    #[must_use]
    pub const fn duplicate_count(&self) -> u64 {
        self.duplicate_count
    }
    /// Trades that came after a newer one.
    #[must_use]
    pub const fn late_count(&self) -> u64 {
        self.late_count
    }
    /// Late trades beyond the window, booked last instead of at their place.
    #[must_use]
    pub const fn out_of_order_count(&self) -> u64 {
        self.out_of_order_count
    }
}
