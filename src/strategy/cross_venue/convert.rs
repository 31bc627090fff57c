//! What a unit of another quote asset is worth in the strategy's own, by a live book, exactly: as fractions of integers.
//!
//! Whoever sells for the other quote gets what its bid pays; whoever buys with it pays what its ask costs. So a route between
//! two quotes bears the conversion's spread, always against us. Nothing is rounded: both sides of a comparison are multiplied
//! by the other's denominator.

use crate::market::{Books, Catalogue, InstrumentId};
use crate::units::{MonoNanos, Nanos, Ppm};

use super::super::params::Conversion;
use super::super::routes::{QUOTES_MAX, StrategyError};
use super::super::signal::Pass;

/// Worth of one unit as numerator and denominator, when it is received and when it must be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    received: (i64, i64),
    bought: (i64, i64),
}

impl Rate {
    /// One to one: the strategy's own quote, and any other while its book cannot be asked.
    pub(super) const PAR: Self = Self {
        received: (1, 1),
        bought: (1, 1),
    };

    /// What multiplies a yield in `sell`'s quote and a cost in `buy`'s, so that both compare.
    #[inline]
    pub(super) fn factors(sell: Self, buy: Self) -> (i128, i128) {
        let ((sell_over, sell_under), (buy_over, buy_under)) = (sell.received, buy.bought);
        (
            i128::from(sell_over) * i128::from(buy_under),
            i128::from(buy_over) * i128::from(sell_under),
        )
    }

    /// The larger distance from one to one of both ways, rounded up.
    fn depeg_ceil(self) -> Ppm {
        let distance = |(over, under): (i64, i64)| {
            let off = (i128::from(over) - i128::from(under)).abs() * i128::from(Ppm::ONE.0);
            let ceil = -(-off).div_euclid(i128::from(under.max(1)));
            Ppm(i64::try_from(ceil).unwrap_or(i64::MAX))
        };
        distance(self.received).max(distance(self.bought))
    }
}

/// One conversion book.
#[derive(Debug, Clone, Copy)]
struct Way {
    via: InstrumentId,
    /// True when the book's base is the other quote; otherwise its base is ours.
    is_base: bool,
    /// Steps of one whole.
    one: i64,
}

/// The rates of all quotes as of one moment; the first is ours.
#[derive(Debug, Clone)]
pub(super) struct Conversions {
    ways: Vec<Way>,
    rates: [Rate; QUOTES_MAX],
    trusted: [bool; QUOTES_MAX],
}

impl Conversions {
    pub(super) fn new(
        params: &[Conversion],
        quotes: &[crate::units::Asset],
        catalogue: &Catalogue,
    ) -> Result<Self, StrategyError> {
        let mut ways = Vec::new();
        let own = quotes.first().copied();
        for quote in quotes.iter().skip(1) {
            let via = params.iter().find(|known| known.quote == *quote);
            let via = via.ok_or(StrategyError::Conversion(quote.to_string()))?.via;
            let book = catalogue.get(via).ok_or(StrategyError::Instrument(via.0))?;
            let (base, other) = (book.symbol.base, book.symbol.quote);
            let is_base = base == *quote && Some(other) == own;
            let is_quote = other == *quote && Some(base) == own;
            let one = 10_i64.checked_pow(u32::from(book.grid.price_decimals()));
            let (true, Some(one)) = ((is_base || is_quote) && book.symbol.settle.is_none(), one)
            else {
                return Err(StrategyError::Conversion(quote.to_string()));
            };
            ways.push(Way { via, is_base, one });
        }
        Ok(Self {
            ways,
            rates: [Rate::PAR; QUOTES_MAX],
            trusted: [true; QUOTES_MAX],
        })
    }

    /// True when the instrument is one of the conversion books.
    #[inline]
    pub(super) fn has(&self, instrument: InstrumentId) -> bool {
        self.ways.iter().any(|way| way.via == instrument)
    }
    pub(super) fn instruments(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.ways.iter().map(|way| way.via)
    }

    /// Reads the books. A quote whose book is not trusted or too old counts one to one, and is refused later.
    #[inline]
    pub(super) fn refresh(&mut self, books: &Books, now: MonoNanos, age_max: Nanos) {
        let places = self.rates.iter_mut().zip(&mut self.trusted).skip(1);
        for (way, (rate, trusted)) in self.ways.iter().zip(places) {
            let top = books.trusted_top(way.via, now, age_max);
            let top = top.filter(|top| top.bid.price.0 > 0);
            *trusted = top.is_some();
            *rate = top.map_or(Rate::PAR, |top| {
                let (bid, ask) = (top.bid.price.0, top.ask.price.0);
                if way.is_base {
                    Rate {
                        received: (bid, way.one),
                        bought: (ask, way.one),
                    }
                } else {
                    Rate {
                        received: (way.one, ask),
                        bought: (way.one, bid),
                    }
                }
            });
        }
    }

    pub(super) const fn rates(&self) -> &[Rate] {
        &self.rates
    }
    pub(super) fn rate(&self, quote: usize) -> Rate {
        self.rates.get(quote).copied().unwrap_or(Rate::PAR)
    }

    /// Refuses a quote that cannot be converted, or is too far from one to one.
    pub(super) fn check(&self, quote: usize, depeg_max: Ppm) -> Result<(), Pass> {
        let Some(way) = quote.checked_sub(1).and_then(|index| self.ways.get(index)) else {
            return Ok(());
        };
        if !self.trusted.get(quote).copied().unwrap_or(false) {
            let instrument = way.via;
            return Err(Pass::Conversion { instrument });
        }
        let depeg = self.rate(quote).depeg_ceil();
        if depeg > depeg_max {
            return Err(Pass::Depeg { depeg, depeg_max });
        }
        Ok(())
    }
}
