//! What we own and what it earned: fills become positions, cost, realized profit and fees, exactly.
//!
//! One accounting core ([`PositionBook`], on decimals) serves the running engine ([`Ledger`]) and `arbalest ledger`.

pub mod book;
pub mod engine;
pub mod error;
pub mod position;
pub mod trade_ids;

pub use book::{Applied, PositionBook};
pub use engine::{FillEffect, Ledger};
pub use error::LedgerError;
pub use position::{Change, Fee, Pair, Position, Trade};
pub use trade_ids::TradeIds;
