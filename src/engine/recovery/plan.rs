//! What follows from a comparison, by policy.

use rust_decimal::Decimal;

use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::trade::{ClientOrderId, OrderIdSource};
use crate::units::{Asset, Qty};

use super::compare::{Holding, Row, VenueAnswer, What};

/// What a start does with what an earlier session left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Positions are taken over; our open orders are cancelled.
    #[default]
    Adopt,
    /// The same, and then every position is closed (K3 on its instrument).
    Flatten,
    /// No start while there is an open order or a derivative position.
    Refuse,
}

impl Policy {
    /// Configuration word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Flatten => "flatten",
            Self::Refuse => "refuse",
        }
    }
}

/// What a start does with a difference that no execution explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unexplained {
    /// K1 on the instruments until a person acts.
    #[default]
    Hold,
    /// The venue is right: the difference is booked, with a record and an alert.
    Adjust,
}

impl Unexplained {
    /// Configuration word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Adjust => "adjust",
        }
    }
}

/// One difference that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Booked like an execution at the venue's entry price.
    Position {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Signed change on its grid.
        qty: Qty,
        /// The venue's entry price.
        entry: Decimal,
    },
    /// Added to the baseline: money that came or went from outside.
    Balance {
        /// Where.
        venue: VenueId,
        /// What.
        asset: Asset,
        /// Signed change.
        amount: Decimal,
    },
}

/// Everything to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Orders of ours that are still open.
    pub cancels: Vec<(VenueId, InstrumentId, ClientOrderId)>,
    /// Open orders that are not ours (AT-26): left, and K1 on their instruments.
    pub foreign: Vec<(InstrumentId, u64)>,
    /// Differences to accept.
    pub adjustments: Vec<Adjustment>,
    /// Instruments that stay at K1, each with the difference.
    pub holds: Vec<(InstrumentId, Decimal)>,
    /// Cash that differs and decides no position: told, nothing more.
    pub cash: Vec<(VenueId, Asset, Decimal)>,
    /// Instruments to close.
    pub flatten: Vec<InstrumentId>,
    /// `refuse`: open orders and derivative positions of the first venue that has some.
    pub refused: Option<(VenueId, u64, usize)>,
}

impl Plan {
    /// What follows from the rows and the venues' answers.
    #[must_use]
    pub fn new(
        (policy, unexplained): (Policy, Unexplained),
        catalogue: &Catalogue,
        ids: OrderIdSource,
        (rows, holdings): (&[Row], &[Holding]),
        answers: &[VenueAnswer],
    ) -> Self {
        let mut plan = Self::default();
        for (venue, answer) in (0_u8..).map(VenueId).zip(answers) {
            let positions = answer.positions.values();
            let positions = positions.filter(|(qty, _)| !qty.is_zero()).count();
            if policy == Policy::Refuse
                && plan.refused.is_none()
                && (positions > 0 || !answer.open.is_empty())
            {
                let orders = u64::try_from(answer.open.len()).unwrap_or(u64::MAX);
                plan.refused = Some((venue, orders, positions));
            }
            for order in &answer.open {
                match order.client_order_id.filter(|id| ids.is_of_node(*id)) {
                    Some(id) => plan.cancels.push((venue, order.instrument, id)),
                    None => plan.foreign.push((order.instrument, order.venue_order_id)),
                }
            }
        }
        for row in rows.iter().filter(|row| row.is_unexplained()) {
            // Only what is in the ledger can be closed: flatten books a derivative position in any case.
            let is_position = matches!(row.what, What::Position(_));
            let accept =
                unexplained == Unexplained::Adjust || (is_position && policy == Policy::Flatten);
            plan.add(row, accept, catalogue, answers);
        }
        if policy == Policy::Flatten {
            let open = |id: InstrumentId| {
                let held = holdings
                    .get(id.index())
                    .is_some_and(|one| !one.qty.is_zero());
                let mut positions = rows.iter().filter(|row| row.what == What::Position(id));
                held || positions.any(|row| !row.venue.is_zero())
            };
            let ids = catalogue.all().iter().map(|instrument| instrument.id);
            plan.flatten = ids.filter(|id| open(*id)).collect();
        }
        plan
    }

    fn add(&mut self, row: &Row, accept: bool, catalogue: &Catalogue, answers: &[VenueAnswer]) {
        let difference = row.difference();
        match row.what {
            What::Position(id) if accept => {
                let instrument = catalogue.get(id);
                let entry = instrument
                    .and_then(|instrument| answers.get(instrument.venue.index()))
                    .and_then(|answer| answer.positions.get(&id))
                    .map(|(_, entry)| *entry);
                let qty =
                    instrument.and_then(|instrument| instrument.grid.qty_exact(difference).ok());
                match (qty, entry.filter(|entry| *entry > Decimal::ZERO)) {
                    (Some(qty), Some(entry)) => self.adjustments.push(Adjustment::Position {
                        instrument: id,
                        qty,
                        entry,
                    }),
                    // A position that vanished has no entry price any more: a person decides what it was worth.
                    _ => self.holds.push((id, difference)),
                }
            }
            What::Position(id) => self.holds.push((id, difference)),
            What::Balance(venue, asset) if accept => self.adjustments.push(Adjustment::Balance {
                venue,
                asset,
                amount: difference,
            }),
            What::Balance(venue, asset) if row.decides.is_empty() => {
                self.cash.push((venue, asset, difference));
            }
            What::Balance(..) => self
                .holds
                .extend(row.decides.iter().map(|id| (*id, difference))),
        }
    }

    /// Nothing of ours is open any more.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.cancels.is_empty()
    }
}
