//! What is free at each venue and what of it is promised (PT-23, PT-24), in worth-scaled units of each asset.
//!
//! A venue's own figures lag behind our orders. What an approval needs is promised until the risk seat's picture contains
//! its end, and counts as spent until the venue's figures were told anew twice after that: the first may have been made
//! before the fill.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::market::Catalogue;
use crate::trade::{Leg, VenueFacts};
use crate::units::{Asset, Ppm, Side};

use super::terms::{Caps, Terms, dense, floor};

/// One asset at one venue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pool {
    /// `None` when the venue told no balances.
    pub(super) free: Option<i128>,
    promised: i128,
    spent: i128,
    spent_before: i128,
}

/// A derivatives account, in worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Margin {
    pub(super) equity: i128,
    pub(super) initial: i128,
    pub(super) maintenance: i128,
}

#[derive(Debug, Clone)]
pub(super) struct Funds {
    assets: Vec<Asset>,
    /// Pool of base and of the asset that pays for buys and margin, by instrument.
    places: Vec<(usize, usize)>,
    pools: Vec<Pool>,
    margins: Vec<Option<Margin>>,
    facts: Vec<Option<Arc<VenueFacts>>>,
}

impl Pool {
    /// What is promised or spent and not in the venue's figures.
    pub(super) const fn reserved(&self) -> i128 {
        self.promised
            .saturating_add(self.spent)
            .saturating_add(self.spent_before)
    }
}

impl Funds {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let mut assets = Vec::new();
        let pairs: Vec<(usize, usize, usize)> = catalogue
            .all()
            .iter()
            .map(|instrument| {
                let symbol = &instrument.symbol;
                let base = dense(&mut assets, symbol.base);
                let pays = dense(&mut assets, symbol.settle.unwrap_or(symbol.quote));
                (instrument.venue.index(), base, pays)
            })
            .collect();
        let (count, venues) = (assets.len(), catalogue.venue_names().len());
        Self {
            places: pairs
                .into_iter()
                .map(|(venue, base, pays)| (venue * count + base, venue * count + pays))
                .collect(),
            pools: vec![Pool::default(); venues * count],
            margins: vec![None; venues],
            facts: vec![None; venues],
            assets,
        }
    }

    /// Takes a venue's figures. The same ones again change nothing.
    pub(super) fn on_facts(&mut self, venue: usize, news: Option<&Arc<VenueFacts>>, caps: &Caps) {
        let Some(known) = self.facts.get_mut(venue) else {
            return;
        };
        let same = match (known.as_ref(), news) {
            (Some(known), Some(news)) => Arc::ptr_eq(known, news),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return;
        }
        *known = news.cloned();
        let worth = |value: Decimal| floor(value, u32::from(caps.decimals));
        let count = self.assets.len();
        for (index, asset) in self.assets.iter().enumerate() {
            let Some(pool) = self.pools.get_mut(venue * count + index) else {
                continue;
            };
            let told = news.filter(|news| !news.balances.is_empty());
            pool.free = told.map(|news| {
                let own = news.balances.iter().find(|(known, _)| known == asset);
                own.map_or(0, |(_, balance)| worth(balance.free))
            });
            pool.spent_before = pool.spent;
            pool.spent = 0;
        }
        if let Some(slot) = self.margins.get_mut(venue) {
            *slot = news.and_then(|news| news.margin).map(|margin| Margin {
                equity: worth(margin.equity),
                initial: worth(margin.initial),
                maintenance: worth(margin.maintenance),
            });
        }
    }

    pub(super) fn facts(&self, venue: usize) -> Option<&VenueFacts> {
        self.facts.get(venue)?.as_deref()
    }
    pub(super) fn margin(&self, venue: usize) -> Option<Margin> {
        self.margins.get(venue).copied().flatten()
    }
    pub(super) fn pool(&self, place: usize) -> Pool {
        self.pools.get(place).copied().unwrap_or_default()
    }
    /// The pool that pays for an order, and how much it takes: quote and fee of a spot buy, the base of a spot sale, margin
    /// and fee of a derivative (the fee alone when it reduces). `None` on overflow.
    pub(super) fn need(
        &self,
        leg: &Leg,
        terms: &Terms,
        initial_margin: Ppm,
        reducing: bool,
    ) -> Option<(usize, i128)> {
        let (base, pays) = *self.places.get(terms.id.index())?;
        let qty = i128::from(leg.qty.0);
        if !terms.is_derivative && leg.side == Side::Sell {
            return Some((base, qty.checked_mul(terms.base_unit)?));
        }
        // In the asset that pays: the quote of a spot buy, whatever it is worth.
        let value = i128::from(leg.limit_price.0).checked_mul(qty)?;
        let worth = value.checked_mul(terms.quote_unit)?;
        let fee = share_up(worth, terms.taker_fee.0.max(0))?;
        let needed = match (terms.is_derivative, reducing) {
            (false, _) => worth,
            (true, true) => 0,
            (true, false) => share_up(worth, initial_margin.0)?,
        };
        Some((pays, needed.checked_add(fee)?))
    }

    pub(super) fn promise(&mut self, place: usize, needed: i128) {
        if let Some(pool) = self.pools.get_mut(place) {
            pool.promised = pool.promised.saturating_add(needed);
        }
    }
    /// The order came to nothing, or never left.
    pub(super) fn give_back(&mut self, place: usize, needed: i128) {
        if let Some(pool) = self.pools.get_mut(place) {
            pool.promised = pool.promised.saturating_sub(needed);
        }
    }
    /// The order ended; the venue's figures may not show it yet.
    pub(super) fn spend(&mut self, place: usize, needed: i128) {
        if let Some(pool) = self.pools.get_mut(place) {
            pool.promised = pool.promised.saturating_sub(needed);
            if pool.free.is_some() {
                pool.spent = pool.spent.saturating_add(needed);
            }
        }
    }
}

/// `worth × ppm / 10^6`, rounded up.
pub(super) fn share_up(worth: i128, ppm: i64) -> Option<i128> {
    let product = worth.checked_mul(i128::from(ppm))?;
    Some(-(-product).div_euclid(1_000_000))
}
