//! The tables. `docs/STORE.md` is made from this page.

use super::schema::{Column, Form, Table};

/// Version of the schema. A column or table with a higher `since` needs the next one.
pub const VERSION: u32 = 2;

/// Place of the audit table in [`TABLES`].
pub const AUDIT: usize = 0;

const fn column(name: &'static str, form: Form, path: &'static str) -> Column {
    Column { name, form, nullable: false, path, since: 1 }
}
const fn maybe(name: &'static str, form: Form, path: &'static str) -> Column {
    Column { name, form, nullable: true, path, since: 1 }
}
const fn text(name: &'static str) -> Column {
    column(name, Form::Text, name)
}
const fn money(name: &'static str) -> Column {
    column(name, Form::Money, name)
}
const fn maybe_text(name: &'static str) -> Column {
    maybe(name, Form::Text, name)
}
const fn maybe_money(name: &'static str) -> Column {
    maybe(name, Form::Money, name)
}
const fn int(name: &'static str) -> Column {
    column(name, Form::Int, name)
}
const fn flag(name: &'static str) -> Column {
    column(name, Form::Flag, name)
}

/// A column that came with the second version.
const fn v2(column: Column) -> Column {
    Column { since: 2, ..column }
}
const fn v2_text(name: &'static str) -> Column {
    v2(text(name))
}
const fn v2_money(name: &'static str) -> Column {
    v2(money(name))
}
const fn v2_maybe(name: &'static str) -> Column {
    v2(maybe_money(name))
}
const fn v2_int(name: &'static str) -> Column {
    v2(int(name))
}
const fn v2_json(name: &'static str) -> Column {
    v2(column(name, Form::Json, name))
}

