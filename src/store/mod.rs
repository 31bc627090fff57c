//! The database: a consumer of the journal, for people and their tools. `SQLite` by default, `PostgreSQL` by configuration.
//!
//! One thread follows the journal's files as far as they are on disk, and adds rows in transactions that also move its
//! position on. So the database may be slow, down, or restored from an older backup: trading goes on, and it catches up
//! without loss or duplication. Nothing of the engine reads it.

pub mod backend;
pub mod chain;
pub mod error;
pub mod follower;
pub mod page;
pub mod postgres;
pub mod rows;
pub mod schema;
pub mod sqlite;
#[rustfmt::skip] // one row a table reads as a table
pub mod tables;
pub mod verify;

pub use backend::{AuditRow, Backend, Batch};
pub use error::StoreError;
pub use follower::{Follower, Place, StoreGauge};
