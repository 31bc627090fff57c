//! The venue as a whole, without sockets: what a client sees and what it has afterwards.

use super::book::SelfTrade;
use super::order::{NewOrder, OrderKind, Refusal, Status, TimeInForce};
use super::*;
use crate::sim::tape::{MarketChange, TapeEvent};
use crate::units::{Asset, Price, Qty, Side};

pub(super) const T0: UnixNanos = UnixNanos::from_millis(1_700_000_000_000);

pub(super) fn venue(dialect: Dialect) -> VenueCore {
    VenueCore::new(VenueSetup::demo(dialect, "key", "secret"), T0)
}

pub(super) fn model(
    core: &mut VenueCore,
    order_id: u64,
    side: Side,
    price: i64,
    qty: i64,
    ioc: bool,
    now: UnixNanos,
) {
    let change = MarketChange::Place {
        order_id,
        side,
        price: Price(price),
        qty: Qty(qty),
        ioc,
    };
    core.on_market(
        &TapeEvent {
            at: now,
            venue: 0,
            symbol: 0,
            change,
        },
        now,
    );
}

pub(super) fn order(side: Side, price: i64, qty: i64, time_in_force: TimeInForce) -> NewOrder {
    NewOrder {
        symbol: 0,
        client_id: None,
        side,
        kind: OrderKind::Limit,
        time_in_force,
        price: Some(Price(price)),
        qty: Qty(qty),
        reduce_only: false,
        self_trade: SelfTrade::ExpireTaker,
    }
}

