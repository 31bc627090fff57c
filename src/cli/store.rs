//! Which database a command uses: from the configuration, with its address from where secrets are kept.

use std::path::Path;

use secrecy::ExposeSecret;

use crate::config::settings::{EngineSettings, KeySource, StoreSettings};
use crate::exchanges::secret::SecretSource;
use crate::store::Place;
use crate::store::postgres::Address;

use super::CliError;

/// File of the `SQLite` database in a data directory.
pub(super) const FILE: &str = "arbalest.db";

/// The configured database; `directory` is where the journal is.
pub(super) fn place(
    settings: &EngineSettings,
    directory: &Path,
) -> Result<Option<Place>, CliError> {
    match &settings.store {
        StoreSettings::None => Ok(None),
        StoreSettings::Sqlite => Ok(Some(Place::Sqlite(directory.join(FILE)))),
        StoreSettings::Postgres { url, schema } => {
            let source = match url {
                KeySource::Env(name) => SecretSource::Env(name.clone()),
                KeySource::File(path) => SecretSource::File(path.clone()),
            };
            server(&source, schema).map(Some)
        }
    }
}

/// A server, its address from a secret.
pub(super) fn server(source: &SecretSource, schema: &str) -> Result<Place, CliError> {
    let url = source
        .read(false)
        .map_err(|error| CliError::usage(format!("[store]: {error}")))?;
    let address = Address::parse(url.expose_secret(), schema)
        .map_err(|error| CliError::usage(format!("[store]: {error}")))?;
    Ok(Place::Postgres(Box::new(address)))
}
