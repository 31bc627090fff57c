//! The forced close of several positions: depth, balances, bans, other venues' prices, hedged pairs, and what it will cost.

use std::sync::Arc;

use arbalest::market::{Books, Depth, InstrumentId, Mark, Trust, VenueId};
use arbalest::prng::Prng;
use arbalest::risk::{
    AlertKind, Approved, CloseCause, CloseEstimate, CloseIntent, CloseResult, CloseState,
    KillLevel, Limits, Monitor, OperatorCommand, RiskOutput, Scope,
};
use arbalest::trade::{
    ApprovalSeq, Balance, Fact, OpenOrders, PositionSnapshot, PositionSource, RejectReason,
    StrategyId, TimeInForce, UnwindKind, UnwindReport, VenueFacts, VenuePosition,
};
use arbalest::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

use super::people::{olga, operate};
use super::support::*;

/// The risk seat over all five instruments; ledger, desk and venues are played by hand.
struct Desk {
    monitor: Monitor,
    now: MonoNanos,
    out: Vec<RiskOutput>,
    positions: Vec<PositionSnapshot>,
    orders: Vec<Approved>,
}

impl Desk {
    fn new(edit: impl FnOnce(&mut Limits)) -> Self {
        let mut own = limits();
        edit(&mut own);
        let positions = (0..5).map(|id| PositionSnapshot {
            instrument: InstrumentId(id),
            qty: Qty(0),
            cost: Decimal::ZERO,
            realized_pnl: Decimal::ZERO,
            trade_cash: Decimal::ZERO,
            settled: ApprovalSeq(0),
            unwind_filled: Qty(0),
        });
        let strategies = vec![vec![NORTH, SOUTH], vec![ETHER]];
        let monitor = Monitor::new(Arc::new(own), catalogue(instruments()), usdt());
        let mut desk = Self {
            monitor: monitor.with_strategies(strategies),
            now: START,
            out: Vec::new(),
            positions: positions.collect(),
            orders: Vec::new(),
        };
        desk.marks();
        desk
    }
    fn mark(&mut self, id: InstrumentId, depth: Option<Depth>) {
        let mark = Mark {
            instrument: id,
            bid: Some(Price(MID - 1)),
            ask: Some(Price(MID + 1)),
            venue_mark: None,
            received_at: self.now,
            trust: Trust::Trusted,
            depth,
        };
        self.monitor.on_mark(&mark, self.now, &mut self.out);
        self.file();
    }
    fn marks(&mut self) {
        for id in [NORTH, SOUTH, PERP] {
            self.mark(id, None);
        }
    }
    /// Orders go to a list of their own, in order.
    fn file(&mut self) {
        for out in &self.out {
            if let RiskOutput::Unwind(order) = out {
                self.orders.push(*order);
            }
        }
        self.out.retain(|out| !matches!(out, RiskOutput::Unwind(_)));
    }
    fn own(&mut self, id: InstrumentId, qty: i64) {
        let position = &mut self.positions[id.index()];
        position.qty = Qty(qty);
        position.cost = Decimal::from_i128_with_scale(i128::from(qty) * i128::from(MID), 8);
        let position = *position;
        self.monitor.on_position(&position, self.now, &mut self.out);
        self.file();
    }
    fn qty(&self, id: InstrumentId) -> i64 {
        self.positions[id.index()].qty.0
    }
    fn report(&mut self, order: &Approved, kind: UnwindKind) {
        let report = UnwindReport {
            instrument: order.instrument(),
            approval: order.seq(),
            kind,
            at: self.now,
        };
        self.monitor.on_unwind(&report, self.now, &mut self.out);
        self.file();
    }
    fn fill(&mut self, order: &Approved, qty: i64) {
        if qty > 0 {
            let price = Price(MID);
            self.report(
                order,
                UnwindKind::Filled {
                    qty: Qty(qty),
                    price,
                },
            );
            self.positions[order.instrument().index()].unwind_filled.0 += qty;
            let after = self.qty(order.instrument()) + order.side().sign() * qty;
            self.own(order.instrument(), after);
        }
        self.report(order, UnwindKind::Done { filled: Qty(qty) });
    }
    fn refuse(&mut self, order: &Approved, reason: RejectReason) {
        self.report(order, UnwindKind::Rejected { reason });
    }
    fn quiet(&mut self, id: InstrumentId) {
        let open = OpenOrders {
            instrument: id,
            order_count: 0,
            buy_qty: Qty(0),
            sell_qty: Qty(0),
        };
        self.monitor.on_open_orders(&open, self.now, &mut self.out);
        self.file();
    }
    fn all_quiet(&mut self) {
        for id in [NORTH, SOUTH, PERP] {
            self.quiet(id);
        }
    }
    fn wait(&mut self, millis: u64) {
        self.now = self.now.after(Nanos::from_millis(millis));
        self.monitor.on_timer(self.now, &mut self.out);
        self.file();
    }
    fn snapshot(&mut self, id: InstrumentId, qty: i64) {
        let word = VenuePosition {
            instrument: id,
            qty: Qty(qty),
            source: PositionSource::Snapshot,
            taken_at: self.now,
        };
        self.monitor.on_confirm(&word, self.now, &mut self.out);
        self.file();
    }
    fn raise(&mut self, scope: Scope, level: KillLevel) {
        let command = OperatorCommand::Raise {
            scope,
            level,
            by: olga(),
            reason: "drill".to_owned(),
        };
        operate(&mut self.monitor, command, self.now, &mut self.out);
        self.file();
    }
    fn flatten(&mut self, scope: Scope) {
        self.raise(scope, KillLevel::Flatten);
        self.all_quiet();
    }
    fn sent(&mut self) -> Vec<Approved> {
        std::mem::take(&mut self.orders)
    }
    fn one(&mut self) -> Approved {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent[0]
    }
    fn none(&mut self) {
        assert!(self.orders.is_empty(), "{:?}", self.orders);
    }
    fn intents(&self) -> Vec<CloseIntent> {
        let intent = |out: &RiskOutput| {
            if let RiskOutput::CloseIntent(intent) = out {
                Some(*intent)
            } else {
                None
            }
        };
        self.out.iter().filter_map(intent).collect()
    }
    fn alerts(&self, kind: AlertKind, raised: bool) -> usize {
        self.out.iter().filter(|out| matches!(out, RiskOutput::Alert(alert) if alert.kind == kind && alert.raised == raised)).count()
    }
    fn net(&self) -> i64 {
        [NORTH, SOUTH, PERP].iter().map(|id| self.qty(*id)).sum()
    }
}

