//! Idempotency keys: a repeated send is stored once (`decisions.md`, "Beyond the contract").

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, SEND, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn a_first_message_repeated_20_times_makes_one_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let body = json!({ "message": "Hello", "client_message_id": "first" });
        let answers = join_all((0..20).map(|_| server.post(&john, SEND, body.clone()))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (StatusCode::CREATED, &answers[0].body));
        }
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["total"], 1);
    }

    async fn a_message_repeated_20_times_is_one_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = server.open_conversation(&john).await;
        let body = json!({ "message": "More", "conversation_id": id, "client_message_id": "more" });
        let answers = join_all((0..20).map(|_| server.post(&john, SEND, body.clone()))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (StatusCode::CREATED, &answers[0].body));
        }
        assert_eq!(server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await.body["data"]["conversation"]["total_messages"], 2);
    }

    async fn a_repeat_gets_the_first_answer_whatever_happened_since(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let first = json!({ "message": "Hello", "client_message_id": "first" });
        let reply = json!({ "message": "Hi", "client_message_id": "reply" });
        let (opened, more, replied, id) = {
            let server = ApiServer::start(&database).await;
            let opened = server.post(&john, SEND, first.clone()).await.body;
            let id = opened["data"]["conversation"]["id"].as_str().unwrap().to_owned();
            let more = json!({ "message": "More", "conversation_id": id, "client_message_id": "more" });
            let sent = server.post(&john, SEND, more.clone()).await.body;
            let replied = server.agent_action(&sarah, &id, "reply", Some(reply.clone())).await.body;
            server.agent_action(&sarah, &id, "close", None).await;
            (opened, (more, sent), replied, id)
        };
        // Another server, with an empty cache; the conversation is closed.
        let server = ApiServer::start(&database).await;
        for _ in 0..2 {
            assert_eq!(server.post(&john, SEND, first.clone()).await.body, opened);
            assert_eq!(server.post(&john, SEND, more.0.clone()).await.body, more.1);
            assert_eq!(server.agent_action(&sarah, &id, "reply", Some(reply.clone())).await.body, replied);
        }
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["total"], 1);
    }

    async fn a_key_of_a_later_message_is_no_key_of_a_first_one(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = server.open_conversation(&john).await;
        let more = json!({ "message": "More", "conversation_id": id, "client_message_id": "name" });
        assert_eq!(server.post(&john, SEND, more).await.status, StatusCode::CREATED);
        let first = server.post(&john, SEND, json!({ "message": "More", "client_message_id": "name" })).await;
        assert_eq!(first.status, StatusCode::CONFLICT, "{}", first.body);
    }

    async fn one_person_as_customer_and_as_agent_needs_two_keys(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        // An agent may also be a customer.
        let sarah = TestUser::agent("sarah");
        let named = json!({ "message": "Hello", "client_message_id": "name" });
        let opened = server.post(&sarah, SEND, named.clone()).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap();
        let reply = server.agent_action(&sarah, id, "reply", Some(named)).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.body);
    }

    async fn one_key_for_two_messages_is_a_conflict(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let named = |message: &str, conversation: Option<&str>| {
            json!({ "message": message, "conversation_id": conversation, "client_message_id": "name" })
        };
        let id = server.post(&john, SEND, named("Hello", None)).await.body["data"]["conversation"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let other = server.open_conversation(&john).await;
        for (body, case) in [
            (named("Other text", None), "another text"),
            (named("Other text", Some(&id)), "another text in the same conversation"),
            (named("Hello", Some(&other)), "another conversation"),
        ] {
            let answer = server.post(&john, SEND, body).await;
            assert_eq!(
                (answer.status, answer.message()),
                (StatusCode::CONFLICT, "client_message_id was already used for another message"),
                "{case}"
            );
            assert_eq!(answer.body["code"], "CONFLICT");
        }
        // A key belongs to its sender.
        assert_eq!(server.post(&TestUser::customer("jane"), SEND, named("Hello", None)).await.status, StatusCode::CREATED);
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["total"], 2);
    }
}

#[tokio::test]
async fn a_key_in_a_header_must_agree_with_the_body() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let send = |header: &'static str, in_body: Option<&'static str>| {
        let request = server.request(Method::POST, &john, SEND).header("Idempotency-Key", header);
        request.send(Some(json!({ "message": "Hello", "client_message_id": in_body })))
    };
    let first = send("one", None).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(send("one", Some("one")).await.body, first.body);
    let differing = send("one", Some("two")).await;
    assert_eq!(differing.status, StatusCode::BAD_REQUEST);
    assert_eq!(differing.body["details"][0]["field"], "Idempotency-Key");
}
