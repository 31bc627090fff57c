//! Sends alerts out: one thread of its own, so that a dead receiver holds up nobody. Seats only put notes into a bounded box.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::clock::{Clock, OsClock};
use crate::engine::alerts::{Next, Note, Outbox, Outcome, SinkTerms};
use crate::exchanges::session::http_client;
use crate::exchanges::socket::tls_config;
use crate::priority::{Class, step_back};
use crate::telemetry::snapshot::AlertSinkStatus;

/// A stop waits this long for what is still to be said.
const FLUSH_WAIT: Duration = Duration::from_secs(3);

/// One receiver with its address, which holds a secret.
#[derive(Debug, Clone)]
pub struct SinkTarget {
    /// How it is served.
    pub terms: SinkTerms,
    /// Where; never logged.
    pub url: SecretString,
}

#[derive(Debug)]
struct Sink {
    outbox: Mutex<Outbox>,
    url: SecretString,
    news: Notify,
}

impl Sink {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where seats put alerts for people outside.
#[derive(Debug)]
pub struct AlertPost {
    sinks: Vec<Arc<Sink>>,
    clock: OsClock,
}

impl AlertPost {
    /// Starts the thread that sends; none without receivers.
    ///
    /// # Errors
    /// What the machine says when it has no thread or no certificates for it.
    pub fn start(targets: Vec<SinkTarget>, clock: OsClock) -> std::io::Result<Self> {
        let sinks: Vec<Arc<Sink>> = targets
            .into_iter()
            .map(|target| {
                Arc::new(Sink {
                    outbox: Mutex::new(Outbox::new(target.terms)),
                    url: target.url,
                    news: Notify::new(),
                })
            })
            .collect();
        if !sinks.is_empty() {
            let client = client()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let (own, time) = (sinks.clone(), clock.clone());
            std::thread::Builder::new()
                .name("alerts".to_owned())
                .spawn(move || {
                    step_back(Class::Store);
                    runtime.block_on(futures_util::future::join_all(
                        own.iter().map(|sink| serve(sink, &client, &time)),
                    ));
                })?;
        }
        Ok(Self { sinks, clock })
    }

    /// Puts an alert before every receiver; never waits for one.
    pub fn add(&self, note: &Note) {
        for sink in &self.sinks {
            sink.outbox().add(note, self.clock.now());
            sink.news.notify_one();
        }
    }

    /// Counters of every receiver.
    #[must_use]
    pub fn status(&self) -> Vec<AlertSinkStatus> {
        let of = |sink: &Arc<Sink>| {
            let outbox = sink.outbox();
            let counts = outbox.counts();
            AlertSinkStatus {
                sink: outbox.terms().name.clone(),
                sent: counts.sent,
                failed: counts.failed,
                dropped: counts.dropped,
                waiting: outbox.waiting() as u64,
            }
        };
        self.sinks.iter().map(of).collect()
    }

    /// Waits a little until all is said.
    pub async fn flush(&self) {
        let is_empty = async {
            while self.sinks.iter().any(|sink| sink.outbox().waiting() > 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(FLUSH_WAIT, is_empty).await.is_err() {
            tracing::warn!("alerts were still waiting to be sent at the end");
        }
    }
}

fn client() -> std::io::Result<reqwest::Client> {
    let tls = tls_config().map_err(std::io::Error::other)?;
    http_client(&tls).map_err(std::io::Error::other)
}

/// Serves one receiver as long as anybody may still put something before it.
async fn serve(sink: &Arc<Sink>, client: &reqwest::Client, clock: &OsClock) {
    // The thread holds one, the post the other.
    while Arc::strong_count(sink) > 1 {
        let next = sink.outbox().next(clock.now());
        match next {
            Next::Send(body) => {
                let outcome = send(client, sink.url.expose_secret(), body).await;
                let mut outbox = sink.outbox();
                if let Err(reason) = &outcome {
                    tracing::warn!("alert sink {}: {reason}", outbox.terms().name);
                }
                let outcome = outcome.map_or_else(|failure| failure.outcome, |()| Outcome::Sent);
                outbox.on_outcome(outcome, clock.now());
            }
            Next::Wait(until) => {
                let pause = until.map_or(Duration::from_secs(1), |until| {
                    until.since(clock.now()).as_duration()
                });
                let pause = pause.min(Duration::from_secs(1));
                let _woken_or_late = tokio::time::timeout(pause, sink.news.notified()).await;
            }
        }
    }
}

/// Why a message was not taken. Never holds the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendFailure {
    outcome: Outcome,
    reason: String,
}

async fn send(client: &reqwest::Client, url: &str, body: String) -> Result<(), SendFailure> {
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    let response = request.send().await.map_err(|error| SendFailure {
        outcome: Outcome::Retry,
        // The error's own text has the address in it.
        reason: if error.is_timeout() {
            "did not answer in time".to_owned()
        } else {
            "could not be reached".to_owned()
        },
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let is_final = status.is_client_error() && status.as_u16() != 429;
    Err(SendFailure {
        outcome: if is_final {
            Outcome::Refused
        } else {
            Outcome::Retry
        },
        reason: format!("answered with status {}", status.as_u16()),
    })
}

/// Sends one note to one receiver now, without queue and retries.
///
/// # Errors
/// [`SendFailure`] in words without the address.
pub async fn send_once(target: &SinkTarget, note: &Note) -> Result<(), SendFailure> {
    let client = client().map_err(|error| SendFailure {
        outcome: Outcome::Refused,
        reason: error.to_string(),
    })?;
    let body = note.clone().cleaned().body(&target.terms, note.at);
    send(&client, target.url.expose_secret(), body).await
}
