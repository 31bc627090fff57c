//! Limits while the engine runs: tighter at once, looser by a second person at K1 or above (RISK.md 2.5).

use std::sync::Arc;

use arbalest::risk::limits::{Shock, StressScenario};
use arbalest::risk::{
    Direction, Hex32, KillLevel, Limits, LimitsProposed, OperatorCommand, OperatorDone,
    OperatorRefusal, Permits, Person, PreTradeLimits, RiskOutput, Role, Scope,
};
use arbalest::units::{Nanos, Ppm, Qty};

use super::levels::Desk;
use super::people::{TOKEN, olga};
use super::support::*;

fn admin() -> Person {
    Person::new("ada", Role::Admin)
}

fn edited(desk: &Desk, edit: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = (**desk.monitor.limits()).clone();
    edit(&mut limits);
    limits
}

fn propose(desk: &mut Desk, limits: Limits) -> Result<LimitsProposed, OperatorRefusal> {
    let command = OperatorCommand::ProposeLimits {
        limits: Arc::new(limits),
        by: admin(),
        reason: "quarterly".to_owned(),
        token: TOKEN,
    };
    let answer = desk.monitor.on_operator(command, desk.now, &mut desk.out);
    answer.map(|done| {
        let OperatorDone::LimitsProposed(done) = done else {
            unreachable!("{done:?}")
        };
        done
    })
}

fn confirm(desk: &mut Desk, hash: Hex32, by: Person) -> Result<OperatorDone, OperatorRefusal> {
    let command = OperatorCommand::ConfirmLimits {
        token: TOKEN,
        hash,
        by,
    };
    desk.monitor.on_operator(command, desk.now, &mut desk.out)
}

fn changes(desk: &Desk) -> usize {
    let change = |out: &&RiskOutput| matches!(out, RiskOutput::LimitsChanged(_));
    desk.out.iter().filter(change).count()
}

#[test]
fn tighter_is_in_force_in_the_same_call_and_judged_in_it() {
    let mut desk = Desk::new(|_| {});
    desk.own(NORTH, 11 * ONE);
    assert_eq!(desk.level(NORTH), KillLevel::Armed);
    let before = desk.monitor.limits_hash();
    let limits = edited(&desk, |own| {
        own.instruments[NORTH.index()]
            .as_mut()
            .unwrap()
            .position_qty_max = Qty(10 * ONE);
    });
    let done = propose(&mut desk, limits.clone()).unwrap();
    assert_eq!(
        done.in_force,
        ["instrument[north:BTC/USDT].position_qty_max"]
    );
    assert!(done.waiting.is_empty());
    assert_eq!(**desk.monitor.limits(), limits);
    assert_eq!(desk.monitor.limits_hash(), done.hash);
    assert_ne!(done.hash, before);
    assert_eq!(
        desk.level(NORTH),
        KillLevel::ReduceOnly,
        "AT-01 by the new limit"
    );
    let change = desk.out.iter().find_map(|out| {
        if let RiskOutput::LimitsChanged(change) = out {
            Some(change)
        } else {
            None
        }
    });
    let change = change.unwrap();
    assert_eq!((*change.limits).clone(), limits);
    let [one] = &change.changes[..] else {
        panic!("{change:?}")
    };
    assert_eq!(
        (one.old.as_str(), one.new.as_str(), one.direction),
        ("1000", "10", Direction::Tighter)
    );
    // Again: nothing to do, and the token is worth nothing.
    assert_eq!(propose(&mut desk, limits), Err(OperatorRefusal::SameLimits));
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::BadToken)
    );
    assert_eq!(changes(&desk), 1);
}

#[test]
fn a_waiting_set_does_not_undo_what_was_tightened_since() {
    let mut desk = Desk::new(|_| {});
    desk.raise(Scope::Portfolio, KillLevel::ReduceOnly);
    let looser = edited(&desk, |own| own.unrealized_loss_usd_max = dec("1000"));
    let done = propose(&mut desk, looser).unwrap();
    let tighter = OperatorCommand::ProposeLimits {
        limits: Arc::new(edited(&desk, |own| own.spread_max = Ppm::from_bps(50))),
        by: admin(),
        reason: "thin books".to_owned(),
        token: Hex32([9; 32]),
    };
    let answer = desk.monitor.on_operator(tighter, desk.now, &mut desk.out);
    assert!(answer.is_ok(), "{answer:?}");
    let now = desk.monitor.limits_hash();
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::StateChanged { now })
    );
    let limits = desk.monitor.limits();
    assert_eq!(limits.spread_max, Ppm::from_bps(50));
    assert_eq!(limits.unrealized_loss_usd_max, dec("500"));
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::BadToken),
        "spent"
    );
}

