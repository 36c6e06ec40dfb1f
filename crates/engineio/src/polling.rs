//! Polling: what waits for a client leaves as the answer to a GET, what it has to say comes as the body of a POST.
//!
//! Works on any HTTP worker: a poll drains the outbox itself, and a data request's packets go to the session's actor,
//! wherever it lives, and are answered once the application has taken them.

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
use crate::handshake::Refusal;
use crate::outbox::{Outbox, PollRefusal};
use crate::payload;
use crate::registry::SessionEntry;
use crate::session::Post;

/// Room for the body of a data request before it grows.
const FIRST_ROOM: usize = 16 * 1024;

/// Waits for something to say and says it. Of the request only the origin is kept meanwhile.
pub(crate) async fn poll(
    request: &mut ServiceRequest,
    found: SessionEntry,
    config: &EngineConfig,
    shedding: &HeaderTrimmer,
) -> HttpResponse {
    match found.outbox.begin_poll() {
        Ok(()) => {}
        Err(PollRefusal::Overlap) => return HttpResponse::BadRequest().finish(),
        Err(PollRefusal::Upgraded) => return Refusal::BadRequest.answer(false),
        Err(PollRefusal::Over) => return Refusal::UnknownSession.answer(false),
    }
    let gzip = takes_gzip(request.request());
    let mut poll = WaitingPoll { outbox: Some(found.outbox), limit: config.max_payload };
    drop(found.actor);
    shedding.shed_headers(request);
    let body = std::future::poll_fn(|context| poll.poll(context)).await;
    answer(gzip, body, config)
}

/// Lets go of what waiting polls need not hold, unless something of the server's holds on to it.
#[derive(Debug, Default)]
pub(crate) struct HeaderTrimmer {
    is_in_vain: AtomicBool,
}

impl HeaderTrimmer {
    /// A browser's headers take several KiB in actix-http, and hold on to the connection's read buffer. What looks at
    /// them after the answer, CORS alone, needs the origin.
    ///
    /// They can only be changed where nobody else has the request, which actix-web does not tell but by a panic. So
    /// where a middleware keeps a clone that is found out once, and then costs memory, but no poll.
    fn shed_headers(&self, request: &mut ServiceRequest) {
        if self.is_in_vain.load(Ordering::Relaxed) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| keep_origin(request.headers_mut()))).is_err() {
            self.is_in_vain.store(true, Ordering::Relaxed);
            tracing::warn!("a middleware holds on to requests: waiting polls keep their headers");
        }
    }
}

fn keep_origin(headers: &mut HeaderMap) {
    let origin = headers.get(header::ORIGIN).and_then(|origin| HeaderValue::from_bytes(origin.as_bytes()).ok());
    *headers = HeaderMap::new();
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, origin);
    }
}

/// A poll that waits. Dropped before it is answered, its client is gone.
struct WaitingPoll {
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

/// The answer to a poll or a handshake.
pub(crate) fn answer(gzip_accepted: bool, body: Vec<u8>, config: &EngineConfig) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    let long_enough = config.compression_threshold.is_some_and(|threshold| body.len() >= threshold);
    if long_enough
        && gzip_accepted
        && let Some(compressed) = gzip(&body)
    {
        return response
            .insert_header(ContentEncoding::Gzip)
            .insert_header((header::VARY, "Accept-Encoding"))
            .body(compressed);
    }
    response.body(body)
}

/// Whether an answer may be compressed.
pub(crate) fn takes_gzip(request: &HttpRequest) -> bool {
    // Without the header everything is accepted, by the letter; in practice nothing is.
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

/// Hands a body's packets to the session.
pub(crate) async fn post(
    request: &HttpRequest,
    body: Payload,
    found: SessionEntry,
    config: &EngineConfig,
) -> HttpResponse {
    if !found.outbox.begin_post() {
        return HttpResponse::BadRequest().finish();
    }
    let outbox = Arc::clone(&found.outbox);
    let _posting = Posting(outbox);
    match take(request, body, &found, config).await {
        Ok(()) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/html"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body("ok"),
        Err(PostError::TooLarge) => HttpResponse::PayloadTooLarge().finish(),
        Err(PostError::Binary) => {
            found.outbox.abort(CloseReason::TransportError);
            HttpResponse::BadRequest().finish()
        }
        Err(PostError::Gone) => {
            found.outbox.abort(CloseReason::TransportError);
            Refusal::BadRequest.answer(false)
        }
        Err(PostError::Invalid) => {
            found.outbox.abort(CloseReason::ParseError);
            Refusal::BadRequest.answer(false)
        }
        Err(PostError::Closed) => Refusal::BadRequest.answer(false),
    }
}

/// A data request under way. Dropped, the next one may come.
struct Posting(Arc<Outbox>);

impl Drop for Posting {
    fn drop(&mut self) {
        self.0.end_post();
    }
}

/// Why a data request is not answered with `ok`.
enum PostError {
    /// Longer than the limit. The session stays.
    TooLarge,
    /// Protocol 4 knows no binary bodies.
    Binary,
    /// The client did not send all of it, or not in time.
    Gone,
    /// It is no text.
    Invalid,
    /// The session ended over it.
    Closed,
}

async fn take(
    request: &HttpRequest,
    body: Payload,
    found: &SessionEntry,
    config: &EngineConfig,
) -> Result<(), PostError> {
    if request
        .head()
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/octet-stream"))
    {
        return Err(PostError::Binary);
    }
    // A pong would come in a data request too, so none may take longer than the heartbeat allows.
    let patience = config.ping_interval + config.ping_timeout;
    let reading = tokio::time::timeout(patience, read(request, body, config.max_payload));
    let text = reading.await.map_err(|_| PostError::Gone)??;
    let (done, handed_on) = oneshot::channel();
    let mut packets = VecDeque::new();
    let mut broken = false;
    for packet in payload::decode(&text, config.max_packets_per_payload) {
        match packet {
            Ok(packet) => packets.push_back(packet),
            Err(_) => broken = true,
        }
    }
    found.actor.try_send(Post { packets, broken, done }).map_err(|_| PostError::Closed)?;
    handed_on.await.map_err(|_| PostError::Closed)
}

async fn read(request: &HttpRequest, mut body: Payload, limit: usize) -> Result<ByteString, PostError> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(PostError::TooLarge);
    }
    // Room is made for what comes, not for what is announced.
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0).min(FIRST_ROOM));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| PostError::Gone)?;
        if bytes.len() + chunk.len() > limit {
            return Err(PostError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    ByteString::try_from(bytes).map_err(|_| PostError::Invalid)
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
    fn of_a_waiting_polls_headers_the_origin_alone_is_kept() {
        let mut request = request();
        HeaderTrimmer::default().shed_headers(&mut request);
        assert_eq!(request.headers().len(), 1);
        assert_eq!(request.headers().get(header::ORIGIN).unwrap(), "https://a.example");
    }

    #[test]
    fn a_request_that_something_holds_on_to_keeps_its_headers_and_no_other_is_tried() {
        let (shedding, mut held, mut other) = (HeaderTrimmer::default(), request(), request());
        let clone = held.request().clone();
        shedding.shed_headers(&mut held);
        shedding.shed_headers(&mut other);
        assert_eq!([clone.headers().len(), other.headers().len()], [2, 2]);
    }
}
