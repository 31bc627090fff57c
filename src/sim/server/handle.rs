//! What the outside holds of a running server: addresses, faults, truth, counters, the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use crate::sim::tape::MarketChange;
use crate::sim::venue::{Fault, Truth};

/// A wish of the outside.
#[derive(Debug)]
pub(super) enum Control {
    Inject(Fault),
    Play(usize, MarketChange),
    Truth(usize, std::sync::mpsc::Sender<Truth>),
    Stop,
}

/// Counters both sides see. Relaxed: each is a number of its own, nothing is published through them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) tape_done: AtomicBool,
    pub(super) tape_events: AtomicU64,
    pub(super) connections_opened: AtomicU64,
    pub(super) slow_clients: AtomicU64,
    pub(super) messages_sent: AtomicU64,
    pub(super) messages_waiting: AtomicU64,
    pub(super) messages_received: AtomicU64,
    pub(super) http_requests: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

/// What a server has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerStatus {
    /// The tape was played to its end (never for a model's).
    pub tape_done: bool,
    /// Events played.
    pub tape_events: u64,
    /// WebSocket connections opened.
    pub connections_opened: u64,
    /// Clients cut because they did not read.
    pub slow_clients: u64,
    /// Messages written to sockets.
    pub messages_sent: u64,
    /// Messages waiting in connections' queues.
    pub messages_waiting: u64,
    /// Text messages of clients.
    pub messages_received: u64,
    /// HTTP requests answered.
    pub http_requests: u64,
}

/// A simulated venue that serves. Dropping it stops it.
#[derive(Debug)]
pub struct VenueServer {
    http: SocketAddr,
    ws: SocketAddr,
    control: UnboundedSender<Control>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl VenueServer {
    pub(super) const fn of(
        http: SocketAddr,
        ws: SocketAddr,
        control: UnboundedSender<Control>,
        counters: Arc<Counters>,
        thread: JoinHandle<()>,
    ) -> Self {
        Self {
            http,
            ws,
            control,
            counters,
            thread: Some(thread),
        }
    }

    /// Address of the REST API.
    #[must_use]
    pub const fn http(&self) -> SocketAddr {
        self.http
    }
    /// Address of all WebSockets.
    #[must_use]
    pub const fn ws(&self) -> SocketAddr {
        self.ws
    }
    /// `http://host:port`.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }
    /// `ws://host:port`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.ws)
    }

    /// Misbehaves as asked. Nothing happens after the end.
    pub fn inject(&self, fault: Fault) {
        // A send fails only when the server has ended.
        drop(self.control.send(Control::Inject(fault)));
    }

    /// Lets one thing happen on the market of a symbol now, after everything asked before. For scripts; a market with a
    /// life of its own plays a tape. Nothing happens after the end.
    pub fn play(&self, symbol: usize, change: MarketChange) {
        // A send fails only when the server has ended.
        drop(self.control.send(Control::Play(symbol, change)));
    }

    /// The venue's own knowledge of an account; `None` after the end. Waits for the venue's thread.
    #[must_use]
    pub fn truth(&self, account: usize) -> Option<Truth> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.control.send(Control::Truth(account, sender)).ok()?;
        receiver.recv().ok()
    }

    /// Counters as they stand.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        let counters = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerStatus {
            tape_done: counters.tape_done.load(Ordering::Relaxed),
            tape_events: read(&counters.tape_events),
            connections_opened: read(&counters.connections_opened),
            slow_clients: read(&counters.slow_clients),
            messages_sent: read(&counters.messages_sent),
            messages_waiting: read(&counters.messages_waiting),
            messages_received: read(&counters.messages_received),
            http_requests: read(&counters.http_requests),
        }
    }

    /// True once the tape was played to its end.
    #[must_use]
    pub fn tape_done(&self) -> bool {
        self.status().tape_done
    }

    /// Closes all connections and ends the thread.
    pub fn stop(mut self) -> ServerStatus {
        self.end();
        self.status()
    }

    fn end(&mut self) {
        drop(self.control.send(Control::Stop));
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed there; stopping goes on.
            drop(thread.join());
        }
    }
}

impl Drop for VenueServer {
    fn drop(&mut self) {
        self.end();
    }
}
