//! Drawdown on unitised net asset value (AT-06; RISK.md V33, V34, V34b): money that comes or goes buys or returns units, so
//! that it never looks like profit or loss.

use rust_decimal::Decimal;

use crate::units::{Money, MoneyError};

/// Decimals of the value of a unit and of a drawdown.
const NAV_DECIMALS: u32 = 16;
/// Decimals of the number of units.
const UNIT_DECIMALS: u32 = 12;

/// Why a value could not be unitised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NavError {
    /// Equity at or below zero cannot be divided into units.
    #[error("equity was not above zero, so no unit has a price; re-base after money came in")]
    NoEquity,
    /// An amount does not fit a decimal.
    #[error("{0}")]
    Money(#[from] MoneyError),
}

/// Equity in units, and the highest value that a unit ever had. Never falls except by [`Drawdown::rebase`] and [`Drawdown::lower_mark`] (I25).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawdown {
    units: Money,
    equity: Money,
    high: Money,
}

impl Drawdown {
    /// A unit is worth exactly 1 at the first equity.
    ///
    /// # Errors
    /// [`NavError::NoEquity`] at or below zero.
    pub fn new(equity: Decimal) -> Result<Self, NavError> {
        if equity <= Decimal::ZERO {
            return Err(NavError::NoEquity);
        }
        Ok(Self {
            units: Money(equity),
            equity: Money(equity),
            high: Money(Decimal::ONE),
        })
    }

    /// From a stored state: units, high-water mark of a unit, and the equity now.
    ///
    /// # Errors
    /// [`NavError::NoEquity`] when units or mark are not above zero; [`NavError::Money`].
    pub fn restore(units: Decimal, high: Decimal, equity: Decimal) -> Result<Self, NavError> {
        if units <= Decimal::ZERO || high <= Decimal::ZERO {
            return Err(NavError::NoEquity);
        }
        let mut own = Self {
            units: Money(units),
            equity: Money(equity),
            high: Money(high),
        };
        own.on_equity(equity)?;
        Ok(own)
    }

    /// A new equity by trading alone; answers the drawdown.
    ///
    /// # Errors
    /// [`NavError::Money`]; nothing changes then.
    pub fn on_equity(&mut self, equity: Decimal) -> Result<Decimal, NavError> {
        let nav = self.unit_value(Money(equity))?;
        let high = self.high.max(nav);
        let drawdown = share_lost(nav, high)?;
        self.equity = Money(equity);
        self.high = high;
        Ok(drawdown)
    }

    /// Money that came from (positive) or went to (negative) outside, at the equity told last: the number of units changes in
    /// proportion, the value of a unit does not (V34: 110,000 units become 55,000).
    ///
    /// # Errors
    /// [`NavError::NoEquity`] when equity before or after is not above zero; [`NavError::Money`]. Nothing changes then.
    pub fn on_flow(&mut self, amount: Decimal) -> Result<(), NavError> {
        let after = self.equity.add(Money(amount))?;
        if self.equity.0 <= Decimal::ZERO || after.0 <= Decimal::ZERO {
            return Err(NavError::NoEquity);
        }
        let units = self
            .units
            .mul_div_half_even(after, self.equity, UNIT_DECIMALS)?;
        if units.is_zero() {
            return Err(NavError::NoEquity);
        }
        let mut next = Self {
            units: Money(units.0.normalize()),
            equity: after,
            high: self.high,
        };
        // A rounded number of units may lift the value of one by a last digit.
        next.high = next.high.max(next.nav()?);
        *self = next;
        Ok(())
    }

    /// Begins again at the equity told last; the caller records who did it and why (I25).
    ///
    /// # Errors
    /// [`NavError::NoEquity`] when it is not above zero.
    pub fn rebase(&mut self) -> Result<(), NavError> {
        *self = Self::new(self.equity.0)?;
        Ok(())
    }

    /// The high-water mark begins again at the value now; units and value stay, so that losses of the day do. The caller records
    /// who did it and why (I25).
    ///
    /// # Errors
    /// [`NavError::NoEquity`] when the value is not above zero.
    pub fn lower_mark(&mut self) -> Result<(), NavError> {
        let value = self.nav()?;
        if value.0 <= Decimal::ZERO {
            return Err(NavError::NoEquity);
        }
        self.high = value;
        Ok(())
    }

    /// `1 - NAV / high-water mark`, rounded up at 16 decimals; above 1 when equity is below zero.
    ///
    /// # Errors
    /// [`NavError::Money`].
    pub fn drawdown(&self) -> Result<Decimal, NavError> {
        share_lost(self.nav()?, self.high)
    }

    /// Value of a unit, half to even at 16 decimals.
    ///
    /// # Errors
    /// [`NavError::Money`].
    pub fn nav(&self) -> Result<Money, NavError> {
        self.unit_value(self.equity)
    }

    fn unit_value(&self, equity: Money) -> Result<Money, NavError> {
        let nav = equity.div_half_even(self.units, NAV_DECIMALS)?;
        Ok(Money(nav.0.normalize()))
    }

    /// Highest value of a unit so far.
    #[must_use]
    pub const fn high_water_mark(&self) -> Decimal {
        self.high.0
    }
    /// Number of units.
    #[must_use]
    pub const fn units(&self) -> Decimal {
        self.units.0
    }
    /// Equity told last, flows included.
    #[must_use]
    pub const fn equity(&self) -> Decimal {
        self.equity.0
    }
}

fn share_lost(nav: Money, high: Money) -> Result<Decimal, NavError> {
    let lost = high
        .sub(nav)?
        .mul_div_ceil(Money(Decimal::ONE), high, NAV_DECIMALS)?;
    Ok(lost.0.normalize())
}
