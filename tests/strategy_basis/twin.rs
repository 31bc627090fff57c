//! A slow twin of the strategy in decimals: the same rules written once more, straight from their definition, against thousands of
//! random markets and positions.

use std::collections::BTreeMap;

use arbalest::prng::Prng;
use arbalest::strategy::basis::Direction;
use arbalest::strategy::basis::carry::{
    CarryTerms, basis_ceil, basis_floor, carry, exit_cost_ceil, flip_loss_floor, funding_over,
};
use arbalest::strategy::{BasisDirection, BasisParams, Evaluation, MarginRoom};
use arbalest::units::{Money, Nanos, Ppm, Qty, Side};
use rust_decimal::Decimal;

use super::scene::{HOUR, Held, PERP, Scene, T0, money, params};
use super::small_market::set_book;

fn dec(value: i64) -> Decimal {
    Decimal::from(value)
}

const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// A pair's numbers, as fractions.
struct Numbers {
    basis_in: Decimal,
    basis_left: Decimal,
    funding_8h: Decimal,
}

fn sign(direction: Direction) -> Decimal {
    match direction {
        Direction::ShortPerp => Decimal::ONE,
        Direction::LongPerp => -Decimal::ONE,
    }
}

/// Rounded to a ppm the way the name says.
fn floor_ppm(value: Decimal) -> Decimal {
    (value * MILLION).floor() / MILLION
}
fn ceil_ppm(value: Decimal) -> Decimal {
    (value * MILLION).ceil() / MILLION
}
fn ppm(value: Ppm) -> Decimal {
    dec(value.0) / MILLION
}

#[test]
fn carry_agrees_with_decimals() {
    let mut prng = Prng::new(41);
    for case in 0..20_000 {
        let direction = if prng.next_u64() & 1 == 0 {
            Direction::ShortPerp
        } else {
            Direction::LongPerp
        };
        let spot = prng.between(1, 10_000_000);
        let perp = spot + prng.between(-spot / 20, spot / 20);
        let s = sign(direction);
        let exact = s * (dec(perp) - dec(spot)) / dec(spot);
        let (spot, perp) = (i128::from(spot), i128::from(perp));
        let basis = basis_floor(direction, spot, perp).unwrap();
        let left = basis_ceil(direction, spot, perp).unwrap();
        assert_eq!(
            (ppm(basis), ppm(left)),
            (floor_ppm(exact), ceil_ppm(exact)),
            "case {case}"
        );

        let terms = CarryTerms {
            spot_fee: Ppm(prng.between(-100, 2_000)),
            perp_fee: Ppm(prng.between(-100, 1_000)),
            exit_basis: Ppm(prng.between(-2_000, 2_000)),
            horizon: Nanos(HOUR.0 * prng.between(1, 1_000).unsigned_abs()),
        };
        let rate = prng.between(-3_000_000, 3_000_000);
        let interval = Nanos(HOUR.0 * [1, 2, 4, 8][usize::try_from(prng.below(4)).unwrap()]);
        let hours = |span: Nanos| Decimal::from(span.0 / HOUR.0);
        let billion = dec(1_000_000_000);
        // Funding over a span, floored to a ppb.
        let funding = (s * dec(rate) * hours(terms.horizon) / hours(interval)).floor() / billion;
        let told = funding_over(direction, rate, interval, terms.horizon).unwrap();
        assert_eq!(dec(told) / billion, funding, "case {case}");
        let perp_price = Decimal::ONE + ppm(basis).max(Decimal::ZERO);
        let once = ppm(terms.spot_fee) + ppm(terms.perp_fee) * perp_price;
        let fees = ceil_ppm(dec(2) * once);
        let gross = funding + ppm(basis) - ppm(terms.exit_basis);
        let net = gross - fees;
        let worth = carry(&terms, direction, basis, rate, interval).unwrap();
        assert_eq!(ppm(worth.fees), fees, "case {case}");
        assert_eq!(ppm(worth.gross), floor_ppm(gross), "case {case}");
        assert_eq!(ppm(worth.net), floor_ppm(net), "case {case}");
        let per_day = floor_ppm(net * dec(24) / hours(terms.horizon));
        assert_eq!(ppm(worth.per_day), per_day, "case {case}");

        let loss = flip_loss_floor(&terms, direction, rate, interval).unwrap();
        assert_eq!(
            ppm(loss),
            floor_ppm((-funding).max(Decimal::ZERO)),
            "case {case}"
        );
        let once_left = {
            let price = Decimal::ONE + ppm(left).max(Decimal::ZERO);
            ceil_ppm(ppm(terms.spot_fee) + ppm(terms.perp_fee) * price)
        };
        let cost = once_left + (ppm(left) - ppm(terms.exit_basis)).max(Decimal::ZERO);
        assert_eq!(
            ppm(exit_cost_ceil(&terms, left).unwrap()),
            cost,
            "case {case}"
        );
    }
}

