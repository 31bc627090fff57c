//! Forced closes through the desk: sent once, reported as they go, never a matter of sets.

use std::sync::Arc;

use arbalest::execution::{CommandAction, DeskAlertKind, DeskOutput};
use arbalest::market::{Book, InstrumentId};
use arbalest::risk::{
    Approved, KillLevel, Monitor, OperatorCommand, Person, RiskOutput, Role, Scope,
};
use arbalest::trade::{
    ApprovalSeq, Fact, PositionSnapshot, PositionSource, Purpose, ReportKind, Ticket, TimeInForce,
    UnwindKind, VenuePosition,
};
use arbalest::units::{Asset, Nanos, Qty, Side};
use rust_decimal::Decimal;

use crate::bench::{Bench, commands, limits, placed, queries};

const PERPETUAL: InstrumentId = InstrumentId(0);

/// A desk and a monitor that closes a long position of 0.1 coins.
struct Close {
    bench: Bench,
    monitor: Monitor,
    position: Qty,
    closed: Qty,
    seen: usize,
    /// What the venue does with each order: how much of it fills; `None` says nothing at all.
    fills: Option<i64>,
    approvals: Vec<Approved>,
    risk_out: Vec<RiskOutput>,
}

impl Close {
    fn new(fills: Option<i64>) -> Self {
        let bench = Bench::pair();
        let monitor = Monitor::new(
            Arc::new(limits(2)),
            bench.catalogue.clone(),
            Asset::new("USDT").unwrap(),
        );
        let mut close = Self {
            bench,
            monitor,
            position: Qty(1_000),
            closed: Qty(0),
            seen: 0,
            fills,
            approvals: Vec::new(),
            risk_out: Vec::new(),
        };
        close.tell_position();
        close.tell_marks();
        let command = OperatorCommand::Raise {
            scope: Scope::Instrument(PERPETUAL),
            level: KillLevel::Flatten,
            by: Person::new("test", Role::Trader),
            reason: "drill".to_owned(),
        };
        close
            .monitor
            .on_operator(command, close.bench.now, &mut close.risk_out)
            .unwrap();
        close.settle();
        close
    }
    fn tell_position(&mut self) {
        let snapshot = PositionSnapshot {
            instrument: PERPETUAL,
            qty: self.position,
            cost: Decimal::from(self.position.0) * Decimal::from(6),
            realized_pnl: Decimal::ZERO,
            trade_cash: -Decimal::from(self.position.0) * Decimal::from(6),
            settled: ApprovalSeq(0),
            unwind_filled: self.closed,
        };
        self.monitor
            .on_position(&snapshot, self.bench.now, &mut self.risk_out);
    }
    fn tell_marks(&mut self) {
        let mark = self
            .bench
            .books
            .get(PERPETUAL)
            .map(|book: &Book| book.mark(PERPETUAL))
            .unwrap();
        self.monitor
            .on_mark(&mark, self.bench.now, &mut self.risk_out);
    }
    fn advance(&mut self, span: Nanos) {
        self.bench.advance(span);
        self.tell_marks();
        self.monitor.on_timer(self.bench.now, &mut self.risk_out);
        self.settle();
    }
    /// Carries everything out until nothing is left to do.
    fn settle(&mut self) {
        loop {
            for output in std::mem::take(&mut self.risk_out) {
                self.on_risk(&output);
            }
            let Some(output) = self.bench.out.get(self.seen).cloned() else {
                if self.risk_out.is_empty() {
                    return;
                }
                continue;
            };
            self.seen += 1;
            self.on_desk(&output);
        }
    }
    fn on_risk(&mut self, output: &RiskOutput) {
        let now = self.bench.now;
        if let RiskOutput::Unwind(approved) = output {
            self.approvals.push(*approved);
            self.bench
                .desk
                .on_approved(approved, now, &mut self.bench.out);
        }
        if let RiskOutput::CancelInstrument(instrument) = output {
            self.bench
                .desk
                .cancel_instrument(*instrument, now, &mut self.bench.out);
        }
        if let RiskOutput::AskPosition(instrument) = output {
            let word = VenuePosition {
                instrument: *instrument,
                qty: self.position,
                source: PositionSource::Snapshot,
                taken_at: now,
            };
            self.monitor.on_confirm(&word, now, &mut self.risk_out);
        }
    }
    fn on_desk(&mut self, output: &DeskOutput) {
        let now = self.bench.now;
        if let DeskOutput::Command(command) = output {
            match *command.action() {
                CommandAction::Place(ticket) => self.on_place(&ticket),
                CommandAction::Query {
                    client_order_id, ..
                } => {
                    let ticket = self
                        .bench
                        .desk
                        .tracker()
                        .get(client_order_id)
                        .unwrap()
                        .ticket;
                    self.bench.report(&ticket, ReportKind::NotFound);
                }
                CommandAction::Cancel { .. } | CommandAction::CancelAll { .. } => {}
            }
        }
        if let DeskOutput::Unwind(report) = output {
            self.monitor.on_unwind(report, now, &mut self.risk_out);
        }
        if let DeskOutput::OpenOrders(open) = output {
            self.monitor.on_open_orders(open, now, &mut self.risk_out);
        }
        if let DeskOutput::Fill(fill) = output {
            self.position = Qty(self.position.0 + fill.side.signed(fill.qty).0);
            self.closed = Qty(self.closed.0 + fill.qty.0);
            self.tell_position();
        }
    }
    fn on_place(&mut self, ticket: &Ticket) {
        assert_eq!(
            (ticket.purpose, ticket.time_in_force),
            (Purpose::Unwind, TimeInForce::ImmediateOrCancel)
        );
        assert_eq!((ticket.side, ticket.reduce_only), (Side::Sell, true));
        if let Some(fill) = self.fills {
            let qty = ticket.qty.0.min(fill);
            self.bench.fill(ticket, qty);
            let complete = qty == ticket.qty.0;
            self.bench.report(
                ticket,
                ReportKind::Done {
                    filled: Qty(qty),
                    complete,
                },
            );
        }
    }
    fn kinds(&self) -> Vec<UnwindKind> {
        let kind = |output: &DeskOutput| {
            if let DeskOutput::Unwind(report) = output {
                Some(report.kind)
            } else {
                None
            }
        };
        self.bench.out.iter().filter_map(kind).collect()
    }
}

