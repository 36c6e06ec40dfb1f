//! Settings that were renamed in this release. The old names work until the next one, with a warning at the start.

#[cfg(test)]
mod tests;

use config::{Map, Value};

use super::SettingsError;

/// Old and new names.
pub(super) const RENAMED: [(&str, &str); 12] = [
    ("journal.intake", "journal.queue_capacity"),
    ("conversation.arbiters", "conversation.threads"),
    ("conversation.remembered_sends", "conversation.idempotency_cache_size"),
    ("conversation.remembered_positions", "conversation.watermark_cache_size"),
    ("conversation.told_at_once", "conversation.catch_up_max_events"),
    ("conversation.rest_seconds", "conversation.trim_after_seconds"),
    ("conversation.idle_seconds", "conversation.passivate_after_seconds"),
    ("conversation.unconfirmed_seconds", "conversation.in_doubt_seconds"),
    ("auth.remembered_tokens", "auth.token_cache_size"),
    ("limits.remembered", "limits.limiter_cache_size"),
    ("directory.remembered_people", "directory.user_cache_size"),
    ("directory.intake", "directory.queue_capacity"),
];

/// A setting that is given under its old name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name} sets {old}, which is called {new} now; the old name will be refused by the next release")]
pub struct OldName {
    /// The file, or the environment.
    pub source_name: String,
    /// The name that is given.
    pub old: &'static str,
    /// The name to use.
    pub new: &'static str,
}

/// Gives every renamed setting its new name, and returns those that had the old one.
///
/// # Errors
/// [`SettingsError::BothNames`] if the source sets both: which one counts would be a guess.
pub(super) fn apply(source: &str, settings: &mut Map<String, Value>) -> Result<Vec<OldName>, SettingsError> {
    let mut found = Vec::new();
    for (old, new) in RENAMED {
        let Some(value) = settings.remove(old) else { continue };
        let name = OldName { source_name: source.to_owned(), old, new };
        if settings.insert(new.to_owned(), value).is_some() {
            return Err(SettingsError::BothNames(name));
        }
        found.push(name);
    }
    Ok(found)
}
