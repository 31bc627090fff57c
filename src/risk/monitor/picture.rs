//! The gate's picture ([`RiskView`], back edge 1) of what the monitor knows.

use rust_decimal::Decimal;

use crate::market::Instrument;
use crate::risk::{InstrumentRisk, PortfolioRisk, RiskOutput, RiskView, Scope, StrategyRisk};
use crate::trade::StrategyId;
use crate::units::{MonoNanos, Ppm};

use crate::risk::levels::contains;

use super::judge::Standing;
use super::rows::Control;
use super::{Monitor, Watch};

/// Order sizes at a venue whose orders hardly ever trade (AT-23).
const THROTTLED: Ppm = Ppm(500_000);

impl Monitor {
    /// Emits a view when something in it changed.
    pub(super) fn publish(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if !std::mem::take(&mut self.view_changed) {
            return;
        }
        self.view_version += 1;
        let strategies = (0..self.strategy_count).filter_map(|index| u8::try_from(index).ok());
        let flows = self.order_flows(now);
        let whole = (Control::ScopeLoss, Scope::Portfolio);
        out.push(RiskOutput::View(RiskView {
            version: self.view_version,
            as_of: self.as_of,
            issued_at: now,
            portfolio: PortfolioRisk {
                level: self.levels.of_scope(Scope::Portfolio),
                equity: self.equity.1,
                journal: self.heard.journal,
                var_model: self.model.model(),
            },
            venues: self.heard.venues.clone(),
            instruments: self
                .catalogue
                .all()
                .iter()
                .zip(&self.watches)
                .zip(flows)
                .map(|((instrument, watch), order_flow)| InstrumentRisk {
                    order_flow,
                    ..self.instrument_risk(instrument, watch)
                })
                .collect(),
            strategies: strategies
                .map(|index| {
                    let scope = Scope::Strategy(StrategyId(index));
                    StrategyRisk {
                        level: self.levels.of_strategy(StrategyId(index)),
                        size_factor: self.levels.size_factor(|other| other == scope),
                        loss: self.spent(&[(Control::ScopeLoss, scope), whole]),
                    }
                })
                .collect(),
        }));
    }

    fn instrument_risk(&self, instrument: &Instrument, watch: &Watch) -> InstrumentRisk {
        let orders = self.heard.orders(instrument.id);
        let venue = Scope::Venue(instrument.venue);
        let throttled = self.judged.standing(Control::OrderToTrade, venue) == Standing::Over;
        InstrumentRisk {
            position_qty: watch.qty(),
            position_cost: watch
                .position
                .map_or(Decimal::ZERO, |position| position.cost),
            level: self.levels.of_instrument(instrument),
            size_factor: self
                .levels
                .size_factor(|scope| contains(scope, instrument))
                .min(if throttled { THROTTLED } else { Ppm::ONE }),
            unknown_orders: orders.map_or(0, |orders| orders.unknown),
            inflight_orders: orders.map_or(0, |orders| orders.inflight),
            loss: self.spent(&[
                (Control::SymbolLoss, Scope::Symbol(instrument.symbol)),
                (Control::ScopeLoss, venue),
            ]),
            next_event_at: self.heard.next_event(instrument.id, instrument.venue),
            ..InstrumentRisk::default()
        }
    }
}
