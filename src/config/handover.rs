//! Handovers between agents.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Handovers between agents.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverSettings {
    /// Minutes after which a handover that is not answered ends; 0 means never. Allowed: 0 to 525600. Default: `30`.
    pub expire_minutes: u32,
}

impl HandoverSettings {
    /// How long a handover waits for an answer; `None` for ever.
    #[must_use]
    pub fn expire_after(&self) -> Option<TimeDelta> {
        (self.expire_minutes > 0).then(|| TimeDelta::minutes(self.expire_minutes.into()))
    }

    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        outside("handover.expire_minutes", self.expire_minutes, 0..=525_600)
    }
}
