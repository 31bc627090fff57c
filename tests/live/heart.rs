//! The heartbeat's file against a disk that hangs: it is the only thing that stops.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use arbalest::engine::heartbeat::{HEARTBEAT_FILE, HeartState, Heartbeat};
use arbalest::risk::KillLevel;
use rust_decimal::Decimal;

use super::world::{A, B, LATER, SOON, Terms, World, live, until};

fn beat(world: &World) -> Option<Heartbeat> {
    let path = world.journal.path().join(HEARTBEAT_FILE);
    // The pipe takes the file's place for a moment when it is read at last.
    let is_file = std::fs::metadata(&path).ok()?.is_file();
    let text = is_file.then(|| std::fs::read(&path).ok())??;
    serde_json::from_slice(&text).ok()
}

/// What the beat says is the engine's, by venue.
fn own(beat: &Heartbeat, venue: &str) -> Decimal {
    let own: &BTreeMap<String, Decimal> = &beat.own.as_ref().unwrap()[venue];
    own.get("BTC").copied().unwrap_or_default()
}

#[test]
fn the_beat_says_what_is_ours_and_a_disk_that_hangs_stops_nothing_else() {
    live(async || {
        let world = World::start(Terms::default()).await;
        let first = beat(&world).unwrap();
        assert_eq!(first.state, HeartState::Running);
        assert_eq!(first.baselines["spot_a"]["BTC"], Decimal::from(5));
        assert_eq!(own(&first, "spot_a"), Decimal::ZERO);
        world.edge_at(B);
        world
            .until("sets", |snapshot| snapshot.totals.sets_hedged >= 2)
            .await;
        world.no_edge();
        world.quiet(SOON).await;
        until("the beat says what we hold", SOON, async || {
            let beat = beat(&world)?;
            let held = world.positions();
            let told = [own(&beat, "spot_a"), own(&beat, "spot_b")];
            (held[A] > Decimal::ZERO && told == held[..2]).then_some(())
        })
        .await;
        let later = beat(&world).unwrap();
        assert!(later.seq > first.seq && later.signal_seq > 0);

        // Whoever opens a pipe that nobody reads waits for ever, as on a disk that hangs.
        let fresh = world.journal.path().join(format!("{HEARTBEAT_FILE}.new"));
        until("the pipe stands where the file would", SOON, async || {
            let made = Command::new("mkfifo").arg(&fresh).output().unwrap();
            made.status.success().then_some(())
        })
        .await;
        world.edge_at(B);
        let before = world.snapshot().await.totals.sets_hedged;
        world
            .until("it trades on", |snapshot| {
                snapshot.totals.sets_hedged >= before + 2
            })
            .await;
        let stopped = beat(&world).unwrap();
        // The watchdog would act at 10 s: before that nothing increases risk any more.
        let reason = until("nothing increases risk", LATER, async || {
            let board = world.engine.board();
            let data = board.read();
            let change = data
                .changes
                .iter()
                .find(|change| change.to == KillLevel::ReduceOnly && change.cause == "operator")?;
            Some(change.reason.clone())
        })
        .await;
        assert!(reason.contains("heartbeats are not on disk"), "{reason}");
        assert_eq!(beat(&world).unwrap(), stopped, "the file stands still");
        world.no_edge();
        world.quiet(SOON).await;
        // The disk comes back: so does the beat, with all that happened since.
        let mut pipe = Command::new("cat")
            .arg(&fresh)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("the beat goes on", SOON, async || {
            let beat = beat(&world)?;
            (beat.seq > stopped.seq).then_some(())
        })
        .await;
        pipe.kill().unwrap();
        pipe.wait().unwrap();
        world.stop().await;
    });
}
