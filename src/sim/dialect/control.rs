//! Control messages on market connections: SUBSCRIBE and its kin.

use serde_json::Value;

use crate::sim::venue::{ConnId, Outgoing, VenueCore};
use crate::units::UnixNanos;

use super::json::{Obj, array, quoted};
use super::target;

/// Most streams of one connection.
const STREAMS_MAX: usize = 1_024;

/// Answers one control message; too many a second close the connection.
pub(crate) fn on_text(core: &mut VenueCore, conn: ConnId, text: &str, now: UnixNanos) {
    let limit = core.rates.limits().control_per_second;
    let latency = core.setup().latency.response;
    if !core.conns.count_control(conn, now, limit) {
        core.conns.remove(conn, &mut core.markets);
        core.outbox.send(conn, Outgoing::Close, now, latency);
        return;
    }
    let answer = answer(core, conn, text);
    core.outbox.send(conn, Outgoing::Text(answer), now, latency);
}

fn answer(core: &mut VenueCore, conn: ConnId, text: &str) -> String {
    let Ok(message) = serde_json::from_str::<Value>(text) else {
        return failure("null", 3, "Invalid JSON: expected value");
    };
    let id = message
        .get("id")
        .map_or_else(|| "null".to_owned(), Value::to_string);
    let names: Vec<String> = message
        .get("params")
        .and_then(Value::as_array)
        .map(|names| {
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default();
    let done = |result: &str| Obj::new().raw("result", result).raw("id", &id).end();
    match message.get("method").and_then(Value::as_str) {
        Some("SUBSCRIBE") => {
            let held = core.conns.get(conn).map_or(0, |conn| conn.streams.len());
            if held.saturating_add(names.len()) > STREAMS_MAX {
                return failure(&id, 2, "Invalid request: too many streams");
            }
            for name in &names {
                target::subscribe(core, conn, name);
            }
            done("null")
        }
        Some("UNSUBSCRIBE") => {
            for name in &names {
                core.conns.unsubscribe(conn, name, &mut core.markets);
            }
            done("null")
        }
        Some("LIST_SUBSCRIPTIONS") => {
            let streams = core
                .conns
                .get(conn)
                .map(|conn| conn.streams.as_slice())
                .unwrap_or_default();
            done(&array(streams.iter().map(|name| quoted(name))))
        }
        Some("SET_PROPERTY") => {
            let value = message.pointer("/params/1").and_then(Value::as_bool);
            if let (Some(value), Some(conn)) = (value, core.conns.get_mut(conn)) {
                conn.combined = value;
            }
            done("null")
        }
        Some("GET_PROPERTY") => {
            let combined = core.conns.get(conn).is_some_and(|conn| conn.combined);
            done(if combined { "true" } else { "false" })
        }
        _ => failure(&id, 2, "Invalid request: unknown variant"),
    }
}

fn failure(id: &str, code: i32, message: &str) -> String {
    let error = Obj::new().int("code", code).text("msg", message).end();
    Obj::new().raw("error", &error).raw("id", id).end()
}
