//! `claim`, `reply`, `close`.

use insta::assert_snapshot;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Backend, Person, QUEUE, TestDatabase, TestServer, on_both_databases};

on_both_databases! {
    async fn a_claim_answers_with_the_owner(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let id = server.conversation(&Person::customer("john")).await;
        let (sarah, mike) = (Person::agent("sarah"), Person::agent("mike"));
        let first = server.agent_does(&sarah, &id, "claim", None).await;
        assert_snapshot!(first.shown(), @"");
        let again = server.agent_does(&sarah, &id, "claim", None).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let second = server.agent_does(&mike, &id, "claim", None).await;
        assert_snapshot!(second.shown(), @"");
    }

    async fn an_answer_claims_and_looks_as_the_contract_says(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let id = server.conversation(&Person::customer("john")).await;
        let answer = server.agent_does(&Person::agent("sarah"), &id, "reply", Some(json!({ "message": "Hi" }))).await;
        assert_snapshot!(answer.shown(), @"");
        let other = server.agent_does(&Person::agent("mike"), &id, "reply", Some(json!({ "message": "Hi" }))).await;
        assert_snapshot!(other.shown(), @"");
    }

    async fn a_note_may_come_from_any_agent_and_has_no_seq(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let id = server.conversation(&Person::customer("john")).await;
        server.agent_does(&Person::agent("sarah"), &id, "claim", None).await;
        let note = json!({ "message": "Careful", "is_internal": true });
        let answer = server.agent_does(&Person::agent("mike"), &id, "reply", Some(note)).await;
        assert_snapshot!(answer.shown(), @"");
        let seen = server.get(&Person::agent("mike"), &format!("{QUEUE}/{id}")).await;
        assert_eq!(seen.body["data"]["assigned_to"], "sarah");
        assert_eq!(seen.body["data"]["last_message"]["message"], "Hello");
    }

    async fn what_is_closed_takes_nothing_more(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let id = server.conversation(&Person::customer("john")).await;
        let sarah = Person::agent("sarah");
        assert_snapshot!(server.agent_does(&sarah, &id, "close", None).await.shown(), @"");
        for (action, body, message) in [
            ("close", None, "Conversation is already closed"),
            ("claim", None, "Cannot claim a closed conversation"),
            ("reply", Some(json!({ "message": "Hi" })), "Cannot reply to a closed conversation"),
            ("reply", Some(json!({ "message": "Hi", "is_internal": true })), "Cannot reply to a closed conversation"),
        ] {
            let answer = server.agent_does(&sarah, &id, action, body).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message), "{action}");
            assert_eq!(answer.body["code"], "CONVERSATION_CLOSED");
        }
    }
}

/// Endpoint × caller: who may, and what the others are told.
#[tokio::test]
async fn only_agents_may() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let john = Person::customer("john");
    let id = server.conversation(&john).await;
    for action in ["claim", "reply", "close"] {
        let body = Some(json!({ "message": "Hi" }));
        let nobody = server.agent_does(&Person::nobody(), &id, action, body.clone()).await;
        assert_eq!((nobody.status, nobody.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{action}");
        let owner = server.agent_does(&john, &id, action, body).await;
        assert_eq!((owner.status, owner.message()), (StatusCode::FORBIDDEN, "Admin access required"), "{action}");
    }
    for path in [QUEUE.to_owned(), format!("{QUEUE}/{id}")] {
        assert_eq!(server.get(&Person::nobody(), &path).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get(&john, &path).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_request_without_fields_takes_an_empty_body_of_any_type() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let (john, sarah) = (Person::customer("john"), Person::agent("sarah"));
    for content_type in [None, Some("application/json")] {
        let id = server.conversation(&john).await;
        let mut request = server.request(reqwest::Method::POST, &sarah, &format!("{QUEUE}/{id}/claim"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(request.send(None).await.status, StatusCode::CREATED, "{content_type:?}");
    }
}

#[tokio::test]
async fn an_unknown_conversation_is_not_found() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let sarah = Person::agent("sarah");
    for id in ["01900000-0000-7000-8000-000000000000", "nonsense"] {
        for (action, body) in [("claim", None), ("close", None), ("reply", Some(json!({ "message": "Hi" })))] {
            let answer = server.agent_does(&sarah, id, action, body).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
        }
        let answer = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
    }
}
