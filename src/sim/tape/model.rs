//! The seeded market model: correlated symbols on several venues, in time order.
//!
//! A calendar of small tasks: the fair price jumps, the news arrives at each venue after its lag, makers quote anew,
//! change their orders, takers take; bursts make all of it faster; dislocations push one venue away from the others for
//! some milliseconds. All arithmetic is in integers, so equal seeds give equal markets on every machine.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::prng::Prng;
use crate::units::{Nanos, UnixNanos};

use super::chance::{GAP, normal, octaves};
use super::latent::{Underlying, quotient};
use super::maker::Out;
use super::market::Market;
use super::setup::{ModelParams, ModelSetup};
use super::{Tape, TapeEvent};

pub(super) const SECOND: Nanos = Nanos::from_secs(1);
const MINUTE: Nanos = Nanos::from_secs(60);

/// What happens next; indices are the model's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Open(usize),
    Jump { underlying: usize, turn: u64 },
    Burst(usize),
    Dislocate(usize),
    Arrive { symbol: usize, level: i64 },
    Wake(usize),
    Push { symbol: usize, ppb: i64 },
    Change(usize),
    Take(usize),
    Second(usize),
}

/// The model's market as a tape without end. Clones continue equally.
#[derive(Debug, Clone)]
pub struct MarketModel {
    params: ModelParams,
    start: UnixNanos,
    underlyings: Vec<Underlying>,
    markets: Vec<Market>,
    tasks: BinaryHeap<Reverse<(UnixNanos, u64, Task)>>,
    task_count: u64,
    ready: VecDeque<TapeEvent>,
    only: Option<usize>,
}

impl MarketModel {
    /// The market of all venues.
    #[must_use]
    pub fn new(setup: &ModelSetup) -> Self {
        Self::build(setup, None)
    }

    /// The same market as one venue sees it: the joint tape's events of that venue, at the same instants.
    #[must_use]
    pub fn of_venue(setup: &ModelSetup, venue: usize) -> Self {
        Self::build(setup, Some(venue))
    }

    /// One tape a venue, consistent with each other.
    #[must_use]
    pub fn split(setup: &ModelSetup) -> Vec<Self> {
        (0..setup.venues.len())
            .map(|venue| Self::of_venue(setup, venue))
            .collect()
    }

    fn build(setup: &ModelSetup, only: Option<usize>) -> Self {
        let seed = Prng::new(setup.seed);
        let params = setup.params;
        let mut bases: Vec<crate::units::Asset> = Vec::new();
        let mut underlyings: Vec<Underlying> = Vec::new();
        let mut markets: Vec<Market> = Vec::new();
        for (venue, venue_shape) in setup.venues.iter().enumerate() {
            for (symbol, shape) in venue_shape.symbols.iter().enumerate() {
                let base = shape.symbol.base;
                let underlying = bases
                    .iter()
                    .position(|other| *other == base)
                    .unwrap_or(bases.len());
                if underlying == bases.len() {
                    bases.push(base);
                    underlyings.push(Underlying::new(seed.fork(base.as_str())));
                }
                if let Some(shared) = underlyings.get_mut(underlying) {
                    shared.symbols.push(markets.len());
                }
                let prng = seed.fork(&format!("venue {venue} {}", shape.symbol));
                markets.push(Market::new(
                    venue, symbol, underlying, *shape, &params, prng,
                ));
            }
        }
        for (index, market) in markets.iter_mut().enumerate() {
            let quote = market.shape.symbol.quote;
            market.quoted_in = bases.iter().position(|base| *base == quote);
            let quoted_in = market
                .quoted_in
                .and_then(|place| underlyings.get_mut(place));
            if let Some(underlying) = quoted_in {
                underlying.quoted.push(index);
            }
        }
        let mut model = Self {
            params,
            start: setup.start,
            underlyings,
            markets,
            tasks: BinaryHeap::new(),
            task_count: 0,
            ready: VecDeque::new(),
            only,
        };
        model.begin(setup.start);
        model.refill();
        model
    }

