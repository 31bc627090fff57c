//! The words of trading: intents, tickets, reports, fills, positions. No decisions here.

pub mod fact;
pub mod fill;
pub mod id;
pub mod intent;
pub mod position;
pub mod report;
pub mod ticket;
pub mod unwind;

pub use fact::{
    Balance, DeadMan, Fact, FeedFacts, FillFacts, JournalFacts, LatencyFacts, LegRiskFacts,
    MarginFacts, OrderFacts, PaymentId, Seat, SetFacts, VenueFacts,
};
pub use fill::{Fill, Liquidity};
pub use id::{ApprovalSeq, ClientOrderId, OrderIdSource, SetId, StrategyId};
pub use intent::{EarnedBy, Intent, Leg, SendOrder, SetForm};
pub use position::PositionSnapshot;
pub use report::{OrderReport, RejectReason, ReportKind};
pub use ticket::{Purpose, Ticket, TimeInForce};
pub use unwind::{OpenOrders, PositionSource, UnwindKind, UnwindReport, VenuePosition};
