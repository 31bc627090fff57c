//! How much of an edge to take, and at which limit prices.
//!
//! 1. *Depth*: walk asks and bids together from the touch, while the next pair of levels still reaches the minimum edge.
//!    At most [`LEVELS_MAX`] levels a side.
//! 2. *Caps*: a share of that depth, the largest order value, what inventory allows, both venues' largest quantity; the
//!    smallest of these, floored to the coarser of both lots. Never rounded up.
//! 3. *Limits*: the edge price of the size found (the last level it touches), moved by the cushion, but never so far that
//!    both legs filled wholly at their limits would lose after fees: each leg may use half of what the last pair of levels
//!    earns. The buy limit is floored and the sell limit ceiled to the venue's tick, so rounding only tightens them.

use crate::market::{Book, Level};
use crate::units::{Notional, Ppm, Price, Qty, Side};

use super::edge::{gross_edge_floor, kept_ppm, net_edge_floor, reaches, spent_ppm};

/// Levels looked at on each side.
pub const LEVELS_MAX: u32 = 20;

/// What both venues of a route demand of an order, merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteRules {
    /// Price increment where we buy.
    pub buy_tick: Price,
    /// Price increment where we sell.
    pub sell_tick: Price,
    /// Smallest common quantity increment.
    pub lot: Qty,
    /// The larger of both smallest quantities.
    pub qty_min: Qty,
    /// The smaller of both largest quantities.
    pub qty_max: Qty,
    /// The larger of the venue's and the strategy's smallest order value where we buy, in that quote.
    pub buy_notional_min: Notional,
    /// The same where we sell.
    pub sell_notional_min: Notional,
    /// The strategy's largest order value where we buy, in that quote.
    pub buy_notional_max: Notional,
    /// The same where we sell.
    pub sell_notional_max: Notional,
    /// Fee where we buy.
    pub buy_fee: Ppm,
    /// Fee where we sell.
    pub sell_fee: Ppm,
    /// What multiplies a cost, and
    pub buy_factor: i128,
    /// what multiplies a yield, so that both compare: other price grids and quotes. Both 1 when they are the same.
    pub sell_factor: i128,
    /// Least net edge of every pair of levels taken.
    pub edge_min: Ppm,
    /// Share of the depth that may be taken.
    pub book_take: Ppm,
    /// How far past the edge price a limit may lie.
    pub cushion: Ppm,
    /// Levels a side that may be taken, 1 to [`LEVELS_MAX`].
    pub levels: u32,
}

impl RouteRules {
    /// True when the pair of prices earns `edge` after both fees. Exact; false when it does not fit.
    #[must_use]
    #[inline]
    pub fn reaches(&self, bid: Price, ask: Price, edge: Ppm) -> bool {
        let (kept, spent) = (kept_ppm(self.sell_fee), spent_ppm(self.buy_fee, edge));
        if self.buy_factor == 1 && self.sell_factor == 1 {
            return reaches(bid, kept, ask, spent);
        }
        let gain = i128::from(bid.0) * i128::from(kept);
        let cost = i128::from(ask.0) * i128::from(spent);
        let both = (
            gain.checked_mul(self.sell_factor),
            cost.checked_mul(self.buy_factor),
        );
        matches!(both, (Some(gain), Some(cost)) if gain >= cost)
    }
    /// Net and gross edge of what was bought and sold, floor. `None` when nothing was bought, or it does not fit.
    #[must_use]
    pub fn edges_floor(&self, bought: Notional, sold: Notional) -> Option<(Ppm, Ppm)> {
        let bought = Notional(bought.0.checked_mul(self.buy_factor)?);
        let sold = Notional(sold.0.checked_mul(self.sell_factor)?);
        Some((
            net_edge_floor(bought, self.buy_fee, sold, self.sell_fee)?,
            gross_edge_floor(bought, sold)?,
        ))
    }
    /// The same with the largest order, in value and in quantity, times `factor`, rounded down; the smallest order stays. A
    /// factor of one or more changes nothing, one of zero or less leaves nothing.
    #[must_use]
    pub fn scaled_floor(mut self, factor: Ppm) -> Self {
        // Saturating before the division only makes the part smaller.
        let part = |whole: i128| {
            let scaled = whole.saturating_mul(i128::from(factor.0.max(0)));
            scaled.div_euclid(i128::from(Ppm::ONE.0))
        };
        if factor < Ppm::ONE {
            self.buy_notional_max = Notional(part(self.buy_notional_max.0));
            self.sell_notional_max = Notional(part(self.sell_notional_max.0));
            self.qty_max = Qty(i64::try_from(part(i128::from(self.qty_max.0))).unwrap_or(i64::MAX));
        }
        self
    }
}

