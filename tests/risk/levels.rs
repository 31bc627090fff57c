//! Kill levels: what each one stops (RISK.md 2.3), the escalation ladder (2.4), clearing by itself, latches and restarts (2.5).

use std::sync::Arc;

use arbalest::journal::{Entry, Instant, Names, Record, levels_from_journal};
use arbalest::market::{InstrumentId, Mark, Trust, VenueId};
use arbalest::risk::{
    Actor, AlertKind, KillLevel, LevelState, Limits, Monitor, OperatorCommand, RiskOutput,
    RiskView, Scope,
};
use arbalest::trade::{ApprovalSeq, Fact, JournalFacts, OpenOrders, PositionSnapshot, StrategyId};
use arbalest::units::{MonoNanos, Nanos, Ppm, Price, Qty, UnixNanos};
use rust_decimal::Decimal;

use super::people::{self, olga, tom};
use super::support::*;

pub const LEVELS: [KillLevel; 5] = [
    KillLevel::Armed,
    KillLevel::ReduceOnly,
    KillLevel::CancelAll,
    KillLevel::Flatten,
    KillLevel::Halt,
];

/// The risk seat with every instrument's position, price and open orders set by hand.
pub struct Desk {
    pub monitor: Monitor,
    pub now: MonoNanos,
    pub out: Vec<RiskOutput>,
}

impl Desk {
    pub fn new(edit: impl FnOnce(&mut Limits)) -> Self {
        let mut own = limits();
        edit(&mut own);
        let mut desk = Self {
            monitor: Monitor::new(Arc::new(own), catalogue(instruments()), usdt()),
            now: START,
            out: Vec::new(),
        };
        for id in [NORTH, SOUTH, PERP, ETHER, EURO] {
            desk.mark(id, MID);
        }
        desk.out.clear();
        desk
    }
    pub fn mark(&mut self, id: InstrumentId, mid: i64) {
        let mark = Mark {
            instrument: id,
            bid: Some(Price(mid - 1)),
            ask: Some(Price(mid + 1)),
            venue_mark: None,
            received_at: self.now,
            trust: Trust::Trusted,
            depth: None,
        };
        self.monitor.on_mark(&mark, self.now, &mut self.out);
    }
    /// The ledger says so, at an average price of 60,000.
    pub fn own(&mut self, id: InstrumentId, qty: i64) {
        let position = PositionSnapshot {
            instrument: id,
            qty: Qty(qty),
            cost: Decimal::from_i128_with_scale(i128::from(qty) * i128::from(MID), 8),
            realized_pnl: Decimal::ZERO,
            trade_cash: -Decimal::from_i128_with_scale(i128::from(qty) * i128::from(MID), 8),
            settled: ApprovalSeq(0),
            unwind_filled: Qty(0),
        };
        self.monitor.on_position(&position, self.now, &mut self.out);
    }
    /// The desk says: so many own orders.
    pub fn open(&mut self, id: InstrumentId, count: u32) {
        let open = OpenOrders {
            instrument: id,
            order_count: count,
            buy_qty: Qty(0),
            sell_qty: Qty(0),
        };
        self.monitor.on_open_orders(&open, self.now, &mut self.out);
    }
    pub fn wait(&mut self, millis: u64) {
        self.now = self.now.after(Nanos::from_millis(millis));
        self.monitor.on_timer(self.now, &mut self.out);
    }
    pub fn raise(&mut self, scope: Scope, level: KillLevel) {
        let command = OperatorCommand::Raise {
            scope,
            level,
            by: tom(),
            reason: "drill".to_owned(),
        };
        people::operate(&mut self.monitor, command, self.now, &mut self.out);
    }
    pub fn rearm(&mut self, scope: Scope, to_level: KillLevel) {
        people::rearm(&mut self.monitor, scope, to_level, self.now, &mut self.out);
    }
    pub fn view(&self) -> &RiskView {
        let found = self.out.iter().rev().find_map(|out| {
            if let RiskOutput::View(view) = out {
                Some(view)
            } else {
                None
            }
        });
        found.unwrap()
    }
    pub fn level(&self, id: InstrumentId) -> KillLevel {
        self.monitor.level(id)
    }
    pub fn alerts(&self, kind: AlertKind, raised: bool) -> usize {
        let same = |out: &&RiskOutput| matches!(out, RiskOutput::Alert(alert) if alert.kind == kind && alert.raised == raised);
        self.out.iter().filter(same).count()
    }
    pub fn cancels(&self) -> usize {
        let cancel = |out: &&RiskOutput| {
            matches!(out, RiskOutput::CancelAll | RiskOutput::CancelInstrument(_))
        };
        self.out.iter().filter(cancel).count()
    }
}

