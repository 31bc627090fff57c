//! The watchdog: a process of its own that looks at the engine's heartbeat and, when it stops, cancels and flattens at each
//! venue with its own keys. One thread, no actor, nothing shared with the engine but the heartbeat.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::clock::{Clock, OsClock};
use crate::config::Settings;
use crate::config::assemble::{Assembly, gateway_instruments};
use crate::engine::heartbeat::{ByVenue, HeartState, Heartbeat, Pulse, Verdict};
use crate::engine::rescue::{Rescue, RescueState};
use crate::exchanges::gateway::{Gateway, GatewayOptions};
use crate::exchanges::secret::Credentials;
use crate::exchanges::session::http_client;
use crate::exchanges::socket::tls_config;
use crate::market::VenueId;
use crate::trade::OrderIdSource;
use crate::units::{Asset, MonoNanos};

use super::link::fetch;
use super::reach::{rule_books, transports};
use super::system::StartError;

mod line;

use line::Line;

/// How often the heartbeat is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Where the heartbeat is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeartbeatAt {
    /// The engine's file.
    File(PathBuf),
    /// Any address that answers 200 while the engine lives. It carries no baselines: spot accounts are not sold down.
    Url(String),
}

/// How to watch.
#[derive(Debug, Clone)]
pub struct WatchdogOptions {
    /// Where the heartbeat is.
    pub heartbeat: HeartbeatAt,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// End as soon as the engine was found alive, stopped, or gone, and every venue answered.
    pub once: bool,
}

/// By venue and asset.
type Amounts = BTreeMap<String, BTreeMap<Asset, Decimal>>;

/// What the venues' lines are told.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    pub(super) gone: bool,
    pub(super) baselines: Amounts,
    pub(super) own: Option<Amounts>,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    pub(super) state: RescueState,
    pub(super) seen: Option<(u64, usize)>,
    pub(super) refused: Option<i32>,
}

/// Watches until `ended` is ready, or, once, until everything was looked at. `say` gets every line for people.
///
/// # Errors
/// [`StartError`] when a venue cannot be reached at the start or refuses the key.
pub async fn watch(
    settings: &Settings,
    credentials: &[Option<Credentials>],
    options: &WatchdogOptions,
    say: impl Fn(&str),
    ended: impl Future<Output = ()>,
) -> Result<Verdict, StartError> {
    let clock = OsClock::new();
    let transports = transports(settings, credentials)?;
    let books = rule_books(settings, &transports).await?;
    let assembly = Assembly::new(settings, &books)?;
    let second = u32::try_from(clock.now_unix().floor_millis().div_euclid(1_000));
    let ids = OrderIdSource::new(settings.engine.node, second.unwrap_or(u32::MAX));
    let orders = Rc::new(RefCell::new(Orders::default()));
    let mut lines = Vec::new();
    let mut told: Vec<Rc<RefCell<Told>>> = Vec::new();
    for ((venue, configured), (transport, book)) in (0_u8..)
        .map(VenueId)
        .zip(settings.venues())
        .zip(transports.iter().zip(&books))
    {
        let key = credentials
            .get(venue.index())
            .cloned()
            .flatten()
            .ok_or_else(|| StartError::NoKeys(configured.id.clone()))?;
        let instruments: Vec<_> = assembly.catalogue.at_venue(venue).cloned().collect();
        let mut machine = Gateway::new(
            configured.dialect,
            venue,
            gateway_instruments(&assembly.catalogue, venue),
            key,
            GatewayOptions::default(),
        );
        machine.set_limits(&book.limits);
        let slot = Rc::new(RefCell::new(Told::default()));
        told.push(Rc::clone(&slot));
        let rescue = Rescue::new(
            instruments.clone(),
            ids,
            settings.engine.watchdog.protection,
            options.dry_run,
        );
        lines.push(
            Line::new(
                configured,
                machine,
                rescue,
                transport.clone(),
                clock.clone(),
            )
            .run(instruments, Rc::clone(&orders), slot, &say),
        );
    }
    let lines = futures_util::future::join_all(lines);
    let watching = look(settings, options, &clock, &orders, &told, &say);
    tokio::select! {
        verdict = watching => verdict,
        _ = lines => Err(StartError::Transport("the lines to the venues ended".to_owned())),
        () = ended => Ok(Verdict::Stopped),
    }
}