#[test]
fn looser_waits_for_another_person_and_reduced_risk() {
    let mut desk = Desk::new(|_| {});
    // One tighter, one looser, one that is neither.
    let limits = edited(&desk, |own| {
        own.spread_max = Ppm::from_bps(50);
        own.unrealized_loss_usd_max = dec("1000");
        own.close.attempt = Nanos::from_millis(2_000);
    });
    let done = propose(&mut desk, limits.clone()).unwrap();
    assert_eq!(done.in_force, ["spread_bps_max"]);
    assert_eq!(
        done.waiting,
        ["unrealized_loss_usd_max", "force_close.attempt_ms"]
    );
    assert_eq!(done.expires_at, desk.now.after(Nanos::from_secs(60)));
    let now = desk.monitor.limits();
    assert_eq!(now.spread_max, Ppm::from_bps(50));
    assert_eq!(now.unrealized_loss_usd_max, dec("500"));
    assert_eq!(now.close.attempt, Nanos::from_millis(1_000));
    // Not the same person, not without reduced risk, not with another hash.
    let same = Person::new("Ada", Role::RiskOfficer);
    assert_eq!(
        confirm(&mut desk, done.hash, same),
        Err(OperatorRefusal::SamePerson("ada".to_owned()))
    );
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::NotReduced)
    );
    desk.raise(Scope::Portfolio, KillLevel::ReduceOnly);
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Ok(OperatorDone::LimitsConfirmed { hash: done.hash })
    );
    assert_eq!(**desk.monitor.limits(), limits);
    assert_eq!(desk.monitor.limits_hash(), done.hash);
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::BadToken),
        "once"
    );
    assert_eq!(changes(&desk), 2);
}

#[test]
fn limits_of_controls_tighten_one_by_one() {
    let scenario = |name: &str, loss: &str| StressScenario {
        name: name.to_owned(),
        shock: Shock::Basis(Ppm(10_000)),
        loss_usd_max: dec(loss),
    };
    let mut desk = Desk::new(|own| {
        own.controls.stress = vec![scenario("basis", "1000")];
        own.controls.drawdown_max = Ppm(30_000);
    });
    let limits = edited(&desk, |own| {
        let own = &mut own.controls;
        own.plan_loss_usd_max = dec("1");
        own.liquidation_distance_min = Ppm(990_000);
        own.acknowledge_within = Nanos::from_millis(1);
        own.stress = vec![scenario("basis", "999"), scenario("more", "5000")];
        own.drawdown_max = Ppm(999_999);
        own.quality_min = Ppm(-1);
        own.var_lambda = Ppm(970_000);
    });
    let done = propose(&mut desk, limits).unwrap();
    assert_eq!(
        done.in_force,
        [
            "controls.plan_loss_usd_max",
            "controls.liquidation_distance_ratio_min",
            "controls.acknowledge_within_ms",
            "controls.stress",
        ]
    );
    assert_eq!(
        done.waiting,
        [
            "controls.drawdown_ratio_max",
            "controls.var_lambda_ratio",
            "controls.fill_quality_ratio_min",
        ]
    );
    let own = &desk.monitor.limits().controls;
    assert_eq!(own.plan_loss_usd_max, dec("1"));
    assert_eq!(own.stress.len(), 2);
    assert_ne!(own.drawdown_max, Ppm(999_999));
    // A scenario that goes, that loses more, or that is another shock: each waits.
    let other = StressScenario {
        shock: Shock::Basis(Ppm(20_000)),
        ..scenario("basis", "1")
    };
    for stress in [
        vec![scenario("basis", "999")],
        vec![scenario("basis", "1000"), scenario("more", "5000")],
        vec![other, scenario("more", "5000")],
    ] {
        let limits = edited(&desk, |own| own.controls.stress = stress);
        let done = propose(&mut desk, limits).unwrap();
        assert_eq!(done.waiting, ["controls.stress"]);
    }
}

