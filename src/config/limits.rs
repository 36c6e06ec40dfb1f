//! Rate limits. Each server counts on its own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Rate limits. Each server counts on its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Whether the limits of this section apply. Allowed: `true`, `false`. Default: `false`; production: `true`.
    pub enabled: bool,
    /// Sustained messages per second of one user, over REST and sockets together. Allowed: 1 to 10000. Default: `5`.
    pub sends_per_second: u32,
    /// Burst of messages of one user. Allowed: 1 to 10000. Default: `20`.
    pub sends_burst: u32,
    /// Requests without a token per minute from one address; also the burst. Allowed: 1 to 100000. Default: `10`.
    pub guest_calls_per_minute: u32,
    /// `send-unauthenticated` with a token: calls per minute from one address, whatever the accounts; also the burst. Each
    /// account is limited by `limits.sends_per_second` as well. Allowed: 1 to 1000000. Default: `600`.
    pub account_guest_calls_per_minute: u32,
    /// What may be done per minute in the name of one e-mail address by all who have not done so before: new
    /// conversations, tickets and their messages, reads of tickets, each counted apart; also the burst. A caller that was
    /// admitted once keeps `limits.guest_calls_per_minute` for this address when it is used up. Allowed: 1 to 1000000.
    /// Default: `60`.
    pub guest_email_calls_per_minute: u32,
    /// Reads and sends with guests' tokens per minute from one address; also the burst. The same number limits the reads, and
    /// the sends, of one e-mail address; when it is used up, each conversation keeps `limits.guest_calls_per_minute`.
    /// Allowed: 1 to 100000. Default: `120`.
    pub guest_token_calls_per_minute: u32,
    /// Events per second from one socket; also the burst. Rejoining the namespace on the same connection does not reset
    /// it. Excess events are refused; a socket with more than ten times as many refused events is disconnected and its
    /// connection closed. Allowed: 1 to 10000. Default: `50`.
    pub socket_events_per_second: u32,
    /// CONNECT packets per second from one connection, for any namespace and with any outcome; also the burst. Excess
    /// packets are refused; a connection with more than ten times as many refused packets is closed. Allowed: 1 to
    /// 10000. Default: `20`.
    pub socket_connects_per_second: u32,
    /// Engine.IO handshakes per second from one address; also the burst. Allowed: 1 to 100000. Default: `20`.
    pub handshakes_per_second: u32,
    /// Bytes that one account may read per second: answers over REST, and messages that its sockets catch up on. Each read
    /// counts as 1 KiB more. Allowed: 65536 to 1073741824. Default: `4194304`.
    pub read_bytes_per_second: u32,
    /// Burst of bytes that one account may read. Allowed: 1048576 to 1073741824. Default: `67108864`.
    pub read_burst_bytes: u32,
    /// Users, addresses, e-mail addresses and so on whose use is tracked, for each limit; when full, the least recently
    /// used entry is evicted. Allowed: 1000 to 10000000. Default: `100000`.
    pub limiter_cache_size: u64,
}

impl LimitSettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("limits.sends_per_second", self.sends_per_second, 1..=10_000),
            outside("limits.sends_burst", self.sends_burst, 1..=10_000),
            outside("limits.guest_calls_per_minute", self.guest_calls_per_minute, 1..=100_000),
            outside("limits.account_guest_calls_per_minute", self.account_guest_calls_per_minute, 1..=1_000_000),
            outside("limits.guest_email_calls_per_minute", self.guest_email_calls_per_minute, 1..=1_000_000),
            outside("limits.guest_token_calls_per_minute", self.guest_token_calls_per_minute, 1..=100_000),
            outside("limits.socket_events_per_second", self.socket_events_per_second, 1..=10_000),
            outside("limits.socket_connects_per_second", self.socket_connects_per_second, 1..=10_000),
            outside("limits.handshakes_per_second", self.handshakes_per_second, 1..=100_000),
            outside("limits.read_bytes_per_second", self.read_bytes_per_second, 65_536..=1_073_741_824),
            outside("limits.read_burst_bytes", self.read_burst_bytes, 1_048_576..=1_073_741_824),
            outside("limits.limiter_cache_size", self.limiter_cache_size, 1000..=10_000_000),
        ];
        ranges.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::load;

    #[test]
    fn limits_apply_in_production_and_not_in_development() {
        let (_, development) = load(&[]).expect("the defaults should load");
        let (secret, guard) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        let production =
            [("SWITCHBOARD_ENV", "production"), ("JWT_SECRET", secret), ("SWITCHBOARD__GUARD__SECRET", guard)];
        let (_, production) = load(&production).expect("these settings should load");
        assert_eq!((development.limits.enabled, production.limits.enabled), (false, true));
    }
}
