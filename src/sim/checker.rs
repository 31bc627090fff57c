//! The invariants of RISK.md 4.1 that a simulated run can be held to, checked while it runs and against the venues' own truth
//! at its end. A violation is a finding, not a panic: the run goes on and names it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::execution::{SetEnd, SetSummary};
use crate::ledger::{FillEffect, Ledger};
use crate::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentKind, MarketEvent, Trust,
    VenueId,
};
use crate::risk::{ApprovedSet, CloseIntent, CloseRecord, KillLevel, Limits};
use crate::sim::venue::{Amount, Truth};
use crate::trade::{ClientOrderId, Fill, Purpose, Ticket};
use crate::units::{Asset, Qty, Side};

/// Violations kept in words; all are counted.
const KEPT_MAX: usize = 50;

/// One broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in RISK.md 4.1.
    pub invariant: &'static str,
    /// What was seen.
    pub text: String,
}

/// Watches one run.
#[derive(Debug)]
pub struct Checker {
    catalogue: Arc<Catalogue>,
    limits: Arc<Limits>,
    violations: Vec<Violation>,
    count: u64,
    ids: BTreeSet<ClientOrderId>,
    /// Fills by venue, instrument and trade id.
    fills: BTreeMap<(InstrumentId, u64, Side), Fill>,
    /// Forced closes that began, by instrument.
    closes: BTreeMap<InstrumentId, CloseSeen>,
}

/// What a forced close found, and what others did to its position meanwhile.
#[derive(Debug, Clone, Copy)]
struct CloseSeen {
    intent: CloseIntent,
    /// Quantity that other orders added.
    added: Qty,
    /// Fills that nobody here ordered: a liquidation, a person.
    foreign: u32,
}

impl Checker {
    /// A checker that has seen nothing.
    #[must_use]
    pub const fn new(catalogue: Arc<Catalogue>, limits: Arc<Limits>) -> Self {
        Self {
            catalogue,
            limits,
            violations: Vec::new(),
            count: 0,
            ids: BTreeSet::new(),
            fills: BTreeMap::new(),
            closes: BTreeMap::new(),
        }
    }

    /// The first violations, in order.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
    /// How many there were in all.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Files a violation.
    pub fn broken(&mut self, invariant: &'static str, text: String) {
        self.count += 1;
        if self.violations.len() < KEPT_MAX {
            self.violations.push(Violation { invariant, text });
        }
    }

