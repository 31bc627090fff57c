//! E: may anything be sent at all? Kill levels, the age of the risk seat's picture, spent losses, the journal.

use crate::risk::{Amount, KillLevel, Refusal};

use super::look::Look;
use super::price::millis;

/// PT-42. K1 lets strictly reducing orders pass; K2 and K3 leave the field to the forced close; K4 to people.
pub(super) fn check_level(look: &Look<'_>) -> Result<(), Refusal> {
    let level = look.level.label();
    match look.level {
        KillLevel::Armed => Ok(()),
        KillLevel::ReduceOnly if look.reducing => Ok(()),
        KillLevel::ReduceOnly => Err(Refusal::KillReduceOnly { level }),
        KillLevel::CancelAll => Err(Refusal::KillCancelAll { level }),
        KillLevel::Flatten => Err(Refusal::KillFlatten { level }),
        KillLevel::Halt => Err(Refusal::KillHalt { level }),
    }
}

/// Positions and levels must be known and recent for an order that increases risk.
pub(super) fn check_view(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    match look.view_age {
        None => Err(Refusal::RiskViewMissing {}),
        Some(age) if age > look.caps.risk_view_age_max => Err(Refusal::RiskViewStale {
            age_ms: millis(age),
            age_ms_max: millis(look.caps.risk_view_age_max),
        }),
        Some(_) => Ok(()),
    }
}

/// PT-50. The monitor says which budget is spent and by how much.
pub(super) fn check_loss(look: &Look<'_>) -> Result<(), Refusal> {
    if look.eases() {
        return Ok(());
    }
    match look.risk.loss.or(look.strategy.loss) {
        None => Ok(()),
        Some(spent) => Err(Refusal::LossLimit {
            loss: spent.value,
            loss_max: spent.limit,
        }),
    }
}

/// PT-47. Reducing orders too: an intent that cannot be recovered after a crash must not leave.
pub(super) fn check_journal(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(journal) = look.portfolio.journal else {
        return look.missing("journal");
    };
    let least = look.limits.disk_free_bytes_min;
    let free = if journal.failed {
        Some(0)
    } else {
        journal.disk_free_bytes
    };
    match free {
        Some(free) if journal.failed || free < least => {
            return Err(Refusal::JournalUnavailable {
                disk_free_bytes: Amount::count(free),
                disk_free_bytes_min: Amount::count(least),
            });
        }
        Some(_) => {}
        None => look.missing("disk_free_bytes")?,
    }
    if journal.lag > look.limits.journal_lag_max {
        return Err(Refusal::JournalLag {
            lag_ms: millis(journal.lag),
            lag_ms_max: millis(look.limits.journal_lag_max),
        });
    }
    Ok(())
}
