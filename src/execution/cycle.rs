//! A chain of legs around one venue: what every asset of it has changed by, exactly, and what of that is more than dust.
//!
//! Leg `k` spends asset `k` and yields asset `k + 1`; the last yields the first, the *start*. The chain is even when no asset
//! but the start has changed by more than dust: less than any leg beside it could trade. Amounts are counted execution by
//! execution, with the fees that the venue really took, so that they are always the sum of the fills.

use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::market::{Catalogue, Instrument, InstrumentKind};
use crate::risk::Approved;
use crate::trade::{Fill, Leg};
use crate::units::ratio::mul_div_floor;
use crate::units::{Asset, Notional, Ppm, Price, Qty, Side};

use super::minimum::tradable;

/// Decimals of an [`AssetQty`]: every grid of a spot instrument fits.
const DECIMALS: u32 = 18;

/// An amount of one asset in 10^-18 units. Signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AssetQty(pub i128);

impl AssetQty {
    /// A decimal amount; digits beyond the scale are rounded away from us (up: it is a fee). `None` when it does not fit.
    #[must_use]
    pub fn fee_ceil(value: Decimal) -> Option<Self> {
        let value = value.normalize();
        if value.scale() <= DECIMALS {
            let up = 10_i128.checked_pow(DECIMALS - value.scale())?;
            return value.mantissa().checked_mul(up).map(Self);
        }
        let down = 10_i128.checked_pow(value.scale() - DECIMALS)?;
        Some(Self(-(-value.mantissa()).div_euclid(down)))
    }
    /// As an exact decimal; `None` above 96 bits.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.0, DECIMALS)
            .ok()
            .map(|value| value.normalize())
    }
    const fn plus(self, other: i128) -> Self {
        Self(self.0.saturating_add(other))
    }
}

/// One leg of a chain: what it spends and yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Base asset of its instrument.
    pub base: Asset,
    /// Quote asset of its instrument.
    pub quote: Asset,
    /// Its own side.
    pub side: Side,
    /// [`AssetQty`] of one quantity step.
    qty_unit: i128,
    /// [`AssetQty`] of one price step times one quantity step.
    value_unit: i128,
}

impl Hop {
    /// A leg at a spot instrument whose amounts can be counted exactly; otherwise `None`.
    #[must_use]
    pub fn of(instrument: &Instrument, side: Side) -> Option<Self> {
        if instrument.kind() != InstrumentKind::Spot || instrument.multiplier != Decimal::ONE {
            return None;
        }
        let (price, qty) = (
            u32::from(instrument.grid.price_decimals()),
            u32::from(instrument.grid.qty_decimals()),
        );
        Some(Self {
            base: instrument.symbol.base,
            quote: instrument.symbol.quote,
            side,
            qty_unit: 10_i128.checked_pow(DECIMALS.checked_sub(qty)?)?,
            value_unit: 10_i128.checked_pow(DECIMALS.checked_sub(price + qty)?)?,
        })
    }
    /// What an order of `side` here gives away.
    #[must_use]
    pub const fn spends(&self, side: Side) -> Asset {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }
    /// What an order of `side` here brings.
    #[must_use]
    pub const fn yields(&self, side: Side) -> Asset {
        self.spends(side.opposite())
    }
    /// The side that gives `asset` away.
    #[must_use]
    pub fn side_spending(&self, asset: Asset) -> Side {
        if asset == self.base {
            Side::Sell
        } else {
            Side::Buy
        }
    }
    /// How much of an asset of this instrument some steps at a price are.
    #[must_use]
    pub fn amount(&self, asset: Asset, qty: Qty, price: Price) -> AssetQty {
        let unit = if asset == self.base {
            self.qty_unit
        } else {
            i128::from(price.0).saturating_mul(self.value_unit)
        };
        AssetQty(i128::from(qty.0).saturating_mul(unit))
    }
    /// How many whole steps at a price that much of an asset is, rounded down.
    #[must_use]
    pub fn steps_floor(&self, asset: Asset, amount: AssetQty, price: Price) -> Qty {
        let unit = if asset == self.base {
            self.qty_unit
        } else {
            i128::from(price.0).saturating_mul(self.value_unit)
        };
        if unit <= 0 {
            return Qty::ZERO;
        }
        let steps = amount.0.saturating_abs().div_euclid(unit);
        Qty(i64::try_from(steps).unwrap_or(i64::MAX))
    }

