//! `GET …/conversations/:id/timeline`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api::query::{Query, TimelineQuery};
use crate::api_error::ApiError;
use crate::domain::{Refusal, preview};
use crate::json_schema::TimelineType;
use crate::store::{self, TimelineEntry};
use crate::timestamp::IsoTimestamp;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Timeline")]
struct TimelineResponse {
    events: Vec<TimelineEvent>,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
struct TimelineEvent {
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

impl TimelineEvent {
    /// A message is shortened to a preview; its full text is among the conversation's messages.
    fn new(entry: TimelineEntry) -> Self {
        match entry {
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

pub(super) fn endpoint() -> Endpoint {
    Endpoint::get("/api/v1/unified-admin/support/conversations/{id}/timeline", timeline)
        .operation(Tag::Agents, Access::Agent, "readTimeline", "A conversation's events, in order")
        .path_parameter("id", "The conversation's id")
        .query::<TimelineQuery>()
        .answers::<TimelineResponse>(200, &["Timeline fetched"])
        .refusals([Refusal::NotFound])
}

async fn timeline(
    api: web::Data<Api>,
    AgentCaller(_): AgentCaller,
    id: web::Path<String>,
    query: Query<TimelineQuery>,
) -> Result<HttpResponse, ApiError> {
    let range = query.range()?;
    let id = conversation_id(&id)?;
    let database = &api.services.database;
    let conversation = store::conversation(database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    let timeline = store::timeline(database, &conversation, range).await?;
    let events = timeline.entries.into_iter().map(TimelineEvent::new).collect();
    Ok(fetched("Timeline fetched", TimelineResponse { events, has_more: timeline.has_more }))
}
