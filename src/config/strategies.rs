//! Strategies as configured, and the parameters of the strategy room made from them once the instruments' grids are known.

mod cross;

pub(super) use cross::converts;

use rust_decimal::Decimal;

use crate::execution::{LegBudget, OnBroken};
use crate::market::{Catalogue, Symbol, VenueId};
use crate::strategy::{
    BasisParams, CommonParams, CycleChoice, LegOrder, StrategyParams, TriangularParams,
};
use crate::units::{Asset, Ppm};

use super::settings::{Settings, SettingsError, StrategyMode};

/// One strategy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategySettings {
    /// Its name.
    pub id: String,
    /// Whether its orders leave.
    pub mode: StrategyMode,
    /// What is done with a set that breaks.
    pub on_broken: OnBroken,
    /// How much of its sets may be unhedged for how long.
    pub leg_budget: LegBudget,
    /// What it does, and how.
    pub kind: StrategyKind,
}

/// The kinds of strategy files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrategyKind {
    /// `cross_exchange`
    CrossExchange(CrossSettings),
    /// `triangular`; taker fees are filled in from the venue.
    Triangular(TriangularParams),
    /// `spot_perp_basis`
    SpotPerpBasis(BasisSettings),
}

/// `kind = "cross_exchange"`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossSettings {
    /// What every strategy has.
    pub common: CommonParams,
    /// The pair.
    pub symbol: Symbol,
    /// Where, in order.
    pub venues: Vec<VenueId>,
    /// Denied (buy, sell).
    pub routes_deny: Vec<(VenueId, VenueId)>,
    /// Smallest leg value in the quote asset.
    pub min_order_quote: Decimal,
    /// Largest leg value in the quote asset.
    pub max_order_quote: Decimal,
    /// Largest position value a venue in the quote asset.
    pub max_inventory_quote: Decimal,
    /// Quotes compared beside the symbol's own.
    pub other_quotes: Vec<Asset>,
    /// Largest distance of a conversion from one to one.
    pub max_quote_depeg: Ppm,
    /// In which order the legs leave.
    pub leg_order: LegOrder,
    /// Where inventory should lie, if it should.
    pub inventory: Option<InventorySettings>,
    /// Fewer sets that inventory still allows are a warning.
    pub min_runway_sets: u32,
}

/// Where inventory should lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySettings {
    /// Wanted ratio by position in `venues`.
    pub targets: Vec<Ppm>,
    /// Farthest distance from it.
    pub band: Ppm,
    /// What a route must earn more, or less, there.
    pub skew: Ppm,
}

impl CrossSettings {
    /// Its instruments, the symbol's own quote first; `symbols` are those of a venue.
    pub(super) fn at<'a>(
        &self,
        symbols: impl Fn(VenueId) -> &'a [Symbol],
    ) -> Vec<(VenueId, Symbol)> {
        let quotes = [self.symbol.quote];
        let quotes = quotes.iter().chain(&self.other_quotes);
        quotes
            .flat_map(|quote| {
                let pair = Symbol {
                    quote: *quote,
                    ..self.symbol
                };
                let at = |venue: &VenueId| Some((*venue, pair_of(symbols(*venue), &pair)?));
                self.venues.iter().filter_map(at).collect::<Vec<_>>()
            })
            .collect()
    }
}

/// `kind = "spot_perp_basis"`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisSettings {
    /// Where the spot leg is.
    pub spot: (VenueId, Symbol),
    /// Where the perpetual is.
    pub perp: (VenueId, Symbol),
    /// The rest; instruments and fees are filled in.
    pub params: BasisParams,
}

impl StrategySettings {
    /// What every strategy has.
    #[must_use]
    pub const fn common(&self) -> &CommonParams {
        match &self.kind {
            StrategyKind::CrossExchange(cross) => &cross.common,
            StrategyKind::Triangular(params) => &params.common,
            StrategyKind::SpotPerpBasis(basis) => &basis.params.common,
        }
    }

