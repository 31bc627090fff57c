//! How many sets a strategy may have open and start, and the breaker that stops it when too many broke.

use crate::capacity::RATE_WINDOW_MAX;
use crate::units::{MonoNanos, Nanos};

use super::pace::Pace;
use super::params::CommonParams;
use super::pass::Pass;

const MINUTE: Nanos = Nanos::from_secs(60);
const HOUR: Nanos = Nanos::from_secs(3_600);

/// The sets of one strategy. A set counts as open and started once it is taken.
#[derive(Debug, Clone)]
pub struct Sets {
    open: u32,
    open_max: u32,
    started: Pace,
    started_max: u32,
    broken: Pace,
    broken_max: u32,
    halted: bool,
}

impl Sets {
    /// None yet.
    #[must_use]
    pub fn new(common: &CommonParams) -> Self {
        let window = u32::try_from(RATE_WINDOW_MAX).unwrap_or(u32::MAX);
        Self {
            open: 0,
            open_max: common.max_open_sets,
            started: Pace::new(MINUTE),
            started_max: common.max_sets_per_min.min(window),
            broken: Pace::new(HOUR),
            broken_max: common.max_broken_sets,
            halted: false,
        }
    }
    /// At most so many open at once, whatever the parameters say.
    #[must_use]
    pub const fn one_at_a_time(mut self) -> Self {
        self.open_max = 1;
        self
    }

    /// May another set be taken?
    ///
    /// # Errors
    /// Why not.
    pub fn check(&mut self, now: MonoNanos) -> Result<(), Pass> {
        self.check_running(now)?;
        self.check_open()?;
        self.check_rate(now)
    }
    /// Not stopped by broken sets.
    ///
    /// # Errors
    /// [`Pass::Halted`].
    pub fn check_running(&mut self, now: MonoNanos) -> Result<(), Pass> {
        if self.halted {
            return Err(Pass::Halted {
                broken: self.broken.count(now),
                broken_max: self.broken_max,
            });
        }
        Ok(())
    }
    /// Not too many open.
    ///
    /// # Errors
    /// [`Pass::OpenSets`].
    pub const fn check_open(&self) -> Result<(), Pass> {
        if self.open >= self.open_max {
            return Err(Pass::OpenSets {
                open: self.open,
                open_max: self.open_max,
            });
        }
        Ok(())
    }
    /// Not too many started within the last minute.
    ///
    /// # Errors
    /// [`Pass::SetRate`].
    pub fn check_rate(&mut self, now: MonoNanos) -> Result<(), Pass> {
        let started = self.started.count(now);
        if started >= self.started_max {
            return Err(Pass::SetRate {
                started,
                started_max: self.started_max,
            });
        }
        Ok(())
    }

    /// One was taken.
    pub fn on_taken(&mut self, now: MonoNanos) {
        self.open += 1;
        self.started.push(now);
    }
    /// The gate refused the set just taken, or it could not be handed over: it is not open and did not start.
    pub fn on_refused(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.started.undo();
    }
    /// One ended.
    pub const fn on_done(&mut self) {
        self.open = self.open.saturating_sub(1);
    }
    /// One broke. The last one allowed within an hour stops the strategy until [`Self::rearm`].
    pub fn on_broken(&mut self, now: MonoNanos) {
        self.broken.push(now);
        if self.broken.count(now) >= self.broken_max.max(1) {
            self.halted = true;
        }
    }
    /// A person says it may trade again.
    pub fn rearm(&mut self) {
        self.halted = false;
        self.broken.clear();
    }
    /// True when broken sets stopped it.
    #[must_use]
    pub const fn is_halted(&self) -> bool {
        self.halted
    }
    /// Open now.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.open
    }
}
