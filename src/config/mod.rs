//! Settings from text: TOML files in, checked plain values out, or every mistake at once.
//!
//! A directory holds `venues.toml`, `limits.toml` (owned by risk), `strategies/*.toml` and optionally `engine.toml`. Without
//! one the embedded default is used, which is the `config/` directory of this repository. Nothing is interpolated from the
//! environment and nothing is included: what the files say is what runs, and its hash is exported.

pub mod assemble;
pub mod check;
pub mod difference;
pub mod document;
pub mod explain;
pub mod hint;
pub mod json_schema;
mod lists;
pub mod load;
pub mod lookup;
pub mod mistake;
pub mod proof;
pub mod quantity;
mod read_alert;
mod read_controls;
pub mod read_engine;
mod read_kill;
pub mod read_limits;
mod read_pre_trade;
mod read_recovery;
mod read_store;
pub mod read_strategy;
pub mod read_venues;
pub mod reload;
#[rustfmt::skip] // one row a key reads as a table
pub mod schema;
pub mod settings;
pub mod strategies;
pub mod table;
pub mod template;

pub use mistake::{ConfigError, Mistake, Place};
pub use settings::{
    EngineMode, EngineSettings, KeySource, Layout, LimitSettings, Settings, SettingsError,
    StrategyMode, VenueSettings, Wait,
};
pub use strategies::{StrategyKind, StrategySettings};