#[test]
fn a_proposal_dies_by_time_and_by_a_wrong_hash() {
    for (wait_ns, good) in [(60_000_000_000, true), (60_000_000_001, false)] {
        let mut desk = Desk::new(|_| {});
        desk.raise(Scope::Portfolio, KillLevel::ReduceOnly);
        let limits = edited(&desk, |own| own.warn_at = Ppm(900_000));
        let done = propose(&mut desk, limits).unwrap();
        desk.now = desk.now.after(Nanos(wait_ns));
        assert_eq!(confirm(&mut desk, done.hash, olga()).is_ok(), good);
    }
    let mut desk = Desk::new(|_| {});
    desk.raise(Scope::Portfolio, KillLevel::ReduceOnly);
    let limits = edited(&desk, |own| own.warn_at = Ppm(900_000));
    let done = propose(&mut desk, limits).unwrap();
    let now = desk.monitor.limits_hash();
    assert_eq!(
        confirm(&mut desk, now, olga()),
        Err(OperatorRefusal::StateChanged { now })
    );
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::BadToken)
    );
    assert_eq!(desk.monitor.limits().warn_at, Ppm(800_000));
}

#[test]
fn a_file_tightens_and_never_confirms() {
    let mut desk = Desk::new(|_| {});
    desk.raise(Scope::Portfolio, KillLevel::ReduceOnly);
    let limits = edited(&desk, |own| own.warn_at = Ppm(900_000));
    let done = propose(&mut desk, limits).unwrap();
    let file = Person::new("limits.toml", Role::Admin);
    assert!(matches!(
        confirm(&mut desk, done.hash, file),
        Err(OperatorRefusal::Role { .. })
    ));
    // Tightening what was about to be loosened: the waiting set was written before it, and is refused.
    let tighter = edited(&desk, |own| own.warn_at = Ppm(700_000));
    let command = OperatorCommand::ProposeLimits {
        limits: Arc::new(tighter),
        by: admin(),
        reason: "less".to_owned(),
        token: Hex32([9; 32]),
    };
    assert!(
        desk.monitor
            .on_operator(command, desk.now, &mut desk.out)
            .is_ok()
    );
    assert_eq!(desk.monitor.limits().warn_at, Ppm(700_000));
    let now = desk.monitor.limits_hash();
    assert_eq!(
        confirm(&mut desk, done.hash, olga()),
        Err(OperatorRefusal::StateChanged { now })
    );
    assert_eq!(desk.monitor.limits().warn_at, Ppm(700_000));
}

