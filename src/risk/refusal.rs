//! Why an order never leaves the process: one variant a reason, with the measured value and the limit.
//!
//! The codes are stable and those of the risk catalogue; `docs/RISK.md` lists them and is compared with this file by
//! `tests/risk.rs`. Text: `ORDER_NOTIONAL_MAX notional=10000.02 notional_max=10000`.

use super::Amount;

/// What the documentation says of one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalRow {
    /// Row of the risk catalogue.
    pub row: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// Metric label.
    pub label: &'static str,
    /// True when strictly reducing orders skip it.
    pub increasing_only: bool,
    /// When it refuses.
    pub when: &'static str,
    /// The setting, or where the limit comes from.
    pub limit: &'static str,
}

macro_rules! refusals {
    ($($variant:ident { $($field:ident: $kind:ty),* } $row:literal $code:literal $label:literal $inc:literal $when:literal $limit:literal;)*) => {
        /// A reason with its numbers. Spans are in milliseconds, values in the reporting currency, ratios in basis points.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal {
            $(#[doc = concat!($row, ": ", $when, ".")]
            $variant {
                $(#[doc = concat!("`", stringify!($field), "` as in the text.")]
                $field: $kind),*
            },)*
        }

        impl Refusal {
            /// Every reason in the order of evaluation.
            pub const ROWS: &'static [RefusalRow] = &[
                $(RefusalRow {
                    row: $row,
                    code: $code,
                    label: $label,
                    increasing_only: $inc,
                    when: $when,
                    limit: $limit,
                },)*
            ];
            /// Its row in [`Refusal::ROWS`].
            #[must_use]
            pub const fn row(&self) -> &'static RefusalRow {
                match self {
                    $(Self::$variant { .. } => &RefusalRow {
                        row: $row,
                        code: $code,
                        label: $label,
                        increasing_only: $inc,
                        when: $when,
                        limit: $limit,
                    },)*
                }
            }
        }

        impl std::fmt::Display for Refusal {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())?;
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(write!(f, " {}={}", stringify!($field), $field)?;)*
                        Ok(())
                    })*
                }
            }
        }
    };
}

