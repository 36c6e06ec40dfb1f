//! `GET …/agents`: whom a conversation can be handed to, who of them is there, and how much each has to do.

use std::collections::HashSet;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::display_name;
use crate::api::Api;
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api_error::ApiError;
use crate::domain::Agent;
use crate::store::{self, Agents};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentList")]
pub(in crate::api) struct List<'a> {
    agents: Vec<Row<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
pub(in crate::api) struct Row<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: Option<&'a str>,
    online: bool,
    open_conversations: i64,
}

pub(in crate::api) async fn agents(
    api: web::Data<Api>,
    AgentCaller(caller): AgentCaller,
) -> Result<HttpResponse, ApiError> {
    let found = store::agents(&api.database).await?;
    let online = api.cluster.agents_online();
    let caller = caller.as_agent();
    Ok(fetched("Agents fetched", List { agents: rows(&found, &online, &caller) }))
}

/// By first name, then last name, then account, so that a picker stays as it is.
fn rows<'a>(found: &'a Agents, online: &'a [Agent], caller: &'a Agent) -> Vec<Row<'a>> {
    let there: HashSet<&str> = online.iter().map(|agent| agent.id.as_str()).collect();
    let mut rows: Vec<Row<'a>> = found
        .users
        .iter()
        .map(|person| {
            let (first_name, last_name) = display_name::apart(Some(person), display_name::whole(person));
            let (id, email) = (person.id.as_str(), person.email.as_deref());
            let is_there = there.contains(id);
            let open_conversations = found.open_conversations(id);
            Row { id, first_name, last_name, email, online: is_there, open_conversations }
        })
        .collect();
    // Who has come this very moment may not be written down yet.
    for agent in online.iter().chain([caller]) {
        let id = agent.id.as_str();
        if rows.iter().any(|row| row.id == id) {
            continue;
        }
        let (first_name, last_name) = display_name::apart(None, &agent.name);
        let (email, is_there) = (agent.email.as_deref(), there.contains(id));
        let open_conversations = found.open_conversations(id);
        rows.push(Row { id, first_name, last_name, email, online: is_there, open_conversations });
    }
    rows.sort_by_key(|row| (row.first_name, row.last_name, row.id));
    rows
}
