//! The venue's thread: accepts, plays the tape, lets due things happen, obeys the outside.

use std::future::Future;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::LocalSet;

use crate::sim::tape::{Tape, TapeEvent};
use crate::sim::venue::VenueCore;
use crate::units::UnixNanos;

use super::handle::{Control, Counters};
use super::player::{Next, Player};
use super::shared::Shared;
use super::{Pace, http, ws};

/// Tape events between two looks at the sockets.
const BURST_MAX: u64 = 256;
/// Longest the driver sleeps without looking.
const IDLE: Duration = Duration::from_secs(1);
/// How long clients get to take their close frames at the end.
const FAREWELL: Duration = Duration::from_millis(200);

/// Everything the thread needs.
pub(super) struct Work {
    pub(super) core: VenueCore,
    pub(super) tape: Option<Box<dyn Tape + Send>>,
    pub(super) pace: Pace,
    pub(super) http_listener: StdListener,
    pub(super) ws_listener: StdListener,
    pub(super) inbox: UnboundedReceiver<Control>,
    pub(super) counters: Arc<Counters>,
}

/// Runs the thread to its end.
pub(super) fn run(work: Work) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // Without a runtime there is no server: the handle's calls then find nobody.
    let Ok(runtime) = runtime else { return };
    let local = LocalSet::new();
    local.block_on(&runtime, serve(work));
}

async fn serve(work: Work) {
    let Work {
        mut core,
        tape,
        pace,
        http_listener,
        ws_listener,
        inbox,
        counters,
    } = work;
    let player = tape.map(|tape| Player::new(tape, pace));
    if player.as_ref().is_some_and(Player::is_recorded) {
        core.expect_recording();
    }
    let shared = Rc::new(Shared::new(core, pace, counters));
    let (Ok(http_listener), Ok(ws_listener)) = (
        TcpListener::from_std(http_listener),
        TcpListener::from_std(ws_listener),
    ) else {
        return;
    };
    let accepting_http =
        tokio::task::spawn_local(accept(http_listener, Rc::clone(&shared), http::serve));
    let accepting_ws = tokio::task::spawn_local(accept(ws_listener, Rc::clone(&shared), ws::serve));
    drive(&shared, player, inbox).await;
    accepting_http.abort();
    accepting_ws.abort();
    shared.close_all();
    let gone = async {
        while !shared.is_empty() {
            shared.wake.notified().await;
        }
    };
    // Who does not take the close frame in time is dropped with the runtime.
    drop(tokio::time::timeout(FAREWELL, gone).await);
}

async fn accept<F>(
    listener: TcpListener,
    shared: Rc<Shared>,
    serve: impl Fn(Rc<Shared>, TcpStream) -> F,
) where
    F: Future<Output = ()> + 'static,
{
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::task::spawn_local(serve(Rc::clone(&shared), socket));
            }
            // Out of descriptors, mostly: wait for some to come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn drive(shared: &Shared, mut player: Option<Player>, mut inbox: UnboundedReceiver<Control>) {
    loop {
        let now = shared.now();
        shared.core.borrow_mut().advance(now);
        let next = play(shared, player.as_mut(), now);
        shared.deliver();
        if next == Next::Play {
            // More is due: let the sockets have their turn, or wait until the clients caught up.
            let congested = shared.pace == Pace::Max && shared.is_congested();
            tokio::select! {
                biased;
                control = inbox.recv() => if !obey(shared, control) { return },
                () = shared.drained.notified(), if congested => {}
                () = tokio::time::sleep(IDLE), if congested => {}
                () = tokio::task::yield_now(), if !congested => {}
            }
            continue;
        }
        let sleep = shared
            .core
            .borrow()
            .next_due()
            .map_or(IDLE, |due| span(now, due));
        let sleep = if let Next::At(at) = next {
            sleep.min(span(now, at))
        } else {
            sleep
        };
        tokio::select! {
            biased;
            control = inbox.recv() => if !obey(shared, control) { return },
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

fn span(now: UnixNanos, until: UnixNanos) -> Duration {
    Duration::from_nanos(u64::try_from(until.signed_since(now)).unwrap_or(0)).min(IDLE)
}

/// Plays what is due, at most a burst; what comes next.
fn play(shared: &Shared, player: Option<&mut Player>, now: UnixNanos) -> Next {
    let Some(player) = player else {
        return Next::Wait;
    };
    if shared.pace == Pace::Max && shared.is_congested() {
        return Next::Play;
    }
    let mut core = shared.core.borrow_mut();
    for played in 0..BURST_MAX {
        let next = player.next(&core, shared.first_heard.get(), now);
        if next == Next::Done {
            shared.counters.tape_done.store(true, Ordering::Relaxed);
        }
        if next != Next::Play {
            if played > 0 {
                shared.moved.notify_waiters();
            }
            return next;
        }
        if let Some(event) = player.take(now) {
            core.on_market(&event, now);
            Counters::add(&shared.counters.tape_events, 1);
        }
    }
    shared.moved.notify_waiters();
    Next::Play
}

/// Does what the outside wants; false to end.
fn obey(shared: &Shared, control: Option<Control>) -> bool {
    match control {
        Some(Control::Inject(fault)) => {
            let now = shared.now();
            shared.core.borrow_mut().inject(fault, now);
            shared.deliver();
            shared.moved.notify_waiters();
            true
        }
        Some(Control::Play(symbol, change)) => {
            let now = shared.now();
            let event = TapeEvent {
                at: now,
                venue: 0,
                symbol,
                change,
            };
            shared.core.borrow_mut().on_market(&event, now);
            shared.deliver();
            true
        }
        Some(Control::Truth(account, to)) => {
            // The asker may have given up: then nobody is told.
            drop(to.send(shared.core.borrow().truth(account)));
            true
        }
        Some(Control::Stop) | None => false,
    }
}
