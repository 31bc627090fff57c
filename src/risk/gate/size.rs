//! C: is it too much? One order, one position, and every scope above it, all in the worst case of what is pending.

use crate::risk::{Amount, Refusal};
use crate::units::{Qty, Side};

use super::look::Look;

/// PT-18.
pub(super) fn check_order_qty(look: &Look<'_>) -> Result<(), Refusal> {
    let terms = look.terms;
    let Some(limits) = terms.limits else {
        return Err(Refusal::LimitMissing {
            instrument: terms.id.0,
        });
    };
    let qty_max = look.sized(i128::from(limits.order_qty_max.0));
    if i128::from(look.leg.qty.0) > qty_max {
        return Err(Refusal::OrderQtyMax {
            qty: terms.qty(look.leg.qty),
            qty_max: terms.wide_qty(qty_max),
        });
    }
    Ok(())
}

/// PT-19. A buy is valued at the higher of limit and reference, a sell at the reference.
pub(super) fn check_order_notional(look: &Look<'_>) -> Result<(), Refusal> {
    let limit_twice = 2 * i128::from(look.leg.limit_price.0);
    let reference_twice = look.reference_twice().unwrap_or(limit_twice);
    let price_twice = match look.leg.side {
        Side::Buy => limit_twice.max(reference_twice),
        Side::Sell => reference_twice,
    };
    let twice = look
        .terms
        .worth(price_twice, i128::from(look.leg.qty.0))
        .ok_or(Refusal::Arithmetic {})?;
    let order_max = look.sized(look.caps.order);
    if twice > order_max.saturating_mul(2) {
        return Err(Refusal::OrderNotionalMax {
            notional: look.caps.amount(twice.saturating_add(1).div_euclid(2)),
            notional_max: look.caps.amount(order_max),
        });
    }
    Ok(())
}

/// PT-20.
pub(super) fn check_position(look: &Look<'_>) -> Result<(), Refusal> {
    let terms = look.terms;
    let Some(limits) = terms.limits else {
        return Err(Refusal::LimitMissing {
            instrument: terms.id.0,
        });
    };
    let before = look.cell.worst();
    let after = look.cell.with(look.leg.side, look.leg.qty).worst();
    if after > before && after > i128::from(limits.position_qty_max.0) && !look.offsetting {
        return Err(Refusal::PositionLimit {
            position: terms.wide_qty(after),
            position_max: terms.qty(limits.position_qty_max),
        });
    }
    Ok(())
}

/// PT-21 a to e. A scope that does not grow passes, even over its limit.
pub(super) fn check_scopes(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing || look.offsetting {
        return Ok(());
    }
    let (terms, caps, leg) = (look.terms, look.caps, look.leg);
    if look.exposure.has_unpriced() {
        return Err(Refusal::PositionUnpriced {
            instrument: terms.id.0,
        });
    }
    let before = look.exposure.scopes(terms);
    let after = look
        .exposure
        .scopes_after(terms.id.index(), terms, leg.side, leg.qty)
        .ok_or(Refusal::PositionUnpriced {
            instrument: terms.id.0,
        })?;
    let over = |before: i128, after: i128, cap: i128| after > cap && after > before;
    if over(before.symbol, after.symbol, caps.symbol) {
        let (notional, notional_max) = (caps.amount(after.symbol), caps.amount(caps.symbol));
        return Err(Refusal::NotionalLimitSymbol {
            notional,
            notional_max,
        });
    }
    if over(before.venue, after.venue, caps.venue) {
        let (notional, notional_max) = (caps.amount(after.venue), caps.amount(caps.venue));
        return Err(Refusal::NotionalLimitVenue {
            notional,
            notional_max,
        });
    }
    if over(before.asset_net, after.asset_net, caps.asset_net) {
        let (notional, notional_max) = (caps.amount(after.asset_net), caps.amount(caps.asset_net));
        return Err(Refusal::NotionalLimitAsset {
            notional,
            notional_max,
        });
    }
    if over(before.gross, after.gross, caps.gross) {
        let (notional, notional_max) = (caps.amount(after.gross), caps.amount(caps.gross));
        return Err(Refusal::NotionalLimitGross {
            notional,
            notional_max,
        });
    }
    if over(before.net, after.net, caps.net) {
        let (notional, notional_max) = (caps.amount(after.net), caps.amount(caps.net));
        return Err(Refusal::NotionalLimitNet {
            notional,
            notional_max,
        });
    }
    Ok(())
}

/// PT-27: a reduce-only order is against the position and not larger than what is left to reduce. `reserved` is what own
/// orders, unknown ones included, may still reduce.
pub(in crate::risk) fn check_reduce_only(
    position: Qty,
    reserved: Qty,
    side: Side,
    qty: Qty,
) -> Result<(), Refusal> {
    if Side::reducing(position) != Some(side) {
        return Err(Refusal::ReduceOnlyWrongSide {
            position: Amount::new(i128::from(position.0), 0),
        });
    }
    let reducible = (i128::from(position.0).abs() - i128::from(reserved.0)).max(0);
    if i128::from(qty.0) > reducible {
        return Err(Refusal::ReduceOnlyOvershoot {
            qty: Amount::new(i128::from(qty.0), 0),
            reducible: Amount::new(reducible, 0),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PT-27: below, at and above what is left; the wrong side; flat.
    #[test]
    fn reduce_only_never_overshoots() {
        for (position, reserved, side, qty, expected) in [
            (10, 0, Side::Sell, 9, "ok"),
            (10, 0, Side::Sell, 10, "ok"),
            (10, 0, Side::Sell, 11, "REDUCE_ONLY_OVERSHOOT"),
            (10, 4, Side::Sell, 6, "ok"),
            (10, 4, Side::Sell, 7, "REDUCE_ONLY_OVERSHOOT"),
            (10, 12, Side::Sell, 1, "REDUCE_ONLY_OVERSHOOT"),
            (-10, 0, Side::Buy, 10, "ok"),
            (-10, 0, Side::Buy, 11, "REDUCE_ONLY_OVERSHOOT"),
            (10, 0, Side::Buy, 1, "REDUCE_ONLY_WRONG_SIDE"),
            (-10, 0, Side::Sell, 1, "REDUCE_ONLY_WRONG_SIDE"),
            (0, 0, Side::Buy, 1, "REDUCE_ONLY_WRONG_SIDE"),
        ] {
            let told = check_reduce_only(Qty(position), Qty(reserved), side, Qty(qty));
            let code = told.map_or_else(|refusal| refusal.code(), |()| "ok");
            assert_eq!(code, expected, "{position} {reserved} {side} {qty}");
        }
    }
}