    fn hold(&mut self, invariant: &'static str, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.broken(invariant, text());
        }
    }

    /// I22: no accepted price or quantity is zero, negative or off its grid.
    pub fn on_market_event(&mut self, event: &MarketEvent) {
        let sane = match event.kind {
            EventKind::Level { price, qty, .. } => price.0 > 0 && qty.0 >= 0,
            EventKind::Quote {
                bid_price,
                bid_qty,
                ask_price,
                ask_qty,
                ..
            } => bid_price.0 > 0 && ask_price.0 > 0 && bid_qty.0 > 0 && ask_qty.0 > 0,
            EventKind::Trade { price, qty, .. } => price.0 > 0 && qty.0 > 0,
            EventKind::Mark { price, .. } => price.0 > 0,
            EventKind::Clear
            | EventKind::Synced { .. }
            | EventKind::Distrust { .. }
            | EventKind::Gap { .. }
            | EventKind::Alive => true,
        };
        self.hold("I22", sane, || format!("market event {event:?}"));
    }

    /// I21: a trusted book is two-sided and not crossed.
    pub fn on_book(&mut self, books: &Books, instrument: InstrumentId) {
        let Some(book) = books
            .get(instrument)
            .filter(|book| book.trust() == Trust::Trusted)
        else {
            return;
        };
        let uncrossed = book.top().is_some_and(|top| top.bid.price < top.ask.price);
        self.hold("I21", uncrossed, || {
            format!("instrument {} trusted at {:?}", instrument.0, book.top())
        });
    }

    /// I19: every leg is priced from a trusted book. I10: under a kill level legs only reduce (the gate judges that by leg;
    /// here: at cancel-all and above no set passes).
    pub fn on_approved_set(&mut self, set: &ApprovedSet, books: &Books, level: KillLevel) {
        for leg in set.legs() {
            let trust = books.get(leg.instrument()).map(crate::market::Book::trust);
            self.hold("I19", trust == Some(Trust::Trusted), || {
                format!("leg {:?} priced from {trust:?}", leg.seq())
            });
        }
        self.hold("I10", level < KillLevel::CancelAll, || {
            format!("a set passed at level {}", level.label())
        });
    }

    /// I16: client order ids are unique. I22: our own orders lie on tick and lot.
    pub fn on_ticket(&mut self, ticket: &Ticket) {
        let new = self.ids.insert(ticket.client_order_id);
        self.hold("I16", new, || {
            format!("client order id {} came twice", ticket.client_order_id)
        });
        let fits = self
            .catalogue
            .get(ticket.instrument)
            .is_some_and(|instrument| {
                ticket.qty.0 > 0
                    && ticket.limit_price.0 > 0
                    && ticket.qty.floor_to(instrument.lot) == Some(ticket.qty)
                    && ticket.limit_price.floor_to(instrument.tick) == Some(ticket.limit_price)
            });
        self.hold("I22", fits, || format!("order {ticket:?} is off the grid"));
    }

    /// I01: realized less cost of position and fee stocks is the cash flow, exactly. I04: no fill counted twice. I09: the position stays within its
    /// limit. I13: a forced close neither flips nor enlarges.
    pub fn on_fill(&mut self, fill: &Fill, effect: &FillEffect, ledger: &Ledger) {
        if let Some(position) = ledger.position(fill.instrument) {
            let stocks = position.stock_cost().unwrap_or(Decimal::MAX);
            let identity = position
                .realized_pnl()
                .checked_sub(position.cost())
                .and_then(|rest| rest.checked_sub(stocks));
            self.hold("I01", identity == Some(position.cash()), || {
                format!(
                    "realized - cost - fee stocks is {identity:?}, cash {}",
                    position.cash()
                )
            });
        }
        let first = self
            .fills
            .insert((fill.instrument, fill.trade_id, fill.side), *fill)
            .is_none();
        self.hold("I04", first != effect.duplicate, || {
            format!("trade {} counted again", fill.trade_id)
        });
        let after = effect.snapshot.qty;
        let before = Qty(after.0.saturating_sub(fill.side.signed(fill.qty).0));
        let limit = self
            .limits
            .instruments
            .get(fill.instrument.index())
            .copied()
            .flatten();
        let within = limit.is_some_and(|limit| {
            after.abs() <= limit.position_qty_max || after.abs() < before.abs()
        });
        // What somebody else traded on the account is not ours to prevent.
        let foreign = fill.purpose.is_none();
        self.hold("I09", within || foreign, || {
            format!("instrument {} stands at {}", fill.instrument.0, after.0)
        });
        if effect.duplicate {
            return;
        }
        let seen = self.closes.get_mut(&fill.instrument);
        let explained = seen.as_ref().is_some_and(|seen| seen.foreign > 0);
        if fill.purpose != Some(Purpose::Unwind) {
            if let Some(seen) = seen {
                seen.foreign += u32::from(foreign);
                // What it added on the position's side, or all of it on the other.
                let kept = if after.0.signum() == before.0.signum() {
                    before.abs().0
                } else {
                    0
                };
                let added = after.abs().0.saturating_sub(kept).max(0);
                seen.added = Qty(seen.added.0.saturating_add(added));
            }
        } else if !explained {
            let shrinks = after.abs() < before.abs()
                && (after.is_zero() || after.0.signum() == before.0.signum());
            self.hold("I13", shrinks, || {
                format!("a forced close went from {} to {}", before.0, after.0)
            });
        }
    }

    /// I17: every set ends even, unwound, or in an open alert. A single leg is even by itself.
    pub fn on_set_done(&mut self, summary: &SetSummary) {
        let single = summary.legs.iter().flatten().count() == 1;
        let even = match summary.end {
            SetEnd::Empty | SetEnd::Hedged | SetEnd::Repaired => single || summary.residual.0 == 0,
            SetEnd::Residual | SetEnd::Held => true,
        };
        self.hold("I17", even, || {
            format!("set {} ended {:?} uneven", summary.id.0, summary.end)
        });
    }

    /// A forced close begins, or its target becomes stricter. I14: one live close an instrument.
    pub fn on_close_intent(&mut self, intent: &CloseIntent) {
        let other = self.closes.get(&intent.instrument).copied();
        let same = other.is_none_or(|other| other.intent.set == intent.set);
        self.hold("I14", same, || {
            format!("instrument {} has two closes", intent.instrument.0)
        });
        let seen = CloseSeen {
            intent: *intent,
            added: Qty::ZERO,
            foreign: 0,
        };
        self.closes.entry(intent.instrument).or_insert(seen);
    }

    /// I13: what we closed is no more than the position when it was sized, and what other orders added since.
    pub fn on_close(&mut self, record: &CloseRecord) {
        let seen = self.closes.remove(&record.intent.instrument);
        let added = seen.map_or(0, |seen| seen.added.0);
        let most = Qty(record.intent.position.abs().0.saturating_add(added));
        let bounded = record.closed <= most;
        self.hold("I13", bounded, || {
            format!("closed {} of {}", record.closed.0, record.intent.position.0)
        });
    }

    /// AT-25 at rest: the balances that the monitor keeps are the venue's, to a millionth (a venue rounds a released cost
    /// elsewhere than we do). Only assets that the monitor knows there.
    pub fn same_balances(
        &mut self,
        venue: VenueId,
        truth: &Truth,
        own: impl Fn(Asset) -> Option<Decimal>,
    ) {
        for balance in &truth.balances {
            let Some(own) = own(balance.asset) else {
                continue;
            };
            let theirs = decimal(balance.free).saturating_add(decimal(balance.locked));
            let apart = own.saturating_sub(theirs).abs();
            self.hold("AT-25", apart <= Decimal::new(1, 6), || {
                format!(
                    "the monitor has {own} {} at venue {}, the venue {theirs}",
                    balance.asset, venue.0
                )
            });
        }
    }

    /// I03 and I04 at rest: positions, money and executions are the venue's own, exactly.
    pub fn at_rest(
        &mut self,
        venue: VenueId,
        start: &BTreeMap<Asset, Decimal>,
        truth: &Truth,
        ledger: &Ledger,
    ) {
        let catalogue = Arc::clone(&self.catalogue);
        self.hold("I03", truth.open_orders.is_empty(), || {
            format!("venue {} still holds {:?}", venue.0, truth.open_orders)
        });
        let mut cash: BTreeMap<Asset, Decimal> = BTreeMap::new();
        let mut base: BTreeMap<Asset, Decimal> = BTreeMap::new();
        for instrument in catalogue.at_venue(venue) {
            let Some(position) = ledger.position(instrument.id) else {
                continue;
            };
            self.same_fills(instrument, truth);
            if instrument.kind() == InstrumentKind::Spot {
                add(&mut cash, instrument.symbol.quote, position.cash());
                add(&mut base, instrument.symbol.base, position.qty());
            } else {
                let truth = truth
                    .positions
                    .iter()
                    .find(|truth| truth.symbol == instrument.native);
                let (qty, cost) = truth.map_or((Qty::ZERO, Decimal::ZERO), |truth| {
                    (truth.qty, decimal(truth.cost))
                });
                let own = instrument.grid.qty_decimal(qty);
                self.hold("I03", own == position.qty(), || {
                    format!(
                        "{} stands at {} here, {own} there",
                        instrument.native,
                        position.qty()
                    )
                });
                // The venue rounds a released cost elsewhere than we do: realized less cost is what must agree.
                add(
                    &mut cash,
                    instrument.symbol.quote,
                    position.cash().saturating_add(cost),
                );
            }
        }
        for ((at, asset), paid) in ledger.loose_funding() {
            if *at == venue {
                add(&mut cash, *asset, -paid.0);
            }
        }
        for balance in &truth.balances {
            let begun = start.get(&balance.asset).copied().unwrap_or_default();
            let change = decimal(balance.free)
                .saturating_add(decimal(balance.locked))
                .saturating_sub(begun);
            let booked = cash
                .remove(&balance.asset)
                .unwrap_or_default()
                .saturating_add(base.remove(&balance.asset).unwrap_or_default());
            self.hold("I03", change.normalize() == booked.normalize(), || {
                format!(
                    "venue {}: {} changed by {change} there, {booked} here",
                    venue.0, balance.asset
                )
            });
        }
        for (asset, amount) in cash.into_iter().chain(base) {
            self.hold("I03", amount.is_zero(), || {
                format!("venue {}: {amount} {asset} unknown there", venue.0)
            });
        }
    }

    fn same_fills(&mut self, instrument: &Instrument, truth: &Truth) {
        let mut count = 0_usize;
        let theirs = truth
            .fills
            .iter()
            .filter(|fill| fill.symbol == instrument.native);
        for fill in theirs {
            count += 1;
            let ours = self.fills.get(&(instrument.id, fill.trade_id, fill.side));
            let same = ours.is_some_and(|ours| {
                ours.qty == fill.qty
                    && ours.price == fill.price
                    && ours.fee.normalize() == decimal(fill.fee).normalize()
            });
            let text = format!(
                "{} trade {}: there {fill:?}, here {ours:?}",
                instrument.native, fill.trade_id
            );
            self.hold("I04", same, || text);
        }
        let ours = self
            .fills
            .keys()
            .filter(|(id, _, _)| *id == instrument.id)
            .count();
        self.hold("I04", ours == count, || {
            format!("{}: {ours} fills here, {count} there", instrument.native)
        });
    }
}

