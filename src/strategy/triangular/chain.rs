//! A cycle as a chain of amounts: what each leg needs, what it yields, what is left over between them.
//!
//! Every asset of the chain is counted in its own units, fine enough that value and fee of both its legs are whole numbers:
//! six decimals more than the finer of them. So nothing is rounded but quantities, to lots.
//!
//! A plan is made backwards: for a quantity of the last leg, each leg before it trades the fewest lots that yield what the next
//! one needs, and no fewer than the venue takes. That is the cheapest way to that quantity; what is left over is less than one
//! lot's yield a leg, but where a smallest order asks for more.
//!
//! Example (vector V32): 3.3264 ETH to sell need 3.3298 bought (3.3264702 after the fee), for 0.16649 BTC; these need
//! 0.16666 BTC bought (0.16649334 after the fee), for 9,999.6 USDT.

use crate::capacity::LEGS_MAX;
use crate::units::{Ppm, Price, Side};

use super::super::params::FeeTaken;
use super::ladder::Ladder;
use super::wide::{Rate, RoundTrip};

/// One leg of a chain.
#[derive(Debug, Clone, Copy)]
pub struct ChainLeg {
    /// Buy or sell.
    pub side: Side,
    /// The levels that it may take.
    pub ladder: Ladder,
    /// Smallest quantity increment, above zero.
    pub lot: i64,
    /// Most that it may take, of whatever reason.
    pub qty_max: i64,
    /// Most that the account allows; part of `qty_max`.
    pub room: i64,
    /// How it turns one asset into the other.
    pub rate: Rate,
    /// Fewest lots, as a quantity, that the venue takes by quantity and by value.
    pub qty_least: i64,
    /// Least quantity that the venue takes.
    pub qty_min: i64,
    /// Least value that the venue takes, in notional steps.
    pub notional_min: i128,
    /// Least that it spends.
    pub spent_min: i128,
    notional_price: Price,
    factors: Factors,
}

/// From a leg's own steps to the units of the asset it spends and of the asset it yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Factors {
    spent: i128,
    yielded: i128,
    /// `spent / yielded` in lowest terms: the factors are powers of ten times the fee, without what they share the products
    /// stay small.
    cost_over: i128,
    cost_under: i128,
}

/// Decimals of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegDecimals {
    /// Of its price.
    pub price: u8,
    /// Of its quantity.
    pub qty: u8,
}

impl LegDecimals {
    /// Decimals of the asset that a leg spends.
    #[must_use]
    pub const fn spent(self, side: Side) -> u32 {
        match side {
            Side::Sell => self.qty as u32,
            Side::Buy => self.price as u32 + self.qty as u32,
        }
    }
    /// Decimals of the asset that a leg yields.
    #[must_use]
    pub const fn yielded(self, side: Side) -> u32 {
        self.spent(side.opposite())
    }
}

/// Room for a fee in ppm.
pub const FEE_DECIMALS: u32 = 6;

/// What a chain leg is made of.
#[derive(Debug, Clone, Copy)]
pub struct LegShape {
    /// Buy or sell.
    pub side: Side,
    /// Its decimals.
    pub decimals: LegDecimals,
    /// Decimals of the units of the asset it spends, at least [`FEE_DECIMALS`] more than its own.
    pub spent_decimals: u32,
    /// The same of the asset it yields.
    pub yielded_decimals: u32,
    /// Taker fee.
    pub fee: Ppm,
    /// What the fee is taken from.
    pub fee_taken: FeeTaken,
}

impl Factors {
    fn new(shape: &LegShape) -> Option<Self> {
        let LegShape { side, decimals, .. } = *shape;
        let up = |wide: u32, narrow: u32| {
            let places = wide.checked_sub(narrow + FEE_DECIMALS)?;
            10_i128.checked_pow(places)
        };
        let million = i128::from(Ppm::ONE.0);
        let (kept, paid) = match (side, shape.fee_taken) {
            (Side::Sell, _) | (Side::Buy, FeeTaken::FromReceived) => {
                (million - i128::from(shape.fee.0), million)
            }
            (Side::Buy, FeeTaken::FromQuote) => (million, million + i128::from(shape.fee.0)),
        };
        if kept <= 0 || paid <= 0 {
            return None;
        }
        let spent = up(shape.spent_decimals, decimals.spent(side))?.checked_mul(paid)?;
        let yielded = up(shape.yielded_decimals, decimals.yielded(side))?.checked_mul(kept)?;
        let shared = common_divisor(spent, yielded);
        Some(Self {
            spent,
            yielded,
            cost_over: spent.div_euclid(shared),
            cost_under: yielded.div_euclid(shared),
        })
    }
}

