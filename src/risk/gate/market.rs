//! B and C: what the market shows. Jumps of the reference, the other venues' word, the depth that an order takes.

use crate::market::Trust;
use crate::risk::{Amount, Refusal};
use crate::units::{Ppm, Price, Qty, Side};

use super::look::Look;
use super::references::{distance_ppm, is_beyond};

/// Other venues that must confirm a jump (PT-15).
const CONFIRMING_MIN: usize = 2;

fn bps(ppm: i128) -> Amount {
    Amount::new(ppm, 2)
}

/// PT-15. Confirmed is a jump as soon as two other venues stand within the same distance of the new price.
pub(super) fn check_jump(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let index = look.terms.id.index();
    let Some(jump) = look.references.quarantined(index, look.now) else {
        return Ok(());
    };
    let own = look.reference_twice().unwrap_or(jump.to);
    let age_max = look.caps.ref_price_age_max;
    let consensus = look
        .references
        .consensus(index, own, look.books, look.now, age_max);
    if consensus.confirming >= CONFIRMING_MIN {
        return Ok(());
    }
    Err(Refusal::RefPriceJump {
        jump_bps: bps(distance_ppm(jump.to, jump.from)),
        jump_bps_max: bps(i128::from(look.limits.ref_jump_max.0)),
    })
}

/// PT-16. A symbol that only one venue has needs no consensus; where others have it, one of them must be heard. A repair is
/// not held up by their silence.
pub(super) fn check_consensus(look: &Look<'_>) -> Result<(), Refusal> {
    let max = look.limits.consensus_dev_max;
    let wanted = !look.reducing && max < Ppm(i64::MAX);
    let Some(own) = look.reference_twice().filter(|_| wanted) else {
        return Ok(());
    };
    let index = look.terms.id.index();
    let age_max = look.caps.ref_price_age_max;
    let consensus = look
        .references
        .consensus(index, own, look.books, look.now, age_max);
    if consensus.usable == 0 {
        if consensus.peers == 0 || look.offsetting {
            return Ok(());
        }
        return Err(Refusal::ConsensusMissing {
            venues: Amount::count(0),
            venues_min: Amount::count(1),
        });
    }
    if is_beyond(2 * own, consensus.median_four, max) {
        return Err(Refusal::RefPriceDivergent {
            distance_bps: bps(distance_ppm(2 * own, consensus.median_four)),
            distance_bps_max: bps(i128::from(max.0)),
        });
    }
    Ok(())
}

/// PT-26: at most a share of what is visible up to the collar. An untrusted book shows nothing to compare with: increasing
/// orders were refused before, reducing ones pass. A repair takes what it needs within its own limit price.
pub(super) fn check_depth(look: &Look<'_>) -> Result<(), Refusal> {
    let book = look.book.filter(|book| book.trust() == Trust::Trusted);
    let (Some(book), Some(twice), false) = (book, look.reference_twice(), look.offsetting) else {
        return Ok(());
    };
    let share = look.limits.depth_take_max.0.max(1);
    // Enough is q / f, rounded up: the walk stops there.
    let enough =
        -(-i128::from(look.leg.qty.0).saturating_mul(1_000_000)).div_euclid(i128::from(share));
    let enough = Qty(i64::try_from(enough).unwrap_or(i64::MAX));
    let visible = book
        .walk(look.leg.side, collar_price(twice, look), enough)
        .qty;
    if visible >= enough {
        return Ok(());
    }
    let most = (i128::from(visible.0) * i128::from(share)).div_euclid(1_000_000);
    Err(Refusal::DepthFractionMax {
        qty: look.terms.qty(look.leg.qty),
        qty_max: look.terms.wide_qty(most),
    })
}

/// The worst price within the collar: rounded towards the reference.
fn collar_price(twice: i128, look: &Look<'_>) -> Price {
    let one = i128::from(Ppm::ONE.0);
    let collar = i128::from(look.terms.collar.0);
    let edge = match look.leg.side {
        Side::Buy => twice
            .saturating_mul(one.saturating_add(collar))
            .div_euclid(2 * one),
        Side::Sell => -(-twice.saturating_mul((one - collar).max(0))).div_euclid(2 * one),
    };
    Price(i64::try_from(edge).unwrap_or(i64::MAX))
}
