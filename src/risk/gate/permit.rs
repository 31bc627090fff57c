//! E and C: is the strategy allowed to do this at all? Its instruments, its size, its scope as approved at deployment.

use crate::risk::{Amount, Refusal};

use super::look::Look;

/// PT-49. A repair finishes what was begun: its size is bounded by its parent (PT-32).
pub(super) fn check_permission(look: &Look<'_>) -> Result<(), Refusal> {
    let leg = look.leg;
    let denied = |what, value, value_max| {
        Err(Refusal::NotPermitted {
            what,
            value,
            value_max,
        })
    };
    let Some(scope) = look
        .scope
        .filter(|scope| scope.allows(leg.instrument.index()))
    else {
        let instrument = Amount::count(u64::from(leg.instrument.0));
        return denied("instrument", instrument, Amount::count(0));
    };
    let value = leg.limit_price.times(leg.qty);
    match scope.order_notional_max.filter(|_| !look.repair) {
        Some(max) if value > max => {
            let amount = |notional: crate::units::Notional| {
                let decimals = look.terms.price_decimals + look.terms.qty_decimals;
                Amount::new(notional.0, decimals)
            };
            denied("order_notional", amount(value), amount(max))
        }
        Some(_) | None => Ok(()),
    }
}

/// PT-30. Worst cases of every instrument of the strategy, whoever holds them, so that two strategies on one instrument
/// count both; what does not grow passes.
pub(super) fn check_scope(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(scope) = look.scope else {
        return Ok(());
    };
    for (what, count, max) in [
        (
            "instruments",
            scope.instruments.len(),
            look.limits.scope_instruments_max,
        ),
        ("venues", scope.venues, look.limits.scope_venues_max),
    ] {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count > u64::from(max) && !look.eases() {
            return Err(Refusal::StrategyScope {
                what,
                value: Amount::count(count),
                value_max: Amount::count(u64::from(max)),
            });
        }
    }
    if look.eases() {
        return Ok(());
    }
    let (terms, leg) = (look.terms, look.leg);
    let before = look.exposure.gross_of(&scope.instruments);
    let grown = look
        .exposure
        .scopes_after(terms.id.index(), terms, leg.side, leg.qty)
        .map(|after| after.gross - look.exposure.scopes(terms).gross)
        .ok_or(Refusal::PositionUnpriced {
            instrument: terms.id.0,
        })?;
    let after = before.saturating_add(grown);
    if grown > 0 && after > look.caps.scope_notional {
        return Err(Refusal::StrategyScope {
            what: "notional",
            value: look.caps.amount(after),
            value_max: look.caps.amount(look.caps.scope_notional),
        });
    }
    Ok(())
}
