//! What is said of one episode.

use crate::capacity::LEGS_MAX;
use crate::market::{Books, InstrumentId, Trust};
use crate::risk::Refusal;
use crate::strategy::{Outcome, Pass, Route};
use crate::trade::ApprovalSeq;
use crate::units::{MonoNanos, Nanos, Ppm, Price, Qty, Side};

/// When an edge is looked at again, after its first look.
pub const MARKOUTS: [Nanos; 3] = [
    Nanos::from_millis(10),
    Nanos::from_millis(50),
    Nanos::from_millis(250),
];

/// Why an edge was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The strategy let it pass.
    Pass(Pass),
    /// The gate refused the set.
    Gate(Refusal),
    /// Another route of the same look was better.
    Outbid,
    /// The strategy only observes.
    ObserveOnly,
    /// The approval could not be handed on.
    NotSent,
}

impl Reason {
    /// Fixed word: lower case for a strategy's reason, the catalogue's upper-case code for the gate's.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pass(pass) => pass.outcome().label(),
            Self::Gate(refusal) => refusal.code(),
            Self::Outbid => "outbid",
            Self::ObserveOnly => "observe_only",
            Self::NotSent => "not_sent",
        }
    }
}

/// One leg as it was looked at: the price and quantity that its side would have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegLook {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Which side the leg trades.
    pub side: Side,
    /// Touch on the other side of the book; zero when there is none.
    pub price: Price,
    /// Quantity at that touch.
    pub qty: Qty,
    /// Since the book was last heard of.
    pub age: Nanos,
    /// Standing of the book.
    pub trust: Trust,
}

/// One look at a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Receive time of the batch that caused it.
    pub at: MonoNanos,
    /// Edge after fees, as the strategy sees it.
    pub net_edge: Ppm,
    /// Edge before fees.
    pub gross_edge: Ppm,
    /// The legs in order.
    pub legs: [Option<LegLook>; LEGS_MAX],
}

impl Look {
    /// What the books say of a route now.
    pub(super) fn of(
        route: &Route,
        books: &Books,
        at: MonoNanos,
        now: MonoNanos,
        (net_edge, gross_edge): (Ppm, Ppm),
    ) -> Self {
        let mut legs = [None; LEGS_MAX];
        for (slot, (instrument, side)) in legs.iter_mut().zip(route.legs()) {
            *slot = books.get(instrument).map(|book| {
                let level = book.top().map(|top| match side {
                    Side::Buy => top.ask,
                    Side::Sell => top.bid,
                });
                LegLook {
                    instrument,
                    side,
                    price: level.map_or(Price(0), |level| level.price),
                    qty: level.map_or(Qty::ZERO, |level| level.qty),
                    age: now.since(book.received_at()),
                    trust: book.trust(),
                }
            });
        }
        Self {
            at,
            net_edge,
            gross_edge,
            legs,
        }
    }
}

/// The same route some time after the first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Markout {
    /// Nothing was heard since.
    #[default]
    Pending,
    /// Net edge at the touch, after taker fees, when the first event after the instant was processed.
    Edge(Ppm),
    /// A book was missing or not trusted.
    NoBook,
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The strategy's word: below the minimum, or a book not trusted.
    Gone(Outcome),
    /// The engine stopped while it was open.
    Stopped,
}

impl Closed {
    /// Fixed word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gone(outcome) => outcome.label(),
            Self::Stopped => "stopped",
        }
    }
}

/// One episode in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opportunity {
    /// Index of the strategy.
    pub strategy: usize,
    /// Where.
    pub route: Route,
    /// The first look.
    pub opened: Look,
    /// The look with the best net edge.
    pub peak: Look,
    /// The look that was approved last.
    pub decided: Option<Look>,
    /// Net and gross edge of the last look.
    pub last: (Ppm, Ppm),
    /// Looks at or above the minimum.
    pub looks: u32,
    /// Looks that the strategy took.
    pub taken: u32,
    /// Looks that it passed, or that the gate refused.
    pub refused: u32,
    /// The last refusal.
    pub reason: Option<Reason>,
    /// First approval of the last set that was sent.
    pub approval: Option<ApprovalSeq>,
    /// Receive time of the batch that ended it.
    pub closed_at: Option<MonoNanos>,
    /// How it ended.
    pub closed: Option<Closed>,
    /// By [`MARKOUTS`].
    pub markouts: [Markout; MARKOUTS.len()],
}

impl Opportunity {
    /// How long it was open; `None` while it is.
    #[must_use]
    pub fn lifetime(&self) -> Option<Nanos> {
        self.closed_at.map(|at| at.since(self.opened.at))
    }
    /// The next markout that is due, and when.
    pub(super) fn next_markout(&self) -> Option<(usize, MonoNanos)> {
        let place = self
            .markouts
            .iter()
            .position(|markout| *markout == Markout::Pending)?;
        Some((place, self.opened.at.after(*MARKOUTS.get(place)?)))
    }
    /// Nothing more will be known of it.
    pub(super) fn is_whole(&self) -> bool {
        self.closed.is_some() && !self.markouts.contains(&Markout::Pending)
    }
}
