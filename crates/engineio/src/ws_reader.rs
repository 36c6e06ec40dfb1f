//! What comes on a WebSocket: bytes, cut into frames by actix-http's parser, put together to packets.
//!
//! Not actix-ws: it takes a frame's length for granted until the whole frame is in memory, cuts all that was read into
//! frames at once and keeps the room they took, and holds a channel for the writing, which is not done there. Here a
//! frame that announces too much ends the stream at its header, frames are cut one at a time, and an idle socket holds
//! no buffer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_http::ws::{OpCode, Parser, ProtocolError};
use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;

use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::outbox::{Delivery, Outbox};
use crate::packet::{Message, Packet};
use crate::session::Inbound;

/// Close code for a message over the limit (RFC 6455, section 7.4.1).
const TOO_BIG: u16 = 1009;

/// Packets from a WebSocket. Pings of the WebSocket's own are answered on the way.
pub(crate) struct WebSocketReader {
    payload: Payload,
    limit: usize,
    /// What was read and is no whole frame yet. Owns nothing while it is empty.
    buffer: BytesMut,
    fragments: Option<Box<Fragments>>,
    ended: bool,
    /// Where pongs leave.
    outbox: Arc<Outbox>,
}

/// A frame, unmasked.
struct Frame {
    is_last: bool,
    kind: OpCode,
    data: BytesMut,
}

/// A message whose last frame has not come.
struct Fragments {
    is_text: bool,
    bytes: BytesMut,
}

impl WebSocketReader {
    /// Messages and frames may have up to `limit` bytes.
    pub(crate) fn new(payload: Payload, outbox: Arc<Outbox>, limit: usize) -> Self {
        Self { payload, limit, buffer: BytesMut::new(), fragments: None, ended: false, outbox }
    }

    /// Pongs leave through another outbox from now on.
    pub(crate) fn answer_through(&mut self, outbox: Arc<Outbox>) {
        self.outbox = outbox;
    }

    /// The next frame, if all of it is there.
    fn cut(&mut self) -> Result<Option<Frame>, ProtocolError> {
        // The parser looks at the length only when it has all of the frame.
        if announced(&self.buffer).is_some_and(|length| length > self.limit as u64) {
            return Err(ProtocolError::Overflow);
        }
        let frame = Parser::parse(&mut self.buffer, true, self.limit)?;
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(frame.map(|(is_last, kind, data)| Frame { is_last, kind, data: data.unwrap_or_default() }))
    }

    /// What a frame says; `None` where that is nothing, or not yet all of it.
    fn take(&mut self, frame: Frame) -> Result<Option<Inbound>, ProtocolError> {
        let Frame { is_last, kind, data } = frame;
        match kind {
            OpCode::Text | OpCode::Binary if self.fragments.is_some() => Err(ProtocolError::ContinuationStarted),
            OpCode::Text | OpCode::Binary if is_last => whole(kind == OpCode::Text, data.freeze()).map(Some),
            OpCode::Text | OpCode::Binary => {
                self.fragments = Some(Box::new(Fragments { is_text: kind == OpCode::Text, bytes: data }));
                Ok(None)
            }
            OpCode::Continue => self.put_together(is_last, &data),
            _ if !is_last => Err(ProtocolError::ContinuationFragment(kind)),
            OpCode::Ping => {
                let pong = SharedPacket::pong(&data);
                self.outbox.push(std::iter::once(&pong), Delivery::Reliable);
                Ok(None)
            }
            OpCode::Pong => Ok(None),
            // The client's code is said back, as its own close event shows ours.
            OpCode::Close => {
                let reason = Parser::try_parse_close_payload(&data)?;
                Ok(Some(Inbound::Ended(CloseReason::TransportClose, reason.map(|reason| reason.code.into()))))
            }
            OpCode::Bad => Err(ProtocolError::BadOpCode),
        }
    }

    fn put_together(&mut self, is_last: bool, data: &[u8]) -> Result<Option<Inbound>, ProtocolError> {
        let fragments = self.fragments.as_mut().ok_or(ProtocolError::ContinuationNotStarted)?;
        if fragments.bytes.len() + data.len() > self.limit {
            return Err(ProtocolError::Overflow);
        }
        fragments.bytes.extend_from_slice(data);
        match self.fragments.take_if(|_| is_last) {
            Some(fragments) => whole(fragments.is_text, fragments.bytes.freeze()).map(Some),
            None => Ok(None),
        }
    }
}

/// The length that the frame at the beginning announces, as soon as it has.
fn announced(buffer: &[u8]) -> Option<u64> {
    let [_, length, rest @ ..] = buffer else { return None };
    match length & 0x7f {
        126 => rest.first_chunk().map(|length| u16::from_be_bytes(*length).into()),
        127 => rest.first_chunk().map(|length| u64::from_be_bytes(*length)),
        short => Some(short.into()),
    }
}

/// A whole message.
fn whole(is_text: bool, bytes: Bytes) -> Result<Inbound, ProtocolError> {
    if !is_text {
        return Ok(Inbound::Packet(Ok(Packet::Message(Message::Binary(bytes)))));
    }
    let text = ByteString::try_from(bytes)
        .map_err(|error| ProtocolError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    Ok(Inbound::Packet(Packet::decode_text(&text)))
}

impl Stream for WebSocketReader {
    type Item = Inbound;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Inbound>> {
        let this = self.get_mut();
        while !this.ended {
            match this.cut().and_then(|frame| frame.map(|frame| this.take(frame)).transpose()) {
                Ok(Some(Some(inbound))) => {
                    this.ended = matches!(inbound, Inbound::Ended(..));
                    return Poll::Ready(Some(inbound));
                }
                Ok(Some(None)) => continue,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a WebSocket broke the rules");
                    this.ended = true;
                    let code = matches!(error, ProtocolError::Overflow).then_some(TOO_BIG);
                    return Poll::Ready(Some(Inbound::Ended(CloseReason::TransportError, code)));
                }
            }
            match ready!(Pin::new(&mut this.payload).poll_next(context)) {
                // Copied: the chunk shares the connection's buffer of several KiB.
                Some(Ok(chunk)) => this.buffer.extend_from_slice(&chunk),
                Some(Err(_)) | None => this.ended = true,
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests;
