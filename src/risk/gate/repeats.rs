//! What a strategy did a moment ago: how often (PT-37), and whether it was the very same (PT-38).

use crate::capacity::{RATE_WINDOW_MAX, STRATEGIES_MAX};
use crate::risk::{Permits, PreTradeLimits};
use crate::trade::{Leg, StrategyId};
use crate::units::{MonoNanos, Nanos, Side};

use super::rates::Window;

/// Most orders that one window of PT-37 counts.
const REPEATS_MAX: u32 = 1_024;

#[derive(Debug, Clone)]
pub(super) struct Repeats {
    instruments: usize,
    /// Place of the two windows (buys, sells) of a strategy and instrument, if it may trade it.
    places: Vec<Option<usize>>,
    windows: Vec<Window>,
    orders_max: u32,
    recent: Vec<Recent>,
    next: usize,
    duplicate_window: Nanos,
}

#[derive(Debug, Clone, Copy)]
struct Recent {
    strategy: StrategyId,
    leg: Leg,
    /// Zero for a place never written or taken back.
    at: MonoNanos,
}

impl Repeats {
    pub(super) fn new(instruments: usize, permits: &Permits, limits: &PreTradeLimits) -> Self {
        let mut places = vec![None; STRATEGIES_MAX * instruments];
        let mut windows = Vec::new();
        let orders_max = limits.repeat_exec_max.min(REPEATS_MAX);
        for permit in &permits.strategies {
            for instrument in &permit.instruments {
                let place = usize::from(permit.strategy.0) * instruments + instrument.index();
                let Some(slot) = places.get_mut(place).filter(|slot| slot.is_none()) else {
                    continue;
                };
                *slot = Some(windows.len());
                for _ in [Side::Buy, Side::Sell] {
                    windows.push(Window::over(orders_max, 0, limits.repeat_exec_window));
                }
            }
        }
        let nothing = Recent {
            strategy: StrategyId(0),
            leg: Leg {
                instrument: crate::market::InstrumentId(0),
                side: Side::Buy,
                qty: crate::units::Qty(0),
                limit_price: crate::units::Price(0),
                decision_price: crate::units::Price(0),
            },
            at: MonoNanos(0),
        };
        Self {
            instruments,
            places,
            windows,
            orders_max,
            recent: vec![nothing; RATE_WINDOW_MAX],
            next: 0,
            duplicate_window: limits.dup_intent_window,
        }
    }

    /// Other limits; what was sent counts on.
    pub(super) fn set_limits(&mut self, limits: &PreTradeLimits) {
        self.orders_max = limits.repeat_exec_max.min(REPEATS_MAX);
        self.duplicate_window = limits.dup_intent_window;
        for window in &mut self.windows {
            window.resize(self.orders_max, 0, limits.repeat_exec_window);
        }
    }

    fn window(&self, strategy: StrategyId, leg: &Leg) -> Option<usize> {
        let place = usize::from(strategy.0) * self.instruments + leg.instrument.index();
        let first = self.places.get(place).copied().flatten()?;
        Some(first + usize::from(leg.side == Side::Sell))
    }

    /// The limit, when one more order would exceed it.
    pub(super) fn too_often(&self, strategy: StrategyId, leg: &Leg, now: MonoNanos) -> Option<u32> {
        let window = self.windows.get(self.window(strategy, leg)?)?;
        (!window.allows(now, false)).then_some(self.orders_max)
    }

    /// Age of an equal order of the same strategy that is younger than the window.
    pub(super) fn duplicate(
        &self,
        strategy: StrategyId,
        leg: &Leg,
        now: MonoNanos,
    ) -> Option<Nanos> {
        let size = self.recent.len();
        for back in 1..=size {
            let recent = self.recent.get((self.next + size - back) % size)?;
            let age = now.since(recent.at);
            if recent.at == MonoNanos(0) || age >= self.duplicate_window {
                return None;
            }
            let same = recent.strategy == strategy
                && recent.leg.instrument == leg.instrument
                && recent.leg.side == leg.side
                && recent.leg.qty == leg.qty
                && recent.leg.limit_price == leg.limit_price;
            if same {
                return Some(age);
            }
        }
        None
    }

    pub(super) fn push(&mut self, strategy: StrategyId, leg: &Leg, now: MonoNanos) {
        if let Some(window) = self.window(strategy, leg)
            && let Some(window) = self.windows.get_mut(window)
        {
            window.push(now);
        }
        if let Some(slot) = self.recent.get_mut(self.next) {
            *slot = Recent {
                strategy,
                leg: *leg,
                at: now,
            };
        }
        self.next = (self.next + 1) % self.recent.len().max(1);
    }

    /// Takes the newest back.
    pub(super) fn pop(&mut self) {
        let size = self.recent.len().max(1);
        self.next = (self.next + size - 1) % size;
        let Some(newest) = self.recent.get_mut(self.next) else {
            return;
        };
        newest.at = MonoNanos(0);
        let (strategy, leg) = (newest.strategy, newest.leg);
        if let Some(window) = self.window(strategy, &leg)
            && let Some(window) = self.windows.get_mut(window)
        {
            window.pop();
        }
    }
}
