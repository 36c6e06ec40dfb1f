//! `POST /api/v1/support/request-support` and `/create-ticket`: a customer makes a ticket without a conversation.
//!
//! Both are the same but for who may come: to the first anybody behind the guard, to the second whoever has a token.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::{find, send_name, writer};
use super::add_message::post_into;
use super::view::UserTicket;
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::envelope::created;
use crate::api::extractors::{Caller, ClientInfo, Visitor};
use crate::api::guard::pass_guard;
use crate::api::user::send::device_of;
use crate::api_error::ApiError;
use crate::conversation::Opened;
use crate::domain::{
    Channel, ClientMessageId, Customer, Description, DeviceMetadata, EmailAddress, MessageText, Open, Origin,
    PhoneNumber, Post, Reference, Subject, SupportType, Target, TicketDraft, TicketId, TicketPriority,
};
use crate::identity::Principal;
use crate::store::{self, MessageRange, TicketKey};
use crate::wire::view::UserMessage;
use crate::wire::{Validator, words};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketRequest")]
pub(in crate::api) struct TicketBody {
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
#[schemars(rename = "TicketOpened")]
pub(in crate::api) struct Created<'a> {
    ticket: UserTicket<'a>,
    message: &'static str,
}

pub(in crate::api) async fn request_support(
    api: web::Data<Api>,
    Visitor(caller): Visitor,
    request: HttpRequest,
    observed: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    pass_guard(&api, caller.as_ref(), &request, &bytes).await?;
    carry_out(&api, caller, &bytes, request.headers(), observed).await
}

pub(in crate::api) async fn create_ticket(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    observed: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    carry_out(&api, Some(caller), &bytes, request.headers(), observed).await
}

async fn carry_out(
    api: &Api,
    caller: Option<Principal>,
    bytes: &[u8],
    headers: &HeaderMap,
    observed: ClientInfo,
) -> Result<HttpResponse, ApiError> {
    let form = form(caller.as_ref(), body::parse(bytes)?, headers)?;
    api.limits.send(&form.from.owner)?;
    let known = match form.number.as_deref() {
        Some(number) => find(api, number).await?,
        None => None,
    };
    match known {
        Some(key) => go_on(api, &key, form).await,
        None => make(api, form, headers, observed).await,
    }
}

/// A new ticket.
async fn make(api: &Api, form: Form, headers: &HeaderMap, observed: ClientInfo) -> Result<HttpResponse, ApiError> {
    let origin = Origin {
        channel: Channel::Ticket,
        customer: form.from,
        device_metadata: form.device_metadata.or_else(|| device_of(headers)),
        ip_address: observed.ip_address,
        user_agent: observed.user_agent,
    };
    let text = MessageText::from(&form.draft.description);
    let open = Open { origin, text, ticket: Some(Box::new(form.draft)), client_message_id: form.client_message_id };
    let Opened { conversation, message } = api.registry.open(open).await?;
    let messages = vec![UserMessage::in_history(&message)];
    let ticket = UserTicket::new(&conversation, messages, None).ok_or_else(ApiError::internal)?;
    let message = "Your ticket has been created. Our team will review it and respond as soon as possible.";
    Ok(created("Support ticket created successfully", Created { ticket, message }))
}

/// A further message on the ticket that was named: its text is the description.
async fn go_on(api: &Api, key: &TicketKey, form: Form) -> Result<HttpResponse, ApiError> {
    let text = MessageText::from(&form.draft.description);
    let post = Post { target: Target::Ticket, from: form.from, text, client_message_id: form.client_message_id };
    post_into(api, key.conversation, post).await?;
    let conversation = store::ticket(&api.database, key.id).await?.ok_or_else(ApiError::internal)?;
    let stretch = MessageRange::Last { limit: MessageRange::ALL };
    let history = store::visible_messages(&api.database, &conversation, stretch).await?;
    let messages = history.messages.iter().map(UserMessage::in_history).collect();
    let ticket = UserTicket::new(&conversation, messages, Some(history.has_more)).ok_or_else(ApiError::internal)?;
    Ok(created("Message sent", Created { ticket, message: "Your message has been added to your ticket." }))
}

/// A body whose form is right.
struct Form {
    from: Customer,
    draft: TicketDraft,
    number: Option<String>,
    client_message_id: Option<ClientMessageId>,
    device_metadata: Option<DeviceMetadata>,
}

fn form(caller: Option<&Principal>, body: TicketBody, headers: &HeaderMap) -> Result<Form, ApiError> {
    let mut fields = Validator::default();
    let subject = fields.required("subject", body.subject.as_deref(), Subject::parse);
    let description = fields.required("description", body.description.as_deref(), Description::parse);
    let support_type =
        fields.one_of("support_type", body.support_type.as_deref(), words(SupportType::ALL, SupportType::as_str));
    let priority =
        fields.one_of("priority", body.priority.as_deref(), words(TicketPriority::ALL, TicketPriority::as_str));
    let from = writer(&mut fields, caller, body.email.as_deref());
    let phone_number = fields.optional("phone_number", body.phone_number.as_deref(), PhoneNumber::parse);
    let mut reference =
        |name, value: Option<String>| fields.optional(name, value.as_deref(), Reference::parse_or_nothing).flatten();
    let related_transaction_id = reference("related_transaction_id", body.related_transaction_id);
    let session_id = reference("session_id", body.session_id);
    let client_message_id = send_name(&mut fields, caller, body.client_message_id.as_deref(), headers);
    let device_metadata = body.device_metadata.map(DeviceMetadata::parse);
    let device_metadata = device_metadata.and_then(|parsed| fields.keep("device_metadata", parsed));
    let support_type = support_type.unwrap_or(if session_id.is_some() {
        SupportType::RegistrationIssue
    } else {
        SupportType::GeneralInquiry
    });
    let number = body.ticket_number.map(|number| number.trim().to_owned()).filter(|number| !number.is_empty());
    let ((subject, description), from) = fields.finish(subject.zip(description).zip(from))?;
    Ok(Form {
        from: Customer {
            phone_number: phone_number.map(|number| number.as_str().to_owned()).or(from.phone_number),
            ..from
        },
        draft: TicketDraft {
            id: TicketId(Uuid::now_v7()),
            subject,
            description,
            support_type,
            priority: priority.unwrap_or_else(|| support_type.usual_priority()),
            related_transaction_id,
            session_id,
        },
        number,
        client_message_id,
        device_metadata,
    })
}
