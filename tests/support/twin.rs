//! The slow twin of the market-data decoders: the same rules, written on serde_json.

use arbalest::capacity::{FRAME_BYTES_MAX, JSON_DEPTH_MAX, MESSAGE_LEVELS_MAX};
use arbalest::exchanges::Dialect;
use arbalest::exchanges::frame::{
    DepthIds, DepthLevels, DepthMessage, FrameKind, LevelChange, MarkMessage, Message,
    QuoteMessage, TradeMessage,
};
use arbalest::units::{Grid, Price, Qty, Side, UnixNanos};
use serde::de::IgnoredAny;

/// Symbols and their grids; the slot is the place.
pub(crate) type Table = Vec<(String, Grid)>;

/// What the twin understands; `None` is malformed.
pub(crate) fn decode<'a>(
    dialect: Dialect,
    table: &Table,
    bytes: &'a [u8],
) -> Option<(Message<'a>, DepthLevels)> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if nesting(text) > JSON_DEPTH_MAX {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let ignored = Some((Message::Ignored, DepthLevels::default()));
    if !text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{')
    {
        return ignored;
    }
    let top = Object::read(text)?;
    let twin = Twin { dialect, table };
    match (top.raw("stream"), top.raw("data")) {
        (None, None) => twin.classify(&top, None),
        (Some(stream), Some(data)) => {
            let stream = plain(stream)?;
            if data.starts_with('{') {
                twin.classify(&Object::read(data)?, Some(stream))
            } else if is_used(stream) {
                None
            } else {
                ignored
            }
        }
        _ => None,
    }
}

/// Deepest nesting outside strings.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

const SPACES: [char; 4] = [' ', '\t', '\n', '\r'];

fn spaceless(text: &str) -> &str {
    text.trim_start_matches(SPACES)
}

/// The value at the start of a text that is known to be JSON (`None` when it is of another type), and what follows it.
fn first_value<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Option<(Option<T>, &'a str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?.ok();
    Some((value, text.get(values.byte_offset()..)?))
}

/// Fields in order, keys without escapes, none of the looked-at names twice.
struct Object<'a>(Vec<(&'a str, &'a str)>);

const LONG_NAMES: [&str; 12] = [
    "pu",
    "lastUpdateId",
    "bids",
    "asks",
    "stream",
    "data",
    "result",
    "id",
    "error",
    "code",
    "msg",
    "symbol",
];

impl<'a> Object<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut rest = spaceless(text).strip_prefix('{')?;
        let mut fields = Vec::new();
        while !spaceless(rest).starts_with('}') {
            let (key, after) = first_value::<&str>(rest)?;
            let (key, after) = (key?, spaceless(after).strip_prefix(':')?);
            let (_, behind) = first_value::<IgnoredAny>(after)?;
            let raw = after.get(..after.len() - behind.len())?;
            fields.push((key, raw.trim_matches(SPACES)));
            let behind = spaceless(behind);
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        let object = Self(fields);
        let is_looked_at = |key: &str| {
            LONG_NAMES.contains(&key) || (key.len() == 1 && key.as_bytes()[0].is_ascii_alphabetic())
        };
        let has_doubles = object.0.iter().any(|(key, _)| {
            is_looked_at(key) && object.0.iter().filter(|(other, _)| other == key).count() > 1
        });
        (!has_doubles).then_some(object)
    }
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, raw)| *raw)
    }
    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.raw(name).is_some())
    }
    fn text(&self, name: &str) -> Option<&'a str> {
        plain(self.raw(name)?)
    }
    fn integer(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.raw(name)?).ok()
    }
    fn time(&self, name: &str) -> Option<UnixNanos> {
        Some(UnixNanos::from_millis(
            i64::try_from(self.integer(name)?).ok()?,
        ))
    }
}

/// A string without escapes.
fn plain(raw: &str) -> Option<&str> {
    serde_json::from_str::<&str>(raw).ok()
}

fn is_used(stream: &str) -> bool {
    matches!(
        stream.split('@').nth(1),
        Some("depth" | "trade" | "aggTrade" | "bookTicker" | "markPrice")
    )
}

