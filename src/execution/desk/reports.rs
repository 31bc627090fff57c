//! What the desk does with a report of the venue.

use crate::market::InstrumentId;
use crate::telemetry::stage::Stage;
use crate::trade::{
    ClientOrderId, Fill, OrderReport, Purpose, RejectReason, ReportKind, Ticket, TimeInForce,
    UnwindKind, UnwindReport,
};
use crate::units::{MonoNanos, Nanos, Qty};

use super::super::order::{Effect, NotFoundRule, Order, OrderState};
use super::super::output::{DeskAlertKind, DeskOutput};
use super::Desk;

/// What the desk needs of an order after a report, copied so that the order itself is free.
#[derive(Debug, Clone, Copy)]
struct Seen {
    ticket: Ticket,
    state: OrderState,
    filled_known: Qty,
    is_settled: bool,
    reject: Option<RejectReason>,
    first_fill: bool,
    written_at: Option<MonoNanos>,
    acked_at: Option<MonoNanos>,
    tick_received_at: MonoNanos,
}

impl Seen {
    fn of(order: &Order) -> Self {
        Self {
            ticket: order.ticket,
            state: order.state(),
            filled_known: order.filled_known(),
            is_settled: order.is_settled(),
            reject: order.reject(),
            first_fill: order.fill_count() == 1,
            written_at: order.written_at,
            acked_at: order.acked_at,
            tick_received_at: order.tick_received_at,
        }
    }
}

impl Desk {
    /// Takes one report.
    pub fn on_report(&mut self, report: &OrderReport, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let rule = self.not_found_rule(report);
        let applied = self.tracker.apply(report, &rule);
        let Some((seen, effect)) = applied.map(|(order, effect)| (Seen::of(order), effect)) else {
            self.on_stray(report, now, out);
            return;
        };
        let id = seen.ticket.client_order_id;
        self.touched.insert(seen.ticket.instrument);
        measure(report, &seen, &effect, out);
        self.count(&effect);
        if effect.acked {
            self.flow.of(seen.ticket.instrument).rejected_run = 0;
        }
        if effect.new_fill {
            self.flow.of(seen.ticket.instrument).executed += u64::from(seen.first_fill);
            self.on_new_fill(report, &seen.ticket, out);
        }
        self.raise(&effect, &seen.ticket, now, out);
        if effect.left.is_some() {
            self.on_new_state(&seen, now, out);
        }
        if effect.not_found {
            tell_unwind(&seen.ticket, UnwindKind::NotFound, now, out);
        }
        if effect.ask {
            self.ask_at_once(id, now, out);
        }
        let immediate = seen.ticket.time_in_force != TimeInForce::GoodTillCancel;
        if matches!(report.kind, ReportKind::Open { .. }) && immediate && !seen.state.is_terminal()
        {
            // An immediate order that the venue still has open: it must not rest.
            self.cancel_order(id, now, out);
        }
        if seen.is_settled {
            self.on_settled(&seen.ticket);
        }
        if seen.ticket.purpose != Purpose::Unwind {
            self.look_at_set(id.set(), now, out);
        }
        self.flush(out);
    }

    /// A forced close judges its own unknown orders, by position snapshots too: it is told of look-ups for twice as long.
    fn not_found_rule(&self, report: &OrderReport) -> NotFoundRule {
        let rule = self.params.not_found;
        let order = report.client_order_id.and_then(|id| self.tracker.get(id));
        if order.is_some_and(|order| order.ticket.purpose == Purpose::Unwind) {
            let span_min = Nanos(rule.span_min.0.saturating_mul(2));
            return NotFoundRule {
                count_min: rule.count_min.saturating_mul(2),
                span_min,
                ..rule
            };
        }
        rule
    }

    /// A report of an order that is not known here: an execution still changes what the account holds.
    fn on_stray(&mut self, report: &OrderReport, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        self.counters.reports_stray += 1;
        if let Some(fill) = fill_of(report, None) {
            out.push(DeskOutput::Fill(fill));
            // A forgotten order of this session is redelivered history, one of an earlier session is being recovered: the
            // ledger knows the trade ids of both.
            if !report
                .client_order_id
                .is_some_and(|id| self.ids.is_of_node(id))
            {
                let (order, instrument) = (report.client_order_id, Some(report.instrument));
                self.alert(
                    DeskAlertKind::ForeignFill,
                    order,
                    None,
                    instrument,
                    now,
                    out,
                );
            }
        }
    }

    fn on_new_fill(&mut self, report: &OrderReport, ticket: &Ticket, out: &mut Vec<DeskOutput>) {
        let Some(fill) = fill_of(report, Some(ticket)) else {
            return;
        };
        out.push(DeskOutput::Fill(fill));
        if ticket.purpose == Purpose::Unwind {
            let kind = UnwindKind::Filled {
                qty: fill.qty,
                price: fill.price,
            };
            tell_unwind(ticket, kind, report.received_at, out);
            return;
        }
        let id = ticket.client_order_id;
        let place = usize::from(id.leg());
        let Some(set) = self.sets.get_mut(&id.set()) else {
            return;
        };
        // The order's own side: it is what was asked for, and what the set counts with.
        if let Some(leg) = set.legs.get_mut(place) {
            leg.traded
                .add(ticket.side, fill.qty, fill.price, fill.fee, fill.fee_asset);
        }
        if let Some(cycle) = &mut set.cycle {
            cycle.add(place, ticket.side, &fill);
        }
    }

