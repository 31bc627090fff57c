//! What a book costs: our ladder against a `BTreeMap` and a sorted vector, on recorded depth messages and on the
//! model's; how the cost grows with the number of instruments (target J) and what they take in memory (target K).
#![allow(missing_docs, clippy::allow_attributes, reason = "a bench")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench"
)]
#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a bench"
)]
#![allow(
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::integer_division,
    reason = "a bench"
)]

mod harness;
#[path = "../tests/support/wide_market.rs"]
mod wide_market;

use std::collections::BTreeMap;

use arbalest::market::book::Ladder;
use arbalest::market::event::{END_OF_BATCH, EventKind, MarketEvent};
use arbalest::market::{Book, InstrumentId};
use arbalest::prng::Prng;
use arbalest::units::{MonoNanos, Price, Qty, Side};
use harness::recorded::{self, DepthMessage, Source};
use harness::{Group, mix, size};

fn main() {
    // First, while the process is small.
    memory();
    match recorded::data_dir() {
        Some(_) => {
            for source in Source::ALL {
                let (grid, tick) = source.grid();
                let mut messages = recorded::depth_messages(source, grid);
                if !harness::is_large() {
                    messages.truncate(60);
                }
                compare(source.label(), &messages, tick);
            }
        }
        None => println!("no recordings (ARBALEST_DATA): modelled depth only"),
    }
    compare("modelled near the touch", &modelled(40), 1);
    compare("modelled wide", &modelled(4_000), 1);
    growth();
    engine_growth();
}

/// A walk of the touch with changes around it: `spread` is the scale of their distance in ticks.
fn modelled(spread: i64) -> Vec<DepthMessage> {
    let mut prng = Prng::new(11);
    let mut centre = 6_000_000;
    (0..size(200, 4_000))
        .map(|_| {
            centre += prng.between(-3, 3);
            let side_of = |prng: &mut Prng, sign: i64| {
                (0..30)
                    .map(|_| {
                        let distance = prng
                            .between(1, spread)
                            .min(prng.between(1, spread))
                            .min(prng.between(1, spread));
                        let qty = if prng.chance_ppm(350_000) {
                            0
                        } else {
                            prng.between(1, 1_000_000)
                        };
                        (Price(centre + sign * distance), Qty(qty))
                    })
                    .collect::<Vec<_>>()
            };
            DepthMessage {
                bids: side_of(&mut prng, -1),
                asks: side_of(&mut prng, 1),
            }
        })
        .collect()
}

/// One structure holding one side.
trait SideBook {
    fn new(side: Side, tick: i64) -> Self;
    fn set(&mut self, price: Price, qty: Qty);
    fn best(&self) -> Option<(i64, i64)>;
    fn len(&self) -> usize;
}

struct Map(Side, BTreeMap<i64, i64>);

impl SideBook for Map {
    fn new(side: Side, _tick: i64) -> Self {
        Self(side, BTreeMap::new())
    }
    fn set(&mut self, price: Price, qty: Qty) {
        if qty.0 > 0 {
            self.1.insert(price.0, qty.0);
        } else {
            self.1.remove(&price.0);
        }
    }
    fn best(&self) -> Option<(i64, i64)> {
        match self.0 {
            Side::Buy => self.1.last_key_value(),
            Side::Sell => self.1.first_key_value(),
        }
        .map(|(price, qty)| (*price, *qty))
    }
    fn len(&self) -> usize {
        self.1.len()
    }
}

/// Sorted with the best at the end, where changes are cheap.
struct Sorted(Side, Vec<(i64, i64)>);

impl SideBook for Sorted {
    fn new(side: Side, _tick: i64) -> Self {
        Self(side, Vec::new())
    }
    fn set(&mut self, price: Price, qty: Qty) {
        let sign = if self.0 == Side::Buy { 1 } else { -1 };
        match (
            self.1
                .binary_search_by_key(&(price.0 * sign), |level| level.0 * sign),
            qty.0 > 0,
        ) {
            (Ok(index), true) => self.1[index].1 = qty.0,
            (Ok(index), false) => {
                self.1.remove(index);
            }
            (Err(index), true) => self.1.insert(index, (price.0, qty.0)),
            (Err(_), false) => {}
        }
    }
    fn best(&self) -> Option<(i64, i64)> {
        self.1.last().copied()
    }
    fn len(&self) -> usize {
        self.1.len()
    }
}