fn price(text: &str, grid: Grid) -> Option<Price> {
    grid.parse_price(text.as_bytes())
        .ok()
        .filter(|price| price.0 > 0)
}

fn qty(text: &str, grid: Grid) -> Option<Qty> {
    grid.parse_qty(text.as_bytes())
        .ok()
        .filter(|_| !text.starts_with('-'))
}

/// Scaled and rounded down, through big decimals.
fn floor(text: &str, decimals: u8) -> Option<i64> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let point = text.find('.').unwrap_or(text.len());
    let fraction = text.get(point + 1..).unwrap_or_default();
    let whole = text.get(..point)?;
    if !is_plain || fraction.contains(['.', '-']) || whole.rfind('-').is_some_and(|at| at > 0) {
        return None;
    }
    let digits = whole.trim_start_matches('-');
    let kept: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(usize::from(decimals))
        .collect();
    let has_digit = !digits.is_empty()
        || fraction
            .get(..fraction.len().min(usize::from(decimals)))
            .is_some_and(|kept| !kept.is_empty());
    if !has_digit {
        return None;
    }
    let steps: i128 = format!("{digits}{kept}0").parse::<i128>().ok()? / 10;
    let lost = fraction
        .get(usize::from(decimals)..)
        .unwrap_or_default()
        .bytes()
        .any(|byte| byte != b'0');
    let steps = i64::try_from(steps).ok()?;
    Some(if text.starts_with('-') {
        -steps - i64::from(lost)
    } else {
        steps
    })
}

struct Twin<'t> {
    dialect: Dialect,
    table: &'t Table,
}

type Understood<'a> = Option<(Message<'a>, DepthLevels)>;

