//! What the two instruments of a pair demand, and how quantities of one become quantities of the other.
//!
//! Base quantities are counted in *base units* of `10^-decimals`, fine enough that a step of spot and (linear) a contract step
//! are whole numbers of them. A linear contract step is always the same base. An inverse one is a fixed value in the quote
//! asset, so the base that hedges it depends on the price: at the entry that is the price it is sold or bought at, afterwards
//! its cost in coin (RISK.md V16: the harmonic mean of the entries), because its profit in coin makes up for the rest.

use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind};
use crate::strategy::params::BasisParams;
use crate::strategy::routes::StrategyError;
use crate::units::{Money, Notional, Ppm, Price, Qty};

/// Base units of inverse pairs have at least so many decimals: coin per contract has no end.
const INVERSE_DECIMALS: u32 = 12;
/// Added to a venue's smallest order value: the gate has a margin of its own, and prices move before the order arrives.
const NOTIONAL_MARGIN: Money = Money(rust_decimal::Decimal::from_parts(101, 0, 0, false, 2));

/// One leg's instrument.
#[derive(Debug, Clone, Copy)]
pub struct LegTerms {
    /// Which.
    pub instrument: InstrumentId,
    /// Price increment.
    pub tick: Price,
    /// Quantity increment.
    pub lot: Qty,
    /// Smallest order.
    pub qty_min: Qty,
    /// Largest order.
    pub qty_max: Qty,
    /// Smallest `price × quantity`, margin included; zero for an inverse perpetual, whose value is in `qty_min`.
    pub notional_min: Notional,
    /// Taker fee.
    pub fee: Ppm,
}

/// Base units in contract steps: `num / den` a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerContract {
    /// Base units.
    pub num: i128,
    /// Contract steps.
    pub den: i128,
}

/// Equal base on both legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairQty {
    /// On the spot lot.
    pub spot: Qty,
    /// On the contract lot.
    pub perp: Qty,
}

/// How a contract becomes base.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// Base units in a contract step.
    Linear { units: i128 },
    /// Base units in a contract step times the price in steps.
    Inverse { units_price: i128 },
}

/// Both legs.
#[derive(Debug, Clone)]
pub struct PairTerms {
    /// Spot.
    pub spot: LegTerms,
    /// The perpetual.
    pub perp: LegTerms,
    /// The perpetual, for its value.
    pub contract: Instrument,
    /// Decimals of a base unit.
    pub decimals: u32,
    /// Contract increment whose base is a whole number of spot lots (linear), or the contract lot.
    perp_step: Qty,
    spot_units: i128,
    size: Size,
    /// Price steps to the common scale: spot, perpetual.
    price_scale: (i128, i128),
    slice: Notional,
    position_max: Notional,
}

impl PairTerms {
    /// Checks that the two hedge each other.
    ///
    /// # Errors
    /// [`StrategyError`] when they do not.
    pub fn new(params: &BasisParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        let get = |id: InstrumentId| catalogue.get(id).ok_or(StrategyError::Instrument(id.0));
        let (spot, perp) = (get(params.spot)?, get(params.perp)?);
        if spot.kind() != InstrumentKind::Spot || spot.symbol.base != perp.symbol.base {
            return Err(StrategyError::NotComparable(spot.id.0));
        }
        for fee in [params.spot_fee, params.perp_fee] {
            if fee.0.abs() >= Ppm::ONE.0 {
                return Err(StrategyError::Fees(2));
            }
        }
        let (decimals, size) = size_of(spot, perp)?;
        let up = |decimals: u32| 10_i128.checked_pow(decimals);
        let spot_units = up(decimals - u32::from(spot.grid.qty_decimals()))
            .ok_or(StrategyError::Contract(spot.id.0))?;
        let perp_step = match size {
            Size::Linear { units } => {
                let lot = i128::from(spot.lot.0) * spot_units;
                common_step(lot, units, perp.lot)
                    .ok_or(StrategyError::Lots(spot.id.0, perp.id.0))?
            }
            Size::Inverse { .. } => perp.lot,
        };
        let prices = (spot.grid.price_decimals(), perp.grid.price_decimals());
        let finest = prices.0.max(prices.1);
        let scale = |own: u8| up(u32::from(finest - own)).unwrap_or(1);
        let money = |amount: Money, field| {
            let notional = spot.grid.notional_floor(amount);
            notional
                .filter(|value| value.0 > 0)
                .ok_or(StrategyError::Parameter(field))
        };
        Ok(Self {
            spot: leg_terms(spot, params.spot_fee)?,
            perp: leg_terms(perp, params.perp_fee)?,
            contract: perp.clone(),
            decimals,
            perp_step,
            spot_units,
            size,
            price_scale: (scale(prices.0), scale(prices.1)),
            slice: money(params.slice, "slice_quote")?,
            position_max: money(params.max_position, "max_position_quote")?,
        })
    }

