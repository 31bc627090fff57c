//! `kind = "cross_exchange"`

use crate::capacity::ROUTE_VENUES_MAX;
use crate::config::document::Report;
use crate::config::read_limits::venue_cure;
use crate::config::read_venues::{VenueDraft, find};
use crate::config::strategies::{CrossSettings, InventorySettings, StrategyKind, converts};
use crate::config::table::Table;
use crate::market::{Symbol, VenueId};
use crate::strategy::{CommonParams, LegOrder};
use crate::units::{Asset, Ppm};

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
    let other_quotes = read_quotes(table, symbol, &route_venues, venues, report);
    let max_quote_depeg = table.ppm("max_quote_depeg_bps", report);
    let leg_order = match table.choice("leg_order", report) {
        Some("thin_first") => Some(LegOrder::ThinFirst),
        Some("maker_then_taker") => Some(LegOrder::MakerThenTaker),
        Some(_) => Some(LegOrder::Together),
        None => None,
    };
    let inventory = read_inventory(table, &route_venues, venues, report);
    let min_runway_sets = table.count("min_runway_sets", report);
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
        other_quotes,
        max_quote_depeg: max_quote_depeg?,
        leg_order: leg_order?,
        inventory,
        min_runway_sets: min_runway_sets?,
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
    let group = table.texts("quote_group", &mut Report::default());
    let group: Vec<Asset> = group
        .iter()
        .flatten()
        .filter_map(|item| Asset::new(&item.text))
        .collect();
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
        let same = |known: &Symbol, pair: Symbol| {
            let quote = known.quote;
            known.base == pair.base && (quote == pair.quote || group.contains(&quote))
        };
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

/// The quotes beside the symbol's own. Each needs a pair at a venue of the strategy, and a book that converts it.
fn read_quotes(
    table: &Table<'_>,
    symbol: Option<Symbol>,
    route_venues: &[VenueId],
    venues: &[VenueDraft],
    report: &mut Report,
) -> Vec<Asset> {
    let mut quotes = Vec::new();
    let items = table.texts("quote_group", report).unwrap_or_default();
    let Some(symbol) = symbol else { return quotes };
    let symbols = |venue: &VenueDraft| -> Vec<Symbol> {
        venue.symbols.iter().map(|(symbol, _)| *symbol).collect()
    };
    for item in items {
        let Some(quote) = Asset::new(&item.text).filter(|quote| !quotes.contains(quote)) else {
            let (rule, cure) = ("must be an asset code, once", "write [\"USDT\", \"USDC\"]");
            let value = format!("{:?}", item.text);
            table.wrong_at(item.place, "quote_group", value, rule, cure, report);
            continue;
        };
        if quote == symbol.quote {
            continue;
        }
        let pair = Symbol { quote, ..symbol };
        let mut own = route_venues.iter().filter_map(|id| venues.get(id.index()));
        let is_traded = own.any(|venue| {
            let mut all = symbols(venue).into_iter();
            all.any(|one| one.base == pair.base && one.quote == quote)
        });
        let mut all = venues.iter();
        let is_converted =
            all.any(|venue| converts(&symbols(venue), quote, symbol.quote).is_some());
        let wrong = if !is_traded {
            Some((
                format!("no venue of this strategy has {pair}"),
                format!("add {pair} to the symbols of one, or remove {quote}"),
            ))
        } else if !is_converted {
            Some((
                format!(
                    "no venue has a book that converts {quote} into {}",
                    symbol.quote
                ),
                format!(
                    "add {quote}/{} to the symbols of a spot venue",
                    symbol.quote
                ),
            ))
        } else {
            None
        };
        match wrong {
            Some((rule, cure)) => {
                let value = format!("{:?}", item.text);
                table.wrong_at(item.place, "quote_group", value, rule, cure, report);
            }
            None => quotes.push(quote),
        }
    }
    quotes
}

fn read_inventory(
    table: &Table<'_>,
    route_venues: &[VenueId],
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<InventorySettings> {
    let mut targets = vec![Ppm(500_000); route_venues.len()];
    for (item, amount) in table.amounts("inventory_target_ratio", report) {
        let key = format!("inventory_target_ratio.{}", item.text);
        let slot = find(venues, &item.text)
            .and_then(|(id, _)| route_venues.iter().position(|known| *known == id));
        let ratio = amount
            .checked_mul(Ppm::ONE.0.into())
            .and_then(|ppm| i64::try_from(ppm).ok())
            .filter(|ppm| (0..=Ppm::ONE.0).contains(ppm));
        let mut wrong = |rule: &str, cure: String| {
            table.wrong_at(
                item.place.clone(),
                &key,
                amount.to_string(),
                rule,
                cure,
                report,
            );
        };
        match (slot.and_then(|slot| targets.get_mut(slot)), ratio) {
            (None, _) => wrong(
                "names a venue that this strategy does not trade at",
                "name one of its venues, or remove it".to_owned(),
            ),
            (_, None) => wrong("must be from 0 to 1", "write 0.5".to_owned()),
            (Some(target), Some(ratio)) => *target = Ppm(ratio),
        }
    }
    let skew = table.ppm("inventory_skew_bps", report);
    if !table.has("inventory_band_ratio") {
        for key in ["inventory_target_ratio", "inventory_skew_bps"] {
            if table.has(key) {
                let rule = "says nothing without inventory_band_ratio";
                table.wrong(
                    key,
                    rule,
                    "write inventory_band_ratio = 0.3, or remove this",
                    report,
                );
            }
        }
        return None;
    }
    Some(InventorySettings {
        targets,
        band: table.ppm("inventory_band_ratio", report)?,
        skew: skew?,
    })
}
