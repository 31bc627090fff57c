//! The words both dialects say of an order: results of requests, rows of trade lists, and the one typed form
//! ([`OrderUpdate`]) that answers and events are brought to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::exchanges::gateway::GatewayInstrument;
use crate::market::InstrumentId;
use crate::trade::{ClientOrderId, Liquidity, RejectReason};
use crate::units::{Asset, Grid, Price, Qty, Side, UnixNanos};

use super::envelope::Malformed;

/// The traded instruments by the venue's names.
#[derive(Debug)]
pub(crate) struct Instruments {
    list: Vec<GatewayInstrument>,
    by_native: BTreeMap<String, usize>,
}

impl Instruments {
    pub(crate) fn new(list: Vec<GatewayInstrument>) -> Self {
        let by_native = list
            .iter()
            .enumerate()
            .map(|(place, instrument)| (instrument.native.clone(), place))
            .collect();
        Self { list, by_native }
    }
    pub(crate) fn native(&self, name: &str) -> Option<&GatewayInstrument> {
        self.by_native
            .get(name)
            .and_then(|place| self.list.get(*place))
    }
    pub(crate) fn get(&self, id: InstrumentId) -> Option<&GatewayInstrument> {
        self.list.iter().find(|instrument| instrument.id == id)
    }
    pub(crate) fn all(&self) -> &[GatewayInstrument] {
        &self.list
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// On the book, or about to be.
    Open,
    /// Nothing more can fill.
    Ended {
        /// Whole quantity filled.
        complete: bool,
    },
    /// Refused after it was taken.
    Rejected(RejectReason),
    /// A word this build does not know: nothing is concluded from it.
    Unclear,
}

impl OrderState {
    /// From the venue's status.
    pub(crate) fn parse(status: &str) -> Self {
        match status {
            "NEW" | "PENDING_NEW" | "PARTIALLY_FILLED" | "PENDING_CANCEL" => Self::Open,
            "FILLED" => Self::Ended { complete: true },
            "CANCELED" | "EXPIRED" | "EXPIRED_IN_MATCH" => Self::Ended { complete: false },
            "REJECTED" => Self::Rejected(RejectReason::Other),
            _ => Self::Unclear,
        }
    }
}

/// One execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FillUpdate {
    pub(crate) trade_id: u64,
    pub(crate) qty: Qty,
    pub(crate) price: Price,
    pub(crate) fee: Decimal,
    pub(crate) fee_asset: Option<Asset>,
    pub(crate) liquidity: Liquidity,
}

/// What was said of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderUpdate {
    pub(crate) instrument: InstrumentId,
    /// Ours, or `None`.
    pub(crate) client: Option<ClientOrderId>,
    /// 0 when not said.
    pub(crate) venue_order_id: u64,
    pub(crate) side: Side,
    pub(crate) state: OrderState,
    /// Cumulative quantity.
    pub(crate) filled: Qty,
    pub(crate) fill: Option<FillUpdate>,
    pub(crate) venue_time: UnixNanos,
}

/// Reads a side.
pub(crate) fn side(text: &str) -> Result<Side, Malformed> {
    match text {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(Malformed),
    }
}

/// Reads a quantity that cannot be negative.
pub(crate) fn unsigned_qty(grid: Grid, text: &str) -> Result<Qty, Malformed> {
    match grid.parse_qty(text.as_bytes()) {
        Ok(qty) if qty.0 >= 0 => Ok(qty),
        Ok(_) | Err(_) => Err(Malformed),
    }
}

/// Reads a price that must be positive.
pub(crate) fn price(grid: Grid, text: &str) -> Result<Price, Malformed> {
    match grid.parse_price(text.as_bytes()) {
        Ok(price) if price.0 > 0 => Ok(price),
        Ok(_) | Err(_) => Err(Malformed),
    }
}

/// Reads an exact decimal.
pub(crate) fn decimal(text: &str) -> Result<Decimal, Malformed> {
    Decimal::from_str_exact(text).map_err(|_number| Malformed)
}

/// Reads a fee and its asset; both may be absent.
pub(crate) fn fee(
    amount: Option<&str>,
    asset: Option<&str>,
) -> Result<(Decimal, Option<Asset>), Malformed> {
    let amount = amount.map_or(Ok(Decimal::ZERO), decimal)?;
    Ok((amount, asset.and_then(Asset::new)))
}

/// Milliseconds as the venue writes them.
pub(crate) const fn millis(value: i64) -> UnixNanos {
    UnixNanos::from_millis(value)
}

const fn liquidity(maker: bool) -> Liquidity {
    if maker {
        Liquidity::Maker
    } else {
        Liquidity::Taker
    }
}

/// Reads the parts of an execution.
pub(crate) fn fill(
    grid: Grid,
    trade_id: i64,
    (qty_text, price_text): (&str, &str),
    (fee_text, fee_asset): (Option<&str>, Option<&str>),
    maker: bool,
) -> Result<FillUpdate, Malformed> {
    let qty = unsigned_qty(grid, qty_text)?;
    if qty.is_zero() {
        return Err(Malformed);
    }
    let (fee, fee_asset) = fee(fee_text, fee_asset)?;
    Ok(FillUpdate {
        trade_id: u64::try_from(trade_id).map_err(|_negative| Malformed)?,
        qty,
        price: price(grid, price_text)?,
        fee,
        fee_asset,
        liquidity: liquidity(maker),
    })
}

