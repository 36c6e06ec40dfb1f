//! Tickets, as customers read and write them: endpoints for apps that predate conversations (`support-user.md`, "Legacy
//! Ticket Endpoints"; `decisions.md`, "Tickets without an agent").

mod access;
mod add_message;
mod create;
mod rate;
mod read;
mod view;

use crate::api::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    endpoints.extend(create::endpoints());
    endpoints.extend(read::endpoints());
    endpoints.extend([add_message::endpoint(), rate::endpoint()]);
    endpoints
}
