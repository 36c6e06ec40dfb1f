//! Settings: everything an operator can change, validated before the port is bound.
//!
//! Layers, each overriding the ones before: `config/default.toml`, `config/<environment>.toml`, environment variables
//! `SWITCHBOARD__SECTION__KEY`, and the short ones `PORT`, `DATABASE_URL`, `JWT_SECRET`, `REDIS_URL`. The files are
//! built into the program, so that it runs from any folder; `--config` replaces them. An unknown key is an error. A key
//! that has been renamed is accepted under its old name for one release (`config::renamed`).
//!
//! The doc comment of each setting ends with `Allowed: … . Default: … .`; `docs/CONFIGURATION.md` is generated from it,
//! and tests compare it with the files and with the validation.

mod auth;
mod cluster;
mod connection_lifetime;
mod conversation;
mod cors;
mod database;
mod directory;
mod docs;
mod environment;
mod guest;
mod handover;
mod help_center;
mod invalid;
mod journal;
mod limits;
mod log;
mod ownership;
mod reads;
mod realtime;
mod recovery;
#[cfg(test)]
mod reference;
mod renamed;
mod request_signature;
mod secrets;
mod server;
mod socket;
mod sources;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tickets;
mod unreadable;

use config::Config;
use schemars::JsonSchema;
use serde::Deserialize;

pub use auth::{AuthSettings, DEVELOPMENT_SECRET, TokenAlgorithm};
pub use cluster::ClusterSettings;
pub use connection_lifetime::ConnectionLifetime;
pub use conversation::ConversationSettings;
pub use cors::CorsSettings;
pub use database::DatabaseSettings;
pub use directory::DirectorySettings;
pub use docs::DocsSettings;
pub use environment::Environment;
pub use guest::GuestSettings;
pub use handover::HandoverSettings;
pub use help_center::{AutoReplyPolicyValue, AutoReplySettings, HelpCenterSettings};
pub use invalid::{InvalidSetting, UnknownValue};
pub use journal::JournalSettings;
pub use limits::LimitSettings;
pub use log::{LogFormat, LogSettings};
pub use ownership::OwnershipSettings;
pub use reads::ReadSettings;
pub use realtime::RealtimeSettings;
pub use recovery::RecoverySettings;
pub use renamed::OldName;
pub use request_signature::{RequestSignatureSettings, SignatureMode};
pub use server::ServerSettings;
pub use socket::SocketSettings;
pub use sources::Sources;
pub use tickets::TicketSettings;

/// All settings, by section.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// HTTP: listening, connections, timeouts, shutdown.
    pub server: ServerSettings,
    /// The database that stores conversations.
    pub database: DatabaseSettings,
    /// Writing events durably.
    pub journal: JournalSettings,
    /// The conversation actors.
    pub conversation: ConversationSettings,
    /// Tokens.
    pub auth: AuthSettings,
    /// What requests without a token must prove.
    pub guard: RequestSignatureSettings,
    /// Tokens of people without an account.
    pub guest: GuestSettings,
    /// Rate limits.
    pub limits: LimitSettings,
    /// What reading may cost in memory.
    pub reads: ReadSettings,
    /// The user directory.
    pub directory: DirectorySettings,
    /// Tickets.
    pub tickets: TicketSettings,
    /// Handovers between agents.
    pub handover: HandoverSettings,
    /// Who holds a conversation.
    pub ownership: OwnershipSettings,
    /// The help center.
    pub help_center: HelpCenterSettings,
    /// Cross-origin requests.
    pub cors: CorsSettings,
    /// Engine.IO and Socket.IO.
    pub socket: SocketSettings,
    /// The API's own documentation.
    pub docs: DocsSettings,
    /// Chat on Socket.IO.
    pub realtime: RealtimeSettings,
    /// Connection state recovery.
    pub recovery: RecoverySettings,
    /// Several servers together.
    pub cluster: ClusterSettings,
    /// Logging.
    pub log: LogSettings,
}