impl ChainLeg {
    /// A leg without bounds but its ladder; `None` when its amounts do not fit.
    #[must_use]
    pub fn new(shape: &LegShape, ladder: Ladder, lot: i64) -> Option<Self> {
        (lot > 0).then_some(())?;
        Some(Self {
            side: shape.side,
            ladder,
            lot,
            qty_max: ladder.qty(),
            room: i64::MAX,
            rate: Rate::new(shape.side, shape.decimals.price, shape.fee, shape.fee_taken)?,
            qty_least: lot,
            qty_min: 0,
            notional_min: 0,
            spent_min: 0,
            notional_price: Price(0),
            factors: Factors::new(shape)?,
        })
    }

    /// Units spent for `qty` at the levels seen.
    #[must_use]
    pub fn spent(&self, qty: i64) -> Option<i128> {
        let steps = match self.side {
            Side::Sell => i128::from(qty),
            Side::Buy => self.ladder.notional(qty)?,
        };
        steps.checked_mul(self.factors.spent)
    }
    /// Units yielded by `qty` at the levels seen.
    #[must_use]
    pub fn yielded(&self, qty: i64) -> Option<i128> {
        let steps = match self.side {
            Side::Buy => i128::from(qty),
            Side::Sell => self.ladder.notional(qty)?,
        };
        steps.checked_mul(self.factors.yielded)
    }
    /// Units locked by an order for `qty` limited at `limit`.
    #[must_use]
    pub fn locked(&self, qty: i64, limit: Price) -> Option<i128> {
        let steps = match self.side {
            Side::Sell => i128::from(qty),
            Side::Buy => i128::from(qty).checked_mul(i128::from(limit.0))?,
        };
        steps.checked_mul(self.factors.spent)
    }
    /// Fewest lots, as a quantity, that yield `needed`.
    fn qty_yielding(&self, needed: i128) -> Option<i64> {
        let steps = -(-needed).div_euclid(self.factors.yielded);
        let qty = match self.side {
            Side::Buy => i64::try_from(steps).ok()?,
            Side::Sell => self.ladder.qty_reaching(steps)?,
        };
        self.ceil_lot(qty)
    }
    /// Steps of what is spent that `units` cover: quantity of a sale, notional of a purchase.
    #[must_use]
    pub fn steps_covered(&self, units: i128) -> i128 {
        units.div_euclid(self.factors.spent)
    }
    /// Steps of what is yielded that `units` hold: quantity of a purchase, notional of a sale.
    #[must_use]
    pub fn steps_held(&self, units: i128) -> i128 {
        units.div_euclid(self.factors.yielded)
    }
    /// Most lots, as a quantity, that `units` pay for, within [`Self::qty_max`].
    #[must_use]
    pub fn qty_affordable(&self, units: i128) -> i64 {
        let steps = self.steps_covered(units.max(0));
        let qty = match self.side {
            Side::Sell => i64::try_from(steps).unwrap_or(i64::MAX),
            Side::Buy => self.ladder.qty_within(steps),
        };
        let qty = qty.min(self.qty_max).max(0);
        qty - qty.rem_euclid(self.lot)
    }
    /// `units` of what it yields as units of what it spends at `price`, rounded as asked.
    fn cost(&self, units: i128, price: Price, up: bool) -> Option<i128> {
        let price = i128::from(price.0);
        let (over, under) = match self.side {
            Side::Buy => (price, 1),
            Side::Sell => (1, price),
        };
        let over = self.factors.cost_over.checked_mul(over)?;
        let under = self.factors.cost_under.checked_mul(under)?;
        let product = units.checked_mul(over)?;
        (under > 0).then(|| {
            if up {
                -(-product).div_euclid(under)
            } else {
                product.div_euclid(under)
            }
        })
    }
    /// Takes what the venue demands of an order. `notional_price` is the lowest price that values it for that: its limit
    /// where that is known before the size, else zero for the levels'.
    pub fn demand(&mut self, qty_min: i64, notional_min: i128, notional_price: Price) {
        (self.qty_min, self.notional_min) = (qty_min, notional_min);
        self.notional_price = notional_price;
        let at_limit = if notional_price.0 > 0 {
            -(-notional_min).div_euclid(i128::from(notional_price.0))
        } else {
            0
        };
        let at_levels = self.ladder.qty_reaching(notional_min);
        let least = i64::try_from(at_limit)
            .unwrap_or(i64::MAX)
            .max(at_levels.unwrap_or(i64::MAX))
            .max(qty_min)
            .max(1);
        self.qty_least = self.ceil_lot(least).unwrap_or(i64::MAX);
    }
    /// Takes the least that it spends.
    pub fn demand_spent(&mut self, spent_min: i128) {
        self.spent_min = spent_min;
        let steps = -(-spent_min.max(0)).div_euclid(self.factors.spent);
        let qty = match self.side {
            Side::Sell => i64::try_from(steps).ok(),
            Side::Buy => self.ladder.qty_reaching(steps),
        };
        let least = qty.and_then(|qty| self.ceil_lot(qty)).unwrap_or(i64::MAX);
        self.qty_least = self.qty_least.max(least);
    }
    fn ceil_lot(&self, qty: i64) -> Option<i64> {
        match qty.rem_euclid(self.lot) {
            0 => Some(qty),
            part => qty.checked_add(self.lot - part),
        }
    }
    /// What the venue holds an order of `qty` to be worth, at the least.
    #[must_use]
    pub fn value(&self, qty: i64) -> i128 {
        let walked = self.ladder.notional(qty).unwrap_or(0);
        if self.notional_price.0 > 0 {
            walked.min(i128::from(qty) * i128::from(self.notional_price.0))
        } else {
            walked
        }
    }
}

