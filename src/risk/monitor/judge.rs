//! How a measured value stands against its limits, and what follows: warning, level, alert, clearing. One rule for all controls.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::InstrumentId;
use crate::risk::levels::{Cause, Raise, contains};
use crate::risk::{Actor, AlertKind, Amount, KillLevel, LimitUse, RiskOutput, Scope, Severity};
use crate::units::{MonoNanos, Nanos, Ppm};

use super::rows::Control;
use super::{Monitor, alert};

/// Below this share of the limit a condition counts as gone (RISK.md 2.5).
const CLEAR_AT: Decimal = Decimal::from_parts(8, 0, 0, false, 1);

/// What a value beyond a limit raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tier {
    pub(super) limit: Decimal,
    /// Armed: an alert and nothing more.
    pub(super) level: KillLevel,
    pub(super) latched: bool,
}

impl Tier {
    /// A tier that clears by itself.
    pub(super) const fn auto(limit: Decimal, level: KillLevel) -> Option<Self> {
        Some(Self {
            limit,
            level,
            latched: false,
        })
    }
    /// A tier that only people take back.
    pub(super) const fn latched(limit: Decimal, level: KillLevel) -> Option<Self> {
        Some(Self {
            limit,
            level,
            latched: true,
        })
    }
}

/// Which side of a limit is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    Above,
    Below,
}

/// One value of one control in one scope, with its limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) control: Control,
    pub(super) scope: Scope,
    /// The instrument whose state is the condition.
    pub(super) source: Option<InstrumentId>,
    /// `None`: it cannot be told; then nothing changes, and nothing clears.
    pub(super) value: Option<Decimal>,
    /// Warns from here on; `None` is the configured share of the first limit.
    pub(super) warn: Option<Decimal>,
    /// Ascending in severity; the first is the limit that is shown.
    pub(super) tiers: [Option<Tier>; 2],
    pub(super) bad: Bad,
    /// How long the condition must be gone; `None` is the configured cool-down.
    pub(super) cooldown: Option<Nanos>,
}

impl Reading {
    /// A value that is bad above its limit, or below it ([`Control::less_is_worse`]).
    pub(super) const fn new(
        control: Control,
        scope: Scope,
        value: Option<Decimal>,
        tier: Option<Tier>,
    ) -> Self {
        Self {
            control,
            scope,
            source: None,
            value,
            warn: None,
            tiers: [tier, None],
            bad: if control.less_is_worse() {
                Bad::Below
            } else {
                Bad::Above
            },
            cooldown: None,
        }
    }
    /// With a second, harder limit.
    pub(super) const fn then(mut self, tier: Option<Tier>) -> Self {
        self.tiers[1] = tier;
        self
    }
    /// With its own warning.
    pub(super) const fn warns_at(mut self, warn: Decimal) -> Self {
        self.warn = Some(warn);
        self
    }

    fn beyond(&self, limit: Decimal) -> bool {
        let bad = self.bad;
        self.value.is_some_and(|value| match bad {
            Bad::Above => value > limit,
            Bad::Below => value < limit,
        })
    }

    /// The hardest tier that the value is beyond.
    fn tier(&self) -> Option<Tier> {
        let beyond = self.tiers.iter().flatten().rev();
        beyond.copied().find(|tier| self.beyond(tier.limit))
    }

    /// Beyond its limit it wakes somebody: a level follows, here or (AT-15) in a later step. What only alerts is a warning.
    fn is_loud(&self) -> bool {
        self.control == Control::LegImbalance
            || self
                .tier()
                .is_some_and(|tier| tier.level > KillLevel::Armed)
    }

    fn is_near(&self, warn_at: Ppm) -> bool {
        let (Some(value), Some(first)) = (self.value, self.tiers[0]) else {
            return false;
        };
        match (self.bad, self.warn) {
            (Bad::Above, Some(warn)) => value > warn,
            (Bad::Below, Some(warn)) => value < warn,
            (Bad::Above, None) => value > Decimal::ZERO && value >= share(first.limit, warn_at),
            (Bad::Below, None) => share(value, warn_at) <= first.limit,
        }
    }

