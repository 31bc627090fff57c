//! The strategy in the whole engine: markets where a basis was planted, and markets where none was.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arbalest::config::Settings;
use arbalest::config::document::Document;
use arbalest::config::load::Files;
use arbalest::journal::record::Names;
use arbalest::market::VenueId;
use arbalest::risk::{KillLevel, OperatorCommand, Person, Role, Scope};
use arbalest::sim::build::{model_setup, venue_setup};
use arbalest::sim::tape::{MarketModel, ModelParams, PlantedBasis};
use arbalest::sim::venue::{Fault, FeeAsset, VenueSetup};
use arbalest::sim::world::{
    PlannedCommand, PlannedFault, World, WorldReport, WorldSetup, world_setup,
};
use arbalest::units::{Nanos, Ppm, Side, UnixNanos};
use rust_decimal::Decimal;

const VENUES: &str = r#"
[[venue]]
id = "spot"
dialect = "binance_spot"
simulated = true
symbols = ["BTC/USDT"]
[venue.fees]
taker_fee_bps = 5
maker_fee_bps = 5
[venue.balances]
USDT = "100000"
BTC = "1"

[[venue]]
id = "perp"
dialect = "binance_usdm"
simulated = true
symbols = ["BTC/USDT:USDT"]
[venue.fees]
taker_fee_bps = 2
maker_fee_bps = 2
[venue.balances]
USDT = "100000"
"#;

const LIMITS: &str = r#"
order_notional_usd_max = "5000"
unrealized_loss_usd_max = "500"
notional_margin_bps = 50
ref_price_age_ms_max = 1000
book_crossed_ms_max = 100
spread_bps_max = 100
[notional_usd_max]
symbol = "40000"
venue = "50000"
asset_net = "5000"
gross = "150000"
net = "10000"
[submit_rate_per_s_max]
symbol = 10
venue = 30
global = 60
[force_close]
to_limit_ratio = 0.8
allow_unpriced_market = false
[[instrument]]
venue = "spot"
symbol = "BTC/USDT"
order_qty_base_max = "0.1"
position_qty_base_max = "0.5"
[[instrument]]
venue = "perp"
symbol = "BTC/USDT:USDT"
order_qty_base_max = "0.1"
position_qty_base_max = "0.5"
"#;

const STRATEGY: &str = r#"
id = "carry"
kind = "spot_perp_basis"
mode = "paper"
spot = "spot:BTC/USDT"
perp = "perp:BTC/USDT:USDT"
entry_basis_bps = 40
exit_basis_bps = 5
slice_quote = "1000"
max_position_quote = "6000"
"#;

/// Seventy-five seconds before funding is paid at midnight.
const START: UnixNanos = UnixNanos(1_700_006_325_000_000_000);
/// Enough for the slices of the largest pair between the basis' rise and the guard before funding, and for its way back.
const SPAN: Nanos = Nanos::from_secs(125);

fn settings(more: &str) -> Settings {
    settings_within(LIMITS, more)
}

fn settings_within(limits: &str, more: &str) -> Settings {
    let files = Files {
        engine: Document::new(
            "engine.toml",
            "mode = \"paper\"\nreporting_currency = \"USDT\"\n",
        ),
        venues: Document::new("venues.toml", VENUES),
        limits: Document::new("limits.toml", limits),
        strategies: vec![Document::new(
            "strategies/carry.toml",
            format!("{STRATEGY}{more}"),
        )],
    };
    Settings::from_files(&files).unwrap_or_else(|error| panic!("{error}"))
}

/// A market with little life of its own.
fn calm() -> ModelParams {
    ModelParams {
        changes_per_s: 8,
        takers_per_s: 1,
        bursts_per_min: 0,
        side_orders: 12,
        basis_pull: Ppm(200_000),
        ..ModelParams::without_edge()
    }
}

/// The perpetual goes 60 bps above spot for a minute, and pays 3 bps at midnight.
fn planted() -> ModelParams {
    ModelParams {
        planted_basis: Some(PlantedBasis {
            basis_ppb: 6_000_000,
            funding_ppb: 300_000,
            from: Nanos::from_secs(5),
            until: Nanos::from_secs(80),
        }),
        ..calm()
    }
}

fn run(settings: &Settings, seed: u64, model: ModelParams, span: Nanos) -> WorldReport {
    run_setup(settings, seed, model, span, |_| {})
}