    /// Spot and perpetual price on one scale.
    #[must_use]
    pub fn scaled(&self, spot: Price, perp: Price) -> (i128, i128) {
        (
            i128::from(spot.0) * self.price_scale.0,
            i128::from(perp.0) * self.price_scale.1,
        )
    }
    /// Base units of a spot quantity.
    #[must_use]
    pub fn spot_base(&self, qty: Qty) -> i128 {
        i128::from(qty.0) * self.spot_units
    }
    /// Base units of a signed contract position with its signed cost: what must be held against it, with the same sign as the
    /// position. `None` when it does not fit.
    #[must_use]
    pub fn perp_base(&self, qty: Qty, cost: Money) -> Option<i128> {
        match self.size {
            Size::Linear { units } => i128::from(qty.0).checked_mul(units),
            // A long inverse contract costs negative coin.
            Size::Inverse { .. } => (-cost).steps_floor(self.decimals),
        }
    }
    /// Base units a contract step at a price (linear: at any).
    #[must_use]
    pub fn per_contract(&self, price: Price) -> PerContract {
        match self.size {
            Size::Linear { units } => PerContract { num: units, den: 1 },
            Size::Inverse { units_price } => PerContract {
                num: units_price,
                den: i128::from(price.0.max(1)),
            },
        }
    }
    /// Base units a contract step of an open position.
    #[must_use]
    pub fn per_held(&self, qty: Qty, base: i128) -> PerContract {
        match self.size {
            Size::Linear { units } => PerContract { num: units, den: 1 },
            Size::Inverse { .. } => PerContract {
                num: base.abs().max(1),
                den: i128::from(qty.0.saturating_abs().max(1)),
            },
        }
    }
    /// Largest pair of equal base within `base`, floored to both lots.
    #[must_use]
    pub fn pair_floor(&self, base: i128, per: PerContract) -> PairQty {
        let steps = base
            .max(0)
            .saturating_mul(per.den)
            .div_euclid(per.num.max(1));
        let perp = narrow(steps).floor_to(self.perp_step).unwrap_or(Qty::ZERO);
        self.pair_of(perp, per)
    }
    /// The spot quantity that goes with contracts, floored to the spot lot.
    fn pair_of(&self, perp: Qty, per: PerContract) -> PairQty {
        let base = i128::from(perp.0)
            .saturating_mul(per.num)
            .div_euclid(per.den.max(1));
        let spot = narrow(base.div_euclid(self.spot_units));
        PairQty {
            spot: spot.floor_to(self.spot.lot).unwrap_or(Qty::ZERO),
            perp,
        }
    }
    /// The smallest pair that both venues take at these prices; both quantities are rounded up.
    #[must_use]
    pub fn least(&self, spot: Price, perp: Price, per: PerContract) -> PairQty {
        let spot_least = least_qty(&self.spot, spot);
        let for_spot = ceil_div(
            self.spot_base(spot_least).saturating_mul(per.den),
            per.num.max(1),
        );
        let steps = for_spot.max(i128::from(least_qty(&self.perp, perp).0));
        let perp = narrow(steps)
            .ceil_to(self.perp_step)
            .unwrap_or(Qty(i64::MAX));
        let pair = self.pair_of(perp, per);
        PairQty {
            spot: pair.spot.max(spot_least),
            perp,
        }
    }
    /// Base units of the largest quantity worth at most one slice.
    #[must_use]
    pub fn slice_base(&self, spot: Price) -> i128 {
        self.base_within(self.slice, spot)
    }
    /// Base units of the largest quantity worth at most the largest position.
    #[must_use]
    pub fn position_max_base(&self, spot: Price) -> i128 {
        self.base_within(self.position_max, spot)
    }
    fn base_within(&self, value: Notional, spot: Price) -> i128 {
        value
            .0
            .div_euclid(i128::from(spot.0.max(1)))
            .saturating_mul(self.spot_units)
    }
    /// Base units as spot steps, floored to its lot, towards zero.
    #[must_use]
    pub fn spot_qty_floor(&self, base: i128) -> Qty {
        narrow(base.abs().div_euclid(self.spot_units))
            .floor_to(self.spot.lot)
            .unwrap_or(Qty::ZERO)
    }
    /// Base units of half a contract lot, rounded down.
    #[must_use]
    pub fn half_lot_base(&self, per: PerContract) -> i128 {
        i128::from(self.perp.lot.0)
            .saturating_mul(per.num)
            .div_euclid(per.den.max(1).saturating_mul(2))
    }
    /// Base units as contracts, floored to its lot, towards zero.
    #[must_use]
    pub fn perp_qty_floor(&self, base: i128, per: PerContract) -> Qty {
        let steps = base
            .abs()
            .saturating_mul(per.den)
            .div_euclid(per.num.max(1));
        narrow(steps).floor_to(self.perp.lot).unwrap_or(Qty::ZERO)
    }
}

