//! D: is it too often, or too soon? Submissions, the venue's budget and bans, repetition, orders without an answer, ratios.

use crate::risk::{Amount, OrderFlow, Refusal};
use crate::units::Ppm;

use super::look::Look;
use super::price::millis;

/// PT-33. Repairs have a reserve beyond the limit (see `rates`).
pub(super) fn check_submit_rate(look: &Look<'_>) -> Result<(), Refusal> {
    match look
        .rates
        .blocked(look.terms.symbol, look.terms.venue, look.now, look.repair)
    {
        None => Ok(()),
        Some((scope, submits_max)) => Err(Refusal::RateSubmit { scope, submits_max }),
    }
}

/// PT-35.
pub(super) fn check_venue_budget(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(facts) = look.facts else {
        return look.missing("venue");
    };
    let used_max = Ppm::ONE.saturating_sub(look.limits.venue_budget_reserve);
    if facts.weight_used > used_max {
        return Err(Refusal::VenueBudget {
            used: ratio(facts.weight_used),
            used_max: ratio(used_max),
        });
    }
    Ok(())
}

/// PT-36: nothing at all, reducing or not, until the venue's time is over. The gateway knows that time, margin included.
pub(super) fn check_ban(look: &Look<'_>) -> Result<(), Refusal> {
    match look.facts.and_then(|facts| facts.banned_until) {
        Some(until) if look.now < until => Err(Refusal::VenueBanned {
            remaining_ms: millis(until.since(look.now)),
        }),
        Some(_) | None => Ok(()),
    }
}

/// PT-37. Repairs are counted by their own limits.
pub(super) fn check_repeats(look: &Look<'_>) -> Result<(), Refusal> {
    if look.repair {
        return Ok(());
    }
    match look
        .repeats
        .too_often(look.plan.strategy, look.leg, look.now)
    {
        None => Ok(()),
        Some(orders_max) => Err(Refusal::RepeatExecution {
            orders: Amount::count(u64::from(orders_max) + 1),
            orders_max: Amount::count(u64::from(orders_max)),
        }),
    }
}

/// PT-38. A repair may have to be sent again as it was; PT-32 bounds it.
pub(super) fn check_duplicate(look: &Look<'_>) -> Result<(), Refusal> {
    if look.repair {
        return Ok(());
    }
    match look
        .repeats
        .duplicate(look.plan.strategy, look.leg, look.now)
    {
        None => Ok(()),
        Some(age) => Err(Refusal::DuplicateIntent {
            age_ms: millis(age),
            age_ms_min: millis(look.limits.dup_intent_window),
        }),
    }
}

/// PT-39, over all legs of a set; a repair looks at its own instrument.
pub(super) fn check_unknown(look: &Look<'_>) -> Result<(), Refusal> {
    let (unknown, unknown_max) = (look.plan.unknown_orders, look.limits.unknown_orders_max);
    if look.reducing || unknown < unknown_max {
        return Ok(());
    }
    Err(Refusal::UnknownOrderPending {
        unknown: Amount::count(u64::from(unknown)),
        unknown_max: Amount::count(u64::from(unknown_max)),
    })
}

/// PT-40: what the view counts, and what was approved since it was made.
pub(super) fn check_in_flight(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let since = look
        .holds
        .count_since(look.terms.id.index(), look.view_issued_at);
    let inflight = u64::from(look.risk.inflight_orders) + since;
    let inflight_max = u64::from(look.limits.inflight_max);
    if inflight < inflight_max {
        return Ok(());
    }
    Err(Refusal::InFlightMax {
        inflight: Amount::count(inflight),
        inflight_max: Amount::count(inflight_max),
    })
}

/// PT-41: shares over ten minutes, judged once there are enough orders for the venue to record them (X11).
pub(super) fn check_order_to_trade(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(flow) = look.risk.order_flow.filter(|_| !look.eases()) else {
        return Ok(());
    };
    let OrderFlow {
        placed,
        executed,
        immediate,
        expired,
        dust,
    } = flow;
    let limits = look.limits;
    let orders_min = u64::from(limits.ufr_orders_min);
    for (name, part, whole, least, guard) in [
        (
            "unfilled",
            placed.saturating_sub(executed),
            placed,
            orders_min,
            limits.ufr_guard,
        ),
        (
            "expired",
            expired,
            immediate,
            u64::from(limits.ifer_orders_min),
            limits.ifer_guard,
        ),
        ("dust", dust, placed, orders_min, limits.dust_ratio_guard),
    ] {
        let (scaled, share_max) = (
            i128::from(part) * 1_000_000,
            i128::from(guard.0).saturating_mul(i128::from(whole)),
        );
        if whole > least && scaled > share_max {
            return Err(Refusal::OrderToTrade {
                ratio: name,
                share: Amount::new(scaled.div_euclid(i128::from(whole).max(1)), 6),
                share_max: ratio(guard),
            });
        }
    }
    Ok(())
}

fn ratio(share: Ppm) -> Amount {
    Amount::new(i128::from(share.0), 6)
}
