//! The feed seat: one venue connection, from socket to ring.
//!
//! Owns the socket, the feed machine and the producing end of its ring. Tells nobody else anything but its statistics.

use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};

use crate::clock::{Clock, OsClock};
use crate::exchanges::feed::{Feed, FeedCounters};
use crate::exchanges::frame::Malformed;
use crate::exchanges::socket::{FrameText, SocketError};
use crate::exchanges::{Action, Channel, RequestId};
use crate::market::event::EventSink;
use crate::market::{MarketEvent, VenueId};
use crate::ring::Producer;
use crate::telemetry::{Counts, LiveTimer, Stage, StageTimer};
use crate::units::{MonoNanos, Nanos};

use super::link::{self, Answer, Link, LinkOwner, Transport};
use super::mailbox::Mail;
use super::risk::{Facts, RiskSeat};

/// What a feed does when its ring is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullRing {
    /// Remembers a gap and rebuilds its books: live feeds, which must never block.
    Gap,
    /// Takes no further frame until there is room: replays "as fast as it can be consumed".
    Backpressure,
}

/// Free slots that a replay keeps before it takes another frame: more than any one message needs.
const ROOM_SLOTS: usize = crate::capacity::FEED_RING_EVENTS.div_euclid(2);

/// Puts events into the ring, stamped with their decode time, and rings once a batch.
struct RingSink<'a> {
    producer: &'a mut Producer<MarketEvent>,
    clock: &'a OsClock,
}

impl EventSink for RingSink<'_> {
    #[inline]
    fn push(&mut self, mut event: MarketEvent) {
        if event.ends_batch() {
            let spent = self.clock.now().since(event.received_at);
            event.decode_nanos = u32::try_from(spent.0).unwrap_or(u32::MAX);
            self.producer.push(event);
        } else {
            self.producer.push_quiet(event);
        }
    }
}

/// One feed connection.
pub struct FeedSeat {
    name: String,
    venue: VenueId,
    machine: Feed,
    link: Link,
    transport: Transport,
    producer: Producer<MarketEvent>,
    full_ring: FullRing,
    clock: OsClock,
    timer: LiveTimer,
    actions: Vec<Action>,
    reconnects: Counts,
    malformed: u64,
    lane: u8,
    risk: Addr<RiskSeat>,
}

impl std::fmt::Debug for FeedSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedSeat")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// What a feed seat is built from.
pub(super) struct FeedParts {
    pub(super) name: String,
    pub(super) venue: VenueId,
    pub(super) machine: Feed,
    pub(super) link: Link,
    pub(super) transport: Transport,
    pub(super) producer: Producer<MarketEvent>,
    pub(super) full_ring: FullRing,
    pub(super) clock: OsClock,
    pub(super) timer: LiveTimer,
    pub(super) lane: u8,
    pub(super) risk: Addr<RiskSeat>,
}

/// Asks for the feed's counters.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "FeedStatus")]
pub struct AskFeed;

/// What a feed says of itself.
#[derive(Debug, Clone, actix::MessageResponse)]
pub struct FeedStatus {
    /// Name of the feed: venue and lane.
    pub name: String,
    /// Which venue.
    pub venue: VenueId,
    /// Counters of the machine.
    pub counters: FeedCounters,
    /// The connection stands.
    pub connected: bool,
    /// Reconnections by cause.
    pub reconnects: Counts,
}

impl FeedSeat {
    pub(super) fn new(parts: FeedParts) -> Self {
        Self {
            name: parts.name,
            venue: parts.venue,
            machine: parts.machine,
            link: parts.link,
            transport: parts.transport,
            producer: parts.producer,
            full_ring: parts.full_ring,
            clock: parts.clock,
            timer: parts.timer,
            actions: Vec::with_capacity(16),
            reconnects: Counts::new(),
            malformed: 0,
            lane: parts.lane,
            risk: parts.risk,
        }
    }

