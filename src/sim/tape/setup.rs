//! What the market model is asked for: venues, symbols and how lively the market is.

use rust_decimal::Decimal;

use crate::market::{InstrumentKind, Symbol};
use crate::units::{Grid, Nanos, Ppm, Price, Qty, UnixNanos};

/// A whole market of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSetup {
    /// Venues in the world's order: the index is [`super::TapeEvent::venue`].
    pub venues: Vec<VenueShape>,
    /// Equal seeds (and setups) give equal markets for ever.
    pub seed: u64,
    /// How lively it is.
    pub params: ModelParams,
    /// When the first orders are placed.
    pub start: UnixNanos,
}

/// One venue of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueShape {
    /// Its symbols: the index is [`super::TapeEvent::symbol`].
    pub symbols: Vec<SymbolShape>,
}

/// One symbol of one venue. Symbols with the same base asset share one latent fair price; a symbol whose quote asset is the base
/// of others is a cross pair: its fair price is the quotient of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolShape {
    /// Unified symbol; a symbol with a settle asset is a perpetual with a basis, a mark and funding.
    pub symbol: Symbol,
    /// Steps of prices and quantities.
    pub grid: Grid,
    /// Price at the start, in steps.
    pub base_price: Price,
    /// Price increment in steps.
    pub tick: Price,
    /// Quantity increment in steps.
    pub lot: Qty,
    /// What a taker pays here: a dislocation is planted on top of both sides' fees.
    pub taker_fee: Ppm,
}

/// A price about which the model's market begins when nobody names one, in hundredths of the quote unit.
#[must_use]
pub fn usual_price_cents(base: &str) -> i64 {
    match base {
        "BTC" => 6_180_000,
        "ETH" => 268_000,
        "BNB" => 51_500,
        "SOL" => 15_500,
        _ => 10_000,
    }
}

/// The same for a quote asset that is a coin itself, so that a cross pair begins at the quotient; `None` for money.
#[must_use]
pub fn coin_price_cents(quote: &str) -> Option<i64> {
    matches!(quote, "BTC" | "ETH" | "BNB" | "SOL").then(|| usual_price_cents(quote))
}

impl SymbolShape {
    /// A symbol that begins at its usual price, rounded down to the tick.
    #[must_use]
    pub fn usual(symbol: Symbol, grid: Grid, tick: Price, lot: Qty, taker_fee: Ppm) -> Self {
        let cents = Decimal::from(usual_price_cents(symbol.base.as_str()));
        let unit = coin_price_cents(symbol.quote.as_str()).unwrap_or(100);
        let base_price = cents
            .checked_div(Decimal::from(unit))
            .and_then(|price| grid.price_floor(price))
            .and_then(|price| price.floor_to(tick))
            .unwrap_or(tick)
            .max(tick);
        Self {
            symbol,
            grid,
            base_price,
            tick,
            lot,
            taker_fee,
        }
    }

    /// True when it has funding.
    #[must_use]
    pub fn is_perpetual(&self) -> bool {
        self.symbol.kind() != InstrumentKind::Spot
    }
}

/// A time when perpetuals leave spot: what a basis strategy lives on. The basis goes there, and back afterwards, as fast as
/// [`ModelParams::basis_pull`] lets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlantedBasis {
    /// Where the basis goes, in parts per billion of the price.
    pub basis_ppb: i64,
    /// Funding told meanwhile, in parts per billion an interval; the usual formula before and after.
    pub funding_ppb: i64,
    /// When it begins, after the market's start.
    pub from: Nanos,
    /// When it ends, after the market's start.
    pub until: Nanos,
}

impl PlantedBasis {
    /// True while it lasts.
    #[must_use]
    pub fn lasts(&self, since_start: Nanos) -> bool {
        (self.from..self.until).contains(&since_start)
    }
}

