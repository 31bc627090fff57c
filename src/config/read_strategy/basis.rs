//! `kind = "spot_perp_basis"`

use crate::config::document::Report;
use crate::config::read_limits::venue_cure;
use crate::config::read_venues::{VenueDraft, find};
use crate::config::strategies::{BasisSettings, StrategyKind};
use crate::config::table::Table;
use crate::market::{InstrumentId, Symbol, VenueId};
use crate::strategy::{BasisDirection, BasisParams, CommonParams, ExitStyle};
use crate::units::{Money, Nanos, Ppm};

/// What the kind adds; `None` when something is wrong (then reported).
pub(super) fn read(
    table: &Table<'_>,
    common: Option<CommonParams>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<StrategyKind> {
    let spot = read_instrument(table, "spot", false, venues, report);
    let perp = read_instrument(table, "perp", true, venues, report);
    if let (Some((_, spot)), Some((_, perp))) = (&spot, &perp)
        && spot.base != perp.base
    {
        let rule = format!("is a perpetual of another base than spot ({})", spot.base);
        table.wrong("perp", rule, "name two instruments of one base", report);
    }
    let params = read_params(table, common, report)?;
    Some(StrategyKind::SpotPerpBasis(BasisSettings {
        spot: spot?,
        perp: perp?,
        params,
    }))
}

fn read_params(
    table: &Table<'_>,
    common: Option<CommonParams>,
    report: &mut Report,
) -> Option<BasisParams> {
    let direction = match table.choice("direction", report) {
        Some("long_perp") => Some(BasisDirection::LongPerp),
        Some("both") => Some(BasisDirection::Both),
        Some(_) => Some(BasisDirection::ShortPerp),
        None => None,
    };
    let entry_basis = table.ppm("entry_basis_bps", report);
    let exit_basis = table.ppm("exit_basis_bps", report);
    let min_net_carry = table.ppm("min_net_carry_bps_day", report);
    let carry_horizon = table.nanos("carry_horizon_h", report);
    let min_funding = table.number("min_funding_bps_8h", report);
    let funding_flip_exit = table.flag("funding_flip_exit", report);
    let funding_interval = table.nanos("funding_interval_h", report);
    let no_entry_before_funding = table.nanos("no_entry_before_funding_s", report);
    let max_hold = table.nanos("max_hold_h", report);
    let leverage = table.count("leverage", report);
    let min_liq_distance = table.ppm("min_liq_distance_bps", report);
    let slice = table.number("slice_quote", report);
    let max_position = table.number("max_position_quote", report);
    let slice_interval = table.nanos("slice_interval_ms", report);
    let delta_band = table.ppm("delta_band_bps", report);
    let exit_style = match table.choice("exit_style", report) {
        Some("pair_now") => Some(ExitStyle::PairNow),
        Some(_) => Some(ExitStyle::PairSlices),
        None => None,
    };
    super::in_order(
        table,
        ["slice_quote", "max_position_quote"],
        slice,
        max_position,
        report,
    );
    check_basis(table, entry_basis, exit_basis, report);
    check_spans(table, carry_horizon, max_hold, report);
    Some(BasisParams {
        common: common?,
        spot: InstrumentId(0),
        perp: InstrumentId(0),
        spot_fee: Ppm::ONE,
        perp_fee: Ppm::ONE,
        direction: direction?,
        entry_basis: entry_basis?,
        exit_basis: exit_basis?,
        min_net_carry_per_day: min_net_carry?,
        carry_horizon: carry_horizon?,
        min_funding_8h_ppb: i64::try_from(min_funding?).ok()?,
        funding_flip_exit: funding_flip_exit?,
        funding_interval: funding_interval?,
        no_entry_before_funding: no_entry_before_funding?,
        max_hold: max_hold?,
        leverage: leverage?,
        min_liq_distance: min_liq_distance?,
        slice: Money(slice?),
        max_position: Money(max_position?),
        slice_interval: slice_interval?,
        delta_band: delta_band?,
        exit_style: exit_style?,
    })
}

fn check_basis(table: &Table<'_>, entry: Option<Ppm>, exit: Option<Ppm>, report: &mut Report) {
    if let (Some(entry), Some(exit)) = (entry, exit)
        && exit >= entry
    {
        let rule = format!(
            "must be below entry_basis_bps ({entry}): a pair would be left as it is entered"
        );
        let cure = "lower it or raise the other";
        table.wrong("exit_basis_bps", rule, cure, report);
    }
}

fn check_spans(
    table: &Table<'_>,
    horizon: Option<Nanos>,
    hold: Option<Nanos>,
    report: &mut Report,
) {
    if let (Some(horizon), Some(hold)) = (horizon, hold)
        && horizon > hold
    {
        let rule = format!(
            "must be at most max_hold_h ({} h): fees cannot be spread over longer than a pair is held",
            hold.0.div_euclid(3_600_000_000_000)
        );
        let cure = "lower it or raise the other";
        table.wrong("carry_horizon_h", rule, cure, report);
    }
}

/// `venue:SYMBOL`
fn read_instrument(
    table: &Table<'_>,
    key: &str,
    is_perp: bool,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<(VenueId, Symbol)> {
    let text = table.text(key, report)?;
    let example = if is_perp {
        "write \"perp:BTC/USDT:USDT\""
    } else {
        "write \"spot_a:BTC/USDT\""
    };
    let Some((name, symbol)) = text.split_once(':') else {
        table.wrong(key, "must be \"venue:SYMBOL\"", example, report);
        return None;
    };
    let Some((venue, index)) = find(venues, name) else {
        let rule = format!("names {name}, which is not a venue of venues.toml");
        table.wrong(key, rule, venue_cure(name, venues), report);
        return None;
    };
    let listed = venues.get(index).map_or(&[][..], |venue| &venue.symbols);
    let Some((symbol, _)) = listed.iter().find(|(_, item)| item.text == symbol) else {
        let rule = format!("names {symbol}, which is not a symbol of {name}");
        let known: Vec<&str> = listed.iter().map(|(_, item)| item.text.as_str()).collect();
        table.wrong(key, rule, format!("it has {}", known.join(", ")), report);
        return None;
    };
    if symbol.settle.is_some() != is_perp {
        let (is, wanted) = if is_perp {
            ("spot", "a perpetual")
        } else {
            ("a perpetual", "a spot symbol")
        };
        table.wrong(
            key,
            format!("is {is}, and must be {wanted}"),
            example,
            report,
        );
        return None;
    }
    Some((venue, *symbol))
}
