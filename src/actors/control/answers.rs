//! What the seats know, as answers for people.

use rust_decimal::Decimal;

use crate::clock::Clock;
use crate::engine::control::{
    AlertAnswer, CloseAnswer, ControlAnswer, ControlError, DrillAnswer, LevelAnswer, LimitAnswer,
    LimitsAnswer, OfferAnswer, PositionAnswer, RaisedAnswer, StatusAnswer,
};
use crate::risk::{CloseRecord, KillLevel, LimitUse, OperatorDone, Scope};
use crate::units::{MonoNanos, Nanos};

use super::SeatControl;

/// Alerts and closes shown.
const LINES_MAX: usize = 100;
/// A limit used to more than this is near.
const NEAR_BPS: u64 = 8_000;

impl SeatControl {
    pub(super) async fn status(&self) -> Result<ControlAnswer, ControlError> {
        let limits = self.limit_lines().await?;
        let (portfolio, raised, closing) = self
            .look(|monitor, now| {
                let snapshot = monitor.snapshot(now);
                let closing = snapshot
                    .instruments
                    .iter()
                    .filter(|one| one.close.is_some());
                (
                    snapshot.portfolio_level,
                    snapshot.levels.len(),
                    closing.count(),
                )
            })
            .await?;
        let picture = self.handles.hub.snapshot();
        let down = |venue: &crate::telemetry::snapshot::VenueStatus| {
            venue.channels.iter().filter(|one| !one.connected).count() as u64
        };
        Ok(ControlAnswer::Status(Box::new(StatusAnswer {
            time_ns: self.handles.clock.now_unix().0,
            uptime_ms: self
                .handles
                .clock
                .now()
                .since(self.handles.facts.started_at)
                .floor_millis(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: self.handles.facts.config_hash.clone(),
            paper: self.handles.facts.paper,
            state: picture.state.label().to_owned(),
            portfolio_level: portfolio as u8,
            scopes_raised: raised as u64,
            currency: self.handles.facts.reporting.clone(),
            exposure: picture.total_exposure,
            realized_pnl: picture.totals.realized_pnl,
            unrealized_pnl: picture.totals.unrealized_pnl,
            open_orders: picture.venues.iter().map(|venue| venue.open_orders).sum(),
            unknown_orders: picture
                .venues
                .iter()
                .map(|venue| venue.unknown_orders)
                .sum(),
            closes_open: closing as u64,
            limits_near: limits
                .iter()
                .filter(|limit| limit.use_bps.is_some_and(|bps| bps > NEAR_BPS))
                .count() as u64,
            connections_down: picture.venues.iter().map(down).sum(),
        })))
    }

    pub(super) async fn positions(&self) -> Result<ControlAnswer, ControlError> {
        let lines = self
            .look(|monitor, now| monitor.snapshot(now).instruments)
            .await?;
        let position = |line: &crate::risk::InstrumentSnapshot| {
            let (venue, symbol) = self.names().venue_and_symbol(line.instrument);
            PositionAnswer {
                venue,
                symbol,
                quantity: line.quantity.normalize(),
                value: line.value.map(|value| value.normalize()),
                unrealized_pnl: line.unrealized_pnl.map(|pnl| pnl.normalize()),
                realized_pnl: line.realized_pnl.normalize(),
                level: line.level as u8,
                closing: line.close.is_some(),
            }
        };
        Ok(ControlAnswer::Positions(
            lines.iter().map(position).collect(),
        ))
    }

    async fn limit_lines(&self) -> Result<Vec<LimitAnswer>, ControlError> {
        let uses = self
            .look(|monitor, now| monitor.snapshot(now).limits)
            .await?;
        let line = |one: &LimitUse| {
            let value = one.value.and_then(crate::risk::Amount::decimal);
            let limit = one.limit.decimal().unwrap_or_default();
            // Where less is worse, twice the least value is half of it used.
            let used = |value| match one.less_is_worse {
                true => use_bps(limit, value),
                false => use_bps(value, limit),
            };
            LimitAnswer {
                control: one.row.to_owned(),
                scope: self.names().scope(&one.scope),
                value: value.map(|value| value.normalize()),
                limit: limit.normalize(),
                use_bps: value.and_then(used),
            }
        };
        Ok(uses.iter().map(line).collect())
    }

    pub(super) async fn limits(&self) -> Result<ControlAnswer, ControlError> {
        self.limit_lines().await.map(ControlAnswer::Limits)
    }

    pub(super) async fn levels(&self) -> Result<ControlAnswer, ControlError> {
        let (raised, state) = self
            .look(|monitor, now| (monitor.snapshot(now).levels, monitor.level_state()))
            .await?;
        let line = |(scope, level): &(Scope, KillLevel)| LevelAnswer {
            scope: self.names().scope(scope),
            level: *level as u8,
            name: level.label().to_owned(),
            causes: state
                .entries
                .iter()
                .filter(|entry| entry.scope == *scope)
                .map(|entry| {
                    let latched = if entry.latched { ", latched" } else { "" };
                    format!(
                        "{} ({}{latched}): {}",
                        entry.cause,
                        entry.level.label(),
                        entry.reason
                    )
                })
                .collect(),
        };
        Ok(ControlAnswer::Levels(raised.iter().map(line).collect()))
    }

    pub(super) fn alerts(&self) -> ControlAnswer {
        let board = self.handles.board.read();
        let lines = board
            .alerts
            .iter()
            .rev()
            .take(LINES_MAX)
            .map(|line| AlertAnswer {
                time_ns: line.time_ns,
                severity: line.severity.to_owned(),
                text: line.text.clone(),
            });
        ControlAnswer::Alerts(lines.collect())
    }

    pub(super) fn closes(&self) -> ControlAnswer {
        let board = self.handles.board.read();
        let lines = board.closes.iter().rev().take(LINES_MAX);
        ControlAnswer::Closes(lines.map(|record| self.close_line(record)).collect())
    }

    fn close_line(&self, record: &CloseRecord) -> CloseAnswer {
        let (venue, symbol) = self.names().venue_and_symbol(record.intent.instrument);
        let grid = self
            .handles
            .catalogue
            .get(record.intent.instrument)
            .map(|one| one.grid);
        let quantity = |qty| grid.map_or(Decimal::ZERO, |grid| grid.qty_decimal(qty).normalize());
        CloseAnswer {
            venue,
            symbol,
            cause: record.intent.cause.label().to_owned(),
            result: record.result.label().to_owned(),
            position_before: quantity(record.intent.position),
            position_after: quantity(record.position),
            orders: record.children.len() as u64,
            slippage_cost: record.slippage_cost.map(|cost| cost.normalize()),
            duration_ms: record.duration.floor_millis(),
        }
    }

    fn raised(&self, scope: Scope, from: KillLevel, level: KillLevel, text: &str) -> ControlAnswer {
        ControlAnswer::Raised(RaisedAnswer {
            scope: self.names().scope(&scope),
            from: from as u8,
            level: level as u8,
            text: text.to_owned(),
        })
    }

    fn left(&self, until: MonoNanos) -> u64 {
        until.since(self.handles.clock.now()).floor_millis()
    }

    /// What was done, for people.
    pub(super) fn done(&self, done: OperatorDone) -> ControlAnswer {
        match done {
            OperatorDone::Raised { scope, from, level } => {
                self.raised(scope, from, level, meaning(level))
            }
            OperatorDone::Rearmed { scope, from, level } => self.raised(
                scope,
                from,
                level,
                "lowered; sizes are reduced for a while (probation)",
            ),
            OperatorDone::Cancelling => ControlAnswer::Raised(RaisedAnswer {
                text: "cancels are on their way; levels stay as they are".to_owned(),
                ..RaisedAnswer::default()
            }),
            OperatorDone::Acknowledged => ControlAnswer::Raised(RaisedAnswer {
                text: "noted: the open critical alerts were seen".to_owned(),
                ..RaisedAnswer::default()
            }),
            OperatorDone::RearmOffered(offer) => ControlAnswer::Offer(Box::new(OfferAnswer {
                token: offer.token.to_string(),
                state_hash: offer.state_hash.to_string(),
                expires_in_ms: self.left(offer.expires_at),
                scope: self.names().scope(&offer.scope),
                from: offer.from as u8,
                to_level: offer.to_level as u8,
                causes: offer.causes,
                two_people: offer.two_people,
            })),
            OperatorDone::LimitsProposed(proposed) => {
                let waits = !proposed.waiting.is_empty();
                ControlAnswer::NewLimits(Box::new(LimitsAnswer {
                    hash: proposed.hash.to_string(),
                    token: waits.then(|| proposed.token.to_string()),
                    expires_in_ms: if waits {
                        self.left(proposed.expires_at)
                    } else {
                        0
                    },
                    in_force: proposed.in_force,
                    waiting: proposed.waiting,
                }))
            }
            OperatorDone::LimitsConfirmed { hash } => {
                ControlAnswer::NewLimits(Box::new(LimitsAnswer {
                    hash: hash.to_string(),
                    ..LimitsAnswer::default()
                }))
            }
        }
    }

    /// The result of a rehearsal.
    pub(super) fn drilled(
        &self,
        scope: &str,
        open: u64,
        closes_before: u64,
        flat: bool,
        took: Nanos,
    ) -> ControlAnswer {
        let board = self.handles.board.read();
        let new = board.closes_started.saturating_sub(closes_before);
        let new = usize::try_from(new).unwrap_or(usize::MAX);
        let costs = board
            .closes
            .iter()
            .rev()
            .take(new)
            .map(|record| record.slippage_cost);
        let slippage_cost = costs
            .into_iter()
            .try_fold(Decimal::ZERO, |sum, cost| sum.checked_add(cost?));
        let text = if flat {
            "the scope stays at flatten: two people re-arm it (arbalest risk re-arm request)"
        } else {
            "not flat in time: look at 'arbalest risk closes' and 'alerts'; the closes go on"
        };
        ControlAnswer::Drill(DrillAnswer {
            scope: scope.to_owned(),
            positions_open: open,
            flat,
            duration_ms: took.floor_millis(),
            slippage_cost: slippage_cost.map(|cost| cost.normalize()),
            text: text.to_owned(),
        })
    }
}

/// Value over limit in basis points, rounded up; more than the number can hold is its largest.
fn use_bps(value: Decimal, limit: Decimal) -> Option<u64> {
    if limit.is_zero() {
        return Some(if value.is_zero() { 0 } else { u64::MAX });
    }
    let share = value
        .abs()
        .checked_mul(Decimal::from(10_000))?
        .checked_div(limit.abs())?;
    Some(u64::try_from(share.ceil()).unwrap_or(u64::MAX))
}

fn meaning(level: KillLevel) -> &'static str {
    match level {
        KillLevel::Armed => "orders are checked and pass",
        KillLevel::ReduceOnly => "only orders that reduce a position pass",
        KillLevel::CancelAll => "open orders are being cancelled; nothing new is sent",
        KillLevel::Flatten => "open orders are being cancelled and positions closed",
        KillLevel::Halt => {
            "one cancel of everything was tried; nothing more is sent, positions stay: people act"
        }
    }
}

