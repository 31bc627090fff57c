//! Checks the record of what happened: the journal's files, the audit chain, and that the one was filled from the other.

use std::path::Path;

use crate::journal::{Cursor, JournalError, first_seq};

use super::backend::{AuditRow, Backend};
use super::chain::{Chain, link};
use super::error::StoreError;
use super::tables::TABLES;

/// Rows asked at once.
const PAGE_ROWS: i64 = 2_000;

/// What was found in a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct JournalFound {
    /// Records, all good.
    pub records: u64,
    /// Number of the first.
    pub first_seq: u64,
    /// Number of the last.
    pub last_seq: u64,
    /// Time of the first, ns since 1970.
    pub first_time_ns: i64,
    /// Time of the last.
    pub last_time_ns: i64,
    /// Bytes at the end that a crash cut off.
    pub torn_bytes: u64,
}

/// What was found in a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ChainFound {
    /// Audit rows, all good.
    pub rows: u64,
    /// Time of the first, ns since 1970.
    pub first_time_ns: i64,
    /// Time of the last.
    pub last_time_ns: i64,
    /// Hash of the last row.
    pub head: String,
    /// Last journal record in the database.
    pub journal_seq: u64,
    /// Rows of every table.
    pub tables: Vec<(&'static str, i64)>,
    /// Whether the journal was compared as well.
    pub compared_with_journal: bool,
    /// Whether a row has the hash that was asked for; `None` when none was.
    pub has_expected_head: Option<bool>,
}

/// The first thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The journal.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The database itself.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A row of the audit table.
    #[error("audit row {seq} {what}")]
    Row {
        /// Its number.
        seq: i64,
        /// What is wrong.
        what: String,
    },
    /// The rows of a table.
    #[error("table {table} {what}")]
    Table {
        /// Which.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The head that was asked for.
    #[error("no audit row has the hash {0}: the chain is not the one it was taken from")]
    Head(String),
}

/// Reads every record of a journal.
///
/// # Errors
/// The first that is not what was written.
pub fn journal(directory: &Path) -> Result<JournalFound, JournalError> {
    let first = first_seq(directory)?;
    let mut cursor = Cursor::new(directory, first);
    let mut found = JournalFound::default();
    while let Some(line) = cursor.next()? {
        if found.records == 0 {
            found.first_seq = line.seq;
            found.first_time_ns = line.time_ns;
        }
        found.records += 1;
        found.last_seq = line.seq;
        found.last_time_ns = line.time_ns;
    }
    found.torn_bytes = cursor.bytes().1;
    Ok(found)
}

/// Checks a database: its own check, rows without gaps, the audit chain, and with a journal that every line of it is the one
/// that the chain was made from.
///
/// # Errors
/// The first thing that is wrong.
pub fn database(
    backend: &mut dyn Backend,
    journal: Option<&Path>,
    expected_head: Option<&str>,
) -> Result<ChainFound, Broken> {
    backend.check()?;
    let position = backend.position()?;
    let mut found = ChainFound {
        journal_seq: position.journal_seq,
        has_expected_head: expected_head.map(|_| false),
        ..ChainFound::default()
    };
    found.tables = spans(backend)?;
    let mut compare = match journal {
        Some(directory) => Some(Compare::new(directory)?),
        None => None,
    };
    let mut chain = Chain::default();
    let mut last = 0;
    'pages: loop {
        let page = backend.audit_after(last, PAGE_ROWS)?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            if u64::try_from(row.journal_seq).unwrap_or(u64::MAX) > position.journal_seq {
                // A running engine writes on while we read; a database at rest has no such row.
                if backend.position()?.journal_seq == position.journal_seq {
                    return Err(Broken::Row {
                        seq: row.seq,
                        what: "is behind the last one that was written".to_owned(),
                    });
                }
                break 'pages;
            }
            check_row(row, last, &mut chain)?;
            if let Some(compare) = &mut compare {
                compare.to(row)?;
            }
            last = row.seq;
            if found.rows == 0 {
                found.first_time_ns = row.time_ns;
            }
            found.rows += 1;
            found.last_time_ns = row.time_ns;
            if expected_head == Some(row.hash.as_str()) {
                found.has_expected_head = Some(true);
            }
        }
    }
    if chain.audit != position.chain.audit {
        return Err(Broken::Table {
            table: "audit",
            what: format!(
                "ends with {}, but {} was written last: rows are missing",
                chain.audit, position.chain.audit
            ),
        });
    }
    if let Some(compare) = &mut compare {
        compare.rest(position.journal_seq, &position.chain.journal)?;
        found.compared_with_journal = true;
    }
    if let (Some(false), Some(head)) = (found.has_expected_head, expected_head) {
        return Err(Broken::Head(head.to_owned()));
    }
    found.head = chain.audit;
    Ok(found)
}

