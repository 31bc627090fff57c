//! Every limit by name: which changed, in which direction, and one text that a hash can stand for (RISK.md 2.5: lowering is
//! immediate, raising needs two people).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::market::{Catalogue, InstrumentId};
use crate::units::Qty;

use super::value::Value;
use super::{CloseLimits, ControlLimits, InstrumentLimits, KillLimits, Limits, PreTradeLimits};

/// Keys of one instrument.
const ORDER_QTY: &str = "order_qty_max";
const POSITION_QTY: &str = "position_qty_max";

/// Which way a changed limit moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Less is allowed: in force at once.
    Tighter,
    /// More is allowed: needs a second person.
    Looser,
    /// Neither can be said: treated as looser.
    Other,
}

impl Direction {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tighter => "tighter",
            Self::Looser => "looser",
            Self::Other => "other",
        }
    }
}

/// One changed limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// Its key, with the instrument where it has one.
    pub key: String,
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
    /// Which way.
    pub direction: Direction,
}

/// Which values of a limit allow less.
#[derive(Debug, Clone, Copy)]
enum Tight {
    Lower,
    Higher,
    /// It says how, not how much.
    Neither,
}

/// A walk over all limits: what it collects, or what it puts back.
struct Walk<'a> {
    catalogue: &'a Catalogue,
    /// Values by key, in the fixed order.
    values: Vec<(String, String)>,
    changes: Vec<LimitChange>,
    /// Values of an earlier time that replace those that are walked over.
    kept: Option<&'a BTreeMap<String, String>>,
    /// Keys whose kept value is none.
    unreadable: Vec<String>,
}

/// Walks over every field of one group. A new field is a line here, or this does not compile.
macro_rules! group {
    ($walk:expr, $table:literal, $kind:ident, $now:expr, $new:expr; $($tight:ident $field:ident $key:literal;)*) => {{
        let $kind { $($field),* } = $now;
        $($walk.limit(concat!($table, ".", $key), Tight::$tight, $field, &$new.$field);)*
    }};
}

