//! `[recovery]`, `[dead_man]` and `[watchdog]` of `engine.toml`.

use super::Absent::Means;
use super::{Form, Section, bps, field, ms};

/// See the page above.
pub const RECOVERY: Section = Section {
    file: "engine.toml",
    table: "[recovery]",
    meaning: "What a start does with what an earlier session left (docs/RECOVERY.md).",
    fields: &[
        field("policy", Form::Choice(&["adopt", "flatten", "refuse"]), Means("adopt"), "adopt: take positions over and cancel our open orders; flatten: the same, then close every position; refuse: do not start while there is an open order or a derivative position"),
        field("unexplained", Form::Choice(&["hold", "adjust"]), Means("hold"), "a difference that no execution explains: hold keeps its instruments at K1 until a person acts; adjust books it, with a record and an alert"),
        ms("timeout_ms", "1000", "600000", Means("30000"), "longest time for two equal comparisons; then the engine stays reduce-only"),
    ],
};
/// See the page above.
pub const DEAD_MAN: Section = Section {
    file: "engine.toml",
    table: "[dead_man]",
    meaning: "The venue cancels our open orders when it does not hear from us, where its dialect has that (binance_usdm has, binance_spot has not).",
    fields: &[
        field("enabled", Form::Flag, Means("true"), "whether it is armed"),
        ms("window_ms", "5000", "600000", Means("60000"), "it fires this long after the last refresh"),
        ms("refresh_ms", "1000", "300000", Means("15000"), "time between two refreshes; at most half the window"),
    ],
};
/// See the page above.
pub const WATCHDOG: Section = Section {
    file: "engine.toml",
    table: "[watchdog]",
    meaning: "What `arbalest watchdog` does when the engine does not beat any more (docs/RECOVERY.md).",
    fields: &[
        ms("grace_ms", "1000", "600000", Means("10000"), "longest time without a new heartbeat before it cancels and flattens"),
        bps("protection_bps", "1", "2000", Means("50"), "how far through the best price its closing orders may go"),
    ],
};
