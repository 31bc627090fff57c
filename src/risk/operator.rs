//! What people ask of the risk seat and what it answers.

use std::fmt;
use std::sync::Arc;

use crate::units::MonoNanos;

use super::role::{Action, Person};
use super::{Amount, KillLevel, Limits, Scope};

/// 32 bytes shown as 64 hex digits: a one-time token (the caller's random bytes) or a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex32(pub [u8; 32]);

impl Hex32 {
    /// From 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
    /// Equal, in a time that does not depend on where they differ.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let differences = self.0.iter().zip(&other.0);
        differences.fold(0, |all, (left, right)| all | (left ^ right)) == 0
    }
}

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for Hex32 {
    /// The beginning only: a token must not stand in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "Hex32({first:02x}{second:02x}..)")
    }
}

/// What a person asks. Raising needs no more than a role; lowering is asked for, shown, and approved (RISK.md 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorCommand {
    /// Raise a scope to at least this level. Idempotent.
    Raise {
        /// Where.
        scope: Scope,
        /// To which level; Armed raises nothing and is refused.
        level: KillLevel,
        /// Who.
        by: Person,
        /// In words.
        reason: String,
    },
    /// Cancel the open orders of a scope, levels as they are.
    CancelAll {
        /// Where.
        scope: Scope,
        /// Who.
        by: Person,
        /// In words.
        reason: String,
    },
    /// Ask to lower a scope to at most this level. Answered with what would be lowered and its hash.
    RequestRearm {
        /// Where.
        scope: Scope,
        /// To which level.
        to_level: KillLevel,
        /// Who.
        by: Person,
        /// In words; required.
        reason: String,
        /// 32 random bytes of the caller: the rooms make no chance.
        token: Hex32,
    },
    /// Lower what was asked for, if nothing changed since it was shown.
    ApproveRearm {
        /// As given with the request.
        token: Hex32,
        /// As answered to the request.
        state_hash: Hex32,
        /// Who.
        by: Person,
    },
    /// Somebody has seen the open critical alerts (AT-31).
    Acknowledge {
        /// Who.
        by: Person,
    },
    /// Put new limits in force; see [`LimitsProposed`].
    ProposeLimits {
        /// All of them.
        limits: Arc<Limits>,
        /// Who.
        by: Person,
        /// In words; required.
        reason: String,
        /// 32 random bytes of the caller.
        token: Hex32,
    },
    /// Put the looser part of proposed limits in force.
    ConfirmLimits {
        /// As given with the proposal.
        token: Hex32,
        /// As answered to the proposal.
        hash: Hex32,
        /// Who.
        by: Person,
    },
}

impl OperatorCommand {
    /// Who asks.
    #[must_use]
    pub const fn by(&self) -> &Person {
        match self {
            Self::Raise { by, .. }
            | Self::CancelAll { by, .. }
            | Self::RequestRearm { by, .. }
            | Self::ApproveRearm { by, .. }
            | Self::Acknowledge { by }
            | Self::ProposeLimits { by, .. }
            | Self::ConfirmLimits { by, .. } => by,
        }
    }
    /// What for.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Raise { .. } => Action::Raise,
            Self::CancelAll { .. } => Action::CancelAll,
            Self::RequestRearm { .. } => Action::RequestRearm,
            Self::ApproveRearm { .. } => Action::ApproveRearm,
            Self::Acknowledge { .. } => Action::Acknowledge,
            Self::ProposeLimits { .. } => Action::ProposeLimits,
            Self::ConfirmLimits { .. } => Action::ConfirmLimits,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorDone {
    /// The scope stands at `level` now; it stood at `from`.
    Raised {
        /// Where.
        scope: Scope,
        /// Before.
        from: KillLevel,
        /// Now: at least what was asked.
        level: KillLevel,
    },
    /// Cancels were handed to the desk.
    Cancelling,
    /// Nothing is lowered yet: approve this.
    RearmOffered(RearmOffer),
    /// The scope was lowered.
    Rearmed {
        /// Where.
        scope: Scope,
        /// Before.
        from: KillLevel,
        /// Now.
        level: KillLevel,
    },
    /// Noted.
    Acknowledged,
    /// What became of proposed limits.
    LimitsProposed(LimitsProposed),
    /// All proposed limits are in force.
    LimitsConfirmed {
        /// SHA-256 of the limits in force.
        hash: Hex32,
    },
}

/// What would be lowered: shown to people before one approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RearmOffer {
    /// As given with the request; good once.
    pub token: Hex32,
    /// SHA-256 of the levels, latches and limits that were shown.
    pub state_hash: Hex32,
    /// The token is worth nothing from here on.
    pub expires_at: MonoNanos,
    /// Where.
    pub scope: Scope,
    /// Level now.
    pub from: KillLevel,
    /// Level after.
    pub to_level: KillLevel,
    /// What holds the scope up.
    pub causes: Vec<String>,
    /// The approver must be another person than the requester.
    pub two_people: bool,
}

