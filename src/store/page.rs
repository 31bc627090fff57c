//! The tables for people: the part of `docs/STORE.md` that is made from [`super::tables`].

use std::fmt::Write as _;

use super::schema::Form;
use super::tables::{TABLES, VERSION};

/// Stands before the generated part.
pub const BEGIN: &str =
    "<!-- made from src/store/tables.rs by UPDATE_DOCS=1 cargo test --test store -->\n";
/// Stands after it.
pub const END: &str = "<!-- end -->\n";

/// The generated part.
#[must_use]
pub fn markdown() -> String {
    let mut page = format!("Schema version {VERSION}.\n");
    let mut add = |text: String| {
        let written = writeln!(page, "{text}");
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    };
    for table in TABLES {
        let kinds = match table.kinds {
            [] => String::new(),
            kinds => format!(" From `{}`.", kinds.join("`, `")),
        };
        add(format!(
            "\n### `{}`\n\n{}.{kinds}\n",
            table.name, table.meaning
        ));
        add("| Column | SQLite | PostgreSQL | Content |\n|---|---|---|---|".to_owned());
        let own = table.columns.iter().map(|column| column.nullable);
        let before = table.names().len() - table.columns.len();
        let nullable = std::iter::repeat_n(false, before).chain(own);
        for ((name, form), nullable) in table.names().iter().zip(table.forms()).zip(nullable) {
            add(row(name, form, nullable));
        }
    }
    page
}

fn row(name: &str, form: Form, nullable: bool) -> String {
    use super::schema::Dialect::{Postgres, Sqlite};
    let may = if nullable { ", or NULL" } else { "" };
    let (sqlite, postgres) = (form.sql(Sqlite), form.sql(Postgres));
    format!(
        "| `{name}` | {sqlite} | {postgres} | {}{may} |",
        form.label()
    )
}
