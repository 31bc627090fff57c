//! The escalation ladder of one control (RISK.md 2.4, steps 2 to 4): how high a value over its limit raises its scope.
//!
//! Over the limit is K1. Still above its first reading after two seconds is K2. Orders still open five seconds after that, or
//! a value above one and a half limits, is K3. A rung ends when the value is back within the limit; the level stays by its
//! own rules.

use crate::risk::{KillLevel, KillLimits, Scope};
use crate::units::{MonoNanos, Ppm};

use super::Cause;

/// One control over its limit.
#[derive(Debug, Clone, Copy)]
struct Rung {
    scope: Scope,
    cause: Cause,
    since: MonoNanos,
    /// The reading that began it.
    first: i128,
    level: KillLevel,
    /// When it reached K2.
    cancelled_at: Option<MonoNanos>,
}

/// A value against its limit, in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) struct Reading {
    pub(in crate::risk) value: i128,
    pub(in crate::risk) limit: i128,
    /// Own orders are open in the scope.
    pub(in crate::risk) orders_open: bool,
}

/// All controls that are over their limits.
#[derive(Debug, Default)]
pub(in crate::risk) struct Ladder(Vec<Rung>);

impl Ladder {
    /// The level that a control calls for now; it never falls while the value stays over. Armed when it is not over.
    pub(in crate::risk) fn climb(
        &mut self,
        scope: Scope,
        cause: Cause,
        reading: Reading,
        rules: &KillLimits,
        now: MonoNanos,
    ) -> KillLevel {
        let Reading { value, limit, .. } = reading;
        if value <= limit {
            self.0
                .retain(|rung| rung.scope != scope || rung.cause != cause);
            return KillLevel::Armed;
        }
        let at = self
            .0
            .iter()
            .position(|rung| rung.scope == scope && rung.cause == cause)
            .unwrap_or_else(|| {
                self.0.push(Rung {
                    scope,
                    cause,
                    since: now,
                    first: value,
                    level: KillLevel::ReduceOnly,
                    cancelled_at: None,
                });
                self.0.len().saturating_sub(1)
            });
        let Some(rung) = self.0.get_mut(at) else {
            return KillLevel::ReduceOnly;
        };
        if rung.cancelled_at.is_none()
            && value > rung.first
            && now.since(rung.since) >= rules.growing
        {
            rung.level = rung.level.max(KillLevel::CancelAll);
            rung.cancelled_at = Some(now);
        }
        let stuck = |at: MonoNanos| reading.orders_open && now.since(at) >= rules.cancel;
        if rung.cancelled_at.is_some_and(stuck) || above(value, limit, rules.flatten_over) {
            rung.level = KillLevel::Flatten;
        }
        rung.level
    }
}

/// Above this share of the limit; a product that overflows is above.
fn above(value: i128, limit: i128, share: Ppm) -> bool {
    let value = value.checked_mul(i128::from(Ppm::ONE.0));
    let limit = limit.saturating_mul(i128::from(share.0));
    value.is_none_or(|value| value > limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    const CAUSE: Cause = Cause {
        label: "AT-01",
        source: None,
    };

    #[test]
    fn climbs_by_time_growth_and_size() {
        // (ms since the start, value of a limit of 100, orders open) -> level
        let table: &[&[(u64, i128, bool, u8)]] = &[
            // On the limit is not over; back within the limit ends the rung and its clock.
            &[
                (0, 100, true, 0),
                (1, 101, true, 1),
                (2, 100, true, 0),
                (3_000, 102, true, 1),
                (4_999, 103, true, 1),
                (5_000, 103, true, 2),
            ],
            // Not growing: stays at K1 for ever. Growing later: K2.
            &[
                (0, 120, true, 1),
                (9_000, 120, true, 1),
                (9_001, 119, true, 1),
                (9_002, 121, true, 2),
            ],
            // K2, orders open for five seconds: K3; without orders it stays at K2.
            &[
                (0, 110, true, 1),
                (2_000, 111, true, 2),
                (6_999, 111, true, 2),
                (7_000, 111, true, 3),
                (8_000, 101, false, 3),
            ],
            &[
                (0, 110, true, 1),
                (2_000, 111, false, 2),
                (60_000, 111, false, 2),
                (60_001, 111, true, 3),
            ],
            // One and a half limits is allowed to K1, above it is K3 at once.
            &[(0, 150, false, 1)],
            &[
                (0, 151, false, 3),
                (1, 101, false, 3),
                (2, 100, false, 0),
                (3, 101, false, 1),
            ],
            &[(0, i128::MAX, false, 3)],
        ];
        for (row, steps) in table.iter().enumerate() {
            let mut ladder = Ladder::default();
            for &(millis, value, orders_open, level) in *steps {
                let reading = Reading {
                    value,
                    limit: 100,
                    orders_open,
                };
                let now = MonoNanos(1).after(Nanos::from_millis(millis));
                let got = ladder.climb(
                    Scope::Portfolio,
                    CAUSE,
                    reading,
                    &KillLimits::default(),
                    now,
                );
                assert_eq!(got as u8, level, "row {row} at {millis} ms");
            }
        }
    }

    #[test]
    fn causes_and_scopes_climb_alone() {
        let mut ladder = Ladder::default();
        let rules = KillLimits::default();
        let mut at = |scope, source, value, millis| {
            let cause = Cause {
                label: "AT-01",
                source,
            };
            let reading = Reading {
                value,
                limit: 100,
                orders_open: false,
            };
            ladder.climb(
                scope,
                cause,
                reading,
                &rules,
                MonoNanos(1).after(Nanos::from_millis(millis)),
            )
        };
        let venue = Scope::Venue(crate::market::VenueId(0));
        assert_eq!(at(Scope::Portfolio, None, 101, 0), KillLevel::ReduceOnly);
        assert_eq!(at(venue, None, 101, 1_000), KillLevel::ReduceOnly);
        assert_eq!(at(Scope::Portfolio, None, 102, 2_000), KillLevel::CancelAll);
        assert_eq!(at(venue, None, 102, 2_000), KillLevel::ReduceOnly);
        assert_eq!(at(venue, None, 100, 2_001), KillLevel::Armed);
        assert_eq!(at(Scope::Portfolio, None, 102, 2_002), KillLevel::CancelAll);
    }
}
