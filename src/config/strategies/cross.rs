//! The parameters of a `cross_exchange` strategy.

use rust_decimal::Decimal;

use crate::config::settings::{Settings, SettingsError};
use crate::market::{Catalogue, InstrumentId, Symbol, VenueId};
use crate::strategy::{Conversion, CrossVenueParams, FeeAsset, InventoryTargets};
use crate::units::{Asset, Money, Notional};

use super::CrossSettings;

impl Settings {
    pub(super) fn cross_params(
        &self,
        cross: &CrossSettings,
        catalogue: &Catalogue,
    ) -> Result<CrossVenueParams, SettingsError> {
        let listed = cross.at(|venue| self.symbols(venue));
        let instruments = listed
            .iter()
            .map(|(venue, symbol)| self.instrument(catalogue, *venue, symbol))
            .collect::<Result<Vec<_>, _>>()?;
        let first = instruments.first().copied().unwrap_or(InstrumentId(0));
        let floor = |what, value| notional(catalogue, first, what, value);
        let at = |venue: VenueId| {
            let here = listed.iter().zip(&instruments);
            here.filter(move |((at, _), _)| *at == venue)
                .map(|(_, id)| *id)
        };
        let routes_deny = cross.routes_deny.iter().flat_map(|(buy, sell)| {
            at(*buy).flat_map(move |buy| at(*sell).map(move |sell| (buy, sell)))
        });
        let conversions = cross
            .other_quotes
            .iter()
            .map(|quote| self.conversion(cross, *quote, catalogue))
            .collect::<Result<Vec<_>, _>>()?;
        let fee_assets = listed
            .iter()
            .map(|(venue, symbol)| self.fee_asset(*venue, symbol.quote, catalogue))
            .collect::<Result<Vec<_>, _>>()?;
        let inventory = cross.inventory.as_ref().map(|inventory| InventoryTargets {
            targets: listed
                .iter()
                .map(|(venue, _)| {
                    let here = cross.venues.iter().zip(&inventory.targets);
                    let mut named = here.filter(|(known, _)| *known == venue);
                    named
                        .next()
                        .map_or(crate::units::Ppm(500_000), |(_, ratio)| *ratio)
                })
                .collect(),
            band: inventory.band,
            skew: inventory.skew,
        });
        let fee = |(venue, _): &(VenueId, Symbol)| self.taker_fee(*venue);
        let maker = |(venue, _): &(VenueId, Symbol)| {
            let venue = self.venues.get(venue.index());
            venue.map_or(crate::units::Ppm::ONE, |venue| venue.maker_fee)
        };
        Ok(CrossVenueParams {
            common: cross.common.clone(),
            taker_fees: listed.iter().map(fee).collect(),
            maker_fees: listed.iter().map(maker).collect(),
            routes_deny: routes_deny.collect(),
            fee_assets: if fee_assets.iter().all(Option::is_none) {
                Vec::new()
            } else {
                fee_assets
            },
            conversions,
            max_quote_depeg: cross.max_quote_depeg,
            leg_order: cross.leg_order,
            inventory,
            min_runway_sets: cross.min_runway_sets,
            min_order_notional: floor("min_order_quote", cross.min_order_quote)?,
            max_order_notional: floor("max_order_quote", cross.max_order_quote)?,
            max_inventory_notional: floor("max_inventory_quote", cross.max_inventory_quote)?,
            instruments,
        })
    }

    /// The symbols of a venue.
    #[must_use]
    pub fn symbols(&self, venue: VenueId) -> &[Symbol] {
        self.venues
            .get(venue.index())
            .map_or(&[][..], |venue| &venue.symbols)
    }

    /// The book that turns another quote into the symbol's own: at one of the strategy's venues, or at any.
    fn conversion(
        &self,
        cross: &CrossSettings,
        quote: Asset,
        catalogue: &Catalogue,
    ) -> Result<Conversion, SettingsError> {
        let all = (0_u8..).map(VenueId).take(self.venues.len());
        let own = cross.venues.iter().copied().chain(all);
        let found = own.into_iter().find_map(|venue| {
            let via = converts(self.symbols(venue), quote, cross.symbol.quote)?;
            Some((venue, via))
        });
        let Some((venue, symbol)) = found else {
            return Err(SettingsError::InstrumentMissing {
                venue: "any".to_owned(),
                symbol: format!("{quote}/{}", cross.symbol.quote),
            });
        };
        let via = self.instrument(catalogue, venue, &symbol)?;
        Ok(Conversion { quote, via })
    }

    fn fee_asset(
        &self,
        venue: VenueId,
        quote: Asset,
        catalogue: &Catalogue,
    ) -> Result<Option<FeeAsset>, SettingsError> {
        let settings = self.venues.get(venue.index());
        let Some(fee) = settings.and_then(|venue| venue.fee_discount) else {
            return Ok(None);
        };
        let symbol = Symbol {
            base: fee.asset,
            quote,
            settle: None,
        };
        let instrument = self.instrument(catalogue, venue, &symbol)?;
        Ok(Some(FeeAsset {
            instrument,
            discount: fee.discount,
            floor: notional(
                catalogue,
                instrument,
                "min_fee_asset_quote",
                fee.floor_quote,
            )?,
        }))
    }
}

/// The spot symbol of both assets, either way round.
pub(in crate::config) fn converts(symbols: &[Symbol], one: Asset, other: Asset) -> Option<Symbol> {
    let pairs = [(one, other), (other, one)];
    let spot = symbols.iter().filter(|symbol| symbol.settle.is_none());
    spot.into_iter()
        .find(|symbol| pairs.contains(&(symbol.base, symbol.quote)))
        .copied()
}

fn notional(
    catalogue: &Catalogue,
    instrument: InstrumentId,
    what: &'static str,
    value: Decimal,
) -> Result<Notional, SettingsError> {
    catalogue
        .get(instrument)
        .and_then(|instrument| instrument.grid.notional_floor(Money(value)))
        .ok_or_else(|| SettingsError::NoStep {
            what,
            instrument: catalogue.label(instrument),
            value,
        })
}
