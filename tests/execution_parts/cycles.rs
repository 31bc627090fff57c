//! Chains around one venue: what each leg may spend, when one is even, and how a broken one is brought home.

use std::collections::BTreeMap;

use arbalest::execution::{AssetQty, HoldReason, RepairPlan, SetEnd};
use arbalest::market::{Catalogue, Instrument, InstrumentId, VenueId};
use arbalest::trade::{Leg, Liquidity, ReportKind, SendOrder, SetForm, Ticket};
use arbalest::units::{Asset, Grid, Nanos, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

use crate::bench::{Bench, fills, placed};
use crate::small_market::instrument;

fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn pair(id: u16, symbol: &str, grid: (u8, u8), notional_min: &str) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(0),
        symbol: symbol.parse().unwrap(),
        native: symbol.replace('/', ""),
        grid: Grid::new(grid.0, grid.1).unwrap(),
        has_reduce_only: false,
        notional_min: decimal(notional_min),
        ..instrument(0, false)
    }
}

/// The market of V32: BTC at 60,000, ETH at 0.05 BTC and at 3,015, fees of 0.1 %.
pub(crate) fn triangle() -> Bench {
    let instruments = vec![
        pair(0, "BTC/USDT", (2, 5), "5"),
        pair(1, "ETH/BTC", (5, 4), "0.0001"),
        pair(2, "ETH/USDT", (2, 4), "5"),
    ];
    let mut bench = Bench::of(Catalogue::new(vec!["v0".into()], instruments).unwrap());
    bench.fees = vec![Ppm(1_000); 3];
    let much = 100_000_000;
    bench.shown = vec![
        (
            [(5_999_900, much), (5_990_000, much)],
            [(6_000_000, much), (6_010_000, much)],
        ),
        (
            [(4_999, much), (4_990, much)],
            [(5_000, much), (5_010, much)],
        ),
        (
            [(301_500, much), (301_000, much)],
            [(301_600, much), (302_000, much)],
        ),
    ];
    bench.refresh(arbalest::trade::ApprovalSeq(0));
    bench
}

/// 0.16666 BTC, 3.3298 ETH, 3.3264 ETH: the lots of V32.
pub(crate) fn legs() -> [Leg; 3] {
    let leg = |id, side, qty, price| Leg {
        instrument: InstrumentId(id),
        side,
        qty: Qty(qty),
        limit_price: Price(price),
        decision_price: Price(price),
    };
    [
        leg(0, Side::Buy, 16_666, 6_000_000),
        leg(1, Side::Buy, 33_298, 5_000),
        leg(2, Side::Sell, 33_264, 301_500),
    ]
}

pub(crate) fn cycle() -> SetForm {
    SetForm::Cycle {
        start: asset("USDT"),
    }
}

/// An execution at the limit price whose fee is 0.1 % of what comes in.
pub(crate) fn fill(bench: &mut Bench, ticket: &Ticket, qty: i64) {
    let trade_id = bench.next_trade;
    bench.next_trade += 1;
    let kind = execution(bench, ticket, qty, trade_id);
    bench.report(ticket, kind);
}

pub(crate) fn execution(bench: &Bench, ticket: &Ticket, qty: i64, trade_id: u64) -> ReportKind {
    let instrument = bench.catalogue.get(ticket.instrument).unwrap().clone();
    let base = instrument.grid.qty_decimal(Qty(qty));
    let quote = base * instrument.grid.price_decimal(ticket.limit_price);
    let (brought, fee_asset) = match ticket.side {
        Side::Buy => (base, instrument.symbol.base),
        Side::Sell => (quote, instrument.symbol.quote),
    };
    ReportKind::Filled {
        side: ticket.side,
        qty: Qty(qty),
        price: ticket.limit_price,
        fee: brought * decimal("0.001"),
        fee_asset: Some(fee_asset),
        trade_id,
        liquidity: Liquidity::Taker,
    }
}

/// Fills that much and ends the order: what left because of it.
pub(crate) fn end(bench: &mut Bench, ticket: &Ticket, filled: i64) -> Vec<Ticket> {
    let start = bench.out.len();
    if filled > 0 {
        fill(bench, ticket, filled);
    }
    let (filled, complete) = (Qty(filled), filled == ticket.qty.0);
    bench.report(ticket, ReportKind::Done { filled, complete });
    placed(&bench.out[start..])
}

