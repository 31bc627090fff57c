//! Starts that cannot succeed: they say which venue and why, and leave nothing running.

use std::time::Duration;

use arbalest::actors::system::StartError;
use arbalest::exchanges::socket::{Socket, SocketError, tls_config};
use tokio::net::TcpListener;

use super::world::{SECRET, Terms, World, live};

#[test]
fn a_venue_that_refuses_our_key_is_named_at_once() {
    live(async || {
        for (which, name) in [(1, "spot_b"), (2, "perp")] {
            let mut terms = Terms::default();
            terms.secret[which] = "another secret";
            match World::try_start(terms).await {
                Err(StartError::Refused { venue, code }) => {
                    assert_eq!((venue.as_str(), code), (name, -1022));
                }
                Err(other) => panic!("{name}: {other}"),
                Ok(_) => panic!("{name}: it started"),
            }
        }
        // The next start does not suffer from the last one.
        let world = World::start(Terms {
            secret: [SECRET; 3],
            ..Terms::default()
        })
        .await;
        world.stop().await;
    });
}

#[tokio::test]
async fn a_peer_that_never_answers_the_upgrade_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", silent.local_addr().unwrap());
    let connecting = Socket::connect(&url, tls_config().unwrap());
    let result = tokio::time::timeout(Duration::from_secs(30), connecting).await;
    let error = result.expect("its own time-out comes first").err();
    assert_eq!(error, Some(SocketError::TimedOut));
}
