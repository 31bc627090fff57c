//! All orders of this session that may still matter: open ones, and the last finished ones for late and repeated reports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::market::InstrumentId;
use crate::trade::{ClientOrderId, OpenOrders, OrderReport, Purpose};
use crate::units::{MonoNanos, Qty, Side};

use super::order::{Effect, NotFoundRule, Order, OrderState};

/// Orders remembered after their set is forgotten. A report of an older one is counted as a stranger's (the ledger still
/// knows its trade ids).
pub const RETIRED_MAX: usize = 4_096;

/// Orders by our id.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    orders: BTreeMap<ClientOrderId, Order>,
    /// Not settled: open, unknown, or waiting for executions the venue spoke of.
    active: BTreeSet<ClientOrderId>,
    retired: VecDeque<ClientOrderId>,
}

impl Tracker {
    /// Takes a new order; false when its id is known already (nothing must be sent).
    pub fn insert(&mut self, order: Order) -> bool {
        let id = order.ticket.client_order_id;
        if self.orders.contains_key(&id) {
            return false;
        }
        self.orders.insert(id, order);
        self.active.insert(id);
        true
    }
    /// Applies a report; `None` when its order is not known here.
    pub fn apply(&mut self, report: &OrderReport, rule: &NotFoundRule) -> Option<(&Order, Effect)> {
        let id = report.client_order_id?;
        let order = self.orders.get_mut(&id)?;
        if order.ticket.instrument != report.instrument || order.venue != report.venue {
            return None;
        }
        let effect = order.on_report(&report.kind, report.received_at, rule);
        self.refile(id);
        self.orders.get(&id).map(|order| (order, effect))
    }
    /// Turns an order whose deadline passed into an unknown one.
    pub fn lose(&mut self, id: ClientOrderId) -> Effect {
        self.orders
            .get_mut(&id)
            .map(Order::on_lost)
            .unwrap_or_default()
    }
    /// Files an order under active when it is not settled.
    fn refile(&mut self, id: ClientOrderId) {
        match self.orders.get(&id) {
            Some(order) if !order.is_settled() => self.active.insert(id),
            _ => self.active.remove(&id),
        };
    }
    /// A settled order is of no more use to its set: it is remembered for late reports only, the oldest forgotten first.
    pub fn retire(&mut self, id: ClientOrderId) {
        if self.active.contains(&id) || !self.orders.contains_key(&id) {
            return;
        }
        self.retired.push_back(id);
        if self.retired.len() > RETIRED_MAX
            && let Some(oldest) = self.retired.pop_front()
            && !self.active.contains(&oldest)
        {
            self.orders.remove(&oldest);
        }
    }
    /// One order.
    #[must_use]
    pub fn get(&self, id: ClientOrderId) -> Option<&Order> {
        self.orders.get(&id)
    }
    /// One order, for the desk's own notes (deadlines, cancels).
    pub fn get_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.orders.get_mut(&id)
    }
    /// Orders that are not settled, in id order.
    pub fn active(&self) -> impl Iterator<Item = &Order> + Clone {
        self.active.iter().filter_map(|id| self.orders.get(id))
    }
    /// How many are not settled.
    #[must_use]
    pub fn active_count(&self) -> usize {
        self.active.len()
    }
    /// Ids whose deadline has passed, in id order, appended to `out`.
    pub fn due(&self, now: MonoNanos, out: &mut Vec<ClientOrderId>) {
        let due = self.active().filter(|order| order.check_at <= now);
        out.extend(due.map(|order| order.ticket.client_order_id));
    }
    /// Orders of one state.
    #[must_use]
    pub fn count(&self, state: OrderState) -> usize {
        self.active().filter(|order| order.state() == state).count()
    }
    /// What is live, in flight or unknown in one instrument, forced closes excluded.
    #[must_use]
    pub fn open_orders(&self, instrument: InstrumentId) -> OpenOrders {
        let mut open = OpenOrders {
            instrument,
            order_count: 0,
            buy_qty: Qty::ZERO,
            sell_qty: Qty::ZERO,
        };
        let own = |order: &&Order| {
            order.ticket.instrument == instrument
                && order.ticket.purpose != Purpose::Unwind
                && !order.state().is_terminal()
        };
        for order in self.active().filter(own) {
            open.order_count += 1;
            let total = match order.ticket.side {
                Side::Buy => &mut open.buy_qty,
                Side::Sell => &mut open.sell_qty,
            };
            *total = Qty(total.0.saturating_add(order.remaining().0));
        }
        open
    }
}
