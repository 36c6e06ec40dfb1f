//! Texts, names, addresses, ticket numbers and dates as people write them (`additions.md`, 1).

use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{Answer, ApiServer, Backend, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

const AS_GUEST: &str = "/api/v1/support/chat/send-unauthenticated";

async fn send_as_guest(server: &ApiServer, email: &str, conversation: Option<&str>) -> Answer {
    let body = json!({ "message": "Hello", "email": email, "conversation_id": conversation });
    server.post(&TestUser::anonymous(), AS_GUEST, body).await
}

fn assert_names(answer: &Answer, field: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.body["details"][0]["field"], field, "{}", answer.body);
}

on_both_databases! {
    async fn one_address_is_one_guest_however_it_is_written(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let opened = send_as_guest(&server, " Jos\u{e9}@Example.com", None).await;
        assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
        let conversation = &opened.body["data"]["conversation"];
        assert_eq!(conversation["email"], "jos\u{e9}@example.com");
        let id = conversation["id"].as_str().unwrap();
        for same in ["jose\u{301}@example.com", "\u{202a}JOS\u{c9}@example.com\u{202c}", "jos\u{e9}@exam\u{ad}ple.com"] {
            assert_eq!(send_as_guest(&server, same, Some(id)).await.status, StatusCode::CREATED, "{same:?}");
        }
        let other = send_as_guest(&server, "jose@example.com", Some(id)).await;
        assert_eq!(other.message(), "Email does not match the conversation owner");
        for implausible in ["a@b,", "<a@b>", "mailto:a@b.example", "a@b..example", "a@b.", "a@b;c@d", "\u{200b}@b.example"] {
            assert_names(&send_as_guest(&server, implausible, None).await, "email");
        }
    }

    async fn an_address_that_an_earlier_release_stored_is_still_its_owners(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let opened = send_as_guest(&server, "jos\u{e9}@example.com", None).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap().to_owned();
        let ticket = json!({ "subject": "Help", "description": "Me", "email": "jos\u{e9}@example.com" });
        let ticket = server.post(&TestUser::anonymous(), "/api/v1/support/request-support", ticket).await;
        let number = ticket.body["data"]["ticket"]["ticket_number"].as_str().unwrap().to_owned();
        drop(server);
        // Lower case was all that was done to it.
        let connection = sea_orm::Database::connect(&database.url).await.unwrap();
        for table in ["conversations", "tickets"] {
            let update = format!("UPDATE {table} SET email = '\u{200b}jose\u{301}@example.com'");
            connection.execute_unprepared(&update).await.unwrap();
        }
        connection.close().await.unwrap();
        let server = ApiServer::start(&database).await;
        assert_eq!(send_as_guest(&server, "jos\u{e9}@example.com", Some(&id)).await.status, StatusCode::CREATED);
        let added = json!({ "ticket_number": number, "message": "More", "email": "JOS\u{c9}@example.com" });
        let added = server.post(&TestUser::anonymous(), "/api/v1/support/ticket/add-message", added).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    }

    async fn what_no_reader_can_see_is_no_message_and_no_name(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = server.open_conversation(&john).await;
        let nameless = TestUser::with_role("sarah", "admin", "\u{200b}", "\u{3164}");
        let claimed = server.agent_action(&nameless, &id, "claim", None).await;
        assert_eq!(claimed.body["data"]["assigned_admin_name"], "sarah", "the local part of the address");
        let agents = server.get(&nameless, "/api/v1/unified-admin/support/agents").await;
        assert_eq!(agents.body["data"]["agents"][0]["first_name"], "sarah");
        for blank in ["\u{200b}", " \u{3164}\n", "\u{2800}\u{feff}", "\u{ffa0}\u{200d}\u{fe0f}", "\u{e0020}"] {
            let message = json!({ "message": blank, "conversation_id": id });
            assert_names(&server.post(&john, SEND, message).await, "message");
            let reply = server.agent_action(&nameless, &id, "reply", Some(json!({ "message": blank }))).await;
            assert_names(&reply, "message");
            assert_names(&server.post(&john, "/api/help-center/messages", json!({ "text": blank })).await, "text");
        }
        let seen = "\u{200b}seen";
        let sent = server.post(&john, SEND, json!({ "message": seen, "conversation_id": id })).await;
        assert_eq!(sent.body["data"]["message"]["message"], seen, "stored as it was sent");
    }

    async fn a_preview_ends_with_a_character_that_readers_see(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let message = format!("{}👩\u{200d}👩\u{200d}👧 and more", "x".repeat(97));
        let sent = server.post(&john, SEND, json!({ "message": message })).await;
        let id = sent.body["data"]["conversation"]["id"].as_str().unwrap();
        let listed = server.get(&sarah, QUEUE).await;
        assert_eq!(listed.body["data"]["conversations"][0]["last_message"]["message"], "x".repeat(97));
        let timeline = server.get(&sarah, &format!("{QUEUE}/{id}/timeline")).await;
        let shown = timeline.body["data"]["events"].to_string();
        assert!(shown.contains(&"x".repeat(97)) && !shown.contains('👩'), "{shown}");
    }

    async fn agents_always_see_a_platform(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        for (platform, expected) in [
            (json!(""), "unknown"), (json!(" "), "unknown"), (json!("\u{200b}"), "unknown"), (json!(7), "unknown"),
            (Value::Null, "unknown"), (json!("ios"), "ios"),
        ] {
            let device = json!({ "message": "Hello", "device_metadata": { "platform": platform } });
            let sent = server.post(&john, SEND, device).await;
            let id = sent.body["data"]["conversation"]["id"].as_str().unwrap();
            let seen = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
            assert_eq!(seen.body["data"]["device_metadata"]["platform"], expected, "{platform}");
        }
    }

    async fn a_ticket_number_is_understood_as_people_type_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let ticket = server.create_ticket(&john, "John's").await;
        let year = ticket.number.split('-').nth(1).unwrap();
        for typed in [
            ticket.number.to_lowercase(), format!("#{}", ticket.number), format!(" \u{200b}{} ", ticket.number),
            format!("SMI\u{2013}{year}\u{2011}1"), format!("# smi\u{2212}{year}\u{ff0d}0001"),
        ] {
            let body = json!({ "ticket_number": typed, "message": "More" });
            let added = server.post(&john, "/api/v1/support/ticket/add-message", body).await;
            assert_eq!(added.status, StatusCode::CREATED, "{typed:?}: {}", added.body);
            assert_eq!(added.body["data"]["ticket_number"], ticket.number);
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("ticket_number", &typed).finish();
            let read = server.get(&john, &format!("/api/v1/support/ticket?{query}")).await;
            assert_eq!(read.status, StatusCode::OK, "{typed:?}: {}", read.body);
        }
    }

    async fn dates_are_understood_strictly(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        server.open_conversation(&john).await;
        server.create_ticket(&john, "John's").await;
        for list in [QUEUE, "/api/v1/unified-admin/support"] {
            for (date, is_allowed) in [
                ("2026-11-30", true), ("2026-11-30T10:00", true), ("2026-11-30T10:00Z", true), ("2026-11-30T10:00%2B01:00", true),
                ("2026-11-30T10:00%2B0100", true), ("2026-2-5", false), ("2026-11-30T10:00%2B1", false), ("2026-11-31", false),
                ("", false), ("2026-11-30T", false),
            ] {
                for (name, other) in [("date_from", "date_to=9000-01-01"), ("date_to", "date_from=1000-01-01")] {
                    let answer = server.get(&sarah, &format!("{list}?{name}={date}&{other}")).await;
                    assert_eq!(answer.status == StatusCode::OK, is_allowed, "{list} {name}={date}: {}", answer.body);
                    if !is_allowed {
                        assert_names(&answer, name);
                    }
                }
            }
            let reversed = server.get(&sarah, &format!("{list}?date_from=2026-11-30&date_to=2026-11-29")).await;
            assert_names(&reversed, "date_from");
        }
    }
}
