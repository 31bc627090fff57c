//! Commands about orders that no desk knows: what an earlier session left open.

use crate::market::{InstrumentId, VenueId};
use crate::trade::ClientOrderId;

use super::command::OrderCommand;

/// Cancels one order of an earlier session. All our orders are immediate: one that is still open must not rest.
#[must_use]
pub const fn cancel_leftover(
    venue: VenueId,
    instrument: InstrumentId,
    client_order_id: ClientOrderId,
) -> OrderCommand {
    OrderCommand::cancel(venue, instrument, client_order_id)
}
