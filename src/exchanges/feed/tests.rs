use super::*;
use crate::exchanges::{Channel, RequestId};
use crate::market::{Book, InstrumentId, MarketEvent, Trust};
use crate::units::{Grid, Nanos, Price, Side};

const SECOND: u64 = 1_000_000_000;

/// A feed with its books, as the signal seat would keep them.
struct Bench {
    feed: Feed,
    books: Vec<Book>,
    events: Vec<MarketEvent>,
    actions: Vec<Action>,
    now: u64,
}

impl Bench {
    fn new(dialect: Dialect, lane: usize, options: FeedOptions) -> Self {
        let instrument = |id: u16, native: &str| FeedInstrument {
            id: InstrumentId(id),
            native: native.to_owned(),
            grid: Grid::new(2, 3).unwrap(),
        };
        let instruments = vec![instrument(0, "BTCUSDT"), instrument(1, "ETHUSDT")];
        let mut bench = Self {
            feed: Feed::new(dialect, lane, VenueId(0), instruments, options),
            books: vec![Book::new(Price(1)); 2],
            events: Vec::new(),
            actions: Vec::new(),
            now: 3_600 * SECOND,
        };
        bench.feed.start(bench.at(), &mut bench.actions);
        bench
    }

    fn spot() -> Self {
        let mut bench = Self::new(Dialect::BinanceSpot, 0, FeedOptions::default());
        bench.open();
        bench
    }

    fn at(&self) -> MonoNanos {
        MonoNanos(self.now)
    }

    /// Applies what was pushed and returns the actions asked for.
    fn settle(&mut self) -> Vec<Action> {
        for event in self.events.drain(..) {
            let book = &mut self.books[event.instrument.index()];
            book.apply(&event);
            if event.ends_batch() {
                book.finish_batch(event.received_at, true);
            }
        }
        let counters = self.feed.counters();
        assert_eq!(
            counters.frames_received,
            counters.decoded + counters.ignored + counters.malformed
        );
        std::mem::take(&mut self.actions)
    }

    fn open(&mut self) -> Vec<Action> {
        self.feed.on_open(self.at(), &mut self.actions);
        self.settle()
    }

    fn frame(&mut self, text: &str) -> Vec<Action> {
        self.now += 1_000_000;
        let time = UnixNanos::from_millis(1_723_161_255_000);
        self.feed.on_frame(
            text.as_bytes(),
            self.at(),
            time,
            &mut self.events,
            &mut self.actions,
        );
        self.settle()
    }

    fn diff(&mut self, symbol: &str, first: u64, last: u64, bids: &str, asks: &str) -> Vec<Action> {
        let stream = symbol.to_ascii_lowercase();
        self.frame(&format!(
            "{{\"stream\":\"{stream}@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161255208,\
             \"s\":\"{symbol}\",\"U\":{first},\"u\":{last},\"b\":[{bids}],\"a\":[{asks}]}}}}"
        ))
    }

    fn answer(&mut self, request: RequestId, status: u16, body: &str) -> Vec<Action> {
        self.feed.on_http(
            request,
            status,
            body.as_bytes(),
            self.at(),
            &mut self.events,
            &mut self.actions,
        );
        self.settle()
    }

    fn tick(&mut self, span: Nanos) -> Vec<Action> {
        self.now += span.0;
        self.feed
            .on_timer(self.at(), &mut self.events, &mut self.actions);
        self.settle()
    }

    fn trust(&self, book: usize) -> Trust {
        self.books[book].trust_at(self.at(), Nanos::from_secs(3_600))
    }

    /// Synchronises BTCUSDT at id 10, best 100.00 / 101.00.
    fn synced() -> Self {
        let mut bench = Self::spot();
        let request = request_of(&bench.diff("BTCUSDT", 9, 10, "", ""));
        bench.answer(request, 200, SNAPSHOT);
        assert_ne!(
            bench.trust(0),
            Trust::Trusted,
            "the bridging diff is missing yet"
        );
        bench.diff("BTCUSDT", 11, 12, "[\"99.00\",\"2.000\"]", "");
        assert_eq!(bench.trust(0), Trust::Trusted);
        assert_eq!(bench.books[0].ladder_id(), 12);
        bench
    }
}