fn half_slices(own: &mut Limits) {
    for instrument in own.instruments.iter_mut().flatten() {
        instrument.order_qty_max = Qty(HALF);
    }
}

/// Levels of one base unit each, `apart` steps from another, from the touch at the mid.
fn depth(levels: i64, apart: i64, qty: i64) -> Depth {
    let mut books = Books::new(&catalogue(instruments()));
    let mut kinds = vec![arbalest::market::EventKind::Clear];
    for index in 0..levels {
        kinds.push(level(Side::Buy, MID - 1 - index * apart, qty));
        kinds.push(level(Side::Sell, MID + 1 + index * apart, qty));
    }
    kinds.push(arbalest::market::EventKind::Synced { update_id: 1 });
    apply(&mut books, NORTH, START, &kinds);
    Depth::of(books.get(NORTH).unwrap())
}

/// Rule 4: a quarter of what the book shows within the protection, at least what the venue takes, at most the limit.
#[test]
fn a_child_takes_a_quarter_of_the_visible_depth() {
    // 20 bps of 60,000 are 120: levels 40 apart put three of 1.0 within the first step.
    for (shown, expected) in [
        (Some(depth(50, 4_000, ONE)), 750_000),
        (Some(depth(50, 4_000, 40)), 30),
        (Some(depth(50, 4_000, 1)), 1),
        (Some(depth(50, 4_000, 1_000 * ONE)), 3 * ONE),
        (None, 3 * ONE),
    ] {
        let mut desk = Desk::new(|_| {});
        desk.mark(PERP, shown);
        desk.own(PERP, 3 * ONE);
        desk.flatten(Scope::Portfolio);
        assert_eq!(desk.one().qty(), Qty(expected), "{shown:?}");
    }
    let mut stale = Desk::new(|_| {});
    stale.mark(PERP, Some(depth(50, 4_000, 40)));
    stale.own(PERP, 3 * ONE);
    stale.wait(1_001);
    stale.flatten(Scope::Portfolio);
    assert_eq!(
        stale.one().qty(),
        Qty(3 * ONE),
        "an old picture sizes nothing"
    );
}