    /// That much of the base asset in the quote asset, at the price of a quantity and its notional; rounded down.
    #[must_use]
    pub fn quote_of(&self, base: i128, qty: i128, notional: i128) -> Option<i128> {
        let under = qty.checked_mul(self.qty_unit)?;
        mul_div_floor(base, notional.checked_mul(self.value_unit)?, under)
    }
    /// That much of the quote asset in the base asset, at the price of a quantity and its notional; rounded down.
    #[must_use]
    pub fn base_of(&self, quote: i128, qty: i128, notional: i128) -> Option<i128> {
        let under = notional.checked_mul(self.value_unit)?;
        mul_div_floor(quote, qty.checked_mul(self.qty_unit)?, under)
    }
    /// A notional of its grid as an amount of the quote asset.
    #[must_use]
    pub const fn quote_amount(&self, notional: Notional) -> i128 {
        notional.0.saturating_mul(self.value_unit)
    }
    /// The highest price, rounded down, at which that much of the quote asset pays for some steps; `None` for the base asset.
    #[must_use]
    pub fn price_floor(&self, asset: Asset, amount: AssetQty, qty: Qty) -> Option<Price> {
        let unit = i128::from(qty.0).checked_mul(self.value_unit)?;
        if asset == self.base || unit <= 0 || amount.0 <= 0 {
            return None;
        }
        let price = amount.0.div_euclid(unit);
        Some(Price(i64::try_from(price).unwrap_or(i64::MAX)))
    }
}

/// A chain and what its assets have changed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    hops: [Option<Hop>; LEGS_MAX],
    /// Change of the asset that each leg spends; the first is the start.
    open: [AssetQty; LEGS_MAX],
    /// A fee was taken in an asset outside of the chain, or did not fit: the result in the start asset is not all of it.
    pub fees_elsewhere: bool,
}

