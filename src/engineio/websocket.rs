//! The WebSocket transport on actix-ws: its handshake and its reading are used, its writing is not.
//!
//! actix-ws writes through a channel of messages that it encodes one by one for each socket. Here the response's body drains the
//! session's outbox instead: finished frames, as many as are queued, in one chunk and so in one write.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev,
    error::PayloadError,
    web::Payload,
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use bytes::Bytes;
use futures_util::Stream;

use super::{
    close::CloseReason,
    config::EngineConfig,
    frame::SharedPacket,
    frame_guard::FrameGuard,
    outbox::{Delivery, Drained, Outbox},
    packet::{Message, Packet},
    session::Inbound,
};

/// Close code for a message over the limit (RFC 6455, section 7.4.1).
const TOO_BIG: u16 = 1009;

/// Answers a WebSocket handshake: the response, whose body drains `outbox`, and what comes from the client.
///
/// # Errors
/// Where the request is no good WebSocket handshake.
pub(super) async fn accept(
    request: &HttpRequest,
    payload: Payload,
    outbox: &Arc<Outbox>,
    config: &EngineConfig,
) -> actix_web::Result<(HttpResponse, WebSocketReader)> {
    let guard = FrameGuard::new(payload.into_inner(), config.max_payload);
    let mut guarded =
        dev::Payload::Stream { payload: Box::pin(guard) as Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> };
    let payload = Payload::from_request(request, &mut guarded).await?;
    let (response, _, stream) = actix_ws::handle(request, payload)?;
    let reader = WebSocketReader {
        stream: stream
            .max_frame_size(config.max_payload)
            .aggregate_continuations()
            .max_continuation_size(config.max_payload),
        outbox: Arc::clone(outbox),
    };
    let body = |_: &mut _, unused| WebSocketBody { outbox: Arc::clone(outbox), chunk: config.write_chunk, unused };
    Ok((response.map_body(body).map_into_boxed_body(), reader))
}

/// The body of a WebSocket's response. Dropped, the connection is gone.
struct WebSocketBody {
    outbox: Arc<Outbox>,
    chunk: usize,
    /// actix-ws ends its message stream when its own body is dropped.
    #[expect(dead_code, reason = "held for its drop alone")]
    unused: BoxBody,
}

impl MessageBody for WebSocketBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            match ready!(this.outbox.poll_frames(this.chunk, context)) {
                Drained::Frames(frames) => return Poll::Ready(Some(Ok(frames))),
                Drained::Successor(outbox) => this.outbox = outbox,
                Drained::End => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for WebSocketBody {
    fn drop(&mut self) {
        self.outbox.break_off(CloseReason::TransportClose);
    }
}

/// Packets from a WebSocket. Pings of the WebSocket's own are answered on the way.
pub(super) struct WebSocketReader {
    stream: AggregatedMessageStream,
    /// Where pongs leave.
    outbox: Arc<Outbox>,
}

impl WebSocketReader {
    /// Pongs leave through another outbox from now on.
    pub(super) fn answer_through(&mut self, outbox: Arc<Outbox>) {
        self.outbox = outbox;
    }
}

impl Stream for WebSocketReader {
    type Item = Inbound;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Inbound>> {
        let this = self.get_mut();
        loop {
            let Some(message) = ready!(Pin::new(&mut this.stream).poll_next(context)) else {
                return Poll::Ready(None);
            };
            return Poll::Ready(Some(match message {
                Ok(AggregatedMessage::Text(text)) => Inbound::Packet(Packet::decode_text(&text)),
                Ok(AggregatedMessage::Binary(bytes)) => Inbound::Packet(Ok(Packet::Message(Message::Binary(bytes)))),
                Ok(AggregatedMessage::Ping(data)) => {
                    let pong = SharedPacket::pong(&data);
                    this.outbox.push(std::iter::once(&pong), Delivery::Reliable);
                    continue;
                }
                Ok(AggregatedMessage::Pong(_)) => continue,
                // The client's code is said back, as its own close event shows ours.
                Ok(AggregatedMessage::Close(reason)) => {
                    Inbound::Ended(CloseReason::TransportClose, reason.map(|reason| reason.code.into()))
                }
                Err(error) => match broken(&error) {
                    Some(ended) => ended,
                    None => continue,
                },
            }));
        }
    }
}

/// Tells a client that broke the rules from a connection that ended. `None` for the latter: actix-ws reports the end before it has
/// given out what it read, so what comes last is still to come.
fn broken(error: &ProtocolError) -> Option<Inbound> {
    let too_big = Inbound::Ended(CloseReason::TransportError, Some(TOO_BIG));
    match error {
        ProtocolError::Overflow => Some(too_big),
        ProtocolError::Io(error) => match error.get_ref().and_then(|cause| cause.downcast_ref::<PayloadError>()) {
            Some(PayloadError::Overflow) => Some(too_big),
            Some(_) => None,
            None => Some(Inbound::Ended(CloseReason::TransportError, None)),
        },
        _ => Some(Inbound::Ended(CloseReason::TransportError, None)),
    }
}
