//! Bringing a run to rest, and what it reports.

use std::collections::BTreeMap;

use crate::engine::Summary;
use crate::engine::book_digest::book_summary;
use crate::engine::summary::{PositionSummary, StageSummary};
use crate::exchanges::gateway::AccountQuery;
use crate::execution::{SetEnd, SetSummary};
use crate::ledger::Funding;
use crate::market::{Instrument, InstrumentKind, VenueId};
use crate::risk::Alert;
use crate::sim::checker::Violation;
use crate::telemetry::Stage;
use crate::trade::{Fill, OrderReport};
use crate::units::{Asset, Money, Nanos};

use super::World;

/// Remarks kept.
const REMARKS_MAX: usize = 100;

/// What a run did.
#[derive(Debug, Clone)]
pub struct WorldReport {
    /// For people and machines.
    pub summary: Summary,
    /// The instruments.
    pub catalogue: std::sync::Arc<crate::market::Catalogue>,
    /// Every fill in the order of booking.
    pub fills: Vec<Fill>,
    /// Invariants that did not hold.
    pub violations: Vec<Violation>,
    /// Forced closes.
    pub closing: super::Closing,
    /// Levels, orders, executions and resting orders in their order, with the time since the engine's start.
    pub seen: Vec<(Nanos, super::Seen)>,
    /// Every edge: counts and kept episodes of the whole run.
    pub opportunities: crate::engine::opportunity::Window,
    /// Every split of a set, in order; a set that a late fill opened again comes again.
    pub attributions: Vec<crate::execution::Attribution>,
    /// Funding payments that were booked, in order.
    pub fundings: Vec<Funding>,
    /// Market events that were played.
    pub market_events: u64,
}

/// What a run counts beside the rooms' own counters.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seed: u64,
    pub(super) market_events: u64,
    pub(super) forced_closes: u64,
    pub(super) fundings: Vec<Funding>,
    pub(super) sets_held: u64,
    spans: BTreeMap<Stage, Vec<u64>>,
    remarks: Vec<String>,
}

impl Tally {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }
    pub(super) fn on_span(&mut self, stage: Stage, span: Nanos) {
        self.spans.entry(stage).or_default().push(span.0);
    }
    pub(super) fn on_set_done(&mut self, summary: &SetSummary) {
        if summary.end == SetEnd::Held {
            self.sets_held += 1;
        }
    }
    pub(super) fn on_alert(&mut self, alert: &Alert) {
        if alert.raised {
            self.remark(format!(
                "risk alert {} ({})",
                alert.kind.label(),
                alert.scope.label()
            ));
        }
    }
    pub(super) fn on_report(&mut self, _report: &OrderReport) {}
    pub(super) fn remark(&mut self, text: String) {
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.push(text);
        }
    }
}

