//! Everything between an edge and an order, cheapest first: what must hold before a set is sized.

use crate::market::{Book, Books, InstrumentId, InstrumentKind};
use crate::trade::SendOrder;
use crate::units::{MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::super::fees::discounted_ceil;
use super::super::inventory::Inventory;
use super::super::params::LegOrder;
use super::super::signal::Pass;
use super::super::sizing::{RouteRules, Sized, qty_within, size_route};
use super::lean::Lean;
use super::{Candidate, CrossVenue, route_index};

/// A set that can be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Considered {
    pub(super) sized: Sized,
    /// Quantity that inventory allowed.
    pub(super) room: Qty,
    pub(super) send: SendOrder,
    /// True when the sell leg leaves first.
    pub(super) sell_first: bool,
}

impl CrossVenue {
    pub(super) fn consider(
        &mut self,
        candidate: &Candidate,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
    ) -> Result<Considered, Pass> {
        let common = &self.params.common;
        let (net_edge, net_edge_max) = (candidate.net_edge, common.max_net_edge);
        let quotes = [candidate.buy, candidate.sell].map(|slot| self.routes.quote(slot));
        if let [one, two] = quotes
            && one != two
        {
            for quote in quotes {
                self.conversions.check(quote, self.params.max_quote_depeg)?;
            }
        }
        if net_edge > net_edge_max {
            return Err(Pass::Implausible {
                net_edge,
                net_edge_max,
            });
        }
        let index = route_index(candidate.buy, candidate.sell);
        let state = self.states.get(index).copied().unwrap_or_default();
        let required = common.confirm_updates.max(1);
        if state.agreeing < required {
            return Err(Pass::Confirming {
                seen: state.agreeing,
                required,
            });
        }
        if now < state.rests_until {
            let remaining = state.rests_until.since(now);
            return Err(Pass::Cooldown {
                remaining,
                cooldown: common.cooldown,
            });
        }
        self.blackout.check(now)?;
        self.sets.check(now)?;
        let book = |slot: usize| self.routes.instrument(slot).and_then(|id| books.get(id));
        let (Some(buy_book), Some(sell_book)) = (book(candidate.buy), book(candidate.sell)) else {
            return Err(Pass::Thin {
                qty: Qty::ZERO,
                qty_min: Qty::ZERO,
            });
        };
        let skew = age_difference(buy_book, sell_book);
        let skew_max = self.params.common.max_leg_skew;
        if skew > skew_max {
            return Err(Pass::LegSkew { skew, skew_max });
        }
        let room = self.room(candidate, inventory)?;
        for lean in self.leans(candidate, inventory)?.into_iter().flatten() {
            lean.check()?;
        }
        let factor = self.size_factor(candidate, inventory)?;
        let rules = candidate.rules.scaled_floor(factor);
        let sized = size_route(buy_book, sell_book, &rules, room)?;
        let (send, sell_first) = match self.params.leg_order {
            LegOrder::Together | LegOrder::MakerThenTaker => (SendOrder::Together, false),
            LegOrder::ThinFirst => (
                SendOrder::FirstThenParallel,
                depth(sell_book, Side::Sell, sized.sell_limit, rules.levels)
                    < depth(buy_book, Side::Buy, sized.buy_limit, rules.levels),
            ),
        };
        Ok(Considered {
            sized,
            room,
            send,
            sell_first,
        })
    }

    /// What both venues demand now: fees with the discounts held, conversion, and the edge that inventory asks for.
    pub(super) fn rules_now(
        &self,
        (buy, sell): (usize, usize),
        (ask, bid): (Price, Price),
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
    ) -> RouteRules {
        let mut rules = self.routes.rules(buy, sell, &self.params);
        rules.buy_fee = self.fee_now(buy, books, inventory, now);
        rules.sell_fee = self.fee_now(sell, books, inventory, now);
        let scales = [sell, buy].map(|slot| i128::from(self.routes.price_scale(slot)));
        let (buy_quote, sell_quote) = (self.routes.quote(buy), self.routes.quote(sell));
        let [sell_scale, buy_scale] = scales;
        if buy_quote != sell_quote {
            let rate = |quote| self.conversions.rate(quote);
            let (gain, cost) = super::convert::Rate::factors(rate(sell_quote), rate(buy_quote));
            // Scales and rates are at most ten to the eighteenth: what does not fit reaches nothing.
            rules.sell_factor = sell_scale.checked_mul(gain).unwrap_or(0);
            rules.buy_factor = buy_scale.checked_mul(cost).unwrap_or(i128::MAX);
        } else if sell_scale != buy_scale {
            (rules.sell_factor, rules.buy_factor) = (sell_scale, buy_scale);
        }
        let candidate = Candidate {
            buy,
            sell,
            ask,
            bid,
            net_edge: Ppm(0),
            gross_edge: Ppm(0),
            rules,
        };
        // An unknown position asks for nothing here: it is refused by name once the edge is there.
        let mut edge = rules.edge_min;
        if let Ok(leans) = self.leans(&candidate, inventory) {
            let extra = leans
                .into_iter()
                .flatten()
                .map(|lean| lean.extra_edge_ceil());
            edge = extra.fold(edge, Ppm::saturating_add);
        }
        // Inventory may forgive the profit, never a loss.
        rules.edge_min = edge.max(rules.edge_min.min(Ppm(0)));
        rules
    }