fn run_setup(
    settings: &Settings,
    seed: u64,
    model: ModelParams,
    span: Nanos,
    change: impl FnOnce(&mut WorldSetup),
) -> WorldReport {
    run_all(settings, seed, model, span, |_| {}, change)
}

fn run_venues(
    settings: &Settings,
    seed: u64,
    model: ModelParams,
    span: Nanos,
    change: impl Fn(&mut VenueSetup),
) -> WorldReport {
    run_all(settings, seed, model, span, change, |_| {})
}

fn run_all(
    settings: &Settings,
    seed: u64,
    model: ModelParams,
    span: Nanos,
    change_venue: impl Fn(&mut VenueSetup),
    change: impl FnOnce(&mut WorldSetup),
) -> WorldReport {
    let mut venues: Vec<VenueSetup> = settings
        .venues()
        .iter()
        .map(|venue| venue_setup(venue, "key", "secret", seed))
        .collect();
    venues.iter_mut().for_each(change_venue);
    let market = model_setup(settings.venues(), &venues, model, seed, START);
    let mut setup = world_setup(settings, venues, seed, START).unwrap();
    change(&mut setup);
    World::new(setup)
        .unwrap()
        .run(&mut MarketModel::new(&market), span)
}

/// One row a fill and a payment, in the form that `arbalest ledger` reads.
fn csv(report: &WorldReport) -> String {
    let names = Names {
        catalogue: &report.catalogue,
        strategies: &["carry".to_owned()],
    };
    let mut text = "type,time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id\n".to_owned();
    for fill in &report.fills {
        let row = names.fill(fill);
        writeln!(
            text,
            "fill,{},{},{},{},{},{},{},{},{}",
            row.time,
            row.venue,
            row.symbol,
            row.side,
            row.quantity,
            row.price,
            row.fee,
            row.fee_asset,
            row.trade_id
        )
        .unwrap();
    }
    for (number, funding) in report.fundings.iter().enumerate() {
        let label = report.catalogue.label(funding.instrument.unwrap());
        let (venue, symbol) = label.split_once(':').unwrap();
        let time = funding.id.time.0;
        writeln!(
            text,
            "funding,{time},{venue},{symbol},,,,{},{},funding-{number}",
            funding.paid, funding.asset
        )
        .unwrap();
    }
    text
}

