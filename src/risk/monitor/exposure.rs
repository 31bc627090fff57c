//! AT-07 to AT-09 and AT-16: held value by scope against its limits, concentration, leverage, net delta.

use rust_decimal::Decimal;

use crate::market::{Instrument, VenueId};
use crate::risk::{KillLevel, Scope};
use crate::units::Ppm;

use super::Monitor;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// A ratio as a decimal.
pub(super) fn ratio(ppm: Ppm) -> Decimal {
    Decimal::new(ppm.0, 6)
}

/// Held value of a group of instruments; `None` when one of them cannot be valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) gross: Option<Decimal>,
    pub(super) net: Option<Decimal>,
}

impl Monitor {
    /// Gross and net value of the instruments that `wanted` picks.
    pub(super) fn held(&self, wanted: impl Fn(&Instrument) -> bool) -> Sums {
        let mut sums = Sums {
            gross: Some(Decimal::ZERO),
            net: Some(Decimal::ZERO),
        };
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if !wanted(instrument) || watch.qty().is_zero() {
                continue;
            }
            let value = watch.value().map(|value| value.0);
            sums.gross = add(sums.gross, value.map(|value| value.abs()));
            sums.net = add(sums.net, value);
        }
        sums
    }

    /// AT-07 of every scope that one instrument belongs to.
    pub(super) fn read_notional(&self, instrument: &Instrument, out: &mut Vec<Reading>) {
        let limits = &self.limits;
        let wide = Decimal::ONE.saturating_add(ratio(limits.controls.notional_tolerance));
        let k1 = |limit: Decimal| Tier::auto(limit.saturating_mul(wide), KillLevel::ReduceOnly);
        let (symbol, venue) = (instrument.symbol, instrument.venue);
        let asset = symbol.base;
        let whole = self.held(|_| true);
        // One scope has one reading: the portfolio's is the one nearer to its limit.
        let (gross, net) = (limits.notional_usd_max_gross, limits.notional_usd_max_net);
        let net_value = whole.net.map(|net| net.abs());
        let is_net_worse = match (whole.gross, net_value) {
            (Some(held), Some(net_held)) => {
                net_held.saturating_mul(gross) > held.saturating_mul(net)
            }
            _ => false,
        };
        let (value, limit) = if is_net_worse {
            (net_value, net)
        } else {
            (whole.gross, gross)
        };
        let scopes = [
            (
                Scope::Symbol(symbol),
                self.held(|one| one.symbol == symbol).gross,
                limits.notional_usd_max_symbol,
            ),
            (
                Scope::Venue(venue),
                self.held(|one| one.venue == venue).gross,
                limits.notional_usd_max_venue,
            ),
            (
                Scope::Asset(asset),
                self.held(|one| one.symbol.base == asset)
                    .net
                    .map(|net| net.abs()),
                limits.notional_usd_max_asset_net,
            ),
            (Scope::Portfolio, value, limit),
        ];
        out.extend(
            scopes.map(|(scope, value, limit)| {
                Reading::new(Control::Notional, scope, value, k1(limit))
            }),
        );
    }

    /// AT-16 of one base asset.
    pub(super) fn read_delta(&self, instrument: &Instrument, out: &mut Vec<Reading>) {
        let asset = instrument.symbol.base;
        let net = self.held(|one| one.symbol.base == asset).net;
        let limit = self.limits.controls.asset_delta_usd_max;
        out.push(Reading::new(
            Control::AssetDelta,
            Scope::Asset(asset),
            net.map(|net| net.abs()),
            Tier::auto(limit, KillLevel::ReduceOnly),
        ));
    }

    /// AT-08.
    pub(super) fn read_concentration(
        &self,
        equities: &[Option<Decimal>],
        whole: Option<Decimal>,
        out: &mut Vec<Reading>,
    ) {
        // One venue alone holds everything by nature.
        if equities.len() < 2 {
            return;
        }
        let limit = ratio(self.limits.controls.venue_equity_max);
        for (venue, equity) in (0_u8..).map(VenueId).zip(equities) {
            let share = equity.zip(whole).and_then(|(own, whole)| over(own, whole));
            out.push(Reading::new(
                Control::Concentration,
                Scope::Venue(venue),
                share,
                Tier::auto(limit, KillLevel::Armed),
            ));
        }
    }

    /// AT-09.
    pub(super) fn read_leverage(&self, whole: Option<Decimal>, out: &mut Vec<Reading>) {
        let gross = self.held(|_| true).gross;
        let value = gross.zip(whole).and_then(|(gross, equity)| {
            // Without equity any position is too much.
            if equity <= Decimal::ZERO && !gross.is_zero() {
                return Some(Decimal::MAX);
            }
            over(gross, equity)
        });
        let limit = ratio(self.limits.controls.leverage_max);
        out.push(Reading::new(
            Control::Leverage,
            Scope::Portfolio,
            value,
            Tier::auto(limit, KillLevel::ReduceOnly),
        ));
    }
}

fn add(sum: Option<Decimal>, next: Option<Decimal>) -> Option<Decimal> {
    sum?.checked_add(next?)
}

/// A quotient half to even at nine decimals; `None` for a divisor not above zero.
pub(super) fn over(value: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole <= Decimal::ZERO {
        return None;
    }
    crate::units::Money(value)
        .div_half_even(crate::units::Money(whole), 9)
        .ok()
        .map(|share| share.0)
}
