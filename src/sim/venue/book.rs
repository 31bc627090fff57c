//! One symbol's order book: price-time priority, whole orders, exact steps.
//!
//! Who rests is named by [`OrderKey`]; money is nobody's business here. A taker meets the best price first and within
//! one price the oldest order first. Keys of a side's map are ranks, so that both sides run from best to worst.

use std::collections::{BTreeMap, VecDeque};

use crate::units::{Price, Qty, Side};

/// Whose order: a participant of the market model, or an account of the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// The market itself: unlimited balances.
    Model,
    /// An account by index.
    Account(usize),
}

/// Names a resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) owner: Owner,
    /// The participant's id, or the venue's order id.
    pub(crate) id: u64,
}

/// What happens when an account would trade with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfTrade {
    Allow,
    ExpireTaker,
    ExpireMaker,
    ExpireBoth,
}

/// One maker met by a taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Execution {
    /// `None`: a level of a recorded book, nobody we know.
    pub(crate) maker: Option<OrderKey>,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
}

/// What a taker leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Taken {
    pub(crate) executions: Vec<Execution>,
    /// Makers removed because they were the taker's own.
    pub(crate) expired_makers: Vec<OrderKey>,
    /// What is left of the taker.
    pub(crate) left: Qty,
    /// The taker met its own order and must not rest.
    pub(crate) taker_expired: bool,
}

#[derive(Debug, Clone, Copy)]
struct Resting {
    key: OrderKey,
    left: Qty,
}

#[derive(Debug, Clone, Default)]
struct Level {
    queue: VecDeque<Resting>,
    total: i64,
}

/// The book. Every change of a level's total is noted in `touched` until the owner takes the notes.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderBook {
    bids: BTreeMap<i64, Level>,
    asks: BTreeMap<i64, Level>,
    index: BTreeMap<OrderKey, (Side, Price)>,
    touched: Vec<(Side, Price)>,
}

/// Position of a price on its side, best first.
pub(crate) const fn rank(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => -price.0,
        Side::Sell => price.0,
    }
}

/// True when a taker on `side` with `limit` accepts `price`.
pub(crate) fn accepts(side: Side, limit: Option<Price>, price: Price) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    })
}

