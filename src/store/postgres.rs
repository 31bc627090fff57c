//! `PostgreSQL`: a schema of its own on a server. One connection, one writer, statements sent without waiting for each other.

use std::future::Future;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::backend::{AuditRow, Backend, Batch, Span, counters, sql};
use super::chain::Chain;
use super::error::StoreError;
use super::rows::{Position, Value, int};
use super::schema::{Dialect, migration};
use super::tables::{TABLES, VERSION};

/// Longest wait for one answer; a server that hangs is one that is gone.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// Longest wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// A schema name is at most this long.
const NAME_LETTERS_MAX: usize = 63;

/// The server, connected.
#[derive(Debug)]
pub struct Postgres {
    runtime: Runtime,
    client: Client,
    inserts: Vec<Statement>,
    place: String,
}

/// An address that may be used: checked, and without TLS only on this machine.
#[derive(Clone)]
pub struct Address {
    config: Config,
    schema: String,
    place: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration holds the password.
        write!(f, "Address({})", self.place)
    }
}

impl Address {
    /// From a URL (`postgresql://user@host/database`) or a key-value text, and the name of the schema that is ours.
    ///
    /// # Errors
    /// [`StoreError::Address`]; never carries any part of the text.
    pub fn parse(url: &str, schema: &str) -> Result<Self, StoreError> {
        let mut config: Config = url.trim().parse().map_err(|_error| {
            StoreError::Address(
                "cannot be read: write postgresql://USER@HOST:PORT/DATABASE".to_owned(),
            )
        })?;
        let plain = schema
            .bytes()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
        let begins = schema
            .bytes()
            .next()
            .is_some_and(|letter| letter.is_ascii_lowercase());
        if !plain || !begins || schema.len() > NAME_LETTERS_MAX || schema.starts_with("pg_") {
            return Err(StoreError::Address(format!(
                "schema {schema:?} must be 1 to {NAME_LETTERS_MAX} of a-z, 0-9 and _, begin with a letter and not with pg_"
            )));
        }
        let is_here = |host: &Host| match host {
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
            Host::Unix(_) => true,
        };
        if config.get_hosts().is_empty() || !config.get_hosts().iter().all(is_here) {
            return Err(StoreError::Address(
                "the host must be localhost, 127.0.0.1, ::1 or a socket's directory: connections are not encrypted yet, \
                 so reach another machine through a tunnel"
                    .to_owned(),
            ));
        }
        if !config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback)
        {
            return Err(StoreError::Address(
                "hostaddr must be a loopback address".to_owned(),
            ));
        }
        config
            .application_name(format!("arbalest {schema}"))
            .connect_timeout(CONNECT_WAIT);
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let place = format!(
            "database {}, schema {schema}, at {host}:{}",
            config.get_dbname().unwrap_or("(default)"),
            config.get_ports().first().copied().unwrap_or(5_432)
        );
        Ok(Self {
            config,
            schema: schema.to_owned(),
            place,
        })
    }

    /// Where, without secrets.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl Postgres {
    /// Connects for writing; makes the schema if it is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(address: &Address) -> Result<Self, StoreError> {
        let mut store = Self::connect(address)?;
        let schema = &address.schema;
        store.script(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path TO {schema}; SET synchronous_commit TO on; \
             SET statement_timeout TO '9s'; SET lock_timeout TO '5s'"
        ))?;
        let found = store.version()?;
        store.migrate(found)?;
        for table in TABLES {
            let text = table.insert(Dialect::Postgres);
            let prepared = store.ask(|client| async move { client.prepare(&text).await })?;
            store.inserts.push(prepared);
        }
        Ok(store)
    }

    /// Connects for reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(address: &Address) -> Result<Self, StoreError> {
        let store = Self::connect(address)?;
        store.script(&format!(
            "SET search_path TO {}; SET default_transaction_read_only TO on",
            address.schema
        ))?;
        if store.version()? == 0 {
            return Err(StoreError::Foreign {
                place: store.place,
                reason: "it has no such schema".to_owned(),
            });
        }
        Ok(store)
    }

    fn connect(address: &Address) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let unavailable = |reason: String| StoreError::Unavailable {
            place: place.clone(),
            reason,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unavailable(error.to_string()))?;
        let connecting =
            async { tokio::time::timeout(ANSWER_WAIT, address.config.connect(NoTls)).await };
        let (client, connection) = runtime
            .block_on(connecting)
            .map_err(|_elapsed| unavailable("it does not answer".to_owned()))?
            .map_err(|error| unavailable(words(&error)))?;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("database connection: {error}");
            }
        });
        Ok(Self {
            runtime,
            client,
            inserts: Vec::new(),
            place,
        })
    }

    /// Asks the server, with a limit of time.
    fn ask<'a, T, F>(&'a self, question: impl FnOnce(&'a Client) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>> + 'a,
    {
        let unavailable = |reason: String| StoreError::Unavailable {
            place: self.place.clone(),
            reason,
        };
        let asked = question(&self.client);
        self.runtime
            .block_on(async { tokio::time::timeout(ANSWER_WAIT, asked).await })
            .map_err(|_elapsed| unavailable("it does not answer".to_owned()))?
            .map_err(|error| unavailable(words(&error)))
    }

    fn script(&self, text: &str) -> Result<(), StoreError> {
        self.ask(|client| client.batch_execute(text))
    }

    /// Version of the schema; 0 when it is new.
    fn version(&self) -> Result<u32, StoreError> {
        let tables = "SELECT count(*), count(*) FILTER (WHERE table_name = 'store_version') \
                      FROM information_schema.tables WHERE table_schema = current_schema()";
        let row = self.ask(|client| client.query_one(tables, &[]))?;
        let (tables, ours): (i64, i64) = (row.get(0), row.get(1));
        if ours == 0 {
            return if tables == 0 {
                Ok(0)
            } else {
                Err(StoreError::Foreign {
                    place: self.place.clone(),
                    reason: format!("the schema holds {tables} other tables"),
                })
            };
        }
        let row = self.ask(|client| client.query_one("SELECT version FROM store_version", &[]))?;
        let found = u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX);
        if found > VERSION {
            return Err(StoreError::Newer {
                place: self.place.clone(),
                found,
                known: VERSION,
            });
        }
        Ok(found)
    }

    fn migrate(&self, found: u32) -> Result<(), StoreError> {
        for to in found.saturating_add(1)..=VERSION {
            let mut script = String::from("BEGIN;\n");
            for statement in migration(TABLES, to, Dialect::Postgres) {
                script.push_str(&statement);
                script.push_str(";\n");
            }
            if to == 1 {
                script.push_str(sql::BEGIN);
                script.push_str(
                    ";\nCREATE TABLE store_version (version BIGINT NOT NULL);\nINSERT INTO store_version VALUES (0);\n",
                );
            }
            script.push_str(&format!("UPDATE store_version SET version = {to};\nCOMMIT"));
            self.script(&script)?;
        }
        Ok(())
    }
}

