//! What must hold before an order enters: filters, open orders, client ids, reduce-only, post-only, fill-or-kill.

use crate::exchanges::Dialect;
use crate::units::Qty;

use super::VenueCore;
use super::book::{Owner, accepts};
use super::filters;
use super::order::{NewOrder, OrderKind, Refusal, TimeInForce};

impl VenueCore {
    pub(super) fn check_new(&self, account: usize, new: &mut NewOrder) -> Result<(), Refusal> {
        let market = self.markets.get(new.symbol).ok_or(Refusal::PriceOutside)?;
        let reference = market
            .best_of(new.side.opposite())
            .map(|(price, _)| price)
            .or_else(|| market.mark_price());
        filters::check(&market.setup, new, reference)?;
        let open = self.orders.open_of(account, Some(new.symbol));
        if open.len() >= usize::try_from(market.setup.open_orders_max).unwrap_or(usize::MAX) {
            return Err(Refusal::TooManyOpenOrders);
        }
        let duplicate = new
            .client_id
            .as_ref()
            .and_then(|client_id| self.orders.by_client_id(account, client_id));
        if duplicate.is_some_and(|order| order.status.is_open()) {
            return Err(Refusal::DuplicateClientId);
        }
        if new.reduce_only {
            new.qty = self.reducible(account, new.symbol, new.side, new.qty)?;
        }
        let would_take = match (new.kind, new.price) {
            (OrderKind::PostOnly, Some(_)) => market
                .best_of(new.side.opposite())
                .is_some_and(|(best, _)| accepts(new.side, new.price, best)),
            _ => false,
        };
        if would_take {
            return Err(Refusal::WouldTake);
        }
        let refuses_fok =
            self.setup.dialect == Dialect::BinanceUsdm && new.time_in_force == TimeInForce::Fok;
        if refuses_fok && !self.can_fill_whole(account, new) {
            return Err(Refusal::CannotFillWhole);
        }
        Ok(())
    }

    pub(super) fn can_fill_whole(&self, account: usize, new: &NewOrder) -> bool {
        let owner = Owner::Account(account);
        self.markets.get(new.symbol).is_some_and(|market| {
            market.available(new.side, new.price, new.qty, owner, new.self_trade) >= new.qty
        })
    }

    /// The fault of a thin fill: an immediate order gets only a share.
    pub(super) fn fill_cap(&mut self, new: &NewOrder) -> Qty {
        if new.time_in_force != TimeInForce::Ioc {
            return new.qty;
        }
        let Some(ppm) = self.faults.partial_ppm.take() else {
            return new.qty;
        };
        self.faults.fire("partial_fill");
        let lot = self
            .markets
            .get(new.symbol)
            .map_or(Qty(1), |market| market.setup.lot);
        let share = (i128::from(new.qty.0) * i128::from(ppm)).div_euclid(1_000_000);
        Qty(i64::try_from(share).unwrap_or(0))
            .floor_to(lot)
            .unwrap_or_default()
    }
}
