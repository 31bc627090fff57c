//! Venues, instruments, market events and books: the world as the engine sees it. Knows nothing of orders.

pub mod book;
pub mod books;
pub mod contract;
pub mod depth;
pub mod event;
pub mod funding;
pub mod instrument;
pub mod mark;
pub mod symbol;
pub mod trust;

pub use book::{Book, Level, Top};
pub use books::Books;
pub use contract::Contract;
pub use depth::Depth;
pub use event::{EventKind, MarketEvent};
pub use funding::Funding;
pub use instrument::{
    Catalogue, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, PriceBand, VenueId,
};
pub use mark::Mark;
pub use symbol::Symbol;
pub use trust::{Trust, TrustCause};
