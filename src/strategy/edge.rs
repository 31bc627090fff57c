//! What a pair of prices is worth after both taker fees.
//!
//! Buying at `ask` and selling at `bid` nets `bid × (1 - sell_fee) - ask × (1 + buy_fee)` a unit. The *net edge* is that,
//! in parts per million of `ask`. The test "does it reach a minimum" needs no division:
//! `bid × (10^6 - sell_fee) >= ask × (10^6 + buy_fee + edge_min)`, exact in 128 bits.
//!
//! Example (vector V31): buy 0.5 at 60,000, sell 0.5 at 60,150, 0.1% each: 75 - 30 - 30.075 = 14.925.

use crate::units::{Notional, Ppm, Price};

/// What a sale keeps of its notional, in ppm.
#[must_use]
#[inline]
pub const fn kept_ppm(sell_fee: Ppm) -> i64 {
    Ppm::ONE.0 - sell_fee.0
}

/// What a purchase costs of its notional when the set must also earn `edge_min`, in ppm.
#[must_use]
#[inline]
pub const fn spent_ppm(buy_fee: Ppm, edge_min: Ppm) -> i64 {
    Ppm::ONE.0 + buy_fee.0 + edge_min.0
}

/// True when the pair reaches the edge that `spent` contains ([`spent_ppm`], [`kept_ppm`]). Exact.
#[must_use]
#[inline]
pub fn reaches(bid: Price, kept: i64, ask: Price, spent: i64) -> bool {
    i128::from(bid.0) * i128::from(kept) >= i128::from(ask.0) * i128::from(spent)
}

/// Net of both fees for a whole set, in millionths of a notional step (exact): `sold × kept - bought × spent`.
///
/// `None` on overflow.
#[must_use]
pub fn net_micros(bought: Notional, buy_fee: Ppm, sold: Notional, sell_fee: Ppm) -> Option<i128> {
    let received = sold.0.checked_mul(i128::from(kept_ppm(sell_fee)))?;
    let paid = bought
        .0
        .checked_mul(i128::from(spent_ppm(buy_fee, Ppm(0))))?;
    received.checked_sub(paid)
}

/// Net profit of a set in notional steps, rounded down (a gain is never overstated). `None` on overflow.
#[must_use]
pub fn net_profit_floor(
    bought: Notional,
    buy_fee: Ppm,
    sold: Notional,
    sell_fee: Ppm,
) -> Option<Notional> {
    net_micros(bought, buy_fee, sold, sell_fee)
        .map(|micros| Notional(micros.div_euclid(i128::from(Ppm::ONE.0))))
}

/// Net edge of a set in ppm of what was bought, rounded down. `None` when nothing was bought, or on overflow.
#[must_use]
pub fn net_edge_floor(
    bought: Notional,
    buy_fee: Ppm,
    sold: Notional,
    sell_fee: Ppm,
) -> Option<Ppm> {
    if bought.0 <= 0 {
        return None;
    }
    let micros = net_micros(bought, buy_fee, sold, sell_fee)?;
    i64::try_from(micros.div_euclid(bought.0)).ok().map(Ppm)
}

/// Edge before fees in ppm of what was bought, rounded down. `None` when nothing was bought, or on overflow.
#[must_use]
pub fn gross_edge_floor(bought: Notional, sold: Notional) -> Option<Ppm> {
    net_edge_floor(bought, Ppm(0), sold, Ppm(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Grid, Qty};

    /// RISK.md V31, both fee levels.
    #[test]
    fn vector_v31() {
        let grid = Grid::new(2, 4).unwrap();
        let qty = grid.parse_qty(b"0.5").unwrap();
        let bought = grid.parse_price(b"60000").unwrap().times(qty);
        let sold = grid.parse_price(b"60150").unwrap().times(qty);
        let profit = |fee: i64| {
            let notional = net_profit_floor(bought, Ppm(fee), sold, Ppm(fee)).unwrap();
            grid.notional_money(notional)
                .unwrap()
                .0
                .normalize()
                .to_string()
        };
        assert_eq!(profit(1_000), "14.925");
        assert_eq!(profit(300), "56.9775");
        assert_eq!(gross_edge_floor(bought, sold), Some(Ppm(2_500)));
        assert_eq!(
            net_edge_floor(bought, Ppm(1_000), sold, Ppm(1_000)),
            Some(Ppm(497))
        );
        assert_eq!(net_edge_floor(Notional(0), Ppm(0), sold, Ppm(0)), None);
    }

    /// The division-free test is the exact boundary: value equal to the limit passes, one step less does not.
    #[test]
    fn threshold_is_inclusive_and_exact() {
        let (kept, spent) = (kept_ppm(Ppm(0)), spent_ppm(Ppm(0), Ppm(1_000)));
        assert!(reaches(Price(100_100), kept, Price(100_000), spent));
        assert!(!reaches(Price(100_099), kept, Price(100_000), spent));
        assert!(reaches(Price(i64::MAX), kept, Price(1), spent));
        assert!(!reaches(Price(1), kept, Price(i64::MAX), i64::MAX));
        assert_eq!(Price(100).times(Qty(2)).0, 200);
    }
}
