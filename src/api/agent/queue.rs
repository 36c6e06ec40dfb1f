//! `GET …/conversations` and `/:id`: the agents' queue.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::filter::QueueQuery;
use super::view::{ConversationDetail, DetailLevel, QueueCard};
use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api::query::{PageMeta, PageQuery, Query, RangeQuery};
use crate::api_error::ApiError;
use crate::domain::{Refusal, Status};
use crate::json_schema::CountsOf;
use crate::store::{self, Counts, SearchRefusal};

#[derive(Serialize, JsonSchema)]
struct Queue<'a> {
    analytics: QueueAnalytics,
    conversations: Vec<QueueCard<'a>>,
    meta: PageMeta,
}

/// Counts of all conversations, whatever the filter.
#[derive(Serialize, JsonSchema)]
struct QueueAnalytics {
    total_conversations: u64,
    mine: u64,
    active: u64,
    unassigned: u64,
    /// Handovers that wait for the caller's answer.
    handovers_to_me: u64,
    #[schemars(with = "CountsOf<Status>")]
    by_status: BTreeMap<&'static str, u64>,
}

impl QueueAnalytics {
    fn new(counts: &Counts) -> Self {
        Self {
            total_conversations: counts.total(),
            mine: counts.mine,
            active: counts.open(),
            unassigned: counts.unassigned(),
            handovers_to_me: counts.handovers_to_me,
            by_status: Status::ALL.into_iter().map(|status| (status.as_str(), counts.of(status))).collect(),
        }
    }
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/api/v1/unified-admin/support/conversations", list)
            .operation(
                Tag::Agents,
                Access::Agent,
                "listQueue",
                "Conversations, filtered, searched, sorted and in pages, with counts of all",
            )
            .query::<PageQuery>()
            .query::<QueueQuery>()
            .answers::<Queue<'static>>(200, &["Conversations fetched"])
            .error(SearchRefusal::TooBroad.into()),
        Endpoint::get("/api/v1/unified-admin/support/conversations/{id}", detail)
            .operation(Tag::Agents, Access::Agent, "readQueued", "A conversation with its messages and notes")
            .path_parameter("id", "The conversation's id")
            .query_except::<RangeQuery>("after_seq")
            .answers::<ConversationDetail<'static>>(200, &["Conversation fetched"])
            .refusals([Refusal::NotFound]),
    ]
}

async fn list(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    page: Query<PageQuery>,
    query: Query<QueueQuery>,
) -> Result<HttpResponse, ApiError> {
    let page = page.page()?;
    let (filter, sort) = query.validate(&agent.id)?;
    let queue = store::queue(&api.services.database, agent.id.clone(), filter, sort, page).await??;
    let conversations = queue
        .conversations
        .iter()
        .map(|conversation| {
            QueueCard::new(conversation, &queue.related, api.services.handover_expiry, DetailLevel::List)
        })
        .collect();
    let meta = PageMeta::new(page, queue.total);
    Ok(fetched("Conversations fetched", Queue { analytics: QueueAnalytics::new(&queue.counts), conversations, meta }))
}

async fn detail(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    query: Query<RangeQuery>,
) -> Result<HttpResponse, ApiError> {
    let range = query.by_position()?;
    let id = conversation_id(&id)?;
    let database = &api.services.database;
    let conversation = store::conversation(database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    let history = store::all_messages(database, &conversation, range).await?;
    let related = store::related_to(database, &conversation).await?;
    let handovers = store::handovers_of(database, id).await?;
    let (expiry, reader) = (api.services.handover_expiry, agent.as_owner());
    let detail = ConversationDetail::new(&conversation, &related, &history, &handovers, &reader, expiry);
    Ok(fetched("Conversation fetched", detail))
}