fn common_divisor(one: i128, two: i128) -> i128 {
    let (mut larger, mut smaller) = (one, two);
    while smaller != 0 {
        (larger, smaller) = (smaller, larger.rem_euclid(smaller));
    }
    larger.max(1)
}

/// Quantities of all legs, and what comes of them at the levels seen, in units of the start asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Quantity by leg, in steps of its grid; zero beyond the last.
    pub qty: [i64; LEGS_MAX],
    /// What the first leg spends.
    pub spent: i128,
    /// What the last leg yields after its fee.
    pub received: i128,
    /// What is left over between the legs, at what it cost at the touch, fees included.
    pub left: i128,
}

impl Plan {
    /// What the plan earns beyond `edge_min` of what it spends, with what is left over at its cost, in millionths of a unit.
    #[must_use]
    pub fn score(&self, edge_min: Ppm) -> Option<i128> {
        let million = i128::from(Ppm::ONE.0);
        let gained = self.received.checked_add(self.left)?;
        let due = million.checked_add(i128::from(edge_min.0))?;
        gained
            .checked_mul(million)?
            .checked_sub(self.spent.checked_mul(due)?)
    }
    /// Edge in ppm of what is spent, rounded down; what is left over counts nothing.
    #[must_use]
    pub fn net_edge(&self) -> Option<Ppm> {
        if self.spent <= 0 {
            return None;
        }
        let gain = self.received.checked_sub(self.spent)?;
        let micros = gain.checked_mul(i128::from(Ppm::ONE.0))?;
        i64::try_from(micros.div_euclid(self.spent)).ok().map(Ppm)
    }
}

/// All legs of a cycle with their bounds.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    legs: [Option<ChainLeg>; LEGS_MAX],
}

impl Chain {
    /// A chain of the given legs; those beyond `LEGS_MAX` are dropped.
    #[must_use]
    pub fn new(wanted: impl Iterator<Item = ChainLeg>) -> Self {
        let mut legs = [None; LEGS_MAX];
        for (slot, leg) in legs.iter_mut().zip(wanted) {
            *slot = Some(leg);
        }
        Self { legs }
    }
    /// Its legs in order.
    pub fn legs(&self) -> impl DoubleEndedIterator<Item = &ChainLeg> {
        self.legs.iter().flatten()
    }
    /// How many legs.
    #[must_use]
    pub fn leg_count(&self) -> usize {
        self.legs().count()
    }
    /// Lot of the last leg.
    #[must_use]
    pub fn last_lot(&self) -> i64 {
        self.legs().next_back().map_or(1, |leg| leg.lot)
    }

    /// Most of each leg, spending at most `start_max` units and in each leg all that the one before yields.
    #[must_use]
    pub fn largest(&self, start_max: i128) -> [i64; LEGS_MAX] {
        let mut most = [0; LEGS_MAX];
        let mut units = start_max;
        for (leg, slot) in self.legs().zip(&mut most) {
            *slot = leg.qty_affordable(units);
            units = leg.yielded(*slot).unwrap_or(0);
        }
        most
    }

