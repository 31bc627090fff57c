//! Ours and the venues' side by side: positions of derivatives, and every balance of a spot account.
//!
//! A spot balance must be the baseline plus what the executions moved: base received less base fees, quote paid, fees in a
//! third asset. A derivative wallet moves with funding as well, which the journal does not have: it is not compared.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::engine::heartbeat::ByVenue;
use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentKind, VenueId};
use crate::trade::ClientOrderId;
use crate::units::{Asset, Qty, Side};

/// What the ledger says of one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// Signed quantity on the instrument's grid.
    pub qty: Qty,
    /// The same with every digit.
    pub quantity: Decimal,
    /// Received less paid in the quote asset, quote fees included.
    pub cash: Decimal,
    /// Fees paid by asset.
    pub fees: BTreeMap<Asset, Decimal>,
}

/// An open order by the venue's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOrder {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Its client id, when it has the form of ours.
    pub client_order_id: Option<ClientOrderId>,
    /// Venue's id.
    pub venue_order_id: u64,
    /// Side.
    pub side: Side,
    /// Not filled yet.
    pub left: Qty,
}

/// What one venue answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VenueAnswer {
    /// Free and locked together.
    pub totals: BTreeMap<Asset, Decimal>,
    /// Derivative positions that are not flat, with the venue's entry price.
    pub positions: BTreeMap<InstrumentId, (Qty, Decimal)>,
    /// Open orders.
    pub open: Vec<OpenOrder>,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Position of a derivative.
    Position(InstrumentId),
    /// Balance of a spot account.
    Balance(VenueId, Asset),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Of what.
    pub what: What,
    /// By baseline and executions.
    pub ours: Decimal,
    /// By the venue.
    pub venue: Decimal,
    /// A difference as large as this is none: one lot, or the venue's rounding of a balance.
    pub tolerance: Decimal,
    /// Instruments whose position it decides; none for cash.
    pub decides: Vec<InstrumentId>,
}

impl Row {
    /// Venue less ours.
    #[must_use]
    pub fn difference(&self) -> Decimal {
        self.venue.saturating_sub(self.ours)
    }
    /// No execution explains the difference.
    #[must_use]
    pub fn is_unexplained(&self) -> bool {
        self.difference().abs() > self.tolerance
    }
}

/// One ten-thousandth of a balance (RISK.md AT-25).
const CASH_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// Compares everything. `holdings` by instrument id, `answers` and `baselines` by venue id; a venue without a baseline gets
/// one now: its balances less what the executions moved (nothing, for a first start).
#[must_use]
pub fn compare(
    catalogue: &Catalogue,
    holdings: &[Holding],
    answers: &[VenueAnswer],
    baselines: &mut [Option<BTreeMap<Asset, Decimal>>],
) -> Vec<Row> {
    let mut rows = positions(catalogue, holdings, answers);
    for (venue, answer) in (0_u8..).map(VenueId).zip(answers) {
        let spot: Vec<&Instrument> = catalogue
            .at_venue(venue)
            .filter(|instrument| instrument.kind() == InstrumentKind::Spot)
            .collect();
        let Some(baseline) = baselines
            .get_mut(venue.index())
            .filter(|_| !spot.is_empty())
        else {
            continue;
        };
        let moved = moved(&spot, holdings);
        let baseline = baseline.get_or_insert_with(|| {
            let mut first = answer.totals.clone();
            for (asset, change) in &moved {
                let sum = first.entry(*asset).or_default();
                *sum = sum.saturating_sub(*change);
            }
            first
        });
        let assets: BTreeSet<Asset> = answer
            .totals
            .keys()
            .chain(baseline.keys())
            .chain(moved.keys())
            .copied()
            .collect();
        let of = |map: &BTreeMap<Asset, Decimal>, asset: &Asset| {
            map.get(asset).copied().unwrap_or_default()
        };
        for asset in assets {
            let ours = of(baseline, &asset).saturating_add(of(&moved, &asset));
            let theirs = of(&answer.totals, &asset);
            let based: Vec<&&Instrument> = spot
                .iter()
                .filter(|instrument| instrument.symbol.base == asset)
                .collect();
            let lot = based
                .iter()
                .map(|instrument| instrument.grid.qty_decimal(instrument.lot))
                .min();
            rows.push(Row {
                what: What::Balance(venue, asset),
                tolerance: lot.unwrap_or_else(|| ours.abs().saturating_mul(CASH_TOLERANCE)),
                ours: ours.normalize(),
                venue: theirs.normalize(),
                decides: based.iter().map(|instrument| instrument.id).collect(),
            });
        }
    }
    rows
}

/// One row a derivative.
fn positions(catalogue: &Catalogue, holdings: &[Holding], answers: &[VenueAnswer]) -> Vec<Row> {
    let mut rows = Vec::new();
    for instrument in catalogue.all() {
        if instrument.kind() == InstrumentKind::Spot {
            continue;
        }
        let ours = holdings
            .get(instrument.id.index())
            .map_or(Qty::ZERO, |holding| holding.qty);
        let theirs = answers
            .get(instrument.venue.index())
            .and_then(|answer| answer.positions.get(&instrument.id))
            .map_or(Qty::ZERO, |(qty, _)| *qty);
        rows.push(Row {
            what: What::Position(instrument.id),
            ours: instrument.grid.qty_decimal(ours).normalize(),
            venue: instrument.grid.qty_decimal(theirs).normalize(),
            tolerance: Decimal::ZERO,
            decides: vec![instrument.id],
        });
    }
    rows
}

/// What executions at one spot account moved, by asset.
/// What the executions moved in the spot accounts.
#[must_use]
pub fn moved_by_venue(catalogue: &Catalogue, holdings: &[Holding]) -> ByVenue {
    let venues = (0_u8..).map(VenueId).zip(catalogue.venue_names());
    let of = |(venue, name): (VenueId, &String)| {
        let spot: Vec<&Instrument> = catalogue
            .at_venue(venue)
            .filter(|instrument| instrument.kind() == InstrumentKind::Spot)
            .collect();
        let moved = moved(&spot, holdings).into_iter();
        let moved = moved.map(|(asset, change)| (asset.to_string(), change));
        (name.clone(), moved.collect())
    };
    venues.map(of).collect()
}

fn moved(spot: &[&Instrument], holdings: &[Holding]) -> BTreeMap<Asset, Decimal> {
    let mut moved: BTreeMap<Asset, Decimal> = BTreeMap::new();
    for instrument in spot {
        let Some(holding) = holdings.get(instrument.id.index()) else {
            continue;
        };
        let (base, quote) = (instrument.symbol.base, instrument.symbol.quote);
        let fees = holding
            .fees
            .iter()
            .filter(|(asset, _)| **asset != base && **asset != quote)
            .map(|(asset, fee)| (*asset, -*fee));
        for (asset, change) in [(base, holding.quantity), (quote, holding.cash)]
            .into_iter()
            .chain(fees)
        {
            let sum = moved.entry(asset).or_default();
            *sum = sum.saturating_add(change);
        }
    }
    moved
}
