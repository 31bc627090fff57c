//! Reads `limits.toml` against the venues.

use rust_decimal::Decimal;

use crate::market::{Symbol, VenueId};
use crate::risk::{CloseLimits, Limits};

use super::document::{Document, Report};
use super::hint::nearest;
use super::read_venues::{VenueDraft, find};
use super::schema;
use super::settings::LimitSettings;
use super::table::Table;

/// The limits; `None` when something is wrong (then reported).
pub fn read(
    document: &Document,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<LimitSettings> {
    let entries = document.parse(report);
    let top = Table::top(&schema::LIMITS, document, &entries, report);
    let instruments = read_instruments(&top, venues, report);
    let common = read_common(&top, venues, report);
    Some(LimitSettings {
        common: common?,
        instruments,
    })
}

fn read_common(top: &Table<'_>, venues: &[VenueDraft], report: &mut Report) -> Option<Limits> {
    let order_notional = top.number("order_notional_usd_max", report);
    let unrealized_loss = top.number("unrealized_loss_usd_max", report);
    let notional_margin = top.ppm("notional_margin_bps", report);
    let ref_price_age_max = top.nanos("ref_price_age_ms_max", report);
    let book_crossed_max = top.nanos("book_crossed_ms_max", report);
    let spread_max = top.ppm("spread_bps_max", report);
    let warn_at = top.ppm("warn_at_ratio", report);
    let cooldown = top.nanos("cooldown_ms", report);
    let risk_view_age_max = top.nanos("risk_view_age_ms_max", report);
    let notional = read_notional(top, report);
    let submit = top.table("submit_rate_per_s_max", &schema::SUBMIT, report);
    let submit =
        submit.map(|table| ["symbol", "venue", "global"].map(|key| table.count(key, report)));
    let kill = super::read_kill::read(top, report);
    let pre_trade = super::read_pre_trade::read(top, report);
    let controls = super::read_controls::read(top, venues, report);
    let close = top.table("force_close", &schema::FORCE_CLOSE, report);
    let close = close.map(|table| read_close(&table, report));
    let [symbol, venue, asset_net, gross, net] = notional?;
    let [rate_symbol, rate_venue, rate_global] = submit?;
    if let (Some(order), Some(symbol)) = (order_notional, symbol)
        && order > symbol
    {
        let rule =
            format!("is above notional_usd_max.symbol ({symbol}): such an order could never pass");
        top.wrong(
            "order_notional_usd_max",
            rule,
            "lower it or raise the other",
            report,
        );
    }
    Some(Limits {
        instruments: Vec::new(),
        order_notional_usd_max: order_notional?,
        notional_usd_max_symbol: symbol?,
        notional_usd_max_venue: venue?,
        notional_usd_max_asset_net: asset_net?,
        notional_usd_max_gross: gross?,
        notional_usd_max_net: net?,
        notional_margin: notional_margin?,
        ref_price_age_max: ref_price_age_max?,
        book_crossed_max: book_crossed_max?,
        spread_max: spread_max?,
        submit_rate_max_symbol: rate_symbol?,
        submit_rate_max_venue: rate_venue?,
        submit_rate_max_global: rate_global?,
        unrealized_loss_usd_max: unrealized_loss?,
        warn_at: warn_at?,
        cooldown: cooldown?,
        risk_view_age_max: risk_view_age_max?,
        pre_trade: pre_trade?,
        controls: controls?,
        close: close??,
        kill: kill?,
    })
}

fn read_notional(top: &Table<'_>, report: &mut Report) -> Option<[Option<Decimal>; 5]> {
    let table = top.table("notional_usd_max", &schema::NOTIONAL, report)?;
    let values =
        ["symbol", "venue", "asset_net", "gross", "net"].map(|key| table.number(key, report));
    let [symbol, venue, _, gross, net] = values;
    for (key, inner, outer_key, outer) in [
        ("symbol", symbol, "gross", gross),
        ("venue", venue, "gross", gross),
        ("net", net, "gross", gross),
    ] {
        if let (Some(inner), Some(outer)) = (inner, outer)
            && inner > outer
        {
            let rule = format!("is above {outer_key} ({outer}), which contains it");
            table.wrong(key, rule, format!("lower it or raise {outer_key}"), report);
        }
    }
    Some(values)
}

fn read_close(table: &Table<'_>, report: &mut Report) -> Option<CloseLimits> {
    let to_limit = table.ppm("to_limit_ratio", report);
    let cancel_wait = table.nanos("cancel_wait_ms", report);
    let depth_fraction = table.ppm("depth_ratio_max", report);
    let attempt = table.nanos("attempt_ms", report);
    let attempts_max = table.count("attempts_max", report);
    let deadline = table.nanos("deadline_ms", report);
    let allow_unpriced_market = table.flag("allow_unpriced_market", report);
    let pair_delta = table.number("pair_delta_usd_max", report);
    Some(CloseLimits {
        to_limit: to_limit?,
        cancel_wait: cancel_wait?,
        depth_fraction: depth_fraction?,
        attempt: attempt?,
        attempts_max: attempts_max?,
        deadline: deadline?,
        allow_unpriced_market: allow_unpriced_market?,
        pair_delta_usd_max: pair_delta?,
    })
}

fn read_instruments(
    top: &Table<'_>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Vec<(VenueId, Symbol, Decimal, Decimal)> {
    let mut limits: Vec<(VenueId, Symbol, Decimal, Decimal)> = Vec::new();
    let mut named: Vec<(usize, Symbol)> = Vec::new();
    for table in top.tables("instrument", &schema::INSTRUMENT, report) {
        let which = read_which(&table, venues, report);
        let order = table.number("order_qty_base_max", report);
        let position = table.number("position_qty_base_max", report);
        if let (Some(order), Some(position)) = (order, position)
            && order > position
        {
            let rule = format!(
                "is above position_qty_base_max ({position}): such an order could never pass"
            );
            table.wrong(
                "order_qty_base_max",
                rule,
                "lower it or raise the other",
                report,
            );
        }
        let Some((venue, index, symbol)) = which else {
            continue;
        };
        if named.contains(&(index, symbol)) {
            table.wrong(
                "symbol",
                "has its limits twice",
                "remove one of the two tables",
                report,
            );
        }
        named.push((index, symbol));
        if let (Some(order), Some(position)) = (order, position) {
            limits.push((venue, symbol, order, position));
        }
    }
    for (index, venue) in venues.iter().enumerate() {
        let id = venue.id.as_ref().map_or("?", |id| id.text.as_str());
        for (symbol, item) in venue
            .symbols
            .iter()
            .filter(|(symbol, _)| !named.contains(&(index, *symbol)))
        {
            let rule = format!("has no limits, so {id} could not trade it");
            let cure = format!(
                "add to limits.toml: [[instrument]] venue = \"{id}\", symbol = \"{symbol}\" and its limits"
            );
            let mistake = super::Mistake {
                place: item.place.clone(),
                key: format!("venue[{}].symbols", index + 1),
                value: format!("\"{symbol}\""),
                rule,
                cure,
            };
            report.add(mistake);
        }
    }
    limits
}

fn read_which(
    table: &Table<'_>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<(VenueId, usize, Symbol)> {
    let venue = table.text("venue", report);
    let symbol = table.text("symbol", report);
    let venue = venue?;
    let Some((id, index)) = find(venues, &venue) else {
        unknown_venue(table, "venue", &venue, venues, report);
        return None;
    };
    let symbol = symbol?;
    let known = venues
        .get(index)
        .map(|venue| venue.symbols.as_slice())
        .unwrap_or_default();
    let found = symbol
        .parse::<Symbol>()
        .ok()
        .filter(|symbol| known.iter().any(|(listed, _)| listed == symbol));
    if found.is_none() {
        let listed: Vec<&str> = known.iter().map(|(_, item)| item.text.as_str()).collect();
        let rule = format!("is not a symbol of {venue}");
        table.wrong(
            "symbol",
            rule,
            if listed.is_empty() {
                format!("{venue} has no valid symbol in venues.toml: correct that first")
            } else {
                format!("it has {}", listed.join(", "))
            },
            report,
        );
    }
    Some((id, index, found?))
}

/// Reports a venue that is not in `venues.toml`.
pub(super) fn unknown_venue(
    table: &Table<'_>,
    key: &str,
    name: &str,
    venues: &[VenueDraft],
    report: &mut Report,
) {
    table.wrong(
        key,
        "is not a venue of venues.toml",
        venue_cure(name, venues),
        report,
    );
}

/// What to write instead of an unknown venue.
pub(super) fn venue_cure(name: &str, venues: &[VenueDraft]) -> String {
    let known = || {
        venues
            .iter()
            .filter_map(|venue| venue.id.as_ref())
            .map(|id| id.text.as_str())
    };
    nearest(name, known()).map_or_else(
        || format!("it has {}", known().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    )
}
