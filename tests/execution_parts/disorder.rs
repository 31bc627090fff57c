//! Random sets at a venue whose reports come in any order, twice, late and split: nothing is left untracked, nothing is sent
//! twice, and no more than was approved.

use std::collections::BTreeMap;

use arbalest::execution::{DeskOutput, RepairPlan, SetEnd};
use arbalest::market::InstrumentId;
use arbalest::prng::Prng;
use arbalest::trade::{
    ApprovalSeq, ClientOrderId, Leg, Purpose, RejectReason, ReportKind, SendOrder, SetForm, Ticket,
};
use arbalest::units::{Asset, Nanos, Price, Qty, Side};
use rust_decimal::Decimal;

use crate::bench::{Bench, execution, fills, placed, rejected};
use crate::cycles;
use crate::small_market::instrument;

const UNITS: i128 = 100_000_000;

/// A venue with its own idea of what it filled.
struct World {
    bench: Bench,
    prng: Prng,
    /// Reports still to come, by order.
    coming: Vec<(Ticket, Vec<ReportKind>)>,
    seen: usize,
    answered: usize,
    is_cycle: bool,
    /// Filled by the venue, told or not.
    truth: BTreeMap<ClientOrderId, i64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let is_cycle = prng.chance_ppm(500_000);
        let bench = if is_cycle {
            cycles::triangle()
        } else {
            Bench::new((0..3).map(|id| instrument(id, true)).collect())
        };
        Self {
            bench,
            prng,
            coming: Vec::new(),
            seen: 0,
            answered: 0,
            is_cycle,
            truth: BTreeMap::new(),
        }
    }

    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.prng.below(u64::try_from(bound.max(1)).unwrap())).unwrap()
    }

    fn send(&mut self) {
        let send = [
            SendOrder::Together,
            SendOrder::FirstThenParallel,
            SendOrder::Sequential,
        ][usize::try_from(self.below(3)).unwrap()];
        if self.is_cycle {
            self.bench.send_as(&cycles::legs(), cycles::cycle(), send);
            return;
        }
        let qty = 100 + self.below(2_000);
        let leg = |id, side, price, qty| Leg {
            instrument: InstrumentId(id),
            side,
            qty: Qty(qty),
            limit_price: Price(price),
            decision_price: Price(price),
        };
        let (part, rest) = (qty / 3, qty - qty / 3);
        let two = [
            leg(0, Side::Buy, 6_000_100, qty),
            leg(1, Side::Sell, 6_000_000, qty),
        ];
        let three = [
            two[0],
            leg(1, Side::Sell, 6_000_000, part),
            leg(2, Side::Sell, 6_000_000, rest),
        ];
        if send == SendOrder::Sequential || self.prng.chance_ppm(500_000) {
            self.bench.send_as(&two, SetForm::Hedge, send);
        } else {
            self.bench.send_as(&three, SetForm::Hedge, send);
        }
    }

    /// What the venue will say about a new order, in any order.
    fn fate(&mut self, ticket: &Ticket) -> Vec<ReportKind> {
        if self.prng.chance_ppm(100_000) {
            self.truth.insert(ticket.client_order_id, 0);
            return vec![rejected(RejectReason::Filter)];
        }
        let whole = ticket.purpose == Purpose::Repair || self.prng.chance_ppm(500_000);
        let total = if whole {
            ticket.qty.0
        } else {
            self.below(ticket.qty.0 + 1)
        };
        let mut kinds = vec![ReportKind::Acked { venue_order_id: 1 }];
        let mut left = total;
        while left > 0 {
            let part = 1 + self.below(left);
            left -= part;
            let trade = self.bench.next_trade;
            self.bench.next_trade += 1;
            let fill = if self.is_cycle {
                cycles::execution(&self.bench, ticket, part, trade)
            } else {
                execution(ticket, part, trade)
            };
            kinds.push(fill);
            if self.prng.chance_ppm(200_000) {
                kinds.push(fill);
            }
        }
        kinds.push(ReportKind::Done {
            filled: Qty(total),
            complete: total == ticket.qty.0,
        });
        if self.prng.chance_ppm(300_000) {
            kinds.push(ReportKind::Unknown);
        }
        for place in (1..kinds.len()).rev() {
            let other = usize::try_from(self.below(i64::try_from(place).unwrap() + 1)).unwrap();
            kinds.swap(place, other);
        }
        self.truth.insert(ticket.client_order_id, total);
        kinds
    }

    fn step(&mut self) {
        let orders = placed(&self.bench.out);
        while let Some(ticket) = orders.get(self.seen) {
            self.seen += 1;
            let fate = self.fate(ticket);
            self.coming.push((*ticket, fate));
        }
        let broken = self.bench.broken();
        if broken.len() > self.answered {
            self.answered = broken.len();
            if self.prng.chance_ppm(800_000) {
                let plan = self.bench.answer(broken.last().unwrap());
                if let RepairPlan::Complete { leg_index, .. }
                | RepairPlan::Reverse { leg_index, .. } = plan
                {
                    let leg = broken.last().unwrap().legs[usize::from(leg_index)];
                    assert!(!leg.unwrap().undecided);
                }
            }
        }
        if !self.coming.is_empty() && self.prng.chance_ppm(700_000) {
            let count = i64::try_from(self.coming.len()).unwrap();
            let at = usize::try_from(self.below(count)).unwrap();
            let (ticket, mut kinds) = self.coming.swap_remove(at);
            let kind = kinds.pop().unwrap();
            self.bench.report(&ticket, kind);
            if !kinds.is_empty() {
                self.coming.push((ticket, kinds));
            }
        } else {
            let span = self.below(200);
            self.bench
                .advance(Nanos::from_millis(u64::try_from(span).unwrap()));
        }
        self.check_orders();
    }

    /// Each leg's own order once and for no more than approved; every leg tracks what the ledger was told.
    fn check_orders(&self) {
        let mut told: BTreeMap<(u64, u8), (i64, i64)> = BTreeMap::new();
        for fill in fills(&self.bench.out) {
            let id = fill.client_order_id.unwrap();
            let sums = told.entry((id.set().0, id.leg())).or_default();
            match fill.side {
                Side::Buy => sums.0 += fill.qty.0,
                Side::Sell => sums.1 += fill.qty.0,
            }
        }
        let mut legs: BTreeMap<ApprovalSeq, usize> = BTreeMap::new();
        for ticket in placed(&self.bench.out) {
            let id = ticket.client_order_id;
            *legs.entry(ticket.approval).or_default() += 1;
            let set = self.bench.desk.set(id.set()).unwrap();
            let leg = &set.legs[usize::from(id.leg())];
            assert!(ticket.qty <= leg.leg.qty || ticket.purpose == Purpose::Repair);
            let (bought, sold) = told
                .get(&(id.set().0, id.leg()))
                .copied()
                .unwrap_or_default();
            assert_eq!(
                (leg.traded.bought, leg.traded.sold),
                (Qty(bought), Qty(sold))
            );
        }
        assert!(
            legs.values().all(|count| *count == 1),
            "an approval sends one order"
        );
    }

    /// Everything that changed hands is even, carried, or told to people.
    fn check_nothing_lost(&self, seed: u64) {
        let held = self.bench.out.iter().filter_map(|output| match output {
            DeskOutput::SetDone(summary) if summary.end == SetEnd::Held => Some(*summary),
            _ => None,
        });
        if !self.is_cycle {
            let net: i128 = i128::from(self.bench.net()) * UNITS;
            let held: i128 = held.map(|summary| summary.residual.0).sum();
            let carried: i128 = self.bench.desk.residuals().map(|(.., qty)| qty.0).sum();
            assert_eq!(net, held + carried, "seed {seed}");
            return;
        }
        let mut known: BTreeMap<Asset, Decimal> = BTreeMap::new();
        for (asset, qty) in held.flat_map(|summary| summary.changes).flatten() {
            *known.entry(asset).or_default() += qty.decimal().unwrap();
        }
        for (_, asset, qty) in self.bench.desk.dust() {
            *known.entry(asset).or_default() += qty.decimal().unwrap();
        }
        for (asset, change) in cycles::changes(&self.bench) {
            if asset != Asset::new("USDT").unwrap() {
                let known = known.get(&asset).copied().unwrap_or_default();
                assert_eq!(known, change, "seed {seed}: {asset}");
            }
        }
    }
}

#[test]
fn nothing_is_lost_sent_twice_or_more_than_approved() {
    for seed in 0..300 {
        let mut world = World::new(seed);
        for _ in 0..3 {
            world.send();
            for _ in 0..10 {
                world.step();
            }
        }
        let mut steps = 0;
        while !(world.coming.is_empty() && world.bench.desk.open_summary().is_quiet()) {
            world.step();
            steps += 1;
            assert!(
                steps < 3_000,
                "seed {seed}: {:?}",
                world.bench.desk.open_summary()
            );
        }
        let filled: i64 = fills(&world.bench.out).iter().map(|fill| fill.qty.0).sum();
        assert_eq!(
            filled,
            world.truth.values().sum::<i64>(),
            "seed {seed}: the venue's truth"
        );
        world.check_nothing_lost(seed);
        assert_eq!(
            world.bench.settled(),
            world.bench.gate.last_seq().0,
            "seed {seed}"
        );
        assert_eq!(world.bench.desk.tracker().active_count(), 0);
    }
}
