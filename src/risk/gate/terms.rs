//! Limits and venue rules of each instrument, converted once so that the tick path compares integers.
//!
//! All values share one scale, the *worth*: `10^-decimals` units of the reporting currency, fine enough for every
//! instrument, so `price × qty × factor` is exact and sums over instruments need no rounding. Example: prices with 2
//! decimals and quantities with 5 make worth of 7 decimals; 600.00 × 0.5 is 60,000 × 50,000 = 3,000,000,000 = 300.

use rust_decimal::Decimal;

use crate::market::{
    Catalogue, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, PriceBand,
};
use crate::risk::{Amount, Limits, Permits};
use crate::units::{Asset, Nanos, Ppm, Price, Qty};

/// What the gate knows of one instrument.
#[derive(Debug, Clone, Copy)]
pub(in crate::risk) struct Terms {
    pub(in crate::risk) id: InstrumentId,
    pub(in crate::risk) status: InstrumentStatus,
    pub(in crate::risk) quote: Asset,
    pub(in crate::risk) venue: usize,
    pub(in crate::risk) symbol: usize,
    pub(in crate::risk) asset: usize,
    pub(in crate::risk) tick: Price,
    pub(in crate::risk) lot: Qty,
    pub(in crate::risk) qty_min: Qty,
    pub(in crate::risk) qty_max: Qty,
    pub(in crate::risk) price_min: Price,
    pub(in crate::risk) price_max: Option<Price>,
    pub(in crate::risk) price_decimals: u8,
    pub(in crate::risk) qty_decimals: u8,
    pub(in crate::risk) has_reduce_only: bool,
    /// Worth of one price step times one quantity step; `None` when no rate to the reporting currency is known.
    pub(in crate::risk) factor: Option<i128>,
    /// Where the rate of another quote asset comes from.
    pub(in crate::risk) rate: Option<Rate>,
    /// Worth-scaled units of the quote asset in one price step times one quantity step, for balances and venue minima.
    pub(in crate::risk) quote_unit: i128,
    /// Quantity steps to the common scale of base units.
    pub(in crate::risk) base_factor: i128,
    /// Venue's smallest order worth, margin added.
    pub(in crate::risk) notional_min: i128,
    pub(in crate::risk) notional_max: Option<i128>,
    pub(in crate::risk) limits: Option<OrderLimits>,
    /// Dense number of base and quote: instruments of one pair have comparable prices.
    pub(in crate::risk) pair: usize,
    pub(in crate::risk) is_derivative: bool,
    /// Worth-scaled units of the base asset in one quantity step, for balances.
    pub(in crate::risk) base_unit: i128,
    pub(in crate::risk) price_band: Option<PriceBand>,
    /// PT-14.
    pub(in crate::risk) collar: Ppm,
    pub(in crate::risk) taker_fee: Ppm,
}

/// The rate of a quote asset that is not the reporting currency: the mid of a spot book in that currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) struct Rate {
    /// Its instrument.
    pub(in crate::risk) from: InstrumentId,
    /// Worth of one price step times one quantity step for each price step of the rate.
    unit: i128,
}

impl Rate {
    /// The factor at twice a mid, rounded up: worth is never understated.
    pub(in crate::risk) fn factor_ceil(&self, twice_mid: i128) -> Option<i128> {
        let twice = twice_mid.checked_mul(self.unit)?;
        Some(twice.checked_add(1)?.div_euclid(2))
    }
}

/// The risk officer's limits of one instrument.
#[derive(Debug, Clone, Copy)]
pub(in crate::risk) struct OrderLimits {
    pub(in crate::risk) order_qty_max: Qty,
    pub(in crate::risk) position_qty_max: Qty,
}

/// Limits that are not an instrument's own, in worth.
#[derive(Debug, Clone, Copy)]
pub(in crate::risk) struct Caps {
    pub(in crate::risk) decimals: u8,
    pub(in crate::risk) reporting: Asset,
    pub(in crate::risk) order: i128,
    pub(in crate::risk) symbol: i128,
    pub(in crate::risk) venue: i128,
    pub(in crate::risk) asset_net: i128,
    pub(in crate::risk) gross: i128,
    pub(in crate::risk) net: i128,
    pub(in crate::risk) spread_max: Ppm,
    pub(in crate::risk) ref_price_age_max: Nanos,
    pub(in crate::risk) book_crossed_max: Nanos,
    pub(in crate::risk) risk_view_age_max: Nanos,
    pub(in crate::risk) open_notional: i128,
    pub(in crate::risk) scope_notional: i128,
    /// In hundredths.
    pub(in crate::risk) var99: i128,
    /// In hundredths.
    pub(in crate::risk) es975: i128,
}

impl Caps {
    pub(in crate::risk) const fn amount(&self, worth: i128) -> Amount {
        Amount::new(worth, self.decimals)
    }
}

