//! Every endpoint of the API, in the order in which they are mounted.

use super::endpoint::Endpoint;
use super::{agent, health, help_center, user};

/// actix takes the first path that matches, so the order counts: see [`agent::endpoints`].
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    endpoints.extend(health::endpoints());
    endpoints.extend(user::endpoints());
    endpoints.extend(agent::endpoints());
    endpoints.extend(help_center::endpoints());
    endpoints
}
