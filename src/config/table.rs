//! Reads one table by its [`Section`]: unknown keys, missing keys, wrong types, wrong units and values out of range are all
//! reported, and reading goes on.

use std::ops::Range;

use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use crate::units::{Nanos, Ppm};

use super::document::{Document, Echo, Report};
use super::hint::nearest;
use super::mistake::{Mistake, Place};
use super::quantity::{self, Unit};
use super::schema::{Absent, Field, Form, Section};

/// A text in a list, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The text.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// A table of a file, being read.
#[derive(Debug)]
pub struct Table<'a> {
    pub(super) section: &'static Section,
    pub(super) document: &'a Document,
    pub(super) entries: Option<&'a DeTable<'a>>,
    pub(super) path: String,
    pub(super) offset: usize,
}

impl<'a> Table<'a> {
    /// The top of a file. Unknown keys are reported now.
    pub fn top(
        section: &'static Section,
        document: &'a Document,
        entries: &'a DeTable<'a>,
        report: &mut Report,
    ) -> Self {
        Self::open(section, document, Some(entries), String::new(), 0, report)
    }

    /// The same without a look at unknown keys.
    pub(super) const fn unchecked(
        section: &'static Section,
        document: &'a Document,
        entries: &'a DeTable<'a>,
    ) -> Self {
        Self {
            section,
            document,
            entries: Some(entries),
            path: String::new(),
            offset: 0,
        }
    }

    pub(super) fn open(
        section: &'static Section,
        document: &'a Document,
        entries: Option<&'a DeTable<'a>>,
        path: String,
        offset: usize,
        report: &mut Report,
    ) -> Self {
        let table = Self {
            section,
            document,
            entries,
            path,
            offset,
        };
        for (key, _) in entries.into_iter().flatten() {
            let name = key.get_ref().as_ref();
            if section.field(name).is_none() {
                let cure = unknown_cure(section, name);
                report.add(Mistake {
                    place: document.key_span(&key.span()),
                    key: table.path_of(name),
                    value: String::new(),
                    rule: "is not a known key".to_owned(),
                    cure,
                });
            }
        }
        table
    }

