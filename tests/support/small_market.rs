//! A small market for tests: one base and quote at several venues, and books filled by hand.

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, Symbol,
    VenueId,
};
use arbalest::units::{Grid, MonoNanos, Price, Qty, Side};
use rust_decimal::Decimal;

/// Prices in cents, quantities in ten-thousandths.
pub(crate) fn grid() -> Grid {
    Grid::new(2, 4).unwrap()
}

/// One instrument; `BTC/USDT` spot, or the perpetual.
pub(crate) fn instrument(id: u16, perpetual: bool) -> Instrument {
    let symbol: Symbol = if perpetual {
        "BTC/USDT:USDT"
    } else {
        "BTC/USDT"
    }
    .parse()
    .unwrap();
    Instrument {
        id: InstrumentId(id),
        venue: VenueId(u8::try_from(id).unwrap()),
        symbol,
        native: format!("BTCUSDT{id}"),
        grid: grid(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(1_000_000_000),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: perpetual,
        price_band: None,
    }
}

/// A catalogue of the given instruments, one a venue.
pub(crate) fn catalogue(instruments: Vec<Instrument>) -> Catalogue {
    let names = (0..instruments.len())
        .map(|index| format!("v{index}"))
        .collect();
    Catalogue::new(names, instruments).unwrap()
}

/// Replaces a book by these levels (price, quantity in steps), trusted as of `at`.
pub(crate) fn set_book(
    books: &mut Books,
    id: u16,
    bids: &[(i64, i64)],
    asks: &[(i64, i64)],
    at: MonoNanos,
) {
    let book = books.get_mut(InstrumentId(id)).unwrap();
    let mut apply = |kind: EventKind| {
        book.apply(&MarketEvent {
            received_at: at,
            kind,
            decode_nanos: 0,
            instrument: InstrumentId(id),
            flags: END_OF_BATCH,
        });
    };
    apply(EventKind::Clear);
    for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
        for (price, qty) in levels {
            apply(EventKind::Level {
                side,
                price: Price(*price),
                qty: Qty(*qty),
                update_id: 1,
            });
        }
    }
    apply(EventKind::Synced { update_id: 1 });
    books
        .get_mut(InstrumentId(id))
        .unwrap()
        .finish_batch(at, true);
}
