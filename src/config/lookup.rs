//! One key of the schema, in words.

use super::hint::nearest;
use super::quantity::Unit;
use super::schema::{Absent, Class, Field, Form, SECTIONS, Section, Tighter};

impl Field {
    /// Unit and range, in words.
    #[must_use]
    pub fn unit_and_range(&self) -> (String, String) {
        match self.form {
            Form::Number(unit @ Unit::Amount(_), low, high) if low != "0" => {
                (unit.label().to_owned(), format!("above 0, to {high}"))
            }
            Form::Number(unit, low, high) => (unit.label().to_owned(), format!("{low} to {high}")),
            Form::Choice(words) => ("word".to_owned(), words.join(", ")),
            Form::Text(of) => ("text".to_owned(), of.to_owned()),
            Form::Texts(of) => ("list".to_owned(), of.to_owned()),
            Form::Flag => ("flag".to_owned(), "true, false".to_owned()),
            Form::Table => ("table".to_owned(), "-".to_owned()),
        }
    }
    /// What holds when it is absent, in words.
    #[must_use]
    pub fn default_words(&self) -> String {
        match self.absent {
            Absent::Refused => "required".to_owned(),
            Absent::Means("") => "default: none".to_owned(),
            Absent::Means(default) => format!("default: {default}"),
            Absent::None(then) => format!("without it: {then}"),
        }
    }
    /// A line of TOML could have this value.
    #[must_use]
    pub fn example(&self) -> String {
        let default = match self.absent {
            Absent::Means(default) => default,
            Absent::Refused | Absent::None(_) => "",
        };
        match self.form {
            Form::Number(Unit::Amount(_), ..) if !default.is_empty() => format!("\"{default}\""),
            Form::Number(_, low, _) if default.is_empty() => low.to_owned(),
            Form::Number(..) | Form::Flag => default.to_owned(),
            Form::Choice(words) if default.is_empty() => {
                format!("\"{}\"", words.first().copied().unwrap_or_default())
            }
            Form::Choice(_) | Form::Text(_) => format!("\"{default}\""),
            Form::Texts(_) => {
                let words = default.split(',').filter(|word| !word.is_empty());
                format!("{:?}", words.collect::<Vec<_>>())
            }
            Form::Table => "{}".to_owned(),
        }
    }
}

/// One key where it stands: section, field.
pub type Found = (&'static Section, &'static Field);

/// Every place of a key: `min_net_edge_bps`, or with the end of its table (`force_close.deadline_ms`).
#[must_use]
pub fn find(key: &str) -> Vec<Found> {
    let (table, key) = key.rsplit_once('.').unwrap_or(("", key));
    let sections = SECTIONS.iter().filter(|section| {
        let name = section.table.trim_matches(['[', ']']);
        table.is_empty() || name == table || name.ends_with(&format!(".{table}"))
    });
    sections
        .filter_map(|section| Some((*section, section.field(key)?)))
        .collect()
}

/// The field that a key of a file means, numbers of repeated tables left out: `venue[2].fees.taker_fee_bps`.
#[must_use]
pub fn at(top: &'static Section, path: &str) -> Option<Found> {
    let (mut section, mut table) = (top, String::new());
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let key = part.split('[').next().unwrap_or(part);
        let field = section.field(key)?;
        if parts.peek().is_none() {
            return Some((section, field));
        }
        match super::json_schema::below(section, &table, key) {
            Some((inner, _)) => {
                section = inner;
                table = inner.table.trim_matches(['[', ']']).to_owned();
            }
            // A table of amounts: its keys are free.
            None => return Some((section, field)),
        }
    }
    None
}

/// The known key that is nearest to an unknown one.
#[must_use]
pub fn near(key: &str) -> Option<&'static str> {
    let keys = SECTIONS.iter().flat_map(|section| section.fields.iter());
    nearest(key, keys.map(|field| field.key))
}

/// What a key means, for people.
#[must_use]
pub fn words((section, field): Found) -> String {
    let (unit, range) = field.unit_and_range();
    let table = if section.table.is_empty() {
        String::new()
    } else {
        format!(", {}", section.table)
    };
    let tighter = match field.tighter {
        Tighter::Lower => "a smaller value allows less\n",
        Tighter::Higher => "a larger value allows less\n",
        Tighter::Neither => "",
    };
    let tighter = if tighter.is_empty() {
        String::new()
    } else {
        format!("  tighter   {tighter}")
    };
    format!(
        "{} ({}{table})\n  meaning   {}\n  unit      {unit}\n  range     {range}\n  absent    {}\n{tighter}  reload    {}",
        field.key,
        section.file,
        field.meaning,
        field.default_words(),
        section.class().words()
    )
}

impl Section {
    /// When a changed value takes effect.
    #[must_use]
    pub fn class(&self) -> Class {
        if self.file == "limits.toml" {
            Class::LiveTighten
        } else {
            Class::Restart
        }
    }
}