    /// The key with its tables.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<(Range<usize>, &'a DeValue<'a>)> {
        let (_, value) = self
            .entries?
            .iter()
            .find(|(known, _)| known.get_ref().as_ref() == key)?;
        Some((value.span(), value.get_ref()))
    }

    /// True when the key was written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Where the value of a key stands, or its table when it is absent.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.entry(key).map_or_else(
            || self.document.place(self.offset),
            |(span, _)| self.document.span(&span),
        )
    }

    /// Reports a mistake at a key.
    pub fn wrong(
        &self,
        key: &str,
        rule: impl Into<String>,
        cure: impl Into<String>,
        report: &mut Report,
    ) {
        let value = self
            .entry(key)
            .map(|(_, value)| shown(value))
            .unwrap_or_default();
        self.wrong_at(self.place(key), key, value, rule, cure, report);
    }

    /// Reports a mistake at a place of its own (an item of a list).
    pub fn wrong_at(
        &self,
        place: Place,
        key: &str,
        value: impl Into<String>,
        rule: impl Into<String>,
        cure: impl Into<String>,
        report: &mut Report,
    ) {
        let mistake = Mistake {
            place,
            key: self.path_of(key),
            value: value.into(),
            rule: rule.into(),
            cure: cure.into(),
        };
        report.add(mistake);
    }

    pub(super) fn field(&self, key: &str) -> &'static Field {
        let Some(field) = self.section.field(key) else {
            panic!(
                "Invariant: the schema of {} has the key {key}",
                self.section.table
            );
        };
        field
    }

    pub(super) fn echo(&self, key: &str, value: String, report: &mut Report) {
        let is_default = !self.has(key);
        let file = self.document.file.clone();
        report.echoes.push(Echo {
            file,
            key: self.path_of(key),
            value,
            is_default,
        });
    }

    /// Reports an absent key that has no default.
    pub(super) fn missing(&self, field: &Field, report: &mut Report) {
        if field.absent == Absent::Refused {
            let cure = match field.form {
                Form::Number(unit, ..) => format!("write {} = {}", field.key, unit.example()),
                Form::Choice(words) => format!("write one of {}", words.join(", ")),
                Form::Text(of) => format!("write {} = \"...\": {of}", field.key),
                Form::Texts(of) => format!("write {} = [\"...\"]: each {of}", field.key),
                Form::Flag => "write true or false".to_owned(),
                Form::Table => format!("write {}", field.meaning),
            };
            self.wrong(
                field.key,
                format!("is missing ({})", field.meaning),
                cure,
                report,
            );
        }
    }

    /// A number in the finest step of its unit. `None` when absent without default, or wrong (then reported).
    pub fn number(&self, key: &str, report: &mut Report) -> Option<Decimal> {
        let field = self.field(key);
        let Form::Number(unit, low, high) = field.form else {
            return None;
        };
        let text = match (self.entry(key), field.absent) {
            (Some((_, value)), _) => match number_text(value) {
                Some(text) => text,
                None => {
                    let rule = quantity::number_rule(unit);
                    self.wrong(key, rule, format!("write {}", unit.example()), report);
                    return None;
                }
            },
            (None, Absent::Means(default)) => default.to_owned(),
            (None, Absent::Refused | Absent::None(_)) => {
                self.missing(field, report);
                return None;
            }
        };
        let steps = match quantity::parse(&text, unit) {
            Ok(steps) => steps,
            Err(rule) => {
                self.wrong(key, rule, format!("write {}", unit.example()), report);
                return None;
            }
        };
        if let Some(rule) = out_of_range(steps, unit, low, high) {
            let cure = format!("write a value in that range ({})", field.meaning);
            self.wrong(key, rule, cure, report);
            return None;
        }
        self.echo(key, quantity::display(steps, unit), report);
        Some(steps)
    }

    /// A ratio.
    pub fn ppm(&self, key: &str, report: &mut Report) -> Option<Ppm> {
        self.number(key, report).and_then(quantity::ppm)
    }
    /// A span.
    pub fn nanos(&self, key: &str, report: &mut Report) -> Option<Nanos> {
        self.number(key, report).and_then(quantity::nanos)
    }
    /// A count.
    pub fn count(&self, key: &str, report: &mut Report) -> Option<u32> {
        self.number(key, report)
            .and_then(|steps| u32::try_from(steps).ok())
    }

    /// One of the words of the schema.
    pub fn choice(&self, key: &str, report: &mut Report) -> Option<&'static str> {
        let field = self.field(key);
        let Form::Choice(words) = field.form else {
            return None;
        };
        let text = self.text(key, report)?;
        let word = words.iter().find(|word| **word == text).copied();
        if word.is_none() {
            let cure = nearest(&text, words.iter().copied())
                .map_or_else(String::new, |word| format!("did you mean \"{word}\"? "));
            self.wrong(
                key,
                "is not a known word",
                format!("{cure}one of {}", words.join(", ")),
                report,
            );
        }
        word
    }

    /// A text, its default, or `None` (reported unless it may be absent).
    pub fn text(&self, key: &str, report: &mut Report) -> Option<String> {
        let field = self.field(key);
        match (self.entry(key), field.absent) {
            (Some((_, DeValue::String(text))), _) if !text.trim().is_empty() => {
                self.echo(key, format!("{text:?}"), report);
                Some(text.clone().into_owned())
            }
            (Some(_), _) => {
                let of = match field.form {
                    Form::Choice(words) => words.join(", "),
                    Form::Text(of) | Form::Texts(of) => of.to_owned(),
                    Form::Number(..) | Form::Flag | Form::Table => "a text".to_owned(),
                };
                self.wrong(
                    key,
                    "must be text in quotes, not empty",
                    format!("write {of}"),
                    report,
                );
                None
            }
            (None, Absent::Means(default)) => {
                self.echo(key, format!("{default:?}"), report);
                Some(default.to_owned())
            }
            (None, Absent::Refused | Absent::None(_)) => {
                self.missing(field, report);
                None
            }
        }
    }

    /// true or false.
    pub fn flag(&self, key: &str, report: &mut Report) -> Option<bool> {
        let field = self.field(key);
        let flag = match (self.entry(key), field.absent) {
            (Some((_, value)), _) => value.as_bool(),
            (None, Absent::Means(default)) => Some(default == "true"),
            (None, Absent::Refused | Absent::None(_)) => None,
        };
        match flag {
            Some(flag) => self.echo(key, flag.to_string(), report),
            None => self.wrong(
                key,
                "must be true or false",
                "write it without quotes",
                report,
            ),
        }
        flag
    }

    /// A table below; empty when it may be absent. `None` when it is missing or no table (reported).
    pub fn table(&self, key: &str, section: &'static Section, report: &mut Report) -> Option<Self> {
        let field = self.field(key);
        let path = self.path_of(key);
        match self.entry(key) {
            Some((span, DeValue::Table(entries))) => Some(Table::open(
                section,
                self.document,
                Some(entries),
                path,
                span.start,
                report,
            )),
            Some(_) => {
                self.wrong(
                    key,
                    "must be a table",
                    format!("write {} and its keys below", section.table),
                    report,
                );
                None
            }
            None if field.absent == Absent::Refused => {
                self.missing(field, report);
                None
            }
            None => Some(Table::open(
                section,
                self.document,
                None,
                path,
                self.offset,
                report,
            )),
        }
    }
}

