//! A WebSocket connection that belongs to an actor: opened, polled and written inside the actor's own turn.
//!
//! The pump is an actor future: when the socket has a frame it calls the owner directly, without a task or a message
//! between, and a text is written in the call that sends it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::prelude::{Actor, ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::exchanges::socket::{FrameText, Socket, SocketError};
use crate::exchanges::{Action, Channel, Method, RequestId};

/// Frames taken in one turn before other work of the thread gets its turn.
const FRAMES_A_TURN_MAX: usize = 64;

/// One connection of an actor, perhaps not open.
#[derive(Debug)]
pub(super) struct Link {
    channel: Channel,
    base: String,
    /// Path and query of the last opening, for reconnecting.
    target: String,
    socket: Option<Socket>,
    /// Counts openings: a pump or connection attempt of an older opening ends itself.
    generation: u64,
}

impl Link {
    pub(super) const fn new(channel: Channel, base: String) -> Self {
        Self {
            channel,
            base,
            target: String::new(),
            socket: None,
            generation: 0,
        }
    }
    pub(super) const fn channel(&self) -> Channel {
        self.channel
    }
    pub(super) const fn is_open(&self) -> bool {
        self.socket.is_some()
    }
    /// Forgets the connection; its pump ends by itself.
    pub(super) fn drop_socket(&mut self) {
        self.socket = None;
        self.generation += 1;
    }
}

/// An actor that owns links.
pub(super) trait LinkOwner: Actor<Context = Context<Self>> {
    /// The link of a channel.
    fn link(&mut self, channel: Channel) -> Option<&mut Link>;
    /// TLS settings and HTTP client.
    fn transport(&self) -> &Transport;
    /// The connection stands.
    fn on_link_open(&mut self, channel: Channel, context: &mut Self::Context);
    /// A text arrived.
    fn on_link_text(&mut self, channel: Channel, text: &FrameText, context: &mut Self::Context);
    /// May another frame be taken now? (Backpressure of a replay; live feeds always answer true.)
    fn may_take(&self, _channel: Channel) -> bool {
        true
    }
    /// The connection could not be made or was lost.
    fn on_link_lost(&mut self, channel: Channel, error: &SocketError, context: &mut Self::Context);
    /// An HTTP answer; status 0 when the transport failed.
    fn on_http_answer(&mut self, request: RequestId, answer: Answer, context: &mut Self::Context);
}

/// An HTTP answer; status 0 when there was none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    /// Status.
    pub(super) status: u16,
    /// Headers that are valid text.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// What a venue's actors share to reach it.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) tls: Arc<rustls::ClientConfig>,
    pub(super) http: reqwest::Client,
    pub(super) rest_base: String,
    pub(super) api_key: Option<String>,
}

/// Opens (or replaces) the connection of a channel; an empty target repeats the last one.
pub(super) fn open<A: LinkOwner>(
    owner: &mut A,
    channel: Channel,
    target: &str,
    context: &mut A::Context,
) {
    let tls = Arc::clone(&owner.transport().tls);
    let Some(link) = owner.link(channel) else {
        return;
    };
    link.drop_socket();
    if !target.is_empty() {
        target.clone_into(&mut link.target);
    }
    let target = &link.target;
    let generation = link.generation;
    let url = format!("{}{target}", link.base);
    let connecting = async move { Socket::connect(&url, tls).await };
    context.spawn(
        connecting
            .into_actor(owner)
            .map(move |result, owner: &mut A, context| {
                let Some(link) = owner.link(channel) else {
                    return;
                };
                if link.generation != generation {
                    return;
                }
                match result {
                    Ok(socket) => {
                        link.socket = Some(socket);
                        context.spawn(Pump {
                            channel,
                            generation,
                        });
                        owner.on_link_open(channel, context);
                    }
                    Err(error) => owner.on_link_lost(channel, &error, context),
                }
            }),
    );
}

/// Writes a text now; a failure is reported to the owner like a lost connection. False when there is no connection.
pub(super) fn send<A: LinkOwner>(
    owner: &mut A,
    channel: Channel,
    text: String,
    context: &mut A::Context,
) -> bool {
    let Some(link) = owner.link(channel) else {
        return false;
    };
    let Some(socket) = link.socket.as_mut() else {
        return false;
    };
    match socket.send(text) {
        Ok(()) => {
            if socket.has_backlog() {
                let generation = link.generation;
                context.spawn(Flush {
                    channel,
                    generation,
                });
            }
            true
        }
        Err(error) => {
            link.drop_socket();
            owner.on_link_lost(channel, &error, context);
            false
        }
    }
}