    /// The key of its largest order value, that value, and the asset that it is in.
    #[must_use]
    pub fn largest_order(&self) -> (&'static str, Decimal, Option<Asset>) {
        match &self.kind {
            StrategyKind::CrossExchange(cross) => (
                "max_order_quote",
                cross.max_order_quote,
                Some(cross.symbol.quote),
            ),
            StrategyKind::Triangular(params) => (
                "start_max_quote",
                params.start_max.0,
                params.start_assets.first().copied(),
            ),
            StrategyKind::SpotPerpBasis(basis) => (
                "slice_quote",
                basis.params.slice.0,
                Some(basis.spot.1.quote),
            ),
        }
    }

    /// Every instrument that it may trade, given the symbols of a venue.
    pub fn instruments<'a>(
        &self,
        symbols: impl Fn(VenueId) -> &'a [Symbol],
    ) -> Vec<(VenueId, Symbol)> {
        match &self.kind {
            StrategyKind::CrossExchange(cross) => cross.at(symbols),
            StrategyKind::Triangular(params) => {
                let listed = symbols(params.venue).iter();
                let walked = listed.filter(|symbol| walks(&params.cycles, symbol));
                walked.map(|symbol| (params.venue, *symbol)).collect()
            }
            StrategyKind::SpotPerpBasis(basis) => vec![basis.spot, basis.perp],
        }
    }
}

/// True when a cycle may change the symbol's assets into each other.
fn walks(cycles: &CycleChoice, symbol: &Symbol) -> bool {
    match cycles {
        CycleChoice::Discover {
            assets_allow,
            assets_deny,
        } => [symbol.base, symbol.quote].iter().all(|asset| {
            (assets_allow.is_empty() || assets_allow.contains(asset))
                && !assets_deny.contains(asset)
        }),
        CycleChoice::Given(paths) => paths.iter().any(|path| {
            let ring = path.iter().zip(path.iter().cycle().skip(1));
            let pairs = [(symbol.base, symbol.quote), (symbol.quote, symbol.base)];
            ring.into_iter()
                .any(|(from, to)| pairs.contains(&(*from, *to)))
        }),
    }
}

/// The symbol of the same base and quote, spot or perpetual.
fn pair_of(symbols: &[Symbol], pair: &Symbol) -> Option<Symbol> {
    symbols
        .iter()
        .find(|symbol| symbol.base == pair.base && symbol.quote == pair.quote)
        .copied()
}

impl Settings {
    /// The parameters of every strategy, by strategy id.
    ///
    /// # Errors
    /// [`SettingsError`] when an instrument is missing or a value does not fit its grid.
    pub fn strategy_params(
        &self,
        catalogue: &Catalogue,
    ) -> Result<Vec<StrategyParams>, SettingsError> {
        let params = |strategy: &StrategySettings| match &strategy.kind {
            StrategyKind::CrossExchange(cross) => self
                .cross_params(cross, catalogue)
                .map(StrategyParams::CrossVenue),
            StrategyKind::Triangular(params) => Ok(StrategyParams::Triangular(TriangularParams {
                taker_fees: self.taker_fees(catalogue),
                ..params.clone()
            })),
            StrategyKind::SpotPerpBasis(basis) => {
                let id = |(venue, symbol): &(VenueId, Symbol)| {
                    self.instrument(catalogue, *venue, symbol)
                };
                Ok(StrategyParams::SpotPerpBasis(BasisParams {
                    spot: id(&basis.spot)?,
                    perp: id(&basis.perp)?,
                    spot_fee: self.taker_fee(basis.spot.0),
                    perp_fee: self.taker_fee(basis.perp.0),
                    ..basis.params.clone()
                }))
            }
        };
        self.strategies.iter().map(params).collect()
    }

    /// The taker fee of a venue; all of the value when there is no such venue, so that nothing is traded there.
    #[must_use]
    pub fn taker_fee(&self, venue: VenueId) -> Ppm {
        self.venues
            .get(venue.index())
            .map_or(Ppm::ONE, |venue| venue.taker_fee)
    }

    /// Taker fees by instrument id.
    #[must_use]
    pub fn taker_fees(&self, catalogue: &Catalogue) -> Vec<Ppm> {
        let all = catalogue.all().iter();
        all.map(|instrument| self.taker_fee(instrument.venue))
            .collect()
    }

    /// The symbol of a venue with the same base and quote (spot or perpetual).
    #[must_use]
    pub fn pair_at(&self, venue: VenueId, pair: &Symbol) -> Option<Symbol> {
        pair_of(&self.venues.get(venue.index())?.symbols, pair)
    }
}
