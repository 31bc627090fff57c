//! What a recording would have brought: the strategies run over it in virtual time, on paper.

use std::path::Path;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::cli::CliError;
use crate::config::{EngineMode, Settings};
use crate::sim::tape::ModelParams;
use crate::sim::world::{SimulateOptions, simulate};
use crate::units::{Nanos, Side};

/// What a run over a recording did.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rehearsal {
    /// Market time that was played.
    pub seconds: u64,
    /// Looks at an edge that reached the least one.
    pub opportunities: u64,
    /// Sets sent.
    pub sets_opened: u64,
    /// Sets whose legs all filled.
    pub sets_hedged: u64,
    /// Sets that broke and were repaired or held.
    pub sets_broken: u64,
    /// Sets that got nothing.
    pub sets_empty: u64,
    /// Sets an hour at this rate.
    pub sets_per_hour: String,
    /// Value bought, in the reporting currency where quotes are worth one of it.
    pub bought: String,
    /// Realized and unrealized profit after fees, in the reporting currency.
    pub net_pnl: String,
    /// Profit as a share of what was bought, in bps; `None` when nothing was.
    pub net_edge_bps: Option<String>,
    /// What refused edges and sets, and how often.
    pub refused: Vec<(String, u64)>,
    /// What should be known of it.
    pub remarks: Vec<String>,
}

/// Plays a recording. Strategies that only observe are let trade on paper, else there would be nothing to see.
pub(super) fn rehearse(
    settings: &Settings,
    directory: &Path,
    span: Nanos,
) -> Result<Rehearsal, CliError> {
    let mut paper = settings.clone();
    paper.engine.mode = EngineMode::Paper;
    for strategy in &mut paper.strategies {
        strategy.mode = EngineMode::Paper;
    }
    let options = SimulateOptions {
        seed: 1,
        span,
        recording: Some(directory),
        model: ModelParams::demo(),
    };
    let done = simulate(&paper, &options).map_err(|error| CliError::usage(error.to_string()))?;
    let summary = &done.summary;
    let mut bought = Decimal::ZERO;
    for fill in done.fills.iter().filter(|fill| fill.side == Side::Buy) {
        let value = done.catalogue.get(fill.instrument).and_then(|instrument| {
            instrument
                .grid
                .qty_decimal(fill.qty)
                .checked_mul(instrument.grid.price_decimal(fill.price))
        });
        bought = bought.saturating_add(value.unwrap_or_default());
    }
    let number = |text: &str| text.parse::<Decimal>().ok();
    let net = number(&summary.realized_pnl)
        .and_then(|realized| realized.checked_add(number(&summary.unrealized_pnl)?));
    let edge = || {
        let share = net?.checked_div(bought)?;
        Some(share.checked_mul(Decimal::from(10_000))?.round_dp(3))
    };
    let hourly = Decimal::from(summary.sets_opened)
        .checked_mul(Decimal::from(3_600))
        .and_then(|sets| sets.checked_div(Decimal::from(summary.seconds)));
    let refused = summary
        .outcomes
        .iter()
        .filter(|(name, count)| {
            **count > 0 && !["taken", "below_threshold"].contains(&name.as_str())
        })
        .chain(&summary.gate_refusals)
        .map(|(name, count)| (name.clone(), *count));
    let shown = |number: Option<Decimal>| {
        number.map_or_else(
            || "unknown".to_owned(),
            |number| number.round_dp(2).normalize().to_string(),
        )
    };
    Ok(Rehearsal {
        seconds: summary.seconds,
        opportunities: summary.opportunities,
        sets_opened: summary.sets_opened,
        sets_hedged: summary.sets_hedged,
        sets_broken: summary.sets_broken,
        sets_empty: summary.sets_empty,
        sets_per_hour: shown(hourly),
        bought: shown(Some(bought)),
        net_pnl: shown(net),
        net_edge_bps: edge().map(|edge| edge.normalize().to_string()),
        refused: refused.collect(),
        remarks: summary.remarks.clone(),
    })
}

impl Rehearsal {
    /// For people.
    pub(super) fn text(&self, currency: &str) -> String {
        let mut lines = vec![
            format!(
                "On the recording ({} s of market): {} looks at an edge, {} sets ({} an hour): {} hedged, {} broken, {} empty",
                self.seconds,
                self.opportunities,
                self.sets_opened,
                self.sets_per_hour,
                self.sets_hedged,
                self.sets_broken,
                self.sets_empty
            ),
            match &self.net_edge_bps {
                Some(edge) => format!(
                    "net {} {currency} after fees on {} {currency} bought: {edge} bps a set",
                    self.net_pnl, self.bought
                ),
                None => {
                    if self.sets_opened > 0 {
                        "the sets that were opened ended without a trade".to_owned()
                    } else if self.opportunities > 0 {
                        "nothing was traded: edges were there, and refused".to_owned()
                    } else {
                        "nothing was traded: no edge after fees reached the minimum".to_owned()
                    }
                }
            },
        ];
        let refused = self.refused.iter();
        let refused: Vec<String> = refused
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if !refused.is_empty() {
            lines.push(format!("not taken: {}", refused.join(", ")));
        }
        lines.extend(
            self.remarks
                .iter()
                .map(|remark| format!("remark: {remark}")),
        );
        lines.join("\n")
    }
}
