//! The conversation actors: their threads, queues, caches and lifetimes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};
use super::threads_or_cores;

/// The conversation actors: their threads, queues, caches and lifetimes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationSettings {
    /// Threads that run conversation actors; 0 means one per core. Allowed: 0 to 1024. Default: `0`.
    pub threads: usize,
    /// Running actors; when reached, the longest idle one stops in favour of another conversation's, and commands for a
    /// conversation without an actor are answered 503 only while none is idle. Allowed: 1 to 10000000. Default: `100000`.
    pub max_actors: usize,
    /// Commands in the mailbox of one conversation; when full, further ones are answered 503. Allowed: 1 to 1000000.
    /// Default: `1024`.
    pub mailbox: usize,
    /// Commands of one conversation that may wait for their commit; when reached, further ones are answered 503.
    /// Allowed: 1 to 1000000. Default: `1024`.
    pub in_flight: usize,
    /// Recent sends with an idempotency key that an actor recognises without a query. Allowed: 0 to 1024. Default:
    /// `16`.
    pub idempotency_cache_size: usize,
    /// Conversations without an actor whose last announced position is kept. Subscribers of a conversation evicted from
    /// this cache may miss events that another server stored in the meantime. Allowed: 0 to 10000000. Default: `100000`.
    pub watermark_cache_size: u64,
    /// Events of another server that are announced when this server catches up; if there are more, only the newest are,
    /// and clients read the rest. Allowed: 1 to 1000. Default: `200`.
    pub catch_up_max_events: i64,
    /// Seconds of inactivity before an actor drops everything but the conversation's state. Allowed: 1 to 86400.
    /// Default: `15`.
    pub trim_after_seconds: u64,
    /// Seconds of inactivity before an actor stops. Allowed: 1 to 86400. Default: `300`.
    pub passivate_after_seconds: u64,
    /// Seconds during which an append with an unknown outcome is looked up in the database. Allowed: 1 to 3600.
    /// Default: `60`.
    pub in_doubt_seconds: u64,
}

impl ConversationSettings {
    /// The number of threads: [`ConversationSettings::threads`], with 0 resolved.
    #[must_use]
    pub fn arbiter_threads(&self) -> usize {
        threads_or_cores(self.threads)
    }

    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("conversation.threads", self.threads, 0..=1024),
            outside("conversation.max_actors", self.max_actors, 1..=10_000_000),
            outside("conversation.mailbox", self.mailbox, 1..=1_000_000),
            outside("conversation.in_flight", self.in_flight, 1..=1_000_000),
            outside("conversation.idempotency_cache_size", self.idempotency_cache_size, 0..=1024),
            outside("conversation.watermark_cache_size", self.watermark_cache_size, 0..=10_000_000),
            outside("conversation.catch_up_max_events", self.catch_up_max_events, 1..=1000),
            outside("conversation.trim_after_seconds", self.trim_after_seconds, 1..=86_400),
            outside("conversation.passivate_after_seconds", self.passivate_after_seconds, 1..=86_400),
            outside("conversation.in_doubt_seconds", self.in_doubt_seconds, 1..=3600),
        ];
        ranges.into_iter().flatten()
    }
}
