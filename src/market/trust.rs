//! Whether a book may price an order: Building -> Trusted -> Suspect -> Bad, and back by healing.
//!
//! Only a Trusted book may price a risk-increasing order.

/// Standing of one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Trust {
    /// No snapshot yet, or being rebuilt.
    #[default]
    Building = 0,
    /// Contiguous, uncrossed and fresh.
    Trusted = 1,
    /// Contiguous, but crossed, locked, one-sided or quiet: heals by itself.
    Suspect = 2,
    /// Proven wrong (gap, checksum, lost events): only a rebuild heals it.
    Bad = 3,
}

impl Trust {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Trusted => "trusted",
            Self::Suspect => "suspect",
            Self::Bad => "bad",
        }
    }
}

/// Why a book lost trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TrustCause {
    /// Sequence numbers did not chain.
    SequenceGap,
    /// The connection was lost or replaced.
    Disconnected,
    /// A frame that may have concerned this book could not be decoded.
    Malformed,
    /// Best bid at or above best ask beyond one event.
    Crossed,
    /// One side is empty.
    OneSided,
    /// Nothing arrived for too long.
    Stale,
    /// Our own ring lost events.
    RingFull,
    /// The venue's best quote and the depth book disagree at the same update id.
    QuoteMismatch,
    /// The venue's checksum does not match.
    Checksum,
    /// The snapshot could not be had.
    SnapshotFailed,
}

impl TrustCause {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SequenceGap => "sequence_gap",
            Self::Disconnected => "disconnected",
            Self::Malformed => "malformed",
            Self::Crossed => "crossed",
            Self::OneSided => "one_sided",
            Self::Stale => "stale",
            Self::RingFull => "ring_full",
            Self::QuoteMismatch => "quote_mismatch",
            Self::Checksum => "checksum",
            Self::SnapshotFailed => "snapshot_failed",
        }
    }
    /// Suspect causes heal by the next good event; the others need a rebuild.
    #[must_use]
    pub const fn level(self) -> Trust {
        match self {
            Self::Crossed | Self::OneSided | Self::Stale => Trust::Suspect,
            Self::SequenceGap
            | Self::Disconnected
            | Self::Malformed
            | Self::RingFull
            | Self::QuoteMismatch
            | Self::Checksum
            | Self::SnapshotFailed => Trust::Bad,
        }
    }
}
