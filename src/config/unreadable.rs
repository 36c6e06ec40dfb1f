//! What is reported of settings that cannot be read: where the fault is, never the text there, which may be a secret.

use std::path::Path;

use config::{ConfigError, Map, Value, ValueKind};

/// Settings whose values are never shown.
const SECRETS: [&str; 4] = ["auth.jwt_secret", "guard.secret", "database.url", "cluster.redis_url"];

/// Sections within sections.
const SUBSECTIONS: [&str; 1] = ["help_center.auto_reply"];

/// A configuration file that cannot be opened, or is not UTF-8.
pub(super) fn unopened(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// A configuration file that is not TOML. The parser's message quotes the line, so only its position is kept.
pub(super) fn malformed(name: &str, error: &ConfigError) -> String {
    let position = match error {
        ConfigError::FileParse { cause, .. } => position(&cause.to_string()),
        _ => None,
    };
    match position {
        Some((line, column)) => format!("{name} is not valid TOML at line {line}, column {column}"),
        None => format!("{name} is not valid TOML"),
    }
}

/// A value in the place of a section: a text there may contain all settings of the section, secrets too.
pub(super) fn misplaced(source: &str, settings: &Map<String, Value>) -> Option<String> {
    let is_section = |key: &str| !key.contains('.') || SUBSECTIONS.contains(&key);
    let is_value = |value: &Value| !matches!(value.kind, ValueKind::Table(_));
    let (key, _) = settings.iter().find(|(key, value)| is_section(key) && is_value(value))?;
    Some(format!("{source}: {key} is a section of settings, not a setting"))
}

/// Settings that do not fit what the program knows. The value of a secret is not shown.
pub(super) fn mismatched(error: &ConfigError) -> String {
    let key = match error {
        ConfigError::Type { key, .. } | ConfigError::At { key, .. } => key.as_deref(),
        _ => None,
    };
    match key {
        Some(key) if SECRETS.contains(&key) => format!("{key} is no text"),
        _ => error.to_string(),
    }
}

/// The line and column in "TOML parse error at line 3, column 5".
fn position(message: &str) -> Option<(u32, u32)> {
    let (line, column) = message.lines().next()?.split_once(" at line ")?.1.split_once(", column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