impl Terms {
    pub(in crate::risk) fn price(&self, price: Price) -> Amount {
        Amount::new(i128::from(price.0), self.price_decimals)
    }
    pub(in crate::risk) fn qty(&self, qty: Qty) -> Amount {
        Amount::new(i128::from(qty.0), self.qty_decimals)
    }
    pub(in crate::risk) const fn wide_qty(&self, qty: i128) -> Amount {
        Amount::new(qty, self.qty_decimals)
    }
    /// Worth of a quantity at a price, exact; `None` without a rate or on overflow.
    #[inline]
    pub(in crate::risk) fn worth(&self, price: i128, qty: i128) -> Option<i128> {
        price.checked_mul(qty)?.checked_mul(self.factor?)
    }
}

/// All instruments' terms, the caps, and how many symbols and assets there are.
pub(in crate::risk) fn convert(
    limits: &Limits,
    catalogue: &Catalogue,
    reporting: Asset,
    permits: &Permits,
) -> (Vec<Terms>, Caps, usize, usize) {
    let all = catalogue.all();
    let rated = |instrument| rate_decimals(instrument, catalogue, reporting);
    let decimals = all.iter().map(rated).max().unwrap_or(0);
    let base_decimals = all.iter().map(base_decimals).max().unwrap_or(0);
    let mut symbols = Vec::new();
    let mut assets = Vec::new();
    let mut pairs = Vec::new();
    let own = &limits.pre_trade;
    let terms = all
        .iter()
        .map(|instrument| Terms {
            id: instrument.id,
            status: instrument.status,
            quote: instrument.symbol.quote,
            venue: instrument.venue.index(),
            symbol: dense(&mut symbols, instrument.symbol),
            asset: dense(&mut assets, instrument.symbol.base),
            tick: instrument.tick,
            lot: instrument.lot,
            qty_min: instrument.qty_min,
            qty_max: instrument.qty_max,
            price_min: instrument.price_min,
            price_max: instrument.price_max,
            price_decimals: instrument.grid.price_decimals(),
            qty_decimals: instrument.grid.qty_decimals(),
            has_reduce_only: instrument.has_reduce_only,
            factor: factor(instrument, reporting, decimals),
            rate: rate(instrument, catalogue, reporting, decimals),
            quote_unit: unit(instrument, decimals).unwrap_or(i128::MAX),
            base_factor: scaled(
                instrument.multiplier,
                base_decimals - u32::from(instrument.grid.qty_decimals()),
            )
            .unwrap_or(0),
            notional_min: minimum(instrument.notional_min, limits.notional_margin, decimals),
            notional_max: instrument.notional_max.map(|max| floor(max, decimals)),
            limits: limits
                .instruments
                .get(instrument.id.index())
                .copied()
                .flatten()
                .map(|own| OrderLimits {
                    order_qty_max: own.order_qty_max,
                    position_qty_max: own.position_qty_max,
                }),
            pair: dense(
                &mut pairs,
                (instrument.symbol.base, instrument.symbol.quote),
            ),
            is_derivative: instrument.kind() != InstrumentKind::Spot,
            base_unit: scaled(
                instrument.multiplier,
                decimals - u32::from(instrument.grid.qty_decimals()),
            )
            .unwrap_or(i128::MAX),
            price_band: instrument.price_band,
            collar: if is_stable(instrument.symbol.base) && is_stable(instrument.symbol.quote) {
                own.price_collar_stable
            } else {
                own.price_collar
            },
            taker_fee: permits
                .taker_fees
                .get(instrument.id.index())
                .copied()
                .unwrap_or(Permits::FEE_UNKNOWN),
        })
        .collect();
    let caps = caps(limits, decimals, reporting);
    (terms, caps, symbols.len(), assets.len())
}

/// Limits that are not an instrument's own, in worth of this many decimals.
fn caps(limits: &Limits, decimals: u32, reporting: Asset) -> Caps {
    let own = &limits.pre_trade;
    Caps {
        decimals: u8::try_from(decimals).unwrap_or(u8::MAX),
        reporting,
        order: floor(limits.order_notional_usd_max, decimals),
        symbol: floor(limits.notional_usd_max_symbol, decimals),
        venue: floor(limits.notional_usd_max_venue, decimals),
        asset_net: floor(limits.notional_usd_max_asset_net, decimals),
        gross: floor(limits.notional_usd_max_gross, decimals),
        net: floor(limits.notional_usd_max_net, decimals),
        spread_max: limits.spread_max,
        ref_price_age_max: limits.ref_price_age_max,
        book_crossed_max: limits.book_crossed_max,
        risk_view_age_max: limits.risk_view_age_max,
        open_notional: floor(own.open_notional_usd_max, decimals),
        scope_notional: floor(own.scope_notional_usd_max, decimals),
        var99: floor(own.var99_1d_usd_max, 2),
        es975: floor(own.es975_1d_usd_max, 2),
    }
}

