//! `arbalest drill`: rehearses flattening against simulated venues, and says what it took.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use crate::config::Settings;
use crate::market::Symbol;
use crate::sim::drill::{DrillFault, DrillOptions, DrillReport, DrillScope, FAULTS, rehearse};
use crate::sim::tape::ModelParams;
use crate::sim::world::SimulateError;
use crate::units::Nanos;

use super::options::{parse_span, settings, start_log};
use super::{CliError, print_json, print_text};

/// Rehearse flattening (K3) against simulated venues in virtual time: how long, at what cost, how far the net leaned.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest drill\n  arbalest drill --seed 7 --scope venue perp\n  \
                  arbalest drill --scope symbol BTC/USDT --fault ban --fault late_fills --json\n  \
                  arbalest drill --config config --trading\n\n\
                  Positions are built by the seed: a hedged pair for each base asset. Hedges are closed with what they hedge.\n\
                  Times are of the simulated market; equal seeds give equal results.\n\n\
                  Exit codes: 0 flat, 1 not flat or an invariant did not hold, 2 wrong usage or configuration."
)]
pub struct DrillArgs {
    /// Seed of the market, the positions and the faults
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What is flattened: `portfolio`, `venue NAME` or `symbol SYMBOL`
    #[arg(long, num_args = 1..=2, value_names = ["KIND", "NAME"], default_values_t = ["portfolio".to_owned()])]
    pub scope: Vec<String>,
    /// What the venues do wrong meanwhile; may be given again
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(FAULTS.iter().map(|fault| fault.name)))]
    pub fault: Vec<String>,
    /// Let the strategies trade until K3 comes
    #[arg(long)]
    pub trading: bool,
    /// Longest market time from K3 to the end (30s, 2m)
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, default_value = "2m")]
    pub span: Nanos,
    /// Configuration directory; without it the built-in one
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 when scope or configuration are wrong, 1 when it did not end flat.
pub fn run(args: &DrillArgs) -> Result<(), CliError> {
    start_log();
    let settings = settings(args.config.as_deref(), false)?;
    let options = DrillOptions {
        seed: args.seed,
        scope: scope(&args.scope, &settings)?,
        faults: args
            .fault
            .iter()
            .filter_map(|name| DrillFault::named(name))
            .collect(),
        span: args.span,
        trading: args.trading,
        latency: None,
        model: ModelParams::demo(),
    };
    let (report, _) = rehearse(&settings, &options).map_err(|error| match error {
        SimulateError::Secret(_) | SimulateError::World(_) => CliError::failed(error.to_string()),
        SimulateError::Recording(_)
        | SimulateError::Directory { .. }
        | SimulateError::NothingToPlay { .. }
        | SimulateError::Unknown { .. }
        | SimulateError::Assemble(_)
        | SimulateError::Rules { .. } => CliError::usage(error.to_string()),
    })?;
    if args.json {
        print_json(&report)?;
    } else {
        print_text(&text(&report));
    }
    if report.is_flat {
        return Ok(());
    }
    Err(CliError::failed(
        "the drill did not end flat: see the results above",
    ))
}

fn scope(words: &[String], settings: &Settings) -> Result<DrillScope, CliError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["portfolio"] => Ok(DrillScope::Portfolio),
        ["venue", name] => {
            let known: Vec<&str> = settings
                .venues()
                .iter()
                .map(|venue| venue.id.as_str())
                .collect();
            if known.contains(name) {
                return Ok(DrillScope::Venue((*name).to_owned()));
            }
            let known = known.join(", ");
            Err(CliError::usage(format!(
                "no venue {name}; there are {known}"
            )))
        }
        ["symbol", text] => {
            let symbol: Symbol = text
                .parse()
                .map_err(|error| CliError::usage(format!("symbol {text}: {error}")))?;
            if settings
                .venues()
                .iter()
                .any(|venue| venue.symbols.contains(&symbol))
            {
                return Ok(DrillScope::Symbol(symbol));
            }
            Err(CliError::usage(format!("no venue has the symbol {symbol}")))
        }
        other => Err(CliError::usage(format!(
            "scope {}: write portfolio, venue NAME or symbol SYMBOL",
            other.join(" ")
        ))),
    }
}

fn text(report: &DrillReport) -> String {
    let shown = |value: Option<rust_decimal::Decimal>| {
        value.map_or_else(
            || "-".to_owned(),
            |value| value.round_dp(4).normalize().to_string(),
        )
    };
    let mut lines = vec![match (report.is_flat, report.flat_after_millis) {
        (true, Some(millis)) => format!("flat {millis} ms after K3"),
        (true, None) => "flat but for dust".to_owned(),
        (false, _) => "NOT FLAT".to_owned(),
    }];
    let (expected, cost) = report.costs();
    lines.push(format!(
        "cost without fees: expected {}, actual {} in the quote asset",
        shown(expected),
        shown(cost)
    ));
    for (asset, worst) in &report.worst_net {
        lines.push(format!("{asset}: net at most {worst} meanwhile"));
    }
    for leg in &report.legs {
        let millis = leg
            .millis
            .map_or_else(|| "-".to_owned(), |millis| millis.to_string());
        lines.push(format!(
            "{} {}: {} of {} closed in {} orders and {millis} ms, {} ({}); cost expected {}, actual {}, {} bps",
            leg.venue,
            leg.symbol,
            leg.closed,
            leg.position,
            leg.children,
            leg.result,
            leg.cause,
            shown(leg.cost_expected),
            shown(leg.cost),
            shown(leg.slippage_bps)
        ));
    }
    for (fault, count) in &report.faults_fired {
        lines.push(format!("fault {fault}: {count} times"));
    }
    if !report.alerts.is_empty() {
        lines.push(format!("critical alerts: {}", report.alerts.join(", ")));
    }
    let broken = report.violations.iter();
    lines.extend(broken.map(|broken| format!("invariant broken: {broken}")));
    lines.join("\n")
}
