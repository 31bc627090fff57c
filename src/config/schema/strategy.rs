//! The files of `strategies/`: what every kind has, and what each kind adds.

use super::Absent::{Means, Refused};
use super::{Field, Form, Section, Unit, bps, count, field, ms, positive, ratio};

/// The kinds there are.
const KINDS: &[&str] = &["cross_exchange", "triangular", "spot_perp_basis"];

/// Where the kind of a file is looked up before its other keys are known.
pub const KIND: Section = Section {
    file: "strategies/*.toml",
    table: "",
    meaning: "Which strategy the file tunes.",
    fields: &[field("kind", Form::Choice(KINDS), Refused, "which strategy the file tunes")],
};

/// The keys of one kind: those that every strategy has, with the kind's own defaults, then its own.
macro_rules! keys {
    (kind: $kind:literal, book_age: $age:literal, skew: $skew:literal, leg_timeout: $timeout:literal; $($own:expr),+ $(,)?) => {
        &[
            field("id", Form::Text("lower-case letters, digits and _, at most 24"), Refused, "its name in metrics and records"),
            field("kind", Form::Choice(&[$kind]), Refused, "which strategy the file tunes"),
            field("mode", Form::Choice(&["observe", "paper", "live"]), Means("observe"), "observe: count opportunities only; live needs the engine's mode live").tighter_when_lower(),
            $($own),+,
            count("confirm_updates", "1", "1000", Means("1"), "consecutive updates that must agree before a set is sent").tighter_when_higher(),
            ratio("max_book_take_ratio", Means("0.25"), "share of the visible depth within the limit price that a set may take").tighter_when_lower(),
            count("depth_levels", "1", "20", Means("20"), "levels of each side that a size may be taken from").tighter_when_lower(),
            ms("max_book_age_ms", "1", "60000", Means($age), "oldest book that may price a leg").tighter_when_lower(),
            ms("max_leg_skew_ms", "1", "60000", Means($skew), "largest difference between the ages of the books of a set").tighter_when_lower(),
            ms("cooldown_ms", "0", "3600000", Means("250"), "pause of a route after a set").tighter_when_higher(),
            count("max_sets_per_min", "1", "256", Means("30"), "most sets started in a minute").tighter_when_lower(),
            count("max_open_sets", "1", "64", Means("1"), "most sets open at once").tighter_when_lower(),
            bps("limit_cushion_bps", "0", "100", Means("2"), "how far past the edge price the limit may lie; never a bare market order").tighter_when_lower(),
            ms("leg_timeout_ms", "10", "60000", Means($timeout), "then an unfilled leg goes to the resolver").tighter_when_lower(),
            bps("max_unwind_cost_bps", "0", "1000", Means("30"), "costliest repair of a broken set; above it the set is held and alerted").tighter_when_lower(),
            field("on_broken_leg", Form::Choice(&["cheapest", "complete", "reverse", "hold"]), Means("cheapest"), "what is done with a broken set: whichever costs least, only go on, only go back, or nothing but an alert"),
            positive("max_unhedged_quote", "quote asset", Means("1000"), "what one set may have unhedged for max_unhedged_ms; half as much may be for twice as long. Beyond it the set is resolved at once and the strategy stops (AT-15-risk)").tighter_when_lower(),
            ms("max_unhedged_ms", "1", "3600000", Means("2000"), "see max_unhedged_quote").tighter_when_lower(),
            positive("dust_quote", "quote asset", Means("10"), "remainders too small to trade are carried; worth more than this they are an alert").tighter_when_lower(),
            count("max_broken_sets", "1", "1000", Means("3"), "broken sets within an hour that stop the strategy").tighter_when_lower(),
            field("blackout_utc", Form::Texts("a span such as \"23:55-00:05\""), Means(""), "times of every day (UTC) without new sets, from the first minute to before the last").tighter_when_higher(),
        ]
    };
}

const fn least_edge(default: &'static str) -> Field {
    bps("min_net_edge_bps", "0.01", "10000", Means(default), "edge a set must reach after all taker fees").tighter_when_higher()
}
const fn most_edge(default: &'static str) -> Field {
    bps("max_net_edge_bps", "0.01", "10000", Means(default), "above this an edge is taken for an error in the data and refused").tighter_when_lower()
}
const fn hours(key: &'static str, high: &'static str, default: &'static str, meaning: &'static str) -> Field {
    field(key, Form::Number(Unit::Hours, "1", high), Means(default), meaning)
}

