//! C: how bad can a day become? Value at risk and expected shortfall of the portfolio after the order (PT-29).

use crate::risk::var::{ES975_PPB, VAR99_PPB, deviation, scaled};
use crate::risk::{Amount, Refusal, VarModel};

use super::look::Look;

/// PT-29. Two portfolios are judged, as for the net scopes of PT-21: everything pending bought, and everything pending sold.
/// One that does not grow passes.
pub(super) fn check_tail(look: &Look<'_>) -> Result<(), Refusal> {
    if look.eases() {
        return Ok(());
    }
    let own = look.portfolio.factors.get(look.terms.asset).copied();
    let (Some(model), Some(Some(own))) = (look.portfolio.var_model.as_deref(), own) else {
        // A model that lacks the asset is no model for this order.
        return if look.portfolio.var_model.is_some() || look.limits.var_model_required {
            Err(Refusal::VarModelMissing {})
        } else {
            Ok(())
        };
    };
    let (leg, terms) = (look.leg, look.terms);
    let (high, low) = look
        .exposure
        .extremes_added(terms.id.index(), terms, leg.side, leg.qty)
        .ok_or(Refusal::PositionUnpriced {
            instrument: terms.id.0,
        })?;
    let worst = |added: Option<(i128, i128)>| {
        let extreme = |bought: bool| portfolio_deviation(look, model, own, added, bought);
        Some(extreme(true)?.max(extreme(false)?))
    };
    let after = worst(Some((high, low))).ok_or(Refusal::Arithmetic {})?;
    let value = |deviation, factor| scaled(deviation, factor).ok_or(Refusal::Arithmetic {});
    let (var99, es975) = (value(after, VAR99_PPB)?, value(after, ES975_PPB)?);
    if var99 <= look.caps.var99 && es975 <= look.caps.es975 {
        return Ok(());
    }
    let before = worst(None).ok_or(Refusal::Arithmetic {})?;
    if after <= before {
        return Ok(());
    }
    if var99 > look.caps.var99 {
        return Err(Refusal::VarLimit {
            var99: Amount::new(var99, 2),
            var99_max: Amount::new(look.caps.var99, 2),
        });
    }
    Err(Refusal::EsLimit {
        es975: Amount::new(es975, 2),
        es975_max: Amount::new(look.caps.es975, 2),
    })
}

fn portfolio_deviation(
    look: &Look<'_>,
    model: &VarModel,
    own: usize,
    added: Option<(i128, i128)>,
    bought: bool,
) -> Option<i128> {
    let exposure = |factor: usize| {
        // A factor that nothing of ours trades has no exposure.
        let Some(asset) = look.portfolio.asset_of(factor) else {
            return 0;
        };
        let (mut high, mut low) = look.exposure.asset_extremes(asset);
        if let (Some((more_high, more_low)), true) = (added, factor == own) {
            high += more_high;
            low += more_low;
        }
        cents_away(if bought { high } else { low }, look.caps.decimals)
    };
    deviation(model.factors.len(), exposure, |row, column| {
        model.covariance(row, column)
    })
}

/// Worth in hundredths, rounded away from zero.
fn cents_away(worth: i128, decimals: u8) -> i128 {
    let Some(down) = decimals.checked_sub(2) else {
        return worth.saturating_mul(10_i128.saturating_pow(u32::from(2 - decimals.min(2))));
    };
    let step = 10_i128.saturating_pow(u32::from(down)).max(1);
    let magnitude = -(-worth.abs()).div_euclid(step);
    magnitude * worth.signum()
}
