//! What people ask, carried to the seats: the engine's side of the control port.
//!
//! Reading borrows the monitor for a moment on its own thread; acting is a message to the risk seat, which judges it again.
//! Only a what-if touches the signal seat, and it works on a copy. Every action and every refusal is written to the journal.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::config::{ConfigError, Settings};
use crate::engine::control::{
    Caller, Control, ControlAnswer, ControlError, ControlFuture, ControlRequest, RefusedRequest,
};
use crate::journal::rows::ControlRecord;
use crate::journal::{Journal, Names, Record};
use crate::prng::secret_bytes;
use crate::risk::{
    Hex32, KillLevel, Limits, Monitor, OperatorCommand, OperatorDone, OperatorRefusal, Person,
    Scope,
};
use crate::units::MonoNanos;

use super::mailbox::Ask;
use super::risk::{InspectRisk, Operator};
use super::sampler::Handles;

mod answers;
mod what_if;

/// Longest rehearsal.
const DRILL_WAIT: Duration = Duration::from_secs(60);
/// How often a rehearsal looks.
const DRILL_LOOK: Duration = Duration::from_millis(50);

/// The control port of a running engine. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct SeatControl {
    pub(super) handles: Handles,
    /// Weak: a person who is connected must not keep the journal open.
    pub(super) journal: Weak<Journal>,
    /// Where limits are read again; none for built-in configurations.
    pub(super) config_dir: Option<PathBuf>,
}

/// What of a request stands in the audit trail.
struct Told {
    action: &'static str,
    scope: String,
    reason: String,
}

impl Control for SeatControl {
    fn ask(&self, caller: Caller, request: ControlRequest) -> ControlFuture {
        let control = self.clone();
        Box::pin(async move {
            let told = request.is_change().then(|| told(&request));
            let answer = control.answer(&caller.person, request).await;
            if let Some(told) = told {
                control.write_down(&caller, told, &answer);
            }
            answer
        })
    }

    fn refused(&self, refused: RefusedRequest) {
        let left_out = match refused.unwritten {
            0 => String::new(),
            count => format!("; {count} more since the last one"),
        };
        self.append(ControlRecord {
            by: refused.name,
            role: refused.role.unwrap_or_default(),
            origin: refused.from,
            action: refused.what,
            scope: String::new(),
            reason: String::new(),
            accepted: false,
            result: format!("{}{left_out}", refused.reason),
        });
    }
}