/// Makes an HTTP request below the venue's REST base address.
pub(super) fn request<A: LinkOwner>(
    owner: &A,
    request: RequestId,
    method: Method,
    target: &str,
    with_key: bool,
    context: &mut A::Context,
) {
    let transport = owner.transport();
    let url = format!("{}{target}", transport.rest_base);
    let method = match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut builder = transport.http.request(method, url);
    if let (true, Some(key)) = (with_key, &transport.api_key) {
        builder = builder.header("X-MBX-APIKEY", key);
    }
    tracing::debug!(?request, "asking");
    let asking = async move { fetch(builder).await };
    context.spawn(
        asking
            .into_actor(owner)
            .map(move |answer, owner: &mut A, context| {
                owner.on_http_answer(request, answer, context);
            }),
    );
}

/// Sends one request and reads the bounded answer; every failure is status 0.
pub(super) async fn fetch(builder: reqwest::RequestBuilder) -> Answer {
    let Ok(mut response) = builder.send().await else {
        return Answer::default();
    };
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers,
        body: Vec::new(),
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                if answer.body.len() + chunk.len() > crate::capacity::MESSAGE_BYTES_MAX {
                    return Answer::default();
                }
                answer.body.extend_from_slice(&chunk);
            }
            Ok(None) => return answer,
            Err(_) => return Answer::default(),
        }
    }
}

/// Performs a machine's actions in order. Texts that cannot be sent are reported by `on_link_lost`.
pub(super) fn perform<A: LinkOwner>(
    owner: &mut A,
    actions: &mut Vec<Action>,
    context: &mut A::Context,
) {
    for action in actions.drain(..) {
        match action {
            Action::Open { channel, target } => open(owner, channel, &target, context),
            Action::Send { channel, text } => {
                send(owner, channel, text, context);
            }
            Action::Http {
                request: id,
                method,
                target,
                with_key,
            } => {
                request(owner, id, method, &target, with_key, context);
            }
            Action::Reconnect { channel, delay, .. } => {
                if let Some(link) = owner.link(channel) {
                    link.drop_socket();
                }
                let delay = delay.as_duration().max(std::time::Duration::from_millis(1));
                context.run_later(delay, move |owner: &mut A, context| {
                    open(owner, channel, "", context);
                });
            }
        }
    }
}

/// Takes frames of one opening of one link until it is lost or replaced.
struct Pump {
    channel: Channel,
    generation: u64,
}

impl<A: LinkOwner> ActorFuture<A> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        owner: &mut A,
        context: &mut A::Context,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        for _ in 0..FRAMES_A_TURN_MAX {
            if !owner.may_take(self.channel) {
                break;
            }
            let Some(link) = owner.link(self.channel) else {
                return Poll::Ready(());
            };
            if link.generation != self.generation {
                return Poll::Ready(());
            }
            let Some(socket) = link.socket.as_mut() else {
                return Poll::Ready(());
            };
            match socket.poll_text(task) {
                Poll::Ready(Ok(text)) => owner.on_link_text(self.channel, &text, context),
                Poll::Ready(Err(error)) => {
                    link.drop_socket();
                    owner.on_link_lost(self.channel, &error, context);
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Writes what the kernel did not take at once.
struct Flush {
    channel: Channel,
    generation: u64,
}

impl<A: LinkOwner> ActorFuture<A> for Flush {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        owner: &mut A,
        context: &mut A::Context,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let Some(link) = owner.link(self.channel) else {
            return Poll::Ready(());
        };
        if link.generation != self.generation {
            return Poll::Ready(());
        }
        let Some(socket) = link.socket.as_mut() else {
            return Poll::Ready(());
        };
        match socket.poll_flush(task) {
            Ok(()) if socket.has_backlog() => Poll::Pending,
            Ok(()) => Poll::Ready(()),
            Err(error) => {
                link.drop_socket();
                owner.on_link_lost(self.channel, &error, context);
                Poll::Ready(())
            }
        }
    }
}
