//! Logging.

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::invalid::{InvalidSetting, UnknownValue};

/// Logging.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A level, or directives such as `info,switchboard=debug`. Allowed: a level or directives. Default: `"info"`.
    pub level: String,
    /// Format of the lines: for people or for machines. Allowed: `text`, `json`. Default: `"text"`; production:
    /// `"json"`.
    #[schemars(with = "String")]
    pub format: LogFormat,
}

/// Format of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        match value.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownValue { got: value, allowed: "`text`, `json`" }),
        }
    }
}

impl LogSettings {
    pub(super) fn invalid(&self) -> Option<InvalidSetting> {
        let error = self.level.parse::<EnvFilter>().err()?;
        Some(InvalidSetting {
            key: "log.level",
            got: format!("{:?}", self.level),
            allowed: format!("a level or directives ({error})"),
        })
    }
}
