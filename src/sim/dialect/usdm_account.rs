//! USD-M requests about the account: balances, positions, margin, leverage, dead-man switch.

use crate::exchanges::Dialect;
use crate::sim::venue::{Amount, VenueCore};
use crate::units::{Asset, Nanos, UnixNanos};

use super::error::ApiError;
use super::json::{Obj, array};
use super::number::{self, average, money};
use super::params::Params;
use super::request;
use super::route::Action;
use super::usdm::qty;
use super::words::ppm_rate;

/// Margin assets of the venue, each once.
fn assets(core: &VenueCore) -> Vec<Asset> {
    let mut assets: Vec<Asset> = core
        .markets
        .iter()
        .map(|market| market.setup.quote)
        .collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

/// Account requests of USD-M.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are answered elsewhere"
)]
pub(crate) fn account_action(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    match action {
        Action::Account => Ok(account_status(core, account, now)),
        Action::Balance => Ok(array(
            assets(core)
                .into_iter()
                .map(|asset| balance(core, account, asset, now)),
        )),
        Action::Positions => positions(core, params, account, now),
        Action::Commission => {
            let symbol = request::symbol(core, params)?;
            let native = core
                .markets
                .get(symbol)
                .map_or("", |market| market.setup.native.as_str());
            Ok(Obj::new()
                .text("symbol", native)
                .text("makerCommissionRate", &ppm_rate(core.setup().maker_fee))
                .text("takerCommissionRate", &ppm_rate(core.setup().taker_fee))
                .text("rpiCommissionRate", &ppm_rate(core.setup().maker_fee))
                .end())
        }
        Action::Countdown => countdown(core, params, account, now),
        Action::PositionSide => Ok(String::from("{\"dualSidePosition\":false}")),
        Action::MultiAssets => Ok(String::from("{\"multiAssetsMargin\":false}")),
        Action::Leverage => set_leverage(core, params, account),
        Action::LeverageBrackets => {
            let brackets = (0..core.markets.len()).map(|symbol| leverage_bracket(core, symbol));
            Ok(array(brackets))
        }
        Action::MarginType => Err(ApiError::new(-4046, "No need to change margin type.")),
        _ => Err(ApiError::new(-1000, "Not a request of this venue.")),
    }
}

fn balance(core: &VenueCore, account: usize, asset: Asset, now: UnixNanos) -> String {
    let view = core.margin_view(account, asset);
    let available = money(view.available());
    Obj::new()
        .text("accountAlias", "SgsR")
        .text("asset", asset.as_str())
        .text("balance", &money(view.wallet))
        .text("crossWalletBalance", &money(view.wallet))
        .text("crossUnPnl", &money(view.unrealized))
        .text("availableBalance", &available)
        .text("maxWithdrawAmount", &available)
        .flag("marginAvailable", true)
        .int("updateTime", now.floor_millis())
        .end()
}

fn is_shown(core: &VenueCore, account: usize, symbol: usize) -> bool {
    let flat = core
        .accounts
        .get(account)
        .is_none_or(|account| account.position(symbol).qty.is_zero());
    !flat || !core.orders.open_of(account, Some(symbol)).is_empty()
}

/// `positionRisk`: symbols with a position or open orders; a symbol asked for is always shown.
fn positions(
    core: &VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let wanted = params
        .get("symbol")
        .map(|_| request::symbol(core, params))
        .transpose()?;
    let shown = |symbol: &usize| {
        wanted == Some(*symbol) || (wanted.is_none() && is_shown(core, account, *symbol))
    };
    Ok(array(
        (0..core.markets.len())
            .filter(shown)
            .map(|symbol| position_risk(core, account, symbol, now)),
    ))
}

fn maintenance(core: &VenueCore, account: usize, symbol: usize) -> Amount {
    let cost = core
        .accounts
        .get(account)
        .map_or(Amount::ZERO, |owner| owner.position(symbol).cost);
    cost.max(-cost).divide_ceil(40)
}

