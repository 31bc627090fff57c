//! Why an order never leaves the process: one variant a reason, with the measured value and the limit.
//!
//! The codes are stable and those of the risk catalogue; `docs/RISK.md` lists them and is compared with this file by
//! `tests/risk.rs`. Text: `ORDER_NOTIONAL_MAX notional=10000.02 notional_max=10000`.

use super::{Amount, BuildId, KillLevel};

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

/// A field of a refusal that may be an amount.
trait Measured: Copy {
    fn amount(self) -> Option<Amount> {
        None
    }
}
impl Measured for Amount {
    fn amount(self) -> Option<Amount> {
        Some(self)
    }
}
impl Measured for &'static str {}
impl Measured for u8 {}
impl Measured for u16 {}
impl Measured for u32 {}
impl Measured for u64 {}
impl Measured for BuildId {}
impl Measured for crate::units::Asset {}

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

        impl Refusal {
            /// Its fields that are amounts, in order.
            fn amounts(&self) -> [Option<(&'static str, Amount)>; 3] {
                let mut found = [None; 3];
                match *self {
                    $(Self::$variant { $($field),* } => {
                        let fields: &[(&'static str, Option<Amount>)] =
                            &[$((stringify!($field), Measured::amount($field))),*];
                        let amounts = fields.iter().filter_map(|(name, amount)| {
                            amount.map(|amount| (*name, amount))
                        });
                        for (slot, amount) in found.iter_mut().zip(amounts) {
                            *slot = Some(amount);
                        }
                    })*
                }
                found
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
    NotPermitted { what: &'static str, value: Amount, value_max: Amount } "PT-49" "NOT_PERMITTED" "not_permitted" false "the strategy is not allowed this instrument, or this size" "strategy: venues, symbol, max_order_quote";
    LossLimit { loss: Amount, loss_max: Amount } "PT-50" "LOSS_LIMIT" "loss_limit" true "the loss budget of the instrument or the strategy is spent" "loss limits of the controls";
    JournalUnavailable { disk_free_bytes: Amount, disk_free_bytes_min: Amount } "PT-47" "JOURNAL_UNAVAILABLE" "journal_unavailable" false "the journal failed, or its disk is nearly full" "pre_trade.disk_free_bytes_min";
    JournalLag { lag_ms: Amount, lag_ms_max: Amount } "PT-47" "JOURNAL_LAG" "journal_lag" false "the oldest record that is not on disk is too old" "pre_trade.journal_lag_ms_max";
    FactMissing { fact: &'static str } "PT-43" "FACT_MISSING" "fact_missing" true "a fact that PT-02, 23 to 25, 35, 43, 44, 46 or 47 needs was never heard, and facts are required" "pre_trade.facts_required";
    VenueNotReady {} "PT-43" "VENUE_NOT_READY" "venue_not_ready" true "order entry or the private stream is down" "none";
    StreamReconciling {} "PT-43" "STREAM_RECONCILING" "stream_reconciling" true "the account has not agreed with ours yet" "none";
    SessionTooOld { age_ms: Amount, age_ms_max: Amount } "PT-43" "SESSION_TOO_OLD" "session_too_old" true "the venue's oldest connection is past its planned rotation" "pre_trade.session_age_ms_max";
    ClockOffset { offset_ms: Amount, offset_ms_max: Amount } "PT-44" "CLOCK_OFFSET" "clock_offset" true "the venue's clock and ours differ too much" "pre_trade.clock_offset_ms_max";
    ClockStepped { age_ms: Amount, age_ms_min: Amount } "PT-44" "CLOCK_STEPPED" "clock_stepped" true "our own clock was set a short while ago" "pre_trade.clock_step_quiet_ms";
    DeadManNotArmed { age_ms: Amount, age_ms_max: Amount } "PT-45" "DEADMAN_NOT_ARMED" "deadman_not_armed" false "a resting order where the venue's dead-man switch is not confirmed armed" "pre_trade.deadman_window_ms";
    AccountStale { age_ms: Amount, age_ms_max: Amount } "PT-46" "ACCOUNT_STALE" "account_stale" true "balances, positions and open orders last agreed too long ago" "pre_trade.recon_age_ms_max";
    CalendarGuard { event: &'static str, distance_ms: Amount, distance_ms_min: Amount } "PT-51" "CALENDAR_GUARD" "calendar_guard" true "funding, settlement, delisting or maintenance is near" "pre_trade.maintenance_guard_ms, pre_trade.funding_guard_ms";
    // A: structure and instrument.
    InstrumentUnknown { instrument: u16 } "PT-01" "INSTRUMENT_UNKNOWN" "instrument_unknown" false "not in the catalogue" "catalogue";
    InstrumentNotTrading { status: &'static str } "PT-01" "INSTRUMENT_NOT_TRADING" "instrument_not_trading" false "the venue takes no orders in it" "venue";
    InstrumentRulesStale { age_ms: Amount, age_ms_max: Amount } "PT-02" "INSTRUMENT_RULES_STALE" "instrument_rules_stale" true "the venue's trading rules were loaded too long ago" "pre_trade.instrument_rules_age_ms_max";
    OrderFieldInvalid { price: Amount, qty: Amount } "PT-03" "ORDER_FIELD_INVALID" "order_field_invalid" false "price or quantity is not above zero" "none";
    PriceOffTick { price: Amount, tick: Amount } "PT-04" "PRICE_OFF_TICK" "price_off_tick" false "price is no multiple of the tick" "venue";
    PriceOutsideFilter { price: Amount, bound: Amount } "PT-04" "PRICE_OUTSIDE_FILTER" "price_outside_filter" false "price is outside the venue's bounds" "venue";
    QtyOffLot { qty: Amount, lot: Amount } "PT-05" "QTY_OFF_LOT" "qty_off_lot" false "quantity is no multiple of the lot" "venue";
    QtyBelowMin { qty: Amount, qty_min: Amount } "PT-06" "QTY_BELOW_MIN" "qty_below_min" false "quantity is below the venue's minimum" "venue";
    QtyAboveMax { qty: Amount, qty_max: Amount } "PT-06" "QTY_ABOVE_MAX" "qty_above_max" false "quantity is above the venue's maximum" "venue";
    ConversionMissing { quote: crate::units::Asset, reporting: crate::units::Asset } "PT-07" "CONVERSION_MISSING" "conversion_missing" false "values are not in the reporting currency and no rate is known" "reporting currency";
    NotionalBelowMin { notional: Amount, notional_min: Amount } "PT-07" "NOTIONAL_BELOW_MIN" "notional_below_min" false "value at R*(1-x) is below the venue's minimum plus margin" "venue, notional_margin_bps";
    NotionalAboveVenueMax { notional: Amount, notional_max: Amount } "PT-07" "NOTIONAL_ABOVE_VENUE_MAX" "notional_above_venue_max" false "value at R*(1+x) is above the venue's maximum" "venue";
    PriceOutsideVenueBand { price: Amount, bound: Amount } "PT-08" "PRICE_OUTSIDE_VENUE_BAND" "price_outside_venue_band" false "price is too far from the venue's average (its mark, else our reference)" "venue";
    OrderTypeUnsupported { time_in_force: &'static str } "PT-09" "ORDER_TYPE_UNSUPPORTED" "order_type_unsupported" false "a resting order where none is allowed" "pre_trade.allow_resting";
    UnpricedMarketForbidden {} "PT-09" "UNPRICED_MARKET_FORBIDDEN" "unpriced_market_forbidden" false "an order without a price; only the forced close's last resort may send one" "force_close.allow_unpriced_market";
    ClientOrderIdDuplicate { set: u64, leg: u8, attempt: u16 } "PT-10" "CLIENT_ORDER_ID_DUPLICATE" "client_order_id_duplicate" false "the desk has an order with this id already" "none";
    ClientOrderIdInvalid { length: Amount, length_max: Amount } "PT-10" "CLIENT_ORDER_ID_INVALID" "client_order_id_invalid" false "the id is empty, too long, or has a character that a venue refuses" "none";
    ExpireTimeInPast { lead_ms: Amount, lead_ms_min: Amount } "PT-11" "EXPIRE_TIME_IN_PAST" "expire_time_in_past" false "the order expires too soon (no expiring order is sent today)" "pre_trade.expiry_lead_ms_min";
    // B: price.
    RefPriceMissing {} "PT-12" "REF_PRICE_MISSING" "ref_price_missing" true "the book is empty" "none";
    RefPriceStale { age_ms: Amount, age_ms_max: Amount } "PT-12" "REF_PRICE_STALE" "ref_price_stale" true "nothing was heard of the book for too long" "ref_price_age_ms_max";
    BookOneSided {} "PT-13" "BOOK_ONE_SIDED" "book_one_sided" true "one side of the book is empty" "none";
    BookCrossed { crossed_ms: Amount, crossed_ms_max: Amount } "PT-13" "BOOK_CROSSED" "book_crossed" true "crossed or locked for too long" "book_crossed_ms_max";
    BookOutOfSync { standing: &'static str } "PT-13" "BOOK_OUT_OF_SYNC" "book_out_of_sync" true "the book is not trusted: building, crossed within the time allowed, or proven wrong" "book trust";
    SpreadTooWide { spread_bps: Amount, spread_bps_max: Amount } "PT-13" "SPREAD_TOO_WIDE" "spread_too_wide" true "ask less bid over mid is too wide" "spread_bps_max";
    PriceCollar { distance_bps: Amount, distance_bps_max: Amount } "PT-14" "PRICE_COLLAR" "price_collar" false "the limit price is too far beyond the reference on the aggressive side" "pre_trade.price_collar_bps, pre_trade.price_collar_stable_bps";
    RefPriceJump { jump_bps: Amount, jump_bps_max: Amount } "PT-15" "REF_PRICE_JUMP" "ref_price_jump" true "the reference jumped within the window, fewer than two other venues confirm it, and the quarantine lasts" "pre_trade.ref_jump_bps_max, pre_trade.ref_jump_window_ms, pre_trade.ref_quarantine_ms";
    RefPriceDivergent { distance_bps: Amount, distance_bps_max: Amount } "PT-16" "REF_PRICE_DIVERGENT" "ref_price_divergent" true "the reference is too far from the median of the other venues" "pre_trade.consensus_dev_bps_max";
    ConsensusMissing { venues: Amount, venues_min: Amount } "PT-16" "CONSENSUS_MISSING" "consensus_missing" true "other venues have the symbol and none of them has a usable reference" "none";
    EdgeImplausible { edge_bps: Amount, edge_bps_max: Amount } "PT-17" "EDGE_IMPLAUSIBLE" "edge_implausible" true "the expected net edge is too good" "pre_trade.edge_bps_max";
    EdgeTooSmall { edge_bps: Amount, edge_bps_min: Amount } "PT-17" "EDGE_TOO_SMALL" "edge_too_small" true "the expected net edge is too small" "pre_trade.edge_bps_min";
    // C: size and exposure.
    LimitMissing { instrument: u16 } "PT-18" "LIMIT_MISSING" "limit_missing" false "the risk officer set no limits for the instrument" "limits of the instrument";
    OrderQtyMax { qty: Amount, qty_max: Amount } "PT-18" "ORDER_QTY_MAX" "order_qty_max" false "quantity is above the limit times the size factor" "instrument.order_qty_base_max";
    OrderNotionalMax { notional: Amount, notional_max: Amount } "PT-19" "ORDER_NOTIONAL_MAX" "order_notional_max" false "value at the reference (a buy: at the higher of limit and reference) is above the limit times the size factor" "order_notional_usd_max";
    PositionLimit { position: Amount, position_max: Amount } "PT-20" "POSITION_LIMIT" "position_limit" false "worst-case position grows beyond the limit" "instrument.position_qty_base_max";
    PositionUnpriced { instrument: u16 } "PT-21" "POSITION_UNPRICED" "position_unpriced" true "a position cannot be valued, so no total is known" "none";
    NotionalLimitSymbol { notional: Amount, notional_max: Amount } "PT-21a" "NOTIONAL_LIMIT_SYMBOL" "notional_limit_symbol" false "worst-case gross value of the symbol over venues grows beyond the limit" "notional_usd_max.symbol";
    NotionalLimitVenue { notional: Amount, notional_max: Amount } "PT-21b" "NOTIONAL_LIMIT_VENUE" "notional_limit_venue" false "worst-case gross value at the venue grows beyond the limit" "notional_usd_max.venue";
    NotionalLimitAsset { notional: Amount, notional_max: Amount } "PT-21c" "NOTIONAL_LIMIT_ASSET" "notional_limit_asset" false "worst-case net value of the base asset over venues grows beyond the limit" "notional_usd_max.asset_net";
    NotionalLimitGross { notional: Amount, notional_max: Amount } "PT-21d" "NOTIONAL_LIMIT_GROSS" "notional_limit_gross" false "worst-case gross value of the portfolio grows beyond the limit" "notional_usd_max.gross";
    NotionalLimitNet { notional: Amount, notional_max: Amount } "PT-21e" "NOTIONAL_LIMIT_NET" "notional_limit_net" false "worst-case net value of the portfolio grows beyond the limit" "notional_usd_max.net";
    OpenOrdersMax { scope: &'static str, open: Amount, open_max: Amount } "PT-22" "OPEN_ORDERS_MAX" "open_orders_max" false "open, in flight and unknown orders, this one included, are too many" "pre_trade.open_orders_per_symbol_max, pre_trade.open_orders_per_venue_max, capacity";
    OpenNotionalMax { notional: Amount, notional_max: Amount } "PT-22" "OPEN_NOTIONAL_MAX" "open_notional_max" false "the value of all open, in flight and unknown orders, this one included, is too large" "pre_trade.open_notional_usd_max";
    BalanceInsufficient { needed: Amount, available: Amount } "PT-23" "BALANCE_INSUFFICIENT" "balance_insufficient" false "what the order needs, fee included, is more than what is free less the reserve and what is already promised" "pre_trade.balance_reserve_ratio, pre_trade.initial_margin_ratio";
    MarginUsageMax { kind: &'static str, usage: Amount, usage_max: Amount } "PT-24" "MARGIN_USAGE_MAX" "margin_usage_max" true "initial or maintenance margin after the order is too large a share of the account's equity" "pre_trade.margin_usage_ratio_max, pre_trade.maint_margin_ratio_max";
    LeverageMax { leverage: Amount, leverage_max: Amount } "PT-25" "LEVERAGE_MAX" "leverage_max" true "worst-case gross value over equity is too large" "pre_trade.leverage_max";
    DepthFractionMax { qty: Amount, qty_max: Amount } "PT-26" "DEPTH_FRACTION_MAX" "depth_fraction_max" false "quantity is too large a share of the visible depth within the collar" "pre_trade.depth_take_ratio_max";
    ReduceOnlyWrongSide { position: Amount } "PT-27" "REDUCE_ONLY_WRONG_SIDE" "reduce_only_wrong_side" false "a reduce-only order is flat or on the position's own side" "none";
    ReduceOnlyOvershoot { qty: Amount, reducible: Amount } "PT-27" "REDUCE_ONLY_OVERSHOOT" "reduce_only_overshoot" false "a reduce-only order is larger than what is left to reduce" "none";
    SelfTrade { price: Amount, own_price: Amount } "PT-28" "SELF_TRADE" "self_trade" false "an own resting order of the other side would match (the venue is told to expire the taker too)" "always on";
    VarLimit { var99: Amount, var99_max: Amount } "PT-29" "VAR_LIMIT" "var_limit" true "value at risk after the order grows beyond the limit" "pre_trade.var99_1d_usd_max";
    EsLimit { es975: Amount, es975_max: Amount } "PT-29" "ES_LIMIT" "es_limit" true "expected shortfall after the order grows beyond the limit" "pre_trade.es975_1d_usd_max";
    VarModelMissing {} "PT-29" "VAR_MODEL_MISSING" "var_model_missing" true "no covariances are known although they are required, or those known lack the asset" "pre_trade.var_model_required";
    StrategyScope { what: &'static str, value: Amount, value_max: Amount } "PT-30" "STRATEGY_SCOPE" "strategy_scope" false "the strategy's instruments, venues or worst-case position are more than approved" "pre_trade.scope_instruments_max, pre_trade.scope_venues_max, pre_trade.scope_notional_usd_max";
    LegPlanExpired { age_ms: Amount, age_ms_max: Amount } "PT-31" "LEG_PLAN_EXPIRED" "leg_plan_expired" false "the set was decided too long ago" "pre_trade.leg_plan_expiry_ms";
    LegPlanDenied { check: &'static str, value: Amount, value_max: Amount } "PT-31" "LEG_PLAN_DENIED" "leg_plan_denied" false "a leg that would pass alone does not pass with the legs before it pending" "limits of PT-20 to PT-25";
    ParentOverrun { total: Amount, parent_qty: Amount } "PT-32" "PARENT_OVERRUN" "parent_overrun" false "filled, live and unknown children and this one are more than their parent" "none";
    Arithmetic {} "PT-03" "ARITHMETIC" "arithmetic" false "a value does not fit its number: nothing is approved on a wrong sum" "none";
    // D: flow.
    RateSubmit { scope: &'static str, submits_max: u32 } "PT-33" "RATE_SUBMIT" "rate_submit" false "submissions within one second exceed the limit" "submit_rate_per_s_max.symbol, submit_rate_per_s_max.venue, submit_rate_per_s_max.global";
    RateModify { modifies: Amount, modifies_max: Amount } "PT-34" "RATE_MODIFY" "rate_modify" false "modifications within one second exceed the limit (no modification is sent today; cancels are never refused)" "pre_trade.modify_rate_per_s_max";
    VenueBudget { used: Amount, used_max: Amount } "PT-35" "VENUE_BUDGET" "venue_budget" true "the request budget is used up to the reserve" "pre_trade.venue_budget_reserve_ratio";
    VenueBanned { remaining_ms: Amount } "PT-36" "VENUE_BANNED" "venue_banned" false "the venue said 429 or 418 and its time is not over" "venue";
    RepeatExecution { orders: Amount, orders_max: Amount } "PT-37" "REPEAT_EXECUTION" "repeat_execution" false "too many orders of the strategy in one instrument on one side within the window" "pre_trade.repeat_exec_max, pre_trade.repeat_exec_window_ms";
    DuplicateIntent { age_ms: Amount, age_ms_min: Amount } "PT-38" "DUPLICATE_INTENT" "duplicate_intent" false "an equal order of the same strategy was approved a moment ago" "pre_trade.dup_intent_window_ms";
    UnknownOrderPending { unknown: Amount, unknown_max: Amount } "PT-39" "UNKNOWN_ORDER_PENDING" "unknown_order_pending" true "an order in one of the set's instruments has an unknown outcome" "pre_trade.unknown_orders_max";
    InFlightMax { inflight: Amount, inflight_max: Amount } "PT-40" "IN_FLIGHT_MAX" "in_flight_max" true "too many orders in the instrument are not acknowledged" "pre_trade.inflight_max";
    OrderToTrade { ratio: &'static str, share: Amount, share_max: Amount } "PT-41" "ORDER_TO_TRADE" "order_to_trade" true "unfilled, expired or dust orders of ten minutes are too large a share" "pre_trade.ufr_guard_ratio, pre_trade.ifer_guard_ratio, pre_trade.dust_ratio_guard, pre_trade.ufr_orders_min, pre_trade.ifer_orders_min";
    // Start-up.
    BuildMismatch { own: BuildId, other: BuildId } "PT-48" "BUILD_MISMATCH" "build_mismatch" false "another node of the account runs a different build or configuration, or a flag nobody knows is set: refuse to start" "none";
}

/// Which kill level a refusal raises besides refusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RaiseScope {
    /// The strategy that asked.
    Strategy,
    /// The venue of the order.
    Venue,
    /// Everything.
    Portfolio,
}

impl Refusal {
    /// The kill level that this refusal raises, and where; `None` for the many that only refuse.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a refusal raises nothing unless its row in RISK.md says so"
    )]
    pub const fn raises(&self) -> Option<(KillLevel, RaiseScope)> {
        match self {
            Self::RepeatExecution { .. } => Some((KillLevel::ReduceOnly, RaiseScope::Strategy)),
            Self::ParentOverrun { .. } => Some((KillLevel::CancelAll, RaiseScope::Strategy)),
            Self::VenueBanned { .. } => Some((KillLevel::ReduceOnly, RaiseScope::Venue)),
            Self::JournalUnavailable { .. } => Some((KillLevel::CancelAll, RaiseScope::Portfolio)),
            _ => None,
        }
    }

    /// Measured value and limit of the rows PT-20 to PT-25; `None` for the others.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only the rows that a plan is judged by"
    )]
    pub(super) const fn plan_numbers(&self) -> Option<(Amount, Amount)> {
        match *self {
            Self::PositionLimit {
                position,
                position_max,
            } => Some((position, position_max)),
            Self::NotionalLimitSymbol {
                notional,
                notional_max,
            }
            | Self::NotionalLimitVenue {
                notional,
                notional_max,
            }
            | Self::NotionalLimitAsset {
                notional,
                notional_max,
            }
            | Self::NotionalLimitGross {
                notional,
                notional_max,
            }
            | Self::NotionalLimitNet {
                notional,
                notional_max,
            }
            | Self::OpenNotionalMax {
                notional,
                notional_max,
            } => Some((notional, notional_max)),
            Self::OpenOrdersMax { open, open_max, .. } => Some((open, open_max)),
            Self::BalanceInsufficient { needed, available } => Some((needed, available)),
            Self::MarginUsageMax {
                usage, usage_max, ..
            } => Some((usage, usage_max)),
            Self::LeverageMax {
                leverage,
                leverage_max,
            } => Some((leverage, leverage_max)),
            _ => None,
        }
    }
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
    /// Measured value and what it was compared with, and whether the latter is the least allowed; `None` for a reason without
    /// both numbers.
    #[must_use]
    pub fn numbers(&self) -> Option<(Amount, Amount, bool)> {
        let [Some((_, value)), Some((name, limit)), _] = self.amounts() else {
            return None;
        };
        Some((value, limit, name.ends_with("_min")))
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
