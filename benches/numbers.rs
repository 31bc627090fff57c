//! What numbers cost: decimal text to steps, spread tests, notionals; integers against `rust_decimal`.
#![allow(missing_docs, clippy::allow_attributes, reason = "a bench")]
#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::cast_sign_loss,
    reason = "a bench"
)]

mod harness;

use arbalest::prng::Prng;
use arbalest::units::{Price, Qty, parse_fixed};
use harness::{Group, mix, size};
use rust_decimal::Decimal;

fn main() {
    let count = size(2_000, 400_000);
    let mut prng = Prng::new(1);
    let texts: Vec<String> = (0..count)
        .map(|_| {
            format!(
                "{}.{:08}",
                prng.between(50_000, 70_000),
                prng.between(0, 99) * 1_000_000
            )
        })
        .collect();

    let mut group = Group::new("price text to number");
    group.case("to steps (ours)", count, || {
        texts.iter().fold(0, |hash, text| {
            mix(hash, parse_fixed(text.as_bytes(), 2).unwrap() as u64)
        })
    });
    group.case("to Decimal", count, || {
        texts.iter().fold(0, |hash, text| {
            mix(hash, text.parse::<Decimal>().unwrap().mantissa() as u64)
        })
    });
    group.case("to f64 (for scale only)", count, || {
        texts.iter().fold(0, |hash, text| {
            mix(hash, text.parse::<f64>().unwrap().to_bits())
        })
    });
    group.run();

    let steps: Vec<(i64, i64)> = (0..count)
        .map(|_| {
            (
                prng.between(5_000_000, 7_000_000),
                prng.between(1, 1_000_000),
            )
        })
        .collect();
    let decimals: Vec<(Decimal, Decimal)> = steps
        .iter()
        .map(|(price, qty)| (Decimal::new(*price, 2), Decimal::new(*qty, 5)))
        .collect();
    let mut group = Group::new("price times quantity");
    group.case("i128 notional (ours)", count, || {
        steps.iter().fold(0, |hash, (price, qty)| {
            mix(hash, Price(*price).times(Qty(*qty)).0 as u64)
        })
    });
    group.case("Decimal checked_mul", count, || {
        decimals.iter().fold(0, |hash, (price, qty)| {
            mix(hash, price.checked_mul(*qty).unwrap().mantissa() as u64)
        })
    });
    group.run();

    let mut group = Group::new("two-sided spread test with fees at 5 bps");
    group.case("integers (ours)", count, || {
        steps.windows(2).fold(0, |hash, pair| {
            let [(bid, _), (ask, _)] = pair else {
                return hash;
            };
            mix(
                hash,
                u64::from(arbalest::strategy::edge::reaches(
                    Price(*bid),
                    999_900,
                    Price(*ask),
                    1_000_600,
                )),
            )
        })
    });
    let kept = Decimal::new(9_999, 4);
    let spent = Decimal::new(10_006, 4);
    group.case("Decimal", count, || {
        decimals.windows(2).fold(0, |hash, pair| {
            let [(bid, _), (ask, _)] = pair else {
                return hash;
            };
            mix(hash, u64::from(*bid * kept >= *ask * spent))
        })
    });
    group.run();
}
