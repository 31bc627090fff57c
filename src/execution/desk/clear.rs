//! Cancelling what others placed: at K2 and above nothing may rest, whoever put it there.

use crate::market::InstrumentId;
use crate::units::MonoNanos;

use super::super::command::OrderCommand;
use super::super::output::DeskOutput;
use super::Desk;

impl Desk {
    /// Asks the venue to cancel whatever rests in one instrument. [`Desk::cancel_instrument`] names our own orders; this one
    /// names none.
    pub fn clear_instrument(
        &mut self,
        instrument: InstrumentId,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        if let Some(venue) = self.catalogue.get(instrument).map(|known| known.venue) {
            self.throttle.on_cancel(venue, now);
            self.counters.cancels_sent += 1;
            let command = OrderCommand::cancel_all(venue, instrument);
            out.push(DeskOutput::Command(command));
        }
    }
}