/// A copy of a book agrees with walking the book itself, for every band and for every quantity within the first levels.
#[test]
fn depth_and_estimate_agree_with_the_book() {
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let mut books = Books::new(&catalogue(instruments()));
        let mut kinds = vec![arbalest::market::EventKind::Clear];
        let (mut bid, mut ask) = (MID - 1, MID + 1);
        for _ in 0..prng.between(1, 90) {
            kinds.push(level(Side::Buy, bid, prng.between(1, ONE)));
            kinds.push(level(Side::Sell, ask, prng.between(1, ONE)));
            bid -= prng.between(1, 6_000);
            ask += prng.between(1, 6_000);
        }
        kinds.push(arbalest::market::EventKind::Synced { update_id: 1 });
        apply(&mut books, NORTH, START, &kinds);
        let book = books.get(NORTH).unwrap();
        let depth = Depth::of(book);
        for taker in [Side::Buy, Side::Sell] {
            for (step, bps) in [20, 50, 100, 200, 500].into_iter().enumerate() {
                let touch = Price(MID + taker.sign());
                let cap =
                    arbalest::market::depth::protected(touch, taker, Ppm::from_bps(bps)).unwrap();
                let walked = book.walk(taker, cap, Qty(i64::MAX));
                let shown = depth.met_by(taker).within(step);
                assert_eq!(
                    (shown.qty, shown.notional),
                    (walked.qty, walked.notional),
                    "{seed}"
                );
            }
            let top: i64 = depth
                .met_by(taker)
                .levels()
                .iter()
                .map(|level| level.qty.0)
                .sum();
            let within = depth.met_by(taker).within(4).qty.0;
            let qty = Qty(prng.between(1, top));
            let estimate = CloseEstimate::of(&depth, taker, qty, &instruments()[0]).unwrap();
            let cap = Price(MID + taker.sign() * MID);
            let walked = book.walk(taker, cap, qty);
            let paid = walked.notional.0 - i128::from(MID) * i128::from(qty.0);
            let cost = Decimal::from_i128_with_scale(paid * i128::from(taker.sign()), 8);
            assert_eq!(estimate.cost, cost.normalize(), "{seed} {taker:?}");
            assert!(estimate.unfillable.is_zero());
            let much = Qty(within + 1_000);
            let estimate = CloseEstimate::of(&depth, taker, much, &instruments()[0]).unwrap();
            assert_eq!(
                estimate.unfillable,
                Qty(1_000),
                "{seed}: what the book does not show"
            );
        }
    }
}

/// The estimate is in the intent before the first order, and stays in the record.
#[test]
fn the_intent_says_what_it_will_cost() {
    let mut desk = Desk::new(|_| {});
    desk.mark(PERP, Some(depth(10, 1_000, ONE)));
    desk.own(PERP, 2 * ONE);
    assert_eq!(
        desk.monitor.snapshot(desk.now).instruments[PERP.index()].close_estimate,
        Some(CloseEstimate {
            qty: Qty(2 * ONE),
            unfillable: Qty(0),
            mid: Price(MID),
            cost: dec("10.02"),
            slippage_bps: dec("0.835"),
        }),
        "one at 0.01, one at 10.01 below the mid"
    );
    desk.flatten(Scope::Portfolio);
    let estimate = desk.intents()[0].estimate.unwrap();
    assert_eq!(estimate.cost, dec("10.02"));
    assert_eq!(estimate.unfillable_share(), Ppm(0));
}

