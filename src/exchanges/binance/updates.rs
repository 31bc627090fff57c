//! What is said of orders, brought into order: acknowledged, executed (each once), ended (after its executions).

use crate::exchanges::gateway::GatewayOut;
use crate::exchanges::tracker::{Ending, Tracked};
use crate::market::InstrumentId;
use crate::trade::{ClientOrderId, ReportKind};
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::machine::{Asked, At, Machine, RequestKind, TradesFor};
use super::order::{FillUpdate, OrderState, OrderUpdate};

/// How long executions may come after the end that counts them, before they are asked for.
const FILLS_GRACE: Nanos = Nanos::from_millis(1_000);
/// How many answers may lack the missing executions before the end is told without them.
const FILLS_ASKED_MAX: u8 = 3;

impl Machine {
    /// Takes one update and the executions that came with it. An answer to a query is always told, even when known.
    pub(super) fn apply(
        &mut self,
        update: &OrderUpdate,
        fills: &[FillUpdate],
        from_query: bool,
        at: At,
        out: &mut GatewayOut,
    ) {
        let all = update.fill.iter().chain(fills);
        let Some(id) = update.client else {
            for fill in all {
                self.tell_fill(update, None, fill, at, out);
            }
            return;
        };
        let stamp = (update.venue_time, at);
        let followed = self.tracker.begin(id, update.instrument, at.now);
        let rejected = matches!(update.state, OrderState::Rejected(_));
        if followed && !rejected && self.tracker.ack(id, update.venue_order_id) {
            let kind = ReportKind::Acked {
                venue_order_id: update.venue_order_id,
            };
            self.report(out, update.instrument, Some(id), kind, stamp);
        }
        for fill in all {
            self.tell_fill(update, Some(id), fill, at, out);
        }
        match update.state {
            OrderState::Open if from_query => {
                let kind = ReportKind::Open {
                    filled: update.filled,
                };
                self.report(out, update.instrument, Some(id), kind, stamp);
            }
            OrderState::Open => {}
            OrderState::Unclear => self.tell_end_if_complete(id, at, out),
            OrderState::Rejected(reason) => {
                if from_query || self.tracker.get(id).is_none_or(|order| !order.done) {
                    let kind = ReportKind::Rejected { reason, code: 0 };
                    self.report(out, update.instrument, Some(id), kind, stamp);
                }
                self.tracker.end(id);
            }
            OrderState::Ended { complete } => {
                self.take_end(update, id, complete, from_query, at, out);
            }
        }
    }

    fn take_end(
        &mut self,
        update: &OrderUpdate,
        id: ClientOrderId,
        complete: bool,
        from_query: bool,
        at: At,
        out: &mut GatewayOut,
    ) {
        let Some(order) = self.tracker.get(id).copied() else {
            // Not followed (the tracker is full): what the venue says is all there is.
            self.tell_end(
                update.instrument,
                id,
                update.filled,
                complete,
                (update.venue_time, at),
                out,
            );
            return;
        };
        if order.done && !from_query {
            return;
        }
        if order.filled >= update.filled {
            self.tell_end(
                update.instrument,
                id,
                update.filled,
                complete,
                (update.venue_time, at),
                out,
            );
            return;
        }
        // Executions are on their way, or were lost with a connection: the end waits for them.
        let grace = if from_query || !self.stream_live {
            Nanos::ZERO
        } else {
            FILLS_GRACE
        };
        let due_at = at.now.after(grace);
        // Asked for already: repeating the question with every repeated answer would only wear out its count.
        let (due_at, asked) = order
            .ending
            .map_or((due_at, 0), |ending| (ending.due_at, ending.asked));
        self.tracker.hold_end(
            id,
            Ending {
                filled: update.filled,
                complete,
                venue_time: update.venue_time,
                due_at,
                asked,
            },
        );
        if grace == Nanos::ZERO {
            self.ask_missing_fills(at, out);
        }
    }

    fn tell_end(
        &mut self,
        instrument: InstrumentId,
        id: ClientOrderId,
        filled: crate::units::Qty,
        complete: bool,
        stamp: (UnixNanos, At),
        out: &mut GatewayOut,
    ) {
        let kind = ReportKind::Done { filled, complete };
        self.report(out, instrument, Some(id), kind, stamp);
        self.tracker.end(id);
    }

    /// Tells a held end once its executions are all told.
    fn tell_end_if_complete(&mut self, id: ClientOrderId, at: At, out: &mut GatewayOut) {
        let Some(order) = self.tracker.get(id).copied() else {
            return;
        };
        if let Some(ending) = order.ending
            && order.filled >= ending.filled
        {
            let stamp = (ending.venue_time, at);
            self.tell_end(
                order.instrument,
                id,
                ending.filled,
                ending.complete,
                stamp,
                out,
            );
        }
    }

    pub(super) fn tell_fill(
        &mut self,
        update: &OrderUpdate,
        id: Option<ClientOrderId>,
        fill: &FillUpdate,
        at: At,
        out: &mut GatewayOut,
    ) {
        let side = update.side;
        if !self
            .tracker
            .first_time(update.instrument, fill.trade_id, side)
        {
            self.counters.duplicate_fills += 1;
            return;
        }
        match id {
            Some(id) => self.tracker.add_fill(id, fill.qty),
            None => self.counters.foreign_fills += 1,
        }
        let kind = ReportKind::Filled {
            side,
            qty: fill.qty,
            price: fill.price,
            fee: fill.fee,
            fee_asset: fill.fee_asset,
            trade_id: fill.trade_id,
            liquidity: fill.liquidity,
        };
        self.report(out, update.instrument, id, kind, (update.venue_time, at));
        if let Some(id) = id {
            self.tell_end_if_complete(id, at, out);
        }
    }

    /// Asks for the executions that due ends still wait for; tells an end without them when asking did not help.
    pub(super) fn ask_missing_fills(&mut self, at: At, out: &mut GatewayOut) {
        for (id, order) in self.tracker.due_endings(at.now) {
            let Some(ending) = order.ending else { continue };
            if ending.asked >= FILLS_ASKED_MAX {
                self.counters.fills_missing += 1;
                let stamp = (ending.venue_time, at);
                self.tell_end(
                    order.instrument,
                    id,
                    ending.filled,
                    ending.complete,
                    stamp,
                    out,
                );
                continue;
            }
            let due_at = next_look(at.now, self.options.response_timeout);
            self.tracker.hold_end(id, Ending { due_at, ..ending });
            self.ask(self.trades_of(id, &order), at, out);
        }
    }

    /// The question for an order's executions was answered: only answers count, a venue out of reach proves nothing.
    pub(super) fn count_answer(&mut self, id: ClientOrderId, at: At) {
        if let Some(ending) = self.tracker.get(id).and_then(|order| order.ending) {
            self.tracker.hold_end(
                id,
                Ending {
                    asked: ending.asked + 1,
                    due_at: at.now.after(FILLS_GRACE),
                    ..ending
                },
            );
        }
    }

    fn trades_of(&self, id: ClientOrderId, order: &Tracked) -> Asked {
        Asked {
            instrument: order.instrument,
            order: Some(id),
            trades_for: TradesFor::Order,
            ..Asked::new(RequestKind::Trades)
        }
    }
}

const fn next_look(now: MonoNanos, timeout: Nanos) -> MonoNanos {
    now.after(timeout).after(FILLS_GRACE)
}
