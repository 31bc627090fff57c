//! RISK.md V32, all its numbers.

use arbalest::market::Level;
use arbalest::strategy::FeeTaken;
use arbalest::strategy::triangular::chain::{Chain, ChainLeg, LegDecimals, LegShape};
use arbalest::strategy::triangular::ladder::Ladder;
use arbalest::trade::{SendOrder, SetForm};
use arbalest::units::{Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

use crate::scene::{Scene, T0, asset, decimal, legs, params, taken};
use crate::walk::fill;

#[test]
fn the_strategy_takes_v32_to_the_lot() {
    let mut scene = Scene::v32(params(3));
    scene.warm();
    let intent = taken(scene.look_at(0, T0));
    let quantities: Vec<(u16, Side, i64)> = legs(&intent)
        .iter()
        .map(|leg| (leg.instrument.0, leg.side, leg.qty.0))
        .collect();
    assert_eq!(
        quantities,
        [
            (0, Side::Buy, 16_666),
            (1, Side::Buy, 33_298),
            (2, Side::Sell, 33_264)
        ]
    );
    assert_eq!(
        intent.form,
        SetForm::Cycle {
            start: asset("USDT")
        }
    );
    assert_eq!(intent.send, SendOrder::Sequential);
    // 19.466904 of 9,999.6 is 1,946 ppm; at the touch it was 1,988 of a gross edge of 0.5%.
    assert_eq!(intent.net_edge, Ppm(1_946));
    assert_eq!(intent.gross_edge, Ppm(1_946 + 5_000 - 1_988));

    let changes = fill(&intent, &scene.books, &scene.catalogue, Ppm(1_000));
    let change = |code: &str| changes[&asset(code)].normalize();
    assert_eq!(change("USDT"), decimal("19.466904"));
    assert_eq!(change("BTC"), decimal("0.00000334"));
    assert_eq!(change("ETH"), decimal("0.0000702"));
    let dust = change("BTC") * decimal("60000") + change("ETH") * decimal("3015");
    assert_eq!((change("USDT") + dust).normalize(), decimal("19.878957"));
}

/// The limits: the first leg's cushion of 2 bps up, the second no further than what the first yields pays for (nothing of BTC
/// is held), the last 20 bps down.
#[test]
fn the_limits_of_v32() {
    let mut scene = Scene::v32(params(3));
    scene.warm();
    let intent = taken(scene.look_at(0, T0));
    let limits: Vec<Price> = legs(&intent).iter().map(|leg| leg.limit_price).collect();
    assert_eq!(limits, [Price(6_001_200), Price(5_000), Price(300_897)]);
    let mut scene = Scene::v32(params(3));
    scene.fund("BTC", "0.1");
    scene.warm();
    let intent = taken(scene.look_at(0, T0));
    let limits: Vec<Price> = legs(&intent).iter().map(|leg| leg.limit_price).collect();
    assert_eq!(
        limits,
        [Price(6_001_200), Price(5_010), Price(300_897)],
        "0.1 BTC more may be locked"
    );
}

/// Without lots worth a name 10,000 USDT make 19.88013995.
#[test]
fn unrounded() {
    let one = |side, price: i64, price_decimals| {
        let level = Level {
            price: Price(price),
            qty: Qty(i64::MAX >> 1),
        };
        let shape = LegShape {
            side,
            decimals: LegDecimals {
                price: price_decimals,
                qty: 12,
            },
            spent_decimals: 25,
            yielded_decimals: 25,
            fee: Ppm(1_000),
            fee_taken: FeeTaken::FromReceived,
        };
        ChainLeg::new(&shape, Ladder::of(std::iter::once(level), |_| true), 1).unwrap()
    };
    let chain = [
        one(Side::Buy, 60_000, 0),
        one(Side::Buy, 5, 2),
        one(Side::Sell, 3_015, 0),
    ];
    let chain = Chain::new(chain.into_iter());
    let start = 10_i128.pow(29);
    let most = chain.largest(start);
    let plan = chain.plan(most[2]).unwrap();
    let gain = Decimal::try_from_i128_with_scale((plan.received - plan.spent) / 10_i128.pow(5), 20);
    let unspent = Decimal::try_from_i128_with_scale((start - plan.spent) / 10_i128.pow(5), 20);
    assert!(unspent.unwrap() < decimal("0.0000001"));
    assert_eq!(gain.unwrap().round_dp(8), decimal("19.88013995"));
}
