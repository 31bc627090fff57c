//! Rows that are judged elsewhere: at the desk, at start-up, by the forced close, or for what is not sent today.

use arbalest::risk::{BuildId, check_expiry, check_order_id, identity};
use arbalest::trade::{OrderIdSource, SetId};

use super::*;

pub(super) const PROVEN: Proven = &[
    "CLIENT_ORDER_ID_DUPLICATE",
    "CLIENT_ORDER_ID_INVALID",
    "EXPIRE_TIME_IN_PAST",
    "REDUCE_ONLY_WRONG_SIDE",
    "REDUCE_ONLY_OVERSHOOT",
    "RATE_MODIFY",
    "BUILD_MISMATCH",
];

fn code(result: Result<(), Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |()| "ok")
}

/// PT-10: new, and 1 to 36 bytes that every venue takes. Ours are 32 hex digits.
#[test]
fn pt10_order_ids() {
    let id = OrderIdSource::new(1, 2).id(SetId(3), 1, 0);
    for (text, known, expected) in [
        (&b"a"[..], false, "ok"),
        (b"", false, "CLIENT_ORDER_ID_INVALID"),
        (&[b'x'; 35], false, "ok"),
        (&[b'x'; 36], false, "ok"),
        (&[b'x'; 37], false, "CLIENT_ORDER_ID_INVALID"),
        (b"a b", false, "CLIENT_ORDER_ID_INVALID"),
        (b"\xc3\xa9", false, "CLIENT_ORDER_ID_INVALID"),
        (b"A-z_0.:/", false, "ok"),
        (&id.hex(), false, "ok"),
        (&id.hex(), true, "CLIENT_ORDER_ID_DUPLICATE"),
    ] {
        assert_eq!(code(check_order_id(id, text, known)), expected, "{text:?}");
    }
    assert_eq!(
        check_order_id(id, &id.hex(), true).unwrap_err().to_string(),
        "CLIENT_ORDER_ID_DUPLICATE set=3 leg=1 attempt=0"
    );
}

#[test]
fn pt11_expiry() {
    let lead = Nanos::from_secs(1);
    for (after, expected) in [
        (1_000_000_001, "ok"),
        (1_000_000_000, "EXPIRE_TIME_IN_PAST"),
        (999_999_999, "EXPIRE_TIME_IN_PAST"),
        (0, "EXPIRE_TIME_IN_PAST"),
    ] {
        let told = check_expiry(Some(at(Nanos(after))), START, lead);
        assert_eq!(code(told), expected, "{after}");
    }
    assert_eq!(code(check_expiry(None, START, lead)), "ok");
}

/// PT-27 in its reduce-only form is the forced close's; its boundaries stand beside it, in `src/risk/gate/size.rs`.
#[test]
fn pt27_words() {
    let overshoot = Refusal::ReduceOnlyOvershoot {
        qty: arbalest::risk::Amount::count(4),
        reducible: arbalest::risk::Amount::count(3),
    };
    assert_eq!(
        overshoot.to_string(),
        "REDUCE_ONLY_OVERSHOOT qty=4 reducible=3"
    );
    // Through the gate at K1: one step below, at, and above what is left.
    for (size, expected) in [(ONE - 1, "ok"), (ONE, "ok"), (ONE + 1, "KILL_REDUCE_ONLY")] {
        let mut world = heard(|_| {});
        world.own(NORTH, ONE);
        world.see(|view| view.portfolio.level = arbalest::risk::KillLevel::ReduceOnly);
        assert_eq!(world.order(sell(size)), expected, "{size}");
    }
}

/// PT-34: no modification is sent today; the limit holds for the day one is.
#[test]
fn pt34_modify_rate() {
    let mut world = heard(|own| own.modify_rate_max = 2);
    let mut ask = |id, now| code(world.gate.check_modify(id, now));
    assert_eq!(
        [(); 3].map(|()| ask(NORTH, START)),
        ["ok", "ok", "RATE_MODIFY"]
    );
    assert_eq!(ask(SOUTH, START), "ok", "another instrument");
    assert_eq!(ask(NORTH, at(Nanos(999_999_999))), "RATE_MODIFY");
    assert_eq!(ask(NORTH, at(Nanos(1_000_000_000))), "ok");
    assert_eq!(ask(InstrumentId(99), START), "RATE_MODIFY", "unknown");
}

/// PT-48: equal or nothing.
#[test]
fn pt48_identity() {
    let own = BuildId {
        build: 7,
        config: 9,
    };
    let other = |build, config| BuildId { build, config };
    for (others, flags, expected) in [
        (&[][..], &[][..], "ok"),
        (&[other(7, 9)], &[], "ok"),
        (&[other(7, 9), other(6, 9)], &[], "BUILD_MISMATCH"),
        (&[other(8, 9)], &[], "BUILD_MISMATCH"),
        (&[other(7, 8)], &[], "BUILD_MISMATCH"),
        (&[other(7, 10)], &[], "BUILD_MISMATCH"),
        (&[], &["known"], "ok"),
        (&[], &["power_peg"], "BUILD_MISMATCH"),
    ] {
        let told = identity::check(own, others, flags, &["known"]);
        assert_eq!(code(told), expected, "{others:?} {flags:?}");
    }
}
