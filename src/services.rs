//! What the REST API and the Socket.IO namespaces share: one set of parts per server.

use std::sync::Arc;

use crate::client_ip::TrustedProxies;
use crate::cluster::Cluster;
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, Principal, Roles, TokenError, Verifier};
use crate::limits::RateLimits;
use crate::read_marks::ReadMarks;
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
    /// Who is an agent now.
    pub roles: Roles,
    /// The accounts that have called, with their names.
    pub directory: Directory,
    /// Rate limits.
    pub limits: RateLimits,
    /// How far conversations have been read.
    pub read_marks: ReadMarks,
    /// Bounds what reading costs.
    pub reads: Reads,
    /// Determines a client's address.
    pub proxies: TrustedProxies,
    /// Presence of agents across all servers.
    pub cluster: Arc<dyn Cluster>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
}

/// The bearer of a valid token.
pub(crate) struct Authenticated {
    pub(crate) principal: Principal,
    /// The last second since 1970 at which the token is valid.
    pub(crate) last_second: u64,
}

impl Services {
    /// Verifies a token, and records its account in the directory. The principal has the rights of the person's latest
    /// token at most.
    pub(crate) async fn authenticate(&self, token: Option<&str>) -> Result<Authenticated, TokenError> {
        let verified = self.verifier.verify_token(token).inspect_err(|error| {
            // Guests have none.
            if *error != TokenError::Missing {
                tracing::debug!(%error, "a token was refused");
                Refused::Token.record(error.kind());
            }
        })?;
        let now = self.clock.now();
        self.directory.record_token(verified.principal(), verified.issued_at(), now);
        let last_second = verified.last_second();
        let principal = self.roles.resolve(verified, now.timestamp_millis()).await;
        Ok(Authenticated { principal, last_second })
    }
}
