//! A venue's trading rules, in exact decimals, and how they become an [`Instrument`] on the shared grid.
//!
//! A rule that the venue has switched off (zero) is off here too. A symbol whose rules cannot be kept exactly is refused by
//! name, not rounded.

use rust_decimal::Decimal;

use crate::market::{Instrument, InstrumentId, InstrumentStatus, PriceBand, Symbol, VenueId};
use crate::units::number::DECIMALS_MAX;
use crate::units::{Grid, Nanos, Price, Qty};

use super::{Dialect, binance};

/// Decimals a lot may once have had more than today.
const OLDER_LOT_DECIMALS: u8 = 3;
/// Decimals of quantities that are enough for any venue's text.
const QTY_DECIMALS_KEPT: u8 = 8;

/// Why a venue's rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The answer is not what it should be.
    #[error("exchange information was malformed: {0}")]
    Malformed(String),
    /// The venue does not list the symbol.
    #[error("symbol {0} was not listed by the venue")]
    NotListed(String),
    /// The symbol's rules cannot be read.
    #[error("rules of {symbol} were not usable: {problem}")]
    Unusable {
        /// Venue's name.
        symbol: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A value does not lie on the grid, or the grid needs more than 18 decimals.
    #[error("{what} of {symbol} was {value}, which does not fit the grid")]
    OffGrid {
        /// Venue's name.
        symbol: String,
        /// Which rule.
        what: &'static str,
        /// Its value.
        value: Decimal,
    },
}

impl RulesError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NotListed(_) => "not_listed",
            Self::Unusable { .. } => "unusable",
            Self::OffGrid { .. } => "off_grid",
        }
    }
}

/// The rules of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingRules {
    /// The venue's own name.
    pub native: String,
    /// The unified symbol.
    pub symbol: Symbol,
    /// Price increment, above zero.
    pub tick: Decimal,
    /// Quantity increment, above zero.
    pub lot: Decimal,
    /// Smallest quantity; zero when off.
    pub qty_min: Decimal,
    /// Largest quantity; `None` when off.
    pub qty_max: Option<Decimal>,
    /// Smallest value in the quote asset; zero when off.
    pub notional_min: Decimal,
    /// Largest value in the quote asset; `None` when off.
    pub notional_max: Option<Decimal>,
    /// Lowest price; zero when off.
    pub price_min: Decimal,
    /// Highest price; `None` when off.
    pub price_max: Option<Decimal>,
    /// Whether it trades now.
    pub status: InstrumentStatus,
    /// True when the venue enforces reduce-only orders.
    pub has_reduce_only: bool,
    /// How far a price may lie from the venue's average; `None` when off.
    pub price_band: Option<PriceBand>,
}

/// How fast the venue lets an account ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VenueLimits {
    /// Request weight a minute.
    pub weight_per_minute: Option<u32>,
    /// New orders a window.
    pub orders: Vec<(Nanos, u32)>,
}

/// All rules of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleBook {
    /// Usable symbols in the venue's order.
    pub rules: Vec<TradingRules>,
    /// Symbols left out, and why.
    pub refused: Vec<RulesError>,
    /// Limits of the account.
    pub limits: VenueLimits,
}

impl RuleBook {
    /// Reads a venue's answer.
    ///
    /// # Errors
    /// [`RulesError::Malformed`] when the whole answer cannot be read; single symbols are left out and listed instead.
    pub fn parse(dialect: Dialect, body: &[u8]) -> Result<Self, RulesError> {
        match dialect {
            Dialect::BinanceSpot => binance::exchange_info::parse(body, false),
            Dialect::BinanceUsdm => binance::exchange_info::parse(body, true),
        }
    }
    /// Path and query of the question for these symbols (a venue may answer with more).
    #[must_use]
    pub fn target(dialect: Dialect, natives: &[&str]) -> String {
        match dialect {
            Dialect::BinanceSpot => binance::exchange_info::spot_target(natives),
            Dialect::BinanceUsdm => "/fapi/v1/exchangeInfo".to_owned(),
        }
    }
    /// Rules of one symbol by the venue's name.
    ///
    /// # Errors
    /// Why it is not among them.
    pub fn find(&self, native: &str) -> Result<&TradingRules, RulesError> {
        self.rules
            .iter()
            .find(|rules| rules.native == native)
            .ok_or_else(|| {
                let refused = self.refused.iter().find(|error| match error {
                    RulesError::Unusable { symbol, .. } | RulesError::OffGrid { symbol, .. } => {
                        symbol == native
                    }
                    RulesError::Malformed(_) | RulesError::NotListed(_) => false,
                });
                refused
                    .cloned()
                    .unwrap_or_else(|| RulesError::NotListed(native.to_owned()))
            })
    }
    /// Rules of one symbol by its unified name.
    #[must_use]
    pub fn find_symbol(&self, symbol: &Symbol) -> Option<&TradingRules> {
        self.rules.iter().find(|rules| rules.symbol == *symbol)
    }
}

