//! The parts of every set add up to its net, and all of them with what is not of sets to the ledger's result: to the last
//! digit, in seeded simulated markets with and without faults.

use std::collections::BTreeMap;

use arbalest::config::Settings;
use arbalest::market::VenueId;
use arbalest::sim::tape::ModelParams;
use arbalest::sim::venue::Fault;
use arbalest::sim::world::{PlannedFault, SimulateOptions, WorldReport, simulate_faulty};
use arbalest::trade::{Fill, Purpose};
use arbalest::units::{Nanos, Price, Qty, Side};
use rust_decimal::Decimal;

pub(super) fn run(seed: u64, secs: u64, faults: Vec<PlannedFault>) -> WorldReport {
    let settings = Settings::embedded().unwrap();
    let options = SimulateOptions {
        seed,
        span: Nanos::from_secs(secs),
        recording: None,
        model: ModelParams::demo(),
    };
    simulate_faulty(&settings, &options, faults).unwrap()
}

/// Orders that fill in part, are refused or are lost, every half second somewhere.
pub(super) fn faults(secs: u64) -> Vec<PlannedFault> {
    (4..secs * 2)
        .map(|half| PlannedFault {
            at: Nanos(half * 500_000_000 + 1),
            venue: VenueId(u8::try_from(half % 3).unwrap()),
            fault: match half % 4 {
                0 => Fault::RejectNext {
                    code: -2010,
                    message: "Account has insufficient balance for requested action.".to_owned(),
                },
                1 => Fault::SwallowRequest,
                _ => Fault::PartialFill { share_ppm: 400_000 },
            },
        })
        .collect()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Total and parts; the sums of all sets' parts.
fn check(seed: u64, report: &WorldReport) -> BTreeMap<&'static str, Decimal> {
    let money = &report.summary.money;
    let remarks = &report.summary.remarks;
    assert_eq!(money.sets_unsplit, 0, "seed {seed}: {remarks:?}");
    let ledger = decimal(&report.summary.realized_pnl) + decimal(&report.summary.unrealized_pnl);
    let total = money.total.as_deref().map(decimal);
    assert_eq!(total, Some(ledger), "seed {seed}: {money:?}");
    let mut sums = BTreeMap::new();
    for line in &money.strategies {
        let parts = [
            ("signal", &line.signal),
            ("decay", &line.decay),
            ("slippage", &line.slippage),
            ("hedge", &line.hedge),
            ("fees", &line.fees),
        ];
        let sum: Decimal = parts.iter().map(|(_, part)| decimal(part)).sum();
        assert_eq!(sum, decimal(&line.net), "seed {seed}");
        for (name, part) in parts {
            *sums.entry(name).or_default() += decimal(part);
        }
        *sums.entry("sets").or_default() += Decimal::from(line.sets);
    }
    sums
}

/// Each set's net by its executions alone: cash, and of an even set nothing else.
fn check_even_sets(report: &WorldReport) -> usize {
    let of = |set| {
        report.fills.iter().filter(move |fill: &&Fill| {
            let own = matches!(fill.purpose, Some(Purpose::Leg | Purpose::Repair));
            own && fill.client_order_id.map(|id| id.set()) == Some(set)
        })
    };
    let mut even = 0;
    for one in &report.attributions {
        let (mut cash, mut base) = (Decimal::ZERO, Decimal::ZERO);
        for fill in of(one.set) {
            let instrument = report.catalogue.get(fill.instrument).unwrap();
            let qty = instrument.grid.qty_decimal(fill.qty) * instrument.multiplier;
            let signed = qty * Decimal::from(fill.side.sign());
            base += signed;
            cash -= signed * instrument.grid.price_decimal(fill.price) + fill.fee;
        }
        if base.is_zero() && one.residual.is_zero() {
            assert_eq!(one.parts.net().unwrap().0, cash, "set {}", one.set.0);
            even += 1;
        }
    }
    even
}

#[test]
fn parts_add_up_to_the_ledgers_result_in_twenty_markets() {
    let (mut sums, mut even) = (BTreeMap::new(), 0);
    for seed in 1..=20 {
        let report = run(seed, 10, Vec::new());
        for (name, sum) in check(seed, &report) {
            *sums.entry(name).or_insert(Decimal::ZERO) += sum;
        }
        even += check_even_sets(&report);
    }
    assert!(sums["sets"] > Decimal::from(100), "{sums:?}");
    assert!(even > 100, "{even} even sets");
    assert!(sums["signal"] > Decimal::ZERO && sums["fees"] < Decimal::ZERO);
}

#[test]
fn broken_sets_add_up_too() {
    let mut hedge = Decimal::ZERO;
    for seed in 1..=6 {
        let report = run(seed, 15, faults(15));
        hedge += check(seed, &report)["hedge"];
        assert!(check_even_sets(&report) > 0);
    }
    assert!(hedge != Decimal::ZERO, "no set was repaired");
}

/// What is not of a set has its own line: somebody trades on our account, and the monitor closes it.
#[test]
fn executions_of_others_are_their_own_line() {
    let push = PlannedFault {
        at: Nanos::from_secs(5),
        venue: VenueId(2),
        fault: Fault::PositionPush {
            account: 0,
            symbol: 0,
            side: Side::Buy,
            qty: Qty(20_000_000),
            price: Some(Price(6_700_000)),
        },
    };
    let report = run(3, 20, vec![push]);
    check(3, &report);
    let others = report.summary.money.other_fills.as_deref().map(decimal);
    assert!(
        others.is_some_and(|cash| cash < Decimal::ZERO),
        "{others:?}"
    );
}
