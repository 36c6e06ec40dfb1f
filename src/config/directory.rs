//! The user directory.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// The user directory: names and contact data, written in the background when a user is seen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectorySettings {
    /// Users remembered as recently written, so that they are not written again. Allowed: 1 to 10000000. Default:
    /// `100000`.
    pub user_cache_size: usize,
    /// Users waiting to be written; when full, a user is written at the next request. Allowed: 1 to 1000000. Default:
    /// `4096`.
    pub queue_capacity: usize,
}

impl DirectorySettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("directory.user_cache_size", self.user_cache_size, 1..=10_000_000),
            outside("directory.queue_capacity", self.queue_capacity, 1..=1_000_000),
        ];
        ranges.into_iter().flatten()
    }
}
