//! One order through the whole chain: what it looks at, what an approval takes, and how that is taken back.

use crate::market::{Books, Trust};
use crate::risk::{Approved, KillLevel, Refusal, StrategyRisk};
use crate::trade::{ApprovalSeq, Leg, Purpose, SetId, TimeInForce};
use crate::units::{MonoNanos, Price, Side};

use super::Gate;
use super::holds::Hold;
use super::look::{Look, Plan};
use super::terms::Terms;

/// One order to be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) plan: &'a Plan,
    pub(super) leg: &'a Leg,
    pub(super) set: Option<SetId>,
    pub(super) leg_index: u8,
    pub(super) tick_received_at: MonoNanos,
}

impl Gate {
    /// Judges an order; an approval takes its hold.
    pub(super) fn check(
        &mut self,
        order: &Order<'_>,
        books: &Books,
        now: MonoNanos,
    ) -> Result<Approved, Refusal> {
        let (leg, repair) = (order.leg, order.set.is_some());
        let index = leg.instrument.index();
        self.reprice_one(index, books);
        let Some(&terms) = self.terms.get(index) else {
            return Err(Refusal::InstrumentUnknown {
                instrument: leg.instrument.0,
            });
        };
        if let Some(rate) = terms.rate {
            let age_max = self.caps.ref_price_age_max;
            let fresh = books.trusted_top(rate.from, now, age_max).is_some();
            // The way out of a broken set goes by the last rate: waiting for another book would keep the risk.
            if !(fresh || repair && terms.factor.is_some()) {
                return Err(Refusal::ConversionMissing {
                    quote: terms.quote,
                    reporting: self.caps.reporting,
                });
            }
        }
        if let Some(book) = books.get(leg.instrument) {
            self.on_book(leg.instrument, book);
        }
        let look = self.look(order, &terms, books, now);
        look.judge()?;
        let reduce_only = repair && look.reducing && terms.has_reduce_only;
        let (pool, needed) = look.need.ok_or(Refusal::Arithmetic {})?;
        // What another leg brings is not taken from the account.
        let needed = if order.plan.funded { 0 } else { needed };
        let worth = terms
            .worth(i128::from(leg.limit_price.0), i128::from(leg.qty.0))
            .ok_or(Refusal::Arithmetic {})?;
        let time_in_force = order.plan.time_in_force;
        self.last_seq += 1;
        let hold = Hold {
            seq: self.last_seq,
            instrument: index,
            side: leg.side,
            qty: leg.qty,
            limit_price: leg.limit_price,
            repair,
            rests: time_in_force == TimeInForce::GoodTillCancel,
            approved_at: now,
            worth,
            pool,
            needed,
        };
        self.holds.push(hold);
        self.open.add(&hold, &terms);
        self.funds.promise(pool, needed);
        self.exposure
            .change(index, &terms, |cell| *cell = cell.with(leg.side, leg.qty));
        self.rates.push(terms.symbol, terms.venue, now);
        if !repair {
            self.repeats.push(order.plan.strategy, leg, now);
        }
        self.counters.approved += 1;
        Ok(Approved {
            seq: ApprovalSeq(self.last_seq),
            set: order.set,
            leg_index: order.leg_index,
            strategy: order.plan.strategy,
            leg: *leg,
            time_in_force,
            reduce_only,
            purpose: if repair {
                Purpose::Repair
            } else {
                Purpose::Leg
            },
            approved_at: now,
            tick_received_at: order.tick_received_at,
        })
    }