/// A set that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    /// Quantity of both legs.
    pub qty: Qty,
    /// Worst price of the buy leg, on tick.
    pub buy_limit: Price,
    /// Worst price of the sell leg, on tick.
    pub sell_limit: Price,
    /// What the buy leg costs at the levels seen.
    pub bought: Notional,
    /// What the sell leg yields at the levels seen.
    pub sold: Notional,
    /// Expected edge after both fees, floor.
    pub net_edge: Ppm,
    /// Expected edge before fees, floor.
    pub gross_edge: Ppm,
}

/// Why an edge cannot be taken in any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSize {
    /// Less than the smallest quantity is there at the wanted edge (after the share that may be taken).
    Thin {
        /// What could be taken.
        qty: Qty,
        /// Least quantity of both venues.
        qty_min: Qty,
    },
    /// Inventory leaves less than the smallest quantity.
    Inventory {
        /// What inventory allows.
        room: Qty,
        /// Least quantity of both venues.
        qty_min: Qty,
    },
    /// The order value is below a minimum.
    Notional {
        /// Value at the lower limit price.
        notional: Notional,
        /// Least value of both venues and of the strategy.
        notional_min: Notional,
    },
}

/// What the walk over both books found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    qty: Qty,
    last_ask: Price,
    last_bid: Price,
    bought: Notional,
    sold: Notional,
}

/// Walks both sides while the pair of levels reaches the edge and less than `qty_max` is taken.
fn walk_both(buy_book: &Book, sell_book: &Book, rules: &RouteRules, qty_max: Qty) -> Reach {
    let levels = usize::try_from(rules.levels).unwrap_or(usize::MAX);
    let mut asks = buy_book.available(Side::Buy).take(levels);
    let mut bids = sell_book.available(Side::Sell).take(levels);
    let (mut ask, mut bid) = (asks.next(), bids.next());
    let mut reach = Reach {
        qty: Qty::ZERO,
        last_ask: Price(0),
        last_bid: Price(0),
        bought: Notional(0),
        sold: Notional(0),
    };
    // One level of one side ends each round, so this is the bound on levels of both sides.
    for _ in 0..2 * LEVELS_MAX {
        let (Some(ask_level), Some(bid_level)) = (ask, bid) else {
            break;
        };
        if reach.qty >= qty_max || !rules.reaches(bid_level.price, ask_level.price, rules.edge_min)
        {
            break;
        }
        let take = ask_level
            .qty
            .min(bid_level.qty)
            .min(Qty(qty_max.0 - reach.qty.0));
        if take.0 > 0 {
            reach.qty = Qty(reach.qty.0.saturating_add(take.0));
            reach.bought = Notional(reach.bought.0.saturating_add(ask_level.price.times(take).0));
            reach.sold = Notional(reach.sold.0.saturating_add(bid_level.price.times(take).0));
            (reach.last_ask, reach.last_bid) = (ask_level.price, bid_level.price);
        }
        ask = rest_of(ask_level, take).or_else(|| asks.next());
        bid = rest_of(bid_level, take).or_else(|| bids.next());
    }
    reach
}

fn rest_of(level: Level, taken: Qty) -> Option<Level> {
    let left = level.qty.0 - taken.0;
    (left > 0).then_some(Level {
        price: level.price,
        qty: Qty(left),
    })
}

/// Largest quantity whose value at `price` is at most `notional`.
#[must_use]
pub fn qty_within(notional: Notional, price: Price) -> Qty {
    if price.0 <= 0 {
        return Qty::ZERO;
    }
    Qty(i64::try_from(notional.0.div_euclid(i128::from(price.0))).unwrap_or(i64::MAX))
}

