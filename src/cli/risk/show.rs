//! Answers as tables for people.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::CliError;
use crate::engine::control::{
    AlertAnswer, CloseAnswer, DrillAnswer, LevelAnswer, LimitAnswer, LimitsAnswer, OfferAnswer,
    PositionAnswer, RaisedAnswer, StatusAnswer, WhatIfAnswer,
};
use crate::units::UnixNanos;

use super::{ReArm, RiskCommand};

/// Words of the levels.
const LEVELS: [&str; 5] = ["armed", "reduce_only", "cancel_all", "flatten", "halt"];

fn level(level: u8) -> String {
    let word = LEVELS.get(usize::from(level)).copied().unwrap_or("?");
    format!("K{level} {word}")
}

fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, CliError> {
    serde_json::from_value(answer.clone()).map_err(|error| {
        CliError::failed(format!(
            "the answer was of another version ({error}): use --json"
        ))
    })
}

fn or_unknown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

/// Columns as wide as their widest cell; numbers to the right.
fn table(heads: &[&str], rows: &[Vec<String>], empty: &str) -> String {
    if rows.is_empty() {
        return empty.to_owned();
    }
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(heads.get(column).map(|head| head.len()))
            .max()
            .unwrap_or(0)
    };
    let is_number = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).all(|cell| {
            cell == "unknown" || cell.bytes().all(|byte| b"0123456789-. %ms".contains(&byte))
        })
    };
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if is_number(column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heads.to_vec())];
    lines.extend(
        rows.iter()
            .map(|row| line(row.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}

/// Pairs, one a line.
fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// The answer of a command, for people.
pub(super) fn show(command: &RiskCommand, answer: &Value) -> Result<String, CliError> {
    match command {
        RiskCommand::Status => status(&read(answer)?),
        RiskCommand::Positions => Ok(positions(&read::<Vec<PositionAnswer>>(answer)?)),
        RiskCommand::Limits => Ok(limits(&read::<Vec<LimitAnswer>>(answer)?)),
        RiskCommand::Levels => Ok(levels(&read::<Vec<LevelAnswer>>(answer)?)),
        RiskCommand::Alerts => Ok(alerts(&read::<Vec<AlertAnswer>>(answer)?)),
        RiskCommand::Closes => Ok(closes(&read::<Vec<CloseAnswer>>(answer)?)),
        RiskCommand::WhatIf { .. } => Ok(what_if(&read(answer)?)),
        RiskCommand::ReArm(ReArm::Request { .. }) => Ok(offer(&read(answer)?)),
        RiskCommand::Reload { token, .. } => Ok(new_limits(&read(answer)?, token.is_some())),
        RiskCommand::Drill(_) => Ok(drill(&read(answer)?)),
        RiskCommand::Halt(_)
        | RiskCommand::Reduce(_)
        | RiskCommand::CancelAll(_)
        | RiskCommand::Flatten(_)
        | RiskCommand::Raise { .. }
        | RiskCommand::ReArm(ReArm::Approve { .. })
        | RiskCommand::Ack
        | RiskCommand::Token(_) => Ok(raised(&read(answer)?)),
    }
}

fn status(status: &StatusAnswer) -> Result<String, CliError> {
    let amount = |value: Option<rust_decimal::Decimal>| {
        value.map_or_else(
            || "unknown".to_owned(),
            |value| format!("{} {}", value.round_dp(2), status.currency),
        )
    };
    Ok(pairs(&[
        (
            "state",
            format!(
                "{} ({})",
                status.state,
                if status.paper { "paper" } else { "LIVE" }
            ),
        ),
        ("portfolio level", level(status.portfolio_level)),
        ("scopes raised", status.scopes_raised.to_string()),
        ("exposure", amount(status.exposure)),
        ("realized", amount(Some(status.realized_pnl))),
        ("unrealized", amount(status.unrealized_pnl)),
        ("open orders", status.open_orders.to_string()),
        ("unknown orders", status.unknown_orders.to_string()),
        ("closes at work", status.closes_open.to_string()),
        ("limits above 80 %", status.limits_near.to_string()),
        ("connections down", status.connections_down.to_string()),
        ("up", format!("{} s", status.uptime_ms.div_euclid(1_000))),
        ("version", status.version.clone()),
        ("configuration", status.config_hash.clone()),
    ]))
}

fn positions(lines: &[PositionAnswer]) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line.venue.clone(),
                line.symbol.clone(),
                line.quantity.to_string(),
                or_unknown(line.value.map(|value| value.round_dp(2))),
                or_unknown(line.unrealized_pnl.map(|pnl| pnl.round_dp(2))),
                line.realized_pnl.round_dp(2).to_string(),
                level(line.level),
                if line.closing { "closing" } else { "" }.to_owned(),
            ]
        })
        .collect();
    table(
        &[
            "venue",
            "symbol",
            "quantity",
            "value",
            "unrealized",
            "realized",
            "level",
            "",
        ],
        &rows,
        "no instruments",
    )
}

fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps.div_euclid(100), bps.rem_euclid(100))
}

