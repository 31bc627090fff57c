//! Tokens: a new line for the tokens file, the demo's own people, and where the command line finds them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::cli::CliError;
use crate::dashboard::keyring::{check_name, check_token};
use crate::dashboard::sign::hex;
use crate::prng::secret_bytes;
use crate::risk::Role;

/// What a demo's folder is called, before its process id.
const DEMO: &str = "arbalest-demo-";
/// The demo's people: one who trades, and the two whom a re-arm needs. The first is the command line's default.
const DEMO_PEOPLE: [(&str, Role); 4] = [
    ("alice", Role::RiskOfficer),
    ("bob", Role::RiskOfficer),
    ("tess", Role::Trader),
    ("vic", Role::Viewer),
];

/// A line `NAME ROLE TOKEN` with 256 bits of chance.
pub(in crate::cli) fn new_line(name: &str, role: &str) -> Result<String, CliError> {
    check_name(name).map_err(CliError::usage)?;
    loop {
        let bytes = secret_bytes::<32>().map_err(|error| CliError::failed(error.to_string()))?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        // One in many millions spells a word that the check takes for a sample.
        if check_token(&token).is_ok() {
            return Ok(format!("{name} {role} {token}"));
        }
    }
}

/// A folder of the demo's own that only its owner can enter.
pub(in crate::cli) fn demo_folder() -> Result<PathBuf, CliError> {
    let failed = |error: &dyn std::fmt::Display| {
        CliError::failed(format!("no folder for the demo: {error}"))
    };
    let chance = secret_bytes::<4>().map_err(|error| failed(&error))?;
    let path = std::env::temp_dir().join(format!("{DEMO}{}-{}", std::process::id(), hex(&chance)));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(&path).map_err(|error| failed(&error))?;
    Ok(path)
}

/// Writes a file that only its owner can read.
pub(in crate::cli) fn write_private(path: &Path, text: &str) -> Result<(), CliError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        CliError::failed(format!("{} could not be written: {error}", path.display()))
    })
}

/// The demo's tokens file, made anew.
pub(in crate::cli) fn demo_tokens(folder: &Path) -> Result<PathBuf, CliError> {
    let lines: Result<Vec<String>, CliError> = DEMO_PEOPLE
        .iter()
        .map(|(name, role)| new_line(name, role.label()))
        .collect();
    let path = folder.join("tokens");
    write_private(&path, &format!("{}\n", lines?.join("\n")))?;
    Ok(path)
}

/// What a running demo left for the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) tokens: Option<PathBuf>,
    pub(super) url: Option<String>,
}

/// The demo that runs under this user, if there is exactly one.
pub(super) fn find_demo() -> Result<Option<Found>, CliError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().into_string().unwrap_or_default();
        let Some(process) = name
            .strip_prefix(DEMO)
            .and_then(|rest| rest.split('-').next())
        else {
            continue;
        };
        let gone = Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists();
        // Another user's folder cannot be entered, and is not ours to use.
        let url = std::fs::read_to_string(entry.path().join("url"));
        if let (false, Ok(url)) = (gone, url) {
            found.push(Found {
                tokens: Some(entry.path().join("tokens")),
                url: Some(url.trim().to_owned()),
            });
        }
    }
    if found.len() > 1 {
        let urls: Vec<String> = found.iter().filter_map(|one| one.url.clone()).collect();
        return Err(CliError::usage(format!(
            "several demos run ({}): name one with --url and --token-file",
            urls.join(", ")
        )));
    }
    Ok(found.pop())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::Keyring;

    #[test]
    fn a_demo_has_the_people_that_a_rearm_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = demo_tokens(folder.path()).unwrap();
        let keyring = Keyring::load(&path).unwrap();
        let officers = keyring
            .lines()
            .iter()
            .filter(|line| line.person.role == Role::RiskOfficer);
        assert_eq!(officers.count(), 2);
        assert!(demo_tokens(folder.path()).is_err(), "it does not overwrite");
        assert!(new_line("Not A Name", "viewer").is_err());
    }
}
