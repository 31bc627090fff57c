//! Every cell of the fill matrix: each leg may come to nothing, fill in part or whole, be refused, stay unknown (and turn out
//! placed or absent), never leave this machine, or meet a venue that is down; hedges of two and three legs and chains, in
//! every order of sending. Each cell ends even, unwound, or in an open alert within its deadline, and what the desk tracks is
//! the sum of the fills.

use std::collections::BTreeMap;

use arbalest::execution::order::OrderState;
use arbalest::execution::{DeskAlertKind, RepairPlan, SetEnd, SetSummary};
use arbalest::market::InstrumentId;
use arbalest::trade::{Leg, Purpose, RejectReason, ReportKind, SendOrder, SetForm, Ticket};
use arbalest::units::{Nanos, Price, Qty, Side};

use crate::bench::{Bench, execution, fills, placed, rejected};
use crate::cycles;
use crate::small_market::instrument;

/// What becomes of a leg's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    Part,
    Whole,
    Refused,
    NeverLeft,
    /// Silence, then the venue knows it after all: filled.
    FoundLater,
    /// Silence, then look-ups find nothing.
    NeverFound,
    /// Nothing is heard of the venue any more.
    Down,
}

const FATES: [Fate; 8] = [
    Fate::Nothing,
    Fate::Part,
    Fate::Whole,
    Fate::Refused,
    Fate::NeverLeft,
    Fate::FoundLater,
    Fate::NeverFound,
    Fate::Down,
];

const STEP: Nanos = Nanos::from_millis(250);
/// A set is decided or in an open alert after this long: its time-out, five seconds undecided, and five reports.
const DEADLINE: Nanos = Nanos::from_secs(10);

/// One cell being played.
struct Play {
    bench: Bench,
    fates: Vec<Fate>,
    seen: usize,
    answered: usize,
    /// Orders about which nothing is known, since when.
    silent: Vec<(Ticket, Fate)>,
    is_cycle: bool,
    steps: u64,
    alerted_at: Option<u64>,
}

impl Play {
    fn new(bench: Bench, legs: &[Leg], form: SetForm, send: SendOrder, fates: &[Fate]) -> Self {
        let mut play = Self {
            bench,
            fates: fates.to_vec(),
            seen: 0,
            answered: 0,
            silent: Vec::new(),
            is_cycle: form != SetForm::Hedge,
            steps: 0,
            alerted_at: None,
        };
        play.bench.send_as(legs, form, send);
        play.settle();
        play
    }

    /// Lets every new order meet its fate, and answers what is broken, until nothing new happens.
    fn settle(&mut self) {
        loop {
            let orders = placed(&self.bench.out);
            let broken = self.bench.broken();
            if let Some(ticket) = orders.get(self.seen) {
                self.seen += 1;
                self.meet(ticket);
            } else if broken.len() > self.answered {
                self.answered = broken.len();
                let plan = self.bench.answer(broken.last().unwrap());
                let undecided = broken
                    .last()
                    .unwrap()
                    .legs
                    .map(|leg| leg.is_some_and(|leg| leg.undecided));
                if let RepairPlan::Complete { leg_index, .. }
                | RepairPlan::Reverse { leg_index, .. } = plan
                {
                    assert!(
                        !undecided[usize::from(leg_index)],
                        "a repair at an undecided leg"
                    );
                }
            } else {
                return;
            }
        }
    }

    fn fill(&mut self, ticket: &Ticket, qty: i64) {
        if self.is_cycle {
            cycles::fill(&mut self.bench, ticket, qty);
        } else {
            self.bench.fill(ticket, qty);
        }
    }

    fn end(&mut self, ticket: &Ticket, filled: i64) {
        if filled > 0 {
            self.fill(ticket, filled);
        }
        let (filled, complete) = (Qty(filled), filled == ticket.qty.0);
        self.bench
            .report(ticket, ReportKind::Done { filled, complete });
    }

