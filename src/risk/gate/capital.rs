//! C: can we pay for it? Balances, margin, leverage, with everything counted that the venue does not know yet.

use crate::risk::{Amount, Refusal};
use crate::units::Ppm;

use super::funds::share_up;
use super::look::Look;

/// PT-23. A reducing order may use the reserve, but never more than there is (V13: 1.0 cannot be sold where 0.999 is held).
pub(super) fn check_balance(look: &Look<'_>) -> Result<(), Refusal> {
    let (place, needed) = look.need.ok_or(Refusal::Arithmetic {})?;
    if look.plan.funded {
        return Ok(());
    }
    let pool = look.funds.pool(place);
    let Some(free) = pool.free else {
        return look.missing("balances");
    };
    let kept = if look.reducing {
        0
    } else {
        share_up(free.max(0), look.limits.balance_reserve.0).ok_or(Refusal::Arithmetic {})?
    };
    let available = free.saturating_sub(kept).saturating_sub(pool.reserved());
    if needed > available {
        return Err(Refusal::BalanceInsufficient {
            needed: look.caps.amount(needed),
            available: look.caps.amount(available),
        });
    }
    Ok(())
}

/// PT-24: initial margin in use, promised and needed, and maintenance margin, each as a share of the account's equity.
pub(super) fn check_margin(look: &Look<'_>) -> Result<(), Refusal> {
    if !look.terms.is_derivative || look.eases() {
        return Ok(());
    }
    let Some(margin) = look.margin else {
        return look.missing("margin");
    };
    let (place, needed) = look.need.ok_or(Refusal::Arithmetic {})?;
    let reserved = look.funds.pool(place).reserved();
    let used = margin
        .initial
        .saturating_add(reserved)
        .saturating_add(needed);
    for (kind, used, usage_max) in [
        ("initial", used, look.limits.margin_usage_max),
        (
            "maintenance",
            margin.maintenance,
            look.limits.maint_margin_max,
        ),
    ] {
        if exceeds(used, margin.equity, usage_max) {
            return Err(Refusal::MarginUsageMax {
                kind,
                usage: share(used, margin.equity),
                usage_max: Amount::new(i128::from(usage_max.0), 6),
            });
        }
    }
    Ok(())
}

/// PT-25. A gross value that does not grow passes.
pub(super) fn check_leverage(look: &Look<'_>) -> Result<(), Refusal> {
    if look.eases() {
        return Ok(());
    }
    let Some(equity) = look.portfolio.equity else {
        return look.missing("equity");
    };
    let (terms, leg) = (look.terms, look.leg);
    let after = look
        .exposure
        .scopes_after(terms.id.index(), terms, leg.side, leg.qty)
        .ok_or(Refusal::PositionUnpriced {
            instrument: terms.id.0,
        })?;
    let before = look.exposure.scopes(terms);
    let max = look.limits.leverage_max;
    if after.gross > before.gross && exceeds(after.gross, equity, max) {
        return Err(Refusal::LeverageMax {
            leverage: share(after.gross, equity),
            leverage_max: Amount::new(i128::from(max.0), 6),
        });
    }
    Ok(())
}

/// `part / whole > max`, without dividing; anything is too much of nothing.
fn exceeds(part: i128, whole: i128, max: Ppm) -> bool {
    if part <= 0 {
        return false;
    }
    whole <= 0 || part.saturating_mul(1_000_000) > whole.saturating_mul(i128::from(max.0))
}

/// `part / whole` with six decimals, rounded up; of nothing: all there is.
fn share(part: i128, whole: i128) -> Amount {
    if whole <= 0 {
        return Amount::new(i128::from(i64::MAX), 6);
    }
    Amount::new(-(-part.saturating_mul(1_000_000)).div_euclid(whole), 6)
}
