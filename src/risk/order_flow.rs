//! What became of our orders in one instrument over the last ten minutes (PT-41, AT-23): ratios that venues watch.

use crate::trade::OrderFacts;
use crate::units::{MonoNanos, Nanos};

/// Counts over the last ten minutes. All our orders are immediate: what was neither executed nor rejected expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderFlow {
    /// Orders that reached the venue.
    pub placed: u64,
    /// Of these executed at least in part.
    pub executed: u64,
    /// Immediate orders.
    pub immediate: u64,
    /// Immediate orders of which nothing was executed.
    pub expired: u64,
    /// Orders below the venue's dust value. Ours are above its minimum (PT-07), so it is zero unless a venue says otherwise.
    pub dust: u64,
}

/// Steps of the window: ten minutes are ten steps of one.
const STEP: Nanos = Nanos::from_secs(60);
const STEPS: usize = 10;

/// The last ten minutes of one instrument's cumulative counts, in steps of a minute: the window is nine to ten minutes long,
/// ten at its step.
#[derive(Debug, Clone, Copy)]
pub struct OrderWindow {
    /// Counts at the beginning of each step, a ring.
    starts: [Counts; STEPS],
    next: usize,
    began_at: Option<MonoNanos>,
    last: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    submitted: u64,
    rejected: u64,
    executed: u64,
}

impl Default for OrderWindow {
    fn default() -> Self {
        Self {
            starts: [Counts::default(); STEPS],
            next: 0,
            began_at: None,
            last: Counts::default(),
        }
    }
}

impl OrderWindow {
    /// Takes cumulative counts and answers with the window's. Counts that fall (a new session) begin a new window.
    pub fn on_orders(&mut self, facts: &OrderFacts, now: MonoNanos) -> OrderFlow {
        let counts = Counts {
            submitted: facts.submitted,
            rejected: facts.rejected,
            executed: facts.executed,
        };
        if counts.submitted < self.last.submitted {
            *self = Self::default();
        }
        self.roll(now);
        self.last = counts;
        self.sums()
    }

    /// The window's counts at `now`, without news.
    pub fn flow(&mut self, now: MonoNanos) -> OrderFlow {
        self.roll(now);
        self.sums()
    }

    fn roll(&mut self, now: MonoNanos) {
        let mut began_at = *self.began_at.get_or_insert(now);
        let mut steps = 0;
        while now.since(began_at) >= STEP {
            began_at = began_at.after(STEP);
            steps += 1;
            if steps > STEPS {
                // Everything is older than the window: begin anew at this instant.
                began_at = now;
            }
            if let Some(slot) = self.starts.get_mut(self.next) {
                *slot = self.last;
            }
            self.next = (self.next + 1) % STEPS;
        }
        self.began_at = Some(began_at);
    }

    fn sums(&self) -> OrderFlow {
        let oldest = self.starts.get(self.next).copied().unwrap_or_default();
        let rejected = self.last.rejected.saturating_sub(oldest.rejected);
        let submitted = self.last.submitted.saturating_sub(oldest.submitted);
        let executed = self.last.executed.saturating_sub(oldest.executed);
        let placed = submitted.saturating_sub(rejected);
        OrderFlow {
            placed,
            executed,
            immediate: placed,
            expired: placed.saturating_sub(executed),
            dust: 0,
        }
    }
}
