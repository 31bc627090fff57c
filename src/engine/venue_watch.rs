//! What is known of one venue, put together for the risk seat: the gateway's connection and budget, the account's answers.
//!
//! The live account seat and the virtual world feed the same watch; it says when the picture is due ([`VenueWatch::take_due`]):
//! on a change, not more often than each 10 ms, and at least each 250 ms.

use crate::exchanges::gateway::{AccountEvent, AccountQuery};
use crate::ledger::TradeIds;
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::trade::{Balance, Fact, PaymentId, VenueFacts};
use crate::units::{Asset, MonoNanos, Nanos};

/// A picture is told at least this often.
const TELL_EVERY: Nanos = Nanos::from_millis(250);
/// Changes are told not more often than this.
const TELL_PAUSE: Nanos = Nanos::from_millis(10);
/// Funding payments of one venue remembered. A venue repeats what it just said, not what was days ago.
const PAYMENTS_MAX: usize = 1_024;

/// One venue's facts as they come in.
#[derive(Debug, Clone)]
pub struct VenueWatch {
    facts: VenueFacts,
    /// Open orders counted in the running answer.
    counting: u32,
    /// Parts of the running round that were answered: balances, positions, open orders.
    answered: [bool; 3],
    /// When its questions were sent.
    asked_at: MonoNanos,
    told_at: Option<MonoNanos>,
    changed: bool,
    /// Funding told to others already: what a venue repeats is told once.
    payments: TradeIds<(Asset, PaymentId)>,
}

impl VenueWatch {
    /// Nothing heard yet; the rules were loaded at `rules_loaded_at`.
    #[must_use]
    pub const fn new(venue: VenueId, rules_loaded_at: MonoNanos) -> Self {
        let mut facts = VenueFacts::unheard(venue);
        facts.rules_loaded_at = Some(rules_loaded_at);
        Self {
            facts,
            counting: 0,
            answered: [false; 3],
            asked_at: MonoNanos(0),
            told_at: None,
            changed: false,
            payments: TradeIds::new(PAYMENTS_MAX),
        }
    }

    /// Takes what the gateway knows: connection, penalties, budget, clock, dead-man switch, errors.
    pub fn on_gateway(&mut self, facts: &VenueFacts) {
        let own = &mut self.facts;
        self.changed |= (own.ready, own.banned_until, own.dead_man, own.errors)
            != (
                facts.ready,
                facts.banned_until,
                facts.dead_man,
                facts.errors,
            );
        own.ready = facts.ready;
        own.session_started_at = facts.session_started_at;
        own.banned_until = facts.banned_until;
        own.weight_used = facts.weight_used;
        own.clock_offset_ns = facts.clock_offset_ns;
        own.clock_stepped_at = facts.clock_stepped_at;
        own.dead_man = facts.dead_man;
        own.errors = facts.errors;
    }

    /// The venue's rules were read again and are the same.
    pub const fn on_rules(&mut self, now: MonoNanos) {
        self.facts.rules_loaded_at = Some(now);
    }

    /// A new round of questions is sent.
    pub const fn on_ask(&mut self, now: MonoNanos) {
        self.asked_at = now;
        self.counting = 0;
        self.answered = [false; 3];
    }

    /// Takes the venue's word on the account. What must not be lost (money in or out) is pushed at once.
    pub fn on_event(
        &mut self,
        event: &AccountEvent,
        catalogue: &Catalogue,
        position: impl Fn(InstrumentId) -> bool,
        out: &mut Vec<Fact>,
    ) {
        match *event {
            AccountEvent::Ready => self.set_ready(true),
            AccountEvent::NotReady => self.set_ready(false),
            AccountEvent::Balance {
                asset,
                free,
                locked,
            } => self.set_balance(asset, Balance { free, locked }),
            AccountEvent::BalanceChanged {
                asset,
                change,
                funding,
            } => {
                let venue = self.facts.venue;
                let Some((id, told)) = funding else {
                    let amount = change;
                    out.push(Fact::Flow {
                        venue,
                        asset,
                        amount,
                    });
                    return;
                };
                if self.payments.contains(&(asset, id)) {
                    return;
                }
                self.payments.insert((asset, id));
                out.push(Fact::Funding {
                    venue,
                    asset,
                    instrument: told.or_else(|| only_open(catalogue, venue, asset, position)),
                    paid: -change,
                    id,
                });
            }
            AccountEvent::VenueClosed { instrument } => out.push(Fact::VenueClosed { instrument }),
            AccountEvent::Margin(margin) => {
                self.changed |= self.facts.margin != Some(margin);
                self.facts.margin = Some(margin);
            }
            AccountEvent::OpenOrder { .. } => self.counting = self.counting.saturating_add(1),
            AccountEvent::SnapshotDone(query) => self.on_answer(query),
            AccountEvent::Position { .. }
            | AccountEvent::CancelAllDone { .. }
            | AccountEvent::CancelAllFailed { .. }
            | AccountEvent::SnapshotFailed(_)
            | AccountEvent::ServerTime { .. }
            | AccountEvent::Refused { .. } => {}
        }
    }