const SNAPSHOT: &str =
    "{\"lastUpdateId\":10,\"bids\":[[\"100.00\",\"1.000\"]],\"asks\":[[\"101.00\",\"1.000\"]]}";

fn request_of(actions: &[Action]) -> RequestId {
    match actions {
        [Action::Http { request, .. }] => *request,
        other => panic!("expected one request, got {other:?}"),
    }
}

fn reconnect_of(actions: &[Action]) -> (ReconnectCause, Nanos) {
    match actions {
        [
            Action::Reconnect {
                channel: Channel::Market,
                cause,
                delay,
            },
        ] => (*cause, *delay),
        other => panic!("expected a reconnection, got {other:?}"),
    }
}

#[test]
fn targets_name_the_lane_and_its_streams() {
    let rows = [
        (
            Dialect::BinanceSpot,
            0,
            "/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@trade/\
             ethusdt@bookTicker/ethusdt@depth@100ms/ethusdt@trade",
        ),
        (
            Dialect::BinanceUsdm,
            0,
            "/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@trade/\
             ethusdt@bookTicker/ethusdt@depth@100ms/ethusdt@trade",
        ),
        (
            Dialect::BinanceUsdm,
            1,
            "/market/stream?streams=btcusdt@markPrice@1s/ethusdt@markPrice@1s",
        ),
    ];
    for (dialect, lane, expected) in rows {
        let bench = Bench::new(dialect, lane, FeedOptions::default());
        assert_eq!(
            bench.actions,
            [Action::Open {
                channel: Channel::Market,
                target: expected.to_owned()
            }]
        );
    }
    assert_eq!(
        (
            Feed::lanes(Dialect::BinanceSpot),
            Feed::lanes(Dialect::BinanceUsdm)
        ),
        (1, 2)
    );
    let mut no_marks = FeedOptions::default();
    no_marks.streams.marks = false;
    assert!(
        Bench::new(Dialect::BinanceUsdm, 1, no_marks)
            .actions
            .is_empty(),
        "nothing wanted, nothing asked"
    );
}

#[test]
fn subscriptions_by_message_are_acknowledged_or_given_up() {
    let options = FeedOptions {
        subscribe_by: SubscribeBy::Message,
        ..FeedOptions::default()
    };
    let mut bench = Bench::new(Dialect::BinanceSpot, 0, options);
    assert_eq!(
        bench.settle(),
        [Action::Open {
            channel: Channel::Market,
            target: "/stream".to_owned()
        }]
    );
    let sent = bench.open();
    let [Action::Send { text, .. }] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert!(
        text.contains("\"SUBSCRIBE\"")
            && text.contains("ethusdt@depth@100ms")
            && text.contains("\"id\":0")
    );
    assert!(bench.frame("{\"result\":null,\"id\":0}").is_empty());
    assert!(bench.tick(Nanos::from_secs(11)).is_empty());
    let cause = reconnect_of(&bench.frame("{\"error\":{\"code\":2,\"msg\":\"no\"},\"id\":1}")).0;
    assert_eq!(cause, ReconnectCause::Subscription);
    bench.open();
    assert_eq!(
        reconnect_of(&bench.tick(Nanos::from_secs(11))).0,
        ReconnectCause::Subscription
    );
    assert_eq!(bench.feed.counters().ignored, 2);
}

