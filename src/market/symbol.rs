//! Unified symbols, as the field writes them: `BTC/USDT` spot, `BTC/USDT:USDT` linear perpetual,
//! `BTC/USD:BTC` inverse perpetual.

use crate::units::Asset;

use super::InstrumentKind;

/// Base, quote and, for a derivative, the asset it settles in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// What is bought and sold.
    pub base: Asset,
    /// What it is priced in.
    pub quote: Asset,
    /// What profit is paid in; `None` for spot.
    pub settle: Option<Asset>,
}

impl Symbol {
    /// Spot, linear or inverse, as the settle asset says.
    #[must_use]
    pub fn kind(&self) -> InstrumentKind {
        match self.settle {
            None => InstrumentKind::Spot,
            Some(settle) if settle == self.base => InstrumentKind::InversePerpetual,
            Some(_) => InstrumentKind::LinearPerpetual,
        }
    }
}

/// Why a text is no unified symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("symbol was '{0}', not BASE/QUOTE or BASE/QUOTE:SETTLE")]
pub struct SymbolError(pub String);

impl std::str::FromStr for Symbol {
    type Err = SymbolError;
    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let error = || SymbolError(text.chars().take(40).collect());
        let (base, rest) = text.split_once('/').ok_or_else(error)?;
        let (quote, settle) = match rest.split_once(':') {
            Some((quote, settle)) => (quote, Some(Asset::new(settle).ok_or_else(error)?)),
            None => (rest, None),
        };
        Ok(Self {
            base: Asset::new(base).ok_or_else(error)?,
            quote: Asset::new(quote).ok_or_else(error)?,
            settle,
        })
    }
}

impl std::fmt::Display for Symbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.settle {
            None => write!(f, "{}/{}", self.base, self.quote),
            Some(settle) => write!(f, "{}/{}:{settle}", self.base, self.quote),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, kind) in [
            ("BTC/USDT", InstrumentKind::Spot),
            ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual),
            ("BTC/USD:BTC", InstrumentKind::InversePerpetual),
        ] {
            let symbol: Symbol = text.parse().unwrap();
            assert_eq!(symbol.to_string(), text);
            assert_eq!(symbol.kind(), kind);
        }
        for text in ["BTCUSDT", "BTC/", "/USDT", "BTC/USDT:", ""] {
            assert!(text.parse::<Symbol>().is_err(), "{text}");
        }
    }
}
