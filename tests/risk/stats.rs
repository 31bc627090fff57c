//! Statistics of risk against the vectors V33 to V38 and V40 to V50 of RISK.md, exact or to the digits printed there.
use arbalest::prng::Prng;
use arbalest::risk::stats::backtest::{binomial_at_most, christoffersen, kupiec};
use arbalest::risk::stats::confidence::{ES_95, ES_99, ES_975, Z_95, Z_99, Z_975};
use arbalest::risk::stats::covariance::ewma_step;
use arbalest::risk::stats::margin::margin_ratio;
use arbalest::risk::stats::{
    BaselZone, Confidence, Covariance, Drawdown, Exposure, Held, LossWindow, MarginTier,
    MarginTiers, NavError, ReturnsHistory, TierError, VarBacktest, historical,
};
use arbalest::units::ratio::{div_half_even, sqrt_floor};
use arbalest::units::{Asset, Nanos, Ppm, UnixNanos};
use rust_decimal::Decimal;

/// The catalogue's return series in basis points, oldest first.
const RETURNS_BPS: [i64; 20] = [
    80, -120, 30, 210, -70, -350, 110, 20, -40, -220, 90, 160, -100, 50, -10, 70, -280, 130, -60,
    40,
];
const DAY: u64 = 86_400_000_000_000;
const HOUR: u64 = 3_600_000_000_000;
const LAMBDA: Ppm = Ppm(940_000);

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

fn losses() -> Vec<Decimal> {
    let value = dec("100000");
    RETURNS_BPS
        .iter()
        .map(|bps| -value * Decimal::new(*bps, 4))
        .collect()
}

fn history() -> ReturnsHistory {
    let mut history = ReturnsHistory::new(vec![asset("BTC")], Nanos(DAY), 250);
    for bps in RETURNS_BPS {
        assert!(history.seed(&[Some(bps * 100_000)]));
    }
    history
}

/// `value × 10^-decimals`, half to even.
fn rounded(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp(decimals)
}

#[test]
fn v33_v34_drawdown_on_units() {
    let mut own = Drawdown::new(dec("100000")).unwrap();
    let mut seen = Vec::new();
    for equity in [
        "104000", "101000", "106000", "95400", "99000", "107000", "103790",
    ] {
        let drawdown = own.on_equity(dec(equity)).unwrap();
        seen.push((own.high_water_mark(), drawdown));
    }
    assert_eq!(seen[3], (dec("1.06"), dec("0.1")), "V33 at 95,400");
    assert_eq!(seen[6], (dec("1.07"), dec("0.03")), "V33 last");
    assert_eq!(
        seen.iter().map(|(_, drawdown)| *drawdown).max(),
        Some(dec("0.1"))
    );

    let mut own = Drawdown::new(dec("110000")).unwrap();
    let before = own.on_equity(dec("100000")).unwrap();
    assert_eq!(
        before,
        dec("0.0909090909090909"),
        "V34: 1/11, up at 16 decimals of a rounded unit"
    );
    own.on_flow(dec("-50000")).unwrap();
    assert_eq!((own.units(), own.equity()), (dec("55000"), dec("50000")));
    assert_eq!(
        own.drawdown().unwrap(),
        before,
        "V34: a withdrawal is no loss"
    );
    own.on_flow(dec("1000000")).unwrap();
    assert_eq!(own.drawdown().unwrap(), before, "nor is a deposit a gain");

    let mut own = Drawdown::new(dec("1")).unwrap();
    own.on_equity(dec("1.23")).unwrap();
    assert_eq!(
        own.on_equity(dec("1.107")).unwrap(),
        dec("0.1"),
        "V34b: the mark's rule keeps 10.7 %"
    );
    assert!(own.on_equity(dec("1.1069999")).unwrap() > dec("0.1"));
    assert_eq!(
        Drawdown::new(dec("1")).unwrap().on_equity(dec("0.9")),
        Ok(dec("0.1")),
        "V34b: without a gain both rules meet at 0.90"
    );
}

