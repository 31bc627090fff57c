//! Does what a request wants, whichever door it came through, and writes the answer's body.

use crate::exchanges::Dialect;
use crate::sim::venue::{ListenKey, VenueCore};
use crate::units::{Nanos, UnixNanos};

use super::error::ApiError;
use super::json::{Obj, array};
use super::params::Params;
use super::route::Action;
use super::serve_orders::{order_action, place};
use super::{number, request, spot, stream, usdm, usdm_account};

/// How a request ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Body(String),
    /// No answer ever comes: the outcome is unknown to the client.
    Lost,
}

/// Listen keys live an hour.
const LISTEN_KEY_LIFE: Nanos = Nanos::from_secs(3_600);

/// Performs an action; `account` is there whenever the action's guard asks for one.
pub(crate) fn perform(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: Option<usize>,
    now: UnixNanos,
) -> Result<Answer, ApiError> {
    let account = account.ok_or_else(|| ApiError::new(-2014, "API-key format invalid."));
    let body = match action {
        Action::Ping => "{}".to_owned(),
        Action::Empty => "[]".to_owned(),
        Action::Time => Obj::new().int("serverTime", now.floor_millis()).end(),
        Action::ExchangeInfo => exchange_info(core, params, now)?,
        Action::Depth => depth(core, params, now)?,
        Action::BookTicker => book_tickers(core, params, now)?,
        Action::PremiumIndex => per_symbol(core, params, |core, symbol| {
            usdm::premium_index(core, symbol, now)
        })?,
        Action::Place => return place(core, params, account?, now),
        Action::TestPlace
        | Action::Cancel
        | Action::CancelAll
        | Action::Query
        | Action::OpenOrders
        | Action::AllOrders
        | Action::MyTrades => order_action(core, action, params, account?, now)?,
        Action::OrderCounts => super::limits::order_counts(core, account?, now),
        Action::KeyStart | Action::KeyPing | Action::KeyStop => {
            listen_key(core, action, account?, now)?
        }
        Action::Account
        | Action::Balance
        | Action::Positions
        | Action::Commission
        | Action::Countdown
        | Action::PositionSide
        | Action::MultiAssets
        | Action::Leverage
        | Action::LeverageBrackets
        | Action::MarginType => account_action(core, action, params, account?, now)?,
        // These belong to a connection and are answered where connections are known.
        Action::Logon
        | Action::SessionStatus
        | Action::Logout
        | Action::Subscribe
        | Action::SubscribeSigned
        | Action::Unsubscribe => {
            return Err(ApiError::new(-1000, "Only on a WebSocket connection."));
        }
    };
    Ok(Answer::Body(body))
}

fn account_action(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let asks = matches!(
        action,
        Action::Account | Action::Balance | Action::Positions
    );
    let stale = core.faults.stale.take().filter(|(_, until)| now < *until);
    let shown = stale.as_ref().filter(|_| asks);
    let present =
        shown.map(|(accounts, _)| std::mem::replace(&mut core.accounts, accounts.clone()));
    let answer = match core.dialect() {
        Dialect::BinanceSpot => spot::account_action(core, action, params, account, now),
        Dialect::BinanceUsdm => usdm_account::account_action(core, action, params, account, now),
    };
    if let Some(present) = present {
        core.accounts = present;
        core.faults.fire("stale_account");
    }
    core.faults.stale = stale;
    answer
}

fn exchange_info(
    core: &mut VenueCore,
    params: &Params,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let mut wanted: Vec<String> = params
        .get("symbol")
        .map(str::to_owned)
        .into_iter()
        .collect();
    if let Some(list) = params.get("symbols") {
        wanted.extend(
            serde_json::from_str::<Vec<String>>(list)
                .map_err(|_not_a_number| ApiError::illegal("symbols"))?,
        );
    }
    let is_spot = core.dialect() == Dialect::BinanceSpot;
    if is_spot
        && wanted
            .iter()
            .any(|native| core.symbol_index(native).is_none())
    {
        return Err(ApiError::unknown_symbol());
    }
    let symbols: Vec<usize> = (0..core.markets.len())
        .filter(|&index| {
            let native = core.markets.get(index).map(|market| &market.setup.native);
            !is_spot || wanted.is_empty() || native.is_some_and(|native| wanted.contains(native))
        })
        .collect();
    Ok(super::info::exchange_info(core, &symbols, now))
}

