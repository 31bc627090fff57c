//! Who may ask for what, and how a level comes down: roles, two people, tokens, what must be true first (RISK.md 2.5, S07).

use std::sync::Arc;

use arbalest::market::VenueId;
use arbalest::risk::{
    Action, Amount, Hex32, KillLevel, Need, OperatorCommand, OperatorDone, OperatorRefusal, Person,
    RearmOffer, RiskOutput, Role, Scope, Unmet,
};
use arbalest::trade::{Fact, FeedFacts, JournalFacts, StrategyId, VenueFacts};
use arbalest::units::{MonoNanos, Nanos};

use super::levels::Desk;
use super::people::{self, TOKEN, olga, tom};
use super::support::*;

type Spoil = Box<dyn Fn(&mut Desk)>;
/// What a re-arm lacks: the need, where, what is and what was wanted.
type Missing = (Need, Scope, Option<Amount>, Amount);
type Answer = Result<OperatorDone, OperatorRefusal>;

fn ask(desk: &mut Desk, command: OperatorCommand) -> Answer {
    desk.monitor.on_operator(command, desk.now, &mut desk.out)
}

fn request(desk: &mut Desk, scope: Scope, to_level: KillLevel, by: Person) -> Answer {
    let command = OperatorCommand::RequestRearm {
        scope,
        to_level,
        by,
        reason: "understood".to_owned(),
        token: TOKEN,
    };
    ask(desk, command)
}

fn offered(desk: &mut Desk, scope: Scope, by: Person) -> RearmOffer {
    match request(desk, scope, KillLevel::Armed, by) {
        Ok(OperatorDone::RearmOffered(offer)) => offer,
        other => panic!("{other:?}"),
    }
}

fn approve(desk: &mut Desk, offer: &RearmOffer, by: Person) -> Answer {
    let command = OperatorCommand::ApproveRearm {
        token: offer.token,
        state_hash: offer.state_hash,
        by,
    };
    ask(desk, command)
}

fn strict(own: &mut arbalest::risk::Limits) {
    own.pre_trade = arbalest::risk::PreTradeLimits {
        facts_required: true,
        ..arbalest::risk::PreTradeLimits::default()
    };
}

