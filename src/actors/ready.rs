//! What a start waits for: every gateway live and every account heard, or a venue's word that it will never be.

use std::time::Duration;

use actix::prelude::Addr;

use crate::config::Settings;

use super::account::{AccountSeat, Accounts, AskAccounts, VenueAccount};
use super::system::StartError;

/// Longest wait for the gateways and accounts at start.
const READY_WAIT: Duration = Duration::from_secs(20);

/// Waits until every gateway is live and every account was heard.
pub(super) async fn wait_ready(
    settings: &Settings,
    account: &Addr<AccountSeat>,
) -> Result<Accounts, StartError> {
    let ready = async {
        loop {
            if let Ok(accounts) = account.send(AskAccounts).await {
                let is_done =
                    |one: &VenueAccount| one.ready && one.answers.iter().all(|count| *count >= 1);
                let is_refused = |one: &VenueAccount| one.refused.is_some();
                if accounts.0.iter().all(is_done) || accounts.0.iter().any(is_refused) {
                    return accounts;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if let Ok(accounts) = tokio::time::timeout(READY_WAIT, ready).await {
        let refused = accounts
            .0
            .iter()
            .zip(settings.venues())
            .find_map(|(one, venue)| Some((one.refused?, venue)));
        return match refused {
            Some((code, venue)) => Err(StartError::Refused {
                venue: venue.id.clone(),
                code,
            }),
            None => Ok(accounts),
        };
    }
    let accounts = account
        .send(AskAccounts)
        .await
        .unwrap_or(Accounts(Vec::new()));
    let late = accounts
        .0
        .iter()
        .position(|one| !one.ready || one.answers.iter().any(|count| *count < 1));
    let which = late.unwrap_or(0);
    Err(StartError::NotReady {
        venue: settings
            .venues()
            .get(which)
            .map_or_else(String::new, |venue| venue.id.clone()),
        seconds: READY_WAIT.as_secs(),
        reason: match accounts.0.get(which) {
            Some(one) if one.ready => {
                ": order entry is live, but the account was not answered".to_owned()
            }
            Some(_) | None => ": order entry or account stream did not come up".to_owned(),
        },
    })
}
