//! One order of ours: the states it may pass through, and what each report of the venue does to it.
//!
//! | from | may become |
//! |---|---|
//! | pending | live, partial, filled, canceled, expired, rejected, unknown |
//! | live | partial, filled, canceled, expired, unknown |
//! | partial | filled, canceled, expired, unknown |
//! | unknown | live, partial, filled, canceled, expired, rejected |
//! | filled, canceled, expired, rejected | nothing: terminal. Late fills still count. |
//!
//! A time-out or a 5xx makes an order *unknown*, never rejected. Unknown ends by evidence only: any word of the venue about
//! this order, or [`NotFoundRule`] (three look-ups that found nothing over at least ten seconds, and the request's own
//! validity window passed, so that it can no longer be accepted late).

use crate::market::VenueId;
use crate::trade::{RejectReason, ReportKind, Ticket, TimeInForce};
use crate::units::{MonoNanos, Nanos, Qty};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// Handed to the gateway; the venue has not spoken.
    PendingNew,
    /// The venue has it.
    Live,
    /// Some of it filled, not known to be over.
    PartiallyFilled,
    /// All of it filled.
    Filled,
    /// Ended by a cancel of ours (or, resting, by the venue).
    Canceled,
    /// The rest of an immediate order was dropped by the venue.
    Expired,
    /// Certainly not placed.
    Rejected,
    /// The outcome is not known.
    Unknown,
}

impl OrderState {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PendingNew => "pending_new",
            Self::Live => "live",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
    /// True when nothing more can be expected but late fills.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Filled | Self::Canceled | Self::Expired | Self::Rejected => true,
            Self::PendingNew | Self::Live | Self::PartiallyFilled | Self::Unknown => false,
        }
    }
    /// The legal edges.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::PendingNew => !matches!(next, Self::PendingNew),
            Self::Live => !matches!(next, Self::PendingNew | Self::Live | Self::Rejected),
            Self::PartiallyFilled => matches!(
                next,
                Self::Filled | Self::Canceled | Self::Expired | Self::Unknown
            ),
            Self::Unknown => !matches!(next, Self::PendingNew | Self::Unknown),
            Self::Filled | Self::Canceled | Self::Expired | Self::Rejected => false,
        }
    }
}

/// When "not found" counts as proof that an order was never placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFoundRule {
    /// Answers needed.
    pub count_min: u32,
    /// Least time from the first of them to the last.
    pub span_min: Nanos,
    /// How long a sent request may still be accepted by the venue.
    pub validity: Nanos,
}

/// What a report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// An execution not seen before.
    pub new_fill: bool,
    /// An execution seen before.
    pub duplicate_fill: bool,
    /// More filled than ordered.
    pub overfill: bool,
    /// The state before, when it changed.
    pub left: Option<OrderState>,
    /// The report contradicts what the venue said before.
    pub contradiction: bool,
    /// It came too late to matter.
    pub late: bool,
    /// The venue must be asked what became of it.
    pub ask: bool,
    /// A look-up found nothing.
    pub not_found: bool,
    /// Its bytes were handed to the socket, for the first time.
    pub written: bool,
    /// The venue acknowledged it, for the first time.
    pub acked: bool,
}

/// One order and its whole history that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What was sent.
    pub ticket: Ticket,
    /// To whom.
    pub venue: VenueId,
    state: OrderState,
    filled: Qty,
    /// Cumulative quantity by the venue's own word; above `filled` while executions are missing.
    reported: Qty,
    trades: Vec<u64>,
    reject: Option<RejectReason>,
    /// When it was handed to the gateway.
    pub placed_at: MonoNanos,
    /// When its bytes were handed to the socket.
    pub written_at: Option<MonoNanos>,
    /// When the venue said it has it.
    pub acked_at: Option<MonoNanos>,
    /// When the frame behind it was received.
    pub tick_received_at: MonoNanos,
    not_found_count: u32,
    not_found_first: Option<MonoNanos>,
    /// A cancel of ours is under way.
    pub cancel_sent_at: Option<MonoNanos>,
    /// When to look after it next.
    pub check_at: MonoNanos,
    /// Pause before the question after the next one.
    pub backoff: Nanos,
    /// Questions asked so far.
    pub query_count: u32,
    /// An alert about it is open.
    pub alerted: bool,
}