    /// Taker fee of a slot, less the discount while enough of the fee asset is free.
    fn fee_now(&self, slot: usize, books: &Books, held: &Inventory<'_>, now: MonoNanos) -> Ppm {
        let fee = self.routes.fee(slot);
        let Some(asset) = self.params.fee_assets.get(slot).copied().flatten() else {
            return fee;
        };
        let worth = self
            .fee_places
            .get(slot)
            .copied()
            .flatten()
            .and_then(|place| {
                let free = held.free(place.venue, place.asset)?;
                let qty = place.grid.qty_floor(free.0)?;
                let top = books.trusted_top(asset.instrument, now, FEE_BOOK_AGE_MAX)?;
                Some(top.bid.price.times(qty))
            });
        if worth.is_some_and(|worth| worth >= asset.floor) {
            discounted_ceil(fee, asset.discount)
        } else {
            fee
        }
    }

    fn position(&self, slot: usize, inventory: &Inventory<'_>) -> Result<Qty, Pass> {
        let instrument = self.instrument(slot);
        let known = inventory.positions.get(instrument.index()).copied();
        known.ok_or(Pass::PositionUnknown { instrument })
    }

    fn instrument(&self, slot: usize) -> InstrumentId {
        let known = self.routes.instrument(slot);
        known.unwrap_or(InstrumentId(u16::MAX))
    }

    /// What both positions allow. Beyond the bound only the direction that comes back has room.
    fn room(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> Result<Qty, Pass> {
        let bought = self.position(candidate.buy, inventory)?;
        let sold = self.position(candidate.sell, inventory)?;
        let bound =
            |slot: usize, price: Price| qty_within(self.routes.inventory_max(slot), price).0;
        let buy_room = bound(candidate.buy, candidate.ask).saturating_sub(bought.0);
        let mut sell_room = bound(candidate.sell, candidate.bid).saturating_add(sold.0);
        if self.routes.kind(candidate.sell) == InstrumentKind::Spot {
            let instrument = self.instrument(candidate.sell);
            let free = inventory.available.get(instrument.index()).copied();
            sell_room = sell_room.min(free.ok_or(Pass::PositionUnknown { instrument })?.0);
        }
        Ok(Qty(buy_room.min(sell_room)))
    }

    /// How both ends lie against their targets; none without targets.
    fn leans(
        &self,
        candidate: &Candidate,
        inventory: &Inventory<'_>,
    ) -> Result<[Option<Lean>; 2], Pass> {
        let Some(targets) = &self.params.inventory else {
            return Ok([None; 2]);
        };
        let lean = |slot: usize, side: Side, price: Price| -> Result<Lean, Pass> {
            Ok(Lean {
                instrument: self.instrument(slot),
                side,
                position: self.position(slot, inventory)?,
                price,
                bound: self.routes.inventory_max(slot),
                target: targets.targets.get(slot).copied().unwrap_or_default(),
                band: targets.band,
                skew: targets.skew,
            })
        };
        Ok([
            Some(lean(candidate.buy, Side::Buy, candidate.ask)?),
            Some(lean(candidate.sell, Side::Sell, candidate.bid)?),
        ])
    }

    /// The smallest size factor of both instruments and the strategy.
    fn size_factor(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> Result<Ppm, Pass> {
        let mut factor = inventory.size_factor;
        for slot in [candidate.buy, candidate.sell] {
            let instrument = self.instrument(slot);
            let own = inventory.size_factors.get(instrument.index()).copied();
            factor = factor.min(own.ok_or(Pass::PositionUnknown { instrument })?);
        }
        Ok(factor)
    }
}

/// The price of a fee asset only weighs what is held: it may be older than a price that is traded at.
const FEE_BOOK_AGE_MAX: Nanos = Nanos::from_secs(60);

/// What can be taken up to a limit within the levels looked at.
fn depth(book: &Book, taker: Side, limit: Price, levels: u32) -> Qty {
    let within = |price: Price| match taker {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    };
    let count = usize::try_from(levels).unwrap_or(usize::MAX);
    let reached = book.available(taker).take(count);
    let reached = reached.take_while(|level| within(level.price));
    Qty(reached.fold(0, |sum: i64, level| sum.saturating_add(level.qty.0)))
}

fn age_difference(one: &Book, two: &Book) -> Nanos {
    Nanos(one.received_at().0.abs_diff(two.received_at().0))
}
