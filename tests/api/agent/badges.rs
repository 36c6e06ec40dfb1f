//! Lists that show what the counts next to them say (`additions.md`, 4): several statuses, `open`, `me`, `unassigned`.

use entity::{closed_counters, conversations, tickets};
use reqwest::StatusCode;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{
    ApiServer, Backend, QUEUE, ScratchDatabase, TICKETS, TestUser, conversation_row, on_both_databases, ticket_row,
};

const STATUSES: [&str; 4] = ["active", "waiting_support", "waiting_user", "closed"];
const TICKET_STATUSES: [&str; 6] = ["pending", "in_progress", "waiting_user", "resolved", "closed", "escalated"];
const ASSIGNEES: [Option<&str>; 3] = [None, Some("sarah"), Some("mike")];

/// For each combination of status and assignee a different number of conversations, each with a ticket of the next
/// status and assignee; two more that are in no list.
async fn fill(database: &ScratchDatabase) {
    let connection = database.connection().await;
    let (mut rows, mut of_tickets) = (Vec::new(), Vec::new());
    let pairs = STATUSES.into_iter().flat_map(|status| ASSIGNEES.map(|assignee| (status, assignee)));
    for (number, (status, assignee)) in pairs.enumerate() {
        for _ in 0..=number {
            let at = rows.len();
            let mut row = conversation_row("ann", i64::try_from(at).unwrap());
            (row.status, row.assigned_to) = (status.to_owned(), assignee.map(ToOwned::to_owned));
            (row.assigned_name, row.assigned_at) = (row.assigned_to.clone(), assignee.map(|_| row.created_at));
            row.ticket_id = Some(Uuid::now_v7());
            let mut ticket = ticket_row(&row, &format!("SMI-2026-{at:06}"));
            ticket.status = TICKET_STATUSES[at % TICKET_STATUSES.len()].to_owned();
            ticket.assigned_to = ASSIGNEES[at / 2 % ASSIGNEES.len()].map(ToOwned::to_owned);
            ticket.assigned_name.clone_from(&ticket.assigned_to);
            of_tickets.push(ticket);
            rows.push(row);
        }
    }
    let closed = rows.iter().filter(|row| row.status == "closed").count();
    let mut empty = conversation_row("dan", 1);
    (empty.channel, empty.message_count) = ("help_center".to_owned(), 0);
    let mut thread = conversation_row("eve", 1);
    thread.channel = "ticket".to_owned();
    rows.extend([empty, thread]);
    let rows = rows.into_iter().map(conversations::Model::into_active_model);
    conversations::Entity::insert_many(rows).exec_without_returning(&connection).await.unwrap();
    let of_tickets = of_tickets.into_iter().map(tickets::Model::into_active_model);
    tickets::Entity::insert_many(of_tickets).exec_without_returning(&connection).await.unwrap();
    let closed = closed_counters::Model { shard: 1000, closed: i64::try_from(closed).unwrap() };
    closed.into_active_model().insert(&connection).await.unwrap();
}

