//! I12 by chance: commands, facts, losses, time and restarts in any order. A naive twin keeps, for each scope, the highest
//! level that people raised since the last re-arm; nothing may ever stand lower, and nothing may come down otherwise.

use std::collections::BTreeMap;

use arbalest::market::{InstrumentId, VenueId};
use arbalest::prng::Prng;
use arbalest::risk::{
    Actor, Hex32, KillLevel, OperatorCommand, OperatorDone, Person, RearmOffer, RiskOutput, Role,
    Scope,
};
use arbalest::trade::StrategyId;
use arbalest::units::{Nanos, Qty};

use super::levels::{Desk, LEVELS, through_the_journal};
use super::people;
use super::support::*;

const STEPS: u64 = 400;
const SEEDS: u64 = 60;

struct Twin {
    desk: Desk,
    chance: Prng,
    /// Highest level that people raised and nobody lowered.
    floor: BTreeMap<Scope, KillLevel>,
    /// With who asked.
    offers: Vec<(RearmOffer, String)>,
    has_positions: bool,
    rearmed: u64,
    restarts: u64,
}

fn scopes() -> Vec<Scope> {
    let symbol = |text: &str| Scope::Symbol(text.parse().unwrap());
    vec![
        Scope::Portfolio,
        Scope::Venue(VenueId(0)),
        Scope::Venue(VenueId(2)),
        Scope::Asset(arbalest::units::Asset::new("BTC").unwrap()),
        symbol("BTC/USDT"),
        symbol("ETH/USDT"),
        Scope::Instrument(PERP),
        Scope::Instrument(EURO),
        Scope::Strategy(StrategyId(1)),
    ]
}

fn covers(scope: Scope, id: InstrumentId) -> bool {
    let all = instruments();
    let one = &all[id.index()];
    match scope {
        Scope::Portfolio => true,
        Scope::Venue(venue) => one.venue == venue,
        Scope::Asset(asset) => one.symbol.base == asset,
        Scope::Symbol(symbol) => one.symbol == symbol,
        Scope::Instrument(other) => other == id,
        Scope::Strategy(_) => false,
    }
}

