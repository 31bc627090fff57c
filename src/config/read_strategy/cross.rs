//! `kind = "cross_exchange"`

use crate::capacity::ROUTE_VENUES_MAX;
use crate::config::document::Report;
use crate::config::read_limits::venue_cure;
use crate::config::read_venues::{VenueDraft, find};
use crate::config::strategies::{CrossSettings, StrategyKind};
use crate::config::table::Table;
use crate::market::{Symbol, VenueId};
use crate::strategy::CommonParams;

use super::in_order;

/// What the kind adds; `None` when something is wrong (then reported).
pub(super) fn read(
    table: &Table<'_>,
    common: Option<CommonParams>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<StrategyKind> {
    let symbol = read_symbol(table, report);
    let route_venues = read_venues(table, symbol, venues, report);
    let routes_deny = read_routes(table, &route_venues, venues, report);
    let min_order_quote = table.number("min_order_quote", report);
    let max_order_quote = table.number("max_order_quote", report);
    let max_inventory_quote = table.number("max_inventory_quote", report);
    in_order(
        table,
        ["min_order_quote", "max_order_quote"],
        min_order_quote,
        max_order_quote,
        report,
    );
    if let (Some(order), Some(inventory)) = (max_order_quote, max_inventory_quote)
        && order > inventory
    {
        let rule = format!("is below max_order_quote ({order}): one set would overshoot it");
        let cure = "raise it or lower the other";
        table.wrong("max_inventory_quote", rule, cure, report);
    }
    let common = common?;
    check_cushion(table, &common, report);
    Some(StrategyKind::CrossExchange(CrossSettings {
        common,
        symbol: symbol?,
        venues: route_venues,
        routes_deny,
        min_order_quote: min_order_quote?,
        max_order_quote: max_order_quote?,
        max_inventory_quote: max_inventory_quote?,
    }))
}

fn check_cushion(table: &Table<'_>, common: &CommonParams, report: &mut Report) {
    let min = common.min_net_edge;
    if common.limit_cushion.0.saturating_mul(2) > min.0 {
        let rule = format!(
            "must be at most half of min_net_edge_bps ({min}): both legs at their limit would lose"
        );
        let cure = "lower it or raise the other";
        table.wrong("limit_cushion_bps", rule, cure, report);
    }
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
