//! Fills, funding and busts as rows of a file: CSV by column name, or JSON lines by key. Every mistake is collected with its
//! line.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::ledger::{Fee, FeeRate, Trade};
use crate::units::{Asset, Side};

use super::text;

const COLUMNS: [&str; 9] = [
    "time",
    "venue",
    "symbol",
    "side",
    "quantity",
    "price",
    "fee",
    "fee_asset",
    "trade_id",
];

/// A venue's trade id: numbers by value, before any other text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TradeId {
    Number(u128),
    Text(String),
}

/// What one row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A fill.
    Fill(Trade),
    /// Funding paid (positive) or received; no asset is the settlement asset.
    Funding {
        paid: Decimal,
        asset: Option<Asset>,
        rate: Option<FeeRate>,
    },
    /// The venue took back the fill of this trade id.
    Bust,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) time: i64,
    pub(super) venue: String,
    pub(super) symbol: String,
    pub(super) entry: Entry,
    pub(super) trade_id: TradeId,
}

type Fields = BTreeMap<String, String>;

/// Reads a whole file; mistakes are `line N: column: value 'x' rule`.
pub(super) fn rows(bytes: &[u8], mistakes: &mut Vec<String>) -> Vec<Row> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    for (line, raw) in (1_usize..).zip(bytes.split(|byte| *byte == b'\n')) {
        let Ok(content) = std::str::from_utf8(raw) else {
            mistakes.push(format!("line {line}: was not UTF-8"));
            continue;
        };
        let content = content.trim_end_matches('\r');
        if content.trim().is_empty() {
            continue;
        }
        let fields = match &columns {
            None if content.trim_start().starts_with('{') => text::json_object(content),
            None => {
                match header(content) {
                    Ok(found) => columns = Some(found),
                    Err(missing) => {
                        mistakes.push(format!(
                            "line {line}: header lacked {missing}; write {}",
                            COLUMNS.join(",")
                        ));
                        return rows;
                    }
                }
                continue;
            }
            Some(columns) => csv(content, columns),
        };
        match fields {
            Ok(fields) => rows.extend(row(line, &fields, mistakes)),
            Err(rule) => mistakes.push(format!("line {line}: {rule}")),
        }
    }
    if rows.is_empty() && columns.is_none() && mistakes.is_empty() {
        mistakes.push(format!(
            "file was empty; write a header {} and one fill a line",
            COLUMNS.join(",")
        ));
    }
    rows
}

fn header(content: &str) -> Result<Vec<String>, String> {
    let found = text::csv_fields(content).unwrap_or_default();
    let found: Vec<String> = found
        .iter()
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let missing: Vec<&str> = COLUMNS
        .into_iter()
        .filter(|column| !found.iter().any(|name| name == column))
        .collect();
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(missing.join(", "))
    }
}

fn csv(content: &str, columns: &[String]) -> Result<Fields, String> {
    let values = text::csv_fields(content)?;
    if values.len() != columns.len() {
        return Err(format!("had {} of {} fields", values.len(), columns.len()));
    }
    Ok(columns.iter().cloned().zip(values).collect())
}

fn row(line: usize, fields: &Fields, mistakes: &mut Vec<String>) -> Option<Row> {
    let before = mistakes.len();
    let mut wrong = |column: &str, value: &str, rule: &str| {
        let shown: String = value.chars().take(60).collect();
        mistakes.push(format!("line {line}: {column}: value '{shown}' {rule}"));
    };
    let field = |column: &str, needed: bool, wrong: &mut dyn FnMut(&str, &str, &str)| {
        let value = fields.get(column).map_or("", |value| value.trim());
        if needed && value.is_empty() {
            wrong(column, value, "was empty");
        }
        value.to_owned()
    };
    let time_text = field("time", true, &mut wrong);
    let time = text::time(&time_text).unwrap_or_else(|| {
        if !time_text.is_empty() {
            wrong(
                "time",
                &time_text,
                "was neither integer nanoseconds nor RFC 3339",
            );
        }
        0
    });
    let venue = field("venue", true, &mut wrong);
    let symbol = field("symbol", true, &mut wrong);
    let kind = field("type", false, &mut wrong).to_ascii_lowercase();
    let entry = match kind.as_str() {
        "" | "fill" => Some(Entry::Fill(trade(fields, time, &mut wrong))),
        "funding" => Some(funding(fields, time, &mut wrong)),
        "bust" => Some(Entry::Bust),
        other => {
            wrong("type", other, "was none of fill, funding and bust");
            None
        }
    };
    let id = field("trade_id", true, &mut wrong);
    let trade_id = id
        .parse()
        .map_or_else(|_not_a_number| TradeId::Text(id.clone()), TradeId::Number);
    entry.filter(|_| mistakes.len() == before).map(|entry| Row {
        line,
        time,
        venue,
        symbol,
        entry,
        trade_id,
    })
}