fn btc() -> Scope {
    Scope::Symbol("BTC/USDT".parse().unwrap())
}

fn limit_of_ten(own: &mut Limits) {
    for instrument in own.instruments.iter_mut().flatten() {
        instrument.position_qty_max = Qty(10 * ONE);
    }
}

#[test]
fn each_level_stops_what_the_table_says() {
    // Level: increasing, reducing to flat, reversing, the resolver's increasing and reducing orders.
    let table = [
        ["ok", "ok", "ok", "ok", "ok"],
        [
            "KILL_REDUCE_ONLY",
            "ok",
            "KILL_REDUCE_ONLY",
            "KILL_REDUCE_ONLY",
            "ok",
        ],
        ["KILL_CANCEL_ALL"; 5],
        ["KILL_FLATTEN"; 5],
        ["KILL_HALT"; 5],
    ];
    for (level, expected) in LEVELS.into_iter().zip(table) {
        let mut world = World::new();
        world.own(NORTH, HALF);
        world.see(|view| view.instruments[NORTH.index()].level = level);
        let got = [
            world.order(buy(HALF)),
            world.order(sell(HALF)),
            world.order(sell(ONE)),
        ];
        // Repairs against a fresh book of holds.
        let mut world = World::new();
        world.own(NORTH, HALF);
        world.see(|view| view.instruments[NORTH.index()].level = level);
        let repairs = [world.repair(buy(HALF)), world.repair(sell(HALF))];
        assert_eq!(
            [got[0], got[1], got[2], repairs[0], repairs[1]],
            expected,
            "{level:?}"
        );
    }
}

#[test]
fn a_raise_shows_cancels_and_closes_in_the_same_call() {
    for level in &LEVELS[1..] {
        for scope in [
            Scope::Portfolio,
            Scope::Venue(VenueId(2)),
            Scope::Asset(arbalest::units::Asset::new("BTC").unwrap()),
            Scope::Symbol("BTC/USDT:USDT".parse().unwrap()),
            Scope::Instrument(PERP),
        ] {
            let mut desk = Desk::new(|_| {});
            desk.own(PERP, ONE);
            desk.out.clear();
            desk.raise(scope, *level);
            let at = |wanted: fn(&RiskOutput) -> bool| desk.out.iter().position(wanted);
            let view = at(|out| matches!(out, RiskOutput::View(_))).unwrap();
            let cancel = at(|out| {
                matches!(
                    out,
                    RiskOutput::CancelAll | RiskOutput::CancelInstrument(PERP)
                )
            })
            .unwrap();
            assert!(view < cancel, "the gate hears first");
            assert_eq!(
                desk.view().instruments[PERP.index()].level,
                *level,
                "{scope:?}"
            );
            let intent = at(|out| matches!(out, RiskOutput::CloseIntent(_)));
            assert_eq!(
                intent.is_some(),
                *level == KillLevel::Flatten,
                "only K3 closes"
            );
            // A second raise changes nothing.
            let records = |desk: &Desk| {
                desk.out
                    .iter()
                    .filter(|out| matches!(out, RiskOutput::LevelChanged(_)))
                    .count()
            };
            let before = records(&desk);
            desk.raise(scope, *level);
            assert_eq!(records(&desk), before);
        }
    }
    // A strategy's scope stops that strategy and nothing else.
    let mut desk = Desk::new(|_| {});
    desk.raise(Scope::Strategy(StrategyId(1)), KillLevel::Halt);
    let levels = |view: &RiskView| [0, 1, 2].map(|index| view.strategies[index].level);
    let (armed, halt) = (KillLevel::Armed, KillLevel::Halt);
    assert_eq!(levels(desk.view()), [armed, halt, armed]);
    assert_eq!(desk.level(NORTH), armed);
}

