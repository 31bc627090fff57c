//! What an update costs the triangular strategy, and what it remembers, at 30, 1,000 and 10,000 cycles.
//!
//! An update costs two logs and five additions a cycle that contains the instrument: it depends on those, not on how many there
//! are. 10,000 cycles over 1,000 pairs are 30 at a pair on average; `cargo bench` also has 10,000 over as many pairs, which are
//! as few at a pair as 1,000 over 1,000. The second table changes a pair that all cycles contain, the worst that there is, and
//! counts a cycle: flat.
#![allow(missing_docs, clippy::allow_attributes, reason = "a bench")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::integer_division,
    reason = "a bench"
)]

mod harness;

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{
    Books, Catalogue, EventKind, Instrument, InstrumentId, InstrumentStatus, MarketEvent, VenueId,
};
use arbalest::strategy::{
    CommonParams, CycleChoice, FeeTaken, Inventory, SizeSearch, Strategy, Triangular,
    TriangularParams,
};
use arbalest::trade::{SendOrder, StrategyId};
use arbalest::units::{Asset, Grid, Money, MonoNanos, Nanos, Ppm, Price, Qty, Side};
use harness::{Group, is_large, mix, size};
use rust_decimal::Decimal;

const AT: MonoNanos = MonoNanos(1_000_000_000_000);

fn pair(id: usize, symbol: &str) -> Instrument {
    Instrument {
        id: InstrumentId(id as u16),
        venue: VenueId(0),
        symbol: symbol.parse().unwrap(),
        native: symbol.replace('/', ""),
        grid: Grid::new(6, 4).unwrap(),
        tick: Price(1),
        lot: Qty(1),
        qty_min: Qty(1),
        qty_max: Qty(i64::MAX),
        notional_min: Decimal::ZERO,
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: false,
        price_band: None,
    }
}

fn params(instruments: usize, legs: usize, paths: Vec<Vec<Asset>>) -> TriangularParams {
    TriangularParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "tri".to_owned(),
            min_net_edge: Ppm(600),
            max_net_edge: Ppm(10_000),
            confirm_updates: 1,
            max_book_take: Ppm(250_000),
            max_book_age: Nanos::from_secs(10),
            max_leg_skew: Nanos::from_secs(10),
            cooldown: Nanos::from_millis(250),
            max_sets_per_min: 30,
            max_open_sets: 1,
            limit_cushion: Ppm(200),
            leg_timeout: Nanos::from_millis(300),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        venue: VenueId(0),
        taker_fees: vec![Ppm(1_000); instruments],
        fee_taken: FeeTaken::FromReceived,
        start_assets: vec![Asset::new("USDT").unwrap()],
        cycles: CycleChoice::Given(paths),
        max_cycle_legs: legs,
        start_min: Money(Decimal::from(50)),
        start_max: Money(Decimal::from(500)),
        size_search: SizeSearch::Bisect,
        execution: SendOrder::Sequential,
        protective_limit: Ppm(2_000),
        asset_caps: Vec::new(),
    }
}

/// A market of `assets` coins, all with a pair to USDT and to the next `neighbours` coins, and cycles over them.
struct Market {
    books: Books,
    strategy: Triangular,
    instruments: usize,
    cycles: usize,
}

