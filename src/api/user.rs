//! The customers' endpoints (`support-user.md`).

mod conversations;
mod device;
mod guest;
mod guest_token;
mod rate;
mod read;
mod send;
mod tickets;

use super::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    // Before the conversations: `/conversations/{id}` also matches its path.
    let mut endpoints = vec![send::endpoint(), guest::endpoint(), guest_token::endpoint()];
    endpoints.extend(conversations::endpoints());
    endpoints.extend([rate::endpoint(), read::endpoint()]);
    endpoints.extend(tickets::endpoints());
    endpoints
}
