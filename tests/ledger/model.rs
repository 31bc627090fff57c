//! The ledger against an independent model on exact fractions: 100,000 random sequences of adds, reduces and flips, spot, linear
//! and inverse, fees in three kinds and unknown, funding, busts, duplicates and late trades.
//!
//! What must be equal: quantity, cash, fees, stocks, and the total `realized + unrealized == cash + value`, all exactly. The
//! split between realized and cost may differ from the ideal average by what RISK.md 3.1 rounds: half of 10^-8 a partial
//! close, of which every later partial close keeps its share, and nothing once flat. The model carries that bound as a fraction.

use std::collections::BTreeMap;

use arbalest::ledger::{Bust, Fee, FeeRate, Pair, Payment, PositionBook, Trade};
use arbalest::market::{Contract, InstrumentKind};
use arbalest::prng::Prng;
use arbalest::units::Side;
use num_bigint::BigInt;
use num_rational::BigRational;
use rust_decimal::Decimal;

use super::{asset, below, decimal};

const SEQUENCES: u64 = 100_000;
const THREADS: usize = 4;

type Ratio = BigRational;

fn whole(value: i128) -> Ratio {
    Ratio::from_integer(BigInt::from(value))
}

fn ratio(value: Decimal) -> Ratio {
    Ratio::new(
        BigInt::from(value.mantissa()),
        BigInt::from(10).pow(value.scale()),
    )
}

fn sign(value: &Ratio) -> i8 {
    match value.cmp(&whole(0)) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }
}

fn magnitude(value: &Ratio) -> Ratio {
    if sign(value) < 0 {
        -value
    } else {
        value.clone()
    }
}

/// Half to even at so many decimals, by counting halves.
fn rounded(value: &Ratio, decimals: u32) -> Ratio {
    let unit = Ratio::from_integer(BigInt::from(10).pow(decimals));
    let scaled = value * &unit;
    let down = scaled.floor();
    let half = Ratio::new(BigInt::from(1), BigInt::from(2));
    let rest = &scaled - &down;
    let is_odd = (down.numer() % BigInt::from(2)) != BigInt::from(0);
    let up = rest > half || (rest == half && is_odd);
    (down + whole(i128::from(up))) / unit
}

/// Half a unit of the last place.
fn half_unit(decimals: u32) -> Ratio {
    Ratio::new(
        BigInt::from(1),
        BigInt::from(2) * BigInt::from(10).pow(decimals),
    )
}

/// The ideal position: costs are never rounded.
#[derive(Clone)]
struct Model {
    contract: Contract,
    qty: Ratio,
    cost: Ratio,
    cash: Ratio,
    /// How far the ledger's cost may be from `cost`.
    bound: Ratio,
    fees: BTreeMap<&'static str, Ratio>,
    /// Quantity and cost by asset.
    stocks: BTreeMap<&'static str, (Ratio, Ratio)>,
    unknown: u64,
    unpriced: u64,
}

impl Model {
    fn new(contract: Contract) -> Self {
        let zero = || whole(0);
        Self {
            contract,
            qty: zero(),
            cost: zero(),
            cash: zero(),
            bound: zero(),
            fees: BTreeMap::new(),
            stocks: BTreeMap::new(),
            unknown: 0,
            unpriced: 0,
        }
    }

    fn is_inverse(&self) -> bool {
        self.contract.kind == InstrumentKind::InversePerpetual
    }

    /// Signed value of a quantity at a price.
    fn value(&self, qty: &Ratio, price: &Ratio) -> Ratio {
        let size = qty * ratio(self.contract.multiplier);
        if self.is_inverse() {
            rounded(&(-size / price), 18)
        } else {
            size * price
        }
    }

