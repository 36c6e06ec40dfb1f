//! The polling transport: a GET returns queued packets, a POST delivers the client's.
//!
//! Requests of one session may arrive at any HTTP worker. A poll drains the outbox directly; a data request's packets go
//! to the session's actor, and the request is answered once the application has accepted all of them.

use std::collections::VecDeque;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bytes::BytesMut;
use bytestring::ByteString;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use tokio::sync::oneshot;

use crate::close_reason::CloseReason;
use crate::config::EngineConfig;
use crate::half_close::HalfClose;
use crate::handshake::Refusal;
use crate::outbox::{Outbox, PollRefusal};
use crate::payload;
use crate::registry::SessionEntry;
use crate::session::DataRequest;

/// Initial capacity for the body of a data request.
const INITIAL_BODY_CAPACITY: usize = 16 * 1024;

/// Answers a poll once there are packets to send. Of the request only the origin is kept while it waits.
pub(crate) async fn poll(
    request: &mut ServiceRequest,
    entry: SessionEntry,
    config: &EngineConfig,
    header_trimmer: &HeaderTrimmer,
) -> HttpResponse {
    match entry.outbox.begin_poll() {
        Ok(()) => {}
        Err(PollRefusal::Overlap) => return HttpResponse::BadRequest().finish(),
        Err(PollRefusal::Upgraded) => return Refusal::BadRequest.response(false),
        Err(PollRefusal::Closed) => return Refusal::UnknownSession.response(false),
    }
    let gzip = accepts_gzip(request.request());
    let half_close = HalfClose::of(request.request());
    let mut poll = WaitingPoll { outbox: Some(entry.outbox), limit: config.max_payload };
    drop(entry.actor);
    header_trimmer.trim(request);
    let body = std::future::poll_fn(|context| match (poll.poll(context), &half_close) {
        (Poll::Ready(body), _) => Poll::Ready(Some(body)),
        (Poll::Pending, Some(half_close)) => half_close.poll_receiving_over(context).map(|()| None),
        (Poll::Pending, None) => Poll::Pending,
    })
    .await;
    match body {
        Some(body) => response(gzip, body, config),
        // The client has hung up, or can send nothing more.
        None => Refusal::BadRequest.response(false),
    }
}

/// Frees the headers of waiting polls.
///
/// A browser's headers take several KiB in actix-http and keep the connection's read buffer alive. Only CORS reads a
/// header after the poll is answered: the origin.
#[derive(Debug, Default)]
pub(crate) struct HeaderTrimmer {
    is_disabled: AtomicBool,
}

impl HeaderTrimmer {
    fn trim(&self, request: &mut ServiceRequest) {
        if self.is_disabled.load(Ordering::Relaxed) {
            return;
        }
        // `headers_mut` panics if a middleware keeps a clone of the request, and actix-web offers no way to ask. The
        // first panic disables trimming: that costs memory, but no poll.
        if catch_unwind(AssertUnwindSafe(|| keep_origin(request.headers_mut()))).is_err() {
            self.is_disabled.store(true, Ordering::Relaxed);
            tracing::warn!("a middleware keeps clones of requests: waiting polls keep their headers in memory");
        }
    }
}

fn keep_origin(headers: &mut HeaderMap) {
    // Copied, as the value is a slice of the read buffer.
    let origin = headers.get(header::ORIGIN).and_then(|origin| HeaderValue::from_bytes(origin.as_bytes()).ok());
    *headers = HeaderMap::new();
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, origin);
    }
}

/// A waiting poll. It is dropped unanswered if its client disconnects.
struct WaitingPoll {
    /// `None` once the poll is answered.
    outbox: Option<Arc<Outbox>>,
    limit: usize,
}

impl WaitingPoll {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Vec<u8>> {
        let Some(outbox) = &self.outbox else {
            return Poll::Pending;
        };
        let body = outbox.poll_payload(self.limit, context);
        if body.is_ready() {
            self.outbox = None;
        }
        body
    }
}

impl Drop for WaitingPoll {
    fn drop(&mut self) {
        if let Some(outbox) = &self.outbox {
            outbox.abandon_poll();
        }
    }
}

/// The response to a poll or a polling handshake.
pub(crate) fn response(accepts_gzip: bool, body: Vec<u8>, config: &EngineConfig) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    let is_long = config.compression_threshold.is_some_and(|threshold| body.len() >= threshold);
    if is_long
        && accepts_gzip
        && let Some(compressed) = gzip(&body)
    {
        return response
            .insert_header(ContentEncoding::Gzip)
            .insert_header((header::VARY, "Accept-Encoding"))
            .body(compressed);
    }
    response.body(body)
}

