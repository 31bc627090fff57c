//! One venue of the watchdog: the gateway machine on plain sockets, and the rescue that drives it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::actors::link::{Answer, Transport, fetch};
use crate::clock::{Clock, OsClock};
use crate::config::settings::VenueSettings;
use crate::engine::rescue::{Claim, Rescue, RescueOutput};
use crate::exchanges::gateway::{AccountEvent, Gateway, GatewayOut, HttpAnswer};
use crate::exchanges::socket::{FrameText, Socket, SocketError};
use crate::exchanges::{Action, Channel, Dialect, Method, RequestId, quote};
use crate::market::{Instrument, InstrumentId};
use crate::units::{Asset, MonoNanos, UnixNanos};

use super::{Orders, Told};

/// How often the machine and the rescue look at the time.
const TICK: Duration = Duration::from_millis(50);

/// A venue that the beat does not name.
static NOTHING: BTreeMap<Asset, Decimal> = BTreeMap::new();

/// What came back from a task.
enum Back {
    Opened(Channel, u64, Result<Box<Socket>, SocketError>),
    Answered(RequestId, Answer),
    Quoted(InstrumentId, Answer),
}

/// One connection.
struct Wire {
    channel: Channel,
    base: String,
    target: String,
    socket: Option<Box<Socket>>,
    generation: u64,
}

/// One venue.
pub(super) struct Line {
    name: String,
    dialect: Dialect,
    machine: Gateway,
    rescue: Rescue,
    transport: Transport,
    clock: OsClock,
    wires: Vec<Wire>,
    back: UnboundedSender<Back>,
    inbox: Option<UnboundedReceiver<Back>>,
    refused: Option<i32>,
}

impl Line {
    pub(super) fn new(
        venue: &VenueSettings,
        machine: Gateway,
        rescue: Rescue,
        transport: Transport,
        clock: OsClock,
    ) -> Self {
        let wires = Gateway::channels(venue.dialect).iter().map(|channel| Wire {
            channel: *channel,
            base: match channel {
                Channel::Orders => venue.ws_api_url.clone(),
                Channel::Account | Channel::Market => venue.ws_url.clone(),
            },
            target: String::new(),
            socket: None,
            generation: 0,
        });
        let (back, inbox) = unbounded_channel();
        Self {
            name: venue.id.clone(),
            dialect: venue.dialect,
            machine,
            rescue,
            transport,
            clock,
            wires: wires.collect(),
            back,
            inbox: Some(inbox),
            refused: None,
        }
    }