    fn begin(&mut self, start: UnixNanos) {
        for market in 0..self.markets.len() {
            self.plan(start, Task::Open(market));
            self.plan(start.after(SECOND), Task::Change(market));
            self.plan(start.after(SECOND), Task::Take(market));
            let perpetual = self
                .markets
                .get(market)
                .is_some_and(|market| market.shape.is_perpetual());
            if perpetual {
                self.plan(start, Task::Second(market));
            }
        }
        for underlying in 0..self.underlyings.len() {
            self.plan(
                start.after(SECOND),
                Task::Jump {
                    underlying,
                    turn: 0,
                },
            );
            let burst = self.wait(underlying, self.params.bursts_per_min);
            self.plan_within(start, burst, Task::Burst(underlying));
            let dislocation = self.wait(underlying, self.params.dislocations_per_min);
            self.plan_within(
                start.after(SECOND),
                dislocation,
                Task::Dislocate(underlying),
            );
        }
    }

    fn plan(&mut self, at: UnixNanos, task: Task) {
        self.task_count += 1;
        self.tasks.push(Reverse((at, self.task_count, task)));
    }

    fn plan_within(&mut self, from: UnixNanos, wait: Option<Nanos>, task: Task) {
        if let Some(wait) = wait {
            self.plan(from.after(wait), task);
        }
    }

    /// A random wait for something that happens so often a minute; `None` when never.
    fn wait(&mut self, underlying: usize, per_min: u64) -> Option<Nanos> {
        let mean = MINUTE.0.checked_div(per_min)?;
        let prng = &mut self.underlyings.get_mut(underlying)?.prng;
        Some(thousandths(mean, GAP.sample(prng)))
    }

    /// Runs tasks until an event is ready (or nothing will ever happen).
    fn refill(&mut self) {
        while self.ready.is_empty() {
            let Some(Reverse((now, _, task))) = self.tasks.pop() else {
                return;
            };
            match task {
                Task::Open(market) => self.act(market, now, |market, out| market.makers.open(out)),
                Task::Jump { underlying, turn } => self.on_jump(underlying, turn, now),
                Task::Burst(underlying) => self.on_burst(underlying, now),
                Task::Dislocate(underlying) => self.on_dislocate(underlying, now),
                Task::Arrive { symbol, level } => self.act(symbol, now, |market, out| {
                    market.view.newest = level;
                    if now >= market.view.asleep_until {
                        market.view.level = level;
                        market.quote(out);
                    }
                }),
                Task::Wake(market) => self.act(market, now, |market, out| {
                    market.view.level = market.view.newest;
                    market.quote(out);
                }),
                Task::Push { symbol, ppb } => self.act(symbol, now, |market, out| {
                    market.view.bias += ppb;
                    market.quote(out);
                }),
                Task::Change(market) => {
                    self.act(market, now, |market, out| market.makers.change(out));
                    self.again(market, now, task, |market| market.change_gap);
                }
                Task::Take(market) => {
                    self.act(market, now, |market, out| market.makers.take(out));
                    self.again(market, now, task, |market| market.take_gap);
                }
                Task::Second(market) => self.on_second(market, now),
            }
        }
    }