#[test]
fn the_ladder_warns_halves_and_climbs() {
    let mut desk = Desk::new(limit_of_ten);
    let size = |desk: &Desk, id: InstrumentId| desk.view().instruments[id.index()].size_factor;
    desk.own(NORTH, 8 * ONE - 1);
    assert_eq!(size(&desk, NORTH), Ppm::ONE);
    desk.own(NORTH, 8 * ONE);
    assert_eq!(size(&desk, NORTH), Ppm(500_000), "80 % halves");
    assert_eq!(size(&desk, SOUTH), Ppm(500_000), "in the symbol");
    assert_eq!(size(&desk, ETHER), Ppm::ONE, "and nowhere else");
    desk.own(NORTH, 10 * ONE);
    assert_eq!(
        desk.level(NORTH),
        KillLevel::Armed,
        "the limit itself passes"
    );
    desk.open(NORTH, 1);
    desk.own(NORTH, 10 * ONE + 1);
    assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
    desk.wait(1_999);
    desk.own(NORTH, 11 * ONE);
    assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
    desk.wait(1);
    assert_eq!(
        desk.level(NORTH),
        KillLevel::CancelAll,
        "2 s and still growing"
    );
    assert_eq!(desk.level(SOUTH), KillLevel::CancelAll);
    assert_eq!(desk.level(ETHER), KillLevel::Armed);
    desk.wait(4_999);
    assert_eq!(desk.level(NORTH), KillLevel::CancelAll);
    desk.wait(1);
    assert_eq!(desk.level(NORTH), KillLevel::Flatten, "5 s and orders open");
    // Above K1 it does not clear by itself.
    desk.own(NORTH, 0);
    desk.open(NORTH, 0);
    assert_eq!(size(&desk, NORTH), Ppm::ONE);
    desk.wait(60_000);
    desk.wait(60_000);
    assert_eq!(desk.level(NORTH), KillLevel::Flatten);

    for (qty, level) in [
        (15 * ONE, KillLevel::ReduceOnly),
        (15 * ONE + 1, KillLevel::Flatten),
    ] {
        let mut desk = Desk::new(limit_of_ten);
        desk.own(NORTH, qty);
        assert_eq!(desk.level(NORTH), level, "150 %");
    }
}

#[test]
fn k2_cancels_until_nothing_rests_or_says_so() {
    let mut desk = Desk::new(|_| {});
    desk.open(NORTH, 2);
    desk.out.clear();
    desk.raise(Scope::Instrument(NORTH), KillLevel::CancelAll);
    assert_eq!(desk.cancels(), 1);
    desk.open(NORTH, 2);
    desk.wait(4_999);
    assert_eq!(
        (desk.cancels(), desk.alerts(AlertKind::CancelBlocked, true)),
        (1, 0)
    );
    desk.wait(1);
    assert_eq!(
        (desk.cancels(), desk.alerts(AlertKind::CancelBlocked, true)),
        (2, 1)
    );
    desk.wait(5_000);
    assert_eq!(
        (desk.cancels(), desk.alerts(AlertKind::CancelBlocked, true)),
        (3, 1)
    );
    desk.open(NORTH, 0);
    desk.wait(20);
    assert_eq!(desk.alerts(AlertKind::CancelBlocked, false), 1);
    desk.wait(10_000);
    assert_eq!(desk.cancels(), 3, "zero is the end");
    // A zero that was heard before the raise proves nothing.
    let mut desk = Desk::new(|_| {});
    desk.open(NORTH, 0);
    desk.wait(1);
    desk.raise(Scope::Instrument(NORTH), KillLevel::CancelAll);
    desk.wait(5_000);
    assert_eq!(desk.alerts(AlertKind::CancelBlocked, true), 1);
    // K4: one attempt, then nothing.
    let mut desk = Desk::new(|_| {});
    desk.open(NORTH, 1);
    desk.out.clear();
    desk.raise(Scope::Instrument(NORTH), KillLevel::Halt);
    desk.wait(60_000);
    assert_eq!(desk.cancels(), 1);
}

