//! What differs between two configurations in meaning, not in text: which value, which way, and whether it can be applied to a
//! running engine.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::market::Catalogue;
use crate::risk::{Direction, Limits};

use super::document::Echo;
use super::json_schema::files;
use super::lookup::at;
use super::schema::{Class, Form, Section, Tighter};
use super::settings::Settings;

/// Which way a value moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// More is allowed.
    Loosened,
    /// Less is allowed.
    Tightened,
    /// Neither can be said.
    Other,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which file.
    pub file: String,
    /// Key with its tables; instruments by venue and symbol.
    pub key: String,
    /// Before; `None` when it was not there.
    pub old: Option<String>,
    /// After; `None` when it is gone.
    pub new: Option<String>,
    /// Which way.
    pub way: Way,
    /// True when a running engine can take it.
    pub is_live: bool,
    /// How it comes into force.
    pub applied: &'static str,
}

/// The differences of everything but the limits, then of the limits. `limits` are both on one catalogue, when there is one for
/// both (the instruments are the same).
#[must_use]
pub fn differences(
    before: &Settings,
    after: &Settings,
    limits: Option<(&Limits, &Limits, &Catalogue)>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let values = |settings: &Settings| -> BTreeMap<(String, String), String> {
        let rows = settings
            .echoes
            .iter()
            .filter(|echo| limits.is_none() || !is_limit(echo));
        rows.map(|echo| {
            let file = relative(&echo.file);
            ((file, named(settings, echo)), echo.value.clone())
        })
        .collect()
    };
    let (old, new) = (values(before), values(after));
    let mut keys: Vec<&(String, String)> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for place in keys {
        let (was, is) = (old.get(place), new.get(place));
        if was == is {
            continue;
        }
        let (file, key) = place;
        let section = section_of(after, file).or_else(|| section_of(before, file));
        let class = section.map_or(Class::Restart, Section::class);
        let way = section.map_or(Way::Other, |section| way(section, key, was, is));
        found.push(Difference {
            file: file.clone(),
            key: key.clone(),
            old: was.cloned(),
            new: is.cloned(),
            way,
            is_live: class != Class::Restart,
            applied: class.words(),
        });
    }
    if let Some((old, new, catalogue)) = limits {
        let (_, changes) = old.tightened(new, catalogue);
        found.extend(changes.into_iter().map(|change| Difference {
            file: "limits.toml".to_owned(),
            key: change.key,
            old: Some(change.old),
            new: Some(change.new),
            way: match change.direction {
                Direction::Tighter => Way::Tightened,
                Direction::Looser => Way::Loosened,
                Direction::Other => Way::Other,
            },
            is_live: true,
            applied: match change.direction {
                Direction::Tighter => "at once, when the file is written",
                Direction::Looser | Direction::Other => {
                    "by two people while the portfolio is at K1 or above"
                }
            },
        }));
    }
    found
}

fn is_limit(echo: &Echo) -> bool {
    relative(&echo.file) == "limits.toml"
}

/// `recorded/limits.toml` and `limits.toml` are the same file of two configurations.
fn relative(file: &str) -> String {
    let at = file
        .rfind("strategies/")
        .or_else(|| file.rfind('/').map(|slash| slash + 1));
    file.get(at.unwrap_or(0)..).unwrap_or(file).to_owned()
}

/// A key with the id of its venue instead of its number: an order of tables means nothing.
fn named(settings: &Settings, echo: &Echo) -> String {
    let Some(rest) = echo.key.strip_prefix("venue[") else {
        return echo.key.clone();
    };
    let Some((number, rest)) = rest.split_once(']') else {
        return echo.key.clone();
    };
    let index = number
        .parse::<usize>()
        .ok()
        .and_then(|one| one.checked_sub(1));
    let venue = index.and_then(|index| settings.venues.get(index));
    venue.map_or_else(
        || echo.key.clone(),
        |venue| format!("venue[{}]{rest}", venue.id),
    )
}

fn section_of(settings: &Settings, file: &str) -> Option<&'static Section> {
    let all = files();
    if !file.starts_with("strategies/") {
        let word = file.trim_end_matches(".toml");
        return all
            .into_iter()
            .find(|(known, _)| *known == word)
            .map(|(_, section)| section);
    }
    let kind = settings
        .echoes
        .iter()
        .find(|echo| relative(&echo.file) == file && echo.key == "kind")?;
    let word = kind.value.trim_matches('"');
    all.into_iter()
        .find(|(known, _)| *known == word)
        .map(|(_, section)| section)
}

fn way(section: &'static Section, key: &str, was: Option<&String>, is: Option<&String>) -> Way {
    let Some((_, field)) = at(section, key) else {
        return Way::Other;
    };
    let (Some(was), Some(is)) = (was, is) else {
        return Way::Other;
    };
    let size = |value: &str| -> Option<Decimal> {
        match field.form {
            Form::Number(..) => value.split(' ').next()?.parse().ok(),
            Form::Flag => Some(Decimal::from(u8::from(value == "true"))),
            Form::Choice(words) => {
                let word = value.trim_matches('"');
                words
                    .iter()
                    .position(|known| *known == word)
                    .map(Decimal::from)
            }
            Form::Texts(_) => None,
            Form::Text(_) | Form::Table => None,
        }
    };
    let grew = match field.form {
        Form::Texts(_) => contains(is, was)
            .then_some(true)
            .or_else(|| contains(was, is).then_some(false)),
        Form::Number(..) | Form::Choice(_) | Form::Text(_) | Form::Flag | Form::Table => {
            size(was).zip(size(is)).map(|(was, is)| is > was)
        }
    };
    match (grew, field.tighter) {
        (Some(true), Tighter::Higher) | (Some(false), Tighter::Lower) => Way::Tightened,
        (Some(true), Tighter::Lower) | (Some(false), Tighter::Higher) => Way::Loosened,
        (None, _) | (_, Tighter::Neither) => Way::Other,
    }
}

/// True when every text of the second list is in the first.
fn contains(outer: &str, inner: &str) -> bool {
    let texts = |list: &str| -> Vec<String> {
        let words = list.trim_matches(['[', ']']).split(", ");
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let outer = texts(outer);
    texts(inner).iter().all(|text| outer.contains(text))
}
