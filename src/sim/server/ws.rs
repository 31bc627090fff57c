//! One WebSocket connection: handshake by path, texts in, queue out, pings.

use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::sim::venue::{ConnId, HttpReply, Outgoing};

use super::handle::Counters;
use super::queue::Queue;
use super::shared::Shared;

/// The venue pings this often, and gives up after three without an answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const PINGS_UNANSWERED_MAX: u32 = 3;
/// Largest message of a client.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Messages written before the socket is flushed.
const BATCH_MAX: usize = 256;

/// Serves one accepted socket to its end.
pub(super) async fn serve(shared: Rc<Shared>, socket: TcpStream) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let mut opened: Option<(ConnId, Rc<Queue>)> = None;
    let slot = &mut opened;
    let opener = Rc::clone(&shared);
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let callback =
        move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let target = request
                .uri()
                .path_and_query()
                .map_or("/", |target| target.as_str());
            let now = opener.now();
            let conn = opener
                .core
                .borrow_mut()
                .open(target, now)
                .map_err(|reply| refused(&reply))?;
            *slot = Some((conn, opener.attach(conn)));
            Ok(response)
        };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let accepted =
        tokio_tungstenite::accept_hdr_async_with_config(socket, callback, Some(config)).await;
    let Some((conn, queue)) = opened else { return };
    if let Ok(stream) = accepted {
        shared.wake.notify_one();
        converse(&shared, conn, &queue, stream).await;
    }
    shared.detach(conn);
}

fn refused(reply: &HttpReply) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(reply.body.clone()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_REQUEST);
    response
}

async fn converse(
    shared: &Shared,
    conn: ConnId,
    queue: &Queue,
    mut stream: WebSocketStream<TcpStream>,
) {
    let mut pings = tokio::time::interval(PING_EVERY);
    pings.tick().await;
    let mut unanswered = 0_u32;
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    Counters::add(&shared.counters.messages_received, 1);
                    let now = shared.now();
                    shared.core.borrow_mut().on_text(conn, text.as_str(), now);
                    shared.deliver_and_wake();
                }
                Some(Ok(Message::Pong(_))) => unanswered = 0,
                // The library answers a ping itself, at the next flush.
                Some(Ok(Message::Ping(_))) => {
                    if stream.flush().await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            () = queue.filled.notified() => {
                if !write_queue(shared, queue, &mut stream).await {
                    return;
                }
            }
            _ = pings.tick() => {
                unanswered += 1;
                let ping = Message::Ping(Bytes::from_static(b"arbalest"));
                if unanswered > PINGS_UNANSWERED_MAX || stream.send(ping).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Writes everything that waits; false when the connection is over.
async fn write_queue(
    shared: &Shared,
    queue: &Queue,
    stream: &mut WebSocketStream<TcpStream>,
) -> bool {
    loop {
        let mut written = 0_usize;
        while written < BATCH_MAX {
            match queue.pop() {
                Some(Outgoing::Text(text)) => {
                    if stream.feed(Message::text(text)).await.is_err() {
                        return false;
                    }
                    written += 1;
                }
                Some(Outgoing::Raw(bytes)) => {
                    let text = OpCode::Data(Data::Text);
                    let frame = Message::Frame(Frame::message(bytes, text, true));
                    if stream.feed(frame).await.is_err() {
                        return false;
                    }
                    written += 1;
                }
                Some(Outgoing::Close) => {
                    // The client may be gone already: closing is all the same.
                    drop(stream.close(None).await);
                    return false;
                }
                None => break,
            }
        }
        Counters::add(
            &shared.counters.messages_sent,
            u64::try_from(written).unwrap_or(0),
        );
        if stream.flush().await.is_err() {
            return false;
        }
        if queue.len() == 0 {
            shared.drained.notify_one();
            return true;
        }
    }
}
