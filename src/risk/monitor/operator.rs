//! What people ask: raising at once, lowering by two steps, limits by direction (RISK.md 2.3, 2.5). Who may is the table in
//! `risk/role.rs`.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::risk::levels::state::LevelState;
use crate::risk::levels::{Cause, Raise, STARTUP, contains};
use crate::risk::operator::{
    Hex32, LimitsProposed, OperatorCommand, OperatorDone, OperatorRefusal, RearmOffer,
};
use crate::risk::rearm::{Pending, Wish, same_name, sha256};
use crate::risk::role::Person;
use crate::risk::{
    Actor, Direction, KillLevel, LimitChange, Limits, LimitsChanged, RiskOutput, Scope,
};
use crate::units::MonoNanos;

use super::Monitor;
use super::rows::Control;

/// Causes that count as a loss: two people lower them whatever their level (2.5).
const LOSSES: &[&str] = &["AT-02", "AT-03", "AT-04", "AT-05", "AT-06"];

type Answer = Result<OperatorDone, OperatorRefusal>;

impl Monitor {
    /// A person asks. What follows is pushed to `out`, as everywhere.
    ///
    /// # Errors
    /// [`OperatorRefusal`]; then nothing changed.
    pub fn on_operator(
        &mut self,
        command: OperatorCommand,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> Answer {
        let (by, action) = (command.by(), command.action());
        if by.name.trim().is_empty() {
            return Err(OperatorRefusal::NoName);
        }
        if !by.role.may(action) {
            let by = by.clone();
            return Err(OperatorRefusal::Role { by, action });
        }
        let answer = match command {
            OperatorCommand::Raise {
                scope,
                level,
                by,
                reason,
            } => self.operator_raises(scope, level, by, reason, now, out),
            OperatorCommand::CancelAll { scope, .. } => {
                self.known(scope)?;
                self.cancels.push(scope);
                Ok(OperatorDone::Cancelling)
            }
            OperatorCommand::RequestRearm {
                scope,
                to_level,
                by,
                reason,
                token,
            } => self.offer_rearm(scope, to_level, by, reason, token, now),
            OperatorCommand::ApproveRearm {
                token,
                state_hash,
                by,
            } => self.approve_rearm(&token, &state_hash, &by, now, out),
            OperatorCommand::Acknowledge { .. } => {
                self.acknowledged(now, out);
                Ok(OperatorDone::Acknowledged)
            }
            OperatorCommand::ProposeLimits {
                limits,
                by,
                reason,
                token,
            } => self.propose_limits(limits, by, reason, token, now, out),
            OperatorCommand::ConfirmLimits { token, hash, by } => {
                self.confirm_limits(&token, &hash, &by, now, out)
            }
        };
        self.finish(now, out);
        answer
    }

    /// The process starts: reduce only, until [`Monitor::startup_reconciled`] (2.5).
    pub fn startup_begins(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let raise = Raise {
            scope: Scope::Portfolio,
            level: KillLevel::ReduceOnly,
            cause: STARTUP,
            latched: true,
            by: Actor::Control(STARTUP.label),
            reason: "not reconciled yet".to_owned(),
        };
        self.raise(raise, now, out);
        self.finish(now, out);
    }

    /// Start-up matched twice: its own cause goes, every other stays.
    pub fn startup_reconciled(&mut self, found: &str, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.view_changed |= self.levels.end_startup(found.to_owned(), now, out);
        self.begin_reconciled();
        self.losses.kept.reconciled = true;
        self.evaluate_all(now, out);
        self.finish(now, out);
    }

    /// Puts back the levels and latches of an earlier session. Call once, before anything may trade.
    pub fn restore_levels(&mut self, state: LevelState, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let raised: Vec<Scope> = state.entries.iter().map(|entry| entry.scope).collect();
        self.levels.restore(state, now, out);
        for scope in &raised {
            self.begin_clearing(*scope, now);
        }
        self.cancels.extend(raised);
        self.view_changed = true;
        self.finish(now, out);
    }

    /// Order entry is live: cancels of levels that were raised before it could not be sent, so every scope at K2 or above is
    /// cancelled again.
    pub fn cancel_again(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let held = self.levels.raised().into_iter();
        self.cancels.extend(
            held.filter(|(_, level)| *level >= KillLevel::CancelAll)
                .map(|(scope, _)| scope),
        );
        self.finish(now, out);
    }

    /// The levels and latches as they stand, for the record.
    #[must_use]
    pub fn level_state(&self) -> LevelState {
        self.levels.state()
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// SHA-256 of the limits in force.
    #[must_use]
    pub const fn limits_hash(&self) -> Hex32 {
        self.limits_hash
    }

    fn operator_raises(
        &mut self,
        scope: Scope,
        level: KillLevel,
        by: Person,
        reason: String,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> Answer {
        self.known(scope)?;
        if level == KillLevel::Armed {
            return Err(OperatorRefusal::NotARaise);
        }
        let from = self.levels.of_scope(scope);
        let cause = Cause {
            label: "operator",
            source: None,
        };
        let raise = Raise {
            scope,
            level,
            cause,
            latched: true,
            by: Actor::Operator(by.name),
            reason,
        };
        self.raise(raise, now, out);
        self.forget_resting(scope);
        self.evaluate_all(now, out);
        let level = self.levels.of_scope(scope);
        Ok(OperatorDone::Raised { scope, from, level })
    }

    fn offer_rearm(
        &mut self,
        scope: Scope,
        to_level: KillLevel,
        by: Person,
        reason: String,
        token: Hex32,
        now: MonoNanos,
    ) -> Answer {
        self.known(scope)?;
        if reason.trim().is_empty() {
            return Err(OperatorRefusal::NoReason);
        }
        let mut two_people = self.levels.was_flattened(scope, to_level);
        let mut causes = Vec::new();
        for (cause, level, latched, why) in self.levels.above(scope, to_level) {
            two_people |= latched && LOSSES.contains(&cause.label);
            causes.push(format!("{} {}: {why}", level.label(), cause.label));
        }
        let from = self.levels.of_scope(scope);
        if causes.is_empty() {
            return Err(OperatorRefusal::NothingToLower {
                scope,
                level: from,
                to_level,
            });
        }
        self.safe_to_rearm(scope, now)?;
        let wish = Wish::Rearm {
            scope,
            to_level,
            two_people,
        };
        let state_hash = self.state_hash();
        let expires_at = {
            let until = now.after(self.limits.kill.token);
            self.waiting
                .add(wish, by, reason, (token, state_hash), until, now)
        };
        Ok(OperatorDone::RearmOffered(RearmOffer {
            token,
            state_hash,
            expires_at,
            scope,
            from,
            to_level,
            causes,
            two_people,
        }))
    }

    fn approve_rearm(
        &mut self,
        token: &Hex32,
        shown: &Hex32,
        by: &Person,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> Answer {
        let pending = self
            .waiting
            .take(token, now)
            .ok_or(OperatorRefusal::BadToken)?;
        let Wish::Rearm {
            scope,
            to_level,
            two_people,
        } = pending.wish
        else {
            self.waiting.put_back(pending);
            return Err(OperatorRefusal::BadToken);
        };
        let now_hash = self.state_hash();
        if !now_hash.same(&pending.hash) || !shown.same(&pending.hash) {
            return Err(OperatorRefusal::StateChanged { now: now_hash });
        }
        let pending = self.by_another(pending, two_people, by)?;
        if let Err(refusal) = self.safe_to_rearm(scope, now) {
            self.waiting.put_back(pending);
            return Err(refusal);
        }
        let from = self.levels.of_scope(scope);
        let mut reason = format!("{} (asked for by {})", pending.reason, pending.by.name);
        let drawdown = Cause {
            label: Control::Drawdown.row(),
            source: None,
        };
        if self.levels.of_cause(scope, drawdown) > to_level {
            self.losses.lower_mark();
            reason.push_str("; the high-water mark begins anew");
        }
        let actor = Actor::Operator(by.name.clone());
        self.view_changed |= self.levels.lower(scope, to_level, actor, reason, now, out);
        self.forget_judged(scope, now, out);
        let until = now.after(self.limits.kill.probation);
        self.levels.start_probation(scope, until);
        self.view_changed = true;
        self.forget_resting(scope);
        self.evaluate_all(now, out);
        let level = self.levels.of_scope(scope);
        Ok(OperatorDone::Rearmed { scope, from, level })
    }

    /// The wish, if this person may approve it; put back for another otherwise.
    fn by_another(
        &mut self,
        pending: Pending,
        two_people: bool,
        by: &Person,
    ) -> Result<Pending, OperatorRefusal> {
        if two_people && same_name(&pending.by.name, &by.name) {
            let name = pending.by.name.clone();
            self.waiting.put_back(pending);
            return Err(OperatorRefusal::SamePerson(name));
        }
        Ok(pending)
    }

    fn propose_limits(
        &mut self,
        limits: Arc<Limits>,
        by: Person,
        reason: String,
        token: Hex32,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> Answer {
        if reason.trim().is_empty() {
            return Err(OperatorRefusal::NoReason);
        }
        let (tightened, changes) = self.limits.tightened(&limits, &self.catalogue);
        if changes.is_empty() {
            return Err(OperatorRefusal::SameLimits);
        }
        let hash = sha256(&limits.canonical(&self.catalogue));
        let (tighter, looser): (Vec<LimitChange>, Vec<LimitChange>) = changes
            .into_iter()
            .partition(|change| change.direction == Direction::Tighter);
        let keys = |changes: &[LimitChange]| -> Vec<String> {
            changes.iter().map(|change| change.key.clone()).collect()
        };
        let (in_force, waiting) = (keys(&tighter), keys(&looser));
        if !tighter.is_empty() {
            let actor = Actor::Operator(by.name.clone());
            self.take_limits(
                Arc::new(tightened),
                tighter,
                actor,
                reason.clone(),
                now,
                out,
            );
        }
        let expires_at = if looser.is_empty() {
            now
        } else {
            let base = self.limits_hash();
            let wish = Wish::Limits { limits, base };
            let until = now.after(self.limits.kill.token);
            self.waiting
                .add(wish, by, reason, (token, hash), until, now)
        };
        Ok(OperatorDone::LimitsProposed(LimitsProposed {
            token,
            hash,
            expires_at,
            in_force,
            waiting,
        }))
    }

    fn confirm_limits(
        &mut self,
        token: &Hex32,
        shown: &Hex32,
        by: &Person,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> Answer {
        let pending = self
            .waiting
            .take(token, now)
            .ok_or(OperatorRefusal::BadToken)?;
        let Wish::Limits { limits, base } = &pending.wish else {
            self.waiting.put_back(pending);
            return Err(OperatorRefusal::BadToken);
        };
        let limits = Arc::clone(limits);
        let now_hash = self.limits_hash();
        // Whoever tightened since must not be overruled by a set that was written before.
        if !shown.same(&pending.hash) || !now_hash.same(base) {
            let now = now_hash;
            return Err(OperatorRefusal::StateChanged { now });
        }
        let pending = self.by_another(pending, true, by)?;
        if self.levels.of_scope(Scope::Portfolio) < KillLevel::ReduceOnly {
            self.waiting.put_back(pending);
            return Err(OperatorRefusal::NotReduced);
        }
        let (_, changes) = self.limits.tightened(&limits, &self.catalogue);
        let reason = format!("{} (asked for by {})", pending.reason, pending.by.name);
        let actor = Actor::Operator(by.name.clone());
        let hash = pending.hash;
        self.take_limits(limits, changes, actor, reason, now, out);
        Ok(OperatorDone::LimitsConfirmed { hash })
    }

    fn take_limits(
        &mut self,
        limits: Arc<Limits>,
        changes: Vec<LimitChange>,
        by: Actor,
        reason: String,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        self.limits = Arc::clone(&limits);
        self.limits_hash = sha256(&limits.canonical(&self.catalogue));
        self.levels.set_rules(limits.kill.clone());
        out.push(RiskOutput::LimitsChanged(Box::new(LimitsChanged {
            hash: self.limits_hash(),
            limits,
            changes,
            by,
            reason,
            at: now,
        })));
        self.evaluate_all(now, out);
    }

    /// SHA-256 of what a person must have seen: every held level, and the limits.
    #[must_use]
    pub fn state_hash(&self) -> Hex32 {
        let mut lines: Vec<String> = self
            .levels
            .state()
            .entries
            .into_iter()
            .map(|entry| {
                let source = entry.source.map_or(String::new(), |id| id.0.to_string());
                let latch = if entry.latched { "latched" } else { "free" };
                let (scope, level, peak) = (entry.scope, entry.level.label(), entry.peak.label());
                format!("{scope:?} {} {source} {level} {peak} {latch}", entry.cause)
            })
            .collect();
        lines.sort_unstable();
        let mut text = lines.join("\n");
        let written = write!(text, "\nlimits {}", self.limits_hash());
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
        sha256(&text)
    }

    /// Closes that were handed over may be tried again.
    fn forget_resting(&mut self, scope: Scope) {
        for (instrument, watch) in self.catalogue.all().iter().zip(&mut self.watches) {
            if contains(scope, instrument) {
                watch.resting = None;
            }
        }
    }

    /// Whether a scope names something that exists.
    fn known(&self, scope: Scope) -> Result<(), OperatorRefusal> {
        let exists = match scope {
            Scope::Portfolio => true,
            Scope::Strategy(id) => usize::from(id.0) < self.strategy_count,
            Scope::Venue(_) | Scope::Asset(_) | Scope::Symbol(_) | Scope::Instrument(_) => self
                .catalogue
                .all()
                .iter()
                .any(|instrument| contains(scope, instrument)),
        };
        if exists {
            Ok(())
        } else {
            Err(OperatorRefusal::UnknownScope(scope.label()))
        }
    }
}