/// Change of every asset by all fills told to the ledger, fees included.
pub(crate) fn changes(bench: &Bench) -> BTreeMap<Asset, Decimal> {
    let mut sums = BTreeMap::new();
    for fill in fills(&bench.out) {
        let instrument = bench.catalogue.get(fill.instrument).unwrap();
        let sign = Decimal::from(fill.side.sign());
        let base = instrument.grid.qty_decimal(fill.qty) * sign;
        let quote = -base * instrument.grid.price_decimal(fill.price);
        *sums.entry(instrument.symbol.base).or_insert(Decimal::ZERO) += base;
        *sums.entry(instrument.symbol.quote).or_insert(Decimal::ZERO) += quote;
        if let Some(paid) = fill.fee_asset {
            *sums.entry(paid).or_insert(Decimal::ZERO) -= fill.fee;
        }
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

pub(crate) fn told(changes: &[Option<(Asset, AssetQty)>]) -> BTreeMap<Asset, Decimal> {
    let told = changes.iter().flatten().filter(|(_, qty)| qty.0 != 0);
    told.map(|(asset, qty)| (*asset, qty.decimal().unwrap()))
        .collect()
}

/// V32, exact: what each leg may spend is what the one before brought, less its fee.
#[test]
fn a_cycle_around_three_legs_is_the_catalogues_vector() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    assert_eq!(first.len(), 1);
    let second = end(&mut bench, &first[0], 16_666);
    assert_eq!((second.len(), second[0].qty), (1, Qty(33_298)));
    let third = end(&mut bench, &second[0], 33_298);
    assert_eq!((third.len(), third[0].qty), (1, Qty(33_264)));
    end(&mut bench, &third[0], 33_264);
    let done = bench.done();
    assert_eq!((done.len(), done[0].end), (1, SetEnd::Hedged));
    assert!(bench.broken().is_empty());
    let expected = [
        ("BTC", "0.00000334"),
        ("ETH", "0.0000702"),
        ("USDT", "19.4669040"),
    ];
    let expected: BTreeMap<Asset, Decimal> = expected
        .map(|(code, amount)| (asset(code), decimal(amount)))
        .into();
    assert_eq!(told(&done[0].changes), expected);
    assert_eq!(changes(&bench), expected);
    // 19.466904 of 9,999.6.
    assert_eq!(done[0].realized_edge, Some(Ppm(1_946)));
    assert_eq!(
        done[0].realized.map(|notional| notional.0),
        Some(194_669_040),
        "on a grid of 7 decimals"
    );
    let dust: Vec<_> = bench
        .desk
        .dust()
        .map(|(_, code, qty)| (code, qty.decimal().unwrap()))
        .collect();
    assert_eq!(
        dust,
        [
            (asset("BTC"), decimal("0.00000334")),
            (asset("ETH"), decimal("0.0000702"))
        ]
    );
    assert_eq!(bench.settled(), bench.gate.last_seq().0);
}

/// The first leg half filled: the others for half, each on its lot.
#[test]
fn a_leg_spends_no_more_than_the_one_before_brought() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 8_333);
    // 0.08333 × 0.999 = 0.08324667 BTC buys 1.6649 ETH at 0.05.
    assert_eq!(second[0].qty, Qty(16_649));
    let third = end(&mut bench, &second[0], 16_649);
    // 1.6649 × 0.999 = 1.66323510 ETH.
    assert_eq!(third[0].qty, Qty(16_632));
    end(&mut bench, &third[0], 16_632);
    assert_eq!(bench.done()[0].end, SetEnd::Hedged);
    assert_eq!(told(&bench.done()[0].changes), changes(&bench));
}

