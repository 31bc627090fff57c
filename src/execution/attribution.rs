//! Where the money of a set came from: signal edge, decay until it was sent, slippage, hedge cost and fees add up to its net,
//! to the last digit.
//!
//! Everything is valued in one asset, the *numeraire* (a chain's start asset, else the quote asset of the first leg). Another
//! asset is worth the decision price of the first leg that trades it against the numeraire, or against an asset valued before.
//! So the base of a hedge that is even cancels out, and what is left of it counts at the price of the decision. For a leg
//! with decision price `d`, touch when it was sent `s`, and executions at `p` of signed base quantity `b`:
//!
//! - signal: `b × value(base) - b × d`, over all its executions;
//! - decay: `b × (d - s)`, slippage: `b × (s - p)`, over those of its own order;
//! - hedge: `b × (d - p)`, over those of repairs;
//! - fees: what the venues took.
//!
//! Products and sums only: no rounding anywhere. Inverse contracts divide by a price; a set with one is counted and not split.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::market::{Catalogue, InstrumentId, InstrumentKind};
use crate::trade::{Fill, Leg, Purpose, SetId, StrategyId};
use crate::units::{Asset, Money, MoneyError, Price};

use super::output::SetSummary;

/// Ended sets that are remembered for late fills.
const SETS_KEPT: usize = 1_024;

/// The parts of a net result, in one asset. Gains are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Edge at the decision prices, before fees, on what was traded.
    pub signal: Money,
    /// Moves of the touch between decision and sending.
    pub decay: Money,
    /// Prices of the legs' own orders against the touch when they were sent.
    pub slippage: Money,
    /// Prices of repairs against the decision prices.
    pub hedge: Money,
    /// Fees, negative when paid.
    pub fees: Money,
}

impl Parts {
    /// The parts together.
    ///
    /// # Errors
    /// [`MoneyError`] when the sum does not fit.
    pub fn net(&self) -> Result<Money, MoneyError> {
        let trading = self.signal.add(self.decay)?.add(self.slippage)?;
        trading.add(self.hedge)?.add(self.fees)
    }
    /// Both together.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn plus(&self, other: &Self) -> Result<Self, MoneyError> {
        Ok(Self {
            signal: self.signal.add(other.signal)?,
            decay: self.decay.add(other.decay)?,
            slippage: self.slippage.add(other.slippage)?,
            hedge: self.hedge.add(other.hedge)?,
            fees: self.fees.add(other.fees)?,
        })
    }
}

/// One set's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution {
    /// Which set.
    pub set: SetId,
    /// Whose.
    pub strategy: StrategyId,
    /// Asset of all amounts.
    pub asset: Asset,
    /// Its parts.
    pub parts: Parts,
    /// What is left of other assets, fees in them included, at the prices of the decision; part of the signal and the fees.
    pub residual: Money,
    /// Executions in it.
    pub fills: u32,
    /// The touch when it was sent is known for every leg; otherwise the decay of the others is in the slippage.
    pub has_decay: bool,
}

/// Why a set is not split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unattributed {
    /// A leg's instrument is unknown, or an inverse contract.
    #[error("a leg is no spot or linear instrument")]
    Instrument,
    /// An asset, or the asset of a fee, has no price among the legs.
    #[error("{0} has no price among the legs")]
    NoValue(Asset),
    /// A fee came without its asset.
    #[error("a fee has no asset")]
    FeeUnknown,
    /// An amount does not fit.
    #[error("{0}")]
    Money(#[from] MoneyError),
}

/// One execution of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    leg: u8,
    repair: bool,
    /// Base units, signed.
    base: Money,
    price: Money,
    fee: Money,
    fee_asset: Option<Asset>,
    instrument: InstrumentId,
}

#[derive(Debug, Clone, Default)]
struct SetParts {
    parts: Vec<Part>,
    touches: [Option<Price>; LEGS_MAX],
    ended: Option<SetSummary>,
    /// What the totals hold of it.
    told: Option<Attribution>,
}

/// One strategy's totals in one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Sets split.
    pub sets: u64,
    /// Their parts.
    pub parts: Parts,
    /// What is left of other assets at the prices of the decisions, part of the parts.
    pub residual: Money,
}

