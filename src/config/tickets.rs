//! Tickets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::InvalidSetting;

/// Tickets.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketSettings {
    /// Prefix of ticket numbers, `<prefix>-<year>-<6 digits>`: `SMI-2026-000001`. Allowed: 1 to 16 letters and digits.
    /// Default: `"SMI"`.
    pub prefix: String,
}

impl TicketSettings {
    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        let prefix = &self.prefix;
        let is_allowed = (1..=16).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (!is_allowed).then(|| InvalidSetting {
            key: "tickets.prefix",
            got: format!("{prefix:?}"),
            allowed: "1 to 16 letters and digits".to_owned(),
        })
    }
}
