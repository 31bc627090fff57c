//! Binance USD-M account stream, balances and positions (one-way mode).
//!
//! `TRADE_LITE` is left out on purpose: it has neither fee nor cumulative quantity, and the full event follows.
//! Positions of hedge mode (`LONG`, `SHORT`) are left out of events: this engine trades one-way accounts.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::exchanges::binance::Update;
use crate::exchanges::binance::envelope::{Malformed, Wrapping, event_body};
use crate::exchanges::binance::order::{
    Instruments, OrderState, OrderUpdate, decimal, fill, millis, side, unsigned_qty,
};
use crate::exchanges::gateway::AccountEvent;
use crate::market::InstrumentId;
use crate::trade::{ClientOrderId, MarginFacts, PaymentId};
use crate::units::{Asset, Nanos, Qty};

/// The account-stream key is extended this often (it lives 60 minutes).
pub(crate) const LISTEN_KEY_KEEP_EVERY: Nanos = Nanos::from_secs(25 * 60);
/// Longest key taken. A longer one is malformed.
const LISTEN_KEY_BYTES_MAX: usize = 256;

/// Answer to making a key.
#[derive(Debug, Deserialize)]
pub(crate) struct ListenKey<'a> {
    #[serde(borrow, rename = "listenKey")]
    key: Cow<'a, str>,
}

impl ListenKey<'_> {
    /// The key, if it can stand in an address.
    pub(crate) fn read(&self) -> Result<String, Malformed> {
        let fine = !self.key.is_empty()
            && self.key.len() <= LISTEN_KEY_BYTES_MAX
            && self
                .key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fine.then(|| self.key.to_string()).ok_or(Malformed)
    }
}

/// Target of the account stream.
pub(crate) fn account_target(key: &str) -> String {
    format!("/private/ws?listenKey={key}")
}

/// Whether the venue itself gave an order its client id: liquidation, auto-deleveraging, settlement or delisting.
fn is_venues_own(client: &str) -> bool {
    client.starts_with("autoclose-")
        || client == "adl_autoclose"
        || client.starts_with("settlement_autoclose-")
}

/// Decodes one event into updates. `Ok(false)`: understood, of no interest.
pub(crate) fn decode_event(
    name: &str,
    wrapping: Wrapping,
    bytes: &[u8],
    instruments: &Instruments,
    out: &mut Vec<Update>,
) -> Result<bool, Malformed> {
    match name {
        "ORDER_TRADE_UPDATE" => {
            let event: OrderTradeUpdate<'_> = event_body(bytes, wrapping)?;
            let update = event.order.read(instruments)?;
            if let Some(update) = update.filter(|update| update.fill.is_some())
                && is_venues_own(&event.order.client)
            {
                out.push(Update::Account(AccountEvent::VenueClosed {
                    instrument: update.instrument,
                }));
            }
            out.extend(update.map(Update::Order));
            Ok(update.is_some())
        }
        "ACCOUNT_UPDATE" => {
            let event: AccountUpdate<'_> = event_body(bytes, wrapping)?;
            event.read(instruments, out)?;
            Ok(true)
        }
        "listenKeyExpired" => {
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
struct OrderTradeUpdate<'a> {
    #[serde(borrow, rename = "o")]
    order: OrderEvent<'a>,
}

#[derive(Debug, Deserialize)]
struct OrderEvent<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    client: Cow<'a, str>,
    #[serde(borrow, rename = "S")]
    side: Cow<'a, str>,
    #[serde(borrow, rename = "x")]
    execution: Cow<'a, str>,
    #[serde(borrow, rename = "X")]
    status: Cow<'a, str>,
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

impl OrderEvent<'_> {
    fn read(&self, instruments: &Instruments) -> Result<Option<OrderUpdate>, Malformed> {
        let Some(instrument) = instruments.native(&self.symbol) else {
            return Ok(None);
        };
        let grid = instrument.grid;
        let filled = unsigned_qty(grid, &self.filled)?;
        let last_qty = unsigned_qty(grid, &self.last_qty)?;
        // CALCULATED is a liquidation's execution; it too changes the position. It may come with quantity zero.
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
        Ok(Some(OrderUpdate {
            instrument: instrument.id,
            client: ClientOrderId::parse(self.client.as_bytes()),
            venue_order_id: self.order_id,
            side: side(&self.side)?,
            state: OrderState::parse(&self.status),
            filled,
            fill,
            venue_time: millis(self.time),
        }))
    }
}

#[derive(Debug, Deserialize)]
struct AccountUpdate<'a> {
    #[serde(rename = "T")]
    time: i64,
    #[serde(borrow, rename = "a")]
    account: AccountBody<'a>,
}

#[derive(Debug, Deserialize)]
struct AccountBody<'a> {
    #[serde(borrow, default, rename = "m")]
    reason: Cow<'a, str>,
    #[serde(borrow, default, rename = "B")]
    balances: Vec<BalanceChange<'a>>,
    #[serde(borrow, default, rename = "P")]
    positions: Vec<PositionChange<'a>>,
}

