//! One instrument of a recording: its book, its quotes beside it, its trades.

use std::collections::BTreeMap;

use aws_lc_rs::digest;

use crate::exchanges::frame::{DepthLevels, DepthMessage, LevelChange, QuoteMessage, TradeMessage};
use crate::exchanges::sync::{BookSync, SyncBounds, SyncRule, SyncStep};
use crate::market::{Book, EventKind, InstrumentId, Level, MarketEvent, Top, Trust, TrustCause};
use crate::units::{Grid, MonoNanos, Price, Side};

use super::report::{BookReport, TradeReport};

/// Quotes and book tops remembered for the comparison at equal update ids.
const REMEMBERED_MAX: usize = 65_536;
/// Levels a side in a report.
const REPORTED_LEVELS: usize = 5;
/// Levels a side in the hash.
const HASHED_LEVELS: usize = 20;

/// What a recording says of one instrument.
#[derive(Debug)]
pub(super) struct InspectedBook {
    symbol: String,
    grid: Grid,
    rule: SyncRule,
    sync: BookSync,
    book: Book,
    snapshots: u64,
    updates_applied: u64,
    crossed: u64,
    quotes: BTreeMap<u64, Top>,
    tops: BTreeMap<u64, Top>,
    quotes_equal: u64,
    quotes_different: u64,
    pub(super) trades: TradeTally,
    pub(super) agg_trades: TradeTally,
}

impl InspectedBook {
    pub(super) fn new(symbol: &str, grid: Grid, rule: SyncRule) -> Self {
        Self {
            symbol: symbol.to_owned(),
            grid,
            rule,
            sync: BookSync::new(rule, SyncBounds::RECORDED),
            book: Book::new(Price(1)),
            snapshots: 0,
            updates_applied: 0,
            crossed: 0,
            quotes: BTreeMap::new(),
            tops: BTreeMap::new(),
            quotes_equal: 0,
            quotes_different: 0,
            trades: TradeTally::default(),
            agg_trades: TradeTally::default(),
        }
    }

    pub(super) fn on_depth(&mut self, depth: &DepthMessage, levels: &DepthLevels) {
        match self.sync.on_diff(depth.ids, levels) {
            SyncStep::Apply => {
                let update_id = depth.ids.last;
                for (side, level) in levels.iter() {
                    self.set(side, level, update_id);
                }
                self.updates_applied += 1;
                self.apply(EventKind::Synced { update_id });
                self.note_top(update_id);
            }
            SyncStep::Built => self.take_built(),
            SyncStep::Gap => {
                self.apply(EventKind::Distrust {
                    cause: TrustCause::SequenceGap,
                });
                self.apply(EventKind::Clear);
            }
            SyncStep::Old | SyncStep::Waiting | SyncStep::TooOld | SyncStep::Overflow => {}
        }
    }

    pub(super) fn on_snapshot(&mut self, update_id: u64, levels: &mut DepthLevels) {
        self.snapshots += 1;
        if self.sync.on_snapshot(update_id, levels) == SyncStep::Built {
            self.take_built();
        }
    }

    fn take_built(&mut self) {
        self.apply(EventKind::Clear);
        let placeholder = BookSync::new(self.rule, SyncBounds::RECORDED);
        let mut sync = std::mem::replace(&mut self.sync, placeholder);
        let last = sync.take_built(|part| {
            for (side, level) in part.iter() {
                self.set(side, level, part.update_id);
            }
            if !part.is_snapshot {
                self.updates_applied += 1;
                self.note_top(part.update_id);
            }
        });
        self.sync = sync;
        self.apply(EventKind::Synced { update_id: last });
        self.book.finish_batch(MonoNanos(0), true);
    }

    fn apply(&mut self, kind: EventKind) {
        self.book.apply(&MarketEvent {
            received_at: MonoNanos(0),
            kind,
            decode_nanos: 0,
            instrument: InstrumentId(0),
            flags: 0,
        });
    }

    fn set(&mut self, side: Side, level: LevelChange, update_id: u64) {
        self.apply(EventKind::Level {
            side,
            price: level.price,
            qty: level.qty,
            update_id,
        });
    }

    fn top(&self) -> Option<Top> {
        Some(Top {
            bid: self.book.ladder_best(Side::Buy)?,
            ask: self.book.ladder_best(Side::Sell)?,
        })
    }

    /// After each update: is the book crossed, and does it equal the quote of the same id?
    fn note_top(&mut self, update_id: u64) {
        self.book.finish_batch(MonoNanos(0), true);
        let Some(top) = self.top() else { return };
        if top.bid.price >= top.ask.price {
            self.crossed += 1;
        }
        match self.quotes.remove(&update_id) {
            Some(quote) => self.compare(quote, top),
            None => remember(&mut self.tops, update_id, top),
        }
    }

