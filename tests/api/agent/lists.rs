//! `GET …/conversations`: filters, orders, pages and refusals; tickets and handovers in the answers.

use entity::{closed_counters, conversations, handovers, messages};
use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    ApiServer, Backend, MY_CONVERSATIONS, QUEUE, ScratchDatabase, TestUser, conversation_row, message_row, minute,
    on_both_databases, ticket_row,
};

/// Four conversations: Ann's (closed, held by Sarah, with a ticket), Bob's (held by Sarah), Cid's (unassigned), and Dan's
/// in the help center.
async fn four(database: &ScratchDatabase) -> Vec<String> {
    let connection = database.connection().await;
    let mut rows: Vec<_> =
        ["ann", "bob", "cid", "dan"].into_iter().zip(0..).map(|(who, at)| conversation_row(who, at)).collect();
    for row in &mut rows[..2] {
        (row.assigned_to, row.assigned_name) = (Some("sarah".to_owned()), Some("Sarah Johnson".to_owned()));
        row.assigned_at = Some(minute(10));
    }
    rows[0].status = "closed".to_owned();
    rows[0].ticket_id = Some(Uuid::now_v7());
    rows[0].updated_at = minute(20);
    rows[1].status = "waiting_user".to_owned();
    rows[2].last_message_at = minute(9);
    rows[3].channel = "help_center".to_owned();
    let ticket = ticket_row(&rows[0], "SMI-2026-000001");
    let ids = rows.iter().map(|row| row.id.to_string()).collect();
    let bodies = rows.iter().map(|row| message_row(row, 2, "Hello").into_active_model()).collect::<Vec<_>>();
    messages::Entity::insert_many(bodies).exec_without_returning(&connection).await.unwrap();
    for row in rows {
        row.into_active_model().insert(&connection).await.unwrap();
    }
    ticket.into_active_model().insert(&connection).await.unwrap();
    let closed = closed_counters::Model { shard: 1000, closed: 1 };
    closed.into_active_model().insert(&connection).await.unwrap();
    ids
}