/// Rule 7: a refusal for too many requests stops children, with an alert, and ends by itself.
#[test]
fn a_ban_stops_children() {
    let mut desk = Desk::new(|_| {});
    desk.own(PERP, ONE);
    desk.flatten(Scope::Portfolio);
    let order = desk.one();
    desk.refuse(&order, RejectReason::RateLimit);
    for _ in 0..49 {
        desk.wait(100);
        desk.marks();
    }
    desk.none();
    assert_eq!(desk.monitor.close_state(PERP), Some(CloseState::Blocked));
    assert_eq!(desk.alerts(AlertKind::CloseBlocked, true), 1);
    desk.wait(100);
    desk.marks();
    assert_eq!(desk.one().qty(), Qty(ONE));
    assert_eq!(desk.alerts(AlertKind::CloseBlocked, false), 1);
}

/// Rule 10: while nothing reaches the venue the close is blocked, asks now and then, and goes on when it is back.
#[test]
fn a_venue_that_is_down_blocks_and_comes_back() {
    let mut desk = Desk::new(|_| {});
    desk.own(PERP, ONE);
    desk.flatten(Scope::Portfolio);
    let mut probes = 0;
    for _ in 0..300 {
        for order in desk.sent() {
            probes += 1;
            desk.refuse(&order, RejectReason::NotSent);
        }
        desk.wait(100);
        desk.marks();
    }
    assert!((5..20).contains(&probes), "{probes} in 30 s");
    assert_eq!(
        desk.alerts(AlertKind::CloseBlocked, true),
        1,
        "one alert, not one a probe"
    );
    assert_eq!(desk.alerts(AlertKind::CloseBlocked, false), 0);
    while desk.orders.is_empty() {
        desk.wait(100);
        desk.marks();
    }
    let order = desk.one();
    desk.fill(&order, ONE);
    assert_eq!(desk.monitor.close_state(PERP), Some(CloseState::Verifying));
    assert_eq!(desk.alerts(AlertKind::CloseBlocked, false), 1);
}

/// Rule 9b: without any price of its own, the median of the other venues' mids with 150 bps in all.
#[test]
fn other_venues_price_a_venue_without_a_book() {
    let mut desk = Desk {
        monitor: Monitor::new(Arc::new(limits()), catalogue(instruments()), usdt()),
        ..Desk::new(|_| {})
    };
    desk.mark(SOUTH, None);
    desk.own(NORTH, ONE);
    desk.flatten(Scope::Portfolio);
    assert_eq!(
        desk.one().limit_price(),
        Price(5_928_000),
        "20 + 100 bps below 60,000"
    );
    let mut old = Desk {
        monitor: Monitor::new(Arc::new(limits()), catalogue(instruments()), usdt()),
        ..Desk::new(|_| {})
    };
    old.mark(SOUTH, None);
    old.wait(60_001);
    old.own(NORTH, ONE);
    old.flatten(Scope::Portfolio);
    old.none();
    assert_eq!(old.monitor.close_state(NORTH), Some(CloseState::Blocked));
}

/// Rule 6: without a price only when allowed, at K3, after six priced attempts that filled nothing.
#[test]
fn a_market_order_is_the_last_rung_and_only_when_allowed() {
    for (allowed, at_limit) in [(true, false), (false, false), (true, true)] {
        let mut desk = Desk::new(|own| {
            own.close.allow_unpriced_market = allowed;
            if at_limit {
                own.instruments[PERP.index()]
                    .as_mut()
                    .unwrap()
                    .position_qty_max = Qty(750_000);
            }
        });
        desk.own(PERP, ONE);
        if at_limit {
            desk.all_quiet();
        } else {
            desk.flatten(Scope::Portfolio);
        }
        let mut kinds = Vec::new();
        for _ in 0..200 {
            for order in desk.sent() {
                kinds.push(order.time_in_force() == TimeInForce::Unpriced);
                desk.fill(&order, 0);
            }
            desk.wait(200);
            desk.marks();
        }
        let first = kinds.iter().position(|unpriced| *unpriced);
        assert_eq!(first, (allowed && !at_limit).then_some(6), "{kinds:?}");
    }
}