/// Every table that holds journal records.
pub const TABLES: &[Table] = &[
    Table {
        name: "audit",
        meaning: "Every record that is not only trade or figures, as it stands in the journal, in a hash chain; the database refuses to change or remove a row",
        kinds: &[],
        each: None,
        columns: &[text("kind"), text("content"), text("journal_hash"), text("hash")],
        indexes: &["kind"],
        since: 1,
    },
    Table {
        name: "orders",
        meaning: "Orders as they were about to be sent",
        kinds: &["order"],
        each: None,
        columns: &[
            text("client_order_id"), text("venue"), text("symbol"), text("strategy"), column("set_id", Form::Int, "set"), int("leg"), int("attempt"),
            text("purpose"), text("side"), money("quantity"), money("limit_price"), text("time_in_force"), flag("reduce_only"), flag("post_only"), int("approval"),
        ],
        indexes: &["client_order_id"],
        since: 1,
    },
    Table {
        name: "cancels",
        meaning: "Cancels as they were about to be sent; without an id: everything in the instrument",
        kinds: &["cancel"],
        each: None,
        columns: &[maybe_text("client_order_id"), text("venue"), text("symbol")],
        indexes: &["client_order_id"],
        since: 1,
    },
    Table {
        name: "reports",
        meaning: "Venues' words about orders, in the order of their arrival",
        kinds: &["report"],
        each: None,
        columns: &[
            maybe_text("client_order_id"), text("venue"), text("symbol"), text("event"), column("venue_time_ns", Form::Time, "venue_time"),
            maybe("venue_order_id", Form::Id, "venue_order_id"), maybe_text("reason"), maybe("code", Form::Int, "code"),
            maybe_money("quantity"), maybe_money("price"), maybe("trade_id", Form::Id, "trade_id"),
        ],
        indexes: &["client_order_id"],
        since: 1,
    },
    Table {
        name: "fills",
        meaning: "Executions as they were booked, each once",
        kinds: &["fill"],
        each: None,
        columns: &[
            column("venue_time_ns", Form::Time, "time"), text("venue"), text("symbol"), text("side"), money("quantity"), money("price"), money("fee"),
            text("fee_asset"), column("trade_id", Form::Id, "trade_id"), maybe_text("client_order_id"), text("liquidity"), maybe_text("strategy"),
        ],
        indexes: &["client_order_id", "trade_id"],
        since: 1,
    },
    Table {
        name: "positions",
        meaning: "All positions, whenever one changed (looked at each second)",
        kinds: &["positions"],
        each: Some("rows"),
        columns: &[text("venue"), text("symbol"), money("quantity"), maybe_money("average_price"), money("realized_pnl")],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "risk_metrics",
        meaning: "Risk figures, each second; NULL is not known",
        kinds: &["risk_metrics"],
        each: None,
        columns: &[
            text("state"), int("kill_level"), maybe_money("total_exposure"), maybe_money("max_drawdown"), maybe_money("pnl"), maybe_money("var"),
            maybe_money("margin_usage"), maybe_money("net_exposure"), maybe_money("expected_shortfall"), maybe_money("equity"), maybe_money("unit_value"), money("realized_pnl"), maybe_money("unrealized_pnl"), int("open_orders"), int("unknown_orders"), int("unpriced_positions"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "alerts",
        meaning: "What people were told",
        kinds: &["alert"],
        each: None,
        columns: &[
            text("alert"), text("severity"), text("scope"), maybe("measured_value", Form::Money, "value"), maybe("limit_value", Form::Money, "limit"),
            flag("raised"), text("text"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "kill_levels",
        meaning: "Changes of kill levels",
        kinds: &["level_changed"],
        each: None,
        columns: &[
            text("scope"), column("level_from", Form::Text, "from"), column("level_to", Form::Text, "to"), text("cause"), column("actor", Form::Text, "by"), text("reason"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "forced_close_intents",
        meaning: "Forced closes as they began",
        kinds: &["close_intent"],
        each: None,
        columns: &[
            column("set_id", Form::Int, "set"), text("venue"), text("symbol"), text("cause"), maybe("limit_value", Form::Money, "limit"),
            maybe("measured_value", Form::Money, "value"), money("position"), money("target"),
            maybe_money("cost_expected"), maybe_money("slippage_bps_expected"), maybe_money("unfillable"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "forced_closes",
        meaning: "Forced closes as they ended",
        kinds: &["close_record"],
        each: None,
        columns: &[
            column("set_id", Form::Int, "intent.set"), column("venue", Form::Text, "intent.venue"), column("symbol", Form::Text, "intent.symbol"),
            column("cause", Form::Text, "intent.cause"), text("result"), maybe_money("decision_price"), money("closed"), maybe_money("average_price"),
            maybe_money("slippage_cost"), maybe_money("slippage_bps"), money("position"), int("duration_ns"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "forced_close_children",
        meaning: "The orders of ended forced closes; `journal_seq` names the close",
        kinds: &["close_record"],
        each: Some("children"),
        columns: &[column("set_id", Form::Int, "^intent.set"), int("approval"), money("quantity"), money("limit_price"), money("filled")],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "refusals",
        meaning: "How often the gate refused, by strategy and code, since the row before",
        kinds: &["refusals"],
        each: Some("rows"),
        columns: &[text("strategy"), text("code"), int("count")],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "control_actions",
        meaning: "What people and programs with a token asked, and what became of it",
        kinds: &["control_action"],
        each: None,
        columns: &[
            column("actor", Form::Text, "by"), text("role"), text("origin"), text("action"), text("scope"), text("reason"), flag("accepted"), text("result"),
        ],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "config_versions",
        meaning: "Configurations and limits that came into force: at start every setting, later what changed",
        kinds: &["config_version", "limits_changed"],
        each: None,
        columns: &[text("hash"), column("actor", Form::Text, "by"), column("detail", Form::Json, "settings|changes")],
        indexes: &[],
        since: 1,
    },
    Table {
        name: "opportunities",
        meaning: "Edges from their first look to their end, a sample (docs/WHY.md); edges in basis points",
        kinds: &["opportunity"],
        each: None,
        columns: &[
            v2_text("strategy"), v2_text("route"), v2(column("opened_ns", Form::Time, "opened")), v2(maybe("closed_ns", Form::Time, "closed")), v2(maybe("ended_by", Form::Text, "end")),
            v2(maybe("lifetime_ns", Form::Int, "lifetime_ns")), v2_money("net_bps"), v2_money("gross_bps"), v2_money("fees_bps"), v2_money("peak_net_bps"), v2_money("peak_gross_bps"),
            v2_money("last_net_bps"), v2_money("last_gross_bps"), v2_int("looks"), v2_int("taken"), v2_int("refused"), v2(maybe_text("reason")),
            v2(maybe("measured_value", Form::Money, "value")), v2(maybe("limit_value", Form::Money, "limit")), v2(maybe_text("unit")), v2(maybe("approval", Form::Int, "approval")),
            v2_maybe("after_10ms_bps"), v2_maybe("after_50ms_bps"), v2_maybe("after_250ms_bps"), v2_json("legs"), v2_json("legs_later"),
        ],
        indexes: &["strategy"],
        since: 2,
    },
    Table {
        name: "route_edges",
        meaning: "Edges by route since the row before, all of them: how many, why not taken, how long they lived",
        kinds: &["routes"],
        each: Some("rows"),
        columns: &[
            v2(column("since_ns", Form::Time, "^since")), v2_text("strategy"), v2_text("route"), v2_maybe("asked_bps"), v2_maybe("best_bps"), v2_int("looks"), v2_int("opened"), v2_int("closed"),
            v2_int("taken"), v2_int("approved"), v2_json("reasons"), v2_json("lifetimes"), v2_json("probes"), v2_json("own"),
        ],
        indexes: &["strategy"],
        since: 2,
    },
    Table {
        name: "looks",
        meaning: "How often the looks of a strategy ended so since the row before",
        kinds: &["looks"],
        each: Some("rows"),
        columns: &[v2_text("strategy"), v2_text("outcome"), v2_int("count")],
        indexes: &[],
        since: 2,
    },
    Table {
        name: "attributions",
        meaning: "The parts of an ended set's result, adding up exactly; of several rows of a set the last holds",
        kinds: &["attribution"],
        each: None,
        columns: &[
            v2(column("set_id", Form::Int, "set")), v2_text("strategy"), v2_text("asset"), v2_money("signal"), v2_money("decay"), v2_money("slippage"), v2_money("hedge"),
            v2_money("fees"), v2_money("net"), v2_money("residual"), v2_int("fills"), v2(flag("has_decay")),
        ],
        indexes: &["set_id"],
        since: 2,
    },
];

/// Kinds that fill only their table; every other record is in the audit chain as well (or alone).
pub const NOT_AUDITED: &[&str] =
    &["order", "cancel", "report", "fill", "positions", "risk_metrics", "refusals", "opportunity", "routes", "looks", "attribution"];
