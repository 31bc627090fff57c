//! Reads `venues.toml`.

use std::path::PathBuf;

use rust_decimal::Decimal;

use crate::capacity::{INSTRUMENTS_MAX, VENUES_MAX};
use crate::exchanges::Dialect;
use crate::market::{InstrumentKind, Symbol, VenueId};
use crate::units::Asset;

use super::document::{Document, Report};
use super::schema;
use super::settings::{FeeDiscount, KeySettings, KeySource, VenueSettings};
use super::table::{Item, Table};

/// What is known of a venue even when some of its settings are wrong, so that the other files can be checked against it.
#[derive(Debug, Clone)]
pub struct VenueDraft {
    /// Its name and where it stands.
    pub id: Option<Item>,
    /// Its symbols and where they stand.
    pub symbols: Vec<(Symbol, Item)>,
    /// All of it, if nothing is wrong.
    pub settings: Option<VenueSettings>,
}

/// The venue whose id this is.
#[must_use]
pub fn find(venues: &[VenueDraft], id: &str) -> Option<(VenueId, usize)> {
    let index = venues
        .iter()
        .position(|venue| venue.id.as_ref().is_some_and(|known| known.text == id))?;
    u8::try_from(index)
        .ok()
        .map(|number| (VenueId(number), index))
}

/// All venues of the file, in order.
pub fn read(document: &Document, report: &mut Report) -> Vec<VenueDraft> {
    let entries = document.parse(report);
    let top = Table::top(&schema::VENUES, document, &entries, report);
    let tables = top.tables("venue", &schema::VENUE, report);
    let mut venues: Vec<VenueDraft> = Vec::new();
    for table in &tables {
        let draft = read_venue(table, report);
        if let Some(id) = &draft.id
            && find(&venues, &id.text).is_some()
        {
            table.wrong(
                "id",
                "is used twice",
                "give every venue instance its own id",
                report,
            );
        }
        venues.push(draft);
    }
    if venues.len() > VENUES_MAX {
        top.wrong(
            "venue",
            format!("has more than {VENUES_MAX} venues"),
            "remove some",
            report,
        );
    }
    let instruments: usize = venues.iter().map(|venue| venue.symbols.len()).sum();
    if instruments > INSTRUMENTS_MAX {
        top.wrong(
            "venue",
            format!("has more than {INSTRUMENTS_MAX} symbols in all"),
            "remove some",
            report,
        );
    }
    venues
}

/// A name of ours: in metrics labels, limits and strategies.
pub(super) fn read_id(table: &Table<'_>, report: &mut Report) -> Option<Item> {
    let text = table.text("id", report)?;
    let fits = text.len() <= 24
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !fits {
        let rule = "must be at most 24 lower-case letters, digits or _";
        table.wrong("id", rule, "write an id like \"spot_a\"", report);
        return None;
    }
    Some(Item {
        text,
        place: table.place("id"),
    })
}

fn read_venue(table: &Table<'_>, report: &mut Report) -> VenueDraft {
    let id = read_id(table, report);
    let dialect = table.choice("dialect", report).and_then(Dialect::parse);
    let symbols = read_symbols(table, dialect, report);
    let settings = read_rest(table, id.as_ref(), dialect, &symbols, report);
    VenueDraft {
        id,
        symbols,
        settings,
    }
}

