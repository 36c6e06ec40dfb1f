//! `POST …/conversations/:id/take-over` and `PUT …/conversations/:id/assign` (`additions.md`, 5).

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{known_agent, named_agent};
use crate::api::Api;
use crate::api::body::{Json, OptionalJson};
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::{created, fetched};
use crate::api::extractors::{AgentCaller, SupervisorCaller};
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{AssignConversation, ConversationId, Ownership, Reason, Refusal, TakeOver, UserId};
use crate::dto::Validator;
use crate::use_cases::holders_absence;

#[derive(Debug, Default, Deserialize, JsonSchema)]
struct TakeOverRequest {
    #[schemars(with = "Option<Reason>")]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ConversationAssignRequest {
    #[schemars(with = "UserId")]
    assigned_to: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ConversationOwnership {
    conversation_id: ConversationId,
    assigned_to: UserId,
    assigned_admin_name: String,
    /// The agent who lost it; null if none held it, or if nothing changed.
    previous_admin_id: Option<UserId>,
}

impl ConversationOwnership {
    fn new(conversation_id: ConversationId, Ownership { assignee, previous }: Ownership) -> Self {
        let (assigned_to, assigned_admin_name) = (assignee.id, assignee.name);
        Self { conversation_id, assigned_to, assigned_admin_name, previous_admin_id: previous }
    }
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/take-over", take_over)
            .operation(
                Tag::Agents,
                Access::Agent,
                "takeOverConversation",
                "Takes a conversation over from an absent agent",
            )
            .path_parameter("id", "The conversation's id")
            .optional_body::<TakeOverRequest>(json!({ "reason": "Their shift is over" }))
            .answers::<ConversationOwnership>(201, &["Conversation taken over"])
            .refusals([Refusal::NotFound, Refusal::TakeOverClosed, Refusal::HolderPresent]),
        Endpoint::put("/api/v1/unified-admin/support/conversations/{id}/assign", assign)
            .operation(Tag::Agents, Access::Agent, "assignConversation", "A supervisor assigns a conversation")
            .path_parameter("id", "The conversation's id")
            .body::<ConversationAssignRequest>(json!({ "assigned_to": "sarah" }))
            .answers::<ConversationOwnership>(200, &["Conversation assigned"])
            .refusals([Refusal::NotFound, Refusal::AssigneeUnknown, Refusal::AssignClosed]),
    ]
}

async fn take_over(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    OptionalJson(body): OptionalJson<TakeOverRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let reason = validator.optional("reason", body.reason.as_deref(), Reason::parse_optional).flatten();
    validator.finish(Some(()))?;
    let id = conversation_id(&id)?;
    let absence = holders_absence(&api.services, id).await?;
    let ownership = api.services.registry.execute(id, TakeOver { by: agent.as_agent(), reason, absence }).await?;
    Ok(created("Conversation taken over", ConversationOwnership::new(id, ownership)))
}

async fn assign(
    api: web::Data<Api>,
    SupervisorCaller(supervisor): SupervisorCaller,
    id: web::Path<String>,
    Json(body): Json<ConversationAssignRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let assignee = named_agent(&mut validator, "assigned_to", body.assigned_to.as_deref());
    let assignee = validator.finish(assignee)?;
    let id = conversation_id(&id)?;
    let to = known_agent(&api, assignee).await?;
    let ownership = api.services.registry.execute(id, AssignConversation { by: supervisor.as_agent(), to }).await?;
    Ok(fetched("Conversation assigned", ConversationOwnership::new(id, ownership)))
}
