//! Who goes first when cores are short: threads that serve people and records step back behind those that trade.
//!
//! Feeds, signal, execution and risk keep the priority of the process. On Linux `nice` is a thread's own and needs no right to
//! be lowered; elsewhere nothing is changed.

use std::sync::OnceLock;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Steps of `nice`, 0 to 19, by class of thread: each step is about a fifth less of a contended core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priorities {
    /// Page, metrics and control API: whoever asks must not slow whoever decides.
    pub web: u8,
    /// The journal: a forced close waits for it, so it steps back little.
    pub journal: u8,
    /// The database, and the receivers of alerts.
    pub store: u8,
}

impl Priorities {
    /// What holds unless the configuration says otherwise.
    pub const DEFAULT: Self = Self {
        web: 15,
        journal: 1,
        store: 10,
    };
}

/// A class of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// See [`Priorities::web`].
    Web,
    /// See [`Priorities::journal`].
    Journal,
    /// See [`Priorities::store`].
    Store,
}

impl Class {
    const fn of(self, chosen: Priorities) -> u8 {
        match self {
            Self::Web => chosen.web,
            Self::Journal => chosen.journal,
            Self::Store => chosen.store,
        }
    }
}

/// Of the process; its first engine chooses.
static CHOSEN: OnceLock<Priorities> = OnceLock::new();

/// Chooses for all threads that step back from now on. The first choice of a process stays.
pub fn choose(priorities: Priorities) {
    let chosen = CHOSEN.get_or_init(|| priorities);
    if *chosen != priorities {
        tracing::warn!("thread priorities are those of the first engine of this process");
    }
}

/// Lowers the priority of this thread, and of those that it starts from here on. What the system does not allow is told once.
pub fn step_back(class: Class) {
    let chosen = CHOSEN.get().copied().unwrap_or(Priorities::DEFAULT);
    lower(class, class.of(chosen));
}

#[cfg(target_os = "linux")]
fn lower(class: Class, steps: u8) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if steps == 0 {
        return;
    }
    if let Err(error) = rustix::process::nice(i32::from(steps))
        && !TOLD.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(%error, ?class, "thread keeps the priority of the trading threads");
    }
}

#[cfg(not(target_os = "linux"))]
const fn lower(_: Class, _: u8) {}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    /// Field 19 of the thread's line, after the name in brackets.
    fn own_nice() -> i32 {
        let line = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = line.rsplit_once(')').unwrap();
        fields.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[test]
    fn only_the_thread_that_steps_back_is_lowered_and_those_that_it_starts() {
        let before = own_nice();
        let there = std::thread::spawn(|| {
            step_back(Class::Store);
            (own_nice(), std::thread::spawn(own_nice).join().unwrap())
        });
        let lowered = (before + i32::from(Priorities::DEFAULT.store)).min(19);
        assert_eq!(there.join().unwrap(), (lowered, lowered));
        assert_eq!(own_nice(), before);
    }
}
