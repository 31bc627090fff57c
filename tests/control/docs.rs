//! `docs/CONTROL.md` and the OpenAPI description say what the code does; `UPDATE_DOCS=1 cargo test --test control` writes the page.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arbalest::dashboard::routes::{Method, Op, ROUTES};
use arbalest::dashboard::schema::{Field, Kind, Shape};
use arbalest::dashboard::{document, openapi};
use arbalest::engine::control::ControlRequest;
use arbalest::risk::{KillLevel, Role};
use arbalest::units::Side;
use serde_json::Value;

use super::world::{World, answer};

const BEGIN: &str = "<!-- begin: generated from src/dashboard/routes.rs -->";
const END: &str = "<!-- end: generated -->";

#[test]
fn the_page_lists_what_the_code_answers() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/CONTROL.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{BEGIN}\n\n{}\n{END}{after}", document::tables());
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/CONTROL.md is not what the code says: run UPDATE_DOCS=1 cargo test --test control"
    );
}

/// One request of each kind, by operation.
fn request(op: Op) -> Option<ControlRequest> {
    let text = String::new;
    Some(match op {
        Op::Status => ControlRequest::Status,
        Op::Positions => ControlRequest::Positions,
        Op::Limits => ControlRequest::Limits,
        Op::Levels => ControlRequest::Levels,
        Op::Alerts => ControlRequest::Alerts,
        Op::Closes => ControlRequest::Closes,
        Op::OpenApi => return None,
        Op::WhatIf => ControlRequest::WhatIf(arbalest::engine::control::WhatIf {
            venue: text(),
            symbol: text(),
            side: Side::Buy,
            quantity: rust_decimal::Decimal::ONE,
            price: None,
            strategy: None,
        }),
        Op::Halt | Op::Reduce | Op::Flatten | Op::Raise => ControlRequest::Raise {
            scope: text(),
            level: KillLevel::Halt,
            reason: text(),
        },
        Op::CancelAll => ControlRequest::CancelAll {
            scope: text(),
            reason: text(),
        },
        Op::RequestRearm => ControlRequest::RequestRearm {
            scope: text(),
            level: KillLevel::Armed,
            reason: text(),
        },
        Op::ApproveRearm => ControlRequest::ApproveRearm {
            token: text(),
            state_hash: text(),
        },
        Op::Acknowledge => ControlRequest::Acknowledge,
        Op::ProposeLimits => ControlRequest::ProposeLimits { reason: text() },
        Op::ConfirmLimits => ControlRequest::ConfirmLimits {
            token: text(),
            hash: text(),
        },
        Op::Drill => ControlRequest::Drill {
            scope: text(),
            reason: text(),
        },
    })
}

fn check(value: &Value, fields: &[Field], path: &str) {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("{path}: {value}"));
    let (have, listed): (BTreeSet<&str>, BTreeSet<&str>) = (
        object.keys().map(String::as_str).collect(),
        fields.iter().map(|field| field.key).collect(),
    );
    assert_eq!(have, listed, "{path}");
    for field in fields {
        let value = &object[field.key];
        let fits = match field.kind {
            Kind::Text(_) | Kind::Word(_) | Kind::Hex64 | Kind::Decimal => value.is_string(),
            Kind::Integer => value.is_i64() || value.is_u64(),
            Kind::Flag => value.is_boolean(),
            Kind::Texts => value.is_array(),
            Kind::Objects(fields) => {
                check(&value[0], fields, &format!("{path}.{}", field.key));
                true
            }
        };
        assert!(fits, "{path}.{}: {value}", field.key);
    }
}

#[test]
fn answers_have_the_fields_of_their_schema() {
    for route in ROUTES {
        let Some(request) = request(route.op) else {
            continue;
        };
        let value = serde_json::to_value(answer(&request)).unwrap();
        match route.response {
            Shape::One(fields) => check(&value, fields, route.path),
            Shape::Many(fields) => check(&value[0], fields, route.path),
            Shape::Document => panic!("{} is answered by the engine", route.path),
        }
    }
}

#[test]
fn the_description_is_served_and_lists_every_route_once() {
    let world = World::new();
    let route = ROUTES.iter().find(|route| route.op == Op::OpenApi).unwrap();
    let served: Value =
        serde_json::from_str(&world.send(&world.ask(Role::Viewer, route).bytes()).body).unwrap();
    assert_eq!(served, openapi::document());
    assert_eq!(served["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let operation = &served["paths"][route.path][route.method.label().to_ascii_lowercase()];
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{}",
            route.path
        );
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body.is_object(), route.method == Method::Post);
        for field in route.request {
            assert!(
                body["properties"][field.key].is_object(),
                "{} {}",
                route.path,
                field.key
            );
        }
        let roles = operation["x-roles"].as_array().map_or(0, Vec::len);
        assert_eq!(roles == 0, route.op == Op::OpenApi);
    }
    assert_eq!(served["paths"].as_object().unwrap().len(), ROUTES.len());
}
