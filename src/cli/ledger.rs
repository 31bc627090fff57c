//! `arbalest ledger`: fills from a file become positions, profit and fees, exactly, by the engine's own accounting core.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::ledger::{Applied, Pair, PositionBook};
use crate::market::{InstrumentKind, Symbol};
use crate::units::{Asset, Money};

use super::{CliError, print_json, print_note, print_text};

mod rows;
mod text;

use rows::TradeId;

/// Mistakes printed in one go.
const MISTAKES_MAX: usize = 50;

/// Reads fills and prints position, average price, realized and unrealized profit and fees by symbol, exactly.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = "\
FILE is CSV with the header time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id\n\
(columns in any order), or JSON lines with the same keys. time is integer nanoseconds or RFC 3339;\n\
fee is positive when paid; an empty fee means that it is not known. Trades are booked in the venue's\n\
order (time, then trade id); one (venue, symbol, trade_id) counts once.\n\n\
Examples:\n  arbalest ledger fills.csv\n  arbalest ledger fills.csv --mark BTC/USDT=61837.63 --json\n\n\
Exit codes: 0 done, 2 bad input (every bad line is listed).")]
pub struct LedgerArgs {
    /// The fills; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Price at which open positions of a symbol are valued; may be repeated.
    #[arg(long, value_name = "SYMBOL=PRICE")]
    pub mark: Vec<String>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    fills: u64,
    duplicates: u64,
    conflicts: u64,
    positions: Vec<PositionAnswer>,
    totals: Totals,
}

#[derive(Debug, Serialize)]
struct PositionAnswer {
    venue: String,
    symbol: String,
    quantity: String,
    average_price: Option<String>,
    realized_pnl: String,
    unrealized_pnl: Option<String>,
    mark: Option<String>,
    fees: BTreeMap<String, String>,
    fills: u64,
    duplicates: u64,
    unknown_fees: u64,
    other_asset_fees: u64,
}

#[derive(Debug, Default, Serialize)]
struct Totals {
    realized_pnl: BTreeMap<String, String>,
    fees: BTreeMap<String, String>,
}

struct Account {
    book: PositionBook<TradeId>,
    fills: u64,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 with every bad line.
pub fn run(args: &LedgerArgs) -> Result<(), CliError> {
    let marks = marks(&args.mark)?;
    let name = args.file.display().to_string();
    let bytes = read(&args.file)
        .map_err(|error| CliError::usage(format!("{name}: could not be read: {error}")))?;
    let answer = answer(&name, &bytes, &marks)?;
    if answer.duplicates > 0 {
        print_note(&format!(
            "{name}: {} duplicate trades counted once, {} of them with different content",
            answer.duplicates, answer.conflicts
        ));
    }
    for symbol in marks
        .keys()
        .filter(|symbol| !answer.positions.iter().any(|own| own.symbol == **symbol))
    {
        print_note(&format!(
            "--mark {symbol}: no fill of this symbol in {name}"
        ));
    }
    if args.json {
        return print_json(&answer);
    }
    print_text(&describe(&answer));
    Ok(())
}

fn read(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
    Ok(bytes)
}

fn marks(given: &[String]) -> Result<BTreeMap<String, Decimal>, CliError> {
    let mut marks = BTreeMap::new();
    for text in given {
        let wrong = |rule: &str| {
            CliError::usage(format!(
                "--mark {text}: {rule}; write --mark BTC/USDT=61837.63"
            ))
        };
        let (symbol, price) = text
            .split_once('=')
            .ok_or_else(|| wrong("no = between symbol and price"))?;
        let price = text::amount(price.trim()).map_err(wrong)?;
        if price <= Decimal::ZERO {
            return Err(wrong("price was not above zero"));
        }
        if marks.insert(symbol.trim().to_owned(), price).is_some() {
            return Err(wrong("symbol was given twice"));
        }
    }
    Ok(marks)
}

/// The whole computation, without printing.
fn answer(name: &str, bytes: &[u8], marks: &BTreeMap<String, Decimal>) -> Result<Answer, CliError> {
    let mut mistakes = Vec::new();
    let mut rows = rows::rows(bytes, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(listed(name, &mistakes));
    }
    rows.sort_by(|left, right| (left.time, &left.trade_id).cmp(&(right.time, &right.trade_id)));
    let mut accounts: BTreeMap<(String, String), Account> = BTreeMap::new();
    let mut seen: BTreeMap<(String, String, TradeId), usize> = BTreeMap::new();
    let (mut duplicates, mut conflicts) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        let account = accounts
            .entry((row.venue.clone(), row.symbol.clone()))
            .or_insert_with(|| Account {
                book: PositionBook::new(pair(&row.symbol), usize::MAX),
                fills: 0,
            });
        match account
            .book
            .apply(&row.trade, row.time, row.trade_id.clone())
        {
            Ok(Applied::Duplicate) => {
                duplicates += 1;
                let key = (row.venue.clone(), row.symbol.clone(), row.trade_id.clone());
                let first = seen.get(&key).and_then(|first| rows.get(*first));
                conflicts += u64::from(first.is_some_and(|first| first.trade != row.trade));
            }
            Ok(Applied::InOrder(_) | Applied::Late(_)) => {
                account.fills += 1;
                seen.insert(
                    (row.venue.clone(), row.symbol.clone(), row.trade_id.clone()),
                    index,
                );
            }
            Err(error) => mistakes.push(format!("line {}: {error}", row.line)),
        }
    }
    if !mistakes.is_empty() {
        return Err(listed(name, &mistakes));
    }
    let mut answer = Answer {
        fills: accounts.values().map(|account| account.fills).sum(),
        duplicates,
        conflicts,
        positions: Vec::new(),
        totals: totals(&accounts)?,
    };
    for ((venue, symbol), account) in &accounts {
        answer.positions.push(position(
            venue,
            symbol,
            account,
            marks.get(symbol).copied(),
        )?);
    }
    Ok(answer)
}

