//! C: what of ours is open already? Counts, values, and orders that would trade with each other.

use crate::capacity::OPEN_ORDERS_MAX;
use crate::risk::{Amount, Refusal};
use crate::units::Side;

use super::look::Look;

/// PT-22: counts with this order. The engine's own memory bounds every order; the limits do not hold up a repair.
pub(super) fn check_open_orders(look: &Look<'_>) -> Result<(), Refusal> {
    let count = |held: usize| u64::try_from(held).unwrap_or(u64::MAX);
    let memory = (
        "engine",
        count(look.holds.len()) + 1,
        count(OPEN_ORDERS_MAX),
    );
    let own = [
        (
            "symbol",
            look.open.of_instrument(look.terms.id.index()) + 1,
            u64::from(look.limits.open_orders_per_symbol_max),
        ),
        (
            "venue",
            look.open.of_venue(look.terms.venue) + 1,
            u64::from(look.limits.open_orders_per_venue_max),
        ),
    ];
    let limits = own.into_iter().filter(|_| !look.offsetting);
    for (scope, open, open_max) in std::iter::once(memory).chain(limits) {
        if open > open_max {
            return Err(Refusal::OpenOrdersMax {
                scope,
                open: Amount::count(open),
                open_max: Amount::count(open_max),
            });
        }
    }
    Ok(())
}

/// PT-22: value with this order, each at its limit price.
pub(super) fn check_open_notional(look: &Look<'_>) -> Result<(), Refusal> {
    if look.offsetting {
        return Ok(());
    }
    let own = look
        .terms
        .worth(
            i128::from(look.leg.limit_price.0),
            i128::from(look.leg.qty.0),
        )
        .ok_or(Refusal::Arithmetic {})?;
    let total = look.open.worth().saturating_add(own);
    if total > look.caps.open_notional {
        return Err(Refusal::OpenNotionalMax {
            notional: look.caps.amount(total),
            notional_max: look.caps.amount(look.caps.open_notional),
        });
    }
    Ok(())
}

/// PT-28. Immediate orders cannot be matched by later ones: only what rests counts. Of orders without an approval of this
/// session no price is known: they are taken to match.
pub(super) fn check_self_trade(look: &Look<'_>) -> Result<(), Refusal> {
    let (leg, terms) = (look.leg, look.terms);
    let would_match = |own| {
        Err(Refusal::SelfTrade {
            price: terms.price(leg.limit_price),
            own_price: terms.price(own),
        })
    };
    if look.cell.adopted(leg.side.opposite()) > 0 {
        return would_match(leg.limit_price);
    }
    if !look.open.has_resting() {
        return Ok(());
    }
    let side: Side = leg.side;
    match look.holds.crossing(terms.id.index(), side, leg.limit_price) {
        Some(own) => would_match(own),
        None => Ok(()),
    }
}