impl SideBook for Ladder {
    fn new(side: Side, tick: i64) -> Self {
        Self::new(side, Price(tick))
    }
    fn set(&mut self, price: Price, qty: Qty) {
        Self::set(self, price, qty);
    }
    fn best(&self) -> Option<(i64, i64)> {
        Self::best(self).map(|level| (level.price.0, level.qty.0))
    }
    fn len(&self) -> usize {
        Self::len(self)
    }
}

fn play<S: SideBook>(messages: &[DepthMessage], tick: i64) -> u64 {
    let (mut bids, mut asks) = (S::new(Side::Buy, tick), S::new(Side::Sell, tick));
    let mut hash = 0;
    for message in messages {
        for (price, qty) in &message.bids {
            bids.set(*price, *qty);
        }
        for (price, qty) in &message.asks {
            asks.set(*price, *qty);
        }
        for (price, qty) in [bids.best(), asks.best()].into_iter().flatten() {
            hash = mix(mix(hash, price as u64), qty as u64);
        }
    }
    mix(mix(hash, bids.len() as u64), asks.len() as u64)
}

fn compare(name: &str, messages: &[DepthMessage], tick: i64) {
    let levels: usize = messages
        .iter()
        .map(|message| message.bids.len() + message.asks.len())
        .sum();
    let mut group = Group::new(&format!(
        "{name}: both sides, {} messages, {levels} levels, best after each",
        messages.len()
    ));
    group.case("ladder (ours)", levels, || play::<Ladder>(messages, tick));
    group.case("BTreeMap", levels, || play::<Map>(messages, tick));
    group.case("sorted Vec", levels, || play::<Sorted>(messages, tick));
    group.run_agreeing();
}

fn event(instrument: usize, kind: EventKind, at: u64) -> MarketEvent {
    MarketEvent {
        received_at: MonoNanos(at),
        kind,
        decode_nanos: 0,
        instrument: InstrumentId(u16::try_from(instrument).unwrap()),
        flags: END_OF_BATCH,
    }
}

/// Books of fifty levels a side, one tick apart.
fn books(count: usize) -> Vec<Book> {
    (0..count)
        .map(|instrument| {
            let mut book = Book::new(Price(1));
            book.apply(&event(instrument, EventKind::Clear, 1));
            for distance in 1..=50 {
                for (side, sign) in [(Side::Buy, -1), (Side::Sell, 1)] {
                    let kind = EventKind::Level {
                        side,
                        price: Price(100_000 + sign * distance),
                        qty: Qty(500),
                        update_id: 1,
                    };
                    book.apply(&event(instrument, kind, 1));
                }
            }
            book.apply(&event(instrument, EventKind::Synced { update_id: 1 }, 1));
            book.finish_batch(MonoNanos(1), true);
            book
        })
        .collect()
}

/// The same updates over ever more instruments: 5 venues x 10, 100, 1,000, 10,000 symbols.
fn growth() {
    let updates = size(2_000, 1_000_000);
    for (title, is_even, depth_share) in [
        ("quotes, each instrument equally often", true, usize::MAX),
        ("quotes, busy ones more often (1/rank)", false, usize::MAX),
        (
            "4 quotes to 1 depth change, busy ones more often (1/rank)",
            false,
            5,
        ),
    ] {
        let mut group = Group::new(&format!("J. growth of the book alone: {title}"));
        for symbols in [10, 100, 1_000, size(1_000, 10_000)] {
            let count = 5 * symbols;
            let mut prng = Prng::new(5);
            let order: Vec<u16> = (0..updates)
                .map(|_| {
                    let rank = if is_even {
                        prng.between(0, count as i64 - 1)
                    } else {
                        // exp(uniform * ln(count)) has density 1/rank.
                        let uniform = prng.between(0, 1 << 30) as f64 / (1_u64 << 30) as f64;
                        ((count as f64).powf(uniform) as i64).min(count as i64) - 1
                    };
                    // Ranks are scattered over the ids.
                    ((rank as u64 * 7_919) % count as u64) as u16
                })
                .collect();
            let mut held = books(count);
            let mut id = 1_u64;
            group.case(&format!("5 x {symbols}"), updates, move || {
                let mut bad = 0;
                for (index, instrument) in order.iter().enumerate() {
                    id += 1;
                    let shift = (index % 3) as i64;
                    let kind = if index % depth_share == depth_share - 1 {
                        EventKind::Level {
                            side: Side::Buy,
                            price: Price(99_990 - shift),
                            qty: Qty(1 + shift),
                            update_id: id,
                        }
                    } else {
                        EventKind::Quote {
                            bid_price: Price(99_999),
                            bid_qty: Qty(1 + shift),
                            ask_price: Price(100_001),
                            ask_qty: Qty(2 + shift),
                            update_id: id,
                        }
                    };
                    let instrument = usize::from(*instrument);
                    let book = &mut held[instrument];
                    book.apply(&event(instrument, kind, id));
                    book.finish_batch(MonoNanos(id), true);
                    bad += u64::from(book.top().is_none_or(|top| top.bid.price != Price(99_999)));
                }
                bad
            });
        }
        group.run_agreeing();
    }
}

