//! Chat on REST: the routes of `support-user.md`, `support-admin.md` and `help-center.md`, the envelope, and errors.
//!
//! A handler takes who calls and what they want, makes one call, and gives a typed answer. What may happen is decided
//! by the conversation's actor, or for reads by [`crate::store`]'s questions; sockets come to the same calls.

mod agent;
mod body;
mod cors;
mod deadline;
mod drain;
mod envelope;
mod error;
mod extractors;
mod guard;
mod health;
mod help_center;
mod ids;
mod openapi;
mod query;
mod routes;
mod user;

use std::sync::Arc;
use std::time::Duration;

use crate::client_ip::TrustedProxies;
use crate::cluster::Cluster;
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, NonceStore, RequestVerifier, Verifier};
use crate::limits::Limits;

pub use cors::cors;
pub use drain::Readiness;
pub use health::LastLook;
pub use openapi::document as openapi_document;
pub use routes::configure;

/// What handlers work with.
#[derive(Clone)]
pub struct Api {
    /// Where conversations are written.
    pub registry: Arc<Registry>,
    /// Where they are read.
    pub database: Database,
    /// The help center.
    pub help_center: HelpCenter,
    /// Who calls.
    pub verifier: Arc<Verifier>,
    /// What stands in front of people without an account.
    pub guard: RequestVerifier,
    /// Where the guard keeps what must not come twice.
    pub nonces: NonceStore,
    /// How often they may.
    pub limits: Limits,
    /// Whose word is believed for where they call from.
    pub proxies: TrustedProxies,
    /// Where callers are written down.
    pub directory: Directory,
    /// Who is there, on any server.
    pub cluster: Arc<dyn Cluster>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whether new work is taken.
    pub readiness: Readiness,
    /// What the database said of itself lately.
    pub last_look: LastLook,
    /// Bytes that a request may bring.
    pub body_limit: usize,
    /// Whether the documents of the API are served.
    pub serves_documents: bool,
    /// How long an answer may take.
    pub request_timeout: Duration,
}
