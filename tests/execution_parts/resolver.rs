//! Complete, reverse or hold: by hand, and against decimals on random books.

use arbalest::execution::{
    BaseQty, BrokenLeg, BrokenSet, HoldReason, RepairMarket, RepairPlan, Traded, plan_repair,
};
use arbalest::market::{Books, Catalogue, Instrument, InstrumentId};
use arbalest::prng::Prng;
use arbalest::trade::{Leg, SetId, StrategyId};
use arbalest::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

use crate::bench::{RULES, T0};
use crate::small_market::{catalogue, instrument, set_book};

const UNITS: i64 = 100_000_000;

/// Bought on instrument 0, sold on instrument 1, with these quantities.
struct Scene {
    catalogue: Catalogue,
    books: Books,
    fees: Vec<Ppm>,
    broken: BrokenSet,
}

impl Scene {
    fn new(instruments: Vec<Instrument>, bought: i64, sold: i64) -> Self {
        let catalogue = catalogue(instruments);
        let leg = |id, side, price: i64, qty: i64| {
            let mut traded = Traded::default();
            if qty > 0 {
                traded.add(side, Qty(qty), Price(price), Decimal::ZERO, None);
            }
            let leg = Leg {
                instrument: InstrumentId(id),
                side,
                qty: Qty(1_000),
                limit_price: Price(price),
                decision_price: Price(price),
            };
            Some(BrokenLeg {
                leg,
                units: UNITS,
                traded,
                undecided: false,
                refusals: 0,
            })
        };
        let broken = BrokenSet {
            id: SetId(1),
            strategy: StrategyId(0),
            legs: [
                leg(0, Side::Buy, 6_000_000, bought),
                leg(1, Side::Sell, 6_015_000, sold),
                None,
                None,
                None,
            ],
            cycle: None,
            delta: BaseQty(i128::from(bought - sold) * i128::from(UNITS)),
            attempt: 1,
            answer_due: T0.after(Nanos::from_secs(1)),
        };
        Self {
            books: Books::new(&catalogue),
            catalogue,
            fees: vec![Ppm(400); 2],
            broken,
        }
    }
    fn long() -> Self {
        let mut scene = Self::new(vec![instrument(0, true), instrument(1, true)], 1_000, 400);
        scene.show(0, 5_999_900, 6_000_000);
        scene.show(1, 6_015_000, 6_015_100);
        scene
    }
    fn show(&mut self, id: u16, bid: i64, ask: i64) {
        set_book(&mut self.books, id, &[(bid, 5_000)], &[(ask, 5_000)], T0);
    }
    fn plan_at(&self, now: MonoNanos) -> RepairPlan {
        let market = RepairMarket {
            catalogue: &self.catalogue,
            books: &self.books,
            fees: &self.fees,
        };
        plan_repair(&self.broken, &market, &RULES, now)
    }
    fn plan(&self) -> RepairPlan {
        self.plan_at(T0)
    }
    fn leg(&mut self, index: usize) -> &mut BrokenLeg {
        self.broken.legs[index].as_mut().unwrap()
    }
}

fn hold(plan: RepairPlan) -> HoldReason {
    let RepairPlan::Hold { reason } = plan else {
        panic!("not held: {plan:?}")
    };
    reason
}

#[test]
fn completes_where_that_is_cheaper() {
    let RepairPlan::Complete {
        leg_index,
        leg,
        cost,
    } = Scene::long().plan()
    else {
        panic!()
    };
    assert_eq!(
        (leg_index, leg.instrument, leg.side, leg.qty),
        (1, InstrumentId(1), Side::Sell, Qty(600))
    );
    // Sold at 60,150 × 0.9996 against 60,000 × 1.0004: 16.983 bps gained, rounded to the loss's side.
    assert_eq!(cost, Ppm(-1_698));
    // 2 bps past the level of 60,150.00, rounded up to the tick.
    assert_eq!(
        (leg.decision_price, leg.limit_price),
        (Price(6_015_000), Price(6_013_797))
    );
}

