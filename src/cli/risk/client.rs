//! Asks the control API: signs with the caller's token, reads the answer or the refusal.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli::CliError;
use crate::clock::{Clock as _, OsClock};
use crate::dashboard::keyring::{Keyring, TokenLine};
use crate::dashboard::sign::{
    Message, NAME_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIME_HEADER, hex,
};
use crate::exchanges::session::http_client;
use crate::exchanges::socket::tls_config;
use crate::prng::secret_bytes;

use super::token::{Found, find_demo};

/// Where an engine listens when nothing else is said.
const URL: &str = "http://127.0.0.1:9464";
/// A drill takes this long at most, and a little for the way.
const ANSWER_WAIT: Duration = Duration::from_secs(75);

/// Who asks whom.
#[derive(Debug)]
pub(super) struct Client {
    /// Host and port, as in the Host header.
    host: String,
    /// Who signs; reading may need nobody.
    line: Option<TokenLine>,
}

impl Client {
    /// Address and token from the arguments, the environment, or the demo that runs.
    pub(super) fn find(
        url: Option<&str>,
        file: Option<&Path>,
        name: Option<&str>,
    ) -> Result<Self, CliError> {
        let named = file
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("ARBALEST_TOKEN_FILE").map(Into::into));
        let demo = if url.is_some() && named.is_some() {
            None
        } else {
            find_demo()?
        };
        let Found {
            tokens,
            url: demo_url,
        } = demo.unwrap_or_default();
        let url = url
            .map(str::to_owned)
            .or(demo_url)
            .unwrap_or_else(|| URL.to_owned());
        let host = url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|host| {
                !host.is_empty()
                    && host
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b".:[]-".contains(&byte))
            })
            .ok_or_else(|| CliError::usage(format!("--url {url} is no http://HOST:PORT")))?
            .to_owned();
        let line = match named.or(tokens) {
            None => None,
            Some(path) => {
                let keyring =
                    Keyring::load(&path).map_err(|error| CliError::usage(error.to_string()))?;
                Some(choose(&keyring, name, &path)?)
            }
        };
        Ok(Self { host, line })
    }

    /// Sends one request and reads its answer.
    pub(super) async fn ask(&self, path: &str, body: Option<&Value>) -> Result<Value, CliError> {
        let failed = |error: &dyn std::fmt::Display| {
            CliError::failed(format!(
                "no answer from http://{}: {error}; does the engine run, and is --url its address?",
                self.host
            ))
        };
        let tls = tls_config().map_err(|error| failed(&error))?;
        let client = http_client(&tls).map_err(|error| failed(&error))?;
        let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let method = if body.is_some() {
            reqwest::Method::POST
        } else {
            reqwest::Method::GET
        };
        let mut request = client
            .request(method.clone(), format!("http://{}{path}", self.host))
            .header("host", &self.host)
            .timeout(ANSWER_WAIT);
        if let Some(line) = &self.line {
            let time = OsClock::new().now_unix().floor_millis().to_string();
            let nonce = secret_bytes::<16>().map_err(|error| failed(&error))?;
            let nonce = hex(&nonce);
            let signature = line.key.sign(&Message {
                method: method.as_str(),
                host: &self.host,
                target: path,
                name: &line.person.name,
                time: &time,
                nonce: &nonce,
                body: &bytes,
            });
            request = request
                .header(NAME_HEADER, &line.person.name)
                .header(TIME_HEADER, time)
                .header(NONCE_HEADER, nonce)
                .header(SIGNATURE_HEADER, signature);
        }
        if body.is_some() {
            request = request
                .header("content-type", "application/json")
                .body(bytes);
        }
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| failed(&error))?;
        let value: Value = serde_json::from_str(&text).map_err(|_no_json| {
            failed(&format!(
                "status {status} without JSON: not this engine's API"
            ))
        })?;
        if status == 200 {
            return Ok(value);
        }
        Err(self.refusal(status, &value))
    }

    fn refusal(&self, status: u16, value: &Value) -> CliError {
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let who = self.line.as_ref().map_or_else(
            || " (no token: use --token-file)".to_owned(),
            |line| format!(" (as {}, {})", line.person.name, line.person.role.label()),
        );
        let text = format!("{}{who}: {}", word("reason"), word("message"));
        match status {
            400 => CliError::usage(text),
            503 => CliError::failed(text),
            _ => CliError::refused(text),
        }
    }
}

fn choose(keyring: &Keyring, name: Option<&str>, path: &Path) -> Result<TokenLine, CliError> {
    let line = match name {
        None => keyring.lines().first(),
        Some(name) => keyring.find(name).map(|(_, line)| line),
    };
    line.cloned().ok_or_else(|| {
        let names: Vec<&str> = keyring
            .lines()
            .iter()
            .map(|line| line.person.name.as_str())
            .collect();
        CliError::usage(format!(
            "--as {} is not in {}: it has {}",
            name.unwrap_or_default(),
            path.display(),
            names.join(", ")
        ))
    })
}