/// Whether the response may be compressed.
pub(crate) fn accepts_gzip(request: &HttpRequest) -> bool {
    // Without the header every encoding is acceptable (RFC 9110, section 12.5.3), but such clients decode none.
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|accepted| {
            accepted.negotiate([Encoding::gzip(), Encoding::identity()].iter()) == Some(Encoding::gzip())
        })
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Delivers the packets in a request's body to the session, and responds once the application has accepted them.
pub(crate) async fn post(
    request: &HttpRequest,
    body: Payload,
    entry: SessionEntry,
    config: &EngineConfig,
) -> HttpResponse {
    if !entry.outbox.begin_data_request() {
        return HttpResponse::BadRequest().finish();
    }
    let outbox = Arc::clone(&entry.outbox);
    let _guard = DataRequestGuard(outbox);
    match receive(request, body, &entry, config).await {
        Ok(()) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/html"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body("ok"),
        Err(DataRequestError::TooLarge) => HttpResponse::PayloadTooLarge().finish(),
        Err(DataRequestError::Binary) => {
            entry.outbox.abort(CloseReason::TransportError);
            HttpResponse::BadRequest().finish()
        }
        Err(DataRequestError::Incomplete) => {
            entry.outbox.abort(CloseReason::TransportError);
            Refusal::BadRequest.response(false)
        }
        Err(DataRequestError::InvalidUtf8) => {
            entry.outbox.abort(CloseReason::ParseError);
            Refusal::BadRequest.response(false)
        }
        Err(DataRequestError::SessionClosed) => Refusal::BadRequest.response(false),
    }
}

/// Admits the next data request when it is dropped.
struct DataRequestGuard(Arc<Outbox>);

impl Drop for DataRequestGuard {
    fn drop(&mut self) {
        self.0.end_data_request();
    }
}

/// Why a data request is not answered with `ok`.
enum DataRequestError {
    /// The body is longer than the limit. The session stays open.
    TooLarge,
    /// Protocol 4 has no binary bodies.
    Binary,
    /// The client did not send the complete body in time.
    Incomplete,
    /// The body is not UTF-8.
    InvalidUtf8,
    /// The session closed before all packets were handled.
    SessionClosed,
}

async fn receive(
    request: &HttpRequest,
    body: Payload,
    entry: &SessionEntry,
    config: &EngineConfig,
) -> Result<(), DataRequestError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/octet-stream")) {
        return Err(DataRequestError::Binary);
    }
    // While this request is read no other can deliver a pong, so it may take no longer than the heartbeat allows.
    let time_limit = config.ping_interval + config.ping_timeout;
    let reading = tokio::time::timeout(time_limit, read_body(request, body, entry.outbox.max_payload()));
    let text = reading.await.map_err(|_| DataRequestError::Incomplete)??;
    let (sender, handled) = oneshot::channel();
    let mut packets = VecDeque::new();
    let mut is_malformed = false;
    for packet in payload::decode(&text, config.max_packets_per_payload) {
        match packet {
            Ok(packet) => packets.push_back(packet),
            Err(_) => is_malformed = true,
        }
    }
    let message = DataRequest { packets, is_malformed, handled: sender };
    entry.actor.try_send(message).map_err(|_| DataRequestError::SessionClosed)?;
    handled.await.map_err(|_| DataRequestError::SessionClosed)
}

async fn read_body(request: &HttpRequest, mut body: Payload, limit: usize) -> Result<ByteString, DataRequestError> {
    // actix-http takes all that follows a request with `Upgrade: websocket` for its body, which does not end.
    let announced = match request.headers().get(header::CONTENT_LENGTH) {
        None if request.headers().contains_key(header::TRANSFER_ENCODING) => None,
        None => Some(0),
        Some(length) => length.to_str().ok().and_then(|length| length.trim().parse::<usize>().ok()),
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(DataRequestError::TooLarge);
    }
    // Memory is allocated for what arrives, not for what a client announces.
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0).min(INITIAL_BODY_CAPACITY));
    while announced.is_none_or(|length| bytes.len() < length)
        && let Some(chunk) = body.next().await
    {
        let chunk = chunk.map_err(|_| DataRequestError::Incomplete)?;
        let rest = announced.map_or(usize::MAX, |length| length - bytes.len());
        let chunk = chunk.get(..rest).unwrap_or(&chunk);
        if bytes.len() + chunk.len() > limit {
            return Err(DataRequestError::TooLarge);
        }
        bytes.extend_from_slice(chunk);
    }
    ByteString::try_from(bytes).map_err(|_| DataRequestError::InvalidUtf8)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request() -> ServiceRequest {
        TestRequest::default()
            .insert_header(("origin", "https://a.example"))
            .insert_header(("cookie", "x"))
            .to_srv_request()
    }

    #[test]
    fn a_waiting_poll_keeps_the_origin_header_only() {
        let mut request = request();
        HeaderTrimmer::default().trim(&mut request);
        assert_eq!(request.headers().len(), 1);
        assert_eq!(request.headers().get(header::ORIGIN).unwrap(), "https://a.example");
    }

    #[test]
    fn after_a_request_that_a_middleware_has_cloned_headers_are_not_trimmed() {
        let (trimmer, mut cloned, mut other) = (HeaderTrimmer::default(), request(), request());
        let clone = cloned.request().clone();
        trimmer.trim(&mut cloned);
        trimmer.trim(&mut other);
        assert_eq!([clone.headers().len(), other.headers().len()], [2, 2]);
    }
}
