//! What a trader tunes, already checked and in the engine's units (the configuration room makes these).

use crate::market::{InstrumentId, VenueId};
use crate::trade::{SendOrder, StrategyId};
use crate::units::{Asset, Money, Nanos, Notional, Ppm};

/// What every strategy has (CONFIG.md, "Common to every strategy").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonParams {
    /// Its id.
    pub id: StrategyId,
    /// Its configured name.
    pub name: String,
    /// Net edge a set must reach after all fees.
    pub min_net_edge: Ppm,
    /// Above this a set is refused as an error in the data.
    pub max_net_edge: Ppm,
    /// Consecutive evaluations that must agree before a set is sent, at least 1.
    pub confirm_updates: u32,
    /// Share of visible depth within the limit price that a set may take.
    pub max_book_take: Ppm,
    /// Oldest book that may price a leg.
    pub max_book_age: Nanos,
    /// Largest difference between the ages of any two books of a set.
    pub max_leg_skew: Nanos,
    /// Pause of a route after a set.
    pub cooldown: Nanos,
    /// Most sets started a minute.
    pub max_sets_per_min: u32,
    /// Most sets open at once.
    pub max_open_sets: u32,
    /// How far past the edge price the limit may lie.
    pub limit_cushion: Ppm,
    /// Deadline of a leg before the resolver acts.
    pub leg_timeout: Nanos,
    /// Costliest repair that may be taken; above it the set is held and alerted.
    pub max_unwind_cost: Ppm,
    /// Broken sets in an hour that stop the strategy.
    pub max_broken_sets: u32,
    /// Levels a side that a size may be taken from, 1 to [`super::sizing::LEVELS_MAX`].
    pub depth_levels: u32,
    /// Times of day without new sets.
    pub blackout: Vec<DaySpan>,
}

/// Parameters of one `cross_exchange` strategy (CONFIG.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossVenueParams {
    /// What every strategy has.
    pub common: CommonParams,
    /// The instruments compared, all of one base and quantity grid; every ordered pair is a route. The first one's quote is the
    /// one that amounts below are in.
    pub instruments: Vec<InstrumentId>,
    /// Taker fee by position in `instruments`.
    pub taker_fees: Vec<Ppm>,
    /// Maker fee by position in `instruments`; empty: as the taker fee. Only `maker_then_taker` uses it.
    pub maker_fees: Vec<Ppm>,
    /// Discounts of an asset held, by position in `instruments`; empty: none.
    pub fee_assets: Vec<Option<FeeAsset>>,
    /// Books that convert quotes other than the first instrument's into that one; empty when all quote alike.
    pub conversions: Vec<Conversion>,
    /// Largest distance of a conversion from one to one.
    pub max_quote_depeg: Ppm,
    /// Denied routes: (buy at, sell at).
    pub routes_deny: Vec<(InstrumentId, InstrumentId)>,
    /// In which order the legs leave.
    pub leg_order: LegOrder,
    /// How much should be held where; `None`: wherever it comes to lie.
    pub inventory: Option<InventoryTargets>,
    /// Sets that inventory should still allow after one is taken; fewer are counted as a warning. Zero: none.
    pub min_runway_sets: u32,
    /// Smallest and largest set value in the quote asset, on the shared grid.
    pub min_order_notional: Notional,
    /// See above.
    pub max_order_notional: Notional,
    /// Largest absolute position per instrument this strategy builds up, in the quote asset; beyond it only routes that
    /// bring it back are taken.
    pub max_inventory_notional: Notional,
}

/// A discount on fees while an asset is held at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeAsset {
    /// The asset's spot instrument at the same venue: what is free of it, at its bid, is its worth.
    pub instrument: InstrumentId,
    /// Share of the fee that is saved.
    pub discount: Ppm,
    /// Least worth, on that instrument's grid; below it no discount is assumed.
    pub floor: Notional,
}

/// How amounts of one quote asset become the first instrument's quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// The other quote asset.
    pub quote: Asset,
    /// The spot book of both, either way round. It is watched, never traded.
    pub via: InstrumentId,
}

/// In which order the two legs of a cross-venue set leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LegOrder {
    /// Both at once.
    #[default]
    Together,
    /// The one whose book is thinner first, then the other for what it filled.
    ThinFirst,
    /// The one at the better maker fee rests at its touch first, then the other takes for what it filled.
    MakerThenTaker,
}

/// Where inventory should lie. The ratio of an instrument is its position between the strategy's two bounds: 0 at the most sold,
/// 1 at the most bought, one half at none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryTargets {
    /// Wanted ratio by position in `instruments`, 0 to 1.
    pub targets: Vec<Ppm>,
    /// Farthest distance from it, above 0; beyond it only routes that come back.
    pub band: Ppm,
    /// At that distance a route that goes on must earn this much more a leg, and one that comes back this much less.
    pub skew: Ppm,
}

/// A span of every day, UTC, from `from` (in it) to `to` (not in it), since midnight. `to` before `from` goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpan {
    /// Begin.
    pub from: Nanos,
    /// End.
    pub to: Nanos,
}