/// An answer as a line of the audit trail.
pub(super) fn in_words(answer: &ControlAnswer) -> String {
    match answer {
        ControlAnswer::Raised(raised) if raised.scope.is_empty() => raised.text.clone(),
        ControlAnswer::Raised(raised) => format!(
            "{} from K{} to K{}",
            raised.scope, raised.from, raised.level
        ),
        ControlAnswer::Offer(offer) => {
            format!(
                "offered: {} from K{} to K{}, state {}",
                offer.scope, offer.from, offer.to_level, offer.state_hash
            )
        }
        ControlAnswer::NewLimits(limits) => format!(
            "limits {}: in force {}, waiting {}",
            limits.hash,
            limits.in_force.join(" "),
            limits.waiting.join(" ")
        ),
        ControlAnswer::Drill(drill) => {
            format!("flat {} after {} ms", drill.flat, drill.duration_ms)
        }
        ControlAnswer::Status(_)
        | ControlAnswer::Positions(_)
        | ControlAnswer::Limits(_)
        | ControlAnswer::Levels(_)
        | ControlAnswer::Alerts(_)
        | ControlAnswer::Closes(_)
        | ControlAnswer::WhatIf(_) => "answered".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_limits_are_rounded_up() {
        let of = |value: i64, limit: i64| use_bps(Decimal::from(value), Decimal::from(limit));
        assert_eq!(
            (of(1, 3), of(-1, 3), of(0, 3), of(3, 3), of(4, 3)),
            (
                Some(3_334),
                Some(3_334),
                Some(0),
                Some(10_000),
                Some(13_334)
            )
        );
        assert_eq!((of(0, 0), of(1, 0)), (Some(0), Some(u64::MAX)));
    }
}
