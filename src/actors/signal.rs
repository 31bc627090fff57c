//! The signal seat: the one thread that decides. A duty cycle over the rings, as an actor future.
//!
//! Each cycle reads the clock once, looks at its control inputs (the latest risk view, messages), drains every ring by a
//! bounded batch into the hot path, and hands on what was approved. When nothing waits it spins or sleeps as configured.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};
use arc_swap::ArcSwapOption;

use crate::capacity::DRAIN_EVENTS_MAX;
use crate::clock::{Clock, OsClock};
use crate::engine::opportunity::{PROBE_COUNT, Window};
use crate::engine::{HotOutput, HotPath};
use crate::execution::{BrokenSet, SetSummary};
use crate::market::{Mark, MarketEvent};
use crate::ring::{Consumer, Idle, Producer, WaitStrategy, Wake};
use crate::risk::{Approved, ApprovedSet, Limits, RiskView};
use crate::telemetry::LiveTimer;
use crate::trade::{ApprovalSeq, Fact, Seat};
use crate::units::{MonoNanos, Nanos};

use super::edges::SetMarked;
use super::execution::{ExecutionSeat, Released, RepairHeld};
use super::heart::Signs;
use super::mailbox::Mail;
use super::risk::{Facts, GateRaises, Marks, RiskSeat};

/// What travels from the signal to the execution seat.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::large_enum_variant,
    reason = "a ring slot is as large as its largest item; boxing would allocate"
)]
pub enum Approval {
    /// A new set.
    Set(ApprovedSet),
    /// An order that evens a broken set.
    Repair(Approved),
    /// Never sent: the ring is written only when it has room.
    Gap,
}

/// A broken set to be priced.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Broken(pub BrokenSet);

/// A set that ended.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct SetEnded(pub SetSummary);

/// Other limits are in force: the gate judges by them before the next batch.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct NewLimits(pub Arc<Limits>);

/// Takes what was seen of edges: the window is swapped for the given empty one.
#[derive(Debug, Message)]
#[rtype(result = "TakenEdges")]
pub(super) struct TakeEdges {
    pub(super) window: Window,
    /// Our own way from tick to acknowledgement, median and 99th percentile.
    pub(super) own: (Nanos, Nanos),
    /// Nothing follows: open episodes end.
    pub(super) last: bool,
}

/// What was seen since the last time.
#[derive(Debug, actix::MessageResponse)]
pub(super) struct TakenEdges {
    pub(super) window: Window,
    pub(super) delays: [Nanos; PROBE_COUNT],
}

/// Stop deciding: nothing leaves this seat after the answer.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Pause;

/// Borrows the hot path for a question: runs on the signal thread between two cycles.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Inspect(pub Box<dyn FnOnce(&HotPath) + Send>);

impl std::fmt::Debug for Inspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inspect")
    }
}

/// What a signal seat is built from.
pub(super) struct SignalParts {
    pub(super) hot: HotPath,
    pub(super) rings: Vec<Consumer<MarketEvent>>,
    pub(super) wake: Arc<Wake>,
    pub(super) approvals: Producer<Approval>,
    pub(super) view: Arc<ArcSwapOption<RiskView>>,
    pub(super) clock: OsClock,
    pub(super) timer: LiveTimer,
    pub(super) wait: WaitStrategy,
    pub(super) execution: Addr<ExecutionSeat>,
    pub(super) risk: Addr<RiskSeat>,
    pub(super) core: Option<core_affinity::CoreId>,
    pub(super) signs: Arc<Signs>,
}

/// The deciding seat.
pub struct SignalSeat {
    parts: SignalParts,
    out: HotOutput,
    marks: Vec<Mark>,
    seen_version: u64,
    worked_at: MonoNanos,
    paused: bool,
}

impl std::fmt::Debug for SignalSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignalSeat")
            .field("seen_version", &self.seen_version)
            .finish_non_exhaustive()
    }
}

impl SignalSeat {
    pub(super) fn new(parts: SignalParts) -> Self {
        Self {
            parts,
            out: HotOutput::with_capacity(),
            marks: Vec::with_capacity(1_024),
            seen_version: 0,
            worked_at: MonoNanos(0),
            paused: false,
        }
    }

    /// One duty cycle; how many events were taken.
    fn cycle(&mut self, now: MonoNanos) -> usize {
        let parts = &mut self.parts;
        {
            let view = parts.view.load();
            if let Some(view) = view.as_ref()
                && view.version != self.seen_version
            {
                self.seen_version = view.version;
                parts.hot.on_view(view);
            }
        }
        let mut taken = 0;
        for (feed_index, ring) in parts.rings.iter_mut().enumerate() {
            taken += ring.drain(DRAIN_EVENTS_MAX, |event| {
                parts
                    .hot
                    .on_event(feed_index, event, now, &mut parts.timer, &mut self.out);
            });
        }
        if taken > 0 {
            self.worked_at = now;
            self.hand_on();
        }
        taken
    }

