//! How sets go on: repairs, holds, dust, summaries, cancels.

use arbalest::execution::order::OrderState;
use arbalest::execution::{DeskAlertKind, DeskOutput, HoldReason, LegOutcome, RepairPlan, SetEnd};
use arbalest::market::{Instrument, InstrumentId, VenueId};
use arbalest::risk::SetVerdict;
use arbalest::trade::{ApprovalSeq, Intent, Leg, OrderReport, ReportKind, StrategyId, Ticket};
use arbalest::units::{Nanos, Ppm, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

use crate::bench::{Bench, commands, execution, fills, placed, queries};
use crate::small_market::{grid, instrument};

#[test]
fn a_repair_that_fails_is_asked_again_and_then_held() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    bench.end_leg(&sell, LegOutcome::Rejected);
    let mut answered = 0;
    for _ in 0..200 {
        let broken = bench.broken();
        if broken.len() > answered {
            answered = broken.len();
            assert_eq!(
                broken[answered - 1].attempt,
                u32::try_from(answered).unwrap()
            );
            bench.answer(&broken[answered - 1]);
            let repair = bench.last_placed();
            assert_eq!(
                usize::from(repair.client_order_id.attempt()),
                answered,
                "a new id for each attempt"
            );
            bench.report(
                &repair,
                ReportKind::Done {
                    filled: Qty(0),
                    complete: false,
                },
            );
        }
        bench.advance(Nanos::from_millis(50));
    }
    assert_eq!(answered, 5);
    assert_eq!(bench.done()[0].end, SetEnd::Held);
    assert!(bench.alerts().contains(&DeskAlertKind::SetHeld));
    assert_eq!(
        bench.done()[0].residual.contracts_floor(100_000_000),
        Qty(1_000)
    );
    assert_eq!(
        bench.desk.residuals().count(),
        0,
        "what people must solve is not traded by the next set"
    );
}

#[test]
fn an_unanswered_set_is_held_within_seconds() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    bench.end_leg(&sell, LegOutcome::NotSent);
    for _ in 0..160 {
        bench.advance(Nanos::from_millis(50));
    }
    assert_eq!(
        (bench.broken().len(), bench.done()[0].end),
        (5, SetEnd::Held)
    );
}

#[test]
fn a_repair_that_no_longer_fits_is_not_sent() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    bench.end_leg(&sell, LegOutcome::None);
    let broken = bench.broken()[0];
    // A late fill of the other leg halves the imbalance before the answer arrives.
    bench.fill(&sell, 500);
    let orders = placed(&bench.out).len();
    bench.answer(&broken);
    assert_eq!(placed(&bench.out).len(), orders);
    assert_eq!(bench.alerts(), [DeskAlertKind::RepairRefused]);
    assert_eq!(bench.settled(), 3, "its approval is over");
    bench.advance(Nanos::from_millis(250));
    let next = *bench.broken().last().unwrap();
    assert_eq!(next.delta.contracts_floor(100_000_000), Qty(500));
}

#[test]
fn dust_is_carried_and_taken_over() {
    let small = |id| Instrument {
        notional_min: Decimal::from(10),
        ..instrument(id, true)
    };
    let mut bench = Bench::new(vec![small(0), small(1)]);
    let [buy, sell] = bench.send(1_000);
    bench.fill(&buy, 1_000);
    bench.fill(&sell, 999);
    bench.report(
        &sell,
        ReportKind::Done {
            filled: Qty(999),
            complete: false,
        },
    );
    let broken = bench.broken()[0];
    let plan = bench.answer(&broken);
    assert!(
        matches!(
            plan,
            RepairPlan::Hold {
                reason: HoldReason::Dust { .. }
            }
        ),
        "6 USDT cannot be traded: {plan:?}"
    );
    assert_eq!(
        (bench.done()[0].end, bench.broken().len()),
        (SetEnd::Residual, 1)
    );
    assert_eq!(
        bench
            .desk
            .residuals()
            .next()
            .unwrap()
            .3
            .contracts_floor(100_000_000),
        Qty(1)
    );
    bench.advance(Nanos::from_secs(60));
    assert_eq!(bench.broken().len(), 1, "never retried by itself");
    let [buy, sell] = bench.send(1_000);
    bench.fill(&buy, 1_000);
    bench.fill(&sell, 999);
    bench.report(
        &sell,
        ReportKind::Done {
            filled: Qty(999),
            complete: false,
        },
    );
    let broken = *bench.broken().last().unwrap();
    assert_eq!(
        broken.delta.contracts_floor(100_000_000),
        Qty(2),
        "the next broken set takes it over"
    );
    bench.answer(&broken);
    let repair = bench.last_placed();
    bench.fill(&repair, 2);
    assert_eq!((bench.net(), bench.desk.residuals().count()), (0, 0));
}

#[test]
fn contracts_of_different_size_are_compared_in_base_units() {
    let contract = Instrument {
        multiplier: Decimal::new(1, 1),
        ..instrument(1, true)
    };
    let mut bench = Bench::new(vec![instrument(0, true), contract]);
    let [buy, sell] = bench.send(1_000);
    bench.fill(&buy, 100);
    bench.report(
        &buy,
        ReportKind::Done {
            filled: Qty(100),
            complete: false,
        },
    );
    bench.fill(&sell, 1_000);
    assert_eq!(
        bench.done()[0].end,
        SetEnd::Hedged,
        "100 of 1 are 1,000 of 0.1"
    );
}