/// Quantity and limit prices of one route, or why there are none. `room` is what inventory allows.
///
/// # Errors
/// [`NoSize`] with both numbers.
pub fn size_route(
    buy_book: &Book,
    sell_book: &Book,
    rules: &RouteRules,
    room: Qty,
) -> Result<Sized, NoSize> {
    let inventory = room
        .min(rules.qty_max)
        .floor_to(rules.lot)
        .unwrap_or(Qty::ZERO);
    if inventory < rules.qty_min || inventory.0 <= 0 {
        return Err(NoSize::Inventory {
            room,
            qty_min: rules.qty_min,
        });
    }
    let depth = walk_both(buy_book, sell_book, rules, Qty(i64::MAX));
    let thin = |qty: Qty| NoSize::Thin {
        qty,
        qty_min: rules.qty_min,
    };
    let share = i128::from(depth.qty.0) * i128::from(rules.book_take.0);
    let share = Qty(i64::try_from(share.div_euclid(i128::from(Ppm::ONE.0))).unwrap_or(i64::MAX));
    // Neither leg's value may exceed the largest order: the sell leg's best price is its dearest.
    let dearest = cushioned_up(depth.last_ask, rules.cushion);
    let affordable = qty_within(rules.buy_notional_max, dearest)
        .min(qty_within(rules.sell_notional_max, best_bid(sell_book)));
    let qty = share
        .min(affordable)
        .min(inventory)
        .floor_to(rules.lot)
        .unwrap_or(Qty::ZERO);
    if qty < rules.qty_min || qty.0 <= 0 {
        return Err(thin(share.min(affordable)));
    }
    let reach = walk_both(buy_book, sell_book, rules, qty);
    let (buy_limit, sell_limit) = limit_prices(&reach, rules).ok_or_else(|| thin(reach.qty))?;
    for (price, notional_min) in [
        (reach.last_ask, rules.buy_notional_min),
        (sell_limit, rules.sell_notional_min),
    ] {
        let notional = price.times(qty);
        if notional < notional_min {
            return Err(NoSize::Notional {
                notional,
                notional_min,
            });
        }
    }
    let Some((net_edge, gross_edge)) = rules.edges_floor(reach.bought, reach.sold) else {
        return Err(thin(reach.qty));
    };
    Ok(Sized {
        qty,
        buy_limit,
        sell_limit,
        bought: reach.bought,
        sold: reach.sold,
        net_edge,
        gross_edge,
    })
}

fn best_bid(book: &Book) -> Price {
    book.available(Side::Sell)
        .next()
        .map_or(Price(0), |level| level.price)
}

/// `price × (1 + cushion)`, rounded up; saturates.
fn cushioned_up(price: Price, cushion: Ppm) -> Price {
    let more = i128::from(price.0) * i128::from(Ppm::ONE.0 + cushion.0.max(0));
    Price(i64::try_from(-(-more).div_euclid(i128::from(Ppm::ONE.0))).unwrap_or(i64::MAX))
}

/// Buy and sell limit: the edge prices moved by the cushion, each by at most half of what the last pair earns.
fn limit_prices(reach: &Reach, rules: &RouteRules) -> Option<(Price, Price)> {
    let (kept, spent) = (kept_ppm(rules.sell_fee), spent_ppm(rules.buy_fee, Ppm(0)));
    if kept <= 0 || spent <= 0 {
        return None;
    }
    let (ask, bid) = (i128::from(reach.last_ask.0), i128::from(reach.last_bid.0));
    let (kept, spent) = (
        rules.sell_factor.checked_mul(i128::from(kept))?,
        rules.buy_factor.checked_mul(i128::from(spent))?,
    );
    let half = bid
        .checked_mul(kept)?
        .checked_sub(ask.checked_mul(spent)?)?
        .max(0)
        .div_euclid(2);
    let cushion = i128::from(rules.cushion.0.max(0));
    let one = i128::from(Ppm::ONE.0);
    let buy_move = (ask * cushion).div_euclid(one).min(half.div_euclid(spent));
    let sell_move = (bid * cushion).div_euclid(one).min(half.div_euclid(kept));
    let buy = Price(i64::try_from(ask + buy_move).ok()?).floor_to(rules.buy_tick)?;
    let sell = Price(i64::try_from(bid - sell_move).ok()?).ceil_to(rules.sell_tick)?;
    // A level off its venue's tick (rules changed under us) must not end up beyond what was priced.
    (buy >= reach.last_ask && sell <= reach.last_bid).then_some((buy, sell))
}
