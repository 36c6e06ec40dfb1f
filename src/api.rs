//! The REST API: the endpoints of `support-user.md`, `support-admin.md` and `help-center.md`.
//!
//! A handler takes the caller and typed input as arguments, makes one call and returns a typed answer. Writes go to the
//! conversation's actor through `use_cases` or the registry, reads to [`crate::store`]. Each endpoint is
//! described once, above its handler (`endpoint::Endpoint`); routing and the OpenAPI document both come from that.

mod agent;
mod body;
mod cors;
mod date_filter;
mod deadline;
mod drain;
mod endpoint;
mod endpoint_table;
mod envelope;
mod error;
mod examples;
mod extractors;
mod guard;
mod health;
mod help_center;
mod idempotency_key;
mod ids;
mod openapi;
mod query;
mod reading;
mod request_id;
mod routes;
mod user;

use std::time::Duration;

use crate::identity::{NonceStore, RequestVerifier};
use crate::services::Services;

pub use cors::cors;
pub use drain::Drain;
pub use health::ReadinessCache;
pub use openapi::document as openapi_document;
pub use routes::configure;

/// What REST handlers work with.
#[derive(Clone)]
pub struct Api {
    /// Shared with the sockets.
    pub services: Services,
    /// Checks requests of users without an account.
    pub guard: RequestVerifier,
    /// The nonces that the guard has seen.
    pub nonces: NonceStore,
    /// Whether the server is shutting down.
    pub drain: Drain,
    /// The last successful readiness check.
    pub readiness: ReadinessCache,
    /// Longest request body, in bytes.
    pub body_limit: usize,
    /// Makes the AsyncAPI document; none if the documents are not served.
    pub asyncapi: Option<fn() -> serde_json::Value>,
    /// Time until a request whose body is incomplete is answered 408.
    pub body_timeout: Duration,
    /// Time until a request is answered 503.
    pub request_timeout: Duration,
}
