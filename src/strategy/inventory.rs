//! What the account holds, as the last picture of the risk seat told it.

use std::sync::Arc;

use crate::market::VenueId;
use crate::trade::VenueFacts;
use crate::units::{Asset, Money, Ppm, Qty};

/// What the account holds, by instrument id. A missing entry refuses.
#[derive(Debug, Clone, Copy)]
pub struct Inventory<'a> {
    /// Signed position as traded (without what the account started with): bounds what the strategy builds up.
    pub positions: &'a [Qty],
    /// Base that may be sold at a spot instrument (free balance, starting balance included). Derivatives ignore it.
    pub available: &'a [Qty],
    /// Share of the order size that risk allows now (RISK.md 2.4, 2.5): near a limit and on probation less than one.
    pub size_factors: &'a [Ppm],
    /// The same for the strategy that looks; the smallest of all holds.
    pub size_factor: Ppm,
    /// Signed cost of each position in its settlement asset.
    pub costs: &'a [Money],
    /// The margin account of each derivative; `None` for spot, and where the venue told nothing.
    pub margins: &'a [Option<MarginRoom>],
    /// True while an order is approved whose end is not yet in `positions`.
    pub unsettled: &'a [bool],
    /// What each venue told of its account, by venue id; `None` until it has.
    pub venues: &'a [Option<Arc<VenueFacts>>],
}

impl Inventory<'_> {
    /// What is free of an asset at a venue by the venue's own word, which lags behind our orders; zero for one that it does
    /// not name, `None` when it told no balances.
    #[must_use]
    pub fn free(&self, venue: VenueId, asset: Asset) -> Option<Money> {
        let facts = self.venues.get(venue.index())?.as_ref()?;
        if facts.balances.is_empty() {
            return None;
        }
        let own = facts.balances.iter().find(|(known, _)| *known == asset);
        Some(own.map_or(Money::ZERO, |(_, balance)| Money(balance.free)))
    }
}

/// Decimals of the amounts in [`MarginRoom`].
pub const MARGIN_DECIMALS: u32 = 12;

/// A derivatives account in units of 10^-12 of its settlement asset, each rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginRoom {
    /// Wallet balance plus unrealized profit.
    pub equity: i128,
    /// Equity less maintenance margin: what may be lost before the venue liquidates. Below zero when it already may.
    pub left: i128,
}

impl MarginRoom {
    /// From the venue's figures; `None` when they do not fit.
    #[must_use]
    pub fn new(equity: Money, maintenance: Money) -> Option<Self> {
        Some(Self {
            equity: equity.steps_floor(MARGIN_DECIMALS)?,
            left: equity.sub(maintenance).ok()?.steps_floor(MARGIN_DECIMALS)?,
        })
    }
}