impl Order {
    /// An order just handed to its gateway; `check_at` is its deadline.
    #[must_use]
    pub const fn new(
        ticket: Ticket,
        venue: VenueId,
        placed_at: MonoNanos,
        tick_received_at: MonoNanos,
        check_at: MonoNanos,
        backoff: Nanos,
    ) -> Self {
        Self {
            ticket,
            venue,
            state: OrderState::PendingNew,
            filled: Qty::ZERO,
            reported: Qty::ZERO,
            trades: Vec::new(),
            reject: None,
            placed_at,
            written_at: None,
            acked_at: None,
            tick_received_at,
            not_found_count: 0,
            not_found_first: None,
            cancel_sent_at: None,
            check_at,
            backoff,
            query_count: 0,
            alerted: false,
        }
    }

    /// Applies one report received at `at`.
    pub fn on_report(&mut self, kind: &ReportKind, at: MonoNanos, rule: &NotFoundRule) -> Effect {
        match *kind {
            ReportKind::Written => {
                let written = self.written_at.is_none();
                self.written_at.get_or_insert(at);
                Effect {
                    written,
                    ..Effect::default()
                }
            }
            ReportKind::Acked { .. } => self.on_acked(at),
            ReportKind::Rejected { reason, .. } => self.on_rejected(reason),
            ReportKind::Filled { qty, trade_id, .. } => self.on_filled(qty, trade_id),
            ReportKind::Done { filled, complete } => self.on_done(filled, complete),
            ReportKind::Open { filled } => self.on_still_open(filled),
            ReportKind::Unknown => self.on_lost(),
            ReportKind::NotFound => self.on_not_found(at, rule),
            ReportKind::CancelRejected => Effect {
                ask: !self.is_settled(),
                ..Effect::default()
            },
        }
    }

    fn on_acked(&mut self, at: MonoNanos) -> Effect {
        let acked = self.acked_at.is_none();
        let late = self.state.is_terminal();
        let mut effect = match self.state {
            OrderState::PendingNew | OrderState::Unknown => self.found(),
            OrderState::Rejected => {
                return Effect {
                    contradiction: true,
                    late,
                    ..Effect::default()
                };
            }
            OrderState::Live
            | OrderState::PartiallyFilled
            | OrderState::Filled
            | OrderState::Canceled
            | OrderState::Expired => Effect {
                late,
                ..Effect::default()
            },
        };
        self.acked_at.get_or_insert(at);
        effect.acked = acked;
        effect
    }

    /// The venue knows it: it is open as far as is known.
    fn found(&mut self) -> Effect {
        self.forget_not_found();
        let next = if self.filled_known().0 > 0 {
            OrderState::PartiallyFilled
        } else {
            OrderState::Live
        };
        self.become_state(next)
    }

    fn on_rejected(&mut self, reason: RejectReason) -> Effect {
        let never_seen = self.acked_at.is_none() && self.filled_known().is_zero();
        let open = matches!(self.state, OrderState::PendingNew | OrderState::Unknown);
        if self.state.is_terminal() {
            let contradiction = self.state != OrderState::Rejected;
            return Effect {
                late: true,
                contradiction,
                ..Effect::default()
            };
        }
        // "Duplicate id" proves that the id exists at the venue, not that nothing was placed.
        if open && never_seen && reason != RejectReason::Duplicate {
            self.reject = Some(reason);
            return self.become_state(OrderState::Rejected);
        }
        let mut effect = self.on_lost();
        effect.contradiction = reason != RejectReason::Duplicate;
        effect
    }

    fn on_filled(&mut self, qty: Qty, trade_id: u64) -> Effect {
        let Err(place) = self.trades.binary_search(&trade_id) else {
            return Effect {
                duplicate_fill: true,
                ..Effect::default()
            };
        };
        self.trades.insert(place, trade_id);
        self.filled = Qty(self.filled.0.saturating_add(qty.0.max(0)));
        self.forget_not_found();
        let late = self.state.is_terminal();
        let contradiction = self.state == OrderState::Rejected;
        let mut effect = if late {
            Effect::default()
        } else if self.filled >= self.ticket.qty {
            self.become_state(OrderState::Filled)
        } else if self.state == OrderState::PartiallyFilled {
            Effect::default()
        } else {
            self.become_state(OrderState::PartiallyFilled)
        };
        effect.new_fill = true;
        effect.late = late;
        effect.contradiction = contradiction;
        effect.overfill = self.filled > self.ticket.qty;
        effect
    }

    fn on_done(&mut self, filled: Qty, complete: bool) -> Effect {
        // A venue may trim a reduce-only order to what is left of the position, and then calls it complete (O18).
        let trimmed = self.ticket.reduce_only && !filled.is_zero();
        let word = if complete && !trimmed {
            filled.max(self.ticket.qty)
        } else {
            filled
        };
        self.reported = self.reported.max(word);
        self.forget_not_found();
        if self.state.is_terminal() {
            let contradiction = self.state == OrderState::Rejected && word.0 > 0;
            return Effect {
                late: true,
                contradiction,
                ask: !self.is_settled(),
                ..Effect::default()
            };
        }
        let next = if self.filled_known() >= self.ticket.qty {
            OrderState::Filled
        } else if self.cancel_sent_at.is_some()
            || self.ticket.time_in_force == TimeInForce::GoodTillCancel
        {
            OrderState::Canceled
        } else {
            OrderState::Expired
        };
        self.become_state(next)
    }

