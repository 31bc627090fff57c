//! What helps to write a configuration: templates, schemas for editors, differences in meaning.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use arbalest::config::difference::{Way, differences};
use arbalest::config::document::Document;
use arbalest::config::load::Files;
use arbalest::config::{EngineMode, Settings, json_schema, lookup, template};
use serde_json::Value;

fn documents(files: &Files) -> Vec<&Document> {
    let first = [&files.engine, &files.venues, &files.limits];
    first.into_iter().chain(&files.strategies).collect()
}

#[test]
fn a_new_configuration_is_valid_safe_and_names_every_key() {
    for kind in template::KINDS {
        let files = template::files(kind).unwrap();
        let settings = Settings::from_files(&files).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.engine.mode, EngineMode::Observe);
        assert!(
            settings
                .strategies
                .iter()
                .all(|one| one.mode == EngineMode::Observe)
        );
        assert!(settings.venues().iter().all(|venue| venue.simulated));
        let (_, section) = json_schema::files()
            .into_iter()
            .find(|(word, _)| *word == kind)
            .unwrap();
        let text = &files.strategies[0].text;
        for field in section.fields {
            assert!(
                text.contains(&format!("{} = ", field.key)),
                "{kind}: {}",
                field.key
            );
            assert!(text.contains(field.meaning), "{kind}: {}", field.key);
        }
        // What is written as a comment is what holds without it.
        let awake: String = text
            .lines()
            .map(|line| {
                let key = line
                    .strip_prefix("# ")
                    .and_then(|line| line.split_once(" = "));
                let field = key.and_then(|(key, _)| section.field(key));
                let has_default = field.is_some_and(|field| {
                    matches!(field.absent, arbalest::config::schema::Absent::Means(_))
                });
                let contradicts = ["inventory_skew_bps"];
                if has_default && !key.is_some_and(|(key, _)| contradicts.contains(&key)) {
                    format!("{}\n", &line[2..])
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let mut woken = files.clone();
        woken.strategies[0].text = awake;
        let settings_woken =
            Settings::from_files(&woken).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(settings.strategies, settings_woken.strategies, "{kind}");
    }
    assert!(template::files("market_making").is_none());
}

/// The words of JSON Schema that ours use, judged as draft 2020-12 says. Patterns are looked at by the reader's own test.
#[expect(clippy::too_many_lines, reason = "one arm a word")]
fn judge(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let known = [
        "$schema",
        "title",
        "description",
        "default",
        "type",
        "enum",
        "anyOf",
        "minimum",
        "maximum",
        "pattern",
        "minLength",
        "minItems",
        "items",
        "properties",
        "required",
        "additionalProperties",
    ];
    let schema = schema.as_object().unwrap();
    for word in schema.keys() {
        assert!(known.contains(&word.as_str()), "{word} is not judged here");
    }
    if let Some(any) = schema.get("anyOf") {
        let fits = any.as_array().unwrap().iter().any(|one| {
            let mut found = Vec::new();
            judge(one, value, path, &mut found);
            found.is_empty()
        });
        if !fits {
            wrong.push(format!("{path}: none of anyOf"));
        }
    }
    if let Some(words) = schema.get("enum")
        && !words.as_array().unwrap().contains(value)
    {
        wrong.push(format!("{path}: not in enum"));
    }
    let right = match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some(other) => panic!("{other}"),
    };
    if !right {
        wrong.push(format!("{path}: type"));
    }
    let bound = |word: &str| schema.get(word).and_then(Value::as_f64);
    if let Some(number) = value.as_f64()
        && (bound("minimum").is_some_and(|low| number < low)
            || bound("maximum").is_some_and(|high| number > high))
    {
        wrong.push(format!("{path}: range"));
    }
    if let Some(text) = value.as_str()
        && text.is_empty()
        && schema.contains_key("minLength")
    {
        wrong.push(format!("{path}: empty"));
    }
    for item in value.as_array().into_iter().flatten() {
        judge(&schema["items"], item, &format!("{path}[]"), wrong);
    }
    if let Some(object) = value.as_object() {
        let empty = serde_json::Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        for (key, value) in object {
            let path = format!("{path}.{key}");
            match (properties.get(key), schema.get("additionalProperties")) {
                (Some(one), _) => judge(one, value, &path, wrong),
                (None, Some(Value::Bool(false))) => wrong.push(format!("{path}: unknown")),
                (None, Some(other)) => judge(other, value, &path, wrong),
                (None, None) => {}
            }
        }
        for key in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !object.contains_key(key.as_str().unwrap()) {
                wrong.push(format!("{path}.{key}: required"));
            }
        }
    }
}

