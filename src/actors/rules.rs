//! Are the venues' trading rules still those we started with? Asked every few minutes (RISK.md PT-02).
//!
//! While they are the same, the account seat learns that they are fresh. When they differ, or cannot be read, nothing is told:
//! they age, and the gate stops increasing orders there. New rules need a restart: lots and ticks are wired into the grids.

use std::time::Duration;

use actix::prelude::Addr;

use crate::config::Settings;
use crate::exchanges::rules::RuleBook;

use super::account::{AccountSeat, RulesSame};
use super::link::Transport;
use super::mailbox::Mail;
use super::reach::rule_book;

/// Pause between two readings: well within the ten minutes that rules may be old.
const EVERY: Duration = Duration::from_secs(180);

/// Reads the rules again and again, on this thread, until the account seat is gone.
pub(super) fn keep(
    settings: &Settings,
    transports: Vec<Transport>,
    books: Vec<RuleBook>,
    account: Addr<AccountSeat>,
) {
    let venues = settings.venues().to_vec();
    actix::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let known = venues.iter().zip(&transports).zip(&books);
            for (id, ((venue, transport), book)) in (0_u8..).zip(known) {
                match rule_book(venue, transport).await {
                    Ok(read) if read == *book => {
                        if !account.must(RulesSame(crate::market::VenueId(id))) {
                            return;
                        }
                    }
                    Ok(_) => tracing::error!(
                        venue = venue.id,
                        "the venue's trading rules changed: restart to trade by the new ones"
                    ),
                    Err(error) => tracing::warn!("trading rules cannot be read again: {error}"),
                }
            }
        }
    });
}
