//! Rules that join the files: what each file may say alone is checked where it is read.

use crate::capacity::STRATEGIES_MAX;
use crate::market::{Symbol, VenueId};

use super::document::Report;
use super::mistake::{Mistake, Place};
use super::read_strategy::StrategyDraft;
use super::read_venues::VenueDraft;
use super::settings::{EngineMode, EngineSettings, LimitSettings};
use super::strategies::{StrategyKind, StrategySettings};

fn add(
    report: &mut Report,
    place: &Place,
    key: &str,
    value: String,
    rule: impl Into<String>,
    cure: impl Into<String>,
) {
    report.add(Mistake {
        place: place.clone(),
        key: key.to_owned(),
        value,
        rule: rule.into(),
        cure: cure.into(),
    });
}

/// Checks everything that needs more than one file.
pub(super) fn check(
    engine: Option<&EngineSettings>,
    venues: &[VenueDraft],
    limits: Option<&LimitSettings>,
    strategies: &[StrategyDraft],
    report: &mut Report,
) {
    check_ids(strategies, report);
    for draft in strategies {
        let Some(strategy) = &draft.settings else {
            continue;
        };
        if let (Some(limits), Some(engine)) = (limits, engine) {
            check_order(draft, strategy, limits, engine, report);
        }
        if let Some(engine) = engine {
            check_start(draft, strategy, engine, report);
        }
        if let Some(engine) = engine
            && strategy.mode > engine.mode
        {
            let rule = format!(
                "goes further than the engine's mode ({})",
                engine.mode.label()
            );
            add(
                report,
                &draft.place("mode"),
                "mode",
                format!("\"{}\"", strategy.mode.label()),
                rule,
                "lower it, or change engine.toml",
            );
        }
    }
    check_shared(venues, strategies, report);
    if engine.is_some_and(|engine| engine.mode == EngineMode::Live) {
        check_live(venues, report);
    }
}

/// The largest order of a strategy must pass the risk officer's limit.
fn check_order(
    draft: &StrategyDraft,
    strategy: &StrategySettings,
    limits: &LimitSettings,
    engine: &EngineSettings,
    report: &mut Report,
) {
    let (key, value, asset) = strategy.largest_order();
    let limit = limits.common.order_notional_usd_max;
    if asset == Some(engine.reporting_currency) && value > limit {
        let rule = format!(
            "is above order_notional_usd_max of limits.toml ({limit}): every full-size set would be refused"
        );
        add(
            report,
            &draft.place(key),
            key,
            value.to_string(),
            rule,
            "lower it, or ask risk to raise the limit",
        );
    }
}

/// A cycle's profit or loss is in its start asset, and loss limits count in the reporting currency.
fn check_start(
    draft: &StrategyDraft,
    strategy: &StrategySettings,
    engine: &EngineSettings,
    report: &mut Report,
) {
    let StrategyKind::Triangular(cycle) = &strategy.kind else {
        return;
    };
    let reporting = engine.reporting_currency;
    for start in cycle
        .start_assets
        .iter()
        .filter(|start| **start != reporting)
    {
        add(
            report,
            &draft.place("start_assets"),
            "start_assets",
            start.to_string(),
            format!(
                "is not the reporting currency ({reporting}): the loss limits could not count what a cycle loses"
            ),
            format!("write [\"{reporting}\"]"),
        );
    }
}

/// The instruments of a basis strategy belong to it alone: a position in them is its own, also after a restart.
fn check_shared(venues: &[VenueDraft], strategies: &[StrategyDraft], report: &mut Report) {
    let symbols: Vec<Vec<Symbol>> = venues
        .iter()
        .map(|venue| venue.symbols.iter().map(|(symbol, _)| *symbol).collect())
        .collect();
    let at = |venue: VenueId| symbols.get(venue.index()).map_or(&[][..], Vec::as_slice);
    let read = || {
        let all = strategies.iter().enumerate();
        all.filter_map(|(index, draft)| Some((index, draft, draft.settings.as_ref()?)))
    };
    for (index, draft, own) in read() {
        let StrategyKind::SpotPerpBasis(basis) = &own.kind else {
            continue;
        };
        for (other_index, _, other) in read() {
            let is_basis = matches!(other.kind, StrategyKind::SpotPerpBasis(_));
            // Two basis strategies that share are told once, in the later file.
            if other_index == index || (is_basis && other_index > index) {
                continue;
            }
            let theirs = other.instruments(at);
            for (key, instrument) in [("spot", basis.spot), ("perp", basis.perp)] {
                if !theirs.contains(&instrument) {
                    continue;
                }
                let (venue, symbol) = instrument;
                let id = venues
                    .get(venue.index())
                    .and_then(|venue| venue.id.as_ref())
                    .map_or("?", |id| &id.text);
                add(
                    report,
                    &draft.place(key),
                    key,
                    format!("\"{id}:{symbol}\""),
                    format!(
                        "is traded by strategy {} too: a pair's position must be its own, or neither could tell what it holds",
                        other.id
                    ),
                    "take the instrument out of one of the two, or give one a venue instance of its own",
                );
            }
        }
    }
}

fn check_ids(strategies: &[StrategyDraft], report: &mut Report) {
    for (index, draft) in strategies.iter().enumerate() {
        let Some(id) = &draft.id else { continue };
        let earlier = strategies
            .iter()
            .take(index)
            .filter_map(|known| known.id.as_ref());
        if let Some(known) = earlier.into_iter().find(|known| known.text == id.text) {
            let rule = format!("is used by {} too", known.place.file);
            add(
                report,
                &id.place,
                "id",
                format!("{:?}", id.text),
                rule,
                "give every strategy its own id",
            );
        }
        if index == STRATEGIES_MAX {
            let rule = format!("is one strategy more than {STRATEGIES_MAX}");
            add(
                report,
                &draft.place("id"),
                "id",
                format!("{:?}", id.text),
                rule,
                "remove some",
            );
        }
    }
}

/// Real orders need real venues with keys.
fn check_live(venues: &[VenueDraft], report: &mut Report) {
    for (index, venue) in venues.iter().enumerate() {
        let (Some(id), Some(settings)) = (&venue.id, &venue.settings) else {
            continue;
        };
        let key = format!("venue[{}]", index + 1);
        if settings.simulated {
            add(
                report,
                &id.place,
                &key,
                id.text.clone(),
                "is simulated while the engine's mode is live",
                "use mode = \"paper\"",
            );
        } else if settings.keys.is_none() {
            add(
                report,
                &id.place,
                &key,
                id.text.clone(),
                "has no keys while the engine's mode is live",
                "add [venue.keys]",
            );
        }
    }
}
