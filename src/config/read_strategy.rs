//! Reads one strategy file against the venues: its kind says which keys it may have.

mod basis;
mod cross;
mod triangular;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use toml::de::DeTable;

use crate::execution::{LegBudget, OnBroken};
use crate::strategy::{CommonParams, DaySpan};
use crate::trade::StrategyId;
use crate::units::{Nanos, Ppm};

use super::document::{Document, Report};
use super::hint::nearest;
use super::mistake::Place;
use super::read_venues::{VenueDraft, read_id};
use super::schema::{self, Section};
use super::settings::EngineMode;
use super::strategies::{StrategyKind, StrategySettings};
use super::table::{Item, Table};

/// A strategy as far as it could be read, and where its keys stand.
#[derive(Debug, Clone)]
pub struct StrategyDraft {
    /// Its name and where it stands.
    pub id: Option<Item>,
    /// All of it, if nothing is wrong.
    pub settings: Option<StrategySettings>,
    start: Place,
    keys: BTreeMap<String, Place>,
}

impl StrategyDraft {
    /// Where a key's value stands; the first line when it was not written.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.keys.get(key).unwrap_or(&self.start).clone()
    }
}

/// A kind of strategy file: the keys that it may have, and who reads them.
struct Kind {
    word: &'static str,
    section: &'static Section,
    read: fn(&Table<'_>, Option<CommonParams>, &[VenueDraft], &mut Report) -> Option<StrategyKind>,
}

/// A new kind of strategy is one line here.
const KINDS: [Kind; 3] = [
    Kind {
        word: "cross_exchange",
        section: &schema::CROSS_EXCHANGE,
        read: cross::read,
    },
    Kind {
        word: "triangular",
        section: &schema::TRIANGULAR,
        read: triangular::read,
    },
    Kind {
        word: "spot_perp_basis",
        section: &schema::SPOT_PERP_BASIS,
        read: basis::read,
    },
];

/// The strategy of a file; without settings when something is wrong (then reported).
pub fn read(
    document: &Document,
    id: StrategyId,
    venues: &[VenueDraft],
    report: &mut Report,
) -> StrategyDraft {
    let entries = document.parse(report);
    let (kind, is_known) = read_kind(document, &entries, report);
    let table = Table::top(kind.section, document, &entries, report);
    let name = read_id(&table, report);
    if is_known {
        table.choice("kind", report);
    }
    let mode = table.choice("mode", report).map(EngineMode::parse);
    let text = name.as_ref().map_or("", |name| &name.text);
    let common = read_common(&table, text, id, report);
    let on_broken = read_on_broken(&table, report);
    let leg_budget = read_leg_budget(&table, report);
    let own = (kind.read)(&table, common, venues, report);
    let settings = || {
        Some(StrategySettings {
            id: name.as_ref()?.text.clone(),
            mode: mode?,
            on_broken: on_broken?,
            leg_budget: leg_budget?,
            kind: own?,
        })
    };
    let places = entries.iter().map(|(key, value)| {
        let key = key.get_ref().as_ref().to_owned();
        (key, document.span(&value.span()))
    });
    StrategyDraft {
        settings: settings().filter(|_| is_known),
        start: document.place(0),
        keys: places.collect(),
        id: name,
    }
}

fn read_on_broken(table: &Table<'_>, report: &mut Report) -> Option<OnBroken> {
    Some(match table.choice("on_broken_leg", report)? {
        "complete" => OnBroken::Complete,
        "reverse" => OnBroken::Reverse,
        "hold" => OnBroken::Hold,
        _ => OnBroken::Cheapest,
    })
}

fn read_leg_budget(table: &Table<'_>, report: &mut Report) -> Option<LegBudget> {
    let unhedged_max = table.number("max_unhedged_quote", report);
    let unhedged_span = table.nanos("max_unhedged_ms", report);
    let dust_max = table.number("dust_quote", report);
    Some(LegBudget {
        unhedged_max: unhedged_max?,
        unhedged_span: unhedged_span?,
        dust_max: dust_max?,
    })
}

/// The kind of a file. One that is missing or misspelt is reported, and the nearest one is assumed, so that the other mistakes
/// of the file are found too.
fn read_kind(
    document: &Document,
    entries: &DeTable<'_>,
    report: &mut Report,
) -> (&'static Kind, bool) {
    let table = Table::unchecked(&schema::KIND, document, entries);
    let mut found = Report::default();
    let word = table.choice("kind", &mut found);
    report.mistakes.append(&mut found.mistakes);
    if let Some(kind) = KINDS.iter().find(|kind| word == Some(kind.word)) {
        return (kind, true);
    }
    let near = table.entry("kind").and_then(|(_, value)| {
        let near = nearest(value.as_str()?, KINDS.iter().map(|kind| kind.word))?;
        KINDS.iter().find(|kind| kind.word == near)
    });
    let strange = |kind: &&Kind| {
        let keys = entries.iter().map(|(key, _)| key.get_ref().as_ref());
        keys.filter(|key| kind.section.field(key).is_none()).count()
    };
    let [first, ..] = &KINDS;
    (
        near.or_else(|| KINDS.iter().min_by_key(strange))
            .unwrap_or(first),
        false,
    )
}

/// What every kind has. A kind without `min_net_edge_bps` has a measure of its own.
fn read_common(
    table: &Table<'_>,
    name: &str,
    id: StrategyId,
    report: &mut Report,
) -> Option<CommonParams> {
    let own = |key: &str| table.section.field(key).is_some();
    let min_net_edge = if own("min_net_edge_bps") {
        table.ppm("min_net_edge_bps", report)
    } else {
        Some(Ppm(0))
    };
    let max_net_edge = table.ppm("max_net_edge_bps", report);
    let confirm_updates = table.count("confirm_updates", report);
    let max_book_take = table.ppm("max_book_take_ratio", report);
    let max_book_age = table.nanos("max_book_age_ms", report);
    let max_leg_skew = table.nanos("max_leg_skew_ms", report);
    let cooldown = table.nanos("cooldown_ms", report);
    let max_sets_per_min = table.count("max_sets_per_min", report);
    let max_open_sets = table.count("max_open_sets", report);
    let limit_cushion = table.ppm("limit_cushion_bps", report);
    let leg_timeout = table.nanos("leg_timeout_ms", report);
    let max_unwind_cost = table.ppm("max_unwind_cost_bps", report);
    let max_broken_sets = table.count("max_broken_sets", report);
    let depth_levels = table.count("depth_levels", report);
    let blackout = read_blackout(table, report);
    if let (Some(min), Some(max)) = (min_net_edge, max_net_edge)
        && min >= max
    {
        let rule = format!("must be below max_net_edge_bps ({max}): no edge would ever be taken");
        let cure = "lower it or raise the other";
        table.wrong("min_net_edge_bps", rule, cure, report);
    }
    Some(CommonParams {
        id,
        name: name.to_owned(),
        min_net_edge: min_net_edge?,
        max_net_edge: max_net_edge?,
        confirm_updates: confirm_updates?,
        max_book_take: max_book_take?,
        max_book_age: max_book_age?,
        max_leg_skew: max_leg_skew?,
        cooldown: cooldown?,
        max_sets_per_min: max_sets_per_min?,
        max_open_sets: max_open_sets?,
        limit_cushion: limit_cushion?,
        leg_timeout: leg_timeout?,
        max_unwind_cost: max_unwind_cost?,
        max_broken_sets: max_broken_sets?,
        depth_levels: depth_levels?,
        blackout,
    })
}

/// Spans such as `23:55-00:05`.
fn read_blackout(table: &Table<'_>, report: &mut Report) -> Vec<DaySpan> {
    let minute = |text: &str| -> Option<Nanos> {
        let (hour, minute) = text.trim().split_once(':')?;
        let is_two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let [hour, minute] =
            [hour, minute].map(|part| part.parse::<u64>().ok().filter(|_| is_two(part)));
        let (hour, minute) = (
            hour.filter(|hour| *hour < 24)?,
            minute.filter(|minute| *minute < 60)?,
        );
        Some(Nanos::from_secs((hour * 60 + minute) * 60))
    };
    let mut spans = Vec::new();
    for item in table.texts("blackout_utc", report).unwrap_or_default() {
        let span = item.text.split_once('-');
        let span = span.and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        match span.filter(|(from, to)| from != to) {
            Some((from, to)) => spans.push(DaySpan { from, to }),
            None => {
                let rule = "must be two different times of day, HH:MM-HH:MM in UTC";
                let value = format!("{:?}", item.text);
                table.wrong_at(
                    item.place,
                    "blackout_utc",
                    value,
                    rule,
                    "write \"23:55-00:05\"",
                    report,
                );
            }
        }
    }
    spans
}

/// Two amounts of which the first may not be above the second.
fn in_order(
    table: &Table<'_>,
    [low_key, high_key]: [&str; 2],
    low: Option<Decimal>,
    high: Option<Decimal>,
    report: &mut Report,
) {
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        let rule = format!("is above {high_key} ({high}): no size would fit");
        table.wrong(low_key, rule, "swap or change them", report);
    }
}