#[test]
fn i25_the_mark_never_falls_but_by_a_rebase() {
    let mut prng = Prng::new(33);
    let mut own = Drawdown::new(dec("1000")).unwrap();
    let mut high = own.high_water_mark();
    for _ in 0..2_000 {
        if prng.chance_ppm(200_000) {
            let flow = Decimal::from(prng.between(-300, 600));
            let (nav, before) = (own.nav().unwrap(), own.clone());
            if own.on_flow(flow).is_ok() {
                let moved = (own.nav().unwrap().0 - nav.0).abs();
                assert!(
                    moved < dec("0.0000000001"),
                    "a flow moved a unit by {moved}"
                );
            } else {
                assert_eq!(own, before);
            }
        } else {
            let equity = own.equity() * Decimal::new(prng.between(950, 1_052), 3);
            let drawdown = own.on_equity(rounded(equity, 8).max(dec("0.01"))).unwrap();
            assert!((Decimal::ZERO..=Decimal::ONE).contains(&drawdown));
        }
        assert!(own.high_water_mark() >= high);
        high = own.high_water_mark();
        let again = Drawdown::restore(own.units(), high, own.equity()).unwrap();
        assert_eq!(again, own, "a stored state comes back");
    }
    own.on_equity(dec("-5")).unwrap();
    assert!(own.drawdown().unwrap() > Decimal::ONE);
    assert_eq!(own.on_flow(dec("3")), Err(NavError::NoEquity));
    assert_eq!(own.rebase(), Err(NavError::NoEquity));
    own.on_equity(dec("500")).unwrap();
    own.rebase().unwrap();
    assert_eq!((own.high_water_mark(), own.units()), (dec("1"), dec("500")));
    assert!(Drawdown::new(Decimal::ZERO).is_err());
}

#[test]
fn v35_a_calendar_day_can_be_straddled() {
    let midnight = 20_000 * i64::try_from(DAY).unwrap();
    let at = |minutes: i64| UnixNanos(midnight + minutes * 60_000_000_000);
    let mut own = LossWindow::new(Nanos::from_secs(60));
    assert_eq!((own.day(), own.rolling(), own.worst()), (None, None, None));
    own.on_value(dec("100000"), at(-600));
    own.on_value(dec("97100"), at(-60));
    assert_eq!(own.day().unwrap().ratio(), Some(dec("0.029")), "first day");
    own.on_value(dec("94284.1"), at(60));
    assert_eq!(
        own.day().unwrap().ratio(),
        Some(dec("0.029")),
        "second day: no breach of 3 %"
    );
    let rolling = own.rolling().unwrap();
    assert_eq!(rolling.ratio(), Some(dec("0.057159")), "V35: 5.7159 %");
    assert_eq!(rolling.amount, dec("5715.9"));
    assert_eq!(own.worst(), own.rolling());
    own.on_value(dec("94284.1"), at(60 - 1_440));
    assert_eq!(
        own.rolling(),
        Some(rolling),
        "time that goes back forgets nothing"
    );
    own.on_value(dec("94000"), at(-600 + 1_440 + 2));
    assert_eq!(
        own.rolling().unwrap().from,
        dec("100000"),
        "the value that held 24 h ago"
    );
    own.on_value(dec("94000"), at(-60 + 1_440 + 2));
    assert_eq!(own.rolling().unwrap().from, dec("97100"));
    own.on_value(dec("95000"), at(9 * 1_440));
    let after = own.worst().unwrap();
    assert_eq!(
        (after.from, after.amount),
        (dec("94000"), dec("-1000")),
        "a gain is below zero"
    );
}

/// Against a naive twin that keeps every value.
#[test]
fn loss_windows_agree_with_a_list_of_everything() {
    let day = i64::try_from(DAY).unwrap();
    let step = 600_000_000_000_i64;
    let mut prng = Prng::new(35);
    let mut own = LossWindow::new(Nanos(600_000_000_000));
    let mut all: Vec<(i64, Decimal)> = Vec::new();
    let (mut now, mut value) = (19_999 * day + 5, Decimal::from(100_000));
    for _ in 0..5_000 {
        now += prng.between(1, 2_400) * 1_000_000_000;
        value += Decimal::from(prng.between(-50, 50));
        own.on_value(value, UnixNanos(now));
        all.push((now, value));
        // The value that held when the step holding now - 24 h began.
        let edge = |edge: i64| {
            let before = all.iter().rev().find(|(at, _)| *at < edge);
            before.or(all.first()).unwrap().1
        };
        let from = edge((now - day).div_euclid(step) * step);
        let loss = own.rolling().unwrap();
        assert_eq!((loss.from, loss.amount), (from, from - value));
        let from = edge(now.div_euclid(day) * day);
        assert_eq!(own.day().unwrap().from, from);
    }
}

