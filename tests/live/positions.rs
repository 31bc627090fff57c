//! Positions and losses over their limits: undone by reduce-only orders, never flipped, never closed twice, on record.

use arbalest::journal::Entry;
use arbalest::risk::{CloseCause, CloseResult};
use arbalest::sim::venue::Fault;
use arbalest::trade::{Fill, Purpose};
use arbalest::units::{Nanos, Qty, Side};
use rust_decimal::Decimal;

use super::world::{A, B, BID, BTC, LATER, PERP, SOON, Terms, World, live, running};

const TERMS: Terms = Terms {
    position_max: "0.1",
    order_max: "0.03",
    loss_max: "60",
    leg_quote: "130",
    secret: [super::world::SECRET; 3],
};

/// A fill on our account that we did not ask for.
fn push(world: &World, venue: usize, side: Side, milli: i64) {
    let fault = Fault::PositionPush {
        account: 0,
        symbol: 0,
        side,
        qty: Qty(milli * BTC.div_euclid(1_000)),
        price: Some(arbalest::units::Price(BID)),
    };
    world.inject(venue, fault);
}

/// From `from` to `to`, every step nearer and none beyond; in total exactly the difference.
fn assert_walk(fills: &[Fill], venue: usize, from: i64, to: i64) {
    let walk = running(fills, venue);
    assert_eq!(
        (walk[0], walk.last().copied()),
        (from, Some(to)),
        "{walk:?}"
    );
    for pair in walk.windows(2) {
        let nearer = pair[1].abs() < pair[0].abs() && pair[1] * pair[0] >= 0;
        assert!(nearer, "never flipped, never enlarged: {walk:?}");
    }
    let at_venue = fills.iter().filter(|fill| fill.venue.index() == venue);
    for (index, fill) in at_venue.enumerate() {
        let (foreign, expected) = (fill.purpose.is_none(), index == 0);
        assert_eq!(foreign, expected, "one push, then only the close: {fill:?}");
        assert!(foreign || fill.purpose == Some(Purpose::Unwind));
    }
}

/// The board and the journal tell the story: one close, its cause, its children, the intent before the first execution.
fn assert_record(world: &World, venue: usize, cause: CloseCause, closed: i64, position: i64) {
    let board = world.engine.board();
    let data = board.read();
    let closes: Vec<_> = data
        .closes
        .iter()
        .filter(|close| close.intent.instrument.index() == venue)
        .collect();
    let [close] = closes[..] else {
        panic!("one close of venue {venue}, not {closes:#?}");
    };
    assert_eq!(close.intent.cause, cause);
    assert_eq!(close.result, CloseResult::Done);
    assert_eq!(close.closed, Qty(closed));
    assert_eq!(close.position, Qty(position));
    let filled: i64 = close.children.iter().map(|child| child.filled.0).sum();
    assert_eq!(filled, closed);
    let slice = 3 * BTC.div_euclid(100);
    assert!(close.children.iter().all(|child| child.qty.0 <= slice));
    assert!(close.average_price.is_some() && close.slippage_cost.is_some());
}

/// The first order of the close was unknown: what it might have filled was left alone until ten seconds of look-ups proved
/// that it never was.
fn assert_reserved(world: &World, venue: usize) {
    let board = world.engine.board();
    let data = board.read();
    let of = |close: &&arbalest::risk::CloseRecord| close.intent.instrument.index() == venue;
    let children = &data.closes.iter().find(of).unwrap().children;
    let (first, last) = (children[0], children[children.len() - 1]);
    assert!(first.filled.is_zero() && !last.filled.is_zero());
    assert!(
        last.at.since(first.at) >= Nanos::from_secs(10),
        "{children:#?}"
    );
    let early: i64 = children[1..children.len() - 1]
        .iter()
        .map(|child| child.qty.0)
        .sum();
    assert_eq!(early, 6 * BTC.div_euclid(100), "{children:#?}");
}

fn assert_alerts(world: &World, venue: &str, over: &str) {
    let alerts = world.alerts();
    for label in [over, "close_started", "close_done"] {
        let found = alerts
            .iter()
            .filter(|text| text.starts_with(&format!("{label} ")) && text.contains(venue))
            .count();
        assert_eq!(
            found,
            if label == "close_started" { 2 } else { 1 },
            "{label} at {venue}: {alerts:#?}"
        );
    }
}

/// In the journal each close's intent comes before every execution of it, and its record after.
fn assert_journal(entries: &[Entry], venue: &str, cause: &str) {
    let place = |kind: &str| {
        entries
            .iter()
            .position(|entry| {
                let record = &entry.record;
                let of = if kind == "close_record" {
                    &record["intent"]
                } else {
                    record
                };
                record["kind"] == kind && of["venue"] == venue && of["cause"] == cause
            })
            .unwrap_or_else(|| panic!("no {kind} of {venue} in {entries:#?}"))
    };
    let (intent, record) = (place("close_intent"), place("close_record"));
    let fills: Vec<usize> = (0..entries.len())
        .filter(|&at| {
            let record = &entries[at].record;
            record["kind"] == "fill"
                && record["venue"] == venue
                && !record["client_order_id"].is_null()
        })
        .collect();
    assert!(!fills.is_empty());
    for at in fills {
        assert!(intent < at && at < record, "{intent} {at} {record}");
        let executed = entries[at].record["time"].as_i64().unwrap();
        assert!(entries[intent].time_ns <= executed, "written before sent");
    }
}

