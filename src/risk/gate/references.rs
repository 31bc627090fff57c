//! The reference prices of every instrument over time and over venues: did one jump, and do the others agree (PT-15, PT-16)?
//!
//! All prices here are doubled mids (bid plus ask), so that no half step is lost. A jump is measured against the last
//! reference and against the first one of the window, so that neither a step nor a quick slide escapes.

use crate::capacity::VENUES_MAX;
use crate::market::{Books, Catalogue, InstrumentId, Trust};
use crate::risk::PreTradeLimits;
use crate::units::{MonoNanos, Nanos, Ppm};

use super::terms::Terms;

#[derive(Debug, Clone, Copy, Default)]
struct Track {
    anchor: i128,
    anchor_at: MonoNanos,
    last: i128,
    last_at: MonoNanos,
    jump: Option<Jump>,
}

/// An unconfirmed jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) at: MonoNanos,
    pub(super) from: i128,
    pub(super) to: i128,
}

/// What the other venues say about one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Consensus {
    /// Other venues that have the pair.
    pub(super) peers: usize,
    /// Those with a trusted, fresh book.
    pub(super) usable: usize,
    /// Twice the median of their doubled mids (four times a price).
    pub(super) median_four: i128,
    /// Those whose reference is within the jump limit of ours.
    pub(super) confirming: usize,
}

#[derive(Debug, Clone)]
pub(super) struct References {
    tracks: Vec<Track>,
    /// Other venues' instruments of the same base and quote, by instrument.
    peers: Vec<Vec<InstrumentId>>,
    jump_max: Ppm,
    window: Nanos,
    quarantine: Nanos,
}

impl References {
    pub(super) fn new(terms: &[Terms], catalogue: &Catalogue, limits: &PreTradeLimits) -> Self {
        let peers = terms
            .iter()
            .map(|own| {
                let others = terms.iter().filter(|other| {
                    let venue = |id| catalogue.get(id).map(|instrument| instrument.venue);
                    other.pair == own.pair && venue(other.id) != venue(own.id)
                });
                others.map(|other| other.id).take(PEERS_MAX).collect()
            })
            .collect();
        Self {
            tracks: vec![Track::default(); terms.len()],
            peers,
            jump_max: limits.ref_jump_max,
            window: limits.ref_jump_window,
            quarantine: limits.ref_quarantine,
        }
    }

    /// Other limits; what was observed stays.
    pub(super) const fn set_limits(&mut self, limits: &PreTradeLimits) {
        self.jump_max = limits.ref_jump_max;
        self.window = limits.ref_jump_window;
        self.quarantine = limits.ref_quarantine;
    }

    /// Takes the newest reference of one instrument.
    #[inline]
    pub(super) fn observe(&mut self, instrument: usize, twice: i128, at: MonoNanos) {
        let Some(track) = self.tracks.get_mut(instrument) else {
            return;
        };
        if track.last == twice && at.since(track.last_at) <= self.window {
            track.last_at = at;
            return;
        }
        let recent = |since: MonoNanos| at.since(since) <= self.window;
        if track.last > 0 {
            for (from, from_at) in [(track.last, track.last_at), (track.anchor, track.anchor_at)] {
                if recent(from_at) && is_beyond(twice, from, self.jump_max) {
                    track.jump = Some(Jump {
                        at,
                        from,
                        to: twice,
                    });
                    // From here on the new price is what later ones are measured against.
                    (track.anchor, track.anchor_at) = (twice, at);
                    break;
                }
            }
        }
        if track.last == 0 || !recent(track.anchor_at) {
            (track.anchor, track.anchor_at) = if track.last > 0 && recent(track.last_at) {
                (track.last, track.last_at)
            } else {
                (twice, at)
            };
        }
        (track.last, track.last_at) = (twice, at);
    }

    /// The jump whose quarantine lasts.
    pub(super) fn quarantined(&self, instrument: usize, now: MonoNanos) -> Option<Jump> {
        let jump = self.tracks.get(instrument)?.jump?;
        (now.since(jump.at) < self.quarantine).then_some(jump)
    }

    /// What the other venues say, for an instrument whose doubled mid is `own`.
    pub(super) fn consensus(
        &self,
        instrument: usize,
        own: i128,
        books: &Books,
        now: MonoNanos,
        age_max: Nanos,
    ) -> Consensus {
        let mut mids = [0_i128; PEERS_MAX];
        let mut usable = 0;
        let mut confirming = 0;
        let peers = self.peers.get(instrument).map_or(&[][..], Vec::as_slice);
        for peer in peers {
            let book = books.get(*peer).filter(|book| {
                book.trust() == Trust::Trusted && now.since(book.received_at()) <= age_max
            });
            let Some(top) = book.and_then(crate::market::Book::top) else {
                continue;
            };
            let mid = i128::from(top.bid.price.0) + i128::from(top.ask.price.0);
            confirming += usize::from(!is_beyond(own, mid, self.jump_max));
            if let Some(slot) = mids.get_mut(usable) {
                *slot = mid;
                usable += 1;
            }
        }
        let sorted = mids.get_mut(..usable).unwrap_or_default();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or(0);
        let median_four = match usable {
            0 => 0,
            count => at((count - 1) >> 1) + at(count >> 1),
        };
        Consensus {
            peers: peers.len(),
            usable,
            median_four,
            confirming,
        }
    }
}

/// Most instruments of one pair at other venues that are looked at.
const PEERS_MAX: usize = VENUES_MAX;

/// `|one / two - 1| > max`, without dividing; a price that is not above zero is beyond everything.
pub(super) fn is_beyond(one: i128, two: i128, max: Ppm) -> bool {
    two <= 0 || (one - two).abs().saturating_mul(1_000_000) > two.saturating_mul(i128::from(max.0))
}

/// `|one / two - 1|` in ppm, rounded down.
pub(super) fn distance_ppm(one: i128, two: i128) -> i128 {
    ((one - two).abs().saturating_mul(1_000_000)).div_euclid(two.max(1))
}