fn limits(lines: &[LimitAnswer]) -> String {
    let mut sorted: Vec<&LimitAnswer> = lines.iter().collect();
    sorted.sort_by_key(|line| std::cmp::Reverse(line.use_bps.unwrap_or(u64::MAX)));
    let rows: Vec<Vec<String>> = sorted
        .iter()
        .map(|line| {
            vec![
                line.control.clone(),
                line.scope.clone(),
                or_unknown(line.use_bps.map(percent)),
                or_unknown(line.value),
                line.limit.to_string(),
            ]
        })
        .collect();
    table(
        &["control", "scope", "use", "value", "limit"],
        &rows,
        "no limits",
    )
}

fn levels(lines: &[LevelAnswer]) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line.scope.clone(),
                level(line.level),
                line.causes.join("; "),
            ]
        })
        .collect();
    table(
        &["scope", "level", "held by"],
        &rows,
        "everything is armed (K0)",
    )
}

/// Seconds since midnight UTC as a clock time.
fn clock_time(time_ns: i64) -> String {
    let seconds = UnixNanos(time_ns)
        .floor_millis()
        .div_euclid(1_000)
        .rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}Z",
        seconds.div_euclid(3_600),
        seconds.rem_euclid(3_600).div_euclid(60),
        seconds.rem_euclid(60)
    )
}

fn alerts(lines: &[AlertAnswer]) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                clock_time(line.time_ns),
                line.severity.clone(),
                line.text.clone(),
            ]
        })
        .collect();
    table(&["time", "severity", "what"], &rows, "no alerts")
}

fn closes(lines: &[CloseAnswer]) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line.venue.clone(),
                line.symbol.clone(),
                line.cause.clone(),
                line.result.clone(),
                line.position_before.to_string(),
                line.position_after.to_string(),
                line.orders.to_string(),
                or_unknown(line.slippage_cost.map(|cost| cost.round_dp(4))),
                format!("{} ms", line.duration_ms),
            ]
        })
        .collect();
    let heads = [
        "venue", "symbol", "cause", "result", "from", "to", "orders", "cost", "took",
    ];
    table(&heads, &rows, "no forced closes yet")
}

fn what_if(answer: &WhatIfAnswer) -> String {
    let verdict = if answer.approved {
        "approved"
    } else {
        "REFUSED"
    };
    let row = answer
        .row
        .as_ref()
        .map(|row| format!(" ({row})"))
        .unwrap_or_default();
    let rows: Vec<Vec<String>> = answer
        .limits
        .iter()
        .map(|line| {
            vec![
                line.control.clone(),
                line.scope.clone(),
                line.before
                    .map_or_else(|| "-".to_owned(), |value| value.to_string()),
                or_unknown(line.after),
                line.limit.to_string(),
            ]
        })
        .collect();
    format!(
        "{verdict}{row} at {}: {}\n\n{}",
        answer.price,
        answer.text,
        table(
            &["control", "scope", "now", "with it", "limit"],
            &rows,
            "no limits"
        )
    )
}

fn raised(answer: &RaisedAnswer) -> String {
    if answer.scope.is_empty() {
        return answer.text.clone();
    }
    format!(
        "{}: {} -> {}\n{}",
        answer.scope,
        level(answer.from),
        level(answer.level),
        answer.text
    )
}

fn offer(offer: &OfferAnswer) -> String {
    let who = if offer.two_people {
        "another risk officer"
    } else {
        "a risk officer"
    };
    format!(
        "{}: {} -> {}, held by {}\n{who} approves within {} s:\n\n  arbalest risk --as NAME re-arm approve {} {} --yes",
        offer.scope,
        level(offer.from),
        level(offer.to_level),
        offer.causes.join("; "),
        offer.expires_in_ms.div_euclid(1_000),
        offer.token,
        offer.state_hash
    )
}

fn new_limits(limits: &LimitsAnswer, confirmed: bool) -> String {
    if confirmed {
        return format!("all proposed limits are in force ({})", limits.hash);
    }
    let list = |keys: &[String]| {
        if keys.is_empty() {
            "none".to_owned()
        } else {
            keys.join(", ")
        }
    };
    let mut text = format!(
        "in force now: {}\nwaiting: {}",
        list(&limits.in_force),
        list(&limits.waiting)
    );
    if let Some(token) = &limits.token {
        text.push_str(&format!(
            "\n\nlooser limits take effect at K1 or above: arbalest risk reduce --reason \"...\" comes first if the portfolio is armed\n\
             a second risk officer confirms within {} s:\n\n  arbalest risk --as NAME reload --token {token} --hash {} --yes",
            limits.expires_in_ms.div_euclid(1_000),
            limits.hash
        ));
    }
    text
}

fn drill(drill: &DrillAnswer) -> String {
    pairs(&[
        ("scope", drill.scope.clone()),
        ("positions open", drill.positions_open.to_string()),
        ("flat", if drill.flat { "yes" } else { "NO" }.to_owned()),
        ("took", format!("{} ms", drill.duration_ms)),
        ("cost", or_unknown(drill.slippage_cost)),
        ("next", drill.text.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["spot_a".to_owned(), "-1.5".to_owned()],
            vec!["b".to_owned(), "unknown".to_owned()],
        ];
        assert_eq!(
            table(&["venue", "qty"], &rows, "none"),
            "venue       qty\nspot_a     -1.5\nb       unknown"
        );
        assert_eq!(table(&["venue"], &[], "none"), "none");
        assert_eq!(clock_time(86_399_999_999_999), "23:59:59Z");
        assert_eq!(percent(12_345), "123.45 %");
    }
}