/// Rules 11 and 14: a position that other hands changed is asked for before the next child, and explains a flip.
#[test]
fn other_hands_stop_the_close_until_the_venue_was_asked() {
    let mut desk = Desk::new(half_slices);
    desk.own(NORTH, 2 * ONE);
    desk.flatten(Scope::Portfolio);
    let order = desk.one();
    desk.own(NORTH, ONE + HALF);
    desk.fill(&order, HALF);
    desk.none();
    assert!(
        desk.out
            .iter()
            .any(|out| matches!(out, RiskOutput::AskPosition(id) if *id == NORTH))
    );
    desk.wait(500);
    desk.none();
    desk.snapshot(NORTH, ONE);
    let order = desk.one();
    assert_eq!(order.qty(), Qty(HALF), "sized by what is left");
    // A person sells everything while the child is out: our fill flips, and is explained.
    desk.own(NORTH, 100_000);
    desk.fill(&order, HALF);
    assert_eq!(desk.alerts(AlertKind::ClosePostcondition, true), 1);
    assert_eq!(desk.monitor.level(NORTH), KillLevel::Flatten, "no halt");
    desk.none();
    desk.wait(100);
    desk.snapshot(NORTH, -400_000);
    let order = desk.one();
    assert_eq!(
        (order.side(), order.qty()),
        (Side::Buy, Qty(400_000)),
        "sized again"
    );
    // A venue that does not answer holds the close for five seconds, not for ever.
    let mut silent = Desk::new(half_slices);
    silent.own(NORTH, 2 * ONE);
    silent.flatten(Scope::Portfolio);
    let order = silent.one();
    silent.own(NORTH, ONE + HALF);
    silent.fill(&order, HALF);
    silent.wait(4_999);
    silent.none();
    silent.wait(1);
    silent.one();
}

/// A venue that refuses to reduce, and says that there is nothing: people take over after the deadline.
#[test]
fn reduce_only_refused_by_a_venue_that_says_flat_is_handed_over() {
    let mut desk = Desk::new(|_| {});
    desk.own(PERP, ONE);
    desk.flatten(Scope::Portfolio);
    let order = desk.one();
    desk.refuse(&order, RejectReason::ReduceOnly);
    desk.wait(100);
    desk.snapshot(PERP, 0);
    for _ in 0..59 {
        desk.wait(1_000);
        desk.marks();
    }
    desk.none();
    assert_eq!(desk.monitor.close_state(PERP), Some(CloseState::Blocked));
    desk.wait(1_000);
    assert_eq!(desk.alerts(AlertKind::CloseHandover, true), 1);
}

/// K3 on a strategy closes what lies in its instruments, and nothing else.
#[test]
fn k3_on_a_strategy_closes_its_instruments() {
    let mut desk = Desk::new(|_| {});
    desk.own(NORTH, ONE);
    desk.own(ETHER, ONE);
    desk.raise(Scope::Strategy(StrategyId(0)), KillLevel::Flatten);
    desk.all_quiet();
    assert_eq!(desk.one().instrument(), NORTH);
    assert_eq!(desk.monitor.close_state(ETHER), None);
    assert_eq!(
        desk.monitor.level(NORTH),
        KillLevel::Armed,
        "other strategies go on"
    );
}

/// A hedged pair at K3: the derivative opens, the spot leg follows with the same quantity, and so on.
#[test]
fn a_hedged_pair_is_closed_leg_by_leg() {
    let mut desk = Desk::new(half_slices);
    desk.own(NORTH, 1_370_000);
    desk.own(PERP, -1_370_000);
    desk.flatten(Scope::Portfolio);
    for qty in [500_000, 500_000, 370_000] {
        for (id, side) in [(PERP, Side::Buy), (NORTH, Side::Sell)] {
            let order = desk.one();
            assert_eq!(
                (order.instrument(), order.side(), order.qty()),
                (id, side, Qty(qty))
            );
            desk.fill(&order, qty);
            assert!(desk.net().abs() <= HALF);
        }
    }
    desk.none();
    assert_eq!((desk.qty(NORTH), desk.qty(PERP)), (0, 0));
}

