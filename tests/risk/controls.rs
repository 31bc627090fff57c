//! Every control of RISK.md 2.1: warns, breaches in the same input, clears or stays. AT-01, AT-02 and AT-35 are in
//! `monitor.rs`.

use arbalest::market::{InstrumentId, Mark, Trust, VenueId};
use arbalest::risk::limits::{Shock, StressScenario};
use arbalest::risk::{
    Alert, AlertKind, Control, ControlLimits, KillLevel, Limits, Monitor, OperatorCommand,
    OperatorDone, Person, RiskOutput, RiskView, Role, Scope, Severity,
};
use arbalest::trade::{
    ApprovalSeq, Balance, DeadMan, Fact, FeedFacts, Fill, FillFacts, LatencyFacts, LegRiskFacts,
    Liquidity, MarginFacts, OrderFacts, OrderIdSource, PositionSnapshot, PositionSource, Purpose,
    Seat, SetFacts, SetId, StrategyId, VenueFacts, VenuePosition,
};
use arbalest::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

use super::people::{orders_of, rearm};
use super::support::{
    EURO, MID, NORTH, ONE, PERP, SOUTH, START, catalogue, dec, instruments, limits, usdt,
};

struct Rig {
    monitor: Monitor,
    now: MonoNanos,
    /// Of the last input.
    out: Vec<RiskOutput>,
    alerts: Vec<Alert>,
    venues: Vec<VenueFacts>,
    orders: OrderFacts,
    faults: u64,
    view: Option<RiskView>,
    /// Money brought in so far.
    flowed: Decimal,
}

fn secs(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}
fn millis(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}
fn btc() -> Asset {
    Asset::new("BTC").unwrap()
}

impl Rig {
    fn new(edit: impl FnOnce(&mut Limits)) -> Self {
        let mut own = limits();
        own.unrealized_loss_usd_max = dec("1000000000");
        edit(&mut own);
        let venue = |id| VenueFacts {
            ready: true,
            snapshot_at: Some(START),
            open_orders: Some(0),
            balances: vec![(usdt(), balance("100000"))],
            ..VenueFacts::unheard(VenueId(id))
        };
        Self {
            monitor: Monitor::new(std::sync::Arc::new(own), catalogue(instruments()), usdt())
                .never_traded(),
            now: START,
            out: Vec::new(),
            alerts: Vec::new(),
            venues: (0..3).map(venue).collect(),
            orders: orders_of(NORTH),
            faults: 0,
            view: None,
            flowed: Decimal::ZERO,
        }
    }

    fn input(&mut self, act: impl FnOnce(&mut Monitor, MonoNanos, &mut Vec<RiskOutput>)) {
        self.out.clear();
        act(&mut self.monitor, self.now, &mut self.out);
        for out in &self.out {
            if let RiskOutput::Alert(alert) = out {
                self.alerts.push(*alert);
            } else if let RiskOutput::View(view) = out {
                self.view = Some(view.clone());
            }
        }
    }
    fn fact(&mut self, fact: &Fact) {
        self.input(|monitor, now, out| monitor.on_fact(fact, now, out));
    }
    fn tick(&mut self, after: Nanos) {
        self.now = self.now.after(after);
        self.input(Monitor::on_timer);
    }
    fn mark(&mut self, id: InstrumentId, mid: i64) {
        let mark = Mark {
            instrument: id,
            bid: Some(Price(mid - 1)),
            ask: Some(Price(mid + 1)),
            venue_mark: None,
            received_at: self.now,
            trust: Trust::Trusted,
            depth: None,
        };
        self.input(|monitor, now, out| monitor.on_mark(&mark, now, out));
    }
    fn own(&mut self, id: InstrumentId, qty: i64, realized: &str) {
        let snapshot = PositionSnapshot {
            instrument: id,
            qty: Qty(qty),
            cost: Decimal::from(60_000_i64) * Decimal::new(qty, 6),
            realized_pnl: dec(realized),
            trade_cash: dec(realized) - Decimal::from(60_000_i64) * Decimal::new(qty, 6),
            settled: ApprovalSeq(0),
            unwind_filled: Qty(0),
        };
        self.input(|monitor, now, out| monitor.on_position(&snapshot, now, out));
    }
    fn venue(&mut self, id: u8, edit: impl FnOnce(&mut VenueFacts)) {
        let facts = &mut self.venues[usize::from(id)];
        edit(facts);
        let fact = Fact::Venue(Box::new(facts.clone()));
        self.fact(&fact);
    }
    /// Margins of the derivatives account, of an equity of 100.
    fn margin(&mut self, initial: &str, maintenance: &str) {
        let margin = MarginFacts {
            equity: dec("100"),
            initial: dec(initial),
            maintenance: dec(maintenance),
        };
        self.venue(2, |facts| facts.margin = Some(margin));
    }
    /// Balances of all venues are known, BTC has a price.
    fn funded(&mut self) {
        for id in 0..3 {
            self.venue(id, |_| {});
        }
        for id in [NORTH, SOUTH, PERP] {
            self.mark(id, MID);
        }
    }
    fn order(&mut self, edit: impl FnOnce(&mut OrderFacts, MonoNanos)) {
        edit(&mut self.orders, self.now);
        let fact = Fact::Orders(self.orders);
        self.fact(&fact);
    }
    fn set(&mut self, realized: &str, expected: &str) {
        self.fact(&Fact::SetEnded(SetFacts {
            set: SetId(1),
            strategy: StrategyId(0),
            realized: Some(dec(realized)),
            expected: Some(dec(expected)),
            broken: false,
            held: false,
        }));
    }
    fn fill(&mut self, id: InstrumentId, side: Side, qty: i64, price: i64, ours: bool) {
        let order = OrderIdSource::new(1, 7).id(SetId(1), u8::from(side == Side::Sell), 0);
        self.fact(&Fact::Filled(Box::new(FillFacts {
            fill: Fill {
                venue: VenueId(u8::try_from(id.0).unwrap()),
                instrument: id,
                client_order_id: ours.then_some(order),
                approval: ApprovalSeq(1),
                strategy: ours.then_some(StrategyId(0)),
                purpose: ours.then_some(Purpose::Leg),
                side,
                qty: Qty(qty),
                price: Price(price),
                fee: Decimal::ZERO,
                fee_asset: None,
                trade_id: 1,
                venue_time: UnixNanos(0),
                received_at: self.now,
                liquidity: Liquidity::Taker,
            },
            decision_price: ours.then_some(Price(MID)),
        })));
    }
    fn level(&self, scope: Scope) -> KillLevel {
        let levels = self.monitor.snapshot(self.now).levels;
        let found = levels.iter().find(|(other, _)| *other == scope);
        found.map_or(KillLevel::Armed, |(_, level)| *level)
    }
    /// The last word on a control in a scope.
    fn told(&self, control: Control, scope: Scope) -> Option<(Severity, bool)> {
        let kind = AlertKind::Control(control);
        let alerts = self.alerts.iter().rev();
        alerts
            .filter(|alert| alert.kind == kind && alert.scope == scope)
            .map(|alert| (alert.severity, alert.raised))
            .next()
    }
    /// The last input changed the scope's level by this row, and its view carries it.
    fn same_event(&self, row: &str, scope: Scope) -> bool {
        let changed = self.out.iter().position(|out| {
            matches!(out, RiskOutput::LevelChanged(change) if change.cause == row && change.scope == scope)
        });
        let viewed = self
            .out
            .iter()
            .rposition(|out| matches!(out, RiskOutput::View(_)));
        changed
            .zip(viewed)
            .is_some_and(|(changed, viewed)| viewed > changed)
    }
}