impl Market {
    /// `cycles` of three legs: USDT, a coin, one of the next coins, both ways.
    fn new(cycles: usize, instruments: usize) -> Self {
        // Each coin has one pair to USDT and one to each neighbour; each neighbour makes two cycles.
        let neighbours = cycles.div_ceil(instruments).max(2);
        let coins = instruments.div_euclid(1 + neighbours).max(neighbours + 2);
        let mut pairs = Vec::new();
        for coin in 0..coins {
            pairs.push(pair(pairs.len(), &format!("C{coin}/USDT")));
            for step in 1..=neighbours {
                let other = (coin + step) % coins;
                if coin < other || coins > 2 * neighbours {
                    pairs.push(pair(pairs.len(), &format!("C{coin}/C{other}")));
                }
            }
        }
        let code = |coin: usize| Asset::new(&format!("C{coin}")).unwrap();
        let usdt = Asset::new("USDT").unwrap();
        let mut paths = Vec::new();
        for coin in 0..coins {
            for step in 1..=neighbours {
                let other = (coin + step) % coins;
                paths.push(vec![usdt, code(coin), code(other)]);
                paths.push(vec![usdt, code(other), code(coin)]);
            }
        }
        // Longer ones, when three legs do not give as many as are wanted.
        'more: for long in 2..=neighbours {
            for coin in 0..coins {
                for middle in 1..long {
                    if paths.len() >= cycles {
                        break 'more;
                    }
                    let (one, two) = ((coin + middle) % coins, (coin + long) % coins);
                    paths.push(vec![usdt, code(coin), code(one), code(two)]);
                    paths.push(vec![usdt, code(two), code(one), code(coin)]);
                }
            }
        }
        paths.truncate(cycles);
        Self::of(pairs, paths)
    }

    /// All cycles through one hub: USDT, the hub, a coin, both ways.
    fn hub(cycles: usize) -> Self {
        let coins = cycles.div_euclid(2);
        let mut pairs = vec![pair(0, "HUB/USDT")];
        let usdt = Asset::new("USDT").unwrap();
        let hub = Asset::new("HUB").unwrap();
        let mut paths = Vec::new();
        for coin in 0..coins {
            let code = Asset::new(&format!("C{coin}")).unwrap();
            pairs.push(pair(pairs.len(), &format!("C{coin}/USDT")));
            pairs.push(pair(pairs.len(), &format!("C{coin}/HUB")));
            paths.push(vec![usdt, hub, code]);
            paths.push(vec![usdt, code, hub]);
        }
        Self::of(pairs, paths)
    }

    fn of(pairs: Vec<Instrument>, paths: Vec<Vec<Asset>>) -> Self {
        let (instruments, cycles) = (pairs.len(), paths.len());
        let catalogue = Catalogue::new(vec!["v".to_owned()], pairs).unwrap();
        let strategy = Triangular::new(params(instruments, 4, paths), &catalogue).unwrap();
        let mut market = Self {
            books: Books::new(&catalogue),
            strategy,
            instruments,
            cycles,
        };
        for id in 0..instruments {
            market.show(id as u16, 1_000_000);
            market.look(id as u16);
        }
        market
    }

    fn show(&mut self, id: u16, price: i64) {
        let book = self.books.get_mut(InstrumentId(id)).unwrap();
        let mut apply = |kind, flags| {
            book.apply(&MarketEvent {
                received_at: AT,
                kind,
                decode_nanos: 0,
                instrument: InstrumentId(id),
                flags,
            });
        };
        apply(EventKind::Clear, 0);
        for (side, price) in [(Side::Buy, price), (Side::Sell, price + 10)] {
            apply(
                EventKind::Level {
                    side,
                    price: Price(price),
                    qty: Qty(1_000_000),
                    update_id: 1,
                },
                0,
            );
        }
        apply(EventKind::Synced { update_id: 1 }, END_OF_BATCH);
        book.finish_batch(AT, true);
    }

    fn look(&mut self, id: u16) -> u64 {
        let inventory = Inventory {
            positions: &[],
            available: &[],
            size_factors: &[],
            size_factor: Ppm::ONE,
            costs: &[],
            margins: &[],
            unsettled: &[],
            venues: &[],
        };
        let before = self
            .strategy
            .counters()
            .of(arbalest::strategy::Outcome::BelowThreshold);
        self.strategy
            .on_batch(InstrumentId(id), &self.books, &inventory, AT, &mut ());
        self.strategy
            .counters()
            .of(arbalest::strategy::Outcome::BelowThreshold)
            - before
    }
}

fn main() {
    let sizes: &[usize] = &[30, 1_000, 10_000];
    println!(
        "cycles  instruments  most cycles at one instrument  bytes of the strategy  bytes a cycle"
    );
    for cycles in sizes {
        let market = Market::new(*cycles, 1_000.min(cycles * 2));
        let ids = 0..market.instruments as u16;
        let most = ids
            .map(|id| market.strategy.cycles_containing(InstrumentId(id)))
            .max();
        let bytes = market.strategy.memory_bytes();
        println!(
            "{:>6}  {:>11}  {:>29}  {:>21}  {:>13}",
            market.cycles,
            market.instruments,
            most.unwrap_or(0),
            bytes,
            bytes.div_euclid(market.cycles)
        );
    }

    let count = size(2_000, 200_000);
    let mut group = Group::new("an update of one pair in turn, by cycles in all");
    for cycles in sizes {
        let mut market = Market::new(*cycles, 1_000.min(cycles * 2));
        let instruments = market.instruments;
        let name = format!("{cycles} cycles, {instruments} pairs");
        group.case(&name, count, move || {
            (0..count).fold(0, |hash, step| {
                let id = (step * 7 % instruments) as u16;
                mix(hash, market.look(id))
            })
        });
    }
    if is_large() {
        let mut market = Market::new(10_000, 10_000);
        let instruments = market.instruments;
        let name = format!("10000 cycles, {instruments} pairs");
        group.case(&name, count, move || {
            (0..count).fold(0, |hash, step| {
                let id = (step * 7 % instruments) as u16;
                mix(hash, market.look(id))
            })
        });
    }
    group.run();

    let mut group = Group::new("an update of the hub, a cycle");
    for cycles in sizes {
        let mut market = Market::hub(*cycles);
        let rounds = (count / cycles).max(1);
        group.case(
            &format!("{cycles} cycles at it"),
            rounds * cycles,
            move || (0..rounds).fold(0, |hash, _| mix(hash, market.look(0))),
        );
    }
    group.run();

    let mut group = Group::new("an update whose price moved, with the book");
    for cycles in sizes {
        let mut market = Market::new(*cycles, 1_000.min(cycles * 2));
        let instruments = market.instruments;
        group.case(&format!("{cycles} cycles"), count, move || {
            (0..count).fold(0, |hash, step| {
                let id = (step * 7 % instruments) as u16;
                market.show(id, 1_000_000 + i64::from(step & 1 == 1));
                mix(hash, market.look(id))
            })
        });
    }
    group.run();
}
