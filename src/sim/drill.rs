//! A rehearsal of flattening: positions are built on the simulated venues, a scope is raised to K3, and everything that
//! follows is measured. The rooms are those that trade live; time is virtual, so equal seeds give equal results.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::config::Settings;
use crate::market::{Catalogue, Instrument, InstrumentId, Symbol, VenueId};
use crate::prng::Prng;
use crate::risk::{
    AlertKind, CloseIntent, CloseResult, KillLevel, OperatorCommand, Person, Role, Scope,
};
use crate::sim::build::{model_setup, venue_setup};
use crate::sim::tape::{MarketModel, ModelParams};
use crate::sim::venue::{Fault, FaultScope, LatencySetup, VenueClose, VenueSetup};
use crate::sim::world::{
    PlannedCommand, PlannedFault, SimulateError, World, WorldReport, WorldSetup, world_setup,
};
use crate::units::{Money, Nanos, Qty, Side, UnixNanos};

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

/// A fault that can be rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrillFault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens.
    pub meaning: &'static str,
    /// How the venue counts it ([`Fault::label`]).
    pub label: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LateFills,
    RepeatFills,
    LostAnswer,
    LostRequest,
    ReduceOnlyRefused,
    TooManyRequests,
    Ban,
    Silence,
    CrossedBook,
    Gap,
    CutStreams,
    CutOrders,
    CutAccount,
    PartialFills,
    Liquidation,
    AutoDeleverage,
    OtherHands,
    StaleAccount,
    CancelRace,
    Outage,
}

const fn fault(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    meaning: &'static str,
) -> DrillFault {
    DrillFault {
        name,
        meaning,
        label,
        kind,
    }
}

/// Every fault that can be rehearsed.
pub const FAULTS: &[DrillFault] = &[
    fault(
        "late_fills",
        "late_fills",
        Kind::LateFills,
        "account events come 0.2 to 3 s late",
    ),
    fault(
        "duplicate_fills",
        "repeat_fills",
        Kind::RepeatFills,
        "executions are told twice",
    ),
    fault(
        "lost_answer",
        "swallow_ack",
        Kind::LostAnswer,
        "orders go live, their answers never come",
    ),
    fault(
        "lost_request",
        "swallow_request",
        Kind::LostRequest,
        "orders are lost on their way in",
    ),
    fault(
        "reduce_only_refused",
        "reject_next",
        Kind::ReduceOnlyRefused,
        "orders are refused though the position is there",
    ),
    fault(
        "too_many_requests",
        "rate_limit",
        Kind::TooManyRequests,
        "requests are answered 429",
    ),
    fault(
        "ban",
        "ban",
        Kind::Ban,
        "every request is answered 418 for some seconds",
    ),
    fault(
        "silence",
        "silence",
        Kind::Silence,
        "the books say nothing while their connections live",
    ),
    fault(
        "crossed_book",
        "crossed_book",
        Kind::CrossedBook,
        "the best bid is above the best ask",
    ),
    fault("gap", "drop_diffs", Kind::Gap, "book updates are missing"),
    fault(
        "cut_streams",
        "cut_streams",
        Kind::CutStreams,
        "market data connections break",
    ),
    fault(
        "cut_orders",
        "cut_api",
        Kind::CutOrders,
        "order connections break",
    ),
    fault(
        "cut_account",
        "cut_account",
        Kind::CutAccount,
        "account streams break",
    ),
    fault(
        "partial_fills",
        "partial_fill",
        Kind::PartialFills,
        "orders fill in part",
    ),
    fault(
        "liquidation",
        "liquidation",
        Kind::Liquidation,
        "the venue liquidates a part of the position",
    ),
    fault(
        "auto_deleverage",
        "auto_deleverage",
        Kind::AutoDeleverage,
        "the venue takes a part of the position away",
    ),
    fault(
        "other_hands",
        "position_push",
        Kind::OtherHands,
        "somebody else trades on the account",
    ),
    fault(
        "stale_account",
        "stale_account",
        Kind::StaleAccount,
        "balances and positions are answered as they were",
    ),
    fault(
        "cancel_race",
        "delay",
        Kind::CancelRace,
        "strategies trade until the end, and everything comes late",
    ),
    fault(
        "outage",
        "outage",
        Kind::Outage,
        "a venue is down for some seconds",
    ),
];