fn balance(free: &str) -> Balance {
    Balance {
        free: dec(free),
        locked: Decimal::ZERO,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dose {
    Fine,
    Near,
    Over,
}
use Dose::{Fine, Near, Over};

struct Case {
    control: Control,
    scope: Scope,
    /// Armed: an alert alone.
    level: KillLevel,
    clears: bool,
    limits: fn(&mut ControlLimits, &ControlLimits),
    prepare: fn(&mut Rig),
    dose: fn(&mut Rig, Dose),
}

fn by<T>(dose: Dose, fine: T, near: T, over: T) -> T {
    match dose {
        Fine => fine,
        Near => near,
        Over => over,
    }
}

const K1: KillLevel = KillLevel::ReduceOnly;
const K2: KillLevel = KillLevel::CancelAll;
const NORTH_VENUE: Scope = Scope::Venue(VenueId(0));
const STRATEGY: Scope = Scope::Strategy(StrategyId(0));

fn symbol(id: InstrumentId) -> Scope {
    Scope::Symbol(instruments()[id.index()].symbol)
}

#[expect(clippy::too_many_lines, reason = "one row a control")]
fn cases() -> Vec<Case> {
    let nothing: fn(&mut Rig) = |_| {};
    let funded: fn(&mut Rig) = Rig::funded;
    let case = |control, scope, level, clears, limits, prepare, dose| Case {
        control,
        scope,
        level,
        clears,
        limits,
        prepare,
        dose,
    };
    vec![
        case(
            Control::PlanLoss,
            STRATEGY,
            KillLevel::Armed,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                rig.set(by(dose, "1", "-130", "-150.01"), "2");
            },
        ),
        case(
            Control::SymbolLoss,
            symbol(NORTH),
            K1,
            false,
            |own, it| own.symbol_loss_usd_max = it.symbol_loss_usd_max,
            |rig| {
                rig.mark(NORTH, MID);
                rig.own(NORTH, ONE, "0");
            },
            |rig, dose| rig.mark(NORTH, MID - by(dose, 0, 90_000, 100_001)),
        ),
        case(
            Control::ScopeLoss,
            Scope::Portfolio,
            K1,
            false,
            |own, it| own.portfolio_loss_max = it.portfolio_loss_max,
            |rig| {
                rig.funded();
                rig.own(NORTH, ONE, "0");
            },
            |rig, dose| rig.mark(NORTH, MID - by(dose, 0, 500_000, 600_100)),
        ),
        case(
            Control::Drawdown,
            Scope::Portfolio,
            K1,
            false,
            |own, it| {
                (own.drawdown_warn, own.drawdown_max) = (it.drawdown_warn, it.drawdown_max);
            },
            |rig| {
                rig.funded();
                rig.own(NORTH, ONE, "0");
            },
            |rig, dose| rig.mark(NORTH, MID - by(dose, 0, 700_000, 900_100)),
        ),
        case(
            Control::AssetDelta,
            Scope::Asset(btc()),
            K1,
            true,
            |own, it| own.asset_delta_usd_max = it.asset_delta_usd_max,
            funded,
            |rig, dose| {
                rig.own(NORTH, by(dose, 0, 70_000, 83_334), "0");
            },
        ),
        case(
            Control::Notional,
            symbol(NORTH),
            K1,
            true,
            |_, _| {},
            funded,
            |rig, dose| {
                rig.own(NORTH, by(dose, 0, 300_000, 366_667), "0");
            },
        ),
        case(
            Control::Concentration,
            NORTH_VENUE,
            KillLevel::Armed,
            true,
            |own, it| own.venue_equity_max = it.venue_equity_max,
            funded,
            |rig, dose| {
                let target = by(dose, dec("0"), dec("110000"), dec("410000"));
                let amount = target - std::mem::replace(&mut rig.flowed, target);
                rig.fact(&Fact::Flow {
                    venue: VenueId(0),
                    asset: usdt(),
                    amount,
                });
            },
        ),
        case(
            Control::Leverage,
            Scope::Portfolio,
            K1,
            true,
            |own, it| own.leverage_max = it.leverage_max,
            funded,
            |rig, dose| {
                rig.own(NORTH, by(dose, 0, 11 * ONE, 12_500_001), "0");
            },
        ),
        case(
            Control::MarginUsage,
            Scope::Venue(VenueId(2)),
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| rig.margin(by(dose, "40", "50", "60.01"), "1"),
        ),
        case(
            Control::Margin,
            Scope::Venue(VenueId(2)),
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| rig.margin("1", by(dose, "30", "45", "50.01")),
        ),
        case(
            Control::LiquidationDistance,
            Scope::Instrument(PERP),
            K1,
            true,
            |_, _| {},
            |rig| {
                rig.mark(PERP, MID);
                rig.own(PERP, ONE, "0");
            },
            |rig, dose| {
                let equity = dec(by(dose, "20000", "8000", "6999"));
                rig.venue(2, |facts| {
                    facts.margin = Some(MarginFacts {
                        equity,
                        initial: dec("1"),
                        maintenance: dec("1000"),
                    });
                });
            },
        ),
        case(
            Control::StaleFeed,
            NORTH_VENUE,
            K1,
            true,
            |own, it| own.message_age_max = it.message_age_max,
            nothing,
            |rig, dose| {
                let age = by(dose, 0, 900, 1_001);
                let at = Some(MonoNanos(rig.now.0 - millis(age).0));
                rig.fact(&Fact::Feed(FeedFacts {
                    venue: VenueId(0),
                    lane: 0,
                    faults: 0,
                    message_at: at,
                    heartbeat_at: Some(rig.now),
                    lost: 0,
                }));
            },
        ),
        case(
            Control::FeedFaults,
            NORTH_VENUE,
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                if dose == Fine {
                    rig.now = rig.now.after(secs(601));
                }
                rig.faults += by(dose, 0, 6, 5);
                rig.fact(&Fact::Feed(FeedFacts {
                    venue: VenueId(0),
                    lane: 0,
                    faults: rig.faults,
                    message_at: None,
                    heartbeat_at: None,
                    lost: 0,
                }));
            },
        ),
        case(
            Control::StuckOrder,
            symbol(NORTH),
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                let age = by(dose, 0, 1_700, 2_001);
                rig.order(|orders, now| {
                    orders.inflight_since = Some(MonoNanos(now.0 - millis(age).0));
                });
            },
        ),
        case(
            Control::Rejects,
            Scope::Instrument(NORTH),
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                if dose == Fine {
                    rig.now = rig.now.after(secs(61));
                }
                rig.order(|orders, _| {
                    orders.submitted += by(dose, 0, 10, 10);
                    orders.rejected += by(dose, 0, 3, 8);
                });
            },
        ),
        case(
            Control::Slippage,
            STRATEGY,
            K1,
            false,
            |_, _| {},
            nothing,
            |rig, dose| {
                for _ in 0..20 {
                    rig.fill(
                        NORTH,
                        Side::Buy,
                        1,
                        by(dose, MID, 6_007_200, 6_015_600),
                        true,
                    );
                    if rig.same_event("AT-21", STRATEGY) {
                        break;
                    }
                }
            },
        ),
        case(
            Control::FillQuality,
            STRATEGY,
            K1,
            false,
            |own, _| own.plan_loss_usd_max = dec("1000000"),
            nothing,
            |rig, dose| {
                for _ in 0..50 {
                    rig.set(by(dose, "2", "0.8", "-900"), "2");
                    if rig.same_event("AT-22", STRATEGY) {
                        break;
                    }
                }
            },
        ),
        case(
            Control::OrderToTrade,
            NORTH_VENUE,
            KillLevel::Armed,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                if dose == Fine {
                    rig.now = rig.now.after(secs(601));
                }
                rig.order(|orders, _| {
                    orders.submitted += by(dose, 0, 10_000, 1_000_000);
                    orders.executed += by(dose, 0, 2_000, 0);
                });
            },
        ),
        case(
            Control::BalanceBreak,
            NORTH_VENUE,
            K1,
            true,
            |_, _| {},
            |rig| rig.venue(0, |_| {}),
            |rig, dose| {
                let free = by(dose, "100000", "99950", "99899");
                rig.venue(0, |facts| facts.balances = vec![(usdt(), balance(free))]);
                if dose != Over {
                    rig.now = rig.now.after(secs(5));
                    rig.venue(0, |_| {});
                }
            },
        ),
        case(
            Control::VenueErrors,
            NORTH_VENUE,
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                if dose == Fine {
                    rig.now = rig.now.after(secs(301));
                }
                rig.venue(0, |facts| facts.errors += by(dose, 0, 16, 5));
            },
        ),
        case(
            Control::Latency,
            Scope::Portfolio,
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                let ring_used = Ppm(by(dose, 0, 600_000, 900_001));
                rig.fact(&Fact::Latency(LatencyFacts {
                    ring_used,
                    ..LatencyFacts::default()
                }));
            },
        ),
        case(
            Control::Heartbeat,
            Scope::Portfolio,
            K2,
            false,
            |_, _| {},
            nothing,
            |rig, dose| {
                rig.fact(&Fact::Beat(Seat::Signal));
                rig.tick(millis(0));
                for _ in 0..by(dose, 1, 5, 30) {
                    rig.tick(millis(100));
                    if rig.same_event("AT-29", Scope::Portfolio) {
                        break;
                    }
                }
            },
        ),
        case(
            Control::DeadMan,
            NORTH_VENUE,
            K1,
            true,
            |_, _| {},
            nothing,
            |rig, dose| {
                let refreshed_at = MonoNanos(rig.now.0 - secs(by(dose, 1, 27, 31)).0);
                rig.venue(0, |facts| {
                    facts.dead_man = DeadMan::Armed {
                        refreshed_at,
                        window: secs(60),
                    }
                });
            },
        ),
        case(
            Control::Unscraped,
            Scope::Portfolio,
            K1,
            true,
            |_, _| {},
            |rig| rig.fact(&Fact::Scraped),
            |rig, dose| match dose {
                Fine => rig.fact(&Fact::Scraped),
                Near => rig.tick(secs(61)),
                Over => rig.tick(secs(240)),
            },
        ),
        case(
            Control::Stress,
            Scope::Portfolio,
            K1,
            true,
            |own, _| {
                own.stress = vec![StressScenario {
                    name: "fall".to_owned(),
                    shock: Shock::Price {
                        asset: None,
                        change: Ppm(-100_000),
                    },
                    loss_usd_max: dec("6000"),
                }];
            },
            funded,
            |rig, dose| rig.own(NORTH, by(dose, 0, 900_000, 1_000_001), "0"),
        ),
    ]
}

