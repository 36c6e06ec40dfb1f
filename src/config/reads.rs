//! What reading may cost in memory.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// What reading may cost in memory. Each read in progress takes up to about three times `reads.answer_bytes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadSettings {
    /// Bytes of messages in one answer, as JSON. A page that would be longer ends earlier, with `has_more`, and contains
    /// at least one message. Allowed: 65536 to 16777216. Default: `1048576`.
    pub answer_bytes: usize,
    /// Reads at the same time, over REST and for sockets that catch up; further ones wait. Allowed: 1 to 1000. Default:
    /// `16`.
    pub concurrent: usize,
    /// Reads of one person, or of one address without a token, at the same time; further ones wait. Allowed: 1 to 1000.
    /// Default: `4`.
    pub concurrent_per_person: usize,
    /// Time limit of a search, in milliseconds. A term that takes longer is refused with 400 `SEARCH_TOO_BROAD`. Allowed:
    /// 50 to 60000. Default: `450`.
    pub search_timeout_ms: u64,
    /// Bytes of answers over 16 KiB that clients have not taken. When exceeded, the connection ends whose client has
    /// read nothing for the longest time. Allowed: 1048576 to 17179869184. Default: `33554432`.
    pub unsent_bytes: usize,
    /// The same for the answers to one person, or to one address without a token. Allowed: 1048576 to 17179869184.
    /// Default: `8388608`.
    pub unsent_bytes_per_person: usize,
}

impl ReadSettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let unsent = 1_048_576..=17_179_869_184;
        let ranges = [
            outside("reads.answer_bytes", self.answer_bytes, 65_536..=16_777_216),
            outside("reads.concurrent", self.concurrent, 1..=1000),
            outside("reads.concurrent_per_person", self.concurrent_per_person, 1..=1000),
            outside("reads.search_timeout_ms", self.search_timeout_ms, 50..=60_000),
            outside("reads.unsent_bytes", self.unsent_bytes, unsent.clone()),
            outside("reads.unsent_bytes_per_person", self.unsent_bytes_per_person, unsent),
        ];
        ranges.into_iter().flatten()
    }
}
