//! The tables of `docs/CONTROL.md`, made from the table of routes and the refusals.

use crate::risk::Role;

use super::routes::{Access, ROUTES, Route};
use super::schema::{Field, Kind, Shape};

/// Roles that may use a route, as words.
#[must_use]
pub fn roles(route: &Route) -> Vec<&'static str> {
    Role::ALL
        .into_iter()
        .filter(|role| route.access.allows(*role))
        .map(Role::label)
        .collect()
}

/// The generated part of the page.
#[must_use]
pub fn tables() -> String {
    let mut text = String::from("### Routes and roles\n\n| Route |");
    for role in Role::ALL {
        text.push_str(&format!(" {} |", role.label()));
    }
    text.push_str(" What it does |\n|---|");
    text.push_str(&"---|".repeat(Role::ALL.len() + 1));
    text.push('\n');
    for route in ROUTES {
        text.push_str(&format!("| `{} {}` |", route.method.label(), route.path));
        for role in Role::ALL {
            let word = match (route.access, route.access.allows(role)) {
                (Access::Open, _) => "open",
                (Access::May(_), true) => "yes",
                (Access::May(_), false) => "-",
            };
            text.push_str(&format!(" {word} |"));
        }
        text.push_str(&format!(" {} |\n", route.summary));
    }
    text.push_str("\n### Bodies and answers\n");
    for route in ROUTES {
        let (shape, fields) = match route.response {
            Shape::One(fields) => ("one object", fields),
            Shape::Many(fields) => ("a list of objects", fields),
            Shape::Document => continue,
        };
        text.push_str(&format!("\n`{} {}`\n\n", route.method.label(), route.path));
        for field in route.request {
            line(
                &mut text,
                "- body ",
                field,
                if field.required {
                    "required"
                } else {
                    "optional"
                },
            );
        }
        text.push_str(&format!("- answer: {shape}\n"));
        for field in fields {
            line(
                &mut text,
                "  - ",
                field,
                if field.required { "always" } else { "or null" },
            );
        }
    }
    text
}

fn line(text: &mut String, of: &str, field: &Field, when: &str) {
    let kind = kind(field.kind);
    text.push_str(&format!(
        "{of}`{}` ({kind}, {when}): {}\n",
        field.key, field.meaning
    ));
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text(most) => format!("text, at most {most} characters"),
        Kind::Word(words) => words.join(" / "),
        Kind::Hex64 => "64 hexadecimal digits".to_owned(),
        Kind::Decimal => "decimal as text".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Flag => "true / false".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Objects(fields) => {
            let keys: Vec<&str> = fields.iter().map(|field| field.key).collect();
            format!("list of objects: {}", keys.join(", "))
        }
    }
}
