//! V13 to V30 of RISK.md: fees in three kinds, inverse contracts, multipliers, funding, conversion, rounding and dust.

use arbalest::ledger::{
    Fee, FeeRate, Funding, Ledger, LedgerError, Pair, Payment, Position, PositionBook, Purpose,
    Rate, Rates, Trade, Valued,
};
use arbalest::market::{
    Catalogue, Contract, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, VenueId,
};
use arbalest::trade::PaymentId;
use arbalest::units::{Grid, Money, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

use super::{asset, dec, fill, trade, with_fee};

const INVERSE: Contract = Contract {
    kind: InstrumentKind::InversePerpetual,
    multiplier: Decimal::ONE,
};

fn coin() -> Pair {
    Pair {
        base: Some(asset("BTC")),
        quote: Some(asset("USD")),
        contract: INVERSE,
    }
}

fn linear(multiplier: &str) -> Pair {
    Pair {
        base: Some(asset("BTC")),
        quote: Some(asset("USDT")),
        contract: Contract {
            kind: InstrumentKind::LinearPerpetual,
            multiplier: dec(multiplier),
        },
    }
}

fn booked(pair: &Pair, trades: &[Trade]) -> Position {
    let mut position = Position::default();
    for trade in trades {
        position.apply(trade, pair).unwrap();
    }
    position
}

/// A trade in contracts whose fee is nothing.
fn contracts(signed: &str, price: &str) -> Trade {
    trade(signed, price, "0")
}

fn rated(trade: Trade, amount: &str, code: &str, price: &str, time: i64) -> Trade {
    Trade {
        fee: Fee::Known {
            amount: dec(amount),
            asset: Some(asset(code)),
            rate: Some(FeeRate {
                price: dec(price),
                time,
            }),
        },
        ..trade
    }
}

#[test]
fn v15_a_third_asset_fee_is_valued_at_the_fill_and_its_stock_is_a_position() {
    let pair = Pair {
        base: Some(asset("ETH")),
        ..linear("1")
    };
    let bought = rated(trade("1", "2000", "0"), "0.0025", "BNB", "600", 1);
    let sold = rated(trade("-1", "2010", "0"), "0.0025", "BNB", "603", 2);
    let position = booked(&pair, &[bought, sold]);
    assert_eq!(position.realized_pnl(), dec("6.9925"), "10 - 1.5 - 1.5075");
    assert_eq!(position.fees()[&asset("BNB")].0, dec("0.005"));
    let stock = position.stocks()[&asset("BNB")];
    assert_eq!((stock.qty.0, stock.cost.0), (dec("-0.005"), dec("-3.0075")));
    assert_eq!(position.cash(), dec("10"), "no quote was paid for it");
    assert!(position.is_complete());
    let at = dec("603");
    let unrealized = stock.qty.0 * at - stock.cost.0;
    assert_eq!(
        position.realized_pnl() + unrealized,
        position.cash() + stock.qty.0 * at,
        "the identity with the stock as a position"
    );
}

#[test]
fn a_fee_without_a_rate_is_recorded_and_flagged() {
    let bought = with_fee(trade("1", "2000", "0"), "0.0025", "BNB");
    let position = booked(&linear("1"), &[bought]);
    assert_eq!(
        position.realized_pnl(),
        dec("0"),
        "what is known, and flagged:"
    );
    assert!(!position.is_complete());
    assert_eq!(
        (
            position.unpriced_fee_count(),
            position.third_asset_fee_count()
        ),
        (1, 1)
    );
    let stock = position.stocks()[&asset("BNB")];
    assert_eq!(
        (stock.qty.0, stock.unpriced.0),
        (dec("-0.0025"), dec("0.0025"))
    );
    assert_eq!(position.fees()[&asset("BNB")].0, dec("0.0025"));
    let zero_rate = rated(trade("1", "2000", "0"), "0.0025", "BNB", "0", 1);
    assert!(
        !booked(&linear("1"), &[zero_rate]).is_complete(),
        "a price of zero is no price"
    );
}

/// Name, trades as "signed contracts@price", then mark, quantity, cost in coin, realized, unrealized at the mark.
#[test]
fn v16_to_v19_inverse_profit_is_in_coin() {
    for (id, text, mark, [qty, cost, realized, unrealized]) in [
        (
            "V16 open",
            "10000@50000 10000@25000",
            "40000",
            ["20000", "-0.6", "0", "0.1"],
        ),
        (
            "V16",
            "10000@50000 10000@25000 -20000@40000",
            "1",
            ["0", "0", "0.1", "0"],
        ),
        (
            "V17",
            "10000@50000 -10000@40000",
            "1",
            ["0", "0", "-0.05", "0"],
        ),
        (
            "V18",
            "-20000@40000 20000@50000",
            "1",
            ["0", "0", "-0.1", "0"],
        ),
        (
            "V18 open",
            "-20000@40000",
            "50000",
            ["-20000", "0.5", "0", "-0.1"],
        ),
        (
            "V19",
            "50@10000 50@15000",
            "12000",
            ["100", "-0.008333333333333333", "0", "0"],
        ),
        (
            "flip",
            "10000@50000 -30000@40000",
            "40000",
            ["-20000", "0.5", "-0.05", "0"],
        ),
    ] {
        let trades: Vec<Trade> = text
            .split(' ')
            .map(|one| one.split_once('@').unwrap())
            .map(|(qty, price)| contracts(qty, price))
            .collect();
        let position = booked(&coin(), &trades);
        let shown = position.unrealized_pnl(dec(mark), INVERSE).unwrap();
        let state = [
            position.qty(),
            position.cost(),
            position.realized_pnl(),
            shown,
        ];
        assert_eq!(state, [qty, cost, realized, unrealized].map(dec), "{id}");
        let value = INVERSE
            .value(Money(position.qty()), Money(dec(mark)))
            .unwrap()
            .0;
        assert_eq!(
            position.realized_pnl() + shown,
            position.cash() + value,
            "{id} identity"
        );
    }
}

#[test]
fn v16_v19_v20_the_average_is_harmonic() {
    let average = |trades: &[Trade]| booked(&coin(), trades).average_price(INVERSE).unwrap();
    assert_eq!(
        average(&[contracts("10000", "50000"), contracts("10000", "25000")]),
        dec("33333.333333333333"),
        "V16: not 37,500"
    );
    assert_eq!(
        average(&[contracts("50", "10000"), contracts("50", "15000")]),
        dec("12000"),
        "V19: exactly"
    );
    let exact = average(&[contracts("100", "29800"), contracts("200", "30000")]);
    assert_eq!(exact.round_dp(6), dec("29933.035714"), "V20");
    let apart = (dec("29933.07") / exact - Decimal::ONE).abs();
    assert_eq!(
        apart.round_dp(9),
        dec("0.000001145"),
        "V20: the venue's print, within 1e-4"
    );
    let short = booked(
        &coin(),
        &[contracts("-50", "10000"), contracts("-50", "15000")],
    );
    assert_eq!(short.average_price(INVERSE), Some(dec("12000")));
}

#[test]
fn a_venues_own_coin_value_is_taken_when_it_can_be_true() {
    let with = |value: &str| Trade {
        venue_value: Some(dec(value)),
        ..contracts("100", "29800")
    };
    // 100 / 29,800 = 0.003355704697...; BitMEX rounds a long's value down at 8 decimals.
    let position = booked(&coin(), &[with("0.00335570")]);
    assert_eq!(position.cost(), dec("-0.0033557"));
    let sold = Trade {
        venue_value: Some(dec("0.00671141")),
        ..contracts("-200", "29800")
    };
    let flipped = booked(&coin(), &[with("0.00335570"), sold]);
    assert_eq!(
        (flipped.cost(), flipped.realized_pnl()),
        (dec("0.003355705"), dec("-0.000000005")),
        "half of the venue's value closes, the rest opens"
    );
    for wrong in ["0.0034", "0.0033", "-0.0034"] {
        let mut position = Position::default();
        assert_eq!(
            position.apply(&with(wrong), &coin()),
            Err(LedgerError::BadValue)
        );
        assert_eq!(position, Position::default());
    }
    let own = Trade {
        venue_value: Some(dec("100")),
        ..trade("1", "100", "0")
    };
    let mut position = Position::default();
    assert_eq!(
        position.apply(&own, &linear("1")),
        Err(LedgerError::BadValue),
        "linear values are exact"
    );
}

#[test]
fn v21_collateral_in_coin_hedged_by_a_short_is_flat_in_usd() {
    let position = booked(&coin(), &[contracts("-20000", "40000")]);
    for (mark, coins) in [("32000", "0.625"), ("40000", "0.5"), ("50000", "0.4")] {
        let equity = dec("0.5") + position.unrealized_pnl(dec(mark), INVERSE).unwrap();
        assert_eq!(
            (equity, equity * dec(mark)),
            (dec(coins), dec("20000")),
            "at {mark}"
        );
    }
}

#[test]
fn v22_a_multiplier_scales_profit_and_not_price() {
    let pair = linear("0.01");
    let position = booked(&pair, &[contracts("100", "60000")]);
    assert_eq!(position.cost(), dec("60000"), "notional");
    assert_eq!(position.average_price(pair.contract), Some(dec("60000")));
    assert_eq!(
        position
            .unrealized_pnl(dec("60500"), pair.contract)
            .unwrap(),
        dec("500")
    );
    let closed = booked(
        &pair,
        &[contracts("100", "60000"), contracts("-100", "60500")],
    );
    assert_eq!(closed.realized_pnl(), dec("500"));
}

#[test]
fn v23_v24_funding_is_paid_on_the_mark() {
    let pays = |contract: Contract, qty: &str, mark: &str, rate: &str| {
        let paid = contract.funding(Money(dec(qty)), Money(dec(mark)), Money(dec(rate)));
        paid.unwrap().0
    };
    let linear = linear("1").contract;
    assert_eq!(pays(linear, "2", "60000", "0.0001"), dec("12"));
    assert_eq!(pays(linear, "2", "60000", "-0.0003"), dec("-36"));
    assert_eq!(
        pays(linear, "-2", "60000", "0.0001"),
        dec("-12"),
        "a short receives"
    );
    assert_eq!(
        pays(INVERSE, "20000", "40000", "0.0001"),
        dec("0.00005"),
        "V24"
    );
    assert_eq!(pays(INVERSE, "-20000", "40000", "0.0001"), dec("-0.00005"));
    assert_eq!(pays(super::SPOT, "2", "60000", "0.0001"), dec("0"));
    assert!(
        INVERSE
            .funding(Money(dec("1")), Money::ZERO, Money(dec("1")))
            .is_err()
    );
}

#[test]
fn v25_a_round_trip_with_fees_and_funding() {
    let pair = linear("1");
    let mut book = PositionBook::new(pair, 10);
    book.apply(&trade("2", "50000", "40"), 1, 1).unwrap();
    let funding = Payment {
        amount: dec("12"),
        asset: asset("USDT"),
        rate: None,
    };
    assert!(book.pay(&funding, 7).unwrap());
    assert!(!book.pay(&funding, 7).unwrap(), "once");
    book.apply(&trade("-2", "61000", "48.8"), 3, 3).unwrap();
    let position = book.position();
    assert_eq!(
        position.realized_pnl(),
        dec("21899.2"),
        "22,000 - 40 - 48.8 - 12"
    );
    assert_eq!((position.qty(), position.cost()), (dec("0"), dec("0")));
    assert_eq!(
        (position.funding(), position.cash()),
        (dec("12"), dec("21899.2"))
    );
}

fn rate(bid: &str, ask: &str) -> Rate {
    Rate {
        bid: dec(bid),
        ask: dec(ask),
        time: 5,
    }
}

#[test]
fn v26_v27_conversion_is_complete_or_unknown() {
    let usd = asset("USD");
    let holdings = [
        (asset("USDT"), dec("100")),
        (asset("BTC"), dec("-0.002")),
        (asset("EUR"), dec("1.5")),
        (asset("XRP"), dec("0")),
    ];
    let mut rates = Rates::default();
    rates.set(asset("USDT"), usd, rate("0.9995", "0.9995"));
    rates.set(asset("BTC"), usd, rate("60000", "60000"));
    assert_eq!(
        rates.value(&holdings, usd, Purpose::Limits).unwrap(),
        Valued::Unknown {
            missing: vec![asset("EUR")]
        },
        "V27: not -20.05"
    );
    rates.set(asset("EUR"), usd, rate("1.08", "1.08"));
    for purpose in [Purpose::Limits, Purpose::Reporting] {
        let value = rates.value(&holdings, usd, purpose).unwrap();
        assert_eq!(
            value,
            Valued::Complete(dec("-18.43")),
            "V26: a stablecoin is not 1.0"
        );
    }
    rates.set(asset("BTC"), usd, rate("59990", "60010"));
    rates.set(asset("EUR"), usd, rate("1.07", "1.09"));
    assert_eq!(
        rates.value(&holdings, usd, Purpose::Limits).unwrap(),
        Valued::Complete(dec("-18.465")),
        "99.95 - 120.02 + 1.605: assets at bid, liabilities at ask"
    );
    assert_eq!(
        rates.value(&holdings, usd, Purpose::Reporting).unwrap(),
        Valued::Complete(dec("-18.43")),
        "mid"
    );
    rates.set(asset("EUR"), usd, rate("0", "1.09"));
    assert!(
        rates.get(asset("EUR"), usd).is_none(),
        "a bid of zero is no rate"
    );
    let back = rates.get(usd, asset("BTC")).unwrap();
    assert_eq!(
        (back.bid, back.ask),
        (dec("0.0000166638893518"), dec("0.0000166694449075"))
    );
    let huge = [(asset("BTC"), Decimal::MAX)];
    assert!(rates.value(&huge, usd, Purpose::Limits).is_err());
}

/// V28 to V30 in the words of the engine: steps of a grid, never a float.
#[test]
fn v28_to_v30_rounding_and_dust() {
    for (text, step, floor, ceil) in [
        ("100.037", "0.05", "100.00", "100.05"),
        ("27123.74", "0.5", "27123.5", "27124.0"),
        ("0.123456", "0.001", "0.123", "0.124"),
        ("1.61", "1", "1", "2"),
        ("-3.7", "0.5", "-4.0", "-3.5"),
        ("0.29", "0.01", "0.29", "0.29"),
        ("1.15", "0.05", "1.15", "1.15"),
        ("0.3", "0.1", "0.3", "0.3"),
    ] {
        let (value, step) = (Money(dec(text)), Money(dec(step)));
        let one = Money(Decimal::ONE);
        let down = value
            .mul_div_floor(one, step, 0)
            .unwrap()
            .mul(step)
            .unwrap();
        let up = value.mul_div_ceil(one, step, 0).unwrap().mul(step).unwrap();
        assert_eq!((down.0, up.0), (dec(floor), dec(ceil)), "V28/V29 {text}");
        let grid = Grid::new(6, 6).unwrap();
        let unit = grid.price_exact(step.0).unwrap();
        let steps = grid.price_exact(value.0).unwrap();
        assert_eq!(
            grid.price_decimal(steps.floor_to(unit).unwrap()),
            dec(floor),
            "{text}"
        );
        assert_eq!(
            grid.price_decimal(steps.ceil_to(unit).unwrap()),
            dec(ceil),
            "{text}"
        );
    }
    // V30: what is left below a lot or a minimum notional is dust.
    let grid = Grid::new(2, 5).unwrap();
    let sellable = |held: &str, lot: &str, notional_min: &str, price: &str| {
        let qty = grid.qty_floor(dec(held)).unwrap();
        let qty = qty.floor_to(grid.qty_exact(dec(lot)).unwrap()).unwrap();
        let qty = grid.qty_decimal(qty);
        (qty > Decimal::ZERO && qty * dec(price) >= dec(notional_min)).then_some(qty)
    };
    assert_eq!(
        sellable("0.00799", "0.001", "10", "60000"),
        Some(dec("0.007"))
    );
    assert_eq!(dec("0.007") * dec("60000"), dec("420"));
    assert_eq!(
        sellable("0.00099", "0.001", "10", "60000"),
        None,
        "59.4 USD below the lot"
    );
    assert_eq!(
        sellable("0.0001", "0.0001", "10", "60000"),
        None,
        "6 USD below the notional"
    );
    assert_eq!(sellable("1.61", "1", "0", "1"), Some(dec("1")));
    assert_eq!(
        dec("1.61") - dec("1"),
        dec("0.61"),
        "left when the step changes from 0.01 to 1"
    );
}

fn instrument(id: u16, symbol: &str, multiplier: &str) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(0),
        symbol: symbol.parse().unwrap(),
        native: symbol.replace(['/', ':'], ""),
        grid: Grid::new(2, 5).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: dec(multiplier),
        status: InstrumentStatus::Trading,
        has_reduce_only: false,
        price_band: None,
    }
}