fn position_risk(core: &VenueCore, account: usize, symbol: usize, now: UnixNanos) -> String {
    let (Some(market), Some(owner)) = (core.markets.get(symbol), core.accounts.get(account)) else {
        return String::from("{}");
    };
    let (setup, position) = (&market.setup, owner.position(symbol));
    let mark = market.mark_price().unwrap_or_default();
    let entry = average(setup, position.cost, position.qty);
    let notional = Amount::of_notional(setup.grid, mark.times(position.qty));
    let (position_margin, order_margin) = (
        core.position_margin(account, symbol),
        core.order_margin(account, symbol),
    );
    Obj::new()
        .text("symbol", &setup.native)
        .text("positionSide", "BOTH")
        .text("positionAmt", &qty(setup, position.qty))
        .text("entryPrice", &entry)
        .text("breakEvenPrice", &entry)
        .text(
            "markPrice",
            &number::price(Dialect::BinanceSpot, setup, mark),
        )
        .text("unRealizedProfit", &money(core.unrealized(account, symbol)))
        .text("liquidationPrice", "0")
        .text("leverage", &core.leverage(account, symbol).to_string())
        .text("marginType", "cross")
        .text("isolatedMargin", "0")
        .text("notional", &money(notional))
        .text("marginAsset", setup.quote.as_str())
        .text("isolatedWallet", "0")
        .text("initialMargin", &money(position_margin + order_margin))
        .text("maintMargin", &money(maintenance(core, account, symbol)))
        .text("positionInitialMargin", &money(position_margin))
        .text("openOrderInitialMargin", &money(order_margin))
        .int("adl", 0)
        .text("bidNotional", "0")
        .text("askNotional", "0")
        .int("updateTime", now.floor_millis())
        .end()
}

fn account_status(core: &VenueCore, account: usize, now: UnixNanos) -> String {
    let mut total = crate::sim::venue::margin::MarginView::default();
    let mut maintenance_total = Amount::ZERO;
    let mut entries = Vec::new();
    for asset in assets(core) {
        let view = core.margin_view(account, asset);
        let symbols = (0..core.markets.len())
            .filter(|&at| core.markets.get(at).is_some_and(|m| m.setup.quote == asset));
        let maintenance: Amount = symbols
            .map(|symbol| maintenance(core, account, symbol))
            .sum();
        total.wallet += view.wallet;
        total.unrealized += view.unrealized;
        total.position_margin += view.position_margin;
        total.order_margin += view.order_margin;
        maintenance_total += maintenance;
        let body = Obj::new()
            .text("asset", asset.as_str())
            .text("walletBalance", &money(view.wallet));
        let body = body
            .text("unrealizedProfit", &money(view.unrealized))
            .text("marginBalance", &money(view.wallet + view.unrealized))
            .text("maintMargin", &money(maintenance))
            .text(
                "initialMargin",
                &money(view.position_margin + view.order_margin),
            )
            .text("positionInitialMargin", &money(view.position_margin))
            .text("openOrderInitialMargin", &money(view.order_margin))
            .text("crossWalletBalance", &money(view.wallet))
            .text("crossUnPnl", &money(view.unrealized))
            .text("availableBalance", &money(view.available()))
            .text("maxWithdrawAmount", &money(view.available()))
            .flag("marginAvailable", true)
            .int("updateTime", now.floor_millis());
        entries.push(body.end());
    }
    let shown = (0..core.markets.len()).filter(|&symbol| is_shown(core, account, symbol));
    let positions = array(shown.map(|symbol| account_position(core, account, symbol, now)));
    Obj::new()
        .int("feeTier", 0)
        .flag("canTrade", true)
        .flag("canDeposit", true)
        .flag("canWithdraw", true)
        .flag("multiAssetsMargin", false)
        .int("updateTime", 0)
        .text(
            "totalInitialMargin",
            &money(total.position_margin + total.order_margin),
        )
        .text("totalMaintMargin", &money(maintenance_total))
        .text("totalWalletBalance", &money(total.wallet))
        .text("totalUnrealizedProfit", &money(total.unrealized))
        .text(
            "totalMarginBalance",
            &money(total.wallet + total.unrealized),
        )
        .text("totalPositionInitialMargin", &money(total.position_margin))
        .text("totalOpenOrderInitialMargin", &money(total.order_margin))
        .text("totalCrossWalletBalance", &money(total.wallet))
        .text("totalCrossUnPnl", &money(total.unrealized))
        .text("availableBalance", &money(total.available()))
        .text("maxWithdrawAmount", &money(total.available()))
        .raw("assets", &array(entries))
        .raw("positions", &positions)
        .end()
}

