//! C: the order as part of a whole: value at risk, the strategy's scope, plans, parents.

use arbalest::risk::{Parent, Repair, VarModel, Verdict};
use arbalest::trade::SetId;
use arbalest::units::Side;

use super::*;

pub(super) const PROVEN: Proven = &[
    "VAR_LIMIT",
    "ES_LIMIT",
    "VAR_MODEL_MISSING",
    "STRATEGY_SCOPE",
    "LEG_PLAN_EXPIRED",
    "LEG_PLAN_DENIED",
    "PARENT_OVERRUN",
];

/// PT-29: one asset at 4 % a day. One BTC: sd 2,400, VaR 5,583.24, ES 5,610.73.
#[test]
fn pt29_tail() {
    let model = |codes: &[&str], matrix: &[i64]| {
        Some(Arc::new(VarModel {
            factors: codes.iter().map(|code| Asset::new(code).unwrap()).collect(),
            covariance_ppm2: matrix.to_vec(),
        }))
    };
    let world = |var: &str, es: &str, model: &Option<Arc<VarModel>>| {
        let mut world = heard(|own| {
            own.var99_1d_usd_max = dec(var);
            own.es975_1d_usd_max = dec(es);
        });
        world.see(|view| view.portfolio.var_model.clone_from(model));
        world
    };
    let alone = model(&["BTC"], &[1_600_000_000]);
    for (var, es, expected) in [
        ("5583.24", "10000", "ok"),
        ("5583.25", "10000", "ok"),
        ("5583.23", "10000", "VAR_LIMIT"),
        ("10000", "5610.73", "ok"),
        ("10000", "5610.74", "ok"),
        ("10000", "5610.72", "ES_LIMIT"),
    ] {
        let mut world = world(var, es, &alone);
        assert_eq!(world.order(buy(ONE)), expected, "{var} {es}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    let mut hedge = world("5583.24", "5610.73", &alone);
    hedge.own(SOUTH, -ONE);
    assert_eq!(hedge.order(buy(ONE)), "ok", "it brings the net back");
    let mut pending = world("5583.24", "5610.73", &alone);
    assert_eq!(pending.order(buy(HALF)), "ok");
    assert_eq!(pending.order(leg(PERP, Side::Buy, HALF)), "ok");
    assert_eq!(
        pending.order(leg(SOUTH, Side::Buy, 1)),
        "VAR_LIMIT",
        "what is pending counts"
    );
    // Long 1 BTC against short 20 ETH, fully correlated: nothing is left.
    let one = 1_600_000_000;
    let mut pair = world("1", "1", &model(&["BTC", "ETH"], &[one, one, one, one]));
    pair.own(ETHER, -20 * ONE);
    assert_eq!(
        [(); 2].map(|()| pair.order(buy(ONE))),
        ["ok"; 2],
        "no extreme is worse than the short alone"
    );
    assert_eq!(pair.order(buy(1)), "VAR_LIMIT", "now one is");
    for (required, known, expected) in [
        (true, None, "VAR_MODEL_MISSING"),
        (false, None, "ok"),
        (false, model(&["ETH"], &[one]), "VAR_MODEL_MISSING"),
        (true, alone, "ok"),
    ] {
        let mut world = heard(|own| own.var_model_required = required);
        world.see(|view| view.portfolio.var_model = known);
        assert_eq!(world.order(buy(ONE)), expected, "{required}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

#[test]
fn pt30_scope() {
    type Edit = fn(&mut PreTradeLimits, u32);
    let counts: [(u32, Edit); 2] = [
        (5, |own, max| own.scope_instruments_max = max),
        (3, |own, max| own.scope_venues_max = max),
    ];
    for (used, edit) in counts {
        for (max, expected) in [(used, "ok"), (used + 1, "ok"), (used - 1, "STRATEGY_SCOPE")] {
            let mut world = heard(|own| edit(own, max));
            assert_eq!(world.order(buy(1)), expected, "{used} of {max}");
            let way_out = long(&mut world);
            assert_eq!(world.order(way_out), "ok", "reducing");
        }
    }
    for (size, expected) in [(HALF, "ok"), (HALF - 1, "ok"), (HALF + 1, "STRATEGY_SCOPE")] {
        let mut world = heard(|own| own.scope_notional_usd_max = dec("60000"));
        world.own(PERP, -HALF);
        assert_eq!(world.order(buy(size)), expected, "{size}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

#[test]
fn pt31_age_of_a_plan() {
    for (age, expected) in [
        (499_999_999, "ok"),
        (500_000_000, "ok"),
        (500_000_001, "LEG_PLAN_EXPIRED"),
    ] {
        let mut world = heard(|own| own.leg_plan_expiry = Nanos::from_millis(500));
        world.now = at(Nanos(age));
        let told = send(&mut world, &[buy(1)], |intent| intent.decided_at = START);
        assert_eq!(told, expected, "{age}");
    }
}

/// PT-31: legs that pass alone and not together are refused as a plan; any subset of an approved plan passes alone.
#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn pt31_all_legs_and_every_subset() {
    let gross = || {
        heard_with(
            |_| {},
            |own| own.notional_usd_max_gross = dec("60000"),
            |_| {},
            Permits::everything,
        )
    };
    for (size, expected) in [
        (HALF, "ok"),
        (HALF - 1, "ok"),
        (HALF + 1, "LEG_PLAN_DENIED"),
    ] {
        let legs = [buy(HALF), leg(PERP, Side::Sell, size)];
        assert_eq!(send(&mut gross(), &legs, |_| {}), expected, "{size}");
        for alone in legs {
            assert_eq!(gross().order(alone), "ok", "{size} alone");
        }
    }
    let told = gross().set(&[buy(HALF), leg(PERP, Side::Sell, HALF + 1)]);
    let SetVerdict::Refused { leg_index, refusal } = told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (leg_index, refusal.to_string()),
        (
            1,
            "LEG_PLAN_DENIED check=NOTIONAL_LIMIT_GROSS value=60000.06 value_max=60000".to_owned()
        )
    );
    let mut prng = arbalest::prng::Prng::new(31);
    let (mut approved, mut denied) = (0, 0);
    for _ in 0..600 {
        let ids = [NORTH, SOUTH, PERP, ETHER];
        let legs: Vec<Leg> = (0..3)
            .map(|_| {
                let id = ids[usize::try_from(prng.below(4)).unwrap()];
                let side = if prng.chance_ppm(500_000) {
                    Side::Buy
                } else {
                    Side::Sell
                };
                leg(id, side, prng.between(1, HALF))
            })
            .collect();
        let positions = [(); 4].map(|()| prng.between(-HALF, HALF));
        let world = || {
            let mut world = heard_with(
                |_| {},
                |own| {
                    own.notional_usd_max_gross = dec("100000");
                    own.notional_usd_max_asset_net = dec("50000");
                },
                |_| {},
                Permits::everything,
            );
            world.see(|view| {
                for (risk, position) in view.instruments.iter_mut().zip(positions) {
                    risk.position_qty = qty(position);
                }
            });
            world
        };
        if send(&mut world(), &legs, |_| {}) != "ok" {
            denied += 1;
            continue;
        }
        approved += 1;
        for mask in 1_usize..8 {
            let chosen = legs
                .iter()
                .enumerate()
                .filter(|(at, _)| mask & (1 << at) != 0);
            let subset: Vec<Leg> = chosen.map(|(_, leg)| *leg).collect();
            assert_eq!(send(&mut world(), &subset, |_| {}), "ok", "{subset:?}");
        }
    }
    assert!(approved > 50 && denied > 50, "{approved} {denied}");
}

/// X09, alone and through the gate.
#[test]
fn pt32_parent() {
    let parent = Parent {
        qty: qty(ONE),
        filled: qty(400_000),
        live: qty(300_000),
        unknown: qty(200_000),
    };
    for (size, expected) in [(100_000, "ok"), (99_999, "ok"), (100_001, "PARENT_OVERRUN")] {
        let pure = parent.check(qty(size), 6);
        assert_eq!(pure.is_ok(), expected == "ok", "{size}");
        let mut world = heard(|_| {});
        let child = sell(size);
        let repair = Repair {
            set: SetId(1),
            leg_index: 0,
            strategy: StrategyId(0),
            leg: &child,
            parent,
        };
        let told = match world.gate.check_repair(&repair, &world.books, world.now) {
            Verdict::Approved(_) => "ok",
            Verdict::Refused(refusal) => refusal.code(),
        };
        assert_eq!(told, expected, "{size}");
    }
    assert_eq!(
        parent.check(qty(100_001), 6).unwrap_err().to_string(),
        "PARENT_OVERRUN total=1.000001 parent_qty=1"
    );
}