#[test]
fn a_book_is_built_and_followed() {
    let mut bench = Bench::synced();
    assert_eq!(bench.books[0].top().unwrap().bid.price, Price(10_000));
    bench.diff(
        "BTCUSDT",
        13,
        15,
        "",
        "[\"101.00\",\"0.000\"],[\"102.00\",\"3.000\"]",
    );
    assert_eq!(
        bench.books[0].ladder_best(Side::Sell).unwrap().price,
        Price(10_200)
    );
    // A diff without levels moves the id, or the next quote would seem newer than the book.
    bench.diff("BTCUSDT", 16, 20, "", "");
    assert_eq!(bench.books[0].ladder_id(), 20);
    bench.diff("BTCUSDT", 13, 15, "[\"100.00\",\"0.000\"]", "");
    assert_eq!(bench.books[0].ladder_id(), 20, "old news");
    assert_eq!(bench.trust(0), Trust::Trusted);
    let counters = bench.feed.counters();
    assert_eq!(
        (
            counters.syncs,
            counters.gaps,
            counters.snapshots,
            counters.of_kind(FrameKind::Depth)
        ),
        (1, 0, 1, 5)
    );
}

#[test]
fn a_gap_distrusts_and_rebuilds() {
    let mut bench = Bench::synced();
    bench.now += 20 * SECOND;
    let request = request_of(&bench.diff("BTCUSDT", 14, 15, "", ""));
    assert_eq!(
        (bench.trust(0), bench.feed.counters().gaps),
        (Trust::Bad, 1)
    );
    bench.diff("BTCUSDT", 16, 16, "[\"99.50\",\"1.000\"]", "");
    assert_eq!(bench.trust(0), Trust::Bad, "no healing without a snapshot");
    let snapshot = SNAPSHOT.replace(":10,", ":15,");
    bench.answer(request, 200, &snapshot);
    assert_eq!(
        (bench.trust(0), bench.books[0].ladder_id()),
        (Trust::Trusted, 16)
    );
    assert_eq!(bench.books[0].level_count(Side::Buy), 2);
}

#[test]
fn failed_and_old_snapshots_are_asked_again_later() {
    let mut bench = Bench::spot();
    let mut request = request_of(&bench.diff("BTCUSDT", 20, 21, "", ""));
    for (status, body) in [
        (0, ""),
        (500, "x"),
        (200, "{\"code\":-1121}"),
        (200, "<html>"),
        (200, SNAPSHOT),
    ] {
        assert!(
            bench.answer(request, status, body).is_empty(),
            "not at once"
        );
        let mut waited = 0;
        request = loop {
            let actions = bench.tick(Nanos::from_millis(100));
            waited += 1;
            if !actions.is_empty() {
                break request_of(&actions);
            }
            assert!(waited < 100, "asked again within ten seconds");
        };
        assert_ne!(bench.trust(0), Trust::Trusted);
    }
    assert_eq!(
        (
            bench.feed.counters().snapshots_failed,
            bench.feed.counters().snapshots_too_old
        ),
        (4, 1)
    );
    bench.answer(request, 200, &SNAPSHOT.replace(":10,", ":20,"));
    assert_eq!(bench.trust(0), Trust::Trusted);
    // A request without any answer is given up, too.
    bench.now += 60 * SECOND;
    let unanswered = request_of(&bench.diff("ETHUSDT", 5, 6, "", ""));
    bench.tick(Nanos::from_secs(11));
    let again = request_of(&bench.tick(Nanos::from_secs(2)));
    assert_ne!(again, unanswered);
    assert!(bench.answer(unanswered, 200, SNAPSHOT).is_empty());
    assert_eq!(
        bench.feed.counters().snapshots,
        2,
        "late answers are dropped"
    );
}

#[test]
fn silence_of_one_book_is_suspect_and_heals() {
    let mut bench = Bench::synced();
    let quote = |symbol: &str, id: u64| {
        format!(
            "{{\"stream\":\"x@bookTicker\",\"data\":{{\"u\":{id},\"s\":\"{symbol}\",\"b\":\"100.00\",\
             \"B\":\"1.000\",\"a\":\"101.00\",\"A\":\"1.000\"}}}}"
        )
    };
    for _ in 0..6 {
        bench.now += SECOND;
        bench.frame(&quote("ETHUSDT", 1));
        bench.tick(Nanos::ZERO);
    }
    assert_eq!(
        (bench.trust(0), bench.feed.counters().stale),
        (Trust::Suspect, 1)
    );
    bench.frame(&quote("BTCUSDT", 12));
    assert_eq!(bench.trust(0), Trust::Trusted);
}