fn listed(name: &str, mistakes: &[String]) -> CliError {
    let mut text = String::new();
    for mistake in mistakes.iter().take(MISTAKES_MAX) {
        let _infallible = writeln!(text, "{name}: {mistake}");
    }
    if mistakes.len() > MISTAKES_MAX {
        let _infallible = writeln!(text, "{name}: and {} more", mistakes.len() - MISTAKES_MAX);
    }
    CliError::usage(text.trim_end())
}

fn position(
    venue: &str,
    symbol: &str,
    account: &Account,
    mark: Option<Decimal>,
) -> Result<PositionAnswer, CliError> {
    let position = account.book.position();
    let multiplier = account.book.pair().multiplier;
    let unrealized =
        match mark {
            _ if position.qty().is_zero() => Some(Decimal::ZERO),
            Some(mark) => Some(position.unrealized_pnl(mark, multiplier).map_err(|error| {
                CliError::usage(format!("{venue} {symbol} at {mark}: {error}"))
            })?),
            None => None,
        };
    Ok(PositionAnswer {
        venue: venue.to_owned(),
        symbol: symbol.to_owned(),
        quantity: Money(position.qty()).to_string(),
        average_price: position
            .average_price(multiplier)
            .map(|price| Money(price).to_string()),
        realized_pnl: Money(position.realized_pnl()).to_string(),
        unrealized_pnl: unrealized.map(|pnl| Money(pnl).to_string()),
        mark: mark.map(|mark| Money(mark).to_string()),
        fees: position
            .fees()
            .iter()
            .map(|(asset, fee)| (asset.to_string(), fee.to_string()))
            .collect(),
        fills: account.fills,
        duplicates: account.book.duplicate_count(),
        unknown_fees: position.unknown_fee_count(),
        other_asset_fees: position.third_asset_fee_count(),
    })
}

fn totals(accounts: &BTreeMap<(String, String), Account>) -> Result<Totals, CliError> {
    let mut realized: BTreeMap<String, Money> = BTreeMap::new();
    let mut fees: BTreeMap<String, Money> = BTreeMap::new();
    let add = |sums: &mut BTreeMap<String, Money>, asset: &str, amount: Money| {
        let sum = sums.entry(asset.to_owned()).or_default();
        *sum = sum
            .add(amount)
            .map_err(|error| CliError::usage(format!("total in {asset}: {error}")))?;
        Ok::<(), CliError>(())
    };
    for account in accounts.values() {
        let quote = account
            .book
            .pair()
            .quote
            .map_or_else(|| "?".to_owned(), |quote| quote.to_string());
        add(
            &mut realized,
            &quote,
            Money(account.book.position().realized_pnl()),
        )?;
        for (asset, fee) in account.book.position().fees() {
            add(&mut fees, asset.as_str(), *fee)?;
        }
    }
    let texts = |sums: BTreeMap<String, Money>| {
        sums.into_iter()
            .map(|(asset, sum)| (asset, sum.to_string()))
            .collect()
    };
    Ok(Totals {
        realized_pnl: texts(realized),
        fees: texts(fees),
    })
}

