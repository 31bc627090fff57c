//! The gate, the monitor and the forced close against the risk catalogue's rows and vectors.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a wrong number fails the test; the parts of this file share helpers"
)]

#[path = "risk/controls.rs"]
mod controls;
#[path = "risk/docs.rs"]
mod docs;
#[path = "risk/gate.rs"]
mod gate;
#[path = "risk/gate_rows.rs"]
mod gate_rows;
#[path = "risk/kept.rs"]
mod kept;
#[path = "risk/level_twin.rs"]
mod level_twin;
#[path = "risk/levels.rs"]
mod levels;
#[path = "risk/monitor.rs"]
mod monitor;
#[path = "risk/people.rs"]
mod people;
#[path = "risk/rearm.rs"]
mod rearm;
#[path = "risk/reload.rs"]
mod reload;
#[path = "risk/restart.rs"]
mod restart;
#[path = "risk/stats.rs"]
mod stats;
#[path = "risk/support.rs"]
mod support;
#[path = "risk/unwind.rs"]
mod unwind;

use counting::allocations;

/// Counts the allocations of this thread.
#[expect(unsafe_code, reason = "an allocator is unsafe by trait")]
mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    struct Counting;

    // SAFETY: every call is handed to the system allocator unchanged.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if let Ok(()) = COUNT.try_with(|count| count.set(count.get() + 1)) {}
            // SAFETY: the caller's promise on `layout` is passed on.
            unsafe { System.alloc(layout) }
        }
        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            // SAFETY: the pointer came from `System.alloc` with this layout.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    pub(super) fn allocations() -> u64 {
        COUNT.with(Cell::get)
    }
}