    /// Adds, reduces or flips by the ideal average.
    fn shift(&mut self, delta: &Ratio, value: &Ratio) {
        if sign(&self.qty) * sign(delta) >= 0 {
            self.qty += delta;
            self.cost += value;
            return;
        }
        let open = magnitude(&self.qty);
        let size = magnitude(delta);
        if size >= open {
            // Closed: the ledger's cost is exactly zero. What opens costs its share of the value.
            self.cost = value * (&size - &open) / &size;
            let flips_inverse = self.is_inverse() && size > open;
            self.bound = if flips_inverse {
                half_unit(18)
            } else {
                whole(0)
            };
        } else {
            let left = (&open - &size) / &open;
            self.cost *= &left;
            self.bound = &self.bound * &left + half_unit(8);
        }
        self.qty += delta;
    }

    fn charge(&mut self, amount: &Ratio, event: &Event, in_settlement: bool) {
        if in_settlement {
            self.cash -= amount;
            return;
        }
        if sign(amount) == 0 {
            return;
        }
        let stock = self.stocks.entry(event.fee_code);
        let stock = stock.or_insert_with(|| (whole(0), whole(0)));
        stock.0 -= amount;
        match &event.rate {
            Some(rate) => stock.1 -= rounded(&(amount * ratio(*rate)), 16),
            None => self.unpriced += 1,
        }
    }

    fn book(&mut self, event: &Event) {
        let amount = ratio(event.fee);
        if event.kind == Kind::Funding {
            self.charge(&amount, event, event.fee_code == self.settlement());
            return;
        }
        let delta = ratio(event.qty);
        let value = self.value(&delta, &ratio(event.price));
        let adds = sign(&self.qty) * sign(&delta) >= 0;
        self.shift(&delta, &value);
        self.cash -= value;
        if event.kind == Kind::UnknownFee {
            self.unknown += 1;
        } else if sign(&amount) != 0 {
            *self.fees.entry(event.fee_code).or_insert_with(|| whole(0)) += &amount;
            let is_base = self.contract.kind == InstrumentKind::Spot && event.fee_code == "BTC";
            if !is_base {
                self.charge(&amount, event, event.fee_code == self.settlement());
            } else if adds && sign(&delta) > 0 && sign(&amount) > 0 && amount < delta {
                // Less was received for the whole cost (V13).
                self.qty -= amount;
            } else {
                self.shift(&-amount, &whole(0));
            }
        }
    }

    fn settlement(&self) -> &'static str {
        if self.is_inverse() { "BTC" } else { "USDT" }
    }

    /// Compares everything.
    fn check(&self, book: &PositionBook<u64>, mark: Decimal) {
        let own = book.position();
        assert_eq!(ratio(own.qty()), self.qty, "quantity");
        assert_eq!(ratio(own.cash()), self.cash, "cash");
        let stocks = own.stocks().iter();
        let stocks =
            stocks.map(|(code, own)| (code.as_str(), (ratio(own.qty.0), ratio(own.cost.0))));
        let stocks: BTreeMap<&str, (Ratio, Ratio)> = stocks.collect();
        assert_eq!(stocks, self.stocks, "stocks");
        let stock_cost: Ratio = self.stocks.values().map(|(_, cost)| cost).sum();
        let fees = own
            .fees()
            .iter()
            .map(|(asset, sum)| (asset.as_str(), ratio(sum.0)));
        let fees: BTreeMap<&str, Ratio> = fees.collect();
        assert!(
            self.fees
                .iter()
                .all(|(code, sum)| fees.get(code) == Some(sum)),
            "fees"
        );
        assert_eq!(
            (own.unknown_fee_count(), own.unpriced_fee_count()),
            (self.unknown, self.unpriced),
            "what is flagged"
        );
        // The total, exactly: the model knows cash and quantities, the ledger the split.
        let unrealized = ratio(own.unrealized_pnl(mark, self.contract).unwrap());
        let realized = ratio(own.realized_pnl());
        let value = self.value(&self.qty, &ratio(mark));
        assert_eq!(
            &realized + &unrealized - &stock_cost,
            &self.cash + &value,
            "total"
        );
        // The split, within what is rounded.
        let ideal = &self.cash + &self.cost + &stock_cost;
        assert!(magnitude(&(realized - ideal)) <= self.bound, "split");
        assert!(
            magnitude(&(ratio(own.cost()) - &self.cost)) <= self.bound,
            "cost"
        );
        assert!(
            sign(&self.qty) != 0 || own.cost().is_zero(),
            "flat without cost"
        );
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Trade,
    UnknownFee,
    Funding,
}

