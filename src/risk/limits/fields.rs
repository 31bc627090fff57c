//! Every limit by name: which changed, in which direction, and one text that a hash can stand for (RISK.md 2.5: lowering is
//! immediate, raising needs two people).

use std::cmp::Ordering;
use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::market::{Catalogue, InstrumentId};
use crate::units::{Nanos, Ppm, Qty};

use super::{CloseLimits, InstrumentLimits, Limits};

/// Which way a changed limit moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Less is allowed: in force at once.
    Tighter,
    /// More is allowed: needs a second person.
    Looser,
    /// Neither can be said: treated as looser.
    Other,
}

impl Direction {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tighter => "tighter",
            Self::Looser => "looser",
            Self::Other => "other",
        }
    }
}

/// One changed limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// Its key, with the instrument where it has one.
    pub key: String,
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
    /// Which way.
    pub direction: Direction,
}

/// Which values of a limit allow less.
#[derive(Debug, Clone, Copy)]
enum Tight {
    Lower,
    Higher,
}

/// A value that a limit may have.
trait Value: Clone + PartialEq {
    fn text(&self) -> String;
    fn order(&self, other: &Self) -> Ordering;
}

macro_rules! value {
    ($($kind:ty: $text:expr),+) => {$(
        impl Value for $kind {
            fn text(&self) -> String {
                let text: fn(&$kind) -> String = $text;
                text(self)
            }
            fn order(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }
        }
    )+};
}
value!(
    Decimal: |value| value.normalize().to_string(),
    Nanos: |value| format!("{} ns", value.0),
    Ppm: |value| format!("{} ppm", value.0),
    Qty: |value| format!("{} steps", value.0),
    u32: |value| value.to_string()
);

/// What a walk over all limits collects.
#[derive(Default)]
struct Walk {
    text: String,
    changes: Vec<LimitChange>,
}

impl Walk {
    /// Looks at one limit; a tighter new value replaces the old one.
    fn limit<V: Value>(&mut self, key: &str, tight: Tight, now: &mut V, new: &V) {
        let direction = match (tight, new.order(now)) {
            (_, Ordering::Equal) => None,
            (Tight::Lower, Ordering::Less) | (Tight::Higher, Ordering::Greater) => {
                Some(Direction::Tighter)
            }
            (Tight::Lower, Ordering::Greater) | (Tight::Higher, Ordering::Less) => {
                Some(Direction::Looser)
            }
        };
        self.note(key, direction, now.text(), new.text());
        if direction == Some(Direction::Tighter) {
            now.clone_from(new);
        }
    }

    fn note(&mut self, key: &str, direction: Option<Direction>, old: String, new: String) {
        let written = writeln!(self.text, "{key}={new}");
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
        if let Some(direction) = direction {
            self.changes.push(LimitChange {
                key: key.to_owned(),
                old,
                new,
                direction,
            });
        }
    }

    /// A group without directions of its own: any change of it is one change.
    fn group<G: PartialEq + std::fmt::Debug>(&mut self, key: &str, now: &G, new: &G) {
        let direction = (now != new).then_some(Direction::Other);
        self.note(key, direction, format!("{now:?}"), format!("{new:?}"));
    }

    fn instrument(
        &mut self,
        label: &str,
        now: &mut Option<InstrumentLimits>,
        new: Option<&InstrumentLimits>,
    ) {
        match (now.as_mut(), new) {
            (Some(now), Some(new)) => {
                let InstrumentLimits {
                    order_qty_max,
                    position_qty_max,
                } = now;
                let key = |name: &str| format!("instrument[{label}].{name}");
                self.limit(
                    &key("order_qty_max"),
                    Tight::Lower,
                    order_qty_max,
                    &new.order_qty_max,
                );
                self.limit(
                    &key("position_qty_max"),
                    Tight::Lower,
                    position_qty_max,
                    &new.position_qty_max,
                );
            }
            (None, None) => {}
            (Some(_), None) => {
                let key = format!("instrument[{label}]");
                self.note(
                    &key,
                    Some(Direction::Tighter),
                    "limited".to_owned(),
                    "not traded".to_owned(),
                );
                *now = None;
            }
            (None, Some(new)) => {
                let key = format!("instrument[{label}]");
                self.note(
                    &key,
                    Some(Direction::Looser),
                    "not traded".to_owned(),
                    format!("{new:?}"),
                );
            }
        }
    }

