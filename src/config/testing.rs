//! Helpers for the tests of this module and its sections.

use super::{Environment, Settings, SettingsError, Sources};

/// The built-in files, overridden by these environment variables.
pub(super) fn sources(variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { folder: None, variables }
}

/// The settings from the built-in files and these environment variables.
pub(super) fn load(variables: &[(&str, &str)]) -> Result<(Environment, Settings), SettingsError> {
    Settings::load(&sources(variables))
}

/// The message of the error with which these settings are refused.
pub(super) fn load_error(variables: &[(&str, &str)]) -> String {
    load(variables).expect_err("these settings should be refused").to_string()
}
