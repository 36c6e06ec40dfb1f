//! `POST /api/v1/support/chat/send`: begins a conversation, or goes on with one.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::api::body::{Fields, Json};
use crate::api::caller::{Caller, Observed};
use crate::api::envelope::created;
use crate::api::names::{client_message_id, conversation_id};
use crate::api::view::{UserConversation, UserMessage};
use crate::conversation::Outcome;
use crate::domain::{
    Channel, ClientMessageId, Command, ConversationId, Customer, DeviceMetadata, MessageText, Open, Origin, Post,
};
use crate::failure::Failure;

/// What the app sends; every field may be missing or null, and each rule is checked behind this.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SendRequest")]
pub(in crate::api) struct SendBody {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    conversation_id: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
    device_metadata: Option<Map<String, Value>>,
}

/// A send whose form is right.
pub(super) struct Send {
    pub(super) message: MessageText,
    pub(super) conversation: Option<String>,
    pub(super) client_message_id: Option<ClientMessageId>,
    pub(super) device_metadata: Option<DeviceMetadata>,
}

pub(in crate::api) async fn send(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    observed: Observed,
    Json(body): Json<SendBody>,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::default();
    let send = form(&mut fields, body, request.headers());
    let send = fields.finish(send)?;
    carry_out(&api, caller.as_customer(), send, observed, request.headers()).await
}

/// Begins a conversation, or goes on with the one that is named: for whoever it is that writes.
pub(super) async fn carry_out(
    api: &Api,
    from: Customer,
    send: Send,
    observed: Observed,
    headers: &HeaderMap,
) -> Result<HttpResponse, Failure> {
    api.limits.send(&from.owner)?;
    let (id, outcome) = match send.conversation {
        Some(id) => {
            let id = conversation_id(&id)?;
            let post = Post { from, text: send.message, client_message_id: send.client_message_id };
            (id, api.registry.execute(id, Command::Send(post)).await?)
        }
        None => {
            let open = Open {
                origin: Origin {
                    channel: Channel::Support,
                    customer: from,
                    device_metadata: send.device_metadata.or_else(|| device_of(headers)),
                    ip_address: observed.ip_address,
                    user_agent: observed.user_agent,
                },
                text: send.message,
                client_message_id: send.client_message_id,
            };
            api.registry.open(Command::Open(Box::new(open))).await?
        }
    };
    answer(id, &outcome)
}

/// What is wrong with it goes into `fields`.
pub(super) fn form(fields: &mut Fields, body: SendBody, headers: &HeaderMap) -> Option<Send> {
    let message = fields.required("message", body.message.as_deref(), MessageText::parse);
    let client_message_id = client_message_id(fields, body.client_message_id.as_deref(), headers);
    let device_metadata = body.device_metadata.map(DeviceMetadata::parse);
    let device_metadata = device_metadata.and_then(|parsed| fields.keep("device_metadata", parsed));
    message.map(|message| Send { message, conversation: body.conversation_id, client_message_id, device_metadata })
}

/// What the headers tell of the device, where the body does not: those that came, under their keys.
pub(super) fn device_of(headers: &HeaderMap) -> Option<DeviceMetadata> {
    const HEADERS: [(&str, &str); 8] = [
        ("x-device-id", "device_id"),
        ("x-device-fingerprint", "device_fingerprint"),
        ("x-device-name", "device_name"),
        ("x-device-model", "device_model"),
        ("platform", "platform"),
        ("x-os-name", "os_name"),
        ("x-os-version", "os_version"),
        ("x-app-version", "app_version"),
    ];
    let object: Map<String, Value> = HEADERS
        .into_iter()
        .filter_map(|(header, key)| {
            let value = headers.get(header)?.to_str().ok()?;
            let value = if key == "platform" { value.to_lowercase() } else { value.to_owned() };
            Some((key.to_owned(), Value::from(value)))
        })
        .collect();
    if object.is_empty() { None } else { DeviceMetadata::parse(object).ok() }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationOpened")]
pub(in crate::api) struct Opened<'a> {
    conversation: UserConversation<'a>,
    #[schemars(extend("const" = true))]
    is_new: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessageSent")]
pub(in crate::api) struct Sent<'a> {
    conversation_id: ConversationId,
    message: UserMessage<'a>,
    #[schemars(extend("const" = false))]
    is_new: bool,
}

fn answer(id: ConversationId, outcome: &Outcome) -> Result<HttpResponse, Failure> {
    const MESSAGE: &str = "Message sent";
    match outcome {
        Outcome::Opened { conversation, message } => {
            let conversation = UserConversation::new(conversation, vec![UserMessage::in_answer(message)]);
            Ok(created(MESSAGE, Opened { conversation, is_new: true }))
        }
        Outcome::Posted(message) => {
            let message = UserMessage::in_answer(message);
            Ok(created(MESSAGE, Sent { conversation_id: id, message, is_new: false }))
        }
        _ => Err(Failure::defect()),
    }
}