fn depth(core: &mut VenueCore, params: &Params, now: UnixNanos) -> Result<String, ApiError> {
    let symbol = request::symbol(core, params)?;
    let limit: usize = match params.get("limit") {
        None if core.dialect() == Dialect::BinanceUsdm => 500,
        None => 100,
        Some(text) => text
            .parse()
            .map_err(|_not_a_number| ApiError::illegal("limit"))?,
    };
    let legal = match core.dialect() {
        Dialect::BinanceSpot => limit >= 1,
        Dialect::BinanceUsdm => [5, 10, 20, 50, 100, 500, 1_000].contains(&limit),
    };
    if !legal {
        return Err(ApiError::new(
            -4021,
            format!("{limit} is not valid depth limit"),
        ));
    }
    core.note_depth_request(symbol);
    let market = core
        .markets
        .get(symbol)
        .ok_or_else(ApiError::unknown_symbol)?;
    Ok(stream::depth_snapshot(
        core.dialect(),
        market,
        limit.min(5_000),
        now,
    ))
}

fn per_symbol(
    core: &VenueCore,
    params: &Params,
    write: impl Fn(&VenueCore, usize) -> String,
) -> Result<String, ApiError> {
    if params.get("symbol").is_some() {
        return Ok(write(core, request::symbol(core, params)?));
    }
    Ok(array(
        (0..core.markets.len()).map(|symbol| write(core, symbol)),
    ))
}

fn book_tickers(core: &VenueCore, params: &Params, now: UnixNanos) -> Result<String, ApiError> {
    let dialect = core.dialect();
    per_symbol(core, params, |core, symbol| {
        let Some(market) = core.markets.get(symbol) else {
            return String::from("{}");
        };
        let (bid, ask) = market.best();
        let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
        let body = Obj::new()
            .text("symbol", &market.setup.native)
            .text("bidPrice", &number::price(dialect, &market.setup, bid.0))
            .text("bidQty", &number::qty(dialect, &market.setup, bid.1))
            .text("askPrice", &number::price(dialect, &market.setup, ask.0))
            .text("askQty", &number::qty(dialect, &market.setup, ask.1));
        match dialect {
            Dialect::BinanceSpot => body.end(),
            Dialect::BinanceUsdm => body
                .int("time", now.floor_millis())
                .int("lastUpdateId", market.depth_id())
                .end(),
        }
    })
}

fn listen_key(
    core: &mut VenueCore,
    action: Action,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let fresh = format!(
        "{:016x}{:016x}{:016x}{:016x}",
        core.prng.next_u64(),
        core.prng.next_u64(),
        core.prng.next_u64(),
        core.prng.next_u64()
    );
    let slot = core
        .listen_keys
        .get_mut(account)
        .ok_or_else(|| ApiError::new(-2015, "Invalid API-key, IP, or permissions for action."))?;
    if slot.as_ref().is_some_and(|known| known.expires <= now) {
        *slot = None;
    }
    let expires = now.after(LISTEN_KEY_LIFE);
    match (action, &mut *slot) {
        (Action::KeyStop, _) => {
            *slot = None;
            return Ok("{}".to_owned());
        }
        (Action::KeyPing, None) => {
            return Err(ApiError::new(-1125, "This listenKey does not exist."));
        }
        (_, Some(known)) => known.expires = expires,
        (_, None) => {
            *slot = Some(ListenKey {
                key: fresh,
                expires,
            });
        }
    }
    let key = slot.as_ref().map_or("", |known| known.key.as_str());
    Ok(Obj::new().text("listenKey", key).end())
}
