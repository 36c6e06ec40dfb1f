//! `PUT …/support/:id/status`, `/assign` and `/priority`. Each answers with the ticket as the list shows it.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::view::TicketRow;
use crate::api::Api;
use crate::api::agent::view::DetailLevel;
use crate::api::agent::{known_agent, named_agent};
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::ticket_id;
use crate::api_error::ApiError;
use crate::conversation::{ConversationCommand, ConversationState};
use crate::domain::{
    AssignTicket, PrioritiseTicket, Refusal, ResolutionNotes, SetTicketStatus, TicketPriority, TicketStatus, UserId,
};
use crate::dto::{Validator, words};
use crate::store;
use crate::use_cases::holders_absence;

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketStatusRequest {
    #[schemars(with = "TicketStatus")]
    status: Option<String>,
    #[schemars(with = "Option<ResolutionNotes>")]
    resolution_notes: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketAssignRequest {
    #[schemars(with = "UserId")]
    assigned_to: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketPriorityRequest {
    #[schemars(with = "TicketPriority")]
    priority: Option<String>,
}

pub(super) fn endpoints() -> [Endpoint; 3] {
    const STATUS_MESSAGES: [&str; 6] = [
        "Ticket pending",
        "Ticket in_progress",
        "Ticket waiting_user",
        "Ticket resolved",
        "Ticket closed",
        "Ticket escalated",
    ];
    [
        Endpoint::put("/api/v1/unified-admin/support/{id}/status", set_status)
            .operation(Tag::AgentTickets, Access::Agent, "setTicketStatus", "Sets a ticket's status")
            .path_parameter("id", "The ticket's id")
            .body::<TicketStatusRequest>(json!({ "status": "resolved", "resolution_notes": "Funds were returned" }))
            .answers::<TicketRow<'static>>(200, &STATUS_MESSAGES)
            .refusals([Refusal::TicketNotFound]),
        Endpoint::put("/api/v1/unified-admin/support/{id}/assign", assign)
            .operation(Tag::AgentTickets, Access::Agent, "assignTicket", "Assigns a ticket to an agent")
            .path_parameter("id", "The ticket's id")
            .body::<TicketAssignRequest>(json!({ "assigned_to": "sarah" }))
            .answers::<TicketRow<'static>>(200, &["Ticket assigned"])
            .refusals([
                Refusal::TicketNotFound,
                Refusal::AssigneeUnknown,
                Refusal::TicketHeldByAnother,
                Refusal::HolderPresent,
            ]),
        Endpoint::put("/api/v1/unified-admin/support/{id}/priority", prioritise)
            .operation(Tag::AgentTickets, Access::Agent, "prioritiseTicket", "Sets a ticket's priority")
            .path_parameter("id", "The ticket's id")
            .body::<TicketPriorityRequest>(json!({ "priority": "urgent" }))
            .answers::<TicketRow<'static>>(200, &["Priority updated"])
            .refusals([Refusal::TicketNotFound]),
    ]
}

async fn set_status(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<TicketStatusRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let status = validator.one_of(
        "status",
        Some(body.status.as_deref().unwrap_or_default()),
        words(TicketStatus::ALL, TicketStatus::as_str),
    );
    let notes = body.resolution_notes.as_deref();
    let notes = validator.optional("resolution_notes", notes, ResolutionNotes::parse_optional).flatten();
    let status = validator.finish(status)?;
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

async fn assign(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<TicketAssignRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let assignee = named_agent(&mut validator, "assigned_to", body.assigned_to.as_deref());
    let to = known_agent(&api, validator.finish(assignee)?).await?;
    let database = &api.services.database;
    let key = store::ticket_of_id(database, ticket_id(&id)?).await?.ok_or(Refusal::TicketNotFound)?;
    // Only who takes a ticket for themselves can need its holder's absence.
    let absence = match &to {
        Some(to) if to.id == agent.id => holders_absence(&api.services, key.conversation).await?,
        _ => None,
    };
    let is_supervisor = api.services.is_supervisor(&agent);
    let assign = AssignTicket { by: agent.as_agent(), to, is_supervisor, absence };
    change(&api, &id, "Ticket assigned", assign).await
}

async fn prioritise(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<TicketPriorityRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let priority = Some(body.priority.as_deref().unwrap_or_default());
    let priority = validator.one_of("priority", priority, words(TicketPriority::ALL, TicketPriority::as_str));
    let priority = validator.finish(priority)?;
    change(&api, &id, "Priority updated", PrioritiseTicket { by: agent.as_agent(), priority }).await
}

/// Executes a command on the ticket of this id, and answers with the ticket.
async fn change<C>(api: &Api, id: &str, message: &'static str, command: C) -> Result<HttpResponse, ApiError>
where
    C: ConversationCommand<Answer = ConversationState>,
{
    let database = &api.services.database;
    let key = store::ticket_of_id(database, ticket_id(id)?).await?.ok_or(Refusal::TicketNotFound)?;
    let conversation = api.services.registry.execute(key.conversation, command).await?;
    let users = store::ticket_users(database, &conversation).await?;
    let row = TicketRow::new(&conversation, &users, DetailLevel::List).ok_or_else(ApiError::internal)?;
    Ok(fetched(message, row))
}