impl TradingRules {
    /// Decimals of price and quantity that hold every increment and minimum exactly.
    #[must_use]
    pub fn decimals_needed(&self) -> (u32, u32) {
        let places = |values: [Decimal; 2]| {
            values
                .iter()
                .map(|value| value.normalize().scale())
                .max()
                .unwrap_or(0)
        };
        (
            places([self.tick, self.price_min]),
            places([self.lot, self.qty_min]),
        )
    }

    /// A grid that holds the rules of all the given venues of one base and quote.
    ///
    /// Quantities get three decimals more than the lots (up to eight in all): books still hold orders of times when the lot
    /// was finer, e.g. 25.426189 BTC in a Binance book of 2024 whose lot is 0.00001.
    ///
    /// # Errors
    /// [`RulesError::OffGrid`] when it would need more than 18 decimals.
    pub fn shared_grid(venues: &[&Self]) -> Result<Grid, RulesError> {
        let (mut price, mut qty) = (0, 0);
        for rules in venues {
            let (price_needed, qty_needed) = rules.decimals_needed();
            for (needed, slot, what, value) in [
                (price_needed, &mut price, "tick", rules.tick),
                (qty_needed, &mut qty, "lot", rules.lot),
            ] {
                match u8::try_from(needed) {
                    Ok(needed) if needed <= DECIMALS_MAX => *slot = needed.max(*slot),
                    Ok(_) | Err(_) => return Err(rules.off_grid(what, value)),
                }
            }
        }
        let qty = qty.max(
            qty.saturating_add(OLDER_LOT_DECIMALS)
                .min(QTY_DECIMALS_KEPT),
        );
        Grid::new(price, qty).map_err(|_too_many| RulesError::Malformed("grid".to_owned()))
    }

    fn off_grid(&self, what: &'static str, value: Decimal) -> RulesError {
        RulesError::OffGrid {
            symbol: self.native.clone(),
            what,
            value,
        }
    }