fn ledger() -> Ledger {
    let instruments = vec![
        instrument(0, "BTC/USDT", "1"),
        instrument(1, "BNB/USDT", "1"),
        instrument(2, "BTC/USDT:USDT", "0.01"),
        instrument(3, "BTC/USD:BTC", "100"),
    ];
    Ledger::new(std::sync::Arc::new(
        Catalogue::new(vec!["north".to_owned()], instruments).unwrap(),
    ))
}

#[test]
fn the_engines_ledger_books_inverse_contracts() {
    let mut ledger = ledger();
    let mut buy = fill(Side::Buy, 10_000_000, 5_000_000, 1);
    (buy.instrument, buy.fee_asset, buy.fee) = (InstrumentId(3), Some(asset("BTC")), dec("0.0001"));
    let effect = ledger.on_fill(&buy).unwrap();
    // 100 contracts of 100 USD at 50,000.
    assert_eq!(
        (effect.snapshot.qty, effect.snapshot.cost),
        (Qty(10_000_000), dec("-0.2"))
    );
    assert_eq!(
        effect.change.realized_pnl,
        dec("-0.0001"),
        "a fee in coin is in the settlement asset"
    );
    assert_eq!(ledger.average_price(InstrumentId(3)), Some(dec("50000")));
    assert_eq!(
        ledger.unrealized_pnl(InstrumentId(3), Price(4_000_000)),
        Some(dec("-0.05")),
        "V17"
    );
    let sums = ledger.realized_by_asset().unwrap();
    assert_eq!(sums[&asset("BTC")].0, dec("-0.0001"));
    assert_eq!(sums[&asset("USDT")].0, dec("0"));
}

