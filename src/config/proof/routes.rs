//! What a route must gain before it earns: fees, ticks and cushions against the least edge.

use rust_decimal::Decimal;

use crate::config::strategies::{BasisSettings, StrategyKind, StrategySettings};
use crate::strategy::Route;
use crate::units::{Nanos, Side};

use super::{Ground, Row, Sheet, Verdict, bps, price_cure, ratio};

/// Rows of one strategy that are shown.
const ROUTES_SHOWN: usize = 12;
const HOUR: Nanos = Nanos::from_secs(3_600);

pub(super) fn sheet(ground: &Ground<'_>) -> Sheet {
    let mut rows = Vec::new();
    for (settings, built) in ground.strategies() {
        if let StrategyKind::SpotPerpBasis(basis) = &settings.kind {
            rows.push(basis_row(ground, settings, basis));
            continue;
        }
        let all = built.routes();
        let mut own: Vec<Row> = all
            .map(|(route, _)| row(ground, settings, &route))
            .collect();
        if own.is_empty() {
            let cells = cells(settings, "none", [None; 6]);
            own.push(Row::good(cells).say(
                Verdict::Refused,
                "has no route: nothing could ever be traded",
                "check its venues, symbols, cycles and denied routes",
            ));
        }
        // The worst first, and no more than a page of them.
        own.sort_by_key(|row| std::cmp::Reverse(row.verdict));
        let more = own.len().saturating_sub(ROUTES_SHOWN);
        own.truncate(ROUTES_SHOWN);
        rows.append(&mut own);
        if more > 0 {
            let name = format!("... and {more} more, none worse");
            rows.push(Row::good(cells(settings, &name, [None; 6])));
        }
    }
    Sheet {
        title: "Break-even by route",
        note: "bps of the value bought. needs = what prices must differ by: fees + least edge. left = what stays of the least edge when \
               every leg fills at its limit and loses half a tick to rounding.",
        columns: vec![
            "strategy",
            "route",
            "fees",
            "least edge",
            "needs",
            "cushions",
            "half ticks",
            "left",
        ],
        rows,
    }
}

fn cells(settings: &StrategySettings, route: &str, numbers: [Option<Decimal>; 6]) -> Vec<String> {
    let shown = numbers.into_iter().map(|number| match number {
        Some(_) => bps(number),
        None => "-".to_owned(),
    });
    [settings.id.clone(), route.to_owned()]
        .into_iter()
        .chain(shown)
        .collect()
}

/// The fees of all legs, compounded: what a set pays of what it buys.
fn fees(ground: &Ground<'_>, route: &Route) -> Option<Decimal> {
    let several = route.legs().count() > 2;
    let mut paid = Decimal::ONE;
    for (id, side) in route.legs() {
        let fee = ratio(ground.settings.taker_fee(ground.catalogue.get(id)?.venue));
        let kept = Decimal::ONE.checked_sub(fee)?;
        paid = if side == Side::Buy && !several {
            paid.checked_mul(Decimal::ONE.checked_add(fee)?)?
        } else {
            paid.checked_div(kept)?
        };
    }
    paid.checked_sub(Decimal::ONE)
}

/// Half a tick of every leg, as a share of its price.
fn half_ticks(ground: &Ground<'_>, route: &Route) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for (id, _) in route.legs() {
        let instrument = ground.catalogue.get(id)?;
        let tick = instrument.grid.price_decimal(instrument.tick);
        let half = tick.checked_div(Decimal::TWO)?;
        sum = sum.checked_add(half.checked_div(ground.price(instrument)?)?)?;
    }
    Some(sum)
}

fn name(ground: &Ground<'_>, route: &Route) -> String {
    let leg = |(id, side): (crate::market::InstrumentId, Side)| {
        let name = ground.catalogue.get(id).map(|one| ground.name(one));
        format!("{} {}", side.label(), name.unwrap_or_default())
    };
    route.legs().map(leg).collect::<Vec<_>>().join(", ")
}

fn row(ground: &Ground<'_>, settings: &StrategySettings, route: &Route) -> Row {
    let common = settings.common();
    let least = ratio(common.min_net_edge);
    let cushion = ratio(common.limit_cushion);
    let legs = route.legs().count();
    let cushions = if let StrategyKind::Triangular(params) = &settings.kind {
        let later = Decimal::from(legs.saturating_sub(1));
        let later = ratio(params.protective_limit).checked_mul(later);
        later.and_then(|later| later.checked_add(cushion))
    } else {
        cushion.checked_mul(Decimal::from(legs))
    };
    let (fees, ticks) = (fees(ground, route), half_ticks(ground, route));
    let needs = fees.and_then(|fees| fees.checked_add(least));
    let left = cushions.and_then(|all| least.checked_sub(all)?.checked_sub(ticks?));
    let cells = cells(
        settings,
        &name(ground, route),
        [fees, Some(least), needs, cushions, ticks, left],
    );
    let row = judge_gate(ground, settings, Row::good(cells));
    let Some(ticks) = ticks else {
        return row.say(
            Verdict::Note,
            "the price is not known, so nobody can tell what a tick costs",
            unpriced(ground, route),
        );
    };
    if ticks >= least {
        let reason = format!(
            "half a tick a leg is {} bps, the whole least edge of {} bps: rounding eats the gain",
            bps(Some(ticks)),
            bps(Some(least))
        );
        return row.say(
            Verdict::Refused,
            reason,
            "raise min_net_edge_bps, or trade where ticks are finer",
        );
    }
    match (left, &settings.kind) {
        (Some(left), StrategyKind::Triangular(_)) if left.is_sign_negative() => row.say(
            Verdict::Note,
            format!(
                "a set whose later legs all fill at their protective limits loses {} bps: the price of getting out of a cycle that moved",
                bps(Some(left.abs()))
            ),
            "lower protective_limit_bps if that is too much; then more cycles break",
        ),
        (Some(left), _) if left.is_sign_negative() => row.say(
            Verdict::Refused,
            format!(
                "when every leg fills at its limit a set loses up to {} bps: cushions and half ticks are more than the least edge",
                at_least_a_hundredth(left.abs())
            ),
            "raise min_net_edge_bps, lower limit_cushion_bps, or deny the route",
        ),
        _ => row,
    }
}

