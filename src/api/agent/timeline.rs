//! `GET …/conversations/:id/timeline`: what happened, in order.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api::query::{Query, TimelineQuery};
use crate::api_error::ApiError;
use crate::domain::preview;
use crate::json_schema::TimelineType;
use crate::store::{self, TimelineEntry};
use crate::timestamp::IsoTimestamp;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Timeline")]
pub(in crate::api) struct Timeline {
    events: Vec<Row>,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TimelineEvent")]
pub(in crate::api) struct Row {
    position: i64,
    #[serde(rename = "type")]
    #[schemars(with = "TimelineType")]
    kind: String,
    actor_id: Option<String>,
    actor_name: Option<String>,
    #[schemars(with = "Map<String, Value>")]
    data: Value,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

impl Row {
    /// A message is named and shown in short: whoever wants all of it has the conversation's messages.
    fn new(happening: TimelineEntry) -> Self {
        match happening {
            TimelineEntry::Message(message) => Self {
                position: message.position,
                kind: if message.is_internal { "note" } else { "message" }.to_owned(),
                actor_id: message.sender_id,
                actor_name: message.sender_name,
                data: json!({
                    "message_id": message.id,
                    "seq": message.seq,
                    "is_from_user": message.is_from_user,
                    "preview": preview(&message.body),
                }),
                created_at: IsoTimestamp(message.created_at),
            },
            TimelineEntry::Event(event) => Self {
                position: event.position,
                kind: event.kind,
                actor_id: event.actor_id,
                actor_name: event.actor_name,
                data: event.data,
                created_at: IsoTimestamp(event.created_at),
            },
        }
    }
}

pub(in crate::api) async fn timeline(
    api: web::Data<Api>,
    AgentCaller(_): AgentCaller,
    id: web::Path<String>,
    query: Query<TimelineQuery>,
) -> Result<HttpResponse, ApiError> {
    let stretch = query.stretch()?;
    let id = conversation_id(&id)?;
    let conversation = store::conversation(&api.database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    let found = store::timeline(&api.database, &conversation, stretch).await?;
    let events = found.entries.into_iter().map(Row::new).collect();
    Ok(fetched("Timeline fetched", Timeline { events, has_more: found.has_more }))
}
