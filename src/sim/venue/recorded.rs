//! A recorded book: levels as the recording says, less what our own orders took out of them.
//!
//! What we consumed stays consumed until the recording updates that level. Quotes run ahead of the depth diffs, so a
//! quote newer than the last diff trims the side to its best price. Diffs that arrive before the recorded snapshot are
//! kept and applied again on top of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::units::{Grid, Price, Qty, Side};

use super::book::{Execution, accepts, rank};

/// Diffs kept before the snapshot arrives; a recording needs a few dozen.
const PENDING_MAX: usize = 4_096;

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    qty: i64,
    consumed: i64,
}

#[derive(Deserialize)]
struct DiffFrame<'a> {
    u: u64,
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "the venue's field names")]
struct TickerFrame<'a> {
    u: u64,
    b: &'a str,
    B: &'a str,
    a: &'a str,
    A: &'a str,
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "the venue's field names")]
struct SnapshotBody<'a> {
    lastUpdateId: u64,
    #[serde(borrow)]
    bids: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    asks: Vec<(&'a str, &'a str)>,
}

#[derive(Debug, Clone, Copy)]
struct Touch {
    id: u64,
    bid: Price,
    ask: Price,
}

/// The book of one recorded symbol.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordedBook {
    bids: BTreeMap<i64, Level>,
    asks: BTreeMap<i64, Level>,
    last_id: u64,
    touch: Option<Touch>,
    snapshot: Option<Arc<str>>,
    snapshot_is_current: bool,
    pending: Vec<Arc<str>>,
}

