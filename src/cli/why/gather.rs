//! What the journal's records say of edges, added up.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::units::Nanos;

/// Which part of the journal is asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this strategy.
    pub strategy: Option<String>,
    /// Only routes whose text contains this.
    pub route: Option<String>,
    /// Only the last span; `None`: since the last start.
    pub since: Option<Nanos>,
}

/// One rule that said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonFound {
    /// Fixed word; upper case is the gate's code.
    pub reason: String,
    /// Looks at an edge that it ended.
    pub looks: u64,
    /// Edges that went without a set and whose last refusal it was.
    pub edges: u64,
    /// Median of the measured values that were told, about one each ten seconds.
    pub typical: Option<Decimal>,
    /// The one furthest from passing, of all looks.
    pub worst: Option<Decimal>,
    /// What it was compared with, lately.
    pub limit: Option<Decimal>,
    /// Unit of the three.
    pub unit: String,
    /// What it means.
    pub meaning: String,
    /// What to change, if that is what you want.
    pub cure: String,
}

/// Whether the edge is there some time after its first look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StillFound {
    /// The delay, ns.
    pub delay_ns: u64,
    /// How often it was looked for.
    pub looked: u64,
    /// How often it was there.
    pub there: u64,
}

/// The same after the engine's own way from tick to acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnFound {
    /// p50, p99.
    pub what: String,
    /// How long it was lately, ns.
    pub delay_ns: u64,
    /// How often it was looked for.
    pub looked: u64,
    /// How often it was there.
    pub there: u64,
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RouteFound {
    /// Its legs in words.
    pub route: String,
    /// Least net edge asked for, basis points.
    pub asked_bps: Option<Decimal>,
    /// Best net edge seen, basis points.
    pub best_bps: Option<Decimal>,
    /// Times an edge rose to the minimum.
    pub edges: u64,
    /// Looks at such an edge.
    pub looks: u64,
    /// Looks that the strategy took.
    pub taken: u64,
    /// Of those: approved by the gate.
    pub sets_sent: u64,
    /// By rule, most looks first.
    pub reasons: Vec<ReasonFound>,
    /// Median lifetime of ended edges, microseconds.
    pub lifetime_p50_us: Option<u64>,
    /// 90 % lived at most so long, microseconds.
    pub lifetime_p90_us: Option<u64>,
    /// Whether an order that arrives later would find it.
    pub still_there: Vec<StillFound>,
    /// Whether ours would have.
    pub own: Vec<OwnFound>,
}

/// What a strategy's sets earned, in one asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EarnedFound {
    /// Asset of the amounts.
    pub asset: String,
    /// Sets.
    pub sets: u64,
    /// Edge at the decision prices, before fees.
    pub signal: Decimal,
    /// Moves of the touch between decision and sending.
    pub decay: Decimal,
    /// Prices of the legs' orders against the touch when sent.
    pub slippage: Decimal,
    /// Prices of repairs against the decision prices.
    pub hedge: Decimal,
    /// Fees, negative when paid.
    pub fees: Decimal,
    /// The sum.
    pub net: Decimal,
}

/// One strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StrategyFound {
    /// Configured name.
    pub strategy: String,
    /// Looks at routes by how they ended.
    pub outcomes: BTreeMap<String, u64>,
    /// Its routes, those with edges first.
    pub routes: Vec<RouteFound>,
    /// What its ended sets earned.
    pub earned: Vec<EarnedFound>,
}

/// A kill level that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelFound {
    /// Where.
    pub scope: String,
    /// Its word.
    pub level: String,
    /// Since when, ns since 1970.
    pub since_ns: i64,
    /// What raised it.
    pub cause: String,
    /// In words.
    pub reason: String,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// First instant that is meant, ns since 1970.
    pub from_ns: i64,
    /// Last record, ns since 1970.
    pub to_ns: i64,
    /// The last session wrote that it stopped.
    pub stopped: bool,
    /// Kill levels in force at the end.
    pub levels: Vec<LevelFound>,
    /// By strategy.
    pub strategies: Vec<StrategyFound>,
    /// Edges without a record of their own (the sample); counts above hold all.
    pub not_in_full: u64,
}

/// Reads records one by one.
#[derive(Debug, Default)]
pub struct Gathering {
    told: Vec<(i64, Json)>,
    levels: BTreeMap<String, LevelFound>,
    begun: Option<i64>,
    last: i64,
    stopped: bool,
}

const KINDS: [&str; 3] = [
    "\"kind\":\"routes\"",
    "\"kind\":\"looks\"",
    "\"kind\":\"attribution\"",
];

fn word<'a>(record: &'a Json, key: &str) -> &'a str {
    record.get(key).and_then(Json::as_str).unwrap_or("")
}
fn number(record: &Json, key: &str) -> u64 {
    record.get(key).and_then(Json::as_u64).unwrap_or(0)
}
fn exact(record: &Json, key: &str) -> Option<Decimal> {
    record.get(key)?.as_str()?.parse().ok()
}
fn list<'a>(record: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    record
        .get(key)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