#[test]
fn a_close_runs_to_flat_and_concerns_no_set() {
    let mut close = Close::new(Some(300));
    for _ in 0..300 {
        close.advance(Nanos::from_millis(100));
    }
    assert_eq!((close.position, close.closed), (Qty(0), Qty(1_000)));
    let sets = |output: &DeskOutput| {
        matches!(
            output,
            DeskOutput::SetDone(_) | DeskOutput::Broken(_) | DeskOutput::Settled(_)
        )
    };
    assert!(
        !close.bench.out.iter().any(sets),
        "sets and the gate's watermark know nothing of it"
    );
    let tickets = placed(&close.bench.out);
    assert!(
        tickets.len() >= 4,
        "at most 300 filled at a time: {}",
        tickets.len()
    );
    let total: i64 = tickets.iter().map(|ticket| ticket.qty.0.min(300)).sum();
    assert_eq!(total, 1_000, "never more than there was");
    assert!(close.bench.desk.open_summary().is_quiet());
    assert_eq!(close.kinds()[0], UnwindKind::Sent);
    let done = close
        .kinds()
        .iter()
        .filter(|kind| matches!(kind, UnwindKind::Done { .. }))
        .count();
    assert_eq!(done, tickets.len(), "each order ends once");
}

#[test]
fn an_unknown_close_is_asked_for_and_not_repeated() {
    let mut close = Close::new(None);
    while placed(&close.bench.out).is_empty() {
        close.advance(Nanos::from_millis(100));
    }
    let first = placed(&close.bench.out)[0];
    let start = close.bench.now;
    while close.bench.now.since(start) < Nanos::from_secs(10) {
        close.advance(Nanos::from_millis(100));
        let unknown: i64 = placed(&close.bench.out)
            .iter()
            .map(|ticket| ticket.qty.0)
            .sum();
        assert!(
            unknown <= 1_000,
            "what may still fill is never sent again: {unknown}"
        );
    }
    let count = |close: &Close, kind: UnwindKind| {
        close.kinds().iter().filter(|known| **known == kind).count()
    };
    assert!(count(&close, UnwindKind::Unknown) >= 1 && count(&close, UnwindKind::NotFound) >= 3);
    assert!(queries(&close.bench.out).contains(&first.client_order_id));
    close.fills = Some(i64::MAX);
    for _ in 0..600 {
        close.advance(Nanos::from_millis(100));
    }
    assert_eq!(
        close.position,
        Qty(0),
        "proven absent, then closed by new orders"
    );
    let ids: std::collections::BTreeSet<_> = placed(&close.bench.out)
        .iter()
        .map(|ticket| ticket.client_order_id)
        .collect();
    assert_eq!(ids.len(), placed(&close.bench.out).len(), "I16");
}

#[test]
fn a_repeated_approval_closes_nothing_twice() {
    let mut close = Close::new(Some(300));
    while close.approvals.is_empty() {
        close.advance(Nanos::from_millis(100));
    }
    let orders = placed(&close.bench.out).len();
    let approved = close.approvals[0];
    close
        .bench
        .desk
        .on_approved(&approved, close.bench.now, &mut close.bench.out);
    assert_eq!(placed(&close.bench.out).len(), orders);
    assert_eq!(close.bench.alerts(), [DeskAlertKind::ApprovalRepeated]);
}

#[test]
fn a_cancel_is_always_answered_with_what_is_open() {
    let mut bench = Bench::pair();
    bench
        .desk
        .cancel_instrument(PERPETUAL, bench.now, &mut bench.out);
    assert!(matches!(bench.out[..], [DeskOutput::OpenOrders(open)] if open.order_count == 0));
    bench.desk.cancel_all(bench.now, &mut bench.out);
    assert_eq!(bench.out.len(), 3, "one word an instrument");
    assert_eq!(commands(&bench.out).count(), 0, "nothing was ever sent");
}

/// Otherwise a latch of an earlier session waits for news of instruments where nothing ever happens.
#[test]
fn a_start_tells_every_instrument_that_nothing_is_open() {
    let mut bench = Bench::pair();
    bench.desk.tell_all(&mut bench.out);
    let mut facts = Vec::new();
    bench.desk.drain_facts(&mut facts);
    assert!(
        bench.out.len() == 2 && facts.len() == 2,
        "one an instrument"
    );
    for (said, fact) in bench.out.iter().zip(&facts) {
        assert!(matches!(said, DeskOutput::OpenOrders(open) if open.order_count == 0));
        assert!(matches!(fact, Fact::Orders(orders) if orders.unknown == 0));
    }
}
