//! Logs: what the server says of itself, on standard error, in text for people or JSON for machines.
//!
//! No secret and no token is logged anywhere, and no message's text above debug level.

use std::io::IsTerminal;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogSettings};

/// Starts logging. A second call, as tests make it, changes nothing.
pub fn start(settings: &LogSettings) {
    // The level was checked with the other settings.
    let filter = settings.level.parse::<EnvFilter>().unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    drop(started);
}

/// Where sockets poll.
const SOCKETS: &str = "/socket.io/";

/// What the log knows of a request: method, path without its query, an id; of a socket's poll only at debug. A line at
/// its end: debug where it went well, warning where the server failed.
#[derive(Clone, Copy, Debug)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = tracing::enabled!(tracing::Level::INFO)
            .then(|| actix_web::HttpMessage::extensions(request).get::<RequestId>().map(ToString::to_string))
            .flatten();
        // A poll waits long, and there are many: what its span keeps would be held for each of them.
        if request.path().starts_with(SOCKETS) {
            tracing::debug_span!("request", id, method = %request.method(), path = request.path())
        } else {
            tracing::info_span!("request", id, method = %request.method(), path = request.path())
        }
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        let _entered = span.enter();
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), "answered");
        } else {
            tracing::debug!(status = status.as_u16(), "answered");
        }
    }
}