#[test]
fn the_engines_ledger_values_fees_in_a_third_asset() {
    let mut ledger = ledger();
    let mut buy = fill(Side::Buy, 100_000, 200_000, 1);
    (buy.fee_asset, buy.fee) = (Some(asset("BNB")), dec("0.0025"));
    ledger.on_fill(&buy).unwrap();
    assert!(!ledger.is_complete(), "no rate was told yet: flagged");
    let mut ledger = self::ledger();
    ledger.on_quote(InstrumentId(1), Price(59_990), Price(60_010), 77);
    ledger.on_quote(InstrumentId(2), Price(1), Price(2), 77);
    ledger.on_quote(InstrumentId(9), Price(1), Price(2), 77);
    let effect = ledger.on_fill(&buy).unwrap();
    let used = FeeRate {
        price: dec("600"),
        time: 77,
    };
    assert_eq!(effect.fee_rate, Some(used), "rate and its time are kept");
    assert_eq!(effect.change.realized_pnl, dec("-1.5"));
    assert!(ledger.is_complete());
    assert_eq!(
        ledger.fee_stocks().unwrap()[&(VenueId(0), asset("BNB"))].0,
        dec("-0.0025")
    );
    buy.trade_id = 2;
    buy.fee_asset = Some(asset("BTC"));
    assert_eq!(
        ledger.on_fill(&buy).unwrap().fee_rate,
        None,
        "a base fee of spot needs no rate"
    );
}