#[test]
fn reverses_where_that_is_cheaper() {
    let mut scene = Scene::long();
    scene.show(1, 5_990_000, 5_990_100);
    let RepairPlan::Reverse {
        leg_index,
        leg,
        cost,
    } = scene.plan()
    else {
        panic!()
    };
    assert_eq!(
        (leg_index, leg.instrument, leg.side, leg.qty),
        (0, InstrumentId(0), Side::Sell, Qty(600))
    );
    assert_eq!(
        cost,
        Ppm(817),
        "both fees and one cent of spread, rounded up"
    );
}

#[test]
fn a_short_set_buys() {
    let mut scene = Scene::new(vec![instrument(0, true), instrument(1, true)], 400, 1_000);
    scene.show(0, 5_999_900, 6_000_000);
    scene.show(1, 6_015_000, 6_015_100);
    let RepairPlan::Complete {
        leg_index: 0, leg, ..
    } = scene.plan()
    else {
        panic!()
    };
    assert_eq!(
        (leg.side, leg.qty, leg.limit_price),
        (Side::Buy, Qty(600), Price(6_001_200))
    );
}

#[test]
fn nothing_dearer_than_allowed_is_sent() {
    let mut scene = Scene::long();
    // 0.3% below 60,000 × 1.0004, over 0.9996, is 59,867.875…: that price is allowed, one cent below it is not.
    scene.show(0, 5_986_788, 6_000_000);
    scene.show(1, 5_900_000, 6_015_100);
    assert!(matches!(scene.plan(), RepairPlan::Reverse { .. }));
    scene.show(0, 5_986_787, 6_000_000);
    let HoldReason::TooDear { cost, cost_max } = hold(scene.plan()) else {
        panic!()
    };
    assert_eq!((cost, cost_max), (Ppm(3_001), Ppm(3_000)));
}

#[test]
fn untrusted_books_and_undecided_legs_are_not_used() {
    let scene = Scene::long();
    assert_eq!(
        hold(scene.plan_at(T0.after(Nanos(250_000_001)))),
        HoldReason::NoTrustedBook
    );
    let mut scene = Scene::long();
    scene.leg(1).undecided = true;
    assert!(
        matches!(scene.plan(), RepairPlan::Reverse { .. }),
        "never at the leg that may still fill"
    );
    scene.leg(0).undecided = true;
    assert_eq!(hold(scene.plan()), HoldReason::LegUndecided);
}

#[test]
fn a_leg_that_refuses_is_the_last_resort() {
    let mut scene = Scene::long();
    scene.leg(1).refusals = 1;
    assert!(matches!(scene.plan(), RepairPlan::Reverse { .. }));
    scene.leg(0).refusals = 2;
    assert!(matches!(scene.plan(), RepairPlan::Complete { .. }));
}

#[test]
fn dust_is_what_no_venue_takes() {
    let coarse = |id, lot: i64| Instrument {
        lot: Qty(lot),
        qty_min: Qty(lot),
        ..instrument(id, true)
    };
    let mut scene = Scene::new(vec![coarse(0, 100), coarse(1, 1_000)], 1_000, 50);
    scene.show(0, 5_999_900, 6_000_000);
    scene.show(1, 6_015_000, 6_015_100);
    let RepairPlan::Reverse { leg, .. } = scene.plan() else {
        panic!()
    };
    assert_eq!(leg.qty, Qty(900), "floored, never rounded up");
    scene.broken.delta = BaseQty(99 * i128::from(UNITS));
    assert_eq!(
        hold(scene.plan()),
        HoldReason::Dust {
            delta: scene.broken.delta
        }
    );
    scene.broken.delta = BaseQty(0);
    assert!(matches!(hold(scene.plan()), HoldReason::Dust { .. }));
}

