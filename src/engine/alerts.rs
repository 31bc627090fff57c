//! Alerts for people outside: what is said to each kind of receiver, and (in [`outbox`]) when.
//!
//! Venue text ends up in alerts, so it is made harmless here: no control characters, bounded, escaped where a receiver reads
//! markup (RISK.md S16, S25).

use serde_json::{Value, json};

use crate::risk::Severity;
use crate::units::UnixNanos;

pub mod outbox;

pub use outbox::{Counts, Next, Outbox, Outcome};

/// Longest text of an alert, in characters.
const TEXT_CHARS_MAX: usize = 500;
/// An alert that nobody clears ends by itself after this long at an Alertmanager.
const OPEN_SECS_MAX: i64 = 86_400;

/// Who receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkKind {
    /// A plain JSON object, `POST`ed.
    Webhook,
    /// `{"text": ..}`, as Slack and what imitates it take it.
    Slack,
    /// `sendMessage` of a Telegram bot.
    Telegram,
    /// `POST /api/v2/alerts` of a Prometheus Alertmanager; clears carry their end.
    Alertmanager,
}

impl SinkKind {
    /// By configuration name; anything unknown is a webhook (the schema lets nothing else pass).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "slack" => Self::Slack,
            "telegram" => Self::Telegram,
            "alertmanager" => Self::Alertmanager,
            _ => Self::Webhook,
        }
    }
}

/// How one receiver is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkTerms {
    /// Its name in the configuration, logs and metrics.
    pub name: String,
    /// Who receives.
    pub kind: SinkKind,
    /// The chat of a Telegram bot.
    pub chat: Option<String>,
    /// Quieter alerts are not sent.
    pub min_severity: Severity,
    /// Most messages a minute; the rest waits.
    pub rate_max: u32,
}

/// One alert, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: UnixNanos,
    /// How loud.
    pub severity: Severity,
    /// What about: a fixed short word.
    pub kind: String,
    /// Where: a scope or an instrument.
    pub scope: String,
    /// True when it begins, false when it ends.
    pub raised: bool,
    /// In words.
    pub text: String,
}

impl Note {
    /// Harmless: control characters become spaces, the text is cut at 500 characters.
    #[must_use]
    pub fn cleaned(mut self) -> Self {
        for text in [&mut self.kind, &mut self.scope, &mut self.text] {
            *text = clean(text);
        }
        self
    }

    /// The body for a receiver. `since` is when the alert began.
    #[must_use]
    pub fn body(&self, terms: &SinkTerms, since: UnixNanos) -> String {
        let state = if self.raised { "raised" } else { "ended" };
        let line = format!(
            "[{}] arbalest {state}: {}",
            self.severity.label(),
            self.text
        );
        let value: Value = match terms.kind {
            SinkKind::Webhook => json!({
                "source": "arbalest",
                "time": rfc3339(self.at),
                "severity": self.severity.label(),
                "kind": self.kind,
                "scope": self.scope,
                "state": state,
                "text": self.text,
            }),
            SinkKind::Slack => json!({ "text": without_markup(&line) }),
            SinkKind::Telegram => json!({
                "chat_id": terms.chat,
                "text": line,
                "disable_web_page_preview": true,
            }),
            SinkKind::Alertmanager => {
                let until = UnixNanos(if self.raised {
                    self.at.0.saturating_add(OPEN_SECS_MAX * 1_000_000_000)
                } else {
                    self.at.0
                });
                json!([{
                    "labels": {
                        "alertname": "arbalest",
                        "kind": self.kind,
                        "scope": self.scope,
                        "severity": self.severity.label(),
                    },
                    "annotations": { "summary": self.text },
                    "startsAt": rfc3339(since),
                    "endsAt": rfc3339(until),
                }])
            }
        };
        value.to_string()
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .take(TEXT_CHARS_MAX)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Slack reads `<..>` and `&` as markup.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// RFC 3339 in UTC, milliseconds rounded down.
/// An instant as RFC 3339 text with milliseconds or finer, UTC.
#[must_use]
pub fn rfc3339(at: UnixNanos) -> String {
    let millis = at.0.div_euclid(1_000_000);
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Days since 0000-03-01 of the proleptic Gregorian calendar, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (in_era - in_era.div_euclid(1_460) + in_era.div_euclid(36_524)
        - in_era.div_euclid(146_096))
    .div_euclid(365);
    let day_of_year =
        in_era - (365 * year_of_era + year_of_era.div_euclid(4) - year_of_era.div_euclid(100));
    let month_from_march = (5 * day_of_year + 2).div_euclid(153);
    let day = day_of_year - (153 * month_from_march + 2).div_euclid(5) + 1;
    let month = (month_from_march + 2).rem_euclid(12) + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day.div_euclid(3_600_000),
        of_day.div_euclid(60_000).rem_euclid(60),
        of_day.div_euclid(1_000).rem_euclid(60),
        of_day.rem_euclid(1_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(kind: SinkKind) -> SinkTerms {
        SinkTerms {
            name: "ops".to_owned(),
            kind,
            chat: Some("-100".to_owned()),
            min_severity: Severity::Info,
            rate_max: 10,
        }
    }

    #[test]
    fn each_receiver_is_told_in_its_own_words() {
        let note = Note {
            at: UnixNanos(1_709_251_199_500_000_000),
            severity: Severity::Critical,
            kind: "level_raised".to_owned(),
            scope: "spot_a".to_owned(),
            raised: true,
            text: "<b>\u{1b}[31m&\n\"x\"".to_owned() + &"y".repeat(600),
        }
        .cleaned();
        assert_eq!(note.text.chars().count(), 500);
        let body = |kind| -> Value {
            serde_json::from_str(&note.body(&terms(kind), UnixNanos(0))).unwrap()
        };
        let hook = body(SinkKind::Webhook);
        assert_eq!(hook["time"], "2024-02-29T23:59:59.500Z");
        assert_eq!(hook["state"], "raised");
        assert!(
            hook["text"]
                .as_str()
                .unwrap()
                .starts_with("<b> [31m& \"x\"y")
        );
        let slack = body(SinkKind::Slack);
        let said = slack["text"].as_str().unwrap();
        assert!(
            said.starts_with("[critical] arbalest raised: &lt;b&gt; [31m&amp; "),
            "{said}"
        );
        let telegram = body(SinkKind::Telegram);
        assert_eq!(
            (&telegram["chat_id"], telegram.get("parse_mode")),
            (&json!("-100"), None)
        );
        let manager = body(SinkKind::Alertmanager);
        assert_eq!(manager[0]["labels"]["kind"], "level_raised");
        assert_eq!(manager[0]["startsAt"], "1970-01-01T00:00:00.000Z");
        assert_eq!(manager[0]["endsAt"], "2024-03-01T23:59:59.500Z");
        let end = Note {
            raised: false,
            ..note.clone()
        };
        let ended: Value =
            serde_json::from_str(&end.body(&terms(SinkKind::Alertmanager), UnixNanos(0))).unwrap();
        assert_eq!(ended[0]["endsAt"], "2024-02-29T23:59:59.500Z");
        assert_eq!(ended[0]["labels"], manager[0]["labels"], "the same alert");
    }
}
