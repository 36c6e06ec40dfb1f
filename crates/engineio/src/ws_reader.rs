//! Reads packets from a WebSocket: actix-http's parser decodes frames, which this module assembles into messages.
//!
//! Not actix-ws, which checks a frame's length only when the entire frame is in memory, decodes everything it has read
//! at once, and keeps the buffers. Here a frame that announces too many bytes ends the stream at its header, frames are
//! decoded one at a time, and an idle socket holds no buffer.

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

/// The packets of a WebSocket. Pings of the WebSocket protocol are answered on the way.
pub(crate) struct WebSocketReader {
    payload: Payload,
    /// The bytes of an incomplete frame. Owns no memory while it is empty.
    buffer: BytesMut,
    fragments: Option<Box<Fragments>>,
    is_ended: bool,
    /// Sends pongs, and has the limit of messages and frames.
    outbox: Arc<Outbox>,
}

/// An unmasked frame.
struct Frame {
    is_last: bool,
    opcode: OpCode,
    data: BytesMut,
}

/// A message whose last frame has not arrived.
struct Fragments {
    is_text: bool,
    bytes: BytesMut,
}

impl WebSocketReader {
    /// A reader of messages and frames as long as the outbox allows.
    pub(crate) fn new(payload: Payload, outbox: Arc<Outbox>) -> Self {
        Self { payload, buffer: BytesMut::new(), fragments: None, is_ended: false, outbox }
    }

    /// Reads for another outbox from now on.
    pub(crate) fn read_for(&mut self, outbox: Arc<Outbox>) {
        self.outbox = outbox;
    }

    /// The next frame, if it is complete.
    fn next_frame(&mut self) -> Result<Option<Frame>, ProtocolError> {
        let limit = self.outbox.max_payload();
        // The parser checks the length only when the frame is complete.
        if announced_length(&self.buffer).is_some_and(|length| length > limit as u64) {
            return Err(ProtocolError::Overflow);
        }
        let frame = Parser::parse(&mut self.buffer, true, limit)?;
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(frame.map(|(is_last, opcode, data)| Frame { is_last, opcode, data: data.unwrap_or_default() }))
    }

    /// What a frame completes, if it completes something.
    fn handle_frame(&mut self, frame: Frame) -> Result<Option<Inbound>, ProtocolError> {
        let Frame { is_last, opcode, data } = frame;
        match opcode {
            OpCode::Text | OpCode::Binary if self.fragments.is_some() => Err(ProtocolError::ContinuationStarted),
            OpCode::Text | OpCode::Binary if is_last => {
                complete_message(opcode == OpCode::Text, data.freeze()).map(Some)
            }
            OpCode::Text | OpCode::Binary => {
                self.fragments = Some(Box::new(Fragments { is_text: opcode == OpCode::Text, bytes: data }));
                Ok(None)
            }
            OpCode::Continue => self.append_fragment(is_last, &data),
            _ if !is_last => Err(ProtocolError::ContinuationFragment(opcode)),
            OpCode::Ping => {
                let pong = SharedPacket::pong(&data);
                self.outbox.push(std::iter::once(&pong), Delivery::Reliable);
                Ok(None)
            }
            OpCode::Pong => Ok(None),
            // The client's status code is echoed: browsers report the server's code in their close event.
            OpCode::Close => {
                let reason = Parser::try_parse_close_payload(&data)?;
                Ok(Some(Inbound::Ended(CloseReason::TransportClose, reason.map(|reason| reason.code.into()))))
            }
            OpCode::Bad => Err(ProtocolError::BadOpCode),
        }
    }

    fn append_fragment(&mut self, is_last: bool, data: &[u8]) -> Result<Option<Inbound>, ProtocolError> {
        let fragments = self.fragments.as_mut().ok_or(ProtocolError::ContinuationNotStarted)?;
        if fragments.bytes.len() + data.len() > self.outbox.max_payload() {
            return Err(ProtocolError::Overflow);
        }
        fragments.bytes.extend_from_slice(data);
        match self.fragments.take_if(|_| is_last) {
            Some(fragments) => complete_message(fragments.is_text, fragments.bytes.freeze()).map(Some),
            None => Ok(None),
        }
    }
}

/// The length that the frame at the start of the buffer announces, once the header is there.
fn announced_length(buffer: &[u8]) -> Option<u64> {
    let [_, length, rest @ ..] = buffer else { return None };
    match length & 0x7f {
        126 => rest.first_chunk().map(|length| u16::from_be_bytes(*length).into()),
        127 => rest.first_chunk().map(|length| u64::from_be_bytes(*length)),
        short => Some(short.into()),
    }
}

/// Decodes a complete message.
fn complete_message(is_text: bool, bytes: Bytes) -> Result<Inbound, ProtocolError> {
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
        while !this.is_ended {
            match this.next_frame().and_then(|frame| frame.map(|frame| this.handle_frame(frame)).transpose()) {
                Ok(Some(Some(inbound))) => {
                    this.is_ended = matches!(inbound, Inbound::Ended(..));
                    return Poll::Ready(Some(inbound));
                }
                Ok(Some(None)) => continue,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a client violated the WebSocket protocol");
                    this.is_ended = true;
                    let code = matches!(error, ProtocolError::Overflow).then_some(TOO_BIG);
                    return Poll::Ready(Some(Inbound::Ended(CloseReason::TransportError, code)));
                }
            }
            match ready!(Pin::new(&mut this.payload).poll_next(context)) {
                // Copied, as the chunk is a slice of the connection's buffer of several KiB and would keep it.
                Some(Ok(chunk)) => this.buffer.extend_from_slice(&chunk),
                Some(Err(_)) | None => this.is_ended = true,
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests;