#[derive(Debug, Clone)]
struct Event {
    id: u64,
    kind: Kind,
    qty: Decimal,
    price: Decimal,
    fee: Decimal,
    fee_code: &'static str,
    rate: Option<Decimal>,
}

impl Event {
    fn random(prng: &mut Prng, id: u64, held: Decimal, settlement: &'static str) -> Self {
        let price = decimal(i128::from(prng.between(1, 1_000_000)), 2);
        let closes = prng.chance_ppm(150_000) && !held.is_zero();
        let side = if prng.chance_ppm(500_000) { 1 } else { -1 };
        let qty = if closes {
            -held
        } else {
            decimal(i128::from(prng.between(1, 5_000) * side), 3)
        };
        let fee_code = ["USDT", "BTC", "BNB"][below(prng, 3)];
        let kind = match prng.between(0, 19) {
            0 | 1 => Kind::Funding,
            2 => Kind::UnknownFee,
            _ => Kind::Trade,
        };
        // Only a third asset has a rate; a fee is in one of three kinds, funding in two.
        let third = if settlement == "BTC" { "USDT" } else { "BTC" };
        let fee_code = if fee_code == third && kind == Kind::Funding {
            "BNB"
        } else {
            fee_code
        };
        let has_rate = fee_code == "BNB" && prng.chance_ppm(800_000);
        let rate = decimal(i128::from(prng.between(1, 70_000_000)), 5);
        Self {
            id,
            kind,
            qty,
            price,
            fee: decimal(i128::from(prng.between(-500, 5_000)), 8),
            fee_code,
            rate: has_rate.then_some(rate),
        }
    }

    fn rate(&self) -> Option<FeeRate> {
        self.rate.map(|price| FeeRate { price, time: 1 })
    }

    fn deliver(&self, book: &mut PositionBook<u64>) {
        if self.kind == Kind::Funding {
            let payment = Payment {
                amount: self.fee,
                asset: asset(self.fee_code),
                rate: self.rate(),
            };
            book.pay(&payment, self.id).unwrap();
            return;
        }
        let trade = Trade {
            side: if self.qty > Decimal::ZERO {
                Side::Buy
            } else {
                Side::Sell
            },
            qty: self.qty.abs(),
            price: self.price,
            venue_value: None,
            fee: match self.kind {
                Kind::UnknownFee => Fee::Unknown,
                Kind::Trade | Kind::Funding => Fee::Known {
                    amount: self.fee,
                    asset: Some(asset(self.fee_code)),
                    rate: self.rate(),
                },
            },
        };
        book.apply(&trade, i64::try_from(self.id).unwrap(), self.id)
            .unwrap();
    }
}

#[derive(Default)]
struct Seen {
    fills: u64,
    partial: u64,
    flips: u64,
    busts: u64,
    late: u64,
    duplicates: u64,
    funding: u64,
    split: u64,
}

fn contract_of(seed: u64) -> Contract {
    let (kind, multiplier) = [
        (InstrumentKind::Spot, Decimal::ONE),
        (InstrumentKind::LinearPerpetual, Decimal::new(1, 2)),
        (InstrumentKind::InversePerpetual, Decimal::from(100)),
    ][usize::try_from(seed % 3).unwrap()];
    Contract { kind, multiplier }
}

