//! What the seats leave for the heartbeat, each in passing: the last beat of the control thread, the signs of the signal seat,
//! what we hold and what we are buying. Whoever writes the file only puts it together.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::engine::heartbeat::{ByVenue, Heartbeat};
use crate::market::{Catalogue, InstrumentId, InstrumentKind};
use crate::units::{Qty, Side};

/// See above. No lock: no seat waits for another here, nor for the disk.
#[derive(Debug)]
pub(in crate::actors) struct Signs {
    catalogue: Arc<Catalogue>,
    beat: ArcSwapOption<Heartbeat>,
    signal: AtomicU64,
    own: ArcSwap<ByVenue>,
    /// Steps that open purchases may still add, by instrument id.
    buying: Box<[AtomicI64]>,
    own_known: AtomicBool,
    ended: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Signs {
    pub(in crate::actors) fn new(catalogue: Arc<Catalogue>) -> Self {
        let buying = catalogue.all().iter().map(|_| AtomicI64::new(0)).collect();
        Self {
            catalogue,
            beat: ArcSwapOption::empty(),
            signal: AtomicU64::new(0),
            own: ArcSwap::from_pointee(ByVenue::new()),
            buying,
            own_known: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            writer: OnceLock::new(),
        }
    }

    /// The signal seat lives.
    pub(in crate::actors) fn signal_lives(&self) {
        self.signal.fetch_add(1, Ordering::Relaxed);
    }
    /// What our executions changed in each spot account. Written soon, not at the next beat.
    pub(in crate::actors) fn set_own(&self, own: ByVenue) {
        self.own.store(Arc::new(own));
        self.wake();
    }
    /// An order leaves.
    pub(in crate::actors) fn placed(&self, instrument: InstrumentId, side: Side, qty: Qty) {
        if side == Side::Buy
            && let Some(slot) = self.buying.get(instrument.index())
        {
            slot.fetch_add(qty.0, Ordering::Relaxed);
            self.wake();
        }
    }
    /// What all open purchases may still add; those that are not named add nothing.
    pub(in crate::actors) fn set_buying(
        &self,
        open: &(impl Iterator<Item = (InstrumentId, Qty)> + Clone),
    ) {
        for (instrument, slot) in self.catalogue.all().iter().zip(&self.buying) {
            let own = open.clone().filter(|(id, _)| *id == instrument.id);
            let steps = own.fold(0_i64, |sum, (_, qty)| sum.saturating_add(qty.0));
            slot.store(steps, Ordering::Relaxed);
        }
    }

    pub(super) fn set_beat(&self, beat: Heartbeat) {
        self.beat.store(Some(Arc::new(beat)));
        self.wake();
    }
    pub(super) fn own_is_known(&self) {
        self.own_known.store(true, Ordering::Release);
    }
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.wake();
    }
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
    pub(super) fn set_writer(&self, thread: Thread) {
        // There is one heart a start: the first stays.
        drop(self.writer.set(thread));
    }
    fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    /// The beat as it would be written now; `None` before the first.
    pub(super) fn together(&self) -> Option<Heartbeat> {
        let mut beat = Heartbeat::clone(self.beat.load_full()?.as_ref());
        beat.signal_seq = self.signal.load(Ordering::Relaxed);
        if self.own_known.load(Ordering::Acquire) {
            let mut own = ByVenue::clone(&self.own.load());
            for (instrument, steps) in self.catalogue.all().iter().zip(&self.buying) {
                let steps = steps.load(Ordering::Relaxed);
                if steps > 0 && instrument.kind() == InstrumentKind::Spot {
                    let venue = self.catalogue.venue_name(instrument.venue).to_owned();
                    let assets = own.entry(venue).or_default();
                    let base = instrument.symbol.base.to_string();
                    let sum = assets.entry(base).or_default();
                    *sum = sum.saturating_add(instrument.grid.qty_decimal(Qty(steps)));
                }
            }
            beat.own = Some(own);
        }
        Some(beat)
    }
}
