//! How many orders were submitted within the last second, by symbol, venue and in all (PT-33).
//!
//! A window is a ring of instants: the limit is reached when the submission `max` places back is younger than a second.

use crate::capacity::RATE_WINDOW_MAX;
use crate::units::{MonoNanos, Nanos};

const WINDOW: Nanos = Nanos::from_secs(1);

/// Repairs may go beyond the limit by this many submissions a second: half the limit, at least 2.
const fn reserve(max: usize) -> usize {
    if max >= 4 { max >> 1 } else { 2 }
}

#[derive(Debug, Clone)]
pub(super) struct Window {
    instants: Vec<MonoNanos>,
    next: usize,
    length: usize,
    max: usize,
    span: Nanos,
}

impl Window {
    fn new(max: u32) -> Self {
        let (max, spare) = Self::a_second(max);
        Self::over(max, spare, WINDOW)
    }
    /// How many a second are counted, and the repairs' reserve.
    fn a_second(max: u32) -> (u32, usize) {
        let max = max.min(u32::try_from(RATE_WINDOW_MAX).unwrap_or(u32::MAX));
        (max, reserve(usize::try_from(max).unwrap_or(usize::MAX)))
    }
    /// Another limit: the newest instants are kept.
    pub(super) fn resize(&mut self, max: u32, spare: usize, span: Nanos) {
        let mut other = Self::over(max, spare, span);
        let size = self.instants.len();
        for back in (1..=self.length.min(other.instants.len())).rev() {
            if let Some(instant) = self.instants.get((self.next + size - back) % size) {
                other.push(*instant);
            }
        }
        *self = other;
    }
    /// At most `max` in any `span`; `spare` more are remembered.
    pub(super) fn over(max: u32, spare: usize, span: Nanos) -> Self {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Self {
            instants: vec![MonoNanos(0); max + spare],
            next: 0,
            length: 0,
            max,
            span,
        }
    }
    /// True when one more submission at `now` stays within the limit.
    pub(super) fn allows(&self, now: MonoNanos, repair: bool) -> bool {
        let max = if repair {
            self.max + reserve(self.max)
        } else {
            self.max
        };
        if max == 0 {
            return false;
        }
        if self.length < max {
            return true;
        }
        let size = self.instants.len();
        let oldest = (self.next + size - max) % size;
        self.instants
            .get(oldest)
            .is_some_and(|instant| now.since(*instant) >= self.span)
    }
    pub(super) fn push(&mut self, now: MonoNanos) {
        if let Some(slot) = self.instants.get_mut(self.next) {
            *slot = now;
        }
        self.next = (self.next + 1) % self.instants.len().max(1);
        self.length = (self.length + 1).min(self.instants.len());
    }
    /// Takes the newest back. What it overwrote was older than a second and no longer counts.
    pub(super) fn pop(&mut self) {
        let size = self.instants.len().max(1);
        self.next = (self.next + size - 1) % size;
        self.length = self.length.saturating_sub(1);
    }
}

#[derive(Debug, Clone)]
pub(super) struct Rates {
    symbols: Vec<Window>,
    venues: Vec<Window>,
    global: Window,
}

impl Rates {
    pub(super) fn new(symbols: (usize, u32), venues: (usize, u32), global: u32) -> Self {
        Self {
            symbols: (0..symbols.0).map(|_| Window::new(symbols.1)).collect(),
            venues: (0..venues.0).map(|_| Window::new(venues.1)).collect(),
            global: Window::new(global),
        }
    }
    /// Other limits; what was submitted counts on.
    pub(super) fn set_limits(&mut self, symbol: u32, venue: u32, global: u32) {
        let own = |window: &mut Window, max: u32| {
            let (max, spare) = Window::a_second(max);
            window.resize(max, spare, WINDOW);
        };
        self.symbols
            .iter_mut()
            .for_each(|window| own(window, symbol));
        self.venues.iter_mut().for_each(|window| own(window, venue));
        own(&mut self.global, global);
    }
    /// The scope whose limit one more submission would cross, with that limit.
    pub(super) fn blocked(
        &self,
        symbol: usize,
        venue: usize,
        now: MonoNanos,
        repair: bool,
    ) -> Option<(&'static str, u32)> {
        let scopes = [
            ("symbol", self.symbols.get(symbol)),
            ("venue", self.venues.get(venue)),
            ("global", Some(&self.global)),
        ];
        scopes.into_iter().find_map(|(scope, window)| {
            let window = window?;
            (!window.allows(now, repair))
                .then(|| (scope, u32::try_from(window.max).unwrap_or(u32::MAX)))
        })
    }
    pub(super) fn push(&mut self, symbol: usize, venue: usize, now: MonoNanos) {
        self.edit(symbol, venue, |window| window.push(now));
    }
    pub(super) fn pop(&mut self, symbol: usize, venue: usize) {
        self.edit(symbol, venue, Window::pop);
    }
    fn edit(&mut self, symbol: usize, venue: usize, mut edit: impl FnMut(&mut Window)) {
        if let Some(window) = self.symbols.get_mut(symbol) {
            edit(window);
        }
        if let Some(window) = self.venues.get_mut(venue) {
            edit(window);
        }
        edit(&mut self.global);
    }
}
