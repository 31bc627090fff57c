//! `arbalest inventory`: how many sets the balances last, and what to move where. It advises; it transfers nothing.

use std::path::PathBuf;

use rust_decimal::Decimal;
use serde_json::json;

use crate::config::Settings;
use crate::config::proof::Ground;
use crate::config::proof::advice::{Proposal, Stock, proposals, stocks};
use crate::market::VenueId;
use crate::units::{Asset, Nanos};

use super::check::ground::{Base, GroundArgs, balance};
use super::options::settings;
use super::sheet::table;
use super::{CliError, print_json, print_text};

/// How many sets of full size the balances of each venue last, and which transfers would even them. Advises only.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = "Examples:\n  arbalest inventory --config config\n  \
    arbalest inventory --config live --price BTC=60000 --balance binance:BTC=0.02 --balance kraken:BTC=1.4\n  \
    arbalest inventory --config live --balance binance:BTC=0.02 --in-transit binance:BTC=0.5 --json\n\n\
    Balances are those that venues.toml declares for simulated venues, and yours. Fees and times of transfers are declared in\n\
    venues.toml: withdraw_fees, withdraw_time_s. Nothing is ever transferred.\n\n\
    Exit codes: 0 done, 2 wrong usage or configuration.")]
pub struct InventoryArgs {
    /// Configuration directory; without it the built-in one
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// What is known better than venues.toml knows it.
    #[command(flatten)]
    pub ground: GroundArgs,
    /// On its way to a venue and gone from the other, e.g. binance:BTC=0.5; counted as there. May be repeated
    #[arg(long = "in-transit", value_name = "VENUE:ASSET=AMOUNT", value_parser = balance)]
    pub in_transit: Vec<(String, Asset, Decimal)>,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 when the configuration or an argument is wrong.
pub fn run(args: &InventoryArgs) -> Result<(), CliError> {
    let settings = settings(args.config.as_deref(), false)?;
    let base = Base::new(&settings, &args.ground)?;
    let mut ground = base.ground(&settings);
    let mut moving: Vec<(VenueId, Asset, Decimal)> = Vec::new();
    for (name, asset, amount) in &args.in_transit {
        let index = settings.venues().iter().position(|venue| venue.id == *name);
        let id = index
            .and_then(|index| u8::try_from(index).ok())
            .map(VenueId);
        let slot = id.and_then(|id| ground.balances.get_mut(id.index()));
        let (Some(id), Some(slot)) = (id, slot) else {
            return Err(CliError::usage(format!(
                "{name} is not a venue of venues.toml"
            )));
        };
        let held = slot.get_or_insert_default().entry(*asset).or_default();
        *held = held.saturating_add(*amount);
        moving.push((id, *asset, *amount));
    }
    let (stocks, proposals) = (stocks(&ground), proposals(&ground));
    if args.json {
        return print_json(&as_json(&ground, &stocks, &proposals, &moving));
    }
    print_text(&text(&settings, &ground, &stocks, &proposals, &moving));
    Ok(())
}

fn moving_to(moving: &[(VenueId, Asset, Decimal)], stock: &Stock) -> Decimal {
    let here = moving
        .iter()
        .filter(|(venue, asset, _)| *venue == stock.venue && *asset == stock.asset);
    here.fold(Decimal::ZERO, |sum, (_, _, amount)| {
        sum.saturating_add(*amount)
    })
}

fn shown(amount: Decimal) -> String {
    amount.round_dp(6).normalize().to_string()
}

fn span(time: Option<Nanos>) -> String {
    time.map_or_else(
        || "unknown".to_owned(),
        |time| format!("{} s", time.floor_millis().div_euclid(1_000)),
    )
}

fn text(
    settings: &Settings,
    ground: &Ground<'_>,
    stocks: &[Stock],
    proposals: &[Proposal],
    moving: &[(VenueId, Asset, Decimal)],
) -> String {
    let venue = |id: VenueId| ground.catalogue.venue_name(id).to_owned();
    let rows: Vec<Vec<String>> = stocks
        .iter()
        .map(|stock| {
            let sets = stock.sets().unwrap_or_default();
            let is_few = sets < u64::from(stock.sets_few);
            vec![
                stock.asset.to_string(),
                venue(stock.venue),
                shown(stock.free),
                shown(moving_to(moving, stock)),
                shown(stock.per_set),
                sets.to_string(),
                if is_few { "runs dry" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let columns = [
        "asset",
        "venue",
        "free",
        "of it on its way",
        "a set takes",
        "sets",
        "",
    ];
    let mut parts = vec![
        "Inventory runway (sets of full size, if the market always wanted the same direction)"
            .to_owned(),
        table(&columns, &rows),
    ];
    for (id, named) in (0_u8..).map(VenueId).zip(settings.venues()) {
        if ground.balances.get(id.index()).is_some_and(Option::is_none) {
            parts.push(format!(
                "what {0} holds is not known: give it with --balance {0}:ASSET=AMOUNT",
                named.id
            ));
        }
    }
    parts.push(proposed(settings, ground, proposals));
    parts.join("\n\n")
}

/// The proposals, or that there is none.
fn proposed(settings: &Settings, ground: &Ground<'_>, proposals: &[Proposal]) -> String {
    if proposals.is_empty() {
        return "Nothing to propose: no venue runs dry that another could help.".to_owned();
    }
    let venue = |id: VenueId| ground.catalogue.venue_name(id).to_owned();
    let currency = settings.engine.reporting_currency;
    let rows: Vec<Vec<String>> = proposals
        .iter()
        .map(|one| {
            let unknown = || "unknown".to_owned();
            vec![
                venue(one.from),
                venue(one.to),
                one.asset.to_string(),
                shown(one.amount),
                one.fee.map_or_else(unknown, shown),
                one.cost
                    .map_or_else(unknown, |cost| shown(cost.round_dp(2))),
                span(one.time),
                format!("{} -> {}", one.from_sets.0, one.from_sets.1),
                format!("{} -> {}", one.to_sets.0, one.to_sets.1),
                one.paid_back_after_sets
                    .map_or_else(unknown, |sets| format!("{sets} sets")),
            ]
        })
        .collect();
    let cost = format!("cost {currency}");
    let columns = [
        "from",
        "to",
        "asset",
        "amount",
        "fee",
        cost.as_str(),
        "takes",
        "sets there",
        "sets here",
        "paid back after",
    ];
    format!(
        "Proposals (advice: nothing is transferred)\n\n{}",
        table(&columns, &rows)
    )
}

fn as_json(
    ground: &Ground<'_>,
    stocks: &[Stock],
    proposals: &[Proposal],
    moving: &[(VenueId, Asset, Decimal)],
) -> serde_json::Value {
    let venue = |id: VenueId| ground.catalogue.venue_name(id);
    let stocks = stocks.iter().map(|stock| {
        json!({
            "venue": venue(stock.venue),
            "asset": stock.asset.to_string(),
            "free": shown(stock.free),
            "in_transit": shown(moving_to(moving, stock)),
            "per_set": shown(stock.per_set),
            "sets": stock.sets(),
            "sets_few": stock.sets_few,
        })
    });
    let proposals = proposals.iter().map(|one| {
        json!({
            "from": venue(one.from),
            "to": venue(one.to),
            "asset": one.asset.to_string(),
            "amount": shown(one.amount),
            "fee": one.fee.map(shown),
            "cost": one.cost.map(shown),
            "seconds": one.time.map(|time| time.floor_millis().div_euclid(1_000)),
            "from_sets": [one.from_sets.0, one.from_sets.1],
            "to_sets": [one.to_sets.0, one.to_sets.1],
            "paid_back_after_sets": one.paid_back_after_sets,
        })
    });
    json!({
        "runway": stocks.collect::<Vec<_>>(),
        "proposals": proposals.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::Files;

    /// `spot_a` of the default with the given BTC, and the transfer terms of `spot_b`.
    fn advised(args: &[&str], btc: &str) -> (Vec<Stock>, Vec<Proposal>, String) {
        let mut files = Files::embedded();
        files.venues.text = files
            .venues
            .text
            .replacen("BTC = \"3\"", &format!("BTC = \"{btc}\""), 1)
            .replacen(
                "id = \"spot_b\"\n",
                "id = \"spot_b\"\nwithdraw_fees = { BTC = \"0.0002\" }\nwithdraw_time_s = \"30min\"\n",
                1,
            );
        let settings = Settings::from_files(&files).unwrap();
        let base = Base::new(&settings, &GroundArgs::default()).unwrap();
        let mut ground = base.ground(&settings);
        let mut moving = Vec::new();
        for text in args {
            let (_, asset, amount) = balance(text).unwrap();
            let held = ground.balances[0].as_mut().unwrap();
            *held.entry(asset).or_default() += amount;
            moving.push((VenueId(0), asset, amount));
        }
        let (stocks, proposals) = (stocks(&ground), proposals(&ground));
        let text = text(&settings, &ground, &stocks, &proposals, &moving);
        (stocks, proposals, text)
    }

    #[test]
    fn the_venue_that_runs_dry_is_helped_by_the_one_that_lasts_longest() {
        let (_, proposals, text) = advised(&[], "0.05");
        assert_eq!(proposals.len(), 1, "{text}");
        let one = &proposals[0];
        assert_eq!((one.from, one.to), (VenueId(1), VenueId(0)));
        // 3.05 BTC in all, the same size of sets at both: half each.
        assert_eq!(one.amount.to_string(), "1.475");
        assert_eq!(one.fee.unwrap().to_string(), "0.0002");
        assert_eq!(one.cost.unwrap().normalize().to_string(), "12.36");
        assert_eq!(one.time, Some(Nanos::from_secs(1_800)));
        assert_eq!((one.to_sets, one.from_sets), ((1, 47), (92, 47)));
        // 2000 USDT at 1.5 bps earn 0.3 a set.
        assert_eq!(one.paid_back_after_sets, Some(42));
        assert!(
            text.contains("runs dry") && text.contains("1800 s"),
            "{text}"
        );
    }

    #[test]
    fn what_is_on_its_way_counts_as_there() {
        let (stocks, proposals, text) = advised(&["spot_a:BTC=1"], "0.05");
        assert!(proposals.is_empty(), "{text}");
        let btc = stocks
            .iter()
            .find(|stock| stock.venue == VenueId(0) && stock.asset.as_str() == "BTC");
        assert_eq!(btc.unwrap().free.to_string(), "1.05");
        assert!(text.contains("Nothing to propose"), "{text}");
    }
}