fn tiers() -> MarginTiers {
    let tier = |bound: Option<&str>, rate: &str, amount: &str| MarginTier {
        notional_max: bound.map(dec),
        rate: dec(rate),
        amount: dec(amount),
    };
    MarginTiers::new(vec![
        tier(Some("50000"), "0.004", "0"),
        tier(Some("600000"), "0.005", "50"),
        tier(None, "0.01", "3050"),
    ])
    .unwrap()
}

#[test]
fn v36_maintenance_margin_by_tiers() {
    let tiers = tiers();
    for (notional, margin) in [
        ("0", "0"),
        ("50000", "200"),
        ("50000.01", "200.00005"),
        ("600000", "2950"),
        ("1000000", "6950"),
    ] {
        assert_eq!(
            tiers.maintenance(dec(notional)),
            Ok(dec(margin)),
            "{notional}"
        );
    }
    let balance = dec("20000") - dec("6100");
    assert_eq!(balance, dec("13900"));
    assert_eq!(margin_ratio(dec("6950"), balance), Some(dec("0.5")));
    let usage = margin_ratio(dec("1000000") / dec("50"), balance).unwrap();
    assert_eq!(rounded(usage * dec("100"), 6), dec("143.884892"));
    assert_eq!(margin_ratio(dec("1"), Decimal::ZERO), None);
    let tier = |bound: Option<&str>, rate: &str, amount: &str| MarginTier {
        notional_max: bound.map(dec),
        rate: dec(rate),
        amount: dec(amount),
    };
    for (tiers, error) in [
        (vec![], TierError::Shape),
        (vec![tier(Some("1"), "0.1", "0")], TierError::Shape),
        (
            vec![tier(None, "0.1", "0"), tier(None, "0.1", "0")],
            TierError::Shape,
        ),
        (vec![tier(None, "1", "0")], TierError::Rate),
        (
            vec![tier(Some("100"), "0.1", "0"), tier(None, "0.05", "0")],
            TierError::Rate,
        ),
        (
            vec![tier(Some("100"), "0.1", "0"), tier(None, "0.2", "9")],
            TierError::Jump,
        ),
    ] {
        assert_eq!(MarginTiers::new(tiers), Err(error));
    }
}

#[test]
fn v37_liquidation_price() {
    let (tiers, entry, wallet) = (tiers(), dec("100000"), dec("20000"));
    let long = tiers.liquidation_price(dec("10"), entry, wallet).unwrap();
    assert_eq!(
        long,
        dec("98681.8181818182"),
        "up: never farther away than it is"
    );
    let short = tiers.liquidation_price(dec("-10"), entry, wallet).unwrap();
    assert_eq!(short, dec("101292.0792079207"), "down");
    for (qty, price, margin) in [("10", long, "6818.1818"), ("-10", short, "7079.2079")] {
        let balance = wallet + dec(qty) * (price - entry);
        let needed = tiers.maintenance(dec("10") * price).unwrap();
        assert_eq!(balance.trunc_with_scale(4), dec(margin));
        assert!(
            (balance - needed).abs() < dec("0.000001"),
            "{balance} {needed}"
        );
        assert!(balance >= needed, "rounded to the safe side");
    }
    assert_eq!(tiers.liquidation_price(Decimal::ZERO, entry, wallet), None);
    assert_eq!(
        tiers.liquidation_price(dec("1"), dec("100"), dec("200")),
        None,
        "cannot be liquidated"
    );
    let small = tiers
        .liquidation_price(dec("1"), dec("1000"), dec("100"))
        .unwrap();
    assert_eq!(small, dec("903.6144578314"), "first tier: 900 / 0.996, up");
}