/// The same quotes through the whole signal seat (book, gate's marks, strategies, opportunity ledger), `cross_exchange` on
/// sixteen of the symbols.
fn engine_growth() {
    let updates = size(2_000, 1_000_000);
    for (title, is_even) in [
        ("each instrument equally often", true),
        ("busy ones more often (1/rank)", false),
    ] {
        let mut group = Group::new(&format!("J. growth of the signal seat: quotes, {title}"));
        for symbols in [10, 100, size(100, 1_000), size(100, 10_000)] {
            let count = wide_market::VENUES * symbols;
            let mut prng = Prng::new(5);
            let order: Vec<usize> = (0..updates)
                .map(|_| {
                    let rank = if is_even {
                        prng.between(0, count as i64 - 1)
                    } else {
                        let uniform = prng.between(0, 1 << 30) as f64 / (1_u64 << 30) as f64;
                        ((count as f64).powf(uniform) as i64).min(count as i64) - 1
                    };
                    (rank as u64 * 7_919 % count as u64) as usize
                })
                .collect();
            let mut hot = wide_market::wide_hot_path(symbols);
            let mut out = arbalest::engine::HotOutput::with_capacity();
            wide_market::build_books(&mut hot, 5, &mut out);
            let mut id = 1_u64;
            group.case(&format!("5 x {symbols}"), updates, move || {
                for instrument in &order {
                    id += 1;
                    wide_market::touch(&mut hot, *instrument, id, &mut out);
                    out.marks.clear();
                }
                out.sets.len() as u64
            });
        }
        group.run_agreeing();
    }
}

/// Resident memory of 5 venues x 1,000 symbols x 50 levels a side, after a while of changes.
fn memory() {
    let symbols = size(20, 1_000);
    let before = recorded::resident_bytes();
    let mut held = books(5 * symbols);
    let fresh = recorded::resident_bytes();
    let mut prng = Prng::new(3);
    let mut hash = 0;
    for round in 0..200_u64 {
        for (instrument, book) in held.iter_mut().enumerate() {
            let side = if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            };
            let sign = if side == Side::Buy { -1 } else { 1 };
            let price = Price(100_000 + sign * prng.between(1, 50));
            let qty = Qty(prng.between(1, 1_000));
            book.apply(&event(
                instrument,
                EventKind::Level {
                    side,
                    price,
                    qty,
                    update_id: 2 + round,
                },
                2 + round,
            ));
            book.finish_batch(MonoNanos(2 + round), true);
            hash = mix(hash, book.top().unwrap().bid.qty.0 as u64);
        }
    }
    let after = recorded::resident_bytes();
    println!(
        "\n## K. memory: 5 venues x {symbols} symbols x 50 levels a side ({} bytes a Book itself)",
        size_of::<Book>()
    );
    println!(
        "before {} KiB, built {} KiB, after 200 changes a book {} KiB: books take {} KiB; hash {hash:016x}",
        before / 1_024,
        fresh / 1_024,
        after / 1_024,
        after.saturating_sub(before) / 1_024
    );
    assert!(
        after.saturating_sub(before) < 200 << 20,
        "Target K: at most 200 MB"
    );
}