#[derive(Debug, Deserialize)]
struct BalanceChange<'a> {
    #[serde(borrow, rename = "a")]
    asset: Cow<'a, str>,
    #[serde(borrow, rename = "wb")]
    wallet: Cow<'a, str>,
    #[serde(borrow, default, rename = "bc")]
    change: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct PositionChange<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "pa")]
    amount: Cow<'a, str>,
    #[serde(borrow, rename = "ep")]
    entry: Cow<'a, str>,
    #[serde(borrow, default, rename = "ps")]
    position_side: Option<Cow<'a, str>>,
}

impl PositionChange<'_> {
    fn is_one_way(&self) -> bool {
        self.position_side.as_deref().is_none_or(|it| it == "BOTH")
    }
}

impl AccountBody<'_> {
    /// Whose funding this is: of an isolated position, the venue sends that position along; of a crossed one, none.
    fn payer(&self, instruments: &Instruments) -> Option<InstrumentId> {
        let [only] = self.positions.as_slice() else {
            return None;
        };
        let known = instruments.native(&only.symbol)?;
        only.is_one_way().then_some(known.id)
    }
}

impl AccountUpdate<'_> {
    fn read(&self, instruments: &Instruments, out: &mut Vec<Update>) -> Result<(), Malformed> {
        let body = &self.account;
        let is_funding = body.reason == "FUNDING_FEE";
        for row in &body.balances {
            let free = decimal(&row.wallet)?;
            let change = row.change.as_deref().map_or(Ok(Decimal::ZERO), decimal)?;
            let Some(asset) = Asset::new(&row.asset) else {
                continue;
            };
            if !change.is_zero() {
                out.push(Update::Account(AccountEvent::BalanceChanged {
                    asset,
                    change,
                    funding: is_funding.then(|| {
                        let time = millis(self.time);
                        let balance = Some(free);
                        (PaymentId { time, balance }, body.payer(instruments))
                    }),
                }));
            }
            out.push(Update::Account(AccountEvent::Balance {
                asset,
                free,
                locked: Decimal::ZERO,
            }));
        }
        for row in &body.positions {
            let (Some(instrument), true) = (instruments.native(&row.symbol), row.is_one_way())
            else {
                continue;
            };
            let qty = instrument
                .grid
                .parse_qty(row.amount.as_bytes())
                .map_err(|_number| Malformed)?;
            out.push(Update::Account(AccountEvent::Position {
                instrument: instrument.id,
                qty,
                entry: decimal(&row.entry)?,
            }));
        }
        Ok(())
    }
}

/// `/fapi/v3/account`: balances and the margin of the whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account<'a> {
    #[serde(borrow)]
    total_initial_margin: Cow<'a, str>,
    #[serde(borrow)]
    total_maint_margin: Cow<'a, str>,
    #[serde(borrow)]
    total_margin_balance: Cow<'a, str>,
    #[serde(borrow)]
    assets: Vec<BalanceRow<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BalanceRow<'a> {
    #[serde(borrow)]
    asset: Cow<'a, str>,
    #[serde(borrow)]
    wallet_balance: Cow<'a, str>,
}

impl Account<'_> {
    /// All balances, then the margin of the account.
    pub(crate) fn read(&self, out: &mut Vec<AccountEvent>) -> Result<(), Malformed> {
        for row in &self.assets {
            let free = decimal(&row.wallet_balance)?;
            out.extend(Asset::new(&row.asset).map(|asset| AccountEvent::Balance {
                asset,
                free,
                locked: Decimal::ZERO,
            }));
        }
        out.push(AccountEvent::Margin(MarginFacts {
            equity: decimal(&self.total_margin_balance)?,
            initial: decimal(&self.total_initial_margin)?,
            maintenance: decimal(&self.total_maint_margin)?,
        }));
        Ok(())
    }
}

/// A row of `/fapi/v3/positionRisk`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PositionRow<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    position_amt: Cow<'a, str>,
    #[serde(borrow)]
    entry_price: Cow<'a, str>,
}

/// All positions of the traded instruments, flat ones too: the venue leaves those out. Rows of one instrument are summed
/// (hedge mode has two).
pub(crate) fn read_positions(
    rows: &[PositionRow<'_>],
    instruments: &Instruments,
    out: &mut Vec<AccountEvent>,
) -> Result<(), Malformed> {
    let mut found: Vec<(InstrumentId, Qty, Decimal)> = instruments
        .all()
        .iter()
        .map(|instrument| (instrument.id, Qty::ZERO, Decimal::ZERO))
        .collect();
    for row in rows {
        let Some(instrument) = instruments.native(&row.symbol) else {
            continue;
        };
        let qty = instrument
            .grid
            .parse_qty(row.position_amt.as_bytes())
            .map_err(|_number| Malformed)?;
        let entry = decimal(&row.entry_price)?;
        if let Some(slot) = found.iter_mut().find(|slot| slot.0 == instrument.id) {
            slot.1 = slot.1.checked_add(qty).ok_or(Malformed)?;
            if !entry.is_zero() {
                slot.2 = entry;
            }
        }
    }
    out.extend(
        found
            .into_iter()
            .map(|(instrument, qty, entry)| AccountEvent::Position {
                instrument,
                qty,
                entry,
            }),
    );
    Ok(())
}