/// Collects executions by set and splits each set at its end; a late execution splits it again.
#[derive(Debug, Default)]
pub struct Attributor {
    sets: BTreeMap<SetId, SetParts>,
    totals: BTreeMap<(StrategyId, Asset), Totals>,
    unattributed: BTreeMap<StrategyId, u64>,
    /// Cash of executions that belong to no set (forced closes, manual trades), by quote asset; quote fees included.
    others: BTreeMap<Asset, Money>,
}

impl Attributor {
    /// An execution, each once.
    ///
    /// # Errors
    /// [`Unattributed`] when it cannot be counted.
    pub fn on_fill(&mut self, fill: &Fill, catalogue: &Catalogue) -> Result<(), Unattributed> {
        let instrument = catalogue
            .get(fill.instrument)
            .ok_or(Unattributed::Instrument)?;
        let signed = Decimal::from(fill.side.sign());
        let qty = Money(instrument.grid.qty_decimal(fill.qty)).mul(Money(instrument.multiplier))?;
        let base = qty.mul(Money(signed))?;
        let price = Money(instrument.grid.price_decimal(fill.price));
        let of_set = matches!(fill.purpose, Some(Purpose::Leg | Purpose::Repair));
        let Some(id) = fill.client_order_id.filter(|_| of_set) else {
            let mut cash = Money(-base.mul(price)?.0);
            if fill.fee_asset == Some(instrument.symbol.quote) {
                cash = cash.sub(Money(fill.fee))?;
            }
            let sum = self.others.entry(instrument.symbol.quote).or_default();
            *sum = sum.add(cash)?;
            return Ok(());
        };
        self.sets.entry(id.set()).or_default().parts.push(Part {
            leg: id.leg(),
            repair: fill.purpose == Some(Purpose::Repair),
            base,
            price,
            fee: Money(fill.fee),
            fee_asset: fill.fee_asset,
            instrument: fill.instrument,
        });
        Ok(())
    }

    /// A set ended. `touches` are what its legs could have traded at when they were sent; of a set that ended before, those
    /// told first stay. `None` for a set that traded nothing.
    ///
    /// # Errors
    /// [`Unattributed`]: it is counted as such.
    pub fn on_set_done(
        &mut self,
        summary: &SetSummary,
        touches: &[Option<Price>; LEGS_MAX],
        catalogue: &Catalogue,
    ) -> Result<Option<Attribution>, Unattributed> {
        let Some(set) = self.sets.get_mut(&summary.id) else {
            return Ok(None);
        };
        if set.ended.is_none() {
            set.touches = *touches;
        }
        set.ended = Some(*summary);
        let split = split(set, summary, catalogue);
        let before = set.told;
        if let Ok(attribution) = split {
            set.told = Some(attribution);
            self.total(before.as_ref(), &attribution)?;
        } else if before.is_none() {
            *self.unattributed.entry(summary.strategy).or_default() += 1;
        }
        self.forget();
        split.map(Some)
    }

    /// The totals follow a set that is split again.
    fn total(&mut self, before: Option<&Attribution>, now: &Attribution) -> Result<(), MoneyError> {
        let totals = self.totals.entry((now.strategy, now.asset)).or_default();
        let mut next = *totals;
        if let Some(before) = before.filter(|before| before.asset == now.asset) {
            let parts = &before.parts;
            let undo = Parts {
                signal: -parts.signal,
                decay: -parts.decay,
                slippage: -parts.slippage,
                hedge: -parts.hedge,
                fees: -parts.fees,
            };
            next.parts = next.parts.plus(&undo)?;
            next.residual = next.residual.sub(before.residual)?;
        } else {
            next.sets += 1;
        }
        next.parts = next.parts.plus(&now.parts)?;
        next.residual = next.residual.add(now.residual)?;
        *totals = next;
        Ok(())
    }

    fn forget(&mut self) {
        while self.sets.len() > SETS_KEPT {
            let ended = self.sets.iter().find(|(_, set)| set.ended.is_some());
            let Some(id) = ended.map(|(id, _)| *id) else {
                return;
            };
            self.sets.remove(&id);
        }
    }