/// One sequence. Half of them come in order and are compared on the way and at the end; the others come late, twice and with
/// busts, and are compared at the end with what is valid, in order.
fn sequence(seed: u64, seen: &mut Seen) {
    let mut prng = Prng::new(seed);
    let contract = contract_of(seed);
    let pair = Pair {
        base: Some(asset("BTC")),
        quote: Some(asset("USDT")),
        contract,
    };
    let mut model = Model::new(contract);
    let settlement = model.settlement();
    let mut book = PositionBook::new(pair, 1_000);
    let mark = decimal(i128::from(prng.between(1, 1_000_000)), 2);
    let orderly = seed.is_multiple_of(2);
    let mut events: Vec<Event> = Vec::new();
    for id in 0..u64::try_from(prng.between(1, 10)).unwrap() {
        let held = book.position().qty();
        // A trade that closes exactly is only exact if nothing comes between.
        let held = if orderly { held } else { Decimal::ZERO };
        let event = Event::random(&mut prng, id, held, settlement);
        let is_trade = event.kind != Kind::Funding;
        if orderly {
            let before = book.position().qty();
            event.deliver(&mut book);
            let after = book.position().qty();
            let against = before * event.qty < Decimal::ZERO && is_trade;
            seen.flips += u64::from(against && before * after < Decimal::ZERO);
            seen.partial += u64::from(against && before * after > Decimal::ZERO);
            model.book(&event);
            // The ledger itself ties realized, cost and cash after every one; the fractions look now and then, and at the end.
            if prng.chance_ppm(150_000) {
                model.check(&book, mark);
            }
        }
        seen.fills += u64::from(is_trade);
        seen.funding += u64::from(!is_trade);
        events.push(event);
    }
    if orderly {
        model.check(&book, mark);
    } else {
        let mut order: Vec<usize> = (0..events.len()).collect();
        for at in 0..order.len() {
            let other = below(&mut prng, order.len());
            order.swap(at, other);
        }
        let mut busted = Vec::new();
        for index in order {
            events[index].deliver(&mut book);
            if prng.chance_ppm(150_000) {
                let before = book.position().clone();
                events[index].deliver(&mut book);
                assert_eq!(book.position(), &before, "twice");
            }
            let victim = &events[below(&mut prng, events.len())];
            if victim.kind != Kind::Funding && prng.chance_ppm(80_000) {
                let bust = book.bust(&victim.id).unwrap();
                assert_eq!(bust == Bust::Duplicate, busted.contains(&victim.id));
                busted.push(victim.id);
            }
        }
        for event in events.iter().filter(|event| !busted.contains(&event.id)) {
            model.book(event);
        }
        model.check(&book, mark);
        seen.busts += book.bust_count();
        seen.late += book.late_count();
        seen.duplicates += book.duplicate_count();
    }
    let ideal = &model.cost - ratio(book.position().cost());
    seen.split += u64::from(sign(&ideal) != 0);
}

#[test]
fn a_hundred_thousand_sequences_agree_with_exact_fractions() {
    let parts: Vec<Seen> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut seen = Seen::default();
                    for seed in (0..SEQUENCES).skip(thread).step_by(THREADS) {
                        let run = || sequence(seed, &mut seen);
                        let run = std::panic::AssertUnwindSafe(run);
                        if let Err(cause) = std::panic::catch_unwind(run) {
                            let cause = cause.downcast_ref::<String>().cloned();
                            panic!("sequence {seed}: {}", cause.unwrap_or_default());
                        }
                    }
                    seen
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let sum = |of: fn(&Seen) -> u64| parts.iter().map(of).sum::<u64>();
    // What a run must have met to mean anything.
    for (what, count, least) in [
        ("fills", sum(|seen| seen.fills), 400_000),
        ("partial closes", sum(|seen| seen.partial), 30_000),
        ("flips", sum(|seen| seen.flips), 30_000),
        ("busts", sum(|seen| seen.busts), 10_000),
        ("late trades", sum(|seen| seen.late), 100_000),
        ("duplicates", sum(|seen| seen.duplicates), 20_000),
        ("funding payments", sum(|seen| seen.funding), 40_000),
        ("rounded splits", sum(|seen| seen.split), 10_000),
    ] {
        assert!(count >= least, "{what}: only {count}");
    }
}
