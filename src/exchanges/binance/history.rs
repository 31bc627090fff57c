//! Own executions: those of this session, and the history of every session with the order each belongs to, which a session
//! that begins asks for.
//!
//! A row of the venue's trades names only the venue's order id. Before a page is told, the orders it names are asked for
//! from the oldest unknown one on; their client ids say whose they are. What the venue does not list any more is not ours.

use crate::exchanges::gateway::{AccountEvent, GatewayOut};
use crate::trade::ClientOrderId;
use crate::units::{MonoNanos, Nanos};

use super::answers::UNANSWERED_MAX;
use super::envelope::{Malformed, result_body};
use super::machine::{Asked, At, Machine, Recovery, RequestKind, TradesFor};
use super::order::{OrderResult, OrderUpdate, TradeRow};
use super::requests::TRADES_PAGE;

/// Owners remembered while a history is read; beyond it the history is refused, and the start with it.
const OWNERS_MAX: usize = 65_536;

impl Machine {
    /// Own trades of this session: of one order, or since an interruption.
    pub(super) fn take_trades(
        &mut self,
        asked: &Asked,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let rows: Vec<TradeRow<'_>> = result_body(bytes, asked.over_http)?;
        let oldest = MonoNanos(at.now.0.saturating_sub(UNANSWERED_MAX.0));
        let mut left_out = false;
        let mut last_id = 0;
        for row in &rows {
            last_id = last_id.max(row.id);
            let Some(mut update) = row.read(&self.instruments)? else {
                continue;
            };
            update.client = self
                .tracker
                .by_venue_id(update.instrument, update.venue_order_id);
            if update.client.is_none() && self.tracker.has_unanswered(update.instrument, oldest) {
                // It may belong to the placement that has no answer yet: not foreign until that is known.
                left_out = true;
                continue;
            }
            self.apply(&update, &[], false, at, out);
        }
        if left_out {
            self.recoveries.push(Recovery {
                instrument: asked.instrument,
                since: asked.since,
                not_before: at.now.after(Nanos::from_secs(1)),
            });
        }
        if let (TradesFor::Order, Some(order)) = (asked.trades_for, asked.order) {
            self.count_answer(order, at);
        }
        let full = i64::try_from(rows.len()).is_ok_and(|count| count >= TRADES_PAGE);
        if full && asked.trades_for != TradesFor::Order {
            let next = Asked {
                from_id: last_id.saturating_add(1),
                ..*asked
            };
            self.ask(next, at, out);
        } else {
            out.account
                .extend(asked.account_query().map(AccountEvent::SnapshotDone));
        }
        Ok(())
    }

    /// One page of a history.
    pub(super) fn take_history(
        &mut self,
        asked: &Asked,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let rows: Vec<TradeRow<'_>> = result_body(bytes, asked.over_http)?;
        let mut updates = Vec::with_capacity(rows.len());
        let mut last_id = 0;
        for row in &rows {
            last_id = last_id.max(row.id);
            updates.extend(row.read(&self.instruments)?);
        }
        let unknown = updates
            .iter()
            .filter(|update| self.owner(update).is_none())
            .map(|update| update.venue_order_id)
            .min();
        if let Some(order_from) = unknown {
            let question = Asked {
                kind: RequestKind::Orders,
                order_from,
                ..*asked
            };
            self.ask(question, at, out);
            return Ok(());
        }
        for mut update in updates {
            update.client = self.owner(&update).flatten();
            if self
                .tracker
                .by_venue_id(update.instrument, update.venue_order_id)
                .is_some()
            {
                self.apply(&update, &[], false, at, out);
            } else if let Some(fill) = update.fill {
                // An order of another session is over: it is not followed, its executions are told.
                self.tell_fill(&update, update.client, &fill, at, out);
            }
        }
        if i64::try_from(rows.len()).is_ok_and(|count| count >= TRADES_PAGE) {
            let next = Asked {
                from_id: last_id.saturating_add(1),
                ..*asked
            };
            self.ask(next, at, out);
        } else {
            self.owners
                .retain(|(instrument, _), _| *instrument != asked.instrument);
            out.account
                .extend(asked.account_query().map(AccountEvent::SnapshotDone));
        }
        Ok(())
    }

    /// Whose an execution is: `None` is not known yet, `Some(None)` is not ours.
    fn owner(&self, update: &OrderUpdate) -> Option<Option<ClientOrderId>> {
        let key = (update.instrument, update.venue_order_id);
        self.tracker
            .by_venue_id(key.0, key.1)
            .map(Some)
            .or_else(|| self.owners.get(&key).copied())
    }

    /// Orders from one id on; then the page is asked for again.
    pub(super) fn take_owners(
        &mut self,
        asked: &Asked,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let rows: Vec<OrderResult<'_>> = result_body(bytes, asked.over_http)?;
        for row in &rows {
            if let Some((update, _)) = row.read(&self.instruments)? {
                let key = (update.instrument, update.venue_order_id);
                self.owners.insert(key, update.client);
            }
        }
        // What was asked for and is not listed belongs to nobody we know.
        self.owners
            .entry((asked.instrument, asked.order_from))
            .or_insert(None);
        if self.owners.len() > OWNERS_MAX {
            self.owners.clear();
            out.account
                .extend(asked.account_query().map(AccountEvent::SnapshotFailed));
            return Ok(());
        }
        let again = Asked {
            kind: RequestKind::Trades,
            order_from: 0,
            ..*asked
        };
        self.ask(again, at, out);
        Ok(())
    }
}
