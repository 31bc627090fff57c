//! The alert rules: every alert says how bad it is and what to do, asks only for what is exported, and has a case in which it
//! fires and one in which it does not. That they do is told by `promtool test rules`.

use std::collections::BTreeSet;

use super::boards::{series, unknown};

const RULES: &str = include_str!("../../ops/prometheus/rules/arbalest.yml");
const CASES: &str = include_str!("../../ops/prometheus/tests/arbalest.yml");
const RUNBOOK: &str = include_str!("../../docs/RUNBOOK.md");
const MONITORING: &str = include_str!("../../docs/MONITORING.md");

/// One rule as its lines say.
#[derive(Debug, Default)]
struct Alert {
    name: String,
    expression: String,
    severity: String,
    annotations: Vec<(String, String)>,
}

/// Our rules have one line a value, so lines suffice.
fn alerts() -> Vec<Alert> {
    let mut alerts: Vec<Alert> = Vec::new();
    for line in RULES.lines() {
        let Some((key, value)) = line.trim().trim_start_matches("- ").split_once(": ") else {
            continue;
        };
        if key == "alert" {
            alerts.push(Alert {
                name: value.to_owned(),
                ..Alert::default()
            });
        }
        let Some(alert) = alerts.last_mut() else {
            continue;
        };
        match key {
            "expr" => alert.expression = value.to_owned(),
            "labels" => {
                let word = value.strip_prefix("{severity: ").unwrap();
                alert.severity = word.trim_end_matches('}').to_owned();
            }
            "summary" | "description" | "runbook_url" => alert
                .annotations
                .push((key.to_owned(), value.trim_matches('"').to_owned())),
            _ => {}
        }
    }
    alerts
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let alerts = alerts();
    assert!(alerts.len() > 30, "{}", alerts.len());
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names.len(), alerts.len(), "a name is used twice");
    for alert in &alerts {
        let name = &alert.name;
        assert!(
            ["critical", "warning", "info"].contains(&alert.severity.as_str()),
            "{alert:?}"
        );
        let keys: Vec<&str> = alert
            .annotations
            .iter()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(keys, ["summary", "description", "runbook_url"], "{name}");
        let link = format!("docs/RUNBOOK.md#{}", name.to_lowercase());
        assert_eq!(alert.annotations[2].1, link, "{name}");
        assert!(RUNBOOK.contains(&format!("\n### {name}\n\n")), "{name}");
        assert!(MONITORING.contains(&format!("`{name}`")), "{name}");
    }
    let entries = RUNBOOK.split_once("## When Prometheus alerts").unwrap().1;
    for entry in entries.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(names.contains(entry), "the runbook knows an alert {entry}");
    }
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_is_silent() {
    for alert in alerts() {
        for case in ["fires", "is silent"] {
            let name = &alert.name;
            assert!(
                CASES.contains(&format!("- name: {name} {case}\n")),
                "{name} {case}"
            );
        }
    }
}

#[test]
fn alerts_ask_only_for_what_is_exported() {
    for alert in alerts() {
        for (metric, labels) in series(&alert.expression) {
            let missing = unknown(&metric, &labels);
            assert_eq!(missing, [""; 0], "{}: {}", alert.name, alert.expression);
        }
    }
}
