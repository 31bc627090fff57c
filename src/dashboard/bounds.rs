//! How long and how many: what one connection may take from the server.

use std::time::Duration;

/// Bounds of every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From the connection to the end of the headers; the server's own clock is up to half a second coarse, so not shorter
    /// than a second.
    pub head: Duration,
    /// From the headers to the end of the body.
    pub body: Duration,
    /// For the engine's answer. What was asked goes on without the asker, and the engine writes down how it ended.
    pub engine: Duration,
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Time before a refusal without a right signature is answered.
    pub delay: Duration,
    /// Refusals that wait so at once; fewer than `connections`, so that a signed request finds a place.
    pub delayed_max: usize,
    /// Open pages (metrics, status, the page) go one in this time, after a few at once: a flood of them waits.
    pub open_every: Duration,
    /// Above them a connection is closed without an answer, at most one in this time.
    pub close_every: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(2),
            body: Duration::from_secs(2),
            engine: Duration::from_secs(10),
            connections: 128,
            delay: Duration::from_millis(500),
            delayed_max: 64,
            open_every: Duration::from_millis(10),
            close_every: Duration::from_millis(10),
        }
    }
}
