//! Limits of the checks PT-02 to PT-51 (RISK.md 1) beyond those at the top of `limits.toml`; `[pre_trade]`.

use rust_decimal::Decimal;

use crate::units::{Nanos, Ppm};

/// The default is RISK.md's. Every limit is inclusive: equal passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreTradeLimits {
    /// A fact of a venue, the journal or the equity that was never heard refuses increasing orders. What was heard is always
    /// judged.
    pub facts_required: bool,
    /// Oldest instrument rules (PT-02).
    pub instrument_rules_age_max: Nanos,
    /// Whether an order that rests until it is cancelled may be sent (PT-09).
    pub allow_resting: bool,
    /// Shortest time from now to the expiry of an order that has one (PT-11). No such order is sent today.
    pub expiry_lead_min: Nanos,
    /// How far beyond the reference a limit price may lie on the aggressive side (PT-14).
    pub price_collar: Ppm,
    /// The same where base and quote are both stable (PT-14).
    pub price_collar_stable: Ppm,
    /// Largest move of a reference within [`Self::ref_jump_window`] that needs no confirmation (PT-15).
    pub ref_jump_max: Ppm,
    /// See above (PT-15).
    pub ref_jump_window: Nanos,
    /// How long an unconfirmed jump keeps increasing orders away (PT-15).
    pub ref_quarantine: Nanos,
    /// Largest distance of a reference from the median of the other venues (PT-16).
    pub consensus_dev_max: Ppm,
    /// Above this an expected net edge is an error (PT-17).
    pub edge_max: Ppm,
    /// Below this a set is not worth its risk (PT-17).
    pub edge_min: Ppm,
    /// Orders open, in flight or unknown in one symbol at one venue, the new one included (PT-22).
    pub open_orders_per_symbol_max: u32,
    /// The same at one venue (PT-22).
    pub open_orders_per_venue_max: u32,
    /// Value of all of them (PT-22).
    pub open_notional_usd_max: Decimal,
    /// Share of a free balance that increasing orders leave alone (PT-23).
    pub balance_reserve: Ppm,
    /// Initial margin of a derivative order, as a share of its value (PT-23, PT-24).
    pub initial_margin: Ppm,
    /// Largest share of a derivatives account's equity that is initial margin (PT-24).
    pub margin_usage_max: Ppm,
    /// Largest share of a derivatives account's equity that is maintenance margin (PT-24).
    pub maint_margin_max: Ppm,
    /// Gross worst-case value over equity, e.g. 2,000,000 ppm (PT-25).
    pub leverage_max: Ppm,
    /// Share of the visible depth within the collar that one order may take (PT-26).
    pub depth_take_max: Ppm,
    /// Value at risk, 99 % over a day, after the order (PT-29).
    pub var99_1d_usd_max: Decimal,
    /// Expected shortfall, 97.5 % over a day, after the order (PT-29).
    pub es975_1d_usd_max: Decimal,
    /// Without covariances increasing orders are refused (PT-29).
    pub var_model_required: bool,
    /// Instruments that one strategy may be deployed on (PT-30).
    pub scope_instruments_max: u32,
    /// Venues that one strategy may be deployed on (PT-30).
    pub scope_venues_max: u32,
    /// Worst-case gross value of all instruments of one strategy (PT-30).
    pub scope_notional_usd_max: Decimal,
    /// Oldest decision that a set may be approved on (PT-31).
    pub leg_plan_expiry: Nanos,
    /// Modifications a second in one symbol at one venue (PT-34). No modification is sent today.
    pub modify_rate_max: u32,
    /// Share of a venue's request budget kept for cancels, forced closes and queries (PT-35).
    pub venue_budget_reserve: Ppm,
    /// Orders of one strategy in one instrument on one side within [`Self::repeat_exec_window`] (PT-37).
    pub repeat_exec_max: u32,
    /// See above (PT-37).
    pub repeat_exec_window: Nanos,
    /// An equal order of the same strategy is refused for this long (PT-38).
    pub dup_intent_window: Nanos,
    /// So many orders with an unknown outcome stop new ones (PT-39).
    pub unknown_orders_max: u32,
    /// So many orders that the venue has not acknowledged stop new ones (PT-40).
    pub inflight_max: u32,
    /// Largest share of orders without an execution in ten minutes (PT-41).
    pub ufr_guard: Ppm,
    /// Largest share of immediate orders that expired in ten minutes (PT-41).
    pub ifer_guard: Ppm,
    /// Largest share of dust orders in ten minutes (PT-41).
    pub dust_ratio_guard: Ppm,
    /// The order and dust ratios are judged above this many orders: half of the venue's recording threshold (PT-41).
    pub ufr_orders_min: u32,
    /// The expiry ratio is judged above this many immediate orders (PT-41).
    pub ifer_orders_min: u32,
    /// Oldest connection (PT-43).
    pub session_age_max: Nanos,
    /// Largest difference between the venue's clock and ours (PT-44).
    pub clock_offset_max: Nanos,
    /// How long a step of our own clock keeps increasing orders away (PT-44).
    pub clock_step_quiet: Nanos,
    /// Longest time from its last refresh to the firing of the venue's dead-man switch (PT-45).
    pub deadman_window: Nanos,
    /// Oldest agreement of balances, positions and open orders with the venue (PT-46).
    pub recon_age_max: Nanos,
    /// Oldest record that is not on disk (PT-47).
    pub journal_lag_max: Nanos,
    /// Least free space on the journal's disk (PT-47).
    pub disk_free_bytes_min: u64,
    /// No increasing orders so long before a halt: maintenance, settlement, delisting (PT-51).
    pub maintenance_guard: Nanos,
    /// No increasing orders so long before and after funding (PT-51).
    pub funding_guard: Nanos,
}

