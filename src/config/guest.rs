//! Tokens for people without an account: the section `guest`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Tokens with which people without an account read and continue what they have written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestSettings {
    /// Days for which a guest's token is valid; a fraction is allowed. Each send with it is answered with a fresh one.
    /// Allowed: 0.0001 to 3650. Default: `30`.
    pub token_days: f64,
    /// Version of guests' tokens: another number revokes all tokens issued so far. It must be the same on every server.
    /// Allowed: 0 to 1000000. Default: `1`.
    pub token_version: u32,
}

impl GuestSettings {
    /// Seconds for which a token is valid.
    #[must_use]
    pub fn token_seconds(&self) -> f64 {
        const DAY: f64 = 24.0 * 3600.0;
        self.token_days * DAY
    }

    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let days = outside("guest.token_days", self.token_days, 0.0001..=3650.0);
        days.into_iter().chain(outside("guest.token_version", self.token_version, 0..=1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::{load, load_error};

    #[test]
    fn a_token_is_valid_for_days_or_a_fraction_of_one() {
        let (_, settings) = load(&[("SWITCHBOARD__GUEST__TOKEN_DAYS", "0.5")]).expect("half a day should load");
        assert!((settings.guest.token_seconds() - 43_200.0).abs() < f64::EPSILON);
        for (days, is_allowed) in [("0.0001", true), ("3650", true), ("0", false), ("3651", false), ("-1", false)] {
            let variables = [("SWITCHBOARD__GUEST__TOKEN_DAYS", days)];
            if is_allowed {
                load(&variables).expect(days);
            } else {
                assert!(load_error(&variables).contains("guest.token_days"), "{days}");
            }
        }
    }
}