#[test]
fn the_engines_ledger_books_funding_once_and_to_its_payer() {
    let mut ledger = ledger();
    let funding = |time: i64, instrument: Option<u16>, code: &str| Funding {
        venue: VenueId(0),
        instrument: instrument.map(InstrumentId),
        asset: asset(code),
        paid: dec("12"),
        id: PaymentId {
            time: UnixNanos(time),
            balance: None,
        },
    };
    let realized =
        |ledger: &Ledger, id: u16| ledger.position(InstrumentId(id)).unwrap().realized_pnl();
    assert_eq!(ledger.on_funding(&funding(1, None, "USDT")), Ok(true));
    assert_eq!(ledger.on_funding(&funding(1, None, "USDT")), Ok(false));
    assert_eq!(
        realized(&ledger, 2),
        dec("0"),
        "no position: the venue's alone"
    );
    let total = |ledger: &Ledger| ledger.realized_by_asset().unwrap()[&asset("USDT")].0;
    assert_eq!(total(&ledger), dec("-12"), "but in the total");
    let mut buy = fill(Side::Buy, 100_000, 6_000_000, 1);
    buy.instrument = InstrumentId(2);
    ledger.on_fill(&buy).unwrap();
    assert_eq!(ledger.on_funding(&funding(2, None, "USDT")), Ok(true));
    assert_eq!(
        realized(&ledger, 2),
        dec("-12"),
        "the one open derivative that settles in it"
    );
    assert_eq!(ledger.on_funding(&funding(3, Some(3), "BTC")), Ok(true));
    assert_eq!(ledger.on_funding(&funding(3, Some(3), "BTC")), Ok(false));
    assert_eq!(realized(&ledger, 3), dec("-12"));
    assert_eq!(total(&ledger), dec("-24"));
    // Two positions that pay at one instant leave two balances, whether or not the venue says whose they are.
    let left = |instrument, balance: i64| Funding {
        id: PaymentId {
            time: UnixNanos(5),
            balance: Some(Decimal::from(balance)),
        },
        ..funding(5, instrument, "USDT")
    };
    for (instrument, balance) in [(Some(2), 100), (Some(2), 88), (None, 76), (None, 64)] {
        let payment = left(instrument, balance);
        assert_eq!(ledger.on_funding(&payment), Ok(true), "{balance}");
        assert_eq!(ledger.on_funding(&payment), Ok(false), "{balance} again");
    }
    assert_eq!(total(&ledger), dec("-72"));
    assert_eq!(
        ledger.on_funding(&funding(4, Some(9), "BTC")),
        Err(LedgerError::UnknownInstrument)
    );
}
