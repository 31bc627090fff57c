//! Where a WebSocket connection goes, by its path and query; and stream names.

use crate::exchanges::Dialect;
use crate::sim::venue::conn::{ConnKind, StreamClass, StreamKind};
use crate::sim::venue::{ConnId, HttpReply, VenueCore};
use crate::units::{Nanos, UnixNanos};

use super::params::Params;

fn refused(status: u16, message: &str) -> HttpReply {
    HttpReply {
        status,
        headers: Vec::new(),
        body: super::error::ApiError::new(-1000, message).body(),
    }
}

/// What a venue under maintenance answers to everything: a page for people, not JSON.
pub(crate) fn maintenance() -> HttpReply {
    HttpReply {
        status: 503,
        headers: Vec::new(),
        body: "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
            .to_owned(),
    }
}

/// Opens a connection.
///
/// Spot: `/ws[/<stream>..]`, `/stream[?streams=a/b]`, `/ws-api/v3`. USD-M: the same below `/public` and `/market`, account
/// events on `/private/ws[/<listenKey>][?listenKey=]`, `/ws-fapi/v1`. Path parts without `@` that follow are connection
/// labels of a client library and mean nothing; with such a label `/stream/..` is a raw connection.
pub(crate) fn open(
    core: &mut VenueCore,
    target: &str,
    now: UnixNanos,
) -> Result<ConnId, HttpReply> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let params = Params::from_http(query, "");
    if parts
        .iter()
        .any(|part| *part == "ws-api" || *part == "ws-fapi")
    {
        let id = core.conns.open(ConnKind::Api, false);
        if let Some(conn) = core.conns.get_mut(id) {
            conn.show_limits = params.get("returnRateLimits") != Some("false");
        }
        return Ok(id);
    }
    let class = match (core.dialect(), parts.first().copied()) {
        (Dialect::BinanceSpot, _) => StreamClass::All,
        (Dialect::BinanceUsdm, Some("public")) => StreamClass::Public,
        (Dialect::BinanceUsdm, Some("market")) => StreamClass::Market,
        (Dialect::BinanceUsdm, Some("private")) => return open_private(core, &parts, &params, now),
        (Dialect::BinanceUsdm, _) => {
            return Err(refused(404, "Un-routed stream paths are retired."));
        }
    };
    let is_stream_path = parts.last().copied() == Some("stream");
    let known = parts.iter().any(|part| *part == "ws" || *part == "stream");
    if !known {
        return Err(refused(404, "Unknown path."));
    }
    let id = core.conns.open(ConnKind::Streams(class), is_stream_path);
    let listed = params.get("streams").unwrap_or_default();
    for name in listed
        .split('/')
        .chain(parts)
        .filter(|name| name.contains('@'))
    {
        subscribe(core, id, name);
    }
    Ok(id)
}

fn open_private(
    core: &mut VenueCore,
    parts: &[&str],
    params: &Params,
    now: UnixNanos,
) -> Result<ConnId, HttpReply> {
    let in_path = parts
        .iter()
        .skip(1)
        .find(|part| **part != "ws" && **part != "stream")
        .copied();
    let key = params.get("listenKey").or(in_path).unwrap_or_default();
    let account = core
        .listen_keys
        .iter()
        .position(|known| {
            known
                .as_ref()
                .is_some_and(|known| known.key == key && known.expires > now)
        })
        .ok_or_else(|| refused(400, "This listenKey does not exist."))?;
    let id = core.conns.open(ConnKind::Account, false);
    if let Some(conn) = core.conns.get_mut(id) {
        conn.user = Some(account);
    }
    Ok(id)
}

/// Subscribes a connection to one stream name.
pub(crate) fn subscribe(core: &mut VenueCore, conn: ConnId, name: &str) {
    let target = parse_stream(core.dialect(), name)
        .and_then(|(native, kind)| core.symbol_index(&native).map(|symbol| (symbol, kind)));
    core.conns.subscribe(conn, name, target, &mut core.markets);
}

/// Symbol in upper case and kind of a stream name; `None` when it is no stream this venue has.
pub(crate) fn parse_stream(dialect: Dialect, name: &str) -> Option<(String, StreamKind)> {
    let mut parts = name.split('@');
    let symbol = parts.next()?;
    // Stream names are lower case; another spelling is acknowledged and silent.
    if symbol != symbol.to_lowercase() {
        return None;
    }
    let kind = parts.next()?;
    let suffix = parts.next();
    let kind = match kind {
        "bookTicker" => StreamKind::BookTicker,
        "trade" => StreamKind::Trade,
        "aggTrade" => StreamKind::AggTrade,
        "markPrice" if dialect == Dialect::BinanceUsdm => {
            StreamKind::Mark(if suffix == Some("1s") { 1 } else { 3 })
        }
        _ => {
            let levels = kind.strip_prefix("depth")?;
            let every = depth_span(dialect, suffix)?;
            if levels.is_empty() {
                StreamKind::Depth(every)
            } else {
                let levels = levels
                    .parse()
                    .ok()
                    .filter(|levels| matches!(levels, 5 | 10 | 20))?;
                StreamKind::TopLevels(levels, every)
            }
        }
    };
    Some((symbol.to_uppercase(), kind))
}

fn depth_span(dialect: Dialect, suffix: Option<&str>) -> Option<Nanos> {
    let millis = match (dialect, suffix) {
        (Dialect::BinanceSpot, None | Some("1000ms")) => 1_000,
        (_, Some("100ms")) => 100,
        (Dialect::BinanceUsdm, None | Some("250ms")) => 250,
        (Dialect::BinanceUsdm, Some("500ms")) => 500,
        // Undocumented, in the recordings: at once. A model's diffs then come each millisecond.
        (Dialect::BinanceUsdm, Some("0ms")) => 1,
        _ => return None,
    };
    Some(Nanos::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_of_both_dialects() {
        let spot = |name| parse_stream(Dialect::BinanceSpot, name);
        let usdm = |name| parse_stream(Dialect::BinanceUsdm, name);
        assert_eq!(
            spot("btcusdt@depth@100ms"),
            Some((
                "BTCUSDT".to_owned(),
                StreamKind::Depth(Nanos::from_millis(100))
            ))
        );
        assert_eq!(
            spot("btcusdt@depth"),
            Some(("BTCUSDT".to_owned(), StreamKind::Depth(Nanos::from_secs(1))))
        );
        assert_eq!(spot("btcusdt@markPrice@1s"), None);
        assert_eq!(spot("BTCUSDT@trade"), None);
        assert_eq!(
            usdm("btcusdt@depth"),
            Some((
                "BTCUSDT".to_owned(),
                StreamKind::Depth(Nanos::from_millis(250))
            ))
        );
        assert_eq!(
            usdm("ethusdt@markPrice@1s"),
            Some(("ETHUSDT".to_owned(), StreamKind::Mark(1)))
        );
        assert_eq!(
            usdm("ethusdt@depth5@500ms"),
            Some((
                "ETHUSDT".to_owned(),
                StreamKind::TopLevels(5, Nanos::from_millis(500))
            ))
        );
        assert_eq!(usdm("ethusdt@kline_1m"), None);
    }
}
