//! Losses over a restart: what is told for the record, and how the next session goes on from it.
//!
//! Told each minute, and within five seconds of a new high-water mark or an ended set. A restart builds the windows of a day
//! from a day of records, and takes units, marks and what they stood on from the last one. The units go on at the first
//! valuation after start-up was reconciled: then the ledger holds what was executed meanwhile, and what balances changed beyond
//! it was money in or out, not profit or loss.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::VenueId;
use crate::risk::RiskOutput;
use crate::risk::kept::{KeptPosition, KeptUnit, LossPoint};
use crate::risk::stats::{Drawdown, LossWindow};
use crate::trade::{ApprovalSeq, PositionSnapshot};
use crate::units::{Asset, MonoNanos, Nanos, Qty};

use super::Monitor;
use super::exposure::ratio;
use super::loss::{Losses, STEP, Unit};
use super::worth::OwnBooks;

/// Told at least this often.
const TELL_EVERY: Nanos = Nanos::from_secs(60);
/// Changes are told not more often than this.
const TELL_PAUSE: Nanos = Nanos::from_secs(5);
/// A start that is not reconciled goes on with the earlier units all the same after this long.
const WAIT_MAX: Nanos = Nanos::from_secs(60);

/// What was told, and what waits.
#[derive(Debug, Default)]
pub(super) struct Kept {
    told_at: Option<MonoNanos>,
    told_high: Decimal,
    /// A set ended since.
    pub(super) moved: bool,
    /// Start-up matched.
    pub(super) reconciled: bool,
    /// The units of the last session, until they go on.
    waiting: Option<Box<Waiting>>,
    /// First valuation while they waited.
    waits_since: Option<MonoNanos>,
}

#[derive(Debug)]
struct Waiting {
    last: LossPoint,
    whole: LossWindow,
    venues: BTreeMap<VenueId, LossWindow>,
}

/// Units of an earlier session, `flow` richer by money from outside; `None` when nothing of them is left.
fn resumed(kept: KeptUnit, flow: Decimal, window: LossWindow) -> Option<Unit> {
    let mut value = Drawdown::restore(kept.units, kept.high, kept.equity).ok()?;
    if !flow.is_zero() {
        value.on_flow(flow).ok()?;
    }
    Some(Unit { value, window })
}

impl KeptUnit {
    fn of(unit: &Unit) -> Self {
        Self {
            units: unit.value.units(),
            high: unit.value.high_water_mark(),
            equity: unit.value.equity(),
        }
    }

    /// Value of a unit.
    fn value(self) -> Option<Decimal> {
        let kept = Drawdown::restore(self.units, self.high, self.equity).ok()?;
        kept.nav().ok().map(|value| value.0)
    }
}

impl KeptPosition {
    const fn snapshot(self) -> PositionSnapshot {
        PositionSnapshot {
            instrument: self.instrument,
            qty: self.qty,
            cost: self.cost,
            realized_pnl: Decimal::ZERO,
            trade_cash: self.trade_cash,
            settled: ApprovalSeq(0),
            unwind_filled: Qty::ZERO,
        }
    }
}

impl Losses {
    /// Two people lowered what a drawdown had raised: the mark begins again, and the record says so soon. A drawdown would
    /// raise the level again at the next price, and a restart is no way around it.
    pub(super) fn lower_mark(&mut self) {
        if let Some(unit) = self.portfolio.as_mut()
            && unit.value.lower_mark().is_ok()
        {
            self.kept.moved = true;
            self.kept.told_high = unit.value.high_water_mark();
        }
    }

    /// Whether the record is due.
    fn is_due(&self, now: MonoNanos) -> bool {
        let (Some((_, high, _)), None) = (self.nav(), &self.kept.waiting) else {
            return false;
        };
        let Some(told) = self.kept.told_at else {
            return true;
        };
        let pause = now.since(told);
        let changed = self.kept.moved || high > self.kept.told_high;
        pause >= TELL_EVERY || (changed && pause >= TELL_PAUSE)
    }
}

impl Monitor {
    /// The record of losses, when it is due and somebody said what time it is.
    pub(super) fn tell_losses(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.wall.0.0 <= 0 || !self.losses.is_due(now) {
            return;
        }
        let point = self.loss_point(now);
        let kept = &mut self.losses.kept;
        kept.told_at = Some(now);
        kept.told_high = point.whole.map_or(Decimal::ZERO, |whole| whole.high);
        kept.moved = false;
        out.push(RiskOutput::LossPoint(Box::new(point)));
    }

    /// Everything that losses are measured by, as it stands.
    #[must_use]
    pub fn loss_point(&self, now: MonoNanos) -> LossPoint {
        let own = &self.losses;
        let known = |(symbol, window): (_, &LossWindow)| Some((symbol, window.newest()?));
        let positions = self.watches.iter().filter_map(|watch| watch.position);
        LossPoint {
            at: self.unix(now),
            reporting: self.reporting,
            whole: own.portfolio.as_ref().map(KeptUnit::of),
            worst_drawdown: own.worst_drawdown,
            venues: own
                .venues
                .iter()
                .map(|(venue, unit)| (*venue, KeptUnit::of(unit)))
                .collect(),
            elsewhere: Decimal::ZERO,
            symbols: own
                .symbols
                .iter()
                .filter_map(|(symbol, window)| known((*symbol, window)))
                .collect(),
            strategies: own
                .strategies
                .iter()
                .filter_map(|(strategy, (sum, window))| Some((*strategy, window.first()?, *sum)))
                .collect(),
            prices: self.base_prices(),
            balances: self.own_books.all().collect(),
            positions: positions
                .map(|position| KeptPosition {
                    instrument: position.instrument,
                    qty: position.qty,
                    cost: position.cost,
                    trade_cash: position.trade_cash,
                })
                .collect(),
        }
    }

