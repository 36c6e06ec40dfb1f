//! Who holds a conversation.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Who holds a conversation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnershipSettings {
    /// Seconds that an agent who holds a conversation must have been without a socket, on any server, before another
    /// agent may take it over; a server that was killed counts as connected for up to 45 seconds. Allowed: 0 to 86400.
    /// Default: `300`.
    pub takeover_after_seconds: u32,
}

impl OwnershipSettings {
    /// How long a holder must have been absent.
    #[must_use]
    pub fn takeover_after(&self) -> TimeDelta {
        TimeDelta::seconds(self.takeover_after_seconds.into())
    }

    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        outside("ownership.takeover_after_seconds", self.takeover_after_seconds, 0..=86_400)
    }
}
