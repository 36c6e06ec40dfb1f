//! Chat on Socket.IO: typing indicators.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Chat on Socket.IO.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RealtimeSettings {
    /// Seconds after which a user who types and is silent counts as having stopped; each `typing` restarts the time.
    /// Allowed: 1 to 3600. Default: `60`.
    pub typing_timeout_seconds: u64,
    /// Conversations and tickets in which a socket can type at the same time; in a further one it has stopped in the one
    /// where it began first. Allowed: 1 to 1000. Default: `16`.
    pub max_typing_places: usize,
}

impl RealtimeSettings {
    /// How long a silent user counts as typing.
    #[must_use]
    pub fn typing_timeout(&self) -> Duration {
        Duration::from_secs(self.typing_timeout_seconds)
    }

    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("realtime.typing_timeout_seconds", self.typing_timeout_seconds, 1..=3600),
            outside("realtime.max_typing_places", self.max_typing_places, 1..=1000),
        ];
        ranges.into_iter().flatten()
    }
}
