//! Reads `[recovery]`, `[dead_man]` and `[watchdog]` of `engine.toml`.

use crate::engine::recovery::{Policy, Unexplained};
use crate::exchanges::gateway::DeadManTerms;
use crate::units::Nanos;

use super::document::Report;
use super::schema;
use super::settings::{RecoverySettings, WatchdogSettings};
use super::table::Table;

/// What a start does with leftovers; `None` when something is wrong (then reported).
pub(super) fn recovery(top: &Table<'_>, report: &mut Report) -> Option<RecoverySettings> {
    let table = top.table("recovery", &schema::RECOVERY, report)?;
    let policy = table.choice("policy", report).map(|word| match word {
        "flatten" => Policy::Flatten,
        "refuse" => Policy::Refuse,
        _ => Policy::Adopt,
    });
    let unexplained = table.choice("unexplained", report).map(|word| match word {
        "adjust" => Unexplained::Adjust,
        _ => Unexplained::Hold,
    });
    let timeout = table.nanos("timeout_ms", report);
    Some(RecoverySettings {
        policy: policy?,
        unexplained: unexplained?,
        timeout: timeout?,
    })
}

/// The venues' dead-man switches; the inner `None` when they are not to be armed.
pub(super) fn dead_man(top: &Table<'_>, report: &mut Report) -> Option<Option<DeadManTerms>> {
    let table = top.table("dead_man", &schema::DEAD_MAN, report)?;
    let enabled = table.flag("enabled", report);
    let (window, refresh) = (
        table.nanos("window_ms", report),
        table.nanos("refresh_ms", report),
    );
    let terms = DeadManTerms {
        window: window?,
        refresh: refresh?,
    };
    if Nanos(terms.refresh.0.saturating_mul(2)) > terms.window {
        table.wrong(
            "refresh_ms",
            "is more than half of window_ms: one lost refresh would let it fire",
            "write at most half of window_ms",
            report,
        );
    }
    Some(enabled?.then_some(terms))
}

/// When and how a watchdog acts.
pub(super) fn watchdog(top: &Table<'_>, report: &mut Report) -> Option<WatchdogSettings> {
    let table = top.table("watchdog", &schema::WATCHDOG, report)?;
    let (grace, protection) = (
        table.nanos("grace_ms", report),
        table.ppm("protection_bps", report),
    );
    Some(WatchdogSettings {
        grace: grace?,
        protection: protection?,
    })
}
