//! Is the edge there some time after its first look? What an order that arrives then would find.
//!
//! The state of a route at an instant is that of its last look at or before it; an edge that went and came back counts as
//! there. So a share falls more slowly than that of episodes that were never interrupted ([`super::RouteTally::lifetimes`]).

use crate::capacity::OPPORTUNITIES_PROBED_MAX;
use crate::units::{MonoNanos, Nanos};

use super::tracker::{NEVER, Tracker};

/// Delays that are always looked at. 35 ms is what the replaced system took from tick to order.
pub const PROBES: [Nanos; 4] = [
    Nanos::from_micros(100),
    Nanos::from_millis(1),
    Nanos::from_millis(10),
    Nanos::from_millis(35),
];

/// [`PROBES`], then our own median and 99th percentile from tick to acknowledgement.
pub const PROBE_COUNT: usize = PROBES.len() + 2;

/// One episode's probes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    slot: usize,
    start: MonoNanos,
    done: [bool; PROBE_COUNT],
}

impl Tracker {
    /// Our own way from tick to acknowledgement, median and 99th percentile; zero is not known and not probed.
    pub fn set_own_latency(&mut self, p50: Nanos, p99: Nanos) {
        let own = [p50, p99];
        for (delay, new) in self.delays.iter_mut().skip(PROBES.len()).zip(own) {
            *delay = new;
        }
    }

    /// The delays of the probes; zero is not probed.
    #[must_use]
    pub const fn delays(&self) -> &[Nanos; PROBE_COUNT] {
        &self.delays
    }

    /// An event is about to be looked at: what is due before it is answered by the state before it.
    #[inline]
    pub fn before_batch(&mut self, received_at: MonoNanos) {
        if received_at > self.probe_due {
            self.answer_probes(received_at);
        }
    }

    pub(super) fn begin_probes(&mut self, slot: usize, start: MonoNanos) {
        if self.probes.len() >= OPPORTUNITIES_PROBED_MAX {
            return;
        }
        let probe = Probe {
            slot,
            start,
            done: self.delays.map(|delay| delay == Nanos::ZERO),
        };
        self.probes.push(probe);
        let first = self.next_due(&probe);
        self.probe_due = self.probe_due.min(first);
    }

    fn next_due(&self, probe: &Probe) -> MonoNanos {
        let open = self.delays.iter().zip(&probe.done);
        let dues = open.filter(|(_, done)| !**done);
        dues.map(|(delay, _)| probe.start.after(*delay))
            .min()
            .unwrap_or(NEVER)
    }

    /// Answers every probe due before `at` by the state now.
    pub(super) fn answer_probes(&mut self, at: MonoNanos) {
        let (mut probes, delays) = (std::mem::take(&mut self.probes), self.delays);
        for probe in &mut probes {
            let Some(episode) = self.episodes.get(probe.slot) else {
                continue;
            };
            let Some(tally) = self.window.routes.get_mut(episode.tally as usize) else {
                continue;
            };
            let counts = tally.probed.iter_mut().zip(tally.present.iter_mut());
            for ((delay, done), (probed, present)) in delays.iter().zip(&mut probe.done).zip(counts)
            {
                if !*done && at > probe.start.after(*delay) {
                    *done = true;
                    *probed += 1;
                    *present += u64::from(episode.is_open);
                }
            }
        }
        probes.retain(|probe| probe.done.contains(&false));
        let due = probes.iter().map(|probe| self.next_due(probe)).min();
        self.probe_due = due.unwrap_or(NEVER);
        self.probes = probes;
    }
}
