//! What the REST API and the Socket.IO namespaces share: one set of parts per server.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::client_ip::TrustedProxies;
use crate::cluster::{AgentSockets, Cluster};
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, GuestTokens, Person, Principal, Roles, TokenError, Verifier};
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
    /// Issues and verifies the tokens of people without an account.
    pub guest_tokens: Arc<GuestTokens>,
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
    /// When agents last had a socket, on any server.
    pub(crate) agent_sockets: AgentSockets,
    /// How long a handover waits for an answer; `None` for ever.
    pub handover_expiry: Option<TimeDelta>,
    /// How long a holder must have been absent before another agent may take a conversation over.
    pub takeover_after: TimeDelta,
    /// Roles whose bearers may assign any conversation.
    pub supervisor_roles: Arc<[String]>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
}

/// The bearer of a valid token.
pub(crate) struct Authenticated {
    pub(crate) principal: Principal,
    /// The last second since 1970 at which the token is valid.
    pub(crate) last_second: u64,
}

/// The bearer of a valid token of an account or of a guest.
pub(crate) struct Identified {
    pub(crate) person: Person,
    /// The last second since 1970 at which the token is valid.
    pub(crate) last_second: u64,
}

impl Services {
    /// Whether the caller may assign any conversation: by the role of their token, and of their latest one.
    pub(crate) fn is_supervisor(&self, caller: &Principal) -> bool {
        let is_one = |role: &str| self.supervisor_roles.iter().any(|supervisor| supervisor == role);
        is_one(&caller.role) && self.roles.latest_role(&caller.id).is_none_or(|role| is_one(&role))
    }

    /// Verifies the token of an account or of a guest, and records an account in the directory. The principal has the rights
    /// of the person's latest token at most. That a guest's conversation is still theirs is not known from the token.
    pub(crate) async fn identify(&self, token: Option<&str>) -> Result<Identified, TokenError> {
        let now = self.clock.now();
        let verified = match self.verifier.verify_token(token) {
            Ok(verified) => verified,
            Err(error) => {
                let guest = token.and_then(|token| self.guest_tokens.verify(token, now));
                let guest = guest.ok_or_else(|| refused(error))?;
                // The connection of a customer does not end with the token.
                return Ok(Identified { person: Person::Guest(guest), last_second: u64::MAX });
            }
        };
        self.directory.record_token(verified.principal(), verified.issued_at(), now);
        let last_second = verified.last_second();
        let principal = self.roles.resolve(verified, now.timestamp_millis()).await;
        Ok(Identified { person: Person::Account(principal), last_second })
    }

    /// Verifies the token of an account, and records the account in the directory.
    pub(crate) async fn authenticate(&self, token: Option<&str>) -> Result<Authenticated, TokenError> {
        let Identified { person, last_second } = self.identify(token).await?;
        match person {
            Person::Account(principal) => Ok(Authenticated { principal, last_second }),
            Person::Guest(_) => Err(refused(TokenError::Guest)),
        }
    }
}

/// Counts a refusal. Guests without a token are none.
fn refused(error: TokenError) -> TokenError {
    if error != TokenError::Missing {
        tracing::debug!(%error, "a token was refused");
        Refused::Token.record(error.kind());
    }
    error
}
