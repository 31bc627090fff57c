//! Prices for the ledger: the newest trusted bid and ask of each instrument, told to the position seat once a second, so that a
//! fee in a third asset is valued at the time of its fill.

use std::collections::BTreeMap;
use std::time::Duration;

use actix::prelude::{Addr, AsyncContext, Context};

use crate::actors::mailbox::Mail;
use crate::actors::position::{PositionSeat, Quotes};
use crate::clock::Clock;
use crate::market::{InstrumentId, Mark, Trust};
use crate::units::{Price, UnixNanos};

use super::RiskSeat;

/// How often the position seat hears them.
const QUOTES_EVERY: Duration = Duration::from_secs(1);

/// What was heard since the position seat was told.
#[derive(Debug, Default)]
pub(super) struct QuoteBook {
    pub(super) position: Option<Addr<PositionSeat>>,
    newest: BTreeMap<InstrumentId, (Price, Price)>,
}

impl QuoteBook {
    pub(super) fn on_mark(&mut self, mark: &Mark) {
        if let (Trust::Trusted, Some(bid), Some(ask)) = (mark.trust, mark.bid, mark.ask) {
            self.newest.insert(mark.instrument, (bid, ask));
        }
    }

    fn tell(&mut self, at: UnixNanos) {
        let newest = std::mem::take(&mut self.newest).into_iter();
        if let Some(position) = &self.position {
            let each = newest.map(|(id, (bid, ask))| (id, bid, ask)).collect();
            position.latest(Quotes { each, at });
        }
    }
}

pub(super) fn tell_regularly(context: &mut Context<RiskSeat>) {
    context.run_interval(QUOTES_EVERY, |seat, _| {
        seat.quotes.tell(seat.clock.now_unix());
    });
}
