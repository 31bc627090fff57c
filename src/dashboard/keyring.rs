//! Who may sign: the tokens file. One line a person, `NAME ROLE TOKEN`; only its owner may read it.
//!
//! Everything wrong is listed at once, with line and cure, and nothing starts: a sample, short or repeated token is no secret.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::risk::{Person, Role};

use super::sign::TokenKey;

/// Most bytes of a tokens file.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// Most people.
const PEOPLE_MAX: usize = 64;
/// Longest name.
const NAME_CHARS_MAX: usize = 32;
/// Longest token.
const TOKEN_CHARS_MAX: usize = 256;
/// 43 url-safe base64 digits are 256 bits, and so are 64 hexadecimal ones.
const BASE64_CHARS_MIN: usize = 43;
const HEX_CHARS_MIN: usize = 64;
/// Random tokens of these lengths have more different digits than this, save one in many millions.
const DIFFERENT_CHARS_MIN: usize = 9;
/// Words of examples and habits.
const SAMPLES: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "example",
    "sample",
    "placeholder",
    "password",
    "secret",
    "replace",
    "somethingrandom",
    "0123456789",
    "abcdefghij",
];

/// One line of a tokens file.
#[derive(Clone)]
pub struct TokenLine {
    /// Name and role.
    pub person: Person,
    /// Its key.
    pub key: TokenKey,
}

impl std::fmt::Debug for TokenLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "TokenLine({} {})",
            self.person.name,
            self.person.role.label()
        )
    }
}

/// Everybody who may sign.
#[derive(Debug, Clone)]
pub struct Keyring {
    lines: Vec<TokenLine>,
    /// Verified against under an unknown name, so that both take equally long.
    nobody: TokenKey,
}

/// Why a tokens file was refused. Never carries any part of a token.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// It cannot be read.
    #[error(
        "tokens file {path} was not readable: {source}; make one with 'arbalest risk token new NAME ROLE'"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("tokens file {path} had mode {mode:03o}, others could read it; chmod 600 it")]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its lines are wrong: all of them.
    #[error("tokens file {path}: {}", .mistakes.join("; "))]
    Lines {
        /// Which.
        path: PathBuf,
        /// `line N: what and cure`.
        mistakes: Vec<String>,
    },
}

impl Keyring {
    /// Reads a tokens file.
    ///
    /// # Errors
    /// [`KeyringError`] with every mistake.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let text = read_owners_file(path)?;
        Self::parse(&text).map_err(|mistakes| KeyringError::Lines {
            path: path.to_path_buf(),
            mistakes,
        })
    }

    /// Reads the text of a tokens file. Empty lines and lines that begin with `#` say nothing.
    ///
    /// # Errors
    /// Every mistake, as `line N: what and cure`.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let (mut lines, mut mistakes, mut tokens) =
            (Vec::<TokenLine>::new(), Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match read_line(line) {
                Ok((person, token)) => {
                    let known = |other: &&TokenLine| other.person.name == person.name;
                    if let Some(other) = lines.iter().find(known) {
                        mistakes.push(format!(
                            "line {number}: name {} was there already; one line a person",
                            other.person.name
                        ));
                    } else if tokens.contains(&token) {
                        mistakes.push(format!(
                            "line {number}: the token of {} is another person's too; two people need two tokens",
                            person.name
                        ));
                    } else {
                        lines.push(TokenLine {
                            person,
                            key: TokenKey::new(token),
                        });
                        tokens.push(token);
                    }
                }
                Err(mistake) => mistakes.push(format!("line {number}: {mistake}")),
            }
        }
        if lines.len() > PEOPLE_MAX {
            mistakes.push(format!("{} people, more than {PEOPLE_MAX}", lines.len()));
        }
        if lines.is_empty() && mistakes.is_empty() {
            mistakes.push(
                "no token in it; add a line with 'arbalest risk token new NAME ROLE'".to_owned(),
            );
        }
        if mistakes.is_empty() {
            Ok(Self {
                lines,
                nobody: TokenKey::new("nobody"),
            })
        } else {
            Err(mistakes)
        }
    }

    /// Everybody, in the order of the file.
    #[must_use]
    pub fn lines(&self) -> &[TokenLine] {
        &self.lines
    }

    /// The line of a name and its place.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &TokenLine)> {
        self.lines
            .iter()
            .enumerate()
            .find(|(_, line)| line.person.name == name)
    }

    /// The key that no signature was made with.
    #[must_use]
    pub const fn nobody(&self) -> &TokenKey {
        &self.nobody
    }
}

fn read_line(line: &str) -> Result<(Person, &str), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, role, token] = words.as_slice() else {
        return Err(
            "must be NAME ROLE TOKEN; make one with 'arbalest risk token new NAME ROLE'".to_owned(),
        );
    };
    check_name(name)?;
    let role = Role::of_label(role)
        .ok_or_else(|| format!("role {} is none of {}", quoted(role), role_words()))?;
    check_token(token).map_err(|mistake| {
        format!(
            "{mistake}; make one with 'arbalest risk token new {name} {}'",
            role.label()
        )
    })?;
    Ok((Person::new(*name, role), token))
}

