//! One WebSocket connection, polled by its owner: the only client-side file that knows WebSockets.
//!
//! The owner (an actor) polls for frames and writes without a task between: a text is handed to the socket in the same
//! call when the kernel takes it. TCP_NODELAY is on, sizes are bounded by `capacity.rs`, certificates are always verified.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use crate::capacity::{FRAME_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Texts waiting because the kernel's buffer was full; beyond it the connection counts as lost.
const BACKLOG_TEXTS_MAX: usize = 1_024;

/// Longest time for DNS, TCP, TLS and the upgrade together.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Whether trying again can help, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// After a growing, jittered pause.
    Backoff,
    /// Not before a person changed something.
    Never,
}

/// Why a connection could not be made or was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The address is no WebSocket address.
    #[error("address was not ws:// or wss://: {0}")]
    BadAddress(String),
    /// DNS, TCP or TLS failed.
    #[error("connection failed: {0}")]
    Connect(String),
    /// The connection was not there in time.
    #[error("connection was not made within {} s", CONNECT_WITHIN.as_secs())]
    TimedOut,
    /// The other side refused the upgrade.
    #[error("upgrade was refused with status {0}")]
    Refused(u16),
    /// A frame or message was larger than allowed.
    #[error("message was larger than allowed")]
    TooLarge,
    /// A text was not UTF-8.
    #[error("text was not UTF-8")]
    NotUtf8,
    /// The bytes were no valid WebSocket traffic.
    #[error("protocol was violated: {0}")]
    Protocol(String),
    /// The other side closed.
    #[error("connection was closed")]
    Closed,
    /// We could not write fast enough.
    #[error("write backlog was full")]
    BacklogFull,
}

impl SocketError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::BadAddress(_) => "bad_address",
            Self::Connect(_) => "connect",
            Self::TimedOut => "timed_out",
            Self::Refused(_) => "refused",
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::Protocol(_) => "protocol",
            Self::Closed => "closed",
            Self::BacklogFull => "backlog_full",
        }
    }
    /// Whether trying again can help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::BadAddress(_) => Retry::Never,
            Self::Connect(_)
            | Self::TimedOut
            | Self::Refused(_)
            | Self::TooLarge
            | Self::NotUtf8
            | Self::Protocol(_)
            | Self::Closed
            | Self::BacklogFull => Retry::Backoff,
        }
    }
}

fn lost(error: tungstenite::Error) -> SocketError {
    use tungstenite::Error as E;
    match error {
        E::ConnectionClosed | E::AlreadyClosed => SocketError::Closed,
        E::Capacity(_) => SocketError::TooLarge,
        E::Http(response) => SocketError::Refused(response.status().as_u16()),
        E::Url(error) => SocketError::BadAddress(error.to_string()),
        E::Utf8(_) => SocketError::NotUtf8,
        E::Protocol(error) => SocketError::Protocol(error.to_string()),
        other @ (E::Io(_)
        | E::Tls(_)
        | E::WriteBufferFull(_)
        | E::AttackAttempt
        | E::HttpFormat(_)) => SocketError::Connect(other.to_string()),
    }
}

/// A frame's text, owned without a copy.
pub type FrameText = Utf8Bytes;

/// One open connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    backlog: VecDeque<String>,
    needs_flush: bool,
}

/// The TLS settings of every connection: the system's roots, and those in the file that `SSL_CERT_FILE` names.
///
/// # Errors
/// [`SocketError::Connect`] when TLS cannot be set up, or that file cannot be read.
pub fn tls_config() -> Result<Arc<rustls::ClientConfig>, SocketError> {
    let mut roots = rustls::RootCertStore::empty();
    for file in [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ] {
        if let Ok(certificates) = CertificateDer::pem_file_iter(file) {
            roots.add_parsable_certificates(certificates.flatten());
        }
    }
    if let Some(file) = std::env::var_os("SSL_CERT_FILE") {
        let certificates = CertificateDer::pem_file_iter(&file).map_err(|error| {
            let file = file.to_string_lossy();
            SocketError::Connect(format!("SSL_CERT_FILE {file} cannot be read: {error}"))
        })?;
        roots.add_parsable_certificates(certificates.flatten());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SocketError::Connect(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Socket {
    /// Connects to `ws://` or `wss://`.
    ///
    /// # Errors
    /// [`SocketError`]; nothing is retried here.
    pub async fn connect(url: &str, tls: Arc<rustls::ClientConfig>) -> Result<Self, SocketError> {
        if !(url.starts_with("ws://") || url.starts_with("wss://")) {
            return Err(SocketError::BadAddress(url.chars().take(80).collect()));
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(64 << 10)
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        let connector = Connector::Rustls(tls);
        let connecting = connect_async_tls_with_config(url, Some(config), true, Some(connector));
        let (stream, _) = match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(connected) => connected.map_err(lost)?,
            Err(_elapsed) => return Err(SocketError::TimedOut),
        };
        Ok(Self {
            stream,
            backlog: VecDeque::new(),
            needs_flush: false,
        })
    }

    /// The next text; pings are answered and other frames skipped. An error ends the connection.
    pub fn poll_text(&mut self, context: &mut Context<'_>) -> Poll<Result<FrameText, SocketError>> {
        loop {
            match std::pin::Pin::new(&mut self.stream).poll_next(context) {
                Poll::Ready(Some(Ok(Message::Text(text)))) => return Poll::Ready(Ok(text)),
                Poll::Ready(Some(Ok(Message::Ping(_)))) => {
                    // The library queued the pong; it leaves with the flush.
                    self.needs_flush = true;
                    if let Err(error) = self.poll_flush(context) {
                        return Poll::Ready(Err(error));
                    }
                }
                Poll::Ready(Some(Ok(Message::Close(_))) | None) => {
                    return Poll::Ready(Err(SocketError::Closed));
                }
                Poll::Ready(Some(Ok(
                    Message::Binary(_) | Message::Pong(_) | Message::Frame(_),
                ))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Writes what waits. Call whenever polled.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Result<(), SocketError> {
        while let Some(text) = self.backlog.front() {
            match std::pin::Pin::new(&mut self.stream).poll_ready(context) {
                Poll::Ready(Ok(())) => {
                    let message = Message::text(text.as_str());
                    std::pin::Pin::new(&mut self.stream)
                        .start_send(message)
                        .map_err(lost)?;
                    self.backlog.pop_front();
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => return Err(lost(error)),
                Poll::Pending => return Ok(()),
            }
        }
        if self.needs_flush {
            match std::pin::Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.needs_flush = false,
                Poll::Ready(Err(error)) => return Err(lost(error)),
                Poll::Pending => {}
            }
        }
        Ok(())
    }

    /// Hands a text to the kernel now if it takes it, else keeps it for [`Socket::poll_flush`].
    ///
    /// # Errors
    /// The connection is lost, or the backlog is full.
    pub fn send(&mut self, text: String) -> Result<(), SocketError> {
        if self.backlog.len() >= BACKLOG_TEXTS_MAX {
            return Err(SocketError::BacklogFull);
        }
        self.backlog.push_back(text);
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.poll_flush(&mut context)
    }

    /// True when something still waits to be written: poll again.
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        self.needs_flush || !self.backlog.is_empty()
    }
}
