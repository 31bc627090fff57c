//! `arbalest ledger`: fills, funding and busts from a file become positions, profit and fees, exactly, by the engine's own
//! accounting core.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::ledger::{Applied, Bust, Pair, Payment, PositionBook};
use crate::market::{Contract, InstrumentKind, Symbol};
use crate::units::{Asset, Money};

use super::{CliError, print_json, print_note, print_text};

mod rows;
mod text;

use rows::{Entry, Row, TradeId};

/// Mistakes printed in one go.
const MISTAKES_MAX: usize = 50;

/// Reads fills and prints position, average price, realized and unrealized profit and fees by symbol, exactly.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = "\
FILE is CSV with the header time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id\n\
(columns in any order), or JSON lines with the same keys. time is integer nanoseconds or RFC 3339;\n\
fee is positive when paid; an empty fee means that it is not known. Trades are booked in the venue's\n\
order (time, then trade id); one (venue, symbol, trade_id) counts once.\n\n\
Columns that may be left out: type (fill, funding or bust), fee_rate (price of one unit of a third\n\
fee_asset in the settlement asset), value (the venue's own coin value of an inverse fill).\n\
A funding row has what was paid in fee (negative: received), its asset in fee_asset (empty: the\n\
settlement asset) and its own id in trade_id. A bust row names in trade_id the fill taken back.\n\
BTC/USD:BTC is inverse: profit and cost are in BTC, a contract is worth --contract quote units.\n\n\
Examples:\n  arbalest ledger fills.csv\n  arbalest ledger fills.csv --mark BTC/USDT=61837.63 --json\n  \
arbalest ledger coin.csv --contract BTC/USD:BTC=100 --mark BTC/USD:BTC=40000\n\n\
Exit codes: 0 done, 2 bad input (every bad line is listed).")]
pub struct LedgerArgs {
    /// The fills; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Price at which open positions of a symbol are valued; may be repeated.
    #[arg(long, value_name = "SYMBOL=PRICE")]
    pub mark: Vec<String>,
    /// Contract size of a symbol, 1 when not given: base units of a linear one, quote units of an inverse one; may be repeated.
    #[arg(long, value_name = "SYMBOL=SIZE")]
    pub contract: Vec<String>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    fills: u64,
    duplicates: u64,
    conflicts: u64,
    funding_payments: u64,
    busts: u64,
    busts_of_unknown_fills: u64,
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
    /// What cost, profit and funding are in.
    settlement: Option<String>,
    /// Paid less received; part of realized.
    funding: String,
    /// Stock of third assets that fees made.
    fee_stock: BTreeMap<String, String>,
    fills: u64,
    duplicates: u64,
    unknown_fees: u64,
    other_asset_fees: u64,
    /// Those of them without a rate: realized lacks them.
    unpriced_fees: u64,
    /// True when every fee is in the profit.
    complete: bool,
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
    let marks = prices("--mark", "61837.63", &args.mark)?;
    let contracts = prices("--contract", "100", &args.contract)?;
    let name = args.file.display().to_string();
    let bytes = read(&args.file)
        .map_err(|error| CliError::usage(format!("{name}: could not be read: {error}")))?;
    let answer = answer(&name, &bytes, &marks, &contracts)?;
    if answer.duplicates > 0 {
        print_note(&format!(
            "{name}: {} duplicate trades counted once, {} of them with different content",
            answer.duplicates, answer.conflicts
        ));
    }
    if answer.busts_of_unknown_fills > 0 {
        print_note(&format!(
            "{name}: {} busts of fills that are not in the file",
            answer.busts_of_unknown_fills
        ));
    }
    for (option, given) in [("--mark", &marks), ("--contract", &contracts)] {
        for symbol in given
            .keys()
            .filter(|symbol| !answer.positions.iter().any(|own| own.symbol == **symbol))
        {
            print_note(&format!(
                "{option} {symbol}: no fill of this symbol in {name}"
            ));
        }
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

/// `SYMBOL=NUMBER` of an option, each symbol once, above zero.
fn prices(
    option: &str,
    example: &str,
    given: &[String],
) -> Result<BTreeMap<String, Decimal>, CliError> {
    let mut prices = BTreeMap::new();
    for text in given {
        let wrong = |rule: &str| {
            CliError::usage(format!(
                "{option} {text}: {rule}; write {option} BTC/USDT={example}"
            ))
        };
        let (symbol, price) = text
            .split_once('=')
            .ok_or_else(|| wrong("no = between symbol and number"))?;
        let price = text::amount(price.trim()).map_err(wrong)?;
        if price <= Decimal::ZERO {
            return Err(wrong("number was not above zero"));
        }
        if prices.insert(symbol.trim().to_owned(), price).is_some() {
            return Err(wrong("symbol was given twice"));
        }
    }
    Ok(prices)
}

/// Accounts and counts as rows are booked.
#[derive(Default)]
struct Booking {
    accounts: BTreeMap<(String, String), Account>,
    /// The fill first booked under an id.
    seen: BTreeMap<(String, String, TradeId), Entry>,
    duplicates: u64,
    conflicts: u64,
    funding_payments: u64,
    busts: u64,
    busted_fills: u64,
}

impl Booking {
    fn account(&mut self, row: &Row, contracts: &BTreeMap<String, Decimal>) -> &mut Account {
        let key = (row.venue.clone(), row.symbol.clone());
        self.accounts.entry(key).or_insert_with(|| Account {
            book: PositionBook::new(
                pair(&row.symbol, contracts.get(&row.symbol).copied()),
                usize::MAX,
            ),
            fills: 0,
        })
    }

    /// Busts come before all fills, so that any fill can be taken back, however old.
    fn bust(&mut self, row: &Row, contracts: &BTreeMap<String, Decimal>) -> Result<(), String> {
        let account = self.account(row, contracts);
        let bust = account.book.bust(&row.trade_id);
        let bust = bust.map_err(|error| error.to_string())?;
        self.busts += u64::from(bust != Bust::Duplicate);
        Ok(())
    }

    fn book(&mut self, row: &Row, contracts: &BTreeMap<String, Decimal>) -> Result<(), String> {
        let account = self.account(row, contracts);
        match &row.entry {
            Entry::Bust => Ok(()),
            Entry::Fill(trade) => {
                let applied = account.book.apply(trade, row.time, row.trade_id.clone());
                match applied.map_err(|error| error.to_string())? {
                    Applied::Duplicate => {
                        self.duplicates += 1;
                        let key = (row.venue.clone(), row.symbol.clone(), row.trade_id.clone());
                        let first = self.seen.get(&key);
                        self.conflicts += u64::from(first.is_some_and(|first| *first != row.entry));
                    }
                    Applied::Busted => self.busted_fills += 1,
                    Applied::InOrder(_) | Applied::Late(_) => {
                        account.fills += 1;
                        let key = (row.venue.clone(), row.symbol.clone(), row.trade_id.clone());
                        self.seen.insert(key, row.entry.clone());
                    }
                }
                Ok(())
            }
            Entry::Funding { paid, asset, rate } => {
                let settlement = account.book.pair().settlement();
                let asset = asset.or(settlement).ok_or_else(|| {
                    "fee_asset: value '' was empty, and the symbol does not tell the settlement asset"
                        .to_owned()
                })?;
                let payment = Payment {
                    amount: *paid,
                    asset,
                    rate: *rate,
                };
                let new = account.book.pay(&payment, row.trade_id.clone());
                let new = new.map_err(|error| error.to_string())?;
                self.funding_payments += u64::from(new);
                self.duplicates += u64::from(!new);
                Ok(())
            }
        }
    }
}

/// The whole computation, without printing.
fn answer(
    name: &str,
    bytes: &[u8],
    marks: &BTreeMap<String, Decimal>,
    contracts: &BTreeMap<String, Decimal>,
) -> Result<Answer, CliError> {
    let mut mistakes = Vec::new();
    let mut rows = rows::rows(bytes, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(listed(name, &mistakes));
    }
    rows.sort_by(|left, right| (left.time, &left.trade_id).cmp(&(right.time, &right.trade_id)));
    let mut booking = Booking::default();
    for row in rows.iter().filter(|row| row.entry == Entry::Bust) {
        if let Err(rule) = booking.bust(row, contracts) {
            mistakes.push(format!("line {}: {rule}", row.line));
        }
    }
    for row in &rows {
        if let Err(rule) = booking.book(row, contracts) {
            mistakes.push(format!("line {}: {rule}", row.line));
        }
    }
    if !mistakes.is_empty() {
        return Err(listed(name, &mistakes));
    }
    let accounts = &booking.accounts;
    let mut answer = Answer {
        fills: accounts.values().map(|account| account.fills).sum(),
        duplicates: booking.duplicates,
        conflicts: booking.conflicts,
        funding_payments: booking.funding_payments,
        busts: booking.busts,
        busts_of_unknown_fills: booking.busts.saturating_sub(booking.busted_fills),
        positions: Vec::new(),
        totals: totals(accounts)?,
    };
    for ((venue, symbol), account) in accounts {
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
    let contract = account.book.pair().contract;
    let unrealized =
        match mark {
            _ if position.qty().is_zero() => Some(Decimal::ZERO),
            Some(mark) => Some(position.unrealized_pnl(mark, contract).map_err(|error| {
                CliError::usage(format!("{venue} {symbol} at {mark}: {error}"))
            })?),
            None => None,
        };
    Ok(PositionAnswer {
        venue: venue.to_owned(),
        symbol: symbol.to_owned(),
        quantity: Money(position.qty()).to_string(),
        average_price: position
            .average_price(contract)
            .map(|price| Money(price).to_string()),
        realized_pnl: Money(position.realized_pnl()).to_string(),
        unrealized_pnl: unrealized.map(|pnl| Money(pnl).to_string()),
        mark: mark.map(|mark| Money(mark).to_string()),
        fees: position
            .fees()
            .iter()
            .map(|(asset, fee)| (asset.to_string(), fee.to_string()))
            .collect(),
        settlement: account
            .book
            .pair()
            .settlement()
            .map(|asset| asset.to_string()),
        funding: Money(position.funding()).to_string(),
        fee_stock: position
            .stocks()
            .iter()
            .map(|(asset, stock)| (asset.to_string(), stock.qty.to_string()))
            .collect(),
        fills: account.fills,
        duplicates: account.book.duplicate_count(),
        unknown_fees: position.unknown_fee_count(),
        other_asset_fees: position.third_asset_fee_count(),
        unpriced_fees: position.unpriced_fee_count(),
        complete: position.is_complete(),
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
        let settlement = account
            .book
            .pair()
            .settlement()
            .map_or_else(|| "?".to_owned(), |asset| asset.to_string());
        add(
            &mut realized,
            &settlement,
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
/// `size` is the contract's; 1 when not given.
fn pair(symbol: &str, size: Option<Decimal>) -> Pair {
    const QUOTES: [&str; 15] = [
        "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "USD", "EUR", "TRY", "BRL", "JPY", "GBP",
        "BTC", "ETH", "BNB",
    ];
    if let Ok(unified) = symbol.parse::<Symbol>() {
        return Pair {
            base: Some(unified.base),
            quote: Some(unified.quote),
            contract: Contract {
                kind: unified.kind(),
                multiplier: size.unwrap_or(Decimal::ONE),
            },
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
        contract: Contract {
            kind: InstrumentKind::Spot,
            multiplier: size.unwrap_or(Decimal::ONE),
        },
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
            remarks(own),
        );
    }
    let _infallible = write!(
        text,
        "{} fills, {} duplicates",
        answer.fills, answer.duplicates
    );
    for (count, what) in [
        (answer.funding_payments, "funding payments"),
        (answer.busts, "busts"),
    ] {
        if count > 0 {
            let _infallible = write!(text, ", {count} {what}");
        }
    }
    text
}

/// What the numbers of a line do not say.
fn remarks(own: &PositionAnswer) -> String {
    let mut text = String::new();
    if own.unknown_fees > 0 {
        let _infallible = write!(text, " ({} fees unknown)", own.unknown_fees);
    }
    if own.unpriced_fees > 0 {
        let _infallible = write!(
            text,
            " ({} fees without a rate: profit is incomplete)",
            own.unpriced_fees
        );
    }
    if own.funding != "0" {
        let _infallible = write!(text, " (funding paid {})", own.funding);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: &str =
        "type,time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id,fee_rate,value\n";
    const HEADER: &str = "time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id\n";

    fn of(text: &str, mark: &[(&str, &str)]) -> Result<Answer, CliError> {
        let marks = mark
            .iter()
            .map(|(symbol, price)| ((*symbol).to_owned(), price.parse().unwrap()))
            .collect();
        answer("fills.csv", text.as_bytes(), &marks, &BTreeMap::new())
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
            answer("f", &bytes, &BTreeMap::new(), &BTreeMap::new())
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

    /// V16, V24 and a bust, in coin; V15 and V25 in quote; old and new columns.
    #[test]
    fn inverse_contracts_funding_busts_and_fee_rates() {
        let header = WIDE;
        let text = format!(
            "{header}fill,1,n,BTC/USD:BTC,buy,100,50000,0,BTC,1,,\n\
             ,2,n,BTC/USD:BTC,buy,100,25000,0,BTC,2,,0.4\n\
             fill,3,n,BTC/USD:BTC,buy,7,26000,0.1,BTC,3,,\n\
             bust,4,n,BTC/USD:BTC,,,,,,3,,\n\
             bust,4,n,BTC/USD:BTC,,,,,,99,,\n\
             funding,5,n,BTC/USD:BTC,,,,0.00005,,f1,,\n\
             funding,5,n,BTC/USD:BTC,,,,0.00005,BTC,f1,,\n\
             fill,1,n,ETH/USDT,buy,1,2000,0.0025,BNB,1,600,\n\
             fill,2,n,ETH/USDT,sell,1,2010,0.0025,BNB,2,603,\n\
             fill,1,n,BTC/USDT:USDT,buy,200,50000,40,USDT,1,,\n\
             funding,2,n,BTC/USDT:USDT,,,,12,USDT,2,,\n\
             fill,3,n,BTC/USDT:USDT,sell,200,61000,48.8,USDT,3,,\n"
        );
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, Decimal> {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), number(value)))
                .collect()
        };
        let marks = map(&[("BTC/USD:BTC", "40000")]);
        let contracts = map(&[("BTC/USD:BTC", "100"), ("BTC/USDT:USDT", "0.01")]);
        let found = answer("f", text.as_bytes(), &marks, &contracts).unwrap();
        assert_eq!(
            (found.fills, found.duplicates, found.funding_payments),
            (6, 1, 2)
        );
        assert_eq!((found.busts, found.busts_of_unknown_fills), (2, 1));
        let own = |symbol: &str| {
            found
                .positions
                .iter()
                .find(|own| own.symbol == symbol)
                .unwrap()
        };
        let coin = own("BTC/USD:BTC");
        assert_eq!(coin.settlement.as_deref(), Some("BTC"));
        assert_eq!(coin.average_price.as_deref(), Some("33333.333333333333"));
        assert_eq!(coin.unrealized_pnl.as_deref(), Some("0.1"), "V16");
        assert_eq!(
            (coin.realized_pnl.as_str(), coin.funding.as_str()),
            ("-0.00005", "0.00005")
        );
        let third = own("ETH/USDT");
        assert_eq!(
            (third.realized_pnl.as_str(), third.complete),
            ("6.9925", true),
            "V15"
        );
        assert_eq!(third.fee_stock["BNB"], "-0.005");
        assert_eq!(own("BTC/USDT:USDT").realized_pnl, "21899.2", "V25");
        assert_eq!(found.totals.realized_pnl["BTC"], "-0.00005");
        assert_eq!(found.totals.realized_pnl["USDT"], "21906.1925");
        assert!(describe(&found).ends_with("6 fills, 1 duplicates, 2 funding payments, 2 busts"));
    }

    #[test]
    fn fees_without_a_rate_are_flagged_and_wrong_rows_refused() {
        let header = WIDE;
        let unpriced = format!("{HEADER}1,n,ETH/USDT,buy,1,2000,0.0025,BNB,1\n");
        let found = of(&unpriced, &[]).unwrap();
        assert!(!found.positions[0].complete && found.positions[0].unpriced_fees == 1);
        assert!(describe(&found).contains("1 fees without a rate"));
        for (row, part) in [
            (
                "split,1,n,BTC/USDT,buy,1,1,0,USDT,1,,",
                "none of fill, funding and bust",
            ),
            ("funding,1,n,BTC/USDT,,,,x,USDT,1,,", "fee: value 'x'"),
            ("funding,1,n,FOO,,,,1,,1,,", "settlement asset"),
            (
                "fill,1,n,BTC/USDT,buy,1,1,0,USDT,1,0,",
                "fee_rate: value '0'",
            ),
            ("fill,1,n,BTC/USD:BTC,buy,1,100,0,BTC,1,,0.02", "1e-4"),
            ("fill,1,n,BTC/USDT,buy,1,100,0,BTC,1,,100", "not inverse"),
        ] {
            let error = of(&format!("{header}{row}\n"), &[]).unwrap_err();
            assert!(error.message.contains(part), "{part} in {}", error.message);
        }
    }

    #[test]
    fn base_and_quote_are_known_of_native_names_too() {
        for (symbol, base, quote) in [
            ("BTCUSDT", "BTC", "USDT"),
            ("eth-btc", "ETH", "BTC"),
            ("BTC/USDT:USDT", "BTC", "USDT"),
        ] {
            let pair = pair(symbol, None);
            assert_eq!(
                (pair.base.unwrap().as_str(), pair.quote.unwrap().as_str()),
                (base, quote)
            );
        }
        assert!(!super::pair("BTC/USDT:USDT", None).contract.is_spot());
        assert!(super::pair("FOO", None).quote.is_none());
        for wrong in ["BTC/USDT", "BTC/USDT=0", "BTC/USDT=x"] {
            assert!(prices("--mark", "1", &[wrong.to_owned()]).is_err());
        }
    }
}
