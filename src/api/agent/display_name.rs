//! An agent's name in two parts: pages show the first alone where there is little room.

use entity::users;

use crate::domain::NAMELESS_AGENT;

/// First and last name from the directory where it has them apart, else `whole` at its first space. The first is never
/// empty unless `whole` is.
pub(super) fn apart<'a>(person: Option<&'a users::Model>, whole: &'a str) -> (&'a str, &'a str) {
    let named = |name: &'a Option<String>| name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    match person.and_then(|person| Some((named(&person.first_name)?, named(&person.last_name)))) {
        Some((first, last)) => (first, last.unwrap_or_default()),
        None => whole.split_once(' ').unwrap_or((whole, "")),
    }
}

/// What an agent is called who has no first name: the whole name, the last name, the e-mail's local part, or what
/// an agent without a name is called.
pub(super) fn whole(person: &users::Model) -> &str {
    [
        person.name.as_deref(),
        person.last_name.as_deref(),
        person.email.as_deref().and_then(|email| email.split('@').next()),
    ]
    .into_iter()
    .flatten()
    .map(str::trim)
    .find(|name| !name.is_empty())
    .unwrap_or(NAMELESS_AGENT)
}