/// Keys that are named at most where none is near.
const KEYS_NAMED: usize = 12;

/// What to do about an unknown key.
fn unknown_cure(section: &Section, name: &str) -> String {
    let known = || section.fields.iter().map(|field| field.key);
    if let Some(near) = nearest(name, known()) {
        return format!("did you mean {near}?");
    }
    if name.contains("secret") || name.contains("api_key") || name.contains("passw") {
        return "secrets never stand in these files: name a variable or a file in [venue.keys]"
            .to_owned();
    }
    if let Some((elsewhere, _)) = super::lookup::find(name).first() {
        let table = if elsewhere.table.is_empty() {
            "at the top"
        } else {
            elsewhere.table
        };
        return format!(
            "it belongs to {} {table}; here it has no meaning: remove it",
            elsewhere.file
        );
    }
    if section.fields.len() > KEYS_NAMED {
        return "remove it; docs/CONFIG.md and 'arbalest config explain' know every key".to_owned();
    }
    format!(
        "known keys here: {}",
        known().collect::<Vec<_>>().join(", ")
    )
}

/// The rule that a number outside its bounds breaks.
fn out_of_range(steps: Decimal, unit: Unit, low: &str, high: &str) -> Option<String> {
    let bound = |text: &str| quantity::parse(text, unit).unwrap_or_default();
    let (low, high) = (bound(low), bound(high));
    if (low..=high).contains(&steps) {
        return None;
    }
    let [low_text, high_text, read] =
        [low, high, steps].map(|steps| quantity::display(steps, unit));
    // A lower bound of one step of an amount means "not zero".
    let from = if matches!(unit, Unit::Amount(_)) && !low.is_zero() {
        "above 0 and at most".to_owned()
    } else {
        format!("from {low_text} to")
    };
    Some(format!("must be {from} {high_text}, was {read}"))
}

/// A number's text: bare, or in quotes with its unit.
pub(super) fn number_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}

/// A value as written, shortened.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    let text = match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "[...]".to_owned(),
        DeValue::Table(_) => "{...}".to_owned(),
    };
    if text.chars().count() > 60 {
        text.chars().take(57).chain("...".chars()).collect()
    } else {
        text
    }
}
