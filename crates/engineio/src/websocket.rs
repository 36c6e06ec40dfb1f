//! The WebSocket transport: the handshake, which is actix-http's, and the sending.
//!
//! The body of the response drains the session's outbox. All queued frames form one chunk, and so one write.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_http::ws::{HandshakeError, handshake};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::config::EngineConfig;
use crate::half_close::HalfClose;
use crate::outbox::{Drained, Outbox};
use crate::ws_reader::WebSocketReader;

/// Accepts a WebSocket handshake. Returns the response, whose body drains `outbox`, and the reader of the client's
/// packets.
///
/// # Errors
/// [`HandshakeError`] if the request is not a valid WebSocket handshake.
pub(crate) fn accept(
    request: &HttpRequest,
    payload: Payload,
    outbox: &Arc<Outbox>,
    config: &EngineConfig,
) -> Result<(HttpResponse, WebSocketReader), HandshakeError> {
    let half_close = HalfClose::of(request);
    let body = WebSocketBody { outbox: Arc::clone(outbox), chunk_limit: config.write_chunk, half_close };
    let mut response = handshake(request.head())?;
    if let Some(protocol) = first_protocol(request) {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    let response = response.message_body(BoxBody::new(body));
    // Only an invalid header can make this fail, and the handshake's own are valid.
    let response = response.map_err(|_| HandshakeError::BadWebsocketKey)?;
    let reader = WebSocketReader::new(payload, Arc::clone(outbox));
    Ok((response.into(), reader))
}

/// The first subprotocol that the client offers. A browser fails the connection if none of those it offers is named; the
/// reference server names the first one.
fn first_protocol(request: &HttpRequest) -> Option<HeaderValue> {
    // A list may be spread over several lines and have empty elements (RFC 9110, sections 5.3 and 5.6.1).
    let lines = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    HeaderValue::from_str(offered.find_map(|protocol| Some(protocol.trim()).filter(|it| !it.is_empty()))?).ok()
}

/// The body of a WebSocket's response. actix-web drops it when the connection ends.
struct WebSocketBody {
    outbox: Arc<Outbox>,
    chunk_limit: usize,
    half_close: Option<Rc<HalfClose>>,
}

impl MessageBody for WebSocketBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            match ready!(this.outbox.poll_frames(this.chunk_limit, context)) {
                Drained::Frames(frames) => return Poll::Ready(Some(Ok(frames))),
                Drained::Successor(outbox) => this.outbox = outbox,
                Drained::End => {
                    if let Some(half_close) = &this.half_close {
                        half_close.end_sending();
                    }
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Drop for WebSocketBody {
    fn drop(&mut self) {
        self.outbox.lose_connection();
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_first_protocol_is_found_on_whichever_header_line_it_is() {
        for (lines, first) in [
            (&["chat"][..], Some("chat")),
            (&["chat, superchat"], Some("chat")),
            (&["  chat ,superchat"], Some("chat")),
            (&["", "chat"], Some("chat")),
            (&[" , ,", ",chat,superchat"], Some("chat")),
            (&["chat", "superchat"], Some("chat")),
            (&["ch\u{e4}t", "superchat"], Some("superchat")),
            (&["", " , "], None),
            (&[], None),
        ] {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((header::SEC_WEBSOCKET_PROTOCOL, *line));
            }
            let found = first_protocol(&request.to_http_request());
            assert_eq!(found.as_ref().and_then(|found| found.to_str().ok()), first, "{lines:?}");
        }
    }
}