fn add(sums: &mut BTreeMap<Asset, Decimal>, asset: Asset, amount: Decimal) {
    let sum = sums.entry(asset).or_default();
    *sum = sum.saturating_add(amount);
}

/// A venue's amount (10^-18) as a decimal; the venue's amounts are far below 2^96 of it.
pub(crate) fn decimal(amount: Amount) -> Decimal {
    Decimal::try_from_i128_with_scale(amount.0, 18).map_or(Decimal::MAX, |value| value.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::venue::{TruthBalance, TruthFill};
    use crate::trade::{ApprovalSeq, Liquidity};
    use crate::units::{Grid, Price, UnixNanos};

    const SPOT: InstrumentId = InstrumentId(0);

    fn catalogue() -> Arc<Catalogue> {
        let instrument = Instrument {
            id: SPOT,
            venue: VenueId(0),
            symbol: "BTC/USDT".parse().unwrap(),
            native: "BTCUSDT".to_owned(),
            grid: Grid::new(2, 3).unwrap(),
            tick: Price(1),
            lot: Qty(1),
            qty_min: Qty(1),
            qty_max: Qty(1_000_000),
            notional_min: Decimal::ZERO,
            notional_max: None,
            price_min: Price(1),
            price_max: None,
            multiplier: Decimal::ONE,
            status: crate::market::InstrumentStatus::Trading,
            has_reduce_only: false,
            price_band: None,
        };
        Arc::new(Catalogue::new(vec!["spot".to_owned()], vec![instrument]).unwrap())
    }

    fn fill() -> Fill {
        Fill {
            venue: VenueId(0),
            instrument: SPOT,
            client_order_id: None,
            approval: ApprovalSeq(1),
            strategy: None,
            purpose: Some(Purpose::Leg),
            side: Side::Buy,
            qty: Qty(2_000),
            price: Price(10_000),
            fee: "0.02".parse().unwrap(),
            fee_asset: Asset::new("USDT"),
            trade_id: 7,
            venue_time: UnixNanos(0),
            received_at: crate::units::MonoNanos(0),
            liquidity: Liquidity::Taker,
        }
    }

    fn truth() -> Truth {
        let amount = |text: &str| Amount::parse(text).unwrap();
        let balance = |code: &str, free: &str| TruthBalance {
            asset: Asset::new(code).unwrap(),
            free: amount(free),
            locked: Amount::ZERO,
        };
        Truth {
            open_orders: Vec::new(),
            fills: vec![TruthFill {
                symbol: "BTCUSDT".to_owned(),
                order_id: 1,
                client_order_id: String::new(),
                trade_id: 7,
                side: Side::Buy,
                price: Price(10_000),
                qty: Qty(2_000),
                fee: amount("0.02"),
                fee_asset: Asset::new("USDT").unwrap(),
                realized: Amount::ZERO,
                is_maker: false,
                time: UnixNanos(0),
            }],
            balances: vec![balance("BTC", "5"), balance("USDT", "799.98")],
            positions: Vec::new(),
        }
    }

    /// Buys 2 at 100 with 3 BTC and 1,000 USDT at the start, then compares with the given truth.
    fn findings(limit: i64, fills: &[Fill], truth: &Truth) -> Vec<&'static str> {
        let catalogue = catalogue();
        let limits = Limits {
            instruments: vec![Some(crate::risk::limits::InstrumentLimits {
                order_qty_max: Qty(limit),
                position_qty_max: Qty(limit),
            })],
            ..crate::config::Settings::embedded().unwrap().limits.common
        };
        let mut checker = Checker::new(Arc::clone(&catalogue), Arc::new(limits));
        let mut ledger = Ledger::new(catalogue);
        for fill in fills {
            let effect = ledger.on_fill(fill).unwrap();
            checker.on_fill(fill, &effect, &ledger);
        }
        let start = [("BTC", "3"), ("USDT", "1000")];
        let start =
            start.map(|(code, amount)| (Asset::new(code).unwrap(), amount.parse().unwrap()));
        checker.at_rest(VenueId(0), &start.into_iter().collect(), truth, &ledger);
        checker
            .violations()
            .iter()
            .map(|violation| violation.invariant)
            .collect()
    }

    #[test]
    fn agreement_is_silent_and_every_difference_is_found() {
        assert_eq!(findings(5_000, &[fill()], &truth()), [""; 0]);
        assert_eq!(
            findings(5_000, &[fill(), fill()], &truth()),
            [""; 0],
            "the ledger counts a repeated fill once"
        );
        assert_eq!(
            findings(1_000, &[fill()], &truth()),
            ["I09"],
            "over the limit"
        );

        let mut other = truth();
        other.balances[1].free = Amount::parse("799.97999999").unwrap();
        assert_eq!(
            findings(5_000, &[fill()], &other),
            ["I03"],
            "a hundred-millionth of the money"
        );
        let mut other = truth();
        other.balances[0].free = Amount::parse("4.999").unwrap();
        assert_eq!(
            findings(5_000, &[fill()], &other),
            ["I03"],
            "one step of the position"
        );
        let mut other = truth();
        other.fills[0].price = Price(10_001);
        assert_eq!(
            findings(5_000, &[fill()], &other),
            ["I04"],
            "one tick of a fill"
        );
        let mut other = truth();
        other.fills.clear();
        assert_eq!(
            findings(5_000, &[fill()], &other),
            ["I04"],
            "a fill that never was"
        );
        assert_eq!(
            findings(5_000, &[], &truth()),
            ["I04", "I04", "I03", "I03"],
            "a fill we never heard of"
        );
    }

    #[test]
    fn forced_closes_must_shrink() {
        let close = Fill {
            purpose: Some(Purpose::Unwind),
            side: Side::Sell,
            qty: Qty(3_000),
            trade_id: 8,
            ..fill()
        };
        assert!(
            findings(5_000, &[fill(), close], &truth()).contains(&"I13"),
            "flipped"
        );
    }

    #[test]
    fn market_events_must_be_sane() {
        let mut checker = Checker::new(
            catalogue(),
            Arc::new(crate::config::Settings::embedded().unwrap().limits.common),
        );
        let event = |qty: i64| MarketEvent {
            received_at: crate::units::MonoNanos(0),
            kind: EventKind::Level {
                side: Side::Buy,
                price: Price(1),
                qty: Qty(qty),
                update_id: 1,
            },
            decode_nanos: 0,
            instrument: SPOT,
            flags: 0,
        };
        checker.on_market_event(&event(0));
        assert_eq!(checker.count(), 0);
        checker.on_market_event(&event(-1));
        assert_eq!(
            (checker.count(), checker.violations()[0].invariant),
            (1, "I22")
        );
    }
}
