//! Why money was made or not: the parts of each set, and every edge that was seen.

use crate::engine::Summary;
use crate::engine::money_split::{Held, money_split};
use crate::engine::opportunity::Window;
use crate::execution::SetSummary;
use crate::trade::Fill;
use crate::units::Price;

use super::World;

impl World {
    pub(super) fn attribute_fill(&mut self, fill: &Fill) {
        if let Err(error) = self.attributor.on_fill(fill, &self.catalogue) {
            self.tally
                .remark(format!("an execution is not attributed: {error}"));
        }
    }

    pub(super) fn attribute(&mut self, summary: &SetSummary) {
        let touches = self.hot.take_sent_touches(summary);
        match self
            .attributor
            .on_set_done(summary, &touches, &self.catalogue)
        {
            Ok(Some(attribution)) => self.attributions.push(attribution),
            Ok(None) => {}
            Err(error) => self
                .tally
                .remark(format!("a set is not attributed: {error}")),
        }
    }

    /// Adds what the hot path saw since the last time.
    pub(super) fn collect_opportunities(&mut self) {
        let [sum, next] = &mut self.opportunities;
        self.hot.opportunities_mut().swap(next);
        sum.absorb(next);
        next.reset();
    }

    pub(super) fn take_opportunities(&mut self) -> Window {
        let now = self.mono();
        self.hot.opportunities_mut().stop(now);
        self.collect_opportunities();
        let [sum, _] = &mut self.opportunities;
        std::mem::replace(sum, self.hot.opportunities().empty_window())
    }

    pub(super) fn fill_attribution(&self, summary: &mut Summary) {
        let held: Vec<Held> = self
            .catalogue
            .all()
            .iter()
            .filter_map(|instrument| {
                let position = self.ledger.position(instrument.id)?;
                let top = self.hot.books().get(instrument.id)?.top();
                let mid = top.and_then(|top| {
                    let sum = top.bid.price.0.checked_add(top.ask.price.0)?;
                    Some(instrument.grid.price_decimal(Price(sum.div_euclid(2))))
                });
                Some(Held {
                    instrument: instrument.id,
                    quantity: position.qty(),
                    mark: mid,
                    funding: -position.funding(),
                })
            })
            .collect();
        let strategies = self.hot.strategies().iter();
        let names: Vec<String> = strategies
            .map(|strategy| strategy.name().to_owned())
            .collect();
        summary.money = money_split(&self.attributor, &names, &held, &self.catalogue);
    }
}
