//! How the venues are reached: transports, their lists of instruments, the feed connections.

use std::sync::Arc;

use crate::config::Settings;
use crate::config::settings::VenueSettings;
use crate::exchanges::feed::Feed;
use crate::exchanges::rules::RuleBook;
use crate::exchanges::secret::Credentials;
use crate::exchanges::session::http_client;
use crate::exchanges::socket::{SocketError, tls_config};
use crate::market::VenueId;

use super::link::{Transport, fetch};
use super::system::StartError;

pub(super) fn transports(
    settings: &Settings,
    credentials: &[Option<Credentials>],
) -> Result<Vec<Transport>, StartError> {
    let tls =
        tls_config().map_err(|error: SocketError| StartError::Transport(error.to_string()))?;
    let http = http_client(&tls).map_err(|error| StartError::Transport(error.to_string()))?;
    Ok(settings
        .venues()
        .iter()
        .enumerate()
        .map(|(index, venue)| Transport {
            tls: Arc::clone(&tls),
            http: http.clone(),
            rest_base: venue.rest_url.clone(),
            api_key: credentials
                .get(index)
                .and_then(Option::as_ref)
                .map(|key| key.api_key().to_owned()),
        })
        .collect())
}

pub(super) async fn rule_books(
    settings: &Settings,
    transports: &[Transport],
) -> Result<Vec<RuleBook>, StartError> {
    let mut books = Vec::with_capacity(transports.len());
    for (venue, transport) in settings.venues().iter().zip(transports) {
        books.push(rule_book(venue, transport).await?);
    }
    Ok(books)
}

/// Reads one venue's rules.
pub(super) async fn rule_book(
    venue: &VenueSettings,
    transport: &Transport,
) -> Result<RuleBook, StartError> {
    let natives: Vec<String> = venue
        .symbols
        .iter()
        .map(|symbol| venue.dialect.native_guess(symbol))
        .collect();
    let natives: Vec<&str> = natives.iter().map(String::as_str).collect();
    let url = format!(
        "{}{}",
        transport.rest_base,
        RuleBook::target(venue.dialect, &natives)
    );
    let answer = fetch(transport.http.get(&url)).await;
    if answer.status != 200 {
        return Err(StartError::Unreachable {
            venue: venue.id.clone(),
            url,
            status: answer.status,
        });
    }
    RuleBook::parse(venue.dialect, &answer.body).map_err(|error| StartError::Rules {
        venue: venue.id.clone(),
        error,
    })
}

/// Every feed connection: venue, lane, name.
pub(super) fn feed_names(settings: &Settings) -> Vec<(VenueId, usize, String)> {
    let mut feeds = Vec::new();
    for (venue, configured) in (0_u8..).map(VenueId).zip(settings.venues()) {
        let lanes = Feed::lanes(configured.dialect);
        for lane in 0..lanes {
            let name = if lanes == 1 {
                configured.id.clone()
            } else {
                format!("{}_{lane}", configured.id)
            };
            feeds.push((venue, lane, name));
        }
    }
    feeds
}