#[test]
fn each_control_warns_breaches_in_the_same_input_and_clears_or_stays() {
    for case in cases() {
        let row = case.control.row();
        let mut rig = Rig::new(|limits| {
            let own = ControlLimits::default();
            (case.limits)(&mut limits.controls, &own);
            if case.control == Control::Notional {
                limits.notional_usd_max_symbol = dec("20000");
            }
        });
        (case.prepare)(&mut rig);
        (case.dose)(&mut rig, Fine);
        let told = |rig: &Rig| rig.told(case.control, case.scope);
        assert_eq!(told(&rig).filter(|(_, raised)| *raised), None, "{row} fine");
        (case.dose)(&mut rig, Near);
        assert_eq!(told(&rig), Some((Severity::Warning, true)), "{row} near");
        assert_eq!(rig.level(case.scope), KillLevel::Armed, "{row} near");
        (case.dose)(&mut rig, Over);
        let loud = if case.level > KillLevel::Armed {
            Severity::Critical
        } else {
            Severity::Warning
        };
        assert_eq!(told(&rig), Some((loud, true)), "{row} over");
        assert_eq!(rig.level(case.scope), case.level, "{row} over");
        if case.level > KillLevel::Armed {
            assert!(
                rig.same_event(row, case.scope),
                "{row}: breach and view in one input"
            );
        }
        for _ in 0..30 {
            (case.dose)(&mut rig, Fine);
            rig.now = rig.now.after(secs(61));
        }
        (case.dose)(&mut rig, Fine);
        let kept = if case.clears {
            KillLevel::Armed
        } else {
            case.level
        };
        assert_eq!(rig.level(case.scope), kept, "{row} afterwards");
    }
}

