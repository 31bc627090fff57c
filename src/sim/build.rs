//! From configured venues to simulated ones: what `demo`, `venue` and `simulate` start.

use crate::config::settings::VenueSettings;
use crate::exchanges::Dialect;
use crate::market::Symbol;
use crate::sim::tape::setup::coin_price_cents;
use crate::sim::tape::{ModelParams, ModelSetup, SymbolShape, VenueShape};
use crate::sim::venue::{AccountSetup, Amount, FeeAsset, LatencySetup, SymbolSetup, VenueSetup};
use crate::units::{Grid, Money, Nanos, Price, Qty, UnixNanos};

/// Steps of a symbol: shared decimals of its pair, and the venue's tick and lot in steps of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Steps {
    price_decimals: u8,
    qty_decimals: u8,
    tick: i64,
    lot: i64,
    /// Decimals that USD-M writes.
    wire: (u8, u8),
}

/// The real venues' steps for the best known pairs; something usual for the others.
fn steps(base: &str, quote: &str, dialect: Dialect) -> Steps {
    let spot = dialect == Dialect::BinanceSpot;
    // A cross pair is quoted in a coin: five decimals of a bitcoin, as ETH/BTC has them.
    if coin_price_cents(quote).is_some() {
        return Steps {
            price_decimals: 5,
            qty_decimals: 7,
            tick: 1,
            lot: 1_000,
            wire: (5, 4),
        };
    }
    // Three more decimals than the finest lot: recorded books hold levels of times when the lot was finer.
    let (price_decimals, qty_decimals) = match base {
        "BTC" => (2, 8),
        "ETH" => (2, 7),
        _ => (4, 6),
    };
    let (tick, lot, wire) = match (base, spot) {
        ("BTC", false) => (10, 100_000, (1, 3)),
        ("ETH", false) => (1, 10_000, (2, 3)),
        _ => (1, 1_000, (price_decimals, qty_decimals - 3)),
    };
    Steps {
        price_decimals,
        qty_decimals,
        tick,
        lot,
        wire,
    }
}

/// A simulated venue as configured, with one account that has the given key.
///
/// Fees are taken of the quote asset, like a real account that pays them from another balance, so that what was bought
/// arrives whole. Symbols that cannot be written on a grid are left out (none of the usual ones).
#[must_use]
pub fn venue_setup(
    settings: &VenueSettings,
    api_key: &str,
    api_secret: &str,
    seed: u64,
) -> VenueSetup {
    let symbols = settings
        .symbols
        .iter()
        .filter_map(|symbol| symbol_setup(symbol, settings.dialect))
        .collect();
    let mut setup = VenueSetup::new(settings.dialect, symbols);
    setup.maker_fee = settings.maker_fee;
    setup.taker_fee = settings.taker_fee;
    setup.fee_asset = FeeAsset::Quote;
    let way = settings.simulated_latency;
    setup.latency = LatencySetup {
        order_entry: way,
        response: way,
        market_data: way,
        jitter: Nanos(way.0.div_euclid(4)),
    };
    setup.seed = seed;
    let balances = settings.balances.iter();
    setup.accounts.push(AccountSetup {
        api_key: api_key.to_owned(),
        api_secret: api_secret.to_owned(),
        ed25519_public: None,
        balances: balances
            .filter_map(|(asset, amount)| Some((*asset, Amount::parse(&amount.to_string())?)))
            .collect(),
    });
    setup
}

fn symbol_setup(symbol: &Symbol, dialect: Dialect) -> Option<SymbolSetup> {
    let steps = steps(symbol.base.as_str(), symbol.quote.as_str(), dialect);
    let grid = Grid::new(steps.price_decimals, steps.qty_decimals).ok()?;
    let mut setup = SymbolSetup::new(
        symbol.base,
        symbol.quote,
        grid,
        Price(steps.tick),
        Qty(steps.lot),
    );
    (setup.price_precision, setup.qty_precision) = steps.wire;
    if coin_price_cents(symbol.quote.as_str()).is_some() {
        // As Binance has it for pairs quoted in bitcoin.
        let least = Money(rust_decimal::Decimal::new(1, 4));
        setup.notional_min = grid.notional_floor(least)?;
    }
    Some(setup)
}

/// The market model for simulated venues: `venues[i]` was made of `settings[i]`.
#[must_use]
pub fn model_setup(
    settings: &[VenueSettings],
    venues: &[VenueSetup],
    params: ModelParams,
    seed: u64,
    start: UnixNanos,
) -> ModelSetup {
    let venues = settings.iter().zip(venues).map(|(settings, venue)| {
        let symbols = settings.symbols.iter().zip(&venue.symbols);
        let shape = |(symbol, setup): (&Symbol, &SymbolSetup)| {
            SymbolShape::usual(*symbol, setup.grid, setup.tick, setup.lot, venue.taker_fee)
        };
        VenueShape {
            symbols: symbols.map(shape).collect(),
        }
    });
    ModelSetup {
        venues: venues.collect(),
        seed,
        params,
        start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn the_embedded_venues_can_be_simulated() {
        let settings = Settings::embedded().unwrap();
        let venues: Vec<VenueSetup> = settings
            .venues()
            .iter()
            .map(|venue| venue_setup(venue, "key", "secret", 1))
            .collect();
        assert_eq!(venues.len(), 3);
        assert!(
            venues
                .iter()
                .all(|venue| venue.symbols.len() == 2 && venue.accounts.len() == 1)
        );
        let model = model_setup(
            settings.venues(),
            &venues,
            ModelParams::demo(),
            1,
            UnixNanos(0),
        );
        let perpetuals = model.venues[2]
            .symbols
            .iter()
            .filter(|symbol| symbol.is_perpetual())
            .count();
        assert_eq!(perpetuals, 2);
        for (shape, venue) in model.venues.iter().zip(&venues) {
            for (symbol, setup) in shape.symbols.iter().zip(&venue.symbols) {
                assert_eq!(
                    symbol.base_price.floor_to(setup.tick),
                    Some(symbol.base_price)
                );
                assert_eq!(symbol.taker_fee, venue.taker_fee);
            }
        }
    }
}
