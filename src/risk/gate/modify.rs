//! How many modifications were sent within the last second, by instrument (PT-34). Cancels are never refused.

use crate::capacity::RATE_WINDOW_MAX;
use crate::risk::{Amount, Refusal};
use crate::units::{MonoNanos, Nanos};

use super::rates::Window;

#[derive(Debug, Clone)]
pub(super) struct ModifyRate {
    windows: Vec<Window>,
    max: u32,
}

impl ModifyRate {
    pub(super) fn new(instruments: usize, max: u32) -> Self {
        let max = max.min(u32::try_from(RATE_WINDOW_MAX).unwrap_or(u32::MAX));
        Self {
            windows: (0..instruments)
                .map(|_| Window::over(max, 0, Nanos::from_secs(1)))
                .collect(),
            max,
        }
    }

    /// Another limit; what was sent counts on.
    pub(super) fn set_limit(&mut self, max: u32) {
        self.max = max.min(u32::try_from(RATE_WINDOW_MAX).unwrap_or(u32::MAX));
        for window in &mut self.windows {
            window.resize(self.max, 0, Nanos::from_secs(1));
        }
    }

    pub(super) fn check(&mut self, instrument: usize, now: MonoNanos) -> Result<(), Refusal> {
        let window = self
            .windows
            .get_mut(instrument)
            .filter(|window| window.allows(now, false));
        let Some(window) = window else {
            return Err(Refusal::RateModify {
                modifies: Amount::count(u64::from(self.max) + 1),
                modifies_max: Amount::count(u64::from(self.max)),
            });
        };
        window.push(now);
        Ok(())
    }
}
