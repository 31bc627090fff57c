//! The ledger against the risk catalogue's numbers, an integer twin and an exact rational model.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a wrong number fails the test"
)]

#[path = "ledger/busts.rs"]
mod busts;
#[path = "ledger/model.rs"]
mod model;
#[path = "ledger/vectors.rs"]
mod vectors;

use std::sync::Arc;

use arbalest::ledger::{
    Applied, Fee, Ledger, LedgerError, Pair, Position, PositionBook, Trade, TradeIds,
};
use arbalest::market::{
    Catalogue, Contract, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, VenueId,
};
use arbalest::prng::Prng;
use arbalest::trade::{ApprovalSeq, Fill, Liquidity, Purpose};
use arbalest::units::{Asset, Grid, MonoNanos, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

fn pair() -> Pair {
    Pair {
        base: Some(asset("BTC")),
        quote: Some(asset("USDT")),
        contract: SPOT,
    }
}

const SPOT: Contract = Contract {
    kind: InstrumentKind::Spot,
    multiplier: Decimal::ONE,
};

/// A trade as the catalogue writes it: signed quantity, price, fee in quote.
fn trade(signed: &str, price: &str, fee: &str) -> Trade {
    let qty = dec(signed);
    Trade {
        side: if qty > Decimal::ZERO {
            Side::Buy
        } else {
            Side::Sell
        },
        qty: qty.abs(),
        price: dec(price),
        venue_value: None,
        fee: Fee::Known {
            amount: dec(fee),
            asset: Some(asset("USDT")),
            rate: None,
        },
    }
}

fn with_fee(mut trade: Trade, amount: &str, code: &str) -> Trade {
    trade.fee = Fee::Known {
        amount: dec(amount),
        asset: Some(asset(code)),
        rate: None,
    };
    trade
}

fn below(prng: &mut Prng, end: usize) -> usize {
    usize::try_from(prng.between(0, i64::try_from(end).unwrap() - 1)).unwrap()
}

/// Name, fills as "signed quantity@price/fee", mark, then quantity, cost, realized and unrealized.
const VECTORS: &[(&str, &str, &str, [&str; 4])] = &[
    ("V01", "2@100/0 1@130/0", "120", ["3", "330", "0", "30"]),
    (
        "V02",
        "2@100/0 1@130/0 -1@120/0",
        "120",
        ["2", "220", "10", "20"],
    ),
    (
        "V03",
        "2@100/0 1@130/0 -1@120/0 -2@115/0",
        "999",
        ["0", "0", "20", "0"],
    ),
    ("V04", "1@100/0 -3@110/0", "110", ["-2", "-220", "10", "0"]),
    (
        "V05",
        "2@100/0 -5@90/0 1@80/0 -1@95/0 4@85/0 -1@88/0",
        "86",
        ["0", "0", "13", "0"],
    ),
    (
        "V06",
        "-4@50/0 -2@53/0 3@48/0",
        "52",
        ["-3", "-153", "9", "-3"],
    ),
    (
        "V07",
        "0.3@100/0 -0.1@101/0 -0.1@101/0 -0.1@101/0",
        "1",
        ["0", "0", "0.3", "0"],
    ),
    (
        "V08",
        "1@100/0 1@101/0 1@103/0 -3@101.33/0",
        "1",
        ["0", "0", "-0.01", "0"],
    ),
    (
        "V08b",
        "1@100/0 1@101/0 1@103/0 -1@101.33/0 -2@101.33/0",
        "1",
        ["0", "0", "-0.01", "0"],
    ),
    ("V09", "1@100/0.1 -1@110/0.11", "1", ["0", "0", "9.79", "0"]),
    ("V10", "-10@100/-0.2", "100", ["-10", "-1000", "0.2", "0"]),
    (
        "V11",
        "1@100/0 -3@110/0.33",
        "110",
        ["-2", "-220", "9.67", "0"],
    ),
    (
        "V12a",
        "1@100/0 -1@110/0 1@120/0",
        "115",
        ["1", "120", "10", "-5"],
    ),
    (
        "V12b",
        "1@100/0 1@120/0 -1@110/0",
        "115",
        ["1", "110", "0", "5"],
    ),
];

fn fills(text: &str) -> Vec<Trade> {
    text.split(' ')
        .map(|fill| {
            let (qty, rest) = fill.split_once('@').unwrap();
            let (price, fee) = rest.split_once('/').unwrap();
            trade(qty, price, fee)
        })
        .collect()
}

#[test]
fn vectors_v01_to_v12_are_exact() {
    for (id, text, mark, [qty, cost, realized, unrealized]) in VECTORS {
        let mut position = Position::default();
        for fill in fills(text) {
            position.apply(&fill, &pair()).unwrap();
        }
        assert_eq!(position.qty(), dec(qty), "{id} quantity");
        assert_eq!(position.cost(), dec(cost), "{id} cost");
        assert_eq!(position.realized_pnl(), dec(realized), "{id} realized");
        let shown = position.unrealized_pnl(dec(mark), SPOT).unwrap();
        assert_eq!(shown, dec(unrealized), "{id} unrealized");
        assert_eq!(
            position.realized_pnl() + shown,
            position.cash() + position.qty() * dec(mark),
            "{id} identity"
        );
    }
}

#[test]
fn v05_and_v08b_step_by_step() {
    for (text, states) in [
        (
            "2@100/0 -5@90/0 1@80/0 -1@95/0 4@85/0 -1@88/0",
            &[
                ["2", "200", "0"],
                ["-3", "-270", "-20"],
                ["-2", "-180", "-10"],
                ["-3", "-275", "-10"],
                ["1", "85", "10"],
                ["0", "0", "13"],
            ][..],
        ),
        (
            "1@100/0 1@101/0 1@103/0 -1@101.33/0 -2@101.33/0",
            &[
                ["1", "100", "0"],
                ["2", "201", "0"],
                ["3", "304", "0"],
                ["2", "202.66666667", "-0.00333333"],
                ["0", "0", "-0.01"],
            ][..],
        ),
    ] {
        let mut position = Position::default();
        for (fill, [qty, cost, realized]) in fills(text).iter().zip(states) {
            position.apply(fill, &pair()).unwrap();
            let state = [position.qty(), position.cost(), position.realized_pnl()];
            assert_eq!(state, [dec(qty), dec(cost), dec(realized)]);
        }
    }
    let mut short = Position::default();
    for fill in fills("-2@90/0 -1@95/0") {
        short.apply(&fill, &pair()).unwrap();
    }
    assert_eq!(
        short.average_price(SPOT),
        Some(dec("91.666666666667")),
        "V05: 275/3"
    );
    assert_eq!(Position::default().average_price(SPOT), None);
}

#[test]
fn v11_splits_the_fee_of_a_flip_by_quantity() {
    let mut position = Position::default();
    position.apply(&trade("1", "100", "0"), &pair()).unwrap();
    let change = position
        .apply(&trade("-3", "110", "0.33"), &pair())
        .unwrap();
    assert_eq!(
        (change.closed_fee, change.opened_fee),
        (dec("0.11"), dec("0.22"))
    );
    assert_eq!((change.closed_qty, change.opened_qty), (dec("1"), dec("2")));
    assert_eq!(change.realized_pnl, dec("9.67"));
}

#[test]
fn v13_a_base_fee_reduces_what_is_received() {
    let mut position = Position::default();
    position
        .apply(&with_fee(trade("1", "50000", "0"), "0.001", "BTC"), &pair())
        .unwrap();
    assert_eq!(
        (position.qty(), position.cost()),
        (dec("0.999"), dec("50000"))
    );
    assert_eq!(
        position.unrealized_pnl(dec("50000"), SPOT).unwrap(),
        dec("-50")
    );
    assert_eq!(
        position.average_price(SPOT),
        Some(dec("50050.05005005005")),
        "break-even"
    );
    assert_eq!(position.fees()[&asset("BTC")].0, dec("0.001"));
    position
        .apply(&trade("-0.999", "50000", "49.95"), &pair())
        .unwrap();
    assert_eq!(
        (position.qty(), position.realized_pnl()),
        (dec("0"), dec("-99.95"))
    );
}

#[test]
fn v14_closing_with_a_base_fee_is_not_flat() {
    let mut position = Position::default();
    position
        .apply(&with_fee(trade("1", "50000", "0"), "0.001", "BTC"), &pair())
        .unwrap();
    position
        .apply(
            &with_fee(trade("-0.999", "50000", "0"), "0.000999", "BTC"),
            &pair(),
        )
        .unwrap();
    assert_eq!(
        (position.qty(), position.cost()),
        (dec("-0.000999"), dec("0"))
    );
    let total = position.realized_pnl() + position.unrealized_pnl(dec("50000"), SPOT).unwrap();
    assert_eq!(
        total,
        dec("-50") - dec("0.000999") * dec("50000") + dec("0.0"),
        "both fees at the price"
    );
    let mut part = Position::default();
    part.apply(&trade("1", "100", "0"), &pair()).unwrap();
    part.apply(
        &with_fee(trade("-0.999", "100", "0"), "0.001", "BTC"),
        &pair(),
    )
    .unwrap();
    let state = (part.qty(), part.cost(), part.realized_pnl());
    assert_eq!(
        state,
        (dec("0"), dec("0"), dec("-0.1")),
        "never a cost when flat"
    );
}

#[test]
fn an_unknown_fee_is_flagged_and_bad_fills_are_refused() {
    let mut position = Position::default();
    let unknown = Trade {
        fee: Fee::Unknown,
        ..trade("1", "100", "0")
    };
    position.apply(&unknown, &pair()).unwrap();
    assert_eq!(position.unknown_fee_count(), 1);
    let before = position.clone();
    for bad in [
        trade("1", "0", "0"),
        trade("1", "-5", "0"),
        Trade {
            qty: Decimal::ZERO,
            ..unknown
        },
    ] {
        assert_eq!(position.apply(&bad, &pair()), Err(LedgerError::BadFill));
    }
    let huge = trade(
        "70000000000000000000000000000",
        "70000000000000000000000000000",
        "0",
    );
    assert!(matches!(
        position.apply(&huge, &pair()),
        Err(LedgerError::Money(_))
    ));
    assert_eq!(position, before, "an error changes nothing");
}

#[test]
fn v12_late_trades_take_the_venues_order() {
    let trades = [
        (1, 1_u64, trade("1", "100", "0")),
        (2, 2, trade("1", "120", "0")),
        (2, 3, trade("-1", "110", "0")),
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut book = PositionBook::new(pair(), 100);
        for index in order {
            let (time, id, trade) = &trades[index];
            book.apply(trade, *time, *id).unwrap();
        }
        let position = book.position();
        let state = (position.qty(), position.cost(), position.realized_pnl());
        assert_eq!(state, (dec("1"), dec("110"), dec("0")), "{order:?}");
        assert_eq!(book.late_count() > 0, order != [0, 1, 2]);
    }
}

#[test]
fn a_trade_later_than_the_window_is_still_counted() {
    let mut book = PositionBook::new(pair(), 10_000);
    for index in 0..1_030_u64 {
        book.apply(
            &trade("1", "100", "0"),
            1_000 + i64::try_from(index).unwrap(),
            index,
        )
        .unwrap();
    }
    let late = book.apply(&trade("-1", "110", "0"), 1, 5_000).unwrap();
    assert!(matches!(late, Applied::Late(change) if change.realized_pnl == dec("10")));
    assert_eq!(
        (book.position().qty(), book.out_of_order_count()),
        (dec("1029"), 1)
    );
    assert!(matches!(
        book.apply(&trade("1", "100", "0"), 3_000, 6_000).unwrap(),
        Applied::InOrder(_)
    ));
}

fn catalogue() -> Arc<Catalogue> {
    let instrument = Instrument {
        id: InstrumentId(0),
        venue: VenueId(0),
        symbol: "BTC/USDT".parse().unwrap(),
        native: "BTCUSDT".to_owned(),
        grid: Grid::new(2, 5).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: false,
        price_band: None,
    };
    Arc::new(Catalogue::new(vec!["north".to_owned()], vec![instrument]).unwrap())
}

fn fill(side: Side, qty: i64, price: i64, trade_id: u64) -> Fill {
    Fill {
        venue: VenueId(0),
        instrument: InstrumentId(0),
        client_order_id: None,
        approval: ApprovalSeq(1),
        strategy: None,
        purpose: Some(Purpose::Leg),
        side,
        qty: Qty(qty),
        price: Price(price),
        fee: Decimal::ZERO,
        fee_asset: Some(asset("USDT")),
        trade_id,
        venue_time: UnixNanos(i64::try_from(trade_id).unwrap()),
        received_at: MonoNanos(1),
        liquidity: Liquidity::Taker,
    }
}

/// X01 and X02: the same trade again, also after a flip and much later.
#[test]
fn x01_x02_a_trade_counts_once() {
    let mut ledger = Ledger::new(catalogue());
    ledger
        .on_fill(&fill(Side::Buy, 100_000, 6_000_000, 1))
        .unwrap();
    let flip = fill(Side::Sell, 300_000, 6_010_000, 2);
    let first = ledger.on_fill(&flip).unwrap();
    assert_eq!(
        (first.duplicate, first.snapshot.qty),
        (false, Qty(-200_000))
    );
    let again = ledger.on_fill(&flip).unwrap();
    assert!(again.duplicate);
    assert_eq!(again.snapshot, first.snapshot, "state unchanged");
    let mut late = fill(Side::Buy, 100_000, 6_000_000, 1);
    late.received_at = MonoNanos(2_400_000_000_000);
    assert!(ledger.on_fill(&late).unwrap().duplicate, "40 minutes later");
    assert_eq!((ledger.duplicate_count(), ledger.fill_count()), (2, 2));
    assert_eq!(ledger.average_price(InstrumentId(0)), Some(dec("60100")));
    assert_eq!(
        ledger.unrealized_pnl(InstrumentId(0), Price(6_000_000)),
        Some(dec("200"))
    );
}

/// X03 and X05 as far as the ledger goes: late and surplus fills are the venue's truth.
#[test]
fn x03_x05_late_and_surplus_fills_count() {
    let mut ledger = Ledger::new(catalogue());
    ledger
        .on_fill(&fill(Side::Buy, 40_000, 6_000_000, 9))
        .unwrap();
    let late = ledger
        .on_fill(&fill(Side::Buy, 20_000, 6_000_000, 4))
        .unwrap();
    assert!(late.late);
    assert_eq!(late.snapshot.qty, Qty(60_000));
    ledger
        .on_fill(&fill(Side::Buy, 50_000, 6_000_000, 10))
        .unwrap();
    assert_eq!(ledger.snapshot(InstrumentId(0)).unwrap().qty, Qty(110_000));
}

#[test]
fn snapshots_carry_the_watermark_and_forced_closes() {
    let mut ledger = Ledger::new(catalogue());
    ledger.settle(ApprovalSeq(7));
    ledger.settle(ApprovalSeq(5));
    let mut close = fill(Side::Sell, 30_000, 6_000_000, 1);
    close.purpose = Some(Purpose::Unwind);
    close.fee_asset = Some(asset("BTC"));
    close.fee = dec("0.0000003");
    let snapshot = ledger.on_fill(&close).unwrap().snapshot;
    assert_eq!(
        (snapshot.settled, snapshot.unwind_filled),
        (ApprovalSeq(7), Qty(30_000))
    );
    assert_eq!(snapshot.qty, Qty(-30_000), "-0.3000003 cut towards zero");
    let mut unknown = fill(Side::Buy, 1, 6_000_000, 2);
    unknown.instrument = InstrumentId(9);
    assert_eq!(
        ledger.on_fill(&unknown),
        Err(LedgerError::UnknownInstrument)
    );
}

#[test]
fn trade_ids_are_bounded() {
    let mut ids = TradeIds::new(3);
    for id in 0..10_u32 {
        ids.insert(id);
    }
    assert_eq!(
        (
            ids.len(),
            ids.forgotten(),
            ids.contains(&6),
            ids.contains(&7)
        ),
        (3, 7, false, true)
    );
}

/// The integer twin: quantities in 10^-3, prices in 10^-2, cost and realized in 10^-8, rounding by its own hand.
#[derive(Default)]
struct Twin {
    qty: i128,
    cost: i128,
    realized: i128,
}

/// From 10^-5 (a quantity times a price) to 10^-8.
const UNIT: i128 = 1_000;

fn half_even(over: i128, under: i128) -> i128 {
    let (floor, rest) = (over.div_euclid(under), over.rem_euclid(under));
    match (rest * 2).cmp(&under) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

impl Twin {
    fn apply(&mut self, delta: i128, price: i128, fee: i128) {
        self.realized -= fee;
        let against = self.qty.signum() * delta.signum() < 0;
        let closed = if against {
            delta.abs().min(self.qty.abs())
        } else {
            0
        };
        if closed > 0 {
            let whole = closed == self.qty.abs();
            let removed = if whole {
                self.cost
            } else {
                half_even(self.cost * closed, self.qty.abs())
            };
            let sign = self.qty.signum();
            self.realized += sign * closed * price * UNIT - removed;
            self.cost -= removed;
            self.qty -= sign * closed;
        }
        let opened = (delta.abs() - closed) * delta.signum();
        self.qty += opened;
        self.cost += opened * price * UNIT;
    }
}

/// An exact fraction, for the ideal average cost without any rounding.
#[derive(Clone, Copy)]
struct Ratio(i128, i128);

impl Ratio {
    fn new(over: i128, under: i128) -> Option<Self> {
        let (mut a, mut b) = (over.abs(), under.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Some(Self(
            over.checked_div(a.max(1))?,
            under.checked_div(a.max(1))?,
        ))
    }
    fn add(self, other: Self) -> Option<Self> {
        let over = self
            .0
            .checked_mul(other.1)?
            .checked_add(other.0.checked_mul(self.1)?)?;
        Self::new(over, self.1.checked_mul(other.1)?)
    }
    fn times(self, over: i128, under: i128) -> Option<Self> {
        let factor = Self::new(over, under)?;
        let (a, b) = (Self::new(self.0, factor.1)?, Self::new(factor.0, self.1)?);
        Self::new(a.0.checked_mul(b.0)?, a.1.checked_mul(b.1)?)
    }
}

/// Cost and realized profit of the ideal average; `None` once its fractions do not fit any more.
fn ideal(
    state: Option<(Ratio, Ratio)>,
    before: i128,
    delta: i128,
    price: i128,
    fee: i128,
) -> Option<(Ratio, Ratio)> {
    let (cost, realized) = state?;
    let closed = if before.signum() * delta.signum() < 0 {
        delta.abs().min(before.abs())
    } else {
        0
    };
    let removed = if closed == 0 {
        Ratio(0, 1)
    } else {
        cost.times(closed, before.abs())?
    };
    let removed = Ratio(-removed.0, removed.1);
    let opened = (delta.abs() - closed) * delta.signum();
    let gained = Ratio(before.signum() * closed * price * UNIT - fee, 1);
    Some((
        cost.add(removed)?.add(Ratio(opened * price * UNIT, 1))?,
        realized.add(gained)?.add(removed)?,
    ))
}

fn decimal(value: i128, scale: u32) -> Decimal {
    Decimal::from_i128_with_scale(value, scale)
}

/// 4,000 seeded sequences of up to 40 fills: bit-equal to the twin, identity exact, within a few 10^-8 of the ideal.
#[test]
fn seeded_sequences_agree_with_two_independent_models() {
    let mut ideal_steps = 0_u32;
    for seed in 0..4_000_u64 {
        let mut prng = Prng::new(seed);
        let (mut position, mut twin) = (Position::default(), Twin::default());
        let (mut cash, mut exact) = (0_i128, Some((Ratio(0, 1), Ratio(0, 1))));
        for step in 0..prng.between(1, 40) {
            let mut delta =
                i128::from(prng.between(1, 5_000)) * if prng.chance_ppm(500_000) { 1 } else { -1 };
            if prng.chance_ppm(150_000) && twin.qty != 0 {
                delta = -twin.qty;
            }
            let price = i128::from(prng.between(1, 1_000_000));
            let fee = if prng.chance_ppm(500_000) {
                i128::from(prng.between(-500, 5_000))
            } else {
                0
            };
            exact = ideal(exact, twin.qty, delta, price, fee);
            twin.apply(delta, price, fee);
            cash -= delta * price * UNIT + fee;
            let fill = Trade {
                side: if delta > 0 { Side::Buy } else { Side::Sell },
                qty: decimal(delta.abs(), 3),
                price: decimal(price, 2),
                venue_value: None,
                fee: Fee::Known {
                    amount: decimal(fee, 8),
                    asset: Some(asset("USDT")),
                    rate: None,
                },
            };
            position
                .apply(&fill, &pair())
                .unwrap_or_else(|error| panic!("seed {seed} step {step}: {error}"));
            let state = [
                position.qty(),
                position.cost(),
                position.realized_pnl(),
                position.cash(),
            ];
            let twin_state = [
                decimal(twin.qty, 3),
                decimal(twin.cost, 8),
                decimal(twin.realized, 8),
                decimal(cash, 8),
            ];
            assert_eq!(state, twin_state, "seed {seed} step {step}");
            assert_eq!(
                twin.realized - twin.cost,
                cash,
                "seed {seed} step {step}: identity"
            );
            assert!(
                twin.qty != 0 || twin.cost == 0,
                "seed {seed} step {step}: flat without cost"
            );
            if let Some((_, Ratio(over, under))) = exact {
                ideal_steps += 1;
                let apart = (twin.realized - over.div_euclid(under)).abs();
                assert!(
                    apart <= 4,
                    "seed {seed} step {step}: {apart}e-8 from the ideal split"
                );
            }
        }
    }
    assert!(
        ideal_steps > 10_000,
        "the rational model took part: {ideal_steps}"
    );
}
