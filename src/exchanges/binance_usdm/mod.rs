//! Binance USD-M futures: market data, order entry and account stream.

pub(crate) mod account;
pub(crate) mod market;
pub(crate) mod orders;
mod sign;
