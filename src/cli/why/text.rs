//! The answer in plain words.

use rust_decimal::Decimal;

use super::gather::{EarnedFound, Found, ReasonFound, RouteFound, StrategyFound};
use crate::engine::alerts::rfc3339;
use crate::engine::summary::span_text;
use crate::units::UnixNanos;

/// Routes without an edge that are shown a strategy.
const QUIET_ROUTES_MAX: usize = 3;

fn counted(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).rem_euclid(3) == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 edge`, `2 edges`.
fn several(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", counted(count))
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 200 + whole)
        .checked_div(whole.saturating_mul(2))
        .unwrap_or(0)
}

fn time(at: i64) -> String {
    rfc3339(UnixNanos(at))
}

fn bps(value: Option<Decimal>) -> String {
    value.map_or_else(|| "not known".to_owned(), |value| format!("{value} bps"))
}

impl Found {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} to {}, {}",
            time(self.from_ns),
            time(self.to_ns),
            if self.stopped {
                "the engine has stopped"
            } else {
                "the engine has not said that it stopped"
            }
        )];
        if self.levels.is_empty() {
            lines.push("No kill level is in force.".to_owned());
        }
        for level in &self.levels {
            let since = time(level.since_ns);
            lines.push(format!(
                "{} is at {} since {since}: {} ({})",
                level.scope, level.level, level.reason, level.cause
            ));
        }
        if self.strategies.is_empty() {
            lines.push("No strategy has looked at anything in this span.".to_owned());
        }
        for strategy in &self.strategies {
            lines.push(String::new());
            strategy.text(&mut lines);
        }
        lines.join("\n")
    }
}

impl StrategyFound {
    fn text(&self, lines: &mut Vec<String>) {
        let of = |outcome: &str| self.outcomes.get(outcome).copied().unwrap_or(0);
        let looks: u64 = self.outcomes.values().sum();
        let (below, stale) = (of("below_threshold"), of("stale_book"));
        let sum = |pick: fn(&RouteFound) -> u64| self.routes.iter().map(pick).sum::<u64>();
        let (edges, sent) = (sum(|route| route.edges), sum(|route| route.sets_sent));
        lines.push(format!(
            "{}: {} looks at routes, {} % below the minimum, {} % with a book not to be trusted; {}, {} sent.",
            self.strategy,
            counted(looks),
            percent(below, looks),
            percent(stale, looks),
            several(edges, "edge"),
            several(sent, "set")
        ));
        if edges == 0 {
            lines.push(self.silence(stale, looks));
        }
        let mut quiet = 0;
        for route in &self.routes {
            if route.edges == 0 && route.looks == 0 {
                quiet += 1;
                if quiet > QUIET_ROUTES_MAX {
                    continue;
                }
            }
            route.text(lines);
        }
        if quiet > QUIET_ROUTES_MAX {
            let more = quiet - QUIET_ROUTES_MAX;
            lines.push(format!("  {more} more routes without an edge"));
        }
        self.earned
            .iter()
            .for_each(|earned| lines.push(earned.text()));
        self.advice(lines);
    }

    fn silence(&self, stale: u64, looks: u64) -> String {
        let best = self.routes.iter().max_by_key(|route| route.best_bps);
        let best = best.filter(|route| route.best_bps.is_some());
        match best {
            _ if looks == 0 => "  It has not looked at anything: no book has changed.".to_owned(),
            _ if stale * 2 > looks => {
                "  Most looks found a book that cannot be trusted: look at the feeds.".to_owned()
            }
            Some(route) => format!(
                "  It has not traded because no edge reached its minimum: the best net edge was {}, it asks for {}.",
                bps(route.best_bps),
                bps(route.asked_bps)
            ),
            None => "  It has not traded because no edge reached its minimum.".to_owned(),
        }
    }

    fn advice(&self, lines: &mut Vec<String>) {
        let mut reasons: Vec<&ReasonFound> = self
            .routes
            .iter()
            .flat_map(|route| &route.reasons)
            .collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.looks));
        let mut told: Vec<&str> = Vec::new();
        for reason in reasons {
            if told.len() < 3 && !reason.cure.is_empty() && !told.contains(&reason.reason.as_str())
            {
                told.push(&reason.reason);
                lines.push(format!("  to change {}: {}", reason.reason, reason.cure));
            }
        }
    }
}

impl RouteFound {
    fn text(&self, lines: &mut Vec<String>) {
        if self.looks == 0 {
            lines.push(format!(
                "  {}: no edge; best net edge seen {}, asked {}",
                self.route,
                bps(self.best_bps),
                bps(self.asked_bps)
            ));
            return;
        }
        let refused: u64 = self.reasons.iter().map(|reason| reason.looks).sum();
        lines.push(format!(
            "  {}: {} in {}, {} sent, {} refused; best net edge {}, asked {}",
            self.route,
            several(self.edges, "edge"),
            several(self.looks, "look"),
            several(self.sets_sent, "set"),
            several(refused, "look"),
            bps(self.best_bps),
            bps(self.asked_bps)
        ));
        for reason in &self.reasons {
            lines.push(reason.text());
        }
        if let (Some(median), Some(most)) = (self.lifetime_p50_us, self.lifetime_p90_us) {
            let span = |micros: u64| span_text(micros.saturating_mul(1_000));
            let mut text = format!(
                "    half of the edges were gone after {}, nine in ten after {}",
                span(median),
                span(most)
            );
            let still = self.still_there.iter().map(|one| {
                format!(
                    "{} % after {}",
                    percent(one.there, one.looked),
                    span_text(one.delay_ns)
                )
            });
            let still: Vec<String> = still.collect();
            if !still.is_empty() {
                text.push_str("; there for an order that arrives later: ");
                text.push_str(&still.join(", "));
            }
            for own in &self.own {
                let (share, span) = (percent(own.there, own.looked), span_text(own.delay_ns));
                let what = if own.what == "p50" {
                    "our own median"
                } else {
                    "our slowest percent"
                };
                text.push_str(&format!("; {share} % after {what} of {span}"));
            }
            lines.push(text);
        }
    }
}

impl ReasonFound {
    fn text(&self) -> String {
        let ended = if self.edges > 0 {
            format!(" ({} ended so)", several(self.edges, "edge"))
        } else {
            String::new()
        };
        let looks = several(self.looks, "look");
        let mut text = format!("    {looks}{ended}, {}: {}", self.reason, self.meaning);
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", self.unit)
        };
        if let (Some(typical), Some(limit)) = (self.typical, self.limit) {
            text.push_str(&format!(
                "; typically {typical}{unit} against {limit}{unit}"
            ));
            if let Some(worst) = self.worst.filter(|worst| *worst != typical) {
                text.push_str(&format!(", at worst {worst}{unit}"));
            }
        }
        text
    }
}

impl EarnedFound {
    fn text(&self) -> String {
        format!(
            "  {} earned {} {}: signal {}, decay {}, slippage {}, hedge {}, fees {}",
            several(self.sets, "set"),
            self.net.normalize(),
            self.asset,
            self.signal.normalize(),
            self.decay.normalize(),
            self.slippage.normalize(),
            self.hedge.normalize(),
            self.fees.normalize()
        )
    }
}
