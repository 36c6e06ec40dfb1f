//! What the REST API and the Socket.IO namespaces share: one set of parts per server.

use std::sync::Arc;

use crate::client_ip::TrustedProxies;
use crate::cluster::Cluster;
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, Principal, TokenError, Verifier};
use crate::limits::RateLimits;
use crate::reads::Reads;
use crate::telemetry::Refused;

/// The parts that a request handler needs, whichever protocol the request used. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The live conversations; every write goes through it.
    pub registry: Arc<Registry>,
    /// For reads.
    pub database: Database,
    /// The help center.
    pub help_center: HelpCenter,
    /// Verifies tokens.
    pub verifier: Arc<Verifier>,
    /// The accounts that have called, with their names.
    pub directory: Directory,
    /// Rate limits.
    pub limits: RateLimits,
    /// Bounds what reading costs.
    pub reads: Reads,
    /// Determines a client's address.
    pub proxies: TrustedProxies,
    /// Presence of agents across all servers.
    pub cluster: Arc<dyn Cluster>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
}

impl Services {
    /// Verifies a token, and records its account in the directory.
    pub(crate) fn authenticate(&self, token: Option<&str>) -> Result<Principal, TokenError> {
        let principal = self.verifier.verify(token).inspect_err(|error| {
            // Guests have none.
            if *error != TokenError::Missing {
                tracing::debug!(%error, "a token was refused");
                Refused::Token.record(error.kind());
            }
        })?;
        self.directory.record_seen(&principal, self.clock.now());
        Ok(principal)
    }
}