    /// The cheapest plan whose last leg trades `lots`; `None` when a leg cannot yield what the next one needs.
    #[must_use]
    pub fn plan(&self, lots: i64) -> Option<Plan> {
        let mut plan = Plan {
            qty: [0; LEGS_MAX],
            spent: 0,
            received: 0,
            left: 0,
        };
        // What is left over before each leg.
        let mut over = [0_i128; LEGS_MAX];
        let mut needed = None;
        let slots = plan.qty.iter_mut().zip(&mut over);
        let legs = self.legs.iter().zip(slots).rev();
        for (leg, (slot, left)) in legs.filter_map(|(leg, slot)| leg.as_ref().zip(Some(slot))) {
            let qty = match needed {
                None => lots.checked_mul(leg.lot)?,
                Some(needed) => leg.qty_yielding(needed)?.max(leg.qty_least),
            };
            if qty > leg.qty_max {
                return None;
            }
            let yielded = leg.yielded(qty)?;
            match needed {
                None => plan.received = yielded,
                Some(needed) => *left = yielded.checked_sub(needed)?,
            }
            *slot = qty;
            needed = Some(leg.spent(qty)?);
        }
        plan.spent = needed?;
        plan.left = self.value_floor(&over)?;
        Some(plan)
    }

    /// What amounts left over after each leg cost at the touch, in units of the start asset.
    fn value_floor(&self, amounts: &[i128; LEGS_MAX]) -> Option<i128> {
        let mut carried = 0_i128;
        let legs = self.legs.iter().zip(amounts).rev();
        for (leg, amount) in legs.filter_map(|(leg, amount)| leg.as_ref().zip(Some(amount))) {
            carried = carried.checked_add(*amount)?;
            if carried > 0 {
                carried = leg.cost(carried, leg.ladder.touch(), false)?;
            }
        }
        Some(carried)
    }

    /// True when one more unit through all legs would still earn `edge_min`.
    #[must_use]
    pub fn goes_on(&self, plan: &Plan, edge_min: Ppm) -> bool {
        let prices = |(leg, qty): (&ChainLeg, i64)| Some((leg.rate, leg.ladder.next_price(qty)?));
        let next = || self.legs().zip(plan.qty).map(prices);
        next().all(|leg| leg.is_some()) && RoundTrip::new(next().flatten()).reaches(edge_min)
    }

    /// Most that lots can take from a plan's score against one without lots, in millionths of a unit: a lot's yield of every
    /// leg but the last, at the dearest that it may cost in a plan up to `most`, less what it counts for when it is left over.
    #[must_use]
    pub fn lot_loss_ceil(&self, most: &[i64; LEGS_MAX], edge_min: Ppm) -> Option<i128> {
        let last = self.leg_count().checked_sub(1)?;
        let mut lots = [0_i128; LEGS_MAX];
        for (slot, leg) in lots.iter_mut().zip(self.legs()).take(last) {
            *slot = leg.yielded_by_a_lot()?;
        }
        let mut worst = [Price(0); LEGS_MAX];
        for ((slot, leg), qty) in worst.iter_mut().zip(self.legs()).zip(most) {
            *slot = leg.ladder.worst_price(*qty)?;
        }
        let counted = self.value_floor(&lots)?;
        let mut carried = 0_i128;
        let legs = self.legs.iter().zip(lots.iter().zip(&worst)).rev();
        for (leg, (amount, price)) in legs.filter_map(|(leg, rest)| leg.as_ref().zip(Some(rest))) {
            carried = leg.cost(carried.checked_add(*amount)?, *price, true)?;
        }
        let million = i128::from(Ppm::ONE.0);
        let due = million.checked_add(i128::from(edge_min.0))?;
        // One unit a leg for what each plan's own value is rounded down by.
        let rounded = million.checked_mul(i128::try_from(2 * LEGS_MAX).ok()?)?;
        carried
            .checked_mul(due)?
            .checked_sub(counted.checked_mul(million)?)?
            .max(0)
            .checked_add(rounded)
    }
}

impl ChainLeg {
    fn yielded_by_a_lot(&self) -> Option<i128> {
        let steps = match self.side {
            Side::Buy => i128::from(self.lot),
            Side::Sell => i128::from(self.lot).checked_mul(i128::from(self.ladder.touch().0))?,
        };
        steps.checked_mul(self.factors.yielded)
    }
}