/// What is on the screen of one case. Quantities in lots of 0.0001, prices in cents.
struct Case {
    params: BasisParams,
    spot: (i64, i64),
    perp: (i64, i64),
    depth: i64,
    rate: i64,
    next_s: u64,
    held: (i64, i64),
    available: i64,
    equity: i64,
    maintenance: i64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum What {
    Enter,
    Leave,
    Trim,
    Nothing,
}

/// Legs as (spot quantity, perpetual quantity), signed.
type Answer = (What, i64, i64);

fn random(prng: &mut Prng) -> Case {
    let mid = prng.between(5_900_000, 6_100_000);
    let basis = prng.between(-8_000, 8_000);
    let perp = mid + mid * basis / 1_000_000;
    let half = prng.between(1, 2_000);
    let size = prng.between(0, 900);
    let held = match prng.below(6) {
        0 | 1 => (0, 0),
        2 => (size, -size),
        3 => (-size, size),
        4 => (size, -(size - size * prng.between(0, 12) / 1_000)),
        _ => (prng.between(-50, 50), prng.between(-50, 50)),
    };
    let direction = [
        BasisDirection::ShortPerp,
        BasisDirection::LongPerp,
        BasisDirection::Both,
    ][usize::try_from(prng.below(3)).unwrap()];
    let own = BasisParams {
        direction,
        entry_basis: Ppm(prng.between(500, 4_000)),
        exit_basis: Ppm(prng.between(-1_000, 500)),
        min_net_carry_per_day: Ppm(prng.between(-300, 600)),
        min_funding_8h_ppb: prng.between(-200_000, 200_000),
        funding_flip_exit: prng.next_u64() & 1 == 0,
        leverage: u32::try_from(prng.between(1, 3)).unwrap(),
        slice: Money(dec(prng.between(10, 600))),
        ..params()
    };
    Case {
        params: own,
        spot: (mid - half, mid + half),
        perp: (perp - half, perp + half),
        depth: prng.between(0, 2_000),
        rate: prng.between(-500_000, 500_000),
        next_s: u64::try_from(prng.between(0, 200)).unwrap(),
        held,
        available: prng.between(0, 1_000),
        equity: prng.between(100, 20_000),
        maintenance: prng.between(0, 100),
    }
}

impl Case {
    fn numbers(&self, direction: Direction) -> Numbers {
        let s = sign(direction);
        let short = direction == Direction::ShortPerp;
        let pick = |pair: (i64, i64), ask: bool| dec(if ask { pair.1 } else { pair.0 });
        let (spot_in, perp_in) = (pick(self.spot, short), pick(self.perp, !short));
        let (spot_out, perp_out) = (pick(self.spot, !short), pick(self.perp, short));
        Numbers {
            basis_in: floor_ppm(s * (perp_in - spot_in) / spot_in),
            basis_left: ceil_ppm(s * (perp_out - spot_out) / spot_out),
            funding_8h: s * dec(self.rate) / dec(1_000_000_000),
        }
    }
    fn share(&self) -> i64 {
        self.depth / 4
    }
    fn slice(&self, price: i64) -> i64 {
        let lots = self.params.slice.0 * dec(100) * dec(10_000) / dec(price);
        i64::try_from(lots.floor()).unwrap()
    }
    /// Value of a position at the perpetual's bid (its mark) in the quote unit.
    fn value(&self, qty: i64) -> Decimal {
        dec(qty.abs()) * dec(self.perp.0) / MILLION
    }
    /// Distance to liquidation with so much maintenance more.
    fn distance(&self, value: Decimal, more: Decimal) -> Decimal {
        let maintenance = dec(self.maintenance) + more;
        let left = (dec(self.equity) - maintenance).max(Decimal::ZERO);
        floor_ppm(left / (value + dec(2) * maintenance.max(Decimal::ZERO)))
    }

