//! The words of trading: intents, tickets, reports, fills, positions. No decisions here.

pub mod fill;
pub mod id;
pub mod intent;
pub mod position;
pub mod report;
pub mod ticket;
pub mod unwind;

pub use fill::{Fill, Liquidity};
pub use id::{ApprovalSeq, ClientOrderId, OrderIdSource, SetId, StrategyId};
pub use intent::{Intent, Leg};
pub use position::PositionSnapshot;
pub use report::{OrderReport, RejectReason, ReportKind};
pub use ticket::{Purpose, Ticket, TimeInForce};
pub use unwind::{OpenOrders, PositionSource, UnwindKind, UnwindReport, VenuePosition};