impl SeatControl {
    fn names(&self) -> Names<'_> {
        Names {
            catalogue: &self.handles.catalogue,
            strategies: &self.handles.facts.strategies,
        }
    }

    async fn answer(
        &self,
        person: &Person,
        request: ControlRequest,
    ) -> Result<ControlAnswer, ControlError> {
        let by = person.clone();
        match request {
            ControlRequest::Status => self.status().await,
            ControlRequest::Positions => self.positions().await,
            ControlRequest::Limits => self.limits().await,
            ControlRequest::Levels => self.levels().await,
            ControlRequest::Alerts => Ok(self.alerts()),
            ControlRequest::Closes => Ok(self.closes()),
            ControlRequest::WhatIf(order) => self.what_if(order).await,
            ControlRequest::Raise {
                scope,
                level,
                reason,
            } => {
                let scope = self.scope(&scope)?;
                let command = OperatorCommand::Raise {
                    scope,
                    level,
                    by,
                    reason,
                };
                self.operate(command).await
            }
            ControlRequest::CancelAll { scope, reason } => {
                let scope = self.scope(&scope)?;
                let command = OperatorCommand::CancelAll { scope, by, reason };
                self.operate(command).await
            }
            ControlRequest::Acknowledge => self.operate(OperatorCommand::Acknowledge { by }).await,
            ControlRequest::Drill { scope, reason } => self.drill(by, &scope, reason).await,
            two_steps @ (ControlRequest::RequestRearm { .. }
            | ControlRequest::ApproveRearm { .. }
            | ControlRequest::ProposeLimits { .. }
            | ControlRequest::ConfirmLimits { .. }) => {
                let command = self.two_steps(by, two_steps)?;
                self.operate(command).await
            }
        }
    }

    /// What one person asks for and another approves, as a command.
    fn two_steps(
        &self,
        by: Person,
        request: ControlRequest,
    ) -> Result<OperatorCommand, ControlError> {
        Ok(match request {
            ControlRequest::RequestRearm {
                scope,
                level,
                reason,
            } => OperatorCommand::RequestRearm {
                scope: self.scope(&scope)?,
                to_level: level,
                by,
                reason,
                token: one_time_token()?,
            },
            ControlRequest::ApproveRearm { token, state_hash } => OperatorCommand::ApproveRearm {
                token: hex32("token", &token)?,
                state_hash: hex32("state_hash", &state_hash)?,
                by,
            },
            ControlRequest::ProposeLimits { reason } => OperatorCommand::ProposeLimits {
                limits: self.read_limits()?,
                by,
                reason,
                token: one_time_token()?,
            },
            ControlRequest::ConfirmLimits { token, hash } => OperatorCommand::ConfirmLimits {
                token: hex32("token", &token)?,
                hash: hex32("hash", &hash)?,
                by,
            },
            ControlRequest::Acknowledge
            | ControlRequest::Status
            | ControlRequest::Positions
            | ControlRequest::Limits
            | ControlRequest::Levels
            | ControlRequest::Alerts
            | ControlRequest::Closes
            | ControlRequest::WhatIf(_)
            | ControlRequest::Raise { .. }
            | ControlRequest::CancelAll { .. }
            | ControlRequest::Drill { .. } => {
                return Err(ControlError::Wrong("this takes one step".to_owned()));
            }
        })
    }

    fn scope(&self, text: &str) -> Result<Scope, ControlError> {
        self.names().scope_of(text).ok_or_else(|| {
            ControlError::Wrong(format!(
                "there is no scope {text}: write portfolio, venue:ID, asset:BTC, symbol:BTC/USDT, instrument:ID:BTC/USDT or \
                 strategy:ID, with names of this configuration"
            ))
        })
    }

    async fn send(
        &self,
        command: OperatorCommand,
    ) -> Result<Result<OperatorDone, OperatorRefusal>, ControlError> {
        let answer = self.handles.risk.ask(Operator(command)).await;
        answer.ok_or(ControlError::Unavailable)
    }

    async fn operate(&self, command: OperatorCommand) -> Result<ControlAnswer, ControlError> {
        let done = self
            .send(command)
            .await?
            .map_err(|refusal| refused(&refusal))?;
        Ok(self.done(done))
    }

    /// Borrows the monitor for a question.
    async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Monitor, MonoNanos) -> T + Send + 'static,
    ) -> Result<T, ControlError> {
        let (sender, receiver) = oneshot::channel();
        let question = Box::new(move |monitor: &Monitor, now: MonoNanos| {
            if sender.send(question(monitor, now)).is_err() {
                tracing::debug!("nobody waits for the risk seat's answer");
            }
        });
        let asked = self.handles.risk.ask(InspectRisk(question)).await;
        asked.ok_or(ControlError::Unavailable)?;
        receiver.await.map_err(|_gone| ControlError::Unavailable)
    }

    fn read_limits(&self) -> Result<Arc<Limits>, ControlError> {
        let Some(directory) = &self.config_dir else {
            return Err(ControlError::Refused(
                "the limits are the built-in ones: start with --config DIR to have a limits.toml"
                    .to_owned(),
            ));
        };
        let settings = Settings::load(directory).map_err(|error: ConfigError| {
            let text = error.to_string();
            let text = text.trim_end().trim_end_matches("nothing was started");
            ControlError::Wrong(format!("the limits in force stay: {}", text.trim_end()))
        })?;
        let limits = settings
            .limits(&self.handles.catalogue)
            .map_err(|error| ControlError::Wrong(format!("the limits in force stay: {error}")))?;
        Ok(Arc::new(limits))
    }

    /// Raises a scope to K3, waits until it is flat, and measures.
    async fn drill(
        &self,
        by: Person,
        scope_text: &str,
        reason: String,
    ) -> Result<ControlAnswer, ControlError> {
        if !self.handles.facts.paper {
            return Err(ControlError::Refused(
                "this engine trades real money: rehearse with 'arbalest drill' or a paper engine"
                    .to_owned(),
            ));
        }
        let scope = self.scope(scope_text)?;
        let open_before = self.look(open_positions).await?;
        let closes_before = self.handles.board.read().closes_started;
        let began = self.handles.clock.now();
        let command = OperatorCommand::Raise {
            scope,
            level: KillLevel::Flatten,
            by,
            reason: format!("drill: {reason}"),
        };
        self.send(command)
            .await?
            .map_err(|refusal| refused(&refusal))?;
        let mut flat = false;
        while !flat && self.handles.clock.now().since(began).as_duration() < DRILL_WAIT {
            tokio::time::sleep(DRILL_LOOK).await;
            flat = self.look(is_flat_where_flattened).await?;
        }
        let took = self.handles.clock.now().since(began);
        Ok(self.drilled(scope_text, open_before, closes_before, flat, took))
    }

    fn write_down(
        &self,
        caller: &Caller,
        told: Told,
        answer: &Result<ControlAnswer, ControlError>,
    ) {
        self.append(ControlRecord {
            by: caller.person.name.clone(),
            role: caller.person.role.label().to_owned(),
            origin: caller.from.clone(),
            action: told.action.to_owned(),
            scope: told.scope,
            reason: told.reason,
            accepted: answer.is_ok(),
            result: match answer {
                Ok(answer) => answers::in_words(answer),
                Err(error) => format!("{}: {error}", error.label()),
            },
        });
    }

    fn append(&self, record: ControlRecord) {
        if let Some(journal) = self.journal.upgrade()
            && let Err(error) = journal.append(Record::ControlAction(record))
        {
            tracing::error!("a control action is not in the journal: {error}");
        }
    }
}

