//! X06 and the venue's order: whatever comes late, twice or is taken back, all is as if only the valid trades had come in order.

use arbalest::ledger::{Applied, Bust, LedgerError, Payment, PositionBook};
use arbalest::market::InstrumentId;
use arbalest::prng::Prng;
use arbalest::units::Side;

use super::{asset, below, catalogue, dec, fill, pair, trade, with_fee};
use arbalest::ledger::{Ledger, Position, Trade};

#[test]
fn x06_a_bust_returns_everything() {
    let trades = [
        trade("2", "100", "0.1"),
        with_fee(trade("1", "130", "0"), "0.001", "BTC"),
        with_fee(trade("-4", "120", "0"), "0.01", "BNB"),
        trade("3", "90", "-0.05"),
    ];
    for busted in 0..trades.len() {
        let mut book = PositionBook::new(pair(), 100);
        let mut without = Position::default();
        for (index, trade) in trades.iter().enumerate() {
            let id = i64::try_from(index).unwrap();
            book.apply(trade, id, id).unwrap();
            if index != busted {
                without.apply(trade, &pair()).unwrap();
            }
        }
        let before = book.position().realized_pnl();
        let id = i64::try_from(busted).unwrap();
        let Ok(Bust::Reverted(change)) = book.bust(&id) else {
            panic!("the fill was booked");
        };
        let after = book.position();
        assert_eq!(after.realized_pnl() - before, change.realized_pnl);
        let fees_of_nothing = after.fees().iter().filter(|(_, sum)| !sum.is_zero());
        assert!(fees_of_nothing.eq(without.fees().iter()), "fees");
        assert_eq!(
            (
                after.qty(),
                after.cost(),
                after.realized_pnl(),
                after.cash()
            ),
            (
                without.qty(),
                without.cost(),
                without.realized_pnl(),
                without.cash()
            ),
            "without fill {busted}"
        );
        assert_eq!(after, &without);
        assert_eq!(book.bust(&id), Ok(Bust::Duplicate));
        assert_eq!(
            book.apply(&trades[busted], id, id),
            Ok(Applied::Duplicate),
            "redelivered"
        );
        assert_eq!(book.position(), &without);
        assert_eq!(book.bust_count(), 1);
    }
}

#[test]
fn a_bust_may_come_before_its_fill() {
    let mut book = PositionBook::new(pair(), 100);
    assert_eq!(book.bust(&5), Ok(Bust::Ahead));
    assert_eq!(
        book.apply(&trade("1", "100", "0"), 1, 5),
        Ok(Applied::Busted)
    );
    assert_eq!(
        book.apply(&trade("1", "100", "0"), 1, 5),
        Ok(Applied::Duplicate)
    );
    assert_eq!(book.position(), &Position::default());
}

#[test]
fn a_bust_of_a_forgotten_fill_halts() {
    let mut book = PositionBook::new(pair(), 10_000);
    for id in 0..1_100_i64 {
        book.apply(&trade("1", "100", "0"), id, id).unwrap();
    }
    let before = book.position().clone();
    assert_eq!(book.bust(&3), Err(LedgerError::BustTooOld));
    assert_eq!(book.position(), &before);
    assert!(
        matches!(book.bust(&100), Ok(Bust::Reverted(_))),
        "within the last 1,024"
    );
    assert_eq!(book.position().qty(), dec("1099"));
}

#[test]
fn the_engines_ledger_takes_back_a_fill() {
    let mut ledger = Ledger::new(catalogue());
    ledger
        .on_fill(&fill(Side::Buy, 100_000, 6_000_000, 1))
        .unwrap();
    let before = ledger.snapshot(InstrumentId(0)).unwrap();
    ledger
        .on_fill(&fill(Side::Sell, 300_000, 6_010_000, 2))
        .unwrap();
    assert!(matches!(
        ledger.on_bust(InstrumentId(0), 2),
        Ok(Bust::Reverted(_))
    ));
    assert_eq!(ledger.snapshot(InstrumentId(0)), Some(before));
    assert_eq!(ledger.on_bust(InstrumentId(0), 77), Ok(Bust::Ahead));
    assert!(
        ledger
            .on_fill(&fill(Side::Sell, 300_000, 6_010_000, 77))
            .unwrap()
            .duplicate
    );
    assert_eq!(
        ledger.on_bust(InstrumentId(9), 2),
        Err(LedgerError::UnknownInstrument)
    );
}

fn funding() -> Payment {
    Payment {
        amount: dec("0.25"),
        asset: asset("USDT"),
        rate: None,
    }
}

fn some_trades(prng: &mut Prng, count: i64) -> Vec<(i64, Trade)> {
    (0..count)
        .map(|id| {
            let qty = prng.between(1, 50) * if prng.chance_ppm(500_000) { 1 } else { -1 };
            let price = prng.between(1, 9_000);
            let fee = if prng.chance_ppm(300_000) {
                "0.00007"
            } else {
                "0"
            };
            let one = trade(&format!("{qty}e-1"), &format!("{price}e-2"), "0");
            (
                id,
                if prng.chance_ppm(500_000) {
                    with_fee(one, fee, "BTC")
                } else {
                    one
                },
            )
        })
        .collect()
}

fn some_order(prng: &mut Prng, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // Late by at most 200 places, so that nothing is beyond the history.
    for at in 0..order.len() {
        if prng.chance_ppm(200_000) {
            let far = below(prng, 201);
            order.swap(at, (at + far).min(count - 1));
        }
    }
    order
}

/// Any order of delivery, with duplicates, busts and payments anywhere, ends in the state of the valid trades in order; also
/// across checkpoints and the end of the history.
#[test]
fn any_delivery_ends_in_the_venues_order() {
    for seed in 0..60_u64 {
        let mut prng = Prng::new(seed);
        let count = if seed % 20 == 0 {
            1_200
        } else {
            prng.between(2, 150)
        };
        let trades = some_trades(&mut prng, count);
        let order = some_order(&mut prng, trades.len());
        let mut book = PositionBook::new(pair(), 10_000);
        let mut busted = std::collections::BTreeSet::new();
        let mut paid = 0_i64;
        for (step, index) in order.iter().enumerate() {
            let (id, trade) = &trades[*index];
            book.apply(trade, *id, *id).unwrap();
            if prng.chance_ppm(100_000) {
                let again = &trades[order[below(&mut prng, step + 1)]];
                let applied = book.apply(&again.1, again.0, again.0).unwrap();
                assert_eq!(applied, Applied::Duplicate);
            }
            if prng.chance_ppm(50_000) {
                let near = step.saturating_sub(below(&mut prng, 121));
                let victim = trades[order[near]].0;
                book.bust(&victim).unwrap();
                busted.insert(victim);
            }
            if prng.chance_ppm(50_000) {
                paid += 1;
                assert!(book.pay(&funding(), i64::try_from(step).unwrap()).unwrap());
            }
        }
        let mut wanted = Position::default();
        for (id, trade) in &trades {
            if !busted.contains(id) {
                wanted.apply(trade, &pair()).unwrap();
            }
        }
        for _ in 0..paid {
            wanted.pay(&funding(), &pair()).unwrap();
        }
        assert_eq!(book.position(), &wanted, "seed {seed}");
        assert_eq!(book.out_of_order_count(), 0);
    }
}
