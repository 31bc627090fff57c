//! The only thing a gateway acts on. An [`OrderCommand`] can be made only in this room, and the desk places an order only
//! for an approval of the risk room: so nothing reaches a venue that was not checked.

use crate::market::{InstrumentId, VenueId};
use crate::trade::{ClientOrderId, Ticket};

/// One order for one gateway. Fields are private: only this room makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderCommand {
    venue: VenueId,
    action: CommandAction,
}

/// What the gateway is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandAction {
    /// Send a new order.
    Place(Ticket),
    /// Cancel one order.
    Cancel {
        /// Its instrument.
        instrument: InstrumentId,
        /// Our id.
        client_order_id: ClientOrderId,
    },
    /// Ask what became of one order. A gateway answers with every execution it knows ([`crate::trade::ReportKind::Filled`],
    /// duplicates are welcome), then `Open`, `Done` or `NotFound`; a failed question is no answer.
    Query {
        /// Its instrument.
        instrument: InstrumentId,
        /// Our id.
        client_order_id: ClientOrderId,
    },
    /// Cancel everything the account has open in one instrument.
    CancelAll {
        /// Which.
        instrument: InstrumentId,
    },
}

impl OrderCommand {
    pub(in crate::execution) const fn place(venue: VenueId, ticket: Ticket) -> Self {
        Self {
            venue,
            action: CommandAction::Place(ticket),
        }
    }
    pub(in crate::execution) const fn cancel(
        venue: VenueId,
        instrument: InstrumentId,
        client_order_id: ClientOrderId,
    ) -> Self {
        Self {
            venue,
            action: CommandAction::Cancel {
                instrument,
                client_order_id,
            },
        }
    }
    pub(in crate::execution) const fn query(
        venue: VenueId,
        instrument: InstrumentId,
        client_order_id: ClientOrderId,
    ) -> Self {
        Self {
            venue,
            action: CommandAction::Query {
                instrument,
                client_order_id,
            },
        }
    }
    pub(in crate::execution) const fn cancel_all(venue: VenueId, instrument: InstrumentId) -> Self {
        Self {
            venue,
            action: CommandAction::CancelAll { instrument },
        }
    }
    /// Whose gateway.
    #[must_use]
    pub const fn venue(&self) -> VenueId {
        self.venue
    }
    /// What to do.
    #[must_use]
    pub const fn action(&self) -> &CommandAction {
        &self.action
    }
    /// `place`, `cancel`, `query` or `cancel_all`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self.action {
            CommandAction::Place(_) => "place",
            CommandAction::Cancel { .. } => "cancel",
            CommandAction::Query { .. } => "query",
            CommandAction::CancelAll { .. } => "cancel_all",
        }
    }
}