fn schema_of(document: &Document, value: &Value) -> Value {
    let word = if document.file.contains("strategies/") {
        value["kind"].as_str().unwrap().to_owned()
    } else {
        document
            .file
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".toml")
            .to_owned()
    };
    json_schema::schema(&word).unwrap()
}

fn judged(document: &Document) -> Vec<String> {
    let value: Value = toml::from_str(&document.text).unwrap();
    let mut wrong = Vec::new();
    judge(&schema_of(document, &value), &value, "", &mut wrong);
    wrong
}

#[test]
fn every_configuration_of_ours_fits_its_schema() {
    let mut all = vec![Files::embedded(), Files::recorded()];
    all.extend(
        template::KINDS
            .iter()
            .map(|kind| template::files(kind).unwrap()),
    );
    for files in &all {
        for document in documents(files) {
            assert_eq!(judged(document), Vec::<String>::new(), "{}", document.file);
        }
    }
    for (file, text, wrong) in [
        ("limits.toml", "gross = 1\n", ".gross: unknown"),
        ("engine.toml", "mode = \"papr\"\n", ".mode: not in enum"),
        ("engine.toml", "node = 70000\n", ".node: none of anyOf"),
        ("venues.toml", "", ".\"venue\": required"),
        (
            "strategies/a.toml",
            "kind = \"triangular\"\ndiscover = \"yes\"\n",
            ".discover: type",
        ),
    ] {
        let found = judged(&Document::new(file, text));
        assert!(
            found.iter().any(|one| one == wrong),
            "{wrong} not in {found:?}"
        );
    }
}

#[test]
fn differences_have_a_way_and_a_time() {
    let before = Settings::embedded().unwrap();
    let mut files = Files::embedded();
    let text = &mut files.strategies[0].text;
    *text = text
        .replace("min_net_edge_bps = 1.5", "min_net_edge_bps = \"0.02%\"")
        .replace("max_order_quote = \"2000\"", "max_order_quote = \"2500\"")
        .replace("cooldown_ms = 50", "cooldown_ms = \"0.05s\"")
        .replace(
            "venues = [\"spot_a\", \"spot_b\", \"perp\"]",
            "venues = [\"spot_a\", \"perp\"]",
        );
    files.limits.text = files
        .limits
        .text
        .replace("gross = \"150000\"", "gross = \"140000\"");
    let after = Settings::from_files(&files).unwrap();
    let found = differences(&before, &after, None);
    let rows: Vec<(&str, Way, bool)> = found
        .iter()
        .map(|one| (one.key.as_str(), one.way, one.is_live))
        .collect();
    assert_eq!(
        rows,
        [
            ("notional_usd_max.gross", Way::Other, true),
            ("max_order_quote", Way::Loosened, false),
            ("min_net_edge_bps", Way::Tightened, false),
            ("venues", Way::Tightened, false),
        ],
        "what is written differently and means the same is no difference"
    );
    assert_eq!(found[2].new.as_deref(), Some("2 bps"));
    assert!(differences(&before, &before, None).is_empty());
}

#[test]
fn a_key_is_found_with_and_without_its_table() {
    let deadline = lookup::find("force_close.deadline_ms");
    assert_eq!(deadline.len(), 1);
    let words = lookup::words(deadline[0]);
    for part in [
        "deadline_ms (limits.toml, [force_close])",
        "unit      ms",
        "default: 60000",
        "two people",
    ] {
        assert!(words.contains(part), "{part} not in\n{words}");
    }
    assert!(lookup::find("min_net_edge_bps").len() >= 2);
    assert!(lookup::find("nothing").is_empty());
    assert_eq!(lookup::near("cooldwon_ms"), Some("cooldown_ms"));
}
