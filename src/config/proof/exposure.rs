//! What all strategies together may come to hold, against the risk officer's limits.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::config::strategies::{StrategyKind, StrategySettings};
use crate::market::VenueId;
use crate::strategy::Strategy;
use crate::units::Asset;

use super::{Ground, Row, Sheet, Verdict, amount};

/// Largest and summed values of one scope, in the reporting currency.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    /// Largest that one set adds.
    one_set: Decimal,
    /// All that strategies may hold by their own limits.
    all: Decimal,
}

impl Load {
    fn add(&mut self, one_set: Decimal, held: Decimal) {
        self.one_set = self.one_set.max(one_set);
        self.all = self.all.saturating_add(held);
    }
}

/// Everything that is summed.
#[derive(Debug, Default)]
struct Sums {
    symbols: BTreeMap<(Asset, Asset), Load>,
    venues: BTreeMap<VenueId, Load>,
    assets: BTreeMap<Asset, Load>,
    gross: Load,
    net: Load,
    unpriced: Vec<String>,
}

fn sums(ground: &Ground<'_>) -> Sums {
    let mut sums = Sums::default();
    for (settings, built) in ground.strategies() {
        let (Some(leg), Some(held)) = (ground.largest_leg(settings), held(ground, settings)) else {
            sums.unpriced.push(settings.id.clone());
            continue;
        };
        let legs = legs(built);
        let open = Decimal::from(settings.common().max_open_sets);
        let in_flight = leg.saturating_mul(open);
        // What a set leaves if every leg fills: on the books of each instrument up to what the strategy may build up there.
        let mut venues: BTreeMap<VenueId, Decimal> = BTreeMap::new();
        let mut symbols: BTreeMap<(Asset, Asset), Decimal> = BTreeMap::new();
        let mut bases: Vec<Asset> = Vec::new();
        for instrument in ground.traded(built) {
            let each = held.saturating_add(in_flight);
            sums.gross.all = sums.gross.all.saturating_add(each);
            let symbol = (instrument.symbol.base, instrument.symbol.quote);
            for sum in [
                venues.entry(instrument.venue).or_default(),
                symbols.entry(symbol).or_default(),
            ] {
                *sum = sum.saturating_add(each);
            }
            if !bases.contains(&instrument.symbol.base) {
                bases.push(instrument.symbol.base);
            }
        }
        for (venue, held) in venues {
            sums.venues.entry(venue).or_default().add(leg, held);
        }
        let both = leg.saturating_mul(Decimal::from(legs.min(2)));
        for (symbol, held) in symbols {
            sums.symbols.entry(symbol).or_default().add(both, held);
        }
        // Net: the legs of a set cancel out, so what counts is one leg of every open set.
        for base in bases {
            sums.assets.entry(base).or_default().add(leg, in_flight);
        }
        let all = leg.saturating_mul(Decimal::from(legs));
        sums.gross.one_set = sums.gross.one_set.max(all);
        sums.net.add(leg, in_flight);
    }
    sums
}

fn legs(built: &dyn Strategy) -> usize {
    let all = built.routes().map(|(route, _)| route.legs().count());
    all.max().unwrap_or(2)
}

/// What a strategy may come to hold at one instrument by its own limits, in the reporting currency.
fn held(ground: &Ground<'_>, settings: &StrategySettings) -> Option<Decimal> {
    match &settings.kind {
        StrategyKind::CrossExchange(cross) => cross
            .max_inventory_quote
            .checked_mul(ground.value(cross.symbol.quote)?),
        StrategyKind::Triangular(_) => Some(Decimal::ZERO),
        StrategyKind::SpotPerpBasis(basis) => basis
            .params
            .max_position
            .0
            .checked_mul(ground.value(basis.spot.1.quote)?),
    }
}

pub(super) fn sheet(ground: &Ground<'_>) -> Sheet {
    let sums = sums(ground);
    let limits = ground.limits;
    let mut rows = Vec::new();
    for ((base, quote), load) in &sums.symbols {
        let scope = format!("{base}/{quote}, all venues");
        let key = "notional_usd_max.symbol";
        rows.push(row(key, &scope, limits.notional_usd_max_symbol, *load));
    }
    for (venue, load) in &sums.venues {
        let key = "notional_usd_max.venue";
        let scope = ground.venue(*venue);
        rows.push(row(key, scope, limits.notional_usd_max_venue, *load));
    }
    for (asset, load) in &sums.assets {
        let key = "notional_usd_max.asset_net";
        let scope = asset.to_string();
        rows.push(row(key, &scope, limits.notional_usd_max_asset_net, *load));
    }
    let gross = limits.notional_usd_max_gross;
    rows.push(row("notional_usd_max.gross", "all", gross, sums.gross));
    let net = limits.notional_usd_max_net;
    rows.push(row("notional_usd_max.net", "all", net, sums.net));
    for strategy in &sums.unpriced {
        let cells = vec![
            "?".to_owned(),
            strategy.clone(),
            "?".into(),
            "?".into(),
            "?".into(),
            "?".into(),
        ];
        rows.push(Row::good(cells).say(
            Verdict::Note,
            format!("{strategy} is left out: the price of its assets is not known"),
            "give it with --price ASSET=AMOUNT",
        ));
    }
    Sheet {
        title: "Worst-case exposure",
        note: "in the reporting currency. one set = the largest of any strategy; all = every strategy at its own limits, with all its open \
               sets at full size on top. Net counts one leg of every open set.",
        columns: vec!["limit", "scope", "allows", "one set", "all", "used"],
        rows,
    }
}

fn row(key: &str, scope: &str, limit: Decimal, load: Load) -> Row {
    let percent = load
        .all
        .saturating_mul(Decimal::ONE_HUNDRED)
        .checked_div(limit);
    let used = percent.map_or_else(|| "?".to_owned(), |used| format!("{}%", used.round_dp(0)));
    let [allows, one, all] = [limit, load.one_set, load.all].map(|value| amount(Some(value)));
    let row = Row::good(vec![
        key.to_owned(),
        scope.to_owned(),
        allows.clone(),
        one.clone(),
        all.clone(),
        used,
    ]);
    if load.one_set > limit {
        row.say(
            Verdict::Refused,
            format!("one set of full size holds {one} in {scope}, and the limit is {allows}: it would be refused every time"),
            format!("lower the largest order, or ask risk to raise {key}"),
        )
    } else if load.all > limit {
        row.say(
            Verdict::Note,
            format!("strategies may together want {all} in {scope}, and the limit is {allows}: risk refuses sets before the strategies stop by themselves"),
            "nothing to do if that is meant; else lower their sizes, or ask risk to raise it",
        )
    } else {
        row
    }
}
