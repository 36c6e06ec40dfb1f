//! Which environment the server runs in.

use std::collections::HashMap;

use super::SettingsError;

/// Where this server runs; chooses a settings file and a few safety rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: open CORS, a well-known secret, example tokens printed at the start.
    Development,
    /// A server with real customers.
    Production,
}

impl Environment {
    /// The name that `SWITCHBOARD_ENV` and the settings files use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }

    /// The settings file built into the program.
    pub(super) fn built_in_file(self) -> &'static str {
        match self {
            Self::Development => include_str!("../../config/development.toml"),
            Self::Production => include_str!("../../config/production.toml"),
        }
    }

    /// Reads `SWITCHBOARD_ENV`; development if it is empty or absent.
    pub(super) fn from_variables(variables: &HashMap<String, String>) -> Result<Self, SettingsError> {
        match variables.get("SWITCHBOARD_ENV").map(String::as_str) {
            None | Some("" | "development") => Ok(Self::Development),
            Some("production") => Ok(Self::Production),
            Some(other) => Err(SettingsError::Environment(other.to_owned())),
        }
    }
}
