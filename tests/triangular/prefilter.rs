//! The cheap test and the exact one, against products of any size: the cheap one never misses an edge.

use arbalest::prng::Prng;
use arbalest::strategy::FeeTaken;
use arbalest::strategy::triangular::logs::edge_guess;
use arbalest::strategy::triangular::wide::{Rate, RoundTrip, threshold_floor};
use arbalest::units::{Ppm, Price, Side};
use num_bigint::BigInt;

struct Leg {
    side: Side,
    decimals: u8,
    fee: i64,
    taken: FeeTaken,
    price: i64,
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap()
}

fn random(prng: &mut Prng, wild: bool) -> Leg {
    let side = if prng.below(2) == 0 {
        Side::Buy
    } else {
        Side::Sell
    };
    let taken = if prng.below(2) == 0 {
        FeeTaken::FromReceived
    } else {
        FeeTaken::FromQuote
    };
    if wild {
        return Leg {
            side,
            taken,
            decimals: u8::try_from(prng.below(19)).unwrap(),
            fee: signed(prng.below(1_999_999)) - 999_999,
            price: signed(prng.next_u64() >> (1 + prng.below(63))).max(1),
        };
    }
    // Rates near one, so that trips come near their threshold.
    Leg {
        side,
        taken,
        decimals: 6,
        fee: signed(prng.below(1_500)) - 100,
        price: 1_000_000 + signed(prng.below(2_000)) - 1_000,
    }
}

/// Numerator and denominator of the trip.
fn slow(legs: &[Leg]) -> (BigInt, BigInt) {
    let (mut gain, mut cost) = (BigInt::from(1), BigInt::from(1));
    for leg in legs {
        let scale = BigInt::from(10).pow(u32::from(leg.decimals));
        let million = BigInt::from(1_000_000);
        let (over, under) = match (leg.side, leg.taken) {
            (Side::Sell, _) => (
                BigInt::from(leg.price) * (1_000_000 - leg.fee),
                scale * million,
            ),
            (Side::Buy, FeeTaken::FromReceived) => (
                scale * (1_000_000 - leg.fee),
                BigInt::from(leg.price) * million,
            ),
            (Side::Buy, FeeTaken::FromQuote) => (
                scale * million,
                BigInt::from(leg.price) * (1_000_000 + leg.fee),
            ),
        };
        (gain, cost) = (gain * over, cost * under);
    }
    (gain, cost)
}

#[test]
fn the_cheap_test_never_misses_and_the_exact_one_is_exact() {
    let mut prng = Prng::new(99);
    let (mut near, mut saved) = (0, 0);
    for round in 0..20_000 {
        let count = 3 + prng.below(3);
        let legs: Vec<Leg> = (0..count)
            .map(|_| random(&mut prng, round % 4 == 0))
            .collect();
        let rate = |leg: &Leg| Rate::new(leg.side, leg.decimals, Ppm(leg.fee), leg.taken).unwrap();
        let trip = RoundTrip::new(legs.iter().map(|leg| (rate(leg), Price(leg.price))));
        let log: i64 = legs
            .iter()
            .map(|leg| rate(leg).log_ceil() + rate(leg).price_log_ceil(Price(leg.price)).unwrap())
            .sum();
        let (gain, cost) = slow(&legs);
        // Floor of (gain / cost - 1) in ppm; both are positive.
        let floor = &gain * 1_000_000 / &cost - 1_000_000;
        let Ok(floor) = i64::try_from(floor) else {
            continue;
        };
        if floor < 1_000_000_000_000 {
            assert_eq!(trip.edge_floor(edge_guess(log)), Ppm(floor));
            assert_eq!(
                trip.edge_floor(0),
                Ppm(floor),
                "from wherever the search begins"
            );
        }
        for edge in [floor - 1, floor, floor + 1, signed(prng.below(2_000))] {
            let reaches = &gain * 1_000_000 >= &cost * (1_000_000 + i128::from(edge));
            assert_eq!(trip.reaches(Ppm(edge)), reaches, "{round}: {edge}");
            let closer = log >= threshold_floor(Ppm(edge));
            assert!(closer || !reaches, "{round}: {edge} ppm was missed");
            near += usize::from(reaches && edge == floor);
        }
        // Two ppm below the threshold it is told apart.
        saved += usize::from(floor.abs() < 10_000 && log < threshold_floor(Ppm(floor + 2)));
    }
    assert!(near > 10_000 && saved > 10_000, "{near} {saved}");
}
