//! Frames from hell, through the socket into a running engine: counted by kind, and survived.

use std::collections::BTreeMap;

use arbalest::sim::venue::Fault;

use super::world::{B, LATER, PERP, SOON, Terms, World, is_trusted, live, until};

/// A depth frame with these members after the event's time.
fn depth(members: &str) -> String {
    format!(
        "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1767225600000,{members}}}}}"
    )
}

/// What is sent, and as which kind it must be counted.
fn frames() -> Vec<(&'static str, String)> {
    let ids = "\"T\":1767225600000,\"s\":\"BTCUSDT\",\"U\":1,\"u\":2,\"pu\":0";
    let bid =
        |price: &str, qty: &str| depth(&format!("{ids},\"b\":[[\"{price}\",\"{qty}\"]],\"a\":[]"));
    vec![
        ("number", bid("1e400", "1")),
        ("number", bid("NaN", "1")),
        ("number", bid("60000.00", "1e400")),
        ("number", bid("60000.00", "99999999999999999999999999")),
        ("sign", bid("60000.00", "-1")),
        ("sign", bid("-60000.00", "1")),
        (
            "json",
            depth("\"s\":\"BTCUSDT\",\"U\":NaN,\"u\":2,\"b\":[],\"a\":[]"),
        ),
        ("json", "\u{0}".to_owned()),
        ("too_deep", "[".repeat(100_000)),
        (
            "duplicate_field",
            depth(&format!("{ids},\"u\":3,\"b\":[],\"a\":[]")),
        ),
        (
            "missing_field",
            depth("\"s\":\"BTCUSDT\",\"b\":[],\"a\":[]"),
        ),
        ("field_type", depth(&format!("{ids},\"b\":{{}},\"a\":[]"))),
    ]
}

/// Malformed frames of one venue's feeds by kind.
async fn counted(world: &World, venue: &str) -> BTreeMap<String, u64> {
    let summary = world.engine.summary("test", "now").await.unwrap();
    let mut counts = BTreeMap::new();
    for remark in &summary.remarks {
        // "spot_b: 3 malformed frames (json)"
        let Some((feed, rest)) = remark.split_once(": ") else {
            continue;
        };
        let Some((count, kind)) = rest.split_once(" malformed frames (") else {
            continue;
        };
        if feed == venue {
            counts.insert(
                kind.trim_end_matches(')').to_owned(),
                count.parse().unwrap(),
            );
        }
    }
    counts
}

async fn expect(world: &World, feed: &str, venue: usize, expected: &BTreeMap<String, u64>) {
    until("every kind is counted", SOON, async || {
        (counted(world, feed).await == *expected).then_some(())
    })
    .await;
    world
        .until_within("the book heals", LATER, |snapshot| {
            is_trusted(&snapshot.instruments[venue])
        })
        .await;
}

async fn survives(venue: usize, feed: &str) {
    let world = World::start(Terms::default()).await;
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (kind, text) in frames() {
        *expected.entry(kind.to_owned()).or_default() += 1;
        world.inject(venue, Fault::Malformed { symbol: 0, text });
    }
    expect(&world, feed, venue, &expected).await;

    // These two cannot even be read: the connection goes, and they count as frames all the same.
    let bytes = b"{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"\xff\xfe\"}}".to_vec();
    world.inject(venue, Fault::MalformedBytes { symbol: 0, bytes });
    expected.insert("not_utf8".to_owned(), 1);
    expect(&world, feed, venue, &expected).await;
    let text = " ".repeat(10 << 20);
    world.inject(venue, Fault::Malformed { symbol: 0, text });
    expected.insert("too_large".to_owned(), 1);
    expect(&world, feed, venue, &expected).await;

    world.edge_at(venue);
    world
        .until("the edge is taken", |snapshot| {
            snapshot.totals.sets_hedged > 0
        })
        .await;
    world.no_edge();
    world.quiet(SOON).await;
    world.assert_truth().await;
    let (summary, _) = world.stop().await;
    assert_eq!(
        summary.frames_received,
        summary.frames_decoded + summary.frames_ignored + summary.frames_malformed
    );
}

#[test]
fn hostile_frames_are_counted_by_kind_and_survived() {
    live(async || {
        tokio::join!(survives(B, "spot_b"), survives(PERP, "perp_0"));
    });
}
