//! Rules that join the files: what each file may say alone is checked where it is read.

use crate::capacity::STRATEGIES_MAX;

use super::document::Report;
use super::mistake::{Mistake, Place};
use super::read_venues::VenueDraft;
use super::settings::{EngineMode, EngineSettings, LimitSettings, StrategySettings};
use super::table::Item;

/// A strategy as far as it could be read, with the place of its file's first line.
pub(super) type StrategyDraft = (Option<Item>, Option<StrategySettings>, Place);

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
    for (_, strategy, place) in strategies {
        let Some(strategy) = strategy else { continue };
        if let Some(limits) = limits
            && strategy.max_order_quote > limits.common.order_notional_usd_max
        {
            let rule = format!(
                "is above order_notional_usd_max of limits.toml ({}): every full-size set would be refused",
                limits.common.order_notional_usd_max
            );
            let value = strategy.max_order_quote.to_string();
            add(
                report,
                place,
                "max_order_quote",
                value,
                rule,
                "lower it, or ask risk to raise the limit",
            );
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
                place,
                "mode",
                format!("\"{}\"", strategy.mode.label()),
                rule,
                "lower it, or change engine.toml",
            );
        }
    }
    if engine.is_some_and(|engine| engine.mode == EngineMode::Live) {
        check_live(venues, report);
    }
}

fn check_ids(strategies: &[StrategyDraft], report: &mut Report) {
    for (index, (id, _, place)) in strategies.iter().enumerate() {
        let Some(id) = id else { continue };
        let earlier = strategies
            .iter()
            .take(index)
            .filter_map(|(known, ..)| known.as_ref());
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
                place,
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
