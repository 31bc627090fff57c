//! A world from the configuration: what `arbalest simulate` runs.

use std::path::Path;

use secrecy::SecretString;

use crate::config::Settings;
use crate::config::assemble::{AssembleError, Assembly};
use crate::config::settings::VenueSettings;
use crate::exchanges::feed::FeedOptions;
use crate::exchanges::gateway::GatewayOptions;
use crate::exchanges::rules::{RuleBook, RulesError};
use crate::exchanges::secret::{Credentials, KeyKind, SecretError};
use crate::exchanges::{Dialect, Method};
use crate::execution::DeskParams;
use crate::market::{Catalogue, InstrumentKind, VenueId};
use crate::sim::build::{model_setup, venue_setup};
use crate::sim::recording::RecordingError;
use crate::sim::tape::{
    MarketModel, ModelParams, Pace, RecordedSource, RecordedTape, RecordedVenue, Recordings,
    recordings_in,
};
use crate::sim::venue::{HttpRequest, VenueCore, VenueSetup};
use crate::units::{Nanos, Qty, UnixNanos};

use super::{LEAD, PlannedFault, World, WorldError, WorldReport, WorldSetup, WorldVenue};

/// When a market from a seed begins: 2023-11-14 22:13:20 UTC.
const MODEL_START: UnixNanos = UnixNanos(1_700_000_000_000_000_000);
/// Key and secret at the world's own venues.
const KEY: (&str, &str) = ("simulated-key", "simulated-secret");

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct SimulateOptions<'a> {
    /// Seed of the market and of every jitter.
    pub seed: u64,
    /// How much market time, at most.
    pub span: Nanos,
    /// Play the recordings of this directory instead of the model.
    pub recording: Option<&'a Path>,
    /// How lively the model is.
    pub model: ModelParams,
}