impl RecordedBook {
    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<i64, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The recorded REST answer while the tape stands at it.
    pub(crate) fn current_snapshot(&self) -> Option<&Arc<str>> {
        self.snapshot.as_ref().filter(|_| self.snapshot_is_current)
    }
    /// True once the recorded snapshot came.
    pub(crate) const fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }
    /// Id of the last applied diff or snapshot.
    pub(crate) const fn last_id(&self) -> u64 {
        self.last_id
    }
    /// The tape moved on.
    pub(crate) fn leave_snapshot(&mut self) {
        self.snapshot_is_current = false;
    }

    /// Levels as recorded, from best to worst.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        let levels = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        levels
            .iter()
            .map(move |(&rank, level)| (Price(rank.saturating_mul(-side.sign())), Qty(level.qty)))
    }

    /// Best price that still has something we did not take, and how much.
    pub(crate) fn best_available(&self, side: Side) -> Option<(Price, Qty)> {
        let levels = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        let (&rank, level) = levels
            .iter()
            .find(|(_, level)| level.qty > level.consumed)?;
        Some((
            Price(rank.saturating_mul(-side.sign())),
            Qty(level.qty - level.consumed),
        ))
    }

    /// Quantity a taker could get now, up to `wanted`.
    pub(crate) fn available(&self, side: Side, limit: Option<Price>, wanted: Qty) -> Qty {
        let mut found = 0_i64;
        let levels = match side {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        };
        for (&rank, level) in levels {
            if found >= wanted.0 || !accepts(side, limit, Price(rank.saturating_mul(side.sign()))) {
                break;
            }
            found = found.saturating_add(level.qty - level.consumed);
        }
        Qty(found.min(wanted.0))
    }

    /// Takes from the best level with anything left, at most `wanted`.
    pub(crate) fn take_best(
        &mut self,
        side: Side,
        limit: Option<Price>,
        wanted: Qty,
    ) -> Option<Execution> {
        let other = side.opposite();
        let (price, left) = self.best_available(other)?;
        if !accepts(side, limit, price) || wanted.0 <= 0 {
            return None;
        }
        let qty = Qty(left.0.min(wanted.0));
        let level = self.side_mut(other).get_mut(&rank(other, price))?;
        level.consumed += qty.0;
        Some(Execution {
            maker: None,
            price,
            qty,
        })
    }

    fn set_level(&mut self, side: Side, price: Price, qty: Qty) {
        let rank = rank(side, price);
        if qty.0 <= 0 {
            self.side_mut(side).remove(&rank);
        } else {
            self.side_mut(side).insert(
                rank,
                Level {
                    qty: qty.0,
                    consumed: 0,
                },
            );
        }
    }

    fn set_levels(&mut self, grid: Grid, side: Side, levels: &[(&str, &str)]) {
        for (price, qty) in levels {
            if let (Ok(price), Ok(qty)) = (
                grid.parse_price(price.as_bytes()),
                grid.parse_qty(qty.as_bytes()),
            ) {
                self.set_level(side, price, qty);
            }
        }
    }

    /// Applies a recorded depth diff; false when it is no such frame.
    pub(crate) fn on_diff(&mut self, grid: Grid, data: &Arc<str>) -> bool {
        let Ok(frame) = serde_json::from_str::<DiffFrame<'_>>(data) else {
            return false;
        };
        if self.snapshot.is_none() && self.pending.len() < PENDING_MAX {
            self.pending.push(Arc::clone(data));
        }
        if frame.u < self.last_id {
            return true;
        }
        self.set_levels(grid, Side::Buy, &frame.b);
        self.set_levels(grid, Side::Sell, &frame.a);
        self.last_id = frame.u;
        if let Some(touch) = self.touch.filter(|touch| touch.id > frame.u) {
            self.trim(touch);
        }
        true
    }

    /// Applies a recorded best quote; false when it is no such frame.
    pub(crate) fn on_ticker(&mut self, grid: Grid, data: &str) -> bool {
        let Ok(frame) = serde_json::from_str::<TickerFrame<'_>>(data) else {
            return false;
        };
        let (Ok(bid), Ok(bid_qty), Ok(ask), Ok(ask_qty)) = (
            grid.parse_price(frame.b.as_bytes()),
            grid.parse_qty(frame.B.as_bytes()),
            grid.parse_price(frame.a.as_bytes()),
            grid.parse_qty(frame.A.as_bytes()),
        ) else {
            return false;
        };
        if frame.u < self.last_id {
            return true;
        }
        let touch = Touch {
            id: frame.u,
            bid,
            ask,
        };
        self.touch = Some(touch);
        self.trim(touch);
        for (side, price, qty) in [(Side::Buy, bid, bid_qty), (Side::Sell, ask, ask_qty)] {
            let rank = rank(side, price);
            let unchanged = self
                .side_mut(side)
                .get(&rank)
                .is_some_and(|level| level.qty == qty.0);
            if !unchanged {
                self.set_level(side, price, qty);
            }
        }
        true
    }

    fn trim(&mut self, touch: Touch) {
        self.bids = self.bids.split_off(&rank(Side::Buy, touch.bid));
        self.asks = self.asks.split_off(&rank(Side::Sell, touch.ask));
    }

    /// Takes the recorded REST answer as the base and applies the kept diffs behind it; false when it is no such answer.
    pub(crate) fn on_snapshot(&mut self, grid: Grid, data: &Arc<str>) -> bool {
        let Ok(body) = serde_json::from_str::<SnapshotBody<'_>>(data) else {
            return false;
        };
        self.bids.clear();
        self.asks.clear();
        self.last_id = body.lastUpdateId;
        self.set_levels(grid, Side::Buy, &body.bids);
        self.set_levels(grid, Side::Sell, &body.asks);
        self.snapshot = Some(Arc::clone(data));
        self.snapshot_is_current = true;
        for diff in std::mem::take(&mut self.pending) {
            self.on_diff(grid, &diff);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(id: u64, bids: &str, asks: &str) -> Arc<str> {
        Arc::from(format!(
            r#"{{"e":"depthUpdate","E":1,"s":"X","U":1,"u":{id},"b":{bids},"a":{asks}}}"#
        ))
    }

    #[test]
    fn what_we_took_stays_taken_until_the_level_is_updated() {
        let grid = Grid::new(1, 1).unwrap();
        let mut book = RecordedBook::default();
        assert!(book.on_diff(grid, &diff(5, "[]", r#"[["10.0","2.0"],["10.1","3.0"]]"#)));
        assert_eq!(
            book.available(Side::Buy, Some(Price(101)), Qty(90)),
            Qty(50)
        );
        let first = book
            .take_best(Side::Buy, Some(Price(101)), Qty(25))
            .unwrap();
        assert_eq!((first.price, first.qty), (Price(100), Qty(20)));
        assert_eq!(book.best_available(Side::Sell), Some((Price(101), Qty(30))));
        assert!(book.on_diff(grid, &diff(6, "[]", r#"[["10.0","1.5"]]"#)));
        assert_eq!(book.best_available(Side::Sell), Some((Price(100), Qty(15))));
    }

    #[test]
    fn snapshot_is_the_base_and_kept_diffs_come_on_top() {
        let grid = Grid::new(1, 1).unwrap();
        let mut book = RecordedBook::default();
        book.on_diff(grid, &diff(8, r#"[["9.0","1.0"]]"#, "[]"));
        book.on_diff(grid, &diff(12, r#"[["9.1","4.0"]]"#, "[]"));
        let snapshot: Arc<str> =
            Arc::from(r#"{"lastUpdateId":10,"bids":[["9.0","7.0"]],"asks":[["9.5","1.0"]]}"#);
        assert!(book.on_snapshot(grid, &snapshot));
        assert_eq!(book.last_id(), 12);
        assert_eq!(
            book.levels(Side::Buy).collect::<Vec<_>>(),
            vec![(Price(91), Qty(40)), (Price(90), Qty(70))]
        );
        assert!(book.current_snapshot().is_some());
        book.leave_snapshot();
        assert!(book.current_snapshot().is_none());
    }

    #[test]
    fn a_newer_quote_trims_the_side() {
        let grid = Grid::new(1, 1).unwrap();
        let mut book = RecordedBook::default();
        book.on_diff(
            grid,
            &diff(5, r#"[["9.8","1.0"],["9.9","1.0"]]"#, r#"[["10.0","1.0"]]"#),
        );
        assert!(book.on_ticker(
            grid,
            r#"{"u":7,"s":"X","b":"9.7","B":"3.0","a":"9.8","A":"2.0"}"#
        ));
        assert_eq!(book.best_available(Side::Buy), Some((Price(97), Qty(30))));
        assert_eq!(book.best_available(Side::Sell), Some((Price(98), Qty(20))));
        book.on_diff(grid, &diff(6, r#"[["9.8","0.5"]]"#, "[]"));
        assert_eq!(book.best_available(Side::Buy), Some((Price(97), Qty(30))));
    }
}
