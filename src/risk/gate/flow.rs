//! D: is it too often? Submissions in a sliding second.

use crate::risk::Refusal;

use super::look::Look;

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