    fn on_still_open(&mut self, filled: Qty) -> Effect {
        if self.state.is_terminal() {
            return Effect {
                late: true,
                ..Effect::default()
            };
        }
        self.reported = self.reported.max(filled);
        self.forget_not_found();
        let next = if self.filled_known().0 > 0 {
            OrderState::PartiallyFilled
        } else {
            OrderState::Live
        };
        if self.state == next || !self.state.may_become(next) {
            return Effect::default();
        }
        self.become_state(next)
    }

    /// A time-out, a 5xx, a lost connection, or our own deadline: nothing is known any more.
    pub fn on_lost(&mut self) -> Effect {
        if self.state.is_terminal() || self.state == OrderState::Unknown {
            return Effect::default();
        }
        let mut effect = self.become_state(OrderState::Unknown);
        effect.ask = true;
        effect
    }

    fn on_not_found(&mut self, at: MonoNanos, rule: &NotFoundRule) -> Effect {
        if self.state.is_terminal() {
            return Effect {
                late: true,
                ..Effect::default()
            };
        }
        if self.acked_at.is_some() || self.filled_known().0 > 0 {
            return Effect {
                not_found: true,
                contradiction: true,
                ..Effect::default()
            };
        }
        self.not_found_count = self.not_found_count.saturating_add(1);
        let first = *self.not_found_first.get_or_insert(at);
        let proven = self.not_found_count >= rule.count_min
            && at.since(first) >= rule.span_min
            && at.since(self.placed_at) > rule.validity;
        let mut effect = Effect::default();
        if proven {
            if self.state == OrderState::Unknown || self.state == OrderState::PendingNew {
                effect = self.become_state(OrderState::Rejected);
            }
        } else {
            effect = self.on_lost();
        }
        effect.not_found = true;
        effect
    }

    const fn forget_not_found(&mut self) {
        self.not_found_count = 0;
        self.not_found_first = None;
    }

    fn become_state(&mut self, next: OrderState) -> Effect {
        let left = self.state;
        assert!(
            left.may_become(next),
            "Invariant: an order moves along legal edges only ({left:?} to {next:?})"
        );
        self.state = next;
        Effect {
            left: Some(left),
            ..Effect::default()
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> OrderState {
        self.state
    }
    /// Sum of the executions received.
    #[must_use]
    pub const fn filled(&self) -> Qty {
        self.filled
    }
    /// Filled as far as anybody knows: executions received, or the venue's cumulative word when that is more.
    #[must_use]
    pub fn filled_known(&self) -> Qty {
        self.filled.max(self.reported)
    }
    /// What may still fill: zero when terminal.
    #[must_use]
    pub fn remaining(&self) -> Qty {
        if self.state.is_terminal() {
            Qty::ZERO
        } else {
            Qty((self.ticket.qty.0 - self.filled_known().0).max(0))
        }
    }
    /// Terminal, and every execution the venue spoke of has arrived.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.is_terminal() && self.filled >= self.reported
    }
    /// Distinct executions received.
    #[must_use]
    pub const fn fill_count(&self) -> usize {
        self.trades.len()
    }
    /// Why the venue refused it; `None` when it did not, or when it was proven absent.
    #[must_use]
    pub const fn reject(&self) -> Option<RejectReason> {
        self.reject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Terminal states lead nowhere, no state leads to itself or back to pending.
    #[test]
    fn edges() {
        use OrderState::{
            Canceled, Expired, Filled, Live, PartiallyFilled, PendingNew, Rejected, Unknown,
        };
        let all = [
            PendingNew,
            Live,
            PartiallyFilled,
            Filled,
            Canceled,
            Expired,
            Rejected,
            Unknown,
        ];
        let count = |from: OrderState| all.iter().filter(|to| from.may_become(**to)).count();
        let counts: Vec<usize> = all.iter().map(|from| count(*from)).collect();
        assert_eq!(counts, [7, 5, 4, 0, 0, 0, 0, 6]);
        assert!(
            all.iter()
                .all(|state| !state.may_become(*state) && !state.may_become(PendingNew))
        );
        assert!(
            !Live.may_become(Rejected),
            "what was acknowledged was placed"
        );
    }
}
