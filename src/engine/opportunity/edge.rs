//! The edge of a route at the touch.

use rust_decimal::Decimal;

use crate::market::{Books, Catalogue};
use crate::strategy::Route;
use crate::strategy::edge::net_edge_floor;
use crate::units::{MonoNanos, Nanos, Ppm, Qty, Side};

/// What a unit sent through the legs of a route would come back with at the touch, after taker fees, in ppm rounded down.
///
/// A buy divides by the ask and pays its fee, a sell multiplies by the bid less its fee. For two legs on one grid this is
/// exactly the net edge of [`crate::strategy::edge`]. `None` when a book is missing, not trusted, or older than `age_max`.
#[must_use]
pub fn touch_edge(
    route: &Route,
    books: &Books,
    catalogue: &Catalogue,
    fees: &[Ppm],
    (now, age_max): (MonoNanos, Nanos),
) -> Option<Ppm> {
    let mut legs = [None; crate::capacity::LEGS_MAX];
    for (slot, (instrument, side)) in legs.iter_mut().zip(route.legs()) {
        let top = books.trusted_top(instrument, now, age_max)?;
        let fee = fees.get(instrument.index()).copied()?;
        let price = match side {
            Side::Buy => top.ask.price,
            Side::Sell => top.bid.price,
        };
        *slot = Some((catalogue.get(instrument)?.grid, side, price, fee));
    }
    let unit = Qty(1);
    match legs {
        [Some(one), Some(two), None, ..] if one.0 == two.0 && one.1 != two.1 => {
            let (buy, sell) = if one.1 == Side::Buy {
                (one, two)
            } else {
                (two, one)
            };
            net_edge_floor(buy.2.times(unit), buy.3, sell.2.times(unit), sell.3)
        }
        _ => {
            let (mut received, mut paid) = (Decimal::ONE, Decimal::ONE);
            for (grid, side, price, fee) in legs.into_iter().flatten() {
                let price = grid.price_decimal(price);
                match side {
                    Side::Buy => {
                        let rate = Decimal::new(Ppm::ONE.0 + fee.0, 6);
                        paid = paid.checked_mul(price)?.checked_mul(rate)?;
                    }
                    Side::Sell => {
                        let rate = Decimal::new(Ppm::ONE.0 - fee.0, 6);
                        received = received.checked_mul(price)?.checked_mul(rate)?;
                    }
                }
            }
            let ratio = received.checked_div(paid)?.checked_sub(Decimal::ONE)?;
            let ppm = ratio.checked_mul(Decimal::from(Ppm::ONE.0))?.floor();
            i64::try_from(ppm.mantissa()).ok().map(Ppm)
        }
    }
}