/// `kind = "cross_exchange"`
pub const CROSS_EXCHANGE: Section = Section {
    file: "strategies/*.toml",
    table: "kind = \"cross_exchange\"",
    meaning: "Buy at one venue, sell at another, both at once. Edges are net of fees.",
    fields: keys! { kind: "cross_exchange", book_age: "250", skew: "100", leg_timeout: "500";
        field("symbol", Form::Text("BASE/QUOTE"), Refused, "the base and quote compared; a venue's perpetual of the same pair takes part"),
        field("venues", Form::Texts("an id of venues.toml"), Refused, "at least two; every ordered pair is a route").tighter_when_lower(),
        field("quote_group", Form::Texts("an asset code"), Means(""), "quotes compared with the symbol's own, each converted by its live book, e.g. [\"USDT\", \"USDC\"]; empty: only the symbol's own"),
        bps("max_quote_depeg_bps", "0", "1000", Means("30"), "a conversion farther from one to one stops its routes").tighter_when_lower(),
        field("routes_deny", Form::Texts("\"buy_venue:sell_venue\""), Means(""), "routes that are never taken").tighter_when_higher(),
        least_edge("5"),
        most_edge("150"),
        positive("min_order_quote", "quote", Means("50"), "smallest leg value"),
        positive("max_order_quote", "quote", Means("1000"), "largest leg value").tighter_when_lower(),
        field("leg_order", Form::Choice(&["together", "thin_first", "maker_then_taker"]), Means("together"), "together: both legs at once; thin_first: the one with the thinner book first, then the other for what it filled; maker_then_taker: the cheaper maker rests first"),
        field("inventory_target_ratio", Form::Table, super::Absent::None("0.5 each"), "where inventory should lie, by venue: 0 at the most sold, 1 at the most bought, e.g. spot_a = 0.4; needs inventory_band_ratio"),
        field("inventory_band_ratio", Form::Number(Unit::Ratio, "0.000001", "1"), super::Absent::None("no targets: it lies where it comes to lie"), "farthest distance from the target; beyond it only routes that come back").tighter_when_lower(),
        bps("inventory_skew_bps", "0", "1000", Means("3"), "at that distance a route that goes on must earn this much more a leg, and one that comes back this much less"),
        count("min_runway_sets", "0", "1000", Means("5"), "fewer sets that inventory still allows are counted and shown as a warning"),
        positive("max_inventory_quote", "quote", Refused, "largest position value a venue this strategy builds up; beyond it only routes that bring it back").tighter_when_lower(),
    },
};

/// `kind = "triangular"`
pub const TRIANGULAR: Section = Section {
    file: "strategies/*.toml",
    table: "kind = \"triangular\"",
    meaning: "Around a cycle of pairs on one spot venue, back to the asset it began with. Edges are net of the fees of all legs.",
    fields: keys! { kind: "triangular", book_age: "50", skew: "25", leg_timeout: "300";
        field("venue", Form::Text("an id of venues.toml"), Refused, "the one spot venue it trades at"),
        field("start_assets", Form::Texts("an asset code"), Means("USDT"), "where a cycle may begin and end").tighter_when_lower(),
        field("discover", Form::Flag, Means("true"), "find every cycle that the venue's symbols form; false: only `cycles`").tighter_when_lower(),
        field("cycles", Form::Texts("a path such as \"USDT > BTC > ETH\""), Means(""), "the cycles, when they are not found; each begins at a start asset and returns to it").tighter_when_lower(),
        field("assets_allow", Form::Texts("an asset code"), Means(""), "found cycles go only over these assets; empty: over all"),
        field("assets_deny", Form::Texts("an asset code"), Means(""), "found cycles never go over these assets").tighter_when_higher(),
        count("max_cycle_legs", "3", "5", Means("3"), "most legs of a found cycle").tighter_when_lower(),
        least_edge("6"),
        most_edge("100"),
        positive("start_min_quote", "start asset", Means("50"), "smallest amount of the start asset that a set begins with"),
        positive("start_max_quote", "start asset", Means("500"), "largest amount of the start asset that a set begins with").tighter_when_lower(),
        field("fee_taken", Form::Choice(&["from_received", "from_quote"]), Means("from_received"), "which asset the fee of an order is taken from; from_received: what is bought arrives less its fee, safe also where a discount asset may run out"),
        field("size_search", Form::Choice(&["bisect", "grid"]), Means("bisect"), "how the best size over depth, lots and ticks is searched"),
        field("execution", Form::Choice(&["sequential_ioc", "first_then_parallel", "parallel"]), Means("sequential_ioc"), "in which order the legs leave; the safest first").tighter_when_lower(),
        bps("protective_limit_bps", "0", "1000", Means("20"), "how far the limits of legs 2 and later may lie from the best price").tighter_when_lower(),
        field("asset_caps", Form::Table, super::Absent::None("no cap"), "most held of an intermediate asset, in units of that asset, e.g. BTC = \"0.05\""),
    },
};

