//! What is all of it worth: balances by our own books, valued by marks. Missing rate: not known, never zero (RISK.md 3.5).
//!
//! Balances are the venue's at the first complete answer, and from then on what our own fills, money in and out and funding
//! made of them: a fill changes position and cash at one instant, while the venue's stream tells them one after the other.
//! `breaks.rs` compares them with the venue's word (AT-25), and a match takes the venue's over.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::market::{Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::risk::{KillLevel, Scope};
use crate::trade::{PositionSnapshot, VenueFacts};
use crate::units::{Asset, Money, MonoNanos};

use super::Monitor;
use super::feeds::seconds;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Balances as they should be, by venue and asset. Empty for a venue before its first complete answer.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnBooks {
    balances: BTreeMap<(VenueId, Asset), Decimal>,
    known: Vec<VenueId>,
}

impl OwnBooks {
    /// Takes the venue's balances for ours.
    pub(super) fn take_over(&mut self, facts: &VenueFacts) {
        if !self.is_known(facts.venue) {
            self.known.push(facts.venue);
        }
        for (asset, balance) in &facts.balances {
            let total = balance.free.saturating_add(balance.locked);
            self.balances.insert((facts.venue, *asset), total);
        }
    }
    /// Whether the venue's balances were ever heard completely.
    pub(super) fn is_known(&self, venue: VenueId) -> bool {
        self.known.contains(&venue)
    }
    /// A change of one balance.
    pub(super) fn add(&mut self, venue: VenueId, asset: Asset, amount: Decimal) {
        let sum = self.balances.entry((venue, asset)).or_default();
        *sum = sum.saturating_add(amount);
    }
    /// One balance.
    pub(super) fn of(&self, venue: VenueId, asset: Asset) -> Option<Decimal> {
        self.balances.get(&(venue, asset)).copied()
    }
    /// All balances.
    pub(super) fn all(&self) -> impl Iterator<Item = (VenueId, Asset, Decimal)> {
        let each = self.balances.iter();
        each.map(|((venue, asset), amount)| (*venue, *asset, *amount))
    }
    /// Balances at one venue.
    pub(super) fn at(&self, venue: VenueId) -> impl Iterator<Item = (Asset, Decimal)> {
        self.balances
            .iter()
            .filter(move |((at, _), _)| *at == venue)
            .map(|((_, asset), amount)| (*asset, *amount))
    }

    /// What a fill (or any change of a position) did to the balances. Funding and fees in a third asset are not in it: they
    /// come as facts of their own, and would count twice.
    pub(super) fn on_position(
        &mut self,
        instrument: &Instrument,
        before: &PositionSnapshot,
        after: &PositionSnapshot,
    ) {
        let cash = after.trade_cash.saturating_sub(before.trade_cash);
        match instrument.symbol.settle {
            // What a derivative's position cost was never paid.
            Some(settle) => {
                let cost = after.cost.saturating_sub(before.cost);
                self.add(instrument.venue, settle, cash.saturating_add(cost));
            }
            None => {
                let qty = instrument
                    .grid
                    .qty_decimal(after.qty)
                    .saturating_sub(instrument.grid.qty_decimal(before.qty));
                self.add(instrument.venue, instrument.symbol.base, qty);
                self.add(instrument.venue, instrument.symbol.quote, cash);
            }
        }
    }
}

/// Price of one unit of each base asset in the reporting currency, and whether it is a spot price.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    by_asset: BTreeMap<Asset, (bool, Decimal)>,
    /// A balance without a rate, and since when.
    unvalued: Option<(Asset, MonoNanos)>,
}

impl Monitor {
    /// Price of one unit of an asset in the reporting currency, by the last mid of an instrument that has it as base; spot
    /// before derivatives.
    pub(super) fn rate(&self, asset: Asset) -> Option<Decimal> {
        if asset == self.reporting {
            return Some(Decimal::ONE);
        }
        self.rates.by_asset.get(&asset).map(|(_, mid)| *mid)
    }

    /// Price of a unit of each base asset that has one.
    pub(super) fn base_prices(&self) -> Vec<(Asset, Decimal)> {
        let each = self.rates.by_asset.iter();
        each.map(|(asset, (_, mid))| (*asset, *mid)).collect()
    }

    /// Price of one unit of an instrument's quote asset in the reporting currency.
    fn quote_rate(&self, id: InstrumentId) -> Option<Decimal> {
        self.rate(self.catalogue.get(id)?.symbol.quote)
    }

    /// What should be at a venue by our own books; `None` before its first complete answer, or of an asset never heard of.
    #[must_use]
    pub fn own_balance(&self, venue: VenueId, asset: Asset) -> Option<Decimal> {
        let known = self.own_books.is_known(venue);
        known.then(|| self.own_books.of(venue, asset)).flatten()
    }

