//! Chat on REST: the routes of `support-user.md` and `support-admin.md`, the envelope, and errors.
//!
//! A handler takes who calls and what they want, makes one call, and gives a typed answer. What may happen is decided
//! by the conversation's actor, or for reads by [`crate::store`]'s questions; sockets come to the same calls.

mod agent;
mod body;
mod caller;
mod cors;
mod envelope;
mod error;
mod health;
mod query;
mod request_id;
mod routes;
mod user;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::identity::{Directory, Verifier};

pub use cors::cors;
pub use request_id::RequestIds;
pub use routes::configure;
pub(crate) use view::{Iso, UserMessage};

/// What handlers work with.
#[derive(Clone)]
pub struct Api {
    /// Where conversations are written.
    pub registry: Arc<Registry>,
    /// Where they are read.
    pub database: Database,
    /// Who calls.
    pub verifier: Arc<Verifier>,
    /// Where callers are written down.
    pub directory: Directory,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whether new work is taken.
    pub readiness: Readiness,
    /// Bytes of JSON that a request may bring.
    pub body_limit: usize,
}

/// Whether the server takes new work; a load balancer asks.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
}

impl Readiness {
    /// From here on the server says that it is going away.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
