//! One journal record as rows: which tables it fills, and with what.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::journal::Line;

use super::chain::{Chain, link};
use super::schema::{Column, Form, Table};
use super::tables::{AUDIT, NOT_AUDITED, TABLES};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not known, or does not apply.
    Null,
    /// [`Form::Int`], [`Form::Time`].
    Int(i64),
    /// [`Form::Flag`].
    Flag(bool),
    /// All other forms; money in canonical form.
    Text(String),
}

/// One row of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Place in [`TABLES`].
    pub table: usize,
    /// In the order of [`Table::names`].
    pub values: Vec<Value>,
}

/// Where the database stands: what the next rows follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Last journal record in the database; 0 for none.
    pub journal_seq: u64,
    /// Its checksum.
    pub journal_crc: u32,
    /// Heads of the two chains.
    pub chain: Chain,
    /// Last `seq` of each table.
    pub counters: Vec<i64>,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            journal_seq: 0,
            journal_crc: 0,
            chain: Chain::default(),
            counters: vec![0; TABLES.len()],
        }
    }
}

/// A whole number in the database.
#[must_use]
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Position {
    /// Adds one record's rows behind this position and moves it on. A record that does not fit its table goes to the audit
    /// table as it is, and the answer says why: nothing is lost, nothing is guessed.
    pub fn add(&mut self, line: &Line, rows: &mut Vec<Row>) -> Result<(), String> {
        let record: Json = serde_json::from_str(&line.text).unwrap_or_default();
        let kind = record.get("kind").and_then(Json::as_str).unwrap_or("");
        let first = rows.len();
        let mut problem = None;
        for (place, table) in TABLES.iter().enumerate() {
            if table.kinds.contains(&kind)
                && let Err(error) = self.fill(place, table, line, &record, rows)
            {
                problem = Some(format!("record {} ({kind}): {error}", line.seq));
            }
        }
        if problem.is_some() {
            for row in rows.drain(first..) {
                if let Some(counter) = self.counters.get_mut(row.table) {
                    *counter -= 1;
                }
            }
        }
        self.chain.follow(&line.text);
        if problem.is_some() || !NOT_AUDITED.contains(&kind) {
            self.audit(line, kind, rows);
        }
        self.journal_seq = line.seq;
        self.journal_crc = line.crc;
        problem.map_or(Ok(()), Err)
    }

    fn next(&mut self, place: usize) -> i64 {
        self.counters.get_mut(place).map_or(0, |counter| {
            *counter = counter.saturating_add(1);
            *counter
        })
    }

    fn fill(
        &mut self,
        place: usize,
        table: &Table,
        line: &Line,
        record: &Json,
        rows: &mut Vec<Row>,
    ) -> Result<(), String> {
        let Some(list) = table.each else {
            let mut values = vec![
                Value::Int(self.next(place)),
                Value::Int(int(line.seq)),
                Value::Int(line.time_ns),
            ];
            let read = read(table, record, record, &mut values);
            rows.push(Row {
                table: place,
                values,
            });
            return read;
        };
        let elements = record.get(list).and_then(Json::as_array);
        let elements = elements.ok_or_else(|| format!("it has no list {list}"))?;
        for (index, element) in (0_u64..).zip(elements) {
            let mut values = vec![
                Value::Int(self.next(place)),
                Value::Int(int(line.seq)),
                Value::Int(int(index)),
                Value::Int(line.time_ns),
            ];
            let read = read(table, record, element, &mut values);
            rows.push(Row {
                table: place,
                values,
            });
            read?;
        }
        Ok(())
    }

    fn audit(&mut self, line: &Line, kind: &str, rows: &mut Vec<Row>) {
        let seq = self.next(AUDIT);
        self.chain.audit = link(&self.chain, seq, &line.text);
        rows.push(Row {
            table: AUDIT,
            values: vec![
                Value::Int(seq),
                Value::Int(int(line.seq)),
                Value::Int(line.time_ns),
                Value::Text(kind.to_owned()),
                Value::Text(line.text.clone()),
                Value::Text(self.chain.journal.clone()),
                Value::Text(self.chain.audit.clone()),
            ],
        });
    }
}

fn read(
    table: &Table,
    record: &Json,
    element: &Json,
    values: &mut Vec<Value>,
) -> Result<(), String> {
    for column in table.columns {
        let json = find(column, record, element);
        let value = match json {
            None | Some(Json::Null) if column.nullable => Some(Value::Null),
            None | Some(Json::Null) => None,
            Some(json) => convert(column.form, json),
        };
        let value = value.ok_or_else(|| {
            let found = json.map_or_else(|| "nothing".to_owned(), Json::to_string);
            format!("{} cannot be {found}", column.path)
        })?;
        values.push(value);
    }
    Ok(())
}

fn find<'a>(column: &Column, record: &'a Json, element: &'a Json) -> Option<&'a Json> {
    let (start, paths) = match column.path.strip_prefix('^') {
        Some(paths) => (record, paths),
        None => (element, column.path),
    };
    paths
        .split('|')
        .find_map(|path| path.split('.').try_fold(start, |at, key| at.get(key)))
}

fn convert(form: Form, json: &Json) -> Option<Value> {
    Some(match form {
        Form::Int | Form::Time => Value::Int(json.as_i64()?),
        Form::Flag => Value::Flag(json.as_bool()?),
        Form::Text => Value::Text(json.as_str()?.to_owned()),
        Form::Money => {
            let exact: Decimal = json.as_str()?.parse().ok()?;
            Value::Text(exact.normalize().to_string())
        }
        Form::Id => Value::Text(match json.as_number() {
            Some(number) => number.to_string(),
            None => json.as_str()?.to_owned(),
        }),
        Form::Json => Value::Text(json.to_string()),
    })
}
