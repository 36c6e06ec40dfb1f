//! Tickets, as agents read and change them (`support-admin.md`, "Tickets").

mod actions;
mod create;
mod list;
mod query;
mod reply;
mod view;

use crate::api::endpoint::Endpoint;

/// To be mounted after every other path: `/{id}` matches any segment after the agents' base path.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = vec![create::endpoint()];
    endpoints.extend(list::endpoints());
    endpoints.push(reply::endpoint());
    endpoints.extend(actions::endpoints());
    endpoints
}
