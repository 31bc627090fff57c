//! The OpenAPI 3.1 description of the control API, made from the table of routes.

use serde_json::{Map, Value, json};

use super::routes::{Access, Method, ROUTES, Route};
use super::schema::{Field, Kind, Shape};
use super::sign;

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let method = route.method.label().to_ascii_lowercase();
        paths.insert(route.path.to_owned(), json!({ method: operation(route) }));
    }
    let header = |name: &str, meaning: &str| json!({"type": "apiKey", "in": "header", "name": name, "description": meaning});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Arbalest control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Loopback only. Every request but this one is signed: docs/CONTROL.md says how.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "name": header(sign::NAME_HEADER, "who, as in the tokens file"),
                "time": header(sign::TIME_HEADER, "ms since 1970"),
                "nonce": header(sign::NONCE_HEADER, "32 hexadecimal digits, new for each request"),
                "signature": header(sign::SIGNATURE_HEADER, "HMAC-SHA256, 64 hexadecimal digits"),
            },
            "schemas": {"Refusal": refusal()},
        },
    })
}

fn refusal() -> Value {
    json!({
        "type": "object",
        "required": ["reason", "message"],
        "properties": {
            "reason": {"type": "string", "enum": super::Refused::LABELS},
            "message": {"type": "string"},
        },
    })
}

/// The word of an operation in programs: `getStatus`, `postReArmRequest`.
fn operation_id(route: &Route) -> String {
    let mut id = route.method.label().to_ascii_lowercase();
    for word in route
        .path
        .trim_start_matches("/api/v1/")
        .split(['/', '-', '.'])
    {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": shape(route.response)}}},
            "default": {
                "description": "Refused: nothing changed",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
            },
        },
    });
    if let Value::Object(fields) = &mut operation {
        if let Access::May(_) = route.access {
            let signed = json!([{"name": [], "time": [], "nonce": [], "signature": []}]);
            fields.insert("security".to_owned(), signed);
            fields.insert("x-roles".to_owned(), json!(super::document::roles(route)));
        }
        if route.method == Method::Post {
            let body = json!({"required": true, "content": {"application/json": {"schema": closed(object(route.request))}}});
            fields.insert("requestBody".to_owned(), body);
        }
    }
    operation
}

/// An object that takes no other fields.
fn closed(mut object: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    object
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::One(fields) => object(fields),
        Shape::Many(fields) => json!({"type": "array", "items": object(fields)}),
        Shape::Document => json!({"type": "object"}),
    }
}

fn object(fields: &[Field]) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.key)
        .collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.key.to_owned(), property(field)))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn property(field: &Field) -> Value {
    let mut value = match field.kind {
        Kind::Text(most) => json!({"type": "string", "maxLength": most}),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
        Kind::Hex64 => json!({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
        Kind::Decimal => json!({"type": "string", "format": "decimal"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Objects(fields) => json!({"type": "array", "items": object(fields)}),
    };
    if let Value::Object(fields) = &mut value {
        fields.insert("description".to_owned(), json!(field.meaning));
        if !field.required
            && let Some(kind) = fields.get("type").cloned()
        {
            fields.insert("type".to_owned(), json!([kind, "null"]));
        }
    }
    value
}