const fn whole(number: u32) -> Decimal {
    Decimal::from_parts(number, 0, 0, false, 0)
}

impl Default for PreTradeLimits {
    fn default() -> Self {
        Self {
            facts_required: true,
            instrument_rules_age_max: Nanos::from_secs(600),
            allow_resting: false,
            expiry_lead_min: Nanos::from_secs(1),
            price_collar: Ppm::from_bps(100),
            price_collar_stable: Ppm::from_bps(25),
            ref_jump_max: Ppm::from_bps(300),
            ref_jump_window: Nanos::from_secs(1),
            ref_quarantine: Nanos::from_secs(5),
            consensus_dev_max: Ppm::from_bps(200),
            edge_max: Ppm::from_bps(150),
            edge_min: Ppm::from_bps(5),
            open_orders_per_symbol_max: 20,
            open_orders_per_venue_max: 100,
            open_notional_usd_max: whole(30_000),
            balance_reserve: Ppm(20_000),
            initial_margin: Ppm(50_000),
            margin_usage_max: Ppm(500_000),
            maint_margin_max: Ppm(400_000),
            leverage_max: Ppm(2_000_000),
            depth_take_max: Ppm(250_000),
            var99_1d_usd_max: whole(3_000),
            es975_1d_usd_max: whole(3_500),
            var_model_required: false,
            scope_instruments_max: 20,
            scope_venues_max: 5,
            scope_notional_usd_max: whole(50_000),
            leg_plan_expiry: Nanos::from_millis(500),
            modify_rate_max: 10,
            venue_budget_reserve: Ppm(300_000),
            repeat_exec_max: 20,
            repeat_exec_window: Nanos::from_secs(60),
            dup_intent_window: Nanos::from_millis(250),
            unknown_orders_max: 1,
            inflight_max: 4,
            ufr_guard: Ppm(950_000),
            ifer_guard: Ppm(950_000),
            dust_ratio_guard: Ppm(800_000),
            ufr_orders_min: 5_000,
            ifer_orders_min: 2_500,
            session_age_max: Nanos::from_secs(82_800),
            clock_offset_max: Nanos::from_millis(250),
            clock_step_quiet: Nanos::from_secs(10),
            deadman_window: Nanos::from_secs(60),
            recon_age_max: Nanos::from_secs(60),
            journal_lag_max: Nanos::from_millis(50),
            disk_free_bytes_min: 2 << 30,
            maintenance_guard: Nanos::from_secs(300),
            funding_guard: Nanos::from_secs(5),
        }
    }
}

impl PreTradeLimits {
    /// As wide as they go, facts not required: for tests and benches that look at something else.
    #[must_use]
    pub fn open() -> Self {
        let far = Nanos(u64::MAX);
        let much = Decimal::from(1_000_000_000_000_u64);
        let all = Ppm(i64::MAX);
        Self {
            facts_required: false,
            instrument_rules_age_max: far,
            allow_resting: true,
            expiry_lead_min: Nanos::ZERO,
            price_collar: all,
            price_collar_stable: all,
            ref_jump_max: all,
            ref_jump_window: Nanos::from_secs(1),
            ref_quarantine: Nanos::ZERO,
            consensus_dev_max: all,
            edge_max: all,
            edge_min: Ppm(i64::MIN),
            open_orders_per_symbol_max: u32::MAX,
            open_orders_per_venue_max: u32::MAX,
            open_notional_usd_max: much,
            balance_reserve: Ppm(0),
            initial_margin: Ppm(0),
            margin_usage_max: all,
            maint_margin_max: all,
            leverage_max: all,
            depth_take_max: all,
            var99_1d_usd_max: much,
            es975_1d_usd_max: much,
            var_model_required: false,
            scope_instruments_max: u32::MAX,
            scope_venues_max: u32::MAX,
            scope_notional_usd_max: much,
            leg_plan_expiry: far,
            modify_rate_max: 256,
            venue_budget_reserve: Ppm(0),
            repeat_exec_max: 1,
            repeat_exec_window: Nanos::ZERO,
            dup_intent_window: Nanos::ZERO,
            unknown_orders_max: u32::MAX,
            inflight_max: u32::MAX,
            ufr_guard: all,
            ifer_guard: all,
            dust_ratio_guard: all,
            ufr_orders_min: u32::MAX,
            ifer_orders_min: u32::MAX,
            session_age_max: far,
            clock_offset_max: far,
            clock_step_quiet: Nanos::ZERO,
            deadman_window: far,
            recon_age_max: far,
            journal_lag_max: far,
            disk_free_bytes_min: 0,
            maintenance_guard: Nanos::ZERO,
            funding_guard: Nanos::ZERO,
        }
    }
}
