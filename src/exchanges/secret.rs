//! Where API keys come from, and how they are kept: never in configuration text of a real venue, never printed.
//!
//! A secret is read from an environment variable or from a file that only its owner can read; a plain value is taken for
//! the simulated venue alone. Once read it lives inside a prepared [`SigningKey`]; `Debug` shows its kind and nothing else.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::sign::{KeyError, SigningKey};

/// Bytes of a key file. A larger one is no key.
const SECRET_BYTES_MAX: usize = 16 << 10;

/// Kind of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Shared secret, HMAC-SHA256.
    HmacSha256,
    /// Private key, PKCS#8 (PEM or base64), Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Configuration name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac_sha256",
            Self::Ed25519 => "ed25519",
        }
    }
    /// By configuration name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::HmacSha256, Self::Ed25519]
            .into_iter()
            .find(|kind| kind.label() == text)
    }
}

/// Where a secret text is kept.
#[derive(Clone)]
pub enum SecretSource {
    /// The environment variable of this name.
    Env(String),
    /// A file that only its owner may read.
    File(PathBuf),
    /// The text itself: simulated venues only.
    Plain(SecretString),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Plain(_) => f.write_str("Plain(..)"),
        }
    }
}

/// Why a key could not be loaded. Never carries any part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not text.
    #[error("environment variable {0} was not set")]
    EnvMissing(String),
    /// The file cannot be read.
    #[error("key file {path} was not readable: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("key file {path} had mode {mode:03o}, others could read it; chmod 600 it")]
    FileOpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is no key.
    #[error("key file {0} was larger than 16 KiB")]
    FileTooLarge(PathBuf),
    /// A plain value for a real venue.
    #[error("key was written plainly in the configuration; that is for simulated venues only")]
    PlainForRealVenue,
    /// Nothing there.
    #[error("key was empty")]
    Empty,
    /// Not a key of its kind.
    #[error("{0}")]
    Key(#[from] KeyError),
}

impl SecretError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::EnvMissing(_) => "env_missing",
            Self::File { .. } => "file",
            Self::FileOpenToOthers { .. } => "file_open_to_others",
            Self::FileTooLarge(_) => "file_too_large",
            Self::PlainForRealVenue => "plain_for_real_venue",
            Self::Empty => "empty",
            Self::Key(error) => error.label(),
        }
    }
}

impl SecretSource {
    /// Reads the text, surrounding white space removed.
    ///
    /// # Errors
    /// [`SecretError`]; a plain text is refused unless the venue is `simulated`.
    pub fn read(&self, simulated: bool) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => SecretString::from(
                std::env::var(name).map_err(|_missing| SecretError::EnvMissing(name.clone()))?,
            ),
            Self::File(path) => read_private_file(path)?,
            Self::Plain(text) if simulated => text.clone(),
            Self::Plain(_) => return Err(SecretError::PlainForRealVenue),
        };
        let trimmed = text.expose_secret().trim();
        if trimmed.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(SecretString::from(trimmed))
    }
}

/// Checks the opened file, not its name, so that it cannot be exchanged in between.
fn read_private_file(path: &std::path::Path) -> Result<SecretString, SecretError> {
    let error = |source| SecretError::File {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(error)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(error)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::FileOpenToOthers {
                path: path.to_path_buf(),
                mode,
            });
        }
    }
    let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    file.take(limit + 1)
        .read_to_string(&mut text)
        .map_err(error)?;
    if text.len() > SECRET_BYTES_MAX {
        return Err(SecretError::FileTooLarge(path.to_path_buf()));
    }
    Ok(SecretString::from(text))
}

/// An API key with its prepared signing key. Clones share it.
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<(SecretString, SigningKey)>,
}

impl Credentials {
    /// From texts already read.
    ///
    /// # Errors
    /// [`SecretError`] when a text is empty or no key of that kind.
    pub fn new(
        kind: KeyKind,
        api_key: SecretString,
        secret: &SecretString,
    ) -> Result<Self, SecretError> {
        if api_key.expose_secret().is_empty() || secret.expose_secret().is_empty() {
            return Err(SecretError::Empty);
        }
        let key = match kind {
            KeyKind::HmacSha256 => SigningKey::hmac(secret.expose_secret()),
            KeyKind::Ed25519 => SigningKey::ed25519(secret.expose_secret())?,
        };
        Ok(Self {
            inner: Arc::new((api_key, key)),
        })
    }

    /// Reads both texts from where they are kept.
    ///
    /// # Errors
    /// [`SecretError`]; plain texts are refused unless the venue is `simulated`.
    pub fn load(
        kind: KeyKind,
        api_key: &SecretSource,
        secret: &SecretSource,
        simulated: bool,
    ) -> Result<Self, SecretError> {
        Self::new(kind, api_key.read(simulated)?, &secret.read(simulated)?)
    }

    /// The key's name, for the header or parameter that carries it.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.inner.0.expose_secret()
    }
    /// What signs.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.inner.1
    }
    /// Which kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.inner.1.kind()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.kind().label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "CANARYzzzSECRETzzz";

    #[test]
    fn debug_shows_no_secret() {
        let plain = SecretSource::Plain(SecretString::from(CANARY));
        let credentials =
            Credentials::load(KeyKind::HmacSha256, &plain, &plain, true).expect("a key");
        for text in [
            format!("{plain:?}"),
            format!("{credentials:?}"),
            format!("{:?}", credentials.signing_key()),
            format!("{credentials:#?}"),
        ] {
            assert!(!text.contains("CANARY"), "{text}");
        }
        let error =
            Credentials::load(KeyKind::Ed25519, &plain, &plain, true).expect_err("not a key");
        assert!(!format!("{error:?} {error}").contains("CANARY"));
    }

    #[test]
    fn plain_is_for_simulated_venues() {
        let plain = SecretSource::Plain(SecretString::from(CANARY));
        assert!(matches!(
            plain.read(false),
            Err(SecretError::PlainForRealVenue)
        ));
        let blank = SecretSource::Plain(SecretString::from(" \n"));
        assert!(matches!(blank.read(true), Err(SecretError::Empty)));
        let missing = SecretSource::Env("ARBALEST_TEST_KEY_THAT_IS_NOT_SET".into());
        assert!(matches!(
            missing.read(false),
            Err(SecretError::EnvMissing(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn files_must_be_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{CANARY}\n")).unwrap();
        let source = SecretSource::File(path.clone());
        for (mode, allowed) in [
            (0o600, true),
            (0o400, true),
            (0o640, false),
            (0o604, false),
            (0o620, false),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = source.read(false);
            assert_eq!(read.is_ok(), allowed, "{mode:o}");
            if let Ok(text) = read {
                assert_eq!(text.expose_secret(), CANARY);
            }
        }
        assert!(matches!(
            SecretSource::File(folder.path().join("none")).read(false),
            Err(SecretError::File { .. })
        ));
    }
}