/// On random books: the chosen price is the best there is, the worst fill stays within the allowed cost, and holding for
/// its cost means that every touch is too dear.
#[test]
#[expect(clippy::too_many_lines, reason = "one case and its check in decimals")]
fn plans_agree_with_decimals() {
    let (mut sent, mut dear) = (0, 0);
    for seed in 0..3_000 {
        let mut prng = Prng::new(seed);
        let (bought, sold) = (prng.between(1, 1_000), prng.between(1, 1_000));
        let mut scene = Scene::new(vec![instrument(0, true), instrument(1, true)], bought, sold);
        scene.fees = vec![
            Ppm(prng.between(-200, 1_000)),
            Ppm(prng.between(-200, 1_000)),
        ];
        scene.broken.attempt = u32::try_from(prng.between(1, 5)).unwrap();
        for id in 0..2 {
            let middle = 6_000_000 + prng.between(-30_000, 30_000);
            let (bid, ask) = (middle - prng.between(0, 50), middle + prng.between(1, 50));
            scene.show(id, bid, ask);
        }
        let side = if bought > sold { Side::Sell } else { Side::Buy };
        let worth = |index: usize, price: i64| {
            Decimal::from(price) * (Decimal::from(1_000_000 + side.sign() * scene.fees[index].0))
        };
        let touch = |index: usize| {
            let top = scene
                .books
                .get(InstrumentId(u16::try_from(index).unwrap()))
                .unwrap()
                .top()
                .unwrap();
            worth(
                index,
                if side == Side::Buy {
                    top.ask.price.0
                } else {
                    top.bid.price.0
                },
            )
        };
        let (basis_price, basis_fee) = if side == Side::Sell {
            (6_000_000, scene.fees[0].0)
        } else {
            (6_015_000, scene.fees[1].0)
        };
        let basis = Decimal::from(basis_price) * Decimal::from(1_000_000 - side.sign() * basis_fee);
        let sign = Decimal::from(side.sign());
        let loss = |net: Decimal| (net - basis) * sign / basis;
        let limit = Decimal::new(RULES.cost_max.0, 6);
        match scene.plan() {
            RepairPlan::Complete { leg_index, leg, .. }
            | RepairPlan::Reverse { leg_index, leg, .. } => {
                sent += 1;
                let index = usize::from(leg_index);
                assert!(
                    loss(touch(index)) <= loss(touch(1 - index)) + Decimal::new(1, 6),
                    "seed {seed}: the cheaper way"
                );
                assert!(
                    loss(worth(index, leg.limit_price.0)) <= limit,
                    "seed {seed}: the worst fill"
                );
                assert_eq!(
                    (leg.side, leg.qty),
                    (side, Qty((bought - sold).abs())),
                    "seed {seed}"
                );
            }
            RepairPlan::Hold {
                reason: HoldReason::TooDear { .. },
            } => {
                dear += 1;
                let losses = [loss(touch(0)), loss(touch(1))];
                assert!(
                    losses.iter().all(|loss| *loss > limit),
                    "seed {seed}: {losses:?}"
                );
            }
            RepairPlan::Hold { reason } => assert!(bought == sold, "seed {seed}: {reason:?}"),
        }
    }
    assert!(
        sent > 500 && dear > 100,
        "the cases are not trivial: {sent} sent, {dear} too dear"
    );
}

/// Prices in another quote say nothing of what the excess cost: completing there looked like a gain of 900 %, or too dear.
#[test]
fn a_leg_in_another_quote_is_never_priced_against_the_excess() {
    let mut other = instrument(1, true);
    other.symbol.quote = Asset::new("USD").unwrap();
    let mut scene = Scene::new(vec![instrument(0, true), other], 1_000, 400);
    scene.show(0, 5_999_900, 6_000_000);
    scene.show(1, 60_150_000, 60_151_000);
    let RepairPlan::Reverse { leg_index, .. } = scene.plan() else {
        panic!("{:?}", scene.plan())
    };
    assert_eq!(leg_index, 0);
    scene.leg(0).undecided = true;
    assert_eq!(hold(scene.plan()), HoldReason::LegUndecided);
}
