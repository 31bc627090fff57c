//! AT-24 to AT-26 and AT-34: do the venues say the same as we? Positions, balances and open orders; strangers' fills.
//!
//! A venue's answer is as old as its question and as new as its arrival, so it matches when our own books were equal at any
//! moment from the question on. When every position, balance and the count of open orders of one round matched, the venue is
//! reconciled as of the round's question (PT-46).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::risk::{KillLevel, Scope};
use crate::trade::{FillFacts, PositionSource, VenueFacts, VenuePosition};
use crate::units::{Asset, Money, MonoNanos, Nanos, Qty};

use super::Monitor;
use super::exposure::{over, ratio};
use super::judge::{Reading, Tier};
use super::rows::Control;

/// How long our books may lag behind a venue's answer.
const LAG: Nanos = Nanos::from_secs(5);
/// Changes of one position remembered.
const RECENT_MAX: usize = 64;

/// A venue's word on one position.
#[derive(Debug, Clone, Copy)]
struct Claim {
    qty: Qty,
    asked_at: MonoNanos,
    heard_at: MonoNanos,
    matched: bool,
    /// How often in a row the venue said the same and we did not.
    repeated: u32,
}

/// One position in our books and in the venue's.
#[derive(Debug, Clone, Default)]
struct Twin {
    /// Ours, from an instant on; oldest first.
    recent: VecDeque<(MonoNanos, Qty)>,
    claim: Option<Claim>,
}

impl Twin {
    fn had(&self, qty: Qty, lot: Qty, since: MonoNanos) -> bool {
        let mut newest_before = None;
        for (at, own) in &self.recent {
            if *at > since && same(*own, qty, lot) {
                return true;
            }
            if *at <= since {
                newest_before = Some(*own);
            }
        }
        same(newest_before.unwrap_or(Qty::ZERO), qty, lot)
    }
}

/// Equal up to one lot.
fn same(one: Qty, other: Qty, lot: Qty) -> bool {
    one.0.abs_diff(other.0) <= lot.0.unsigned_abs()
}

/// One round of answers of one venue.
#[derive(Debug, Clone, Default)]
struct Round {
    asked_at: Option<MonoNanos>,
    balances: BTreeMap<Asset, bool>,
    orders: bool,
    /// Our own open orders since the last round, fewest and most.
    open: (u32, u32),
    filled_at: Option<MonoNanos>,
    /// Since when a balance differs.
    differs: BTreeMap<Asset, MonoNanos>,
    reconciled_at: Option<MonoNanos>,
}

/// Ours against the venues'.
#[derive(Debug, Default)]
pub(super) struct Twins {
    positions: BTreeMap<InstrumentId, Twin>,
    rounds: BTreeMap<VenueId, Round>,
    foreign: BTreeMap<InstrumentId, u32>,
    closed_by_venue: BTreeMap<VenueId, u32>,
}

impl Twins {
    /// A person re-armed a scope: strangers' fills and venues' closes that raised it count from zero again.
    pub(super) fn forget_counts(&mut self, scope: Scope, catalogue: &Catalogue) {
        self.foreign.retain(|id, _| {
            let symbol = catalogue.get(*id).map(|one| Scope::Symbol(one.symbol));
            symbol != Some(scope)
        });
        self.closed_by_venue
            .retain(|venue, _| Scope::Venue(*venue) != scope);
    }
}

impl Monitor {
    /// Our position changed.
    pub(super) fn note_own(&mut self, instrument: &Instrument, qty: Qty, now: MonoNanos) {
        let twin = self.twins.positions.entry(instrument.id).or_default();
        if twin.recent.back().is_none_or(|(_, last)| *last != qty) {
            twin.recent.push_back((now, qty));
            if twin.recent.len() > RECENT_MAX {
                twin.recent.pop_front();
            }
            let round = self.twins.rounds.entry(instrument.venue).or_default();
            round.filled_at = Some(now);
        }
        if let Some(claim) = twin.claim.as_mut()
            && !claim.matched
            && now.since(claim.heard_at) <= LAG
        {
            claim.matched = same(claim.qty, qty, instrument.lot);
        }
        self.match_round(instrument.venue, now);
    }

