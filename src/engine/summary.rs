//! What a run did: the machine-readable summary of `demo`, `run` and `simulate`, stable from now on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::money_split::MoneySplit;

/// Percentiles of one stage, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StageSummary {
    /// Samples.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Worst.
    pub max_ns: u64,
}

/// One position at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PositionSummary {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed quantity.
    pub quantity: String,
    /// Average price of the open quantity; `None` when flat.
    pub average_price: Option<String>,
    /// Realized, net of quote fees.
    pub realized_pnl: String,
    /// At the last mark; `None` when there is no mark.
    pub unrealized_pnl: Option<String>,
}

/// One book at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookSummary {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Standing.
    pub trust: &'static str,
    /// Gaps seen.
    pub gaps: u64,
    /// Update id of the ladder.
    pub update_id: u64,
    /// Levels a side.
    pub bid_levels: usize,
    /// Levels a side.
    pub ask_levels: usize,
    /// Best five bids as `[price, quantity]`.
    pub bid: Vec<[String; 2]>,
    /// Best five asks as `[price, quantity]`.
    pub ask: Vec<[String; 2]>,
    /// Hash of the best twenty levels a side (docs/FORMATS.md defines it).
    pub top20_sha256: String,
}

/// The whole run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// `demo`, `run` or `simulate`.
    pub mode: &'static str,
    /// Why it ended: `time`, `signal`, `recording_end`, or a failure.
    pub ended_by: String,
    /// Seed of the market and of every jitter.
    pub seed: u64,
    /// Seconds of market time covered.
    pub seconds: u64,
    /// Real seconds used, in milliseconds.
    pub wall_ms: u64,
    /// Frames received from all venues' market feeds.
    pub frames_received: u64,
    /// Of those: turned into events.
    pub frames_decoded: u64,
    /// Of those: understood and of no use (acknowledgements, unknown kinds).
    pub frames_ignored: u64,
    /// Of those: refused.
    pub frames_malformed: u64,
    /// Market events lost because a ring was full.
    pub events_lost: u64,
    /// Sequence gaps.
    pub book_gaps: u64,
    /// Times an edge opened at or above a strategy's threshold, taken or refused; one may be taken several times.
    pub opportunities: u64,
    /// Sets sent.
    pub sets_opened: u64,
    /// Sets whose legs all filled equally, at once or after repair.
    pub sets_hedged: u64,
    /// Sets whose legs filled unequally (repaired or held).
    pub sets_broken: u64,
    /// Sets that filled nothing.
    pub sets_empty: u64,
    /// Broken sets left to an open alert.
    pub sets_held: u64,
    /// Orders handed to venues.
    pub orders_sent: u64,
    /// Orders refused by venues.
    pub orders_rejected: u64,
    /// Orders whose outcome is unknown at the end.
    pub orders_unknown: u64,
    /// Orders open at the end.
    pub orders_open: u64,
    /// Sets refused by our own gate, by reason code.
    pub gate_refusals: BTreeMap<String, u64>,
    /// Strategy outcomes by name.
    pub outcomes: BTreeMap<String, u64>,
    /// Executions.
    pub fills: u64,
    /// Realized profit and loss, net of quote fees.
    pub realized_pnl: String,
    /// At the last marks.
    pub unrealized_pnl: String,
    /// Fees by asset.
    pub fees: BTreeMap<String, String>,
    /// Forced closes started.
    pub forced_closes: u64,
    /// Where the money came from.
    pub money: MoneySplit,
    /// Hash over every decision in order.
    pub decision_hash: String,
    /// Positions at the end.
    pub positions: Vec<PositionSummary>,
    /// Books at the end.
    pub books: Vec<BookSummary>,
    /// By stage name.
    pub latency: BTreeMap<String, StageSummary>,
    /// What a person must know: open alerts, unexplained positions.
    pub remarks: Vec<String>,
}

/// Nanoseconds for people: `0.43 us`, `12.1 ms`.
#[must_use]
pub fn span_text(nanos: u64) -> String {
    let (unit, divisor) = match nanos {
        0..=999 => return format!("{nanos} ns"),
        1_000..=999_999 => ("us", 1_000),
        1_000_000..=999_999_999 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let whole = nanos.div_euclid(divisor);
    let hundredths = (nanos.rem_euclid(divisor) * 100).div_euclid(divisor);
    format!("{whole}.{hundredths:02} {unit}")
}

impl Summary {
    /// For people: what happened, money, latency to the maximum, positions.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.counts_text(&mut out);
        self.tables_text(&mut out);
        let written = write!(out, "decisions {}", self.decision_hash);
        debug_assert!(written.is_ok(), "Invariant: writing to a String succeeds");
        out
    }
    /// What came in, what was done, and the money.
    fn counts_text(&self, out: &mut String) {
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!(
            "{} ended by {} after {} s (seed {})",
            self.mode, self.ended_by, self.seconds, self.seed
        ));
        line(format!(
            "frames    {} = {} decoded + {} ignored + {} malformed; gaps {}; events lost {}",
            self.frames_received,
            self.frames_decoded,
            self.frames_ignored,
            self.frames_malformed,
            self.book_gaps,
            self.events_lost
        ));
        line(format!(
            "sets      {} opened from {} opportunities: {} hedged, {} empty, {} broken ({} held)",
            self.sets_opened,
            self.opportunities,
            self.sets_hedged,
            self.sets_empty,
            self.sets_broken,
            self.sets_held
        ));
        line(format!(
            "orders    {} sent, {} rejected, {} open, {} unknown; {} fills",
            self.orders_sent,
            self.orders_rejected,
            self.orders_open,
            self.orders_unknown,
            self.fills
        ));
        let fees: Vec<String> = self
            .fees
            .iter()
            .map(|(asset, amount)| format!("{amount} {asset}"))
            .collect();
        line(format!(
            "money     realized {}  unrealized {}  fees {}",
            self.realized_pnl,
            self.unrealized_pnl,
            if fees.is_empty() {
                "0".to_owned()
            } else {
                fees.join(", ")
            }
        ));
    }

    /// Refusals, stages, positions and remarks: a line each.
    fn tables_text(&self, out: &mut String) {
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        self.money.lines().into_iter().for_each(&mut line);
        for (code, count) in &self.gate_refusals {
            line(format!("refused   {count:>8}  {code}"));
        }
        line(format!(
            "{:<16}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}",
            "stage", "count", "p50", "p90", "p99", "p99.9", "max"
        ));
        for (stage, span) in &self.latency {
            line(format!(
                "{stage:<16}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}",
                span.count,
                span_text(span.p50_ns),
                span_text(span.p90_ns),
                span_text(span.p99_ns),
                span_text(span.p999_ns),
                span_text(span.max_ns)
            ));
        }
        for position in &self.positions {
            line(format!(
                "position  {:<10}{:<18}{:>14} @ {:<14} realized {:>14}  unrealized {:>12}",
                position.venue,
                position.symbol,
                position.quantity,
                position.average_price.as_deref().unwrap_or("-"),
                position.realized_pnl,
                position.unrealized_pnl.as_deref().unwrap_or("no mark")
            ));
        }
        for remark in &self.remarks {
            line(format!("note      {remark}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (nanos, text) in [
            (430, "430 ns"),
            (1_500, "1.50 us"),
            (12_100_000, "12.10 ms"),
            (2_000_000_000, "2.00 s"),
        ] {
            assert_eq!(span_text(nanos), text);
        }
    }
}