/// The protective limit of a funded buy never reaches beyond what there is to spend.
#[test]
fn a_funded_buy_can_be_paid_at_its_limit() {
    let mut bench = triangle();
    let mut wanted = legs();
    wanted[1].limit_price = Price(5_005);
    let first = bench.send_as(&wanted, cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    // 0.16649334 BTC for 3.3298 ETH: at most 0.05000101, on the tick 0.05.
    assert_eq!(
        (second[0].qty, second[0].limit_price),
        (Qty(33_298), Price(5_000))
    );
    let mut bench = triangle();
    wanted[1].qty = Qty(33_200);
    let first = bench.send_as(&wanted, cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    // For 3.32 ETH there is enough up to 0.05014: the limit stands.
    assert_eq!(
        (second[0].qty, second[0].limit_price),
        (Qty(33_200), Price(5_005))
    );
}

#[test]
fn the_others_leave_together_once_the_first_is_over() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::FirstThenParallel);
    assert_eq!(first.len(), 1);
    let others = end(&mut bench, &first[0], 16_666);
    let sizes: Vec<Qty> = others.iter().map(|ticket| ticket.qty).collect();
    assert_eq!(sizes, [Qty(33_298), Qty(33_264)]);
    end(&mut bench, &others[1], 33_264);
    assert!(bench.done().is_empty());
    end(&mut bench, &others[0], 33_298);
    assert_eq!(bench.done()[0].end, SetEnd::Hedged);
    assert_eq!(told(&bench.done()[0].changes), changes(&bench));
}

/// Answers until the set is over; every repair fills whole.
fn bring_home(bench: &mut Bench) -> Vec<RepairPlan> {
    let mut plans = Vec::new();
    for _ in 0..10 {
        if !bench.done().is_empty() {
            break;
        }
        let broken = *bench.broken().last().unwrap();
        let plan = bench.answer(&broken);
        plans.push(plan);
        if !matches!(plan, RepairPlan::Hold { .. }) {
            let repair = bench.last_placed();
            end(bench, &repair, repair.qty.0);
        }
    }
    plans
}

fn check_home(bench: &Bench, label: &str) {
    let done = bench.done();
    assert_eq!(done.len(), 1, "{label}");
    assert_eq!(
        told(&done[0].changes),
        changes(bench),
        "{label}: tracked is the sum of the fills"
    );
    assert_eq!(bench.settled(), bench.gate.last_seq().0, "{label}");
    assert!(bench.desk.open_summary().is_quiet(), "{label}");
}

/// BTC in hand and no ETH: going on earns, so it goes on; when ETH has become dear it goes back.
#[test]
fn a_broken_cycle_goes_on_or_back_whichever_costs_less() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    end(&mut bench, &second[0], 0);
    let plans = bring_home(&mut bench);
    assert!(
        matches!(
            plans[..],
            [
                RepairPlan::Complete { leg_index: 1, .. },
                RepairPlan::Complete { leg_index: 2, .. }
            ]
        ),
        "{plans:?}"
    );
    assert_eq!(bench.done()[0].end, SetEnd::Repaired);
    check_home(&bench, "on");

    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    bench.shown[1] = (
        [(5_049, 100_000_000), (5_040, 1)],
        [(5_050, 100_000_000), (5_060, 1)],
    );
    bench.advance(Nanos(1));
    end(&mut bench, &second[0], 0);
    let plans = bring_home(&mut bench);
    let [
        RepairPlan::Reverse {
            leg_index: 0,
            leg,
            cost,
        },
    ] = plans[..]
    else {
        panic!("{plans:?}")
    };
    assert_eq!((leg.side, leg.qty), (Side::Sell, Qty(16_649)));
    // Sold at 59,999 less 0.1 % against 60,000 and 0.1 % lost on the way in: 20.16 bps.
    assert_eq!(cost, Ppm(2_016));
    check_home(&bench, "back");
}

/// Both ways cost more than allowed: held, asked again, and in the end an open alert.
#[test]
fn a_cycle_too_dear_to_bring_home_is_held() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    bench.shown[0] = (
        [(5_900_000, 100_000_000), (5_890_000, 1)],
        [(5_900_100, 100_000_000), (6_000_000, 1)],
    );
    bench.shown[1] = (
        [(5_049, 100_000_000), (5_040, 1)],
        [(5_050, 100_000_000), (5_060, 1)],
    );
    bench.advance(Nanos(1));
    end(&mut bench, &second[0], 0);
    for _ in 0..100 {
        if let Some(broken) = bench.broken().last().copied() {
            let plan = bench.answer(&broken);
            assert!(
                matches!(
                    plan,
                    RepairPlan::Hold {
                        reason: HoldReason::TooDear { .. }
                    }
                ),
                "{plan:?}"
            );
        }
        bench.advance(Nanos::from_millis(100));
    }
    assert_eq!(bench.done()[0].end, SetEnd::Held);
    assert!(
        bench
            .alerts()
            .contains(&arbalest::execution::DeskAlertKind::SetHeld)
    );
    check_home(&bench, "held");
    assert_eq!(
        bench.desk.dust().count(),
        0,
        "what is told to people is not carried"
    );
}

