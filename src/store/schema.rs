//! The words that tables are defined in, and the SQL that both databases get from them.

use std::fmt::Write as _;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `SQLite` 3.37 or later (STRICT tables).
    Sqlite,
    /// `PostgreSQL` 13 or later.
    Postgres,
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A whole number that fits 63 bits.
    Int,
    /// Nanoseconds since 1970-01-01 UTC.
    Time,
    /// An exact decimal: canonical text in `SQLite`, NUMERIC in `PostgreSQL`.
    Money,
    /// Text.
    Text,
    /// A venue's number, as text: it is a name, not an amount.
    Id,
    /// true or false (1 or 0 in `SQLite`).
    Flag,
    /// JSON, as text.
    Json,
}

impl Form {
    /// Type in a database.
    #[must_use]
    pub const fn sql(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Sqlite, Self::Int | Self::Time | Self::Flag) => "INTEGER",
            (Dialect::Sqlite, Self::Money) | (_, Self::Text | Self::Id | Self::Json) => "TEXT",
            (Dialect::Postgres, Self::Int | Self::Time) => "BIGINT",
            (Dialect::Postgres, Self::Money) => "NUMERIC",
            (Dialect::Postgres, Self::Flag) => "BOOLEAN",
        }
    }
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Time => "ns since 1970",
            Self::Money => "decimal",
            Self::Text => "text",
            Self::Id => "id",
            Self::Flag => "flag",
            Self::Json => "JSON",
        }
    }
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name in the database.
    pub name: &'static str,
    /// What stands there.
    pub form: Form,
    /// NULL is allowed: not known, or does not apply.
    pub nullable: bool,
    /// Where it stands in the journal's record: keys with dots; `^` before it means the record, not the row of its list;
    /// `|` separates names of different kinds.
    pub path: &'static str,
    /// Schema version that brought it.
    pub since: u32,
}

/// One table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Name in the database.
    pub name: &'static str,
    /// What a row is.
    pub meaning: &'static str,
    /// Kinds of journal records that fill it.
    pub kinds: &'static [&'static str],
    /// The record's list whose elements are the rows; `None`: one row a record.
    pub each: Option<&'static str>,
    /// Its columns after `seq`, `journal_seq`, `line` (with `each`) and `time_ns`.
    pub columns: &'static [Column],
    /// Columns to look up by.
    pub indexes: &'static [&'static str],
    /// Schema version that brought it.
    pub since: u32,
}

impl Table {
    /// Names of all columns, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = vec!["seq", "journal_seq"];
        names.extend(self.each.map(|_| "line"));
        names.push("time_ns");
        names.extend(self.columns.iter().map(|column| column.name));
        names
    }

    /// Forms of all columns, in order.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let mut forms = vec![Form::Int, Form::Int];
        forms.extend(self.each.map(|_| Form::Int));
        forms.push(Form::Time);
        forms.extend(self.columns.iter().map(|column| column.form));
        forms
    }

    fn create(&self, dialect: Dialect) -> Vec<String> {
        let int = Form::Int.sql(dialect);
        let mut text = format!("CREATE TABLE {} (\n  seq {int} PRIMARY KEY,\n", self.name);
        let mut line = |part: std::fmt::Arguments<'_>| {
            let written = text.write_fmt(part);
            debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
        };
        line(format_args!("  journal_seq {int} NOT NULL,\n"));
        if self.each.is_some() {
            line(format_args!("  line {int} NOT NULL,\n"));
        }
        line(format_args!("  time_ns {int} NOT NULL,\n"));
        for column in self.columns.iter().filter(|one| one.since == self.since) {
            line(format_args!("  {},\n", column.definition(dialect)));
        }
        let key = if self.each.is_some() {
            "journal_seq, line"
        } else {
            "journal_seq"
        };
        let end = match dialect {
            Dialect::Sqlite => " STRICT",
            Dialect::Postgres => "",
        };
        line(format_args!("  UNIQUE ({key})\n){end}"));
        let by_time = match dialect {
            Dialect::Sqlite => "(time_ns)",
            Dialect::Postgres => "USING brin (time_ns)",
        };
        let mut all = vec![
            text,
            format!("CREATE INDEX {0}_time ON {0} {by_time}", self.name),
        ];
        all.extend(
            self.indexes
                .iter()
                .map(|column| format!("CREATE INDEX {0}_{column} ON {0} ({column})", self.name)),
        );
        all
    }

    /// The statement that adds one row; every parameter is text in `PostgreSQL` and cast there.
    #[must_use]
    pub fn insert(&self, dialect: Dialect) -> String {
        let places: Vec<String> = (1_usize..)
            .zip(self.forms())
            .map(|(place, form)| match dialect {
                Dialect::Sqlite => format!("?{place}"),
                Dialect::Postgres => format!("${place}::text::{}", form.sql(dialect)),
            })
            .collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.name,
            self.names().join(", "),
            places.join(", ")
        )
    }
}

impl Column {
    fn definition(&self, dialect: Dialect) -> String {
        let null = if self.nullable { "" } else { " NOT NULL" };
        let check = match (dialect, self.form) {
            (Dialect::Sqlite, Form::Flag) => format!(" CHECK ({} IN (0, 1))", self.name),
            _ => String::new(),
        };
        format!("{} {}{null}{check}", self.name, self.form.sql(dialect))
    }
}

/// What leads from one schema version to the next.
#[must_use]
pub fn migration(tables: &[Table], to: u32, dialect: Dialect) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        if table.since == to {
            all.extend(table.create(dialect));
        } else if table.since < to {
            let new = table.columns.iter().filter(|column| column.since == to);
            all.extend(new.map(|column| {
                let definition = column.definition(dialect);
                format!("ALTER TABLE {} ADD COLUMN {definition}", table.name)
            }));
        }
    }
    if to == 1 {
        all.push(progress(dialect));
        all.extend(append_only(dialect));
    }
    all
}

/// How far the journal is in the database: one row, changed in the same transaction as the rows it speaks of.
fn progress(dialect: Dialect) -> String {
    let int = Form::Int.sql(dialect);
    format!(
        "CREATE TABLE store_progress (\n  id {int} PRIMARY KEY CHECK (id = 1),\n  journal_seq {int} NOT NULL,\n  \
         journal_crc {int} NOT NULL,\n  journal_hash TEXT NOT NULL,\n  audit_hash TEXT NOT NULL\n){}",
        match dialect {
            Dialect::Sqlite => " STRICT",
            Dialect::Postgres => "",
        }
    )
}

/// The database itself refuses to change or remove an audit row.
fn append_only(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => ["UPDATE", "DELETE"]
            .iter()
            .map(|verb| {
                format!(
                    "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
                )
            })
            .collect(),
        Dialect::Postgres => vec![
            "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
                .to_owned(),
            "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
                .to_owned(),
            "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
                .to_owned(),
        ],
    }
}
