//! One order of a rescue: when its end is known, and the worst price it may have. Pure.

use crate::trade::{ClientOrderId, OrderReport, ReportKind};
use crate::units::{MonoNanos, Nanos, Ppm, Price, Side};

/// A reduce-only order without an end after this is left to the next round: immediate orders do not rest. A spot order is asked
/// for. Also how long the venue may still take a request of ours (`recvWindow`).
pub(super) const ORDER_WAIT: Nanos = Nanos::from_secs(5);
/// Pause between two questions for the same order.
pub(super) const QUERY_PAUSE: Nanos = Nanos::from_secs(1);
/// That many answers "no such order", each after `ORDER_WAIT`, say that it never was: a venue's look-up lags.
const NOT_FOUND_ANSWERS: u8 = 3;

/// An order whose end is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) id: ClientOrderId,
    pub(super) sent_at: MonoNanos,
    pub(super) spot: bool,
    /// Next question for it; `None` while its own answer is waited for.
    pub(super) ask_at: Option<MonoNanos>,
    pub(super) not_found: u8,
}

impl Sent {
    /// The venue's word on it; true when nothing of it can fill any more.
    pub(super) fn is_over(&mut self, report: &OrderReport) -> bool {
        let now = report.received_at;
        match report.kind {
            ReportKind::Rejected { .. } | ReportKind::Done { .. } => true,
            ReportKind::Unknown => {
                self.ask_at.get_or_insert(now);
                !self.spot
            }
            ReportKind::NotFound => {
                // Before that it may still be on its way.
                let late = now.since(self.sent_at) > ORDER_WAIT;
                self.not_found = self.not_found.saturating_add(u8::from(late));
                self.not_found >= NOT_FOUND_ANSWERS
            }
            ReportKind::Written
            | ReportKind::Acked { .. }
            | ReportKind::Filled { .. }
            | ReportKind::Open { .. }
            | ReportKind::CancelRejected => false,
        }
    }
}

/// The worst price that is still taken, on the tick towards the better side.
pub(super) fn protected(side: Side, bid: Price, ask: Price, protection: Ppm, tick: Price) -> Price {
    let tick = tick.0.max(1);
    let through = |price: i64| {
        i64::try_from((i128::from(price) * i128::from(protection.0)).div_euclid(1_000_000))
            .unwrap_or(0)
    };
    match side {
        // Ceil and floor: never worse than the protection.
        Side::Sell => {
            let worst = bid.0.saturating_sub(through(bid.0));
            Price(worst.saturating_add(tick - 1).div_euclid(tick) * tick)
        }
        Side::Buy => {
            let worst = ask.0.saturating_add(through(ask.0));
            Price(worst.div_euclid(tick) * tick)
        }
    }
}
