//! What time alone does: deadlines of orders and sets, and questions to venues.

use crate::trade::{ClientOrderId, Purpose, SetId, TimeInForce, UnwindKind, UnwindReport};
use crate::units::{MonoNanos, Nanos};

use super::super::command::OrderCommand;
use super::super::order::OrderState;
use super::super::output::{DeskAlertKind, DeskOutput};
use super::Desk;

impl Desk {
    /// Looks after everything whose time has come. Call it every few milliseconds.
    pub fn on_timer(&mut self, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let mut due = std::mem::take(&mut self.due);
        self.tracker.due(now, &mut due);
        for id in due.drain(..) {
            self.on_order_due(id, now, out);
        }
        self.due = due;
        let open: Vec<SetId> = self.open_sets.iter().copied().collect();
        for id in open {
            self.look_at_set(id, now, out);
        }
        self.flush(out);
    }

    /// An order without an end at its deadline is unknown; an unknown one is asked for again.
    fn on_order_due(&mut self, id: ClientOrderId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let Some(order) = self.tracker.get(id) else {
            return;
        };
        let ticket = order.ticket;
        let resting = ticket.time_in_force == TimeInForce::GoodTillCancel
            && matches!(
                order.state(),
                OrderState::Live | OrderState::PartiallyFilled
            );
        if !resting && self.tracker.lose(id).left.is_some() {
            self.counters.orders_unknown += 1;
            if ticket.purpose == Purpose::Unwind {
                let (instrument, approval) = (ticket.instrument, ticket.approval);
                let kind = UnwindKind::Unknown;
                out.push(DeskOutput::Unwind(UnwindReport {
                    instrument,
                    approval,
                    kind,
                    at: now,
                }));
            }
        }
        self.ask(id, now, out);
    }

    /// Asks the venue what became of an order, when it is its turn, and plans the next question.
    pub(super) fn ask(&mut self, id: ClientOrderId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let (longest, alert_at) = (self.params.query_backoff_max, self.params.queries_alert);
        let Some(order) = self.tracker.get_mut(id) else {
            return;
        };
        if let Err(free_at) = self.throttle.try_query(order.venue, now) {
            order.check_at = free_at;
            return;
        }
        order.query_count += 1;
        order.check_at = now.after(order.backoff);
        order.backoff = Nanos(order.backoff.0.saturating_mul(2)).min(longest);
        let (venue, instrument) = (order.venue, order.ticket.instrument);
        let alert = order.query_count >= alert_at
            && !std::mem::replace(&mut order.alerted, order.query_count >= alert_at);
        let kind = if order.state().is_terminal() {
            DeskAlertKind::FillsMissing
        } else {
            DeskAlertKind::OrderUnknown
        };
        self.counters.queries_sent += 1;
        out.push(DeskOutput::Command(OrderCommand::query(
            venue, instrument, id,
        )));
        if alert {
            self.alert(kind, Some(id), Some(id.set()), Some(instrument), now, out);
        }
    }
}
