//! A counting allocator: the decode path takes no memory per frame once its buffers have grown, from bytes to events.
#![expect(
    unsafe_code,
    reason = "a global allocator can be written in no other way"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use arbalest::exchanges::feed::{Feed, FeedInstrument, FeedOptions};
use arbalest::exchanges::{Action, Dialect};
use arbalest::market::event::EventSink;
use arbalest::market::{InstrumentId, MarketEvent, VenueId};
use arbalest::units::{Grid, MonoNanos, UnixNanos};

struct Counting;

thread_local! {
    /// Of this thread alone: the test harness allocates on its own.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

fn taken_here() -> u64 {
    TAKEN.with(Cell::get)
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: the caller's promise for `layout` is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` with this layout, as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts events without keeping them.
struct Counted(u64);

impl EventSink for Counted {
    fn push(&mut self, _: MarketEvent) {
        self.0 += 1;
    }
}

fn depth(dialect: Dialect, id: u64) -> String {
    let futures = match dialect {
        Dialect::BinanceSpot => String::new(),
        Dialect::BinanceUsdm => format!("\"T\":1723161256298,\"pu\":{},", id - 1),
    };
    let levels = vec!["[\"61837.64000000\",\"1.54698000\"]"; 40].join(",");
    format!(
        "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161255208,\"s\":\"BTCUSDT\",\
         \"U\":{id},\"u\":{id},{futures}\"b\":[{levels}],\"a\":[{levels}]}}}}"
    )
}

/// The hot kinds of one dialect, then one depth message for each id.
fn frames(dialect: Dialect) -> Vec<String> {
    let mut frames: Vec<String> = (11..200).map(|id| depth(dialect, id)).collect();
    let futures = match dialect {
        Dialect::BinanceSpot => "",
        Dialect::BinanceUsdm => "\"e\":\"bookTicker\",\"T\":1,\"E\":1,",
    };
    let data = [
        ("bookTicker", format!("{futures}\"u\":5,\"s\":\"BTCUSDT\",\"b\":\"1.5\",\"B\":\"2\",\"a\":\"1.6\",\"A\":\"3\"")),
        ("trade", "\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1.5\",\"q\":\"2\",\"m\":true".to_owned()),
        ("aggTrade", "\"e\":\"aggTrade\",\"E\":1,\"a\":1,\"s\":\"BTCUSDT\",\"p\":\"1\",\"q\":\"2\",\"f\":1,\"l\":1,\"T\":1,\"m\":true".to_owned()),
        ("markPrice@1s", "\"e\":\"markPriceUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"p\":\"1\",\"r\":\"0.0001\",\"T\":1".to_owned()),
        // Not as usually written: the careful way takes no memory, either.
        ("bookTicker", format!(" {futures} \"u\" : 6 ,\"s\":\"BTCUSDT\",\"b\":\"1.5\",\"B\":\"2\",\"a\":\"1.6\",\"A\":\"3\"")),
    ];
    for (name, fields) in data {
        frames.push(format!(
            "{{\"stream\":\"btcusdt@{name}\",\"data\":{{{fields}}}}}"
        ));
    }
    frames
}

#[test]
fn no_frame_takes_memory() {
    for dialect in Dialect::ALL {
        let instrument = FeedInstrument {
            id: InstrumentId(0),
            native: "BTCUSDT".to_owned(),
            grid: Grid::FINEST,
        };
        let mut feed = Feed::new(
            dialect,
            0,
            VenueId(0),
            vec![instrument],
            FeedOptions::default(),
        );
        let mut actions: Vec<Action> = Vec::with_capacity(64);
        let mut sink = Counted(0);
        let (now, time) = (MonoNanos(1_000_000_000), UnixNanos(1));
        feed.start(now, &mut actions);
        feed.on_open(now, &mut actions);
        let frames = frames(dialect);
        feed.on_frame(
            depth(dialect, 10).as_bytes(),
            now,
            time,
            &mut sink,
            &mut actions,
        );
        let request = actions
            .iter()
            .find_map(|action| {
                if let Action::Http { request, .. } = action {
                    Some(*request)
                } else {
                    None
                }
            })
            .unwrap();
        let snapshot =
            b"{\"lastUpdateId\":10,\"bids\":[[\"1.5\",\"1\"]],\"asks\":[[\"1.6\",\"1\"]]}";
        feed.on_http(request, 200, snapshot, now, &mut sink, &mut actions);
        feed.on_frame(
            frames.first().unwrap().as_bytes(),
            now,
            time,
            &mut sink,
            &mut actions,
        );
        assert_eq!(feed.live_books(), 1);
        let (taken, pushed) = (taken_here(), sink.0);
        for frame in frames.iter().skip(1) {
            feed.on_frame(frame.as_bytes(), now, time, &mut sink, &mut actions);
        }
        assert_eq!(taken_here(), taken, "{dialect:?}");
        assert_eq!(
            sink.0 - pushed,
            188 * 80 + 5,
            "{dialect:?}: every frame became its events"
        );
        let counters = feed.counters();
        assert_eq!(
            (counters.malformed, counters.ignored, counters.gaps),
            (0, 0, 0)
        );
    }
}