/// Realized profit by symbol, as `arbalest ledger` says.
fn ledger(report: &WorldReport) -> BTreeMap<String, Decimal> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fills.csv");
    std::fs::write(&file, csv(report)).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_arbalest"))
        .args(["ledger", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let positions = answer["positions"].as_array().unwrap();
    positions
        .iter()
        .map(|position| {
            let symbol = position["symbol"].as_str().unwrap().to_owned();
            (
                symbol,
                position["realized_pnl"].as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

/// What came in less what went out, fees and funding included: for a run that ends flat this is its profit.
fn cash(report: &WorldReport) -> Decimal {
    let mut cash = Decimal::ZERO;
    for fill in &report.fills {
        let grid = report.catalogue.get(fill.instrument).unwrap().grid;
        let value = grid.price_decimal(fill.price) * grid.qty_decimal(fill.qty);
        cash += if fill.side == Side::Sell {
            value
        } else {
            -value
        };
        cash -= fill.fee;
    }
    cash - report
        .fundings
        .iter()
        .map(|funding| funding.paid)
        .sum::<Decimal>()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn assert_sound(seed: u64, report: &WorldReport) {
    let summary = &report.summary;
    let text = summary.text();
    assert!(
        report.violations.is_empty(),
        "seed {seed}: {:#?}\n{text}",
        report.violations
    );
    assert_eq!(
        (summary.orders_open, summary.orders_unknown),
        (0, 0),
        "seed {seed}: {text}"
    );
}

/// What the sets earned by their parts, funding, and nothing else: together the profit, to the last digit.
fn assert_attributed(seed: u64, report: &WorldReport, received: Decimal, profit: Decimal) {
    let money = &report.summary.money;
    assert_eq!(money.sets_unsplit, 0, "seed {seed}: {money:?}");
    let [line] = money.strategies.as_slice() else {
        panic!("seed {seed}: one strategy, one asset: {money:?}")
    };
    let parts = [
        &line.signal,
        &line.decay,
        &line.slippage,
        &line.hedge,
        &line.fees,
    ];
    let sum: Decimal = parts.iter().map(|part| decimal(part)).sum();
    assert_eq!(sum, decimal(&line.net), "seed {seed}: {line:?}");
    assert_eq!(line.sets, report.summary.sets_opened, "seed {seed}");
    let funding = money.funding.as_deref().map(decimal);
    assert_eq!(funding, Some(received), "seed {seed}: {money:?}");
    assert_eq!(sum + received, profit, "seed {seed}: {money:?}");
    assert_eq!(
        money.total.as_deref().map(decimal),
        Some(profit),
        "seed {seed}: {money:?}"
    );
}

/// Twenty markets whose perpetual goes 60 bps above spot and pays 3 bps: a pair is built in slices, held over funding, and
/// taken off when the basis is back. All money is accounted for, to the last digit, in four ways: the engine's ledger, cash by
/// the executions, the attribution of the sets and funding, and `arbalest ledger` on the executions.
#[test]
fn planted_markets_are_earned_from() {
    let settings = settings("");
    for seed in 1..=20 {
        let report = run(&settings, seed, planted(), SPAN);
        assert_sound(seed, &report);
        let (summary, text) = (&report.summary, report.summary.text());
        assert!(summary.sets_opened >= 8, "seed {seed}: {text}");
        assert_eq!(
            summary.sets_hedged, summary.sets_opened,
            "seed {seed}: {text}"
        );
        for position in &summary.positions {
            assert_eq!(position.quantity, "0", "seed {seed}: {text}");
        }
        let received: Decimal = report.fundings.iter().map(|funding| -funding.paid).sum();
        assert!(
            received > Decimal::ONE,
            "seed {seed}: {:?}",
            report.fundings
        );
        let profit = decimal(&summary.realized_pnl);
        // At least 30 bps of at least 5,000, less 14 of fees, and funding.
        assert!(profit > Decimal::from(8) + received, "seed {seed}: {text}");
        assert_eq!(profit, cash(&report), "seed {seed}: {text}");
        assert_attributed(seed, &report, received, profit);
        let booked = ledger(&report);
        assert_eq!(
            booked.values().sum::<Decimal>(),
            profit,
            "seed {seed}: {booked:?}\n{text}"
        );
        for position in &summary.positions {
            assert_eq!(
                booked[&position.symbol],
                decimal(&position.realized_pnl),
                "seed {seed}"
            );
        }
    }
}

/// The same markets without the plant, and a plant that does not pay its fees: nothing is traded.
#[test]
fn markets_without_a_basis_are_left_alone() {
    let settings = settings("");
    for seed in 1..=20 {
        // Every other market has a basis of 44 bps that pays nothing: below the net carry after 14 bps of fees.
        let mut model = calm();
        if seed % 2 == 0 {
            model.planted_basis = planted().planted_basis.map(|plant| PlantedBasis {
                basis_ppb: 4_400_000,
                funding_ppb: 0,
                until: SPAN,
                ..plant
            });
        }
        let report = run(&settings, seed, model, Nanos::from_secs(50));
        assert_sound(seed, &report);
        let (summary, text) = (&report.summary, report.summary.text());
        assert_eq!(
            (summary.sets_opened, summary.fills),
            (0, 0),
            "seed {seed}: {text}"
        );
        let refused = summary.outcomes["funding_below_min"];
        assert_eq!(
            refused > 0,
            seed % 2 == 0,
            "seed {seed}: {:?}",
            summary.outcomes
        );
        assert!(summary.frames_received > 500, "the market was there");
    }
}

/// Fees taken of the coin that is bought leave the spot leg a little short: the pair is evened, and ends flat but for dust.
#[test]
fn fees_in_the_base_asset_do_not_leave_a_leg_behind() {
    let settings = settings("delta_band_bps = 4\n");
    for seed in 1..=5 {
        let report = run_venues(&settings, seed, planted(), SPAN, |venue| {
            venue.fee_asset = FeeAsset::Received;
        });
        assert_sound(seed, &report);
        let text = report.summary.text();
        let quantity = |index: usize| decimal(&report.summary.positions[index].quantity);
        assert!(report.summary.sets_opened > 8, "seed {seed}: {text}");
        assert_eq!(quantity(1), Decimal::ZERO, "seed {seed}: {text}");
        // Less than the smallest spot order: 5 quote units and the margin for it.
        assert!(quantity(0).abs() < decimal("0.0001"), "seed {seed}: {text}");
        assert!(
            decimal(&report.summary.realized_pnl) > Decimal::ZERO,
            "seed {seed}: {text}"
        );
    }
}

/// Half filled orders, refusals and lost answers: no leg stays alone, and the money is still right.
#[test]
fn faults_leave_no_leg_alone() {
    let settings = settings("max_broken_sets = 100\n");
    let mut broken = 0;
    for seed in 1..=6 {
        let mut faults = Vec::new();
        for second in (8..100).step_by(3) {
            let fault = match (second / 3) % 3 {
                0 => Fault::PartialFill { share_ppm: 400_000 },
                1 => Fault::RejectNext {
                    code: -2_010,
                    message: "Account has insufficient balance.".to_owned(),
                },
                _ => Fault::SwallowAck,
            };
            faults.push(PlannedFault {
                at: Nanos::from_secs(second),
                venue: VenueId(u8::try_from(second % 2).unwrap()),
                fault,
            });
        }
        let report = run_setup(&settings, seed, planted(), Nanos::from_secs(150), |setup| {
            setup.faults = faults;
        });
        assert_sound(seed, &report);
        let text = report.summary.text();
        broken += report.summary.sets_broken;
        let quantity = |index: usize| decimal(&report.summary.positions[index].quantity);
        // What is left is even to the smallest contract order.
        assert!(
            (quantity(0) + quantity(1)).abs() <= decimal("0.001"),
            "seed {seed}: {text}"
        );
    }
    assert!(broken > 10, "{broken} sets broke");
}

/// A person flattens the portfolio while the pair is held: both legs go together, the net never leans by more than a slice.
#[test]
fn flattening_takes_both_legs_off_together() {
    let limits = LIMITS.replace(
        "order_qty_base_max = \"0.1\"",
        "order_qty_base_max = \"0.02\"",
    );
    let settings = settings_within(&limits, "");
    for seed in 1..=5 {
        let report = run_setup(&settings, seed, planted(), Nanos::from_secs(70), |setup| {
            setup.commands.push(PlannedCommand {
                at: Nanos::from_secs(50),
                command: OperatorCommand::Raise {
                    scope: Scope::Portfolio,
                    level: KillLevel::Flatten,
                    by: Person::new("officer", Role::RiskOfficer),
                    reason: "test".to_owned(),
                },
            });
        });
        assert_sound(seed, &report);
        let text = report.summary.text();
        assert_eq!(
            report.closing.intents.len(),
            2,
            "both legs: seed {seed}: {text}"
        );
        assert!(
            report.closing.open.is_empty(),
            "seed {seed}: {:?}",
            report.closing.open
        );
        assert!(report.closing.flat_at.is_some(), "seed {seed}: {text}");
        for position in &report.summary.positions {
            assert_eq!(position.quantity, "0", "seed {seed}: {text}");
        }
        let held = report
            .closing
            .intents
            .iter()
            .map(|intent| intent.position.0.abs());
        assert!(
            held.min().unwrap() > 7_000_000,
            "0.07 and more was held: seed {seed}"
        );
        let net = report.closing.nets.first().unwrap();
        assert!(net.before.abs() <= decimal("0.001"), "seed {seed}: {net:?}");
        assert!(
            net.worst.abs() <= decimal("0.02"),
            "seed {seed}: leaned by {}, more than one child\n{text}",
            net.worst
        );
    }
}

/// At reduce-only nothing is put on any more, and the pair is still taken off: both legs of an exit only reduce.
#[test]
fn exits_pass_at_reduce_only() {
    let settings = settings("");
    for seed in 1..=3 {
        let report = run_setup(&settings, seed, planted(), SPAN, |setup| {
            setup.commands.push(PlannedCommand {
                at: Nanos::from_secs(20),
                command: OperatorCommand::Raise {
                    scope: Scope::Portfolio,
                    level: KillLevel::ReduceOnly,
                    by: Person::new("officer", Role::RiskOfficer),
                    reason: "test".to_owned(),
                },
            });
        });
        assert_sound(seed, &report);
        let text = report.summary.text();
        assert!(report.summary.sets_opened >= 4, "seed {seed}: {text}");
        for position in &report.summary.positions {
            assert_eq!(position.quantity, "0", "seed {seed}: {text}");
        }
        assert!(
            report
                .summary
                .gate_refusals
                .contains_key("KILL_REDUCE_ONLY"),
            "an entry was asked for and refused: seed {seed}: {text}"
        );
    }
}
