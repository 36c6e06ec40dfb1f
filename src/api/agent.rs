//! The agents' endpoints (`support-admin.md`).

mod agents;
mod claim;
mod close;
mod display_name;
mod filter;
mod handover;
mod queue;
mod read;
mod release;
mod reply;
mod take_over;
mod tickets;
mod timeline;
mod view;

use super::Api;
use super::endpoint::Endpoint;
use crate::api_error::ApiError;
use crate::domain::{Party, TextError, UserId};
use crate::dto::Validator;
use crate::store;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    endpoints.extend(queue::endpoints());
    endpoints.extend([timeline::endpoint(), claim::endpoint(), reply::endpoint(), close::endpoint(), read::endpoint()]);
    endpoints.extend(release::endpoints());
    endpoints.extend(take_over::endpoints());
    endpoints.extend(handover::endpoints());
    endpoints.push(agents::endpoint());
    // Last: `/{id}` of a ticket also matches `/conversations` and `/agents`.
    endpoints.extend(tickets::endpoints());
    endpoints
}

/// The agent named in a required field of a body. The outer `None` is a field that is absent or empty, which the validator
/// reports; the inner one an id that no account can have, which is unknown rather than invalid.
fn named_agent(validator: &mut Validator, field: &'static str, id: Option<&str>) -> Option<Option<UserId>> {
    validator.required(field, id, |id| match id.trim() {
        "" => Err(TextError::Empty),
        id => Ok(UserId::parse(id).ok()),
    })
}

/// An agent whom the directory knows, with their name there. An agent who has just called for the first time is written
/// to the directory asynchronously, so an unknown one is looked up again after pending writes.
async fn known_agent(api: &Api, id: Option<UserId>) -> Result<Option<Party>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    // The latest token of one who was an agent may have another role: a former agent is neither a target nor an assignee
    // (`additions.md`, 5).
    if !api.services.roles.is_still_agent(&id) {
        return Ok(None);
    }
    if let Some(agent) = store::find_agent(&api.services.database, id.clone()).await? {
        return Ok(Some(agent));
    }
    api.services.directory.flush().await;
    Ok(store::find_agent(&api.services.database, id).await?)
}