    /// Well within the first limit.
    fn is_clear(&self) -> bool {
        let (Some(value), Some(first)) = (self.value, self.tiers[0]) else {
            return false;
        };
        let times = |value: Decimal| value.checked_mul(CLEAR_AT);
        match self.bad {
            Bad::Above => times(first.limit).is_some_and(|bound| value <= bound),
            Bad::Below => times(value).is_some_and(|bound| bound >= first.limit),
        }
    }
}

fn share(value: Decimal, share: Ppm) -> Decimal {
    value
        .checked_mul(Decimal::new(share.0, 6))
        .unwrap_or(Decimal::MAX)
}

/// How a control stands in one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Standing {
    #[default]
    Fine,
    Near,
    Over,
}

/// Standing, last value and the limit it was compared with.
type Verdict = (Standing, Option<Decimal>, Option<Decimal>);

/// Everything that was judged, by control and scope. Several instruments may speak for one scope (a symbol at two venues): each
/// keeps its own verdict, the worst counts.
#[derive(Debug, Default)]
pub(super) struct Judged(BTreeMap<(Control, Scope, Option<InstrumentId>), Verdict>);

impl Judged {
    /// How a control stands.
    pub(super) fn standing(&self, control: Control, scope: Scope) -> Standing {
        self.worst(control, scope)
            .map_or(Standing::Fine, |(standing, _, _)| *standing)
    }
    /// The verdict of the instrument that stands worst.
    fn worst(&self, control: Control, scope: Scope) -> Option<&Verdict> {
        let all = (control, scope, None)..=(control, scope, Some(InstrumentId(u16::MAX)));
        self.0.range(all).map(|(_, verdict)| verdict).max()
    }
    /// Forgets how a scope stands; returns the controls that were near or over.
    fn forget(&mut self, scope: Scope) -> Vec<Control> {
        let mut told = Vec::new();
        self.0.retain(|(control, other, _), (standing, _, _)| {
            if *other == scope && *standing > Standing::Fine && !told.contains(control) {
                told.push(*control);
            }
            *other != scope
        });
        told
    }
    /// Value and limit of a control that is over its limit.
    pub(super) fn over(&self, control: Control, scope: Scope) -> Option<(Decimal, Decimal)> {
        match self.worst(control, scope) {
            Some((Standing::Over, value, limit)) => Some(((*value)?, (*limit)?)),
            _ => None,
        }
    }
    /// The scopes in which a control is over its limit.
    pub(super) fn beyond(&self, control: Control) -> Vec<Scope> {
        let all = self.0.iter().filter(|((other, _, _), (standing, _, _))| {
            *other == control && *standing == Standing::Over
        });
        let mut scopes: Vec<Scope> = all.map(|((_, scope, _), _)| *scope).collect();
        scopes.dedup();
        scopes
    }
    /// Rows for the page and the metrics.
    pub(super) fn uses(&self) -> impl Iterator<Item = LimitUse> {
        let mut rows: Vec<(Control, Scope)> = self
            .0
            .keys()
            .map(|(control, scope, _)| (*control, *scope))
            .collect();
        rows.dedup();
        rows.into_iter().filter_map(|(control, scope)| {
            let (_, value, limit) = self.worst(control, scope)?;
            Some(LimitUse {
                row: control.row(),
                word: control.word(),
                scope,
                value: value.map(Amount::of_decimal),
                limit: Amount::of_decimal((*limit)?),
                less_is_worse: control.less_is_worse(),
            })
        })
    }
}

impl Monitor {
    /// Judges readings, in order.
    pub(super) fn judge_all(
        &mut self,
        readings: &[Reading],
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        for reading in readings {
            self.judge(reading, now, out);
        }
    }

