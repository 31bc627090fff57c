//! In which order the legs of a hedge leave, for how much, and what becomes of those that never do.

use std::sync::Arc;

use arbalest::execution::{LegOutcome, SetEnd};
use arbalest::market::{InstrumentId, VenueId};
use arbalest::risk::{SetVerdict, Verdict};
use arbalest::trade::{
    ApprovalSeq, Balance, Intent, Leg, Purpose, RejectReason, ReportKind, SendOrder, SetForm,
    StrategyId, Ticket, VenueFacts,
};
use arbalest::units::{Asset, Nanos, Price, Qty, Side};
use rust_decimal::Decimal;

use crate::bench::{Bench, placed, rejected};
use crate::small_market::instrument;

fn leg(id: u16, side: Side, qty: i64) -> Leg {
    let price = match side {
        Side::Buy => 6_000_100,
        Side::Sell => 6_000_000,
    };
    Leg {
        instrument: InstrumentId(id),
        side,
        qty: Qty(qty),
        limit_price: Price(price),
        decision_price: Price(price),
    }
}

/// Buys 1,000 on instrument 0, sells 600 on 1 and 400 on 2.
fn three(send: SendOrder) -> (Bench, Vec<Ticket>) {
    let mut bench = Bench::new((0..3).map(|id| instrument(id, true)).collect());
    let legs = [
        leg(0, Side::Buy, 1_000),
        leg(1, Side::Sell, 600),
        leg(2, Side::Sell, 400),
    ];
    let left = bench.send_as(&legs, SetForm::Hedge, send);
    (bench, left)
}

fn end(bench: &mut Bench, ticket: &Ticket, filled: i64) -> Vec<Ticket> {
    let start = bench.out.len();
    if filled > 0 {
        bench.fill(ticket, filled);
    }
    let (filled, complete) = (Qty(filled), filled == ticket.qty.0);
    bench.report(ticket, ReportKind::Done { filled, complete });
    placed(&bench.out[start..])
}

fn sizes(tickets: &[Ticket]) -> Vec<(u16, i64)> {
    let size = |ticket: &Ticket| (ticket.instrument.0, ticket.qty.0);
    tickets.iter().map(size).collect()
}

fn check_over(bench: &Bench, end: SetEnd) {
    let done = bench.done();
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(done[0].end, end);
    assert!(bench.desk.open_summary().is_quiet());
    assert_eq!(
        bench.settled(),
        bench.gate.last_seq().0,
        "every approval is over, those of unsent legs too"
    );
}

#[test]
fn the_first_leaves_alone_and_the_others_in_proportion() {
    let (mut bench, left) = three(SendOrder::FirstThenParallel);
    assert_eq!(sizes(&left), [(0, 1_000)]);
    assert!(bench.settled() < 1, "approvals of waiting legs stay out");
    bench.fill(&left[0], 300);
    assert_eq!(placed(&bench.out).len(), 1, "the first is not over");
    let others = end(&mut bench, &left[0], 305);
    assert_eq!(sizes(&others), [(1, 363), (2, 242)], "60.5 % of each");
    assert!(others.iter().all(|ticket| ticket.purpose == Purpose::Leg));
    for ticket in &others {
        end(&mut bench, ticket, ticket.qty.0);
    }
    check_over(&bench, SetEnd::Hedged);
    let outcomes: Vec<LegOutcome> = bench.done()[0]
        .legs
        .iter()
        .flatten()
        .map(|l| l.outcome)
        .collect();
    assert_eq!(outcomes, [LegOutcome::Partial; 3]);
}

#[test]
fn one_after_another_each_for_what_the_one_before_brought() {
    let mut bench = Bench::new((0..3).map(|id| instrument(id, true)).collect());
    let legs = [leg(0, Side::Buy, 1_000), leg(1, Side::Sell, 1_000)];
    let left = bench.send_as(&legs, SetForm::Hedge, SendOrder::Sequential);
    assert_eq!(sizes(&left), [(0, 1_000)]);
    let next = end(&mut bench, &left[0], 1_000);
    assert_eq!(sizes(&next), [(1, 1_000)]);
    end(&mut bench, &next[0], 1_000);
    check_over(&bench, SetEnd::Hedged);
}

#[test]
fn nothing_filled_sends_nothing_more() {
    for send in [SendOrder::FirstThenParallel, SendOrder::Sequential] {
        for refused in [false, true] {
            let (mut bench, left) = three(send);
            if refused {
                bench.report(&left[0], rejected(RejectReason::Filter));
            } else {
                end(&mut bench, &left[0], 0);
            }
            assert_eq!(placed(&bench.out).len(), 1);
            check_over(&bench, SetEnd::Empty);
            let summary = bench.done()[0];
            let unsent = summary.legs.iter().flatten().skip(1);
            assert!(unsent.clone().all(|leg| leg.outcome == LegOutcome::NotSent));
            assert!(unsent.into_iter().all(|leg| leg.order_count == 0));
        }
    }
}