#[test]
fn v38_gross_and_net_exposure() {
    let held = |base: &str, qty: &str, price: &str| Held {
        base: asset(base),
        qty: dec(qty),
        price: dec(price),
    };
    let sum = Exposure::of(&[
        held("BTC", "3", "60000"),
        held("BTC", "-2.5", "60100"),
        held("ETH", "10", "3000"),
    ])
    .unwrap();
    assert_eq!((sum.gross, sum.net), (dec("360250"), dec("59750")));
    assert_eq!(
        sum.by_asset,
        [
            (asset("BTC"), dec("0.5"), dec("29750")),
            (asset("ETH"), dec("10"), dec("30000"))
        ]
    );
}

#[test]
fn v40_to_v42_historical() {
    for (confidence, var, es) in [
        (Confidence::P90, "2200", "3150"),
        (Confidence::P95, "2800", "3500"),
        (Confidence::P975, "3500", "3500"),
        (Confidence::P99, "3500", "3500"),
    ] {
        let found = historical(&mut losses(), confidence).unwrap();
        assert_eq!((found.var, found.es), (dec(var), dec(es)), "{confidence:?}");
        assert_eq!(found.observations, 20);
    }
    assert_eq!(Confidence::P90.tail_ppm(20), 2_000_000, "exactly two");
    assert!(historical(&mut [], Confidence::P99).is_none());
    assert!(Confidence::new(499_999).is_none() && Confidence::new(1_000_000).is_none());
}

/// The definition by counting, and the invariants of I26.
#[test]
fn i26_historical_agrees_with_its_definition() {
    let mut prng = Prng::new(26);
    for _ in 0..2_000 {
        let count = usize::try_from(prng.between(1, 300)).unwrap();
        let mut losses: Vec<Decimal> = (0..count)
            .map(|_| Decimal::new(prng.between(-2_000_000, 2_000_000), 10))
            .collect();
        let mut last = None;
        for _ in 0..3 {
            let ppm = u32::try_from(prng.between(500_000, 999_999)).unwrap();
            let confidence = Confidence::new(ppm).unwrap();
            let found = historical(&mut losses, confidence).unwrap();
            assert!(found.es >= found.var, "ES below VaR");
            // Smallest loss with a share strictly above it of at most 1 - a, in whole millionths.
            let tail = u64::from(1_000_000 - ppm) * u64::try_from(count).unwrap();
            let above = |loss: Decimal| losses.iter().filter(|other| **other > loss).count();
            let fits = |loss: &&Decimal| u64::try_from(above(**loss)).unwrap() * 1_000_000 <= tail;
            let smallest = losses.iter().filter(fits).min().unwrap();
            assert_eq!(found.var, *smallest);
            if let Some((other, var)) = last
                && ppm >= other
            {
                assert!(found.var >= var, "VaR falls with confidence");
            }
            last = Some((ppm, found.var));
        }
    }
}

#[test]
fn v43_sample_statistics() {
    let sum: i64 = RETURNS_BPS.iter().sum();
    assert_eq!(
        Decimal::new(sum, 2) / dec("20"),
        dec("-0.13"),
        "mean in percent"
    );
    let squares: i128 = RETURNS_BPS.iter().map(|bps| i128::from(bps * bps)).sum();
    let (root, decimals) = sqrt_floor(u128::try_from(squares).unwrap() * 5, 2 + 4);
    let zero_mean = Decimal::from_i128_with_scale(i128::try_from(root).unwrap(), decimals);
    assert_eq!(
        rounded(zero_mean, 12),
        dec("1.427235089255"),
        "squares / 20, in percent"
    );
    // Without decay the covariance is the zero-mean variance: lambda of one.
    let flat = history().covariance(Ppm::ONE, 20).unwrap();
    let deviation = flat.deviation(&[(asset("BTC"), dec("100"))]).unwrap();
    assert_eq!(
        rounded(deviation, 12),
        dec("1.427235089255"),
        "V43 by the model itself"
    );
    let centred = squares * 20 - i128::from(sum) * i128::from(sum);
    let scaled = div_half_even(centred * 10_i128.pow(20), 20 * 19).unwrap();
    let (root, decimals) = sqrt_floor(u128::try_from(scaled).unwrap(), 20 + 4);
    let sample = Decimal::from_i128_with_scale(i128::try_from(root).unwrap(), decimals);
    assert_eq!(rounded(sample, 12), dec("1.458225309282"));
}

