//! The customers' endpoints (`support-user.md`).

mod conversations;
mod device;
mod guest;
mod rate;
mod read;
mod send;
mod tickets;

use super::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = vec![send::endpoint(), guest::endpoint()];
    endpoints.extend(conversations::endpoints());
    endpoints.extend([rate::endpoint(), read::endpoint()]);
    endpoints.extend(tickets::endpoints());
    endpoints
}