    /// Runs the machine and carries out what it wants.
    fn drive(
        &mut self,
        context: &mut Context<Self>,
        step: impl FnOnce(&mut Feed, MonoNanos, &mut RingSink<'_>, &mut Vec<Action>),
    ) {
        let now = self.clock.now();
        let mut actions = std::mem::take(&mut self.actions);
        let mut sink = RingSink {
            producer: &mut self.producer,
            clock: &self.clock,
        };
        step(&mut self.machine, now, &mut sink, &mut actions);
        self.producer.notify();
        self.finish(actions, context);
    }

    fn finish(&mut self, mut actions: Vec<Action>, context: &mut Context<Self>) {
        if self.producer.take_overflow() {
            let now = self.clock.now();
            let mut sink = RingSink {
                producer: &mut self.producer,
                clock: &self.clock,
            };
            self.machine.resync(now, &mut sink, &mut actions);
        }
        if !actions.is_empty() {
            for action in &actions {
                if let Action::Reconnect { cause, .. } = action {
                    self.reconnects.increment(cause.label());
                }
            }
            link::perform(self, &mut actions, context);
        }
        self.actions = actions;
    }
}

impl Actor for FeedSeat {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.start(self.clock.now(), &mut actions);
        self.finish(actions, context);
        context.run_interval(Duration::from_millis(50), |seat, context| {
            seat.drive(context, |machine, now, sink, actions| {
                machine.on_timer(now, sink, actions);
            });
        });
        context.run_interval(Duration::from_millis(100), |seat, _| {
            let mut facts = Vec::new();
            let lost = seat.producer.stats().lost();
            seat.machine.drain_facts(seat.lane, lost, &mut facts);
            seat.risk.latest(Facts(facts));
        });
        context.run_interval(Duration::from_secs(1), |seat, _| {
            seat.timer.recorder().publish();
        });
    }
}

impl LinkOwner for FeedSeat {
    fn link(&mut self, channel: Channel) -> Option<&mut Link> {
        (channel == self.link.channel()).then_some(&mut self.link)
    }
    fn transport(&self) -> &Transport {
        &self.transport
    }
    fn may_take(&self, _: Channel) -> bool {
        self.full_ring == FullRing::Gap || self.producer.free_slots() >= ROOM_SLOTS
    }
    fn on_link_open(&mut self, _: Channel, context: &mut Self::Context) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.on_open(self.clock.now(), &mut actions);
        self.finish(actions, context);
    }
    fn on_link_text(&mut self, _: Channel, text: &FrameText, context: &mut Self::Context) {
        let received_at = self.clock.now();
        let received_time = self.clock.now_unix();
        let mut actions = std::mem::take(&mut self.actions);
        let mut sink = RingSink {
            producer: &mut self.producer,
            clock: &self.clock,
        };
        let delay = self.machine.on_frame(
            text.as_bytes(),
            received_at,
            received_time,
            &mut sink,
            &mut actions,
        );
        if self.machine.counters().malformed != self.malformed {
            self.malformed = self.machine.counters().malformed;
            let head: String = text.chars().take(300).collect();
            tracing::info!(feed = self.name, "malformed frame: {}", head.escape_debug());
        }
        let lane = self.venue.index();
        self.timer.lap(Stage::Decode, lane, received_at);
        if let Some(delay) = delay.delay_nanos {
            self.timer.record(
                Stage::FeedDelay,
                lane,
                Nanos(u64::try_from(delay).unwrap_or(0)),
            );
        }
        self.finish(actions, context);
    }
    fn on_link_lost(&mut self, _: Channel, error: &SocketError, context: &mut Self::Context) {
        tracing::info!(
            feed = self.name,
            error = error.label(),
            "feed connection lost: {error}"
        );
        let unreadable = match error {
            SocketError::TooLarge => Some(Malformed::TooLarge {
                bytes: crate::capacity::MESSAGE_BYTES_MAX,
            }),
            SocketError::NotUtf8 => Some(Malformed::NotUtf8),
            SocketError::BadAddress(_)
            | SocketError::Connect(_)
            | SocketError::TimedOut
            | SocketError::Refused(_)
            | SocketError::Protocol(_)
            | SocketError::Closed
            | SocketError::BacklogFull => None,
        };
        self.drive(context, |machine, now, sink, actions| match unreadable {
            Some(malformed) => machine.on_unreadable(malformed, now, sink, actions),
            None => machine.on_closed(now, sink, actions),
        });
    }
    fn on_http_answer(&mut self, request: RequestId, answer: Answer, context: &mut Self::Context) {
        tracing::debug!(
            feed = self.name,
            ?request,
            status = answer.status,
            bytes = answer.body.len(),
            "answer"
        );
        self.drive(context, |machine, now, sink, actions| {
            machine.on_http(request, answer.status, &answer.body, now, sink, actions);
        });
    }
}

impl Handler<AskFeed> for FeedSeat {
    type Result = FeedStatus;
    fn handle(&mut self, _: AskFeed, _: &mut Self::Context) -> FeedStatus {
        FeedStatus {
            name: self.name.clone(),
            venue: self.venue,
            counters: self.machine.counters().clone(),
            connected: self.link.is_open(),
            reconnects: self.reconnects.clone(),
        }
    }
}