#[test]
fn v44_ewma_seeded_with_the_first_square() {
    let first = i128::from(RETURNS_BPS[0] * 100_000);
    let mut variance = first * first * 1_000_000;
    for bps in &RETURNS_BPS[1..] {
        variance = ewma_step(variance, bps * 100_000, LAMBDA).unwrap();
    }
    assert_eq!(
        div_half_even(variance, 1_000_000),
        Some(154_602_840_675_505)
    );
    let (root, decimals) = sqrt_floor(u128::try_from(variance).unwrap(), 24);
    let sigma = Decimal::from_i128_with_scale(i128::try_from(root).unwrap(), decimals);
    assert_eq!(rounded(sigma * dec("100"), 11), dec("1.24339390651"));
    for (factor, expected) in [
        (Z_95, "2045.2009768582"),
        (Z_99, "2892.5667710132"),
        (ES_975, "2906.8097464536"),
    ] {
        assert_eq!(rounded(sigma * dec("100000") * factor, 10), dec(expected));
    }
}

#[test]
fn v45_ewma_with_normalised_weights_is_the_models() {
    let history = history();
    let covariance = history.covariance(LAMBDA, 20).unwrap();
    assert_eq!(
        covariance.ppb2,
        [191_628_732_530_220],
        "0.000191628732530220"
    );
    assert_eq!(covariance.observations, 20);
    let deviation = covariance
        .deviation(&[(asset("BTC"), dec("100000"))])
        .unwrap();
    assert_eq!(rounded(deviation / dec("1000"), 11), dec("1.38430030171"));
    assert_eq!(rounded(deviation * Z_95, 8), dec("2276.97137205"));
    assert_eq!(rounded(deviation * Z_99, 8), dec("3220.36406391"));
    let short = covariance
        .deviation(&[(asset("BTC"), dec("-100000"))])
        .unwrap();
    assert_eq!(short, deviation);
    assert_eq!(covariance.model().unwrap().covariance_ppm2, [191_628_733]);
    let found = history
        .estimate(&[(asset("BTC"), dec("100000"))], LAMBDA, 20)
        .unwrap();
    assert_eq!(
        found.var99,
        dec("3500"),
        "historical is larger than 3,220.36"
    );
    assert_eq!(found.es975, dec("3500"), "and than 3,236.22");
    assert_eq!(found.observations, 20);
    let short = history
        .estimate(&[(asset("BTC"), dec("-100000"))], LAMBDA, 20)
        .unwrap();
    assert_eq!(
        short.var99,
        dec("3220.36406391"),
        "a short's worst day is 2,100"
    );
    assert!(short.es975 >= short.var99);
}

#[test]
fn v46_one_step() {
    let variance = ewma_step(324 * 10_i128.pow(18), -23_000_000, LAMBDA).unwrap();
    assert_eq!(variance, 3_363 * 10_i128.pow(17), "exactly 0.0003363");
    let (root, decimals) = sqrt_floor(u128::try_from(variance).unwrap(), 24);
    let sigma = Decimal::from_i128_with_scale(i128::try_from(root).unwrap(), decimals);
    assert_eq!(rounded(sigma * dec("100"), 11), dec("1.83384841249"));
    assert_eq!(rounded(sigma * dec("1000000") * Z_95, 2), dec("30164.12"));
    assert_eq!(rounded(sigma * dec("1000000") * Z_99, 2), dec("42661.69"));
}

#[test]
fn v47_two_assets_net_by_correlation() {
    let covariance = Covariance {
        factors: vec![asset("A"), asset("B")],
        ppb2: vec![
            900_000_000_000_000,
            960_000_000_000_000,
            960_000_000_000_000,
            1_600_000_000_000_000,
        ],
        observations: 250,
    };
    let exposures = [(asset("A"), dec("100000")), (asset("B"), dec("-60000"))];
    let deviation = covariance.deviation(&exposures).unwrap();
    assert_eq!(deviation, dec("1800"), "exactly");
    assert_eq!(rounded(deviation * Z_99, 8), dec("4187.42617327"));
    let alone: Decimal = exposures
        .iter()
        .map(|one| covariance.deviation(&[*one]).unwrap() * Z_99)
        .sum();
    assert_eq!(rounded(alone, 2), dec("12562.28"));
    assert_eq!(
        covariance.deviation(&[(asset("C"), dec("1"))]),
        None,
        "no factor: fail closed"
    );
    let huge = [
        (asset("A"), dec("100000000000000")),
        (asset("B"), dec("-60000000000000")),
    ];
    assert_eq!(
        covariance.deviation(&huge),
        Some(dec("1800000000000")),
        "coarser units, not an overflow"
    );
    let model = covariance.model().unwrap();
    assert_eq!(
        model.covariance_ppm2,
        [900_000_000, 960_000_000, 960_000_000, 1_600_000_000]
    );
}

