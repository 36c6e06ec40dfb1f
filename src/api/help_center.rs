//! `GET` and `POST /api/help-center/messages` (`help-center.md`, 7): the help center without a socket. Answers have no
//! envelope; errors are as everywhere.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::body::Json;
use super::endpoint::{Access, Endpoint, Tag};
use super::extractors::Caller;
use super::idempotency_key::client_message_id_from;
use super::query::{Query, number};
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::domain::{ClientMessageId, EventId, MessageText};
use crate::dto::{HelpCenterSendRequest, HelpCenterThread, Validator};
use crate::help_center::{HelpCenter, Visit};
use crate::json_schema::{Before, Count};
use crate::store::MessageRange;

/// The newest messages, or those before a message that the client has.
#[derive(Debug, Deserialize, JsonSchema)]
struct MessagesQuery {
    /// The `seq` of that message, or its id.
    #[schemars(with = "Option<Before>")]
    before: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    const PATH: &str = "/api/help-center/messages";
    [
        Endpoint::get(PATH, messages)
            .operation(
                Tag::HelpCenter,
                Access::Customer,
                "readHelpCenter",
                "Reads the caller's conversation; creates it if there is none",
            )
            .query::<MessagesQuery>()
            .answers_bare::<HelpCenterThread<'static>>(200, "The conversation and its newest messages"),
        Endpoint::post(PATH, send)
            .operation(
                Tag::HelpCenter,
                Access::Customer,
                "writeToHelpCenter",
                "Posts a message to it; a closed conversation is reopened",
            )
            .body::<HelpCenterSendRequest>(json!({ "text": "Hello, I need help with my order." }))
            .posts_message()
            .answers_bare::<HelpCenterThread<'static>>(201, "The conversation, including the message"),
    ]
}

async fn messages(
    api: web::Data<Api>,
    Caller(caller): Caller,
    client: ClientInfo,
    query: Query<MessagesQuery>,
) -> Result<HttpResponse, ApiError> {
    let help_center = &api.services.help_center;
    let visit = Visit::new(&caller, client);
    let range = range(help_center, &visit, &query).await?;
    let thread = help_center.read(&visit, range).await?;
    Ok(HttpResponse::Ok().json(HelpCenterThread::new(&thread.conversation, &thread.history)))
}

async fn range(help_center: &HelpCenter, visit: &Visit, query: &MessagesQuery) -> Result<MessageRange, ApiError> {
    let mut validator = Validator::default();
    let limit = number(&mut validator, "limit", query.limit.as_deref(), 1);
    let limit = limit.unwrap_or(HelpCenter::PAGE_SIZE).min(HelpCenter::PAGE_SIZE);
    let before = match query.before.as_deref() {
        None => None,
        Some(text) => match before(help_center, visit, text).await? {
            Some(seq) => Some(seq),
            None => {
                validator.fail("before", "before must be the seq or the id of a message".to_owned());
                None
            }
        },
    };
    validator.finish(Some(match before {
        Some(before) => MessageRange::Before { before, limit },
        None => MessageRange::Last { limit },
    }))
}

/// The `seq` that `before` refers to.
async fn before(help_center: &HelpCenter, visit: &Visit, text: &str) -> Result<Option<u32>, ApiError> {
    if let Some(id) = EventId::parse(text) {
        let seq = help_center.seq_of(visit, id).await?;
        return Ok(seq.map(|seq| u32::try_from(seq).unwrap_or(u32::MAX)));
    }
    // No conversation has more than `u32::MAX` messages, so a larger number selects the same.
    Ok(text.parse::<u64>().ok().map(|seq| u32::try_from(seq).unwrap_or(u32::MAX)))
}

/// Answers with the conversation including the message. A repeat is answered alike and posts nothing.
async fn send(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    client: ClientInfo,
    Json(body): Json<HelpCenterSendRequest>,
) -> Result<HttpResponse, ApiError> {
    let (text, client_message_id) = validate(&body, request.headers())?;
    api.services.limits.send(&caller.id)?;
    let help_center = &api.services.help_center;
    let visit = Visit::new(&caller, client);
    help_center.send(&visit, text, client_message_id).await?;
    let thread = help_center.read(&visit, MessageRange::Last { limit: HelpCenter::PAGE_SIZE }).await?;
    Ok(HttpResponse::Created().json(HelpCenterThread::new(&thread.conversation, &thread.history)))
}

fn validate(
    body: &HelpCenterSendRequest,
    headers: &HeaderMap,
) -> Result<(MessageText, Option<ClientMessageId>), ApiError> {
    let mut validator = Validator::default();
    let text = body.validate(&mut validator);
    let name = HelpCenterSendRequest::CLIENT_MESSAGE_ID;
    let client_message_id = client_message_id_from(&mut validator, name, body.client_message_id.as_deref(), headers);
    validator.finish(text.map(|text| (text, client_message_id)))
}
