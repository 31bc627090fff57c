//! What reports and time do to one order: repeated, late, contradicting and missing ones.

use arbalest::execution::order::OrderState;
use arbalest::execution::{DeskAlertKind, DeskOutput, LegOutcome, SetEnd};
use arbalest::trade::{RejectReason, ReportKind};
use arbalest::units::{Nanos, Qty};

use crate::bench::{Bench, execution, fills, queries, rejected};

/// X01, X02: one execution told twice counts once, also much later.
#[test]
fn x01_a_repeated_execution_counts_once() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    for ticket in [&buy, &sell] {
        bench.end_leg(ticket, LegOutcome::Full);
    }
    let before = fills(&bench.out).len();
    bench.advance(Nanos::from_secs(40 * 60));
    bench.report(&buy, execution(&buy, 400, 1));
    assert_eq!(fills(&bench.out).len(), before);
    assert_eq!(bench.desk.counters().fills_duplicate, 1);
    assert_eq!(bench.done().len(), 1);
}

/// X03: a fill after the end counts, the end stays, and the set is looked at again.
#[test]
fn x03_a_fill_after_the_end_counts() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Partial);
    bench.end_leg(&sell, LegOutcome::Partial);
    assert_eq!(bench.done()[0].end, SetEnd::Hedged);
    bench.fill(&buy, 200);
    let order = bench.desk.tracker().get(buy.client_order_id).unwrap();
    assert_eq!(
        (order.state(), order.filled()),
        (OrderState::Expired, Qty(600))
    );
    assert_eq!(bench.desk.counters().fills_late, 1);
    let broken = *bench.broken().last().unwrap();
    assert_eq!(broken.delta.contracts_floor(100_000_000), Qty(200));
    bench.answer(&broken);
    let repair = bench.last_placed();
    bench.fill(&repair, 200);
    bench.report(
        &repair,
        ReportKind::Done {
            filled: Qty(200),
            complete: true,
        },
    );
    let last = *bench.done().last().unwrap();
    assert!(last.reopened);
    assert_eq!((last.end, bench.net()), (SetEnd::Repaired, 0));
    assert_eq!(
        bench.desk.counters().sets_hedged,
        1,
        "a set ends once in the count"
    );
}

/// X04: the execution overtakes the acknowledgement; the late acknowledgement reopens nothing.
#[test]
fn x04_a_late_acknowledgement_reopens_nothing() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    bench.fill(&buy, 1_000);
    bench.report(&buy, ReportKind::Acked { venue_order_id: 9 });
    let order = bench.desk.tracker().get(buy.client_order_id).unwrap();
    assert_eq!(
        (order.state(), order.filled()),
        (OrderState::Filled, Qty(1_000))
    );
    assert_eq!(bench.desk.counters().reports_late, 1);
}

/// X05: more than ordered. The venue is right; the set is evened by what was really filled.
#[test]
fn x05_an_overfill_counts_and_alerts() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.fill(&buy, 700);
    bench.fill(&buy, 400);
    assert_eq!(bench.alerts(), [DeskAlertKind::Overfill]);
    bench.end_leg(&sell, LegOutcome::Full);
    assert_eq!(
        bench.broken()[0].delta.contracts_floor(100_000_000),
        Qty(100)
    );
}

#[test]
fn x10_an_imbalance_is_told_in_base_units() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(10_000);
    bench.fill(&buy, 8_000);
    bench.report(
        &buy,
        ReportKind::Done {
            filled: Qty(8_000),
            complete: false,
        },
    );
    bench.fill(&sell, 5_000);
    bench.report(
        &sell,
        ReportKind::Done {
            filled: Qty(5_000),
            complete: false,
        },
    );
    // 0.3 BTC on the grid of 0.0001, times 10^8.
    assert_eq!(bench.broken()[0].delta.0, 3_000 * 100_000_000);
}

#[test]
fn a_reject_as_duplicate_proves_that_it_exists() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    bench.report(&buy, rejected(RejectReason::Duplicate));
    assert_eq!(
        bench
            .desk
            .tracker()
            .get(buy.client_order_id)
            .unwrap()
            .state(),
        OrderState::Unknown
    );
    assert_eq!(queries(&bench.out), [buy.client_order_id]);
}

