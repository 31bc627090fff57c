//! Reads `[store]` of `engine.toml`.

use std::path::PathBuf;

use super::document::Report;
use super::settings::{KeySource, StoreSettings};
use super::table::Table;

/// Which database, and where its address is.
pub(super) fn read(store: &Table<'_>, report: &mut Report) -> Option<StoreSettings> {
    let kind = store.choice("kind", report)?;
    let schema = store.text("schema", report)?;
    let given = ["url_env", "url_file"].map(|key| store.has(key));
    if kind != "postgres" {
        for (key, is_given) in ["url_env", "url_file"].into_iter().zip(given) {
            if is_given {
                let rule = "is only for kind = \"postgres\"";
                store.wrong(key, rule, "remove it, or write kind = \"postgres\"", report);
            }
        }
        return Some(match kind {
            "none" => StoreSettings::None,
            _ => StoreSettings::Sqlite,
        });
    }
    let url = match given {
        [true, false] => store.text("url_env", report).map(KeySource::Env),
        [false, true] => store
            .text("url_file", report)
            .map(|path| KeySource::File(PathBuf::from(path))),
        [both, _] => {
            let rule = if both {
                "has two sources"
            } else {
                "has no source"
            };
            store.wrong("url_env", rule, "write url_env or url_file", report);
            None
        }
    };
    Some(StoreSettings::Postgres { url: url?, schema })
}
