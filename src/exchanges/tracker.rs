//! What this session knows of its own orders: so that each execution is told once, an acknowledgement comes before it, and
//! the end of an order after the executions that it counts, whichever way and in whichever order the venue delivers them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::capacity::OPEN_ORDERS_MAX;
use crate::market::InstrumentId;
use crate::trade::ClientOrderId;
use crate::units::{MonoNanos, Qty, Side, UnixNanos};

/// Orders known at once, open ones and the last ended ones. Beyond it an order seen on the wire is not followed.
const TRACKED_MAX: usize = 4 * OPEN_ORDERS_MAX;
/// Ended orders kept for late messages. The oldest is dropped beyond it.
const ENDED_KEPT: usize = OPEN_ORDERS_MAX;
/// Executions remembered for de-duplication, all instruments together. The oldest is dropped beyond it; the ledger
/// remembers more.
const TRADES_KEPT: usize = 8_192;

/// The venue said terminal while executions were still missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// Cumulative quantity to reach.
    pub(crate) filled: Qty,
    /// Whole quantity.
    pub(crate) complete: bool,
    /// The venue's time of the end.
    pub(crate) venue_time: UnixNanos,
    /// When to do something about it.
    pub(crate) due_at: MonoNanos,
    /// That many answers did not have the missing executions.
    pub(crate) asked: u8,
}

/// One order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tracked {
    /// Of which instrument.
    pub(crate) instrument: InstrumentId,
    /// The venue's id; 0 until known.
    pub(crate) venue_order_id: u64,
    /// Executions told so far.
    pub(crate) filled: Qty,
    /// The acknowledgement was told.
    pub(crate) acked: bool,
    /// Its end (or refusal) was told.
    pub(crate) done: bool,
    /// Waiting for executions before its end is told.
    pub(crate) ending: Option<Ending>,
    /// When it was first seen.
    pub(crate) since: MonoNanos,
}

/// Names one execution of ours. The side belongs to it: an account that trades with itself (a manual order against one of
/// ours) has two executions of one trade.
type TradeKey = (InstrumentId, u64, Side);

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    orders: BTreeMap<ClientOrderId, Tracked>,
    by_venue_id: BTreeMap<(InstrumentId, u64), ClientOrderId>,
    ended: VecDeque<ClientOrderId>,
    trades: BTreeSet<TradeKey>,
    trade_order: VecDeque<TradeKey>,
    endings: u32,
}

impl Tracker {
    /// Begins to follow an order; `false` when no more fit.
    pub(crate) fn begin(
        &mut self,
        id: ClientOrderId,
        instrument: InstrumentId,
        now: MonoNanos,
    ) -> bool {
        if self.orders.len() >= TRACKED_MAX && !self.orders.contains_key(&id) {
            return false;
        }
        self.orders.entry(id).or_insert(Tracked {
            instrument,
            venue_order_id: 0,
            filled: Qty::ZERO,
            acked: false,
            done: false,
            ending: None,
            since: now,
        });
        true
    }
    pub(crate) fn get(&self, id: ClientOrderId) -> Option<&Tracked> {
        self.orders.get(&id)
    }
    /// True the first time; notes the venue's id.
    pub(crate) fn ack(&mut self, id: ClientOrderId, venue_order_id: u64) -> bool {
        let Some(order) = self.orders.get_mut(&id) else {
            return false;
        };
        if order.venue_order_id != venue_order_id && venue_order_id != 0 {
            order.venue_order_id = venue_order_id;
            self.by_venue_id
                .insert((order.instrument, venue_order_id), id);
        }
        !std::mem::replace(&mut order.acked, true)
    }
    /// Which of our orders the venue means.
    pub(crate) fn by_venue_id(
        &self,
        instrument: InstrumentId,
        venue_order_id: u64,
    ) -> Option<ClientOrderId> {
        self.by_venue_id.get(&(instrument, venue_order_id)).copied()
    }
    /// True when this execution was not told before.
    pub(crate) fn first_time(
        &mut self,
        instrument: InstrumentId,
        trade_id: u64,
        side: Side,
    ) -> bool {
        let key = (instrument, trade_id, side);
        if !self.trades.insert(key) {
            return false;
        }
        self.trade_order.push_back(key);
        if self.trade_order.len() > TRADES_KEPT
            && let Some(oldest) = self.trade_order.pop_front()
        {
            self.trades.remove(&oldest);
        }
        true
    }
    /// Counts an execution towards an order.
    pub(crate) fn add_fill(&mut self, id: ClientOrderId, qty: Qty) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.filled = order.filled.checked_add(qty).unwrap_or(order.filled);
        }
    }
    /// The end of an order cannot be told yet.
    pub(crate) fn hold_end(&mut self, id: ClientOrderId, ending: Ending) {
        if let Some(order) = self.orders.get_mut(&id) {
            if order.ending.is_none() {
                self.endings += 1;
            }
            order.ending = Some(ending);
        }
    }
    /// The end was told: keep the order a while for late messages.
    pub(crate) fn end(&mut self, id: ClientOrderId) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        if order.ending.take().is_some() {
            self.endings = self.endings.saturating_sub(1);
        }
        if std::mem::replace(&mut order.done, true) {
            return;
        }
        self.ended.push_back(id);
        if self.ended.len() > ENDED_KEPT
            && let Some(oldest) = self.ended.pop_front()
            && let Some(gone) = self.orders.remove(&oldest)
        {
            self.by_venue_id
                .remove(&(gone.instrument, gone.venue_order_id));
        }
    }
    /// Orders whose end waits and is due.
    pub(crate) fn due_endings(&self, now: MonoNanos) -> Vec<(ClientOrderId, Tracked)> {
        if self.endings == 0 {
            return Vec::new();
        }
        self.orders
            .iter()
            .filter(|(_, order)| order.ending.is_some_and(|ending| now >= ending.due_at))
            .map(|(id, order)| (*id, *order))
            .collect()
    }
    /// True when a placement in this instrument, younger than `oldest`, has no answer yet: a trade of an unknown order may
    /// be its.
    pub(crate) fn has_unanswered(&self, instrument: InstrumentId, oldest: MonoNanos) -> bool {
        self.orders.values().any(|order| {
            order.instrument == instrument && !order.acked && !order.done && order.since > oldest
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: InstrumentId = InstrumentId(0);

    #[test]
    fn trades_count_once_and_memory_is_bounded() {
        let mut tracker = Tracker::default();
        assert!(tracker.first_time(HERE, 1, Side::Buy));
        assert!(!tracker.first_time(HERE, 1, Side::Buy));
        assert!(tracker.first_time(HERE, 1, Side::Sell));
        for trade in 0..u64::try_from(2 * TRADES_KEPT).unwrap() {
            tracker.first_time(HERE, 1_000 + trade, Side::Buy);
        }
        assert_eq!(tracker.trades.len(), TRADES_KEPT);
        let mut bits = 0;
        while tracker.begin(ClientOrderId(bits), HERE, MonoNanos(1)) {
            tracker.ack(
                ClientOrderId(bits),
                u64::try_from(bits).unwrap().wrapping_add(1),
            );
            bits += 1;
        }
        assert_eq!(tracker.orders.len(), TRACKED_MAX);
        for id in 0..bits {
            tracker.end(ClientOrderId(id));
        }
        assert_eq!(tracker.orders.len(), ENDED_KEPT);
        assert_eq!(tracker.by_venue_id.len(), ENDED_KEPT);
    }
}