/// A row without a test fails here.
#[test]
fn every_row_has_a_test() {
    let elsewhere = [
        Control::PositionQuantity,
        Control::UnrealizedLoss,
        Control::Accounting,
        Control::ValueAtRisk,
        Control::ExpectedShortfall,
        Control::ModelHealth,
        Control::LegImbalance,
        Control::LegRisk,
        Control::PositionBreak,
        Control::ForeignFill,
        Control::Unacknowledged,
        Control::Unpriceable,
        Control::VenueClose,
    ];
    let tested: Vec<Control> = cases().iter().map(|case| case.control).collect();
    for row in Control::ROWS {
        let found = tested.contains(&row.control) || elsewhere.contains(&row.control);
        assert!(found, "{} {} has no test", row.row, row.word);
    }
}

/// AT-10 is two limits: margin in use stops new risk and never closes anything, however full the account; what closes is the
/// maintenance ratio alone, and only that stays until people look.
#[test]
fn at10_only_the_maintenance_ratio_closes() {
    let venue = Scope::Venue(VenueId(2));
    let (usage, maintenance) = (Control::MarginUsage.row(), Control::Margin.row());
    let armed = KillLevel::Armed;
    for (initial, maint, level, held_by) in [
        ("47.99", "40", armed, ""),
        ("48", "40.01", armed, ""),
        ("59.99", "49.99", armed, ""),
        ("60", "50", armed, ""),
        ("60.01", "50", K1, usage),
        ("99", "50", K1, usage),
        ("250", "1", K1, usage),
        ("60", "50.01", K1, maintenance),
        ("60", "69.99", K1, maintenance),
        ("60", "70", K1, maintenance),
        ("60", "70.01", KillLevel::Flatten, maintenance),
    ] {
        let mut rig = Rig::new(|_| {});
        rig.margin(initial, maint);
        assert_eq!(rig.level(venue), level, "{initial} {maint}");
        let held = rig.monitor.level_state().entries;
        let causes: Vec<&str> = held.iter().map(|entry| entry.cause).collect();
        if level == armed {
            assert!(causes.is_empty(), "{causes:?}");
        } else {
            assert!(causes.iter().all(|cause| *cause == held_by), "{causes:?}");
            assert!(rig.same_event(held_by, venue));
        }
        for (control, told) in [
            (Control::MarginUsage, dec(initial) >= dec("48")),
            (Control::Margin, dec(maint) > dec("40")),
        ] {
            let raised = rig.told(control, venue).is_some_and(|(_, raised)| raised);
            assert_eq!(raised, told, "{control:?} at {initial} {maint}");
        }
        // Both at rest again: what closed stays, the rest clears after the cool-down.
        for _ in 0..3 {
            rig.now = rig.now.after(secs(61));
            rig.margin("1", "1");
        }
        let stays = level == KillLevel::Flatten;
        assert_eq!(rig.level(venue) > armed, stays, "{initial} {maint}");
    }
}