/// Base and quote of a symbol: unified (`BTC/USDT`, `BTC/USDT:USDT`), or a venue's own name ending in a usual quote asset.
fn pair(symbol: &str) -> Pair {
    const QUOTES: [&str; 15] = [
        "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "USD", "EUR", "TRY", "BRL", "JPY", "GBP",
        "BTC", "ETH", "BNB",
    ];
    if let Ok(unified) = symbol.parse::<Symbol>() {
        return Pair {
            base: Some(unified.base),
            quote: Some(unified.quote),
            is_spot: unified.kind() == InstrumentKind::Spot,
            multiplier: Decimal::ONE,
        };
    }
    let upper = symbol.to_ascii_uppercase();
    let found = QUOTES.iter().find_map(|quote| {
        let base = upper.strip_suffix(quote)?.trim_end_matches(['-', '_']);
        Some((Asset::new(base)?, Asset::new(quote)?))
    });
    Pair {
        base: found.map(|(base, _)| base),
        quote: found.map(|(_, quote)| quote),
        is_spot: true,
        multiplier: Decimal::ONE,
    }
}

fn describe(answer: &Answer) -> String {
    let mut text = String::new();
    let _infallible = writeln!(
        text,
        "{:<14} {:<16} {:>18} {:>18} {:>18} {:>18}  fees",
        "venue", "symbol", "quantity", "average price", "realized", "unrealized"
    );
    for own in &answer.positions {
        let fees: Vec<String> = own
            .fees
            .iter()
            .map(|(asset, fee)| format!("{fee} {asset}"))
            .collect();
        let _infallible = writeln!(
            text,
            "{:<14} {:<16} {:>18} {:>18} {:>18} {:>18}  {}{}",
            own.venue,
            own.symbol,
            own.quantity,
            own.average_price.as_deref().unwrap_or("-"),
            own.realized_pnl,
            own.unrealized_pnl.as_deref().unwrap_or("no mark"),
            if fees.is_empty() {
                "-".to_owned()
            } else {
                fees.join(", ")
            },
            if own.unknown_fees > 0 {
                format!(" ({} fees unknown)", own.unknown_fees)
            } else {
                String::new()
            },
        );
    }
    let _infallible = write!(
        text,
        "{} fills, {} duplicates",
        answer.fills, answer.duplicates
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id\n";

    fn of(text: &str, mark: &[(&str, &str)]) -> Result<Answer, CliError> {
        let marks = mark
            .iter()
            .map(|(symbol, price)| ((*symbol).to_owned(), price.parse().unwrap()))
            .collect();
        answer("fills.csv", text.as_bytes(), &marks)
    }

    #[test]
    fn csv_and_json_lines_agree() {
        let csv = format!(
            "{HEADER}1,north,BTC/USDT,buy,1,100,0,USDT,1\n3,north,BTC/USDT,sell,3,110,0.33,USDT,3\r\n1,north,BTC/USDT,buy,1,100,0,USDT,1\n"
        );
        let json = r#"{"time":1,"venue":"north","symbol":"BTC/USDT","side":"buy","quantity":"1","price":100,"fee":"0","fee_asset":"USDT","trade_id":1}
{"trade_id":"3","time":"3","venue":"north","symbol":"BTC\/USDT","side":"SELL","quantity":3.0,"price":"110","fee":0.33,"fee_asset":"USDT"}
{"time":1,"venue":"north","symbol":"BTC/USDT","side":"buy","quantity":"1","price":100,"fee":"0","fee_asset":"USDT","trade_id":1}
"#;
        for text in [csv.as_str(), json] {
            let answer = of(text, &[("BTC/USDT", "105")]).unwrap();
            assert_eq!(
                (answer.fills, answer.duplicates, answer.conflicts),
                (2, 1, 0)
            );
            let own = &answer.positions[0];
            assert_eq!(
                (own.quantity.as_str(), own.average_price.as_deref()),
                ("-2", Some("110"))
            );
            assert_eq!(
                (own.realized_pnl.as_str(), own.unrealized_pnl.as_deref()),
                ("9.67", Some("10"))
            );
            assert_eq!(own.fees["USDT"], "0.33");
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        let text = format!(
            "{HEADER}x,north,BTC/USDT,buy,1,100,0,USDT,1\n1,north,BTC/USDT,hold,1,100,0,USDT,2\n1,north,BTC/USDT,buy,NaN,1e400,0,USDT,3\n1,north,BTC/USDT,buy,-1,0,0,USDT,4\n1,north,BTC/USDT,buy,1,100,0.1,,5\n1,north\n"
        );
        let error = of(&text, &[]).unwrap_err();
        assert_eq!(error.code, 2);
        let lines: Vec<&str> = error.message.lines().collect();
        for (line, parts) in [
            (0, ["fills.csv: line 2: time", "'x'"]),
            (1, ["fills.csv: line 3: side", "'hold'"]),
            (2, ["fills.csv: line 4: quantity", "'NaN'"]),
            (3, ["fills.csv: line 4: price", "'1e400'"]),
            (4, ["fills.csv: line 5: quantity", "'-1'"]),
            (5, ["fills.csv: line 5: price", "'0'"]),
            (6, ["fills.csv: line 6: fee_asset", "''"]),
            (7, ["fills.csv: line 7:", "2 of 9"]),
        ] {
            for part in parts {
                assert!(lines[line].contains(part), "{part} in {}", lines[line]);
            }
        }
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn other_broken_files_are_refused() {
        for (text, part) in [
            ("", "empty"),
            ("time,venue\n", "quantity"),
            ("{\"time\":1\n", "line 1"),
            ("{\"time\":1} x\n", "line 1"),
            ("{\"time\":[1]}\n", "line 1"),
        ] {
            let error = of(text, &[]).unwrap_err();
            assert!(error.message.contains(part), "{part} in {}", error.message);
        }
        let bytes = [HEADER.as_bytes(), b"\xff\xfe\n"].concat();
        assert!(
            answer("f", &bytes, &BTreeMap::new())
                .unwrap_err()
                .message
                .contains("UTF-8")
        );
    }

    #[test]
    fn order_is_the_venues_and_units_are_exact() {
        let text = format!(
            "{HEADER}2026-08-09T00:00:02Z,n,BTC/USDT,sell,1,110,0,USDT,10\n2026-08-09T00:00:02Z,n,BTC/USDT,buy,1,120,0,USDT,9\n2026-08-09T00:00:01.5Z,n,BTC/USDT,buy,1,100,0,USDT,11\n"
        );
        let answer = of(&text, &[]).unwrap();
        let own = &answer.positions[0];
        assert_eq!(
            (own.quantity.as_str(), own.realized_pnl.as_str()),
            ("1", "0"),
            "V12b"
        );
        assert_eq!(
            (own.average_price.as_deref(), own.unrealized_pnl.as_deref()),
            (Some("110"), None)
        );
        let fine = format!("{HEADER}1,n,SHIB/USDT,buy,0.000000000001,0.0000000123,,,1\n");
        let own = &of(&fine, &[]).unwrap().positions[0];
        assert_eq!(
            (own.quantity.as_str(), own.unknown_fees),
            ("0.000000000001", 1)
        );
    }

    #[test]
    fn base_and_quote_are_known_of_native_names_too() {
        for (symbol, base, quote) in [
            ("BTCUSDT", "BTC", "USDT"),
            ("eth-btc", "ETH", "BTC"),
            ("BTC/USDT:USDT", "BTC", "USDT"),
        ] {
            let pair = pair(symbol);
            assert_eq!(
                (pair.base.unwrap().as_str(), pair.quote.unwrap().as_str()),
                (base, quote)
            );
        }
        assert!(!super::pair("BTC/USDT:USDT").is_spot);
        assert!(super::pair("FOO").quote.is_none());
        assert!(marks(&["BTC/USDT".to_owned()]).is_err());
        assert!(marks(&["BTC/USDT=0".to_owned()]).is_err());
    }
}
