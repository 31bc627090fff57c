//! The error table: what a status and code mean for the request that got them.

use crate::trade::RejectReason;

/// Meaning of an error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Certainly not done.
    Refused(RejectReason),
    /// Too fast: certainly not done, and stop placing.
    TooFast {
        /// 418 or 403: stop everything.
        banned: bool,
    },
    /// Open-order count exceeded: certainly not done.
    TooManyOrders,
    /// Time stamp outside the window: certainly not done; measure the clock.
    Clock,
    /// Key, signature, address or permission: certainly not done, and nothing will be.
    Permission,
    /// It may or may not have happened.
    Unknown,
    /// No such order.
    NotFound,
    /// Nothing to cancel under that name.
    CancelRefused,
    /// The account stream's key is gone.
    ListenKeyGone,
    /// Subscribed already.
    AlreadySubscribed,
}

/// Reads the table. `status` is the HTTP or WebSocket API status (0 when there was no answer).
pub(crate) fn classify(status: u16, code: i32, message: &str) -> Failure {
    use Failure::{Refused, TooFast, Unknown};
    match (status, code) {
        (418 | 403, _) => return TooFast { banned: true },
        // Said by the gate in front of matching, also as 503: certainly not placed.
        (_, -1008) => return Refused(RejectReason::Overloaded),
        (429, -1015) => return Failure::TooManyOrders,
        (429, _) => return TooFast { banned: false },
        (0 | 408 | 500..=599, _) => return Unknown,
        _ => {}
    }
    match code {
        -1003 => TooFast { banned: false },
        -1015 => Failure::TooManyOrders,
        -1000 | -1001 | -1006 | -1007 => Unknown,
        -1021 | -5028 => Failure::Clock,
        -1002 | -1022 | -2014 | -2015 | -4061 => Failure::Permission,
        -1125 => Failure::ListenKeyGone,
        -1121 | -1122 | -1220 => Refused(RejectReason::Instrument),
        -1013
        | -1130..=-1100
        | -4005..=-4001
        | -4016..=-4013
        | -4023
        | -4024
        | -4029
        | -4030
        | -4131
        | -4164 => Refused(RejectReason::Filter),
        -2010 => Refused(engine_reason(message)),
        -2011 => Failure::CancelRefused,
        -2013 | -2026 => Failure::NotFound,
        -2018 | -2019 => Refused(RejectReason::Balance),
        -2022 => Refused(RejectReason::ReduceOnly),
        -2035 => Failure::AlreadySubscribed,
        -4116 => Refused(RejectReason::Duplicate),
        -5021 => Refused(RejectReason::CannotFill),
        -5022 => Refused(RejectReason::WouldTake),
        _ => Refused(RejectReason::Other),
    }
}

/// -2010 carries its reason in words.
fn engine_reason(message: &str) -> RejectReason {
    const TABLE: [(&str, RejectReason); 9] = [
        ("insufficient balance", RejectReason::Balance),
        ("Duplicate order", RejectReason::Duplicate),
        ("immediately match and take", RejectReason::WouldTake),
        ("Market is closed", RejectReason::Instrument),
        ("symbol is not permitted", RejectReason::Permission),
        ("action is disabled", RejectReason::Permission),
        ("Filter failure", RejectReason::Filter),
        ("not enabled", RejectReason::Permission),
        ("trading is not", RejectReason::Instrument),
    ];
    TABLE
        .into_iter()
        .find(|(words, _)| message.contains(words))
        .map_or(RejectReason::Other, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table, one row a code")]
    fn the_table() {
        use Failure::{
            AlreadySubscribed, CancelRefused, Clock, ListenKeyGone, NotFound, Permission, Refused,
            TooFast, TooManyOrders, Unknown,
        };
        let refused = |reason| Refused(reason);
        for (status, code, message, expected) in [
            (
                400,
                -2010,
                "Account has insufficient balance for requested action.",
                refused(RejectReason::Balance),
            ),
            (
                400,
                -2010,
                "Duplicate order sent.",
                refused(RejectReason::Duplicate),
            ),
            (
                400,
                -2010,
                "Order would immediately match and take.",
                refused(RejectReason::WouldTake),
            ),
            (
                400,
                -2010,
                "Market is closed.",
                refused(RejectReason::Instrument),
            ),
            (400, -2010, "new words", refused(RejectReason::Other)),
            (400, -2011, "Unknown order sent.", CancelRefused),
            (400, -2013, "Order does not exist.", NotFound),
            (400, -2026, "", NotFound),
            (429, -1003, "", TooFast { banned: false }),
            (400, -1003, "", TooFast { banned: false }),
            (418, -1003, "", TooFast { banned: true }),
            (403, 0, "<html>", TooFast { banned: true }),
            (429, -1015, "Too many new orders", TooManyOrders),
            (400, -1015, "", TooManyOrders),
            (503, -1008, "", refused(RejectReason::Overloaded)),
            (400, -1021, "", Clock),
            (400, -5028, "", Clock),
            (401, -1022, "", Permission),
            (401, -2014, "", Permission),
            (401, -2015, "", Permission),
            (
                400,
                -1013,
                "Filter failure: LOT_SIZE",
                refused(RejectReason::Filter),
            ),
            (400, -1111, "", refused(RejectReason::Filter)),
            (400, -1100, "", refused(RejectReason::Filter)),
            (400, -1130, "", refused(RejectReason::Filter)),
            (400, -1121, "", refused(RejectReason::Instrument)),
            (400, -1125, "", ListenKeyGone),
            (400, -2018, "", refused(RejectReason::Balance)),
            (400, -2019, "", refused(RejectReason::Balance)),
            (400, -2022, "", refused(RejectReason::ReduceOnly)),
            (400, -4003, "", refused(RejectReason::Filter)),
            (400, -4014, "", refused(RejectReason::Filter)),
            (400, -4131, "", refused(RejectReason::Filter)),
            (400, -4116, "", refused(RejectReason::Duplicate)),
            (400, -4120, "", refused(RejectReason::Other)),
            (400, -4164, "", refused(RejectReason::Filter)),
            (400, -5021, "", refused(RejectReason::CannotFill)),
            (400, -5022, "", refused(RejectReason::WouldTake)),
            (400, -2035, "", AlreadySubscribed),
            (503, 0, "Unknown error", Unknown),
            (504, -1007, "", Unknown),
            (400, -1007, "", Unknown),
            (400, -1006, "", Unknown),
            (0, 0, "", Unknown),
        ] {
            assert_eq!(classify(status, code, message), expected, "{status} {code}");
        }
    }
}
