//! Keys of `[store]` in `engine.toml`.

use super::Absent::{self, Means};
use super::{Form, Section, field};

/// `[store]`
pub const STORE: Section = Section {
    file: "engine.toml",
    table: "[store]",
    meaning: "The database that is filled from the journal (docs/STORE.md). Trading never waits for it.",
    fields: &[
        field("kind", Form::Choice(&["sqlite", "postgres", "none"]), Means("sqlite"), "sqlite: DATA_DIR/arbalest.db; postgres: a schema on a server; none: only the journal"),
        field("url_env", Form::Text("a variable"), Absent::None("no address"), "with postgres: environment variable that holds postgresql://USER:PASSWORD@HOST:PORT/DATABASE; the host must be this machine (no TLS yet)"),
        field("url_file", Form::Text("a file"), Absent::None("no address"), "with postgres: a file that holds the same and only its owner can read"),
        field("schema", Form::Text("a name"), Means("arbalest"), "with postgres: schema of this engine's tables, made if it is not there; two engines need different ones"),
    ],
};