/// One leg is flattened alone: the other would be naked, so it is closed with it, by what it hedges.
#[test]
fn one_leg_takes_the_other_with_it() {
    let mut desk = Desk::new(half_slices);
    desk.own(NORTH, 3 * ONE);
    desk.own(PERP, -ONE);
    desk.flatten(Scope::Instrument(PERP));
    let targets: Vec<(InstrumentId, CloseCause, Qty)> = desk
        .intents()
        .iter()
        .map(|intent| (intent.instrument, intent.cause, intent.target))
        .collect();
    assert_eq!(
        targets,
        [
            (PERP, CloseCause::KillFlatten, Qty(0)),
            (NORTH, CloseCause::PairLeg, Qty(2 * ONE))
        ],
        "what was never hedged stays"
    );
    let mut even = Desk::new(half_slices);
    even.own(NORTH, 3 * ONE);
    even.own(PERP, -3 * ONE - HALF);
    even.flatten(Scope::Instrument(PERP));
    let spot = even.intents()[1];
    assert_eq!(
        (spot.instrument, spot.cause, spot.target),
        (NORTH, CloseCause::PairLeg, Qty(0))
    );
    assert_eq!(
        even.monitor.level(NORTH),
        KillLevel::ReduceOnly,
        "not built up meanwhile"
    );
    // The half that was never hedged goes first and waits for nobody.
    let order = even.one();
    assert_eq!((order.instrument(), order.qty()), (PERP, Qty(HALF)));
}

/// AT-01 on one leg: the other is reduced by the same quantity when the net would be worth more than the delta limit.
#[test]
fn a_close_to_a_limit_reduces_both_legs_when_the_net_would_be_too_large() {
    for (delta, pulled) in [("1000", true), ("150000", false), ("149999", true)] {
        let mut desk = Desk::new(|own| {
            own.instruments[PERP.index()]
                .as_mut()
                .unwrap()
                .position_qty_max = Qty(10 * ONE);
            own.close.pair_delta_usd_max = dec(delta);
        });
        desk.own(NORTH, 10 * ONE + HALF);
        desk.own(PERP, -10 * ONE - HALF);
        let legs: Vec<(InstrumentId, Qty)> = desk
            .intents()
            .iter()
            .map(|intent| (intent.instrument, intent.target))
            .collect();
        let mut expected = vec![(PERP, Qty(8 * ONE))];
        if pulled {
            expected.push((NORTH, Qty(8 * ONE)));
        }
        assert_eq!(legs, expected, "2.5 are 150,000; {delta}");
    }
}

/// The other leg is blocked: after five seconds this one goes alone.
#[test]
fn a_blocked_counterpart_is_not_waited_for_long() {
    let mut desk = Desk::new(half_slices);
    desk.own(NORTH, ONE);
    desk.own(PERP, -ONE);
    desk.flatten(Scope::Portfolio);
    let mut alone_after = None;
    for tick in 0..100_u64 {
        for order in desk.sent() {
            if order.instrument() == PERP {
                desk.refuse(&order, RejectReason::NotSent);
            } else {
                alone_after.get_or_insert(tick * 100);
                desk.fill(&order, order.qty().0);
            }
        }
        desk.wait(100);
        desk.marks();
    }
    assert!(
        (4_900..=5_300).contains(&alone_after.unwrap()),
        "{alone_after:?} ms"
    );
    assert_eq!((desk.qty(NORTH), desk.qty(PERP)), (0, -ONE));
}

