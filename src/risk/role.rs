//! Who may ask for what: roles and the table of RISK.md 2.5 and S07. What the table does not name is denied.

/// A person's role. A strategy has none: it can ask for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Trades: may stop things and ask for a re-arm, never lower a level.
    Trader,
    /// Answers for risk: the only role that lowers a level or confirms looser limits.
    RiskOfficer,
    /// Runs the process and its files: may stop things and propose limits, never lower a level.
    Admin,
}

/// What a person may ask of the risk seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Read levels, positions and limits.
    See,
    /// Raise a level.
    Raise,
    /// Cancel open orders without a change of level.
    CancelAll,
    /// Acknowledge open critical alerts.
    Acknowledge,
    /// Ask for a lower level.
    RequestRearm,
    /// Lower a level.
    ApproveRearm,
    /// Put new limits in force as far as they are tighter.
    ProposeLimits,
    /// Put the looser ones in force.
    ConfirmLimits,
}

impl Action {
    /// Every action, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::See,
        Self::Raise,
        Self::CancelAll,
        Self::Acknowledge,
        Self::RequestRearm,
        Self::ApproveRearm,
        Self::ProposeLimits,
        Self::ConfirmLimits,
    ];
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Raise => "raise",
            Self::CancelAll => "cancel_all",
            Self::Acknowledge => "acknowledge",
            Self::RequestRearm => "request_rearm",
            Self::ApproveRearm => "approve_rearm",
            Self::ProposeLimits => "propose_limits",
            Self::ConfirmLimits => "confirm_limits",
        }
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Trader, Self::RiskOfficer, Self::Admin];
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::RiskOfficer => "risk_officer",
            Self::Admin => "admin",
        }
    }
    /// The role of a word, as in [`Role::label`].
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label)
    }
    /// Whether this role may ask for that.
    #[must_use]
    pub const fn may(self, action: Action) -> bool {
        match (self, action) {
            (_, Action::See)
            | (
                Self::Trader | Self::RiskOfficer | Self::Admin,
                Action::Raise | Action::CancelAll | Action::Acknowledge | Action::RequestRearm,
            )
            | (Self::RiskOfficer | Self::Admin, Action::ProposeLimits)
            | (Self::RiskOfficer, Action::ApproveRearm | Action::ConfirmLimits) => true,
            (Self::Viewer | Self::Trader | Self::Admin, _) => false,
        }
    }
}

/// Somebody with a name and a role, as the caller authenticated them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name; two people are two names.
    pub name: String,
    /// Role.
    pub role: Role,
}

impl Person {
    /// A person.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
        }
    }
}