fn texts(core: &mut VenueCore) -> Vec<String> {
    let mut out = Vec::new();
    core.drain(&mut out);
    out.into_iter()
        .map(|(_, message)| match message {
            Outgoing::Text(text) => text,
            Outgoing::Raw(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Outgoing::Close => "closed".to_owned(),
        })
        .collect()
}

pub(super) fn after_ms(millis: u64) -> UnixNanos {
    T0.after(Nanos::from_millis(millis))
}

#[test]
fn an_immediate_order_takes_what_is_there_and_money_is_conserved() {
    let mut core = venue(Dialect::BinanceSpot);
    let (usdt, btc) = (Asset::new("USDT").unwrap(), Asset::new("BTC").unwrap());
    let before = (core.conserved(usdt), core.conserved(btc));
    model(&mut core, 1, Side::Sell, 6_000_000, 10_000, false, T0);
    model(&mut core, 2, Side::Sell, 6_000_100, 10_000, false, T0);
    let id = core
        .place(0, order(Side::Buy, 6_000_050, 15_000, TimeInForce::Ioc), T0)
        .unwrap();
    let placed = core.orders.get(id).unwrap();
    assert_eq!(
        (placed.status, placed.executed),
        (Status::Expired, Qty(10_000))
    );
    let truth = core.truth(0);
    let free = |asset| {
        truth
            .balances
            .iter()
            .find(|balance| balance.asset == asset)
            .unwrap()
            .free
            .exact_text()
    };
    // 0.1 BTC for 6,000 USDT; the fee of 10 bps is taken from the BTC received.
    assert_eq!(free(usdt), "994000");
    assert_eq!(free(btc), "10.0999");
    assert!(
        truth
            .balances
            .iter()
            .all(|balance| balance.locked == Amount::ZERO)
    );
    assert_eq!((core.conserved(usdt), core.conserved(btc)), before);
}

#[test]
fn a_resting_order_locks_fills_and_frees_exactly() {
    let mut core = venue(Dialect::BinanceSpot);
    core.setup.fee_asset = FeeAsset::Quote;
    let usdt = Asset::new("USDT").unwrap();
    let before = core.conserved(usdt);
    let id = core
        .place(0, order(Side::Buy, 5_000_000, 20_000, TimeInForce::Gtc), T0)
        .unwrap();
    let balance = |core: &VenueCore| {
        *core
            .truth(0)
            .balances
            .iter()
            .find(|balance| balance.asset == usdt)
            .unwrap()
    };
    // 0.2 BTC at 50,000 and a fee of 10 bps on top.
    assert_eq!(balance(&core).locked.exact_text(), "10010");
    model(
        &mut core,
        1,
        Side::Sell,
        4_900_000,
        5_000,
        true,
        after_ms(1),
    );
    assert_eq!(balance(&core).locked.exact_text(), "7507.5");
    assert!(core.cancel(id, "x".to_owned(), after_ms(2)));
    assert_eq!(balance(&core).locked, Amount::ZERO);
    assert_eq!(balance(&core).free.exact_text(), "997497.5");
    assert_eq!(core.conserved(usdt), before);
    assert!(!core.cancel(id, "x".to_owned(), after_ms(3)));
}

#[test]
fn reduce_only_never_flips_and_contracts_are_conserved() {
    let mut core = venue(Dialect::BinanceUsdm);
    let usdt = Asset::new("USDT").unwrap();
    let before = core.conserved(usdt);
    model(&mut core, 1, Side::Sell, 6_000_000, 3_000, false, T0);
    model(&mut core, 2, Side::Buy, 5_990_000, 9_000, false, T0);
    let mut closing = order(Side::Sell, 5_990_000, 9_000, TimeInForce::Ioc);
    closing.reduce_only = true;
    assert_eq!(core.place(0, closing.clone(), T0), Err(Refusal::ReduceOnly));
    core.place(0, order(Side::Buy, 6_000_000, 3_000, TimeInForce::Ioc), T0)
        .unwrap();
    assert_eq!(core.truth(0).positions[0].qty, Qty(3_000));
    let id = core.place(0, closing, T0).unwrap();
    assert_eq!(core.orders.get(id).unwrap().executed, Qty(3_000));
    let truth = core.truth(0);
    assert!(truth.positions.is_empty());
    // Bought 3 at 60,000 and sold at 59,900: -300, and 5 bps of both sides.
    assert_eq!(truth.fills[1].realized.exact_text(), "-300");
    assert_eq!(truth.balances[0].free.exact_text(), "999520.15");
    assert_eq!(core.conserved(usdt), before);
    assert_eq!(core.house.contracts.get(&0), Some(&0));
}

#[test]
fn resting_reduce_only_shrinks_with_the_position() {
    let mut core = venue(Dialect::BinanceUsdm);
    model(&mut core, 1, Side::Sell, 6_000_000, 4_000, false, T0);
    core.place(0, order(Side::Buy, 6_000_000, 4_000, TimeInForce::Ioc), T0)
        .unwrap();
    let mut closing = order(Side::Sell, 6_100_000, 4_000, TimeInForce::Gtc);
    closing.reduce_only = true;
    let id = core.place(0, closing, T0).unwrap();
    core.inject(
        Fault::PositionPush {
            account: 0,
            symbol: 0,
            side: Side::Sell,
            qty: Qty(3_000),
            price: Some(Price(6_000_000)),
        },
        T0,
    );
    assert_eq!(core.orders.get(id).unwrap().left(), Qty(1_000));
    model(&mut core, 9, Side::Buy, 6_100_000, 4_000, true, T0);
    assert!(core.truth(0).positions.is_empty());
}

#[test]
fn margin_is_checked_on_the_opening_part() {
    let mut core = venue(Dialect::BinanceUsdm);
    model(&mut core, 1, Side::Sell, 6_000_000, 1_000_000, false, T0);
    // 1,000,000 USDT at 20x carry below 20,000,000 USDT: 400 BTC at 60,000 are too many, 300 fit.
    assert_eq!(
        core.place(
            0,
            order(Side::Buy, 6_000_000, 400_000, TimeInForce::Ioc),
            T0
        ),
        Err(Refusal::MarginShort)
    );
    assert!(
        core.place(
            0,
            order(Side::Buy, 6_000_000, 300_000, TimeInForce::Ioc),
            T0
        )
        .is_ok()
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one client's view, message by message"
)]
fn quotes_and_diffs_chain_and_equal_ids_mean_equal_best() {
    let mut core = venue(Dialect::BinanceSpot);
    core.open(
        "/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@trade",
        T0,
    )
    .unwrap();
    for step in 0..50_u64 {
        let now = after_ms(step * 30);
        core.advance(now);
        let price = 6_000_000 + i64::try_from(step * 7 % 13).unwrap();
        model(
            &mut core,
            step * 2 + 1,
            Side::Sell,
            price + 20,
            100,
            false,
            now,
        );
        model(
            &mut core,
            step * 2 + 2,
            Side::Buy,
            price,
            100,
            step % 3 == 0,
            now,
        );
    }
    core.advance(after_ms(2_000));
    let mut next = None;
    let (mut quotes, mut diffs, mut equal) = (std::collections::BTreeMap::new(), 0, 0);
    let mut book = [
        std::collections::BTreeMap::new(),
        std::collections::BTreeMap::new(),
    ];
    for text in texts(&mut core) {
        let message: serde_json::Value = serde_json::from_str(&text).unwrap();
        let data = &message["data"];
        if message["stream"] == "btcusdt@bookTicker" {
            quotes.insert(
                data["u"].as_u64().unwrap(),
                (data["b"].clone(), data["a"].clone()),
            );
        } else if message["stream"] == "btcusdt@depth@100ms" {
            diffs += 1;
            let (first, last) = (data["U"].as_u64().unwrap(), data["u"].as_u64().unwrap());
            assert!(first <= last && next.is_none_or(|next| next == first));
            next = Some(last + 1);
            for (side, name) in [(0, "b"), (1, "a")] {
                for level in data[name].as_array().unwrap() {
                    let price = level[0].as_str().unwrap().to_owned();
                    if level[1] == "0.00000000" {
                        book[side].remove(&price);
                    } else {
                        book[side].insert(price, ());
                    }
                }
            }
            if let Some((bid, ask)) = quotes.get(&last) {
                equal += 1;
                assert_eq!(
                    bid.as_str(),
                    book[0]
                        .keys()
                        .next_back()
                        .map(String::as_str)
                        .or(Some("0.00000000"))
                );
                assert_eq!(ask.as_str(), book[1].keys().next().map(String::as_str));
            }
        }
    }
    assert!(diffs > 10 && equal > 0, "{diffs} diffs, {equal} compared");
}

#[test]
fn latency_delays_in_order_and_the_same_seed_gives_the_same_bytes() {
    let run = |seed: u64| {
        let mut setup = VenueSetup::demo(Dialect::BinanceSpot, "key", "secret");
        setup.seed = seed;
        setup.latency = LatencySetup {
            order_entry: Nanos::from_micros(300),
            response: Nanos::from_micros(200),
            market_data: Nanos::from_micros(100),
            jitter: Nanos::from_micros(500),
        };
        let mut core = VenueCore::new(setup, T0);
        let conn = core.open("/ws-api/v3", T0).unwrap();
        for id in 0..20 {
            core.on_text(conn, &format!(r#"{{"id":{id},"method":"time"}}"#), T0);
        }
        assert!(texts(&mut core).is_empty());
        let mut trace = Vec::new();
        while let Some(due) = core.next_due() {
            core.advance(due);
            trace.extend(texts(&mut core).into_iter().map(|text| (due, text)));
        }
        trace
    };
    let trace = run(1);
    let ids: Vec<u64> = trace
        .iter()
        .map(|(_, text)| {
            serde_json::from_str::<serde_json::Value>(text).unwrap()["id"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
    assert!(
        trace
            .iter()
            .all(|(due, _)| *due >= T0.after(Nanos::from_micros(500)))
    );
    assert_eq!(trace, run(1));
    assert_ne!(trace, run(2));
}

#[test]
fn post_only_and_self_trade_rules() {
    let mut core = venue(Dialect::BinanceSpot);
    let resting = core
        .place(0, order(Side::Sell, 6_000_000, 1_000, TimeInForce::Gtc), T0)
        .unwrap();
    let mut post = order(Side::Buy, 6_000_000, 1_000, TimeInForce::Gtc);
    post.kind = OrderKind::PostOnly;
    assert_eq!(core.place(0, post, T0), Err(Refusal::WouldTake));
    let taker = core
        .place(0, order(Side::Buy, 6_000_000, 1_000, TimeInForce::Gtc), T0)
        .unwrap();
    assert_eq!(
        core.orders.get(taker).unwrap().status,
        Status::ExpiredInMatch
    );
    assert_eq!(core.orders.get(resting).unwrap().status, Status::New);
    let mut maker_goes = order(Side::Buy, 6_000_000, 1_000, TimeInForce::Gtc);
    maker_goes.self_trade = SelfTrade::ExpireMaker;
    let taker = core.place(0, maker_goes, T0).unwrap();
    assert_eq!(
        core.orders.get(resting).unwrap().status,
        Status::ExpiredInMatch
    );
    assert_eq!(core.orders.get(taker).unwrap().status, Status::New);
}

pub(super) fn recorded(core: &mut VenueCore, change: MarketChange) {
    core.on_market(
        &TapeEvent {
            at: T0,
            venue: 0,
            symbol: 0,
            change,
        },
        T0,
    );
}

#[test]
fn a_resting_order_fills_when_the_recorded_touch_crosses_it() {
    let mut core = venue(Dialect::BinanceSpot);
    let snapshot =
        r#"{"lastUpdateId":5,"bids":[["59000.00","1.00000"]],"asks":[["61000.00","1.00000"]]}"#;
    recorded(
        &mut core,
        MarketChange::Snapshot {
            data: snapshot.into(),
        },
    );
    let id = core
        .place(0, order(Side::Buy, 6_000_000, 30_000, TimeInForce::Gtc), T0)
        .unwrap();
    let diff = |id: u64, qty: &str| MarketChange::Frame {
        stream: "btcusdt@depth@100ms".into(),
        data: format!(
            r#"{{"e":"depthUpdate","U":{id},"u":{id},"b":[],"a":[["59999.00","{qty}"]]}}"#
        )
        .into(),
    };
    recorded(&mut core, diff(6, "0.10000"));
    assert_eq!(core.orders.get(id).unwrap().executed, Qty(10_000));
    // The same level untouched gives nothing more; updated it does.
    recorded(
        &mut core,
        MarketChange::Frame {
            stream: "btcusdt@trade".into(),
            data: "{}".into(),
        },
    );
    assert_eq!(core.orders.get(id).unwrap().executed, Qty(10_000));
    recorded(&mut core, diff(7, "0.50000"));
    assert_eq!(core.orders.get(id).unwrap().status, Status::Filled);
    let fills = core.truth(0).fills;
    assert!(
        fills
            .iter()
            .all(|fill| fill.is_maker && fill.price == Price(6_000_000))
    );
    let usdt = Asset::new("USDT").unwrap();
    assert_eq!(core.conserved(usdt), Amount::whole(1_000_000));
}

#[test]
fn funding_moves_cash_once_and_is_conserved() {
    let mut core = venue(Dialect::BinanceUsdm);
    let usdt = Asset::new("USDT").unwrap();
    model(&mut core, 1, Side::Sell, 6_000_000, 1_000, false, T0);
    core.place(0, order(Side::Buy, 6_000_000, 1_000, TimeInForce::Ioc), T0)
        .unwrap();
    let mark = |next: u64| MarketChange::Mark {
        mark: Price(6_000_000),
        index: Price(6_000_000),
        funding_ppb: 100_000,
        next_funding_time: after_ms(next),
    };
    let wallet = |core: &VenueCore| core.truth(0).balances[0].free;
    let before = wallet(&core);
    recorded(&mut core, mark(1_000));
    recorded(&mut core, mark(1_000));
    assert_eq!(wallet(&core), before);
    recorded(&mut core, mark(9_000));
    // One BTC long at 60,000 pays one basis point.
    assert_eq!((before - wallet(&core)).exact_text(), "6");
    assert_eq!(core.conserved(usdt), Amount::whole(1_000_000));
}

#[test]
fn a_dead_man_switch_cancels_unless_renewed() {
    let mut core = venue(Dialect::BinanceUsdm);
    let id = core
        .place(0, order(Side::Buy, 5_000_000, 1_000, TimeInForce::Gtc), T0)
        .unwrap();
    core.countdowns.push((0, 0, after_ms(500)));
    core.advance(after_ms(499));
    assert_eq!(core.orders.get(id).unwrap().status, Status::New);
    assert_eq!(core.next_due(), Some(after_ms(500)));
    core.advance(after_ms(501));
    assert_eq!(core.orders.get(id).unwrap().status, Status::Canceled);
    assert_eq!(core.next_due(), None);
}