#[test]
fn a_silent_connection_is_replaced() {
    let mut bench = Bench::synced();
    bench.tick(Nanos::from_secs(30));
    bench.feed.on_ping(bench.at());
    assert!(bench.tick(Nanos::from_secs(59)).is_empty());
    assert_eq!(
        reconnect_of(&bench.tick(Nanos::from_secs(1))).0,
        ReconnectCause::Silence
    );
    assert_eq!(bench.trust(0), Trust::Bad);
    assert!(
        bench.tick(Nanos::from_secs(100)).is_empty(),
        "closed: nothing to time"
    );
}

#[test]
fn connections_rotate_in_time_and_on_request() {
    let mut bench = Bench::synced();
    let mut hours = 0;
    let (cause, delay) = loop {
        bench.now += 600 * SECOND;
        bench.feed.on_ping(bench.at());
        let actions = bench.tick(Nanos::ZERO);
        hours += 1;
        if !actions.is_empty() {
            break reconnect_of(&actions);
        }
    };
    assert_eq!((cause, delay), (ReconnectCause::Rotation, Nanos::ZERO));
    assert!((135..=138).contains(&hours), "{hours} sixths of an hour");
    bench.open();
    bench.now += 20 * SECOND;
    let shutdown =
        "{\"stream\":\"!serverShutdown\",\"data\":{\"e\":\"serverShutdown\",\"E\":1723161255208}}";
    assert_eq!(
        reconnect_of(&bench.frame(shutdown)),
        (ReconnectCause::ServerShutdown, Nanos::ZERO)
    );
    bench.open();
    let (_, delay) = reconnect_of(&bench.frame("{\"e\":\"serverShutdown\",\"E\":1}"));
    assert!(delay > Nanos::ZERO, "not in a spin");
}

#[test]
fn lost_connections_are_retried_ever_slower() {
    let mut bench = Bench::synced();
    let mut last = Nanos::ZERO;
    for attempt in 0..12 {
        bench
            .feed
            .on_closed(bench.at(), &mut bench.events, &mut bench.actions);
        let (cause, delay) = reconnect_of(&bench.settle());
        assert_eq!(cause, ReconnectCause::Lost);
        assert!(
            delay.0 * 4 >= last.0 && delay <= Nanos::from_secs(30),
            "attempt {attempt}: {delay:?} after {last:?}"
        );
        last = delay;
    }
    assert!(last >= Nanos::from_secs(15));
    assert_eq!(bench.trust(0), Trust::Bad);
    bench.open();
    bench.tick(Nanos::from_secs(4));
    bench.now += 61 * SECOND;
    bench
        .feed
        .on_closed(bench.at(), &mut bench.events, &mut bench.actions);
    assert!(
        reconnect_of(&bench.settle()).1 <= Nanos::from_millis(250),
        "it stood long"
    );
}

#[test]
fn malformed_frames_cost_the_books_they_may_concern() {
    let mut bench = Bench::synced();
    bench.frame("{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\"}}");
    bench.frame("{\"stream\":\"ethusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\"}}");
    assert_eq!(
        (bench.trust(0), bench.trust(1)),
        (Trust::Trusted, Trust::Bad)
    );
    bench.diff("BTCUSDT", 13, 13, "[\"-1\",\"1.000\"]", "");
    assert_eq!(bench.trust(0), Trust::Bad);
    let mut other = Bench::synced();
    other.frame("\u{feff}{}");
    assert_eq!(other.trust(0), Trust::Bad, "it may have been anything");
    let kinds: Vec<_> = bench.feed.counters().malformed_kinds().collect();
    assert_eq!(kinds, [("missing_field", 2), ("sign", 1)]);
}

