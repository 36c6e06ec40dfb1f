//! What the tests of several sections use.

use super::{Environment, Settings, SettingsError, Sources};

pub(super) fn sources(variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { folder: None, variables }
}

pub(super) fn load(variables: &[(&str, &str)]) -> Result<(Environment, Settings), SettingsError> {
    Settings::load(&sources(variables))
}

/// The error of settings that are refused.
pub(super) fn complaint(variables: &[(&str, &str)]) -> String {
    load(variables).expect_err("these settings should be refused").to_string()
}