impl DrillFault {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAULTS.iter().find(|fault| fault.name == name)
    }
}

/// One instrument's part of a rehearsal. Quantities in base units, money in the quote asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillLeg {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Why it was closed.
    pub cause: &'static str,
    /// Position when it was sized.
    pub position: Decimal,
    /// Quantity that our orders closed.
    pub closed: Decimal,
    /// Position at the end, by our books.
    pub left: Decimal,
    /// `done`, `dust`, `handover`, or the state in which it still was.
    pub result: &'static str,
    /// Orders sent.
    pub children: usize,
    /// From its trigger to its end.
    pub millis: Option<u64>,
    /// Expected cost against the mid, by the book at the trigger.
    pub cost_expected: Option<Decimal>,
    /// What it cost.
    pub cost: Option<Decimal>,
    /// The same in basis points.
    pub slippage_bps: Option<Decimal>,
}

/// What a rehearsal showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    /// Seed.
    pub seed: u64,
    /// Everything in scope is flat, by our books and the venues' own; dust counts as flat.
    pub is_flat: bool,
    /// From K3 to the last fill that made it so.
    pub flat_after_millis: Option<u64>,
    /// Farthest that the net of each base asset was from zero during the close, in base units.
    pub worst_net: Vec<(String, Decimal)>,
    /// Each close.
    pub legs: Vec<DrillLeg>,
    /// Critical alerts, by kind, in order.
    pub alerts: Vec<&'static str>,
    /// How often each fault had an effect.
    pub faults_fired: BTreeMap<&'static str, u64>,
    /// Invariants that did not hold.
    pub violations: Vec<String>,
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

/// A hedged pair a base asset, each leg up to four fifths of its limit: one venue long, another short by about the same. One leg lies
/// in scope where that is possible.
fn positions<'a>(
    setup: &WorldSetup,
    catalogue: &'a Catalogue,
    covered: impl Fn(&Instrument) -> bool,
    prng: &mut Prng,
) -> Vec<(&'a Instrument, Qty)> {
    let mut bases: Vec<crate::units::Asset> =
        catalogue.all().iter().map(|one| one.symbol.base).collect();
    bases.sort_unstable();
    bases.dedup();
    let mut wanted = Vec::new();
    for base in bases {
        let mut group: Vec<&Instrument> = catalogue
            .all()
            .iter()
            .filter(|one| one.symbol.base == base)
            .collect();
        let scoped: Vec<&Instrument> = group.iter().copied().filter(|one| covered(one)).collect();
        let first = pick(&scoped, prng).or_else(|| pick(&group, prng));
        let Some(first) = first else { continue };
        group.retain(|one| one.id != first.id);
        let second = pick(&group, prng);
        let most = |one: &Instrument| {
            let own = setup.hot.limits.instruments.get(one.id.index());
            own.copied()
                .flatten()
                .map_or(0, |own| own.position_qty_max.0.div_euclid(5) * 4)
        };
        let size = prng.between(1, most(first).min(second.map_or(i64::MAX, most)).max(1));
        let sign = if prng.chance_ppm(500_000) { 1 } else { -1 };
        for (one, sign) in [(Some(first), sign), (second, -sign)] {
            let Some(one) = one else { continue };
            // A little more or less than the other leg: nothing is ever hedged to the last lot.
            let lean = prng.between(-3, 3) * one.lot.0;
            let qty = Qty(size.saturating_add(lean)).floor_to(one.lot);
            let qty = qty.unwrap_or_default().max(one.lot.max(one.qty_min));
            wanted.push((one, Qty(qty.0 * sign)));
        }
    }
    wanted
}

fn pick<'a>(from: &[&'a Instrument], prng: &mut Prng) -> Option<&'a Instrument> {
    let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
    from.get(usize::try_from(prng.below(count)).ok()?).copied()
}

