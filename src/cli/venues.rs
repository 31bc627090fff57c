//! The simulated venues that `demo` and `run` start: servers on loopback, their tapes, keys and addresses.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use secrecy::SecretString;

use crate::actors::feed::FullRing;
use crate::actors::system::RunOptions;
use crate::clock::{Clock, OsClock};
use crate::config::settings::{KeySettings, VenueSettings};
use crate::config::{EngineMode, KeySource, Settings};
use crate::exchanges::Dialect;
use crate::exchanges::feed::FeedOptions;
use crate::exchanges::gateway::GatewayOptions;
use crate::exchanges::secret::{Credentials, KeyKind, SecretSource};
use crate::sim::build::{model_setup, venue_setup};
use crate::sim::server::{Pace, VenueServer};
use crate::sim::tape::{
    MarketModel, ModelParams, Pace as TapePace, RecordedSource, RecordedTape, RecordedVenue,
    RecordingFile, Recordings, Tape, recordings_in,
};
use crate::sim::venue::{VenueCore, VenueSetup};

use super::CliError;
use super::options::Speed;
use super::print_note;

/// Key and secret of our account at every simulated venue: they guard nothing.
const SIMULATED_KEY: &str = "arbalest-simulated-key";
const SIMULATED_SECRET: &str = "arbalest-simulated-secret";

/// Running simulated venues, by venue id; `None` for a real one.
#[derive(Debug)]
pub(super) struct Fleet {
    servers: Vec<Option<VenueServer>>,
    /// Depth stream speed that the tape of a venue carries.
    pub(super) depth_speeds: Vec<Option<String>>,
    recorded: bool,
}

impl Fleet {
    /// Venues on the seeded market model.
    pub(super) fn modelled(settings: &Settings, seed: u64) -> Result<Self, CliError> {
        let clock = OsClock::new();
        let start = clock.now_unix();
        let setups = setups(settings, seed);
        let model = model_setup(
            settings.venues(),
            &setups,
            ModelParams::demo(),
            seed,
            // The market is there before the engine looks: an empty book is no answer of a venue.
            start,
        );
        let tapes = MarketModel::split(&model);
        let mut servers = Vec::new();
        for ((venue, setup), tape) in settings.venues().iter().zip(setups).zip(tapes) {
            if venue.simulated {
                let core = VenueCore::new(setup, start);
                servers.push(Some(serve(
                    venue,
                    core,
                    Some(Box::new(tape)),
                    Pace::RealTime,
                )?));
            } else {
                servers.push(None);
            }
        }
        let depth_speeds = vec![None; servers.len()];
        Ok(Self {
            servers,
            depth_speeds,
            recorded: false,
        })
    }

    /// Venues that play the recordings of a directory.
    pub(super) fn recorded(
        settings: &Settings,
        directory: &Path,
        speed: Speed,
        seed: u64,
    ) -> Result<Self, CliError> {
        let found = recordings_in(directory).map_err(|error| {
            CliError::usage(format!(
                "{}: {error}: name a directory with recordings (docs/FORMATS.md)",
                directory.display()
            ))
        })?;
        for (path, reason) in &found.left_out {
            print_note(&format!("left out {}: {reason}", path.display()));
        }
        let start = OsClock::new().now_unix();
        let origin = found
            .files
            .iter()
            .map(|file| file.first_time)
            .min()
            .unwrap_or(start);
        let mut servers = Vec::new();
        let mut depth_speeds = Vec::new();
        for (index, (venue, setup)) in settings
            .venues()
            .iter()
            .zip(setups(settings, seed))
            .enumerate()
        {
            let (sources, speed_text) = sources(index, venue, &setup, &found)?;
            for source in &sources {
                print_note(&format!("{} plays {}", venue.id, source.path.display()));
            }
            let tape = RecordedTape::open(sources, TapePace::RECORDED)
                .map_err(|error| CliError::usage(error.to_string()))?;
            let mut core = VenueCore::new(setup, origin);
            core.expect_recording();
            let pace = match speed {
                Speed::Real => Pace::RealTime,
                Speed::Times(times) => Pace::Times(times),
                Speed::Max => Pace::Max,
            };
            servers.push(Some(serve(venue, core, Some(Box::new(tape)), pace)?));
            depth_speeds.push(speed_text);
        }
        Ok(Self {
            servers,
            depth_speeds,
            recorded: true,
        })
    }

    /// Writes the servers' addresses into the settings.
    pub(super) fn address(&self, settings: &mut Settings) {
        for (venue, server) in settings.venues.iter_mut().zip(&self.servers) {
            if let Some(server) = server {
                venue.rest_url = server.http_url();
                venue.ws_url = server.ws_url();
                venue.ws_api_url = server.ws_url();
            }
        }
    }

    /// True when every recording was played to its end and delivered.
    pub(super) fn is_done(&self) -> bool {
        self.recorded
            && self.servers.iter().flatten().all(|server| {
                let status = server.status();
                status.tape_done && status.messages_waiting == 0
            })
    }

    /// Ends the servers.
    pub(super) fn stop(self) {
        for server in self.servers.into_iter().flatten() {
            server.stop();
        }
    }
}

