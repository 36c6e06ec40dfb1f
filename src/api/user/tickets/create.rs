//! `POST /api/v1/support/request-support` and `/create-ticket`: a customer creates a ticket without a conversation.
//!
//! They differ in access only: the first accepts guests that pass the guard, the second requires a token.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::{author, find, limit_author, message_id};
use super::add_message::post_into;
use super::view::UserTicket;
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::examples;
use crate::api::extractors::{Caller, OptionalCaller};
use crate::api::guard::check_guard;
use crate::api::user::device::device_metadata;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::conversation::Opened;
use crate::domain::{
    Channel, ClientMessageId, Customer, Description, DeviceMetadata, EmailAddress, MessageText, Open, Origin, Owner,
    PhoneNumber, Post, Reference, Refusal, Subject, SupportType, Target, TicketDraft, TicketId, TicketPriority,
};
use crate::dto::{UserMessage, Validator, words};
use crate::identity::{Guest, GuestPlace, Principal};
use crate::store::{self, MessageRange, TicketKey};
use crate::use_cases::issue_guest_token;

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketRequest {
    #[schemars(with = "Subject")]
    subject: Option<String>,
    #[schemars(with = "Description")]
    description: Option<String>,
    #[schemars(with = "Option<SupportType>")]
    support_type: Option<String>,
    #[schemars(with = "Option<TicketPriority>")]
    priority: Option<String>,
    #[schemars(with = "Option<EmailAddress>")]
    email: Option<String>,
    #[schemars(with = "Option<PhoneNumber>")]
    phone_number: Option<String>,
    related_transaction_id: Option<String>,
    session_id: Option<String>,
    device_metadata: Option<Map<String, Value>>,
    ticket_number: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct TicketOpened<'a> {
    ticket: UserTicket<'a>,
    message: &'static str,
    /// For a guest whose ticket this request has created: reads and continues it.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_token: Option<String>,
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    let request_support = Endpoint::post("/api/v1/support/request-support", request_support).operation(
        Tag::CustomerTickets,
        Access::Guest,
        "requestSupport",
        "Creates a ticket, with or without an account",
    );
    let create_ticket = Endpoint::post("/api/v1/support/create-ticket", create_ticket).operation(
        Tag::CustomerTickets,
        Access::Customer,
        "createTicket",
        "Creates a ticket",
    );
    [request_support, create_ticket].map(|endpoint| {
        endpoint
            .deprecated()
            .body::<TicketRequest>(examples::ticket_request())
            .device_headers()
            .posts_message()
            .answers::<TicketOpened<'static>>(201, &["Support ticket created successfully", "Message sent"])
            .refusals([Refusal::TicketEmailMismatch, Refusal::AccessDenied, Refusal::TicketDone, Refusal::SendToClosed])
    })
}

async fn request_support(
    api: web::Data<Api>,
    OptionalCaller(caller): OptionalCaller,
    request: HttpRequest,
    client: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    check_guard(&api, caller.as_ref(), &request, &bytes).await?;
    execute(&api, caller, &bytes, &request, client).await
}

async fn create_ticket(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    client: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    execute(&api, Some(caller), &bytes, &request, client).await
}

async fn execute(
    api: &Api,
    caller: Option<Principal>,
    bytes: &[u8],
    request: &HttpRequest,
    client: ClientInfo,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    let form = validate(caller.as_ref(), body::parse(bytes)?, headers)?;
    limit_author(api, &form.from.owner, request)?;
    let known = match form.number.as_deref() {
        Some(number) => find(api, number, caller.as_ref()).await?,
        None => None,
    };
    match known {
        Some(key) => continue_ticket(api, &key, form, caller.as_ref()).await,
        None => open_ticket(api, form, headers, client).await,
    }
}