    /// The venue's word on a position.
    pub(super) fn note_word(
        &mut self,
        instrument: &Instrument,
        word: &VenuePosition,
        now: MonoNanos,
    ) {
        if word.source != PositionSource::Snapshot {
            return;
        }
        let twin = self.twins.positions.entry(instrument.id).or_default();
        let matched = twin.had(word.qty, instrument.lot, word.taken_at);
        let before = twin
            .claim
            .filter(|claim| !claim.matched && claim.qty == word.qty);
        let is_new = before.is_none_or(|claim| claim.asked_at != word.taken_at);
        let repeated = before.map_or(0, |claim| claim.repeated) + u32::from(is_new);
        twin.claim = Some(Claim {
            qty: word.qty,
            asked_at: word.taken_at,
            heard_at: now,
            matched,
            repeated,
        });
        self.match_round(instrument.venue, now);
    }

    /// Our open orders at a venue changed.
    pub(super) fn note_open(&mut self, venue: VenueId, now: MonoNanos) {
        let open = self.own_open(venue);
        let round = self.twins.rounds.entry(venue).or_default();
        round.open = (round.open.0.min(open), round.open.1.max(open));
        self.match_round(venue, now);
    }

    fn own_open(&self, venue: VenueId) -> u32 {
        self.catalogue
            .at_venue(venue)
            .filter_map(|instrument| self.heard.orders(instrument.id))
            .fold(0, |sum, orders| sum.saturating_add(orders.open))
    }

    /// A venue's facts came: balances are compared; a new round of answers begins a new comparison.
    pub(super) fn note_venue(&mut self, facts: &VenueFacts, now: MonoNanos) {
        let Some(snapshot_at) = facts.snapshot_at else {
            return;
        };
        if !self.own_books.is_known(facts.venue) {
            self.own_books.take_over(facts);
        }
        let open = self.own_open(facts.venue);
        let round = self.twins.rounds.entry(facts.venue).or_default();
        if round.asked_at != Some(snapshot_at) {
            round.asked_at = Some(snapshot_at);
            round.balances.clear();
            let (fewest, most) = (round.open.0.min(open), round.open.1.max(open));
            round.orders = facts
                .open_orders
                .is_some_and(|theirs| theirs >= fewest && theirs <= most);
            round.open = (open, open);
        }
        self.match_round(facts.venue, now);
    }

    /// The difference of one balance: theirs less ours, and its value where it can be told.
    fn balance_gap(&self, venue: VenueId, asset: Asset, theirs: Decimal) -> Option<Decimal> {
        let ours = self.own_books.of(venue, asset).unwrap_or_default();
        let gap = theirs.saturating_sub(ours).abs();
        let value = self
            .rate(asset)
            .and_then(|rate| Money(gap).mul(Money(rate)).ok());
        if gap.is_zero()
            || value.is_some_and(|value| value.0 <= self.limits.controls.balance_break_usd_min)
        {
            return Some(Decimal::ZERO);
        }
        let whole = theirs.abs().max(ours.abs());
        over(gap, whole)
    }

    fn is_traded_there(&self, venue: VenueId, asset: Asset) -> bool {
        self.catalogue.at_venue(venue).any(|instrument| {
            let symbol = &instrument.symbol;
            match symbol.settle {
                Some(settle) => settle == asset,
                None => symbol.base == asset || symbol.quote == asset,
            }
        })
    }