/// Text of a file, safe to show.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// The roles in words.
#[must_use]
pub fn role_words() -> String {
    Role::ALL.map(Role::label).join(", ")
}

/// Whether a name can stand in a header, a log and a journal.
///
/// # Errors
/// What is wrong and what helps.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'));
    if good {
        return Ok(());
    }
    Err(format!(
        "name {} must be 1 to {NAME_CHARS_MAX} lower-case letters, digits, '_', '-' or '.'",
        quoted(name)
    ))
}

/// Whether a token can be 256 bits of chance.
///
/// # Errors
/// What is wrong, without any part of it.
pub fn check_token(token: &str) -> Result<(), String> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if token.len() > TOKEN_CHARS_MAX || !token.bytes().all(is_digit) {
        return Err(format!(
            "the token must be at most {TOKEN_CHARS_MAX} letters, digits, '-' or '_'"
        ));
    }
    let lower = token.to_ascii_lowercase();
    if SAMPLES.iter().any(|sample| lower.contains(sample)) {
        return Err("the token is a sample".to_owned());
    }
    let hex_only = token.bytes().all(|byte| byte.is_ascii_hexdigit());
    let least = if hex_only {
        HEX_CHARS_MIN
    } else {
        BASE64_CHARS_MIN
    };
    if token.len() < least {
        return Err(format!(
            "the token has {} characters, fewer than {least}: 256 bits need 43 of base64 or 64 of hexadecimal",
            token.len()
        ));
    }
    let different: std::collections::BTreeSet<u8> = token.bytes().collect();
    let repeats = (1..=token.len().div_ceil(2)).any(|period| {
        token
            .bytes()
            .zip(token.bytes().skip(period))
            .all(|(left, right)| left == right)
    });
    if different.len() < DIFFERENT_CHARS_MIN || repeats {
        return Err("the token repeats itself: it is not random".to_owned());
    }
    Ok(())
}

/// Reads a file that only its owner may read. Checks the opened file, not its name.
///
/// # Errors
/// [`KeyringError`]
pub fn read_owners_file(path: &Path) -> Result<String, KeyringError> {
    let error = |source| KeyringError::File {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(error)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(error)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::OpenToOthers {
                path: path.to_path_buf(),
                mode,
            });
        }
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(error)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(KeyringError::Lines {
            path: path.to_path_buf(),
            mistakes: vec![format!(
                "larger than {FILE_BYTES_MAX} bytes: is it the tokens file?"
            )],
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 43 characters of base64 as a generator made them.
    const GOOD: &str = "q3VfP0c2Zk9xT1hKdDR3bUxhN1lyRWJ1SDZpUzhuQ2o";
    const GOOD_HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn what_is_no_secret_is_refused() {
        assert_eq!(check_token(GOOD), Ok(()));
        assert_eq!(check_token(GOOD_HEX), Ok(()));
        let bad = [
            String::new(),
            "changeme".to_owned(),
            GOOD[..42].to_owned(),
            GOOD_HEX[..63].to_owned(),
            "a".repeat(64),
            "abcdefghijk1".repeat(4),
            "q3VfP0c2Zk9x".repeat(4),
            format!("password{GOOD}"),
            format!("{GOOD} "),
            format!("{GOOD}\u{e9}"),
            GOOD.repeat(6),
        ];
        for token in bad {
            let mistake = check_token(&token).expect_err(&token);
            assert!(
                token.len() < 9 || !mistake.contains(&token[..8]),
                "{mistake} shows the token"
            );
        }
    }

    #[test]
    fn every_line_is_judged() {
        let good = Keyring::parse(&format!(
            "# people\n\nann risk_officer {GOOD}\nbob viewer {GOOD_HEX}\n"
        ))
        .unwrap();
        assert_eq!(good.lines().len(), 2);
        assert_eq!(good.find("bob").unwrap().1.person.role, Role::Viewer);
        let text = format!(
            "ann risk_officer {GOOD}\nann viewer {GOOD_HEX}\nbob viewer {GOOD}\ncy king {GOOD}\nDee viewer {GOOD}\neve viewer short\nfay\n"
        );
        let mistakes = Keyring::parse(&text).unwrap_err();
        let lines: Vec<&str> = mistakes
            .iter()
            .map(|mistake| mistake.split(':').next().unwrap())
            .collect();
        assert_eq!(
            lines,
            ["line 2", "line 3", "line 4", "line 5", "line 6", "line 7"]
        );
        assert!(!mistakes.join(" ").contains(&GOOD[..8]));
        assert_eq!(Keyring::parse("# nobody\n").unwrap_err().len(), 1);
        assert_eq!(Keyring::parse("").unwrap_err().len(), 1);
    }
}