fn account_position(core: &VenueCore, account: usize, symbol: usize, now: UnixNanos) -> String {
    let (Some(market), Some(owner)) = (core.markets.get(symbol), core.accounts.get(account)) else {
        return String::from("{}");
    };
    let (setup, position) = (&market.setup, owner.position(symbol));
    let notional = Amount::of_notional(
        setup.grid,
        market.mark_price().unwrap_or_default().times(position.qty),
    );
    let (position_margin, order_margin) = (
        core.position_margin(account, symbol),
        core.order_margin(account, symbol),
    );
    Obj::new()
        .text("symbol", &setup.native)
        .text("positionSide", "BOTH")
        .text("positionAmt", &qty(setup, position.qty))
        .text("entryPrice", &average(setup, position.cost, position.qty))
        .text("unrealizedProfit", &money(core.unrealized(account, symbol)))
        .text("leverage", &core.leverage(account, symbol).to_string())
        .flag("isolated", false)
        .text("isolatedMargin", "0")
        .text("notional", &money(notional))
        .text("isolatedWallet", "0")
        .text("initialMargin", &money(position_margin + order_margin))
        .text("positionInitialMargin", &money(position_margin))
        .text("openOrderInitialMargin", &money(order_margin))
        .text("maintMargin", &money(maintenance(core, account, symbol)))
        .int("updateTime", now.floor_millis())
        .end()
}

fn countdown(
    core: &mut VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let symbol = request::symbol(core, params)?;
    let text = params
        .get("countdownTime")
        .ok_or_else(|| ApiError::missing("countdownTime"))?;
    let millis: u64 = text
        .parse()
        .map_err(|_not_a_number| ApiError::illegal("countdownTime"))?;
    core.countdowns
        .retain(|&(owner, at, _)| (owner, at) != (account, symbol));
    if millis > 0 {
        core.countdowns
            .push((account, symbol, now.after(Nanos::from_millis(millis))));
    }
    let native = core
        .markets
        .get(symbol)
        .map_or("", |market| market.setup.native.as_str());
    Ok(Obj::new()
        .text("symbol", native)
        .text("countdownTime", &millis.to_string())
        .end())
}

fn set_leverage(core: &mut VenueCore, params: &Params, account: usize) -> Result<String, ApiError> {
    let symbol = request::symbol(core, params)?;
    let text = params
        .get("leverage")
        .ok_or_else(|| ApiError::missing("leverage"))?;
    let leverage: u32 = text
        .parse()
        .map_err(|_not_a_number| ApiError::illegal("leverage"))?;
    if !(1..=125).contains(&leverage) {
        return Err(ApiError::new(
            -4028,
            format!("Leverage {leverage} is not valid"),
        ));
    }
    if let Some(slot) = core
        .accounts
        .get_mut(account)
        .and_then(|owner| owner.leverages.get_mut(symbol))
    {
        *slot = leverage;
    }
    let native = core
        .markets
        .get(symbol)
        .map_or("", |market| market.setup.native.as_str());
    Ok(Obj::new()
        .int("leverage", leverage)
        .text("maxNotionalValue", "1000000000")
        .text("symbol", native)
        .end())
}

fn leverage_bracket(core: &VenueCore, symbol: usize) -> String {
    let native = core
        .markets
        .get(symbol)
        .map_or("", |market| market.setup.native.as_str());
    let bracket = Obj::new()
        .int("bracket", 1)
        .int("initialLeverage", 125)
        .int("notionalCap", 1_000_000_000)
        .int("notionalFloor", 0)
        .raw("maintMarginRatio", "0.025")
        .raw("cum", "0.0");
    Obj::new()
        .text("symbol", native)
        .raw("brackets", &array([bracket.end()]))
        .end()
}