fn setups(settings: &Settings, seed: u64) -> Vec<VenueSetup> {
    settings
        .venues()
        .iter()
        .map(|venue| venue_setup(venue, SIMULATED_KEY, SIMULATED_SECRET, seed))
        .collect()
}

fn serve(
    venue: &VenueSettings,
    core: VenueCore,
    tape: Option<Box<dyn Tape + Send>>,
    pace: Pace,
) -> Result<VenueServer, CliError> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    VenueServer::start(core, tape, pace, any, any)
        .map_err(|error| CliError::failed(format!("simulated venue {}: {error}", venue.id)))
}

/// The files that a venue can play, and the depth speed in them.
fn sources(
    index: usize,
    venue: &VenueSettings,
    setup: &VenueSetup,
    found: &Recordings,
) -> Result<(Vec<RecordedSource>, Option<String>), CliError> {
    let kind = match venue.dialect {
        Dialect::BinanceSpot => RecordedVenue::Spot,
        Dialect::BinanceUsdm => RecordedVenue::Usdm,
    };
    let known = |file: &RecordingFile| -> Vec<(String, usize)> {
        let named = setup
            .symbols
            .iter()
            .map(|symbol| symbol.native.clone())
            .zip(0..);
        named
            .filter(|(native, _)| file.natives.contains(native))
            .collect()
    };
    let files: Vec<&RecordingFile> = found
        .of(kind)
        .filter(|file| !known(file).is_empty())
        .collect();
    let Some(first) = files.first() else {
        let natives: Vec<&str> = setup
            .symbols
            .iter()
            .map(|symbol| symbol.native.as_str())
            .collect();
        return Err(CliError::usage(format!(
            "venue {}: no {} recording of {} there: change the venue's symbols, or the directory",
            venue.id,
            kind.label(),
            natives.join(", ")
        )));
    };
    let speed = first.depth_speed.clone();
    // A snapshot line names no symbol: a file is given only the symbols it holds.
    let source = |file: &&RecordingFile| RecordedSource {
        path: file.path.clone(),
        venue: index,
        symbols: known(file),
    };
    Ok((files.iter().map(source).collect(), speed))
}

/// Our keys, by venue id: the simulated ones, or read from where the configuration says.
pub(super) fn credentials(settings: &Settings) -> Result<Vec<Option<Credentials>>, CliError> {
    settings.venues().iter().map(credentials_of).collect()
}

fn credentials_of(venue: &VenueSettings) -> Result<Option<Credentials>, CliError> {
    let named = |error: crate::exchanges::secret::SecretError| {
        CliError::usage(format!("venue {}: {error}", venue.id))
    };
    if venue.simulated {
        let key = SecretString::from(SIMULATED_KEY.to_owned());
        let secret = SecretString::from(SIMULATED_SECRET.to_owned());
        return Credentials::new(KeyKind::HmacSha256, key, &secret)
            .map(Some)
            .map_err(named);
    }
    venue
        .keys
        .as_ref()
        .map(|keys| read(venue, keys))
        .transpose()
}

/// The watchdog's keys, by venue id: never the engine's by accident.
pub(super) fn watchdog_credentials(
    settings: &Settings,
) -> Result<Vec<Option<Credentials>>, CliError> {
    let of = |venue: &VenueSettings| {
        if venue.simulated {
            return Err(CliError::usage(format!(
                "venue {} is simulated: it lives in the engine's process and dies with it, there is nothing to watch",
                venue.id
            )));
        }
        let keys = venue.watchdog_keys.as_ref().ok_or_else(|| {
            CliError::usage(format!(
                "venue {} has no keys for the watchdog: write [venue.watchdog_keys] in venues.toml",
                venue.id
            ))
        })?;
        read(venue, keys).map(Some)
    };
    settings.venues().iter().map(of).collect()
}

fn read(venue: &VenueSettings, keys: &KeySettings) -> Result<Credentials, CliError> {
    let source = |source: &KeySource| match source {
        KeySource::Env(name) => SecretSource::Env(name.clone()),
        KeySource::File(path) => SecretSource::File(path.clone()),
    };
    let kind = if keys.ed25519 {
        KeyKind::Ed25519
    } else {
        KeyKind::HmacSha256
    };
    Credentials::load(kind, &source(&keys.api_key), &source(&keys.secret), false)
        .map_err(|error| CliError::usage(format!("venue {}: {error}", venue.id)))
}

/// How to run against these venues.
pub(super) fn run_options(
    seed: u64,
    settings: &Settings,
    depth_speeds: Vec<Option<String>>,
) -> RunOptions {
    RunOptions {
        seed: Some(seed),
        full_ring: FullRing::Gap,
        paper: settings.engine.mode != EngineMode::Live,
        journal_dir: Some(settings.engine.data_dir.clone()),
        store: None,
        alerts: Vec::new(),
        feed: FeedOptions {
            seed,
            ..FeedOptions::default()
        },
        depth_speeds,
        gateway: GatewayOptions {
            seed,
            dead_man: settings.engine.dead_man,
            ..GatewayOptions::default()
        },
    }
}