    /// Looks at every part of the running round; all matched: reconciled.
    fn match_round(&mut self, venue: VenueId, now: MonoNanos) {
        let Some(facts) = self.heard.venues.get(venue.index()).cloned().flatten() else {
            return;
        };
        let warn = ratio(self.limits.controls.balance_break_warn);
        let mut seen: Vec<(Asset, bool)> = Vec::with_capacity(facts.balances.len());
        for (asset, balance) in &facts.balances {
            if self.is_traded_there(venue, *asset) {
                let theirs = balance.free.saturating_add(balance.locked);
                let gap = self.balance_gap(venue, *asset, theirs);
                seen.push((*asset, gap.is_some_and(|gap| gap <= warn)));
            }
        }
        let positions = self.positions_match(venue);
        let Some(round) = self.twins.rounds.get_mut(&venue) else {
            return;
        };
        for (asset, fine) in seen {
            *round.balances.entry(asset).or_default() |= fine;
            if fine {
                round.differs.remove(&asset);
            } else {
                round.differs.entry(asset).or_insert(now);
            }
        }
        let all = round.orders && positions && round.balances.values().all(|fine| *fine);
        if all && round.reconciled_at != round.asked_at {
            round.reconciled_at = round.asked_at;
            self.view_changed = true;
            let quiet = round.filled_at.is_none_or(|filled| now.since(filled) > LAG);
            if quiet && self.own_open(venue) == 0 {
                self.own_books.take_over(&facts);
            }
        }
        self.show_reconciled(venue);
    }

    /// The gate's picture carries when the venue was last reconciled, here or by whoever told the facts.
    pub(super) fn show_reconciled(&mut self, venue: VenueId) {
        let at = self
            .twins
            .rounds
            .get(&venue)
            .and_then(|round| round.reconciled_at);
        if let Some(Some(facts)) = self.heard.venues.get_mut(venue.index())
            && facts.reconciled_at < at
        {
            Arc::make_mut(facts).reconciled_at = at;
        }
    }

    /// Every position that the venue can tell was matched in the running round.
    fn positions_match(&self, venue: VenueId) -> bool {
        let Some(asked_at) = self
            .twins
            .rounds
            .get(&venue)
            .and_then(|round| round.asked_at)
        else {
            return false;
        };
        self.catalogue.at_venue(venue).all(|instrument| {
            if !self.is_told(instrument) {
                return true;
            }
            self.twins
                .positions
                .get(&instrument.id)
                .and_then(|twin| twin.claim)
                .is_some_and(|claim| claim.matched && claim.asked_at >= asked_at)
        })
    }

    /// Two spot pairs that change the balance of one base say nothing of either position: AT-25 compares the balance, with all
    /// that they have moved.
    fn is_told(&self, instrument: &Instrument) -> bool {
        let base = instrument.symbol.base;
        let shares = |other: &&Instrument| {
            other.kind() == InstrumentKind::Spot
                && (other.symbol.base == base || other.symbol.quote == base)
        };
        instrument.kind() != InstrumentKind::Spot
            || self
                .catalogue
                .at_venue(instrument.venue)
                .filter(shares)
                .count()
                == 1
    }

    /// Start-up itself compared everything: what the venues say is the beginning.
    pub(super) fn begin_reconciled(&mut self) {
        let heard: Vec<Arc<VenueFacts>> = self.heard.venues.iter().flatten().cloned().collect();
        for facts in heard {
            self.own_books.take_over(&facts);
            let round = self.twins.rounds.entry(facts.venue).or_default();
            round.reconciled_at = facts.snapshot_at;
            self.show_reconciled(facts.venue);
        }
    }

    /// AT-24 of one instrument and AT-25 of its venue.
    pub(super) fn read_breaks(
        &self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<Reading>,
    ) {
        let twin = self.twins.positions.get(&instrument.id);
        if let Some(twin) = twin.filter(|_| self.is_told(instrument)) {
            out.extend(self.position_break(instrument, twin, now));
        }
    }