#[test]
fn a_position_over_its_limit_is_brought_below_it() {
    live(async || {
        let world = World::start(TERMS).await;
        push(&world, A, Side::Buy, 150);
        push(&world, PERP, Side::Sell, 150);
        world
            .until("at 80 % of the limit", |snapshot| {
                snapshot.instruments[A].quantity == Decimal::new(8, 2)
                    && snapshot.instruments[PERP].quantity == Decimal::new(-8, 2)
            })
            .await;
        world.quiet(SOON).await;
        let milli = BTC.div_euclid(1_000);
        let fills = world.engine.fills();
        assert_walk(&fills, A, 150 * milli, 80 * milli);
        assert_walk(&fills, PERP, -150 * milli, -80 * milli);
        let cause = CloseCause::PositionLimit;
        assert_record(&world, A, cause, 70 * milli, 80 * milli);
        assert_record(&world, PERP, cause, 70 * milli, -80 * milli);
        assert_alerts(&world, "spot_a", "position_over_limit");
        assert_alerts(&world, "perp", "position_over_limit");
        assert!(
            world
                .alerts()
                .iter()
                .any(|text| text.starts_with("foreign_fill"))
        );
        world.assert_truth().await;
        let (_, journal) = world.stop().await;
        assert_journal(&journal, "spot_a", "position_limit");
        assert_journal(&journal, "perp", "position_limit");
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, read from the top")]
fn a_loss_over_its_limit_is_closed_to_flat_though_the_venue_is_silent() {
    live(async || {
        let world = World::start(TERMS).await;
        let milli = BTC.div_euclid(1_000);
        push(&world, A, Side::Buy, 90);
        push(&world, PERP, Side::Buy, 90);
        push(&world, B, Side::Sell, 90);
        world
            .until("the pushes are known", |snapshot| {
                snapshot
                    .instruments
                    .iter()
                    .all(|one| !one.quantity.is_zero())
            })
            .await;
        // The first order of each close gets no answer: one is live all the same, one never arrived.
        world.inject(A, Fault::SwallowAck);
        world.inject(PERP, Fault::SwallowRequest);
        world.quote_all(BID - 100_000);
        world
            .until("all but the lost order is closed", |snapshot| {
                snapshot.instruments[PERP].quantity == Decimal::new(3, 2)
                    && snapshot.venues[PERP].unknown_orders == 1
            })
            .await;
        let over = |venue: usize| {
            let board = world.engine.board();
            let data = board.read();
            let of = |close: &arbalest::risk::CloseRecord| close.intent.instrument.index() == venue;
            data.closes.iter().any(of)
        };
        assert!(!over(PERP), "not over before that is known");
        let snapshot = world
            .until_within("flat", LATER, |snapshot| {
                let [a, _, perp] = [A, B, PERP].map(|at| snapshot.instruments[at].quantity);
                perp.is_zero() && a.is_zero()
            })
            .await;
        world.quiet(SOON).await;
        let latched = |symbol: &str| {
            let name = format!("symbol {symbol}");
            snapshot
                .kill_levels
                .iter()
                .any(|scope| scope.scope == name && scope.level == 3)
        };
        assert!(
            latched("BTC/USDT:USDT") && latched("BTC/USDT"),
            "{:?}",
            snapshot.kill_levels
        );
        // K3 on the symbol takes the profitable short of the other spot venue with it.
        assert_eq!(world.positions(), [Decimal::ZERO; 3]);
        let fills = world.engine.fills();
        assert_walk(&fills, A, 90 * milli, 0);
        assert_walk(&fills, PERP, 90 * milli, 0);
        assert_walk(&fills, B, -90 * milli, 0);
        assert_record(&world, A, CloseCause::UnrealizedLoss, 90 * milli, 0);
        // The perpetual is closed by its own loss, or, when the spot price was heard first, as what the short hedged.
        let first = {
            let board = world.engine.board();
            let data = board.read();
            let of = |close: &&arbalest::risk::CloseRecord| close.intent.instrument.index() == PERP;
            data.closes.iter().find(of).unwrap().intent.cause
        };
        assert!(matches!(
            first,
            CloseCause::UnrealizedLoss | CloseCause::PairLeg
        ));
        assert_record(&world, PERP, first, 90 * milli, 0);
        assert_record(&world, B, CloseCause::KillFlatten, 90 * milli, 0);
        assert_reserved(&world, PERP);
        assert_alerts(&world, "spot_a", "loss_over_limit");
        assert_alerts(&world, "perp", "loss_over_limit");
        world.assert_truth().await;
        let (summary, journal) = world.stop().await;
        assert_eq!((summary.orders_open, summary.orders_unknown), (0, 0));
        assert_journal(&journal, "spot_a", "unrealized_loss");
        assert_journal(&journal, "perp", first.label());
        assert_journal(&journal, "spot_b", "kill_flatten");
    });
}