#[test]
fn normal_factors_have_their_printed_digits() {
    for (factor, expected) in [
        (Z_95, "1.6448536270"),
        (Z_975, "1.9599639845"),
        (Z_99, "2.3263478740"),
        (ES_95, "2.0627128075"),
        (ES_975, "2.3378027922"),
        (ES_99, "2.6652142203"),
    ] {
        assert_eq!(rounded(factor, 10), dec(expected));
    }
}

#[test]
fn v48_kupiec() {
    let near = |found: f64, expected: f64| (found - expected).abs() < 6e-7;
    for (x, expected) in (0..).zip([
        5.025_168, 1.176_491, 0.108_435, 0.094_940, 0.769_138, 1.956_810, 3.555_355, 5.496_990,
    ]) {
        assert!(near(kupiec(250, x, 0.01).unwrap(), expected), "x = {x}");
    }
    assert!(near(kupiec(250, 10, 0.01).unwrap(), 12.955_491));
    assert!((kupiec(30, 7, 0.01).unwrap() - 32.338_331).abs() < 6e-7);
    let accepted = |p: f64| -> Vec<u32> {
        (0..=30)
            .filter(|x| kupiec(250, *x, p).unwrap() <= arbalest::risk::stats::backtest::CRITICAL_1)
            .collect()
    };
    assert_eq!(accepted(0.01), (1..=6).collect::<Vec<_>>());
    assert_eq!(accepted(0.05), (7..=19).collect::<Vec<_>>());
    for wrong in [
        kupiec(0, 0, 0.01),
        kupiec(5, 6, 0.01),
        kupiec(5, 1, 0.0),
        kupiec(5, 1, f64::NAN),
    ] {
        assert_eq!(wrong, None);
    }
}

#[test]
fn v49_christoffersen() {
    assert!((christoffersen(239, 5, 5, 0) - 0.204_932).abs() < 6e-7);
    let clustered = christoffersen(243, 1, 1, 4);
    assert!((clustered - 30.984_813).abs() < 6e-7);
    let joint = clustered + kupiec(250, 5, 0.01).unwrap();
    assert!((joint - 32.941_622).abs() < 1.1e-6);
    assert!(christoffersen(0, 0, 0, 0).abs() < f64::EPSILON);
}

#[test]
fn v50_basel_zones() {
    assert!((binomial_at_most(250, 4, 0.01) - 0.892_188).abs() < 6e-7);
    assert!((binomial_at_most(250, 9, 0.01) - 0.999_750).abs() < 6e-7);
    for (x, zone) in [
        (0, BaselZone::Green),
        (4, BaselZone::Green),
        (5, BaselZone::Yellow),
        (9, BaselZone::Yellow),
        (10, BaselZone::Red),
        (250, BaselZone::Red),
    ] {
        assert_eq!(BaselZone::of(250, x, 0.01), zone, "{x} {}", zone.label());
    }
}

#[test]
fn a_backtest_alarms_on_too_many_and_on_clusters_not_on_none() {
    let run = |days: &[bool]| {
        let mut own = VarBacktest::new(250, 0.01);
        assert_eq!(own.health(), None);
        (0..300).for_each(|_| own.push(true));
        days.iter().for_each(|day| own.push(*day));
        own.health().unwrap()
    };
    let with = |exceptions: &[usize]| -> Vec<bool> {
        (0..250).map(|day| exceptions.contains(&day)).collect()
    };
    let none = run(&with(&[]));
    assert_eq!(
        (none.days, none.exceptions, none.alarms),
        (250, 0, false),
        "too conservative is no loss"
    );
    assert!(none.kupiec > 5.0);
    let spread = run(&with(&[20, 70, 120, 170, 220]));
    assert_eq!(
        (spread.exceptions, spread.zone, spread.alarms),
        (5, BaselZone::Yellow, false)
    );
    let clustered = run(&with(&[100, 101, 102, 103, 104]));
    assert!((clustered.independence - 30.984_813).abs() < 0.1);
    assert!(clustered.alarms, "clustering although the count is fine");
    let many = run(&with(&[5, 30, 55, 80, 105, 130, 155, 180, 205, 230]));
    assert_eq!((many.zone, many.alarms), (BaselZone::Red, true));
}

