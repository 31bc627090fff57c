//! One order of a forced close: what may still fill of it, and when an unknown outcome may be given up.

use crate::risk::{Approved, CloseChild};
use crate::trade::{ApprovalSeq, UnwindKind, UnwindReport};
use crate::units::{MonoNanos, Nanos, Notional, Price, Qty, Side};

/// Negative look-ups that release an unknown order (2.7 rule 8) ...
const LOOKUPS_MIN: u32 = 3;
/// ... spread over at least this long ...
const LOOKUP_SPAN: Nanos = Nanos::from_secs(10);
/// ... and the request can no longer be accepted late.
const VALIDITY: Nanos = Nanos::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Sent or about to be.
    Live,
    /// Its outcome is not known.
    Unknown,
    /// Nothing more can fill.
    Terminal,
}

#[derive(Debug, Clone)]
pub(super) struct Child {
    pub(super) seq: ApprovalSeq,
    pub(super) side: Side,
    pub(super) qty: Qty,
    limit_price: Price,
    standing: Standing,
    fill_sum: Qty,
    /// The venue's cumulative word at the end.
    done_filled: Qty,
    notional: Notional,
    approved_at: MonoNanos,
    sent_at: MonoNanos,
    lookup_count: u32,
    first_lookup_at: MonoNanos,
    last_lookup_at: MonoNanos,
}

impl Child {
    pub(super) const fn new(approved: &Approved) -> Self {
        Self {
            seq: approved.seq,
            side: approved.leg.side,
            qty: approved.leg.qty,
            limit_price: approved.leg.limit_price,
            standing: Standing::Live,
            fill_sum: Qty::ZERO,
            done_filled: Qty::ZERO,
            notional: Notional::ZERO,
            approved_at: approved.approved_at,
            sent_at: approved.approved_at,
            lookup_count: 0,
            first_lookup_at: MonoNanos(0),
            last_lookup_at: MonoNanos(0),
        }
    }

    pub(super) fn on_report(&mut self, report: &UnwindReport) {
        match report.kind {
            UnwindKind::Sent => self.sent_at = self.sent_at.max(report.at),
            UnwindKind::Filled { qty, price } => {
                self.fill_sum = Qty(self.fill_sum.0.saturating_add(qty.0));
                self.notional = Notional(self.notional.0.saturating_add(price.times(qty).0));
            }
            UnwindKind::Done { filled } => {
                self.done_filled = self.done_filled.max(filled);
                self.standing = Standing::Terminal;
            }
            UnwindKind::Rejected { .. } => self.standing = Standing::Terminal,
            UnwindKind::Unknown => {
                if self.standing == Standing::Live {
                    self.standing = Standing::Unknown;
                }
            }
            UnwindKind::NotFound => {
                if self.standing == Standing::Unknown {
                    if self.lookup_count == 0 {
                        self.first_lookup_at = report.at;
                    }
                    self.lookup_count += 1;
                    self.last_lookup_at = report.at;
                }
            }
        }
    }

    /// A position snapshot that was asked for at `taken_at` completes the evidence that an unknown order never existed.
    pub(super) fn on_snapshot(&mut self, taken_at: MonoNanos, now: MonoNanos) {
        let absent = self.standing == Standing::Unknown
            && self.lookup_count >= LOOKUPS_MIN
            && self.last_lookup_at.since(self.first_lookup_at) >= LOOKUP_SPAN
            && taken_at > self.last_lookup_at
            && now.since(self.sent_at) >= VALIDITY;
        if absent {
            self.standing = Standing::Terminal;
        }
    }

    /// What filled, by our count or the venue's, whichever knows more.
    pub(super) fn filled(&self) -> Qty {
        self.fill_sum.max(self.done_filled)
    }
    /// What may still fill.
    pub(super) fn remaining(&self) -> Qty {
        match self.standing {
            Standing::Terminal => Qty::ZERO,
            Standing::Live | Standing::Unknown => Qty((self.qty.0 - self.filled().0).max(0)),
        }
    }
    pub(super) fn is_live(&self) -> bool {
        self.standing == Standing::Live
    }
    pub(super) fn is_unknown(&self) -> bool {
        self.standing == Standing::Unknown
    }
    pub(super) fn is_terminal(&self) -> bool {
        self.standing == Standing::Terminal
    }
    pub(super) fn evidence(&self) -> CloseChild {
        CloseChild {
            approval: self.seq,
            qty: self.qty,
            limit_price: self.limit_price,
            filled: self.filled(),
            filled_notional: self.notional,
            at: self.approved_at,
        }
    }
    /// Quantity of the fills whose price is known.
    pub(super) const fn priced(&self) -> (Qty, Notional) {
        (self.fill_sum, self.notional)
    }
}
