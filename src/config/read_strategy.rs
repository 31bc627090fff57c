//! Reads one strategy file against the venues.

use crate::capacity::ROUTE_VENUES_MAX;
use crate::market::{Symbol, VenueId};
use crate::strategy::{CommonParams, CrossVenueParams};
use crate::trade::StrategyId;
use crate::units::{Notional, Ppm};

use super::document::{Document, Report};
use super::read_limits::venue_cure;
use super::read_venues::{VenueDraft, find, read_id};
use super::schema;
use super::settings::{EngineMode, StrategySettings};
use super::table::{Item, Table};

/// The strategy of a file; `None` when something is wrong (then reported).
pub fn read(
    document: &Document,
    id: StrategyId,
    venues: &[VenueDraft],
    report: &mut Report,
) -> (Option<Item>, Option<StrategySettings>) {
    let entries = document.parse(report);
    let table = Table::top(&schema::STRATEGY, document, &entries, report);
    let name = read_id(&table, report);
    (name.clone(), read_rest(&table, name, id, venues, report))
}

fn read_rest(
    table: &Table<'_>,
    name: Option<Item>,
    id: StrategyId,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<StrategySettings> {
    let kind = table.choice("kind", report);
    let mode = table.choice("mode", report).map(EngineMode::parse);
    let symbol = read_symbol(table, report);
    let route_venues = read_venues(table, symbol, venues, report);
    let routes_deny = read_routes(table, &route_venues, venues, report);
    let params = read_params(
        table,
        name.as_ref().map_or("", |name| &name.text),
        id,
        report,
    );
    let min_order_quote = table.number("min_order_quote", report);
    let max_order_quote = table.number("max_order_quote", report);
    let max_inventory_quote = table.number("max_inventory_quote", report);
    if let (Some(min), Some(max)) = (min_order_quote, max_order_quote)
        && min > max
    {
        table.wrong(
            "min_order_quote",
            format!("is above max_order_quote ({max})"),
            "swap or change them",
            report,
        );
    }
    if let (Some(order), Some(inventory)) = (max_order_quote, max_inventory_quote)
        && order > inventory
    {
        let rule = format!("is below max_order_quote ({order}): one set would overshoot it");
        table.wrong(
            "max_inventory_quote",
            rule,
            "raise it or lower the other",
            report,
        );
    }
    kind?;
    Some(StrategySettings {
        id: name?.text,
        mode: mode?,
        symbol: symbol?,
        venues: route_venues,
        routes_deny,
        min_order_quote: min_order_quote?,
        max_order_quote: max_order_quote?,
        max_inventory_quote: max_inventory_quote?,
        params: params?,
    })
}

fn read_symbol(table: &Table<'_>, report: &mut Report) -> Option<Symbol> {
    let text = table.text("symbol", report)?;
    let symbol = text
        .parse::<Symbol>()
        .ok()
        .filter(|symbol| symbol.settle.is_none());
    if symbol.is_none() {
        let rule = "must be BASE/QUOTE: a perpetual of the same pair takes part by its venue";
        table.wrong("symbol", rule, "write \"BTC/USDT\"", report);
    }
    symbol
}

fn read_venues(
    table: &Table<'_>,
    symbol: Option<Symbol>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Vec<VenueId> {
    let mut ids: Vec<VenueId> = Vec::new();
    let items = table.texts("venues", report).unwrap_or_default();
    if table.has("venues") && !(2..=ROUTE_VENUES_MAX).contains(&items.len()) {
        let rule = format!("must name 2 to {ROUTE_VENUES_MAX} venues");
        table.wrong("venues", rule, "write [\"spot_a\", \"spot_b\"]", report);
    }
    for item in items {
        let mut wrong = |rule: String, cure: String| {
            table.wrong_at(
                item.place.clone(),
                "venues",
                format!("{:?}", item.text),
                rule,
                cure,
                report,
            );
        };
        let Some((id, index)) = find(venues, &item.text) else {
            wrong(
                "is not a venue of venues.toml".into(),
                venue_cure(&item.text, venues),
            );
            continue;
        };
        let same =
            |known: &Symbol, pair: Symbol| known.base == pair.base && known.quote == pair.quote;
        let listed = venues
            .get(index)
            .map(|venue| venue.symbols.as_slice())
            .unwrap_or_default();
        if ids.contains(&id) {
            wrong("is named twice".into(), "remove one".into());
        } else if let Some(pair) = symbol
            && !listed.iter().any(|(known, _)| same(known, pair))
        {
            wrong(
                format!("has no symbol of the pair {pair}"),
                "add it to that venue's symbols".into(),
            );
        }
        ids.push(id);
    }
    ids
}

fn read_routes(
    table: &Table<'_>,
    route_venues: &[VenueId],
    venues: &[VenueDraft],
    report: &mut Report,
) -> Vec<(VenueId, VenueId)> {
    let mut routes = Vec::new();
    for item in table.texts("routes_deny", report).unwrap_or_default() {
        let known = |name: &str| {
            find(venues, name)
                .map(|(id, _)| id)
                .filter(|id| route_venues.contains(id))
        };
        match item
            .text
            .split_once(':')
            .and_then(|(buy, sell)| Some((known(buy)?, known(sell)?)))
        {
            Some((buy, sell)) if buy != sell => routes.push((buy, sell)),
            Some(_) | None => {
                let rule = "must be \"buy_venue:sell_venue\", two of this strategy's venues";
                let cure = "write \"spot_a:perp\"";
                table.wrong_at(
                    item.place,
                    "routes_deny",
                    format!("{:?}", item.text),
                    rule,
                    cure,
                    report,
                );
            }
        }
    }
    routes
}

fn read_params(
    table: &Table<'_>,
    name: &str,
    id: StrategyId,
    report: &mut Report,
) -> Option<CrossVenueParams> {
    let min_net_edge = table.ppm("min_net_edge_bps", report);
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
    check_edges(table, min_net_edge, max_net_edge, limit_cushion, report);
    Some(CrossVenueParams {
        common: CommonParams {
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
        },
        instruments: Vec::new(),
        taker_fees: Vec::new(),
        routes_deny: Vec::new(),
        min_order_notional: Notional::ZERO,
        max_order_notional: Notional::ZERO,
        max_inventory_notional: Notional::ZERO,
    })
}

fn check_edges(
    table: &Table<'_>,
    min: Option<Ppm>,
    max: Option<Ppm>,
    cushion: Option<Ppm>,
    report: &mut Report,
) {
    let (Some(min), Some(max)) = (min, max) else {
        return;
    };
    if min >= max {
        let rule = format!("must be below max_net_edge_bps ({max}): no edge would ever be taken");
        table.wrong(
            "min_net_edge_bps",
            rule,
            "lower it or raise the other",
            report,
        );
    }
    if let Some(cushion) = cushion
        && cushion.0.saturating_mul(2) > min.0
    {
        let rule = format!(
            "must be at most half of min_net_edge_bps ({min}): both legs at their limit would lose"
        );
        table.wrong(
            "limit_cushion_bps",
            rule,
            "lower it or raise the other",
            report,
        );
    }
}
