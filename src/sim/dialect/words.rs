//! The venue's words for sides, kinds and times in force, shared by both dialects.

use crate::exchanges::Dialect;
use crate::sim::venue::book::SelfTrade;
use crate::sim::venue::order::{Order, OrderKind, TimeInForce};
use crate::sim::venue::place::OrderEvent;
use crate::units::{Ppm, Side};

pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub(crate) const fn kind(dialect: Dialect, kind: OrderKind) -> &'static str {
    match (kind, dialect) {
        (OrderKind::Market, _) => "MARKET",
        (OrderKind::PostOnly, Dialect::BinanceSpot) => "LIMIT_MAKER",
        (OrderKind::PostOnly, Dialect::BinanceUsdm) | (OrderKind::Limit, _) => "LIMIT",
    }
}

const fn time_in_force(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    }
}

/// A market order is shown as `GTC`.
pub(crate) const fn spot_time_in_force(order: &Order) -> &'static str {
    match order.kind {
        OrderKind::Market => "GTC",
        OrderKind::Limit | OrderKind::PostOnly => time_in_force(order.time_in_force),
    }
}

/// Post-only is a time in force.
pub(crate) const fn usdm_time_in_force(order: &Order) -> &'static str {
    match order.kind {
        OrderKind::Market => "GTC",
        OrderKind::PostOnly => "GTX",
        OrderKind::Limit => time_in_force(order.time_in_force),
    }
}

pub(crate) const fn self_trade(mode: SelfTrade) -> &'static str {
    match mode {
        SelfTrade::Allow => "NONE",
        SelfTrade::ExpireTaker => "EXPIRE_TAKER",
        SelfTrade::ExpireMaker => "EXPIRE_MAKER",
        SelfTrade::ExpireBoth => "EXPIRE_BOTH",
    }
}

pub(crate) const fn execution(event: &OrderEvent) -> &'static str {
    match event {
        OrderEvent::New => "NEW",
        OrderEvent::Trade(_) => "TRADE",
        OrderEvent::Canceled(_) => "CANCELED",
        OrderEvent::Expired => "EXPIRED",
    }
}

/// A fee rate as a decimal fraction with eight places.
pub(crate) fn ppm_rate(rate: Ppm) -> String {
    let mut text = String::new();
    super::number::push_steps(&mut text, rate.0, 6, 8);
    text
}
