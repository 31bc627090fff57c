//! Faults taking effect, and the dead-man switches firing.

use crate::sim::dialect;
use crate::units::{Nanos, UnixNanos};

use super::VenueCore;
use super::conn::ConnKind;
use super::fault::{Fault, FaultScope};
use super::outbox::Outgoing;

impl VenueCore {
    /// Misbehaves: at once, or at the next occasion of the fault's kind.
    #[expect(clippy::too_many_lines, reason = "a table, one arm a fault")]
    pub fn inject(&mut self, fault: Fault, now: UnixNanos) {
        if is_immediate(&fault) {
            self.faults.fire(fault.label());
        }
        match fault {
            Fault::DropDiffs { symbol, count } => self.faults.drop_diffs.push((symbol, count)),
            Fault::CrossedBook { symbol } => self.send_crossed(symbol, now),
            Fault::Silence { symbol, on } => {
                let symbols = symbol.map_or_else(
                    || (0..self.markets.len()).collect::<Vec<_>>(),
                    |symbol| vec![symbol],
                );
                self.faults.silent.retain(|known| !symbols.contains(known));
                if on {
                    self.faults.silent.extend(symbols);
                }
            }
            Fault::Cut(scope) => self.cut(scope, now),
            Fault::AnnounceShutdown => self.announce_shutdown(now),
            Fault::RejectNext { code, message } => self.faults.reject_next = Some((code, message)),
            Fault::SwallowAck => self.faults.swallow_ack = true,
            Fault::SwallowRequest => self.faults.swallow_request = true,
            Fault::Delay { span, count } => {
                self.outbox.extra = (count > 0).then_some((span, count));
            }
            Fault::Malformed { symbol, text } => {
                self.send_hostile(symbol, &Outgoing::Text(text), now);
            }
            Fault::MalformedBytes { symbol, bytes } => {
                self.send_hostile(symbol, &Outgoing::Raw(bytes), now);
            }
            Fault::HoldSnapshots { symbol, on } => {
                self.faults.held_snapshots.retain(|known| *known != symbol);
                if on {
                    self.faults.held_snapshots.push(symbol);
                }
            }
            Fault::PartialFill { share_ppm } => self.faults.partial_ppm = Some(share_ppm),
            Fault::PositionPush {
                account,
                symbol,
                side,
                qty,
                price,
            } => {
                let price = price.or_else(|| self.mark_on_tick(symbol));
                if let Some(price) = price {
                    self.push_position(account, (symbol, side, qty), price, now);
                }
            }
            Fault::RestByHand {
                account,
                symbol,
                side,
                qty,
                price,
            } => self.rest_by_hand(account, (symbol, side, qty), price, now),
            Fault::RateLimit {
                count,
                retry_after_s,
            } => self.faults.rate_limit = Some((count, retry_after_s)),
            Fault::Ban { seconds } => {
                let span = Nanos::from_secs(u64::from(seconds));
                self.faults.banned_until = Some(now.after(span));
            }
            Fault::Outage { span } => {
                self.faults.down_until = Some(now.after(span));
                self.cut(FaultScope::All, now);
            }
            Fault::LateFills { span, count } => self.faults.late_fills = Some((span, count)),
            Fault::RepeatFills { span, count } => self.faults.repeat_fills = Some((span, count)),
            Fault::StaleAccount { span } => {
                self.faults.stale = Some((self.accounts.clone(), now.after(span)));
            }
            Fault::VenueClose {
                account,
                symbol,
                how,
                share_ppm,
            } => self.venue_close(account, symbol, how, share_ppm, now),
        }
    }

    /// Sends one message as it is to every connection that hears of the symbol.
    fn send_hostile(&mut self, symbol: usize, message: &Outgoing, now: UnixNanos) {
        let mut conns: Vec<_> = self
            .conns
            .of_symbol(symbol)
            .iter()
            .map(|to| to.conn)
            .collect();
        conns.sort_unstable();
        conns.dedup();
        let latency = self.setup.latency.market_data;
        for conn in conns {
            self.outbox.send(conn, message.clone(), now, latency);
        }
    }

    fn conns_of(&self, scope: FaultScope) -> Vec<super::ConnId> {
        let wanted = |kind: ConnKind| match scope {
            FaultScope::All => true,
            FaultScope::Streams => matches!(kind, ConnKind::Streams(_)),
            FaultScope::Api => kind == ConnKind::Api,
            FaultScope::Account => kind == ConnKind::Account,
        };
        self.conns
            .iter()
            .filter(|(_, conn)| wanted(conn.kind))
            .map(|(id, _)| id)
            .collect()
    }

    fn cut(&mut self, scope: FaultScope, now: UnixNanos) {
        for conn in self.conns_of(scope) {
            self.outbox
                .send(conn, Outgoing::Close, now, crate::units::Nanos::ZERO);
            self.conns.remove(conn, &mut self.markets);
        }
    }

    fn announce_shutdown(&mut self, now: UnixNanos) {
        let conns: Vec<_> = self
            .conns
            .iter()
            .map(|(id, conn)| (id, conn.kind, conn.combined))
            .collect();
        for (conn, kind, combined) in conns {
            let text = dialect::shutdown_text(kind, combined, now);
            self.outbox.send(
                conn,
                Outgoing::Text(text),
                now,
                self.setup.latency.market_data,
            );
        }
    }

    /// Cancels everything whose dead-man switch ran out.
    pub(crate) fn fire_countdowns(&mut self, now: UnixNanos) {
        let fired: Vec<(usize, usize)> = self
            .countdowns
            .iter()
            .filter(|entry| entry.2 <= now)
            .map(|entry| (entry.0, entry.1))
            .collect();
        self.countdowns.retain(|entry| entry.2 > now);
        for (account, symbol) in fired {
            for id in self.orders.open_of(account, Some(symbol)) {
                self.cancel(id, dialect::generated_client_id(id), now);
            }
        }
    }
}

/// Faults that take effect as they are injected; all others wait for their occasion, and count then.
const fn is_immediate(fault: &Fault) -> bool {
    match fault {
        Fault::CrossedBook { .. }
        | Fault::Silence { on: true, .. }
        | Fault::Cut(_)
        | Fault::AnnounceShutdown
        | Fault::Delay { .. }
        | Fault::Malformed { .. }
        | Fault::MalformedBytes { .. }
        | Fault::HoldSnapshots { on: true, .. }
        | Fault::Outage { .. } => true,
        Fault::DropDiffs { .. }
        | Fault::Silence { on: false, .. }
        | Fault::HoldSnapshots { on: false, .. }
        | Fault::RejectNext { .. }
        | Fault::SwallowAck
        | Fault::SwallowRequest
        | Fault::PartialFill { .. }
        | Fault::PositionPush { .. }
        | Fault::RestByHand { .. }
        | Fault::RateLimit { .. }
        | Fault::Ban { .. }
        | Fault::LateFills { .. }
        | Fault::RepeatFills { .. }
        | Fault::StaleAccount { .. }
        | Fault::VenueClose { .. } => false,
    }
}
