//! Connections without sockets: what machines want done at their venues, and what venues send back.

use crate::exchanges::gateway::{GatewayOut, HttpAnswer};
use crate::exchanges::{Action, Channel, RequestId};
use crate::risk::OperatorCommand;
use crate::sim::venue::{ConnId, Fault, HttpReply, HttpRequest, Outgoing};
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::work::Work;
use super::{ASK_TICKS, SLOW_TICKS, TICK, World};

/// From asking for a connection to having it.
const CONNECT: Nanos = Nanos::from_millis(1);
/// How often a depth request is tried again while its recorded snapshot has not come.
const DEPTH_RETRY: Nanos = Nanos::from_millis(2);

/// Whose connection or request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A feed, by index.
    Feed(usize),
    /// A venue's gateway, by venue.
    Gateway(usize),
}

/// One machine's connections.
#[derive(Debug, Default)]
pub(super) struct Links {
    open: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    channel: Channel,
    target: String,
    conn: Option<ConnId>,
}

impl Links {
    fn link(&mut self, channel: Channel) -> &mut Link {
        let index = self
            .open
            .iter()
            .position(|link| link.channel == channel)
            .unwrap_or_else(|| {
                self.open.push(Link {
                    channel,
                    target: String::new(),
                    conn: None,
                });
                self.open.len() - 1
            });
        // The line above made sure of it.
        self.open
            .get_mut(index)
            .unwrap_or_else(|| unreachable!("link {index} exists"))
    }
    fn channel_of(&self, conn: ConnId) -> Option<Channel> {
        self.open
            .iter()
            .find(|link| link.conn == Some(conn))
            .map(|link| link.channel)
    }
}

/// What the agenda holds.
#[derive(Debug)]
pub(super) enum Due {
    /// Deadlines are looked at.
    Tick,
    /// A venue misbehaves.
    Misbehave(usize, Box<Fault>),
    /// A person asks something of the risk seat.
    Operate(Box<OperatorCommand>),
    /// A connection is made.
    Connect(Owner, Channel),
    /// A request reaches its venue.
    Request(Owner, RequestId, Box<HttpRequest>),
    /// An answer reaches us.
    Answer(Owner, RequestId, Box<HttpReply>),
}

impl World {
    /// Starts all machines.
    pub(super) fn begin(&mut self) {
        for index in 0..self.feeds.len() {
            self.drive_feed(index, |machine, now, _, _, actions| {
                machine.start(now, actions);
            });
        }
        for venue in 0..self.venues.len() {
            self.drive_gateway(venue, |gateway, now, time, out| {
                gateway.start(now, time, out);
            });
        }
        self.agenda.plan(self.now.after(TICK), Due::Tick);
    }

    pub(super) fn on_due(&mut self, due: Due) {
        match due {
            Due::Tick => self.on_tick(),
            Due::Misbehave(venue, fault) => {
                let now = self.now;
                if let Some(seat) = self.venues.get_mut(venue) {
                    seat.core.inject(*fault, now);
                }
            }
            Due::Operate(command) => self.operate(*command),
            Due::Connect(owner, channel) => self.connect(owner, channel),
            Due::Request(owner, id, request) => self.on_request(owner, id, request),
            Due::Answer(owner, id, reply) => self.on_answer(owner, id, &reply),
        }
    }

