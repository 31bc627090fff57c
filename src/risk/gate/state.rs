//! E: may anything be sent at all? Kill levels and the age of the risk seat's picture.

use crate::risk::{Amount, KillLevel, Refusal};

use super::look::Look;

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
            age_ms: Amount::new(i128::from(age.0), 6),
            age_ms_max: Amount::new(i128::from(look.caps.risk_view_age_max.0), 6),
        }),
        Some(_) => Ok(()),
    }
}