/// Why a simulation did not run (to its end).
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Configuration and venues do not fit.
    #[error("{0}")]
    Assemble(#[from] AssembleError),
    /// A venue's rules cannot be used.
    #[error("venue {venue}: {error}")]
    Rules {
        /// Venue instance.
        venue: String,
        /// What is wrong.
        error: RulesError,
    },
    /// A key cannot be made.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// The engine cannot be made.
    #[error("{0}")]
    World(#[from] WorldError),
    /// A recording cannot be read, or broke off.
    #[error("{0}")]
    Recording(#[from] RecordingError),
    /// The directory cannot be read.
    #[error("recordings in {path}: {error}")]
    Directory {
        /// Which.
        path: String,
        /// The system's word.
        error: std::io::Error,
    },
    /// The configuration has no such thing.
    #[error("the configuration has no {what} {name}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// No file in it fits a configured venue.
    #[error("no recording in {path} fits a configured venue and symbol{left_out}")]
    NothingToPlay {
        /// Which directory.
        path: String,
        /// Files left out and why.
        left_out: String,
    },
}

/// Runs the configured engine against its venues in virtual time.
///
/// # Errors
/// [`SimulateError`]; a recording that breaks off is an error after everything before it was played.
pub fn simulate(
    settings: &Settings,
    options: &SimulateOptions<'_>,
) -> Result<WorldReport, SimulateError> {
    simulate_faulty(settings, options, Vec::new())
}

/// The same, with venues that misbehave.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_faulty(
    settings: &Settings,
    options: &SimulateOptions<'_>,
    faults: Vec<PlannedFault>,
) -> Result<WorldReport, SimulateError> {
    let venues: Vec<VenueSetup> = settings
        .venues()
        .iter()
        .zip(1_u64..)
        .map(|(venue, number)| {
            venue_setup(
                venue,
                KEY.0,
                KEY.1,
                options.seed.wrapping_mul(1_000).wrapping_add(number),
            )
        })
        .collect();
    let Some(dir) = options.recording else {
        let mut setup = world_setup(settings, venues.clone(), options.seed, MODEL_START)?;
        setup.faults = faults;
        let market = model_setup(
            settings.venues(),
            &venues,
            options.model,
            options.seed,
            MODEL_START,
        );
        return Ok(World::new(setup)?.run(&mut MarketModel::new(&market), options.span));
    };
    let found = recordings_in(dir).map_err(|error| SimulateError::Directory {
        path: dir.display().to_string(),
        error,
    })?;
    let played: Vec<Played> = venues
        .iter()
        .enumerate()
        .map(|(index, venue)| Played::on(index, venue, &found))
        .collect();
    let sources: Vec<RecordedSource> = played
        .iter()
        .flat_map(|played| played.sources.clone())
        .collect();
    if sources.is_empty() {
        let reasons = found
            .left_out
            .iter()
            .map(|(path, reason)| format!("\n  {}: {reason}", path.display()));
        return Err(SimulateError::NothingToPlay {
            path: dir.display().to_string(),
            left_out: reasons.collect(),
        });
    }
    let mut tape = RecordedTape::open(sources, Pace::RECORDED)?;
    let start = UnixNanos(tape.origin().0.saturating_sub_unsigned(LEAD.0));
    let mut setup = world_setup(settings, venues, options.seed, start)?;
    setup.faults = faults;
    for (venue, played) in setup.venues.iter_mut().zip(&played) {
        venue.is_recorded = !played.sources.is_empty();
        if let Some(speed) = &played.depth_speed {
            venue.feed.depth_speed.clone_from(speed);
        }
    }
    let mut report = World::new(setup)?.run(&mut tape, options.span);
    for (path, reason) in &found.left_out {
        report
            .summary
            .remarks
            .push(format!("left out {}: {reason}", path.display()));
    }
    tape.take_failure()
        .map_or(Ok(report), |error| Err(error.into()))
}

/// What of a directory is played on one venue.
struct Played {
    sources: Vec<RecordedSource>,
    /// Depth interval of the recorded streams, such as `0ms`.
    depth_speed: Option<String>,
}

impl Played {
    /// Every file of the venue's dialect that has one of its symbols.
    fn on(index: usize, venue: &VenueSetup, found: &Recordings) -> Self {
        let kind = match venue.dialect {
            Dialect::BinanceSpot => RecordedVenue::Spot,
            Dialect::BinanceUsdm => RecordedVenue::Usdm,
        };
        let (mut sources, mut depth_speed) = (Vec::new(), None);
        for file in found.of(kind) {
            let known = venue.symbols.iter().map(|symbol| symbol.native.clone());
            let symbols: Vec<(String, usize)> = known
                .zip(0..)
                .filter(|(native, _)| file.natives.contains(native))
                .collect();
            if !symbols.is_empty() {
                depth_speed = depth_speed.or_else(|| file.depth_speed.clone());
                sources.push(RecordedSource {
                    path: file.path.clone(),
                    venue: index,
                    symbols,
                });
            }
        }
        Self {
            sources,
            depth_speed,
        }
    }
}

/// The engine of a configuration over the given simulated venues (by venue id, our account first).
///
/// # Errors
/// [`SimulateError`] when configuration and venues do not fit.
pub fn world_setup(
    settings: &Settings,
    venues: Vec<VenueSetup>,
    seed: u64,
    start: UnixNanos,
) -> Result<WorldSetup, SimulateError> {
    let books = books_of(settings, &venues, start)?;
    let assembly = Assembly::new(settings, &books)?;
    let available = available_at_start(&assembly.catalogue, &venues);
    let hot = assembly.hot_setup(settings, Vec::new(), available)?;
    let mut members = Vec::with_capacity(venues.len());
    for (index, core) in (0_u64..).zip(venues) {
        let account = core.accounts.first();
        let (key, secret) = account.map_or(KEY, |account| {
            (account.api_key.as_str(), account.api_secret.as_str())
        });
        let credentials = Credentials::new(
            KeyKind::HmacSha256,
            SecretString::from(key),
            &SecretString::from(secret),
        )?;
        let jitter = seed.wrapping_mul(100).wrapping_add(index);
        let feed = FeedOptions {
            seed: jitter,
            ..FeedOptions::default()
        };
        let gateway = GatewayOptions {
            seed: jitter,
            ..GatewayOptions::default()
        };
        members.push(WorldVenue {
            core,
            credentials,
            feed,
            gateway,
            is_recorded: false,
        });
    }
    Ok(WorldSetup {
        venues: members,
        hot,
        desk: DeskParams::default(),
        leg_budgets: settings.leg_budgets(),
        node: settings.engine.node,
        seed,
        faults: Vec::new(),
        commands: Vec::new(),
        end_after: None,
        start,
    })
}

/// The rules that a simulated venue of each configured one tells, by venue id. Where a configured venue is not simulated they are
/// only what is usual there.
///
/// # Errors
/// [`SimulateError::Rules`] when a venue's rules cannot be used.
pub fn usual_rules(settings: &Settings) -> Result<Vec<RuleBook>, SimulateError> {
    let venues = settings.venues().iter();
    let venues: Vec<VenueSetup> = venues
        .map(|venue| venue_setup(venue, KEY.0, KEY.1, 0))
        .collect();
    books_of(settings, &venues, MODEL_START)
}

fn books_of(
    settings: &Settings,
    venues: &[VenueSetup],
    now: UnixNanos,
) -> Result<Vec<RuleBook>, SimulateError> {
    let book = |(configured, venue): (&VenueSettings, &VenueSetup)| {
        rule_book(venue, now).map_err(|error| SimulateError::Rules {
            venue: configured.id.clone(),
            error,
        })
    };
    settings.venues().iter().zip(venues).map(book).collect()
}

/// The rules as the venue itself tells them.
fn rule_book(venue: &VenueSetup, now: UnixNanos) -> Result<RuleBook, RulesError> {
    let natives: Vec<&str> = venue
        .symbols
        .iter()
        .map(|symbol| symbol.native.as_str())
        .collect();
    let target = RuleBook::target(venue.dialect, &natives);
    let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
    let request = HttpRequest {
        method: Method::Get,
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::new(),
        api_key: None,
    };
    let reply = VenueCore::new(venue.clone(), now).http(&request, now);
    RuleBook::parse(venue.dialect, reply.body.as_bytes())
}

/// Base units that each spot instrument can sell at the start.
fn available_at_start(catalogue: &Catalogue, venues: &[VenueSetup]) -> Vec<Qty> {
    let mut available = Vec::with_capacity(catalogue.all().len());
    for instrument in catalogue.all() {
        let VenueId(venue) = instrument.venue;
        let account = venues
            .get(usize::from(venue))
            .and_then(|venue| venue.accounts.first());
        let balance = account.and_then(|account| {
            let base = account
                .balances
                .iter()
                .find(|(asset, _)| *asset == instrument.symbol.base);
            base.map(|(_, amount)| crate::sim::checker::decimal(*amount))
        });
        let spot = instrument.kind() == InstrumentKind::Spot;
        let qty = balance
            .filter(|_| spot)
            .and_then(|balance| instrument.grid.qty_floor(balance));
        available.push(qty.unwrap_or_default());
    }
    available
}
