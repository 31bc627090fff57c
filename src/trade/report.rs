//! What a venue says of our orders: an input like a tick.

use rust_decimal::Decimal;

use crate::market::{InstrumentId, VenueId};
use crate::units::{Asset, MonoNanos, Price, Qty, Side, UnixNanos};

use super::{ClientOrderId, Liquidity};

/// Class of a refusal by the venue: the metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// Price, quantity or notional filter.
    Filter,
    /// Balance or margin not enough.
    Balance,
    /// Reduce-only refused.
    ReduceOnly,
    /// Post-only would take.
    WouldTake,
    /// Fill-or-kill could not fill.
    CannotFill,
    /// Same client order id.
    Duplicate,
    /// Weight or order count exceeded, or banned.
    RateLimit,
    /// Venue overloaded: certainly not placed.
    Overloaded,
    /// Time stamp outside the window.
    Clock,
    /// Key, signature or permission.
    Permission,
    /// Instrument unknown or not trading.
    Instrument,
    /// Never left this machine (connection down, encode failed).
    NotSent,
    /// Anything else, certainly not placed.
    Other,
}

impl RejectReason {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Balance => "balance",
            Self::ReduceOnly => "reduce_only",
            Self::WouldTake => "would_take",
            Self::CannotFill => "cannot_fill",
            Self::Duplicate => "duplicate",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Clock => "clock",
            Self::Permission => "permission",
            Self::Instrument => "instrument",
            Self::NotSent => "not_sent",
            Self::Other => "other",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// The bytes were handed to the socket.
    Written,
    /// The venue has it.
    Acked {
        /// Venue's order id.
        venue_order_id: u64,
    },
    /// The venue refused it: certainly not placed.
    Rejected {
        /// Why.
        reason: RejectReason,
        /// Venue's code.
        code: i32,
    },
    /// An execution. Fees may come later or never (lite messages): `fee_known` says so.
    Filled {
        /// Our side.
        side: Side,
        /// This execution's quantity.
        qty: Qty,
        /// Its price.
        price: Price,
        /// Fee, positive when paid.
        fee: Decimal,
        /// The fee's asset.
        fee_asset: Option<Asset>,
        /// Venue's trade id.
        trade_id: u64,
        /// Maker or taker.
        liquidity: Liquidity,
    },
    /// Terminal: nothing more can fill. `filled` is the venue's cumulative quantity.
    Done {
        /// Cumulative filled quantity.
        filled: Qty,
        /// Whole quantity filled.
        complete: bool,
    },
    /// The venue says it is open (answer to a query), with the cumulative quantity.
    Open {
        /// Cumulative filled quantity.
        filled: Qty,
    },
    /// Time-out, 5xx or lost connection: the outcome is not known.
    Unknown,
    /// The venue does not know this id (answer to a query). One such answer proves nothing.
    NotFound,
    /// The cancel was refused; the order's state must be asked.
    CancelRejected,
}

/// One report. `client_order_id` is `None` for an order that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderReport {
    /// Venue instance.
    pub venue: VenueId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Our order.
    pub client_order_id: Option<ClientOrderId>,
    /// What happened.
    pub kind: ReportKind,
    /// Venue's time of it; zero when it has none.
    pub venue_time: UnixNanos,
    /// When we received it.
    pub received_at: MonoNanos,
}