fn told(request: &ControlRequest) -> Told {
    let (action, scope, reason) = match request {
        ControlRequest::Raise {
            scope,
            level,
            reason,
        } => {
            let action = match level {
                KillLevel::Armed => "raise_nothing",
                KillLevel::ReduceOnly => "reduce",
                KillLevel::CancelAll => "raise_cancel_all",
                KillLevel::Flatten => "flatten",
                KillLevel::Halt => "halt",
            };
            (action, scope.as_str(), reason.as_str())
        }
        ControlRequest::CancelAll { scope, reason } => {
            ("cancel_all", scope.as_str(), reason.as_str())
        }
        ControlRequest::RequestRearm { scope, reason, .. } => {
            ("request_rearm", scope.as_str(), reason.as_str())
        }
        ControlRequest::ApproveRearm { .. } => ("approve_rearm", "", ""),
        ControlRequest::Acknowledge => ("acknowledge", "", ""),
        ControlRequest::ProposeLimits { reason } => ("propose_limits", "", reason.as_str()),
        ControlRequest::ConfirmLimits { .. } => ("confirm_limits", "", ""),
        ControlRequest::Drill { scope, reason } => ("drill", scope.as_str(), reason.as_str()),
        ControlRequest::Status
        | ControlRequest::Positions
        | ControlRequest::Limits
        | ControlRequest::Levels
        | ControlRequest::Alerts
        | ControlRequest::Closes
        | ControlRequest::WhatIf(_) => ("read", "", ""),
    };
    Told {
        action,
        scope: scope.to_owned(),
        reason: reason.to_owned(),
    }
}

fn refused(refusal: &OperatorRefusal) -> ControlError {
    if let OperatorRefusal::UnknownScope(_) = refusal {
        return ControlError::Wrong(refusal.to_string());
    }
    ControlError::Refused(refusal.to_string())
}

fn one_time_token() -> Result<Hex32, ControlError> {
    secret_bytes()
        .map(Hex32)
        .map_err(|error| ControlError::Refused(error.to_string()))
}

fn hex32(key: &str, text: &str) -> Result<Hex32, ControlError> {
    Hex32::parse(text)
        .ok_or_else(|| ControlError::Wrong(format!("{key} is not 64 hexadecimal digits")))
}

fn open_positions(monitor: &Monitor, now: MonoNanos) -> u64 {
    let snapshot = monitor.snapshot(now);
    let open = snapshot.instruments.iter().filter(|one| !one.qty.is_zero());
    open.count() as u64
}

/// Nothing is being closed, and what was to be flattened is flat or could not be closed further.
fn is_flat_where_flattened(monitor: &Monitor, now: MonoNanos) -> bool {
    monitor
        .snapshot(now)
        .instruments
        .iter()
        .all(|one| one.level != KillLevel::Flatten || one.close.is_none())
}
