//! The HTTP client of a venue: bounded in time, never redirected, certificates always verified.
//!
//! WebSocket connections are `socket.rs`; what goes through either is the machines' matter.

use std::sync::Arc;
use std::time::Duration;

/// Making a connection takes no longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A whole request takes no longer: a deep snapshot over a slow line included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections are kept this long; venues close them after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[error("http client was not usable: {0}")]
pub struct HttpClientError(#[from] reqwest::Error);

/// A client for one venue. It follows no redirect: a signed request must not be carried to another address.
///
/// # Errors
/// [`HttpClientError`] when the settings are not accepted.
pub fn http_client(tls: &Arc<rustls::ClientConfig>) -> Result<reqwest::Client, HttpClientError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(rustls::ClientConfig::clone(tls))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .no_proxy()
        .http1_only()
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_settings_of_the_sockets_fit_the_client() {
        let tls = crate::exchanges::socket::tls_config().unwrap();
        assert!(http_client(&tls).is_ok());
    }
}