#[test]
fn the_summary_tells_what_was_earned() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.report(&buy, execution(&buy, 1_000, 1));
    let dear = Ticket {
        limit_price: Price(6_018_100),
        ..sell
    };
    bench.report(&sell, execution(&dear, 1_000, 2));
    let set = bench.done()[0];
    // Bought 0.1 at 60,001.00, sold at 60,181.00: 18 less 0.02 of fees, on 6,000.1.
    assert_eq!(
        set.realized,
        Some(
            grid()
                .notional_floor(arbalest::units::Money("17.98".parse().unwrap()))
                .unwrap()
        )
    );
    assert_eq!(set.realized_edge, Some(Ppm(2_996)));
    let bought = set.legs[0].unwrap();
    assert_eq!(
        bought.average_price(&bench.catalogue).unwrap().to_string(),
        "60001"
    );
    assert_eq!(
        (bought.outcome, bought.traded.fee),
        (LegOutcome::Full, Decimal::new(1, 2))
    );
}

#[test]
fn foreign_executions_are_booked_and_alerted() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    let report = OrderReport {
        venue: VenueId(0),
        instrument: InstrumentId(0),
        client_order_id: None,
        kind: execution(&buy, 5, 77),
        venue_time: UnixNanos(0),
        received_at: bench.now,
    };
    bench.desk.on_report(&report, bench.now, &mut bench.out);
    let fill = fills(&bench.out)[0];
    assert_eq!(
        (fill.strategy, fill.purpose, fill.approval),
        (None, None, ApprovalSeq(0))
    );
    assert_eq!(bench.alerts(), [DeskAlertKind::ForeignFill]);
}

#[test]
fn a_repeated_approval_sends_nothing() {
    let mut bench = Bench::pair();
    let leg = |id, side| Leg {
        instrument: InstrumentId(id),
        side,
        qty: Qty(10),
        limit_price: Price(6_000_000),
        decision_price: Price(6_000_000),
    };
    let intent = Intent::new(
        StrategyId(0),
        &[leg(0, Side::Buy), leg(1, Side::Sell)],
        bench.now,
    );
    let SetVerdict::Approved(set) = bench.gate.check_set(&intent, &bench.books, bench.now) else {
        panic!()
    };
    bench.desk.on_set(&set, bench.now, &mut bench.out);
    bench.desk.on_set(&set, bench.now, &mut bench.out);
    assert_eq!(placed(&bench.out).len(), 2);
    assert_eq!(bench.alerts(), [DeskAlertKind::ApprovalRepeated]);
}

#[test]
fn released_approvals_do_not_hold_the_watermark() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.desk.on_released(ApprovalSeq(3), &mut bench.out);
    bench.desk.on_released(ApprovalSeq(4), &mut bench.out);
    assert_eq!(bench.settled(), 0);
    bench.desk.on_released(buy.approval, &mut bench.out);
    assert_eq!(
        bench.settled(),
        0,
        "an order that is out cannot be released"
    );
    bench.end_leg(&buy, LegOutcome::None);
    assert_eq!(bench.settled(), 1);
    bench.end_leg(&sell, LegOutcome::None);
    assert_eq!(bench.settled(), 4);
}

#[test]
fn cancels_go_out_at_once_and_are_followed_up() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    let start = bench.out.len();
    bench
        .desk
        .cancel_instrument(InstrumentId(0), bench.now, &mut bench.out);
    let sent = |out: &[DeskOutput]| {
        commands(out)
            .map(|command| (command.label(), command.venue().0))
            .collect::<Vec<_>>()
    };
    assert_eq!(sent(&bench.out[start..]), [("cancel", 0)]);
    let start = bench.out.len();
    bench.desk.cancel_all(bench.now, &mut bench.out);
    assert_eq!(
        sent(&bench.out[start..]),
        [("cancel", 1), ("cancel_all", 0), ("cancel_all", 1)]
    );
    bench.report(&buy, ReportKind::CancelRejected);
    bench.report(
        &sell,
        ReportKind::Done {
            filled: Qty(0),
            complete: false,
        },
    );
    assert_eq!(
        bench
            .desk
            .tracker()
            .get(sell.client_order_id)
            .unwrap()
            .state(),
        OrderState::Canceled
    );
    bench.advance(Nanos::from_millis(600));
    assert!(queries(&bench.out).contains(&buy.client_order_id));
    assert!(!bench.desk.open_summary().is_quiet());
}

#[test]
fn open_orders_are_told_when_they_change() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    let open = |bench: &Bench| {
        let told = |output: &DeskOutput| {
            if let DeskOutput::OpenOrders(open) = output {
                Some(*open)
            } else {
                None
            }
        };
        let mine = bench
            .out
            .iter()
            .filter_map(told)
            .filter(|open| open.instrument == InstrumentId(0));
        mine.map(|open| (open.order_count, open.buy_qty.0))
            .collect::<Vec<_>>()
    };
    bench.report(&buy, ReportKind::Written);
    bench.report(&buy, ReportKind::Acked { venue_order_id: 1 });
    bench.fill(&buy, 400);
    bench.report(
        &buy,
        ReportKind::Done {
            filled: Qty(400),
            complete: false,
        },
    );
    assert_eq!(open(&bench), [(1, 1_000), (1, 600), (0, 0)]);
}

#[test]
fn a_strategys_cancel_leaves_the_orders_of_others() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    let mut cancelled = |strategy: u8| -> Vec<(&'static str, u8)> {
        let start = bench.out.len();
        bench
            .desk
            .cancel_strategy(StrategyId(strategy), bench.now, &mut bench.out);
        commands(&bench.out[start..])
            .map(|command| (command.label(), command.venue().0))
            .collect()
    };
    assert_eq!(cancelled(1), []);
    assert_eq!(cancelled(0), [("cancel", 0), ("cancel", 1)]);
    assert_eq!(cancelled(0), [], "asked once, then followed up");
    for ticket in [buy, sell] {
        bench.end_leg(&ticket, LegOutcome::None);
    }
    assert!(bench.desk.open_summary().is_quiet());
}
