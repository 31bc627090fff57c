//! Every cell of the 2-leg fill matrix.

use arbalest::execution::order::OrderState;
use arbalest::execution::{LegOutcome, RepairPlan, SetEnd};
use arbalest::trade::{ApprovalSeq, Purpose, ReportKind, SetId, Ticket};
use arbalest::units::{Nanos, Price, Qty, Side};

use crate::bench::{Bench, IDS, placed, queries};

const OUTCOMES: [LegOutcome; 6] = [
    LegOutcome::None,
    LegOutcome::Partial,
    LegOutcome::Full,
    LegOutcome::Rejected,
    LegOutcome::Unknown,
    LegOutcome::NotSent,
];

const fn filled(outcome: LegOutcome) -> i64 {
    match outcome {
        LegOutcome::Partial => 400,
        LegOutcome::Full => 1_000,
        LegOutcome::None | LegOutcome::Rejected | LegOutcome::Unknown | LegOutcome::NotSent => 0,
    }
}

#[test]
fn a_set_is_sent_together_with_deterministic_ids() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    assert_eq!(
        (buy.client_order_id, sell.client_order_id),
        (IDS.id(SetId(1), 0, 0), IDS.id(SetId(1), 1, 0))
    );
    assert_eq!(
        (buy.approval, sell.approval, buy.purpose),
        (ApprovalSeq(1), ApprovalSeq(2), Purpose::Leg)
    );
    assert_eq!(
        (buy.qty, buy.limit_price, buy.side),
        (Qty(1_000), Price(6_000_100), Side::Buy)
    );
    let [again, _] = bench.send(1_000);
    assert_eq!(again.client_order_id, IDS.id(SetId(2), 0, 0));
    assert_eq!(bench.desk.counters().sets_opened, 2);
    assert_eq!(bench.desk.open_summary().orders_open, 4);
}

/// Sends the answer to the last report of a broken set, and lets the repair fill whole.
fn repair(bench: &mut Bench, label: &str) -> (RepairPlan, Ticket) {
    let broken = *bench.broken().last().unwrap();
    let plan = bench.answer(&broken);
    assert!(
        !matches!(plan, RepairPlan::Hold { .. }),
        "{label}: {plan:?}"
    );
    let repair = bench.last_placed();
    assert_eq!(
        (repair.purpose, repair.client_order_id.attempt() > 0),
        (Purpose::Repair, true),
        "{label}"
    );
    bench.fill(&repair, repair.qty.0);
    bench.report(
        &repair,
        ReportKind::Done {
            filled: repair.qty,
            complete: true,
        },
    );
    (plan, repair)
}

fn check_quiet(bench: &Bench, label: &str) {
    assert_eq!(bench.net(), 0, "{label}");
    assert_eq!(bench.done().len(), 1, "{label}");
    assert!(
        bench.desk.open_summary().is_quiet(),
        "{label}: {:?}",
        bench.desk.open_summary()
    );
    assert_eq!(
        bench.settled(),
        bench.gate.last_seq().0,
        "{label}: every approval is over"
    );
}

/// Every cell in which both legs are decided: even ends, uneven breaks once and is repaired to even.
#[test]
fn every_decided_cell_of_the_fill_matrix() {
    for (one, two) in OUTCOMES
        .into_iter()
        .flat_map(|one| OUTCOMES.map(|two| (one, two)))
    {
        if one == LegOutcome::Unknown || two == LegOutcome::Unknown {
            continue;
        }
        let label = format!("{one:?} {two:?}");
        let mut bench = Bench::pair();
        let [buy, sell] = bench.send(1_000);
        bench.end_leg(&buy, one);
        assert!(
            bench.done().is_empty() && bench.broken().is_empty(),
            "{label}: decided too early"
        );
        bench.end_leg(&sell, two);
        let delta = filled(one) - filled(two);
        let broken = bench.broken();
        assert_eq!(
            broken.len(),
            usize::from(delta != 0),
            "{label}: once an imbalance"
        );
        let mut end = if filled(one) == 0 {
            SetEnd::Empty
        } else {
            SetEnd::Hedged
        };
        if delta != 0 {
            assert_eq!(broken[0].delta.0, i128::from(delta) * 100_000_000);
            assert!(bench.done().is_empty());
            let (_, ticket) = repair(&mut bench, &label);
            assert_eq!(ticket.qty, Qty(delta.abs()));
            end = SetEnd::Repaired;
        }
        check_quiet(&bench, &label);
        let summary = bench.done()[0];
        let outcomes: Vec<LegOutcome> = summary
            .legs
            .iter()
            .flatten()
            .map(|leg| leg.outcome)
            .collect();
        assert_eq!((summary.end, outcomes), (end, vec![one, two]));
    }
}