/// What the first filled is less than the others' venue takes: broken there, and reversed.
#[test]
fn too_little_for_the_next_leg_breaks_the_set() {
    let mut coarse = instrument(1, true);
    coarse.qty_min = Qty(500);
    let mut bench = Bench::new(vec![instrument(0, true), coarse]);
    let legs = [leg(0, Side::Buy, 1_000), leg(1, Side::Sell, 1_000)];
    let left = bench.send_as(&legs, SetForm::Hedge, SendOrder::FirstThenParallel);
    let next = end(&mut bench, &left[0], 400);
    assert!(next.is_empty());
    let broken = *bench.broken().last().unwrap();
    assert_eq!(broken.legs[1].unwrap().refusals, 0, "nobody refused it");
    bench.answer(&broken);
    let repair = bench.last_placed();
    assert_eq!(sizes(&[repair]), [(0, 400)]);
    end(&mut bench, &repair, 400);
    check_over(&bench, SetEnd::Repaired);
}

/// The first is unknown at its deadline: the others never leave, and the set follows what the venue says later.
#[test]
fn legs_that_wait_have_a_deadline() {
    for send in [SendOrder::FirstThenParallel, SendOrder::Sequential] {
        let (mut bench, left) = three(send);
        bench.advance(Nanos(499_999_999));
        assert_eq!(bench.desk.open_summary().approvals_open, 3);
        bench.advance(Nanos(1));
        assert_eq!(
            bench.desk.open_summary().approvals_open,
            1,
            "given back, but for the unknown one"
        );
        assert!(bench.done().is_empty() && bench.broken().is_empty());
        let late = end(&mut bench, &left[0], 1_000);
        assert!(late.is_empty(), "their time has passed");
        while bench.done().is_empty() {
            let broken = *bench.broken().last().unwrap();
            bench.answer(&broken);
            let repair = bench.last_placed();
            end(&mut bench, &repair, repair.qty.0);
        }
        assert_eq!(bench.net(), 0);
        check_over(&bench, SetEnd::Repaired);
    }
}

/// A kill level or a person cancels: what waits does not leave any more, whichever scope was cancelled.
#[test]
fn a_cancel_reaches_legs_that_wait() {
    for scope in 0..3 {
        let (mut bench, left) = three(SendOrder::FirstThenParallel);
        let now = bench.now;
        match scope {
            0 => bench.desk.cancel_all(now, &mut bench.out),
            1 => bench
                .desk
                .cancel_strategy(StrategyId(0), now, &mut bench.out),
            _ => bench
                .desk
                .cancel_instrument(InstrumentId(2), now, &mut bench.out),
        }
        let later = end(&mut bench, &left[0], 1_000);
        assert!(later.is_empty(), "{scope}: {later:?}");
        assert_eq!(bench.broken().len(), 1, "{scope}: what filled is looked at");
    }
    let (mut bench, left) = three(SendOrder::FirstThenParallel);
    let now = bench.now;
    bench
        .desk
        .cancel_strategy(StrategyId(1), now, &mut bench.out);
    assert_eq!(end(&mut bench, &left[0], 1_000).len(), 2, "somebody else's");
}

/// A leg leaves once, whatever is reported again.
#[test]
fn nothing_leaves_twice() {
    let (mut bench, left) = three(SendOrder::FirstThenParallel);
    let trade = bench.fill(&left[0], 1_000);
    let done = ReportKind::Done {
        filled: Qty(1_000),
        complete: true,
    };
    for _ in 0..3 {
        bench.report(&left[0], done);
        bench.report(&left[0], crate::bench::execution(&left[0], 1_000, trade));
        bench.advance(Nanos(1));
    }
    let sent = placed(&bench.out);
    assert_eq!(sizes(&sent), [(0, 1_000), (1, 600), (2, 400)]);
    let approvals: Vec<u64> = sent.iter().map(|ticket| ticket.approval.0).collect();
    assert_eq!(approvals, [1, 2, 3]);
    assert_eq!(bench.desk.settled(), ApprovalSeq(1));
}

