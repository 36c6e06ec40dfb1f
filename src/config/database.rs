//! The database that stores conversations.

use std::time::Duration;

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// The value of [`DatabaseSettings::url`] in `config/default.toml`.
const DEFAULT_URL: &str = "sqlite://data/switchboard.db";

/// The database that stores conversations.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Address of the database, also `DATABASE_URL`. Allowed: `postgres://…`, `sqlite://…` (a file). Default:
    /// `"sqlite://data/switchboard.db"`.
    #[schemars(with = "String")]
    pub url: SecretString,
    /// Open connections. Allowed: `journal.writers` + 2 to 1000. Default: `16`.
    pub max_connections: u32,
    /// Milliseconds that one query or one commit may take. Allowed: 100 to 60000. Default: `5000`.
    pub timeout_ms: u64,
    /// Threads of the runtime that owns the connections. Allowed: 1 to 64. Default: `1`.
    pub threads: usize,
}

impl DatabaseSettings {
    /// Whether the database is the one of `config/default.toml`.
    pub(super) fn is_default(&self) -> bool {
        self.url.expose_secret() == DEFAULT_URL
    }

    /// [`DatabaseSettings::timeout_ms`] as a duration.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// `writers` is `journal.writers`: each keeps a connection, and reads need two.
    pub(super) fn invalid(&self, writers: usize) -> Vec<InvalidSetting> {
        let required = u32::try_from(writers).unwrap_or(u32::MAX).saturating_add(2);
        let too_few = (self.max_connections < required).then(|| InvalidSetting {
            key: "database.max_connections",
            got: self.max_connections.to_string(),
            allowed: format!("journal.writers + 2 or more, here {required}"),
        });
        let ranges = [
            outside("database.max_connections", self.max_connections, 2..=1000),
            outside("database.timeout_ms", self.timeout_ms, 100..=60_000),
            outside("database.threads", self.threads, 1..=64),
        ];
        self.invalid_url().into_iter().chain(too_few).chain(ranges.into_iter().flatten()).collect()
    }

    fn invalid_url(&self) -> Option<InvalidSetting> {
        let url = self.url.expose_secret();
        if url.contains(":memory:") {
            return Some(InvalidSetting {
                key: "database.url",
                got: "a database in memory".to_owned(),
                allowed: "a file: reads and writes use separate connections".to_owned(),
            });
        }
        let scheme = url.split(':').next().unwrap_or_default();
        (!["postgres", "postgresql", "sqlite"].contains(&scheme)).then(|| InvalidSetting {
            key: "database.url",
            // The rest may contain a password.
            got: format!("an address that begins with {:?}", scheme.chars().take(16).collect::<String>()),
            allowed: "postgres://… or sqlite://…".to_owned(),
        })
    }
}