    /// By strategy and asset.
    #[must_use]
    pub const fn totals(&self) -> &BTreeMap<(StrategyId, Asset), Totals> {
        &self.totals
    }
    /// Sets that could not be split, by strategy.
    #[must_use]
    pub const fn unattributed(&self) -> &BTreeMap<StrategyId, u64> {
        &self.unattributed
    }
    /// Cash of executions that belong to no set, by quote asset.
    #[must_use]
    pub const fn others(&self) -> &BTreeMap<Asset, Money> {
        &self.others
    }
}

/// What each asset is worth in the numeraire.
fn values(
    legs: &[Leg],
    numeraire: Asset,
    catalogue: &Catalogue,
) -> Result<BTreeMap<Asset, Money>, Unattributed> {
    let mut values = BTreeMap::from([(numeraire, Money(Decimal::ONE))]);
    // A chain of legs needs as many rounds as it is long.
    for _ in legs {
        for leg in legs {
            let instrument = catalogue
                .get(leg.instrument)
                .filter(|instrument| instrument.kind() != InstrumentKind::InversePerpetual)
                .ok_or(Unattributed::Instrument)?;
            let symbol = &instrument.symbol;
            let quote = values.get(&symbol.quote).copied();
            if let (Some(quote), false) = (quote, values.contains_key(&symbol.base)) {
                let price = Money(instrument.grid.price_decimal(leg.decision_price));
                values.insert(symbol.base, price.mul(quote)?);
            }
        }
    }
    Ok(values)
}

fn split(
    set: &SetParts,
    summary: &SetSummary,
    catalogue: &Catalogue,
) -> Result<Attribution, Unattributed> {
    let legs: Vec<Leg> = summary.legs.iter().flatten().map(|leg| leg.leg).collect();
    let first = legs.first().ok_or(Unattributed::Instrument)?;
    let quote = catalogue
        .get(first.instrument)
        .ok_or(Unattributed::Instrument)?;
    let start = summary.changes.iter().flatten().next();
    let asset = start.map_or(quote.symbol.quote, |(asset, _)| *asset);
    let values = values(&legs, asset, catalogue)?;
    let value = |asset: Asset| {
        values
            .get(&asset)
            .copied()
            .ok_or(Unattributed::NoValue(asset))
    };
    let (mut parts, mut residual, mut has_decay) = (Parts::default(), Money::ZERO, true);
    for part in &set.parts {
        let instrument = catalogue
            .get(part.instrument)
            .ok_or(Unattributed::Instrument)?;
        let leg = legs.get(usize::from(part.leg));
        let leg = leg.ok_or(Unattributed::Instrument)?;
        let grid = instrument.grid;
        // A repair may trade another instrument than its leg: all of it is hedge cost against nothing decided.
        let decided = if leg.instrument == part.instrument {
            Money(grid.price_decimal(leg.decision_price))
        } else {
            part.price
        };
        let touch = set.touches.get(usize::from(part.leg)).copied().flatten();
        has_decay &= touch.is_some();
        let sent = touch.map_or(decided, |price| Money(grid.price_decimal(price)));
        let quote = value(instrument.symbol.quote)?;
        let base_value = value(instrument.symbol.base)?;
        let worth = |from: Money, to: Money| part.base.mul(from.sub(to)?)?.mul(quote);
        let held = part.base.mul(base_value)?;
        let edge = held.sub(part.base.mul(decided)?.mul(quote)?)?;
        parts.signal = parts.signal.add(edge)?;
        if part.repair {
            parts.hedge = parts.hedge.add(worth(decided, part.price)?)?;
        } else {
            parts.decay = parts.decay.add(worth(decided, sent)?)?;
            parts.slippage = parts.slippage.add(worth(sent, part.price)?)?;
        }
        if instrument.symbol.base != asset {
            residual = residual.add(held)?;
        }
        if instrument.symbol.quote != asset {
            residual = residual.sub(part.base.mul(part.price)?.mul(quote)?)?;
        }
        if !part.fee.is_zero() {
            let fee_asset = part.fee_asset.ok_or(Unattributed::FeeUnknown)?;
            let fee = part.fee.mul(value(fee_asset)?)?;
            parts.fees = parts.fees.sub(fee)?;
            if fee_asset != asset {
                residual = residual.sub(fee)?;
            }
        }
    }
    Ok(Attribution {
        set: summary.id,
        strategy: summary.strategy,
        asset,
        parts,
        residual,
        fills: u32::try_from(set.parts.len()).unwrap_or(u32::MAX),
        has_decay,
    })
}
