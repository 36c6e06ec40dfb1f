//! Logging.

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::invalid::{InvalidSetting, UnknownValue, outside};

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
    /// Bytes of lines that wait to be written. While the reader of the log stalls, further lines are dropped and counted;
    /// the number is logged when it reads again. Allowed: 4096 to 1073741824. Default: `1048576`.
    pub queue_bytes: usize,
    /// Lines a second about refused tokens, and as many about the guard's refusals and about rate limits. Further ones are
    /// counted: a line names the number of those that were not logged before it, and of all since the start. Allowed: 0 to
    /// 10000. Default: `5`.
    pub refusals_per_second: u32,
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
    pub(super) fn invalid(&self) -> Vec<InvalidSetting> {
        let level = self.level.parse::<EnvFilter>().err().map(|error| InvalidSetting {
            key: "log.level",
            got: format!("{:?}", self.level),
            allowed: format!("a level or directives ({error})"),
        });
        let ranges = [
            outside("log.queue_bytes", self.queue_bytes, 4096..=1_073_741_824),
            outside("log.refusals_per_second", self.refusals_per_second, 0..=10_000),
        ];
        level.into_iter().chain(ranges.into_iter().flatten()).collect()
    }
}