#[test]
fn three_scopes_at_k3_are_the_portfolio_and_then_people() {
    let mut desk = Desk::new(|_| {});
    let lose = |id: InstrumentId, desk: &mut Desk| {
        desk.own(id, ONE);
        desk.mark(id, MID - 50_001);
    };
    lose(NORTH, &mut desk);
    lose(PERP, &mut desk);
    assert_eq!(desk.level(EURO), KillLevel::Armed, "two scopes");
    lose(ETHER, &mut desk);
    assert_eq!(desk.level(EURO), KillLevel::Flatten, "three");
    let why = desk.out.iter().any(|out| matches!(out, RiskOutput::LevelChanged(change) if change.scope == Scope::Portfolio && change.by == Actor::Control("ladder") && change.reason == "3 scopes at K3, allowed 2"));
    assert!(why);
    desk.wait(299_999);
    assert_eq!(desk.level(EURO), KillLevel::Flatten);
    desk.wait(1);
    assert_eq!(desk.level(EURO), KillLevel::Halt, "not flat after 300 s");
    // What people flatten is their choice.
    let mut desk = Desk::new(|_| {});
    for id in [NORTH, PERP, ETHER] {
        desk.raise(Scope::Instrument(id), KillLevel::Flatten);
    }
    assert_eq!(desk.level(EURO), KillLevel::Armed);
}

#[test]
fn a_close_that_can_send_nothing_is_the_portfolio() {
    let mut desk = Desk::new(|_| {});
    desk.own(PERP, ONE);
    desk.wait(61_000);
    desk.raise(Scope::Instrument(PERP), KillLevel::Flatten);
    desk.open(PERP, 0);
    desk.wait(20);
    assert_eq!(
        desk.monitor.close_state(PERP),
        Some(arbalest::risk::CloseState::Blocked),
        "no price is fresh enough"
    );
    desk.wait(59_979);
    assert_eq!(desk.level(ETHER), KillLevel::Armed);
    desk.wait(1);
    assert_eq!(desk.level(ETHER), KillLevel::Flatten);
}

#[test]
fn a_journal_that_fails_halts() {
    let mut desk = Desk::new(|_| {});
    let mut journal = JournalFacts::default();
    desk.monitor
        .on_fact(&Fact::Journal(journal), desk.now, &mut desk.out);
    assert_eq!(desk.level(NORTH), KillLevel::Armed);
    journal.failed = true;
    desk.monitor
        .on_fact(&Fact::Journal(journal), desk.now, &mut desk.out);
    assert_eq!(desk.level(NORTH), KillLevel::Halt);
}

#[test]
fn ten_clears_a_day_and_then_it_stays() {
    for (pause_ms, clears) in [(61_000, 3), (1_300_000, 10)] {
        let mut desk = Desk::new(limit_of_ten);
        for round in 0..=clears {
            desk.own(NORTH, 11 * ONE);
            assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
            desk.own(NORTH, 8 * ONE + 1);
            desk.wait(60_000);
            assert_eq!(
                desk.level(NORTH),
                KillLevel::ReduceOnly,
                "81 % does not clear"
            );
            desk.own(NORTH, 8 * ONE);
            desk.wait(59_999);
            assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly, "the cool-down");
            desk.wait(1);
            let stays = round == clears;
            let level = if stays {
                KillLevel::ReduceOnly
            } else {
                KillLevel::Armed
            };
            assert_eq!(desk.level(NORTH), level, "round {round}");
            assert_eq!(
                desk.alerts(AlertKind::LevelLatched, true),
                usize::from(stays)
            );
            desk.wait(pause_ms);
        }
        desk.wait(100_000_000);
        assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly, "latched");
        desk.own(NORTH, 0);
        desk.rearm(btc(), KillLevel::Armed);
        assert_eq!(desk.level(NORTH), KillLevel::Armed);
    }
}