/// A loss in basis points that is never shown as none.
fn at_least_a_hundredth(loss: Decimal) -> String {
    bps(Some(loss.max(Decimal::new(1, 6))))
}

/// What the gate asks of an edge against what the strategy asks (PT-17).
fn judge_gate(ground: &Ground<'_>, settings: &StrategySettings, row: Row) -> Row {
    let common = settings.common();
    let (least, most) = (
        ground.limits.pre_trade.edge_min,
        ground.limits.pre_trade.edge_max,
    );
    let [own_least, own_most, risk_least, risk_most] =
        [common.min_net_edge, common.max_net_edge, least, most].map(|edge| bps(Some(ratio(edge))));
    if least > common.max_net_edge || most < common.min_net_edge {
        row.say(
            Verdict::Refused,
            format!(
                "takes edges from {own_least} to {own_most} bps, and risk lets through {risk_least} to {risk_most} bps (PT-17): every set is refused"
            ),
            "change the strategy, or ask risk to change pre_trade.edge_bps_min and edge_bps_max",
        )
    } else if least > common.min_net_edge {
        row.say(
            Verdict::Note,
            format!("risk refuses edges from {own_least} to below {risk_least} bps that this strategy would take (PT-17)"),
            "raise min_net_edge_bps, or ask risk to lower pre_trade.edge_bps_min",
        )
    } else {
        row
    }
}

fn unpriced(ground: &Ground<'_>, route: &Route) -> String {
    let legs = route.legs().filter_map(|(id, _)| ground.catalogue.get(id));
    let assets = legs.flat_map(|one| [one.symbol.base, one.symbol.quote]);
    let mut unknown = assets.filter(|asset| ground.value(*asset).is_none());
    unknown.next().map_or_else(String::new, price_cure)
}

/// A pair is paid for twice, in and out; what the basis gives back and the least funding must carry that.
fn basis_row(ground: &Ground<'_>, settings: &StrategySettings, basis: &BasisSettings) -> Row {
    let params = &basis.params;
    let fee = |venue| ratio(ground.settings.taker_fee(venue));
    let round_trip = fee(basis.spot.0)
        .checked_add(fee(basis.perp.0))
        .and_then(|both| both.checked_mul(Decimal::TWO));
    let gained = ratio(params.entry_basis).checked_sub(ratio(params.exit_basis));
    let days =
        Decimal::from(params.carry_horizon.0).checked_div(Decimal::from(HOUR.0.saturating_mul(24)));
    let carry = || {
        // Funding is paid three times a day, normalised to 8 h.
        let funding = Decimal::new(params.min_funding_8h_ppb, 9).checked_mul(Decimal::from(3))?;
        let once = gained?.checked_sub(round_trip?)?;
        funding.checked_add(once.checked_div(days?)?)
    };
    let needs = || {
        let least = ratio(params.min_net_carry_per_day).checked_mul(days?)?;
        round_trip?.checked_add(least)
    };
    let name = format!(
        "{}:{} against {}:{}, in and out",
        ground.venue(basis.spot.0),
        basis.spot.1,
        ground.venue(basis.perp.0),
        basis.perp.1
    );
    let least = ratio(params.min_net_carry_per_day);
    let (carry, needs) = (carry(), needs());
    let left = carry.and_then(|carry| carry.checked_sub(least));
    let cells = cells(
        settings,
        &name,
        [round_trip, Some(least), needs, None, None, left],
    );
    let row = Row::good(cells);
    if !least.is_sign_positive() || least.is_zero() {
        return row.say(
            Verdict::Refused,
            "min_net_carry_bps_day is not above zero: it would hold pairs that cost more than they pay",
            "write at least 0.01",
        );
    }
    match (left, carry, days, round_trip, gained) {
        (Some(left), Some(carry), Some(days), Some(paid), Some(gained))
            if left.is_sign_negative() =>
        {
            let per_day = least.checked_sub(
                gained
                    .checked_sub(paid)
                    .and_then(|once| once.checked_div(days))
                    .unwrap_or_default(),
            );
            let funding = per_day.and_then(|per_day| per_day.checked_div(Decimal::from(3)));
            row.say(
                Verdict::Note,
                format!(
                    "at its own thresholds (entry, exit and funding) a pair carries {} bps a day, below the {} it wants: it waits for a wider basis, or funding of {} bps per 8 h",
                    bps(Some(carry)),
                    bps(Some(least)),
                    bps(funding)
                ),
                "nothing to do if that is meant; else raise entry_basis_bps or carry_horizon_h",
            )
        }
        _ => row,
    }
}