refusals! {
    // E: state.
    KillReduceOnly { level: &'static str } "PT-42" "KILL_REDUCE_ONLY" "kill_reduce_only" false "level is K1 and the order does not strictly reduce" "kill level";
    KillCancelAll { level: &'static str } "PT-42" "KILL_CANCEL_ALL" "kill_cancel_all" false "level is K2" "kill level";
    KillFlatten { level: &'static str } "PT-42" "KILL_FLATTEN" "kill_flatten" false "level is K3" "kill level";
    KillHalt { level: &'static str } "PT-42" "KILL_HALT" "kill_halt" false "level is K4" "kill level";
    RiskViewMissing {} "PT-46" "RISK_VIEW_MISSING" "risk_view_missing" true "no picture of positions and levels was received, or it lacks the instrument or the strategy" "none";
    RiskViewStale { age_ms: Amount, age_ms_max: Amount } "PT-46" "RISK_VIEW_STALE" "risk_view_stale" true "the picture of positions and levels is too old" "risk_view_age_ms_max";
    // A: structure and instrument.
    InstrumentUnknown { instrument: u16 } "PT-01" "INSTRUMENT_UNKNOWN" "instrument_unknown" false "not in the catalogue" "catalogue";
    InstrumentNotTrading { status: &'static str } "PT-01" "INSTRUMENT_NOT_TRADING" "instrument_not_trading" false "the venue takes no orders in it" "venue";
    OrderFieldInvalid { price: Amount, qty: Amount } "PT-03" "ORDER_FIELD_INVALID" "order_field_invalid" false "price or quantity is not above zero" "none";
    PriceOffTick { price: Amount, tick: Amount } "PT-04" "PRICE_OFF_TICK" "price_off_tick" false "price is no multiple of the tick" "venue";
    PriceOutsideFilter { price: Amount, bound: Amount } "PT-04" "PRICE_OUTSIDE_FILTER" "price_outside_filter" false "price is outside the venue's bounds" "venue";
    QtyOffLot { qty: Amount, lot: Amount } "PT-05" "QTY_OFF_LOT" "qty_off_lot" false "quantity is no multiple of the lot" "venue";
    QtyBelowMin { qty: Amount, qty_min: Amount } "PT-06" "QTY_BELOW_MIN" "qty_below_min" false "quantity is below the venue's minimum" "venue";
    QtyAboveMax { qty: Amount, qty_max: Amount } "PT-06" "QTY_ABOVE_MAX" "qty_above_max" false "quantity is above the venue's maximum" "venue";
    ConversionMissing { quote: crate::units::Asset, reporting: crate::units::Asset } "PT-07" "CONVERSION_MISSING" "conversion_missing" false "values are not in the reporting currency and no rate is known" "reporting currency";
    NotionalBelowMin { notional: Amount, notional_min: Amount } "PT-07" "NOTIONAL_BELOW_MIN" "notional_below_min" false "value at R*(1-x) is below the venue's minimum plus margin" "venue, notional_margin_bps";
    NotionalAboveVenueMax { notional: Amount, notional_max: Amount } "PT-07" "NOTIONAL_ABOVE_VENUE_MAX" "notional_above_venue_max" false "value at R*(1+x) is above the venue's maximum" "venue";
    // B: price.
    RefPriceMissing {} "PT-12" "REF_PRICE_MISSING" "ref_price_missing" true "the book is empty" "none";
    RefPriceStale { age_ms: Amount, age_ms_max: Amount } "PT-12" "REF_PRICE_STALE" "ref_price_stale" true "nothing was heard of the book for too long" "ref_price_age_ms_max";
    BookOneSided {} "PT-13" "BOOK_ONE_SIDED" "book_one_sided" true "one side of the book is empty" "none";
    BookCrossed { crossed_ms: Amount, crossed_ms_max: Amount } "PT-13" "BOOK_CROSSED" "book_crossed" true "crossed or locked for too long" "book_crossed_ms_max";
    BookOutOfSync { standing: &'static str } "PT-13" "BOOK_OUT_OF_SYNC" "book_out_of_sync" true "the book is not trusted: building, crossed within the time allowed, or proven wrong" "book trust";
    SpreadTooWide { spread_bps: Amount, spread_bps_max: Amount } "PT-13" "SPREAD_TOO_WIDE" "spread_too_wide" true "ask less bid over mid is too wide" "spread_bps_max";
    // C: size and exposure.
    LimitMissing { instrument: u16 } "PT-18" "LIMIT_MISSING" "limit_missing" false "the risk officer set no limits for the instrument" "limits of the instrument";
    OrderQtyMax { qty: Amount, qty_max: Amount } "PT-18" "ORDER_QTY_MAX" "order_qty_max" false "quantity is above the limit" "order_qty_max";
    OrderNotionalMax { notional: Amount, notional_max: Amount } "PT-19" "ORDER_NOTIONAL_MAX" "order_notional_max" false "value at the reference (a buy: at the higher of limit and reference) is above the limit" "order_notional_usd_max";
    PositionLimit { position: Amount, position_max: Amount } "PT-20" "POSITION_LIMIT" "position_limit" false "worst-case position grows beyond the limit" "position_qty_max";
    PositionUnpriced { instrument: u16 } "PT-21" "POSITION_UNPRICED" "position_unpriced" true "a position cannot be valued, so no total is known" "none";
    NotionalLimitSymbol { notional: Amount, notional_max: Amount } "PT-21a" "NOTIONAL_LIMIT_SYMBOL" "notional_limit_symbol" false "worst-case gross value of the symbol over venues grows beyond the limit" "notional_usd_max.symbol";
    NotionalLimitVenue { notional: Amount, notional_max: Amount } "PT-21b" "NOTIONAL_LIMIT_VENUE" "notional_limit_venue" false "worst-case gross value at the venue grows beyond the limit" "notional_usd_max.venue";
    NotionalLimitAsset { notional: Amount, notional_max: Amount } "PT-21c" "NOTIONAL_LIMIT_ASSET" "notional_limit_asset" false "worst-case net value of the base asset over venues grows beyond the limit" "notional_usd_max.asset_net";
    NotionalLimitGross { notional: Amount, notional_max: Amount } "PT-21d" "NOTIONAL_LIMIT_GROSS" "notional_limit_gross" false "worst-case gross value of the portfolio grows beyond the limit" "notional_usd_max.gross";
    NotionalLimitNet { notional: Amount, notional_max: Amount } "PT-21e" "NOTIONAL_LIMIT_NET" "notional_limit_net" false "worst-case net value of the portfolio grows beyond the limit" "notional_usd_max.net";
    OpenOrdersMax { open: Amount, open_max: Amount } "PT-22" "OPEN_ORDERS_MAX" "open_orders_max" false "as many approvals are unsettled as the engine remembers" "capacity";
    ReduceOnlyWrongSide { position: Amount } "PT-27" "REDUCE_ONLY_WRONG_SIDE" "reduce_only_wrong_side" false "a reduce-only order is flat or on the position's own side" "none";
    ReduceOnlyOvershoot { qty: Amount, reducible: Amount } "PT-27" "REDUCE_ONLY_OVERSHOOT" "reduce_only_overshoot" false "a reduce-only order is larger than what is left to reduce" "none";
    Arithmetic {} "PT-03" "ARITHMETIC" "arithmetic" false "a value does not fit its number: nothing is approved on a wrong sum" "none";
    // D: flow.
    RateSubmit { scope: &'static str, submits_max: u32 } "PT-33" "RATE_SUBMIT" "rate_submit" false "submissions within one second exceed the limit" "submit_rate_max";
}

impl Refusal {
    /// The stable upper-case code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().code
    }
    /// The metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        self.row().label
    }
    /// Position in [`Refusal::ROWS`], for an array of counters.
    #[must_use]
    pub fn index(&self) -> usize {
        let code = self.code();
        Self::ROWS
            .iter()
            .position(|row| row.code == code)
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_labels_follow() {
        for (index, row) in Refusal::ROWS.iter().enumerate() {
            assert_eq!(row.code.to_lowercase(), row.label);
            assert_eq!(
                Refusal::ROWS
                    .iter()
                    .filter(|other| other.code == row.code)
                    .count(),
                1,
                "{}",
                row.code
            );
            assert!(index < Refusal::ROWS.len());
        }
    }

    #[test]
    fn says_no_with_numbers() {
        let refusal = Refusal::OrderNotionalMax {
            notional: Amount::new(1_000_002, 2),
            notional_max: Amount::new(10_000, 0),
        };
        assert_eq!(
            refusal.to_string(),
            "ORDER_NOTIONAL_MAX notional=10000.02 notional_max=10000"
        );
        assert_eq!(Refusal::ROWS[refusal.index()].row, "PT-19");
    }
}
