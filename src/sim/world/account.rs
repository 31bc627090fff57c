//! What one venue itself says we hold, as a client hears it: for the monitor to compare.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::exchanges::gateway::{AccountEvent, AccountQuery};
use crate::market::{Catalogue, InstrumentId, InstrumentKind, VenueId};
use crate::trade::unwind::{PositionSource, VenuePosition};
use crate::units::{Asset, MonoNanos, Qty};

/// The account at one venue. A spot position is the change of the base balance since the start.
#[derive(Debug)]
pub(super) struct VenueAccount {
    venue: VenueId,
    start: BTreeMap<Asset, Decimal>,
    totals: BTreeMap<Asset, Decimal>,
    positions: BTreeMap<InstrumentId, Qty>,
    listed: Vec<InstrumentId>,
    /// When the running questions were sent.
    pub(super) asked_at: MonoNanos,
}

impl VenueAccount {
    pub(super) fn new(venue: VenueId, start: BTreeMap<Asset, Decimal>) -> Self {
        Self {
            venue,
            totals: start.clone(),
            start,
            positions: BTreeMap::new(),
            listed: Vec::new(),
            asked_at: MonoNanos(0),
        }
    }

    /// Takes the venue's word; positions it implies are pushed for the monitor.
    pub(super) fn on_event(
        &mut self,
        event: AccountEvent,
        now: MonoNanos,
        catalogue: &Catalogue,
        out: &mut Vec<VenuePosition>,
    ) {
        match event {
            AccountEvent::Balance {
                asset,
                free,
                locked,
            } => {
                self.totals.insert(asset, free.saturating_add(locked));
                self.tell(true, PositionSource::Stream, now, catalogue, out);
            }
            AccountEvent::Position {
                instrument, qty, ..
            } => {
                self.positions.insert(instrument, qty);
                self.listed.push(instrument);
                self.tell(false, PositionSource::Stream, now, catalogue, out);
            }
            AccountEvent::SnapshotDone(AccountQuery::Balances) => {
                self.tell(
                    true,
                    PositionSource::Snapshot,
                    self.asked_at,
                    catalogue,
                    out,
                );
            }
            AccountEvent::SnapshotDone(AccountQuery::Positions) => {
                // What the venue left out is flat.
                let listed = std::mem::take(&mut self.listed);
                self.positions
                    .retain(|instrument, _| listed.contains(instrument));
                self.tell(
                    false,
                    PositionSource::Snapshot,
                    self.asked_at,
                    catalogue,
                    out,
                );
            }
            AccountEvent::SnapshotDone(
                AccountQuery::OpenOrders
                | AccountQuery::Trades { .. }
                | AccountQuery::History { .. },
            )
            | AccountEvent::Ready
            | AccountEvent::NotReady
            | AccountEvent::BalanceChanged { .. }
            | AccountEvent::Margin(_)
            | AccountEvent::VenueClosed { .. }
            | AccountEvent::OpenOrder { .. }
            | AccountEvent::CancelAllDone { .. }
            | AccountEvent::CancelAllFailed { .. }
            | AccountEvent::SnapshotFailed(_)
            | AccountEvent::ServerTime { .. }
            | AccountEvent::Refused { .. } => {}
        }
    }

    /// Whether a derivative position is open by the venue's word.
    pub(super) fn is_open(&self, instrument: InstrumentId) -> bool {
        self.positions
            .get(&instrument)
            .is_some_and(|qty| !qty.is_zero())
    }

    /// A new round of questions.
    pub(super) fn on_ask(&mut self, now: MonoNanos) {
        self.asked_at = now;
        self.listed.clear();
    }

    fn tell(
        &self,
        spot: bool,
        source: PositionSource,
        taken_at: MonoNanos,
        catalogue: &Catalogue,
        out: &mut Vec<VenuePosition>,
    ) {
        for instrument in catalogue.at_venue(self.venue) {
            if (instrument.kind() == InstrumentKind::Spot) != spot {
                continue;
            }
            let qty = if spot {
                let base = &instrument.symbol.base;
                let total =
                    |map: &BTreeMap<Asset, Decimal>| map.get(base).copied().unwrap_or_default();
                instrument
                    .grid
                    .qty_floor(total(&self.totals).saturating_sub(total(&self.start)))
            } else {
                Some(
                    self.positions
                        .get(&instrument.id)
                        .copied()
                        .unwrap_or_default(),
                )
            };
            if let Some(qty) = qty {
                out.push(VenuePosition {
                    instrument: instrument.id,
                    qty,
                    source,
                    taken_at,
                });
            }
        }
    }
}