    /// Lets one symbol act; what it sends is queued unless another venue's tape was asked for.
    fn act(&mut self, index: usize, now: UnixNanos, act: impl FnOnce(&mut Market, &mut Out<'_>)) {
        let Self {
            markets,
            ready,
            only,
            ..
        } = self;
        let Some(market) = markets.get_mut(index) else {
            return;
        };
        let (venue, symbol) = (market.venue, market.symbol);
        let wanted = only.is_none_or(|only| only == venue);
        act(market, &mut |change| {
            if wanted {
                ready.push_back(TapeEvent {
                    at: now,
                    venue,
                    symbol,
                    change,
                });
            }
        });
    }

    fn again(
        &mut self,
        index: usize,
        now: UnixNanos,
        task: Task,
        gap: impl FnOnce(&Market) -> u64,
    ) {
        let Some(market) = self.markets.get_mut(index) else {
            return;
        };
        let burst = self
            .underlyings
            .get(market.underlying)
            .is_some_and(|underlying| underlying.in_burst(now));
        let factor = if burst {
            self.params.burst_rate_factor.max(1)
        } else {
            1
        };
        let mean = gap(market).div_euclid(factor);
        let wait = thousandths(mean, GAP.sample(&mut market.prng));
        self.plan(now.after(Nanos(wait.0.max(1_000))), task);
    }

    fn on_jump(&mut self, index: usize, turn: u64, now: UnixNanos) {
        let Some(underlying) = self.underlyings.get_mut(index) else {
            return;
        };
        if turn != underlying.jump_turn {
            return;
        }
        let ppb = normal(&mut underlying.prng, self.params.jump_ppb);
        underlying.jump(ppb);
        let factor = if underlying.in_burst(now) {
            self.params.burst_jump_factor
        } else {
            1
        };
        self.spread_news(index, now);
        let wait = self.wait(index, self.params.jumps_per_min.saturating_mul(factor));
        self.plan_within(
            now,
            wait,
            Task::Jump {
                underlying: index,
                turn,
            },
        );
    }

    /// The fair price's newest level travels to each venue, and to the cross pairs that are quoted in it.
    fn spread_news(&mut self, index: usize, now: UnixNanos) {
        let count = self.underlyings.get(index).map_or(0, |underlying| {
            underlying.symbols.len() + underlying.quoted.len()
        });
        for place in 0..count {
            let Some(&symbol) = self.underlyings.get(index).and_then(|underlying| {
                let mut told = underlying.symbols.iter().chain(&underlying.quoted);
                told.nth(place)
            }) else {
                return;
            };
            let Some(level) = self.level_of(symbol) else {
                return;
            };
            let Some(market) = self.markets.get_mut(symbol) else {
                return;
            };
            let lag = market.view.lag.0;
            let arrival = now.after(Nanos(lag + market.prng.below(lag.saturating_add(1))));
            market.view.last_arrival = arrival.max(market.view.last_arrival);
            let at = market.view.last_arrival;
            self.plan(at, Task::Arrive { symbol, level });
        }
    }

    /// The newest fair price of a symbol against its start.
    fn level_of(&self, symbol: usize) -> Option<i64> {
        let market = self.markets.get(symbol)?;
        let base = self.underlyings.get(market.underlying)?.level;
        Some(match market.quoted_in {
            Some(quote) => quotient(base, self.underlyings.get(quote)?.level),
            None => base,
        })
    }

    fn on_burst(&mut self, index: usize, now: UnixNanos) {
        let Some(underlying) = self.underlyings.get_mut(index) else {
            return;
        };
        let (low, high) = (self.params.burst_min.0, self.params.burst_max.0);
        let span = Nanos(
            low + underlying
                .prng
                .below(high.saturating_sub(low).saturating_add(1)),
        );
        underlying.burst(now, span);
        // The next calm jump may be far away: a fresh chain of jumps begins at once, the old one ends.
        underlying.jump_turn += 1;
        let turn = underlying.jump_turn;
        self.plan(
            now,
            Task::Jump {
                underlying: index,
                turn,
            },
        );
        let wait = self.wait(index, self.params.bursts_per_min);
        self.plan_within(now, wait, Task::Burst(index));
    }

    /// One venue leaves the others by both fees and the planted edge, and comes back.
    fn on_dislocate(&mut self, index: usize, now: UnixNanos) {
        let wait = self.wait(index, self.params.dislocations_per_min);
        self.plan_within(now, wait, Task::Dislocate(index));
        let Some(underlying) = self.underlyings.get_mut(index) else {
            return;
        };
        if self.params.planted_edge_bps <= 0
            || underlying.symbols.len() < 2
            || now < underlying.calm_from
        {
            return;
        }
        let pick = underlying
            .prng
            .below(u64::try_from(underlying.symbols.len()).unwrap_or(1));
        let Some(&symbol) = usize::try_from(pick)
            .ok()
            .and_then(|pick| underlying.symbols.get(pick))
        else {
            return;
        };
        let life = Nanos(octaves(
            &mut underlying.prng,
            self.params.dislocation_min.0,
            self.params.dislocation_max.0,
        ));
        underlying.calm_from = now.after(life).after(SECOND);
        let half = self.params.planted_edge_bps.saturating_mul(50);
        let edge_ppm = underlying.prng.between(half, half.saturating_mul(4));
        let asleep = underlying
            .prng
            .chance_ppm(u64::try_from(self.params.asleep_share.0).unwrap_or(0));
        let turn = underlying.prng.chance_ppm(700_000);
        let ppb = (self.fees_between(index, symbol).saturating_add(edge_ppm)).saturating_mul(1_000);
        let Some(market) = self.markets.get_mut(symbol) else {
            return;
        };
        let sign = if turn {
            -market.view.last_sign
        } else {
            market.view.last_sign
        };
        market.view.last_sign = sign;
        if asleep {
            market.view.asleep_until = now.after(life);
            if let Some(underlying) = self.underlyings.get_mut(index) {
                underlying.jump(-sign * ppb);
            }
            self.spread_news(index, now);
            self.plan(now.after(life), Task::Wake(symbol));
        } else {
            self.plan(
                now,
                Task::Push {
                    symbol,
                    ppb: sign * ppb,
                },
            );
            self.plan(
                now.after(life),
                Task::Push {
                    symbol,
                    ppb: -sign * ppb,
                },
            );
        }
    }

    /// This symbol's taker fee and the highest of the others of its underlying, in ppm; where a cross pair is among them, also
    /// the highest of what that is quoted in: the way around has three legs.
    fn fees_between(&self, index: usize, symbol: usize) -> i64 {
        let fee = |market: usize| {
            self.markets
                .get(market)
                .map_or(0, |market| market.shape.taker_fee.0)
        };
        let symbols_of = |index: usize| {
            self.underlyings
                .get(index)
                .map(|underlying| underlying.symbols.as_slice())
                .unwrap_or_default()
        };
        let others = symbols_of(index).iter();
        let other = others
            .filter(|other| **other != symbol)
            .map(|other| fee(*other))
            .max();
        let mut markets = symbols_of(index)
            .iter()
            .map(|market| self.markets.get(*market));
        let quoted_in = markets.find_map(|market| market?.quoted_in);
        let third = quoted_in.and_then(|quote| symbols_of(quote).iter().map(|one| fee(*one)).max());
        fee(symbol)
            .saturating_add(other.unwrap_or(0))
            .saturating_add(third.unwrap_or(0))
    }

    /// Each second a perpetual's basis wanders a little, and its mark and funding are told.
    fn on_second(&mut self, index: usize, now: UnixNanos) {
        let (params, start) = (self.params, self.start);
        self.act(index, now, |market, out| {
            market.on_second(&params, start, now, out);
        });
        self.plan(now.after(SECOND), Task::Second(index));
    }
}

/// `mean × thousandths / 1000`, rounded down.
fn thousandths(mean: u64, thousandths: u64) -> Nanos {
    let wide = u128::from(mean) * u128::from(thousandths);
    Nanos(u64::try_from(wide.div_euclid(1_000)).unwrap_or(u64::MAX >> 16))
}

impl Tape for MarketModel {
    fn peek(&self) -> Option<UnixNanos> {
        self.ready.front().map(|event| event.at)
    }
    fn next(&mut self) -> Option<TapeEvent> {
        let event = self.ready.pop_front();
        if self.ready.is_empty() {
            self.refill();
        }
        event
    }
}
