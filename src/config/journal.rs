//! Writing events durably.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Writing events durably: group commit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalSettings {
    /// Concurrent transactions. A conversation always uses the same writer. Allowed: 1 to 64. Default: `1`.
    pub writers: usize,
    /// Appends that may wait for each writer; when full, commands are answered 503. Allowed: 1 to 1000000. Default:
    /// `8192`.
    pub queue_capacity: usize,
    /// Appends in one transaction. Allowed: 1 to 4096. Default: `512`.
    pub batch: usize,
}

impl JournalSettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("journal.writers", self.writers, 1..=64),
            outside("journal.queue_capacity", self.queue_capacity, 1..=1_000_000),
            outside("journal.batch", self.batch, 1..=4096),
        ];
        ranges.into_iter().flatten()
    }
}
