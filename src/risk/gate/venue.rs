//! E: may this venue be used now? Readiness, clock, dead-man switch, reconciliation, calendar.

use crate::risk::Refusal;
use crate::trade::{DeadMan, TimeInForce};
use crate::units::{MonoNanos, Nanos};

use super::look::Look;
use super::price::millis;

/// PT-43.
pub(super) fn check_ready(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(facts) = look.facts else {
        return look.missing("venue");
    };
    if !facts.ready {
        return Err(Refusal::VenueNotReady {});
    }
    if facts.reconciled_at.is_none() && look.limits.facts_required {
        return Err(Refusal::StreamReconciling {});
    }
    let Some(started_at) = facts.session_started_at else {
        return look.missing("session_started_at");
    };
    let (age, age_max) = (look.now.since(started_at), look.limits.session_age_max);
    if age > age_max {
        return Err(Refusal::SessionTooOld {
            age_ms: millis(age),
            age_ms_max: millis(age_max),
        });
    }
    Ok(())
}

/// PT-44.
pub(super) fn check_clock(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(facts) = look.facts else {
        return look.missing("venue");
    };
    let Some(offset) = facts.clock_offset_ns else {
        return look.missing("clock_offset_ns");
    };
    let (offset, offset_max) = (offset.unsigned_abs(), look.limits.clock_offset_max);
    if offset > offset_max.0 {
        return Err(Refusal::ClockOffset {
            offset_ms: millis(Nanos(offset)),
            offset_ms_max: millis(offset_max),
        });
    }
    if let Some(stepped_at) = facts.clock_stepped_at {
        let (age, age_min) = (look.now.since(stepped_at), look.limits.clock_step_quiet);
        if age < age_min {
            return Err(Refusal::ClockStepped {
                age_ms: millis(age),
                age_ms_min: millis(age_min),
            });
        }
    }
    Ok(())
}

/// PT-45: only an order that rests can be left behind by a dead process.
pub(super) fn check_dead_man(look: &Look<'_>) -> Result<(), Refusal> {
    match look.plan.time_in_force {
        TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill | TimeInForce::Unpriced => {
            return Ok(());
        }
        TimeInForce::GoodTillCancel => {}
    }
    let Some(facts) = look.facts else {
        return look.missing("venue");
    };
    let window = look.limits.deadman_window;
    let (age, age_max) = match facts.dead_man {
        DeadMan::Armed {
            refreshed_at,
            window: own,
        } => (look.now.since(refreshed_at), window.min(own)),
        // Never confirmed: as old as it can be.
        DeadMan::Off | DeadMan::Unsupported => (Nanos(u64::MAX), window),
    };
    if age > age_max || age == Nanos(u64::MAX) {
        return Err(Refusal::DeadManNotArmed {
            age_ms: millis(age),
            age_ms_max: millis(age_max),
        });
    }
    Ok(())
}

/// PT-46.
pub(super) fn check_reconciled(look: &Look<'_>) -> Result<(), Refusal> {
    if look.reducing {
        return Ok(());
    }
    let Some(reconciled_at) = look.facts.and_then(|facts| facts.reconciled_at) else {
        return look.missing("reconciled_at");
    };
    let (age, age_max) = (look.now.since(reconciled_at), look.limits.recon_age_max);
    if age > age_max {
        return Err(Refusal::AccountStale {
            age_ms: millis(age),
            age_ms_max: millis(age_max),
        });
    }
    Ok(())
}

/// PT-51. Funding guards both sides of its instant; a halt guards the time before it and all after it until it is taken back.
pub(super) fn check_calendar(look: &Look<'_>) -> Result<(), Refusal> {
    if look.eases() {
        return Ok(());
    }
    let near = |event, distance: Nanos, least: Nanos| {
        if distance < least {
            return Err(Refusal::CalendarGuard {
                event,
                distance_ms: millis(distance),
                distance_ms_min: millis(least),
            });
        }
        Ok(())
    };
    let ahead = |at: MonoNanos| at.since(look.now);
    let (halt_guard, funding_guard) = (look.limits.maintenance_guard, look.limits.funding_guard);
    if let Some(at) = look.facts.and_then(|facts| facts.maintenance_at) {
        near("maintenance", ahead(at), halt_guard)?;
    }
    if let Some(at) = look.risk.halts_at {
        near("halt", ahead(at), halt_guard)?;
    }
    if let Some(at) = look.risk.next_event_at {
        let distance = Nanos(at.0.abs_diff(look.now.0));
        near("funding", distance, funding_guard)?;
    }
    Ok(())
}