/// Pairs by seed over venues that fill in parts, late, or not at all: the net of what the venues hold never grows beyond one
/// slice while both legs can move, nothing flips, nothing is closed twice, and both legs end.
#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn pairs_never_lean_more_than_one_slice() {
    let (mut ended, mut worst) = (0_u32, 0);
    for seed in 0..200_u64 {
        let mut prng = Prng::new(seed);
        let mut desk = Desk::new(half_slices);
        let long = prng.between(200_000, 3 * ONE);
        let lean = prng.between(-100_000, 100_000);
        let sign = if prng.chance_ppm(500_000) { 1 } else { -1 };
        desk.own(NORTH, sign * long);
        desk.own(PERP, -sign * (long + lean));
        if prng.chance_ppm(300_000) {
            desk.flatten(Scope::Portfolio);
        } else if lean > 0 {
            desk.flatten(Scope::Instrument(PERP));
        } else {
            desk.flatten(Scope::Instrument(NORTH));
        }
        let bound = HALF.max(lean.abs());
        let mut live: Vec<Approved> = Vec::new();
        for _ in 0..2_000 {
            for order in desk.sent() {
                assert!(
                    live.iter()
                        .all(|other| other.instrument() != order.instrument()),
                    "seed {seed}: one live child a leg"
                );
                live.push(order);
            }
            if !live.is_empty() && prng.chance_ppm(700_000) {
                let order = live.remove(0);
                let qty = match prng.below(10) {
                    0 | 1 => 0,
                    2 | 3 => prng.between(1, order.qty().0),
                    _ => order.qty().0,
                };
                let before = desk.qty(order.instrument());
                desk.fill(&order, qty);
                let after = desk.qty(order.instrument());
                assert!(
                    after == 0 || after.signum() == before.signum(),
                    "seed {seed}: flipped"
                );
                worst = worst.max(desk.net().abs());
                assert!(
                    desk.net().abs() <= bound,
                    "seed {seed}: net {} over {bound}",
                    desk.net()
                );
            }
            desk.wait(prng.below(300));
            desk.marks();
            for id in [NORTH, PERP] {
                let qty = desk.qty(id);
                desk.snapshot(id, qty);
            }
            let done = [NORTH, PERP]
                .iter()
                .all(|id| desk.monitor.close_state(*id).is_none());
            if done {
                ended += 1;
                assert!(desk.net().abs() <= lean.abs(), "seed {seed}");
                break;
            }
        }
        for out in &desk.out {
            if let RiskOutput::CloseRecord(record) = out {
                assert_eq!(record.result, CloseResult::Done, "seed {seed}");
            }
        }
    }
    assert_eq!(ended, 200, "both legs end");
    assert!(worst > HALF - 100_000, "the bound is reached: {worst}");
}

/// Rule 3: on spot no more is sent than the venue says is free; a derivative is closed by our own books.
#[test]
fn a_spot_close_stays_within_the_venues_free_balance() {
    let facts = |venue: u8, free: &str, quote: &str| {
        let balance = |asset: &str, free: &str| {
            let free = dec(free);
            let locked = Decimal::ZERO;
            (Asset::new(asset).unwrap(), Balance { free, locked })
        };
        Fact::Venue(Box::new(VenueFacts {
            balances: vec![balance("BTC", free), balance("USDT", quote)],
            ..VenueFacts::unheard(VenueId(venue))
        }))
    };
    for (id, position, free, quote, expected) in [
        (NORTH, ONE, "5", "0", Some(ONE)),
        (NORTH, ONE, "0.7", "0", Some(700_000)),
        (NORTH, ONE, "0", "0", None),
        (NORTH, -ONE, "0", "30060.06", Some(500_000)),
        (PERP, ONE, "0", "0", Some(ONE)),
    ] {
        let mut desk = Desk::new(|_| {});
        for venue in 0..3 {
            let fact = facts(venue, free, quote);
            desk.monitor.on_fact(&fact, desk.now, &mut desk.out);
        }
        desk.own(id, position);
        desk.flatten(Scope::Portfolio);
        let sent = desk.sent();
        assert_eq!(
            sent.first().map(|order| order.qty().0),
            expected,
            "{free} {quote}"
        );
        if expected.is_none() {
            assert_eq!(desk.monitor.close_state(id), Some(CloseState::Blocked));
            desk.monitor
                .on_fact(&facts(0, "1", "0"), desk.now, &mut desk.out);
            desk.wait(100);
            assert_eq!(desk.one().qty(), Qty(ONE), "the venue corrected itself");
        }
    }
}

/// Rule 7: a ban whose end the venue named lasts until then.
#[test]
fn a_ban_with_an_end_ends_there() {
    let mut desk = Desk::new(|_| {});
    let until = desk.now.after(Nanos::from_secs(30));
    let fact = Fact::Venue(Box::new(VenueFacts {
        banned_until: Some(until),
        ..VenueFacts::unheard(VenueId(2))
    }));
    desk.monitor.on_fact(&fact, desk.now, &mut desk.out);
    desk.own(PERP, ONE);
    desk.flatten(Scope::Portfolio);
    desk.wait(29_999);
    desk.marks();
    desk.none();
    assert_eq!(desk.alerts(AlertKind::CloseBlocked, true), 1);
    desk.wait(1);
    desk.one();
}
