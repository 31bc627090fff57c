//! Tom, who trades, and Olga, who answers for risk.

use arbalest::market::{InstrumentId, VenueId};
use arbalest::risk::{
    Hex32, KillLevel, Monitor, OperatorCommand, OperatorDone, Person, RiskOutput, Role, Scope,
};
use arbalest::trade::{Fact, FeedFacts, JournalFacts, OrderFacts, VenueFacts};
use arbalest::units::{MonoNanos, Nanos};

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

/// Every seat says that all is well, and has said so for a minute.
pub fn all_is_well(monitor: &mut Monitor, now: MonoNanos, out: &mut Vec<RiskOutput>) {
    for seconds in (0..=60).rev().step_by(5) {
        let at = MonoNanos(now.0 - Nanos::from_secs(seconds).0);
        for venue in 0..3 {
            let feed = FeedFacts {
                venue: VenueId(venue),
                lane: 0,
                faults: 0,
                message_at: Some(at),
                heartbeat_at: Some(at),
                lost: 0,
            };
            monitor.on_fact(&Fact::Feed(feed), at, out);
        }
    }
    for venue in 0..3 {
        let facts = VenueFacts {
            reconciled_at: Some(now),
            clock_offset_ns: Some(0),
            ..VenueFacts::unheard(VenueId(venue))
        };
        monitor.on_fact(&Fact::Venue(Box::new(facts)), now, out);
    }
    for instrument in 0..5 {
        let orders = orders_of(InstrumentId(instrument));
        monitor.on_fact(&Fact::Orders(orders), now, out);
    }
    monitor.on_fact(&Fact::Journal(JournalFacts::default()), now, out);
}

/// Nothing open.
pub fn orders_of(instrument: InstrumentId) -> OrderFacts {
    OrderFacts {
        instrument,
        open: 0,
        unknown: 0,
        inflight: 0,
        inflight_since: None,
        cancel_since: None,
        submitted: 0,
        rejected: 0,
        immediate_since: None,
        rejected_run: 0,
        executed: 0,
    }
}

/// Tom asks, Olga approves; all is well.
pub fn rearm(
    monitor: &mut Monitor,
    scope: Scope,
    to_level: KillLevel,
    now: MonoNanos,
    out: &mut Vec<RiskOutput>,
) {
    all_is_well(monitor, now, out);
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