/// Looks at the heartbeat again and again, and tells what changed.
async fn look(
    settings: &Settings,
    options: &WatchdogOptions,
    clock: &OsClock,
    orders: &RefCell<Orders>,
    told: &[Rc<RefCell<Told>>],
    say: &impl Fn(&str),
) -> Result<Verdict, StartError> {
    let tls = tls_config().map_err(|error| StartError::Transport(error.to_string()))?;
    let http = http_client(&tls).map_err(|error| StartError::Transport(error.to_string()))?;
    let grace = settings.engine.watchdog.grace;
    let began = clock.now();
    let mut pulse = Pulse::new(grace);
    let mut seq = 0_u64;
    let mut last = String::new();
    loop {
        let beat = match &options.heartbeat {
            HeartbeatAt::File(path) => std::fs::read(path)
                .ok()
                .and_then(|text| serde_json::from_slice::<Heartbeat>(&text).ok()),
            HeartbeatAt::Url(url) => {
                let answer = tokio::time::timeout(LOOK_EVERY * 10, fetch(http.get(url))).await;
                (answer.unwrap_or_default().status == 200).then(|| {
                    seq += 1;
                    Heartbeat {
                        seq,
                        state: HeartState::Running,
                        ..Heartbeat::default()
                    }
                })
            }
        };
        let now = clock.now();
        if let Some(beat) = &beat {
            pulse.on_look(beat, now);
            if !beat.baselines.is_empty() {
                let mut orders = orders.borrow_mut();
                orders.baselines = amounts(&beat.baselines);
                orders.own = beat.own.as_ref().map(amounts);
            }
        }
        let verdict = pulse.verdict(now);
        // A single look changes nothing.
        orders.borrow_mut().gone = !options.once && matches!(verdict, Verdict::Gone(_));
        let told: Vec<Told> = told.iter().map(|slot| slot.borrow().clone()).collect();
        let text = status(settings, &pulse, now, &told);
        if text != last {
            say(&text);
            last = text;
        }
        for (venue, one) in settings.venues().iter().zip(&told) {
            if let Some(code) = one.refused {
                return Err(StartError::Refused {
                    venue: venue.id.clone(),
                    code,
                });
            }
        }
        let certain = match verdict {
            Verdict::Alive => pulse.has_beaten(),
            Verdict::Late(_) => false,
            Verdict::NeverSeen => now.since(began) > grace,
            Verdict::Stopped | Verdict::Gone(_) => true,
        };
        if options.once && certain && told.iter().all(|one| one.seen.is_some()) {
            return Ok(verdict);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One line for people.
fn status(settings: &Settings, pulse: &Pulse, now: MonoNanos, told: &[Told]) -> String {
    let engine = match pulse.verdict(now) {
        Verdict::NeverSeen => "no heartbeat was seen yet".to_owned(),
        // It cancels and closes without that seat: its own to do while the beat goes on.
        Verdict::Alive if pulse.signal_stands(now) => {
            "engine alive, ITS SIGNAL SEAT STANDS STILL".to_owned()
        }
        Verdict::Alive => "engine alive".to_owned(),
        Verdict::Stopped => "engine stopped in order: nothing to do".to_owned(),
        Verdict::Late(_) => "engine late".to_owned(),
        Verdict::Gone(_) => "ENGINE GONE".to_owned(),
    };
    let venues = settings.venues().iter().zip(told).map(|(venue, one)| {
        let seen = one.seen.map_or_else(
            || "not heard yet".to_owned(),
            |(orders, positions)| format!("{orders} open orders, {positions} positions"),
        );
        format!("; {} {}: {seen}", venue.id, one.state.label())
    });
    let venues: String = venues.collect();
    format!("{engine}{venues}")
}

fn amounts(told: &ByVenue) -> Amounts {
    let assets = |amounts: &BTreeMap<String, Decimal>| {
        amounts
            .iter()
            .filter_map(|(code, amount)| Some((Asset::new(code)?, *amount)))
            .collect()
    };
    told.iter()
        .map(|(venue, amounts)| (venue.clone(), assets(amounts)))
        .collect()
}