/// `kind = "spot_perp_basis"`
pub const SPOT_PERP_BASIS: Section = Section {
    file: "strategies/*.toml",
    table: "kind = \"spot_perp_basis\"",
    meaning: "Spot against a perpetual of the same base, held while the basis and its funding pay for it. Its two instruments belong to no other strategy.",
    fields: keys! { kind: "spot_perp_basis", book_age: "250", skew: "100", leg_timeout: "500";
        field("spot", Form::Text("\"venue:BASE/QUOTE\""), Refused, "the spot instrument"),
        field("perp", Form::Text("\"venue:BASE/QUOTE:SETTLE\""), Refused, "the perpetual, linear or inverse; its venue may be another"),
        field("direction", Form::Choice(&["short_perp", "long_perp", "both"]), Means("short_perp"), "short_perp: long spot against a short perpetual; long_perp: the other way, from spot inventory"),
        bps("entry_basis_bps", "-10000", "10000", Means("20"), "least perpetual bid over spot ask to enter").tighter_when_higher(),
        bps("exit_basis_bps", "-10000", "10000", Means("5"), "basis at which a pair is taken off").tighter_when_higher(),
        bps("max_net_edge_bps", "0.01", "10000", Means("150"), "above this an edge is taken for an error in the data and refused").tighter_when_lower(),
        bps("min_net_carry_bps_day", "-1000", "1000", Means("3"), "least net carry a day: funding and basis decay less fees over the horizon").tighter_when_higher(),
        hours("carry_horizon_h", "8760", "72", "over how long fees are spread"),
        field("min_funding_bps_8h", Form::Number(Unit::FineBps, "-1000", "1000"), Means("1"), "least funding to receive, normalised to 8 h").tighter_when_higher(),
        field("funding_flip_exit", Form::Flag, Means("true"), "take a pair off when funding turns, if that costs less than it is expected to lose").tighter_when_higher(),
        hours("funding_interval_h", "24", "8", "time between two fundings of the perpetual, until the venue's own marks show it"),
        field("no_entry_before_funding_s", Form::Number(Unit::Seconds, "0", "28800"), Means("30"), "no entry so long before a funding instant").tighter_when_higher(),
        hours("max_hold_h", "8760", "336", "longest a pair is held").tighter_when_lower(),
        count("leverage", "1", "3", Means("2"), "leverage of the perpetual").tighter_when_lower(),
        bps("min_liq_distance_bps", "1", "10000", Means("2000"), "below this distance to liquidation both legs shrink together").tighter_when_higher(),
        positive("slice_quote", "quote", Means("200"), "value of one slice").tighter_when_lower(),
        positive("max_position_quote", "quote", Means("5000"), "most value of the pair").tighter_when_lower(),
        ms("slice_interval_ms", "1", "3600000", Means("1000"), "shortest time between two slices").tighter_when_higher(),
        bps("delta_band_bps", "1", "10000", Means("50"), "difference of the two legs, as a share of the position, beyond which the larger is trimmed"),
        field("exit_style", Form::Choice(&["pair_slices", "pair_now"]), Means("pair_slices"), "whether a pair is taken off in slices or at once"),
    },
};
