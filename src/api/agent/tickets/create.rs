//! `POST …/conversations/:id/create-ticket`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{
    ConversationId, CreateTicket, Description, Reference, Refusal, Subject, SupportType, TicketDraft, TicketId,
    TicketNumber, TicketPriority, TicketStatus,
};
use crate::dto::{Validator, words};

#[derive(Debug, Deserialize, JsonSchema)]
struct CreateTicketRequest {
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
struct CreateTicketResponse<'a> {
    ticket: CreatedTicket<'a>,
}

#[derive(Serialize, JsonSchema)]
struct CreatedTicket<'a> {
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

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/create-ticket", create)
        .operation(
            Tag::AgentTickets,
            Access::Agent,
            "createTicketFromConversation",
            "Creates a ticket from a conversation",
        )
        .path_parameter("id", "The conversation's id")
        .body::<CreateTicketRequest>(
            json!({ "subject": "Failed transfer to @janedoe", "description": "Every transfer to her fails" }),
        )
        .answers::<CreateTicketResponse<'static>>(201, &["Ticket created from conversation"])
        .refusals([
            Refusal::NotFound,
            Refusal::TicketExists(TicketNumber::stored("SMI-2026-001234".to_owned())),
            Refusal::TicketOfClosed,
        ])
}

async fn create(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<CreateTicketRequest>,
) -> Result<HttpResponse, ApiError> {
    let draft = validate(body)?;
    let id = conversation_id(&id)?;
    let conversation = api.services.registry.execute(id, CreateTicket { by: agent.as_agent(), draft }).await?;
    let ticket = conversation.ticket.as_deref().ok_or_else(ApiError::internal)?;
    let ticket = CreatedTicket {
        id: ticket.draft.id,
        ticket_number: ticket.number.as_str(),
        subject: &ticket.draft.subject,
        support_type: ticket.draft.support_type.as_str(),
        priority: ticket.draft.priority.as_str(),
        status: ticket.status.as_str(),
        conversation_id: id,
    };
    Ok(created("Ticket created from conversation", CreateTicketResponse { ticket }))
}

fn validate(body: CreateTicketRequest) -> Result<TicketDraft, ApiError> {
    let mut validator = Validator::default();
    let subject = validator.required("subject", body.subject.as_deref(), Subject::parse);
    let description = validator.required("description", body.description.as_deref(), Description::parse);
    let support_type =
        validator.one_of("support_type", body.support_type.as_deref(), words(SupportType::ALL, SupportType::as_str));
    let priority =
        validator.one_of("priority", body.priority.as_deref(), words(TicketPriority::ALL, TicketPriority::as_str));
    let transaction = body.related_transaction_id.as_deref();
    let transaction = validator.optional("related_transaction_id", transaction, Reference::parse_optional).flatten();
    validator.finish(subject.zip(description).map(|(subject, description)| TicketDraft {
        id: TicketId(Uuid::now_v7()),
        subject,
        description,
        support_type: support_type.unwrap_or(SupportType::GeneralInquiry),
        priority: priority.unwrap_or(TicketPriority::Medium),
        related_transaction_id: transaction,
        session_id: None,
    }))
}