    /// As an instrument on the shared grid.
    ///
    /// Upper bounds beyond what the grid can count are as good as none.
    ///
    /// # Errors
    /// [`RulesError::OffGrid`] when an increment or minimum does not lie on the grid.
    pub fn instrument(
        &self,
        id: InstrumentId,
        venue: VenueId,
        grid: Grid,
    ) -> Result<Instrument, RulesError> {
        let price = |what, value| {
            grid.price_exact(value)
                .map_err(|_grid| self.off_grid(what, value))
        };
        let qty = |what, value| {
            grid.qty_exact(value)
                .map_err(|_grid| self.off_grid(what, value))
        };
        let tick = price("tick", self.tick)?;
        let lot = qty("lot", self.lot)?;
        let instrument = Instrument {
            id,
            venue,
            symbol: self.symbol,
            native: self.native.clone(),
            grid,
            tick,
            lot,
            qty_min: qty("smallest quantity", self.qty_min)?,
            qty_max: self
                .qty_max
                .and_then(|value| grid.qty_floor(value))
                .unwrap_or(Qty(i64::MAX)),
            notional_min: self.notional_min,
            notional_max: self.notional_max,
            price_min: price("lowest price", self.price_min)?,
            price_max: self.price_max.and_then(|value| grid.price_floor(value)),
            multiplier: Decimal::ONE,
            status: self.status,
            has_reduce_only: self.has_reduce_only,
            price_band: self.price_band,
        };
        // The venue tests `(value - minimum) mod increment`; the engine rounds to multiples of the increment. They agree
        // when the minimum is such a multiple, which holds wherever we looked; elsewhere orders would be refused.
        if instrument.price_min.floor_to(tick) != Some(instrument.price_min) {
            return Err(self.off_grid("lowest price", self.price_min));
        }
        if instrument.qty_min.floor_to(lot) != Some(instrument.qty_min) {
            return Err(self.off_grid("smallest quantity", self.qty_min));
        }
        if tick <= Price(0) || lot <= Qty(0) {
            return Err(self.off_grid("increment", self.tick));
        }
        Ok(instrument)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPOT: &str = r#"{"timezone":"UTC","rateLimits":[
        {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},
        {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50},
        {"rateLimitType":"NEW_KIND","interval":"FORTNIGHT","intervalNum":1,"limit":1}],
      "symbols":[
       {"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","isSpotTradingAllowed":true,"filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
        {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
        {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100.00000000","stepSize":"0.00000000"},
        {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","avgPriceMins":5},
        {"filterType":"OF_TOMORROW","tickSize":7,"minQty":{"deep":[]}}]},
       {"symbol":"OLDUSDT","status":"BREAK","baseAsset":"OLD","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0","maxPrice":"0","tickSize":"0"},
        {"filterType":"LOT_SIZE","minQty":"1","maxQty":"0","stepSize":"1"},
        {"filterType":"MIN_NOTIONAL","minNotional":"10"}]},
       {"symbol":"１２３USDT","status":"TRADING","baseAsset":"１２３","quoteAsset":"USDT","filters":[]},
       {"symbol":"BADUSDT","status":"TRADING","baseAsset":"BAD","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"x","maxPrice":"0","tickSize":"0.1"}]}]}"#;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn spot_rules() {
        let book = RuleBook::parse(Dialect::BinanceSpot, SPOT.as_bytes()).unwrap();
        assert_eq!(book.rules.len(), 2);
        assert_eq!(book.limits.weight_per_minute, Some(6_000));
        assert_eq!(book.limits.orders, [(Nanos::from_secs(10), 50)]);
        let rules = book.find("BTCUSDT").unwrap();
        assert_eq!(rules.symbol.to_string(), "BTC/USDT");
        assert_eq!((rules.tick, rules.lot), (dec("0.01"), dec("0.00001")));
        assert_eq!(rules.notional_max, Some(dec("9000000")));
        assert_eq!(rules.decimals_needed(), (2, 5));
        let grid = TradingRules::shared_grid(&[rules]).unwrap();
        let instrument = rules.instrument(InstrumentId(3), VenueId(1), grid).unwrap();
        assert_eq!((instrument.tick, instrument.lot), (Price(1), Qty(1_000)));
        assert_eq!(instrument.qty_max, Qty(900_000_000_000));
        assert_eq!(instrument.price_max, Some(Price(100_000_000)));
        assert_eq!(instrument.status, InstrumentStatus::Trading);
        let old = book.find("OLDUSDT").unwrap();
        assert_eq!(old.status, InstrumentStatus::Halted);
        assert_eq!((old.price_max, old.qty_max), (None, None));
        assert_eq!(old.notional_min, dec("10"));
        assert_eq!(
            old.tick,
            dec("0.00000001"),
            "no tick rule: the finest price"
        );
        assert!(matches!(
            book.find("BADUSDT"),
            Err(RulesError::Unusable { .. })
        ));
        assert!(matches!(book.find("NONE"), Err(RulesError::NotListed(_))));
        assert_eq!(book.refused.len(), 2);
        assert_eq!(
            RuleBook::target(Dialect::BinanceSpot, &["BTCUSDT", "１"]),
            "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%2C%22%EF%BC%91%22%5D"
        );
    }

    #[test]
    fn a_shared_grid_is_the_finest_of_its_venues() {
        let book = RuleBook::parse(Dialect::BinanceSpot, SPOT.as_bytes()).unwrap();
        let fine = book.find("BTCUSDT").unwrap();
        let mut coarse = fine.clone();
        coarse.tick = dec("0.1");
        coarse.price_min = dec("0.1");
        coarse.lot = dec("0.001");
        coarse.qty_min = dec("0.001");
        let grid = TradingRules::shared_grid(&[&coarse, fine]).unwrap();
        assert_eq!(
            (grid.price_decimals(), grid.qty_decimals()),
            (2, 8),
            "five of the finest lot, three for older ones"
        );
        let instrument = coarse
            .instrument(InstrumentId(0), VenueId(0), grid)
            .unwrap();
        assert_eq!((instrument.tick, instrument.lot), (Price(10), Qty(100_000)));
        coarse.price_min = dec("0.15");
        assert!(matches!(
            coarse.instrument(InstrumentId(0), VenueId(0), grid),
            Err(RulesError::OffGrid { .. })
        ));
        assert!(matches!(
            fine.instrument(InstrumentId(0), VenueId(0), Grid::new(1, 5).unwrap()),
            Err(RulesError::OffGrid { .. })
        ));
        assert!(RuleBook::parse(Dialect::BinanceSpot, b"{\"symbols\":3}").is_err());
    }
}