impl Cycle {
    /// The chain of these legs; `None` when they are no simple chain from `start` back to it at spot instruments.
    #[must_use]
    pub fn new<'a>(
        start: Asset,
        legs: impl Iterator<Item = &'a Leg>,
        catalogue: &Catalogue,
    ) -> Option<Self> {
        let mut hops = [None; LEGS_MAX];
        let (mut held, mut count) = (start, 0_usize);
        for (slot, leg) in hops.iter_mut().zip(legs) {
            let hop = Hop::of(catalogue.get(leg.instrument)?, leg.side)?;
            if hop.spends(hop.side) != held {
                return None;
            }
            held = hop.yields(hop.side);
            *slot = Some(hop);
            count += 1;
        }
        let cycle = Self {
            hops,
            open: [AssetQty(0); LEGS_MAX],
            fees_elsewhere: false,
        };
        let simple = (0..count).all(|place| {
            let asset = cycle.asset(place);
            (0..place).all(|other| cycle.asset(other) != asset)
        });
        (held == start && count > 1 && simple).then_some(cycle)
    }
    /// Legs of the chain.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hops.iter().flatten().count()
    }
    /// Never: a chain has at least two legs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// One leg.
    #[must_use]
    pub fn hop(&self, place: usize) -> Option<&Hop> {
        self.hops.get(place)?.as_ref()
    }
    /// The asset that leg `place` spends.
    #[must_use]
    pub fn asset(&self, place: usize) -> Option<Asset> {
        self.hop(place).map(|hop| hop.spends(hop.side))
    }
    /// What has changed of the asset that leg `place` spends and is not dealt with.
    #[must_use]
    pub fn open(&self, place: usize) -> AssetQty {
        self.open.get(place).copied().unwrap_or_default()
    }
    /// The place of an asset.
    #[must_use]
    pub fn place_of(&self, asset: Asset) -> Option<usize> {
        (0..self.len()).find(|place| self.asset(*place) == Some(asset))
    }
    /// The leg that yields the asset of `place`.
    #[must_use]
    pub fn before(&self, place: usize) -> usize {
        let count = self.len().max(1);
        (place + count - 1) % count
    }
    /// The place that leg `place` yields.
    #[must_use]
    pub fn after(&self, place: usize) -> usize {
        (place + 1) % self.len().max(1)
    }

    /// Counts one execution of leg `place`, or of a repair at its instrument.
    pub fn add(&mut self, place: usize, side: Side, fill: &Fill) {
        let Some(hop) = self.hop(place).copied() else {
            return;
        };
        let base = hop.amount(hop.base, fill.qty, fill.price).0;
        let quote = hop.amount(hop.quote, fill.qty, fill.price).0;
        let sign = i128::from(side.sign());
        self.change(hop.base, base.saturating_mul(sign));
        self.change(hop.quote, quote.saturating_mul(-sign));
        if fill.fee.is_zero() {
            return;
        }
        let known = fill
            .fee_asset
            .filter(|asset| self.place_of(*asset).is_some());
        match known.zip(AssetQty::fee_ceil(fill.fee)) {
            Some((asset, fee)) => self.change(asset, fee.0.saturating_neg()),
            None => self.fees_elsewhere = true,
        }
    }
    /// Adds to what is open of an asset of the chain.
    pub fn change(&mut self, asset: Asset, by: i128) {
        let slot = self
            .place_of(asset)
            .and_then(|place| self.open.get_mut(place));
        if let Some(slot) = slot {
            *slot = slot.plus(by);
        }
    }
    /// Whether an order brings one asset beside the start nearer to nothing without crossing it; `certain` says of which
    /// assets enough is known.
    #[must_use]
    pub fn shrinks(&self, order: &Approved, certain: impl Fn(usize) -> bool) -> bool {
        let Some(hop) = self.hop(usize::from(order.leg_index())) else {
            return false;
        };
        let known = |asset: Asset| self.place_of(asset).is_some_and(&certain);
        let (side, leg) = (order.side(), order.leg());
        (order.qty() <= self.room_spending(hop, leg) && known(hop.spends(side)))
            || (order.qty() <= self.room_bringing(hop, leg) && known(hop.yields(side)))
    }
    /// The most that an order at leg `place` may be, so that it brings one asset beside the start nearer to nothing.
    #[must_use]
    pub fn room(&self, place: usize, order: &Leg) -> Qty {
        let hop = self.hop(place);
        hop.map_or(Qty::ZERO, |hop| {
            self.room_spending(hop, order)
                .max(self.room_bringing(hop, order))
        })
    }
    /// Of what is too much it spends no more than there is, even at its limit.
    fn room_spending(&self, hop: &Hop, order: &Leg) -> Qty {
        let asset = hop.spends(order.side);
        let place = self.place_of(asset).filter(|place| *place > 0);
        let open = place
            .map(|place| self.open(place))
            .filter(|open| open.0 > 0);
        open.map_or(Qty::ZERO, |open| {
            hop.steps_floor(asset, open, order.limit_price)
        })
    }
    /// Of what is missing it brings no more than that, at the touch.
    fn room_bringing(&self, hop: &Hop, order: &Leg) -> Qty {
        let asset = hop.yields(order.side);
        let place = self.place_of(asset).filter(|place| *place > 0);
        let open = place
            .map(|place| self.open(place))
            .filter(|open| open.0 < 0);
        open.map_or(Qty::ZERO, |open| {
            hop.steps_floor(asset, open, order.decision_price)
        })
    }
    /// What is open of the assets beside the start is dealt with (carried, or told to people): takes it out.
    pub fn take_rest(&mut self) -> [Option<(Asset, AssetQty)>; LEGS_MAX] {
        let rest = self.rest();
        for slot in self.open.iter_mut().skip(1) {
            *slot = AssetQty(0);
        }
        rest
    }
    /// What is open of the assets beside the start, by place.
    #[must_use]
    pub fn rest(&self) -> [Option<(Asset, AssetQty)>; LEGS_MAX] {
        let mut rest = [None; LEGS_MAX];
        for (place, slot) in rest.iter_mut().enumerate().skip(1) {
            *slot = self
                .asset(place)
                .map(|asset| (asset, self.open(place)))
                .filter(|(_, amount)| amount.0 != 0);
        }
        rest
    }

    /// True when what is open of an asset is too little for both legs beside it, at the prices that were decided with. The
    /// start is never too much.
    #[must_use]
    pub fn is_dust(
        &self,
        place: usize,
        leg: impl Fn(usize) -> Option<Leg>,
        catalogue: &Catalogue,
    ) -> bool {
        let Some(asset) = self.asset(place).filter(|_| place > 0) else {
            return true;
        };
        [place, self.before(place)].into_iter().all(|beside| {
            let parts = self.hop(beside).zip(leg(beside));
            parts.is_none_or(|(hop, leg)| {
                let price = leg.decision_price;
                let steps = hop.steps_floor(asset, self.open(place), price);
                let instrument = catalogue.get(leg.instrument);
                instrument
                    .is_none_or(|instrument| tradable(instrument, price, steps, Ppm(0)).is_none())
            })
        })
    }
}
