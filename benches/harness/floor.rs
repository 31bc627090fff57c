//! The floor of target A: what the work costs when written by hand for two known recordings and nothing else.
//!
//! Field orders are taken for granted, numbers are not checked, books are flat arrays indexed by tick: no product could
//! use it, but nothing that does this work on one thread is much faster.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a floor"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a floor"
)]

use super::mix;
use super::recorded::Line;

/// Ticks of a flat side: prices up to 83,886.08 in cents.
const FLAT_TICKS: usize = 1 << 23;

struct Flat {
    qty: Vec<i64>,
    best: usize,
    is_bid: bool,
}

impl Flat {
    fn new(is_bid: bool) -> Self {
        Self {
            qty: vec![0; FLAT_TICKS],
            best: if is_bid { 0 } else { FLAT_TICKS - 1 },
            is_bid,
        }
    }

    #[inline]
    fn set(&mut self, price: i64, qty: i64) {
        let at = price as usize;
        if at >= FLAT_TICKS {
            return;
        }
        self.qty[at] = qty;
        if self.is_bid {
            if qty > 0 {
                self.best = self.best.max(at);
            } else if at == self.best {
                while self.best > 0 && self.qty[self.best] == 0 {
                    self.best -= 1;
                }
            }
        } else if qty > 0 {
            self.best = self.best.min(at);
        } else if at == self.best {
            while self.best < FLAT_TICKS - 1 && self.qty[self.best] == 0 {
                self.best += 1;
            }
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    #[inline]
    fn integer(&mut self) -> u64 {
        let mut value = 0_u64;
        loop {
            let digit = self.bytes[self.at].wrapping_sub(b'0');
            if digit > 9 {
                return value;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
    }

    /// A decimal in steps of `10^-decimals`; leaves the cursor behind its closing quote.
    #[inline]
    fn decimal(&mut self, decimals: usize) -> i64 {
        let mut value = self.integer() as i64;
        let mut left = decimals;
        if self.bytes[self.at] == b'.' {
            self.at += 1;
            while left > 0 {
                let digit = self.bytes[self.at].wrapping_sub(b'0');
                if digit > 9 {
                    break;
                }
                value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
                self.at += 1;
                left -= 1;
            }
            while self.bytes[self.at] != b'"' {
                self.at += 1;
            }
        }
        self.at += 1;
        const POWERS: [i64; 9] = [
            1,
            10,
            100,
            1_000,
            10_000,
            100_000,
            1_000_000,
            10_000_000,
            100_000_000,
        ];
        value.wrapping_mul(POWERS[left])
    }

    /// Levels from behind `[`, to behind the closing `]`.
    #[inline]
    fn levels(&mut self, side: &mut Flat) {
        if self.bytes[self.at] == b']' {
            self.at += 1;
            return;
        }
        loop {
            self.at += 2;
            let price = self.decimal(2);
            self.at += 2;
            let qty = self.decimal(8);
            side.set(price, qty);
            self.at += 1;
            let next = self.bytes[self.at];
            self.at += 1;
            if next == b']' {
                return;
            }
        }
    }
}

/// What both the floor and ours must come to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Quotes of the first that sold into the second's ask at 5 bps or more.
    pub opportunities: u64,
    /// Best levels of both books at the end, and the trades.
    pub hash: u64,
}

struct Venue {
    bids: Flat,
    asks: Flat,
    id: u64,
    quote: (i64, i64),
}

/// Plays merged lines of a spot (0) and a USD-M (1) recording of one pair.
pub struct Floor {
    venues: [Venue; 2],
}

impl Floor {
    pub fn new() -> Self {
        Self {
            venues: [(); 2].map(|()| Venue {
                bids: Flat::new(true),
                asks: Flat::new(false),
                id: 0,
                quote: (0, 0),
            }),
        }
    }

    /// Brings the books to the snapshots, as if those had come first.
    pub fn reset(&mut self, lines: &[Line]) {
        for venue in &mut self.venues {
            for side in [&mut venue.bids, &mut venue.asks] {
                side.qty.fill(0);
            }
            venue.bids.best = 0;
            venue.asks.best = FLAT_TICKS - 1;
            venue.quote = (0, 0);
        }
        for line in lines {
            if line.bytes.starts_with(b"{\"lastUpdateId\"") {
                let venue = &mut self.venues[line.source];
                let mut scan = Scan {
                    bytes: &line.bytes,
                    at: b"{\"lastUpdateId\":".len(),
                };
                venue.id = scan.integer();
                let text = String::from_utf8_lossy(&line.bytes);
                scan.at = text.find("\"bids\":[").unwrap() + 8;
                scan.levels(&mut venue.bids);
                scan.at = text.find("\"asks\":[").unwrap() + 8;
                scan.levels(&mut venue.asks);
            }
        }
    }

    /// Every message once.
    pub fn play(&mut self, lines: &[Line]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut trades = 0;
        for line in lines {
            let bytes = line.bytes.as_slice();
            // `{"stream":"btcusdt@` is 19 bytes for both pairs.
            if bytes[10] != b'"' {
                continue;
            }
            let venue = &mut self.venues[line.source];
            let mut scan = Scan { bytes, at: 0 };
            match bytes[19] {
                b'b' => {
                    scan.at = if line.source == 0 { 43 } else { 60 };
                    let _id = scan.integer();
                    // `,"s":"BTCUSDT","b":"`
                    scan.at += 20;
                    let bid = scan.decimal(2);
                    scan.at += 6;
                    let bid_qty = scan.decimal(8);
                    scan.at += 6;
                    let ask = scan.decimal(2);
                    scan.at += 6;
                    let ask_qty = scan.decimal(8);
                    std::hint::black_box((bid_qty, ask_qty));
                    venue.quote = (bid, ask);
                    let ask = self.venues[1].quote.1;
                    outcome.opportunities +=
                        u64::from(ask > 0 && self.venues[0].quote.0 * 10_000 >= ask * 10_005);
                }
                b'd' => {
                    let find = |from: usize, key: &[u8]| -> usize {
                        let mut at = from;
                        while !bytes[at..].starts_with(key) {
                            at += 1;
                        }
                        at + key.len()
                    };
                    scan.at = find(80, b"\"U\":");
                    let _first = scan.integer();
                    scan.at += 5;
                    let last = scan.integer();
                    if last > venue.id {
                        venue.id = last;
                        scan.at = find(scan.at, b"\"b\":[");
                        scan.levels(&mut venue.bids);
                        scan.at += 6;
                        scan.levels(&mut venue.asks);
                    }
                }
                b't' => {
                    let mut at = 60;
                    while !(bytes[at] == b'"' && bytes[at + 1] == b't' && bytes[at + 2] == b'"') {
                        at += 1;
                    }
                    scan.at = at + 4;
                    let id = scan.integer();
                    scan.at += 6;
                    let price = scan.decimal(2);
                    scan.at += 6;
                    let qty = scan.decimal(8);
                    trades = mix(mix(mix(trades, id), price as u64), qty as u64);
                }
                _ => {}
            }
        }
        outcome.hash = trades;
        for venue in &self.venues {
            for side in [&venue.bids, &venue.asks] {
                outcome.hash = mix(
                    mix(outcome.hash, side.best as u64),
                    side.qty[side.best] as u64,
                );
            }
        }
        outcome
    }
}
