//! The one table of the control API: what there is, who may, what goes in and what comes out. The router, the check of
//! roles, `/api/v1/openapi.json` and `docs/CONTROL.md` are all made from it.

use crate::risk::{Action, Role};

use super::schema::{self, Field, Shape};

/// HTTP method of a route. A GET changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// May change something, or costs the deciding thread time.
    Post,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody on this machine: says nothing of the engine.
    Open,
    /// Roles that may do this.
    May(Action),
}

impl Access {
    /// Whether a role may.
    #[must_use]
    pub const fn allows(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::May(action) => role.may(action),
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `GET status`
    Status,
    /// `GET positions`
    Positions,
    /// `GET limits`
    Limits,
    /// `GET levels`
    Levels,
    /// `GET alerts`
    Alerts,
    /// `GET closes`
    Closes,
    /// `GET openapi.json`
    OpenApi,
    /// `POST what-if`
    WhatIf,
    /// `POST halt`: K4
    Halt,
    /// `POST reduce`: K1
    Reduce,
    /// `POST flatten`: K3
    Flatten,
    /// `POST raise`
    Raise,
    /// `POST cancel-all`
    CancelAll,
    /// `POST re-arm/request`
    RequestRearm,
    /// `POST re-arm/approve`
    ApproveRearm,
    /// `POST ack`
    Acknowledge,
    /// `POST reload/propose`
    ProposeLimits,
    /// `POST reload/confirm`
    ConfirmLimits,
    /// `POST drill`
    Drill,
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, exactly.
    pub path: &'static str,
    /// What it does.
    pub op: Op,
    /// Who may.
    pub access: Access,
    /// It makes things safer: a lock-out does not stand between a person with the right token and it.
    pub is_stop: bool,
    /// In words.
    pub summary: &'static str,
    /// Fields of the JSON body; none for a GET.
    pub request: &'static [Field],
    /// The JSON answer.
    pub response: Shape,
}

const fn get(path: &'static str, op: Op, response: Shape, summary: &'static str) -> Route {
    Route {
        method: Method::Get,
        path,
        op,
        access: Access::May(Action::See),
        is_stop: false,
        summary,
        request: &[],
        response,
    }
}

const fn post(
    path: &'static str,
    op: Op,
    action: Action,
    request: &'static [Field],
    response: Shape,
    summary: &'static str,
) -> Route {
    Route {
        method: Method::Post,
        path,
        op,
        access: Access::May(action),
        is_stop: false,
        summary,
        request,
        response,
    }
}

const fn stop(
    path: &'static str,
    op: Op,
    action: Action,
    request: &'static [Field],
    summary: &'static str,
) -> Route {
    Route {
        is_stop: true,
        ..post(path, op, action, request, schema::RAISED, summary)
    }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    get(
        "/api/v1/status",
        Op::Status,
        schema::STATUS,
        "The engine in a few numbers",
    ),
    get(
        "/api/v1/positions",
        Op::Positions,
        schema::POSITIONS,
        "Every venue and symbol, closed positions included",
    ),
    get(
        "/api/v1/limits",
        Op::Limits,
        schema::LIMITS,
        "Every limit with its value and its use",
    ),
    get(
        "/api/v1/levels",
        Op::Levels,
        schema::LEVELS,
        "Every scope above level 0, with what holds it there",
    ),
    get(
        "/api/v1/alerts",
        Op::Alerts,
        schema::ALERTS,
        "The last alerts, newest first",
    ),
    get(
        "/api/v1/closes",
        Op::Closes,
        schema::CLOSES,
        "The last forced closes, newest first",
    ),
    Route {
        access: Access::Open,
        ..get(
            "/api/v1/openapi.json",
            Op::OpenApi,
            Shape::Document,
            "This description, OpenAPI 3.1",
        )
    },
    post(
        "/api/v1/what-if",
        Op::WhatIf,
        Action::Raise,
        schema::WHAT_IF_REQUEST,
        schema::WHAT_IF,
        "Judge one order by the gate as it stands, without sending it",
    ),
    stop(
        "/api/v1/halt",
        Op::Halt,
        Action::Raise,
        schema::SCOPE_REASON,
        "K4: cancel once, then send nothing; people act",
    ),
    stop(
        "/api/v1/reduce",
        Op::Reduce,
        Action::Raise,
        schema::SCOPE_REASON,
        "K1: only orders that reduce a position",
    ),
    stop(
        "/api/v1/flatten",
        Op::Flatten,
        Action::Raise,
        schema::SCOPE_REASON,
        "K3: close every position of the scope",
    ),
    stop(
        "/api/v1/raise",
        Op::Raise,
        Action::Raise,
        schema::RAISE_REQUEST,
        "Raise a scope to at least a level",
    ),
    stop(
        "/api/v1/cancel-all",
        Op::CancelAll,
        Action::CancelAll,
        schema::SCOPE_REASON,
        "Cancel the open orders of a scope; levels stay",
    ),
    post(
        "/api/v1/re-arm/request",
        Op::RequestRearm,
        Action::RequestRearm,
        schema::REARM_REQUEST,
        schema::OFFER,
        "Ask to lower a scope; answers what would be lowered and a token that is good once, for 60 s",
    ),
    post(
        "/api/v1/re-arm/approve",
        Op::ApproveRearm,
        Action::ApproveRearm,
        schema::APPROVE_REQUEST,
        schema::RAISED,
        "Lower what was asked for, if nothing changed since it was shown; K3, K4 and losses need a second person",
    ),
    post(
        "/api/v1/ack",
        Op::Acknowledge,
        Action::Acknowledge,
        &[],
        schema::RAISED,
        "You have seen the open critical alerts",
    ),
    post(
        "/api/v1/reload/propose",
        Op::ProposeLimits,
        Action::ProposeLimits,
        schema::REASON,
        schema::NEW_LIMITS,
        "Read limits.toml again: tighter limits hold at once, looser ones wait for a second person",
    ),
    post(
        "/api/v1/reload/confirm",
        Op::ConfirmLimits,
        Action::ConfirmLimits,
        schema::CONFIRM_REQUEST,
        schema::NEW_LIMITS,
        "Put the looser part of proposed limits in force",
    ),
    post(
        "/api/v1/drill",
        Op::Drill,
        Action::Raise,
        schema::SCOPE_REASON,
        schema::DRILL,
        "Rehearse flattening in paper mode and measure it; refused in live mode",
    ),
];

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A route.
    Route(&'static Route),
    /// The path exists with another method.
    OtherMethod,
    /// Nothing.
    Nothing,
}

/// Looks a raw path up: byte for byte, nothing is decoded or cleaned.
#[must_use]
pub fn find(method: &str, path: &str) -> Found {
    let mut found = Found::Nothing;
    for route in ROUTES.iter().filter(|route| route.path == path) {
        if route.method.label() == method {
            return Found::Route(route);
        }
        found = Found::OtherMethod;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_exact_and_gets_change_nothing() {
        assert!(matches!(find("GET", "/api/v1/status"), Found::Route(_)));
        assert_eq!(find("POST", "/api/v1/status"), Found::OtherMethod);
        assert_eq!(find("GET", "/api/v1/halt"), Found::OtherMethod);
        for path in [
            "/api/v1/status/",
            "/api/v1//status",
            "/api/v1/%73tatus",
            "/api/v1/../v1/status",
            "/API/v1/status",
            "",
        ] {
            assert_eq!(find("GET", path), Found::Nothing, "{path}");
        }
        for route in ROUTES {
            let reads = matches!(
                route.op,
                Op::Status
                    | Op::Positions
                    | Op::Limits
                    | Op::Levels
                    | Op::Alerts
                    | Op::Closes
                    | Op::OpenApi
            );
            assert_eq!(reads, route.method == Method::Get, "{}", route.path);
            assert_eq!(
                ROUTES
                    .iter()
                    .filter(|other| other.path == route.path)
                    .count(),
                1,
                "{}",
                route.path
            );
        }
    }
}