/// The server's own words: the library's own text is only `db error`.
fn words(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Int(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Text(text) => Some(text.clone()),
    }
}

impl Backend for Postgres {
    fn position(&mut self) -> Result<Position, StoreError> {
        let row = self.ask(|client| client.query_opt(sql::PROGRESS, &[]))?;
        let row = row.ok_or_else(|| StoreError::Damaged {
            place: self.place.clone(),
            reason: "it has no position".to_owned(),
        })?;
        Ok(Position {
            journal_seq: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
            journal_crc: u32::try_from(row.get::<_, i64>(1)).unwrap_or(0),
            chain: Chain {
                journal: row.get(2),
                audit: row.get(3),
            },
            counters: counters(self)?,
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.script("BEGIN")?;
        let (to, crc) = (int(batch.to.journal_seq), i64::from(batch.to.journal_crc));
        let from = int(batch.from_seq);
        let moved = self.ask(|client| async move {
            let values: [&(dyn ToSql + Sync); 5] = [
                &to,
                &crc,
                &batch.to.chain.journal,
                &batch.to.chain.audit,
                &from,
            ];
            let update = "UPDATE store_progress SET journal_seq = $1, journal_crc = $2, journal_hash = $3, audit_hash = $4 \
                          WHERE id = 1 AND journal_seq = $5";
            client.execute(update, &values).await
        })?;
        if moved != 1 {
            return Err(StoreError::Unavailable {
                place: self.place.clone(),
                reason: format!(
                    "it does not stand at record {}: who else writes to it?",
                    batch.from_seq
                ),
            });
        }
        let texts: Vec<(usize, Vec<Option<String>>)> = batch
            .rows
            .iter()
            .map(|row| (row.table, row.values.iter().map(as_text).collect()))
            .collect();
        let inserts = &self.inserts;
        self.ask(|client| async move {
            let parameters: Vec<(usize, Vec<&(dyn ToSql + Sync)>)> = texts
                .iter()
                .map(|(table, values)| {
                    let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
                    (*table, values.collect())
                })
                .collect();
            // All are sent at once and executed in this order.
            let sent = parameters.iter().filter_map(|(table, values)| {
                Some(client.execute(inserts.get(*table)?, values.as_slice()))
            });
            try_join_all(sent).await
        })?;
        self.script("COMMIT")
    }

    fn audit_after(&mut self, seq: i64, count: i64) -> Result<Vec<AuditRow>, StoreError> {
        let query = format!("{} WHERE seq > $1 ORDER BY seq LIMIT $2", sql::AUDIT);
        let rows = self.ask(|client| async move { client.query(&query, &[&seq, &count]).await })?;
        Ok(rows
            .iter()
            .map(|row| AuditRow {
                seq: row.get(0),
                journal_seq: row.get(1),
                time_ns: row.get(2),
                kind: row.get(3),
                content: row.get(4),
                journal_hash: row.get(5),
                hash: row.get(6),
            })
            .collect())
    }

    fn span(&mut self, place: usize) -> Result<Span, StoreError> {
        let query = sql::span(TABLES.get(place).map_or("", |table| table.name));
        let row = self.ask(|client| async move { client.query_one(&query, &[]).await })?;
        Ok(Span {
            count: row.get(0),
            first: row.get(1),
            last: row.get(2),
        })
    }

    /// The server checks its pages as it reads them; what we can see is that every table can be read.
    fn check(&mut self) -> Result<(), StoreError> {
        counters(self).map(drop)
    }
}
