//! One order judged by the gate as it stands, with what the limits would show: nothing is sent.

use rust_decimal::Decimal;
use tokio::sync::oneshot;

use crate::actors::mailbox::Ask;
use crate::actors::signal::Inspect;
use crate::clock::Clock;
use crate::engine::HotPath;
use crate::engine::control::{ControlAnswer, ControlError, LimitUseAnswer, WhatIf, WhatIfAnswer};
use crate::market::{Instrument, InstrumentKind};
use crate::risk::{Amount, Limits, Refusal, RiskSnapshot};
use crate::trade::{Leg, StrategyId};
use crate::units::{MonoNanos, Ppm, Price, Qty, Side};

use super::SeatControl;

/// What the signal seat answers.
type Judged = Option<(Price, Result<(), Refusal>)>;

impl SeatControl {
    pub(super) async fn what_if(&self, order: WhatIf) -> Result<ControlAnswer, ControlError> {
        let instrument = self.instrument(&order)?;
        let grid = instrument.grid;
        let off_grid = |what: &str, value: Decimal| {
            ControlError::Wrong(format!(
                "{what} {value} does not fit the grid of {}",
                order.symbol
            ))
        };
        let qty = grid
            .qty_exact(order.quantity)
            .map_err(|_off| off_grid("quantity", order.quantity))?;
        let price = order
            .price
            .map(|price| {
                grid.price_exact(price)
                    .map_err(|_off| off_grid("price", price))
            })
            .transpose()?;
        let strategy = self.strategy(order.strategy.as_deref())?;
        let (snapshot, limits) = self
            .look(|monitor, now| {
                (
                    monitor.snapshot(now),
                    std::sync::Arc::clone(monitor.limits()),
                )
            })
            .await?;
        let judged = self
            .judge(
                strategy,
                instrument,
                order.side,
                qty,
                price,
                limits.pre_trade.edge_min,
            )
            .await?;
        let Some((price, verdict)) = judged else {
            return Err(ControlError::Refused(format!(
                "{}:{} has no book now: give a price",
                order.venue, order.symbol
            )));
        };
        let price = grid.price_decimal(price).normalize();
        Ok(ControlAnswer::WhatIf(Box::new(WhatIfAnswer {
            approved: verdict.is_ok(),
            code: verdict.err().map(|refusal| refusal.code().to_owned()),
            row: verdict.err().map(|refusal| refusal.row().row.to_owned()),
            text: verdict.err().map_or_else(
                || "the gate would send it".to_owned(),
                |refusal| refusal.to_string(),
            ),
            price,
            limits: self.uses(instrument, order.side, qty, price, &snapshot, &limits),
        })))
    }

    fn instrument(&self, order: &WhatIf) -> Result<&Instrument, ControlError> {
        let catalogue = &self.handles.catalogue;
        let matches = |one: &&Instrument| {
            catalogue.venue_name(one.venue) == order.venue && one.symbol.to_string() == order.symbol
        };
        catalogue.all().iter().find(matches).ok_or_else(|| {
            ControlError::Wrong(format!(
                "there is no {} at {}: 'arbalest risk positions' lists what there is",
                order.symbol, order.venue
            ))
        })
    }

    fn strategy(&self, name: Option<&str>) -> Result<StrategyId, ControlError> {
        let names = &self.handles.facts.strategies;
        let place = match name {
            None => Some(0),
            Some(name) => names.iter().position(|known| known == name),
        };
        place
            .and_then(|place| u8::try_from(place).ok())
            .map(StrategyId)
            .ok_or_else(|| {
                ControlError::Wrong(format!(
                    "there is no such strategy: write one of {}",
                    names.join(", ")
                ))
            })
    }

    /// Asks the signal seat, which works on a copy of its gate.
    async fn judge(
        &self,
        strategy: StrategyId,
        instrument: &Instrument,
        side: Side,
        qty: Qty,
        price: Option<Price>,
        edge: Ppm,
    ) -> Result<Judged, ControlError> {
        let (sender, receiver) = oneshot::channel();
        let (id, clock) = (instrument.id, self.handles.clock.clone());
        let question = move |hot: &HotPath| -> Judged {
            let now: MonoNanos = clock.now();
            let touch =
                hot.books()
                    .get(id)
                    .and_then(crate::market::Book::top)
                    .map(|top| match side {
                        Side::Buy => top.ask.price,
                        Side::Sell => top.bid.price,
                    });
            let limit_price = price.or(touch)?;
            let leg = Leg {
                instrument: id,
                side,
                qty,
                limit_price,
                decision_price: touch.unwrap_or(limit_price),
            };
            Some((
                limit_price,
                hot.gate().what_if(strategy, &leg, edge, hot.books(), now),
            ))
        };
        let question = Box::new(move |hot: &HotPath| {
            if sender.send(question(hot)).is_err() {
                tracing::debug!("nobody waits for the signal seat's answer");
            }
        });
        let asked = self.handles.signal.ask(Inspect(question)).await;
        asked.ok_or(ControlError::Unavailable)?;
        receiver.await.map_err(|_gone| ControlError::Unavailable)
    }

    /// What the limits that an order touches would show with it filled.
    fn uses(
        &self,
        instrument: &Instrument,
        side: Side,
        qty: Qty,
        price: Decimal,
        snapshot: &RiskSnapshot,
        limits: &Limits,
    ) -> Vec<LimitUseAnswer> {
        let scope = format!("instrument:{}", self.handles.catalogue.label(instrument.id));
        let mut uses = Vec::new();
        let quantity = instrument.grid.qty_decimal(qty);
        let own = limits
            .instruments
            .get(instrument.id.index())
            .copied()
            .flatten();
        let Some(held) = snapshot.instruments.get(instrument.id.index()) else {
            return uses;
        };
        if let Some(own) = own {
            let decimals = instrument.grid.qty_decimals();
            let signed = i128::from(qty.0) * i128::from(side.sign());
            let after = Amount::new((i128::from(held.qty.0) + signed).abs(), decimals).decimal();
            uses.push(line(
                "PT-18",
                &scope,
                None,
                Some(quantity),
                instrument.grid.qty_decimal(own.order_qty_max),
            ));
            let limit = instrument.grid.qty_decimal(own.position_qty_max);
            uses.push(line(
                "PT-20",
                &scope,
                Some(held.quantity.abs()),
                after,
                limit,
            ));
        }
        if instrument.kind() == InstrumentKind::InversePerpetual {
            return uses;
        }
        let unit = price.checked_mul(instrument.multiplier);
        let value = unit.and_then(|unit| unit.checked_mul(quantity));
        uses.push(line(
            "PT-19",
            "portfolio",
            None,
            value,
            limits.order_notional_usd_max,
        ));
        let gross = (snapshot.unpriced_count == 0).then_some(snapshot.gross_exposure);
        let signed = value.map(|value| match side {
            Side::Buy => value,
            Side::Sell => -value,
        });
        let gross_after = || {
            gross?
                .checked_sub(held.value?.abs())?
                .checked_add(held.value?.checked_add(signed?)?.abs())
        };
        uses.push(line(
            "PT-21d",
            "portfolio",
            gross,
            gross_after(),
            limits.notional_usd_max_gross,
        ));
        uses
    }
}

fn line(
    control: &str,
    scope: &str,
    before: Option<Decimal>,
    after: Option<Decimal>,
    limit: Decimal,
) -> LimitUseAnswer {
    LimitUseAnswer {
        control: control.to_owned(),
        scope: scope.to_owned(),
        before: before.map(|value| value.normalize()),
        after: after.map(|value| value.normalize()),
        limit: limit.normalize(),
    }
}