/// X10: buy 0.8, sell 0.5 at 60,000 leaves 18,000 USD; then the steps of AT-15.
#[test]
fn at15_leg_imbalance_by_age() {
    let mut rig = Rig::new(|limits| {
        limits.controls.leg_imbalance_usd_max = dec("1000");
    });
    rig.funded();
    rig.fill(NORTH, Side::Buy, 800_000, MID, true);
    rig.own(NORTH, 800_000, "0");
    rig.fill(SOUTH, Side::Sell, 500_000, MID, true);
    rig.own(SOUTH, -500_000, "0");
    let open = rig.monitor.metrics(rig.now).unhedged_delta;
    assert_eq!(open, Some(dec("18000")));
    let asset = Scope::Asset(btc());
    let told = |rig: &Rig| rig.told(Control::LegImbalance, asset);
    rig.tick(millis(500));
    assert_eq!(told(&rig), None);
    rig.tick(millis(1));
    assert_eq!(told(&rig), Some((Severity::Warning, true)));
    rig.tick(millis(1_500));
    assert_eq!(told(&rig), Some((Severity::Critical, true)));
    let south = Scope::Venue(VenueId(1));
    assert_eq!(rig.level(south), KillLevel::Armed);
    rig.tick(secs(8));
    assert_eq!(rig.level(south), K2, "the venue that lacks its leg");
    rig.tick(secs(20));
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Halt);
}

/// AT-12 and AT-13 with returns of one percent either way, and AT-14 on days of losses above the figure.
#[test]
fn at12_at13_at14_value_at_risk_and_its_model() {
    let build = |var: &str, es: &str| {
        let mut rig = Rig::new(|limits| {
            limits.controls.var99_usd_max = dec(var);
            limits.controls.es975_usd_max = dec(es);
            limits.controls.var_interval = secs(86_400);
        });
        rig.funded();
        for day in 0..40_i64 {
            rig.now = rig.now.after(secs(86_400));
            rig.mark(NORTH, MID + (day % 2) * 60_000);
        }
        rig.mark(NORTH, MID);
        rig
    };
    let huge = "1000000000";
    let mut rig = build(huge, huge);
    rig.own(NORTH, ONE, "0");
    let figures = rig.monitor.metrics(rig.now);
    let (var, es) = (figures.var99.unwrap(), figures.es975.unwrap());
    assert!(var > dec("500") && es > dec("500"), "{var} {es}");
    for (row, limits) in [
        ("AT-12", (var.to_string(), huge.to_owned())),
        ("AT-13", (huge.to_owned(), es.to_string())),
    ] {
        let mut rig = build(&limits.0, &limits.1);
        rig.own(NORTH, ONE, "0");
        assert_eq!(
            rig.level(Scope::Portfolio),
            KillLevel::Armed,
            "{row}: equal passes"
        );
        rig.own(NORTH, ONE + 1_000, "0");
        assert_eq!(rig.level(Scope::Portfolio), K1, "{row}");
        assert!(rig.same_event(row, Scope::Portfolio));
        rig.own(NORTH, 0, "0");
        rig.tick(secs(61));
        rig.tick(secs(61));
        assert_eq!(
            rig.level(Scope::Portfolio),
            KillLevel::Armed,
            "{row} clears"
        );
    }
    for day in 1..7 {
        rig.now = rig.now.after(secs(86_400));
        rig.own(NORTH, ONE, &format!("-{}", day * 100_000));
        rig.tick(millis(1));
    }
    let told = rig.told(Control::ModelHealth, Scope::Portfolio);
    assert_eq!(told, Some((Severity::Warning, true)));
}