#[test]
fn hostile_frames_end_the_connection() {
    let mut bench = Bench::synced();
    for count in 0..60 {
        assert!(bench.frame("[").is_empty(), "{count}");
    }
    assert_eq!(
        reconnect_of(&bench.frame("[")).0,
        ReconnectCause::HostileFrames
    );
    let mut large = Bench::synced();
    let frame = "x".repeat(10 << 20);
    assert_eq!(
        reconnect_of(&large.frame(&frame)).0,
        ReconnectCause::HostileFrames
    );
    let mut slow = Bench::synced();
    for _ in 0..200 {
        assert!(slow.frame("[").is_empty());
        slow.feed.on_ping(slow.at());
        slow.now += 2 * SECOND;
    }
}

#[test]
fn marks_on_their_own_lane_do_not_heal_a_book() {
    let mut bench = Bench::new(Dialect::BinanceUsdm, 1, FeedOptions::default());
    bench.settle();
    bench.open();
    let mark = "{\"stream\":\"btcusdt@markPrice@1s\",\"data\":{\"e\":\"markPriceUpdate\",\"E\":1723161255000,\
        \"s\":\"BTCUSDT\",\"p\":\"61800.12999999\",\"i\":\"61801.0\",\"P\":\"1\",\"r\":\"-0.00010000\",\"T\":1723190400000}}";
    let time = UnixNanos::from_millis(1_723_161_255_007);
    let outcome = bench.feed.on_frame(
        mark.as_bytes(),
        bench.at(),
        time,
        &mut bench.events,
        &mut bench.actions,
    );
    assert_eq!(outcome.delay_nanos, Some(7_000_000));
    assert_eq!(bench.events.len(), 1);
    assert!(!bench.events[0].ends_batch());
    bench.settle();
    assert_eq!(bench.books[0].venue_mark(), Some(Price(6_180_012)));
    bench.frame("[");
    bench.tick(Nanos::from_secs(20));
    assert!(
        bench.events.is_empty() && bench.trust(0) == Trust::Building,
        "it says nothing about books"
    );
}

#[test]
fn lagging_messages_leave_the_book_suspect() {
    let options = FeedOptions {
        delay_max: Some(Nanos::from_millis(500)),
        ..FeedOptions::default()
    };
    let mut bench = Bench::new(Dialect::BinanceSpot, 0, options);
    bench.settle();
    bench.open();
    let request = request_of(&bench.diff("BTCUSDT", 9, 11, "", ""));
    bench.answer(request, 200, SNAPSHOT);
    assert_eq!(bench.trust(0), Trust::Trusted);
    let trade = |millis: u64| {
        format!(
            "{{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",\"E\":{millis},\"s\":\"BTCUSDT\",\"t\":1,\
             \"p\":\"100.00\",\"q\":\"1.000\",\"T\":1,\"m\":true}}}}"
        )
    };
    bench.frame(&trade(1_723_161_254_000));
    assert_eq!(
        (bench.trust(0), bench.feed.counters().late),
        (Trust::Suspect, 1)
    );
    bench.frame(&trade(1_723_161_254_900));
    assert_eq!(bench.trust(0), Trust::Trusted);
    assert_eq!(
        bench.feed.counters().negative_delays,
        1,
        "the diff's clock ran ahead"
    );
}

#[test]
fn a_lost_ring_rebuilds_every_book() {
    let mut bench = Bench::synced();
    bench.now += 20 * SECOND;
    bench
        .feed
        .resync(bench.at(), &mut bench.events, &mut bench.actions);
    assert!(bench.settle().is_empty());
    assert_eq!((bench.trust(0), bench.feed.live_books()), (Trust::Bad, 0));
    let request = request_of(&bench.diff("BTCUSDT", 13, 15, "", ""));
    bench.answer(request, 200, &SNAPSHOT.replace(":10,", ":14,"));
    assert_eq!(
        (bench.trust(0), bench.feed.live_books()),
        (Trust::Trusted, 1)
    );
}