    pub(super) fn on_quote(&mut self, quote: &QuoteMessage) {
        let level = |change: LevelChange| Level {
            price: change.price,
            qty: change.qty,
        };
        let quoted = Top {
            bid: level(quote.bid),
            ask: level(quote.ask),
        };
        match self.tops.remove(&quote.update_id) {
            Some(top) => self.compare(quoted, top),
            None => remember(&mut self.quotes, quote.update_id, quoted),
        }
    }

    fn compare(&mut self, quote: Top, top: Top) {
        if quote == top {
            self.quotes_equal += 1;
        } else {
            self.quotes_different += 1;
        }
    }

    fn levels(&self, side: Side, count: usize) -> Vec<[String; 2]> {
        self.book
            .levels(side)
            .take(count)
            .map(|level| {
                [
                    trimmed(self.grid.price_text(level.price)),
                    trimmed(self.grid.qty_text(level.qty)),
                ]
            })
            .collect()
    }

    fn top_hash(&self) -> String {
        let mut text = String::new();
        for (word, side) in [("b", Side::Buy), ("a", Side::Sell)] {
            for [price, qty] in self.levels(side, HASHED_LEVELS) {
                text.push_str(&format!("{word} {price} {qty}\n"));
            }
        }
        hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
    }

    pub(super) fn report(&self) -> BookReport {
        BookReport {
            symbol: self.symbol.clone(),
            gaps: self.sync.gaps(),
            updates_applied: self.updates_applied,
            trusted: self.sync.is_live() && self.book.trust() == Trust::Trusted,
            bid_levels: self.book.level_count(Side::Buy),
            ask_levels: self.book.level_count(Side::Sell),
            bid: self.levels(Side::Buy, REPORTED_LEVELS),
            ask: self.levels(Side::Sell, REPORTED_LEVELS),
            top20_sha256: self.top_hash(),
            update_id: self.book.ladder_id(),
            snapshots: self.snapshots,
            crossed: self.crossed,
            quotes_equal: self.quotes_equal,
            quotes_different: self.quotes_different,
        }
    }

    pub(super) fn trade_reports(&self) -> (Option<TradeReport>, Option<TradeReport>) {
        (
            self.trades.report(&self.symbol, self.grid),
            self.agg_trades.report(&self.symbol, self.grid),
        )
    }
}

fn remember(memory: &mut BTreeMap<u64, Top>, update_id: u64, top: Top) {
    memory.insert(update_id, top);
    if memory.len() > REMEMBERED_MAX {
        memory.pop_first();
    }
}

/// Trades of one instrument.
#[derive(Debug, Default)]
pub(super) struct TradeTally {
    count: u64,
    first_id: u64,
    last_id: u64,
    gaps: u64,
    buyer_is_maker: u64,
    qty_steps: i128,
    notional_steps: i128,
}

impl TradeTally {
    pub(super) fn add(&mut self, trade: &TradeMessage) {
        if self.count == 0 {
            self.first_id = trade.trade_id;
        } else if trade.trade_id != self.last_id.saturating_add(1) {
            self.gaps += 1;
        }
        self.count += 1;
        self.last_id = trade.trade_id;
        self.buyer_is_maker += u64::from(trade.aggressor == Side::Sell);
        self.qty_steps = self.qty_steps.saturating_add(i128::from(trade.qty.0));
        self.notional_steps = self
            .notional_steps
            .saturating_add(trade.price.times(trade.qty).0);
    }

    fn report(&self, symbol: &str, grid: Grid) -> Option<TradeReport> {
        let notional_decimals = grid.price_decimals() + grid.qty_decimals();
        (self.count > 0).then(|| TradeReport {
            symbol: symbol.to_owned(),
            count: self.count,
            first_id: self.first_id,
            last_id: self.last_id,
            gaps: self.gaps,
            quantity_sum: steps_text(self.qty_steps, grid.qty_decimals()),
            quote_sum: steps_text(self.notional_steps, notional_decimals),
            buyer_is_maker: self.buyer_is_maker,
        })
    }
}

/// Steps of `10^-decimals` as plain decimal text without trailing zeros.
fn steps_text(steps: i128, decimals: u8) -> String {
    let width = usize::from(decimals) + 1;
    let digits = format!("{:0width$}", steps.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let sign = if steps < 0 { "-" } else { "" };
    trimmed(format!("{sign}{whole}.{fraction}"))
}

/// Without trailing zeros after the point, and without the point if nothing follows it.
fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_text() {
        assert_eq!(steps_text(21_203_315_000, 8), "212.03315");
        assert_eq!(steps_text(5, 3), "0.005");
        assert_eq!(steps_text(0, 16), "0");
        assert_eq!(steps_text(-1_500, 3), "-1.5");
        assert_eq!(steps_text(1_500, 0), "1500");
        assert_eq!(trimmed("100".to_owned()), "100");
    }
}