#[test]
fn at24_position_breaks() {
    for (theirs, level) in [
        (0, K2),
        (ONE - 100_000, K2),
        (ONE - 10_000, K1),
        (-ONE, K2),
        (ONE - 1, KillLevel::Armed),
    ] {
        let mut rig = Rig::new(|_| {});
        rig.funded();
        rig.own(NORTH, ONE, "0");
        rig.now = rig.now.after(secs(5));
        for round in 1..=2 {
            assert_eq!(
                rig.level(symbol(NORTH)),
                KillLevel::Armed,
                "{theirs} round {round}"
            );
            let word = VenuePosition {
                instrument: NORTH,
                qty: Qty(theirs),
                source: PositionSource::Snapshot,
                taken_at: rig.now,
            };
            rig.input(|monitor, now, out| monitor.on_confirm(&word, now, out));
            if round == 1 {
                rig.now = rig.now.after(secs(2));
            }
        }
        assert_eq!(rig.level(symbol(NORTH)), level, "{theirs}");
        rig.tick(secs(600));
        assert_eq!(rig.level(symbol(NORTH)), level, "{theirs}: only a person");
    }
}

/// Positions, balances and open orders of one round agree: the venue is reconciled as of the question.
#[test]
fn pt46_reconciled_when_all_of_one_round_agrees() {
    let mut rig = Rig::new(|_| {});
    rig.funded();
    let asked = rig.now;
    let say = |rig: &mut Rig, instrument, qty| {
        let word = VenuePosition {
            instrument,
            qty: Qty(qty),
            source: PositionSource::Snapshot,
            taken_at: asked,
        };
        rig.input(|monitor, now, out| monitor.on_confirm(&word, now, out));
    };
    rig.venue(2, |facts| facts.snapshot_at = Some(asked));
    rig.tick(millis(20));
    let at = |rig: &Rig| {
        rig.view.as_ref().unwrap().venues[2]
            .as_ref()
            .unwrap()
            .reconciled_at
    };
    assert_eq!(at(&rig), None, "no word on the position yet");
    say(&mut rig, PERP, 5);
    rig.tick(millis(20));
    assert_eq!(at(&rig), None, "another position");
    // The fill behind it reaches our books a moment later.
    rig.own(PERP, 5, "0");
    rig.tick(millis(20));
    assert_eq!(at(&rig), Some(asked));
}

#[test]
fn at26_at34_strangers_and_venue_closes_stay() {
    let mut rig = Rig::new(|_| {});
    rig.fill(NORTH, Side::Buy, 1, MID, true);
    assert_eq!(rig.level(symbol(NORTH)), KillLevel::Armed);
    rig.fill(NORTH, Side::Buy, 1, MID, false);
    assert!(rig.same_event("AT-26", symbol(NORTH)));
    rig.fact(&Fact::VenueClosed { instrument: PERP });
    assert!(rig.same_event("AT-34", Scope::Venue(VenueId(2))));
    rig.tick(secs(600));
    assert_eq!(rig.level(symbol(NORTH)), K1);
    assert_eq!(rig.level(Scope::Venue(VenueId(2))), K2);
}

#[test]
fn at31_nobody_acknowledges() {
    for acknowledged in ["fact", "person", "nobody"] {
        let mut rig = Rig::new(|limits| limits.controls.acknowledge_within = secs(300));
        let full = LatencyFacts {
            ring_used: Ppm(950_000),
            ..LatencyFacts::default()
        };
        rig.fact(&Fact::Latency(full));
        rig.tick(secs(300));
        assert_eq!(rig.level(Scope::Portfolio), K1, "equal passes");
        match acknowledged {
            "fact" => rig.fact(&Fact::Acknowledged),
            "person" => {
                let by = Person::new("tom", Role::Trader);
                let command = OperatorCommand::Acknowledge { by };
                let done = rig.monitor.on_operator(command, rig.now, &mut rig.out);
                assert_eq!(done, Ok(OperatorDone::Acknowledged));
            }
            _ => {}
        }
        rig.tick(millis(1));
        assert_eq!(
            rig.level(Scope::Portfolio),
            if acknowledged == "nobody" { K2 } else { K1 }
        );
    }
}

