//! `PUT …/support/:id/status`, `/assign` and `/priority`. Each answers the ticket as the list shows it.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::Card;
use crate::api::Api;
use crate::api::agent::handover::known_agent;
use crate::api::agent::view::DetailLevel;
use crate::api::body::Json;
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::ticket_id;
use crate::api_error::ApiError;
use crate::conversation::{ConversationCommand, ConversationState};
use crate::domain::{
    AssignTicket, PrioritiseTicket, Refusal, ResolutionNotes, SetTicketStatus, TextError, TicketPriority, TicketStatus,
    UserId,
};
use crate::store;
use crate::wire::{Validator, words};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketStatusRequest")]
pub(in crate::api) struct StatusBody {
    #[schemars(with = "TicketStatus")]
    status: Option<String>,
    #[schemars(with = "Option<ResolutionNotes>")]
    resolution_notes: Option<String>,
}

pub(in crate::api) async fn set_status(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<StatusBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let status = fields.one_of(
        "status",
        Some(body.status.as_deref().unwrap_or_default()),
        words(TicketStatus::ALL, TicketStatus::as_str),
    );
    let notes = body.resolution_notes.as_deref();
    let notes = fields.optional("resolution_notes", notes, ResolutionNotes::parse_or_nothing).flatten();
    let status = fields.finish(status)?;
    let message = match status {
        TicketStatus::Pending => "Ticket pending",
        TicketStatus::InProgress => "Ticket in_progress",
        TicketStatus::WaitingUser => "Ticket waiting_user",
        TicketStatus::Resolved => "Ticket resolved",
        TicketStatus::Closed => "Ticket closed",
        TicketStatus::Escalated => "Ticket escalated",
    };
    change(&api, &id, message, SetTicketStatus { by: agent.as_agent(), status, notes }).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketAssignRequest")]
pub(in crate::api) struct AssignBody {
    #[schemars(with = "UserId")]
    assigned_to: Option<String>,
}

pub(in crate::api) async fn assign(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<AssignBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let assignee = fields.required("assigned_to", body.assigned_to.as_deref(), |id| match id.trim() {
        "" => Err(TextError::Empty),
        id => Ok(UserId::parse(id).ok()),
    });
    let assignee = fields.finish(assignee)?;
    let to = match assignee {
        Some(id) => known_agent(&api, id).await?,
        None => None,
    };
    change(&api, &id, "Ticket assigned", AssignTicket { by: agent.as_agent(), to }).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketPriorityRequest")]
pub(in crate::api) struct PriorityBody {
    #[schemars(with = "TicketPriority")]
    priority: Option<String>,
}

pub(in crate::api) async fn prioritise(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<PriorityBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let priority = Some(body.priority.as_deref().unwrap_or_default());
    let priority = fields.one_of("priority", priority, words(TicketPriority::ALL, TicketPriority::as_str));
    let priority = fields.finish(priority)?;
    change(&api, &id, "Priority updated", PrioritiseTicket { by: agent.as_agent(), priority }).await
}

async fn change<C>(api: &Api, id: &str, message: &'static str, command: C) -> Result<HttpResponse, ApiError>
where
    C: ConversationCommand<Answer = ConversationState>,
{
    let key = store::ticket_of_id(&api.database, ticket_id(id)?).await?.ok_or(Refusal::TicketNotFound)?;
    let conversation = api.registry.execute(key.conversation, command).await?;
    let people = store::ticket_users(&api.database, &conversation).await?;
    let card = Card::new(&conversation, &people, DetailLevel::List).ok_or_else(ApiError::internal)?;
    Ok(fetched(message, card))
}