#[test]
fn an_instrument_that_loses_its_limits_is_tighter_and_one_that_gains_them_is_looser() {
    let mut desk = Desk::new(|_| {});
    let limits = edited(&desk, |own| own.instruments[ETHER.index()] = None);
    let done = propose(&mut desk, limits).unwrap();
    assert_eq!(done.in_force, ["instrument[north:ETH/USDT]"]);
    let limits = edited(&desk, |own| {
        let other = own.instruments[NORTH.index()];
        own.instruments[ETHER.index()] = other;
    });
    let done = propose(&mut desk, limits).unwrap();
    assert!(done.in_force.is_empty());
    assert_eq!(done.waiting, ["instrument[north:ETH/USDT]"]);
    assert_eq!(desk.monitor.limits().instruments[ETHER.index()], None);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn every_change_of_one_field_is_seen_hashed_and_taken_only_when_tighter() {
    let catalogue = catalogue(instruments());
    let mut base = limits();
    base.pre_trade = PreTradeLimits::default();
    assert_eq!(base.canonical(&catalogue), base.canonical(&catalogue));
    type Edit = fn(&mut Limits);
    let edits: [(Edit, Direction); 22] = [
        (
            |own| own.order_notional_usd_max = dec("1"),
            Direction::Tighter,
        ),
        (
            |own| own.notional_usd_max_symbol = dec("1"),
            Direction::Tighter,
        ),
        (
            |own| own.notional_usd_max_venue = dec("1"),
            Direction::Tighter,
        ),
        (
            |own| own.notional_usd_max_asset_net = dec("1"),
            Direction::Tighter,
        ),
        (
            |own| own.notional_usd_max_gross = dec("2000000000"),
            Direction::Looser,
        ),
        (
            |own| own.notional_usd_max_net = dec("1"),
            Direction::Tighter,
        ),
        (|own| own.notional_margin = Ppm(1), Direction::Tighter),
        (|own| own.ref_price_age_max = Nanos(1), Direction::Tighter),
        (
            |own| own.book_crossed_max = Nanos(u64::MAX),
            Direction::Looser,
        ),
        (|own| own.submit_rate_max_global = 201, Direction::Looser),
        (|own| own.submit_rate_max_symbol = 199, Direction::Tighter),
        (|own| own.submit_rate_max_venue = 199, Direction::Tighter),
        (|own| own.cooldown = Nanos(1), Direction::Looser),
        (|own| own.risk_view_age_max = Nanos(1), Direction::Tighter),
        (|own| own.close.to_limit = Ppm(700_000), Direction::Tighter),
        (|own| own.close.cancel_wait = Nanos(1), Direction::Other),
        (|own| own.pre_trade.allow_resting = true, Direction::Looser),
        (
            |own| own.pre_trade.facts_required = false,
            Direction::Looser,
        ),
        (|own| own.pre_trade.edge_min = Ppm(1), Direction::Looser),
        (
            |own| own.pre_trade.funding_guard = Nanos(u64::MAX),
            Direction::Tighter,
        ),
        (|own| own.kill.probation_size = Ppm(1), Direction::Tighter),
        (|own| own.kill.clears_per_day_max = 99, Direction::Looser),
    ];
    for (row, (edit, direction)) in edits.into_iter().enumerate() {
        let mut new = base.clone();
        edit(&mut new);
        let (taken, changes) = base.tightened(&new, &catalogue);
        let [one] = &changes[..] else {
            panic!("row {row}: {changes:?}");
        };
        assert_eq!(one.direction, direction, "{}", one.key);
        let expected = if direction == Direction::Tighter {
            &new
        } else {
            &base
        };
        assert_eq!(&taken, expected, "{}", one.key);
        let (before, after) = (base.canonical(&catalogue), new.canonical(&catalogue));
        assert_ne!(before, after);
        let differing = before
            .lines()
            .zip(after.lines())
            .filter(|(left, right)| left != right);
        assert_eq!(differing.count(), 1);
    }
}

#[test]
fn the_gate_judges_by_other_limits_and_forgets_nothing() {
    let mut own = limits();
    let mut world = World::new();
    let all = catalogue(instruments());
    let permits = Permits::everything(&all);
    let mut apply = |world: &mut World, edit: fn(&mut Limits)| {
        edit(&mut own);
        world.gate.on_limits(&own, &all, &permits);
    };
    assert_eq!(world.order(buy(ONE)), "ok");
    apply(&mut world, |own| {
        own.instruments[0].as_mut().unwrap().order_qty_max = Qty(ONE - 1);
    });
    assert_eq!(world.order(buy(ONE)), "ORDER_QTY_MAX");
    // The hold of the first order counts against a limit that is newer than it.
    apply(&mut world, |own| {
        let own = own.instruments[0].as_mut().unwrap();
        own.order_qty_max = Qty(ONE);
        own.position_qty_max = Qty(2 * ONE - 1);
    });
    assert_eq!(world.order(buy(ONE)), "POSITION_LIMIT");
    apply(&mut world, |own| {
        own.instruments[0].as_mut().unwrap().position_qty_max = Qty(2 * ONE);
    });
    assert_eq!(world.order(buy(ONE)), "ok");
    // Two were sent within this second: a limit of two is reached, one of three is not.
    apply(&mut world, |own| {
        own.instruments[0].as_mut().unwrap().position_qty_max = Qty(9 * ONE);
        own.submit_rate_max_symbol = 2;
    });
    assert_eq!(world.order(buy(HALF)), "RATE_SUBMIT");
    apply(&mut world, |own| own.submit_rate_max_symbol = 3);
    assert_eq!(world.order(buy(HALF)), "ok");
    assert_eq!(world.order(buy(HALF)), "RATE_SUBMIT");
    apply(&mut world, |own| {
        own.submit_rate_max_symbol = 9;
        own.instruments[0] = None;
    });
    assert_eq!(world.order(buy(HALF)), "LIMIT_MISSING");
}