/// One entry of `fills` in a FULL answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultFill<'a> {
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    qty: Cow<'a, str>,
    #[serde(borrow)]
    commission: Cow<'a, str>,
    #[serde(borrow)]
    commission_asset: Cow<'a, str>,
    trade_id: i64,
}

/// The result of placing, cancelling or asking for an order, and a row of the open orders.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderResult<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    order_id: u64,
    #[serde(borrow, default)]
    client_order_id: Cow<'a, str>,
    /// On a cancel: the order's own id (`clientOrderId` is then the cancel's).
    #[serde(borrow, default)]
    orig_client_order_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    price: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    orig_qty: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    executed_qty: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    side: Option<Cow<'a, str>>,
    #[serde(default)]
    transact_time: Option<i64>,
    #[serde(default)]
    update_time: Option<i64>,
    #[serde(borrow, default)]
    fills: Option<Vec<ResultFill<'a>>>,
}

/// An open order with what only a list tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenOrderRow {
    pub(crate) update: OrderUpdate,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
}

impl OrderResult<'_> {
    /// The order's state and its executions; `Ok(None)` for an instrument that is not traded.
    ///
    /// FULL answers do not say maker or taker: what fills in the answer itself took liquidity.
    pub(crate) fn read(
        &self,
        instruments: &Instruments,
    ) -> Result<Option<(OrderUpdate, Vec<FillUpdate>)>, Malformed> {
        let Some(instrument) = instruments.native(&self.symbol) else {
            return Ok(None);
        };
        let grid = instrument.grid;
        let own_id = match self.orig_client_order_id.as_deref() {
            Some(id) if !id.is_empty() => id,
            Some(_) | None => self.client_order_id.as_ref(),
        };
        let fills = self
            .fills
            .iter()
            .flatten()
            .map(|row| {
                fill(
                    grid,
                    row.trade_id,
                    (&row.qty, &row.price),
                    (Some(&row.commission), Some(&row.commission_asset)),
                    false,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let update = OrderUpdate {
            instrument: instrument.id,
            client: ClientOrderId::parse(own_id.as_bytes()),
            venue_order_id: self.order_id,
            side: self.side.as_deref().map_or(Ok(Side::Buy), side)?,
            state: self
                .status
                .as_deref()
                .map_or(OrderState::Open, OrderState::parse),
            filled: self
                .executed_qty
                .as_deref()
                .map_or(Ok(Qty::ZERO), |text| unsigned_qty(grid, text))?,
            fill: None,
            venue_time: millis(self.transact_time.or(self.update_time).unwrap_or(0)),
        };
        Ok(Some((update, fills)))
    }

    /// As a row of the open orders.
    pub(crate) fn read_open(
        &self,
        instruments: &Instruments,
    ) -> Result<Option<OpenOrderRow>, Malformed> {
        let Some(instrument) = instruments.native(&self.symbol) else {
            return Ok(None);
        };
        let Some((update, _)) = self.read(instruments)? else {
            return Ok(None);
        };
        let price = instrument
            .grid
            .parse_price(self.price.as_deref().unwrap_or("0").as_bytes())
            .map_err(|_number| Malformed)?;
        let qty = unsigned_qty(instrument.grid, self.orig_qty.as_deref().unwrap_or("0"))?;
        Ok(Some(OpenOrderRow { update, price, qty }))
    }
}

/// A row of own trades.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TradeRow<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    pub(crate) id: i64,
    order_id: u64,
    #[serde(borrow)]
    price: Cow<'a, str>,
    #[serde(borrow)]
    qty: Cow<'a, str>,
    #[serde(borrow)]
    commission: Cow<'a, str>,
    #[serde(borrow)]
    commission_asset: Cow<'a, str>,
    time: i64,
    #[serde(alias = "isBuyer")]
    buyer: bool,
    #[serde(alias = "isMaker")]
    maker: bool,
}

impl TradeRow<'_> {
    /// As an update of its order, without a client id; `Ok(None)` for an instrument that is not traded.
    pub(crate) fn read(&self, instruments: &Instruments) -> Result<Option<OrderUpdate>, Malformed> {
        let Some(instrument) = instruments.native(&self.symbol) else {
            return Ok(None);
        };
        let fill = fill(
            instrument.grid,
            self.id,
            (&self.qty, &self.price),
            (Some(&self.commission), Some(&self.commission_asset)),
            self.maker,
        )?;
        Ok(Some(OrderUpdate {
            instrument: instrument.id,
            client: None,
            venue_order_id: self.order_id,
            side: if self.buyer { Side::Buy } else { Side::Sell },
            state: OrderState::Unclear,
            filled: Qty::ZERO,
            fill: Some(fill),
            venue_time: millis(self.time),
        }))
    }
}