#[test]
fn a_reject_after_an_acknowledgement_is_a_contradiction_to_be_asked() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    bench.report(&buy, ReportKind::Acked { venue_order_id: 9 });
    bench.report(&buy, rejected(RejectReason::Filter));
    assert_eq!(
        bench
            .desk
            .tracker()
            .get(buy.client_order_id)
            .unwrap()
            .state(),
        OrderState::Unknown
    );
    assert_eq!(bench.alerts(), [DeskAlertKind::Contradiction]);
}

#[test]
fn not_found_never_ends_an_order_the_venue_acknowledged() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    bench.report(&buy, ReportKind::Acked { venue_order_id: 9 });
    for _ in 0..30 {
        bench.advance(Nanos::from_secs(1));
        bench.report(&buy, ReportKind::NotFound);
    }
    assert_eq!(
        bench
            .desk
            .tracker()
            .get(buy.client_order_id)
            .unwrap()
            .state(),
        OrderState::Unknown
    );
    assert!(bench.alerts().contains(&DeskAlertKind::OrderUnknown));
    assert!(bench.alerts().contains(&DeskAlertKind::SetUndecided));
}

/// Three look-ups are not enough before ten seconds, and any word of the venue starts the count anew.
#[test]
fn not_found_needs_count_and_time() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    let state = |bench: &Bench| {
        bench
            .desk
            .tracker()
            .get(buy.client_order_id)
            .unwrap()
            .state()
    };
    bench.report(&buy, ReportKind::Unknown);
    for _ in 0..5 {
        bench.report(&buy, ReportKind::NotFound);
    }
    bench.advance(Nanos::from_secs(10));
    assert_eq!(state(&bench), OrderState::Unknown);
    bench.report(&buy, ReportKind::Open { filled: Qty(0) });
    assert_eq!(state(&bench), OrderState::Live);
    bench.report(&buy, ReportKind::NotFound);
    assert_eq!(state(&bench), OrderState::Unknown, "the count began anew");
    bench.report(
        &buy,
        ReportKind::Done {
            filled: Qty(0),
            complete: false,
        },
    );
    assert_eq!(
        state(&bench),
        OrderState::Canceled,
        "a cancel had been sent for the order that must not rest"
    );
}

/// The venue says that more filled than arrived: the watermark waits, the venue is asked, the executions are told once.
#[test]
fn missing_executions_hold_the_watermark() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.report(
        &buy,
        ReportKind::Done {
            filled: Qty(1_000),
            complete: true,
        },
    );
    bench.end_leg(&sell, LegOutcome::Full);
    assert_eq!((bench.settled(), bench.done().len()), (0, 0));
    assert!(bench.broken().is_empty(), "both sides are known to be even");
    bench.advance(Nanos::from_millis(500));
    assert_eq!(queries(&bench.out), [buy.client_order_id]);
    bench.fill(&buy, 1_000);
    assert_eq!((bench.settled(), bench.done()[0].end), (2, SetEnd::Hedged));
    let last_fill = bench
        .out
        .iter()
        .rposition(|output| matches!(output, DeskOutput::Fill(_)))
        .unwrap();
    let settled = bench
        .out
        .iter()
        .rposition(|output| matches!(output, DeskOutput::Settled(_)))
        .unwrap();
    assert!(
        settled > last_fill,
        "settled is told after the fills it speaks of"
    );
}

#[test]
fn questions_back_off() {
    let mut bench = Bench::pair();
    bench.send(1_000);
    let mut asked = Vec::new();
    for tick in 0..3_000_u64 {
        let before = queries(&bench.out).len();
        bench.advance(Nanos::from_millis(10));
        if queries(&bench.out).len() > before {
            asked.push((tick + 1) * 10);
        }
    }
    // Both legs at 500 ms, then after 250, 500, 1,000, 2,000, 4,000 and every 5,000 ms.
    assert_eq!(
        asked[..8],
        [500, 750, 1_250, 2_250, 4_250, 8_250, 13_250, 18_250]
    );
}