/// Cells with an unknown leg wait for the deadline; then what is known to be uneven is reversed, never completed at the
/// unknown leg; and the leg is resolved both ways.
#[test]
fn every_unknown_cell_of_the_fill_matrix() {
    let pairs = OUTCOMES
        .into_iter()
        .flat_map(|one| OUTCOMES.map(|two| (one, two)));
    let cells =
        pairs.filter(|(one, two)| *one == LegOutcome::Unknown || *two == LegOutcome::Unknown);
    for (one, two, placed) in cells.flat_map(|(one, two)| [(one, two, false), (one, two, true)]) {
        let label = format!("{one:?} {two:?} {placed}");
        let mut bench = Bench::pair();
        let [buy, sell] = bench.send(1_000);
        bench.end_leg(&buy, one);
        bench.end_leg(&sell, two);
        bench.advance(Nanos(499_999_999));
        assert!(
            bench.broken().is_empty() && bench.done().is_empty(),
            "{label}: before the deadline"
        );
        assert!(queries(&bench.out).is_empty(), "{label}");
        bench.advance(Nanos(1));
        let is_unknown = |(_, end): &(Ticket, LegOutcome)| *end == LegOutcome::Unknown;
        let unknown = [(buy, one), (sell, two)]
            .into_iter()
            .filter(is_unknown)
            .map(|(ticket, _)| ticket);
        let unknown: Vec<Ticket> = unknown.collect();
        let ids: Vec<_> = unknown
            .iter()
            .map(|ticket| ticket.client_order_id)
            .collect();
        assert_eq!(queries(&bench.out), ids, "{label}");
        let known = filled(one) - filled(two);
        assert_eq!(bench.broken().len(), usize::from(known != 0), "{label}");
        if known != 0 {
            let (plan, ticket) = repair(&mut bench, &label);
            assert!(
                matches!(plan, RepairPlan::Reverse { .. }),
                "{label}: {plan:?}"
            );
            assert!(
                unknown
                    .iter()
                    .all(|other| other.instrument != ticket.instrument),
                "{label}: at the unknown leg"
            );
        }
        assert!(bench.done().is_empty(), "{label}: still unknown");
        assert!(
            bench.settled() < 2,
            "{label}: an unknown order is not settled"
        );
        resolve(&mut bench, &unknown, placed);
        while bench.done().is_empty() {
            repair(&mut bench, &label);
        }
        check_quiet(&bench, &label);
    }
}

/// Either the venue knows the orders after all, or three look-ups over ten seconds find nothing.
fn resolve(bench: &mut Bench, unknown: &[Ticket], placed_after_all: bool) {
    if placed_after_all {
        for ticket in unknown {
            bench.fill(ticket, ticket.qty.0);
            bench.report(
                ticket,
                ReportKind::Done {
                    filled: ticket.qty,
                    complete: true,
                },
            );
        }
        return;
    }
    let sent = placed(&bench.out).len();
    for second in 0..=10 {
        for ticket in unknown {
            let state = bench
                .desk
                .tracker()
                .get(ticket.client_order_id)
                .unwrap()
                .state();
            assert_eq!(state, OrderState::Unknown, "after {second} s");
            bench.report(ticket, ReportKind::NotFound);
        }
        if second < 10 {
            bench.advance(Nanos::from_secs(1));
        }
    }
    for ticket in unknown {
        assert_eq!(
            bench
                .desk
                .tracker()
                .get(ticket.client_order_id)
                .unwrap()
                .state(),
            OrderState::Rejected
        );
    }
    assert_eq!(
        placed(&bench.out).len(),
        sent,
        "nothing is sent again meanwhile"
    );
}