    fn answer(&self) -> Answer {
        let (spot, perp) = self.held;
        let nothing = (What::Nothing, 0, 0);
        let (larger, delta) = (spot.abs().max(perp.abs()), spot + perp);
        let hedged = if spot.signum() * perp.signum() < 0 {
            spot.abs().min(perp.abs())
        } else {
            0
        };
        let outside = dec(delta.abs()) > ppm(self.params.delta_band) * dec(larger);
        if larger > 0 && (outside || hedged == 0) {
            let is_spot = spot.abs() >= perp.abs();
            let own = if is_spot { spot } else { perp };
            let wanted = if outside {
                delta.abs().min(own.abs())
            } else {
                larger
            };
            let qty = wanted.min(self.share()) * -own.signum();
            if qty != 0 {
                return if is_spot {
                    (What::Trim, qty, 0)
                } else {
                    (What::Trim, 0, qty)
                };
            }
        }
        let mut leaving = false;
        let held = if spot > perp {
            Direction::ShortPerp
        } else {
            Direction::LongPerp
        };
        if hedged > 0
            && let Some(qty) = self.leaves(held, hedged)
        {
            leaving = true;
            let qty = if held == Direction::ShortPerp {
                qty.min(self.available)
            } else {
                qty
            };
            let qty = qty.min(self.share());
            if qty > 0 {
                let s = if held == Direction::ShortPerp { 1 } else { -1 };
                return (What::Leave, -s * qty, s * qty);
            }
        }
        for direction in [Direction::ShortPerp, Direction::LongPerp] {
            if leaving || (hedged > 0 && held != direction) {
                continue;
            }
            if let Some(qty) = self.enters(direction, larger) {
                let s = if direction == Direction::ShortPerp {
                    1
                } else {
                    -1
                };
                return (What::Enter, s * qty, -s * qty);
            }
        }
        nothing
    }

    /// How much of the pair is to go; nothing when it stays.
    fn leaves(&self, direction: Direction, hedged: i64) -> Option<i64> {
        let own = &self.params;
        let distance = self.distance(self.value(self.held.1), Decimal::ZERO);
        if distance < ppm(own.min_liq_distance) {
            let keep = (distance / dec(35) * dec(100) * MILLION).floor() / MILLION;
            let share = Decimal::ONE - keep;
            return i64::try_from((dec(hedged) * share).ceil()).ok();
        }
        let numbers = self.numbers(direction);
        let flips = own.funding_flip_exit && {
            let funding = numbers.funding_8h * dec(9);
            let loss = floor_ppm((-funding).max(Decimal::ZERO));
            let left = numbers.basis_left;
            let fees =
                Decimal::new(1, 3) + Decimal::new(4, 4) * (Decimal::ONE + left.max(Decimal::ZERO));
            let cost = ceil_ppm(fees) + (left - ppm(own.exit_basis)).max(Decimal::ZERO);
            loss > Decimal::ZERO && cost < loss
        };
        let out = numbers.basis_left <= ppm(own.exit_basis);
        let price = if direction == Direction::ShortPerp {
            self.spot.0
        } else {
            self.spot.1
        };
        let slice = self.slice(price);
        let qty = if hedged - slice < 1 { hedged } else { slice };
        (out || flips).then_some(qty)
    }

