//! Connections and their subscriptions: who hears which stream, and who is logged on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::units::{Nanos, UnixNanos};

use super::market::Market;
use super::outbox::{ConnId, Outbox, Outgoing};

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    BookTicker,
    /// Diffs, batched over this span.
    Depth(Nanos),
    /// The best levels, complete, once a span.
    TopLevels(usize, Nanos),
    Trade,
    AggTrade,
    /// Mark price, each so many seconds.
    Mark(u64),
}

/// Class of a USD-M market connection; spot has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamClass {
    /// Spot: everything.
    All,
    Public,
    Market,
}

impl StreamClass {
    /// True when such a stream is delivered on a connection of this class.
    pub(crate) const fn carries(self, kind: StreamKind) -> bool {
        match kind {
            StreamKind::BookTicker
            | StreamKind::Depth(_)
            | StreamKind::TopLevels(..)
            | StreamKind::Trade => {
                matches!(self, Self::All | Self::Public)
            }
            StreamKind::AggTrade | StreamKind::Mark(_) => matches!(self, Self::All | Self::Market),
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnKind {
    /// Market streams.
    Streams(StreamClass),
    /// The WebSocket API.
    Api,
    /// Account events by listen key.
    Account,
}

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct Conn {
    pub(crate) kind: ConnKind,
    /// Streams: wrap payloads as `{"stream":..,"data":..}`.
    pub(crate) combined: bool,
    pub(crate) streams: Vec<Arc<str>>,
    /// API: account of `session.logon` and when it happened.
    pub(crate) session: Option<(usize, UnixNanos)>,
    /// Account whose events go here.
    pub(crate) user: Option<usize>,
    /// API: add `rateLimits` to answers.
    pub(crate) show_limits: bool,
    control_second: i64,
    control_count: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) conn: ConnId,
    pub(crate) name: Arc<str>,
    pub(crate) kind: StreamKind,
}

/// All connections and, by symbol, who hears what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conns {
    conns: BTreeMap<ConnId, Conn>,
    by_symbol: Vec<Vec<Subscription>>,
    next: u64,
}

impl Conns {
    pub(crate) fn new(symbols: usize) -> Self {
        Self {
            conns: BTreeMap::new(),
            by_symbol: vec![Vec::new(); symbols],
            next: 1,
        }
    }
    pub(crate) fn open(&mut self, kind: ConnKind, combined: bool) -> ConnId {
        let id = ConnId(self.next);
        self.next += 1;
        let conn = Conn {
            kind,
            combined,
            streams: Vec::new(),
            session: None,
            user: None,
            show_limits: true,
            control_second: 0,
            control_count: 0,
        };
        self.conns.insert(id, conn);
        id
    }
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.conns.get(&id)
    }
    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(&id)
    }
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.conns.iter().map(|(&id, conn)| (id, conn))
    }
    pub(crate) fn remove(&mut self, id: ConnId, markets: &mut [Market]) {
        self.conns.remove(&id);
        for symbol in 0..self.by_symbol.len() {
            self.forget(symbol, markets, |subscription| subscription.conn == id);
        }
    }

    /// Counts one control message; false when the connection sent more than `limit` this second.
    pub(crate) fn count_control(&mut self, id: ConnId, now: UnixNanos, limit: u32) -> bool {
        let Some(conn) = self.conns.get_mut(&id) else {
            return true;
        };
        let second = now.0.div_euclid(1_000_000_000);
        if conn.control_second != second {
            (conn.control_second, conn.control_count) = (second, 0);
        }
        conn.control_count += 1;
        limit == 0 || conn.control_count <= limit
    }

    /// Subscribes to a stream of a symbol; `symbol` is `None` when it is unknown (acknowledged, silent).
    pub(crate) fn subscribe(
        &mut self,
        id: ConnId,
        name: &str,
        target: Option<(usize, StreamKind)>,
        markets: &mut [Market],
    ) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if conn.streams.iter().any(|known| &**known == name) {
            return;
        }
        let name: Arc<str> = Arc::from(name);
        conn.streams.push(Arc::clone(&name));
        let ConnKind::Streams(class) = conn.kind else {
            return;
        };
        let Some((symbol, kind)) = target.filter(|(_, kind)| class.carries(*kind)) else {
            return;
        };
        let Some((list, market)) = self.by_symbol.get_mut(symbol).zip(markets.get_mut(symbol))
        else {
            return;
        };
        match kind {
            StreamKind::Depth(every) | StreamKind::TopLevels(_, every) => {
                market.ensure_batch(every);
            }
            StreamKind::BookTicker
            | StreamKind::Trade
            | StreamKind::AggTrade
            | StreamKind::Mark(_) => {}
        }
        list.push(Subscription {
            conn: id,
            name,
            kind,
        });
    }

    pub(crate) fn unsubscribe(&mut self, id: ConnId, name: &str, markets: &mut [Market]) {
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.streams.retain(|known| &**known != name);
        }
        for symbol in 0..self.by_symbol.len() {
            self.forget(symbol, markets, |subscription| {
                subscription.conn == id && &*subscription.name == name
            });
        }
    }

    fn forget(
        &mut self,
        symbol: usize,
        markets: &mut [Market],
        gone: impl Fn(&Subscription) -> bool,
    ) {
        let Some((list, market)) = self.by_symbol.get_mut(symbol).zip(markets.get_mut(symbol))
        else {
            return;
        };
        list.retain(|subscription| !gone(subscription));
        let spans: Vec<Nanos> = market.batches.iter().map(|batch| batch.every).collect();
        for every in spans {
            let heard = list
                .iter()
                .any(|subscription| span_of(subscription.kind) == Some(every));
            if !heard {
                market.drop_batch(every);
            }
        }
    }

    /// Subscriptions of a symbol.
    pub(crate) fn of_symbol(&self, symbol: usize) -> &[Subscription] {
        self.by_symbol.get(symbol).map_or(&[], Vec::as_slice)
    }
    /// True when somebody hears such a stream of the symbol.
    pub(crate) fn is_heard(&self, symbol: usize, wanted: impl Fn(StreamKind) -> bool) -> bool {
        self.of_symbol(symbol)
            .iter()
            .any(|subscription| wanted(subscription.kind))
    }

    /// Sends a payload to everybody who hears such a stream of the symbol.
    pub(crate) fn publish(
        &self,
        outbox: &mut Outbox,
        (symbol, now, latency): (usize, UnixNanos, Nanos),
        data: &str,
        wanted: impl Fn(&Subscription) -> bool,
    ) {
        for subscription in self
            .of_symbol(symbol)
            .iter()
            .filter(|subscription| wanted(subscription))
        {
            let combined = self
                .conns
                .get(&subscription.conn)
                .is_some_and(|conn| conn.combined);
            let text = if combined {
                envelope(&subscription.name, data)
            } else {
                data.to_owned()
            };
            outbox.send(subscription.conn, Outgoing::Text(text), now, latency);
        }
    }
}

const fn span_of(kind: StreamKind) -> Option<Nanos> {
    match kind {
        StreamKind::Depth(every) | StreamKind::TopLevels(_, every) => Some(every),
        StreamKind::BookTicker | StreamKind::Trade | StreamKind::AggTrade | StreamKind::Mark(_) => {
            None
        }
    }
}

/// `{"stream":"<name>","data":<data>}`, the data byte for byte.
pub(crate) fn envelope(name: &str, data: &str) -> String {
    let mut text = String::with_capacity(name.len() + data.len() + 24);
    text.push_str("{\"stream\":\"");
    text.push_str(name);
    text.push_str("\",\"data\":");
    text.push_str(data);
    text.push('}');
    text
}
