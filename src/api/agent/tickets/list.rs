//! `GET …/support` and `GET …/support/:id`: the list of tickets, and one of them.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::query::TicketQuery;
use super::view::{Card, Detail};
use crate::api::Api;
use crate::api::agent::view::DetailLevel;
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::ticket_id;
use crate::api::query::{PageMeta, PageQuery, Query, StretchQuery};
use crate::api_error::ApiError;
use crate::domain::{Refusal, SupportType, TicketPriority, TicketStatus};
use crate::json_schema::CountsOf;
use crate::store::{self, TicketCounts};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketQueue")]
pub(in crate::api) struct List<'a> {
    analytics: Analytics,
    tickets: Vec<Card<'a>>,
    meta: PageMeta,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketAnalytics")]
pub(in crate::api) struct Analytics {
    overview: Overview,
    activity: Activity,
    performance: Performance,
    #[schemars(with = "CountsOf<TicketStatus>")]
    by_status: BTreeMap<&'static str, i64>,
    #[schemars(with = "CountsOf<TicketPriority>")]
    by_priority: BTreeMap<&'static str, i64>,
    #[schemars(with = "CountsOf<SupportType>")]
    by_type: BTreeMap<&'static str, i64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketOverview")]
pub(in crate::api) struct Overview {
    total_tickets: i64,
    open: i64,
    pending: i64,
    in_progress: i64,
    escalated: i64,
    waiting_user: i64,
    resolved: i64,
    closed: i64,
    unassigned: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketActivity")]
pub(in crate::api) struct Activity {
    new_today: i64,
    new_this_week: i64,
    new_this_month: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketPerformance")]
pub(in crate::api) struct Performance {
    avg_response_time_seconds: f64,
    avg_satisfaction_rating: f64,
    total_rated: i64,
}

impl Analytics {
    fn new(counts: &TicketCounts) -> Self {
        let performance = counts.performance();
        Self {
            overview: Overview {
                total_tickets: counts.total(),
                open: counts.open(),
                pending: counts.of_status(TicketStatus::Pending),
                in_progress: counts.of_status(TicketStatus::InProgress),
                escalated: counts.of_status(TicketStatus::Escalated),
                waiting_user: counts.of_status(TicketStatus::WaitingUser),
                resolved: counts.of_status(TicketStatus::Resolved),
                closed: counts.of_status(TicketStatus::Closed),
                unassigned: counts.unassigned(),
            },
            activity: Activity {
                new_today: counts.new_today,
                new_this_week: counts.new_this_week,
                new_this_month: counts.new_this_month,
            },
            performance: Performance {
                avg_response_time_seconds: performance.average_response_seconds,
                avg_satisfaction_rating: performance.average_rating,
                total_rated: performance.total_rated,
            },
            by_status: TicketStatus::ALL.iter().map(|one| (one.as_str(), counts.of_status(*one))).collect(),
            by_priority: TicketPriority::ALL.iter().map(|one| (one.as_str(), counts.of_priority(*one))).collect(),
            by_type: SupportType::ALL.iter().map(|one| (one.as_str(), counts.of_type(*one))).collect(),
        }
    }
}

pub(in crate::api) async fn list(
    api: web::Data<Api>,
    AgentCaller(_): AgentCaller,
    page: Query<PageQuery>,
    query: Query<TicketQuery>,
) -> Result<HttpResponse, ApiError> {
    let page = page.page()?;
    let (filter, order) = query.read()?;
    let found = store::tickets(&api.database, filter, order, page, api.clock.now()).await?;
    let tickets = found
        .tickets
        .iter()
        .filter_map(|conversation| Card::new(conversation, &found.users, DetailLevel::List))
        .collect();
    let meta = PageMeta::new(page, found.total);
    Ok(fetched("Tickets fetched", List { analytics: Analytics::new(&found.counts), tickets, meta }))
}

pub(in crate::api) async fn detail(
    api: web::Data<Api>,
    AgentCaller(_): AgentCaller,
    id: web::Path<String>,
    query: Query<StretchQuery>,
) -> Result<HttpResponse, ApiError> {
    let stretch = query.by_position()?;
    let id = ticket_id(&id)?;
    let ticket = store::ticket(&api.database, id).await?.ok_or(Refusal::TicketNotFound)?;
    let history = store::all_messages(&api.database, &ticket, stretch).await?;
    let people = store::ticket_users(&api.database, &ticket).await?;
    let detail = Detail::new(&ticket, &people, &history.messages, history.has_more).ok_or_else(ApiError::internal)?;
    Ok(fetched("Ticket fetched", detail))
}
