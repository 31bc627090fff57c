//! The figures of the whole that people watch, as one value.

use rust_decimal::Decimal;

use crate::market::{InstrumentKind, VenueId};
use crate::units::{Asset, MonoNanos};

use super::Monitor;
use super::margin::usage;

/// Exposure, drawdown, profit, value at risk and margin usage of the whole, in the reporting currency. What cannot be told is
/// absent, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RiskMetrics {
    /// When.
    pub at: MonoNanos,
    /// Gross absolute value of all positions.
    pub total_exposure: Option<Decimal>,
    /// Net value of all positions.
    pub net_exposure: Option<Decimal>,
    /// Largest fall of the unit value from its high-water mark, as a ratio; over restarts, as long as the journal is kept.
    pub max_drawdown: Option<Decimal>,
    /// Fall from the high-water mark now.
    pub drawdown: Option<Decimal>,
    /// Realized and unrealized profit since the session began, after fees.
    pub pnl: Option<Decimal>,
    /// Value at risk, 99 % over a day (AT-12).
    pub var99: Option<Decimal>,
    /// Expected shortfall, 97.5 % over a day (AT-13).
    pub es975: Option<Decimal>,
    /// Initial margin over equity of the account nearest to its limit (AT-10).
    pub margin_usage: Option<Decimal>,
    /// Maintenance margin over equity, the same (AT-10).
    pub maint_margin: Option<Decimal>,
    /// Equity at all venues.
    pub equity: Option<Decimal>,
    /// By venue id.
    pub venue_equity: Vec<Option<Decimal>>,
    /// Value of one unit; 1 when the journal began.
    pub nav: Option<Decimal>,
    /// Its highest value.
    pub high_water_mark: Option<Decimal>,
    /// Net value of each base asset over all venues (AT-16).
    pub net_delta: Vec<(Asset, Option<Decimal>)>,
    /// Value of what sets have open on one side only (AT-15).
    pub unhedged_delta: Option<Decimal>,
}

impl Monitor {
    /// The figures as they stand.
    #[must_use]
    pub fn metrics(&self, now: MonoNanos) -> RiskMetrics {
        let whole = self.held(|_| true);
        let mut bases: Vec<Asset> = self
            .catalogue
            .all()
            .iter()
            .map(|instrument| instrument.symbol.base)
            .collect();
        bases.sort_unstable();
        bases.dedup();
        let (mut margin, mut maint) = (None, None);
        for venue in (0_u8..)
            .map(VenueId)
            .take(self.catalogue.venue_names().len())
        {
            if let Some(facts) = self.heard.venue(venue).and_then(|facts| facts.margin) {
                let (initial, maintenance) = usage(&facts);
                margin = margin.max(Some(initial));
                maint = maint.max(Some(maintenance));
            }
        }
        let (nav, high, fall) = match self.losses.nav() {
            Some((nav, high, fall)) => (Some(nav), Some(high), Some(fall)),
            None => (None, None, None),
        };
        let has_derivatives = self
            .catalogue
            .all()
            .iter()
            .any(|instrument| instrument.kind() != InstrumentKind::Spot);
        RiskMetrics {
            at: now,
            total_exposure: whole.gross,
            net_exposure: whole.net,
            max_drawdown: self.losses.worst_drawdown,
            drawdown: fall,
            pnl: self.profit(),
            var99: self.model.estimate().map(|figures| figures.var99),
            es975: self.model.estimate().map(|figures| figures.es975),
            // A catalogue of spot alone uses no margin.
            margin_usage: margin.or((!has_derivatives).then_some(Decimal::ZERO)),
            maint_margin: maint.or((!has_derivatives).then_some(Decimal::ZERO)),
            equity: self.equity.1,
            venue_equity: self.equity.0.clone(),
            nav,
            high_water_mark: high,
            unhedged_delta: bases.iter().try_fold(Decimal::ZERO, |sum, asset| {
                sum.checked_add(self.unhedged(*asset).0?)
            }),
            net_delta: bases
                .into_iter()
                .map(|asset| (asset, self.held(|one| one.symbol.base == asset).net))
                .collect(),
        }
    }
}
