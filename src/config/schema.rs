//! Every key that a configuration file may have: unit, default, range and meaning. The reader, the "did you mean", and
//! `docs/CONFIG.md` are all made from these tables.

use super::quantity::Unit;

mod alert;
mod controls;
mod kill;
mod pre_trade;
mod recovery;
mod store;
mod threads;
mod strategy;

pub use alert::ALERT;
pub use controls::{CONTROLS, STRESS};
pub use kill::KILL;
pub use pre_trade::PRE_TRADE;
pub use recovery::{DEAD_MAN, RECOVERY, WATCHDOG};
pub use threads::THREADS;
pub use store::STORE;
pub use strategy::{CROSS_EXCHANGE, KIND, SPOT_PERP_BASIS, TRIANGULAR};

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A number with a unit, from the first to the second bound (in the bare unit), both allowed.
    Number(Unit, &'static str, &'static str),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text; the words describe it.
    Text(&'static str),
    /// A list of texts; the words describe one.
    Texts(&'static str),
    /// true or false.
    Flag,
    /// A table or list of tables, documented as a section of its own.
    Table,
}

/// When a field is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It is a mistake.
    Refused,
    /// It stands for this, in the bare unit.
    Means(&'static str),
    /// There is none; the text says what happens then.
    None(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What stands there.
    pub form: Form,
    /// When it is absent.
    pub absent: Absent,
    /// What it does.
    pub meaning: &'static str,
    /// Which values of it allow less.
    pub tighter: Tighter,
}

/// When a changed value takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At the next start.
    Restart,
    /// While the engine runs: tighter at once, looser by two people.
    LiveTighten,
}

impl Class {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Restart => "at the next start",
            Self::LiveTighten => {
                "while it runs; a tighter value at once, any other by two people while the portfolio is at K1 or above"
            }
        }
    }
}

/// Which values of a setting allow less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tighter {
    /// Smaller ones; of flags false, of words the earlier ones, of lists the shorter ones.
    Lower,
    /// Larger ones; of flags true, of words the later ones, of lists the longer ones.
    Higher,
    /// It says how, not how much.
    Neither,
}

impl Field {
    /// A smaller value allows less.
    const fn tighter_when_lower(mut self) -> Self {
        self.tighter = Tighter::Lower;
        self
    }
    /// A larger value allows less.
    const fn tighter_when_higher(mut self) -> Self {
        self.tighter = Tighter::Higher;
        self
    }
}

/// The keys of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Which file.
    pub file: &'static str,
    /// The table as written, empty for the top of the file.
    pub table: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
}

const fn field(key: &'static str, form: Form, absent: Absent, meaning: &'static str) -> Field {
    Field { key, form, absent, meaning, tighter: Tighter::Neither }
}
const fn bps(key: &'static str, low: &'static str, high: &'static str, absent: Absent, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Bps, low, high), absent, meaning)
}
const fn ratio(key: &'static str, absent: Absent, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Ratio, "0.000001", "1"), absent, meaning)
}
const fn ms(key: &'static str, low: &'static str, high: &'static str, absent: Absent, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Millis, low, high), absent, meaning)
}
const fn positive(key: &'static str, of: &'static str, absent: Absent, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Amount(of), "0.000000000000000001", "1000000000000"), absent, meaning)
}
const fn count(key: &'static str, low: &'static str, high: &'static str, absent: Absent, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Count, low, high), absent, meaning)
}
use Absent::{Means, Refused};

