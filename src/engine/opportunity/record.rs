//! Episodes and counts with names instead of numbers, as the journal keeps them.

use rust_decimal::Decimal;

use crate::journal::edges::{LegRow, OpportunityRecord, OwnProbe, ReasonRow, RouteRow};
use crate::journal::{Instant, Names};
use crate::strategy::{Route, Strategy};
use crate::units::{MonoNanos, Nanos, Ppm};

use super::probes::{PROBE_COUNT, PROBES};
use super::tally::{ReasonTally, RouteTally, Window};
use super::words::{Look, Markout, Opportunity};

/// Routes with something to tell that one record holds; the rest is in the next.
pub const ROUTE_ROWS_MAX: usize = 64;

fn bps(ppm: Ppm) -> Decimal {
    Decimal::new(ppm.0, 2).normalize()
}

/// `buy VENUE SYMBOL, sell VENUE SYMBOL`.
#[must_use]
pub fn route_text(route: &Route, names: Names<'_>) -> String {
    let leg = |(instrument, side): (_, crate::units::Side)| {
        let (venue, symbol) = names.venue_and_symbol(instrument);
        format!("{} {venue} {symbol}", side.label())
    };
    let legs: Vec<String> = route.legs().map(leg).collect();
    legs.join(", ")
}

fn legs(look: &Look, names: Names<'_>) -> Vec<LegRow> {
    let legs = look.legs.iter().flatten();
    legs.map(|leg| {
        let (venue, symbol) = names.venue_and_symbol(leg.instrument);
        LegRow {
            venue,
            symbol,
            side: leg.side.label(),
            price: names.price(leg.instrument, leg.price),
            quantity: names.qty(leg.instrument, leg.qty),
            age_ns: leg.age.0,
            trust: leg.trust.label(),
        }
    })
    .collect()
}

fn name(strategies: &[String], which: usize) -> String {
    let name = strategies.get(which).cloned();
    name.unwrap_or_else(|| format!("strategy {which}"))
}

impl Opportunity {
    /// Its record.
    #[must_use]
    pub fn record(&self, names: Names<'_>, instant: Instant) -> OpportunityRecord {
        let time = |at: MonoNanos| instant.wall(at);
        let [ten, fifty, quarter] = self.markouts.map(|markout| match markout {
            Markout::Edge(edge) => Some(bps(edge)),
            Markout::Pending | Markout::NoBook => None,
        });
        let numbers = self.reason.and_then(|reason| {
            let numbers = reason.numbers(&self.route, names.catalogue)?;
            Some((
                numbers.value.decimal()?,
                numbers.limit.decimal()?,
                numbers.unit,
            ))
        });
        OpportunityRecord {
            strategy: name(names.strategies, self.strategy),
            route: route_text(&self.route, names),
            opened: time(self.opened.at),
            closed: self.closed_at.map(time),
            end: self.closed.map(super::Closed::label),
            lifetime_ns: self.lifetime().map(|span| span.0),
            net_bps: bps(self.opened.net_edge),
            gross_bps: bps(self.opened.gross_edge),
            fees_bps: bps(Ppm(self
                .opened
                .gross_edge
                .0
                .saturating_sub(self.opened.net_edge.0))),
            peak_net_bps: bps(self.peak.net_edge),
            peak_gross_bps: bps(self.peak.gross_edge),
            last_net_bps: bps(self.last.0),
            last_gross_bps: bps(self.last.1),
            looks: self.looks,
            taken: self.taken,
            refused: self.refused,
            reason: self.reason.map(|reason| reason.code()),
            value: numbers.map(|(value, _, _)| value.normalize()),
            limit: numbers.map(|(_, limit, _)| limit.normalize()),
            unit: numbers
                .map(|(_, _, unit)| unit)
                .filter(|unit| !unit.is_empty()),
            approval: self.approval.map(|seq| seq.0),
            after_10ms_bps: ten,
            after_50ms_bps: fifty,
            after_250ms_bps: quarter,
            legs: legs(&self.opened, names),
            legs_later: legs(self.decided.as_ref().unwrap_or(&self.peak), names),
        }
    }
}

fn reason_row(tally: &ReasonTally, route: Option<&Route>, names: Names<'_>) -> ReasonRow {
    let numbers = |reason: &super::Reason| {
        let route = route?;
        reason.numbers(route, names.catalogue)
    };
    let last = numbers(&tally.last);
    let short = |amount: crate::risk::Amount| amount.decimal().map(|value| value.normalize());
    ReasonRow {
        reason: tally.last.code(),
        looks: tally.looks,
        episodes: tally.episodes,
        value: last.and_then(|numbers| short(numbers.value)),
        limit: last.and_then(|numbers| short(numbers.limit)),
        worst: numbers(&tally.worst).and_then(|numbers| short(numbers.value)),
        is_floor: last.is_some_and(|numbers| numbers.is_floor),
        unit: last.map_or("", |numbers| numbers.unit),
    }
}

/// What is told of strategies besides their names.
#[must_use]
pub fn asked(strategies: &[Box<dyn Strategy>]) -> Vec<Option<Ppm>> {
    let all = strategies.iter();
    all.map(|strategy| strategy.min_net_edge()).collect()
}

impl RouteTally {
    fn row(
        &self,
        names: Names<'_>,
        asked: &[Option<Ppm>],
        delays: &[Nanos; PROBE_COUNT],
    ) -> RouteRow {
        let route = self.route.as_ref();
        let probes = delays.iter().zip(self.probed.iter().zip(&self.present));
        RouteRow {
            strategy: name(names.strategies, self.strategy),
            route: route.map_or_else(
                || "further routes".to_owned(),
                |route| route_text(route, names),
            ),
            asked_bps: asked.get(self.strategy).copied().flatten().map(bps),
            best_bps: self.best_edge.map(bps),
            looks: self.looks,
            opened: self.opened,
            closed: self.closed,
            taken: self.taken,
            approved: self.approved,
            reasons: self
                .reasons
                .iter()
                .map(|tally| reason_row(tally, route, names))
                .collect(),
            lifetimes: self
                .lifetimes
                .iter_recorded()
                .map(|step| [step.value_iterated_to(), u64::from(step.count_at_value())])
                .collect(),
            probes: probes
                .clone()
                .take(PROBES.len())
                .map(|(delay, (probed, present))| [delay.0, *probed, *present])
                .filter(|[_, probed, _]| *probed > 0)
                .collect(),
            own: ["p50", "p99"]
                .into_iter()
                .zip(probes.skip(PROBES.len()))
                .map(|(what, (delay, (looked, there)))| OwnProbe {
                    what,
                    delay_ns: delay.0,
                    looked: *looked,
                    there: *there,
                })
                .filter(|own| own.looked > 0)
                .collect(),
        }
    }
}

impl Window {
    /// Rows of the routes that have something to tell; those with episodes first, at most [`ROUTE_ROWS_MAX`].
    #[must_use]
    pub fn rows(
        &self,
        names: Names<'_>,
        asked: &[Option<Ppm>],
        delays: &[Nanos; PROBE_COUNT],
    ) -> Vec<RouteRow> {
        let mut told: Vec<&RouteTally> = self
            .routes
            .iter()
            .filter(|tally| !tally.is_silent())
            .collect();
        told.sort_by_key(|tally| std::cmp::Reverse((tally.looks, tally.best_edge)));
        told.truncate(ROUTE_ROWS_MAX);
        told.into_iter()
            .map(|tally| tally.row(names, asked, delays))
            .collect()
    }
}
