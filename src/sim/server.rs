//! The simulated venue on real loopback sockets: one thread, one venue, WebSockets and HTTP, and a tape that plays.
//!
//! The thread owns the [`VenueCore`]; connections call it directly (everything lives on one thread), a player feeds it the
//! tape, and a driver calls [`VenueCore::advance`] when something is due. Timers of the runtime have a grain of one
//! millisecond: set latencies are kept from below, not to the microsecond.

mod driver;
mod handle;
mod http;
mod player;
mod queue;
mod shared;
mod ws;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

pub use handle::{ServerStatus, VenueServer};

use crate::sim::tape::Tape;
use crate::sim::venue::VenueCore;

use handle::{Control, Counters};

/// How fast a tape plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every event at its time.
    RealTime,
    /// Times as fast; zero counts as one.
    Times(u32),
    /// As fast as the clients take it: a full queue holds the tape, nothing is dropped.
    Max,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {purpose}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// `HTTP` or `WebSocket`.
        purpose: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The thread cannot be made.
    #[error("cannot start the venue's thread: {0}")]
    Thread(std::io::Error),
}

fn bind(
    address: SocketAddr,
    purpose: &'static str,
) -> Result<(TcpListener, SocketAddr), ServerError> {
    let fail = |source| ServerError::Bind {
        address,
        purpose,
        source,
    };
    let listener = TcpListener::bind(address).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

impl VenueServer {
    /// Listens on both addresses (port 0 picks a free one) and serves until [`VenueServer::stop`].
    ///
    /// A recorded tape waits until every symbol's depth stream has a subscriber, or 10 s after the first subscriber of
    /// any; at a recorded snapshot it waits until that symbol's depth was requested, at most 5 s. A modelled tape whose
    /// first instant lies near now plays at its own instants (so several venues stay together), any other from now on.
    ///
    /// # Errors
    /// [`ServerError`] when an address is taken or the thread cannot be made.
    pub fn start(
        core: VenueCore,
        tape: Option<Box<dyn Tape + Send>>,
        pace: Pace,
        http: SocketAddr,
        ws: SocketAddr,
    ) -> Result<Self, ServerError> {
        let (http_listener, http) = bind(http, "HTTP")?;
        let (ws_listener, ws) = bind(ws, "WebSocket")?;
        let counters = Arc::new(Counters::default());
        let (control, inbox) = tokio::sync::mpsc::unbounded_channel::<Control>();
        let work = driver::Work {
            core,
            tape,
            pace,
            http_listener,
            ws_listener,
            inbox,
            counters: Arc::clone(&counters),
        };
        let thread: JoinHandle<()> = std::thread::Builder::new()
            .name(String::from("venue"))
            .spawn(move || driver::run(work))
            .map_err(ServerError::Thread)?;
        Ok(Self::of(http, ws, control, counters, thread))
    }
}