fn read_rest(
    table: &Table<'_>,
    id: Option<&Item>,
    dialect: Option<Dialect>,
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Option<VenueSettings> {
    let simulated = table.flag("simulated", report);
    let simulated_latency = table.nanos("simulated_latency_us", report);
    let public = dialect.map_or(["", "", ""], public_addresses);
    let rest_url = read_url(table, "rest_url", "http", public[0], report);
    let ws_url = read_url(table, "ws_url", "ws", public[1], report);
    let ws_api_url = read_url(table, "ws_api_url", "ws", public[2], report);
    let fees = table.table("fees", &schema::FEES, report);
    let fees = fees.map(|fees| {
        (
            fees.ppm("taker_fee_bps", report),
            fees.ppm("maker_fee_bps", report),
            read_discount(&fees, symbols, report),
        )
    });
    let mut keys = |name: &str| {
        table
            .has(name)
            .then(|| read_keys(table, name, report))
            .flatten()
    };
    let (keys, watchdog_keys) = (keys("keys"), keys("watchdog_keys"));
    let balances = read_balances(table, "balances", report);
    let withdraw_fees = read_balances(table, "withdraw_fees", report);
    let withdraw_time = table.nanos("withdraw_time_s", report);
    if simulated == Some(true) {
        for key in ["rest_url", "ws_url", "ws_api_url", "keys", "watchdog_keys"] {
            if table.has(key) {
                let rule = "contradicts simulated = true: the process gives a simulated venue its addresses and keys";
                table.wrong(key, rule, "remove one of the two", report);
            }
        }
    } else if table.has("balances") {
        table.wrong(
            "balances",
            "are for simulated venues only",
            "remove them or set simulated = true",
            report,
        );
    }
    let (taker_fee, maker_fee, fee_discount) = fees?;
    Some(VenueSettings {
        id: id?.text.clone(),
        dialect: dialect?,
        symbols: symbols.iter().map(|(symbol, _)| *symbol).collect(),
        simulated: simulated?,
        simulated_latency: simulated_latency?,
        rest_url: rest_url?,
        ws_url: ws_url?,
        ws_api_url: ws_api_url?,
        taker_fee: taker_fee?,
        maker_fee: maker_fee?,
        fee_discount: fee_discount?,
        keys,
        watchdog_keys,
        withdraw_fees,
        withdraw_time,
        balances,
    })
}

/// `None` when something is wrong (then reported).
#[expect(
    clippy::option_option,
    reason = "wrong, absent and present are three answers"
)]
fn read_discount(
    fees: &Table<'_>,
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Option<Option<FeeDiscount>> {
    let keys = ["fee_discount_ratio", "min_fee_asset_quote"];
    if !fees.has("fee_asset") {
        for key in keys.into_iter().filter(|key| fees.has(key)) {
            let rule = "says nothing without fee_asset";
            fees.wrong(key, rule, "name the asset, or remove this", report);
        }
        return Some(None);
    }
    let [discount, floor] = keys.map(|key| fees.number(key, report));
    let text = fees.text("fee_asset", report)?;
    let asset = Asset::new(&text).filter(|asset| {
        let pairs = symbols.iter();
        pairs
            .into_iter()
            .any(|(symbol, _)| symbol.base == *asset && symbol.settle.is_none())
    });
    if asset.is_none() {
        let rule = "has no spot symbol here, so nobody could tell whether enough of it is held";
        let cure = format!("add \"{text}/USDT\" to this venue's symbols");
        fees.wrong("fee_asset", rule, cure, report);
    }
    Some(Some(FeeDiscount {
        asset: asset?,
        discount: super::quantity::ppm(discount?)?,
        floor_quote: floor?,
    }))
}

/// REST, streams and order entry of the real venue.
const fn public_addresses(dialect: Dialect) -> [&'static str; 3] {
    match dialect {
        Dialect::BinanceSpot => [
            "https://api.binance.com",
            "wss://stream.binance.com:9443",
            "wss://ws-api.binance.com:443/ws-api/v3",
        ],
        Dialect::BinanceUsdm => [
            "https://fapi.binance.com",
            "wss://fstream.binance.com",
            "wss://ws-fapi.binance.com/ws-fapi/v1",
        ],
    }
}

fn read_symbols(
    table: &Table<'_>,
    dialect: Option<Dialect>,
    report: &mut Report,
) -> Vec<(Symbol, Item)> {
    let mut symbols: Vec<(Symbol, Item)> = Vec::new();
    let items = table.texts("symbols", report).unwrap_or_default();
    if items.is_empty() && table.has("symbols") {
        table.wrong(
            "symbols",
            "must name at least one symbol",
            "write [\"BTC/USDT\"]",
            report,
        );
    }
    for item in items {
        let wrong = |rule: String, cure: &str, report: &mut Report| {
            table.wrong_at(
                item.place.clone(),
                "symbols",
                format!("{:?}", item.text),
                rule,
                cure,
                report,
            );
        };
        let Ok(symbol) = item.text.parse::<Symbol>() else {
            wrong(
                "must be BASE/QUOTE or BASE/QUOTE:SETTLE".into(),
                "write \"BTC/USDT\" or \"BTC/USDT:USDT\"",
                report,
            );
            continue;
        };
        let wanted = match dialect {
            Some(Dialect::BinanceSpot) => {
                Some((InstrumentKind::Spot, "spot symbols such as \"BTC/USDT\""))
            }
            Some(Dialect::BinanceUsdm) => Some((
                InstrumentKind::LinearPerpetual,
                "linear perpetuals such as \"BTC/USDT:USDT\"",
            )),
            None => None,
        };
        if let Some((kind, example)) = wanted
            && symbol.kind() != kind
        {
            wrong(
                "does not exist in this dialect".into(),
                &format!("it has {example}"),
                report,
            );
        } else if symbols.iter().any(|(known, _)| *known == symbol) {
            wrong("is listed twice".into(), "remove one", report);
        }
        symbols.push((symbol, item));
    }
    symbols
}

fn read_url(
    table: &Table<'_>,
    key: &str,
    scheme: &str,
    public: &str,
    report: &mut Report,
) -> Option<String> {
    if !table.has(key) {
        return Some(public.to_owned());
    }
    let text = table.text(key, report)?;
    let secure = format!("{scheme}s://");
    let plain = format!("{scheme}://");
    let host = text
        .strip_prefix(&secure)
        .map(|rest| (rest, true))
        .or(text.strip_prefix(&plain).map(|rest| (rest, false)));
    let (rule, cure) = match host {
        Some((rest, true)) if is_host(rest) => return Some(text.trim_end_matches('/').to_owned()),
        Some((rest, false)) if is_loopback(rest) => {
            return Some(text.trim_end_matches('/').to_owned());
        }
        Some((rest, false)) if is_host(rest) => {
            ("must be encrypted unless it is on this machine", secure)
        }
        _ => (
            "must be an address with scheme and host",
            format!("{secure} or {plain}"),
        ),
    };
    table.wrong(key, rule, format!("begin it with {cure}"), report);
    None
}

fn is_host(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

fn is_loopback(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    is_host(rest) && matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn read_keys(table: &Table<'_>, name: &str, report: &mut Report) -> Option<KeySettings> {
    let keys = table.table(name, &schema::KEYS, report)?;
    let kind = keys.choice("kind", report);
    let mut source = |env: &str, file: &str| match (keys.has(env), keys.has(file)) {
        (true, false) => keys.text(env, report).map(KeySource::Env),
        (false, true) => keys
            .text(file, report)
            .map(|path| KeySource::File(PathBuf::from(path))),
        (both, _) => {
            let rule = if both {
                "has two sources"
            } else {
                "has no source"
            };
            keys.wrong(env, rule, format!("write {env} or {file}"), report);
            None
        }
    };
    let api_key = source("api_key_env", "api_key_file");
    let secret = source("secret_env", "secret_file");
    Some(KeySettings {
        ed25519: kind? == "ed25519",
        api_key: api_key?,
        secret: secret?,
    })
}

fn read_balances(table: &Table<'_>, key: &str, report: &mut Report) -> Vec<(Asset, Decimal)> {
    let mut balances = Vec::new();
    for (item, amount) in table.amounts(key, report) {
        match Asset::new(&item.text) {
            Some(asset) => balances.push((asset, amount)),
            None => {
                let rule = "must be an asset code";
                table.wrong_at(
                    item.place,
                    key,
                    item.text,
                    rule,
                    "write USDT = \"50000\"",
                    report,
                );
            }
        }
    }
    balances
}
