//! Money and contracts are conserved, whatever two accounts and a seeded market do to each other.

use super::core_test::{T0, after_ms, model, order};
use super::order::TimeInForce;
use super::*;
use crate::units::{Asset, Side};

#[test]
fn money_is_conserved_under_seeded_random_trading() {
    for dialect in Dialect::ALL {
        for seed in 0..6 {
            let mut setup = VenueSetup::demo(dialect, "key", "secret");
            let other = AccountSetup {
                api_key: "other".to_owned(),
                ..setup.accounts[0].clone()
            };
            setup.accounts.push(other);
            if seed % 2 == 0 {
                setup.fee_asset = FeeAsset::Quote;
            }
            let mut core = VenueCore::new(setup, T0);
            let assets = ["USDT", "BTC"].map(|code| Asset::new(code).unwrap());
            let before = assets.map(|asset| core.conserved(asset));
            let mut prng = Prng::new(seed);
            let mut mine = Vec::new();
            for step in 0..2_000_u64 {
                let side = if prng.chance_ppm(500_000) {
                    Side::Buy
                } else {
                    Side::Sell
                };
                let price = 6_000_000 + prng.between(-30, 30) * 10;
                let qty = prng.between(10, 900);
                let now = after_ms(step);
                match prng.below(5) {
                    0 | 1 => model(&mut core, step, side, price, qty, false, now),
                    2 => {
                        if let Some(id) = mine.pop() {
                            core.cancel(id, "c".to_owned(), now);
                        }
                    }
                    _ => {
                        let tif = [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]
                            [usize::try_from(prng.below(3)).unwrap()];
                        let mut new = order(side, price, qty, tif);
                        new.reduce_only =
                            dialect == Dialect::BinanceUsdm && prng.chance_ppm(200_000);
                        let account = usize::try_from(prng.below(2)).unwrap();
                        mine.extend(core.place(account, new, now).ok());
                    }
                }
                let after = assets.map(|asset| core.conserved(asset));
                assert_eq!(after, before, "{dialect:?} seed {seed} step {step}");
                for balance in (0..2).flat_map(|account| core.truth(account).balances) {
                    assert!(balance.locked >= Amount::ZERO, "step {step}: {balance:?}");
                    assert!(balance.free >= Amount::ZERO, "step {step}: {balance:?}");
                }
            }
            assert!(core.orders.fills.len() > 300, "the seed traded");
            let contracts: i64 = core
                .accounts
                .iter()
                .map(|account| account.position(0).qty.0)
                .sum();
            assert_eq!(
                core.house.contracts.get(&0).copied().unwrap_or_default() + contracts,
                0
            );
        }
    }
}