    fn enters(&self, direction: Direction, larger: i64) -> Option<i64> {
        let own = &self.params;
        let short = direction == Direction::ShortPerp;
        let allowed = match own.direction {
            BasisDirection::ShortPerp => short,
            BasisDirection::LongPerp => !short,
            BasisDirection::Both => true,
        };
        let numbers = self.numbers(direction);
        let price = Decimal::ONE + numbers.basis_in.max(Decimal::ZERO);
        let fees = ceil_ppm(dec(2) * (Decimal::new(1, 3) + Decimal::new(4, 4) * price));
        let net = numbers.funding_8h * dec(9) + numbers.basis_in - ppm(own.exit_basis) - fees;
        let good = allowed
            && numbers.basis_in >= ppm(own.entry_basis)
            && numbers.funding_8h * dec(1_000_000_000) >= dec(own.min_funding_8h_ppb)
            && floor_ppm(net) <= ppm(own.common.max_net_edge)
            && floor_ppm(net / dec(3)) >= ppm(own.min_net_carry_per_day)
            && self.next_s > 30;
        if !good {
            return None;
        }
        let price = if short { self.spot.1 } else { self.spot.0 };
        let most = (dec(5_000) * MILLION / dec(price)).floor();
        let mut qty = (i64::try_from(most).unwrap() - larger)
            .min(self.slice(price))
            .min(self.share());
        if !short {
            qty = qty.min(self.available);
        }
        if qty < 1 {
            return None;
        }
        let (before, added) = (self.value(self.held.1), self.value(qty));
        let value = before + added;
        let within = ceil_ppm(value / dec(self.equity)) <= dec(i64::from(own.leverage));
        let twelve = dec(1_000_000) * dec(1_000_000);
        let more = (added * Decimal::new(25, 3) * twelve).floor() / twelve + Decimal::ONE / twelve;
        let far = self.distance(value, more) >= Decimal::new(35, 2);
        (within && far).then_some(qty)
    }

    fn ask_strategy(&self) -> Answer {
        let mut scene = Scene::new(self.params.clone());
        for (id, (bid, ask)) in [(0, self.spot), (1, self.perp)] {
            // A second level far behind, so that a book without a first one of our size is still a book.
            let far = 100_000;
            let mut bids = vec![(bid - far, 1)];
            let mut asks = vec![(ask + far, 1)];
            bids.push((bid, self.depth.max(1)));
            asks.push((ask, self.depth.max(1)));
            set_book(&mut scene.books, id, &bids, &asks, T0);
        }
        let next = T0.after(Nanos::from_secs(self.next_s));
        scene.fund(self.rate, Some(next), T0);
        scene.held = Held::new(self.held.0, self.held.1);
        scene.held.available[0] = Qty(self.available);
        scene.held.margins[PERP.index()] = MarginRoom::new(
            Money(dec(self.equity)),
            money(&self.maintenance.to_string()),
        );
        let Evaluation::Taken(intent) = scene.look(T0) else {
            return (What::Nothing, 0, 0);
        };
        let mut answer = (What::Trim, 0, 0);
        for leg in intent.legs() {
            let signed = if leg.side == Side::Buy {
                leg.qty.0
            } else {
                -leg.qty.0
            };
            if leg.instrument == PERP {
                answer.2 = signed;
            } else {
                answer.1 = signed;
            }
        }
        if intent.leg_count() == 2 {
            let (spot, perp) = self.held;
            let shrinks = spot * answer.1 < 0 && perp * answer.2 < 0;
            answer.0 = if shrinks { What::Leave } else { What::Enter };
        }
        answer
    }
}

#[test]
fn decisions_agree_with_the_twin() {
    let mut prng = Prng::new(42);
    let mut seen: BTreeMap<What, u32> = BTreeMap::new();
    for number in 0..20_000 {
        let mut case = random(&mut prng);
        case.depth = case.depth.max(1);
        let (twin, strategy) = (case.answer(), case.ask_strategy());
        assert_eq!(
            twin, strategy,
            "case {number}: held {:?}, spot {:?}, perpetual {:?}, rate {}, {:?}",
            case.held, case.spot, case.perp, case.rate, case.params
        );
        *seen.entry(twin.0).or_default() += 1;
    }
    for what in [What::Enter, What::Leave, What::Trim, What::Nothing] {
        assert!(seen[&what] > 500, "{seen:?}");
    }
}