    /// Puts back what earlier sessions lost and earned, from their records of a day and one more, oldest first. Call once,
    /// after the baselines of all positions and before [`Monitor::startup_reconciled`]. Records in another reporting currency
    /// say nothing here.
    pub fn restore_losses(&mut self, points: &[LossPoint]) {
        let reporting = self.reporting;
        let fit = points.iter().filter(|point| point.reporting == reporting);
        let mut whole = LossWindow::new(STEP);
        let mut venues: BTreeMap<VenueId, LossWindow> = BTreeMap::new();
        let mut last = None;
        for point in fit {
            for (asset, price) in &point.prices {
                self.model.seed(*asset, *price, point.at);
            }
            if let Some(value) = point.whole.and_then(KeptUnit::value) {
                whole.on_value(value, point.at);
            }
            for (venue, unit) in &point.venues {
                if let Some(value) = unit.value() {
                    let window = venues.entry(*venue);
                    let window = window.or_insert_with(|| LossWindow::new(STEP));
                    window.on_value(value, point.at);
                }
            }
            self.losses.restore_sums(point);
            last = Some(point);
        }
        self.refresh_model();
        if let Some(last) = last.filter(|last| last.whole.is_some() || !last.venues.is_empty()) {
            self.losses.worst_drawdown = last.worst_drawdown;
            self.losses.kept.waiting = Some(Box::new(Waiting {
                last: last.clone(),
                whole,
                venues,
            }));
        }
    }

    /// The units of the last session go on, when it is time. False while they wait: until then nothing is measured.
    pub(super) fn resume_units(
        &mut self,
        equities: &[Option<Decimal>],
        whole: Option<Decimal>,
        now: MonoNanos,
    ) -> bool {
        let Some(waiting) = self.losses.kept.waiting.take() else {
            return true;
        };
        let since = whole.map(|_| *self.losses.kept.waits_since.get_or_insert(now));
        let is_time =
            |since: MonoNanos| self.losses.kept.reconciled || now.since(since) >= WAIT_MAX;
        if !since.is_some_and(is_time) {
            self.losses.kept.waiting = Some(waiting);
            return false;
        }
        let Waiting {
            last,
            whole: window,
            mut venues,
        } = *waiting;
        let mut flows = -last.elsewhere;
        for (venue, equity) in (0_u8..).map(VenueId).zip(equities) {
            let kept = last.venues.iter().find(|(known, _)| *known == venue);
            let Some((_, kept)) = kept else {
                // What a new venue brings was not earned.
                flows = flows.saturating_add(equity.unwrap_or_default());
                continue;
            };
            let flow = self.flow_since(&last, venue, kept.equity);
            flows = flows.saturating_add(flow);
            let window = venues.remove(&venue);
            let window = window.unwrap_or_else(|| LossWindow::new(STEP));
            if let Some(unit) = resumed(*kept, flow, window) {
                self.losses.venues.insert(venue, unit);
            }
        }
        self.losses.portfolio = last.whole.and_then(|kept| resumed(kept, flows, window));
        true
    }

    /// Money that came or went at one venue since a record: what its balances changed beyond our own executions, in the
    /// reporting currency. Less than AT-25 would warn of is no flow: it counts as profit or loss.
    fn flow_since(&self, last: &LossPoint, venue: VenueId, equity: Decimal) -> Decimal {
        let mut expected = OwnBooks::default();
        for (at, asset, amount) in &last.balances {
            expected.add(*at, *asset, *amount);
        }
        for kept in &last.positions {
            let instrument = self.catalogue.get(kept.instrument);
            let watch = self.watches.get(kept.instrument.index());
            let after = watch.and_then(|watch| watch.position);
            if let (Some(instrument), Some(after)) = (instrument, after) {
                expected.on_position(instrument, &kept.snapshot(), &after);
            }
        }
        let mut assets: Vec<Asset> = self.own_books.at(venue).map(|(asset, _)| asset).collect();
        assets.extend(expected.at(venue).map(|(asset, _)| asset));
        assets.sort_unstable();
        assets.dedup();
        let mut flow = Decimal::ZERO;
        for asset in assets
            .into_iter()
            .filter(|asset| self.is_traded(venue, *asset))
        {
            let of = |books: &OwnBooks| books.of(venue, asset).unwrap_or_default();
            let change = of(&self.own_books).saturating_sub(of(&expected));
            let rate = self.rate(asset).unwrap_or_default();
            flow = flow.saturating_add(change.saturating_mul(rate));
        }
        let own = &self.limits.controls;
        let share = equity.abs().saturating_mul(ratio(own.balance_break_warn));
        if flow.abs() <= own.balance_break_usd_min.max(share) {
            Decimal::ZERO
        } else {
            flow
        }
    }
}
