//! The position seat: the ledger. Hears fills from the execution seat, tells the risk seat what we hold.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};

use crate::engine::recovery::{Holding, moved_by_venue};
use crate::journal::{Journal, Names, Record};
use crate::ledger::{Funding, Ledger};
use crate::market::{Catalogue, InstrumentId};
use crate::trade::{ApprovalSeq, Fact, Fill, FillFacts, Seat};
use crate::units::{Price, UnixNanos};

use super::board::Board;
use super::heart::Signs;
use super::mailbox::Mail;
use super::risk::{AccountingBroken, Facts, Positions, RiskSeat};

/// Fills in the order the desk learnt them, then the approvals that are settled with them.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Booked {
    /// New executions, each with the price its strategy decided with.
    pub fills: Vec<(Fill, Option<Price>)>,
    /// Every gate approval up to here is terminal, and its fills came before.
    pub settled: Option<ApprovalSeq>,
}

/// Funding that a venue took or paid.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(super) struct Funded(pub(super) Vec<Funding>);

/// Bid and ask of spot instruments, and when they held: what fees in a third asset are valued at.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(super) struct Quotes {
    pub(super) each: Vec<(InstrumentId, Price, Price)>,
    pub(super) at: UnixNanos,
}

/// Asks what the ledger holds, by instrument id.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Holdings")]
pub(super) struct AskHoldings;

/// See [`AskHoldings`].
#[derive(Debug, Clone, actix::MessageResponse)]
pub(super) struct Holdings {
    pub(super) each: Vec<Holding>,
    pub(super) fill_count: u64,
}

/// The ledger's owner.
#[derive(Debug)]
pub struct PositionSeat {
    ledger: Ledger,
    catalogue: Arc<Catalogue>,
    risk: Addr<RiskSeat>,
    journal: Option<Arc<Journal>>,
    strategies: Vec<String>,
    board: Arc<Board>,
    signs: Arc<Signs>,
}

/// What a position seat is built from.
pub(super) struct PositionParts {
    pub(super) ledger: Ledger,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) risk: Addr<RiskSeat>,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) strategies: Vec<String>,
    pub(super) board: Arc<Board>,
    pub(super) signs: Arc<Signs>,
}

impl PositionSeat {
    pub(super) fn new(parts: PositionParts) -> Self {
        Self {
            ledger: parts.ledger,
            catalogue: parts.catalogue,
            risk: parts.risk,
            journal: parts.journal,
            strategies: parts.strategies,
            board: parts.board,
            signs: parts.signs,
        }
    }

    fn write(&self, fill: &Fill) {
        let names = Names {
            catalogue: &self.catalogue,
            strategies: &self.strategies,
        };
        if let Some(journal) = &self.journal
            && let Err(error) = journal.append(Record::Fill(names.fill(fill)))
        {
            tracing::error!("fill {} is not in the journal: {error}", fill.trade_id);
        }
    }
}

impl PositionSeat {
    fn write_funding(&self, funding: &Funding) {
        let names = Names {
            catalogue: &self.catalogue,
            strategies: &self.strategies,
        };
        if let Some(journal) = &self.journal
            && let Err(error) = journal.append(names.funding(funding))
        {
            tracing::error!("a funding payment is not in the journal: {error}");
        }
    }
}

impl Actor for PositionSeat {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        self.tell_own();
        context.run_interval(Duration::from_millis(100), |seat, _| {
            seat.risk.latest(Facts(vec![Fact::Beat(Seat::Position)]));
        });
    }
}

impl PositionSeat {
    fn holdings(&self) -> Vec<Holding> {
        let holding = |id| {
            let position = self.ledger.position(id)?;
            Some(Holding {
                qty: self.ledger.snapshot(id)?.qty,
                quantity: position.qty(),
                cash: position.cash(),
                fees: position
                    .fees()
                    .iter()
                    .map(|(asset, fee)| (*asset, fee.0))
                    .collect(),
            })
        };
        let instruments = self.catalogue.all().iter();
        instruments
            .map(|instrument| holding(instrument.id).unwrap_or_default())
            .collect()
    }

    /// For the heartbeat: what is ours in the spot accounts.
    fn tell_own(&self) {
        let own = moved_by_venue(&self.catalogue, &self.holdings());
        self.signs.set_own(own);
    }
}

impl Handler<AskHoldings> for PositionSeat {
    type Result = Holdings;
    fn handle(&mut self, _: AskHoldings, _: &mut Self::Context) -> Holdings {
        Holdings {
            each: self.holdings(),
            fill_count: self.ledger.fill_count(),
        }
    }
}

impl Handler<Funded> for PositionSeat {
    type Result = ();
    fn handle(&mut self, message: Funded, _: &mut Self::Context) {
        let mut touched = Vec::new();
        for funding in &message.0 {
            match self.ledger.on_funding(funding) {
                Ok(is_new) => {
                    if is_new {
                        self.write_funding(funding);
                    }
                    touched.extend(funding.instrument);
                }
                Err(error) => {
                    self.risk.must(AccountingBroken {
                        label: error.label(),
                        text: error.to_string(),
                    });
                }
            }
        }
        let snapshots = touched
            .into_iter()
            .filter_map(|instrument| self.ledger.snapshot(instrument))
            .collect();
        self.board.set_ledger(&self.ledger, &self.catalogue);
        self.risk.must(Positions(snapshots));
    }
}

impl Handler<Quotes> for PositionSeat {
    type Result = ();
    fn handle(&mut self, message: Quotes, _: &mut Self::Context) {
        for (instrument, bid, ask) in &message.each {
            self.ledger.on_quote(*instrument, *bid, *ask, message.at.0);
        }
    }
}

impl Handler<Booked> for PositionSeat {
    type Result = ();
    fn handle(&mut self, message: Booked, _: &mut Self::Context) {
        let mut touched = Vec::with_capacity(message.fills.len());
        let mut facts = Vec::new();
        for (fill, decision_price) in &message.fills {
            match self.ledger.on_fill(fill) {
                Ok(effect) => {
                    if !effect.duplicate {
                        self.write(fill);
                        facts.push(Fact::Filled(Box::new(FillFacts {
                            fill: *fill,
                            decision_price: *decision_price,
                        })));
                    }
                    self.board.add_fill(&self.catalogue, fill, &effect);
                    if !touched.contains(&fill.instrument) {
                        touched.push(fill.instrument);
                    }
                }
                Err(error) => {
                    self.risk.must(AccountingBroken {
                        label: error.label(),
                        text: error.to_string(),
                    });
                }
            }
        }
        if !touched.is_empty() {
            self.tell_own();
        }
        if let Some(settled) = message.settled {
            self.ledger.settle(settled);
            if touched.is_empty()
                && let Some(first) = self.catalogue.all().first()
            {
                touched.push(first.id);
            }
        }
        let snapshots = touched
            .into_iter()
            .filter_map(|instrument| self.ledger.snapshot(instrument))
            .collect();
        self.board.set_ledger(&self.ledger, &self.catalogue);
        self.risk.must(Positions(snapshots));
        if !facts.is_empty() {
            self.risk.must(Facts(facts));
        }
    }
}