    fn position_break(
        &self,
        instrument: &Instrument,
        twin: &Twin,
        now: MonoNanos,
    ) -> Option<Reading> {
        let own = &self.limits.controls;
        let claim = twin.claim?;
        let (changed_at, ours) = twin.recent.back().copied().unwrap_or_default();
        let quiet = now.since(changed_at) >= own.position_break_quiet;
        let broken = quiet && claim.repeated >= 2 && !same(claim.qty, ours, instrument.lot);
        let gap = Qty(i64::try_from(claim.qty.0.abs_diff(ours.0)).unwrap_or(i64::MAX));
        let quantity = instrument.grid.qty_decimal(gap);
        let watch = self.watches.get(instrument.id.index());
        let value = watch
            .and_then(|watch| watch.mid(instrument))
            .and_then(|mid| Money(quantity).mul(Money(mid)).ok())
            .and_then(|value| value.mul(Money(instrument.multiplier)).ok());
        let signs_differ = claim.qty.0.signum() * ours.0.signum() < 0;
        // A difference that cannot be valued may be large.
        let large = value.is_none_or(|value| value.0 > own.position_break_usd_max);
        let mut reading = Reading::new(
            Control::PositionBreak,
            Scope::Symbol(instrument.symbol),
            Some(if broken { quantity } else { Decimal::ZERO }),
            Tier::latched(Decimal::ZERO, KillLevel::ReduceOnly),
        )
        .warns_at(Decimal::MAX);
        if large || signs_differ {
            reading = reading.then(Tier::latched(Decimal::ZERO, KillLevel::CancelAll));
        }
        reading.source = Some(instrument.id);
        Some(reading)
    }

    /// AT-25 of one venue: the worst balance that differs for longer than our books may lag.
    pub(super) fn read_balances(&self, venue: VenueId, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let (Some(facts), Some(round)) = (self.heard.venue(venue), self.twins.rounds.get(&venue))
        else {
            return;
        };
        let mut worst = Decimal::ZERO;
        for (asset, since) in &round.differs {
            let balance = facts.balances.iter().find(|(other, _)| other == asset);
            if now.since(*since) < own.position_break_quiet {
                continue;
            }
            let theirs = balance.map_or(Decimal::ZERO, |(_, balance)| {
                balance.free.saturating_add(balance.locked)
            });
            let gap = self.balance_gap(venue, *asset, theirs);
            worst = worst.max(gap.unwrap_or(Decimal::ONE));
        }
        out.push(
            Reading::new(
                Control::BalanceBreak,
                Scope::Venue(venue),
                Some(worst),
                Tier::auto(ratio(own.balance_break_max), KillLevel::ReduceOnly),
            )
            .warns_at(ratio(own.balance_break_warn)),
        );
    }

    /// AT-26: an execution whose order is not ours.
    pub(super) fn note_fill(
        &mut self,
        instrument: &Instrument,
        facts: &FillFacts,
        out: &mut Vec<Reading>,
    ) {
        if facts.fill.client_order_id.is_some() {
            return;
        }
        let count = self.twins.foreign.entry(instrument.id).or_default();
        *count = count.saturating_add(1);
        let mut reading = Reading::new(
            Control::ForeignFill,
            Scope::Symbol(instrument.symbol),
            Some(Decimal::from(*count)),
            Tier::latched(Decimal::ZERO, KillLevel::ReduceOnly),
        );
        reading.source = Some(instrument.id);
        out.push(reading);
    }

    /// AT-34: the venue closed a position itself.
    pub(super) fn note_venue_close(&mut self, instrument: &Instrument, out: &mut Vec<Reading>) {
        let count = self
            .twins
            .closed_by_venue
            .entry(instrument.venue)
            .or_default();
        *count = count.saturating_add(1);
        out.push(Reading::new(
            Control::VenueClose,
            Scope::Venue(instrument.venue),
            Some(Decimal::from(*count)),
            Tier::latched(Decimal::ZERO, KillLevel::CancelAll),
        ));
    }
}
