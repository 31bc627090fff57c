//! The hot path: what a batch of events makes the strategies look at.
#![expect(clippy::unwrap_used, reason = "a test's helpers")]

use arbalest::config::Settings;
use arbalest::engine::{HotOutput, HotPath};
use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{EventKind, InstrumentId, MarketEvent};
use arbalest::sim::build::venue_setup;
use arbalest::sim::world::world_setup;
use arbalest::telemetry::NoopTimer;
use arbalest::units::{MonoNanos, Price, Qty, Side, UnixNanos};

fn hot_path() -> HotPath {
    let settings = Settings::embedded().unwrap();
    let venues = settings
        .venues()
        .iter()
        .map(|venue| venue_setup(venue, "key", "secret", 1))
        .collect();
    let setup = world_setup(&settings, venues, 1, UnixNanos(1_700_000_000_000_000_000)).unwrap();
    HotPath::new(setup.hot)
}

fn batch(hot: &mut HotPath, at: u64, kinds: &[EventKind]) -> u64 {
    let evaluations = |hot: &HotPath| -> u64 {
        hot.strategies()
            .iter()
            .map(|strategy| strategy.counters().evaluations)
            .sum()
    };
    let before = evaluations(hot);
    let mut out = HotOutput::with_capacity();
    for (index, kind) in kinds.iter().enumerate() {
        let event = MarketEvent {
            received_at: MonoNanos(at),
            kind: *kind,
            decode_nanos: 0,
            instrument: InstrumentId(0),
            flags: if index + 1 == kinds.len() {
                END_OF_BATCH
            } else {
                0
            },
        };
        hot.on_event(0, &event, MonoNanos(at), &mut NoopTimer, &mut out);
    }
    evaluations(hot) - before
}

const fn level(side: Side, price: i64, qty: i64, update_id: u64) -> EventKind {
    EventKind::Level {
        side,
        price: Price(price),
        qty: Qty(qty),
        update_id,
    }
}

/// The touch may move in any event of a batch, not only in its last.
#[test]
fn a_touch_moved_early_in_a_batch_is_looked_at() {
    let mut hot = hot_path();
    let snapshot = [
        EventKind::Clear,
        level(Side::Buy, 6_000_000, 5, 10),
        level(Side::Buy, 5_999_000, 5, 10),
        level(Side::Sell, 6_000_100, 5, 10),
        level(Side::Sell, 6_009_000, 5, 10),
        EventKind::Synced { update_id: 10 },
    ];
    assert_eq!(batch(&mut hot, 1_000, &snapshot), 1);
    let far_only = [level(Side::Sell, 6_009_000, 7, 11)];
    assert_eq!(batch(&mut hot, 2_000, &far_only), 0, "the touch stands");
    let touch_then_far = [
        level(Side::Buy, 6_000_050, 5, 12),
        level(Side::Sell, 6_009_000, 9, 12),
    ];
    assert_eq!(
        batch(&mut hot, 3_000, &touch_then_far),
        1,
        "the touch moved"
    );
}
