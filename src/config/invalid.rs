//! Rejected values. A message names the key, the value, as far as it is no secret, and what is allowed.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// A setting whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("  {key} is {got}; allowed: {allowed}")]
pub struct InvalidSetting {
    /// Section and key, such as `server.port`.
    pub key: &'static str,
    /// The value, or a description of it if it may be secret.
    pub got: String,
    /// What is allowed.
    pub allowed: String,
}

/// A value that is none of those a setting can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is not allowed; allowed: {allowed}")]
pub struct UnknownValue {
    pub(super) got: String,
    pub(super) allowed: &'static str,
}

/// The error for a number outside its range.
pub(super) fn outside<T: PartialOrd + Display>(
    key: &'static str,
    got: T,
    allowed: RangeInclusive<T>,
) -> Option<InvalidSetting> {
    (!allowed.contains(&got)).then(|| InvalidSetting {
        key,
        got: got.to_string(),
        allowed: format!("{} to {}", allowed.start(), allowed.end()),
    })
}