/// Everything is well and the portfolio stands at a level that a person raised.
fn raised(level: KillLevel) -> Desk {
    let mut desk = Desk::new(strict);
    desk.raise(Scope::Portfolio, level);
    people::all_is_well(&mut desk.monitor, desk.now, &mut desk.out);
    desk
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn the_table_of_roles_is_what_is_enforced() {
    // See, raise, cancel, acknowledge, request, approve, propose, confirm.
    let table = [
        (
            Role::Viewer,
            [true, false, false, false, false, false, false, false],
        ),
        (
            Role::Trader,
            [true, true, true, true, true, false, false, false],
        ),
        (Role::RiskOfficer, [true; 8]),
        (
            Role::Admin,
            [true, true, true, true, true, false, true, false],
        ),
    ];
    for (role, row) in table {
        assert_eq!(Role::of_label(role.label()), Some(role));
        for (action, may) in Action::ALL.into_iter().zip(row) {
            assert_eq!(role.may(action), may, "{role:?} {action:?}");
            let mut desk = raised(KillLevel::Flatten);
            let by = Person::new("rolf", role);
            let scope = Scope::Portfolio;
            let reason = || "because".to_owned();
            let command = match action {
                Action::See => continue,
                Action::Raise => OperatorCommand::Raise {
                    scope,
                    level: KillLevel::Halt,
                    by,
                    reason: reason(),
                },
                Action::CancelAll => OperatorCommand::CancelAll {
                    scope,
                    by,
                    reason: reason(),
                },
                Action::Acknowledge => OperatorCommand::Acknowledge { by },
                Action::RequestRearm => OperatorCommand::RequestRearm {
                    scope,
                    to_level: KillLevel::Armed,
                    by,
                    reason: reason(),
                    token: TOKEN,
                },
                Action::ApproveRearm => {
                    let offer = offered(&mut desk, scope, tom());
                    OperatorCommand::ApproveRearm {
                        token: offer.token,
                        state_hash: offer.state_hash,
                        by,
                    }
                }
                Action::ProposeLimits => OperatorCommand::ProposeLimits {
                    limits: looser(&desk),
                    by,
                    reason: reason(),
                    token: TOKEN,
                },
                Action::ConfirmLimits => {
                    let propose = OperatorCommand::ProposeLimits {
                        limits: looser(&desk),
                        by: olga(),
                        reason: reason(),
                        token: TOKEN,
                    };
                    let Ok(OperatorDone::LimitsProposed(proposed)) = ask(&mut desk, propose) else {
                        panic!("proposed");
                    };
                    OperatorCommand::ConfirmLimits {
                        token: proposed.token,
                        hash: proposed.hash,
                        by,
                    }
                }
            };
            let before = (desk.level(NORTH), desk.monitor.limits_hash());
            let answer = ask(&mut desk, command);
            if may {
                assert!(answer.is_ok(), "{role:?} {action:?}: {answer:?}");
            } else {
                let by = Person::new("rolf", role);
                assert_eq!(answer, Err(OperatorRefusal::Role { by, action }));
                assert_eq!((desk.level(NORTH), desk.monitor.limits_hash()), before);
            }
        }
    }
    assert_eq!(Role::of_label("strategy"), None);
}

fn looser(desk: &Desk) -> Arc<arbalest::risk::Limits> {
    let mut limits = (**desk.monitor.limits()).clone();
    limits.unrealized_loss_usd_max = dec("501");
    Arc::new(limits)
}

#[test]
fn who_must_be_two() {
    // Level, held by a loss, the same person may ask and approve.
    for (level, loss, alone) in [
        (KillLevel::ReduceOnly, false, true),
        (KillLevel::CancelAll, false, true),
        (KillLevel::Flatten, false, false),
        (KillLevel::Halt, false, false),
        (KillLevel::ReduceOnly, true, false),
    ] {
        let mut desk = Desk::new(|_| {});
        if loss {
            desk.own(NORTH, ONE);
            desk.mark(NORTH, MID - 50_001);
            desk.own(NORTH, 0);
            desk.mark(NORTH, MID);
        } else {
            desk.raise(Scope::Symbol("BTC/USDT".parse().unwrap()), level);
        }
        people::all_is_well(&mut desk.monitor, desk.now, &mut desk.out);
        let scope = Scope::Symbol("BTC/USDT".parse().unwrap());
        let offer = offered(&mut desk, scope, olga());
        assert_eq!(offer.two_people, !alone, "{level:?}");
        // Her own name in other letters is still her.
        let same = Person::new(" OLGA ", Role::RiskOfficer);
        let answer = approve(&mut desk, &offer, same);
        if alone {
            assert!(matches!(answer, Ok(OperatorDone::Rearmed { .. })));
        } else {
            assert_eq!(answer, Err(OperatorRefusal::SamePerson("olga".to_owned())));
            assert_ne!(desk.level(NORTH), KillLevel::Armed);
            // The offer still stands for somebody else.
            let other = Person::new("omar", Role::RiskOfficer);
            let answer = approve(&mut desk, &offer, other);
            assert!(
                matches!(answer, Ok(OperatorDone::Rearmed { .. })),
                "{answer:?}"
            );
        }
        assert_eq!(desk.level(NORTH), KillLevel::Armed);
        let record = desk.out.iter().any(|out| matches!(out, RiskOutput::LevelChanged(change) if change.to == KillLevel::Armed && change.reason == "understood (asked for by olga)"));
        assert!(record);
    }
}

#[test]
fn a_k3_is_not_lowered_by_one_person_in_two_steps() {
    for (level, restart) in [
        (KillLevel::Flatten, false),
        (KillLevel::Halt, false),
        (KillLevel::Halt, true),
    ] {
        let mut desk = raised(level);
        let Ok(OperatorDone::RearmOffered(offer)) =
            request(&mut desk, Scope::Portfolio, KillLevel::ReduceOnly, olga())
        else {
            panic!("offered");
        };
        let omar = Person::new("omar", Role::RiskOfficer);
        assert!(approve(&mut desk, &offer, omar.clone()).is_ok());
        assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
        if restart {
            let state = super::levels::through_the_journal(&desk);
            let now = desk.now;
            desk = Desk::new(strict);
            desk.now = now;
            desk.monitor.restore_levels(state, now, &mut desk.out);
            people::all_is_well(&mut desk.monitor, now, &mut desk.out);
        }
        let offer = offered(&mut desk, Scope::Portfolio, olga());
        assert!(offer.two_people, "{level:?}, restart {restart}");
        assert_eq!(
            approve(&mut desk, &offer, olga()),
            Err(OperatorRefusal::SamePerson("olga".to_owned()))
        );
        assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
        assert!(approve(&mut desk, &offer, omar).is_ok());
        assert_eq!(desk.level(NORTH), KillLevel::Armed);
    }
}

#[test]
fn a_token_is_good_once_for_a_minute_and_for_what_was_shown() {
    for (wait_ns, good) in [(60_000_000_000, true), (60_000_000_001, false)] {
        let mut desk = raised(KillLevel::CancelAll);
        let offer = offered(&mut desk, Scope::Portfolio, tom());
        assert_eq!(offer.expires_at, desk.now.after(Nanos::from_secs(60)));
        desk.now = desk.now.after(Nanos(wait_ns));
        people::all_is_well(&mut desk.monitor, desk.now, &mut desk.out);
        let answer = approve(&mut desk, &offer, olga());
        if good {
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert_eq!(answer, Err(OperatorRefusal::BadToken));
        }
        assert_eq!(
            approve(&mut desk, &offer, olga()),
            Err(OperatorRefusal::BadToken),
            "once"
        );
    }
    // A token that was never given.
    let mut desk = raised(KillLevel::CancelAll);
    let mut offer = offered(&mut desk, Scope::Portfolio, tom());
    offer.token = Hex32([8; 32]);
    assert_eq!(
        approve(&mut desk, &offer, olga()),
        Err(OperatorRefusal::BadToken)
    );
    // Another hash than the one that was shown: the token is spent.
    let mut desk = raised(KillLevel::CancelAll);
    let offer = offered(&mut desk, Scope::Portfolio, tom());
    let mut forged = offer.clone();
    forged.state_hash.0[31] ^= 1;
    let now = desk.monitor.state_hash();
    assert_eq!(
        approve(&mut desk, &forged, olga()),
        Err(OperatorRefusal::StateChanged { now })
    );
    assert_eq!(
        approve(&mut desk, &offer, olga()),
        Err(OperatorRefusal::BadToken)
    );
    assert_eq!(desk.level(NORTH), KillLevel::CancelAll);
    // Something was raised after it was shown.
    let mut desk = raised(KillLevel::CancelAll);
    let offer = offered(&mut desk, Scope::Portfolio, tom());
    desk.raise(Scope::Venue(VenueId(1)), KillLevel::ReduceOnly);
    let answer = approve(&mut desk, &offer, olga());
    assert!(matches!(answer, Err(OperatorRefusal::StateChanged { .. })));
    // A token of limits lowers nothing.
    let mut desk = raised(KillLevel::CancelAll);
    let propose = OperatorCommand::ProposeLimits {
        limits: looser(&desk),
        by: tom_the_admin(),
        reason: "more".to_owned(),
        token: TOKEN,
    };
    let Ok(OperatorDone::LimitsProposed(proposed)) = ask(&mut desk, propose) else {
        panic!("proposed");
    };
    let command = OperatorCommand::ApproveRearm {
        token: proposed.token,
        state_hash: proposed.hash,
        by: olga(),
    };
    assert_eq!(ask(&mut desk, command), Err(OperatorRefusal::BadToken));
}

fn tom_the_admin() -> Person {
    Person::new("tom", Role::Admin)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn commands_that_say_nothing_are_refused() {
    let mut desk = raised(KillLevel::CancelAll);
    let raise = |scope, level, name: &str| OperatorCommand::Raise {
        scope,
        level,
        by: Person::new(name, Role::Trader),
        reason: String::new(),
    };
    let (all, halt) = (Scope::Portfolio, KillLevel::Halt);
    for (command, refusal) in [
        (raise(all, halt, " "), OperatorRefusal::NoName),
        (
            raise(all, KillLevel::Armed, "tom"),
            OperatorRefusal::NotARaise,
        ),
        (
            raise(Scope::Venue(VenueId(9)), halt, "tom"),
            OperatorRefusal::UnknownScope("venue"),
        ),
        (
            raise(
                Scope::Instrument(arbalest::market::InstrumentId(5)),
                halt,
                "tom",
            ),
            OperatorRefusal::UnknownScope("instrument"),
        ),
        (
            raise(Scope::Asset(usdt()), halt, "tom"),
            OperatorRefusal::UnknownScope("asset"),
        ),
        (
            OperatorCommand::RequestRearm {
                scope: all,
                to_level: KillLevel::Armed,
                by: tom(),
                reason: " ".to_owned(),
                token: TOKEN,
            },
            OperatorRefusal::NoReason,
        ),
        (
            OperatorCommand::RequestRearm {
                scope: all,
                to_level: KillLevel::CancelAll,
                by: tom(),
                reason: "x".to_owned(),
                token: TOKEN,
            },
            OperatorRefusal::NothingToLower {
                scope: all,
                level: KillLevel::CancelAll,
                to_level: KillLevel::CancelAll,
            },
        ),
    ] {
        let level = desk.level(NORTH);
        assert_eq!(ask(&mut desk, command), Err(refusal));
        assert_eq!(desk.level(NORTH), level);
    }
    // Cancelling changes no level.
    desk.out.clear();
    let cancel = OperatorCommand::CancelAll {
        scope: Scope::Venue(VenueId(1)),
        by: tom(),
        reason: String::new(),
    };
    assert_eq!(ask(&mut desk, cancel), Ok(OperatorDone::Cancelling));
    let cancelled: Vec<_> = desk
        .out
        .iter()
        .filter_map(|out| {
            if let RiskOutput::CancelInstrument(id) = out {
                Some(*id)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(cancelled, [SOUTH, EURO]);
    // A strategy's scope covers no instrument: its own orders are named.
    let strategy = StrategyId(0);
    desk.out.clear();
    let cancel = OperatorCommand::CancelAll {
        scope: Scope::Strategy(strategy),
        by: tom(),
        reason: String::new(),
    };
    assert_eq!(ask(&mut desk, cancel), Ok(OperatorDone::Cancelling));
    let cancels: Vec<_> = desk
        .out
        .iter()
        .filter(|out| {
            matches!(
                out,
                RiskOutput::CancelStrategy(_)
                    | RiskOutput::CancelInstrument(_)
                    | RiskOutput::CancelAll
            )
        })
        .collect();
    assert_eq!(cancels, [&RiskOutput::CancelStrategy(strategy)]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn what_must_be_true_first_each_with_its_numbers() {
    let venue = |edit: fn(&mut VenueFacts, MonoNanos)| {
        move |desk: &mut Desk| {
            let mut facts = VenueFacts {
                reconciled_at: Some(desk.now),
                clock_offset_ns: Some(0),
                ..VenueFacts::unheard(VenueId(1))
            };
            edit(&mut facts, desk.now);
            desk.monitor
                .on_fact(&Fact::Venue(Box::new(facts)), desk.now, &mut desk.out);
        }
    };
    let at_venue = Scope::Venue(VenueId(1));
    let count = Amount::count;
    let cases: Vec<(Spoil, Option<Missing>)> = vec![
        (Box::new(|_| {}), None),
        (
            Box::new(venue(|facts, now| {
                facts.reconciled_at = Some(MonoNanos(now.0 - 60_000_000_000));
            })),
            None,
        ),
        (
            Box::new(venue(|facts, now| {
                facts.reconciled_at = Some(MonoNanos(now.0 - 60_001_000_000));
            })),
            Some((
                Need::PositionsMatched,
                at_venue,
                Some(count(60_001)),
                count(60_000),
            )),
        ),
        (
            Box::new(venue(|facts, _| facts.reconciled_at = None)),
            Some((Need::PositionsMatched, at_venue, None, count(60_000))),
        ),
        (
            Box::new(venue(|facts, _| facts.clock_offset_ns = Some(-250_000_000))),
            None,
        ),
        (
            Box::new(venue(|facts, _| facts.clock_offset_ns = Some(-251_000_000))),
            Some((Need::ClockGood, at_venue, Some(count(251)), count(250))),
        ),
        (
            Box::new(venue(|facts, _| facts.clock_offset_ns = None)),
            Some((Need::ClockGood, at_venue, None, count(250))),
        ),
        (
            Box::new(venue(|facts, now| {
                facts.clock_stepped_at = Some(MonoNanos(now.0 - 1_000_000));
            })),
            Some((Need::ClockGood, at_venue, Some(count(1)), count(10_000))),
        ),
        (
            Box::new(|desk| {
                let mut orders = people::orders_of(PERP);
                orders.unknown = 2;
                desk.monitor
                    .on_fact(&Fact::Orders(orders), desk.now, &mut desk.out);
            }),
            Some((
                Need::NoUnknownOrders,
                Scope::Instrument(PERP),
                Some(count(2)),
                count(0),
            )),
        ),
        (
            Box::new(|desk| {
                let feed = FeedFacts {
                    venue: VenueId(1),
                    lane: 0,
                    faults: 1,
                    message_at: Some(desk.now),
                    heartbeat_at: Some(desk.now),
                    lost: 0,
                };
                desk.monitor
                    .on_fact(&Fact::Feed(feed), desk.now, &mut desk.out);
            }),
            Some((Need::FeedHealthy, at_venue, Some(count(0)), count(60_000))),
        ),
        (
            Box::new(|desk| {
                let journal = JournalFacts {
                    lag: Nanos::from_millis(51),
                    ..JournalFacts::default()
                };
                desk.monitor
                    .on_fact(&Fact::Journal(journal), desk.now, &mut desk.out);
            }),
            Some((
                Need::JournalGood,
                Scope::Portfolio,
                Some(count(51)),
                count(50),
            )),
        ),
        (
            Box::new(|desk| {
                desk.own(ETHER, ONE);
                desk.mark(ETHER, MID - 49_999);
            }),
            None,
        ),
        (
            Box::new(|desk| {
                desk.own(ETHER, ONE);
                desk.mark(ETHER, MID - 50_000);
            }),
            Some((
                Need::LossBudget,
                Scope::Instrument(ETHER),
                Some(count(500)),
                count(500),
            )),
        ),
    ];
    for (row, (spoil, expected)) in cases.iter().enumerate() {
        // Broken before the request, and between request and approval.
        for late in [false, true] {
            let mut desk = raised(KillLevel::CancelAll);
            let offer = late.then(|| offered(&mut desk, Scope::Portfolio, tom()));
            spoil(&mut desk);
            let answer = match &offer {
                Some(offer) => approve(&mut desk, offer, olga()),
                None => request(&mut desk, Scope::Portfolio, KillLevel::Armed, tom()),
            };
            let Some((need, scope, value, limit)) = *expected else {
                assert!(answer.is_ok(), "row {row}: {answer:?}");
                continue;
            };
            let Err(OperatorRefusal::Unmet(unmet)) = answer else {
                panic!("row {row}: {answer:?}");
            };
            let [one] = unmet[..] else {
                panic!("row {row}: {unmet:?}");
            };
            let expected = Unmet {
                need,
                scope,
                value,
                limit,
            };
            let numbers = |unmet: Unmet| {
                (
                    unmet.need,
                    unmet.scope,
                    unmet.value.and_then(Amount::decimal),
                    unmet.limit.decimal(),
                )
            };
            assert_eq!(numbers(one), numbers(expected), "row {row}");
            assert_eq!(desk.level(NORTH), KillLevel::CancelAll);
        }
    }
    // A feed that says nothing is not healthy, however long it was.
    let mut desk = raised(KillLevel::CancelAll);
    desk.now = desk.now.after(Nanos::from_millis(5_001));
    let answer = request(&mut desk, Scope::Instrument(NORTH), KillLevel::Armed, tom());
    assert!(matches!(
        answer,
        Err(OperatorRefusal::NothingToLower { .. })
    ));
    let answer = request(&mut desk, Scope::Portfolio, KillLevel::Armed, tom());
    let Err(OperatorRefusal::Unmet(unmet)) = answer else {
        panic!("{answer:?}");
    };
    let feeds = unmet
        .iter()
        .filter(|one| one.need == Need::FeedHealthy && one.value == Some(count(0)));
    assert_eq!(feeds.count(), 3);
    // What was never heard is not true: all needs of a silent engine are listed.
    let mut desk = Desk::new(strict);
    desk.raise(Scope::Portfolio, KillLevel::CancelAll);
    let Err(OperatorRefusal::Unmet(unmet)) =
        request(&mut desk, Scope::Portfolio, KillLevel::Armed, tom())
    else {
        panic!("unmet");
    };
    assert_eq!(unmet.len(), 5 + 3 * 3 + 1, "{unmet:?}");
    assert!(unmet.iter().all(|one| one.value.is_none()));
    let text = OperatorRefusal::Unmet(unmet).to_string();
    assert!(
        text.contains("journal_good (portfolio): never heard, allowed 50"),
        "{text}"
    );
}

#[test]
fn hex_is_read_and_never_shown_whole() {
    let token = Hex32([0xab; 32]);
    assert_eq!(Hex32::parse(&token.to_string()), Some(token));
    assert_eq!(format!("{token:?}"), "Hex32(abab..)");
    for bad in [
        "",
        "ab",
        &"g".repeat(64),
        &"a".repeat(63),
        &"é".repeat(32),
        &"+a".repeat(32),
    ] {
        assert_eq!(Hex32::parse(bad), None, "{bad}");
    }
}
