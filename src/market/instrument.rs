//! What can be traded where: one [`Instrument`] a venue and symbol, in a dense [`Catalogue`].

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::units::{Asset, Grid, Ppm, Price, Qty};

use super::{Contract, Symbol};

/// A venue instance of the configuration, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VenueId(pub u8);

/// One symbol at one venue, dense from 0: the index of every per-instrument array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub u16);

impl InstrumentId {
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl VenueId {
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How profit of a position is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstrumentKind {
    /// Base against quote, delivered at once.
    Spot,
    /// Perpetual contract, profit in the quote asset.
    LinearPerpetual,
    /// Perpetual contract, profit in the base asset.
    InversePerpetual,
}

/// Whether the venue takes orders in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstrumentStatus {
    /// Orders of every kind.
    Trading,
    /// Only cancels.
    CancelOnly,
    /// No orders.
    Halted,
}

/// One symbol at one venue, with the venue's own trading rules in steps of the shared grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its index.
    pub id: InstrumentId,
    /// Where.
    pub venue: VenueId,
    /// The unified symbol.
    pub symbol: Symbol,
    /// The venue's own name for it, e.g. `BTCUSDT`.
    pub native: String,
    /// Shared by all venues of the same base and quote.
    pub grid: Grid,
    /// Smallest price increment of this venue, at least 1 step.
    pub tick: Price,
    /// Smallest quantity increment of this venue, at least 1 step.
    pub lot: Qty,
    /// Smallest order quantity.
    pub qty_min: Qty,
    /// Largest order quantity.
    pub qty_max: Qty,
    /// Smallest order value in the quote asset; zero when the venue has none.
    pub notional_min: Decimal,
    /// Largest order value in the quote asset; `None` when the venue has none.
    pub notional_max: Option<Decimal>,
    /// Lowest price the venue's filter takes; zero when off.
    pub price_min: Price,
    /// Highest price the venue's filter takes; `None` when off.
    pub price_max: Option<Price>,
    /// Base units a contract, 1 for spot and USD-M; quote units a contract for inverse ones.
    pub multiplier: Decimal,
    /// Whether it trades now.
    pub status: InstrumentStatus,
    /// True when the venue enforces reduce-only orders (derivatives).
    pub has_reduce_only: bool,
    /// How far a price may lie from the venue's average; `None` when the venue has no such rule (PT-08).
    pub price_band: Option<PriceBand>,
}

/// Bounds of a limit price as shares of the venue's average price, e.g. 950,000 to 1,050,000 ppm; zero is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBand {
    /// Lowest of a buy.
    pub buy_down: Ppm,
    /// Highest of a buy.
    pub buy_up: Ppm,
    /// Lowest of a sell.
    pub sell_down: Ppm,
    /// Highest of a sell.
    pub sell_up: Ppm,
}

impl Instrument {
    /// Spot, linear or inverse.
    #[must_use]
    pub fn kind(&self) -> InstrumentKind {
        self.symbol.kind()
    }
    /// How its quantity becomes money.
    #[must_use]
    pub fn contract(&self) -> Contract {
        Contract {
            kind: self.kind(),
            multiplier: self.multiplier,
        }
    }
    /// The asset that profit is in: quote, or base for inverse contracts.
    #[must_use]
    pub fn settlement(&self) -> Asset {
        match self.kind() {
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => self.symbol.quote,
            InstrumentKind::InversePerpetual => self.symbol.base,
        }
    }
}

/// All instruments of a running engine; `catalogue.get(id)` is an array access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    instruments: Vec<Instrument>,
    venue_names: Vec<String>,
}

impl Catalogue {
    /// Takes instruments whose ids are their indices and the venue names by venue id.
    ///
    /// Returns `None` when an id is not its index, a venue is unnamed, or two instruments of one base and quote
    /// have different grids.
    #[must_use]
    pub fn new(venue_names: Vec<String>, instruments: Vec<Instrument>) -> Option<Self> {
        let mut grids = BTreeMap::new();
        for (index, instrument) in instruments.iter().enumerate() {
            let pair = (instrument.symbol.base, instrument.symbol.quote);
            let grid = *grids.entry(pair).or_insert(instrument.grid);
            if instrument.id.index() != index
                || instrument.venue.index() >= venue_names.len()
                || grid != instrument.grid
            {
                return None;
            }
        }
        Some(Self {
            instruments,
            venue_names,
        })
    }
    /// One instrument.
    #[must_use]
    #[inline]
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }
    /// All, in id order.
    #[must_use]
    pub fn all(&self) -> &[Instrument] {
        &self.instruments
    }
    /// Configured name of a venue instance.
    #[must_use]
    pub fn venue_name(&self, venue: VenueId) -> &str {
        self.venue_names
            .get(venue.index())
            .map_or("?", String::as_str)
    }
    /// Names of all venues, by id.
    #[must_use]
    pub fn venue_names(&self) -> &[String] {
        &self.venue_names
    }
    /// The instruments of one venue.
    pub fn at_venue(&self, venue: VenueId) -> impl Iterator<Item = &Instrument> {
        self.instruments
            .iter()
            .filter(move |instrument| instrument.venue == venue)
    }
    /// `venue:SYMBOL`, as people write it.
    #[must_use]
    pub fn label(&self, id: InstrumentId) -> String {
        self.get(id).map_or_else(
            || format!("instrument {}", id.0),
            |instrument| {
                format!(
                    "{}:{}",
                    self.venue_name(instrument.venue),
                    instrument.symbol
                )
            },
        )
    }
}