impl Twin {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.chance.below(from.len() as u64);
        from[usize::try_from(index).unwrap()]
    }
    fn person(&mut self) -> Person {
        let role = self.pick(&Role::ALL);
        let name = self.pick(&["ada", "ben", "cid"]);
        Person::new(name, role)
    }

    /// What a step may lower: the scope of an accepted re-arm.
    fn step(&mut self) -> Option<Scope> {
        let scope = self.pick(&scopes());
        let level = self.pick(&LEVELS);
        match self.chance.below(12) {
            0..=2 => {
                let by = self.person();
                let may = by.role != Role::Viewer && level != KillLevel::Armed;
                let command = OperatorCommand::Raise {
                    scope,
                    level,
                    by,
                    reason: String::new(),
                };
                let answer =
                    self.desk
                        .monitor
                        .on_operator(command, self.desk.now, &mut self.desk.out);
                assert_eq!(answer.is_ok(), may);
                if may {
                    let floor = self.floor.entry(scope).or_default();
                    *floor = level.max(*floor);
                }
            }
            3..=5 => {
                people::all_is_well(&mut self.desk.monitor, self.desk.now, &mut self.desk.out);
                let by = self.person();
                let name = by.name.clone();
                let token = Hex32(std::array::from_fn(|_| {
                    self.chance.below(256).to_le_bytes()[0]
                }));
                let command = OperatorCommand::RequestRearm {
                    scope,
                    to_level: level,
                    by,
                    reason: "x".to_owned(),
                    token,
                };
                let answer =
                    self.desk
                        .monitor
                        .on_operator(command, self.desk.now, &mut self.desk.out);
                if let Ok(OperatorDone::RearmOffered(offer)) = answer {
                    self.offers.push((offer, name));
                }
            }
            6..=8 => return self.approve(),
            9 => {
                let millis = self.pick(&[1, 500, 2_000, 20_000, 61_000]);
                self.desk.now = self.desk.now.after(Nanos::from_millis(millis));
                self.desk
                    .monitor
                    .on_timer(self.desk.now, &mut self.desk.out);
            }
            10 if self.has_positions => {
                let id = self.pick(&[NORTH, PERP, ETHER]);
                let qty = self.pick(&[0, ONE, 8 * ONE, 11 * ONE, -16 * ONE]);
                self.desk.own(id, qty);
                let mid = self.pick(&[MID, MID - 60_000, MID + 60_000]);
                self.desk.mark(id, mid);
            }
            10 => self.desk.open(scope_instrument(scope), 0),
            _ => self.restart(),
        }
        None
    }

    fn approve(&mut self) -> Option<Scope> {
        if self.offers.is_empty() {
            return None;
        }
        people::all_is_well(&mut self.desk.monitor, self.desk.now, &mut self.desk.out);
        let index = usize::try_from(self.chance.below(self.offers.len() as u64)).unwrap();
        let (offer, asked) = self.offers[index].clone();
        let by = self.person();
        let mut hash = offer.state_hash;
        if self.chance.below(8) == 0 {
            hash.0[0] ^= 1;
        }
        let command = OperatorCommand::ApproveRearm {
            token: offer.token,
            state_hash: hash,
            by: by.clone(),
        };
        let answer = self
            .desk
            .monitor
            .on_operator(command, self.desk.now, &mut self.desk.out);
        let Ok(OperatorDone::Rearmed { scope, .. }) = answer else {
            return None;
        };
        assert_eq!(by.role, Role::RiskOfficer);
        assert_eq!(hash, offer.state_hash);
        assert!(self.desk.now <= offer.expires_at);
        assert!(!offer.two_people || by.name != asked, "two people");
        let _once = self.offers.remove(index);
        let floor = self.floor.entry(scope).or_default();
        *floor = (*floor).min(offer.to_level);
        self.rearmed += 1;
        Some(scope)
    }

    /// The process dies; the next one knows what the journal says.
    fn restart(&mut self) {
        let known = self
            .desk
            .out
            .iter()
            .any(|out| matches!(out, RiskOutput::LevelState(_)));
        let mut next = Desk::new(position_limit);
        next.now = self.desk.now;
        if known {
            let state = through_the_journal(&self.desk);
            next.monitor.restore_levels(state, next.now, &mut next.out);
        }
        self.offers.clear();
        self.restarts += 1;
        self.desk = next;
    }

    fn check(&self, lowered: Option<Scope>, from: usize) {
        for id in [NORTH, SOUTH, PERP, ETHER, EURO] {
            let floors = self.floor.iter().filter(|(scope, _)| covers(**scope, id));
            let floor = floors.map(|(_, level)| *level).max().unwrap_or_default();
            let level = self.desk.level(id);
            assert!(
                level >= floor,
                "{id:?} stands at {level:?}, people hold it at {floor:?}"
            );
            assert!(
                self.has_positions || level == floor,
                "{id:?}: {level:?} without a cause"
            );
        }
        let strategy = self
            .floor
            .get(&Scope::Strategy(StrategyId(1)))
            .copied()
            .unwrap_or_default();
        assert_eq!(self.desk.monitor.strategy_level(StrategyId(1)), strategy);
        for out in &self.desk.out[from..] {
            let RiskOutput::LevelChanged(change) = out else {
                continue;
            };
            if change.to < change.from {
                let by_people =
                    lowered == Some(change.scope) && matches!(change.by, Actor::Operator(_));
                let by_rule =
                    change.by == Actor::Control("AT-01") && change.from == KillLevel::ReduceOnly;
                assert!(by_people || by_rule, "{change:?}");
            }
        }
    }
}

fn scope_instrument(scope: Scope) -> InstrumentId {
    match scope {
        Scope::Instrument(id) => id,
        Scope::Portfolio
        | Scope::Venue(_)
        | Scope::Asset(_)
        | Scope::Symbol(_)
        | Scope::Strategy(_) => NORTH,
    }
}

fn position_limit(own: &mut arbalest::risk::Limits) {
    for instrument in own.instruments.iter_mut().flatten() {
        instrument.position_qty_max = Qty(10 * ONE);
    }
}

#[test]
fn levels_come_down_only_by_people_who_may() {
    let (mut rearmed, mut restarts) = (0, 0);
    for seed in 0..SEEDS {
        let mut twin = Twin {
            desk: Desk::new(position_limit),
            chance: Prng::new(seed),
            floor: BTreeMap::new(),
            offers: Vec::new(),
            has_positions: seed % 2 == 0,
            rearmed: 0,
            restarts: 0,
        };
        for _ in 0..STEPS {
            let from = twin.desk.out.len();
            let lowered = twin.step();
            let from = if from > twin.desk.out.len() { 0 } else { from };
            twin.check(lowered, from);
        }
        rearmed += twin.rearmed;
        restarts += twin.restarts;
    }
    assert!(rearmed > 200, "{rearmed} re-arms");
    assert!(restarts > 500, "{restarts} restarts");
}