/// How lively the model's market is. Rates are means outside bursts unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelParams {
    /// Orders placed or cancelled by makers, a spot symbol and second.
    pub changes_per_s: u64,
    /// Takers' orders, a spot symbol and second.
    pub takers_per_s: u64,
    /// A perpetual's rates against spot, in ppm.
    pub perpetual_rate: Ppm,
    /// Moves of the fair price a minute.
    pub jumps_per_min: u64,
    /// Standard deviation of one move, in parts per billion of the price.
    pub jump_ppb: i64,
    /// Share of moves that a taker's sweep makes (the rest: makers cancel first), in ppm.
    pub sweep_share: Ppm,
    /// Bursts a minute and underlying, the same on all its venues.
    pub bursts_per_min: u64,
    /// Shortest burst.
    pub burst_min: Nanos,
    /// Longest burst.
    pub burst_max: Nanos,
    /// Orders come this many times faster in a burst.
    pub burst_rate_factor: u64,
    /// Moves come this many times faster in a burst.
    pub burst_jump_factor: u64,
    /// Shortest time from a move of the fair price to a venue's makers.
    pub lag_min: Nanos,
    /// Longest such time (each venue has its own in between, and up to as much again by chance).
    pub lag_max: Nanos,
    /// Median value resting at the touch of a spot symbol, in whole quote units.
    pub touch_notional: i64,
    /// A perpetual's touch against spot, in ppm.
    pub perpetual_touch: Ppm,
    /// Makers' orders at one touch, about.
    pub touch_orders: usize,
    /// Makers' orders on one side, at most.
    pub side_orders: usize,
    /// How far from the touch orders rest, in ppm of the price.
    pub depth: Ppm,
    /// A perpetual's price less spot, on average, in parts per billion.
    pub basis_ppb: i64,
    /// Standard deviation of the basis' change in a second, in parts per billion.
    pub basis_step_ppb: i64,
    /// Share of the basis' distance from its average that it loses in a second, in ppm.
    pub basis_pull: Ppm,
    /// A time when every perpetual is dear (or cheap) and pays funding; `None` plants none.
    pub planted_basis: Option<PlantedBasis>,
    /// Dislocations a minute and underlying: one venue (or one pair of a cycle) away from the others by more than the fees.
    pub dislocations_per_min: u64,
    /// What a dislocation leaves after both taker fees at its peak, in basis points: half to double of it.
    /// Zero plants none.
    pub planted_edge_bps: i64,
    /// Shortest life of a dislocation.
    pub dislocation_min: Nanos,
    /// Longest life of a dislocation.
    pub dislocation_max: Nanos,
    /// Share of dislocations where one venue's makers sleep through a move (the rest: a sweep on one venue), in ppm.
    pub asleep_share: Ppm,
}

impl ModelParams {
    /// Calibrated with the recordings (docs/MARKET_MODEL.md), with an edge planted about every two seconds.
    #[must_use]
    pub const fn demo() -> Self {
        Self {
            changes_per_s: 60,
            takers_per_s: 6,
            perpetual_rate: Ppm(1_700_000),
            jumps_per_min: 36,
            jump_ppb: 60_000,
            sweep_share: Ppm(600_000),
            bursts_per_min: 9,
            burst_min: Nanos::from_millis(150),
            burst_max: Nanos::from_millis(600),
            burst_rate_factor: 10,
            burst_jump_factor: 40,
            lag_min: Nanos::from_millis(1),
            lag_max: Nanos::from_millis(6),
            touch_notional: 90_000,
            perpetual_touch: Ppm(2_000_000),
            touch_orders: 8,
            side_orders: 40,
            depth: Ppm(2_000),
            basis_ppb: -100_000,
            basis_step_ppb: 4_000,
            basis_pull: Ppm(5_000),
            planted_basis: None,
            dislocations_per_min: 15,
            planted_edge_bps: 8,
            dislocation_min: Nanos::from_millis(5),
            dislocation_max: Nanos::from_millis(500),
            asleep_share: Ppm(100_000),
        }
    }

    /// The same market without any planted dislocation.
    #[must_use]
    pub const fn without_edge() -> Self {
        Self {
            planted_edge_bps: 0,
            dislocations_per_min: 0,
            ..Self::demo()
        }
    }
}

impl Default for ModelParams {
    fn default() -> Self {
        Self::demo()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_prices_lie_on_the_tick() {
        let symbol: Symbol = "BTC/USDT:USDT".parse().unwrap();
        let grid = Grid::new(2, 3).unwrap();
        let shape = SymbolShape::usual(symbol, grid, Price(30), Qty(1), Ppm(500));
        assert_eq!(shape.base_price, Price(6_180_000));
        assert!(shape.is_perpetual());
        let coarse = SymbolShape::usual(
            "XYZ/USDT".parse().unwrap(),
            Grid::new(0, 0).unwrap(),
            Price(7),
            Qty(1),
            Ppm(0),
        );
        assert_eq!(coarse.base_price, Price(98));
        let cross = SymbolShape::usual(
            "ETH/BTC".parse().unwrap(),
            Grid::new(6, 4).unwrap(),
            Price(10),
            Qty(1),
            Ppm(1_000),
        );
        assert_eq!(
            cross.base_price,
            Price(43_360),
            "2,680 of 61,800, on the tick"
        );
    }
}
