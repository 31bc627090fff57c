//! What a reason means, and what to change.

use crate::risk::Refusal;

/// Strategy's reasons: word, meaning, what to change.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "implausible",
        "the edge is too good to be true, probably an error in the data",
        "look at both books; raise max_net_edge only if such edges are real",
    ),
    (
        "confirming",
        "fewer looks in a row agreed than asked for",
        "lower confirm_updates if edges live too short to be confirmed",
    ),
    (
        "leg_skew",
        "the two books are not of the same moment",
        "look at the slower feed; max_leg_skew_ms says how much is allowed",
    ),
    (
        "cooldown",
        "the route rests after a set",
        "cooldown_ms says how long",
    ),
    (
        "open_sets",
        "too many sets are open",
        "raise max_open_sets, or find out why sets stay open",
    ),
    (
        "set_rate",
        "too many sets were started within a minute",
        "raise max_sets_per_min",
    ),
    (
        "halted",
        "too many sets broke within an hour: stopped until a person re-arms it",
        "find out why they broke, then re-arm the strategy",
    ),
    (
        "position_unknown",
        "the position of an instrument is not known",
        "wait for the account, or look at its connection",
    ),
    (
        "inventory",
        "the inventory leaves less than the smallest quantity",
        "move balance to where it is sold, wait for the other direction, or raise max_inventory_quote",
    ),
    (
        "thin",
        "the books offer less than the smallest quantity",
        "lower the least order value, or raise max_book_take",
    ),
    (
        "notional_below_min",
        "the value is below a minimum",
        "lower min_order_quote if the venues allow less",
    ),
    (
        "outbid",
        "another route was better at the same look",
        "nothing: the better one was taken",
    ),
    (
        "observe_only",
        "the strategy only observes",
        "let it trade in its configuration file",
    ),
    (
        "not_sent",
        "the approval could not be handed to the desk",
        "the desk is overloaded or the engine was stopping",
    ),
    (
        "lots_eat_edge",
        "no size that lots, depth and bounds allow keeps the edge",
        "nothing: the edge is smaller than one lot",
    ),
    (
        "unsettled",
        "an order's end is not yet in the position",
        "nothing: it waits for the venue",
    ),
    (
        "funding_stale",
        "the venue's last word on funding is too old",
        "look at the mark price feed",
    ),
    (
        "funding_below_min",
        "too little funding would be received",
        "lower the least funding asked for",
    ),
    (
        "near_funding",
        "funding is paid too soon for an entry",
        "the guard before funding says how soon",
    ),
    (
        "carry_below_min",
        "funding, decay of the basis and fees together leave too little",
        "lower the least carry asked for",
    ),
    (
        "margin_unknown",
        "the margin account is not known",
        "wait for the account, or look at its connection",
    ),
    (
        "leverage",
        "the position would be too large for its margin",
        "add margin, or raise the leverage allowed",
    ),
    (
        "liquidation_near",
        "the price of liquidation is too near",
        "add margin",
    ),
    (
        "exit_dearer",
        "taking the pair off costs at least what holding it loses",
        "nothing: holding is cheaper",
    ),
    (
        "conversion",
        "amounts of another quote cannot be converted: the book between the two is not trusted or too old",
        "look at the feed of the conversion pair",
    ),
    (
        "depeg",
        "a quote is too far from one to one with the strategy's",
        "nothing while it lasts; max_quote_depeg_bps says how far is allowed",
    ),
    (
        "blackout",
        "the time of day is one without new sets",
        "blackout_utc says when",
    ),
    (
        "inventory_band",
        "the inventory lies outside its band and the route would take it further out",
        "move balance, wait for the other direction, or widen inventory_band_ratio",
    ),
    (
        "start_below_min",
        "a cycle would begin with too little of its start asset",
        "add balance of the start asset",
    ),
];

/// Meaning and cure of a reason.
pub(super) fn of_reason(reason: &str) -> (String, String) {
    if let Some((_, meaning, cure)) = REASONS.iter().find(|(word, _, _)| *word == reason) {
        return ((*meaning).to_owned(), (*cure).to_owned());
    }
    let row = Refusal::ROWS.iter().find(|row| row.code == reason);
    row.map_or_else(
        || (String::new(), String::new()),
        |row| {
            let cure = match row.limit {
                "none" => "nothing to set: the cause itself must end".to_owned(),
                limit => format!("the limit is {limit}"),
            };
            (format!("{} ({})", row.when, row.row), cure)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Outcome;

    /// A reason without words would be told as a bare code.
    #[test]
    fn every_reason_has_words() {
        for outcome in Outcome::ALL {
            let told = [Outcome::Taken, Outcome::BelowThreshold, Outcome::StaleBook];
            if !told.contains(&outcome) {
                assert!(
                    !of_reason(outcome.label()).0.is_empty(),
                    "{}",
                    outcome.label()
                );
            }
        }
        for row in Refusal::ROWS {
            assert!(!of_reason(row.code).0.is_empty(), "{}", row.code);
        }
    }
}