    fn set_ready(&mut self, ready: bool) {
        self.changed |= self.facts.ready != ready;
        self.facts.ready = ready;
    }

    fn set_balance(&mut self, asset: Asset, balance: Balance) {
        let balances = &mut self.facts.balances;
        match balances.binary_search_by_key(&asset, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, slot)) = balances.get_mut(place) {
                    self.changed |= *slot != balance;
                    *slot = balance;
                }
            }
            Err(place) => {
                balances.insert(place, (asset, balance));
                self.changed = true;
            }
        }
    }

    fn on_answer(&mut self, query: AccountQuery) {
        let part = match query {
            AccountQuery::Balances => 0,
            AccountQuery::Positions => 1,
            AccountQuery::OpenOrders => {
                self.facts.open_orders = Some(self.counting);
                2
            }
            AccountQuery::Trades { .. } | AccountQuery::History { .. } => return,
        };
        if let Some(answered) = self.answered.get_mut(part) {
            *answered = true;
        }
        if self.answered == [true; 3] {
            self.facts.snapshot_at = Some(self.asked_at);
            self.changed = true;
        }
    }

    /// The picture, when it is due.
    pub fn take_due(&mut self, now: MonoNanos) -> Option<Fact> {
        let pause = self.told_at.map_or(TELL_EVERY, |told| now.since(told));
        if pause < TELL_PAUSE || (pause < TELL_EVERY && !self.changed) {
            return None;
        }
        self.told_at = Some(now);
        self.changed = false;
        Some(Fact::Venue(Box::new(self.facts.clone())))
    }
}

/// The one open derivative that settles in an asset: a funding payment there is its.
fn only_open(
    catalogue: &Catalogue,
    venue: VenueId,
    asset: Asset,
    is_open: impl Fn(InstrumentId) -> bool,
) -> Option<InstrumentId> {
    let mut open = catalogue
        .at_venue(venue)
        .filter(|one| one.symbol.settle == Some(asset) && is_open(one.id));
    let first = open.next()?;
    open.next().is_none().then_some(first.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::UnixNanos;
    use rust_decimal::Decimal;

    fn balance(free: i64) -> AccountEvent {
        AccountEvent::Balance {
            asset: Asset::new("USDT").unwrap(),
            free: Decimal::from(free),
            locked: Decimal::ZERO,
        }
    }

    #[test]
    fn told_on_change_and_at_least_each_quarter_second() {
        let catalogue = Catalogue::default();
        let mut watch = VenueWatch::new(VenueId(0), MonoNanos(0));
        let mut out = Vec::new();
        let at = |millis: u64| MonoNanos(millis * 1_000_000);
        let mut told = Vec::new();
        for millis in 1_000..2_000 {
            if millis == 1_100 || millis == 1_103 {
                watch.on_event(
                    &balance(i64::try_from(millis).unwrap()),
                    &catalogue,
                    |_| false,
                    &mut out,
                );
            }
            if watch.take_due(at(millis)).is_some() {
                told.push(millis);
            }
        }
        assert_eq!(told, [1_000, 1_100, 1_110, 1_360, 1_610, 1_860]);
    }

    #[test]
    fn funding_is_told_once_a_payment_and_not_once_an_instant() {
        let catalogue = Catalogue::default();
        let mut watch = VenueWatch::new(VenueId(0), MonoNanos(0));
        let mut told = |time: i64, balance: i64| {
            let id = PaymentId {
                time: UnixNanos(time),
                balance: Some(Decimal::from(balance)),
            };
            let event = AccountEvent::BalanceChanged {
                asset: Asset::new("USDT").unwrap(),
                change: Decimal::NEGATIVE_ONE,
                funding: Some((id, None)),
            };
            let mut out = Vec::new();
            watch.on_event(&event, &catalogue, |_| false, &mut out);
            out.len()
        };
        assert_eq!([told(1, 99), told(1, 98)], [1, 1], "two at one instant");
        assert_eq!([told(1, 99), told(1, 98)], [0, 0], "told again");
        assert_eq!(told(2, 98), 1, "the same balance at another time");
    }

    #[test]
    fn a_round_is_complete_with_its_three_answers() {
        let catalogue = Catalogue::default();
        let mut watch = VenueWatch::new(VenueId(0), MonoNanos(0));
        let mut out = Vec::new();
        let mut say = |watch: &mut VenueWatch, query| {
            let event = AccountEvent::SnapshotDone(query);
            watch.on_event(&event, &catalogue, |_| false, &mut out);
            watch.facts.snapshot_at
        };
        watch.on_ask(MonoNanos(5));
        assert_eq!(say(&mut watch, AccountQuery::Balances), None);
        assert_eq!(say(&mut watch, AccountQuery::Positions), None);
        assert_eq!(
            say(&mut watch, AccountQuery::OpenOrders),
            Some(MonoNanos(5))
        );
        watch.on_ask(MonoNanos(9));
        assert_eq!(
            say(&mut watch, AccountQuery::OpenOrders),
            Some(MonoNanos(5))
        );
    }
}