impl Gathering {
    /// One record as it stands in the journal.
    pub fn add(&mut self, time_ns: i64, text: &str) {
        self.last = self.last.max(time_ns);
        let json = || serde_json::from_str::<Json>(text).unwrap_or_default();
        if KINDS.iter().any(|kind| text.contains(kind)) {
            self.told.push((time_ns, json()));
        } else if text.contains("\"kind\":\"level_changed\"") {
            let record = json();
            let level = LevelFound {
                scope: word(&record, "scope").to_owned(),
                level: word(&record, "to").to_owned(),
                since_ns: time_ns,
                cause: word(&record, "cause").to_owned(),
                reason: word(&record, "reason").to_owned(),
            };
            self.levels.insert(level.scope.clone(), level);
        } else if text.contains("\"kind\":\"started\"") {
            self.begun = Some(time_ns);
            self.stopped = false;
        } else if text.contains("\"kind\":\"stopped\"") {
            self.stopped = true;
        }
    }

    /// True when nothing was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.last == 0
    }

    /// The answer.
    ///
    /// # Errors
    /// In words, when a strategy or route is asked for that was not seen; with those that were.
    pub fn found(&self, selection: &Selection) -> Result<Found, String> {
        let from = match selection.since {
            Some(span) => self
                .last
                .saturating_sub(i64::try_from(span.0).unwrap_or(i64::MAX)),
            None => self.begun.unwrap_or(0),
        };
        let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
        let mut not_in_full = 0;
        for (_, record) in self.told.iter().filter(|(time, _)| *time >= from) {
            match word(record, "kind") {
                "looks" => {
                    for row in list(record, "rows") {
                        let sum = sums.entry(word(row, "strategy").to_owned()).or_default();
                        let outcome = word(row, "outcome").to_owned();
                        *sum.outcomes.entry(outcome).or_default() += number(row, "count");
                    }
                }
                "routes" => {
                    not_in_full += number(record, "sampled_out") + number(record, "dropped");
                    for row in list(record, "rows") {
                        let sum = sums.entry(word(row, "strategy").to_owned()).or_default();
                        let route = sum.routes.entry(word(row, "route").to_owned());
                        route.or_default().add(row);
                    }
                }
                _ => {
                    let sum = sums.entry(word(record, "strategy").to_owned()).or_default();
                    // Of several records of one set the last holds.
                    sum.sets.insert(number(record, "set"), record.clone());
                }
            }
        }
        check(&sums, selection)?;
        let strategies = sums
            .into_iter()
            .filter(|(name, _)| {
                selection
                    .strategy
                    .as_ref()
                    .is_none_or(|wanted| wanted == name)
            })
            .map(|(name, sums)| sums.found(name, selection.route.as_deref()))
            .collect();
        let levels = self.levels.values();
        Ok(Found {
            from_ns: from,
            to_ns: self.last,
            stopped: self.stopped,
            levels: levels
                .filter(|level| level.level != "armed")
                .cloned()
                .collect(),
            strategies,
            not_in_full,
        })
    }
}

