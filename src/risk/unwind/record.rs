//! The evidence of one close: every child, the average price, and what it cost against the price at the decision (F03).

use rust_decimal::Decimal;

use crate::risk::{CloseRecord, CloseResult};
use crate::units::{Money, Notional, Price, Qty};

use super::{Close, Situation};

const AVERAGE_DECIMALS: u32 = 9;
const BPS_DECIMALS: u32 = 6;

pub(super) fn record(close: &Close, result: CloseResult, situation: &Situation<'_>) -> CloseRecord {
    let grid = situation.instrument.grid;
    let qty = close.children.iter().map(|child| child.priced().0.0).sum();
    let notional = close.children.iter().map(|child| child.priced().1.0).sum();
    let filled = (!Qty(qty).is_zero())
        .then(|| grid.notional_money(Notional(notional)))
        .flatten();
    let amount = Money(grid.qty_decimal(Qty(qty)));
    let average = filled.and_then(|value| value.div_half_even(amount, AVERAGE_DECIMALS).ok());
    let cost = slippage(close, situation, filled, amount);
    CloseRecord {
        intent: close.intent,
        result,
        decision_price: close.decision_price,
        children: close.children.iter().map(super::Child::evidence).collect(),
        closed: Qty(close.children.iter().map(|child| child.filled().0).sum()),
        average_price: average.map(|price| price.0.normalize()),
        slippage_cost: cost.map(|(cost, _)| cost.normalize()),
        slippage_bps: cost.map(|(_, bps)| bps),
        position: situation.position,
        duration: situation.now.since(close.intent.at),
    }
}

/// Cost and basis points: positive when the fills were worse than the decision price.
fn slippage(
    close: &Close,
    situation: &Situation<'_>,
    filled: Option<Money>,
    amount: Money,
) -> Option<(Decimal, Decimal)> {
    let Price(decision) = close.decision_price?;
    let ideal = Money(situation.instrument.grid.price_decimal(Price(decision)))
        .mul(amount)
        .ok()?;
    // A long was sold: less received than decided is a cost. A short was bought back: more paid is.
    let cost = if close.intent.position.0 > 0 {
        ideal.sub(filled?)
    } else {
        filled?.sub(ideal)
    }
    .ok()?;
    let bps = cost
        .mul_div_half_even(Money(Decimal::from(10_000)), ideal, BPS_DECIMALS)
        .ok()?;
    let cost = cost.mul(Money(situation.instrument.multiplier)).ok()?;
    Some((cost.0, bps.0))
}