fn without_levels(message: Message<'_>) -> Understood<'_> {
    Some((message, DepthLevels::default()))
}

impl Twin<'_> {
    fn is_spot(&self) -> bool {
        self.dialect == Dialect::BinanceSpot
    }

    fn classify<'a>(&self, object: &Object<'a>, stream: Option<&str>) -> Understood<'a> {
        if object.raw("e").is_some() {
            return match object.text("e")? {
                "bookTicker" => self.quote(object),
                "depthUpdate" => self.depth(object),
                "trade" => self.trade(object),
                "aggTrade" => self.agg_trade(object),
                "markPriceUpdate" => self.mark(object),
                "serverShutdown" => without_levels(Message::Shutdown),
                _ => without_levels(Message::Ignored),
            };
        }
        match stream {
            Some(name) if name.ends_with("@bookTicker") => self.quote(object),
            Some(_) if object.has(&["lastUpdateId"]) => without_levels(Message::Ignored),
            Some(name) if is_used(name) => None,
            Some(_) => without_levels(Message::Ignored),
            None if object.has(&["u", "s", "b", "B", "a", "A"]) => self.quote(object),
            None => {
                let is_error = object.has(&["error"]) || object.has(&["code", "msg"]);
                if is_error || object.has(&["result"]) || object.has(&["id"]) {
                    without_levels(Message::Control {
                        id: object.integer("id"),
                        is_error,
                    })
                } else {
                    without_levels(Message::Ignored)
                }
            }
        }
    }

    fn find(&self, symbol: &str) -> Option<(usize, Grid)> {
        let slot = self.table.iter().position(|(known, _)| known == symbol)?;
        Some((slot, self.table[slot].1))
    }

    fn quote<'a>(&self, object: &Object<'a>) -> Understood<'a> {
        let required: &[&str] = if self.is_spot() {
            &["u", "s", "b", "B", "a", "A"]
        } else {
            &["e", "u", "E", "T", "s", "b", "B", "a", "A"]
        };
        if !object.has(required) {
            return None;
        }
        let symbol = object.text("s")?;
        let Some((slot, grid)) = self.find(symbol) else {
            return without_levels(Message::UnknownSymbol {
                kind: FrameKind::Quote,
                symbol,
            });
        };
        let side = |price_name: &str, qty_name: &str| {
            Some(LevelChange {
                price: price(object.text(price_name)?, grid)?,
                qty: qty(object.text(qty_name)?, grid)?,
            })
        };
        without_levels(Message::Quote(QuoteMessage {
            slot,
            event_time: if object.has(&["E"]) {
                Some(object.time("E")?)
            } else {
                None
            },
            update_id: object.integer("u")?,
            bid: side("b", "B")?,
            ask: side("a", "A")?,
        }))
    }

    fn depth<'a>(&self, object: &Object<'a>) -> Understood<'a> {
        if !object.has(&["E", "s", "U", "u", "b", "a"])
            || (!self.is_spot() && !object.has(&["T", "pu"]))
        {
            return None;
        }
        let symbol = object.text("s")?;
        let Some((slot, grid)) = self.find(symbol) else {
            return without_levels(Message::UnknownSymbol {
                kind: FrameKind::Depth,
                symbol,
            });
        };
        let previous = if object.has(&["pu"]) {
            Some(object.integer("pu")?)
        } else {
            None
        };
        let ids = DepthIds {
            first: object.integer("U")?,
            last: object.integer("u")?,
            previous,
        };
        let side = |name: &str| {
            let pairs: Vec<[&str; 2]> = serde_json::from_str(object.raw(name)?).ok()?;
            let level = |[price_text, qty_text]: [&str; 2]| {
                Some(LevelChange {
                    price: price(price_text, grid)?,
                    qty: qty(qty_text, grid)?,
                })
            };
            (pairs.len() <= MESSAGE_LEVELS_MAX)
                .then(|| pairs.into_iter().map(level).collect::<Option<Vec<_>>>())?
        };
        let message = Message::Depth(DepthMessage {
            slot,
            event_time: object.time("E")?,
            ids,
        });
        let levels = DepthLevels {
            bids: side("b")?,
            asks: side("a")?,
        };
        (ids.first <= ids.last).then_some((message, levels))
    }

    fn trade<'a>(&self, object: &Object<'a>) -> Understood<'a> {
        let last: &[&str] = if self.is_spot() {
            &["T", "m"]
        } else {
            &["T", "m", "E"]
        };
        if !object.has(&["E", "s", "t", "p", "q"]) || !object.has(last) {
            return None;
        }
        let is_market = if object.has(&["X"]) {
            object.text("X")? == "MARKET"
        } else {
            true
        };
        self.print(object, FrameKind::Trade, "t", is_market)
    }

    fn agg_trade<'a>(&self, object: &Object<'a>) -> Understood<'a> {
        if !object.has(&["E", "s", "a", "p", "q", "f", "l", "T", "m"]) {
            return None;
        }
        self.print(object, FrameKind::AggTrade, "a", true)
    }

    fn print<'a>(
        &self,
        object: &Object<'a>,
        kind: FrameKind,
        id: &str,
        is_market: bool,
    ) -> Understood<'a> {
        let symbol = object.text("s")?;
        let Some((slot, grid)) = self.find(symbol) else {
            return without_levels(Message::UnknownSymbol { kind, symbol });
        };
        let paid = grid.parse_price(object.text("p")?.as_bytes()).ok()?;
        if paid.0 < 0 || (paid.0 == 0 && is_market) {
            return None;
        }
        let is_maker_buy: bool = serde_json::from_str(object.raw("m")?).ok()?;
        without_levels(Message::Trade(TradeMessage {
            slot,
            event_time: object.time("E")?,
            kind,
            trade_id: object.integer(id)?,
            price: paid,
            qty: qty(object.text("q")?, grid)?,
            aggressor: if is_maker_buy { Side::Sell } else { Side::Buy },
            is_market,
        }))
    }

    fn mark<'a>(&self, object: &Object<'a>) -> Understood<'a> {
        if !object.has(&["E", "s", "p", "r", "T"]) {
            return None;
        }
        let symbol = object.text("s")?;
        let Some((slot, grid)) = self.find(symbol) else {
            return without_levels(Message::UnknownSymbol {
                kind: FrameKind::Mark,
                symbol,
            });
        };
        let rate = object.text("r")?;
        without_levels(Message::Mark(MarkMessage {
            slot,
            event_time: object.time("E")?,
            price: Price(
                floor(object.text("p")?, grid.price_decimals()).filter(|price| *price > 0)?,
            ),
            funding_ppb: if rate.is_empty() { 0 } else { floor(rate, 9)? },
            next_funding_time: object.time("T")?,
        }))
    }
}