/// Coins that are meant to be worth one unit of money.
fn is_stable(asset: Asset) -> bool {
    const STABLE: [&str; 10] = [
        "USDT", "USDC", "FDUSD", "TUSD", "DAI", "BUSD", "USDP", "PYUSD", "USDE", "USD",
    ];
    STABLE.contains(&asset.as_str())
}

pub(super) fn dense<T: PartialEq>(seen: &mut Vec<T>, item: T) -> usize {
    seen.iter()
        .position(|other| *other == item)
        .unwrap_or_else(|| {
            seen.push(item);
            seen.len() - 1
        })
}

fn base_decimals(instrument: &Instrument) -> u32 {
    u32::from(instrument.grid.qty_decimals()) + instrument.multiplier.normalize().scale()
}

fn worth_decimals(instrument: &Instrument) -> u32 {
    u32::from(instrument.grid.price_decimals()) + base_decimals(instrument)
}

/// `value × 10^up` when that is a whole number.
fn scaled(value: Decimal, up: u32) -> Option<i128> {
    let value = value.normalize();
    value
        .mantissa()
        .checked_mul(10_i128.checked_pow(up.checked_sub(value.scale())?)?)
}

fn factor(instrument: &Instrument, reporting: Asset, decimals: u32) -> Option<i128> {
    let linear = match instrument.kind() {
        InstrumentKind::Spot | InstrumentKind::LinearPerpetual => true,
        InstrumentKind::InversePerpetual => false,
    };
    let settles = instrument
        .symbol
        .settle
        .is_none_or(|settle| settle == reporting);
    if !linear || !settles || instrument.symbol.quote != reporting {
        return None;
    }
    unit(instrument, decimals)
}

/// Worth-scaled quote units of one price step times one quantity step.
fn unit(instrument: &Instrument, decimals: u32) -> Option<i128> {
    let own =
        u32::from(instrument.grid.price_decimals()) + u32::from(instrument.grid.qty_decimals());
    scaled(instrument.multiplier, decimals.checked_sub(own)?)
}

/// The spot instrument that says what the quote asset of another spot instrument is worth: at its own venue when it can be.
fn rate_from<'a>(
    instrument: &Instrument,
    catalogue: &'a Catalogue,
    reporting: Asset,
) -> Option<&'a Instrument> {
    if instrument.kind() != InstrumentKind::Spot || instrument.symbol.quote == reporting {
        return None;
    }
    let fits = |other: &&Instrument| {
        other.kind() == InstrumentKind::Spot
            && other.symbol.base == instrument.symbol.quote
            && other.symbol.quote == reporting
    };
    let near = |other: &&Instrument| fits(other) && other.venue == instrument.venue;
    let all = catalogue.all();
    all.iter().find(near).or_else(|| all.iter().find(fits))
}

/// Decimals of worth that one instrument needs, those of its rate included.
fn rate_decimals(instrument: &Instrument, catalogue: &Catalogue, reporting: Asset) -> u32 {
    let from = rate_from(instrument, catalogue, reporting);
    let more = from.map_or(0, |from| u32::from(from.grid.price_decimals()));
    worth_decimals(instrument) + more
}

fn rate(
    instrument: &Instrument,
    catalogue: &Catalogue,
    reporting: Asset,
    decimals: u32,
) -> Option<Rate> {
    let from = rate_from(instrument, catalogue, reporting)?;
    let left = decimals.checked_sub(u32::from(from.grid.price_decimals()))?;
    Some(Rate {
        from: from.id,
        unit: unit(instrument, left)?,
    })
}

/// A limit in worth, rounded down; a limit too large for the scale never binds.
pub(super) fn floor(limit: Decimal, decimals: u32) -> i128 {
    let limit = limit.normalize();
    if limit.scale() <= decimals {
        let up = 10_i128.checked_pow(decimals - limit.scale());
        up.and_then(|up| limit.mantissa().checked_mul(up))
            .unwrap_or(i128::MAX)
    } else {
        10_i128
            .checked_pow(limit.scale() - decimals)
            .map_or(0, |down| limit.mantissa().div_euclid(down))
    }
}

/// The venue's minimum plus margin in worth, rounded up.
fn minimum(notional_min: Decimal, margin: Ppm, decimals: u32) -> i128 {
    let least = floor(notional_min, decimals);
    let exact = scaled(notional_min, decimals).is_some();
    let least = if exact {
        least
    } else {
        least.saturating_add(1)
    };
    let grown = least.checked_mul(1_000_000_i128.saturating_add(i128::from(margin.0)));
    grown.map_or(i128::MAX, |grown| {
        grown.saturating_add(999_999).div_euclid(1_000_000)
    })
}