/// What a leg needs that has not left yet is promised: a second set cannot spend it, until the first gives it back.
#[test]
fn a_waiting_leg_keeps_its_balance() {
    let mut bench = Bench::new(vec![instrument(0, false), instrument(1, false)]);
    let holds = |venue, code: &str, free: i64| {
        let balance = Balance {
            free: free.into(),
            locked: Decimal::ZERO,
        };
        Some(Arc::new(VenueFacts {
            ready: true,
            balances: vec![(Asset::new(code).unwrap(), balance)],
            ..VenueFacts::unheard(VenueId(venue))
        }))
    };
    bench.venues = vec![holds(0, "USDT", 1_000_000), holds(1, "BTC", 1)];
    bench.refresh(ApprovalSeq(0));
    // 0.6 of the one coin at venue 1.
    let legs = [leg(0, Side::Buy, 6_000), leg(1, Side::Sell, 6_000)];
    let left = bench.send_as(&legs, SetForm::Hedge, SendOrder::FirstThenParallel);
    assert_eq!(sizes(&left), [(0, 6_000)]);
    let mut second = Intent::new(StrategyId(0), &legs, bench.now);
    second.send = SendOrder::FirstThenParallel;
    let SetVerdict::Refused { leg_index, refusal } =
        bench.gate.check_set(&second, &bench.books, bench.now)
    else {
        panic!("the coin was promised twice")
    };
    assert_eq!((leg_index, refusal.row().code), (1, "BALANCE_INSUFFICIENT"));
    end(&mut bench, &left[0], 0);
    let settled = bench.desk.settled();
    assert_eq!(
        settled,
        ApprovalSeq(2),
        "the waiting one gave its approval back"
    );
    // The venue's figures are told anew twice after that: then nothing of it is missing.
    for _ in 0..3 {
        bench.venues = vec![holds(0, "USDT", 1_000_000), holds(1, "BTC", 1)];
        bench.refresh(settled);
    }
    let again = bench.gate.check_set(&second, &bench.books, bench.now);
    assert!(matches!(again, SetVerdict::Approved(_)), "{again:?}");
}

/// The legs of a chain sent one after another are paid by the one before: only the first needs a balance.
#[test]
fn a_funded_leg_needs_no_balance() {
    let mut bench = crate::cycles::triangle();
    let balance = Balance {
        free: 10_000_i64.into(),
        locked: Decimal::ZERO,
    };
    bench.venues = vec![Some(Arc::new(VenueFacts {
        ready: true,
        balances: vec![(Asset::new("USDT").unwrap(), balance)],
        ..VenueFacts::unheard(VenueId(0))
    }))];
    bench.refresh(ApprovalSeq(0));
    let mut intent = Intent::new(StrategyId(0), &crate::cycles::legs(), bench.now);
    intent.form = crate::cycles::cycle();
    let refused = |bench: &mut Bench, intent: &Intent| match bench.gate.check_set(
        intent,
        &bench.books,
        bench.now,
    ) {
        SetVerdict::Approved(_) => None,
        SetVerdict::Refused { leg_index, refusal } => Some((leg_index, refusal.row().code)),
    };
    assert_eq!(
        refused(&mut bench, &intent),
        Some((1, "BALANCE_INSUFFICIENT"))
    );
    intent.send = SendOrder::FirstThenParallel;
    assert_eq!(
        refused(&mut bench, &intent),
        Some((2, "BALANCE_INSUFFICIENT"))
    );
    intent.send = SendOrder::Sequential;
    assert_eq!(refused(&mut bench, &intent), None);
    assert_eq!(
        refused(&mut bench, &intent),
        Some((0, "BALANCE_INSUFFICIENT")),
        "but the start is promised"
    );
}

/// Values of a quote that is not the reporting currency come from its own book, which must be fresh.
#[test]
fn a_stale_rate_refuses() {
    let mut bench = crate::cycles::triangle();
    bench.down[0] = true;
    bench.now = bench.now.after(Nanos::from_secs(2));
    bench.refresh(ApprovalSeq(0));
    let [_, cross, _] = crate::cycles::legs();
    let intent = Intent::new(StrategyId(0), &[cross], bench.now);
    let verdict = bench.gate.check_set(&intent, &bench.books, bench.now);
    let SetVerdict::Refused { refusal, .. } = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(refusal.row().code, "CONVERSION_MISSING");
    // What ends a risk goes by the last rate.
    let repair = arbalest::risk::Repair {
        set: arbalest::trade::SetId(1),
        leg_index: 1,
        strategy: StrategyId(0),
        leg: &cross,
        parent: arbalest::risk::Parent {
            qty: cross.qty,
            ..Default::default()
        },
    };
    if let Verdict::Refused(refusal) = bench.gate.check_repair(&repair, &bench.books, bench.now) {
        assert_ne!(refusal.row().code, "CONVERSION_MISSING");
    }
}