async fn listed(server: &ApiServer, query: &str) -> (Vec<String>, u64) {
    let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
    let data = &answer.body["data"];
    let ids = data["conversations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
    (ids.collect(), data["meta"]["total"].as_u64().unwrap())
}

on_both_databases! {
    async fn each_filter_and_order_selects_the_right_rows(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ids = four(&database).await;
        for (query, expected) in [
            ("", vec![2, 3, 1, 0]),
            ("unheard_of=1", vec![2, 3, 1, 0]),
            ("search=", vec![2, 3, 1, 0]),
            ("status=closed", vec![0]),
            ("status=active", vec![2, 3]),
            ("status=waiting_support", vec![]),
            ("assigned_to=sarah", vec![1, 0]),
            ("assigned_to=mike", vec![]),
            ("assigned_to=unassigned", vec![2, 3]),
            ("user_id=bob", vec![1]),
            ("user_id=bob&status=closed", vec![]),
            ("has_ticket=true", vec![0]),
            ("has_ticket=false", vec![2, 3, 1]),
            ("channel=help_center", vec![3]),
            ("channel=support", vec![2, 1, 0]),
            ("date_from=2026-02-25T06:14:20.000Z", vec![2, 3, 1]),
            ("date_to=2026-02-25T06:14:20.000Z", vec![1, 0]),
            ("date_from=2026-02-25T06:14:20Z&date_to=2026-02-25T06:14:20Z", vec![1]),
            ("date_from=2026-02-25&date_to=2026-02-25", vec![2, 3, 1, 0]),
            ("date_from=2026-02-26", vec![]),
            ("date_to=2026-02-24", vec![]),
            ("sort_order=asc", vec![0, 1, 3, 2]),
            ("sort_by=createdAt", vec![3, 2, 1, 0]),
            ("sort_by=createdAt&sort_order=asc&date_from=2026-02-25", vec![0, 1, 2, 3]),
            ("sort_by=updatedAt", vec![0, 3, 2, 1]),
            ("sort_by=updatedAt&sort_order=asc", vec![1, 2, 3, 0]),
            ("sort_by=last_message_at", vec![2, 3, 1, 0]),
            ("sort_by=status", vec![1, 0, 2, 3]),
            ("sort_by=status&sort_order=asc", vec![3, 2, 0, 1]),
        ] {
            let (got, total) = listed(&server, query).await;
            let got: Vec<usize> = got.iter().map(|id| ids.iter().position(|one| one == id).unwrap()).collect();
            assert_eq!(got, expected, "{query}");
            assert_eq!(total, expected.len() as u64, "{query}");
        }
    }

    async fn empty_conversations_and_ticket_threads_are_not_listed(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let mut empty = conversation_row("ann", 1);
        (empty.channel, empty.version, empty.last_seq, empty.message_count) = ("help_center".to_owned(), 1, 0, 0);
        let mut thread = conversation_row("ann", 2);
        thread.channel = "ticket".to_owned();
        let hidden = thread.id;
        let message = message_row(&thread, 2, "Hello there");
        message.into_active_model().insert(&connection).await.unwrap();
        let rows = [empty, thread].map(conversations::Model::into_active_model);
        conversations::Entity::insert_many(rows).exec_without_returning(&connection).await.unwrap();
        for query in [
            "", "status=active", "user_id=ann", "assigned_to=unassigned", "channel=help_center", "search=ann@example",
            "search=hello", "search=he", "has_ticket=false", "date_from=2026-01-01", "sort_by=createdAt",
        ] {
            assert_eq!(listed(&server, query).await, (vec![], 0), "{query}");
        }
        let answer = server.get(&TestUser::agent("sarah"), QUEUE).await;
        assert_eq!(answer.body["data"]["analytics"], json!({
            "total_conversations": 0, "mine": 0, "active": 0, "unassigned": 0, "handovers_to_me": 0,
            "by_status": { "active": 0, "waiting_support": 0, "waiting_user": 0, "closed": 0 },
        }));
        for path in [format!("{QUEUE}/{hidden}"), format!("{QUEUE}/{hidden}/timeline")] {
            let answer = server.get(&TestUser::agent("sarah"), &path).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"), "{path}");
        }
    }

    async fn the_analytics_ignore_the_filters(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        four(&database).await;
        for query in ["", "status=closed", "search=nothing", "assigned_to=mike&limit=1", "page=7"] {
            let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?{query}")).await;
            assert_eq!(answer.body["data"]["analytics"], json!({
                "total_conversations": 4, "mine": 1, "active": 3, "unassigned": 2, "handovers_to_me": 0,
                "by_status": { "active": 2, "waiting_support": 0, "waiting_user": 1, "closed": 1 },
            }), "{query}");
        }
    }

    async fn conversations_with_equal_timestamps_keep_their_order_across_pages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let mut rows: Vec<_> = (0..7).map(|_| conversation_row("ann", 1)).collect();
        let all = rows.clone().into_iter().map(IntoActiveModel::into_active_model);
        conversations::Entity::insert_many(all).exec_without_returning(&database.connection().await).await.unwrap();
        rows.sort_by_key(|row| row.id);
        let ascending: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let descending: Vec<String> = ascending.iter().rev().cloned().collect();
        for sort_by in ["createdAt", "updatedAt", "last_message_at", "status"] {
            for (sort_order, expected) in [("asc", &ascending), ("desc", &descending)] {
                let mut got = Vec::new();
                for page in 1..=4 {
                    let query = format!("limit=2&page={page}&sort_by={sort_by}&sort_order={sort_order}");
                    got.extend(listed(&server, &query).await.0);
                }
                assert_eq!(&got, expected, "{sort_by} {sort_order}");
            }
        }
        for (query, meta) in [
            ("limit=7", json!({ "total": 7, "page": 1, "limit": 7, "total_pages": 1 })),
            ("limit=6&page=2", json!({ "total": 7, "page": 2, "limit": 6, "total_pages": 2 })),
            ("limit=100&page=4294967295", json!({ "total": 7, "page": 4_294_967_295_u32, "limit": 100, "total_pages": 1 })),
            ("limit=101&status=closed", json!({ "total": 0, "page": 1, "limit": 100, "total_pages": 0 })),
        ] {
            let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?{query}")).await;
            assert_eq!(answer.body["data"]["meta"], meta, "{query}");
        }
    }

    async fn a_ticket_is_shown_to_both_sides(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = four(&database).await.remove(0);
        let card = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?status=closed")).await;
        let of_the_user = server.get(&TestUser::customer("ann"), MY_CONVERSATIONS).await;
        let for_the_user = server.get(&TestUser::customer("ann"), &format!("{MY_CONVERSATIONS}/{id}")).await;
        let short = json!({
            "ticket_number": "SMI-2026-000001", "subject": "Failed transfer", "status": "in_progress",
            "priority": "medium", "support_type": "TRANSACTION_ISSUE",
        });
        for ticket in [
            &card.body["data"]["conversations"][0]["ticket"],
            &of_the_user.body["data"]["conversations"][0]["ticket"],
            &for_the_user.body["data"]["conversation"]["ticket"],
        ] {
            let mut ticket = ticket.clone();
            assert!(ticket.as_object_mut().unwrap().remove("id").is_some_and(|id| id.is_string()));
            assert_eq!(ticket, short);
        }
        let detail = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}")).await;
        let mut ticket = detail.body["data"]["ticket"].clone();
        assert!(ticket["createdAt"].is_string());
        for key in ["id", "createdAt"] {
            ticket.as_object_mut().unwrap().remove(key);
        }
        let mut detail = short.clone();
        detail.as_object_mut().unwrap().extend(json!({
            "description": "It keeps failing", "assigned_to": "sarah", "resolved_at": null, "resolved_by": null,
            "resolution_notes": null, "related_transaction_id": "tx-1",
        }).as_object().unwrap().clone());
        assert_eq!(ticket, detail);
    }

    async fn handovers_are_listed_in_the_order_of_their_requests(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = four(&database).await.remove(1);
        let connection = database.connection().await;
        for (at, status) in [(3, "pending"), (1, "rejected"), (2, "accepted")] {
            let handover = handovers::Model {
                id: Uuid::now_v7(),
                conversation_id: Uuid::parse_str(&id).unwrap(),
                from_id: "sarah".to_owned(),
                from_name: "Sarah Johnson".to_owned(),
                to_id: "mike".to_owned(),
                to_name: "Mike Smith".to_owned(),
                reason: (at == 1).then(|| "Lunch".to_owned()),
                status: status.to_owned(),
                created_at: minute(at),
                responded_at: (status != "pending").then(|| minute(at + 10)),
                resolution: None,
                is_announced: true,
            };
            handover.into_active_model().insert(&connection).await.unwrap();
        }
        let mut answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}")).await;
        answer.body = answer.body["data"]["handovers"].take();
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            [
              {
                "createdAt": "[timestamp]",
                "from_admin_id": "sarah",
                "from_admin_name": "Sarah Johnson",
                "id": "[id]",
                "reason": "Lunch",
                "resolution": "declined",
                "responded_at": "[timestamp]",
                "status": "rejected",
                "to_admin_id": "mike",
                "to_admin_name": "Mike Smith"
              },
              {
                "createdAt": "[timestamp]",
                "from_admin_id": "sarah",
                "from_admin_name": "Sarah Johnson",
                "id": "[id]",
                "reason": null,
                "resolution": null,
                "responded_at": "[timestamp]",
                "status": "accepted",
                "to_admin_id": "mike",
                "to_admin_name": "Mike Smith"
              },
              {
                "createdAt": "[timestamp]",
                "from_admin_id": "sarah",
                "from_admin_name": "Sarah Johnson",
                "id": "[id]",
                "reason": null,
                "resolution": null,
                "responded_at": null,
                "status": "pending",
                "to_admin_id": "mike",
                "to_admin_name": "Mike Smith"
              }
            ]
            "#) };
    }
}

