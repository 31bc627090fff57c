//! The best touch of a window, also below the strategy's minimum: for routes whose edge is that of two touches on one grid.

use crate::market::{Books, InstrumentId, Top, Trust};
use crate::strategy::Route;
use crate::strategy::edge::net_edge_floor;
use crate::units::{MonoNanos, Qty, Side};

use super::tracker::{Pair, Tracker};

impl Tracker {
    pub(super) fn pair(&mut self, tally: u32, route: &Route) {
        let leg = |wanted: Side| {
            route
                .legs()
                .find(|(_, side)| *side == wanted)
                .map(|(id, _)| id)
        };
        let (Some(buy), Some(sell)) = (leg(Side::Buy), leg(Side::Sell)) else {
            return;
        };
        let (Some(one), Some(two)) = (self.catalogue.get(buy), self.catalogue.get(sell)) else {
            return;
        };
        let has_own = self.window.routes.get(tally as usize);
        let has_own = has_own.is_some_and(|tally| tally.route.is_some());
        if route.legs().count() != 2
            || one.grid != two.grid
            || one.symbol.quote != two.symbol.quote
            || !has_own
        {
            return;
        }
        for id in [buy, sell] {
            if let Some(pairs) = self.pairs.get_mut(id.index()) {
                pairs.push(Pair { tally, buy, sell });
            }
        }
    }

    /// The touch of an instrument changed: is it the best of the window for one of its routes?
    #[inline]
    pub fn on_touch(
        &mut self,
        changed: InstrumentId,
        tops: &[Option<Top>],
        books: &Books,
        now: MonoNanos,
    ) {
        let Some(pairs) = self.pairs.get(changed.index()) else {
            return;
        };
        for pair in pairs {
            let top = |id: InstrumentId| tops.get(id.index()).copied().flatten();
            let (Some(buy), Some(sell), Some(tally)) = (
                top(pair.buy),
                top(pair.sell),
                self.window.routes.get_mut(pair.tally as usize),
            ) else {
                continue;
            };
            let (bid, ask) = (sell.bid.price, buy.ask.price);
            if let Some((best_bid, best_ask)) = tally.best_touch
                && i128::from(bid.0) * i128::from(best_ask.0)
                    <= i128::from(best_bid.0) * i128::from(ask.0)
            {
                continue;
            }
            let trusted = |id: InstrumentId| {
                books
                    .get(id)
                    .is_some_and(|book| book.trust_at(now, self.book_age_max) == Trust::Trusted)
            };
            let fee = |id: InstrumentId| self.fees.get(id.index()).copied();
            if let (true, true, Some(buy_fee), Some(sell_fee)) = (
                trusted(pair.buy),
                trusted(pair.sell),
                fee(pair.buy),
                fee(pair.sell),
            ) {
                tally.best_touch = Some((bid, ask));
                let unit = Qty(1);
                if let Some(net) =
                    net_edge_floor(ask.times(unit), buy_fee, bid.times(unit), sell_fee)
                {
                    tally.see_edge(net);
                }
            }
        }
    }
}
