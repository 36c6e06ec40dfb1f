//! Logging to standard error, as text for people or JSON for machines.
//!
//! Secrets and tokens are never logged, message texts not above debug level. Logging never waits ([`log_queue`]), and
//! what strangers can cause at will is sampled ([`refusals`]).

mod library_errors;
mod log_queue;
mod refusals;

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
use library_errors::LibraryErrors;
use log_queue::{FlushGuard, LogQueue};

pub(crate) use library_errors::listener_closes;
pub(crate) use refusals::Refused;

/// Starts logging, until the guard is dropped. Further calls have no effect.
pub(crate) fn start(settings: &LogSettings) -> FlushGuard {
    let report_dropped = |dropped| tracing::warn!(dropped, "log lines were dropped, because the log was not read");
    let Ok(queue) = LogQueue::start(settings.queue_bytes, std::io::stderr(), report_dropped) else {
        return FlushGuard(None);
    };
    refusals::start(settings.refusals_per_second);
    // An invalid level has been refused with the other settings.
    let filter = settings.level.parse::<EnvFilter>().unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter).with(LibraryErrors);
    let lines = tracing_subscriber::fmt::layer().with_writer(queue.clone()).with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    drop(started);
    log_panics();
    FlushGuard(Some(queue))
}

/// Logs panics as everything else: the default hook writes to standard error itself, and may wait for its reader.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panicked: {}", panic.payload_as_str().unwrap_or("(no message)"));
    }));
}

/// Path of Engine.IO requests.
const ENGINE_IO_PATH: &str = "/socket.io/";

/// The span of a request: its id, method and path without the query string; for Engine.IO only at debug level. A line
/// at its end, at warning level if the server failed and at debug level otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = tracing::enabled!(tracing::Level::INFO)
            .then(|| actix_web::HttpMessage::extensions(request).get::<RequestId>().map(ToString::to_string))
            .flatten();
        // Polls are many and long: at info level, each would hold a span in memory.
        if request.path().starts_with(ENGINE_IO_PATH) {
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