/// Rows of every table, which must be numbered from 1 without gaps.
fn spans(backend: &mut dyn Backend) -> Result<Vec<(&'static str, i64)>, Broken> {
    let mut tables = Vec::new();
    for (place, table) in TABLES.iter().enumerate() {
        let span = backend.span(place)?;
        let is_whole = span.count == 0 || (span.first == 1 && span.last == span.count);
        if !is_whole {
            return Err(Broken::Table {
                table: table.name,
                what: format!(
                    "has {} rows numbered {} to {}: rows are missing",
                    span.count, span.first, span.last
                ),
            });
        }
        tables.push((table.name, span.count));
    }
    Ok(tables)
}

fn check_row(row: &AuditRow, last: i64, chain: &mut Chain) -> Result<(), Broken> {
    let wrong = |what: &str| {
        Err(Broken::Row {
            seq: row.seq,
            what: what.to_owned(),
        })
    };
    if row.seq != last.saturating_add(1) {
        return wrong("does not follow the one before");
    }
    chain.journal.clone_from(&row.journal_hash);
    if link(chain, row.seq, &row.content) != row.hash {
        return wrong("is not the one that was written: its hash does not follow");
    }
    chain.audit.clone_from(&row.hash);
    let record: serde_json::Value = serde_json::from_str(&row.content).unwrap_or_default();
    let is_same = record.get("seq").and_then(serde_json::Value::as_i64) == Some(row.journal_seq)
        && record.get("time_ns").and_then(serde_json::Value::as_i64) == Some(row.time_ns)
        && record
            .get("kind")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("")
            == row.kind;
    if !is_same {
        return wrong("says otherwise than its own record: number, time or kind was changed");
    }
    Ok(())
}

/// Runs along the journal beside the chain.
struct Compare {
    cursor: Cursor,
    chain: Chain,
    /// The journal's oldest files are elsewhere: the chain is taken up at the first row that has its line here.
    is_joined: bool,
    first_seq: u64,
}

impl Compare {
    fn new(directory: &Path) -> Result<Self, JournalError> {
        let first_seq = first_seq(directory)?;
        Ok(Self {
            cursor: Cursor::new(directory, first_seq),
            chain: Chain::default(),
            is_joined: first_seq == 1,
            first_seq,
        })
    }

    fn to(&mut self, row: &AuditRow) -> Result<(), Broken> {
        let seq = u64::try_from(row.journal_seq).unwrap_or(0);
        if !self.is_joined && seq < self.first_seq {
            return Ok(());
        }
        let mut content = None;
        while self.cursor.next_seq() <= seq {
            let Some(line) = self.cursor.next()? else {
                break;
            };
            self.chain.follow(&line.text);
            content = Some(line.text);
        }
        let wrong = |what: &str| {
            Err(Broken::Row {
                seq: row.seq,
                what: what.to_owned(),
            })
        };
        if content.as_deref() != Some(row.content.as_str()) {
            return wrong("is not what the journal has at its number");
        }
        if !self.is_joined {
            self.is_joined = true;
            self.chain.journal.clone_from(&row.journal_hash);
        } else if self.chain.journal != row.journal_hash {
            return wrong(
                "follows other journal lines than the journal has: a record between it and the row before was changed",
            );
        }
        Ok(())
    }

    /// From the last audit row to the last record in the database.
    fn rest(&mut self, journal_seq: u64, journal_hash: &str) -> Result<(), Broken> {
        while self.cursor.next_seq() <= journal_seq {
            let Some(line) = self.cursor.next()? else {
                break;
            };
            self.chain.follow(&line.text);
        }
        if self.is_joined && self.chain.journal != journal_hash {
            return Err(Broken::Table {
                table: "store_progress",
                what: format!(
                    "was filled from other journal lines up to record {journal_seq} than the journal has"
                ),
            });
        }
        Ok(())
    }
}
