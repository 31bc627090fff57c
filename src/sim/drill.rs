//! A rehearsal of flattening: positions are built on the simulated venues, a scope is raised to K3, and everything that
//! follows is measured. The rooms are those that trade live; time is virtual, so equal seeds give equal results.

use crate::config::Settings;
use crate::market::{Catalogue, Instrument, Symbol, VenueId};
use crate::prng::Prng;
use crate::risk::{KillLevel, OperatorCommand, Person, Role, Scope};
use crate::sim::build::{model_setup, venue_setup};
use crate::sim::tape::{MarketModel, ModelParams};
use crate::sim::venue::{Fault, LatencySetup, VenueSetup};
use crate::sim::world::{
    PlannedCommand, PlannedFault, SimulateError, World, WorldReport, WorldSetup, world_setup,
};
use crate::units::{Nanos, Side, UnixNanos};

mod faults;
mod positions;
mod report;

pub use faults::{DrillFault, FAULTS};
use faults::{Kind, plan_fault};
use positions::positions;
use report::summarize;
pub use report::{DrillLeg, DrillReport};

/// When the rehearsal's market begins: 2023-11-14 22:13:20 UTC.
const START: UnixNanos = UnixNanos(1_700_000_000_000_000_000);
/// When positions are built, after the engine's start.
const BUILT_AT: Nanos = Nanos::from_millis(2_000);
/// When K3 is raised.
const RAISED_AT: Nanos = Nanos::from_millis(4_000);
/// When the first planned faults begin: just before, so that they meet the first children.
const FAULTS_AT: Nanos = Nanos::from_millis(3_900);

/// The rehearsal ends this long after the last close did, so that late faults are seen.
const QUIET: Nanos = Nanos::from_secs(2);

/// What is flattened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrillScope {
    /// Everything.
    Portfolio,
    /// One venue instance, by name.
    Venue(String),
    /// One symbol at all venues.
    Symbol(Symbol),
}

/// What to rehearse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillOptions {
    /// Of the market, the positions and every jitter.
    pub seed: u64,
    /// What is flattened.
    pub scope: DrillScope,
    /// What the venues do wrong meanwhile; see [`FAULTS`].
    pub faults: Vec<&'static DrillFault>,
    /// Longest time from K3 to the end, in market time.
    pub span: Nanos,
    /// Let the strategies trade until K3, so that orders are out when it comes.
    pub trading: bool,
    /// Time on the way to and from the venues, each way; `None`: as configured.
    pub latency: Option<Nanos>,
    /// How lively the market is.
    pub model: ModelParams,
}

/// Rehearses.
///
/// # Errors
/// [`SimulateError`] when the configuration cannot be simulated.
pub fn rehearse(
    settings: &Settings,
    options: &DrillOptions,
) -> Result<(DrillReport, WorldReport), SimulateError> {
    let venues: Vec<VenueSetup> = settings
        .venues()
        .iter()
        .zip(1_u64..)
        .map(|(venue, number)| {
            let seed = options.seed.wrapping_mul(1_000).wrapping_add(number);
            let mut setup = venue_setup(venue, "simulated-key", "simulated-secret", seed);
            if let Some(way) = options.latency {
                setup.latency = LatencySetup {
                    order_entry: way,
                    response: way,
                    market_data: way,
                    jitter: way,
                };
            }
            setup
        })
        .collect();
    let mut setup = world_setup(settings, venues.clone(), options.seed, START)?;
    let races = |fault: &&DrillFault| fault.kind == Kind::CancelRace;
    let trading = options.trading || options.faults.iter().any(races);
    if !trading {
        setup.hot.may_send.fill(false);
    }
    setup.end_after = Some(QUIET);
    plan(&mut setup, options)?;
    let market = model_setup(
        settings.venues(),
        &venues,
        options.model,
        options.seed,
        START,
    );
    let span = Nanos(RAISED_AT.0.saturating_add(options.span.0));
    let report = World::new(setup)?.run(&mut MarketModel::new(&market), span);
    Ok((summarize(options, &report), report))
}

/// Positions, faults and the command.
fn plan(setup: &mut WorldSetup, options: &DrillOptions) -> Result<(), SimulateError> {
    let catalogue = std::sync::Arc::clone(&setup.hot.catalogue);
    let mut prng = Prng::new(options.seed).fork("drill");
    let scope = match &options.scope {
        DrillScope::Portfolio => Scope::Portfolio,
        DrillScope::Symbol(symbol) => Scope::Symbol(*symbol),
        DrillScope::Venue(name) => {
            let index = catalogue
                .venue_names()
                .iter()
                .position(|known| known == name);
            let venue = index.and_then(|index| u8::try_from(index).ok());
            Scope::Venue(VenueId(venue.ok_or_else(|| SimulateError::Unknown {
                what: "venue",
                name: name.clone(),
            })?))
        }
    };
    let covered = |one: &Instrument| match scope {
        Scope::Venue(venue) => one.venue == venue,
        Scope::Symbol(symbol) => one.symbol == symbol,
        Scope::Portfolio | Scope::Asset(_) | Scope::Instrument(_) | Scope::Strategy(_) => true,
    };
    for (instrument, signed) in positions(setup, &catalogue, covered, &mut prng) {
        let Some(symbol) = symbol_index(&catalogue, instrument) else {
            continue;
        };
        let side = if signed.0 > 0 { Side::Buy } else { Side::Sell };
        let fault = Fault::PositionPush {
            account: 0,
            symbol,
            side,
            qty: signed.abs(),
            price: None,
        };
        setup.faults.push(PlannedFault {
            at: BUILT_AT,
            venue: instrument.venue,
            fault,
        });
    }
    for fault in &options.faults {
        for (venue, setup_of) in (0_u8..).map(VenueId).zip(&setup.venues) {
            let derivative = setup_of.core.dialect == crate::exchanges::Dialect::BinanceUsdm;
            for _ in 0..prng.between(1, 4) {
                plan_fault(fault.kind, venue, derivative, &mut prng, &mut setup.faults);
            }
        }
    }
    setup.commands.push(PlannedCommand {
        at: RAISED_AT,
        command: OperatorCommand::Raise {
            scope,
            level: KillLevel::Flatten,
            by: Person::new("drill", Role::RiskOfficer),
            reason: "rehearsal".to_owned(),
        },
    });
    Ok(())
}

fn symbol_index(catalogue: &Catalogue, instrument: &Instrument) -> Option<usize> {
    catalogue
        .at_venue(instrument.venue)
        .position(|other| other.id == instrument.id)
}