#[tokio::test]
async fn every_value_that_breaks_its_rule_is_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (long, too_long) = ("a".repeat(200), "a".repeat(201));
    let too_long_search = format!("search={too_long}");
    for (query, field) in [
        ("status=opened", "status"),
        ("status=", "status"),
        ("assigned_to=", "assigned_to"),
        ("user_id=%00", "user_id"),
        ("has_ticket=1", "has_ticket"),
        ("channel=ticket", "channel"),
        ("date_from=yesterday", "date_from"),
        ("date_to=2026-02-30", "date_to"),
        ("sort_by=id", "sort_by"),
        ("sort_by=created_at", "sort_by"),
        ("sort_order=DESC", "sort_order"),
        ("search=%00", "search"),
        (&too_long_search, "search"),
        ("page=-1", "page"),
        ("limit=", "limit"),
    ] {
        let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.body["details"][0]["field"], field, "{query}");
        assert_eq!(answer.body["details"].as_array().map(Vec::len), Some(1), "{query}");
    }
    let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?status=x&channel=y&date_to=z")).await;
    let fields: Vec<&Value> =
        answer.body["details"].as_array().unwrap().iter().map(|detail| &detail["field"]).collect();
    assert_eq!(fields, ["status", "channel", "date_to"]);
    assert_eq!(server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?search={long}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_agents_may_list() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    for path in [
        format!("{QUEUE}?search=x&status=nonsense"),
        format!("{QUEUE}/{id}/timeline"),
        "/api/v1/unified-admin/support/agents".to_owned(),
    ] {
        let anonymous = server.get(&TestUser::anonymous(), &path).await;
        assert_eq!((anonymous.status, anonymous.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{path}");
        let owner = server.get(&john, &path).await;
        assert_eq!((owner.status, owner.message()), (StatusCode::FORBIDDEN, "Admin access required"), "{path}");
    }
}
