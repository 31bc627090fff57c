//! `[pre_trade]` of `limits.toml`: the gate's limits beyond those at the top of the file.

use super::Absent::Means;
use super::{Field, Form, Section, Unit, bps, count, field, ms, positive};

const fn share(key: &'static str, default: &'static str, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Ratio, "0", "1"), Means(default), meaning)
}

/// See the page above.
pub const PRE_TRADE: Section = Section {
    file: "limits.toml",
    table: "[pre_trade]",
    meaning: "The gate's checks (RISK 1): what an order must pass before it leaves the process.",
    fields: &[
        field("facts_required", Form::Flag, Means("true"), "whether a fact never heard of a venue, the journal or the equity refuses increasing orders; what was heard is always judged"),
        ms("instrument_rules_age_ms_max", "1000", "86400000", Means("600000"), "oldest instrument rules (PT-02)"),
        field("allow_resting", Form::Flag, Means("false"), "whether an order that rests until it is cancelled may be sent (PT-09)"),
        ms("expiry_lead_ms_min", "0", "3600000", Means("1000"), "shortest time to the expiry of an order that has one; none is sent today (PT-11)"),
        bps("price_collar_bps", "0", "10000", Means("100"), "how far beyond the reference a limit price may lie on the aggressive side (PT-14)"),
        bps("price_collar_stable_bps", "0", "10000", Means("25"), "the same between two stable coins (PT-14)"),
        bps("ref_jump_bps_max", "1", "10000", Means("300"), "largest move of a reference within the window that two other venues need not confirm (PT-15)"),
        ms("ref_jump_window_ms", "1", "60000", Means("1000"), "see ref_jump_bps_max (PT-15)"),
        ms("ref_quarantine_ms", "0", "3600000", Means("5000"), "how long an unconfirmed jump keeps increasing orders away (PT-15)"),
        bps("consensus_dev_bps_max", "1", "10000", Means("200"), "largest distance of a reference from the median of the other venues (PT-16)"),
        bps("edge_bps_max", "0.01", "10000", Means("150"), "above this an expected net edge is an error (PT-17)"),
        bps("edge_bps_min", "-10000", "10000", Means("5"), "below this an expected net edge is not worth its risk (PT-17)"),
        count("open_orders_per_symbol_max", "1", "1024", Means("20"), "open, in flight or unknown, one symbol at one venue, the new one included (PT-22)"),
        count("open_orders_per_venue_max", "1", "1024", Means("100"), "the same at one venue (PT-22)"),
        positive("open_notional_usd_max", "reporting currency", Means("30000"), "value of all that is open, in flight or unknown (PT-22)"),
        share("balance_reserve_ratio", "0.02", "share of a free balance that increasing orders leave alone (PT-23)"),
        share("initial_margin_ratio", "0.05", "initial margin of a derivative order by its value; not less than what the venue takes (PT-23, PT-24)"),
        share("margin_usage_ratio_max", "0.5", "share of a derivatives account's equity that may be initial margin (PT-24)"),
        share("maint_margin_ratio_max", "0.4", "share of a derivatives account's equity that may be maintenance margin (PT-24)"),
        field("leverage_max", Form::Number(Unit::Amount("times"), "0.01", "125"), Means("2"), "gross worst-case value over equity (PT-25)"),
        field("depth_take_ratio_max", Form::Number(Unit::Ratio, "0.000001", "1"), Means("0.25"), "share of the visible depth within the collar that one order may take (PT-26)"),
        positive("var99_1d_usd_max", "reporting currency", Means("3000"), "value at risk after the order, 99 % over a day (PT-29)"),
        positive("es975_1d_usd_max", "reporting currency", Means("3500"), "expected shortfall after the order, 97.5 % over a day (PT-29)"),
        field("var_model_required", Form::Flag, Means("false"), "whether increasing orders are refused until covariances are known (PT-29)"),
        count("scope_instruments_max", "1", "256", Means("20"), "instruments that one strategy may be deployed on (PT-30)"),
        count("scope_venues_max", "1", "8", Means("5"), "venues that one strategy may be deployed on (PT-30)"),
        positive("scope_notional_usd_max", "reporting currency", Means("50000"), "worst-case gross value of all instruments of one strategy (PT-30)"),
        ms("leg_plan_expiry_ms", "0", "60000", Means("500"), "oldest decision that a set may be approved on (PT-31)"),
        count("modify_rate_per_s_max", "0", "256", Means("10"), "modifications in one symbol at one venue; none is sent today (PT-34)"),
        share("venue_budget_reserve_ratio", "0.3", "share of a venue's request budget kept for cancels, forced closes and queries (PT-35)"),
        count("repeat_exec_max", "1", "1024", Means("20"), "orders of one strategy in one instrument on one side within the window; beyond it the strategy is stopped (PT-37)"),
        ms("repeat_exec_window_ms", "1", "3600000", Means("60000"), "see repeat_exec_max (PT-37)"),
        ms("dup_intent_window_ms", "0", "60000", Means("250"), "an equal order of the same strategy is refused for this long (PT-38)"),
        count("unknown_orders_max", "1", "1024", Means("1"), "so many orders with an unknown outcome stop new ones (PT-39)"),
        count("inflight_max", "1", "1024", Means("4"), "so many orders without an acknowledgement stop new ones (PT-40)"),
        share("ufr_guard_ratio", "0.95", "share of orders without an execution in ten minutes (PT-41)"),
        share("ifer_guard_ratio", "0.95", "share of immediate orders that expired in ten minutes (PT-41)"),
        share("dust_ratio_guard", "0.8", "share of dust orders in ten minutes (PT-41)"),
        count("ufr_orders_min", "0", "1000000", Means("5000"), "the ratios of orders and dust are judged above so many orders: half of what the venue records (PT-41)"),
        count("ifer_orders_min", "0", "1000000", Means("2500"), "the ratio of expiries is judged above so many immediate orders (PT-41)"),
        ms("session_age_ms_max", "1000", "86400000", Means("82800000"), "oldest connection (PT-43)"),
        ms("clock_offset_ms_max", "1", "60000", Means("250"), "largest difference between the venue's clock and ours (PT-44)"),
        ms("clock_step_quiet_ms", "0", "3600000", Means("10000"), "how long a step of our own clock keeps increasing orders away (PT-44)"),
        ms("deadman_window_ms", "1000", "3600000", Means("60000"), "resting orders only where the venue cancels them within this time of our last refresh (PT-45)"),
        ms("recon_age_ms_max", "1000", "3600000", Means("60000"), "oldest agreement of balances, positions and open orders with the venue (PT-46)"),
        ms("journal_lag_ms_max", "1", "60000", Means("50"), "oldest record that is not on disk (PT-47)"),
        field("disk_free_bytes_min", Form::Number(Unit::Amount("bytes"), "0", "1000000000000"), Means("2147483648"), "least free space on the journal's disk (PT-47)"),
        ms("maintenance_guard_ms", "0", "86400000", Means("300000"), "no increasing orders so long before maintenance, settlement or delisting (PT-51)"),
        ms("funding_guard_ms", "0", "86400000", Means("5000"), "no increasing orders so long before and after funding (PT-51)"),
    ],
};