/// Smallest quantity on the lot that a venue takes at a price.
#[must_use]
pub fn least_qty(leg: &LegTerms, price: Price) -> Qty {
    let by_value = ceil_div(leg.notional_min.0, i128::from(price.0.max(1)));
    let least = narrow(by_value).max(leg.qty_min).max(Qty(1));
    least.ceil_to(leg.lot).unwrap_or(Qty(i64::MAX))
}

fn ceil_div(over: i128, under: i128) -> i128 {
    -(over.saturating_neg()).div_euclid(under.max(1))
}

fn narrow(steps: i128) -> Qty {
    Qty(i64::try_from(steps).unwrap_or(i64::MAX))
}

/// Decimals of a base unit, and the contract in them.
fn size_of(spot: &Instrument, perp: &Instrument) -> Result<(u32, Size), StrategyError> {
    let wrong = StrategyError::Contract(perp.id.0);
    let multiplier = perp.multiplier.normalize();
    let (spot_decimals, perp_decimals) = (
        u32::from(spot.grid.qty_decimals()),
        u32::from(perp.grid.qty_decimals()),
    );
    let tens = |decimals: u32| 10_i128.checked_pow(decimals);
    match perp.kind() {
        InstrumentKind::Spot => Err(StrategyError::NotComparable(perp.id.0)),
        InstrumentKind::LinearPerpetual => {
            if perp.symbol.quote != spot.symbol.quote {
                return Err(StrategyError::NotComparable(perp.id.0));
            }
            let decimals = spot_decimals.max(perp_decimals + multiplier.scale());
            let units = tens(decimals - perp_decimals - multiplier.scale())
                .and_then(|up| multiplier.mantissa().checked_mul(up))
                .filter(|units| *units > 0);
            units
                .map(|units| (decimals, Size::Linear { units }))
                .ok_or(wrong)
        }
        InstrumentKind::InversePerpetual => {
            let decimals = spot_decimals.max(INVERSE_DECIMALS);
            let up = (decimals + u32::from(perp.grid.price_decimals()))
                .checked_sub(perp_decimals + multiplier.scale());
            let units_price = up
                .and_then(tens)
                .and_then(|up| multiplier.mantissa().checked_mul(up))
                .filter(|units| *units > 0);
            units_price
                .map(|units_price| (decimals, Size::Inverse { units_price }))
                .ok_or(wrong)
        }
    }
}

/// Contract steps on the contract lot whose base is a whole number of spot lots.
fn common_step(spot_lot: i128, units: i128, perp_lot: Qty) -> Option<Qty> {
    let whole = spot_lot.checked_div(gcd(spot_lot, units))?;
    let lot = i128::from(perp_lot.0);
    let step = whole.checked_div(gcd(whole, lot))?.checked_mul(lot)?;
    i64::try_from(step).ok().filter(|step| *step > 0).map(Qty)
}

fn gcd(one: i128, two: i128) -> i128 {
    let (mut larger, mut smaller) = (one.abs(), two.abs());
    while smaller != 0 {
        (larger, smaller) = (smaller, larger.rem_euclid(smaller));
    }
    larger
}

fn leg_terms(instrument: &Instrument, fee: Ppm) -> Result<LegTerms, StrategyError> {
    let wrong = StrategyError::NotionalMin(instrument.id.0);
    let ceil = |money: Money| {
        let floor = instrument.grid.notional_floor(money)?;
        Some(Notional(floor.0.checked_add(1)?))
    };
    let least = Money(instrument.notional_min);
    let (mut qty_min, mut notional_min) = (instrument.qty_min, Notional(0));
    if !least.is_zero() {
        let least = least
            .mul(NOTIONAL_MARGIN)
            .map_err(|_too_large| wrong.clone())?;
        match instrument.kind() {
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => {
                let least = least.mul_div_ceil(
                    Money(rust_decimal::Decimal::ONE),
                    Money(instrument.multiplier),
                    18,
                );
                let least = least.map_err(|_too_large| wrong.clone())?;
                notional_min = ceil(least).ok_or(wrong)?;
            }
            InstrumentKind::InversePerpetual => {
                let decimals = u32::from(instrument.grid.qty_decimals());
                let contracts = least
                    .mul_div_ceil(
                        Money(rust_decimal::Decimal::ONE),
                        Money(instrument.multiplier),
                        decimals,
                    )
                    .ok()
                    .and_then(|contracts| contracts.steps_floor(decimals))
                    .ok_or(wrong)?;
                qty_min = qty_min.max(narrow(contracts));
            }
        }
    }
    Ok(LegTerms {
        instrument: instrument.id,
        tick: instrument.tick,
        lot: instrument.lot,
        qty_min,
        qty_max: instrument.qty_max,
        notional_min,
        fee,
    })
}
