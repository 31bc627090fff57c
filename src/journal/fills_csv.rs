//! Fills as CSV, in the form that `arbalest ledger` reads.

use std::io::Write;

use crate::trade::Fill;

use super::record::Names;

/// First line of the file.
pub const HEADER: &str = "time,venue,symbol,side,quantity,price,fee,fee_asset,trade_id";

/// Writes fills in the order given. No name in it can hold a comma or a quote (configured ids and symbols cannot).
#[derive(Debug)]
pub struct FillsCsv<W: Write> {
    out: W,
}

impl<W: Write> FillsCsv<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(mut out: W) -> std::io::Result<Self> {
        writeln!(out, "{HEADER}")?;
        Ok(Self { out })
    }
    /// Writes one fill; `time` is the venue's, in nanoseconds since 1970.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, fill: &Fill, names: Names<'_>) -> std::io::Result<()> {
        let row = names.fill(fill);
        writeln!(
            self.out,
            "{},{},{},{},{},{},{},{},{}",
            row.time,
            row.venue,
            row.symbol,
            row.side,
            row.quantity,
            row.price,
            row.fee,
            row.fee_asset,
            row.trade_id
        )
    }
    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> std::io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::market::{Catalogue, Instrument, InstrumentId, InstrumentStatus, VenueId};
    use crate::trade::{ApprovalSeq, Liquidity};
    use crate::units::{Asset, Grid, MonoNanos, Price, Qty, Side, UnixNanos};

    fn catalogue() -> Catalogue {
        let instrument = Instrument {
            id: InstrumentId(0),
            venue: VenueId(0),
            symbol: "BTC/USDT".parse().unwrap(),
            native: "BTCUSDT".into(),
            grid: Grid::new(2, 5).unwrap(),
            tick: Price(1),
            lot: Qty(1),
            qty_min: Qty(1),
            qty_max: Qty(1_000_000),
            notional_min: Decimal::ONE,
            notional_max: None,
            price_min: Price(0),
            price_max: None,
            multiplier: Decimal::ONE,
            status: InstrumentStatus::Trading,
            has_reduce_only: false,
            price_band: None,
        };
        Catalogue::new(vec!["spot_a".into()], vec![instrument]).unwrap()
    }

    #[test]
    fn a_fill_is_one_exact_row() {
        let fill = Fill {
            venue: VenueId(0),
            instrument: InstrumentId(0),
            client_order_id: None,
            approval: ApprovalSeq(1),
            strategy: None,
            purpose: None,
            side: Side::Sell,
            qty: Qty(1_500),
            price: Price(6_183_763),
            fee: "0.0927564450".parse().unwrap(),
            fee_asset: Asset::new("USDT"),
            trade_id: 42,
            venue_time: UnixNanos(1_700_000_000_123_000_000),
            received_at: MonoNanos(0),
            liquidity: Liquidity::Taker,
        };
        let catalogue = catalogue();
        let mut csv = FillsCsv::new(Vec::new()).unwrap();
        csv.write(
            &fill,
            Names {
                catalogue: &catalogue,
                strategies: &[],
            },
        )
        .unwrap();
        let text = String::from_utf8(csv.finish().unwrap()).unwrap();
        assert_eq!(
            text,
            format!(
                "{HEADER}\n1700000000123000000,spot_a,BTC/USDT,sell,0.015,61837.63,0.092756445,USDT,42\n"
            )
        );
    }
}