/// Parameters of one `triangular` strategy. Amounts are in the start asset of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriangularParams {
    /// What every strategy has.
    pub common: CommonParams,
    /// The one venue it trades at.
    pub venue: VenueId,
    /// Taker fee by instrument id; a missing one refuses.
    pub taker_fees: Vec<Ppm>,
    /// Which asset the fee of an order is taken from.
    pub fee_taken: FeeTaken,
    /// Where a cycle may begin and end.
    pub start_assets: Vec<Asset>,
    /// Which cycles there are.
    pub cycles: CycleChoice,
    /// Most legs of a cycle that is found, 3 to `LEGS_MAX`.
    pub max_cycle_legs: usize,
    /// Smallest amount a set starts with.
    pub start_min: Money,
    /// Largest amount a set starts with.
    pub start_max: Money,
    /// How the best size is searched.
    pub size_search: SizeSearch,
    /// In which order the legs leave.
    pub execution: SendOrder,
    /// How far the limits of legs 2 and later may lie from the touch.
    pub protective_limit: Ppm,
    /// Most held of an intermediate asset, in units of that asset.
    pub asset_caps: Vec<(Asset, Money)>,
}

/// Which asset a fee is taken from. It decides how much of a cycle arrives at its next leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeeTaken {
    /// From what was received, as Binance does: base of a buy, quote of a sell. Safe where a discount asset may run out: what
    /// is then paid from there is left over.
    #[default]
    FromReceived,
    /// From the quote asset, on top of a buy: what was bought arrives whole.
    FromQuote,
}

/// Which cycles a triangular strategy watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CycleChoice {
    /// Every one that the instruments of the venue form.
    Discover {
        /// Only over these assets; empty: over all.
        assets_allow: Vec<Asset>,
        /// Never over these.
        assets_deny: Vec<Asset>,
    },
    /// Paths of assets, each beginning at a start asset and returning to it, e.g. `[USDT, BTC, ETH]`.
    Given(Vec<Vec<Asset>>),
}

/// How the best size of a cycle is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SizeSearch {
    /// Halves the range, then looks at the lots around.
    #[default]
    Bisect,
    /// Tries fixed shares of the range.
    Grid,
}

/// Parameters of one `spot_perp_basis` strategy. Its two instruments belong to no other strategy, so that a position in them is
/// its own, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisParams {
    /// What every strategy has.
    pub common: CommonParams,
    /// The spot instrument.
    pub spot: InstrumentId,
    /// The perpetual, linear or inverse, of the same base.
    pub perp: InstrumentId,
    /// Taker fee at spot.
    pub spot_fee: Ppm,
    /// Taker fee at the perpetual.
    pub perp_fee: Ppm,
    /// Which pairs may be held.
    pub direction: BasisDirection,
    /// Least perpetual bid over spot ask to enter (mirrored for `long_perp`).
    pub entry_basis: Ppm,
    /// Basis at which a pair is taken off.
    pub exit_basis: Ppm,
    /// Least net carry a day: funding plus basis decay less fees over the horizon.
    pub min_net_carry_per_day: Ppm,
    /// Over how long fees are spread.
    pub carry_horizon: Nanos,
    /// Least funding to receive, parts per billion of the position per 8 h.
    pub min_funding_8h_ppb: i64,
    /// Take a pair off when funding turns, if that costs less than it is expected to lose.
    pub funding_flip_exit: bool,
    /// Time between two fundings of the perpetual, until the venue's own marks show it.
    pub funding_interval: Nanos,
    /// No entry this long before a funding instant.
    pub no_entry_before_funding: Nanos,
    /// Longest a pair is held.
    pub max_hold: Nanos,
    /// Leverage of the perpetual, at least 1.
    pub leverage: u32,
    /// Below this distance to liquidation both legs shrink together.
    pub min_liq_distance: Ppm,
    /// Value of one slice in the quote asset.
    pub slice: Money,
    /// Most value of the pair in the quote asset.
    pub max_position: Money,
    /// Shortest time between two slices.
    pub slice_interval: Nanos,
    /// Difference of the two legs, as a share of the larger one, beyond which the larger one is trimmed (an order that only
    /// reduces, so that it passes at reduce-only).
    pub delta_band: Ppm,
    /// Whether an exit goes in slices or at once.
    pub exit_style: ExitStyle,
}

/// Which pairs a basis strategy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BasisDirection {
    /// Long spot, short perpetual.
    #[default]
    ShortPerp,
    /// Short spot (from inventory), long perpetual.
    LongPerp,
    /// Either.
    Both,
}

/// How a pair is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExitStyle {
    /// In slices, as it was built.
    #[default]
    PairSlices,
    /// At once.
    PairNow,
}

/// Parameters of any strategy that a configuration can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrategyParams {
    /// Buy at one venue, sell at another.
    CrossVenue(CrossVenueParams),
    /// Around a cycle on one venue.
    Triangular(TriangularParams),
    /// Spot against a perpetual, for the basis and its funding.
    SpotPerpBasis(BasisParams),
}
