//! `GET` and `POST /api/help-center/messages` (`help-center.md`, 7): the help center without a socket. What is answered
//! has no envelope; errors are as everywhere.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::body::Json;
use super::extractors::{Caller, ClientInfo};
use super::ids::client_message_id_named;
use super::query::{Query, number};
use crate::api_error::ApiError;
use crate::domain::{ClientMessageId, EventId, MessageText};
use crate::help_center::{Arrival, HelpCenter, SendBody, ThreadPayload};
use crate::identity::Principal;
use crate::json_schema::{Before, Count};
use crate::store::MessageRange;
use crate::wire::Validator;

/// Which messages: the newest, or those in front of one that the client has.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct MessagesQuery {
    /// The `seq` of that message, or its id.
    #[schemars(with = "Option<Before>")]
    before: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

fn arrival(caller: &Principal, observed: ClientInfo) -> Arrival {
    Arrival::new(caller, observed.ip_address, observed.user_agent.as_deref())
}

pub(super) async fn messages(
    api: web::Data<Api>,
    Caller(caller): Caller,
    observed: ClientInfo,
    query: Query<MessagesQuery>,
) -> Result<HttpResponse, ApiError> {
    let arrival = arrival(&caller, observed);
    let stretch = stretch(&api.help_center, &arrival, &query).await?;
    let thread = api.help_center.read(&arrival, stretch).await?;
    Ok(HttpResponse::Ok().json(ThreadPayload::new(&thread)))
}

async fn stretch(help_center: &HelpCenter, arrival: &Arrival, query: &MessagesQuery) -> Result<MessageRange, ApiError> {
    let mut fields = Validator::default();
    let limit = number(&mut fields, "limit", query.limit.as_deref(), 1);
    let limit = limit.unwrap_or(HelpCenter::SHOWN).min(HelpCenter::SHOWN);
    let before = match query.before.as_deref() {
        None => None,
        Some(text) => match before(help_center, arrival, text).await? {
            Some(seq) => Some(seq),
            None => {
                fields.fault("before", "before must be the seq or the id of a message".to_owned());
                None
            }
        },
    };
    fields.finish(Some(match before {
        Some(before) => MessageRange::Before { before, limit },
        None => MessageRange::Last { limit },
    }))
}

/// The `seq` that is meant; nothing where it cannot be told.
async fn before(help_center: &HelpCenter, arrival: &Arrival, text: &str) -> Result<Option<u32>, ApiError> {
    if let Some(id) = EventId::parse(text) {
        let seq = help_center.seq_of(arrival, id).await?;
        return Ok(seq.map(|seq| u32::try_from(seq).unwrap_or(u32::MAX)));
    }
    // Beyond what counts anything, the largest is as good.
    Ok(text.parse::<u64>().ok().map(|seq| u32::try_from(seq).unwrap_or(u32::MAX)))
}

/// Answers with the conversation as it is then, the message in it. So it does to a repeat: the message is there once.
pub(super) async fn send(
    api: web::Data<Api>,
    Caller(caller): Caller,
    request: HttpRequest,
    observed: ClientInfo,
    Json(body): Json<SendBody>,
) -> Result<HttpResponse, ApiError> {
    let (text, client_message_id) = read(&body, request.headers())?;
    api.limits.send(&caller.id)?;
    let arrival = arrival(&caller, observed);
    api.help_center.write(&arrival, text, client_message_id).await?;
    let thread = api.help_center.read(&arrival, MessageRange::Last { limit: HelpCenter::SHOWN }).await?;
    Ok(HttpResponse::Created().json(ThreadPayload::new(&thread)))
}

fn read(body: &SendBody, headers: &HeaderMap) -> Result<(MessageText, Option<ClientMessageId>), ApiError> {
    let mut fields = Validator::default();
    let text = body.text(&mut fields);
    let name = SendBody::CLIENT_MESSAGE_ID;
    let client_message_id = client_message_id_named(&mut fields, name, body.client_message_id.as_deref(), headers);
    fields.finish(text.map(|text| (text, client_message_id)))
}