/// All entries of a list, and its answer's data.
async fn list(server: &ApiServer, path: &str, key: &str, query: &str) -> (Vec<Value>, Value) {
    let answer = server.get(&TestUser::agent("sarah"), &format!("{path}?limit=100&{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
    let data = answer.body["data"].clone();
    let entries = data[key].as_array().unwrap().clone();
    assert_eq!(data["meta"]["total"], entries.len(), "{query}");
    (entries, data)
}

fn is(entry: &Value, statuses: &[&str]) -> bool {
    statuses.contains(&entry["status"].as_str().unwrap())
}

on_both_databases! {
    async fn each_list_has_exactly_what_its_badge_counts(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        fill(&database).await;
        let (all, data) = list(&server, QUEUE, "conversations", "").await;
        let (analytics, open) = (&data["analytics"], &STATUSES[..3]);
        let mine = |entry: &Value| entry["assigned_to"] == "sarah";
        let is_free = |entry: &Value| entry["assigned_to"].is_null();
        let waits = |entry: &Value| is_free(entry) && is(entry, &["active", "waiting_support"]);
        type Fits<'a> = &'a dyn Fn(&Value) -> bool;
        let expectations: [(&str, Fits<'_>, Option<&Value>); 14] = [
            ("status=open", &|entry| is(entry, open), Some(&analytics["active"])),
            ("status=open&assigned_to=me", &|entry| is(entry, open) && mine(entry), Some(&analytics["mine"])),
            ("assigned_to=me&status=waiting_user,active,waiting_support", &|entry| is(entry, open) && mine(entry), Some(&analytics["mine"])),
            ("unassigned=true", &waits, Some(&analytics["unassigned"])),
            ("unassigned=true&status=open", &waits, Some(&analytics["unassigned"])),
            ("unassigned=true&sort_by=createdAt&date_from=2020-01-01", &waits, Some(&analytics["unassigned"])),
            ("unassigned=true&status=waiting_user,closed", &|_| false, None),
            ("unassigned=true&assigned_to=me", &|_| false, None),
            ("unassigned=false", &|_| true, None),
            ("status=active,closed", &|entry| is(entry, &["active", "closed"]), None),
            ("status=closed,open", &|_| true, Some(&analytics["total_conversations"])),
            ("status=active,%20active&assigned_to=me", &|entry| is(entry, &["active"]) && mine(entry), None),
            ("status=closed,waiting_user&assigned_to=unassigned", &|entry| is(entry, &["closed", "waiting_user"]) && is_free(entry), None),
            ("status=closed&assigned_to=me", &|entry| is(entry, &["closed"]) && mine(entry), None),
        ];
        for (query, fits, badge) in expectations {
            let (entries, _) = list(&server, QUEUE, "conversations", query).await;
            let ids = |entries: &[Value]| entries.iter().map(|entry| entry["id"].to_string()).collect::<std::collections::BTreeSet<_>>();
            let expected: Vec<Value> = all.iter().filter(|entry| fits(entry)).cloned().collect();
            assert_eq!(ids(&entries), ids(&expected), "{query}");
            if let Some(badge) = badge {
                assert_eq!(*badge, entries.len(), "{query}");
            }
        }
    }

    async fn tickets_likewise(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        fill(&database).await;
        let (all, data) = list(&server, TICKETS, "tickets", "").await;
        let (overview, open) = (&data["analytics"]["overview"], ["pending", "in_progress", "escalated"]);
        for (query, statuses, assignee, badge) in [
            ("status=open", &open[..], None, Some(&overview["open"])),
            ("status=open&sort_by=priority&date_from=2020-01-01", &open[..], None, Some(&overview["open"])),
            ("unassigned=true", &open[..], Some(Value::Null), Some(&overview["unassigned"])),
            ("unassigned=true&user_id=ann", &open[..], Some(Value::Null), Some(&overview["unassigned"])),
            ("status=open&assigned_to=me", &open[..], Some("sarah".into()), None),
            ("status=closed,resolved", &["closed", "resolved"][..], None, None),
            ("status=open,closed&assigned_to=unassigned", &["pending", "in_progress", "escalated", "closed"][..], Some(Value::Null), None),
        ] {
            let (entries, _) = list(&server, TICKETS, "tickets", query).await;
            let expected = all.iter().filter(|entry| {
                is(entry, statuses) && assignee.as_ref().is_none_or(|assignee| entry["assigned_to"] == *assignee)
            });
            assert_eq!(entries.len(), expected.count(), "{query}");
            assert!(entries.iter().all(|entry| is(entry, statuses)), "{query}");
            if let Some(badge) = badge {
                assert_eq!(*badge, entries.len(), "{query}");
            }
        }
    }

    async fn an_unknown_word_is_named(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        for path in [QUEUE, TICKETS] {
            for (query, field) in [
                ("status=", "status"), ("status=active,", "status"), ("status=open,new", "status"), ("status=OPEN", "status"),
                ("status=%2C", "status"), ("unassigned=yes", "unassigned"), ("unassigned=", "unassigned"), ("assigned_to=", "assigned_to"),
            ] {
                let answer = server.get(&TestUser::agent("sarah"), &format!("{path}?{query}")).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}");
                assert_eq!(answer.body["details"][0]["field"], field, "{path}?{query}");
            }
        }
    }
}
