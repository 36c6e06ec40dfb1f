//! `GET …/conversations` and `/:id`: the agents' queue.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::filter::ListQuery;
use super::view::{Card, Detail, DetailLevel};
use crate::api::Api;
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api::query::{PageMeta, PageQuery, Query, StretchQuery};
use crate::api_error::ApiError;
use crate::domain::Status;
use crate::json_schema::CountsOf;
use crate::store::{self, Counts};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Queue")]
pub(in crate::api) struct List<'a> {
    analytics: Analytics,
    conversations: Vec<Card<'a>>,
    meta: PageMeta,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueAnalytics")]
pub(in crate::api) struct Analytics {
    total_conversations: u64,
    mine: u64,
    active: u64,
    unassigned: u64,
    #[schemars(with = "CountsOf<Status>")]
    by_status: BTreeMap<&'static str, u64>,
}

impl Analytics {
    fn new(counts: &Counts) -> Self {
        Self {
            total_conversations: counts.total(),
            mine: counts.mine,
            active: counts.open(),
            unassigned: counts.unassigned(),
            by_status: Status::ALL.into_iter().map(|status| (status.as_str(), counts.of(status))).collect(),
        }
    }
}

pub(in crate::api) async fn list(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    page: Query<PageQuery>,
    query: Query<ListQuery>,
) -> Result<HttpResponse, ApiError> {
    let page = page.page()?;
    let (filter, sort) = query.read()?;
    let queue = store::queue(&api.database, agent.id.clone(), filter, sort, page).await?;
    let conversations = queue
        .conversations
        .iter()
        .map(|conversation| Card::new(conversation, &queue.related, DetailLevel::List))
        .collect();
    let meta = PageMeta::new(page, queue.total);
    Ok(fetched("Conversations fetched", List { analytics: Analytics::new(&queue.counts), conversations, meta }))
}

pub(in crate::api) async fn detail(
    api: web::Data<Api>,
    AgentCaller(_): AgentCaller,
    id: web::Path<String>,
    query: Query<StretchQuery>,
) -> Result<HttpResponse, ApiError> {
    let stretch = query.by_position()?;
    let id = conversation_id(&id)?;
    let conversation = store::conversation(&api.database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    let history = store::all_messages(&api.database, &conversation, stretch).await?;
    let related = store::related_to(&api.database, &conversation).await?;
    let handovers = store::handovers_of(&api.database, id).await?;
    Ok(fetched("Conversation fetched", Detail::new(&conversation, &related, &history, &handovers)))
}
