//! An agent's first and last name: the dashboard shows the first one alone where space is scarce.

use entity::users;

use crate::domain::{NAMELESS_AGENT, is_blank};

/// First and last name from the directory if it has them, else `full` split at its first space. The first name is not
/// empty unless `full` is.
pub(super) fn split<'a>(user: Option<&'a users::Model>, full: &'a str) -> (&'a str, &'a str) {
    let named = |name: &'a Option<String>| name.as_deref().map(str::trim).filter(|name| !is_blank(name));
    match user.and_then(|user| Some((named(&user.first_name)?, named(&user.last_name)))) {
        Some((first, last)) => (first, last.unwrap_or_default()),
        None => full.split_once(' ').unwrap_or((full, "")),
    }
}

/// The name of an agent without a first name: the full name, the last name, the local part of the e-mail address, or
/// [`NAMELESS_AGENT`].
pub(super) fn full(user: &users::Model) -> &str {
    [user.name.as_deref(), user.last_name.as_deref(), user.email.as_deref().and_then(|email| email.split('@').next())]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !is_blank(name))
        .unwrap_or(NAMELESS_AGENT)
}