#[expect(clippy::too_many_lines, reason = "a table, one arm a fault")]
fn plan_fault(
    kind: Kind,
    venue: VenueId,
    derivative: bool,
    prng: &mut Prng,
    faults: &mut Vec<PlannedFault>,
) {
    let at = Nanos(FAULTS_AT.0 + prng.below(500) * 1_000_000);
    let later = Nanos(RAISED_AT.0 + prng.below(1_500) * 1_000_000);
    let symbol = usize::try_from(prng.below(2)).unwrap_or(0);
    let mut plan = |at: Nanos, fault: Fault| faults.push(PlannedFault { at, venue, fault });
    let some =
        |prng: &mut Prng, low: i64, high: i64| u32::try_from(prng.between(low, high)).unwrap_or(1);
    match kind {
        Kind::LateFills => {
            let span = Nanos::from_millis(u64::from(some(prng, 200, 3_000)));
            plan(
                at,
                Fault::LateFills {
                    span,
                    count: some(prng, 1, 12),
                },
            );
        }
        Kind::RepeatFills => {
            let span = Nanos::from_millis(u64::from(some(prng, 0, 3_000)));
            plan(
                at,
                Fault::RepeatFills {
                    span,
                    count: some(prng, 1, 5),
                },
            );
        }
        Kind::LostAnswer => plan(at, Fault::SwallowAck),
        Kind::LostRequest => plan(at, Fault::SwallowRequest),
        Kind::ReduceOnlyRefused => {
            let (code, message) = if derivative {
                (-2_022, "ReduceOnly Order is rejected.")
            } else {
                (
                    -2_010,
                    "Account has insufficient balance for requested action.",
                )
            };
            plan(
                at,
                Fault::RejectNext {
                    code,
                    message: message.to_owned(),
                },
            );
        }
        Kind::TooManyRequests => plan(
            at,
            Fault::RateLimit {
                count: some(prng, 1, 4),
                retry_after_s: some(prng, 1, 8),
            },
        ),
        Kind::Ban => plan(
            at,
            Fault::Ban {
                seconds: some(prng, 2, 20),
            },
        ),
        Kind::Silence => {
            plan(
                at,
                Fault::Silence {
                    symbol: None,
                    on: true,
                },
            );
            let end = Nanos(at.0 + u64::from(some(prng, 1_000, 20_000)) * 1_000_000);
            plan(
                end,
                Fault::Silence {
                    symbol: None,
                    on: false,
                },
            );
        }
        Kind::CrossedBook => plan(at, Fault::CrossedBook { symbol }),
        Kind::Gap => plan(
            at,
            Fault::DropDiffs {
                symbol,
                count: some(prng, 1, 3),
            },
        ),
        Kind::CutStreams => plan(at, Fault::Cut(FaultScope::Streams)),
        Kind::CutOrders => plan(at, Fault::Cut(FaultScope::Api)),
        Kind::CutAccount => plan(at, Fault::Cut(FaultScope::Account)),
        Kind::PartialFills => {
            for shift in 0..u64::from(some(prng, 1, 6)) {
                let at = Nanos(at.0 + shift * 100_000_000);
                plan(
                    at,
                    Fault::PartialFill {
                        share_ppm: some(prng, 0, 900_000),
                    },
                );
            }
        }
        Kind::Liquidation | Kind::AutoDeleverage => {
            let how = if kind == Kind::Liquidation {
                VenueClose::Liquidation
            } else {
                VenueClose::AutoDeleverage
            };
            let at = if prng.chance_ppm(500_000) { at } else { later };
            let share_ppm = some(prng, 100_000, 1_000_000);
            for symbol in 0..2 {
                plan(
                    at,
                    Fault::VenueClose {
                        account: 0,
                        symbol,
                        how,
                        share_ppm,
                    },
                );
            }
        }
        Kind::OtherHands => {
            let side = if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            };
            // BTC and ETH have lots of 0.001 on their perpetuals.
            let qty = Qty(prng.between(1, 5) * if symbol == 0 { 100_000 } else { 10_000 });
            plan(
                later,
                Fault::PositionPush {
                    account: 0,
                    symbol,
                    side,
                    qty,
                    price: None,
                },
            );
        }
        Kind::StaleAccount => {
            let span = Nanos::from_millis(u64::from(some(prng, 1_000, 15_000)));
            plan(at, Fault::StaleAccount { span });
        }
        Kind::CancelRace => {
            let span = Nanos::from_millis(u64::from(some(prng, 100, 900)));
            plan(
                at,
                Fault::Delay {
                    span,
                    count: some(prng, 5, 60),
                },
            );
        }
        Kind::Outage => {
            // Now and then it does not come back in time.
            let longest = if prng.chance_ppm(100_000) {
                600_000
            } else {
                20_000
            };
            let span = Nanos::from_millis(u64::from(some(prng, 1_000, longest)));
            plan(at, Fault::Outage { span });
        }
    }
}

