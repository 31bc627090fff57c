//! Three kinds of time that never mix: instants of our own clock, wall instants, and spans.

/// An instant of our monotonic clock, in nanoseconds since the process's clock origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct MonoNanos(pub u64);

/// A wall instant, nanoseconds since 1970-01-01 UTC. Venue stamps and recordings use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct UnixNanos(pub i64);

/// A span of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// From microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }
    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// From seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }
    /// As a standard duration.
    #[must_use]
    pub const fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0)
    }
    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn floor_millis(self) -> u64 {
        self.0.div_euclid(1_000_000)
    }
}

impl MonoNanos {
    /// Time from `earlier` to here; zero when `earlier` lies ahead (never negative).
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
    /// This instant moved ahead by a span; saturates.
    #[must_use]
    pub const fn after(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl UnixNanos {
    /// From the milliseconds that venues write; saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// Whole milliseconds since 1970, rounded down.
    #[must_use]
    pub const fn floor_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// This instant moved ahead by a span; saturates.
    #[must_use]
    pub const fn after(self, span: Nanos) -> Self {
        self_add(self, span)
    }
    /// Signed nanoseconds from `earlier` to here (venue clocks may run ahead of ours).
    #[must_use]
    pub const fn signed_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

const fn self_add(instant: UnixNanos, span: Nanos) -> UnixNanos {
    UnixNanos(instant.0.saturating_add_unsigned(span.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_never_negative() {
        assert_eq!(MonoNanos(5).since(MonoNanos(9)), Nanos(0));
        assert_eq!(MonoNanos(9).since(MonoNanos(5)), Nanos(4));
        assert_eq!(UnixNanos(5).signed_since(UnixNanos(9)), -4);
        assert_eq!(UnixNanos::from_millis(3).floor_millis(), 3);
        assert_eq!(UnixNanos(1).after(Nanos(2)), UnixNanos(3));
    }
}
