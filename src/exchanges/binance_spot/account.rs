//! Binance Spot account stream and balances.
//!
//! Events share the order connection: `{"subscriptionId":0,"event":{..}}`. There is no snapshot: subscribe first, then ask.

use std::borrow::Cow;

use serde::Deserialize;

use crate::exchanges::binance::Update;
use crate::exchanges::binance::envelope::{Malformed, Wrapping, event_body};
use crate::exchanges::binance::order::{
    Instruments, OrderState, OrderUpdate, decimal, fill, millis, side, unsigned_qty,
};
use crate::exchanges::gateway::AccountEvent;
use crate::trade::{ClientOrderId, RejectReason};
use crate::units::Asset;

/// Decodes one event into updates. `Ok(false)`: understood, of no interest.
pub(crate) fn decode_event(
    name: &str,
    wrapping: Wrapping,
    bytes: &[u8],
    instruments: &Instruments,
    out: &mut Vec<Update>,
) -> Result<bool, Malformed> {
    match name {
        "executionReport" => {
            let report: ExecutionReport<'_> = event_body(bytes, wrapping)?;
            let update = report.read(instruments)?;
            out.extend(update.map(Update::Order));
            Ok(update.is_some())
        }
        "outboundAccountPosition" => {
            let event: AccountPosition<'_> = event_body(bytes, wrapping)?;
            for row in &event.balances {
                let (free, locked) = (decimal(&row.free)?, decimal(&row.locked)?);
                out.extend(Asset::new(&row.asset).map(|asset| {
                    Update::Account(AccountEvent::Balance {
                        asset,
                        free,
                        locked,
                    })
                }));
            }
            Ok(true)
        }
        "balanceUpdate" => {
            let event: BalanceUpdate<'_> = event_body(bytes, wrapping)?;
            let change = decimal(&event.change)?;
            out.extend(Asset::new(&event.asset).map(|asset| {
                Update::Account(AccountEvent::BalanceChanged {
                    asset,
                    change,
                    funding: None,
                })
            }));
            Ok(true)
        }
        "eventStreamTerminated" => {
            out.push(Update::StreamEnded);
            Ok(true)
        }
        "serverShutdown" => {
            out.push(Update::Shutdown);
            Ok(true)
        }
        _ => Ok(false),
    }
}

#[derive(Debug, Deserialize)]
struct ExecutionReport<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    client: Cow<'a, str>,
    /// On a cancel: the order's own id (`c` is then the cancel's); otherwise empty.
    #[serde(borrow, default, rename = "C")]
    original_client: Cow<'a, str>,
    #[serde(borrow, rename = "S")]
    side: Cow<'a, str>,
    #[serde(borrow, rename = "x")]
    execution: Cow<'a, str>,
    #[serde(borrow, rename = "X")]
    status: Cow<'a, str>,
    #[serde(borrow, default, rename = "r")]
    reject: Option<Cow<'a, str>>,
    #[serde(rename = "i")]
    order_id: u64,
    #[serde(borrow, rename = "l")]
    last_qty: Cow<'a, str>,
    #[serde(borrow, rename = "L")]
    last_price: Cow<'a, str>,
    #[serde(borrow, rename = "z")]
    filled: Cow<'a, str>,
    #[serde(borrow, default, rename = "n")]
    fee: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "N")]
    fee_asset: Option<Cow<'a, str>>,
    #[serde(rename = "T")]
    time: i64,
    #[serde(rename = "t")]
    trade_id: i64,
    #[serde(rename = "m")]
    maker: bool,
}

impl ExecutionReport<'_> {
    fn read(&self, instruments: &Instruments) -> Result<Option<OrderUpdate>, Malformed> {
        let Some(instrument) = instruments.native(&self.symbol) else {
            return Ok(None);
        };
        let grid = instrument.grid;
        let own_id = if self.original_client.is_empty() {
            &self.client
        } else {
            &self.original_client
        };
        let filled = unsigned_qty(grid, &self.filled)?;
        let last_qty = unsigned_qty(grid, &self.last_qty)?;
        // CALCULATED is a liquidation's execution; it too changes the position.
        let executed = matches!(self.execution.as_ref(), "TRADE" | "CALCULATED");
        let fill = (executed && !last_qty.is_zero())
            .then(|| {
                fill(
                    grid,
                    self.trade_id,
                    (&self.last_qty, &self.last_price),
                    (self.fee.as_deref(), self.fee_asset.as_deref()),
                    self.maker,
                )
            })
            .transpose()?;
        let state = match OrderState::parse(&self.status) {
            OrderState::Rejected(_) => {
                OrderState::Rejected(reject_reason(self.reject.as_deref().unwrap_or_default()))
            }
            state @ (OrderState::Open | OrderState::Ended { .. } | OrderState::Unclear) => state,
        };
        Ok(Some(OrderUpdate {
            instrument: instrument.id,
            client: ClientOrderId::parse(own_id.as_bytes()),
            venue_order_id: self.order_id,
            side: side(&self.side)?,
            state,
            filled,
            fill,
            venue_time: millis(self.time),
        }))
    }
}

/// The word of a refusal that came as an event.
fn reject_reason(word: &str) -> RejectReason {
    match word {
        "GTX_ORDER_REJECT" | "LIMIT_MAKER_REJECT" | "WOULD_MATCH_IMMEDIATELY" => {
            RejectReason::WouldTake
        }
        "INSUFFICIENT_BALANCES" | "INSUFFICIENT_BALANCE" | "ACCOUNT_INACTIVE" => {
            RejectReason::Balance
        }
        "PRICE_QTY_EXCEED_HARD_LIMITS" => RejectReason::Filter,
        "UNKNOWN_INSTRUMENT" | "MARKET_CLOSED" => RejectReason::Instrument,
        "DUPLICATE_ORDER" => RejectReason::Duplicate,
        _ => RejectReason::Other,
    }
}

#[derive(Debug, Deserialize)]
struct AccountPosition<'a> {
    #[serde(borrow, rename = "B")]
    balances: Vec<PositionRow<'a>>,
}

#[derive(Debug, Deserialize)]
struct PositionRow<'a> {
    #[serde(borrow, rename = "a")]
    asset: Cow<'a, str>,
    #[serde(borrow, rename = "f")]
    free: Cow<'a, str>,
    #[serde(borrow, rename = "l")]
    locked: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct BalanceUpdate<'a> {
    #[serde(borrow, rename = "a")]
    asset: Cow<'a, str>,
    #[serde(borrow, rename = "d")]
    change: Cow<'a, str>,
}

/// Result of `account.status`.
#[derive(Debug, Deserialize)]
pub(crate) struct Account<'a> {
    #[serde(borrow)]
    balances: Vec<BalanceRow<'a>>,
}

#[derive(Debug, Deserialize)]
struct BalanceRow<'a> {
    #[serde(borrow)]
    asset: Cow<'a, str>,
    #[serde(borrow)]
    free: Cow<'a, str>,
    #[serde(borrow)]
    locked: Cow<'a, str>,
}

impl Account<'_> {
    /// All balances. Assets whose code is longer than ours may be are left out.
    pub(crate) fn read(&self, out: &mut Vec<AccountEvent>) -> Result<(), Malformed> {
        for row in &self.balances {
            let (free, locked) = (decimal(&row.free)?, decimal(&row.locked)?);
            out.extend(Asset::new(&row.asset).map(|asset| AccountEvent::Balance {
                asset,
                free,
                locked,
            }));
        }
        Ok(())
    }
}
