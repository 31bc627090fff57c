//! A leg that breaks: the set ends even, or an alert is open. Nothing is unhedged in silence.

use arbalest::sim::venue::Fault;
use rust_decimal::Decimal;

use super::world::{B, LATER, PERP, Terms, World, live};

async fn breaks(world: &World, venue: usize, what: &str, fault: Fault) {
    let before = world.quiet(LATER).await;
    let (placed, alerts) = (world.placed(venue), world.alerts().len());
    world.inject(venue, fault);
    world.edge_at(venue);
    world
        .until(&format!("{what}: a leg at venue {venue}"), |_| {
            world.placed(venue) > placed
        })
        .await;
    world.no_edge();
    // While a set is uneven for long, somebody is told.
    let summary = world.quiet(LATER).await;
    let held = summary.sets_held > before.sets_held;
    let net: Decimal = world.positions().iter().sum();
    let told = world.alerts().split_off(alerts);
    assert!(
        net.is_zero() || (held && told.iter().any(|text| text.starts_with("set_held"))),
        "{what} at venue {venue}: {net} unhedged, held {held}, {told:?}"
    );
    world.assert_truth().await;
    match what {
        "partial fill" | "rejected" => {
            assert!(summary.sets_broken > before.sets_broken, "{what}");
        }
        "lost request" => {
            let undecided = told.iter().any(|text| text.starts_with("set_undecided"));
            assert!(undecided, "{what}: {told:?}");
        }
        _ => {}
    }
}

async fn all(venue: usize) {
    let world = World::start(Terms {
        leg_quote: "1300",
        ..Terms::default()
    })
    .await;
    let share_ppm = 300_000;
    let partial = Fault::PartialFill { share_ppm };
    breaks(&world, venue, "partial fill", partial).await;
    let rejected = Fault::RejectNext {
        code: -2010,
        message: "Account has insufficient balance for requested action.".to_owned(),
    };
    breaks(&world, venue, "rejected", rejected).await;
    breaks(&world, venue, "swallowed answer", Fault::SwallowAck).await;
    breaks(&world, venue, "lost request", Fault::SwallowRequest).await;
    let (summary, _) = world.stop().await;
    assert_eq!((summary.orders_open, summary.orders_unknown), (0, 0));
}

#[test]
fn a_broken_leg_is_evened_or_told() {
    live(async || {
        tokio::join!(all(B), all(PERP));
    });
}