    /// Runs for ever.
    pub(super) async fn run(
        mut self,
        instruments: Vec<Instrument>,
        orders: Rc<RefCell<Orders>>,
        told: Rc<RefCell<Told>>,
        say: &impl Fn(&str),
    ) {
        let Some(mut inbox) = self.inbox.take() else {
            return;
        };
        let mut ticks = tokio::time::interval(TICK);
        self.drive(Gateway::start);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.drive(Gateway::on_timer);
                    let mut out = Vec::new();
                    {
                        let orders = orders.borrow();
                        let own = orders.own.as_ref();
                        let claim = Claim {
                            baseline: orders.baselines.get(&self.name),
                            own: own.map(|own| own.get(&self.name).unwrap_or(&NOTHING)),
                        };
                        self.rescue.on_timer(orders.gone, claim, self.clock.now(), &mut out);
                    }
                    for output in out {
                        self.carry_out(output, &instruments, say);
                    }
                    *told.borrow_mut() = Told {
                        state: self.rescue.state(),
                        seen: self.rescue.seen(),
                        refused: self.refused,
                    };
                }
                Some(back) = inbox.recv() => self.take(back, &instruments),
                (channel, text) = poll_fn(|context| poll(&mut self.wires, context)) => {
                    self.on_text(channel, text);
                }
            }
        }
    }

    fn drive(&mut self, step: impl FnOnce(&mut Gateway, MonoNanos, UnixNanos, &mut GatewayOut)) {
        let mut out = GatewayOut::default();
        step(
            &mut self.machine,
            self.clock.now(),
            self.clock.now_unix(),
            &mut out,
        );
        for event in &out.account {
            if let AccountEvent::Refused { code } = event {
                self.refused = Some(*code);
            }
            self.rescue.on_event(event);
        }
        for report in &out.reports {
            self.rescue.on_report(report);
        }
        for action in out.actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Open { channel, target } => self.open(channel, Some(target), Duration::ZERO),
            Action::Reconnect { channel, delay, .. } => {
                self.open(channel, None, delay.as_duration());
            }
            Action::Send { channel, text } => {
                let wire = self.wires.iter_mut().find(|wire| wire.channel == channel);
                let sent = wire
                    .and_then(|wire| wire.socket.as_mut())
                    .is_some_and(|socket| socket.send(text).is_ok());
                if !sent {
                    self.lost(channel);
                }
            }
            Action::Http {
                request,
                method,
                target,
                with_key,
            } => {
                let method = match method {
                    Method::Get => reqwest::Method::GET,
                    Method::Post => reqwest::Method::POST,
                    Method::Put => reqwest::Method::PUT,
                    Method::Delete => reqwest::Method::DELETE,
                };
                let url = format!("{}{target}", self.transport.rest_base);
                let mut builder = self.transport.http.request(method, url);
                if let (true, Some(key)) = (with_key, &self.transport.api_key) {
                    builder = builder.header(self.machine.api_key_header(), key);
                }
                self.spawn(async move { Back::Answered(request, fetch(builder).await) });
            }
        }
    }

    fn spawn(&self, work: impl Future<Output = Back> + Send + 'static) {
        let back = self.back.clone();
        tokio::spawn(async move {
            // The other end is gone only when the process ends.
            drop(back.send(work.await));
        });
    }

    /// Opens a connection, or opens it again.
    fn open(&mut self, channel: Channel, target: Option<String>, delay: Duration) {
        let Some(wire) = self.wires.iter_mut().find(|wire| wire.channel == channel) else {
            return;
        };
        wire.socket = None;
        wire.generation += 1;
        if let Some(target) = target {
            wire.target = target;
        }
        let (url, generation) = (format!("{}{}", wire.base, wire.target), wire.generation);
        let tls = Arc::clone(&self.transport.tls);
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            let socket = Socket::connect(&url, tls).await.map(Box::new);
            Back::Opened(channel, generation, socket)
        });
    }

    fn lost(&mut self, channel: Channel) {
        if let Some(wire) = self.wires.iter_mut().find(|wire| wire.channel == channel) {
            wire.socket = None;
            wire.generation += 1;
        }
        self.drive(|machine, now, time, out| machine.on_closed(channel, now, time, out));
    }

    fn on_text(&mut self, channel: Channel, text: Result<FrameText, SocketError>) {
        match text {
            Ok(text) => self.drive(|machine, now, time, out| {
                machine.on_frame(channel, text.as_bytes(), now, time, out);
            }),
            Err(_lost) => self.lost(channel),
        }
    }

    fn take(&mut self, back: Back, instruments: &[Instrument]) {
        match back {
            Back::Opened(channel, generation, result) => {
                let wire = self.wires.iter_mut().find(|wire| wire.channel == channel);
                let Some(wire) = wire.filter(|wire| wire.generation == generation) else {
                    return;
                };
                match result {
                    Ok(socket) => {
                        wire.socket = Some(socket);
                        self.drive(|machine, now, time, out| {
                            machine.on_open(channel, now, time, out);
                        });
                    }
                    Err(_refused) => self.lost(channel),
                }
            }
            Back::Answered(request, answer) => self.drive(|machine, now, time, out| {
                let answer = HttpAnswer {
                    request,
                    status: answer.status,
                    headers: &answer.headers,
                    body: &answer.body,
                };
                machine.on_http(&answer, now, time, out);
            }),
            Back::Quoted(id, answer) => {
                let instrument = instruments.iter().find(|instrument| instrument.id == id);
                let prices = instrument
                    .filter(|_| answer.status == 200)
                    .and_then(|instrument| quote::parse(&answer.body, instrument.grid));
                if let Some((bid, ask)) = prices {
                    self.rescue.on_quote(id, bid, ask, self.clock.now());
                }
            }
        }
    }

    fn carry_out(&mut self, output: RescueOutput, instruments: &[Instrument], say: &impl Fn(&str)) {
        match output {
            RescueOutput::Say(text) => say(&format!("{}: {text}", self.name)),
            RescueOutput::Ask(query) => self.drive(|machine, now, time, out| {
                machine.request_account(query, now, time, out);
            }),
            RescueOutput::CancelAll(instrument) => self.drive(|machine, now, time, out| {
                machine.cancel_all(instrument, now, time, out);
            }),
            RescueOutput::Place(ticket) => self.drive(|machine, now, time, out| {
                machine.place(&ticket, now, time, out);
            }),
            RescueOutput::Query(instrument, order) => self.drive(|machine, now, time, out| {
                machine.query(instrument, order, now, time, out);
            }),
            RescueOutput::Quote(id) => {
                if let Some(instrument) = instruments.iter().find(|instrument| instrument.id == id)
                {
                    let target = quote::target(self.dialect, &instrument.native);
                    let url = format!("{}{target}", self.transport.rest_base);
                    let asking = self.transport.http.get(url);
                    self.spawn(async move { Back::Quoted(id, fetch(asking).await) });
                }
            }
        }
    }
}

/// The next text of any connection.
fn poll(
    wires: &mut [Wire],
    context: &mut Context<'_>,
) -> Poll<(Channel, Result<FrameText, SocketError>)> {
    for wire in wires {
        let Some(socket) = wire.socket.as_mut() else {
            continue;
        };
        if let Err(error) = socket.poll_flush(context) {
            return Poll::Ready((wire.channel, Err(error)));
        }
        if let Poll::Ready(text) = socket.poll_text(context) {
            return Poll::Ready((wire.channel, text));
        }
    }
    Poll::Pending
}