fn summarize(options: &DrillOptions, report: &WorldReport) -> DrillReport {
    let closing = &report.closing;
    let mut intents: Vec<&CloseIntent> = Vec::new();
    for intent in &closing.intents {
        if !intents.iter().any(|known| known.set == intent.set) {
            intents.push(intent);
        }
    }
    let legs: Vec<DrillLeg> = intents.iter().map(|intent| leg(intent, report)).collect();
    // What is left and cannot be sold counts as flat.
    let ended = |intent: &&CloseIntent| {
        closing
            .records
            .iter()
            .any(|record| record.intent.set == intent.set && record.result != CloseResult::Handover)
    };
    let fired = options.faults.iter().map(|fault| {
        let count = closing.faults_fired.get(fault.label);
        (fault.name, count.copied().unwrap_or(0))
    });
    let faults_fired = fired.collect();
    let millis = |at: Nanos| at.floor_millis().saturating_sub(RAISED_AT.floor_millis());
    DrillReport {
        seed: options.seed,
        is_flat: !intents.is_empty() && intents.iter().all(ended) && report.violations.is_empty(),
        flat_after_millis: closing.flat_at.map(millis),
        worst_net: closing
            .nets
            .iter()
            .map(|net| (net.asset.to_string(), net.worst))
            .collect(),
        legs,
        alerts: closing
            .alerts
            .iter()
            .filter(|alert| alert.raised && alert.severity == crate::risk::Severity::Critical)
            .filter(|alert| alert.kind != AlertKind::LevelRaised)
            .map(|alert| alert.kind.label())
            .collect(),
        faults_fired,
        violations: report
            .violations
            .iter()
            .map(|broken| format!("{}: {}", broken.invariant, broken.text))
            .collect(),
    }
}

fn leg(intent: &CloseIntent, report: &WorldReport) -> DrillLeg {
    let catalogue = &report.catalogue;
    let one = catalogue.get(intent.instrument);
    let amount = |qty: Qty| one.map_or(Decimal::ZERO, |one| one.grid.qty_decimal(qty));
    let record = report
        .closing
        .records
        .iter()
        .find(|record| record.intent.set == intent.set);
    let open = |id: InstrumentId| {
        let open = &report.closing.open;
        let state = open.iter().find(|(other, _)| *other == id);
        state.map_or("unknown", |(_, state)| state.label())
    };
    DrillLeg {
        venue: one.map_or_else(String::new, |one| {
            catalogue.venue_name(one.venue).to_owned()
        }),
        symbol: one.map_or_else(String::new, |one| one.symbol.to_string()),
        cause: intent.cause.label(),
        position: amount(intent.position),
        closed: record.map_or(Decimal::ZERO, |record| amount(record.closed)),
        left: record.map_or(amount(intent.position), |record| amount(record.position)),
        result: record.map_or_else(|| open(intent.instrument), |record| record.result.label()),
        children: record.map_or(0, |record| record.children.len()),
        millis: record.map(|record| record.duration.floor_millis()),
        cost_expected: intent.estimate.map(|estimate| estimate.cost),
        cost: record.and_then(|record| record.slippage_cost),
        slippage_bps: record.and_then(|record| record.slippage_bps),
    }
}

impl DrillReport {
    /// Cost expected and cost, over all closes; `None` when one of them is not known.
    #[must_use]
    pub fn costs(&self) -> (Option<Decimal>, Option<Decimal>) {
        let sum = |of: fn(&DrillLeg) -> Option<Decimal>| {
            self.legs.iter().try_fold(Decimal::ZERO, |sum, leg| {
                Money(sum).add(Money(of(leg)?)).ok().map(|sum| sum.0)
            })
        };
        (sum(|leg| leg.cost_expected), sum(|leg| leg.cost))
    }
}