    fn close(&mut self, now: &mut CloseLimits, new: &CloseLimits) {
        self.limit(
            "force_close.to_limit_ratio",
            Tight::Lower,
            &mut now.to_limit,
            &new.to_limit,
        );
        // The rest says how, not how much.
        let mut rest = new.clone();
        rest.to_limit = now.to_limit;
        self.group("force_close", now, &rest);
    }

    fn all(&mut self, now: &mut Limits, new: &Limits, catalogue: &Catalogue) {
        use Tight::{Higher, Lower};
        for (index, own) in now.instruments.iter_mut().enumerate() {
            let id = InstrumentId(u16::try_from(index).unwrap_or(u16::MAX));
            let other = new.instruments.get(index).and_then(Option::as_ref);
            self.instrument(&catalogue.label(id), own, other);
        }
        let mut limits = |key: &str, tight, now: &mut Decimal, new: &Decimal| {
            self.limit(key, tight, now, new);
        };
        limits(
            "order_notional_usd_max",
            Lower,
            &mut now.order_notional_usd_max,
            &new.order_notional_usd_max,
        );
        limits(
            "notional_usd_max.symbol",
            Lower,
            &mut now.notional_usd_max_symbol,
            &new.notional_usd_max_symbol,
        );
        limits(
            "notional_usd_max.venue",
            Lower,
            &mut now.notional_usd_max_venue,
            &new.notional_usd_max_venue,
        );
        limits(
            "notional_usd_max.asset_net",
            Lower,
            &mut now.notional_usd_max_asset_net,
            &new.notional_usd_max_asset_net,
        );
        limits(
            "notional_usd_max.gross",
            Lower,
            &mut now.notional_usd_max_gross,
            &new.notional_usd_max_gross,
        );
        limits(
            "notional_usd_max.net",
            Lower,
            &mut now.notional_usd_max_net,
            &new.notional_usd_max_net,
        );
        limits(
            "unrealized_loss_usd_max",
            Lower,
            &mut now.unrealized_loss_usd_max,
            &new.unrealized_loss_usd_max,
        );
        self.limit(
            "notional_margin_bps",
            Higher,
            &mut now.notional_margin,
            &new.notional_margin,
        );
        self.limit(
            "spread_bps_max",
            Lower,
            &mut now.spread_max,
            &new.spread_max,
        );
        self.limit("warn_at_ratio", Lower, &mut now.warn_at, &new.warn_at);
        self.limit(
            "ref_price_age_ms_max",
            Lower,
            &mut now.ref_price_age_max,
            &new.ref_price_age_max,
        );
        self.limit(
            "book_crossed_ms_max",
            Lower,
            &mut now.book_crossed_max,
            &new.book_crossed_max,
        );
        self.limit(
            "risk_view_age_ms_max",
            Lower,
            &mut now.risk_view_age_max,
            &new.risk_view_age_max,
        );
        self.limit("cooldown_ms", Higher, &mut now.cooldown, &new.cooldown);
        for (key, now, new) in [
            (
                "symbol",
                &mut now.submit_rate_max_symbol,
                &new.submit_rate_max_symbol,
            ),
            (
                "venue",
                &mut now.submit_rate_max_venue,
                &new.submit_rate_max_venue,
            ),
            (
                "global",
                &mut now.submit_rate_max_global,
                &new.submit_rate_max_global,
            ),
        ] {
            self.limit(&format!("submit_rate_per_s_max.{key}"), Lower, now, new);
        }
        self.close(&mut now.close, &new.close);
        self.group("pre_trade", &now.pre_trade, &new.pre_trade);
        self.group("controls", &now.controls, &new.controls);
        self.group("kill", &now.kill, &new.kill);
    }
}

impl Limits {
    /// One line a limit, `key=value`, in a fixed order: equal limits have equal texts.
    #[must_use]
    pub fn canonical(&self, catalogue: &Catalogue) -> String {
        let mut walk = Walk::default();
        walk.all(&mut self.clone(), self, catalogue);
        walk.text
    }

    /// What differs in `new`, and these limits with the tighter differences taken over.
    #[must_use]
    pub fn tightened(&self, new: &Self, catalogue: &Catalogue) -> (Self, Vec<LimitChange>) {
        let mut walk = Walk::default();
        let mut now = self.clone();
        walk.all(&mut now, new, catalogue);
        (now, walk.changes)
    }
}