impl<'a> Walk<'a> {
    const fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            values: Vec::new(),
            changes: Vec::new(),
            kept: None,
            unreadable: Vec::new(),
        }
    }

    /// Puts a kept value back. What was not kept was no limit at that time: the new one stays.
    fn put_back<V: Value>(&mut self, kept: &BTreeMap<String, String>, key: &str, now: &mut V) {
        let Some(text) = kept.get(key) else { return };
        match V::read(text, self.catalogue) {
            Some(value) => *now = value,
            None => self.unreadable.push(format!("{key} = {text}")),
        }
    }

    /// Looks at one limit; a tighter new value replaces the old one.
    fn limit<V: Value>(&mut self, key: &str, tight: Tight, now: &mut V, new: &V) {
        if let Some(kept) = self.kept {
            self.put_back(kept, key, now);
            return;
        }
        let direction = match (tight, new.order(now)) {
            (_, Ordering::Equal) => None,
            (Tight::Lower, Ordering::Less) | (Tight::Higher, Ordering::Greater) => {
                Some(Direction::Tighter)
            }
            (Tight::Neither, _) => Some(Direction::Other),
            (Tight::Lower, Ordering::Greater) | (Tight::Higher, Ordering::Less) => {
                Some(Direction::Looser)
            }
        };
        let (old_text, new_text) = (now.text(self.catalogue), new.text(self.catalogue));
        self.note(key, direction, old_text, new_text);
        if direction == Some(Direction::Tighter) {
            now.clone_from(new);
        }
    }

    fn note(&mut self, key: &str, direction: Option<Direction>, old: String, new: String) {
        self.values.push((key.to_owned(), new.clone()));
        if let Some(direction) = direction {
            self.changes.push(LimitChange {
                key: key.to_owned(),
                old,
                new,
                direction,
            });
        }
    }

    fn instrument(
        &mut self,
        id: InstrumentId,
        now: &mut Option<InstrumentLimits>,
        new: Option<&InstrumentLimits>,
    ) {
        let name = format!("instrument[{}]", self.catalogue.label(id));
        let key = |field: &str| format!("{name}.{field}");
        let not_traded = || "not traded".to_owned();
        if let (Some(kept), Some(_)) = (self.kept, &now)
            && !kept.contains_key(&key(ORDER_QTY))
        {
            *now = None;
        }
        match (now.as_mut(), new) {
            (Some(now), Some(new)) => {
                let InstrumentLimits {
                    order_qty_max,
                    position_qty_max,
                } = now;
                self.quantity(&key(ORDER_QTY), id, order_qty_max, new.order_qty_max);
                let new = new.position_qty_max;
                self.quantity(&key(POSITION_QTY), id, position_qty_max, new);
            }
            (None, None) => {}
            (Some(_), None) => {
                let tighter = Some(Direction::Tighter);
                self.note(&name, tighter, "limited".to_owned(), not_traded());
                *now = None;
            }
            (None, Some(new)) => {
                let looser = Some(Direction::Looser);
                let qty = |qty| {
                    let instrument = self.catalogue.get(id);
                    instrument.map_or(String::new(), |own| {
                        own.grid.qty_decimal(qty).normalize().to_string()
                    })
                };
                let (order, position) = (qty(new.order_qty_max), qty(new.position_qty_max));
                let text = format!("order {order}, position {position}");
                self.note(&name, looser, not_traded(), text);
            }
        }
    }

    /// Quantities are kept in whole units: the size of a step may be another one the next time.
    fn quantity(&mut self, key: &str, id: InstrumentId, now: &mut Qty, new: Qty) {
        let Some(grid) = self.catalogue.get(id).map(|instrument| instrument.grid) else {
            return;
        };
        let mut value = grid.qty_decimal(*now);
        self.limit(key, Tight::Lower, &mut value, &grid.qty_decimal(new));
        match grid.qty_floor(value) {
            Some(qty) => *now = qty,
            None => self.unreadable.push(format!("{key} = {value}")),
        }
    }

    fn close(&mut self, now: &mut CloseLimits, new: &CloseLimits) {
        group! { self, "force_close", CloseLimits, now, new;
            Lower to_limit "to_limit_ratio";
            Neither cancel_wait "cancel_wait_ms";
            Lower depth_fraction "depth_ratio_max";
            Neither attempt "attempt_ms";
            Neither attempts_max "attempts_max";
            Lower deadline "deadline_ms";
            Lower allow_unpriced_market "allow_unpriced_market";
            Neither pair_delta_usd_max "pair_delta_usd_max";
        }
    }

    fn kill(&mut self, now: &mut KillLimits, new: &KillLimits) {
        group! { self, "kill", KillLimits, now, new;
            Lower near_size "near_size_ratio";
            Lower growing "growing_ms_max";
            Lower cancel "cancel_ms_max";
            Lower flatten_over "flatten_over_ratio";
            Lower flatten_scopes_max "flatten_scopes_max";
            Lower close_blocked "close_blocked_ms_max";
            Lower portfolio_flatten "portfolio_flatten_ms_max";
            Lower clears_per_hour_max "clears_per_hour_max";
            Lower clears_per_day_max "clears_per_day_max";
            Higher probation "probation_ms";
            Lower probation_size "probation_size_ratio";
            Lower token "token_ms_max";
            Higher rearm_feed_healthy "rearm_feed_healthy_ms_min";
        }
    }

    fn pre_trade(&mut self, now: &mut PreTradeLimits, new: &PreTradeLimits) {
        group! { self, "pre_trade", PreTradeLimits, now, new;
            Higher facts_required "facts_required";
            Lower instrument_rules_age_max "instrument_rules_age_ms_max";
            Lower allow_resting "allow_resting";
            Higher expiry_lead_min "expiry_lead_ms_min";
            Lower price_collar "price_collar_bps";
            Lower price_collar_stable "price_collar_stable_bps";
            Lower ref_jump_max "ref_jump_bps_max";
            Higher ref_jump_window "ref_jump_window_ms";
            Higher ref_quarantine "ref_quarantine_ms";
            Lower consensus_dev_max "consensus_dev_bps_max";
            Lower edge_max "edge_bps_max";
            Higher edge_min "edge_bps_min";
            Lower open_orders_per_symbol_max "open_orders_per_symbol_max";
            Lower open_orders_per_venue_max "open_orders_per_venue_max";
            Lower open_notional_usd_max "open_notional_usd_max";
            Higher balance_reserve "balance_reserve_ratio";
            Higher initial_margin "initial_margin_ratio";
            Lower margin_usage_max "margin_usage_ratio_max";
            Lower maint_margin_max "maint_margin_ratio_max";
            Lower leverage_max "leverage_max";
            Lower depth_take_max "depth_take_ratio_max";
            Lower var99_1d_usd_max "var99_1d_usd_max";
            Lower es975_1d_usd_max "es975_1d_usd_max";
            Higher var_model_required "var_model_required";
            Lower scope_instruments_max "scope_instruments_max";
            Lower scope_venues_max "scope_venues_max";
            Lower scope_notional_usd_max "scope_notional_usd_max";
            Lower leg_plan_expiry "leg_plan_expiry_ms";
            Lower modify_rate_max "modify_rate_per_s_max";
            Higher venue_budget_reserve "venue_budget_reserve_ratio";
            Lower repeat_exec_max "repeat_exec_max";
            Higher repeat_exec_window "repeat_exec_window_ms";
            Higher dup_intent_window "dup_intent_window_ms";
            Lower unknown_orders_max "unknown_orders_max";
            Lower inflight_max "inflight_max";
            Lower ufr_guard "ufr_guard_ratio";
            Lower ifer_guard "ifer_guard_ratio";
            Lower dust_ratio_guard "dust_ratio_guard";
            Lower ufr_orders_min "ufr_orders_min";
            Lower ifer_orders_min "ifer_orders_min";
            Lower session_age_max "session_age_ms_max";
            Lower clock_offset_max "clock_offset_ms_max";
            Higher clock_step_quiet "clock_step_quiet_ms";
            Lower deadman_window "deadman_window_ms";
            Lower recon_age_max "recon_age_ms_max";
            Lower journal_lag_max "journal_lag_ms_max";
            Higher disk_free_bytes_min "disk_free_bytes_min";
            Higher maintenance_guard "maintenance_guard_ms";
            Higher funding_guard "funding_guard_ms";
        }
    }

    #[expect(clippy::too_many_lines, reason = "a list: one line a field")]
    fn controls(&mut self, now: &mut ControlLimits, new: &ControlLimits) {
        group! { self, "controls", ControlLimits, now, new;
            Lower plan_loss_usd_max "plan_loss_usd_max";
            Lower symbol_loss_usd_max "symbol_loss_24h_usd_max";
            Lower strategy_loss_max "strategy_loss_ratio_max";
            Lower venue_loss_max "venue_loss_ratio_max";
            Lower portfolio_loss_max "portfolio_loss_ratio_max";
            Lower loss_flatten "loss_flatten_times";
            Lower drawdown_warn "drawdown_ratio_warn";
            Lower drawdown_max "drawdown_ratio_max";
            Lower drawdown_flatten "drawdown_ratio_flatten";
            Lower notional_tolerance "notional_tolerance_ratio";
            Lower venue_equity_max "venue_equity_ratio_max";
            Lower leverage_max "leverage_max";
            Lower margin_usage_max "margin_usage_ratio_max";
            Lower margin_warn "margin_ratio_warn";
            Lower margin_max "margin_ratio_max";
            Lower margin_flatten "margin_ratio_flatten";
            Higher liquidation_distance_min "liquidation_distance_ratio_min";
            Lower var99_usd_max "var99_1d_usd_max";
            Lower es975_usd_max "es975_1d_usd_max";
            Neither var_interval "var_interval_ms";
            Neither var_observations_min "var_observations_min";
            Neither var_observations_max "var_observations_max";
            Neither var_lambda "var_lambda_ratio";
            Lower leg_imbalance_usd_max "leg_imbalance_usd_max";
            Lower leg_hedge_after "leg_hedge_after_ms";
            Lower leg_unwind_after "leg_unwind_after_ms";
            Lower leg_cancel_after "leg_cancel_after_ms";
            Lower leg_halt_after "leg_halt_after_ms";
            Lower leg_risk_quote_s_max "leg_risk_quote_s_max";
            Lower asset_delta_usd_max "asset_delta_usd_max";
            Lower message_age_max "message_age_ms_max";
            Lower book_age_max "book_age_ms_max";
            Lower heartbeat_age_max "heartbeat_age_ms_max";
            Higher feed_healthy "feed_healthy_ms";
            Lower feed_faults_warn "feed_faults_warn";
            Lower feed_faults_max "feed_faults_max";
            Lower unacked_max "unacked_ms_max";
            Lower cancel_pending_max "cancel_pending_ms_max";
            Lower ioc_open_max "ioc_open_ms_max";
            Lower reject_warn "reject_ratio_warn";
            Lower reject_max "reject_ratio_max";
            Lower reject_orders_min "reject_orders_min";
            Lower reject_run_max "reject_run_max";
            Lower slippage_warn "slippage_bps_warn";
            Lower slippage_max "slippage_bps_max";
            Neither slippage_fills "slippage_fills";
            Higher quality_warn "fill_quality_ratio_warn";
            Higher quality_min "fill_quality_ratio_min";
            Neither quality_sets "fill_quality_sets";
            Lower order_to_trade_max "order_to_trade_ratio_max";
            Lower order_to_trade_orders_min "order_to_trade_orders_min";
            Lower position_break_quiet "position_break_quiet_ms";
            Lower position_break_usd_max "position_break_usd_max";
            Lower balance_break_warn "balance_break_ratio_warn";
            Lower balance_break_usd_min "balance_break_usd_min";
            Lower balance_break_max "balance_break_ratio_max";
            Lower errors_max "errors_max";
            Lower errors_cancel "errors_cancel";
            Lower decision_latency_warn "decision_latency_ms_warn";
            Lower ring_warn "ring_used_ratio_warn";
            Lower ring_max "ring_used_ratio_max";
            Lower beats_warn "missed_beats_warn";
            Lower beats_max "missed_beats_max";
            Lower deadman_age_max "deadman_age_ratio_max";
            Lower acknowledge_within "acknowledge_within_ms";
            Lower scrape_age_warn "scrape_age_ms_warn";
            Lower scrape_age_max "scrape_age_ms_max";
            Higher scrape_required "scrape_required";
            Lower unpriced_after "unpriced_after_ms";
            Lower price_usable "price_usable_ms";
            Lower stress "stress";
        }
    }

    fn all(&mut self, now: &mut Limits, new: &Limits) {
        let Limits {
            instruments,
            order_notional_usd_max,
            notional_usd_max_symbol,
            notional_usd_max_venue,
            notional_usd_max_asset_net,
            notional_usd_max_gross,
            notional_usd_max_net,
            notional_margin,
            ref_price_age_max,
            book_crossed_max,
            spread_max,
            submit_rate_max_symbol,
            submit_rate_max_venue,
            submit_rate_max_global,
            unrealized_loss_usd_max,
            warn_at,
            cooldown,
            risk_view_age_max,
            pre_trade,
            controls,
            close,
            kill,
        } = now;
        for (index, own) in instruments.iter_mut().enumerate() {
            let id = InstrumentId(u16::try_from(index).unwrap_or(u16::MAX));
            let other = new.instruments.get(index).and_then(Option::as_ref);
            self.instrument(id, own, other);
        }
        macro_rules! top {
            ($($tight:ident $field:ident $key:literal;)*) => {
                $(self.limit($key, Tight::$tight, $field, &new.$field);)*
            };
        }
        top! {
            Lower order_notional_usd_max "order_notional_usd_max";
            Lower notional_usd_max_symbol "notional_usd_max.symbol";
            Lower notional_usd_max_venue "notional_usd_max.venue";
            Lower notional_usd_max_asset_net "notional_usd_max.asset_net";
            Lower notional_usd_max_gross "notional_usd_max.gross";
            Lower notional_usd_max_net "notional_usd_max.net";
            Higher notional_margin "notional_margin_bps";
            Lower ref_price_age_max "ref_price_age_ms_max";
            Lower book_crossed_max "book_crossed_ms_max";
            Lower spread_max "spread_bps_max";
            Lower submit_rate_max_symbol "submit_rate_per_s_max.symbol";
            Lower submit_rate_max_venue "submit_rate_per_s_max.venue";
            Lower submit_rate_max_global "submit_rate_per_s_max.global";
            Lower unrealized_loss_usd_max "unrealized_loss_usd_max";
            Lower warn_at "warn_at_ratio";
            Higher cooldown "cooldown_ms";
            Lower risk_view_age_max "risk_view_age_ms_max";
        }
        self.close(close, &new.close);
        self.pre_trade(pre_trade, &new.pre_trade);
        self.controls(controls, &new.controls);
        self.kill(kill, &new.kill);
    }
}

