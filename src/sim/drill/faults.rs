//! What can go wrong in a rehearsal: twenty faults by name, and when each strikes.

use crate::market::VenueId;
use crate::prng::Prng;
use crate::sim::venue::{Fault, FaultScope, VenueClose};
use crate::sim::world::PlannedFault;
use crate::units::{Nanos, Qty, Side};

use super::{FAULTS_AT, RAISED_AT};

/// A fault that can be rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrillFault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens.
    pub meaning: &'static str,
    /// How the venue counts it ([`Fault::label`]).
    pub label: &'static str,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    LateFills,
    RepeatFills,
    LostAnswer,
    LostRequest,
    ReduceOnlyRefused,
    TooManyRequests,
    Ban,
    Silence,
    CrossedBook,
    Gap,
    CutStreams,
    CutOrders,
    CutAccount,
    PartialFills,
    Liquidation,
    AutoDeleverage,
    OtherHands,
    StaleAccount,
    CancelRace,
    Outage,
}

const fn fault(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    meaning: &'static str,
) -> DrillFault {
    DrillFault {
        name,
        meaning,
        label,
        kind,
    }
}

/// Every fault that can be rehearsed.
pub const FAULTS: &[DrillFault] = &[
    fault(
        "late_fills",
        "late_fills",
        Kind::LateFills,
        "account events come 0.2 to 3 s late",
    ),
    fault(
        "duplicate_fills",
        "repeat_fills",
        Kind::RepeatFills,
        "executions are told twice",
    ),
    fault(
        "lost_answer",
        "swallow_ack",
        Kind::LostAnswer,
        "orders go live, their answers never come",
    ),
    fault(
        "lost_request",
        "swallow_request",
        Kind::LostRequest,
        "orders are lost on their way in",
    ),
    fault(
        "reduce_only_refused",
        "reject_next",
        Kind::ReduceOnlyRefused,
        "orders are refused though the position is there",
    ),
    fault(
        "too_many_requests",
        "rate_limit",
        Kind::TooManyRequests,
        "requests are answered 429",
    ),
    fault(
        "ban",
        "ban",
        Kind::Ban,
        "every request is answered 418 for some seconds",
    ),
    fault(
        "silence",
        "silence",
        Kind::Silence,
        "the books say nothing while their connections live",
    ),
    fault(
        "crossed_book",
        "crossed_book",
        Kind::CrossedBook,
        "the best bid is above the best ask",
    ),
    fault("gap", "drop_diffs", Kind::Gap, "book updates are missing"),
    fault(
        "cut_streams",
        "cut_streams",
        Kind::CutStreams,
        "market data connections break",
    ),
    fault(
        "cut_orders",
        "cut_api",
        Kind::CutOrders,
        "order connections break",
    ),
    fault(
        "cut_account",
        "cut_account",
        Kind::CutAccount,
        "account streams break",
    ),
    fault(
        "partial_fills",
        "partial_fill",
        Kind::PartialFills,
        "orders fill in part",
    ),
    fault(
        "liquidation",
        "liquidation",
        Kind::Liquidation,
        "the venue liquidates a part of the position",
    ),
    fault(
        "auto_deleverage",
        "auto_deleverage",
        Kind::AutoDeleverage,
        "the venue takes a part of the position away",
    ),
    fault(
        "other_hands",
        "position_push",
        Kind::OtherHands,
        "somebody else trades on the account",
    ),
    fault(
        "stale_account",
        "stale_account",
        Kind::StaleAccount,
        "balances and positions are answered as they were",
    ),
    fault(
        "cancel_race",
        "delay",
        Kind::CancelRace,
        "strategies trade until the end, and everything comes late",
    ),
    fault(
        "outage",
        "outage",
        Kind::Outage,
        "a venue is down for some seconds",
    ),
];

impl DrillFault {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAULTS.iter().find(|fault| fault.name == name)
    }
}

