//! `exchangeInfo` of both dialects into trading rules. Filters of unknown kinds and fields of unknown types are skipped.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::exchanges::json::Text;
use crate::exchanges::rules::{RuleBook, RulesError, TradingRules, VenueLimits};
use crate::exchanges::sign::percent_encode_into;
use crate::market::{InstrumentStatus, PriceBand, Symbol};
use crate::units::{Asset, Nanos, Ppm};

use super::envelope::RateLimit;

/// Decimals of a price or quantity whose increment rule is off: the venue's own precision.
const DECIMALS_DEFAULT: u32 = 8;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    #[serde(borrow, default)]
    rate_limits: Vec<RateLimit<'a>>,
    symbols: Vec<SymbolInfo>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymbolInfo {
    symbol: String,
    #[serde(default)]
    status: Text,
    #[serde(default)]
    contract_type: Text,
    base_asset: String,
    quote_asset: String,
    #[serde(default)]
    margin_asset: Text,
    #[serde(default)]
    is_spot_trading_allowed: Option<bool>,
    #[serde(default)]
    filters: Vec<Filter>,
}

/// Every field that any filter of interest has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Filter {
    filter_type: Text,
    min_price: Text,
    max_price: Text,
    tick_size: Text,
    min_qty: Text,
    max_qty: Text,
    step_size: Text,
    min_notional: Text,
    max_notional: Text,
    notional: Text,
    multiplier_up: Text,
    multiplier_down: Text,
    bid_multiplier_up: Text,
    bid_multiplier_down: Text,
    ask_multiplier_up: Text,
    ask_multiplier_down: Text,
}

/// Reads the answer.
pub(crate) fn parse(body: &[u8], futures: bool) -> Result<RuleBook, RulesError> {
    let info: Info<'_> = serde_json::from_slice(body)
        .map_err(|error| RulesError::Malformed(format!("line {}", error.line())))?;
    let mut book = RuleBook {
        limits: limits(&info.rate_limits),
        ..RuleBook::default()
    };
    for symbol in &info.symbols {
        // Delivery contracts share base and quote with the perpetual; this engine does not trade them.
        if futures && !symbol.contract_type.0.ends_with("PERPETUAL") {
            continue;
        }
        match rules(symbol, futures) {
            Ok(rules) => book.rules.push(rules),
            Err(problem) => book.refused.push(RulesError::Unusable {
                symbol: symbol.symbol.clone(),
                problem,
            }),
        }
    }
    Ok(book)
}

fn limits(entries: &[RateLimit<'_>]) -> VenueLimits {
    let mut limits = VenueLimits::default();
    for entry in entries {
        let Some(window) = entry.window() else {
            continue;
        };
        match entry.rate_limit_type.as_ref() {
            "REQUEST_WEIGHT" if window == Nanos::from_secs(60) => {
                limits.weight_per_minute = Some(entry.limit);
            }
            "ORDERS" => limits.orders.push((window, entry.limit)),
            _ => {}
        }
    }
    limits
}

/// Target of the question on spot, for some symbols only: the whole list is many megabytes.
pub(crate) fn spot_target(natives: &[&str]) -> String {
    let list: Vec<String> = natives
        .iter()
        .map(|native| format!("\"{native}\""))
        .collect();
    let mut out = b"/api/v3/exchangeInfo?symbols=".to_vec();
    percent_encode_into(format!("[{}]", list.join(",")).as_bytes(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A number of a filter; `None` when absent.
fn number(text: &Text) -> Result<Option<Decimal>, &'static str> {
    if text.0.is_empty() {
        return Ok(None);
    }
    match Decimal::from_str_exact(&text.0) {
        Ok(value) if !value.is_sign_negative() || value.is_zero() => Ok(Some(value.normalize())),
        Ok(_) | Err(_) => Err("a filter's number was unreadable or negative"),
    }
}

/// A number of a filter; `None` when absent or zero, which switches the rule off.
fn rule(text: &Text) -> Result<Option<Decimal>, &'static str> {
    Ok(number(text)?.filter(|value| !value.is_zero()))
}

/// A multiplier in ppm, rounded down; zero when off.
fn share(text: &Text) -> Result<Ppm, &'static str> {
    let ppm = rule(text)?
        .unwrap_or_default()
        .checked_mul(Decimal::from(1_000_000_u32));
    ppm.and_then(|ppm| i64::try_from(ppm.floor()).ok())
        .map(Ppm)
        .ok_or("a price multiplier was too large")
}

/// Bounds by side, or one pair for both: a filter has the one or the other.
fn price_band(filter: &Filter) -> Result<PriceBand, &'static str> {
    let (down, up) = (
        share(&filter.multiplier_down)?,
        share(&filter.multiplier_up)?,
    );
    let side = |text: &Text, both: Ppm| Ok::<_, &'static str>(share(text)?.max(both));
    Ok(PriceBand {
        buy_down: side(&filter.bid_multiplier_down, down)?,
        buy_up: side(&filter.bid_multiplier_up, up)?,
        sell_down: side(&filter.ask_multiplier_down, down)?,
        sell_up: side(&filter.ask_multiplier_up, up)?,
    })
}

fn rules(symbol: &SymbolInfo, futures: bool) -> Result<TradingRules, &'static str> {
    let finest = Decimal::new(1, DECIMALS_DEFAULT);
    let asset =
        |code: &str| Asset::new(code).ok_or("an asset code was longer than 15 bytes or not ASCII");
    let settle = if futures {
        Some(asset(&symbol.margin_asset.0)?)
    } else {
        None
    };
    let mut rules = TradingRules {
        native: symbol.symbol.clone(),
        symbol: Symbol {
            base: asset(&symbol.base_asset)?,
            quote: asset(&symbol.quote_asset)?,
            settle,
        },
        tick: finest,
        lot: finest,
        qty_min: Decimal::ZERO,
        qty_max: None,
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Decimal::ZERO,
        price_max: None,
        status: status(symbol),
        has_reduce_only: futures,
        price_band: None,
    };
    for filter in &symbol.filters {
        match filter.filter_type.0.as_str() {
            "PRICE_FILTER" => {
                rules.tick = rule(&filter.tick_size)?.unwrap_or(finest);
                rules.price_min = rule(&filter.min_price)?.unwrap_or_default();
                rules.price_max = rule(&filter.max_price)?;
            }
            "LOT_SIZE" => {
                rules.lot = rule(&filter.step_size)?.unwrap_or(finest);
                rules.qty_min = rule(&filter.min_qty)?.unwrap_or_default();
                rules.qty_max = rule(&filter.max_qty)?;
            }
            "NOTIONAL" => {
                rules.notional_min = rule(&filter.min_notional)?.unwrap_or_default();
                rules.notional_max = rule(&filter.max_notional)?;
            }
            "MIN_NOTIONAL" => {
                rules.notional_min = match rule(&filter.min_notional)? {
                    Some(value) => value,
                    None => rule(&filter.notional)?.unwrap_or_default(),
                };
            }
            "PERCENT_PRICE" | "PERCENT_PRICE_BY_SIDE" => {
                rules.price_band = Some(price_band(filter)?);
            }
            _ => {}
        }
    }
    Ok(rules)
}

fn status(symbol: &SymbolInfo) -> InstrumentStatus {
    match symbol.status.0.as_str() {
        "TRADING" if symbol.is_spot_trading_allowed == Some(false) => InstrumentStatus::Halted,
        "TRADING" => InstrumentStatus::Trading,
        "CANCEL_ONLY" => InstrumentStatus::CancelOnly,
        _ => InstrumentStatus::Halted,
    }
}