/// What became of proposed limits: the tighter ones are in force, the looser ones wait for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsProposed {
    /// As given with the proposal; good once, and only if something waits.
    pub token: Hex32,
    /// SHA-256 of the proposed limits.
    pub hash: Hex32,
    /// The token is worth nothing from here on.
    pub expires_at: MonoNanos,
    /// Keys whose new value is in force.
    pub in_force: Vec<String>,
    /// Keys whose new value waits.
    pub waiting: Vec<String>,
}

/// What must be true before a level is lowered (RISK.md 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Ours and the venue's word agree; value and limit are ages in ms, or unheard.
    PositionsMatched,
    /// No order with an unknown outcome; value is their number.
    NoUnknownOrders,
    /// The feed was without a fault and not silent for long enough; value and limit in ms.
    FeedHealthy,
    /// The venue's clock and ours agree and ours did not step; value and limit in ms.
    ClockGood,
    /// The journal writes and is not behind; value and limit in ms.
    JournalGood,
    /// Something of the loss budget is left; value is the loss.
    LossBudget,
}

impl Need {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PositionsMatched => "positions_matched",
            Self::NoUnknownOrders => "no_unknown_orders",
            Self::FeedHealthy => "feed_healthy",
            Self::ClockGood => "clock_good",
            Self::JournalGood => "journal_good",
            Self::LossBudget => "loss_budget",
        }
    }
}

/// One need that is not met, with its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet {
    /// Which.
    pub need: Need,
    /// Where.
    pub scope: Scope,
    /// Measured; `None` when it was never heard.
    pub value: Option<Amount>,
    /// Allowed.
    pub limit: Amount,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.need.label();
        match self.value {
            Some(value) => write!(
                f,
                "{what} ({}): {value}, allowed {}",
                self.scope.label(),
                self.limit
            ),
            None => write!(
                f,
                "{what} ({}): never heard, allowed {}",
                self.scope.label(),
                self.limit
            ),
        }
    }
}

/// Why a command was not carried out. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorRefusal {
    /// RISK.md S07.
    #[error("role {role} may not {action}: ask somebody whose role may", role = .by.role.label(), action = .action.label())]
    Role {
        /// Who asked.
        by: Person,
        /// What for.
        action: Action,
    },
    /// A name is what the two-person rule compares.
    #[error("the name is empty: every command needs the name of a person")]
    NoName,
    /// RISK.md 2.5: a written reason.
    #[error("the reason is empty: lowering a level or changing limits needs one in words")]
    NoReason,
    /// Raising to Armed would be no raise.
    #[error("level armed raises nothing: raise to reduce_only or above, or ask for a re-arm")]
    NotARaise,
    /// The scope names something that does not exist.
    #[error("there is no such {0}: nothing of the catalogue or the strategies is in it")]
    UnknownScope(&'static str),
    /// The scope stands there already, or only start-up holds it.
    #[error("{scope} stands at {level} and nothing a person may lower holds it above {to_level}", scope = .scope.label(), level = .level.label(), to_level = .to_level.label())]
    NothingToLower {
        /// Where.
        scope: Scope,
        /// Its level.
        level: KillLevel,
        /// What was asked for.
        to_level: KillLevel,
    },
    /// RISK.md 2.5: preconditions checked by code.
    #[error("not safe to re-arm: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unmet(Vec<Unmet>),
    /// Unknown, used, replaced or too old: they are not told apart.
    #[error("the token is unknown, used or older than its lifetime: ask again")]
    BadToken,
    /// Something changed since the offer was shown; the token is spent.
    #[error("the state changed since it was shown (now {now}): look again and ask again")]
    StateChanged {
        /// Hash of what stands now.
        now: Hex32,
    },
    /// RISK.md 2.5: requester and approver.
    #[error("{0} asked for it: a second person must approve")]
    SamePerson(String),
    /// The proposed limits are those in force.
    #[error("these limits are in force already")]
    SameLimits,
    /// RISK.md 2.5: raising a limit takes effect only at K1 or lower risk.
    #[error("looser limits take effect only from reduce_only upwards: raise the portfolio first")]
    NotReduced,
}
