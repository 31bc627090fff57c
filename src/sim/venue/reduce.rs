//! Reduce-only orders: what they may still close, and how they shrink with the position so that they never flip it.

use crate::units::{Qty, Side, UnixNanos};

use super::VenueCore;
use super::book::{OrderKey, Owner};
use super::order::{Order, Refusal, Status};
use super::place::OrderEvent;

impl VenueCore {
    /// What a reduce-only order may still close: the position less what resting reduce-only orders cover.
    pub(super) fn reducible(
        &self,
        account: usize,
        symbol: usize,
        side: Side,
        wanted: Qty,
    ) -> Result<Qty, Refusal> {
        let position = self
            .accounts
            .get(account)
            .map_or(Qty::ZERO, |account| account.position(symbol).qty);
        if Side::reducing(position) != Some(side) {
            return Err(Refusal::ReduceOnly);
        }
        let covered: i64 = self
            .resting_reduce_only(account, symbol)
            .iter()
            .map(|order| order.left().0)
            .sum();
        let free = position.abs().0 - covered;
        if free <= 0 {
            return Err(Refusal::ReduceOnly);
        }
        Ok(Qty(wanted.0.min(free)))
    }

    fn resting_reduce_only(&self, account: usize, symbol: usize) -> Vec<&Order> {
        let open = self.orders.open_of(account, Some(symbol));
        open.into_iter()
            .filter_map(|id| self.orders.get(id))
            .filter(|order| order.reduce_only)
            .collect()
    }

    /// Shrinks resting reduce-only orders to what the position still allows: they never flip it.
    pub(crate) fn trim_reduce_only(
        &mut self,
        account: usize,
        symbol: usize,
        taking: Option<u64>,
        now: UnixNanos,
    ) {
        let position = self
            .accounts
            .get(account)
            .map_or(Qty::ZERO, |account| account.position(symbol).qty);
        let mut allowed = position.abs().0;
        let resting: Vec<(u64, Side, i64)> = self
            .resting_reduce_only(account, symbol)
            .iter()
            .filter(|order| Some(order.id) != taking)
            .map(|order| (order.id, order.side, order.left().0))
            .collect();
        for (id, side, left) in resting {
            let keep = if Side::reducing(position) == Some(side) {
                left.min(allowed)
            } else {
                0
            };
            allowed -= keep;
            if keep == left {
                continue;
            }
            let key = OrderKey {
                owner: Owner::Account(account),
                id,
            };
            if let Some(market) = self.markets.get_mut(symbol) {
                market.book.reduce_to(key, Qty(keep));
            }
            if keep == 0 {
                self.finish(
                    id,
                    Status::Expired,
                    Some("REDUCE_ONLY"),
                    &OrderEvent::Expired,
                    now,
                );
            } else if let Some(order) = self.orders.get_mut(id) {
                order.qty = Qty(order.executed.0 + keep);
            }
        }
    }
}
