//! Binance stream names, connection targets and subscription messages.

use crate::exchanges::feed::FeedOptions;
use crate::exchanges::sync::SyncRule;

use super::fields::Shape;

/// Streams of one subscription message: five messages a second are allowed, so a thousand streams take one second.
const STREAMS_A_MESSAGE: usize = 200;

/// What differs between Binance's market-data dialects.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchanges) struct MarketDialect {
    pub(in crate::exchanges) shape: Shape,
    pub(in crate::exchanges) rule: SyncRule,
    pub(in crate::exchanges) lanes: &'static [Lane],
    pub(in crate::exchanges) snapshot_path: &'static str,
}

/// One connection: its path prefix and the streams that are delivered there.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchanges) struct Lane {
    pub(in crate::exchanges) prefix: &'static str,
    pub(in crate::exchanges) quotes: bool,
    pub(in crate::exchanges) depth: bool,
    pub(in crate::exchanges) trades: bool,
    pub(in crate::exchanges) agg_trades: bool,
    pub(in crate::exchanges) marks: bool,
}

impl Lane {
    /// Names of the streams wanted here, a symbol after the other.
    pub(in crate::exchanges) fn streams<'a>(
        &self,
        natives: impl Iterator<Item = &'a str>,
        options: &FeedOptions,
    ) -> Vec<String> {
        let wanted = &options.streams;
        let mut names = Vec::new();
        for native in natives {
            let symbol = native.to_ascii_lowercase();
            if self.quotes && wanted.quotes {
                names.push(format!("{symbol}@bookTicker"));
            }
            if self.depth && wanted.depth {
                names.push(format!("{symbol}@depth@{}", options.depth_speed));
            }
            if self.trades && wanted.trades {
                names.push(format!("{symbol}@trade"));
            }
            if self.agg_trades && wanted.agg_trades {
                names.push(format!("{symbol}@aggTrade"));
            }
            if self.marks && wanted.marks {
                names.push(format!("{symbol}@markPrice@{}", options.mark_speed));
            }
        }
        names
    }

    /// Path and query that subscribe by address.
    pub(in crate::exchanges) fn target(&self, streams: &[String]) -> String {
        format!(
            "{}/stream?streams={}",
            self.prefix,
            encoded(&streams.join("/"))
        )
    }

    /// Path of a connection that is subscribed by message.
    pub(in crate::exchanges) fn bare_target(&self) -> String {
        format!("{}/stream", self.prefix)
    }
}

/// Subscription messages with the request numbers `first_id`, `first_id + 1` and so on.
pub(in crate::exchanges) fn subscriptions(streams: &[String], first_id: u64) -> Vec<String> {
    streams
        .chunks(STREAMS_A_MESSAGE)
        .zip(first_id..)
        .map(|(chunk, id)| {
            serde_json::json!({ "method": "SUBSCRIBE", "params": chunk, "id": id }).to_string()
        })
        .collect()
}

/// Path and query of a depth snapshot.
pub(in crate::exchanges) fn snapshot_target(path: &str, native: &str, limit: u16) -> String {
    format!("{path}?symbol={}&limit={limit}", encoded(native))
}

/// Percent-encodes what is not plain in a path or query; `/` and `@` stay.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'@' | b'_' | b'-' | b'.' | b'!') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
