//! The operator's levels: each stops what it says, and lowering it lets the engine trade again.

use arbalest::clock::{Clock, OsClock};
use arbalest::exchanges::session::http_client;
use arbalest::exchanges::socket::tls_config;
use arbalest::risk::{CloseCause, CloseResult, KillLevel, Scope};
use arbalest::telemetry::EngineSnapshot;
use aws_lc_rs::hmac;
use reqwest::Method;
use rust_decimal::Decimal;

use super::world::{
    A, B, BID, KEY, SECRET, SOON, Terms, VENUES, World, live, refusals, running, until,
};

/// Refusals that must have been counted before we believe that a level holds.
const REFUSALS: u64 = 10;

fn stands_at(snapshot: &EngineSnapshot, level: KillLevel) -> bool {
    let portfolio = |scope: &&arbalest::telemetry::snapshot::KillScope| scope.scope == "portfolio";
    let now = snapshot.kill_levels.iter().find(portfolio);
    now.map_or(0, |scope| scope.level) == level as u8
}

/// Raises a level under an edge: nothing but what the level allows is sent while the gate refuses with `code`.
async fn holds(world: &World, level: KillLevel, code: &str) {
    world.raise(Scope::Portfolio, level).await;
    world
        .until("the level stands", |snapshot| stands_at(snapshot, level))
        .await;
    world.quiet(SOON).await;
    let before = world.snapshot().await;
    let (sent, refused) = (before.totals.orders_sent, refusals(&before, code));
    let after = world
        .until(&format!("{code} is counted"), |snapshot| {
            refusals(snapshot, code) >= refused + REFUSALS
        })
        .await;
    assert_eq!(after.totals.orders_sent, sent, "{code}");
    assert_eq!(
        after.totals.sets_opened, before.totals.sets_opened,
        "{code}"
    );
}

/// Trades again after the level was lowered.
async fn trades_again(world: &World) {
    world.rearm(Scope::Portfolio).await;
    world.edge_at(B);
    let before = world.snapshot().await.totals.sets_opened;
    world
        .until("sets are opened again", |snapshot| {
            stands_at(snapshot, KillLevel::Armed) && snapshot.totals.sets_opened >= before + 2
        })
        .await;
}

