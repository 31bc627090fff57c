//! Where the money of a run came from: the parts of all its sets, and what is not of sets, adding up to the ledger's result.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::execution::attribution::Parts;
use crate::execution::{Attribution, Attributor};
use crate::journal::edges::AttributionRecord;
use crate::journal::{Names, Record};
use crate::market::{Catalogue, InstrumentId};
use crate::units::{Asset, Money, MoneyError};

/// A set's parts as the journal keeps them.
///
/// # Errors
/// [`MoneyError`] when their sum does not fit.
pub fn attribution_record(names: Names<'_>, one: &Attribution) -> Result<Record, MoneyError> {
    let short = |money: Money| money.0.normalize();
    let parts = &one.parts;
    let strategy = names.strategies.get(usize::from(one.strategy.0)).cloned();
    Ok(Record::Attribution(AttributionRecord {
        set: one.set.0,
        strategy: strategy.unwrap_or_else(|| format!("strategy {}", one.strategy.0)),
        asset: one.asset.to_string(),
        signal: short(parts.signal),
        decay: short(parts.decay),
        slippage: short(parts.slippage),
        hedge: short(parts.hedge),
        fees: short(parts.fees),
        net: short(parts.net()?),
        residual: short(one.residual),
        fills: one.fills,
        has_decay: one.has_decay,
    }))
}

/// One strategy's sets in one asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SplitLine {
    /// Configured name.
    pub strategy: String,
    /// Asset of the amounts.
    pub asset: String,
    /// Sets split; those that traded nothing are not among them.
    pub sets: u64,
    /// Edge at the decision prices, before fees.
    pub signal: String,
    /// Moves of the touch between decision and sending.
    pub decay: String,
    /// Prices of the legs' orders against the touch when they were sent.
    pub slippage: String,
    /// Prices of repairs against the decision prices.
    pub hedge: String,
    /// Fees, negative when paid.
    pub fees: String,
    /// The sum.
    pub net: String,
}

/// All of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MoneySplit {
    /// By strategy and asset.
    pub strategies: Vec<SplitLine>,
    /// Sets that could not be split (an inverse contract, a fee without its asset or without a price).
    pub sets_unsplit: u64,
    /// What is still held, at the last marks, less its value at the prices of the decisions. Absent, with the rest, when more
    /// than one quote asset was traded or a mark is missing.
    pub inventory: Option<String>,
    /// Cash of executions that belong to no set: forced closes, manual trades.
    pub other_fills: Option<String>,
    /// Funding received less paid.
    pub funding: Option<String>,
    /// The sum of all: realized and unrealized by the ledger.
    pub total: Option<String>,
}

/// What the ledger holds of one instrument at the end.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Which.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub quantity: Decimal,
    /// Price it is valued at; `None` when there is none.
    pub mark: Option<Decimal>,
    /// Funding received less paid.
    pub funding: Decimal,
}

fn text(money: Money) -> String {
    money.0.normalize().to_string()
}

/// The split of a run.
#[must_use]
pub fn money_split(
    attributor: &Attributor,
    names: &[String],
    held: &[Held],
    catalogue: &Catalogue,
) -> MoneySplit {
    let mut split = MoneySplit {
        sets_unsplit: attributor.unattributed().values().sum(),
        ..MoneySplit::default()
    };
    for ((strategy, asset), totals) in attributor.totals() {
        let parts = &totals.parts;
        let name = names.get(usize::from(strategy.0)).cloned();
        split.strategies.push(SplitLine {
            strategy: name.unwrap_or_else(|| format!("strategy {}", strategy.0)),
            asset: asset.to_string(),
            sets: totals.sets,
            signal: text(parts.signal),
            decay: text(parts.decay),
            slippage: text(parts.slippage),
            hedge: text(parts.hedge),
            fees: text(parts.fees),
            net: parts.net().map_or_else(|error| error.to_string(), text),
        });
    }
    if let Ok(Some(rest)) = rest(attributor, held, catalogue) {
        split.inventory = Some(text(rest.inventory));
        split.other_fills = Some(text(rest.other_fills));
        split.funding = Some(text(rest.funding));
        split.total = Some(text(rest.total));
    }
    split
}

struct Rest {
    inventory: Money,
    other_fills: Money,
    funding: Money,
    total: Money,
}

/// `None` when there is more than one quote asset, or a mark is missing.
fn rest(
    attributor: &Attributor,
    held: &[Held],
    catalogue: &Catalogue,
) -> Result<Option<Rest>, MoneyError> {
    let mut assets: BTreeSet<Asset> = attributor.others().keys().copied().collect();
    assets.extend(attributor.totals().keys().map(|(_, asset)| *asset));
    let (mut value, mut funding) = (Money::ZERO, Money::ZERO);
    for one in held.iter().filter(|one| !one.quantity.is_zero()) {
        let Some(instrument) = catalogue.get(one.instrument) else {
            return Ok(None);
        };
        assets.insert(instrument.symbol.quote);
        let Some(mark) = one.mark else {
            return Ok(None);
        };
        let contract = instrument.contract();
        value = value.add(contract.value(Money(one.quantity), Money(mark))?)?;
    }
    for one in held {
        funding = funding.add(Money(one.funding))?;
    }
    if assets.len() > 1 || attributor.unattributed().values().sum::<u64>() > 0 {
        return Ok(None);
    }
    let (mut parts, mut residual, mut other_fills) = (Parts::default(), Money::ZERO, Money::ZERO);
    for totals in attributor.totals().values() {
        parts = parts.plus(&totals.parts)?;
        residual = residual.add(totals.residual)?;
    }
    for cash in attributor.others().values() {
        other_fills = other_fills.add(*cash)?;
    }
    let inventory = value.sub(residual)?;
    let total = parts.net()?.add(inventory)?.add(other_fills)?;
    Ok(Some(Rest {
        inventory,
        other_fills,
        funding,
        total: total.add(funding)?,
    }))
}

impl MoneySplit {
    /// For people: a line a strategy, and what is not of sets.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .strategies
            .iter()
            .map(|line| {
                format!(
                    "earned    {}: {} sets net {} {} = signal {} + decay {} + slippage {} + hedge {} + fees {}",
                    line.strategy,
                    line.sets,
                    line.net,
                    line.asset,
                    line.signal,
                    line.decay,
                    line.slippage,
                    line.hedge,
                    line.fees
                )
            })
            .collect();
        if self.sets_unsplit > 0 {
            lines.push(format!(
                "earned    {} sets could not be split",
                self.sets_unsplit
            ));
        }
        if let (Some(inventory), Some(others), Some(funding), Some(total)) = (
            &self.inventory,
            &self.other_fills,
            &self.funding,
            &self.total,
        ) {
            lines.push(format!(
                "earned    not of sets: held inventory {inventory}, other executions {others}, funding {funding}; all together {total}"
            ));
        }
        lines
    }
}