    fn hand_on(&mut self) {
        let parts = &mut self.parts;
        for set in self.out.sets.drain(..) {
            if !self.paused && parts.approvals.free_slots() > 0 {
                parts.approvals.push(Approval::Set(set));
            } else {
                parts.hot.on_unsent(&set);
                let seqs: Vec<ApprovalSeq> = set.legs().map(Approved::seq).collect();
                parts.execution.must(Released(seqs));
            }
        }
        for repair in self.out.repairs.drain(..) {
            if parts.approvals.free_slots() > 0 {
                parts.approvals.push(Approval::Repair(repair));
            } else {
                parts.hot.on_unsent_repair(&repair);
                parts.execution.must(Released(vec![repair.seq()]));
            }
        }
        for (set, reason) in self.out.held.drain(..) {
            parts.execution.must(RepairHeld { set, reason });
        }
        if !self.out.raises.is_empty() {
            let raises = self.out.raises.drain(..).collect();
            parts.risk.must(GateRaises(raises));
        }
        if !self.out.marks.is_empty() {
            self.marks.append(&mut self.out.marks);
        }
    }

    fn send_marks(&mut self) {
        if !self.marks.is_empty() {
            self.parts
                .risk
                .latest(Marks(std::mem::take(&mut self.marks)));
            self.marks.reserve(256);
        }
    }
}

/// How often collected marks are sent to the risk seat.
const MARKS_EVERY: Duration = Duration::from_millis(10);

impl Actor for SignalSeat {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        if let Some(core) = self.parts.core
            && !core_affinity::set_for_current(core)
        {
            tracing::warn!(core = core.id, "the signal thread could not be pinned");
        }
        context.spawn(DutyCycle);
        context.run_interval(MARKS_EVERY, |seat, _| seat.send_marks());
        context.run_interval(Duration::from_millis(100), |seat, _| {
            seat.parts.signs.signal_lives();
            seat.parts
                .risk
                .latest(Facts(vec![Fact::Beat(Seat::Signal)]));
        });
        context.run_interval(Duration::from_secs(1), |seat, _| {
            seat.parts.timer.recorder().publish();
        });
    }
}

/// The endless loop.
struct DutyCycle;

impl ActorFuture<SignalSeat> for DutyCycle {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        seat: &mut SignalSeat,
        _: &mut Context<SignalSeat>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let now = seat.parts.clock.now();
        if seat.cycle(now) > 0 {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        match seat.parts.wait.idle(seat.worked_at, now) {
            Idle::Spin => task.waker().wake_by_ref(),
            Idle::Park => {
                let rings = &seat.parts.rings;
                let wake = Arc::clone(&seat.parts.wake);
                if wake
                    .poll_sleep(task, || rings.iter().any(|ring| !ring.is_empty()))
                    .is_ready()
                {
                    task.waker().wake_by_ref();
                }
            }
        }
        Poll::Pending
    }
}

impl Handler<Broken> for SignalSeat {
    type Result = ();
    fn handle(&mut self, message: Broken, _: &mut Self::Context) {
        let now = self.parts.clock.now();
        self.parts.hot.on_broken(&message.0, now, &mut self.out);
        self.hand_on();
    }
}

impl Handler<SetEnded> for SignalSeat {
    type Result = ();
    fn handle(&mut self, message: SetEnded, _: &mut Self::Context) {
        let summary = message.0;
        let touches = self.parts.hot.take_sent_touches(&summary);
        self.parts.hot.on_set_done(&summary);
        self.parts.execution.must(SetMarked { summary, touches });
    }
}

impl Handler<TakeEdges> for SignalSeat {
    type Result = TakenEdges;
    fn handle(&mut self, message: TakeEdges, _: &mut Self::Context) -> TakenEdges {
        let now = self.parts.clock.now();
        let tracker = self.parts.hot.opportunities_mut();
        let mut window = message.window;
        if message.last {
            tracker.stop(now);
        }
        let delays = *tracker.delays();
        tracker.swap(&mut window);
        tracker.set_own_latency(message.own.0, message.own.1);
        TakenEdges { window, delays }
    }
}

impl Handler<NewLimits> for SignalSeat {
    type Result = ();
    fn handle(&mut self, message: NewLimits, _: &mut Self::Context) {
        self.parts.hot.on_limits(&message.0);
    }
}

impl Handler<Pause> for SignalSeat {
    type Result = ();
    fn handle(&mut self, _: Pause, _: &mut Self::Context) {
        self.paused = true;
    }
}

impl Handler<Inspect> for SignalSeat {
    type Result = ();
    fn handle(&mut self, message: Inspect, _: &mut Self::Context) {
        (message.0)(&self.parts.hot);
    }
}