#[test]
fn start_up_lifts_only_what_it_raised() {
    let mut desk = Desk::new(|_| {});
    desk.monitor.startup_begins(desk.now, &mut desk.out);
    assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
    desk.raise(Scope::Portfolio, KillLevel::CancelAll);
    desk.own(PERP, ONE);
    desk.mark(PERP, MID - 50_001);
    assert_eq!(desk.level(PERP), KillLevel::Flatten, "AT-02");
    desk.monitor
        .startup_reconciled("matched twice", desk.now, &mut desk.out);
    assert_eq!(
        desk.level(NORTH),
        KillLevel::CancelAll,
        "the person's stays"
    );
    assert_eq!(desk.level(PERP), KillLevel::Flatten, "the latch stays");
    // Nobody re-arms past start-up.
    let mut desk = Desk::new(|_| {});
    desk.monitor.startup_begins(desk.now, &mut desk.out);
    desk.raise(Scope::Portfolio, KillLevel::CancelAll);
    desk.rearm(Scope::Portfolio, KillLevel::Armed);
    assert_eq!(desk.level(NORTH), KillLevel::ReduceOnly);
    desk.monitor
        .startup_reconciled("matched twice", desk.now, &mut desk.out);
    assert_eq!(desk.level(NORTH), KillLevel::Armed);
}

/// What the last state in the outputs says, through a journal line and back.
pub fn through_the_journal(desk: &Desk) -> LevelState {
    let catalogue = catalogue(instruments());
    read_back(desk, &catalogue)
}

fn read_back(desk: &Desk, catalogue: &arbalest::market::Catalogue) -> LevelState {
    let state = desk.out.iter().rev().find_map(|out| {
        if let RiskOutput::LevelState(state) = out {
            Some((**state).clone())
        } else {
            None
        }
    });
    let own = super::support::catalogue(instruments());
    let strategies = ["cross".to_owned(), "carry".to_owned()];
    let names = Names {
        catalogue: &own,
        strategies: &strategies,
    };
    let now = Instant {
        mono: desk.now,
        unix: UnixNanos(1_700_000_000_000_000_000),
    };
    let record: Record = names.level_state(&state.unwrap(), now);
    let record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    let entries = [Entry {
        seq: 1,
        time_ns: 0,
        record,
    }];
    let names = Names {
        catalogue,
        strategies: &strategies,
    };
    levels_from_journal(&entries, &names, now).unwrap().unwrap()
}

/// One automatic clear, one unlatched cause, two latched ones of every kind of scope, one probation.
fn raised_everywhere() -> Desk {
    let mut desk = Desk::new(limit_of_ten);
    desk.own(NORTH, 11 * ONE);
    desk.own(NORTH, 0);
    desk.wait(0);
    desk.wait(60_000);
    desk.own(NORTH, 11 * ONE);
    for (scope, level) in [
        (Scope::Venue(VenueId(1)), KillLevel::CancelAll),
        (
            Scope::Asset(arbalest::units::Asset::new("ETH").unwrap()),
            KillLevel::Halt,
        ),
        (Scope::Instrument(EURO), KillLevel::Flatten),
        (Scope::Strategy(StrategyId(1)), KillLevel::ReduceOnly),
        (Scope::Portfolio, KillLevel::ReduceOnly),
    ] {
        desk.raise(scope, level);
    }
    desk.rearm(Scope::Portfolio, KillLevel::Armed);
    desk
}

