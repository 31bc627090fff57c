//! One symbol of one venue in the model: its view of the fair price, its makers, its rates, its mark and funding.

use crate::prng::Prng;
use crate::units::{Nanos, Ppm, Price, UnixNanos};

use super::MarketChange;
use super::chance::normal;
use super::latent::{View, WHOLE, scaled};
use super::maker::{Makers, Out, Shape};
use super::model::SECOND;
use super::setup::{ModelParams, SymbolShape, coin_price_cents};

/// Funding is paid every eight hours.
const FUNDING_PERIOD: i64 = 8 * 3_600 * 1_000_000_000;
/// The interest part of a funding rate, in parts per billion a period.
const FUNDING_INTEREST: i64 = 100_000;
/// Funding leaves the premium by at most this, in parts per billion.
const FUNDING_CLAMP: i64 = 500_000;

/// One symbol of one venue.
#[derive(Debug, Clone)]
pub(super) struct Market {
    pub(super) venue: usize,
    pub(super) symbol: usize,
    pub(super) underlying: usize,
    /// What a cross pair is quoted in; `None` for a pair quoted in money.
    pub(super) quoted_in: Option<usize>,
    pub(super) shape: SymbolShape,
    pub(super) view: View,
    pub(super) makers: Makers,
    pub(super) prng: Prng,
    pub(super) change_gap: u64,
    pub(super) take_gap: u64,
}

impl Market {
    pub(super) fn new(
        venue: usize,
        symbol: usize,
        underlying: usize,
        shape: SymbolShape,
        params: &ModelParams,
        mut prng: Prng,
    ) -> Self {
        let perpetual = shape.is_perpetual();
        let share = |value: i64, ppm: Ppm| {
            if perpetual {
                scaled(value, ppm.0.saturating_mul(1_000))
            } else {
                value
            }
        };
        let lag_width = params.lag_max.0.saturating_sub(params.lag_min.0);
        let view = View {
            base_price: shape.base_price.0,
            level: WHOLE,
            newest: WHOLE,
            asleep_until: UnixNanos(0),
            bias: 0,
            basis: if perpetual { params.basis_ppb } else { 0 },
            lag: Nanos(params.lag_min.0 + prng.below(lag_width.saturating_add(1))),
            last_arrival: UnixNanos(0),
            last_sign: if prng.next_u64() & 1 == 0 { 1 } else { -1 },
        };
        let makers_shape = Shape {
            tick: shape.tick.0.max(1),
            lot: shape.lot.0.max(1),
            touch_qty: share(
                touch_qty(&shape, params.touch_notional),
                params.perpetual_touch,
            ),
            touch_orders: params.touch_orders.max(1),
            side_orders: params.side_orders.max(params.touch_orders + 1),
            depth_ppm: params.depth.0.max(1),
            sweep_ppm: u64::try_from(params.sweep_share.0).unwrap_or(0),
        };
        let rate = |per_s: u64| {
            let rate = share(i64::try_from(per_s).unwrap_or(0), params.perpetual_rate);
            SECOND
                .0
                .checked_div(u64::try_from(rate).unwrap_or(0))
                .unwrap_or(u64::MAX >> 16)
        };
        let target = floor_tick(view.worth(), makers_shape.tick);
        Self {
            venue,
            symbol,
            underlying,
            quoted_in: None,
            shape,
            view,
            makers: Makers::new(makers_shape, prng.fork("makers"), target),
            change_gap: rate(params.changes_per_s),
            take_gap: rate(params.takers_per_s),
            prng,
        }
    }

    /// A perpetual's basis wanders a little, and its mark and funding are told.
    pub(super) fn on_second(
        &mut self,
        params: &ModelParams,
        start: UnixNanos,
        now: UnixNanos,
        out: &mut Out<'_>,
    ) {
        let since_start = Nanos(u64::try_from(now.signed_since(start)).unwrap_or(0));
        let planted = params
            .planted_basis
            .filter(|planted| planted.lasts(since_start));
        let average = planted.map_or(params.basis_ppb, |planted| planted.basis_ppb);
        let pull = (average - self.view.basis)
            .saturating_mul(params.basis_pull.0)
            .div_euclid(1_000_000);
        self.view.basis += pull + normal(&mut self.prng, params.basis_step_ppb);
        self.quote(out);
        let premium = self.view.basis;
        let usual = premium + (FUNDING_INTEREST - premium).clamp(-FUNDING_CLAMP, FUNDING_CLAMP);
        let funding_ppb = planted.map_or(usual, |planted| planted.funding_ppb);
        let due = (now.0.div_euclid(FUNDING_PERIOD) + 1).saturating_mul(FUNDING_PERIOD);
        out(MarketChange::Mark {
            mark: Price(self.view.mark()),
            index: Price(self.view.index()),
            funding_ppb,
            next_funding_time: UnixNanos(due),
        });
    }

    /// The makers quote around what they see.
    pub(super) fn quote(&mut self, out: &mut Out<'_>) {
        let tick = self.shape.tick.0.max(1);
        let target = floor_tick(self.view.worth(), tick).max(tick);
        self.makers.move_to(target, &mut |change| out(change));
    }
}

const fn floor_tick(price: i64, tick: i64) -> i64 {
    price - price.rem_euclid(tick)
}

/// The median touch in steps: a value in whole units of money at the start price.
fn touch_qty(shape: &SymbolShape, notional: i64) -> i64 {
    let scale = u32::from(shape.grid.price_decimals()) + u32::from(shape.grid.qty_decimals());
    let wide = i128::from(notional).saturating_mul(10_i128.saturating_pow(scale));
    let coin_cents = coin_price_cents(shape.symbol.quote.as_str());
    let in_quote = coin_cents.map_or(wide, |cents| {
        wide.saturating_mul(100).div_euclid(i128::from(cents))
    });
    let qty = in_quote
        .checked_div(i128::from(shape.base_price.0))
        .unwrap_or(1);
    i64::try_from(qty).unwrap_or(i64::MAX >> 16).max(1)
}
