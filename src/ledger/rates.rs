//! Currency conversion (RISK.md 3.5): assets at bid, liabilities at ask for limits, mid for reporting. A stablecoin is not 1.0,
//! and a missing rate makes the whole unknown, never smaller.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::units::{Asset, Money};

use super::{FeeRate, LedgerError};

/// Decimals of a rate that is the inverse of a quote, half to even.
const RATE_DECIMALS: u32 = 16;

/// Bid and ask of one unit of an asset in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What a holder receives for one unit, above zero.
    pub bid: Decimal,
    /// What one unit costs, at least the bid.
    pub ask: Decimal,
    /// When both held, nanoseconds since 1970.
    pub time: i64,
}

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Against a limit: what is held at the bid, what is owed at the ask.
    Limits,
    /// For people: at the middle.
    Reporting,
}

/// What an amount of several assets is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Valued {
    /// All of it had a rate.
    Complete(Decimal),
    /// These assets had none: the value is unknown.
    Unknown {
        /// In order.
        missing: Vec<Asset>,
    },
}

/// Rates by (asset, in which asset), at most one a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<(Asset, Asset), Rate>);

impl Rates {
    /// Keeps a rate. One with a bid at or below zero or an ask below the bid is no rate: the pair is forgotten.
    pub fn set(&mut self, asset: Asset, quote: Asset, rate: Rate) {
        if rate.bid > Decimal::ZERO && rate.ask >= rate.bid {
            self.0.insert((asset, quote), rate);
        } else {
            self.0.remove(&(asset, quote));
        }
    }

    /// One unit of `asset` in `quote`: itself, as quoted, or the other way round.
    #[must_use]
    pub fn get(&self, asset: Asset, quote: Asset) -> Option<Rate> {
        if asset == quote {
            return Some(Rate {
                bid: Decimal::ONE,
                ask: Decimal::ONE,
                time: i64::MAX,
            });
        }
        if let Some(rate) = self.0.get(&(asset, quote)) {
            return Some(*rate);
        }
        let back = self.0.get(&(quote, asset))?;
        let over = |price: Decimal| {
            let rate = Money(Decimal::ONE).div_half_even(Money(price), RATE_DECIMALS);
            rate.ok().map(|rate| rate.0.normalize())
        };
        Some(Rate {
            bid: over(back.ask)?,
            ask: over(back.bid)?,
            time: back.time,
        })
    }

    /// The rate of a fee taken now: the middle.
    #[must_use]
    pub fn of_fee(&self, asset: Asset, settlement: Asset) -> Option<FeeRate> {
        let rate = self.get(asset, settlement)?;
        Some(FeeRate {
            price: middle(rate)?.0,
            time: rate.time,
        })
    }

    /// Value of `holdings` (asset, signed amount) in `quote`, exact. A zero amount needs no rate.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn value(
        &self,
        holdings: &[(Asset, Decimal)],
        quote: Asset,
        purpose: Purpose,
    ) -> Result<Valued, LedgerError> {
        let (mut sum, mut missing) = (Money::ZERO, Vec::new());
        for (asset, amount) in holdings.iter().filter(|(_, amount)| !amount.is_zero()) {
            let price = self.get(*asset, quote).and_then(|rate| match purpose {
                Purpose::Reporting => middle(rate),
                Purpose::Limits if *amount > Decimal::ZERO => Some(Money(rate.bid)),
                Purpose::Limits => Some(Money(rate.ask)),
            });
            match price {
                Some(price) => sum = sum.add(Money(*amount).mul(price)?)?,
                None => missing.push(*asset),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(if missing.is_empty() {
            Valued::Complete(sum.0)
        } else {
            Valued::Unknown { missing }
        })
    }
}

/// Half the sum, exact.
fn middle(rate: Rate) -> Option<Money> {
    let half = Money(Decimal::new(5, 1));
    Money(rate.bid).add(Money(rate.ask)).ok()?.mul(half).ok()
}