type Wrong<'a> = dyn FnMut(&str, &str, &str) + 'a;

fn value<'a>(fields: &'a Fields, column: &str) -> &'a str {
    fields.get(column).map_or("", |value| value.trim())
}

fn trade(fields: &Fields, time: i64, wrong: &mut Wrong<'_>) -> Trade {
    let side_text = value(fields, "side");
    let side = if side_text.eq_ignore_ascii_case("sell") {
        Side::Sell
    } else {
        Side::Buy
    };
    if side_text.is_empty() {
        wrong("side", side_text, "was empty");
    } else if !side_text.eq_ignore_ascii_case(side.label()) {
        wrong("side", side_text, "was neither buy nor sell");
    }
    let qty = positive("quantity", value(fields, "quantity"), wrong);
    let price = positive("price", value(fields, "price"), wrong);
    let own_value = value(fields, "value");
    let venue_value = (!own_value.is_empty()).then(|| positive("value", own_value, wrong));
    let rate = fee_rate(fields, time, wrong);
    let fee = fee(
        value(fields, "fee"),
        value(fields, "fee_asset"),
        rate,
        wrong,
    );
    Trade {
        side,
        qty,
        price,
        venue_value,
        fee,
    }
}

fn funding(fields: &Fields, time: i64, wrong: &mut Wrong<'_>) -> Entry {
    let text = value(fields, "fee");
    let paid = text::amount(text).unwrap_or_else(|rule| {
        wrong("fee", text, rule);
        Decimal::ZERO
    });
    let code = value(fields, "fee_asset");
    let asset = Asset::new(code);
    if asset.is_none() && !code.is_empty() {
        wrong("fee_asset", code, "was no asset code");
    }
    Entry::Funding {
        paid,
        asset,
        rate: fee_rate(fields, time, wrong),
    }
}

/// The optional column `fee_rate`: one unit of the fee's asset in the settlement asset, at the time of the row.
fn fee_rate(fields: &Fields, time: i64, wrong: &mut Wrong<'_>) -> Option<FeeRate> {
    let text = value(fields, "fee_rate");
    (!text.is_empty()).then(|| FeeRate {
        price: positive("fee_rate", text, wrong),
        time,
    })
}

fn positive(column: &str, value: &str, wrong: &mut Wrong<'_>) -> Decimal {
    let rule = match text::amount(value) {
        Ok(amount) if amount > Decimal::ZERO => return amount,
        Ok(_) => "was not above zero",
        Err(rule) => rule,
    };
    wrong(column, value, rule);
    Decimal::ONE
}

fn fee(amount: &str, asset: &str, rate: Option<FeeRate>, wrong: &mut Wrong<'_>) -> Fee {
    if amount.is_empty() {
        return Fee::Unknown;
    }
    let value = text::amount(amount).unwrap_or_else(|rule| {
        wrong("fee", amount, rule);
        Decimal::ZERO
    });
    let known = Asset::new(asset);
    if known.is_none() && !(asset.is_empty() && value.is_zero()) {
        wrong(
            "fee_asset",
            asset,
            "was no asset code, but the fee was not zero",
        );
    }
    Fee::Known {
        amount: value,
        asset: known,
        rate,
    }
}