impl World {
    /// Nothing new is sent; what is open is cancelled.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        self.drive_desk(|desk, now, out| desk.cancel_all(now, out));
        self.carry_out();
        self.settle();
    }

    /// No order, set or forced close is open.
    pub(super) fn is_quiet(&self) -> bool {
        self.desk.open_summary().is_quiet() && self.closes_open() == 0
    }

    /// Compares with the venues, and says what was.
    pub(super) fn report(mut self, ended_by: &'static str, market_span: i64) -> WorldReport {
        self.compare();
        self.explain_inventory();
        let summary = self.summary(ended_by, market_span);
        let closing = self.take_closing();
        let opportunities = self.take_opportunities();
        WorldReport {
            summary,
            closing,
            opportunities,
            attributions: std::mem::take(&mut self.attributions),
            seen: std::mem::take(&mut self.record.seen),
            fundings: std::mem::take(&mut self.tally.fundings),
            catalogue: std::sync::Arc::clone(&self.catalogue),
            fills: std::mem::take(&mut self.fills),
            violations: self.checker.violations().to_vec(),
            market_events: self.tally.market_events,
        }
    }

    pub(super) fn closes_open(&self) -> usize {
        self.catalogue
            .all()
            .iter()
            .filter(|instrument| self.monitor.close_state(instrument.id).is_some())
            .count()
    }

    /// Asks a venue what we hold there.
    pub(super) fn ask_account(&mut self, venue: usize) {
        let now = self.mono();
        let Some(seat) = self
            .venues
            .get_mut(venue)
            .filter(|seat| seat.gateway.is_ready())
        else {
            return;
        };
        seat.account.on_ask(now);
        seat.watch.on_ask(now);
        self.drive_gateway(venue, |gateway, now, time, out| {
            gateway.request_account(AccountQuery::Balances, now, time, out);
            gateway.request_account(AccountQuery::Positions, now, time, out);
            gateway.request_account(AccountQuery::OpenOrders, now, time, out);
        });
    }

    /// Our books against the venues' own truth (I03, I04), nothing open or unknown (I17), no gap without a fault (I20).
    fn compare(&mut self) {
        let open = self.desk.open_summary();
        if !open.is_quiet() {
            self.checker.broken("I17", format!("not at rest: {open:?}"));
        }
        for (venue, seat) in (0_u8..).map(VenueId).zip(&self.venues) {
            let truth = seat.core.truth(0);
            self.checker
                .at_rest(venue, &seat.begun, &truth, &self.ledger);
        }
        let faultless = self.faults == 0;
        for (venue, seat) in (0_u8..)
            .map(VenueId)
            .zip(&self.venues)
            .filter(|_| faultless)
        {
            let own = |asset| self.monitor.own_balance(venue, asset);
            self.checker.same_balances(venue, &seat.core.truth(0), own);
        }
        for (instrument, book) in self.hot.books().iter().filter(|_| faultless) {
            let gaps = book.counters().gaps;
            if gaps > 0 {
                self.checker.broken(
                    "I20",
                    format!("instrument {} had {gaps} gaps", instrument.0),
                );
            }
        }
    }

    /// I18: what is left over all venues of one base asset is zero, unless something explains it. A remark says either way. What
    /// cross pairs paid and received of it counts; each even chain over them may leave less than a lot.
    fn explain_inventory(&mut self) {
        let mut nets: BTreeMap<Asset, (Money, usize)> = BTreeMap::new();
        for instrument in self.catalogue.all() {
            let Some(position) = self.ledger.position(instrument.id) else {
                continue;
            };
            let base = Money(position.qty())
                .mul(Money(instrument.multiplier))
                .unwrap_or_default();
            let (net, places) = nets.entry(instrument.symbol.base).or_default();
            *net = net.add(base).unwrap_or(*net);
            *places += usize::from(!base.is_zero());
        }
        for instrument in self.catalogue.all() {
            let spot = instrument.kind() == InstrumentKind::Spot;
            let paid = self.ledger.position(instrument.id).filter(|_| spot);
            let quote = nets.get_mut(&instrument.symbol.quote);
            if let (Some((net, _)), Some(position)) = (quote, paid) {
                *net = net.add(Money(position.cash())).unwrap_or(*net);
            }
        }
        let counters = self.desk.counters();
        let base_fee = |fill: &Fill| {
            let base = self
                .catalogue
                .get(fill.instrument)
                .map(|instrument| instrument.symbol.base);
            !fill.fee.is_zero() && fill.fee_asset == base
        };
        let explained = counters.sets_held > 0
            || counters.sets_residual > 0
            || self.tally.forced_closes > 0
            || self
                .fills
                .iter()
                .any(|fill| fill.purpose.is_none() || base_fee(fill));
        for (asset, (net, places)) in nets {
            let dust = self.chain_dust(asset, counters.sets_hedged);
            if net.is_zero() && places > 0 {
                self.tally.remark(format!(
                    "{asset}: positions at {places} venues are each other's hedge, net 0"
                ));
            } else if !net.is_zero() {
                let is_dust = net.0.abs() < dust.0;
                let why = if explained {
                    "held or residual sets, forced closes, foreign fills or fees in it"
                } else if is_dust {
                    "what even chains left, less than a lot each"
                } else {
                    "nothing"
                };
                self.tally.remark(format!(
                    "{asset}: net {net} over all venues, explained by {why}"
                ));
                if !explained && !is_dust {
                    self.checker
                        .broken("I18", format!("{asset}: net {net} is unexplained"));
                }
            }
        }
    }

    /// Most that even chains may have left of an asset that pairs are quoted in; zero for any other.
    fn chain_dust(&self, asset: Asset, sets: u64) -> Money {
        let mut all = self.catalogue.all().iter();
        if !all.any(|instrument| instrument.symbol.quote == asset) {
            return Money::ZERO;
        }
        let bases = self.catalogue.all().iter();
        let lots = bases
            .filter(|instrument| instrument.symbol.base == asset)
            .map(|instrument| instrument.grid.qty_decimal(instrument.lot));
        let largest = Money(lots.max().unwrap_or_default());
        largest.mul(Money(sets.into())).unwrap_or_default()
    }

    fn summary(&self, ended_by: &'static str, market_span: i64) -> Summary {
        let counters = self.desk.counters();
        let open = self.desk.open_summary();
        let mut summary = Summary {
            mode: "simulate",
            ended_by: ended_by.to_owned(),
            seed: self.tally.seed,
            seconds: u64::try_from(market_span.div_euclid(1_000_000_000)).unwrap_or(0),
            sets_opened: counters.sets_opened,
            sets_hedged: counters.sets_hedged + counters.sets_repaired,
            sets_broken: counters.sets_broken,
            sets_empty: counters.sets_empty,
            sets_held: counters.sets_held,
            orders_sent: counters.orders_sent,
            orders_rejected: counters.orders_rejected,
            orders_unknown: u64::try_from(open.orders_unknown).unwrap_or(u64::MAX),
            orders_open: u64::try_from(open.orders_open).unwrap_or(u64::MAX),
            fills: counters.fills,
            forced_closes: self.tally.forced_closes,
            decision_hash: self.digest.hex(),
            remarks: self.tally.remarks.clone(),
            ..Summary::default()
        };
        self.fill_frames(&mut summary);
        self.fill_strategies(&mut summary);
        self.fill_money(&mut summary);
        self.fill_attribution(&mut summary);
        self.fill_latency(&mut summary);
        let violations = self.checker.violations().iter();
        summary.remarks.extend(
            violations
                .map(|broken| format!("invariant {} broken: {}", broken.invariant, broken.text)),
        );
        summary
    }

    fn fill_frames(&self, summary: &mut Summary) {
        for feed in &self.feeds {
            let counters = feed.machine.counters();
            summary.frames_received += counters.frames_received;
            summary.frames_decoded += counters.decoded;
            summary.frames_ignored += counters.ignored;
            summary.frames_malformed += counters.malformed;
            for (kind, count) in counters.malformed_kinds().filter(|(_, count)| *count > 0) {
                let venue = self
                    .catalogue
                    .venue_names()
                    .get(feed.venue)
                    .map_or("", String::as_str);
                summary
                    .remarks
                    .push(format!("{count} malformed frames of {venue}: {kind}"));
            }
        }
        for instrument in self.catalogue.all() {
            if let Some(book) = self.hot.books().get(instrument.id) {
                summary.book_gaps += book.counters().gaps;
                summary
                    .books
                    .push(book_summary(&self.catalogue, instrument, book));
            }
        }
    }

    fn fill_strategies(&self, summary: &mut Summary) {
        for strategy in self.hot().strategies() {
            for (outcome, count) in strategy.counters().iter() {
                *summary
                    .outcomes
                    .entry(outcome.label().to_owned())
                    .or_default() += count;
            }
            summary.opportunities += strategy.counters().opportunities;
        }
        for (code, count) in self.hot().refusals().iter().filter(|(_, count)| *count > 0) {
            summary.gate_refusals.insert(code.to_owned(), count);
        }
    }

    fn fill_money(&self, summary: &mut Summary) {
        let (mut realized, mut unrealized) = (Money::ZERO, Money::ZERO);
        for instrument in self.catalogue.all() {
            let Some(position) = self.ledger.position(instrument.id) else {
                continue;
            };
            let open = self.unrealized(instrument);
            // The sums are money: profit in a coin counts at its price.
            let rate = self.coin_price(instrument.symbol.quote);
            let in_money = |profit: Money| rate.map_or(Ok(profit), |rate| profit.mul(rate));
            realized = in_money(Money(position.realized_pnl()))
                .and_then(|profit| realized.add(profit))
                .unwrap_or(realized);
            unrealized = in_money(open.unwrap_or_default())
                .and_then(|profit| unrealized.add(profit))
                .unwrap_or(unrealized);
            summary.positions.push(PositionSummary {
                venue: self.catalogue.venue_name(instrument.venue).to_owned(),
                symbol: instrument.symbol.to_string(),
                quantity: Money(position.qty()).to_string(),
                average_price: self
                    .ledger
                    .average_price(instrument.id)
                    .map(|price| Money(price).to_string()),
                realized_pnl: Money(position.realized_pnl()).to_string(),
                unrealized_pnl: open.map(|money| money.to_string()),
            });
        }
        summary.realized_pnl = realized.to_string();
        summary.unrealized_pnl = unrealized.to_string();
        if let Ok(fees) = self.ledger.fees() {
            summary.fees = fees
                .into_iter()
                .map(|(asset, amount)| (asset.to_string(), amount.to_string()))
                .collect();
        }
    }

    /// Best bid of an asset that pairs are quoted in and that is a base itself; `None` for money.
    fn coin_price(&self, asset: Asset) -> Option<Money> {
        let mut all = self.catalogue.all().iter();
        let pair =
            all.find(|one| one.symbol.base == asset && one.kind() == InstrumentKind::Spot)?;
        let top = self.hot.books().get(pair.id)?.top()?;
        Some(Money(pair.grid.price_decimal(top.bid.price)))
    }

    /// At the mid of the last book, rounded down to the grid.
    fn unrealized(&self, instrument: &Instrument) -> Option<Money> {
        let top = self.hot.books().get(instrument.id)?.top()?;
        let mid = crate::units::Price(top.bid.price.0.checked_add(top.ask.price.0)?.div_euclid(2));
        self.ledger.unrealized_pnl(instrument.id, mid).map(Money)
    }

    /// In virtual time: what the engine computes takes none, so only the ways to the venues and
    /// back have length; what happens within the engine is counted.
    fn fill_latency(&self, summary: &mut Summary) {
        let zero = |count: u64| StageSummary {
            count,
            ..StageSummary::default()
        };
        let sets = self.desk.counters().sets_opened;
        for (stage, count) in [
            (Stage::Decode, summary.frames_decoded),
            (Stage::QueueWait, summary.frames_decoded),
            (Stage::StrategyEval, summary.outcomes.values().sum()),
            (Stage::RiskCheck, sets + self.hot.gate().counters().refused),
            (Stage::TickToOrder, 0),
            (Stage::OrderAck, 0),
        ] {
            summary
                .latency
                .insert(stage.label().to_owned(), zero(count));
        }
        for (stage, spans) in &self.tally.spans {
            let mut sorted = spans.clone();
            sorted.sort_unstable();
            let at = |per_mille: usize| {
                let last = sorted.len().saturating_sub(1);
                sorted
                    .get((last * per_mille).div_euclid(1_000))
                    .copied()
                    .unwrap_or(0)
            };
            let line = StageSummary {
                count: u64::try_from(sorted.len()).unwrap_or(u64::MAX),
                p50_ns: at(500),
                p90_ns: at(900),
                p99_ns: at(990),
                p999_ns: at(999),
                max_ns: at(1_000),
            };
            summary.latency.insert(stage.label().to_owned(), line);
        }
    }
}