#[test]
fn prices_become_aligned_returns() {
    let (btc, eth) = (asset("BTC"), asset("ETH"));
    let mut own = ReturnsHistory::new(vec![btc, eth], Nanos(DAY), 3);
    let day = |days: u64, hours: u64| UnixNanos(i64::try_from(days * DAY + hours * HOUR).unwrap());
    own.on_price(btc, dec("100"), day(100, 1));
    own.on_price(btc, dec("110"), day(100, 23));
    assert!(!own.on_time(day(101, 0)), "the first interval only opens");
    own.on_price(btc, dec("121"), day(101, 5));
    own.on_price(eth, dec("10"), day(101, 6));
    own.on_price(btc, dec("-1"), day(101, 7));
    assert!(own.on_time(day(102, 0)));
    assert!(
        !own.on_time(day(101, 0)) && !own.on_time(day(102, 9)),
        "once an interval, never back"
    );
    assert_eq!(
        (own.len(), own.observations(btc), own.observations(eth)),
        (1, 1, 0)
    );
    assert_eq!(
        own.losses(&[(btc, dec("1000"))]),
        Some(vec![dec("-100")]),
        "+10 %"
    );
    own.on_price(eth, dec("9"), day(102, 1));
    own.on_price(btc, dec("121"), day(105, 1));
    assert_eq!((own.len(), own.observations(eth)), (2, 1));
    assert_eq!(
        own.losses(&[(btc, dec("1000")), (eth, dec("50"))]),
        Some(vec![dec("5")]),
        "only rows with all exposed assets; a silent asset has a return of zero"
    );
    assert_eq!(own.losses(&[(asset("XRP"), dec("1"))]), None);
    for days in 106..110 {
        own.on_price(eth, dec("9"), day(days, 1));
    }
    assert_eq!(own.len(), 3, "bounded");
    assert!(!own.seed(&[None]), "a row of another length");
    assert!(own.covariance(LAMBDA, 9).is_none(), "too few");
    assert_eq!(own.assets(), [btc, eth]);
    assert!(!own.is_empty());
}

#[test]
fn shorter_intervals_are_scaled_to_a_day() {
    let btc = asset("BTC");
    let mut hourly = ReturnsHistory::new(vec![btc], Nanos(HOUR), 100);
    let mut daily = ReturnsHistory::new(vec![btc], Nanos(DAY), 100);
    for step in 0..40 {
        let ppb = if step % 2 == 0 {
            10_000_000
        } else {
            -10_000_000
        };
        assert!(hourly.seed(&[Some(ppb)]) && daily.seed(&[Some(ppb)]));
    }
    let one = daily.covariance(LAMBDA, 1).unwrap().ppb2[0];
    assert_eq!(
        one, 100_000_000_000_000,
        "a constant magnitude needs no average"
    );
    assert_eq!(hourly.covariance(LAMBDA, 1).unwrap().ppb2[0], one * 24);
    let exposure = [(btc, dec("1000"))];
    let flat = daily.estimate(&exposure, LAMBDA, 30).unwrap();
    let scaled = hourly.estimate(&exposure, LAMBDA, 30).unwrap();
    let ratio = scaled.var99 / flat.var99;
    assert!(
        (ratio - dec("4.898979")).abs() < dec("0.000001"),
        "root of 24: {ratio}"
    );
    let none = hourly
        .estimate(&[(btc, Decimal::ZERO)], LAMBDA, 30)
        .unwrap();
    assert_eq!((none.var99, none.es975), (Decimal::ZERO, Decimal::ZERO));
    assert!(
        hourly.estimate(&exposure, LAMBDA, 41).is_none(),
        "too few: fail closed"
    );
}
