//! `GET /api/v1/unified-admin/support`: filters, search, order, pages, counts.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    ApiServer, Backend, CREATE_TICKET, REQUEST_SUPPORT, ScratchDatabase, TICKET, TICKETS, TestUser, TicketRef,
    on_both_databases,
};

async fn create(server: &ApiServer, user: &TestUser, body: Value) -> TicketRef {
    let mut full_body = json!({ "subject": "x", "description": "y" });
    full_body.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let path = if user.token.is_empty() { REQUEST_SUPPORT } else { CREATE_TICKET };
    TicketRef::from_answer(&server.post(user, path, full_body).await)
}

/// Subjects on a page, in order, and the total.
async fn listed(server: &ApiServer, query: &str) -> (Vec<String>, u64) {
    let answer = server.get(&TestUser::agent("sarah"), &format!("{TICKETS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
    let tickets = answer.body["data"]["tickets"].as_array().unwrap();
    let subjects = tickets.iter().map(|ticket| ticket["subject"].as_str().unwrap().to_owned()).collect();
    (subjects, answer.body["data"]["meta"]["total"].as_u64().unwrap())
}

on_both_databases! {
    async fn a_filter_selects_matching_tickets(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, jane, sarah) = (TestUser::customer("john"), TestUser::customer("jane"), TestUser::agent("sarah"));
        let card = create(&server, &john, json!({ "subject": "card", "support_type": "CARD_ISSUE", "priority": "urgent" })).await;
        let login = create(&server, &jane, json!({ "subject": "login", "support_type": "LOGIN_ISSUE" })).await;
        create(&server, &john, json!({ "subject": "wish", "support_type": "FEATURE_REQUEST" })).await;
        server.put(&sarah, &format!("{TICKETS}/{}/assign", card.id), json!({ "assigned_to": "sarah" })).await;
        server.set_status(&sarah, &login, "escalated").await;
        for (query, subjects) in [
            ("", vec!["wish", "login", "card"]),
            ("status=pending", vec!["wish", "card"]),
            ("status=escalated", vec!["login"]),
            ("status=closed", vec![]),
            ("priority=urgent", vec!["card"]),
            ("support_type=FEATURE_REQUEST", vec!["wish"]),
            ("assigned_to=sarah", vec!["card"]),
            ("assigned_to=mike", vec![]),
            ("assigned_to=unassigned", vec!["wish", "login"]),
            ("assigned_to=unassigned&status=pending", vec!["wish"]),
            ("user_id=john", vec!["wish", "card"]),
            ("user_id=john&priority=urgent&status=pending", vec!["card"]),
            ("date_from=2020-01-01", vec!["wish", "login", "card"]),
            ("date_from=2020-01-01&date_to=2020-12-31T23:59:59Z", vec![]),
            ("date_to=2999-01-01&status=pending&sort_order=asc", vec!["card", "wish"]),
            ("search=%20", vec!["wish", "login", "card"]),
        ] {
            let total = subjects.len() as u64;
            assert_eq!(listed(&server, query).await, (subjects.into_iter().map(ToOwned::to_owned).collect(), total), "{query}");
        }
        // A date includes the full day.
        let today = chrono::Utc::now();
        let yesterday = today - chrono::TimeDelta::days(1);
        let (today, yesterday) = (today.format("%Y-%m-%d").to_string(), yesterday.format("%Y-%m-%d").to_string());
        let (_, total) = listed(&server, &format!("date_from={yesterday}&date_to={today}")).await;
        assert_eq!(total, 3);
    }

    async fn search_covers_five_fields_ignores_case_and_has_no_wildcards(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let anonymous = TestUser::anonymous();
        let one = json!({
            "subject": "Failed Transfer", "description": "It shows 100% was_sent", "email": "ada@example.com",
            "phone_number": "+2348012345678",
        });
        let ticket_ref = create(&server, &anonymous, one).await;
        let two = json!({
            "subject": "Other", "description": "It shows 100 was sent \\o/ !", "email": "bob@example.org",
            "phone_number": "0900",
        });
        create(&server, &anonymous, two).await;
        let number = ticket_ref.number.to_lowercase();
        for (search, subjects) in [
            ("tRANSFer", vec!["Failed Transfer"]),
            ("ADA@", vec!["Failed Transfer"]),
            ("%2B23480", vec!["Failed Transfer"]),
            (number.as_str(), vec!["Failed Transfer"]),
            ("SMI-", vec!["Other", "Failed Transfer"]),
            ("it SHOWS", vec!["Other", "Failed Transfer"]),
            ("100%25", vec!["Failed Transfer"]),
            ("was_sent", vec!["Failed Transfer"]),
            ("%5Co", vec!["Other"]),
            ("!", vec!["Other"]),
            ("!!", vec![]),
            ("%25%25", vec![]),
            ("x%27%20OR%201=1", vec![]),
            ("o", vec!["Other", "Failed Transfer"]),
        ] {
            let total = subjects.len() as u64;
            let expected = (subjects.into_iter().map(ToOwned::to_owned).collect(), total);
            assert_eq!(listed(&server, &format!("search={search}")).await, expected, "{search}");
        }
        assert_eq!(listed(&server, "search=transfer&status=closed").await, (vec![], 0));
    }

    async fn each_order_sorts_both_ways_and_its_pages_are_contiguous(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        for (subject, support_type, priority, status) in [
            ("a", "OTHER", "medium", "pending"),
            ("b", "BUG_REPORT", "urgent", "closed"),
            ("c", "LOGIN_ISSUE", "low", "waiting_user"),
            ("d", "CARD_ISSUE", "high", "closed"),
            ("e", "CARD_ISSUE", "high", "in_progress"),
        ] {
            let body = json!({ "subject": subject, "support_type": support_type, "priority": priority });
            let ticket_ref = create(&server, &john, body).await;
            server.set_status(&sarah, &ticket_ref, status).await;
        }
        for (sort_by, ascending) in [
            ("createdAt", "abcde"),
            ("updatedAt", "abcde"),
            ("priority", "cadeb"),
            ("status", "bdeac"),
            ("support_type", "bdeca"),
        ] {
            for (sort_order, expected) in
                [("asc", ascending.to_owned()), ("desc", ascending.chars().rev().collect::<String>())]
            {
                let mut seen = String::new();
                for page in 1..=4 {
                    let query = format!("sort_by={sort_by}&sort_order={sort_order}&limit=2&page={page}");
                    let (subjects, total) = listed(&server, &query).await;
                    assert_eq!(total, 5);
                    seen.extend(subjects);
                }
                assert_eq!(seen, expected, "{sort_by} {sort_order}");
            }
        }
        assert_eq!(listed(&server, "").await.0.concat(), "edcba");
        let meta = server.get(&sarah, &format!("{TICKETS}?limit=1000&page=4000000000")).await;
        assert_eq!(
            meta.body["data"]["meta"],
            json!({ "total": 5, "page": 4_000_000_000_u32, "limit": 100, "total_pages": 1 })
        );
        assert_eq!(meta.body["data"]["tickets"], json!([]));
    }

    async fn ticket_analytics_ignore_the_filters(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let empty = server.get(&sarah, TICKETS).await.body["data"]["analytics"].clone();
        assert_eq!(empty["by_type"].as_object().unwrap().len(), 15);
        assert_eq!(empty["overview"]["total_tickets"], 0);
        assert_eq!(
            empty["performance"],
            json!({ "avg_response_time_seconds": 0.0, "avg_satisfaction_rating": 0.0, "total_rated": 0 })
        );
        let mut ticket_ref = Vec::new();
        for status in ["pending", "in_progress", "escalated", "waiting_user", "resolved", "closed", "closed"] {
            let ticket = create(&server, &john, json!({ "support_type": "CARD_ISSUE" })).await;
            server.set_status(&sarah, &ticket, status).await;
            ticket_ref.push(ticket);
        }
        server.put(&sarah, &format!("{TICKETS}/{}/assign", ticket_ref[0].id), json!({ "assigned_to": "sarah" })).await;
        server.put(&sarah, &format!("{TICKETS}/{}/priority", ticket_ref[1].id), json!({ "priority": "urgent" })).await;
        for (ticket, stars) in [(&ticket_ref[4], 5), (&ticket_ref[5], 4), (&ticket_ref[6], 5)] {
            server.post(&john, &format!("{TICKET}/{}/rate", ticket.number), json!({ "rating": stars })).await;
        }
        server.post(&sarah, &format!("{TICKETS}/{}/reply", ticket_ref[1].id), json!({ "message": "Hi" })).await;
        let analytics = server.get(&sarah, &format!("{TICKETS}?status=closed&limit=1")).await.body["data"]["analytics"].clone();
        let seconds = analytics["performance"]["avg_response_time_seconds"].as_f64().unwrap();
        assert!((0.0..60.0).contains(&seconds), "{seconds}");
        assert_eq!(analytics["overview"], json!({
            "total_tickets": 7, "open": 3, "pending": 1, "in_progress": 1, "escalated": 1, "waiting_user": 1,
            "resolved": 1, "closed": 2, "unassigned": 2,
        }));
        assert_eq!(analytics["activity"], json!({ "new_today": 7, "new_this_week": 7, "new_this_month": 7 }));
        assert_eq!(analytics["performance"]["avg_satisfaction_rating"], 4.7);
        assert_eq!(analytics["performance"]["total_rated"], 3);
        assert_eq!(analytics["by_status"], json!({
            "pending": 1, "in_progress": 1, "waiting_user": 1, "resolved": 1, "closed": 2, "escalated": 1,
        }));
        assert_eq!(analytics["by_priority"], json!({ "low": 0, "medium": 6, "high": 0, "urgent": 1 }));
        assert_eq!(analytics["by_type"]["CARD_ISSUE"], 7);
        assert_eq!(analytics["by_type"]["OTHER"], 0);
    }
}

#[tokio::test]
async fn a_query_value_that_breaks_its_rule_is_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let long = format!("search={}", "x".repeat(201));
    for (query, field) in [
        ("page=0", "page"),
        ("limit=ten", "limit"),
        ("status=opened", "status"),
        ("priority=highest", "priority"),
        ("support_type=payment_issue", "support_type"),
        ("date_from=yesterday", "date_from"),
        ("date_to=2026-02-30", "date_to"),
        ("status=", "status"),
        ("sort_by=subject", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("search=a%00b", "search"),
        (long.as_str(), "search"),
    ] {
        let answer = server.get(&TestUser::agent("sarah"), &format!("{TICKETS}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.body["details"][0]["field"], field, "{query}");
    }
    assert_eq!(listed(&server, &format!("search={}", "x".repeat(200))).await, (vec![], 0));
}
