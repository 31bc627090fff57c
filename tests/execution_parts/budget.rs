//! What a strategy's rule allows for a broken set, and what its sets may have unhedged for how long.

use arbalest::execution::{
    Desk, DeskAlertKind, DeskParams, HoldReason, LegBudget, LegOutcome, OnBroken, RepairMarket,
    RepairPlan, RepairRules, SetEnd, plan_repair,
};
use arbalest::trade::{Fact, LegRiskFacts, ReportKind, SetId, StrategyId};
use arbalest::units::{Nanos, Qty};
use rust_decimal::Decimal;

use crate::bench::{Bench, IDS, RULES};
use crate::cycles;

fn budgeted(mut bench: Bench, dust: i64) -> Bench {
    let budget = LegBudget {
        unhedged_max: 1_000_i64.into(),
        unhedged_span: Nanos::from_secs(2),
        dust_max: dust.into(),
    };
    let catalogue = bench.catalogue.clone();
    bench.desk = Desk::new(catalogue, IDS, DeskParams::default()).with_budgets(vec![budget]);
    bench
}

fn risks(bench: &mut Bench) -> Vec<LegRiskFacts> {
    let mut facts = Vec::new();
    bench.desk.drain_facts(&mut facts);
    let risk = |fact| match fact {
        Fact::LegRisk(facts) => Some(facts),
        _ => None,
    };
    facts.into_iter().filter_map(risk).collect()
}

/// 0.1 BTC bought at 60,001 and nothing sold: 2,000 quote-seconds are spent after a third of a second, before the leg's
/// own time-out of half a second.
#[test]
fn a_set_over_its_budget_goes_to_the_resolver_at_once() {
    let mut bench = budgeted(Bench::pair(), 10);
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    for _ in 0..33 {
        bench.advance(Nanos::from_millis(10));
    }
    assert!(risks(&mut bench).is_empty() && bench.broken().is_empty());
    bench.advance(Nanos::from_millis(10));
    let told = risks(&mut bench);
    assert_eq!(told.len(), 1);
    let share = told[0].quote_seconds.to_string();
    assert!(share.starts_with("2040.03"), "6,000.1 × 0.34 s: {share}");
    assert_eq!(told[0].quote_seconds_max, Some(2_000_i64.into()));
    assert_eq!(
        (told[0].set, told[0].strategy, told[0].ended),
        (SetId(1), StrategyId(0), false)
    );
    assert!(bench.alerts().contains(&DeskAlertKind::LegRisk));
    assert_eq!(bench.broken().len(), 1, "acts before its time-out");
    bench.advance(Nanos::from_millis(10));
    assert!(risks(&mut bench).is_empty(), "told once");
    bench.end_leg(&sell, LegOutcome::Full);
    let summary = bench.done()[0];
    assert_eq!(summary.end, SetEnd::Repaired);
    assert_eq!(
        summary.unhedged,
        Nanos::from_millis(350),
        "its time to hedge"
    );
    let told = risks(&mut bench);
    assert_eq!(
        (told.len(), told[0].ended, told[0].quote_seconds),
        (1, true, summary.leg_risk)
    );
}

/// What goes around a chain is unhedged from the first leg to the last.
#[test]
fn a_chain_is_unhedged_until_it_is_home() {
    let mut bench = budgeted(cycles::triangle(), 1_000);
    let first = bench.send_as(
        &cycles::legs(),
        cycles::cycle(),
        arbalest::trade::SendOrder::Sequential,
    );
    let second = cycles::end(&mut bench, &first[0], 16_666);
    bench.advance(Nanos::from_millis(100));
    let third = cycles::end(&mut bench, &second[0], 33_298);
    bench.advance(Nanos::from_millis(100));
    cycles::end(&mut bench, &third[0], 33_264);
    let summary = bench.done()[0];
    assert_eq!(summary.unhedged, Nanos::from_millis(200));
    // 0.16649334 BTC are 3.3298668 ETH or 10,039.548402 USDT; what came in of it is 3.3264702 ETH, 10,029.307653, and
    // 0.00000334 BTC, 0.20140200.
    let expected = (cycles::decimal("10039.548402")
        + cycles::decimal("10029.307653")
        + cycles::decimal("0.201402"))
        / Decimal::TEN;
    assert_eq!(summary.leg_risk.normalize(), expected.normalize());
}

/// Remainders worth more than what the strategy calls dust are told.
#[test]
fn too_much_dust_is_told() {
    for (dust, expected) in [(1, false), (0, true)] {
        let mut bench = budgeted(cycles::triangle(), dust);
        let first = bench.send_as(
            &cycles::legs(),
            cycles::cycle(),
            arbalest::trade::SendOrder::Sequential,
        );
        let second = cycles::end(&mut bench, &first[0], 16_666);
        let third = cycles::end(&mut bench, &second[0], 33_298);
        cycles::end(&mut bench, &third[0], 33_264);
        assert_eq!(bench.done()[0].end, SetEnd::Hedged);
        let told = bench.alerts().contains(&DeskAlertKind::DustLarge);
        assert_eq!(told, expected, "0.41 USDT are left over");
    }
}

#[test]
fn a_rule_says_which_ways_there_are() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    bench.end_leg(&sell, LegOutcome::Rejected);
    let mut broken = bench.broken()[0];
    let plan = |broken: &_, on_broken| {
        let market = RepairMarket {
            catalogue: &bench.catalogue,
            books: &bench.books,
            fees: &bench.fees,
        };
        let rules = RepairRules { on_broken, ..RULES };
        plan_repair(broken, &market, &rules, bench.now)
    };
    let by_rule = RepairPlan::Hold {
        reason: HoldReason::ByRule,
    };
    // Where it was refused it is not tried first.
    assert!(matches!(
        plan(&broken, OnBroken::Cheapest),
        RepairPlan::Reverse { leg_index: 0, .. }
    ));
    assert!(matches!(
        plan(&broken, OnBroken::Complete),
        RepairPlan::Complete { leg_index: 1, .. }
    ));
    assert!(matches!(
        plan(&broken, OnBroken::Reverse),
        RepairPlan::Reverse { leg_index: 0, .. }
    ));
    assert_eq!(plan(&broken, OnBroken::Hold), by_rule);
    // The leg to complete at is undecided: that may pass, a rule does not.
    broken.legs[1].as_mut().unwrap().undecided = true;
    assert_eq!(
        plan(&broken, OnBroken::Complete),
        RepairPlan::Hold {
            reason: HoldReason::LegUndecided
        }
    );
    broken.legs[1] = None;
    assert_eq!(plan(&broken, OnBroken::Complete), by_rule);
}

/// Held by rule: an open alert at once, and nothing is sent.
#[test]
fn a_set_held_by_rule_ends_in_an_open_alert() {
    let mut bench = Bench::pair();
    let [buy, sell] = bench.send(1_000);
    bench.end_leg(&buy, LegOutcome::Full);
    bench.end_leg(&sell, LegOutcome::None);
    let (now, id) = (bench.now, bench.broken()[0].id);
    bench
        .desk
        .on_hold(id, HoldReason::ByRule, now, &mut bench.out);
    assert_eq!(bench.done()[0].end, SetEnd::Held);
    assert_eq!(bench.alerts(), [DeskAlertKind::SetHeld]);
    assert_eq!(bench.settled(), bench.gate.last_seq().0);
    // A late execution of what it lacked opens it again.
    bench.fill(&sell, 400);
    bench.report(
        &sell,
        ReportKind::Done {
            filled: Qty(400),
            complete: false,
        },
    );
    assert_eq!(bench.broken().len(), 2);
}