#[test]
fn at33_without_a_price() {
    let mut rig = Rig::new(|_| {});
    rig.own(EURO, ONE, "0");
    rig.tick(secs(5));
    assert_eq!(rig.level(symbol(EURO)), KillLevel::Armed);
    rig.tick(millis(1));
    assert_eq!(rig.level(symbol(EURO)), K1);
    assert!(rig.same_event("AT-33", symbol(EURO)));
    assert_eq!(
        rig.monitor.metrics(rig.now).total_exposure,
        None,
        "never zero"
    );
    rig.own(EURO, 0, "0");
    rig.tick(secs(61));
    rig.tick(secs(61));
    assert_eq!(rig.level(symbol(EURO)), KillLevel::Armed);
}

/// V35: 2.9 % on each of two days is 5.7159 % within 24 hours. V34: money taken out is no loss.
#[test]
fn v35_the_rolling_day_sees_what_midnight_hides() {
    let mut rig = Rig::new(|limits| limits.controls.portfolio_loss_max = Ppm(30_000));
    let midnight = 1_700_006_400_000_000_000_i64;
    rig.fact(&Fact::Time(UnixNanos(midnight - 7_200_000_000_000)));
    rig.venues[0].balances = vec![(usdt(), balance("100000"))];
    for id in 1..3 {
        rig.venues[id].balances = vec![(usdt(), balance("0"))];
    }
    rig.funded();
    rig.own(NORTH, 0, "-2900");
    assert_eq!(
        rig.level(Scope::Portfolio),
        KillLevel::Armed,
        "2.9 % on the first day"
    );
    rig.fact(&Fact::Flow {
        venue: VenueId(0),
        asset: usdt(),
        amount: dec("-20000"),
    });
    rig.fact(&Fact::Flow {
        venue: VenueId(0),
        asset: usdt(),
        amount: dec("20000"),
    });
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Armed, "V34");
    rig.now = rig.now.after(secs(3 * 3_600));
    rig.own(NORTH, 0, "-5715.9");
    // Above 1.5 times the limit too.
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Flatten);
    assert!(rig.same_event("AT-05", Scope::Portfolio));
}

/// What earlier sessions earned or lost stands in the journal's positions: it is no profit of the new session, not even for an
/// instrument that is flat at the start.
#[test]
fn profits_of_earlier_sessions_are_not_booked_again() {
    let mut rig = Rig::new(|_| {});
    let catalogue = catalogue(instruments());
    let own = Limits {
        controls: ControlLimits {
            symbol_loss_usd_max: dec("100"),
            ..limits().controls
        },
        ..limits()
    };
    rig.monitor = Monitor::new(std::sync::Arc::new(own), catalogue, usdt());
    for (id, realized) in [(NORTH, "7000"), (SOUTH, "-9000"), (PERP, "-4000")] {
        rig.own(id, 0, realized);
    }
    rig.funded();
    let before = rig.monitor.metrics(rig.now);
    rig.own(NORTH, 0, "6990");
    rig.own(PERP, 0, "-4005");
    let after = rig.monitor.metrics(rig.now);
    let lost = before.equity.unwrap() - after.equity.unwrap();
    assert_eq!(lost, dec("15"), "only what was lost since");
    assert_eq!(before.nav, Some(Decimal::ONE));
    assert_eq!(rig.told(Control::SymbolLoss, symbol(NORTH)), None);
    rig.own(NORTH, 0, "6890");
    let (_, raised) = rig.told(Control::SymbolLoss, symbol(NORTH)).unwrap();
    assert!(raised, "110 of this session is over 100");
}

/// A warning without a level wakes nobody; what is critical beside the controls does, until it ends or is acknowledged.
#[test]
fn at31_counts_what_is_critical() {
    let build = || Rig::new(|limits| limits.controls.acknowledge_within = secs(300));
    let mut rig = build();
    rig.set("-200", "2");
    assert_eq!(
        rig.told(Control::PlanLoss, STRATEGY),
        Some((Severity::Warning, true))
    );
    rig.tick(secs(400));
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Armed);

    let mut rig = build();
    rig.input(|monitor, now, out| monitor.on_accounting_error("test", now, out));
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Halt);
    let raised_by_at31 = |rig: &Rig| rig.told(Control::Unacknowledged, Scope::Portfolio);
    rig.tick(secs(300));
    assert_ne!(raised_by_at31(&rig), Some((Severity::Critical, true)));
    rig.tick(secs(1));
    assert_eq!(raised_by_at31(&rig), Some((Severity::Critical, true)));
}

/// A position or a loss over its limit waits for a person like any other critical alert, until it is closed and clear, or seen.
#[test]
fn at31_hears_of_positions_and_losses_over_their_limit() {
    let told = |rig: &Rig| rig.told(Control::Unacknowledged, Scope::Portfolio);
    let critical = Some((Severity::Critical, true));
    let build = || {
        let mut rig = Rig::new(|limits| {
            limits.controls.acknowledge_within = secs(10);
            limits.unrealized_loss_usd_max = dec("500");
        });
        rig.funded();
        rig
    };
    // AT-02: 1 BTC, 600 under water.
    let mut rig = build();
    rig.own(NORTH, ONE, "0");
    rig.mark(NORTH, MID - 60_000);
    assert_eq!(
        rig.level(Scope::Symbol(instruments()[NORTH.index()].symbol)),
        KillLevel::Flatten
    );
    rig.tick(secs(10));
    assert_ne!(told(&rig), critical);
    rig.tick(secs(1));
    assert_eq!(told(&rig), critical);
    let blocked = |alert: &Alert| alert.kind == AlertKind::CloseBlocked;
    assert!(
        !rig.alerts.iter().any(blocked),
        "that would be heard of too"
    );
    // Seen in time: nobody is looked for.
    let mut rig = build();
    rig.own(NORTH, ONE, "0");
    rig.mark(NORTH, MID - 60_000);
    rig.fact(&Fact::Acknowledged);
    rig.tick(secs(11));
    assert_ne!(told(&rig), critical);
}

