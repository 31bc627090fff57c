//! Fills as rows of a file: CSV by column name, or JSON lines by key. Every mistake is collected with its line.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::ledger::{Fee, Trade};
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

/// One fill.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) time: i64,
    pub(super) venue: String,
    pub(super) symbol: String,
    pub(super) trade: Trade,
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
    let side_text = field("side", true, &mut wrong);
    let side = if side_text.eq_ignore_ascii_case("sell") {
        Side::Sell
    } else {
        Side::Buy
    };
    if !side_text.is_empty() && !side_text.eq_ignore_ascii_case(side.label()) {
        wrong("side", &side_text, "was neither buy nor sell");
    }
    let qty_text = field("quantity", false, &mut wrong);
    let qty = positive("quantity", &qty_text, &mut wrong);
    let price_text = field("price", false, &mut wrong);
    let price = positive("price", &price_text, &mut wrong);
    let fee_text = field("fee", false, &mut wrong);
    let asset_text = field("fee_asset", false, &mut wrong);
    let fee = fee(&fee_text, &asset_text, &mut wrong);
    let id = field("trade_id", true, &mut wrong);
    let trade_id = id
        .parse()
        .map_or_else(|_not_a_number| TradeId::Text(id.clone()), TradeId::Number);
    let trade = Trade {
        side,
        qty,
        price,
        fee,
    };
    (mistakes.len() == before).then_some(Row {
        line,
        time,
        venue,
        symbol,
        trade,
        trade_id,
    })
}

fn positive(column: &str, value: &str, wrong: &mut dyn FnMut(&str, &str, &str)) -> Decimal {
    let rule = match text::amount(value) {
        Ok(amount) if amount > Decimal::ZERO => return amount,
        Ok(_) => "was not above zero",
        Err(rule) => rule,
    };
    wrong(column, value, rule);
    Decimal::ONE
}

fn fee(amount: &str, asset: &str, wrong: &mut dyn FnMut(&str, &str, &str)) -> Fee {
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
    }
}
