//! `kind = "triangular"`

use crate::capacity::LEGS_MAX;
use crate::config::document::Report;
use crate::config::read_limits::venue_cure;
use crate::config::read_venues::{VenueDraft, find};
use crate::config::strategies::StrategyKind;
use crate::config::table::{Item, Table};
use crate::market::{Symbol, VenueId};
use crate::strategy::{CommonParams, CycleChoice, FeeTaken, SizeSearch, TriangularParams};
use crate::trade::SendOrder;
use crate::units::{Asset, Money};

use super::in_order;

/// What the kind adds; `None` when something is wrong (then reported).
pub(super) fn read(
    table: &Table<'_>,
    common: Option<CommonParams>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<StrategyKind> {
    let venue = read_venue(table, venues, report);
    let symbols: &[(Symbol, Item)] = venue
        .and_then(|venue| venues.get(venue.index()))
        .map_or(&[], |venue| &venue.symbols);
    let start_assets = read_assets(table, "start_assets", symbols, report);
    let cycles = read_cycles(table, &start_assets, symbols, report);
    let max_cycle_legs = table.count("max_cycle_legs", report);
    let start_min = table.number("start_min_quote", report);
    let start_max = table.number("start_max_quote", report);
    in_order(
        table,
        ["start_min_quote", "start_max_quote"],
        start_min,
        start_max,
        report,
    );
    let fee_taken = match table.choice("fee_taken", report) {
        Some("from_quote") => Some(FeeTaken::FromQuote),
        Some(_) => Some(FeeTaken::FromReceived),
        None => None,
    };
    let size_search = match table.choice("size_search", report) {
        Some("grid") => Some(SizeSearch::Grid),
        Some(_) => Some(SizeSearch::Bisect),
        None => None,
    };
    let execution = match table.choice("execution", report) {
        Some("parallel") => Some(SendOrder::Together),
        Some("first_then_parallel") => Some(SendOrder::FirstThenParallel),
        Some(_) => Some(SendOrder::Sequential),
        None => None,
    };
    let protective_limit = table.ppm("protective_limit_bps", report);
    let asset_caps = read_caps(table, symbols, report);
    Some(StrategyKind::Triangular(TriangularParams {
        common: common?,
        venue: venue?,
        taker_fees: Vec::new(),
        fee_taken: fee_taken?,
        start_assets,
        cycles: cycles?,
        max_cycle_legs: usize::try_from(max_cycle_legs?).ok()?,
        start_min: Money(start_min?),
        start_max: Money(start_max?),
        size_search: size_search?,
        execution: execution?,
        protective_limit: protective_limit?,
        asset_caps,
    }))
}

fn read_venue(table: &Table<'_>, venues: &[VenueDraft], report: &mut Report) -> Option<VenueId> {
    let name = table.text("venue", report)?;
    let Some((id, index)) = find(venues, &name) else {
        let rule = "is not a venue of venues.toml";
        table.wrong("venue", rule, venue_cure(&name, venues), report);
        return None;
    };
    let symbols = venues.get(index).map_or(&[][..], |venue| &venue.symbols);
    if symbols.iter().any(|(symbol, _)| symbol.settle.is_some()) {
        let rule = "trades perpetuals: a cycle changes coins, so it needs a spot venue";
        table.wrong("venue", rule, "name a spot venue", report);
        return None;
    }
    Some(id)
}

/// True when a symbol of the venue has the asset.
fn trades(symbols: &[(Symbol, Item)], asset: Asset) -> bool {
    symbols
        .iter()
        .any(|(symbol, _)| symbol.base == asset || symbol.quote == asset)
}

/// True when a symbol of the venue changes one asset into the other.
fn changes(symbols: &[(Symbol, Item)], from: Asset, to: Asset) -> bool {
    symbols.iter().any(|(symbol, _)| {
        [(symbol.base, symbol.quote), (symbol.quote, symbol.base)].contains(&(from, to))
    })
}

/// Assets that the venue's symbols have; `symbols` is empty when the venue is not known.
fn read_assets(
    table: &Table<'_>,
    key: &str,
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Vec<Asset> {
    let mut assets = Vec::new();
    for item in table.texts(key, report).unwrap_or_default() {
        let asset = Asset::new(&item.text);
        let known = asset.filter(|asset| symbols.is_empty() || trades(symbols, *asset));
        if let Some(asset) = known {
            assets.push(asset);
        } else {
            let rule = "is not an asset of any symbol of the venue";
            let cure = "correct it, or add a symbol to venues.toml";
            let value = format!("{:?}", item.text);
            table.wrong_at(item.place, key, value, rule, cure, report);
        }
    }
    assets
}

fn read_cycles(
    table: &Table<'_>,
    starts: &[Asset],
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Option<CycleChoice> {
    let given = table.texts("cycles", report)?;
    let discover = if !given.is_empty() && !table.has("discover") {
        false
    } else {
        table.flag("discover", report)?
    };
    let assets_allow = read_assets(table, "assets_allow", symbols, report);
    let assets_deny = read_assets(table, "assets_deny", symbols, report);
    if discover {
        if !given.is_empty() {
            let rule = "contradicts discover = true, which finds the cycles itself";
            table.wrong("cycles", rule, "remove one of the two", report);
        }
        return Some(CycleChoice::Discover {
            assets_allow,
            assets_deny,
        });
    }
    for (key, assets) in [
        ("assets_allow", &assets_allow),
        ("assets_deny", &assets_deny),
    ] {
        if !assets.is_empty() {
            let rule = "narrows the cycles that are found, and none are: discover is false";
            table.wrong(key, rule, "remove it, or set discover = true", report);
        }
    }
    if given.is_empty() {
        let rule = "names no cycle, and discover is false: nothing could ever be traded";
        let cure = "write [\"USDT > BTC > ETH\"], or remove discover = false";
        table.wrong("cycles", rule, cure, report);
        return None;
    }
    let paths = given.iter();
    let paths = paths.filter_map(|item| read_path(table, item, starts, symbols, report));
    Some(CycleChoice::Given(paths.collect()))
}

/// `USDT > BTC > ETH`, with or without the way back.
fn read_path(
    table: &Table<'_>,
    item: &Item,
    starts: &[Asset],
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Option<Vec<Asset>> {
    let assets: Option<Vec<Asset>> = item
        .text
        .split('>')
        .map(|word| Asset::new(word.trim()))
        .collect();
    let mut assets = assets.unwrap_or_default();
    if assets.len() > 1 && assets.first() == assets.last() {
        assets.pop();
    }
    let ring = || assets.iter().zip(assets.iter().cycle().skip(1));
    let mut sorted = assets.clone();
    sorted.sort();
    sorted.dedup();
    let wrong = if !(3..=LEGS_MAX).contains(&assets.len()) || sorted.len() != assets.len() {
        Some((
            format!("must be a path over 3 to {LEGS_MAX} different assets"),
            "write \"USDT > BTC > ETH\"".to_owned(),
        ))
    } else if let Some(start) = assets.first().filter(|start| !starts.contains(start)) {
        Some((
            format!("begins at {start}, which is not one of start_assets"),
            "begin it at a start asset, or add the asset there".to_owned(),
        ))
    } else {
        let gap = ring().find(|(from, to)| !symbols.is_empty() && !changes(symbols, **from, **to));
        gap.map(|(from, to)| {
            (
                format!("goes from {from} to {to}, and no symbol of the venue changes one into the other"),
                format!("add {to}/{from} or {from}/{to} to the venue's symbols, or another path"),
            )
        })
    };
    if let Some((rule, cure)) = wrong {
        let (place, value) = (item.place.clone(), format!("{:?}", item.text));
        table.wrong_at(place, "cycles", value, rule, cure, report);
        return None;
    }
    Some(assets)
}

fn read_caps(
    table: &Table<'_>,
    symbols: &[(Symbol, Item)],
    report: &mut Report,
) -> Vec<(Asset, Money)> {
    let mut caps = Vec::new();
    for (item, amount) in table.amounts("asset_caps", report) {
        let known = Asset::new(&item.text);
        match known.filter(|asset| symbols.is_empty() || trades(symbols, *asset)) {
            Some(asset) => caps.push((asset, Money(amount))),
            None => table.wrong_at(
                item.place,
                &format!("asset_caps.{}", item.text),
                amount.to_string(),
                "is a cap of an asset that no symbol of the venue has",
                "correct or remove it",
                report,
            ),
        }
    }
    caps
}
