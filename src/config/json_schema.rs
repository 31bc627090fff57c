//! JSON Schema (draft 2020-12) of each file, for editors, made from the same tables that read it.

use serde_json::{Map, Value, json};

use super::quantity::Unit;
use super::schema::{Absent, Field, Form, SECTIONS, Section};

/// The files by the word that names their schema, each with its top table.
#[must_use]
pub fn files() -> Vec<(&'static str, &'static Section)> {
    let top = SECTIONS
        .iter()
        .filter(|section| section.table.is_empty() || section.table.starts_with("kind"));
    top.map(|section| {
        let kind = section.field("kind").map(|field| field.form);
        let word = if let Some(Form::Choice([word])) = kind {
            word
        } else {
            section.file.trim_end_matches(".toml")
        };
        (word, *section)
    })
    .collect()
}

/// The schema of one file: `venues`, `limits`, `engine` or a kind of strategy. `None` for another word.
#[must_use]
pub fn schema(word: &str) -> Option<Value> {
    let (_, section) = files().into_iter().find(|(known, _)| *known == word)?;
    let mut schema = object(section, "");
    let head = [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        (
            "title",
            json!(format!("Arbalest {} ({word})", section.file)),
        ),
    ];
    if let Value::Object(map) = &mut schema {
        map.extend(head.map(|(key, value)| (key.to_owned(), value)));
    }
    Some(schema)
}

/// The section that a table key opens, and whether it repeats.
#[must_use]
pub fn below(section: &Section, path: &str, key: &str) -> Option<(&'static Section, bool)> {
    let path = if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    };
    let path = path.replace("watchdog_keys", "keys");
    SECTIONS.iter().find_map(|known| {
        let is_here = known.file == section.file;
        let once = is_here && known.table == format!("[{path}]");
        let many = is_here && known.table == format!("[[{path}]]");
        (once || many).then_some((*known, many))
    })
}

fn object(section: &Section, path: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in section.fields {
        properties.insert(field.key.to_owned(), property(section, path, field));
        if field.absent == Absent::Refused {
            required.push(field.key);
        }
    }
    json!({
        "type": "object",
        "description": section.meaning,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(section: &Section, path: &str, field: &Field) -> Value {
    let mut value = match field.form {
        Form::Number(unit, low, high) => number(unit, low, high),
        Form::Choice(words) => json!({ "enum": words }),
        Form::Text(_) => json!({ "type": "string", "minLength": 1 }),
        Form::Texts(_) => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Form::Flag => json!({ "type": "boolean" }),
        Form::Table => table(section, path, field.key),
    };
    if let Value::Object(map) = &mut value {
        let (unit, _) = field.unit_and_range();
        let unit = match field.form {
            Form::Number(..) => format!("{unit}; "),
            Form::Choice(_) | Form::Text(_) | Form::Texts(_) | Form::Flag | Form::Table => {
                String::new()
            }
        };
        let description = format!("{} ({unit}{})", field.meaning, field.default_words());
        map.insert("description".to_owned(), json!(description));
        if let Some(default) = default(field) {
            map.insert("default".to_owned(), default);
        }
    }
    value
}

fn table(section: &Section, path: &str, key: &str) -> Value {
    match below(section, path, key) {
        Some((inner, is_many)) => {
            let path = inner.table.trim_matches(['[', ']']);
            let one = object(inner, path);
            if is_many {
                json!({ "type": "array", "items": one, "minItems": 1 })
            } else {
                one
            }
        }
        None => json!({
            "type": "object",
            "additionalProperties": number(Unit::Amount("amount"), "0", "1000000000000"),
        }),
    }
}

/// A bare number in the unit, or a text with its unit.
fn number(unit: Unit, low: &str, high: &str) -> Value {
    let bound = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let suffixes = unit.suffix_words();
    let suffix = if suffixes.is_empty() {
        String::new()
    } else {
        format!(" *({})?", suffixes.join("|"))
    };
    let kind = if unit == Unit::Count {
        "integer"
    } else {
        "number"
    };
    json!({
        "anyOf": [
            { "type": kind, "minimum": bound(low), "maximum": bound(high) },
            { "type": "string", "pattern": format!("^ *-?[0-9]+(\\.[0-9]+)?{suffix} *$") },
        ]
    })
}

fn default(field: &Field) -> Option<Value> {
    let Absent::Means(text) = field.absent else {
        return None;
    };
    Some(match field.form {
        Form::Number(..) => serde_json::from_str(text).ok()?,
        Form::Choice(_) | Form::Text(_) => json!(text),
        Form::Texts(_) => {
            let words = text.split(',').filter(|word| !word.is_empty());
            json!(words.collect::<Vec<_>>())
        }
        Form::Flag => json!(text == "true"),
        Form::Table => return None,
    })
}