fn check(sums: &BTreeMap<String, Sums>, selection: &Selection) -> Result<(), String> {
    let names = |names: BTreeSet<&str>| {
        let all: Vec<&str> = names.into_iter().collect();
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join("; ")
        }
    };
    if let Some(wanted) = &selection.strategy
        && !sums.contains_key(wanted)
    {
        let known = names(sums.keys().map(String::as_str).collect());
        return Err(format!(
            "nothing is told of a strategy {wanted} in this span; there are: {known}"
        ));
    }
    if let Some(wanted) = &selection.route {
        let routes = || sums.values().flat_map(|sum| sum.routes.keys());
        if !routes().any(|route| route.contains(wanted.as_str())) {
            let known = names(routes().map(String::as_str).collect());
            return Err(format!(
                "no route contains {wanted} in this span; there are: {known}"
            ));
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Sums {
    outcomes: BTreeMap<String, u64>,
    routes: BTreeMap<String, RouteSums>,
    sets: BTreeMap<u64, Json>,
}

#[derive(Debug, Default)]
struct RouteSums {
    found: RouteFound,
    reasons: BTreeMap<String, ReasonSums>,
    lifetimes: BTreeMap<u64, u64>,
    probes: BTreeMap<u64, (u64, u64)>,
    own: BTreeMap<String, OwnFound>,
}

#[derive(Debug, Default)]
struct ReasonSums {
    looks: u64,
    edges: u64,
    values: Vec<Decimal>,
    worst: Option<Decimal>,
    limit: Option<Decimal>,
    unit: String,
}

impl RouteSums {
    fn add(&mut self, row: &Json) {
        let found = &mut self.found;
        found.asked_bps = exact(row, "asked_bps").or(found.asked_bps);
        found.best_bps = found.best_bps.max(exact(row, "best_bps"));
        found.looks += number(row, "looks");
        found.edges += number(row, "opened");
        found.taken += number(row, "taken");
        found.sets_sent += number(row, "approved");
        for reason in list(row, "reasons") {
            let sum = self
                .reasons
                .entry(word(reason, "reason").to_owned())
                .or_default();
            sum.add(reason);
        }
        for pair in list(row, "lifetimes") {
            let at = |place: usize| pair.get(place).and_then(Json::as_u64).unwrap_or(0);
            *self.lifetimes.entry(at(0)).or_default() += at(1);
        }
        for probe in list(row, "probes") {
            let at = |place: usize| probe.get(place).and_then(Json::as_u64).unwrap_or(0);
            let sum = self.probes.entry(at(0)).or_default();
            *sum = (sum.0 + at(1), sum.1 + at(2));
        }
        for probe in list(row, "own") {
            let what = word(probe, "what").to_owned();
            let sum = self.own.entry(what.clone()).or_insert(OwnFound {
                what,
                delay_ns: 0,
                looked: 0,
                there: 0,
            });
            sum.delay_ns = number(probe, "delay_ns");
            sum.looked += number(probe, "looked");
            sum.there += number(probe, "there");
        }
    }

    fn lifetime(&self, percent: u64) -> Option<u64> {
        let count: u64 = self.lifetimes.values().sum();
        let wanted = (count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        self.lifetimes.iter().find_map(|(micros, count)| {
            seen += count;
            (seen >= wanted).then_some(*micros)
        })
    }

    fn found(mut self, route: String) -> RouteFound {
        self.found.lifetime_p50_us = self.lifetime(50);
        self.found.lifetime_p90_us = self.lifetime(90);
        let probes = self.probes.into_iter();
        let mut found = self.found;
        found.route = route;
        found.own = self.own.into_values().collect();
        found.still_there = probes
            .map(|(delay_ns, (looked, there))| StillFound {
                delay_ns,
                looked,
                there,
            })
            .collect();
        let reasons = self.reasons.into_iter();
        found.reasons = reasons.map(|(reason, sums)| sums.found(reason)).collect();
        found
            .reasons
            .sort_by_key(|reason| std::cmp::Reverse(reason.looks));
        found
    }
}

impl ReasonSums {
    fn add(&mut self, row: &Json) {
        self.looks += number(row, "looks");
        self.edges += number(row, "episodes");
        self.values.extend(exact(row, "value"));
        self.limit = exact(row, "limit").or(self.limit);
        let is_floor = row.get("is_floor").and_then(Json::as_bool) == Some(true);
        if let Some(worst) = exact(row, "worst") {
            let further = self.worst.map_or(worst, |known| {
                if is_floor {
                    known.min(worst)
                } else {
                    known.max(worst)
                }
            });
            self.worst = Some(further);
        }
        let unit = word(row, "unit");
        if !unit.is_empty() {
            unit.clone_into(&mut self.unit);
        }
    }

    fn found(mut self, reason: String) -> ReasonFound {
        self.values.sort_unstable();
        let middle = self.values.len().div_euclid(2);
        let (meaning, cure) = super::words::of_reason(&reason);
        ReasonFound {
            looks: self.looks,
            edges: self.edges,
            typical: self.values.get(middle).copied(),
            worst: self.worst,
            limit: self.limit,
            unit: self.unit,
            meaning,
            cure,
            reason,
        }
    }
}

impl Sums {
    fn found(self, strategy: String, route: Option<&str>) -> StrategyFound {
        let mut earned: BTreeMap<String, EarnedFound> = BTreeMap::new();
        for set in self.sets.values() {
            let asset = word(set, "asset").to_owned();
            let sum = earned.entry(asset.clone()).or_insert_with(|| EarnedFound {
                asset,
                ..EarnedFound::default()
            });
            sum.sets += 1;
            for (key, part) in [
                ("signal", &mut sum.signal),
                ("decay", &mut sum.decay),
                ("slippage", &mut sum.slippage),
                ("hedge", &mut sum.hedge),
                ("fees", &mut sum.fees),
                ("net", &mut sum.net),
            ] {
                *part = part.saturating_add(exact(set, key).unwrap_or_default());
            }
        }
        let mut routes: Vec<RouteFound> = self
            .routes
            .into_iter()
            .filter(|(name, _)| route.is_none_or(|wanted| name.contains(wanted)))
            .map(|(name, sums)| sums.found(name))
            .collect();
        routes.sort_by_key(|route| std::cmp::Reverse((route.edges, route.best_bps)));
        StrategyFound {
            strategy,
            outcomes: self.outcomes,
            routes,
            earned: earned.into_values().collect(),
        }
    }
}