#[test]
fn levels_latches_clears_and_probation_survive_a_restart() {
    let desk = raised_everywhere();
    let state = through_the_journal(&desk);
    assert_eq!(
        state,
        desk.monitor.level_state(),
        "nothing is lost in words"
    );
    assert_eq!(
        (
            state.entries.len(),
            state.clears.len(),
            state.probations.len()
        ),
        (5, 1, 1)
    );

    let mut next = Desk::new(limit_of_ten);
    next.now = desk.now;
    next.monitor
        .restore_levels(state.clone(), next.now, &mut next.out);
    for id in [NORTH, SOUTH, PERP, ETHER, EURO] {
        assert_eq!(next.level(id), desk.level(id), "{id:?}");
    }
    assert_eq!(
        next.monitor.strategy_level(StrategyId(1)),
        KillLevel::ReduceOnly
    );
    assert!(next.cancels() > 0, "what rests is cancelled again");
    assert_eq!(
        next.view().instruments[PERP.index()].size_factor,
        Ppm(250_000)
    );
    assert_eq!(next.monitor.level_state(), state);

    // A venue that is not configured any more: not lost, and not on the wrong thing.
    let fewer: Vec<_> = instruments()
        .into_iter()
        .filter(|one| one.venue == VenueId(0))
        .collect();
    let mut fewer = fewer;
    for (index, one) in fewer.iter_mut().enumerate() {
        one.id = InstrumentId(u16::try_from(index).unwrap());
    }
    let catalogue = arbalest::market::Catalogue::new(vec!["north".to_owned()], fewer).unwrap();
    let state = read_back(&desk, &catalogue);
    let lost: Vec<_> = state
        .entries
        .iter()
        .filter(|entry| entry.cause == "restored")
        .collect();
    assert_eq!(lost.len(), 2, "the venue and the instrument");
    for entry in lost {
        assert_eq!(
            (entry.scope, entry.level, entry.latched),
            (Scope::Portfolio, KillLevel::ReduceOnly, true)
        );
        assert!(entry.reason.contains("south"), "{}", entry.reason);
    }
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_and_none_is_none() {
    let catalogue = catalogue(instruments());
    let names = Names {
        catalogue: &catalogue,
        strategies: &[],
    };
    let now = Instant {
        mono: START,
        unix: UnixNanos(0),
    };
    assert!(levels_from_journal(&[], &names, now).unwrap().is_none());
    let record = serde_json::json!({"kind": "level_state", "held": "?"});
    let entries = [Entry {
        seq: 1,
        time_ns: 0,
        record,
    }];
    assert!(levels_from_journal(&entries, &names, now).is_err());
}

#[test]
fn orders_after_a_re_arm_are_small_and_a_breach_latches_at_once() {
    let mut desk = Desk::new(limit_of_ten);
    let size = |desk: &Desk, id: InstrumentId| desk.view().instruments[id.index()].size_factor;
    desk.raise(btc(), KillLevel::CancelAll);
    desk.rearm(btc(), KillLevel::Armed);
    assert_eq!(
        [size(&desk, NORTH), size(&desk, PERP)],
        [Ppm(250_000), Ppm::ONE]
    );
    desk.wait(599_999);
    assert_eq!(size(&desk, SOUTH), Ppm(250_000));
    desk.own(SOUTH, 11 * ONE);
    desk.own(PERP, 11 * ONE);
    desk.wait(1);
    assert_eq!(size(&desk, NORTH), Ppm(500_000), "AT-01 warns still");
    desk.own(SOUTH, 0);
    desk.own(PERP, 0);
    assert_eq!(size(&desk, NORTH), Ppm::ONE, "ten minutes are over");
    desk.wait(0);
    desk.wait(60_000);
    assert_eq!(
        desk.level(SOUTH),
        KillLevel::ReduceOnly,
        "latched on probation"
    );
    assert_eq!(desk.level(PERP), KillLevel::Armed, "elsewhere it clears");
    let reduce = arbalest::risk::OperatorCommand::RequestRearm {
        scope: btc(),
        to_level: KillLevel::Armed,
        by: olga(),
        reason: String::new(),
        token: people::TOKEN,
    };
    assert!(
        desk.monitor
            .on_operator(reduce, desk.now, &mut desk.out)
            .is_err(),
        "a reason is needed"
    );
}

/// Cancels of restored levels go out before any order entry exists and are lost: once it is live they are sent again, and what
/// rests counts as open until the desk said otherwise. A level below K2 cancels nothing of the venue's.
#[test]
fn restored_levels_cancel_again_once_orders_can_be_sent() {
    let mut desk = Desk::new(|_| {});
    desk.raise(Scope::Instrument(ETHER), KillLevel::CancelAll);
    desk.raise(Scope::Instrument(EURO), KillLevel::ReduceOnly);
    let state = desk.monitor.level_state();
    let mut next = Desk::new(|_| {});
    next.monitor.restore_levels(state, next.now, &mut next.out);
    next.out.clear();
    next.monitor.cancel_again(next.now, &mut next.out);
    assert!(
        next.out
            .iter()
            .any(|out| matches!(out, RiskOutput::CancelInstrument(id) if *id == ETHER))
    );
    assert_eq!(next.cancels(), 1);
    next.out.clear();
    next.wait(5_000);
    assert_eq!(next.cancels(), 1, "nobody said that nothing rests");
    next.open(ETHER, 0);
    next.out.clear();
    next.wait(5_000);
    next.wait(5_000);
    assert_eq!(next.cancels(), 0, "proven gone");
}