/// Legs sent together, one of which came to nothing: what is missing is brought, what is left over goes home.
#[test]
fn a_parallel_cycle_with_a_hole_is_brought_home() {
    for hole in 0..3 {
        let mut bench = triangle();
        let sent = bench.send_as(&legs(), cycle(), SendOrder::Together);
        assert_eq!(sent.len(), 3);
        for (place, ticket) in sent.iter().enumerate() {
            end(
                &mut bench,
                ticket,
                if place == hole { 0 } else { ticket.qty.0 },
            );
        }
        let plans = bring_home(&mut bench);
        assert_eq!(bench.done().len(), 1, "{hole}: {plans:?}");
        assert_eq!(bench.done()[0].end, SetEnd::Repaired, "{hole}: {plans:?}");
        check_home(&bench, &format!("{hole}"));
    }
}

/// What an unknown leg may have spent is not sold a second time: the set waits for the venue's word, with an alert.
#[test]
fn an_unknown_leg_is_waited_for() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    let second = end(&mut bench, &first[0], 16_666);
    for _ in 0..60 {
        bench.advance(Nanos::from_millis(100));
    }
    assert!(bench.broken().is_empty() && bench.done().is_empty());
    assert!(
        bench
            .alerts()
            .contains(&arbalest::execution::DeskAlertKind::SetUndecided)
    );
    assert_eq!(placed(&bench.out).len(), 2);
    end(&mut bench, &second[0], 33_298);
    let plans = bring_home(&mut bench);
    assert!(
        matches!(plans[..], [RepairPlan::Complete { leg_index: 2, .. }]),
        "{plans:?}"
    );
    check_home(&bench, "unknown");
}

/// A late execution opens an ended set again when it matters, and is carried when it is dust.
#[test]
fn a_late_fill_opens_a_cycle_again() {
    let mut bench = triangle();
    let first = bench.send_as(&legs(), cycle(), SendOrder::Sequential);
    end(&mut bench, &first[0], 0);
    assert_eq!(bench.done()[0].end, SetEnd::Empty);
    fill(&mut bench, &first[0], 1);
    assert_eq!(bench.done().len(), 1, "0.00001 BTC is dust");
    assert_eq!(bench.desk.dust().count(), 1);
    fill(&mut bench, &first[0], 10_000);
    assert_eq!(bench.broken().len(), 1);
    assert_eq!(bench.desk.dust().count(), 0, "taken over");
    let broken = bench.broken()[0];
    bench.answer(&broken);
    let repair = bench.last_placed();
    end(&mut bench, &repair, repair.qty.0);
}

/// A chain that is none, and one over a derivative, cannot be counted and are not sent.
#[test]
fn what_is_no_chain_is_not_sent() {
    let mut bench = triangle();
    let [one, two, three] = legs();
    for wrong in [
        vec![one, three],
        vec![one, two],
        vec![two, three],
        vec![one, three, two],
        vec![one],
    ] {
        let sent = bench.send_as(&wrong, cycle(), SendOrder::Together);
        assert!(sent.is_empty(), "{wrong:?}");
    }
    assert_eq!(bench.desk.counters().sets_empty, 5);
    assert_eq!(bench.settled(), bench.gate.last_seq().0);
    let mut bench = Bench::pair();
    let leg = |id, side, price| Leg {
        instrument: InstrumentId(id),
        side,
        qty: Qty(100),
        limit_price: Price(price),
        decision_price: Price(price),
    };
    let legs = [leg(0, Side::Buy, 6_000_100), leg(1, Side::Sell, 6_000_000)];
    assert!(
        bench
            .send_as(&legs, cycle(), SendOrder::Together)
            .is_empty()
    );
}