impl Limits {
    /// Every limit in force, key and value as text, in a fixed order.
    #[must_use]
    pub fn values(&self, catalogue: &Catalogue) -> Vec<(String, String)> {
        let mut walk = Walk::new(catalogue);
        walk.all(&mut self.clone(), self);
        walk.values
    }

    /// One line a limit, `key=value`, in a fixed order: equal limits have equal texts.
    #[must_use]
    pub fn canonical(&self, catalogue: &Catalogue) -> String {
        let mut text = String::new();
        for (key, value) in self.values(catalogue) {
            let written = writeln!(text, "{key}={value}");
            debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
        }
        text
    }

    /// What differs in `new`, and these limits with the tighter differences taken over.
    #[must_use]
    pub fn tightened(&self, new: &Self, catalogue: &Catalogue) -> (Self, Vec<LimitChange>) {
        let mut walk = Walk::new(catalogue);
        let mut now = self.clone();
        walk.all(&mut now, new);
        (now, walk.changes)
    }

    /// These limits as they were when [`Limits::values`] was kept. A limit that was none at that time stays as it is here; an
    /// instrument that was not traded has no limits.
    ///
    /// # Errors
    /// Every kept value that cannot be understood: what was in force is then not known.
    pub fn as_kept(
        &self,
        kept: &BTreeMap<String, String>,
        catalogue: &Catalogue,
    ) -> Result<Self, Vec<String>> {
        let mut walk = Walk {
            kept: Some(kept),
            ..Walk::new(catalogue)
        };
        let mut then = self.clone();
        walk.all(&mut then, self);
        if walk.unreadable.is_empty() {
            Ok(then)
        } else {
            Err(walk.unreadable)
        }
    }
}
