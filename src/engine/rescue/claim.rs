//! What of a spot account is the engine's, and so may be sold after its death. Pure.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::units::Asset;

/// By the last heartbeat. An account holds other people's coins too: what was there before, and what was deposited since.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claim<'a> {
    /// What was there before the engine traded; `None`: never told, nothing is sold.
    pub baseline: Option<&'a BTreeMap<Asset, Decimal>>,
    /// What the engine's executions changed, and what its open purchases may have added; `None`: an older engine that does not
    /// say, everything above the baseline is taken for its own.
    pub own: Option<&'a BTreeMap<Asset, Decimal>>,
}

impl Claim<'_> {
    /// Nobody told anything.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.baseline.is_none()
    }

    /// What stays of an asset of which the venue holds `total`: the baseline at least, and whatever the engine did not buy.
    #[must_use]
    pub fn floor(&self, asset: Asset, total: Decimal) -> Decimal {
        let of =
            |amounts: &BTreeMap<Asset, Decimal>| amounts.get(&asset).copied().unwrap_or_default();
        let before = self.baseline.map_or(total, of);
        let own = self.own.map(of);
        own.map_or(before, |own| before.max(total.saturating_sub(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_owns_what_it_bought_and_no_deposit() {
        let coin = Asset::new("BTC").unwrap();
        let amounts = |value: Decimal| BTreeMap::from([(coin, value)]);
        let (one, two) = (Decimal::ONE, Decimal::TWO);
        for (before, own, total, stays) in [
            // It bought one, nothing else happened.
            (two, Some(one), Decimal::from(3), two),
            // Four were deposited as well.
            (two, Some(one), Decimal::from(7), Decimal::from(6)),
            // The last purchase is not in the account (yet): the baseline stays.
            (two, Some(one), Decimal::new(25, 1), two),
            // It sold one of the old ones, and a deposit came: nothing is the engine's.
            (two, Some(-one), Decimal::from(5), Decimal::from(6)),
            // An engine that does not say.
            (two, None, Decimal::from(7), two),
        ] {
            let (baseline, own) = (amounts(before), own.map(amounts));
            let claim = Claim {
                baseline: Some(&baseline),
                own: own.as_ref(),
            };
            assert_eq!(claim.floor(coin, total), stays, "{before} {own:?} {total}");
        }
        // It says what it holds, and this asset is not in it.
        let (baseline, none) = (amounts(two), BTreeMap::new());
        let claim = Claim {
            baseline: Some(&baseline),
            own: Some(&none),
        };
        assert_eq!(claim.floor(coin, Decimal::TEN), Decimal::TEN);
        assert_eq!(Claim::default().floor(coin, Decimal::TEN), Decimal::TEN);
    }
}