/// Why there are no valid settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `SWITCHBOARD_ENV` names no environment.
    #[error("SWITCHBOARD_ENV is {0:?}; allowed: development, production")]
    Environment(String),
    /// A file is missing or malformed, a key unknown, or a value of the wrong type. The text quotes no file.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// A variable that sets a setting is not valid Unicode.
    #[error("the variable {0} is not valid UTF-8")]
    NotUnicode(String),
    /// One source sets a renamed key under both names.
    #[error("{} sets both {} and {}, its old name; remove {}", .0.source_name, .0.new, .0.old, .0.old)]
    BothNames(OldName),
    /// Values that are not allowed; every one of them.
    #[error("the configuration is not valid:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<InvalidSetting>),
}

impl Settings {
    /// Reads every source and validates the result.
    ///
    /// # Errors
    /// [`SettingsError`], naming each offending key, its value unless it is secret, and what is allowed.
    pub fn load(sources: &Sources) -> Result<(Environment, Self), SettingsError> {
        let environment = Environment::from_variables(&sources.variables)?;
        let mut config = Config::builder();
        for layer in sources.layers(environment)? {
            config = config.add_source(layer);
        }
        let settings: Result<Self, _> = config.build().and_then(Config::try_deserialize);
        let settings = settings.map_err(|error| SettingsError::Unreadable(unreadable::mismatched(&error)))?;
        let invalid = settings.invalid(environment);
        if invalid.is_empty() { Ok((environment, settings)) } else { Err(SettingsError::Invalid(invalid)) }
    }

    fn invalid(&self, environment: Environment) -> Vec<InvalidSetting> {
        let mut invalid = self.server.invalid();
        invalid.extend(self.database.invalid(self.journal.writers));
        invalid.extend(self.journal.invalid());
        invalid.extend(self.conversation.invalid());
        invalid.extend(self.auth.invalid(environment));
        invalid.extend(self.guard.invalid());
        invalid.extend(self.guest.invalid());
        invalid.extend(self.limits.invalid());
        invalid.extend(self.reads.invalid());
        invalid.extend(self.directory.invalid());
        invalid.extend(self.tickets.invalid());
        invalid.extend(self.handover.invalid());
        invalid.extend(self.ownership.invalid());
        invalid.extend(self.help_center.invalid());
        invalid.extend(self.cors.invalid());
        invalid.extend(self.socket.invalid());
        invalid.extend(self.realtime.invalid());
        invalid.extend(self.recovery.invalid());
        invalid.extend(self.cluster.invalid());
        invalid.extend(self.log.invalid());
        invalid.extend(secrets::invalid(self, environment));
        invalid
    }

    /// What is allowed but dangerous, one sentence each, for the log.
    #[must_use]
    pub fn warnings(&self, environment: Environment) -> Vec<String> {
        let mut warnings = Vec::new();
        let accepts_any = self.auth.issuer.is_empty() && self.auth.audience.is_empty();
        if environment == Environment::Production && accepts_any {
            warnings.push(
                "auth.audience and auth.issuer are empty: any token that is signed with this key is accepted, whatever it \
                 was issued for, such as to confirm an e-mail address; set at least one of them"
                    .to_owned(),
            );
        }
        if environment == Environment::Production && self.database.is_default() {
            warnings.push(
                "database.url (DATABASE_URL) is not set: everything is stored in the SQLite file data/switchboard.db in the \
                 current folder"
                    .to_owned(),
            );
        }
        if secrets::signs_with_a_known_secret(self) && !secrets::listens_on_loopback(self) {
            warnings.push(format!(
                "server.allow_development_secret is set and the server listens on {}: any client that can connect can sign a \
                 token for any account and any role",
                self.server.host
            ));
        }
        warnings
    }
}

/// A number of threads, where 0 means one per core.
fn threads_or_cores(threads: usize) -> usize {
    if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads }
}