/// `engine.toml`
pub const ENGINE: Section = Section {
    file: "engine.toml",
    table: "",
    meaning: "The process. The whole file is optional.",
    fields: &[
        field("mode", Form::Choice(&["observe", "paper", "live"]), Means("paper"), "observe: no orders; paper: orders go to simulated venues; live: real orders, needs the command line's consent too"),
        field("reporting_currency", Form::Text("an asset code"), Means("USDT"), "currency of limits, exposure and profit; the `_usd` limits are in it"),
        count("node", "0", "65535", Means("1"), "number of this process in client order ids; two engines on one account need different ones"),
        field("data_dir", Form::Text("a directory"), Means("var"), "where the journal and the SQLite database are written"),
        field("signal", Form::Table, Absent::None("defaults"), "see [signal]"),
        field("metrics", Form::Table, Absent::None("defaults"), "see [metrics]"),
        field("control", Form::Table, Absent::None("reading only"), "see [control]"),
        field("recovery", Form::Table, Absent::None("defaults"), "see [recovery]"),
        field("dead_man", Form::Table, Absent::None("defaults"), "see [dead_man]"),
        field("watchdog", Form::Table, Absent::None("defaults"), "see [watchdog]"),
        field("threads", Form::Table, Absent::None("defaults"), "see [threads]"),
        field("store", Form::Table, Absent::None("defaults"), "see [store]"),
        field("alert", Form::Table, Absent::None("nobody is told"), "one [[alert]] for every receiver of alerts"),
    ],
};
/// `[signal]`
pub const SIGNAL: Section = Section {
    file: "engine.toml",
    table: "[signal]",
    meaning: "The one thread that decides.",
    fields: &[
        field("wait", Form::Choice(&["spin", "spin_then_park", "park"]), Means("spin_then_park"), "how it waits for events: spin is fastest and keeps a core busy"),
        field("spin_us", Form::Number(Unit::Micros, "1", "1000000"), Means("50"), "with spin_then_park: how long it looks again before it sleeps"),
        field("layout", Form::Choice(&["seats", "fused"]), Means("seats"), "seats: execution on its own thread; fused: on the signal thread"),
        count("pin_core", "0", "1023", Absent::None("not pinned"), "processor core for the signal thread; a failure to pin is reported"),
    ],
};
/// `[metrics]`
pub const METRICS: Section = Section {
    file: "engine.toml",
    table: "[metrics]",
    meaning: "The web server of /metrics, /status and the page.",
    fields: &[
        field("address", Form::Text("a loopback address and port"), Means("127.0.0.1:9464"), "loopback only; port 0 takes a free one"),
    ],
};
/// `[control]`
pub const CONTROL: Section = Section {
    file: "engine.toml",
    table: "[control]",
    meaning: "Who may steer the engine over its web server (docs/CONTROL.md).",
    fields: &[
        field("tokens_file", Form::Text("a file only its owner can read"), Absent::None("everything can be read from this machine, nothing changed"), "one line a person: NAME ROLE TOKEN; 'arbalest risk token new NAME ROLE' makes one"),
    ],
};
/// `venues.toml`
pub const VENUES: Section = Section {
    file: "venues.toml",
    table: "",
    meaning: "The venue instances.",
    fields: &[field("venue", Form::Table, Refused, "one [[venue]] an instance; two may speak the same dialect")],
};
/// `[[venue]]`
pub const VENUE: Section = Section {
    file: "venues.toml",
    table: "[[venue]]",
    meaning: "One venue instance.",
    fields: &[
        field("id", Form::Text("lower-case letters, digits and _, at most 24"), Refused, "its name in metrics, limits and strategies"),
        field("dialect", Form::Choice(&["binance_spot", "binance_usdm"]), Refused, "what it speaks"),
        field("symbols", Form::Texts("a unified symbol, BASE/QUOTE or BASE/QUOTE:SETTLE"), Refused, "what is watched and may be traded there"),
        field("simulated", Form::Flag, Means("false"), "run this venue inside the process, on loopback; then it has no addresses and no keys"),
        field("simulated_latency_us", Form::Number(Unit::Micros, "0", "1000000"), Means("200"), "one way, between the simulated venue and us"),
        field("rest_url", Form::Text("http(s)://host[:port]"), Absent::None("the dialect's public address"), "REST base address"),
        field("ws_url", Form::Text("ws(s)://host[:port]"), Absent::None("the dialect's public address"), "market and account stream base address"),
        field("ws_api_url", Form::Text("ws(s)://host[:port]/path"), Absent::None("the dialect's public address"), "order entry address"),
        field("fees", Form::Table, Refused, "see [venue.fees]"),
        field("keys", Form::Table, Absent::None("public data only"), "see [venue.keys]"),
        field("watchdog_keys", Form::Table, Absent::None("`arbalest watchdog` refuses"), "keys of the watchdog, in the form of [venue.keys]: its own, allowed to trade, better not the engine's"),
        field("withdraw_fees", Form::Table, Absent::None("not known: `arbalest inventory` says so"), "what taking an asset out costs, in that asset, e.g. BTC = \"0.0001\"; only for advice: nothing is ever transferred"),
        field("withdraw_time_s", Form::Number(Unit::Seconds, "0", "604800"), Absent::None("not known"), "how long it takes until an asset taken out has arrived elsewhere; only for advice"),
        field("balances", Form::Table, Absent::None("empty"), "simulated venues: starting balance by asset, e.g. USDT = \"50000\""),
    ],
};
/// `[venue.fees]`
pub const FEES: Section = Section {
    file: "venues.toml",
    table: "[venue.fees]",
    meaning: "What trading costs there. Every edge is net of the taker fee.",
    fields: &[
        bps("taker_fee_bps", "-10", "500", Refused, "paid by the side that takes"),
        bps("maker_fee_bps", "-10", "500", Refused, "paid by the side that rests; negative is a rebate"),
        field("fee_asset", Form::Text("an asset code"), Absent::None("no discount"), "asset that pays fees at a discount while it is held; `symbols` must have its pair with the quote"),
        field("fee_discount_ratio", Form::Number(Unit::Ratio, "0", "0.9"), Means("0.25"), "share of a fee that is saved by it"),
        positive("min_fee_asset_quote", "quote", Means("20"), "worth of it below which no discount is assumed"),
    ],
};
/// `[venue.keys]`
pub const KEYS: Section = Section {
    file: "venues.toml",
    table: "[venue.keys]",
    meaning: "Where the keys are: never in this file. Exactly one source each.",
    fields: &[
        field("kind", Form::Choice(&["hmac", "ed25519"]), Means("hmac"), "how requests are signed"),
        field("api_key_env", Form::Text("an environment variable"), Absent::None("see api_key_file"), "variable that holds the API key"),
        field("api_key_file", Form::Text("a file only its owner can read"), Absent::None("see api_key_env"), "file that holds the API key"),
        field("secret_env", Form::Text("an environment variable"), Absent::None("see secret_file"), "variable that holds the secret, or the PKCS#8 PEM for ed25519"),
        field("secret_file", Form::Text("a file only its owner can read"), Absent::None("see secret_env"), "file that holds the secret, or the PKCS#8 PEM for ed25519"),
    ],
};
/// `limits.toml`
pub const LIMITS: Section = Section {
    file: "limits.toml",
    table: "",
    meaning: "Owned by the risk officer. Every limit is inclusive: a value equal to it passes.",
    fields: &[
        positive("order_notional_usd_max", "reporting currency", Refused, "largest order value (PT-19)"),
        positive("unrealized_loss_usd_max", "reporting currency", Refused, "unrealized loss of one position that closes it to flat (AT-02)"),
        bps("notional_margin_bps", "0", "1000", Means("50"), "added to the venue's minimum order value (PT-07)"),
        ms("ref_price_age_ms_max", "1", "60000", Means("1000"), "oldest price that may price an increasing order (PT-12)"),
        ms("book_crossed_ms_max", "0", "60000", Means("100"), "longest a book may be crossed or locked (PT-13)"),
        bps("spread_bps_max", "0.01", "10000", Means("100"), "widest spread that may price an increasing order (PT-13)"),
        ratio("warn_at_ratio", Means("0.8"), "share of a limit from which its control warns"),
        ms("cooldown_ms", "0", "3600000", Means("60000"), "how long a cleared control stays raised"),
        ms("risk_view_age_ms_max", "10", "60000", Means("2000"), "oldest risk picture on which the gate lets an increasing order pass"),
        field("notional_usd_max", Form::Table, Refused, "see [notional_usd_max]"),
        field("submit_rate_per_s_max", Form::Table, Absent::None("defaults"), "see [submit_rate_per_s_max]"),
        field("kill", Form::Table, Absent::None("defaults"), "see [kill]"),
        field("pre_trade", Form::Table, Absent::None("defaults"), "see [pre_trade]"),
        field("controls", Form::Table, Absent::None("defaults"), "see [controls]"),
        field("stress", Form::Table, Absent::None("no scenario"), "see [[stress]]"),
        field("force_close", Form::Table, Absent::None("defaults"), "see [force_close]"),
        field("instrument", Form::Table, Refused, "one [[instrument]] for every venue and symbol of venues.toml"),
    ],
};
/// `[notional_usd_max]`
pub const NOTIONAL: Section = Section {
    file: "limits.toml",
    table: "[notional_usd_max]",
    meaning: "Worst-case value, open and unknown orders counted as filled (PT-21).",
    fields: &[
        positive("symbol", "reporting currency", Refused, "gross, one symbol over all venues"),
        positive("venue", "reporting currency", Refused, "gross, one venue"),
        positive("asset_net", "reporting currency", Refused, "net, one base asset over all venues"),
        positive("gross", "reporting currency", Refused, "gross, the whole portfolio"),
        positive("net", "reporting currency", Refused, "net, the whole portfolio"),
    ],
};
/// `[submit_rate_per_s_max]`
pub const SUBMIT: Section = Section {
    file: "limits.toml",
    table: "[submit_rate_per_s_max]",
    meaning: "Orders a second (PT-33).",
    fields: &[
        count("symbol", "1", "256", Means("10"), "one venue and symbol"),
        count("venue", "1", "256", Means("30"), "one venue"),
        count("global", "1", "256", Means("60"), "all together"),
    ],
};
/// `[force_close]`
pub const FORCE_CLOSE: Section = Section {
    file: "limits.toml",
    table: "[force_close]",
    meaning: "How a position is driven to its target when a control demands it (RISK 2.7).",
    fields: &[
        ratio("to_limit_ratio", Means("0.8"), "after a breach of a position limit: close to this share of it"),
        ms("cancel_wait_ms", "0", "60000", Means("1500"), "how long own open orders may take to end before closing begins"),
        ratio("depth_ratio_max", Means("0.25"), "share of the visible depth within the protection price that one child may take"),
        ms("attempt_ms", "10", "60000", Means("1000"), "without progress for this long the protection price steps up"),
        count("attempts_max", "1", "1000", Means("20"), "then it escalates"),
        ms("deadline_ms", "100", "3600000", Means("60000"), "then it escalates"),
        field("allow_unpriced_market", Form::Flag, Means("false"), "whether a market order without a price may ever be the last resort"),
        positive("pair_delta_usd_max", "reporting currency", Means("1000"), "a close to a limit that would leave more of a base asset unhedged closes the hedging leg by the same quantity"),
    ],
};
/// `[[instrument]]`
pub const INSTRUMENT: Section = Section {
    file: "limits.toml",
    table: "[[instrument]]",
    meaning: "Limits of one symbol at one venue.",
    fields: &[
        field("venue", Form::Text("an id of venues.toml"), Refused, "where"),
        field("symbol", Form::Text("a symbol of that venue"), Refused, "what"),
        positive("order_qty_base_max", "base", Refused, "largest order quantity (PT-18)"),
        positive("position_qty_base_max", "base", Refused, "largest worst-case position, long or short (PT-20, AT-01)"),
    ],
};
/// All sections, in the order of the documentation.
pub const SECTIONS: &[&Section] = &[
    &VENUES, &VENUE, &FEES, &KEYS, &LIMITS, &NOTIONAL, &SUBMIT, &PRE_TRADE, &CONTROLS, &STRESS, &FORCE_CLOSE, &KILL, &INSTRUMENT, &CROSS_EXCHANGE,
    &TRIANGULAR, &SPOT_PERP_BASIS, &ENGINE, &SIGNAL,
    &METRICS, &CONTROL, &RECOVERY, &DEAD_MAN, &WATCHDOG, &THREADS, &STORE, &ALERT,
];

impl Section {
    /// One key of this table.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}
