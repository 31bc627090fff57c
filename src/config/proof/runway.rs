//! How many sets the balances of a venue last, when the market always wants the same direction.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::config::strategies::{StrategyKind, StrategySettings};
use crate::market::{Instrument, InstrumentKind, VenueId};
use crate::strategy::{BasisDirection, Route, Strategy};
use crate::units::{Asset, Side};

use super::{Ground, Row, Sheet, Verdict, amount, price_cure};

/// Fewer sets than this are told where the strategy does not say itself.
const SETS_FEW: u32 = 5;

/// How far one asset at one venue goes for one strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runway {
    /// Strategy.
    pub strategy: String,
    /// Where.
    pub venue: VenueId,
    /// What.
    pub asset: Asset,
    /// Free of it; `None` when nobody knows.
    pub free: Option<Decimal>,
    /// What one set of full size takes of it at most; `None` when the price is not known.
    pub per_set: Option<Decimal>,
    /// Whole sets.
    pub sets: Option<u64>,
    /// Fewer are worth a warning.
    pub sets_few: u32,
}

/// What a leg of full size takes: of which asset, how much.
fn taken(
    ground: &Ground<'_>,
    settings: &StrategySettings,
    instrument: &Instrument,
    side: Side,
) -> (Asset, Option<Decimal>) {
    let value = ground.largest_leg(settings);
    let of = |asset: Asset| value.and_then(|value| value.checked_div(ground.value(asset)?));
    if instrument.kind() != InstrumentKind::Spot {
        let margin = instrument.settlement();
        let leverage = match &settings.kind {
            StrategyKind::SpotPerpBasis(basis) => basis.params.leverage,
            StrategyKind::CrossExchange(_) | StrategyKind::Triangular(_) => 1,
        };
        let needed = of(margin).and_then(|value| value.checked_div(Decimal::from(leverage)));
        return (margin, needed);
    }
    let asset = match side {
        Side::Buy => instrument.symbol.quote,
        Side::Sell => instrument.symbol.base,
    };
    (asset, of(asset))
}

/// What a set needs to be there before it begins: of a cycle that is its first leg only.
fn legs_needed<'a>(
    settings: &StrategySettings,
    route: &'a Route,
) -> impl Iterator<Item = (crate::market::InstrumentId, Side)> + 'a {
    let only_first = matches!(settings.kind, StrategyKind::Triangular(_));
    let count = if only_first { 1 } else { usize::MAX };
    route.legs().take(count)
}

/// True for the spot leg that takes a pair off: it trades what the entry brought, so nothing need be there before.
fn is_exit(settings: &StrategySettings, instrument: &Instrument, side: Side) -> bool {
    let StrategyKind::SpotPerpBasis(basis) = &settings.kind else {
        return false;
    };
    let exit = match basis.params.direction {
        BasisDirection::ShortPerp => Side::Sell,
        BasisDirection::LongPerp => Side::Buy,
        BasisDirection::Both => return false,
    };
    instrument.kind() == InstrumentKind::Spot && side == exit
}

/// Every asset that a strategy spends, at every venue.
#[must_use]
pub fn runways(ground: &Ground<'_>) -> Vec<Runway> {
    let mut all = Vec::new();
    for (settings, built) in ground.strategies() {
        all.extend(of_strategy(ground, settings, built).into_values());
    }
    all
}

fn of_strategy(
    ground: &Ground<'_>,
    settings: &StrategySettings,
    built: &dyn Strategy,
) -> BTreeMap<(VenueId, Asset), Runway> {
    let sets_few = match &settings.kind {
        StrategyKind::CrossExchange(cross) => cross.min_runway_sets,
        StrategyKind::Triangular(_) | StrategyKind::SpotPerpBasis(_) => SETS_FEW,
    };
    let mut found: BTreeMap<(VenueId, Asset), Runway> = BTreeMap::new();
    for (route, _) in built.routes() {
        for (id, side) in legs_needed(settings, &route) {
            let known = ground.catalogue.get(id);
            let Some(instrument) = known.filter(|one| !is_exit(settings, one, side)) else {
                continue;
            };
            let (asset, per_set) = taken(ground, settings, instrument, side);
            let venue = instrument.venue;
            let known = ground.balances.get(venue.index()).and_then(Option::as_ref);
            let free = known.map(|held| held.get(&asset).copied().unwrap_or_default());
            let sets = || {
                let per_set = per_set.filter(|amount| !amount.is_zero())?;
                u64::try_from(free?.checked_div(per_set)?.trunc()).ok()
            };
            let runway = Runway {
                strategy: settings.id.clone(),
                venue,
                asset,
                free,
                per_set,
                sets: sets(),
                sets_few,
            };
            let entry = found
                .entry((venue, asset))
                .or_insert_with(|| runway.clone());
            if runway.per_set > entry.per_set {
                *entry = runway;
            }
        }
    }
    found
}

/// True when every route of the strategy lacks something from the start.
fn is_stuck(ground: &Ground<'_>, settings: &StrategySettings, built: &dyn Strategy) -> bool {
    let own = of_strategy(ground, settings, built);
    let lacks = |(id, side): (crate::market::InstrumentId, Side)| {
        let Some(instrument) = ground.catalogue.get(id) else {
            return false;
        };
        let (asset, _) = taken(ground, settings, instrument, side);
        let runway = own.get(&(instrument.venue, asset));
        runway.is_some_and(|runway| runway.free.is_some_and(|free| free.is_zero()))
    };
    let mut routes = built.routes().peekable();
    routes.peek().is_some() && routes.all(|(route, _)| legs_needed(settings, &route).any(&lacks))
}

pub(super) fn sheet(ground: &Ground<'_>) -> Sheet {
    let mut rows = Vec::new();
    for (settings, built) in ground.strategies() {
        let stuck = is_stuck(ground, settings, built);
        for runway in of_strategy(ground, settings, built).into_values() {
            rows.push(row(ground, &runway, stuck));
        }
    }
    Sheet {
        title: "Inventory runway",
        note: "sets of full size until an asset is used up, if the market always wanted the same direction. Perpetuals take margin.",
        columns: vec!["strategy", "venue", "asset", "free", "a set takes", "sets"],
        rows,
    }
}

fn row(ground: &Ground<'_>, runway: &Runway, stuck: bool) -> Row {
    let venue = ground.venue(runway.venue);
    let asset = runway.asset;
    let row = Row::good(vec![
        runway.strategy.clone(),
        venue.to_owned(),
        asset.to_string(),
        amount(runway.free),
        amount(runway.per_set),
        runway
            .sets
            .map_or_else(|| "?".to_owned(), |sets| sets.to_string()),
    ]);
    if runway.free.is_none() {
        return row.say(
            Verdict::Note,
            format!("what {venue} holds is not known before the engine runs"),
            "with an engine running: arbalest inventory",
        );
    }
    if runway.per_set.is_none() {
        return row.say(Verdict::Note, "the price is not known", price_cure(asset));
    }
    let sets = runway.sets.unwrap_or_default();
    if stuck && runway.free.is_some_and(|free| free.is_zero()) {
        row.say(
            Verdict::Refused,
            format!("{venue} holds no {asset}, and no other route of the strategy can begin either: nothing could ever be traded"),
            format!("give {venue} some {asset}"),
        )
    } else if sets < u64::from(runway.sets_few) {
        row.say(
            Verdict::Note,
            format!("{venue} has {asset} for {sets} sets of full size in one direction: then sets shrink, and routes that spend it stop"),
            format!("move {asset} to {venue}, or lower the largest order"),
        )
    } else {
        row
    }
}