#[expect(clippy::too_many_lines, reason = "a table, one arm a fault")]
pub(super) fn plan_fault(
    kind: Kind,
    venue: VenueId,
    derivative: bool,
    prng: &mut Prng,
    faults: &mut Vec<PlannedFault>,
) {
    let at = Nanos(FAULTS_AT.0 + prng.below(500) * 1_000_000);
    let later = Nanos(RAISED_AT.0 + prng.below(1_500) * 1_000_000);
    let symbol = usize::try_from(prng.below(2)).unwrap_or(0);
    let mut plan = |at: Nanos, fault: Fault| faults.push(PlannedFault { at, venue, fault });
    let some =
        |prng: &mut Prng, low: i64, high: i64| u32::try_from(prng.between(low, high)).unwrap_or(1);
    match kind {
        Kind::LateFills => {
            let span = Nanos::from_millis(u64::from(some(prng, 200, 3_000)));
            plan(
                at,
                Fault::LateFills {
                    span,
                    count: some(prng, 1, 12),
                },
            );
        }
        Kind::RepeatFills => {
            let span = Nanos::from_millis(u64::from(some(prng, 0, 3_000)));
            plan(
                at,
                Fault::RepeatFills {
                    span,
                    count: some(prng, 1, 5),
                },
            );
        }
        Kind::LostAnswer => plan(at, Fault::SwallowAck),
        Kind::LostRequest => plan(at, Fault::SwallowRequest),
        Kind::ReduceOnlyRefused => {
            let (code, message) = if derivative {
                (-2_022, "ReduceOnly Order is rejected.")
            } else {
                (
                    -2_010,
                    "Account has insufficient balance for requested action.",
                )
            };
            plan(
                at,
                Fault::RejectNext {
                    code,
                    message: message.to_owned(),
                },
            );
        }
        Kind::TooManyRequests => plan(
            at,
            Fault::RateLimit {
                count: some(prng, 1, 4),
                retry_after_s: some(prng, 1, 8),
            },
        ),
        Kind::Ban => plan(
            at,
            Fault::Ban {
                seconds: some(prng, 2, 20),
            },
        ),
        Kind::Silence => {
            plan(
                at,
                Fault::Silence {
                    symbol: None,
                    on: true,
                },
            );
            let end = Nanos(at.0 + u64::from(some(prng, 1_000, 20_000)) * 1_000_000);
            plan(
                end,
                Fault::Silence {
                    symbol: None,
                    on: false,
                },
            );
        }
        Kind::CrossedBook => plan(at, Fault::CrossedBook { symbol }),
        Kind::Gap => plan(
            at,
            Fault::DropDiffs {
                symbol,
                count: some(prng, 1, 3),
            },
        ),
        Kind::CutStreams => plan(at, Fault::Cut(FaultScope::Streams)),
        Kind::CutOrders => plan(at, Fault::Cut(FaultScope::Api)),
        Kind::CutAccount => plan(at, Fault::Cut(FaultScope::Account)),
        Kind::PartialFills => {
            for shift in 0..u64::from(some(prng, 1, 6)) {
                let at = Nanos(at.0 + shift * 100_000_000);
                plan(
                    at,
                    Fault::PartialFill {
                        share_ppm: some(prng, 0, 900_000),
                    },
                );
            }
        }
        Kind::Liquidation | Kind::AutoDeleverage => {
            let how = if kind == Kind::Liquidation {
                VenueClose::Liquidation
            } else {
                VenueClose::AutoDeleverage
            };
            let at = if prng.chance_ppm(500_000) { at } else { later };
            let share_ppm = some(prng, 100_000, 1_000_000);
            for symbol in 0..2 {
                plan(
                    at,
                    Fault::VenueClose {
                        account: 0,
                        symbol,
                        how,
                        share_ppm,
                    },
                );
            }
        }
        Kind::OtherHands => {
            let side = if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            };
            // BTC and ETH have lots of 0.001 on their perpetuals.
            let qty = Qty(prng.between(1, 5) * if symbol == 0 { 100_000 } else { 10_000 });
            plan(
                later,
                Fault::PositionPush {
                    account: 0,
                    symbol,
                    side,
                    qty,
                    price: None,
                },
            );
        }
        Kind::StaleAccount => {
            let span = Nanos::from_millis(u64::from(some(prng, 1_000, 15_000)));
            plan(at, Fault::StaleAccount { span });
        }
        Kind::CancelRace => {
            let span = Nanos::from_millis(u64::from(some(prng, 100, 900)));
            plan(
                at,
                Fault::Delay {
                    span,
                    count: some(prng, 5, 60),
                },
            );
        }
        Kind::Outage => {
            // Now and then it does not come back in time.
            let longest = if prng.chance_ppm(100_000) {
                600_000
            } else {
                20_000
            };
            let span = Nanos::from_millis(u64::from(some(prng, 1_000, longest)));
            plan(at, Fault::Outage { span });
        }
    }
}