    fn on_new_state(&mut self, seen: &Seen, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let ticket = &seen.ticket;
        match seen.state {
            OrderState::Unknown => {
                self.counters.orders_unknown += 1;
                tell_unwind(ticket, UnwindKind::Unknown, now, out);
            }
            OrderState::Rejected => match seen.reject {
                Some(reason) => {
                    self.counters.orders_rejected += 1;
                    let tally = self.flow.of(ticket.instrument);
                    tally.rejected += 1;
                    tally.rejected_run = tally.rejected_run.saturating_add(1);
                    tell_unwind(ticket, UnwindKind::Rejected { reason }, now, out);
                }
                // Proven absent: the risk seat counts the look-ups itself, and wants a position snapshot besides.
                None => self.counters.orders_absent += 1,
            },
            OrderState::Filled | OrderState::Canceled | OrderState::Expired => {
                let filled = seen.filled_known;
                tell_unwind(ticket, UnwindKind::Done { filled }, now, out);
            }
            OrderState::PendingNew | OrderState::Live | OrderState::PartiallyFilled => {}
        }
        if seen.state.is_terminal() && !seen.is_settled {
            let (check_at, backoff) = (now.after(self.params.fill_wait), self.params.query_backoff);
            if let Some(order) = self.tracker.get_mut(ticket.client_order_id) {
                order.check_at = check_at;
                order.backoff = backoff;
            }
        }
    }

    /// The order is over and all its executions are told: its approval is settled.
    fn on_settled(&mut self, ticket: &Ticket) {
        if ticket.purpose == Purpose::Unwind {
            self.tracker.retire(ticket.client_order_id);
            return;
        }
        if self.settlement.is_open(ticket.approval) {
            self.settled_moved |= self.settlement.close(ticket.approval);
        }
        if !self.sets.contains_key(&ticket.client_order_id.set()) {
            self.tracker.retire(ticket.client_order_id);
        }
    }

    fn count(&mut self, effect: &Effect) {
        let counters = &mut self.counters;
        counters.fills += u64::from(effect.new_fill);
        counters.fills_duplicate += u64::from(effect.duplicate_fill);
        counters.fills_late += u64::from(effect.new_fill && effect.late);
        counters.reports_late += u64::from(!effect.new_fill && effect.late);
    }

    fn raise(&self, effect: &Effect, ticket: &Ticket, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let (order, set) = (
            Some(ticket.client_order_id),
            Some(ticket.client_order_id.set()),
        );
        let instrument: Option<InstrumentId> = Some(ticket.instrument);
        if effect.overfill {
            self.alert(DeskAlertKind::Overfill, order, set, instrument, now, out);
        }
        // "Not found" for what was acknowledged is a venue that lags, and is asked again.
        if effect.contradiction && !effect.not_found {
            self.alert(
                DeskAlertKind::Contradiction,
                order,
                set,
                instrument,
                now,
                out,
            );
        }
    }

    /// Asks without waiting for the order's deadline.
    pub(super) fn ask_at_once(
        &mut self,
        id: ClientOrderId,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let backoff = self.params.query_backoff;
        if let Some(order) = self.tracker.get_mut(id) {
            order.backoff = backoff;
        }
        self.ask(id, now, out);
    }
}

fn tell_unwind(ticket: &Ticket, kind: UnwindKind, at: MonoNanos, out: &mut Vec<DeskOutput>) {
    if ticket.purpose == Purpose::Unwind {
        let (instrument, approval) = (ticket.instrument, ticket.approval);
        out.push(DeskOutput::Unwind(UnwindReport {
            instrument,
            approval,
            kind,
            at,
        }));
    }
}

fn fill_of(report: &OrderReport, ticket: Option<&Ticket>) -> Option<Fill> {
    let ReportKind::Filled {
        side,
        qty,
        price,
        fee,
        fee_asset,
        trade_id,
        liquidity,
    } = report.kind
    else {
        return None;
    };
    Some(Fill {
        venue: report.venue,
        instrument: report.instrument,
        client_order_id: report.client_order_id,
        approval: ticket.map(|ticket| ticket.approval).unwrap_or_default(),
        strategy: ticket
            .filter(|ticket| ticket.purpose != Purpose::Unwind)
            .map(|ticket| ticket.strategy),
        purpose: ticket.map(|ticket| ticket.purpose),
        side,
        qty,
        price,
        fee,
        fee_asset,
        trade_id,
        venue_time: report.venue_time,
        received_at: report.received_at,
        liquidity,
    })
}

/// The spans an order's life shows: tick to socket, socket to acknowledgement, acknowledgement to first execution.
fn measure(report: &OrderReport, seen: &Seen, effect: &Effect, out: &mut Vec<DeskOutput>) {
    let at = report.received_at;
    if effect.written && seen.ticket.purpose == Purpose::Leg {
        out.push(DeskOutput::Stage {
            stage: Stage::TickToOrder,
            venue: report.venue,
            span: at.since(seen.tick_received_at),
        });
    }
    if let (true, Some(written_at)) = (effect.acked, seen.written_at) {
        out.push(DeskOutput::Stage {
            stage: Stage::OrderAck,
            venue: report.venue,
            span: at.since(written_at),
        });
    }
    if let (true, true, Some(acked_at)) = (effect.new_fill, seen.first_fill, seen.acked_at) {
        out.push(DeskOutput::Stage {
            stage: Stage::AckToFill,
            venue: report.venue,
            span: at.since(acked_at),
        });
    }
}
