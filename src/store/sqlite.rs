//! `SQLite`: one file, `DATA_DIR/arbalest.db`, that every tool reads. WAL, full synchronous, one writer.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, Value as Sql};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params_from_iter};

use super::backend::{AuditRow, Backend, Batch, Span, counters, sql};
use super::chain::Chain;
use super::error::StoreError;
use super::rows::{Position, Value, int};
use super::schema::{Dialect, Table, migration};
use super::tables::{TABLES, VERSION};

/// Marks a file as ours: `ARBL`.
const APPLICATION_ID: i32 = 0x4152_424C;
/// A larger file is checked whole by `arbalest audit verify` only, not at each start.
const CHECK_BYTES_MAX: u64 = 512 << 20;

/// The file, open.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Sql::Null),
            Self::Int(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
            Self::Flag(flag) => ToSqlOutput::Owned(Sql::Integer(i64::from(*flag))),
            Self::Text(text) => ToSqlOutput::Borrowed(text.as_str().into()),
        })
    }
}

impl Sqlite {
    /// Opens the file for writing; makes it if it is not there, readable by its owner alone.
    ///
    /// # Errors
    /// [`StoreError`]. A file that is there and is not ours, empty, cut or damaged is named and left as it is.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let is_new = !path.exists();
        if is_new {
            Self::create(path)?;
        }
        let size = Self::size(path)?;
        if !is_new && size == 0 {
            return Err(Self::damage(path, "it is empty".to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path, flags)?;
        if is_new {
            store.begin()?;
        }
        let found = store.version()?;
        if size <= CHECK_BYTES_MAX {
            store.check_with("quick_check")?;
        }
        store.pragmas()?;
        store.migrate(found)?;
        Ok(store)
    }

    /// Opens the file for reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        if Self::size(path)? == 0 {
            return Err(Self::damage(path, "it is empty".to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path, flags)?;
        store.version()?;
        Ok(store)
    }

    fn place(path: &Path) -> String {
        format!("database {}", path.display())
    }

    fn damage(path: &Path, reason: String) -> StoreError {
        StoreError::Damaged {
            place: Self::place(path),
            reason,
        }
    }

    fn io(path: &Path, error: &std::io::Error) -> StoreError {
        StoreError::Unavailable {
            place: Self::place(path),
            reason: error.to_string(),
        }
    }

    fn size(path: &Path) -> Result<u64, StoreError> {
        std::fs::metadata(path)
            .map(|data| data.len())
            .map_err(|error| Self::io(path, &error))
    }

    fn create(path: &Path) -> Result<(), StoreError> {
        let beside = |end: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        // A log without its database would be thrown away when a new database is made beside it.
        if beside("-wal").exists() {
            return Err(Self::damage(
                path,
                "it is gone, but its -wal file is there".to_owned(),
            ));
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map(drop)
            .map_err(|error| Self::io(path, &error))
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| Self::translate(path, &error))?;
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(|error| Self::translate(path, &error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    fn translate(path: &Path, error: &rusqlite::Error) -> StoreError {
        let code = error.sqlite_error_code();
        if matches!(
            code,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ) {
            return Self::damage(path, error.to_string());
        }
        StoreError::Unavailable {
            place: Self::place(path),
            reason: error.to_string(),
        }
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        Self::translate(&self.path, error)
    }

    fn run(&self, text: &str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(text)
            .map_err(|error| self.error(&error))
    }

    fn number<T: rusqlite::types::FromSql>(&self, query: &str) -> Result<T, StoreError> {
        self.connection
            .query_row(query, [], |row| row.get(0))
            .map_err(|error| self.error(&error))
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.run(&format!("PRAGMA application_id = {APPLICATION_ID}"))
    }

    /// Its schema version, when it is ours and not too new.
    fn version(&mut self) -> Result<u32, StoreError> {
        let application: i32 = self.number("PRAGMA application_id")?;
        let found: u32 = self.number("PRAGMA user_version")?;
        if application != APPLICATION_ID {
            return Err(StoreError::Foreign {
                place: Self::place(&self.path),
                reason: format!("application id {application}"),
            });
        }
        if found > VERSION {
            return Err(StoreError::Newer {
                place: Self::place(&self.path),
                found,
                known: VERSION,
            });
        }
        Ok(found)
    }

    fn pragmas(&self) -> Result<(), StoreError> {
        let mode = std::fs::metadata(&self.path).map(|data| data.permissions().mode() & 0o077);
        if !matches!(mode, Ok(0)) {
            tracing::warn!(
                "{} can be read by others: chmod 600 it",
                self.path.display()
            );
        }
        self.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    }

    fn migrate(&mut self, found: u32) -> Result<(), StoreError> {
        for to in found.saturating_add(1)..=VERSION {
            let mut script = String::from("BEGIN IMMEDIATE;\n");
            for statement in migration(TABLES, to, Dialect::Sqlite) {
                script.push_str(&statement);
                script.push_str(";\n");
            }
            if to == 1 {
                script.push_str(sql::BEGIN);
                script.push_str(";\n");
            }
            script.push_str(&format!("PRAGMA user_version = {to};\nCOMMIT"));
            self.run(&script)?;
        }
        Ok(())
    }

    fn check_with(&self, pragma: &str) -> Result<(), StoreError> {
        let said: String = self.number(&format!("PRAGMA {pragma}(1)"))?;
        if said == "ok" {
            Ok(())
        } else {
            Err(Self::damage(&self.path, said.replace('\n', " ")))
        }
    }
}

impl Backend for Sqlite {
    fn position(&mut self) -> Result<Position, StoreError> {
        let found = self.connection.query_row(sql::PROGRESS, [], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, u32>(1)?,
                Chain {
                    journal: row.get(2)?,
                    audit: row.get(3)?,
                },
            ))
        });
        let (seq, journal_crc, chain) = found.map_err(|error| {
            if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
                Self::damage(&self.path, "it has no position".to_owned())
            } else {
                self.error(&error)
            }
        })?;
        Ok(Position {
            journal_seq: u64::try_from(seq).unwrap_or(0),
            journal_crc,
            chain,
            counters: counters(self)?,
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let path = self.path.clone();
        let error = |error: rusqlite::Error| Self::translate(&path, &error);
        let inserts: Vec<String> = TABLES
            .iter()
            .map(|table| table.insert(Dialect::Sqlite))
            .collect();
        let all = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(error)?;
        let moved = all
            .execute(
                "UPDATE store_progress SET journal_seq = ?1, journal_crc = ?2, journal_hash = ?3, audit_hash = ?4 \
                 WHERE id = 1 AND journal_seq = ?5",
                rusqlite::params![
                    int(batch.to.journal_seq),
                    batch.to.journal_crc,
                    batch.to.chain.journal,
                    batch.to.chain.audit,
                    int(batch.from_seq)
                ],
            )
            .map_err(error)?;
        if moved != 1 {
            return Err(StoreError::Unavailable {
                place: Self::place(&path),
                reason: format!(
                    "it does not stand at record {}: who else writes to it?",
                    batch.from_seq
                ),
            });
        }
        for row in &batch.rows {
            let Some(insert) = inserts.get(row.table) else {
                continue;
            };
            all.prepare_cached(insert)
                .and_then(|mut statement| statement.execute(params_from_iter(&row.values)))
                .map_err(error)?;
        }
        all.commit().map_err(error)
    }

    fn audit_after(&mut self, seq: i64, count: i64) -> Result<Vec<AuditRow>, StoreError> {
        let query = format!("{} WHERE seq > ?1 ORDER BY seq LIMIT ?2", sql::AUDIT);
        let rows = self
            .connection
            .prepare_cached(&query)
            .and_then(|mut statement| {
                let rows = statement.query_map([seq, count], |row| {
                    Ok(AuditRow {
                        seq: row.get(0)?,
                        journal_seq: row.get(1)?,
                        time_ns: row.get(2)?,
                        kind: row.get(3)?,
                        content: row.get(4)?,
                        journal_hash: row.get(5)?,
                        hash: row.get(6)?,
                    })
                })?;
                rows.collect::<rusqlite::Result<Vec<AuditRow>>>()
            });
        rows.map_err(|error| self.error(&error))
    }

    fn span(&mut self, place: usize) -> Result<Span, StoreError> {
        let query = sql::span(TABLES.get(place).map_or("", |table: &Table| table.name));
        self.connection
            .query_row(&query, [], |row| {
                Ok(Span {
                    count: row.get(0)?,
                    first: row.get(1)?,
                    last: row.get(2)?,
                })
            })
            .map_err(|error| self.error(&error))
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.check_with("integrity_check")
    }
}
