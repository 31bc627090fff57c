//! How much of a pair to trade now, at which limit prices.
//!
//! A pair takes the smallest of what is wanted, what may be held, a share of the depth of both books within the limits, and the
//! venues' largest orders; equal base on both legs, floored to both lots. Limits leave the touch by the cushion, but never so
//! far that the decision would have been another one at the limits themselves.

use crate::market::{Book, Top};
use crate::strategy::inventory::Inventory;
use crate::strategy::params::{CommonParams, ExitStyle};
use crate::strategy::signal::Pass;
use crate::trade::Leg;
use crate::units::{Ppm, Price, Qty, Side};

use super::stance::{LegKind, Stance};
use super::terms::{LegTerms, PairQty, PairTerms, PerContract, least_qty};
use super::{BasisParams, Direction};

/// Both books with their best prices.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// Spot.
    pub spot: &'a Book,
    /// The perpetual.
    pub perp: &'a Book,
    /// Best prices of spot.
    pub spot_top: Top,
    /// Best prices of the perpetual.
    pub perp_top: Top,
}

/// What a size is made from.
#[derive(Debug, Clone, Copy)]
pub struct Sizing<'a> {
    /// Both instruments.
    pub terms: &'a PairTerms,
    /// What the trader wants.
    pub params: &'a BasisParams,
    /// Both books.
    pub market: &'a Market<'a>,
    /// What the account holds.
    pub inventory: &'a Inventory<'a>,
}

/// The price that an order of `side` meets.
#[must_use]
pub const fn touch(top: &Top, side: Side) -> Price {
    match side {
        Side::Buy => top.ask.price,
        Side::Sell => top.bid.price,
    }
}

impl Market<'_> {
    /// Spot and perpetual price of an entry (or an exit) in a direction.
    #[must_use]
    pub const fn prices(&self, direction: Direction, entering: bool) -> (Price, Price) {
        let side = direction.spot_side(entering);
        (
            touch(&self.spot_top, side),
            touch(&self.perp_top, side.opposite()),
        )
    }
}

impl Sizing<'_> {
    /// One slice of an entry. `holds` says whether the pair is still wanted at these prices; `slack` is how much the basis has
    /// to spare.
    ///
    /// # Errors
    /// [`Pass`] with both numbers.
    pub fn entry(
        &self,
        direction: Direction,
        stance: &Stance,
        factor: Ppm,
        slack: Ppm,
        holds: impl Fn(Price, Price) -> bool,
    ) -> Result<[Leg; 2], Pass> {
        let (spot, perp) = self.market.prices(direction, true);
        let per = self.terms.per_contract(perp);
        let least = self.terms.least(spot, perp, per);
        let room = self
            .terms
            .position_max_base(spot)
            .saturating_sub(stance.largest());
        let room = room.min(self.sellable(direction.spot_side(true)));
        let allowed = self.terms.pair_floor(room, per);
        if !covers(&allowed, &least) {
            return Err(Pass::Inventory {
                room: allowed.spot,
                qty_min: least.spot,
            });
        }
        let slice = scaled_floor(self.terms.slice_base(spot), factor);
        self.pair(
            direction,
            true,
            room.min(slice),
            per,
            &least,
            Some(slack),
            holds,
        )
    }

    /// Takes a part of the pair off. `share` is what must go at least; without it the exit style says how much.
    ///
    /// # Errors
    /// [`Pass`] with both numbers.
    pub fn exit(
        &self,
        direction: Direction,
        stance: &Stance,
        share: Option<Ppm>,
        slack: Option<Ppm>,
        holds: impl Fn(Price, Price) -> bool,
    ) -> Result<[Leg; 2], Pass> {
        let (spot, perp) = self.market.prices(direction, false);
        let per = self.terms.per_held(stance.perp_qty, stance.perp);
        let least = self.terms.least(spot, perp, per);
        let least_base = self.terms.spot_base(least.spot);
        let hedged = stance.hedged();
        let wanted = match (share, self.params.exit_style) {
            (Some(share), _) => scaled_ceil(hedged, share).max(least_base),
            (None, ExitStyle::PairSlices) => self.terms.slice_base(spot),
            // At most half of the largest pair in one set, so that a risen price does not make the order too large to send.
            (None, ExitStyle::PairNow) => self.terms.position_max_base(spot).div_euclid(2),
        };
        let wanted = if hedged.saturating_sub(wanted) < least_base {
            hedged
        } else {
            wanted
        };
        let wanted = wanted.min(self.sellable(direction.spot_side(false)));
        self.pair(direction, false, wanted, per, &least, slack, holds)
    }

    /// Trims one leg by at most `base`, to the nearest lot of a contract, never beyond flat. `None` when no venue would take so
    /// little, or its book shows too little.
    #[must_use]
    pub fn lone(&self, leg: LegKind, base: i128, stance: &Stance) -> Option<Leg> {
        let (own, book, top, position, wanted) = match leg {
            LegKind::Spot => (
                &self.terms.spot,
                self.market.spot,
                &self.market.spot_top,
                stance.spot_qty,
                self.terms.spot_qty_floor(base),
            ),
            LegKind::Perp => {
                let per = self.terms.per_held(stance.perp_qty, stance.perp);
                let half = self.terms.half_lot_base(per);
                (
                    &self.terms.perp,
                    self.market.perp,
                    &self.market.perp_top,
                    stance.perp_qty,
                    self.terms.perp_qty_floor(base.saturating_add(half), per),
                )
            }
        };
        let side = Side::reducing(position)?;
        let price = touch(top, side);
        let limit_price = limit(own, side, price, self.params.common.limit_cushion)?;
        let depth = depth_share(book, side, limit_price, &self.params.common);
        let qty = wanted
            .min(position.abs())
            .min(depth)
            .min(own.qty_max)
            .floor_to(own.lot)?;
        (qty >= least_qty(own, price)).then_some(Leg {
            instrument: own.instrument,
            side,
            qty,
            limit_price,
            decision_price: price,
        })
    }

    /// Base that a spot sale can be made of; a purchase needs none.
    fn sellable(&self, spot_side: Side) -> i128 {
        if spot_side == Side::Buy {
            return i128::MAX;
        }
        let index = self.terms.spot.instrument.index();
        let free = self.inventory.available.get(index).copied();
        self.terms
            .spot_base(free.unwrap_or(Qty::ZERO).max(Qty::ZERO))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private step of entry and exit"
    )]
    fn pair(
        &self,
        direction: Direction,
        entering: bool,
        wanted: i128,
        per: PerContract,
        least: &PairQty,
        slack: Option<Ppm>,
        holds: impl Fn(Price, Price) -> bool,
    ) -> Result<[Leg; 2], Pass> {
        let (terms, market) = (self.terms, self.market);
        let side = direction.spot_side(entering);
        let thin = |qty: Qty| Pass::Thin {
            qty,
            qty_min: least.spot,
        };
        let (spot_limit, perp_limit) = self
            .limits(direction, entering, slack, holds)
            .ok_or_else(|| thin(Qty::ZERO))?;
        let common = &self.params.common;
        let spot_depth = depth_share(market.spot, side, spot_limit, common).min(terms.spot.qty_max);
        let perp_depth =
            depth_share(market.perp, side.opposite(), perp_limit, common).min(terms.perp.qty_max);
        let perp_base = i128::from(perp_depth.0)
            .saturating_mul(per.num)
            .div_euclid(per.den.max(1));
        let base = wanted.min(terms.spot_base(spot_depth)).min(perp_base);
        let qty = terms.pair_floor(base, per);
        if !covers(&qty, least) {
            return Err(thin(qty.spot));
        }
        let (spot, perp) = market.prices(direction, entering);
        let leg = |own: &LegTerms, side, qty, limit_price, decision_price| Leg {
            instrument: own.instrument,
            side,
            qty,
            limit_price,
            decision_price,
        };
        Ok([
            leg(&terms.spot, side, qty.spot, spot_limit, spot),
            leg(&terms.perp, side.opposite(), qty.perp, perp_limit, perp),
        ])
    }

    /// Limit prices of both legs: the cushion, half of it, or the touch, whichever is the first that `holds`.
    fn limits(
        &self,
        direction: Direction,
        entering: bool,
        slack: Option<Ppm>,
        holds: impl Fn(Price, Price) -> bool,
    ) -> Option<(Price, Price)> {
        let (spot, perp) = self.market.prices(direction, entering);
        let side = direction.spot_side(entering);
        let most = self.params.common.limit_cushion.0.max(0);
        let most = slack.map_or(most, |slack| most.min(slack.0.max(0).div_euclid(2)));
        [most, most.div_euclid(2), 0]
            .into_iter()
            .find_map(|cushion| {
                let spot_limit = limit(&self.terms.spot, side, spot, Ppm(cushion))?;
                let perp_limit = limit(&self.terms.perp, side.opposite(), perp, Ppm(cushion))?;
                holds(spot_limit, perp_limit).then_some((spot_limit, perp_limit))
            })
    }
}