    fn meet(&mut self, ticket: &Ticket) {
        let place = usize::from(ticket.client_order_id.leg());
        if self.bench.down[usize::from(ticket.instrument.0)] {
            self.silent.push((*ticket, Fate::Down));
            return;
        }
        if ticket.purpose == Purpose::Repair {
            return self.end(ticket, ticket.qty.0);
        }
        match self.fates[place] {
            Fate::Nothing => self.end(ticket, 0),
            Fate::Part => self.end(ticket, ticket.qty.0 * 2 / 5),
            Fate::Whole => self.end(ticket, ticket.qty.0),
            Fate::Refused => {
                self.bench.report(ticket, rejected(RejectReason::Filter));
            }
            Fate::NeverLeft => {
                self.bench.report(ticket, rejected(RejectReason::NotSent));
            }
            Fate::Down => {
                // The one venue of a chain; of a hedge, this leg's.
                for down in self.bench.down.iter_mut().enumerate() {
                    *down.1 |= self.is_cycle || down.0 == usize::from(ticket.instrument.0);
                }
                self.silent.push((*ticket, Fate::Down));
            }
            fate @ (Fate::FoundLater | Fate::NeverFound) => self.silent.push((*ticket, fate)),
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        self.bench.advance(STEP);
        self.settle();
        let alarmed = |kind: &DeskAlertKind| {
            matches!(kind, DeskAlertKind::SetHeld | DeskAlertKind::SetUndecided)
        };
        if self.alerted_at.is_none() && self.bench.alerts().iter().any(alarmed) {
            self.alerted_at = Some(self.steps);
        }
        let silent = std::mem::take(&mut self.silent);
        for (ticket, fate) in silent {
            match fate {
                // The venue speaks after two seconds.
                Fate::FoundLater if self.steps >= 8 => self.end(&ticket, ticket.qty.0),
                Fate::NeverFound if self.steps >= 8 && self.steps.is_multiple_of(4) => {
                    self.bench.report(&ticket, ReportKind::NotFound);
                    let order = self.bench.desk.tracker().get(ticket.client_order_id);
                    if order.is_some_and(|order| order.state() != OrderState::Rejected) {
                        self.silent.push((ticket, fate));
                    }
                }
                Fate::FoundLater | Fate::NeverFound | Fate::Down => {
                    self.silent.push((ticket, fate));
                }
                Fate::Nothing | Fate::Part | Fate::Whole | Fate::Refused | Fate::NeverLeft => {}
            }
        }
        self.settle();
    }

    fn over(&self) -> bool {
        self.bench.desk.open_summary().is_quiet()
    }

    /// Quantities by instrument, bought less sold, of all fills told to the ledger.
    fn filled(&self) -> BTreeMap<InstrumentId, i64> {
        let mut sums = BTreeMap::new();
        for fill in fills(&self.bench.out) {
            *sums.entry(fill.instrument).or_insert(0) += fill.side.signed(fill.qty).0;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }
}

/// Quantities by instrument as the set tells them at its end.
fn tracked(summary: &SetSummary) -> BTreeMap<InstrumentId, i64> {
    let mut sums = BTreeMap::new();
    for leg in summary.legs.iter().flatten() {
        *sums.entry(leg.leg.instrument).or_insert(0) += leg.traded.bought.0 - leg.traded.sold.0;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// Plays one cell to its end and checks it. Returns how it ended.
fn play(mut play: Play, label: &str) -> Option<SetEnd> {
    let deadline = DEADLINE.0.div_euclid(STEP.0);
    while !play.over() && play.steps < 4 * 60 {
        play.step();
        let in_time = play.steps <= deadline || play.alerted_at.is_some();
        assert!(
            in_time || !play.bench.done().is_empty(),
            "{label}: neither over nor alerted"
        );
    }
    let done = play.bench.done();
    let bench = &play.bench;
    let down = play.fates.contains(&Fate::Down);
    let Some(summary) = done.last() else {
        assert!(down, "{label}: only a dead venue keeps a set open");
        assert!(play.alerted_at.is_some(), "{label}: in an open alert");
        return None;
    };
    assert_eq!(
        tracked(summary),
        play.filled(),
        "{label}: tracked is the sum of the fills"
    );
    if play.is_cycle {
        assert_eq!(
            cycles::told(&summary.changes),
            cycles::changes(bench),
            "{label}: by asset"
        );
    }
    let net: i64 = play.filled().values().sum();
    match summary.end {
        SetEnd::Empty => assert!(play.filled().is_empty(), "{label}"),
        SetEnd::Hedged | SetEnd::Repaired if !play.is_cycle => assert_eq!(net, 0, "{label}"),
        SetEnd::Hedged | SetEnd::Repaired => {}
        SetEnd::Residual => {
            let carried = bench.desk.residuals().count() + bench.desk.dust().count();
            assert!(carried > 0, "{label}: carried");
        }
        SetEnd::Held => assert!(bench.alerts().contains(&DeskAlertKind::SetHeld), "{label}"),
    }
    if play.silent.is_empty() {
        assert!(play.over(), "{label}: {:?}", bench.desk.open_summary());
        assert_eq!(
            bench.settled(),
            bench.gate.last_seq().0,
            "{label}: approvals"
        );
    }
    let sent = placed(&bench.out);
    let mut ids: Vec<_> = sent.iter().map(|ticket| ticket.client_order_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), sent.len(), "{label}: nothing is sent twice");
    Some(summary.end)
}

fn hedge_leg(id: u16, side: Side, qty: i64) -> Leg {
    let price = match side {
        Side::Buy => 6_000_100,
        Side::Sell => 6_000_000,
    };
    Leg {
        instrument: InstrumentId(id),
        side,
        qty: Qty(qty),
        limit_price: Price(price),
        decision_price: Price(price),
    }
}

/// Every way to choose a fate for each leg.
fn cells(legs: u32) -> impl Iterator<Item = Vec<Fate>> {
    let count = FATES.len();
    (0..count.pow(legs)).map(move |number| {
        let digit = |place: u32| FATES[number / count.pow(place) % count];
        (0..legs).map(digit).collect()
    })
}

const SENDS: [SendOrder; 3] = [
    SendOrder::Together,
    SendOrder::FirstThenParallel,
    SendOrder::Sequential,
];

#[test]
fn every_cell_of_a_hedge_of_two_legs() {
    let mut ends: BTreeMap<Option<SetEnd>, usize> = BTreeMap::new();
    for (send, fates) in SENDS
        .into_iter()
        .flat_map(|send| cells(2).map(move |fates| (send, fates)))
    {
        let bench = Bench::pair();
        let legs = [
            hedge_leg(0, Side::Buy, 1_000),
            hedge_leg(1, Side::Sell, 1_000),
        ];
        let label = format!("{send:?} {fates:?}");
        let cell = Play::new(bench, &legs, SetForm::Hedge, send, &fates);
        *ends.entry(play(cell, &label)).or_default() += 1;
    }
    assert_eq!(ends.values().sum::<usize>(), 192);
    assert!(ends.contains_key(&Some(SetEnd::Empty)) && ends.contains_key(&Some(SetEnd::Hedged)));
    assert!(ends.contains_key(&Some(SetEnd::Repaired)), "{ends:?}");
}

#[test]
fn every_cell_of_a_hedge_of_three_legs() {
    for (send, fates) in SENDS
        .into_iter()
        .flat_map(|send| cells(3).map(move |fates| (send, fates)))
    {
        if send == SendOrder::Sequential {
            continue;
        }
        let bench = Bench::new((0..3).map(|id| instrument(id, true)).collect());
        let legs = [
            hedge_leg(0, Side::Buy, 1_000),
            hedge_leg(1, Side::Sell, 600),
            hedge_leg(2, Side::Sell, 400),
        ];
        let label = format!("{send:?} {fates:?}");
        play(
            Play::new(bench, &legs, SetForm::Hedge, send, &fates),
            &label,
        );
    }
}

#[test]
fn every_cell_of_a_chain_of_three_legs() {
    let mut ends: BTreeMap<Option<SetEnd>, usize> = BTreeMap::new();
    for (send, fates) in SENDS
        .into_iter()
        .flat_map(|send| cells(3).map(move |fates| (send, fates)))
    {
        let bench = cycles::triangle();
        let label = format!("{send:?} {fates:?}");
        let cell = Play::new(bench, &cycles::legs(), cycles::cycle(), send, &fates);
        *ends.entry(play(cell, &label)).or_default() += 1;
    }
    assert_eq!(ends.values().sum::<usize>(), 3 * 512);
    assert!(ends.contains_key(&Some(SetEnd::Repaired)), "{ends:?}");
}

/// What a report says again changes nothing.
#[test]
fn an_execution_told_twice_counts_once() {
    let mut bench = Bench::pair();
    let [buy, _] = bench.send(1_000);
    let trade = bench.fill(&buy, 400);
    bench.report(&buy, execution(&buy, 400, trade));
    assert_eq!(bench.net(), 400);
}
