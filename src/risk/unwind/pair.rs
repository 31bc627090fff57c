//! Two legs that hedge each other are closed together: what may the next child of one leg be, so that the net never grows
//! beyond one slice?
//!
//! While the legs are even, only the riskier one opens: a derivative before spot (it can be liquidated), then the thinner
//! book. Once it filled, the other leg owes the same base quantity and the first waits. What is not hedged to begin with
//! closes without waiting. A leg whose counterpart has nothing left, or is stuck, goes alone. A child whose outcome is
//! unknown holds nobody up: the other leg follows it as if it had filled, and then the first goes on.

use crate::units::{Nanos, Qty};

/// A leg that can send nothing for this long is not waited for.
pub(super) const BLOCKED_PATIENCE: Nanos = Nanos::from_secs(5);
/// A leg of which nothing was sent or ended for this long is not waited for: proving an unknown order absent takes ten
/// seconds (rule 8).
pub(super) const SILENT_PATIENCE: Nanos = Nanos::from_secs(15);

/// What the other legs leave the next child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) enum Allowance {
    /// There is nothing to wait for.
    Free,
    /// At most this much; zero is wait.
    UpTo(Qty),
}

/// One position in the base asset. Quantities are base units at one scale for all legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) struct PairLeg {
    /// Signed, with every fill that was reported.
    pub(in crate::risk) position: i128,
    /// Signed: what may still fill of its children.
    pub(in crate::risk) pending: i128,
    /// Signed: the part of it whose outcome nobody knows; proving an order absent takes ten seconds.
    pub(in crate::risk) unknown: i128,
    /// What its close has yet to close, pending included; zero without a close.
    pub(in crate::risk) left: i128,
    /// Its close is at work.
    pub(in crate::risk) is_active: bool,
    /// Its largest child now.
    pub(in crate::risk) slice: i128,
    /// The smallest order its venue takes.
    pub(in crate::risk) smallest: i128,
    /// Smaller is riskier: spot or not, depth near the touch, number.
    pub(in crate::risk) rank: (bool, i128, u16),
}

/// The largest next child of leg `me`; `None` when nothing limits it.
pub(in crate::risk) fn allowance(legs: &[PairLeg], me: usize) -> Option<i128> {
    let own = legs.get(me)?;
    let sign = own.position.signum();
    let others = || {
        legs.iter().enumerate().filter(move |(index, leg)| {
            *index != me && leg.is_active && leg.left > 0 && leg.position.signum() == -sign
        })
    };
    let (_, first) = others().next()?;
    // Below this the legs count as even: nobody's venue would take the difference.
    let even = others().fold(own.smallest.max(first.smallest), |most, (_, leg)| {
        most.max(leg.smallest)
    });
    let slice = others()
        .fold(own.slice, |least, (_, leg)| least.min(leg.slice))
        .max(even.saturating_mul(2));
    let net: i128 = legs.iter().map(|leg| leg.position).sum();
    let going: i128 = legs
        .iter()
        .map(|leg| leg.pending)
        .filter(|pending| pending.signum() == -sign)
        .sum();
    // How much more there is on this leg's side, when everything that reduces it fills.
    let owed = (net + going) * sign;
    if owed >= own.smallest {
        return Some(owed);
    }
    let leads = legs
        .iter()
        .enumerate()
        .filter(|(index, leg)| *index == me || (leg.is_active && leg.left > 0))
        .filter(|(_, leg)| leg.left >= even && leg.position != 0)
        .min_by_key(|(_, leg)| leg.rank)
        .map(|(index, _)| index);
    let leader = leads?;
    let room = (slice + owed).max(0);
    if leader != me {
        // What the other side sent may have filled unseen: this side follows it, within one slice if it did not.
        let unseen: i128 = others()
            .map(|(_, leg)| leg.unknown)
            .filter(|unknown| unknown.signum() == sign)
            .sum();
        return Some(room.min(unseen.abs()));
    }
    // The other side owes already: it goes first.
    if -owed >= even {
        return Some(0);
    }
    Some(room)
}