/// Creates a ticket.
async fn open_ticket(
    api: &Api,
    form: TicketForm,
    headers: &HeaderMap,
    client: ClientInfo,
) -> Result<HttpResponse, ApiError> {
    let origin = Origin {
        channel: Channel::Ticket,
        customer: form.from,
        device_metadata: form.device_metadata.or_else(|| device_metadata(headers)),
        ip_address: client.ip_address,
        user_agent: client.user_agent,
    };
    let text = MessageText::from(&form.draft.description);
    let open = Open { origin, text, ticket: Some(Box::new(form.draft)), client_message_id: form.client_message_id };
    let sender = open.origin.customer.owner.clone();
    let Opened { conversation, message } = api.services.registry.open(open).await?;
    let guest_token = match (sender, &conversation.ticket) {
        (Owner::Guest(email), Some(ticket)) => {
            let guest = Guest { place: GuestPlace::Ticket(ticket.draft.id.0), email };
            Some(issue_guest_token(&api.services, &guest)?)
        }
        _ => None,
    };
    let messages = vec![UserMessage::of_sender(&message)];
    let ticket = UserTicket::new(&conversation, messages, None).ok_or_else(ApiError::internal)?;
    let message = "Your ticket has been created. Our team will review it and respond as soon as possible.";
    Ok(created("Support ticket created successfully", TicketOpened { ticket, message, guest_token }))
}

/// Posts the description as a message to the ticket that the body names.
async fn continue_ticket(
    api: &Api,
    key: &TicketKey,
    form: TicketForm,
    caller: Option<&Principal>,
) -> Result<HttpResponse, ApiError> {
    let text = MessageText::from(&form.draft.description);
    let post = Post { target: Target::Ticket, from: form.from, text, client_message_id: form.client_message_id };
    let posted = post_into(api, key.conversation, post).await?;
    let database = &api.services.database;
    let conversation = store::ticket(database, key.id).await?.ok_or_else(ApiError::internal)?;
    let range = MessageRange::Last { limit: MessageRange::ALL };
    let history = store::visible_messages(database, &conversation, range).await?;
    let reader = caller.map(|caller| caller.as_owner());
    // Without a token, the caller has shown to be the sender of this message alone.
    let messages = history.messages.iter().map(|message| match message.id == posted.id {
        true => UserMessage::of_sender(message),
        false => UserMessage::in_history(message, reader.as_ref()),
    });
    let messages = messages.collect();
    let ticket = UserTicket::new(&conversation, messages, Some(history.has_more)).ok_or_else(ApiError::internal)?;
    let message = "Your message has been added to your ticket.";
    Ok(created("Message sent", TicketOpened { ticket, message, guest_token: None }))
}

/// A body whose fields are valid.
struct TicketForm {
    from: Customer,
    draft: TicketDraft,
    number: Option<String>,
    client_message_id: Option<ClientMessageId>,
    device_metadata: Option<DeviceMetadata>,
}

fn validate(caller: Option<&Principal>, body: TicketRequest, headers: &HeaderMap) -> Result<TicketForm, ApiError> {
    let mut validator = Validator::default();
    let subject = validator.required("subject", body.subject.as_deref(), Subject::parse);
    let description = validator.required("description", body.description.as_deref(), Description::parse);
    let support_type =
        validator.one_of("support_type", body.support_type.as_deref(), words(SupportType::ALL, SupportType::as_str));
    let priority =
        validator.one_of("priority", body.priority.as_deref(), words(TicketPriority::ALL, TicketPriority::as_str));
    let from = author(&mut validator, caller, body.email.as_deref());
    let phone_number = validator.optional("phone_number", body.phone_number.as_deref(), PhoneNumber::parse);
    let mut reference =
        |name, value: Option<String>| validator.optional(name, value.as_deref(), Reference::parse_optional).flatten();
    let related_transaction_id = reference("related_transaction_id", body.related_transaction_id);
    let session_id = reference("session_id", body.session_id);
    let client_message_id = message_id(&mut validator, caller, body.client_message_id.as_deref(), headers);
    let device_metadata = body.device_metadata.map(DeviceMetadata::parse);
    let device_metadata = device_metadata.and_then(|parsed| validator.check("device_metadata", parsed));
    let support_type = support_type.unwrap_or(if session_id.is_some() {
        SupportType::RegistrationIssue
    } else {
        SupportType::GeneralInquiry
    });
    let number = body.ticket_number.map(|number| number.trim().to_owned()).filter(|number| !number.is_empty());
    let ((subject, description), from) = validator.finish(subject.zip(description).zip(from))?;
    Ok(TicketForm {
        from: Customer {
            phone_number: phone_number.map(|number| number.as_str().to_owned()).or(from.phone_number),
            ..from
        },
        draft: TicketDraft {
            id: TicketId(Uuid::now_v7()),
            subject,
            description,
            support_type,
            priority: priority.unwrap_or_else(|| support_type.default_priority()),
            related_transaction_id,
            session_id,
        },
        number,
        client_message_id,
        device_metadata,
    })
}
