//! Books that must not be believed: no order is priced from one while it lasts, people see why, and it heals.

use arbalest::sim::venue::{Fault, FaultScope};

use super::world::{B, PERP, Terms, World, is_trusted, live, outcome};

/// Evaluations that must have passed an edge by before we believe that it is passed by.
const LOOKS: u64 = 20;

/// One way to spoil a book, and how it ends.
struct Spoiled {
    what: &'static str,
    cause: &'static [&'static str],
    begin: fn(&World, usize),
    end: fn(&World, usize),
}

fn hold(world: &World, venue: usize, on: bool) {
    world.inject(venue, Fault::HoldSnapshots { symbol: 0, on });
}
fn silence(world: &World, venue: usize, on: bool) {
    let symbol = Some(0);
    world.inject(venue, Fault::Silence { symbol, on });
}

const GAP: Spoiled = Spoiled {
    what: "a sequence gap",
    cause: &["sequence_gap"],
    begin: |world, venue| {
        hold(world, venue, true);
        let (symbol, count) = (0, 1);
        world.inject(venue, Fault::DropDiffs { symbol, count });
    },
    end: |world, venue| hold(world, venue, false),
};
const CUT: Spoiled = Spoiled {
    what: "a feed cut",
    cause: &["disconnected"],
    begin: |world, venue| {
        hold(world, venue, true);
        world.inject(venue, Fault::Cut(FaultScope::Streams));
    },
    end: |world, venue| hold(world, venue, false),
};
const CROSSED: Spoiled = Spoiled {
    what: "a crossed book",
    cause: &["crossed", "stale"],
    begin: |world, venue| {
        // Nothing true may follow, or the quote heals it.
        world.inject(venue, Fault::CrossedBook { symbol: 0 });
        silence(world, venue, true);
    },
    end: |world, venue| silence(world, venue, false),
};
const STALE: Spoiled = Spoiled {
    what: "a silent stream on a living connection",
    cause: &["stale"],
    begin: |world, venue| silence(world, venue, true),
    end: |world, venue| silence(world, venue, false),
};
const MALFORMED: Spoiled = Spoiled {
    what: "a malformed frame",
    cause: &["malformed"],
    begin: |world, venue| {
        hold(world, venue, true);
        let text = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate""#.to_owned();
        world.inject(venue, Fault::Malformed { symbol: 0, text });
    },
    end: |world, venue| hold(world, venue, false),
};

async fn passes_by(world: &World, venue: usize, spoiled: &Spoiled) {
    let what = format!("{} at venue {venue}", spoiled.what);
    world.quiet(super::world::SOON).await;
    (spoiled.begin)(world, venue);
    let named = |book: &arbalest::telemetry::snapshot::InstrumentStatus| {
        !is_trusted(book)
            && book
                .trust_cause
                .is_some_and(|cause| spoiled.cause.contains(&cause))
    };
    let before = world
        .until(&format!("{what}: distrust with its cause"), |snapshot| {
            named(&snapshot.instruments[venue])
        })
        .await;
    // The other two move one after the other, and may trade with each other on the way: a set priced by this book has a
    // leg at this venue.
    let placed = world.placed(venue);
    world.edge_at(venue);
    let seen = outcome(&before, "stale_book");
    world
        .until(&format!("{what}: the edge is passed by"), |snapshot| {
            let book = &snapshot.instruments[venue];
            assert!(!is_trusted(book), "{what} must last: {book:?}");
            assert!(book.trust_cause.is_some(), "{book:?}");
            outcome(snapshot, "stale_book") >= seen + LOOKS
        })
        .await;
    assert_eq!(world.placed(venue), placed, "{what}");
    (spoiled.end)(world, venue);
    world
        .until(
            &format!("{what}: trusted again, and the edge is taken"),
            |snapshot| is_trusted(&snapshot.instruments[venue]) && world.placed(venue) > placed,
        )
        .await;
    world.no_edge();
}

async fn all(venue: usize, ways: &[Spoiled]) {
    let world = World::start(Terms::default()).await;
    for spoiled in ways {
        passes_by(&world, venue, spoiled).await;
    }
    world.quiet(super::world::SOON).await;
    world.assert_truth().await;
    let (summary, _) = world.stop().await;
    assert_eq!((summary.orders_open, summary.orders_unknown), (0, 0));
    assert_eq!(
        summary.frames_received,
        summary.frames_decoded + summary.frames_ignored + summary.frames_malformed
    );
}

#[test]
fn a_spot_book_in_doubt_prices_nothing() {
    live(async || all(B, &[GAP, CUT, CROSSED, STALE, MALFORMED]).await);
}

#[test]
fn a_perpetual_book_in_doubt_prices_nothing() {
    live(async || all(PERP, &[CUT, GAP, MALFORMED, STALE, CROSSED]).await);
}