    fn operate(&mut self, command: OperatorCommand) {
        let mut refusal = None;
        self.drive_monitor(|monitor, now, out| {
            refusal = monitor.on_operator(command, now, out).err();
        });
        if let Some(refusal) = refusal {
            self.tally.remark(format!("operator refused: {refusal}"));
        }
        self.carry_out();
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        self.agenda.plan(self.now.after(TICK), Due::Tick);
        self.drive_desk(|desk, now, out| desk.on_timer(now, out));
        if self.ticks.rem_euclid(SLOW_TICKS) == 0 {
            for index in 0..self.feeds.len() {
                self.drive_feed(index, |machine, now, _, sink, actions| {
                    machine.on_timer(now, sink, actions);
                });
            }
            for venue in 0..self.venues.len() {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.on_timer(now, time, out);
                });
            }
            self.tell_facts(self.ticks.div_euclid(SLOW_TICKS));
            self.drive_monitor(|monitor, now, out| monitor.on_timer(now, out));
            if self.ticks.rem_euclid(ASK_TICKS) == 0 {
                self.collect_opportunities();
                for venue in 0..self.venues.len() {
                    self.ask_account(venue);
                }
            }
        }
        self.carry_out();
    }

    fn venue_of(&self, owner: Owner) -> usize {
        match owner {
            Owner::Feed(index) => self.feeds.get(index).map_or(usize::MAX, |feed| feed.venue),
            Owner::Gateway(venue) => venue,
        }
    }

    fn links(&mut self, owner: Owner) -> Option<&mut Links> {
        match owner {
            Owner::Feed(index) => self.feeds.get_mut(index).map(|feed| &mut feed.links),
            Owner::Gateway(venue) => self.venues.get_mut(venue).map(|seat| &mut seat.links),
        }
    }

    /// Does what a machine wants, in order.
    pub(super) fn perform(&mut self, owner: Owner, actions: &mut Vec<Action>) {
        for action in actions.drain(..) {
            match action {
                Action::Open { channel, target } => {
                    self.hang_up(owner, channel);
                    if let Some(links) = self.links(owner) {
                        links.link(channel).target = target;
                    }
                    self.agenda
                        .plan(self.now.after(CONNECT), Due::Connect(owner, channel));
                }
                Action::Send { channel, text } => self.send(owner, channel, &text),
                Action::Http {
                    request,
                    method,
                    target,
                    with_key,
                } => {
                    let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
                    let venue = self.venue_of(owner);
                    let Some(seat) = self.venues.get(venue) else {
                        continue;
                    };
                    let http = HttpRequest {
                        method,
                        path: path.to_owned(),
                        query: query.to_owned(),
                        body: String::new(),
                        api_key: with_key.then(|| seat.gateway.api_key().to_owned()),
                    };
                    let entry = seat.core.setup().latency.order_entry;
                    self.agenda.plan(
                        self.now.after(entry),
                        Due::Request(owner, request, Box::new(http)),
                    );
                }
                Action::Reconnect { channel, delay, .. } => {
                    self.hang_up(owner, channel);
                    self.agenda.plan(
                        self.now.after(Nanos(delay.0.max(CONNECT.0))),
                        Due::Connect(owner, channel),
                    );
                }
            }
        }
    }

    fn hang_up(&mut self, owner: Owner, channel: Channel) {
        let (venue, now) = (self.venue_of(owner), self.now);
        let conn = self
            .links(owner)
            .and_then(|links| links.link(channel).conn.take());
        if let (Some(conn), Some(seat)) = (conn, self.venues.get_mut(venue)) {
            seat.core.close(conn, now);
        }
    }

    fn send(&mut self, owner: Owner, channel: Channel, text: &str) {
        let (venue, now) = (self.venue_of(owner), self.now);
        let conn = self.links(owner).and_then(|links| links.link(channel).conn);
        if let (Some(conn), Some(seat)) = (conn, self.venues.get_mut(venue)) {
            seat.core.on_text(conn, text, now);
        }
    }

    fn connect(&mut self, owner: Owner, channel: Channel) {
        self.hang_up(owner, channel);
        let (venue, now) = (self.venue_of(owner), self.now);
        let Some(target) = self
            .links(owner)
            .map(|links| links.link(channel).target.clone())
        else {
            return;
        };
        let conn = self
            .venues
            .get_mut(venue)
            .and_then(|seat| seat.core.open(&target, now).ok());
        if let Some(links) = self.links(owner) {
            links.link(channel).conn = conn;
        }
        match (owner, conn) {
            (Owner::Feed(index), Some(_)) => {
                self.drive_feed(index, |machine, now, _, _, actions| {
                    machine.on_open(now, actions);
                });
            }
            (Owner::Gateway(venue), Some(_)) => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.on_open(channel, now, time, out);
                });
            }
            (_, None) => self.on_lost(owner, channel),
        }
        self.carry_out();
    }

    fn on_lost(&mut self, owner: Owner, channel: Channel) {
        match owner {
            Owner::Feed(index) => {
                self.drive_feed(index, |machine, now, _, sink, actions| {
                    machine.on_closed(now, sink, actions);
                });
            }
            Owner::Gateway(venue) => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.on_closed(channel, now, time, out);
                });
            }
        }
    }

    fn on_request(&mut self, owner: Owner, id: RequestId, request: Box<HttpRequest>) {
        let venue = self.venue_of(owner);
        let now = self.now;
        let Some(seat) = self.venues.get_mut(venue) else {
            return;
        };
        if seat.core.depth_should_wait(&request) {
            self.agenda
                .plan(now.after(DEPTH_RETRY), Due::Request(owner, id, request));
            return;
        }
        let reply = seat.core.http(&request, now);
        let response = seat.core.setup().latency.response;
        self.agenda
            .plan(now.after(response), Due::Answer(owner, id, Box::new(reply)));
    }

    fn on_answer(&mut self, owner: Owner, id: RequestId, reply: &HttpReply) {
        match owner {
            Owner::Feed(index) => self.drive_feed(index, |machine, now, _, sink, actions| {
                machine.on_http(id, reply.status, reply.body.as_bytes(), now, sink, actions);
            }),
            Owner::Gateway(venue) => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    let answer = HttpAnswer {
                        request: id,
                        status: reply.status,
                        headers: &reply.headers,
                        body: reply.body.as_bytes(),
                    };
                    gateway.on_http(&answer, now, time, out);
                });
            }
        }
        self.carry_out();
    }

    /// A venue sent something on a connection of ours.
    pub(super) fn deliver(&mut self, venue: usize, conn: ConnId, outgoing: &Outgoing) {
        let feed = self
            .feeds
            .iter()
            .position(|feed| feed.venue == venue && feed.links.channel_of(conn).is_some());
        let gateway = self
            .venues
            .get(venue)
            .and_then(|seat| seat.links.channel_of(conn));
        let bytes = match outgoing {
            Outgoing::Text(text) => Some(text.as_bytes()),
            Outgoing::Raw(bytes) => Some(bytes.as_slice()),
            Outgoing::Close => None,
        };
        match (bytes, feed, gateway) {
            (Some(bytes), Some(index), _) => {
                self.drive_feed(index, |machine, now, time, sink, actions| {
                    machine.on_frame(bytes, now, time, sink, actions);
                });
            }
            (Some(bytes), None, Some(channel)) => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.on_frame(channel, bytes, now, time, out);
                });
            }
            (None, Some(index), _) => {
                self.hang_up(Owner::Feed(index), Channel::Market);
                self.on_lost(Owner::Feed(index), Channel::Market);
            }
            (None, None, Some(channel)) => {
                self.hang_up(Owner::Gateway(venue), channel);
                self.on_lost(Owner::Gateway(venue), channel);
            }
            // Of a connection that was replaced meanwhile.
            (_, None, None) => {}
        }
        self.carry_out();
    }

    /// Runs a feed machine, then the hot path over what it said.
    pub(super) fn drive_feed(
        &mut self,
        index: usize,
        step: impl FnOnce(
            &mut crate::exchanges::feed::Feed,
            MonoNanos,
            UnixNanos,
            &mut Vec<crate::market::MarketEvent>,
            &mut Vec<Action>,
        ),
    ) {
        let (now, time) = (self.mono(), self.now);
        let mut events = std::mem::take(&mut self.events);
        let mut actions = Vec::new();
        if let Some(feed) = self.feeds.get_mut(index) {
            step(&mut feed.machine, now, time, &mut events, &mut actions);
        }
        self.perform(Owner::Feed(index), &mut actions);
        self.take_events(index, &events);
        events.clear();
        self.events = events;
    }

    /// Runs a gateway machine and files what it said. True when it wanted something done.
    pub(super) fn drive_gateway(
        &mut self,
        venue: usize,
        step: impl FnOnce(
            &mut crate::exchanges::gateway::Gateway,
            MonoNanos,
            UnixNanos,
            &mut GatewayOut,
        ),
    ) -> bool {
        let (now, time) = (self.mono(), self.now);
        let mut out = std::mem::take(&mut self.gateway_out);
        if let Some(seat) = self.venues.get_mut(venue) {
            step(&mut seat.gateway, now, time, &mut out);
        }
        let mut actions = std::mem::take(&mut out.actions);
        let acted = !actions.is_empty();
        self.perform(Owner::Gateway(venue), &mut actions);
        out.actions = actions;
        self.work.extend(out.reports.drain(..).map(Work::Report));
        self.work.extend(
            out.account
                .drain(..)
                .map(|event| Work::Account(venue, event)),
        );
        self.gateway_out = out;
        acted
    }
}