fn covers(qty: &PairQty, least: &PairQty) -> bool {
    qty.spot >= least.spot && qty.perp >= least.perp
}

/// The touch moved away by the cushion, a buy floored and a sale ceiled to the tick; `None` when a level off its tick would be
/// passed by that.
fn limit(leg: &LegTerms, side: Side, price: Price, cushion: Ppm) -> Option<Price> {
    let moved = i128::from(price.0).checked_mul(i128::from(cushion.0.max(0)))?;
    let moved = i64::try_from(moved.div_euclid(i128::from(Ppm::ONE.0))).ok()?;
    match side {
        Side::Buy => Price(price.0.checked_add(moved)?)
            .floor_to(leg.tick)
            .filter(|limit| *limit >= price),
        Side::Sell => Price(price.0.checked_sub(moved)?)
            .ceil_to(leg.tick)
            .filter(|limit| *limit <= price),
    }
}

/// The share of what the first levels of a book show up to a limit price.
fn depth_share(book: &Book, side: Side, limit_price: Price, params: &CommonParams) -> Qty {
    let levels = usize::try_from(params.depth_levels).unwrap_or(usize::MAX);
    let seen: i128 = book
        .available(side)
        .take(levels)
        .take_while(|level| match side {
            Side::Buy => level.price <= limit_price,
            Side::Sell => level.price >= limit_price,
        })
        .map(|level| i128::from(level.qty.0))
        .sum();
    Qty(i64::try_from(scaled_floor(seen, params.max_book_take)).unwrap_or(i64::MAX))
}

/// `whole × share`, rounded down; a share above one is one.
fn scaled_floor(whole: i128, share: Ppm) -> i128 {
    let share = share.0.clamp(0, Ppm::ONE.0);
    whole
        .saturating_mul(i128::from(share))
        .div_euclid(i128::from(Ppm::ONE.0))
}

/// `whole × share`, rounded up.
fn scaled_ceil(whole: i128, share: Ppm) -> i128 {
    let share = share.0.clamp(0, Ppm::ONE.0);
    -(-whole.saturating_mul(i128::from(share))).div_euclid(i128::from(Ppm::ONE.0))
}
