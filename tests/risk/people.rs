//! Tom, who trades, and Olga, who answers for risk.

use arbalest::risk::{
    Hex32, KillLevel, Monitor, OperatorCommand, OperatorDone, Person, RiskOutput, Role, Scope,
};
use arbalest::units::MonoNanos;

pub const TOKEN: Hex32 = Hex32([7; 32]);

pub fn olga() -> Person {
    Person::new("olga", Role::RiskOfficer)
}
pub fn tom() -> Person {
    Person::new("tom", Role::Trader)
}

pub fn operate(
    monitor: &mut Monitor,
    command: OperatorCommand,
    now: MonoNanos,
    out: &mut Vec<RiskOutput>,
) -> OperatorDone {
    monitor.on_operator(command, now, out).unwrap()
}

/// Tom asks, Olga approves.
pub fn rearm(
    monitor: &mut Monitor,
    scope: Scope,
    to_level: KillLevel,
    now: MonoNanos,
    out: &mut Vec<RiskOutput>,
) {
    let request = OperatorCommand::RequestRearm {
        scope,
        to_level,
        by: tom(),
        reason: "understood".to_owned(),
        token: TOKEN,
    };
    let OperatorDone::RearmOffered(offer) = operate(monitor, request, now, out) else {
        panic!("no offer");
    };
    let approve = OperatorCommand::ApproveRearm {
        token: offer.token,
        state_hash: offer.state_hash,
        by: olga(),
    };
    operate(monitor, approve, now, out);
}
