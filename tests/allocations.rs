//! The decision path allocates nothing once it is warm: a global allocator that counts, in a test binary of its own.
//!
//! Counted are the allocations of this thread between two marks: frames of every hot kind through feed machine and hot
//! path, ticks that cause no order; and a set that the gate approves.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of a test file"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[path = "../benches/harness/rig.rs"]
mod rig;

use arbalest::telemetry::NoopTimer;
use arbalest::units::Nanos;
use rig::{Rig, SPOT, USDM};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more; nothing of ours runs there.
    let _counted = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Frames of both venues: quotes, depth diffs, trades and marks.
fn frames(rig: &mut Rig<NoopTimer>, rounds: u64) -> Vec<(usize, String)> {
    let mut frames = Vec::new();
    for round in 0..rounds {
        for venue in [SPOT, USDM] {
            let previous = rig.ids[venue];
            let id = rig.next_id(venue);
            let offset = i64::try_from(round % 40).unwrap();
            frames.push((venue, rig::diff(venue, previous, id, offset)));
            frames.push((venue, rig::calm(venue, id)));
            let trade = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#;
            frames.push((venue, trade.to_owned()));
        }
        let mark = r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1723161257000,"s":"BTCUSDT","p":"61800.30000000","P":"61811.52231004","i":"61832.10500000","r":"0.00010000","T":1723190400000}}"#;
        frames.push((USDM, mark.to_owned()));
    }
    frames
}

#[test]
fn a_tick_without_an_order_allocates_nothing() {
    assert!(
        allocations_of(|| drop(Box::new(1_u8))) > 0,
        "the counter counts"
    );
    let mut rig = Rig::new(NoopTimer);
    let warm_up = frames(&mut rig, 100);
    let measured = frames(&mut rig, 1_000);
    let play = |rig: &mut Rig<NoopTimer>, frames: &[(usize, String)]| {
        for (venue, frame) in frames {
            rig.step(Nanos::from_micros(50));
            assert_eq!(rig.tick(*venue, frame.as_bytes()), 0);
        }
    };
    play(&mut rig, &warm_up);
    let levels_before: u64 = (0..2).map(|feed| rig.feeds[feed].counters().levels).sum();
    let allocations = allocations_of(|| play(&mut rig, &measured));
    let levels_after: u64 = (0..2).map(|feed| rig.feeds[feed].counters().levels).sum();
    assert_eq!(
        levels_after - levels_before,
        4_000,
        "the diffs were applied"
    );
    for feed in &rig.feeds {
        let counters = feed.counters();
        assert_eq!(
            counters.frames_received, counters.decoded,
            "every frame was of a hot kind"
        );
    }
    assert_eq!(allocations, 0, "over {} frames", measured.len());
}

#[test]
fn signal_and_gate_allocate_nothing_for_a_set() {
    let mut rig = Rig::new(NoopTimer);
    let mut allocations = 0;
    for tick in 0..60 {
        rig.step(Nanos::from_millis(250));
        let calm = rig.next_id(USDM);
        rig.tick(USDM, rig::calm(USDM, calm).as_bytes());
        let id = rig.next_id(SPOT);
        let frame = rig::takable(id);
        let counted = allocations_of(|| {
            rig.on_frame(SPOT, frame.as_bytes());
            rig.decide(SPOT);
        });
        assert_eq!(rig.out.sets.len(), 1, "tick {tick}");
        if tick >= 10 {
            allocations += counted;
        }
        rig.send();
        assert_eq!(rig.encode(), 2);
        rig.settle();
        let id = rig.next_id(SPOT);
        rig.tick(SPOT, rig::calm(SPOT, id).as_bytes());
    }
    assert_eq!(allocations, 0);
}
