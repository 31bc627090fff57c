//! Levels that the gate raises by refusing (PT-32, 36, 37, 47): nobody asked, and only people lower them again. The one
//! exception is a venue's ban (PT-36): it ends by itself, after the cool-down, when the venue's time is over.

use crate::market::VenueId;
use crate::risk::levels::{Cause, Raise};
use crate::risk::{Actor, GateRaise, Refusal, RiskOutput, Scope};
use crate::units::MonoNanos;

use super::Monitor;

/// Row of a ban.
const BAN: &str = "PT-36";

impl Monitor {
    /// The gate refused an order, and its refusal raises a level. Repeating changes nothing.
    pub fn on_gate_raise(&mut self, raise: &GateRaise, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let label = raise.refusal.row().row;
        let cause = match (raise.scope, &raise.refusal) {
            (Scope::Venue(venue), Refusal::VenueBanned { .. }) => self.ban_of(venue),
            _ => Cause {
                label,
                source: None,
            },
        };
        let raise = Raise {
            scope: raise.scope,
            level: raise.level,
            latched: cause.label != BAN,
            cause,
            by: Actor::Control(label),
            reason: raise.refusal.to_string(),
        };
        self.raise(raise, now, out);
        self.finish(now, out);
    }

    /// Ends the levels of bans that are over.
    pub(super) fn settle_bans(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        for index in 0..self.heard.venues.len() {
            let Ok(index) = u8::try_from(index) else {
                return;
            };
            let venue = VenueId(index);
            let banned_until = self.heard.venue(venue).and_then(|facts| facts.banned_until);
            let over = banned_until.is_none_or(|until| until <= now);
            let (cause, cooldown) = (self.ban_of(venue), self.limits.cooldown);
            self.view_changed |= self.levels.settle(cause, over, cooldown, now, out);
        }
    }

    /// A venue's ban is told apart by its first instrument.
    fn ban_of(&self, venue: VenueId) -> Cause {
        let first = self.catalogue.at_venue(venue).next();
        Cause {
            label: BAN,
            source: first.map(|instrument| instrument.id),
        }
    }
}
