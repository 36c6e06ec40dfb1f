//! Timestamps as clients read them, on REST and sockets alike.

use chrono::SecondsFormat;
use serde::{Serialize, Serializer};

use crate::domain::Timestamp;

/// A timestamp that serializes as ISO 8601 in UTC, with milliseconds and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IsoTimestamp(pub(crate) Timestamp);

impl Serialize for IsoTimestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
