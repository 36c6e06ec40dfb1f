//! Several servers together.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::invalid::InvalidSetting;

/// Several servers together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// Redis for broadcasts between servers, also `REDIS_URL`. Not used yet; the server logs a warning if it is set.
    /// Allowed: `redis://…`, `rediss://…`, or empty. Default: `""`.
    #[schemars(with = "String")]
    pub redis_url: SecretString,
}

impl ClusterSettings {
    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        let url = self.redis_url.expose_secret();
        let is_allowed = url.is_empty() || url.starts_with("redis://") || url.starts_with("rediss://");
        (!is_allowed).then(|| InvalidSetting {
            key: "cluster.redis_url",
            // The address may contain a password.
            got: "an address of another kind".to_owned(),
            allowed: "redis://…, rediss://…, or nothing".to_owned(),
        })
    }
}
