//! `POST …/conversations/:id/create-ticket`: an agent makes a ticket of a conversation.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{
    ConversationId, CreateTicket, Description, Reference, Subject, SupportType, TicketDraft, TicketId, TicketPriority,
    TicketStatus,
};
use crate::wire::{Validator, words};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CreateTicketRequest")]
pub(in crate::api) struct CreateBody {
    #[schemars(with = "Subject")]
    subject: Option<String>,
    #[schemars(with = "Description")]
    description: Option<String>,
    #[schemars(with = "Option<SupportType>")]
    support_type: Option<String>,
    #[schemars(with = "Option<TicketPriority>")]
    priority: Option<String>,
    related_transaction_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketCreated")]
pub(in crate::api) struct Created<'a> {
    ticket: Ticket<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedTicket")]
pub(in crate::api) struct Ticket<'a> {
    id: TicketId,
    ticket_number: &'a str,
    subject: &'a Subject,
    #[schemars(with = "SupportType")]
    support_type: &'static str,
    #[schemars(with = "TicketPriority")]
    priority: &'static str,
    #[schemars(with = "TicketStatus")]
    status: &'static str,
    conversation_id: ConversationId,
}

pub(in crate::api) async fn create(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<CreateBody>,
) -> Result<HttpResponse, ApiError> {
    let draft = form(body)?;
    let id = conversation_id(&id)?;
    let conversation = api.registry.execute(id, CreateTicket { by: agent.as_agent(), draft }).await?;
    let ticket = conversation.ticket.as_deref().ok_or_else(ApiError::internal)?;
    let ticket = Ticket {
        id: ticket.draft.id,
        ticket_number: ticket.number.as_str(),
        subject: &ticket.draft.subject,
        support_type: ticket.draft.support_type.as_str(),
        priority: ticket.draft.priority.as_str(),
        status: ticket.status.as_str(),
        conversation_id: id,
    };
    Ok(created("Ticket created from conversation", Created { ticket }))
}

fn form(body: CreateBody) -> Result<TicketDraft, ApiError> {
    let mut fields = Validator::default();
    let subject = fields.required("subject", body.subject.as_deref(), Subject::parse);
    let description = fields.required("description", body.description.as_deref(), Description::parse);
    let support_type =
        fields.one_of("support_type", body.support_type.as_deref(), words(SupportType::ALL, SupportType::as_str));
    let priority =
        fields.one_of("priority", body.priority.as_deref(), words(TicketPriority::ALL, TicketPriority::as_str));
    let transaction = body.related_transaction_id.as_deref();
    let transaction = fields.optional("related_transaction_id", transaction, Reference::parse_or_nothing).flatten();
    fields.finish(subject.zip(description).map(|(subject, description)| TicketDraft {
        id: TicketId(Uuid::now_v7()),
        subject,
        description,
        support_type: support_type.unwrap_or(SupportType::GeneralInquiry),
        priority: priority.unwrap_or(TicketPriority::Medium),
        related_transaction_id: transaction,
        session_id: None,
    }))
}
