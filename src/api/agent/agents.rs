//! `GET …/agents`: the agents that a conversation can be handed to, with presence and workload.

use std::collections::HashSet;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::display_name;
use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api_error::ApiError;
use crate::domain::{Agent, UserId};
use crate::store::{self, Agents};

#[derive(Serialize, JsonSchema)]
struct AgentList<'a> {
    agents: Vec<AgentRow<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
struct AgentRow<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: Option<&'a str>,
    online: bool,
    open_conversations: i64,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::get("/api/v1/unified-admin/support/agents", agents)
        .operation(
            Tag::Agents,
            Access::Agent,
            "listAgents",
            "Every account that has called with an agent's token, but former agents",
        )
        .answers::<AgentList<'static>>(200, &["Agents fetched"])
}

async fn agents(api: web::Data<Api>, AgentCaller(caller): AgentCaller) -> Result<HttpResponse, ApiError> {
    let mut agents = store::agents(&api.services.database).await?;
    // Former agents are not offered (`additions.md`, 5).
    agents.users.retain(|user| UserId::parse(&user.id).is_ok_and(|id| api.services.roles.is_still_agent(&id)));
    let online = api.services.cluster.agents_online();
    let caller = caller.as_agent();
    Ok(fetched("Agents fetched", AgentList { agents: rows(&agents, &online, &caller) }))
}

/// One row for each agent in the directory or online, and for the caller. Sorted by first name, last name and id, so
/// that a dashboard can show them in a stable order.
fn rows<'a>(agents: &'a Agents, online: &'a [Agent], caller: &'a Agent) -> Vec<AgentRow<'a>> {
    let online_ids: HashSet<&str> = online.iter().map(|agent| agent.id.as_str()).collect();
    let row = |id, (first_name, last_name), email| AgentRow {
        id,
        first_name,
        last_name,
        email,
        online: online_ids.contains(id),
        open_conversations: agents.open_conversations(id),
    };
    let mut rows: Vec<AgentRow<'a>> = agents
        .users
        .iter()
        .map(|user| {
            let name = display_name::split(Some(user), display_name::full(user));
            row(&user.id, name, user.email.as_deref())
        })
        .collect();
    // The directory is written in the background, so an agent who has just connected or called may not be in it yet.
    for agent in online.iter().chain([caller]) {
        let id = agent.id.as_str();
        if !rows.iter().any(|row| row.id == id) {
            rows.push(row(id, display_name::split(None, &agent.name), agent.email.as_deref()));
        }
    }
    rows.sort_by_key(|row| (row.first_name, row.last_name, row.id));
    rows
}