    /// A price changed: values and rates that hang on it.
    pub(super) fn note_mark(&mut self, id: InstrumentId) {
        let (reporting, catalogue) = (self.reporting, Arc::clone(&self.catalogue));
        let rate = self.quote_rate(id);
        let Some((instrument, watch)) = catalogue.get(id).zip(self.watches.get_mut(id.index()))
        else {
            return;
        };
        watch.revalue(instrument, rate);
        let symbol = &instrument.symbol;
        if symbol.quote == reporting
            && let Some(mid) = watch.mid(instrument)
        {
            let spot = instrument.kind() == InstrumentKind::Spot;
            let slot = self
                .rates
                .by_asset
                .entry(symbol.base)
                .or_insert((spot, mid));
            if spot || !slot.0 {
                *slot = (spot, mid);
            }
        }
    }

    /// A position changed: values and our books. The first word on an instrument is what stood at the start (an earlier
    /// session's profits among it): a baseline, booked nowhere.
    pub(super) fn note_position(
        &mut self,
        before: Option<&PositionSnapshot>,
        after: &PositionSnapshot,
        now: MonoNanos,
    ) {
        let catalogue = Arc::clone(&self.catalogue);
        let rate = self.quote_rate(after.instrument);
        let Some((instrument, watch)) = catalogue
            .get(after.instrument)
            .zip(self.watches.get_mut(after.instrument.index()))
        else {
            return;
        };
        watch.revalue(instrument, rate);
        match before {
            Some(before) => self.own_books.on_position(instrument, before, after),
            None => self.losses.forget_symbol(instrument.symbol),
        }
        self.note_own(instrument, after.qty, now);
    }

    /// Whether an asset is one that the catalogue trades at a venue. Others are people's own and not valued.
    pub(super) fn is_traded(&self, venue: VenueId, asset: Asset) -> bool {
        self.catalogue.at_venue(venue).any(|instrument| {
            let symbol = &instrument.symbol;
            symbol.base == asset || symbol.quote == asset || symbol.settle == Some(asset)
        })
    }

    /// Equity at one venue; `None` when a balance has no rate, or was never heard.
    pub(super) fn venue_equity(&self, venue: VenueId) -> Option<Decimal> {
        if !self.own_books.is_known(venue) {
            return None;
        }
        let mut sum = Money::ZERO;
        for (asset, amount) in self.own_books.at(venue) {
            if amount.is_zero() || !self.is_traded(venue, asset) {
                continue;
            }
            let value = Money(amount).mul(Money(self.rate(asset)?)).ok()?;
            sum = sum.add(value).ok()?;
        }
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if instrument.venue == venue && instrument.symbol.settle.is_some() {
                sum = sum.add(watch.unrealized()?).ok()?;
            }
        }
        Some(sum.0)
    }

    /// Equity at every venue, and the sum when all are known.
    pub(super) fn equities(&self) -> (Vec<Option<Decimal>>, Option<Decimal>) {
        let venues: Vec<Option<Decimal>> = (0_u8..)
            .map(VenueId)
            .zip(self.catalogue.venue_names())
            .map(|(venue, _)| self.venue_equity(venue))
            .collect();
        let sum = venues
            .iter()
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add((*one)?));
        (venues, sum)
    }

    /// AT-33 of balances: seconds that one without any rate makes the equity unknown.
    pub(super) fn read_unvalued(&mut self, now: MonoNanos, out: &mut Vec<Reading>) {
        let (found, before) = (self.unvalued_asset(), self.rates.unvalued);
        self.rates.unvalued = match (found, before) {
            (Some(asset), Some((known, since))) if known == asset => Some((known, since)),
            (found, _) => found.map(|asset| (asset, now)),
        };
        let limit = seconds(self.limits.controls.unpriced_after);
        let tier = Tier::auto(limit, KillLevel::ReduceOnly);
        let mut push = |asset, value| {
            let scope = Scope::Asset(asset);
            let reading = Reading::new(Control::Unpriceable, scope, Some(value), tier);
            out.push(reading.warns_at(Decimal::MAX));
        };
        if let Some((gone, _)) = before.filter(|(asset, _)| found != Some(*asset)) {
            push(gone, Decimal::ZERO);
        }
        if let Some((asset, since)) = self.rates.unvalued {
            push(asset, seconds(now.since(since)));
        }
    }

    /// A balance of a traded asset without any rate.
    fn unvalued_asset(&self) -> Option<Asset> {
        if self.rates.by_asset.is_empty() {
            // No price of anything was heard yet.
            return None;
        }
        self.own_books
            .balances
            .iter()
            .find(|((venue, asset), amount)| {
                !amount.is_zero() && self.is_traded(*venue, *asset) && self.rate(*asset).is_none()
            })
            .map(|((_, asset), _)| *asset)
    }
}
