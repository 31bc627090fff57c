//! What we own and what it earned: fills become positions, cost, realized profit and fees, exactly.
//!
//! One accounting core ([`PositionBook`], on decimals) serves the running engine ([`Ledger`]) and `arbalest ledger`.

pub mod book;
pub mod engine;
pub mod error;
pub mod fee;
pub mod position;
pub mod rates;
pub mod trade_ids;

pub use book::{Applied, Bust, PositionBook};
pub use engine::{FillEffect, Funding, Ledger};
pub use error::LedgerError;
pub use fee::{Fee, FeeRate, Payment, Stock};
pub use position::{Change, Pair, Position, Trade};
pub use rates::{Purpose, Rate, Rates, Valued};
pub use trade_ids::TradeIds;