impl OrderBook {
    fn side(&self, side: Side) -> &BTreeMap<i64, Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<i64, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Best price and its whole quantity.
    pub(crate) fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.levels(side).next()
    }
    /// Levels from best to worst.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.side(side)
            .iter()
            .map(move |(&rank, level)| (Price(rank.saturating_mul(-side.sign())), Qty(level.total)))
    }
    /// Whole quantity at a price; zero when there is no such level.
    pub(crate) fn level_qty(&self, side: Side, price: Price) -> Qty {
        Qty(self
            .side(side)
            .get(&rank(side, price))
            .map_or(0, |level| level.total))
    }
    /// True while the order rests.
    #[cfg(test)]
    pub(crate) fn holds(&self, key: OrderKey) -> bool {
        self.index.contains_key(&key)
    }
    /// The oldest order at the best price of a side.
    pub(crate) fn front(&self, side: Side) -> Option<(OrderKey, Price, Qty)> {
        let (&rank, level) = self.side(side).first_key_value()?;
        let first = level.queue.front()?;
        Some((
            first.key,
            Price(rank.saturating_mul(-side.sign())),
            first.left,
        ))
    }
    /// Levels changed since the last call, in order.
    pub(crate) fn take_touched(&mut self, into: &mut Vec<(Side, Price)>) {
        into.append(&mut self.touched);
    }

    /// Adds an order behind all others at its price. The caller has matched it before.
    pub(crate) fn rest(&mut self, key: OrderKey, side: Side, price: Price, qty: Qty) {
        if qty.0 <= 0 || self.index.contains_key(&key) {
            return;
        }
        let level = self.side_mut(side).entry(rank(side, price)).or_default();
        level.queue.push_back(Resting { key, left: qty });
        level.total += qty.0;
        self.index.insert(key, (side, price));
        self.touched.push((side, price));
    }

    /// Takes an order out; `None` when it does not rest here.
    pub(crate) fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        let (side, price) = self.index.remove(&key)?;
        let rank = rank(side, price);
        let level = self.side_mut(side).get_mut(&rank)?;
        let place = level.queue.iter().position(|resting| resting.key == key)?;
        let resting = level.queue.remove(place)?;
        level.total -= resting.left.0;
        if level.queue.is_empty() {
            self.side_mut(side).remove(&rank);
        }
        self.touched.push((side, price));
        Some(resting.left)
    }

    /// Lowers the quantity of a resting order, keeping its place; to zero removes it.
    pub(crate) fn reduce_to(&mut self, key: OrderKey, left: Qty) {
        if left.0 <= 0 {
            self.cancel(key);
            return;
        }
        let Some(&(side, price)) = self.index.get(&key) else {
            return;
        };
        let Some(level) = self.side_mut(side).get_mut(&rank(side, price)) else {
            return;
        };
        if let Some(resting) = level
            .queue
            .iter_mut()
            .find(|resting| resting.key == key && resting.left > left)
        {
            level.total -= resting.left.0 - left.0;
            resting.left = left;
            self.touched.push((side, price));
        }
    }

    /// Quantity a taker could get now, up to `wanted`, not counting its own orders when they would not trade.
    pub(crate) fn available(
        &self,
        side: Side,
        limit: Option<Price>,
        wanted: Qty,
        taker: Owner,
        own: SelfTrade,
    ) -> Qty {
        let mut found = 0_i64;
        for (&rank, level) in self.side(side.opposite()) {
            let price = Price(rank.saturating_mul(side.sign()));
            if found >= wanted.0 || !accepts(side, limit, price) {
                break;
            }
            for resting in &level.queue {
                let is_own =
                    taker != Owner::Model && resting.key.owner == taker && own != SelfTrade::Allow;
                found = found.saturating_add(if is_own { 0 } else { resting.left.0 });
            }
        }
        Qty(found.min(wanted.0))
    }

    /// Executes a taker against the other side as far as its limit, quantity and self-trade rule allow.
    pub(crate) fn take(
        &mut self,
        side: Side,
        limit: Option<Price>,
        qty: Qty,
        taker: Owner,
        own: SelfTrade,
    ) -> Taken {
        let mut taken = Taken {
            left: qty,
            ..Taken::default()
        };
        let other = side.opposite();
        while taken.left.0 > 0 && !taken.taker_expired {
            let levels = match other {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            };
            let Some(mut entry) = levels.first_entry() else {
                break;
            };
            let price = Price(entry.key().saturating_mul(side.sign()));
            if !accepts(side, limit, price) {
                break;
            }
            self.touched.push((other, price));
            let level = entry.get_mut();
            meet_level(level, price, taker, own, &mut taken, &mut self.index);
            if level.queue.is_empty() {
                entry.remove();
            }
        }
        taken
    }
}

fn meet_level(
    level: &mut Level,
    price: Price,
    taker: Owner,
    own: SelfTrade,
    taken: &mut Taken,
    index: &mut BTreeMap<OrderKey, (Side, Price)>,
) {
    while taken.left.0 > 0 {
        let Some(front) = level.queue.front_mut() else {
            return;
        };
        if taker != Owner::Model && front.key.owner == taker && own != SelfTrade::Allow {
            taken.taker_expired |= own != SelfTrade::ExpireMaker;
            if own != SelfTrade::ExpireTaker {
                level.total -= front.left.0;
                index.remove(&front.key);
                taken.expired_makers.push(front.key);
                level.queue.pop_front();
            }
            if taken.taker_expired {
                return;
            }
            continue;
        }
        let qty = Qty(front.left.0.min(taken.left.0));
        taken.executions.push(Execution {
            maker: Some(front.key),
            price,
            qty,
        });
        taken.left = Qty(taken.left.0 - qty.0);
        level.total -= qty.0;
        front.left = Qty(front.left.0 - qty.0);
        if front.left.is_zero() {
            index.remove(&front.key);
            level.queue.pop_front();
        }
    }
}
