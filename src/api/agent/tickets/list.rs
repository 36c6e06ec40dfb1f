//! `GET …/support` and `GET …/support/:id`: the list of tickets, and one ticket in detail.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::query::TicketListQuery;
use super::view::{TicketDetail, TicketRow};
use crate::api::Api;
use crate::api::agent::view::DetailLevel;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::AgentCaller;
use crate::api::ids::ticket_id;
use crate::api::query::{PageMeta, PageQuery, Query, RangeQuery};
use crate::api_error::ApiError;
use crate::domain::{Refusal, SupportType, TicketPriority, TicketStatus};
use crate::json_schema::CountsOf;
use crate::store::{self, SearchRefusal, TicketCounts};

#[derive(Serialize, JsonSchema)]
struct TicketQueue<'a> {
    analytics: TicketAnalytics,
    tickets: Vec<TicketRow<'a>>,
    meta: PageMeta,
}

#[derive(Serialize, JsonSchema)]
struct TicketAnalytics {
    overview: TicketOverview,
    activity: TicketActivity,
    performance: TicketPerformance,
    #[schemars(with = "CountsOf<TicketStatus>")]
    by_status: BTreeMap<&'static str, i64>,
    #[schemars(with = "CountsOf<TicketPriority>")]
    by_priority: BTreeMap<&'static str, i64>,
    #[schemars(with = "CountsOf<SupportType>")]
    by_type: BTreeMap<&'static str, i64>,
}

#[derive(Serialize, JsonSchema)]
struct TicketOverview {
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
struct TicketActivity {
    new_today: i64,
    new_this_week: i64,
    new_this_month: i64,
}

#[derive(Serialize, JsonSchema)]
struct TicketPerformance {
    avg_response_time_seconds: f64,
    avg_satisfaction_rating: f64,
    total_rated: i64,
}

impl TicketAnalytics {
    fn new(counts: &TicketCounts) -> Self {
        let performance = counts.performance();
        Self {
            overview: TicketOverview {
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
            activity: TicketActivity {
                new_today: counts.new_today,
                new_this_week: counts.new_this_week,
                new_this_month: counts.new_this_month,
            },
            performance: TicketPerformance {
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

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/api/v1/unified-admin/support", list)
            .operation(
                Tag::AgentTickets,
                Access::Agent,
                "listTickets",
                "Tickets, filtered, searched, sorted and in pages, with counts of all",
            )
            .query::<PageQuery>()
            .query::<TicketListQuery>()
            .answers::<TicketQueue<'static>>(200, &["Tickets fetched"])
            .error(SearchRefusal::TooBroad.into()),
        Endpoint::get("/api/v1/unified-admin/support/{id}", detail)
            .operation(Tag::AgentTickets, Access::Agent, "readTicket", "A ticket with its messages and notes")
            .path_parameter("id", "The ticket's id")
            .query_except::<RangeQuery>("after_seq")
            .answers::<TicketDetail<'static>>(200, &["Ticket fetched"])
            .refusals([Refusal::TicketNotFound]),
    ]
}

async fn list(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    page: Query<PageQuery>,
    query: Query<TicketListQuery>,
) -> Result<HttpResponse, ApiError> {
    let page = page.page()?;
    let (filter, order) = query.validate(&agent.id)?;
    let services = &api.services;
    let found = store::tickets(&services.database, filter, order, page, services.clock.now()).await??;
    let tickets = found
        .tickets
        .iter()
        .filter_map(|conversation| TicketRow::new(conversation, &found.users, DetailLevel::List))
        .collect();
    let meta = PageMeta::new(page, found.total);
    Ok(fetched("Tickets fetched", TicketQueue { analytics: TicketAnalytics::new(&found.counts), tickets, meta }))
}

async fn detail(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    query: Query<RangeQuery>,
) -> Result<HttpResponse, ApiError> {
    let range = query.by_position()?;
    let id = ticket_id(&id)?;
    let database = &api.services.database;
    let ticket = store::ticket(database, id).await?.ok_or(Refusal::TicketNotFound)?;
    let history = store::all_messages(database, &ticket, range).await?;
    let users = store::ticket_users(database, &ticket).await?;
    let detail = TicketDetail::new(&ticket, &users, &history, &agent.as_owner()).ok_or_else(ApiError::internal)?;
    Ok(fetched("Ticket fetched", detail))
}