/// A signed request about an order at the first venue, past the engine.
async fn by_hand(world: &World, method: Method, query: &str) -> serde_json::Value {
    let time = OsClock::new().now_unix().floor_millis();
    let query = format!("symbol=BTCUSDT&{query}&timestamp={time}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature: String = hmac::sign(&key, query.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let url = format!(
        "{}/api/v3/order?{query}&signature={signature}",
        world.servers[A].http_url()
    );
    let client = http_client(&tls_config().unwrap()).unwrap();
    let request = client.request(method, url).header("X-MBX-APIKEY", KEY);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// A person's resting order on our account, placed at the venue itself; the venue's id of it.
async fn rest_by_hand(world: &World) -> u64 {
    let order = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000.00";
    let placed = by_hand(world, Method::POST, order).await;
    assert_eq!(world.truth(A).open_orders.len(), 1);
    placed["orderId"].as_u64().unwrap()
}

/// K1: nothing that increases; what comes back may.
async fn reduce_only(world: &World) {
    holds(world, KillLevel::ReduceOnly, "KILL_REDUCE_ONLY").await;
    let (before, fills) = (world.positions(), world.engine.fills().len());
    assert!(before[B] < Decimal::ZERO);
    world.quote_all(BID);
    world.quote(B, BID - 20_000);
    until("K1 lets the position shrink", SOON, async || {
        (world.positions()[B] > before[B]).then_some(())
    })
    .await;
    world.no_edge();
    world.quiet(SOON).await;
    for venue in VENUES {
        let all = world.engine.fills();
        let earlier = running(&all[..fills], venue);
        let mut last = earlier.last().copied().unwrap_or(0);
        for position in running(&all, venue).into_iter().skip(earlier.len()) {
            assert!(position.abs() < last.abs() && position * last >= 0);
            last = position;
        }
    }
    trades_again(world).await;
}

/// K2: what rests is cancelled, whoever placed it.
async fn cancel_all(world: &World) {
    let order = rest_by_hand(world).await;
    let asked_at = OsClock::new().now_unix().floor_millis();
    holds(world, KillLevel::CancelAll, "KILL_CANCEL_ALL").await;
    until("the resting order is cancelled", SOON, async || {
        world.truth(A).open_orders.is_empty().then_some(())
    })
    .await;
    // By the venue's own stamp. Printed, never asserted: the bound is asserted in virtual time (tests/simulation/levels.rs).
    let ended = by_hand(world, Method::GET, &format!("orderId={order}")).await;
    assert_eq!(ended["status"], "CANCELED");
    let gone_at = ended["updateTime"].as_i64().unwrap();
    println!(
        "K2 asked for to zero resting orders, over sockets, by the venue's stamp: {} ms",
        gone_at - asked_at
    );
    trades_again(world).await;
}

/// K3: every position goes to flat, by the forced close alone.
async fn flatten(world: &World) {
    world.raise(Scope::Portfolio, KillLevel::Flatten).await;
    let snapshot = world
        .until("K3 stands", |snapshot| {
            stands_at(snapshot, KillLevel::Flatten)
        })
        .await;
    let sets = snapshot.totals.sets_opened;
    world
        .until("all flat", |snapshot| {
            let mut all = snapshot.instruments.iter();
            all.all(|one| one.quantity.is_zero()) && refusals(snapshot, "KILL_FLATTEN") >= REFUSALS
        })
        .await;
    let summary = world.quiet(SOON).await;
    assert_eq!(world.positions(), [Decimal::ZERO; 3]);
    assert!(summary.sets_opened <= sets + 1, "only what was under way");
    let closes = world.engine.board().read().closes.clone();
    assert!(!closes.is_empty());
    for close in &closes {
        assert_eq!(close.intent.cause, CloseCause::KillFlatten);
        assert_eq!((close.result, close.position.0), (CloseResult::Done, 0));
    }
    trades_again(world).await;
}

#[test]
fn every_level_stops_what_it_says_and_lets_go() {
    live(async || {
        let world = World::start(Terms::default()).await;
        world.edge_at(B);
        world
            .until("sets", |snapshot| snapshot.totals.sets_hedged >= 3)
            .await;
        reduce_only(&world).await;
        cancel_all(&world).await;
        flatten(&world).await;
        // K4: nothing at all.
        holds(&world, KillLevel::Halt, "KILL_HALT").await;
        trades_again(&world).await;

        world.no_edge();
        world.quiet(SOON).await;
        world.assert_truth().await;
        let (summary, journal) = world.stop().await;
        assert_eq!((summary.orders_open, summary.orders_unknown), (0, 0));
        let by_hand = |entry: &&arbalest::journal::Entry| {
            entry.record["kind"] == "level_changed"
                && ["operator:tom", "operator:olga"]
                    .iter()
                    .any(|name| entry.record["by"] == *name)
        };
        let levels: Vec<&str> = journal
            .iter()
            .filter(by_hand)
            .filter_map(|entry| entry.record["to"].as_str())
            .collect();
        let armed = KillLevel::Armed.label();
        let mut expected = Vec::new();
        for level in [
            KillLevel::ReduceOnly,
            KillLevel::CancelAll,
            KillLevel::Flatten,
            KillLevel::Halt,
        ] {
            expected.extend([level.label(), armed]);
        }
        assert_eq!(levels, expected);
    });
}

/// A latch is the account's, not the process's: the next engine on the same journal holds it, and says who and why.
#[test]
fn a_restart_keeps_the_latch() {
    live(async || {
        let world = World::start(Terms::default()).await;
        world.edge_at(B);
        world
            .until("sets", |snapshot| snapshot.totals.sets_hedged >= 1)
            .await;
        world.raise(Scope::Portfolio, KillLevel::Halt).await;
        world.quiet(SOON).await;
        let fills = || VENUES.map(|venue| world.truth(venue).fills.len());
        let before = fills();
        let world = world.restart().await;
        // The edge is still there: what stops it is the latch.
        let snapshot = world
            .until("the gate refuses by the latch", |snapshot| {
                stands_at(snapshot, KillLevel::Halt) && refusals(snapshot, "KILL_HALT") >= REFUSALS
            })
            .await;
        assert_eq!(snapshot.totals.sets_opened, 0);
        assert_eq!(VENUES.map(|venue| world.truth(venue).fills.len()), before);
        let board = world.engine.board();
        let told: Vec<(KillLevel, &str, String)> = board
            .read()
            .changes
            .iter()
            .filter(|change| change.to == KillLevel::Halt)
            .map(|change| (change.from, change.cause, change.reason.clone()))
            .collect();
        let [(_, cause, reason)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((*cause, reason.as_str()), ("operator", "tom: scripted"));
        world.no_edge();
        world.quiet(SOON).await;
        world.stop().await;
    });
}
