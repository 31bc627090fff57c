//! The parts of a table that repeat: lists of texts, lists of tables, amounts by asset.

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::document::{Echo, Report};
use super::quantity;
use super::schema::{Absent, Form, Section};
use super::table::{Item, Table, number_text, shown};

fn texts_of(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.text.as_str()).collect()
}

impl<'a> Table<'a> {
    /// A list of texts; its default (words between commas), or empty, when it may be absent.
    pub fn texts(&self, key: &str, report: &mut Report) -> Option<Vec<Item>> {
        let field = self.field(key);
        let Some((_, value)) = self.entry(key) else {
            self.missing(field, report);
            let words = match field.absent {
                Absent::Refused => return None,
                Absent::Means(words) => words,
                Absent::None(_) => "",
            };
            let items = words.split(',').filter(|word| !word.is_empty());
            let items: Vec<Item> = items
                .map(|word| Item {
                    text: word.to_owned(),
                    place: self.place(key),
                })
                .collect();
            if !items.is_empty() {
                self.echo(key, format!("{:?}", texts_of(&items)), report);
            }
            return Some(items);
        };
        let items: Option<Vec<Item>> = value.as_array().and_then(|items| {
            items
                .iter()
                .map(|item| {
                    let text = item
                        .get_ref()
                        .as_str()
                        .filter(|text| !text.is_empty())?
                        .to_owned();
                    Some(Item {
                        text,
                        place: self.document.span(&item.span()),
                    })
                })
                .collect()
        });
        match &items {
            None => {
                let of = if let Form::Texts(of) = field.form {
                    of
                } else {
                    "text"
                };
                self.wrong(
                    key,
                    "must be a list of texts in quotes",
                    format!("each {of}"),
                    report,
                );
            }
            Some(items) => {
                self.echo(key, format!("{:?}", texts_of(items)), report);
            }
        }
        items
    }

    /// The tables of a list, each with its number from 1 in the path.
    pub fn tables(&self, key: &str, section: &'static Section, report: &mut Report) -> Vec<Self> {
        let Some((_, value)) = self.entry(key) else {
            self.missing(self.field(key), report);
            return Vec::new();
        };
        let mut out = Vec::new();
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            if let DeValue::Table(entries) = item.get_ref() {
                let path = format!("{}[{}]", self.path_of(key), index + 1);
                out.push(Table::open(
                    section,
                    self.document,
                    Some(entries),
                    path,
                    item.span().start,
                    report,
                ));
            }
        }
        if out.is_empty() {
            self.wrong(
                key,
                "must be a list of tables",
                format!("write {} and its keys below", section.table),
                report,
            );
        }
        out
    }

    /// Amounts by free keys (assets).
    pub fn amounts(&self, key: &str, report: &mut Report) -> Vec<(Item, Decimal)> {
        let mut out = Vec::new();
        let Some((_, value)) = self.entry(key) else {
            return out;
        };
        let Some(entries) = value.as_table() else {
            self.wrong(
                key,
                "must be a table",
                "write asset = \"amount\" lines",
                report,
            );
            return out;
        };
        for (name, value) in entries {
            let path = format!("{key}.{}", name.get_ref());
            let unit = quantity::Unit::Amount("asset");
            let read =
                number_text(value.get_ref()).and_then(|text| quantity::parse(&text, unit).ok());
            let place = self.document.span(&value.span());
            match read.filter(|amount| !amount.is_sign_negative()) {
                Some(amount) => {
                    let file = self.document.file.clone();
                    let echo = Echo {
                        file,
                        key: self.path_of(&path),
                        value: amount.to_string(),
                        is_default: false,
                    };
                    report.echoes.push(echo);
                    out.push((
                        Item {
                            text: name.get_ref().to_string(),
                            place,
                        },
                        amount,
                    ));
                }
                None => {
                    let rule = "must be an amount of at least 0";
                    self.wrong_at(
                        place,
                        &path,
                        shown(value.get_ref()),
                        rule,
                        "write \"1000\" or \"0.5\"",
                        report,
                    );
                }
            }
        }
        out
    }
}