    /// Compares one value with its limits and does what follows.
    pub(super) fn judge(&mut self, reading: &Reading, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let key = (reading.control, reading.scope, reading.source);
        let before = self.judged.standing(reading.control, reading.scope);
        let tier = reading.tier();
        let standing = match tier {
            Some(_) => Standing::Over,
            None if reading.is_near(self.limits.warn_at) => Standing::Near,
            None => Standing::Fine,
        };
        let shown = tier.or(reading.tiers[0]).map(|tier| tier.limit);
        let known = self.judged.0.entry(key).or_default();
        let own_before = known.0;
        if reading.value.is_none() {
            known.1 = None;
            known.2 = shown;
            return;
        }
        *known = (standing, reading.value, shown);
        if let Some(tier) = tier.filter(|tier| tier.level > KillLevel::Armed) {
            self.raise_tier(reading, tier, now, out);
        } else {
            let (cause, wait) = (
                cause(reading),
                reading.cooldown.unwrap_or(self.limits.cooldown),
            );
            let clear = reading.is_clear() && standing != Standing::Over;
            self.view_changed |= self
                .levels
                .settle_in(reading.scope, cause, clear, wait, now, out);
        }
        if standing != own_before {
            self.view_changed = true;
            self.warn(reading.scope, cause(reading), standing > Standing::Fine);
        }
        let whole = self.judged.standing(reading.control, reading.scope);
        if whole != before {
            self.tell_standing(reading, whole, shown, now, out);
        }
    }

    /// People re-armed a scope: what was counted and judged there begins anew, and warns again only by what comes now.
    pub(super) fn forget_judged(
        &mut self,
        scope: Scope,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        self.twins.forget_counts(scope, &self.catalogue);
        // AT-01 and AT-02: who lowered what they raised has seen them.
        for instrument in self
            .catalogue
            .all()
            .iter()
            .filter(|one| contains(scope, one))
        {
            for kind in [AlertKind::PositionOverLimit, AlertKind::LossOverLimit] {
                let place = Scope::Instrument(instrument.id);
                self.people.note(kind, place, false, now);
            }
        }
        for control in self.judged.forget(scope) {
            let kind = AlertKind::Control(control);
            self.levels.forget_near(scope, control.row());
            self.people.note(kind, scope, false, now);
            out.push(alert(kind, Severity::Info, scope, None, false, now));
        }
    }

    fn raise_tier(
        &mut self,
        reading: &Reading,
        tier: Tier,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let cause = cause(reading);
        if self
            .levels
            .holds(reading.scope, cause, tier.level, tier.latched)
        {
            return;
        }
        let value = reading.value.unwrap_or_default().normalize();
        let (word, limit) = (reading.control.word(), tier.limit.normalize());
        let raise = Raise {
            scope: reading.scope,
            level: tier.level,
            cause,
            latched: tier.latched,
            by: Actor::Control(reading.control.row()),
            reason: format!("{word} {value} was beyond {limit}"),
        };
        self.raise(raise, now, out);
    }

    fn tell_standing(
        &mut self,
        reading: &Reading,
        standing: Standing,
        limit: Option<Decimal>,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let numbers = reading
            .value
            .zip(limit)
            .map(|(value, limit)| (Amount::of_decimal(value), Amount::of_decimal(limit)));
        let (severity, raised) = match standing {
            Standing::Fine => (Severity::Info, false),
            Standing::Over if reading.is_loud() => (Severity::Critical, true),
            Standing::Near | Standing::Over => (Severity::Warning, true),
        };
        let kind = AlertKind::Control(reading.control);
        if reading.control != Control::Unacknowledged {
            let critical = severity == Severity::Critical;
            self.people.note(kind, reading.scope, critical, now);
        }
        out.push(alert(kind, severity, reading.scope, numbers, raised, now));
    }
}

const fn cause(reading: &Reading) -> Cause {
    Cause {
        label: reading.control.row(),
        source: reading.source,
    }
}