/// Sizes are whole again when nothing is uneven any more, and when a person re-armed what strangers raised.
#[test]
fn half_sizes_end_with_their_cause() {
    let size = |rig: &Rig, id: InstrumentId| {
        rig.view.as_ref().unwrap().instruments[id.index()].size_factor
    };
    let mut rig = Rig::new(|limits| {
        limits.controls.leg_imbalance_usd_max = dec("1000");
        limits.controls.balance_break_usd_min = dec("1000000");
    });
    rig.funded();
    rig.fill(NORTH, Side::Buy, 80_000, MID, true);
    rig.own(NORTH, 80_000, "0");
    rig.fill(SOUTH, Side::Sell, 50_000, MID, true);
    rig.own(SOUTH, -50_000, "0");
    rig.tick(secs(1));
    rig.tick(secs(40));
    let (south, scope) = (Scope::Venue(VenueId(1)), Control::LegImbalance);
    assert_eq!(rig.level(south), K2);
    assert_eq!(rig.level(Scope::Portfolio), KillLevel::Halt);
    assert!(size(&rig, SOUTH) < Ppm::ONE && size(&rig, EURO) < Ppm::ONE);
    rig.fill(SOUTH, Side::Sell, 30_000, MID, true);
    rig.own(SOUTH, -80_000, "0");
    rig.tick(secs(1));
    assert_eq!((size(&rig, SOUTH), size(&rig, EURO)), (Ppm::ONE, Ppm::ONE));
    for place in [south, Scope::Portfolio] {
        assert_eq!(rig.told(scope, place), Some((Severity::Info, false)));
    }
    assert_eq!(rig.level(south), K2, "levels wait for people");

    let mut rig = Rig::new(|limits| limits.kill.probation = millis(1));
    let foreign = |rig: &Rig| rig.told(Control::ForeignFill, symbol(NORTH));
    for _ in 0..2 {
        rig.fill(NORTH, Side::Buy, 1, MID, false);
        assert_eq!(foreign(&rig), Some((Severity::Critical, true)));
        let kind = AlertKind::Control(Control::ForeignFill);
        let mut alerts = rig.alerts.iter().rev();
        let last = alerts.find(|alert| alert.kind == kind).unwrap();
        assert_eq!(last.value.unwrap().to_string(), "1", "counts anew");
        rig.tick(secs(1));
        assert!(size(&rig, NORTH) < Ppm::ONE);
        rig.input(|monitor, now, out| rearm(monitor, symbol(NORTH), KillLevel::Armed, now, out));
        assert_eq!(foreign(&rig), Some((Severity::Info, false)));
        rig.tick(secs(1));
        assert_eq!(rig.level(symbol(NORTH)), KillLevel::Armed);
        assert_eq!(size(&rig, NORTH), Ppm::ONE);
    }
}

/// One set over its own budget, then all of an hour over the strategy's; twice as much closes.
#[test]
fn at15_risk_of_unhedged_sets() {
    let facts = |set, quote_seconds: &str, ended| {
        Fact::LegRisk(LegRiskFacts {
            set: SetId(set),
            strategy: StrategyId(0),
            quote_seconds: dec(quote_seconds),
            quote_seconds_max: Some(dec("2000")),
            ended,
        })
    };
    let strategy = Scope::Strategy(StrategyId(0));
    let mut rig = Rig::new(|limits| limits.controls.leg_risk_quote_s_max = dec("5000"));
    rig.funded();
    rig.fact(&facts(1, "2000", false));
    assert_eq!(rig.level(strategy), KillLevel::Armed, "at its budget");
    rig.fact(&facts(1, "2001", false));
    assert_eq!(rig.level(strategy), KillLevel::ReduceOnly);
    rig.fact(&facts(1, "4001", false));
    assert_eq!(rig.level(strategy), KillLevel::Flatten);

    let mut rig = Rig::new(|limits| limits.controls.leg_risk_quote_s_max = dec("5000"));
    rig.funded();
    for set in 1..=3 {
        rig.fact(&facts(set, "1666", true));
    }
    assert_eq!(rig.level(strategy), KillLevel::Armed, "4,998 of 5,000");
    rig.tick(secs(3_600));
    rig.fact(&facts(4, "100", true));
    rig.fact(&facts(5, "4900", true));
    assert_eq!(
        rig.level(strategy),
        KillLevel::Armed,
        "the first hour is over"
    );
    rig.fact(&facts(6, "1", true));
    assert_eq!(rig.level(strategy), KillLevel::ReduceOnly);
}
