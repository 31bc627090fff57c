//! What a database must be able to do for us.

use super::error::StoreError;
use super::rows::{Position, Row};
use super::tables::TABLES;

/// Rows of some journal records, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Journal number that the database must stand at.
    pub from_seq: u64,
    /// Where it stands afterwards.
    pub to: Position,
    /// In order.
    pub rows: Vec<Row>,
}

/// One row of the audit table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Number in the table, from 1 without gaps.
    pub seq: i64,
    /// Number of its journal record.
    pub journal_seq: i64,
    /// When it was recorded, ns since 1970.
    pub time_ns: i64,
    /// Kind of the record.
    pub kind: String,
    /// The record as it stands in the journal.
    pub content: String,
    /// Hash over all journal lines up to this one.
    pub journal_hash: String,
    /// Hash over all audit rows up to this one.
    pub hash: String,
}

/// Numbers of one table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: i64,
    /// Lowest `seq`; 0 for none.
    pub first: i64,
    /// Highest; 0 for none.
    pub last: i64,
}

/// One database, open.
pub trait Backend {
    /// Where it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    fn position(&mut self) -> Result<Position, StoreError>;
    /// Adds all rows and moves on, or does nothing at all.
    ///
    /// # Errors
    /// [`StoreError`]; after one, whether the rows are there is only known by opening it again.
    fn write(&mut self, batch: &Batch) -> Result<(), StoreError>;
    /// Audit rows behind a `seq`, at most `count`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn audit_after(&mut self, seq: i64, count: i64) -> Result<Vec<AuditRow>, StoreError>;
    /// Numbers of one table's rows.
    ///
    /// # Errors
    /// [`StoreError`].
    fn span(&mut self, place: usize) -> Result<Span, StoreError>;
    /// The database's own check of its whole content.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and others.
    fn check(&mut self) -> Result<(), StoreError>;
}

/// The counters of all tables.
pub(super) fn counters(backend: &mut impl Backend) -> Result<Vec<i64>, StoreError> {
    (0..TABLES.len())
        .map(|place| backend.span(place).map(|span| span.last))
        .collect()
}

/// The statements that both databases share.
pub(super) mod sql {
    /// Row of the position.
    pub(in crate::store) const PROGRESS: &str = "SELECT journal_seq, journal_crc, journal_hash, audit_hash FROM store_progress WHERE id = 1";
    /// The position before any record.
    pub(in crate::store) const BEGIN: &str = "INSERT INTO store_progress (id, journal_seq, journal_crc, journal_hash, audit_hash) \
         VALUES (1, 0, 0, '0000000000000000000000000000000000000000000000000000000000000000', \
         '0000000000000000000000000000000000000000000000000000000000000000')";
    /// Numbers of a table's rows.
    pub(in crate::store) fn span(table: &str) -> String {
        format!("SELECT count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) FROM {table}")
    }
    /// Columns of an audit row, in the order of [`super::AuditRow`].
    pub(in crate::store) const AUDIT: &str =
        "SELECT seq, journal_seq, time_ns, kind, content, journal_hash, hash FROM audit";
}