    fn look<'a>(
        &'a self,
        order: &Order<'a>,
        terms: &'a Terms,
        books: &'a Books,
        now: MonoNanos,
    ) -> Look<'a> {
        let (leg, repair) = (order.leg, order.set.is_some());
        let index = terms.id.index();
        let cell = self.exposure.cell(index);
        let book = books.get(leg.instrument);
        let known = self.view.filter(|view| view.complete);
        let slot = usize::from(order.plan.strategy.0);
        let strategy = match (self.view, self.strategies.get(slot)) {
            (Some(_), Some(strategy)) => *strategy,
            // More strategies than there can be: nobody's.
            (Some(_), None) => StrategyRisk {
                level: KillLevel::Halt,
                ..StrategyRisk::default()
            },
            (None, _) => StrategyRisk::default(),
        };
        let risk = self.risks.get(index).copied().unwrap_or_default();
        let portfolio_level = self
            .view
            .map_or(KillLevel::Armed, |view| view.portfolio_level);
        let reducing = leg.qty.0 > 0 && i128::from(leg.qty.0) <= cell.reducible(leg.side);
        Look {
            plan: order.plan,
            leg,
            terms,
            caps: &self.caps,
            limits: &self.limits,
            cell,
            exposure: &self.exposure,
            holds: &self.holds,
            open: &self.open,
            funds: &self.funds,
            rates: &self.rates,
            repeats: &self.repeats,
            references: &self.references,
            scope: self.scopes.get(slot).and_then(Option::as_ref),
            portfolio: &self.portfolio,
            books,
            book,
            top: book.and_then(crate::market::Book::top),
            risk,
            strategy,
            facts: self.funds.facts(terms.venue),
            margin: self.funds.margin(terms.venue),
            level: risk.level.max(strategy.level).max(portfolio_level),
            view_age: known.map(|view| now.since(view.issued_at)),
            view_issued_at: self.view.map_or(MonoNanos(0), |view| view.issued_at),
            now,
            need: self
                .funds
                .need(leg, terms, self.limits.initial_margin, reducing),
            reducing,
            offsetting: repair && self.is_offsetting(terms, leg),
            repair,
        }
    }

    /// PT-31: a later leg that would pass alone, but not with the legs before it, was refused because of the plan.
    pub(super) fn name_plan(
        &self,
        refusal: Refusal,
        order: &Order<'_>,
        books: &Books,
        now: MonoNanos,
    ) -> Refusal {
        let Some((value, value_max)) = refusal.plan_numbers().filter(|_| order.leg_index > 0)
        else {
            return refusal;
        };
        let alone = self
            .terms
            .get(order.leg.instrument.index())
            .map(|terms| self.look(order, terms, books, now).judge());
        match alone {
            Some(Ok(())) => Refusal::LegPlanDenied {
                check: refusal.code(),
                value,
                value_max,
            },
            Some(Err(_)) | None => refusal,
        }
    }

    /// See [`Gate::check_repair`].
    fn is_offsetting(&self, terms: &Terms, leg: &Leg) -> bool {
        let same_asset = |index: usize| {
            self.terms
                .get(index)
                .filter(|other| other.asset == terms.asset)
        };
        let net: i128 = self
            .exposure
            .iter_active()
            .filter_map(|(index, cell)| Some(cell.position * same_asset(index)?.base_factor))
            .sum();
        let held = |side: Side, repair: bool| -> i128 {
            self.holds
                .iter()
                .filter(|hold| hold.side == side && hold.repair == repair)
                .filter_map(|hold| {
                    Some(i128::from(hold.qty.0) * same_asset(hold.instrument)?.base_factor)
                })
                .sum()
        };
        let against = (-net * i128::from(leg.side.sign())).max(0);
        let room = against.max(held(leg.side.opposite(), false)) - held(leg.side, true);
        i128::from(leg.qty.0) * terms.base_factor <= room
    }

    /// Undoes the newest approval of a set.
    pub(super) fn take_back(&mut self) {
        let Some(hold) = self.holds.pop_newest() else {
            return;
        };
        self.unhold(&hold, false);
        self.repeats.pop();
        if let Some(terms) = self.terms.get(hold.instrument) {
            self.rates.pop(terms.symbol, terms.venue);
        }
        self.last_seq -= 1;
        self.counters.approved -= 1;
    }

    /// Stops counting a hold; one that was released counts no more. `ended`: its order is over, and may have cost what it needed.
    pub(super) fn unhold(&mut self, hold: &Hold, ended: bool) {
        let Some(terms) = self.terms.get(hold.instrument).filter(|_| hold.qty.0 > 0) else {
            return;
        };
        self.open.remove(hold, terms);
        if ended {
            self.funds.spend(hold.pool, hold.needed);
        } else {
            self.funds.give_back(hold.pool, hold.needed);
        }
        let qty = i128::from(hold.qty.0);
        self.exposure
            .change(hold.instrument, terms, |cell| match hold.side {
                Side::Buy => cell.buys -= qty,
                Side::Sell => cell.sells -= qty,
            });
    }

    /// Values every position and hold at its book's present mid.
    pub(super) fn reprice(&mut self, books: &Books) {
        for place in 0..self.exposure.active_count() {
            if let Some(index) = self.exposure.active(place) {
                self.reprice_one(index, books);
            }
        }
    }

    /// The mid, rounded up: exposure is never understated. A book that is being rebuilt keeps its last price; so does the rate
    /// of a quote asset.
    fn reprice_one(&mut self, index: usize, books: &Books) {
        let Some(terms) = self.terms.get_mut(index) else {
            return;
        };
        if let Some(rate) = terms.rate
            && let Some(top) = books.get(rate.from).and_then(crate::market::Book::top)
        {
            let twice = i128::from(top.bid.price.0) + i128::from(top.ask.price.0);
            let factor = rate.factor_ceil(twice).or(terms.factor);
            if std::mem::replace(&mut terms.factor, factor) != factor {
                self.exposure.change(index, terms, |_| {});
            }
        }
        let Some(book) = books.get(terms.id) else {
            return;
        };
        let usable = match book.trust() {
            Trust::Trusted | Trust::Suspect => true,
            Trust::Building | Trust::Bad => self.exposure.price(index).is_none(),
        };
        if let (true, Some(top)) = (usable, book.top()) {
            let twice = i128::from(top.bid.price.0) + i128::from(top.ask.price.0);
            if let Ok(mid) = i64::try_from((twice + 1).div_euclid(2)) {
                self.exposure.reprice(index, terms, Price(mid));
            }
        }
    }
}
