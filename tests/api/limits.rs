//! Rate limits (`decisions.md`), and which IP address counts. The limiter's arithmetic has unit tests; these show that every
//! endpoint is limited, and that a refused request changes nothing.

use std::collections::HashSet;
use std::time::Instant;

use insta::{allow_duplicates, assert_snapshot};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases,
};

const GUEST_SEND: &str = "/api/v1/support/chat/send-unauthenticated";
const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const NO_CONVERSATION: &str = "00000000-0000-4000-8000-000000000000";

/// Three at once, then one a second. On a slow machine a few more succeed before one is refused.
const FEW_SENDS: [(&str, &str); 3] = [
    ("SWITCHBOARD__LIMITS__ENABLED", "true"),
    ("SWITCHBOARD__LIMITS__SENDS_PER_SECOND", "1"),
    ("SWITCHBOARD__LIMITS__SENDS_BURST", "3"),
];

/// One, then one a minute.
const FEW_GUESTS: [(&str, &str); 2] =
    [("SWITCHBOARD__LIMITS__ENABLED", "true"), ("SWITCHBOARD__LIMITS__GUEST_CALLS_PER_MINUTE", "1")];

/// Repeats a request until it is refused. Returns the refusal and the answers before it.
async fn until_refused(mut once: impl AsyncFnMut() -> Answer) -> (Answer, Vec<Answer>) {
    let mut before = Vec::new();
    for _ in 0..1000 {
        let answer = once().await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return (answer, before);
        }
        before.push(answer);
    }
    panic!("never refused");
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == StatusCode::TOO_MANY_REQUESTS
}

on_both_databases! {
    async fn a_send_beyond_the_limit_is_refused_and_stores_nothing(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start_with(&database, &FEW_SENDS).await;
        let (jane, john) = (TestUser::customer("jane"), TestUser::customer("john"));
        let id = server.open_conversation(&jane).await;
        let more = async || {
            server.post(&jane, SEND, json!({ "conversation_id": id, "message": "More" })).await
        };
        let (refusal, before) = until_refused(more).await;
        allow_duplicates! { assert_snapshot!(refusal.snapshot(), @r#"
            429 Too Many Requests
            retry-after: 1
            content-type: application/json

            {
              "code": "RATE_LIMITED",
              "error": "Too Many Requests",
              "message": "Too many requests. Please wait a moment and try again.",
              "statusCode": 429,
              "success": false
            }
            "#) };
        assert!(before.len() >= 2 && before.iter().all(|answer| answer.status == StatusCode::CREATED));
        let (_, begun) = until_refused(async || server.post(&jane, SEND, json!({ "message": "Another" })).await).await;
        let stored = server.get(&jane, &format!("{MY_CONVERSATIONS}/{id}")).await;
        assert_eq!(stored.body["data"]["conversation"]["total_messages"], json!(1 + before.len()));
        assert_eq!(server.get(&jane, MY_CONVERSATIONS).await.body["data"]["total"], json!(1 + begun.len()));
        // Another user is not limited.
        assert_eq!(server.post(&john, SEND, json!({ "message": "Hello" })).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn replies_and_notes_count_as_sends_of_their_agent() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &FEW_SENDS).await;
    let id = server.open_conversation(&TestUser::customer("jane")).await;
    let (sarah, james) = (TestUser::agent("sarah"), TestUser::agent("james"));
    assert_eq!(server.agent_action(&sarah, &id, "claim", None).await.status, StatusCode::CREATED);
    let write = async |agent: &TestUser, is_internal: bool| {
        let body = json!({ "message": "Hi", "is_internal": is_internal });
        server.agent_action(agent, &id, "reply", Some(body)).await
    };
    let mut is_note = false;
    let (_, before) = until_refused(async || {
        is_note = !is_note;
        write(&sarah, is_note).await
    })
    .await;
    assert!(before.len() >= 3 && before.iter().all(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(write(&james, true).await.status, StatusCode::CREATED);
    // As a customer she is the same person.
    let as_customer = TestUser::customer("sarah");
    until_refused(async || write(&sarah, true).await).await;
    let emptied = Instant::now();
    let (_, before) =
        until_refused(async || server.post(&as_customer, SEND, json!({ "message": "Hello" })).await).await;
    // The bucket refills by one a second.
    let refilled = emptied.elapsed().as_secs_f64().ceil();
    assert!(before.len() as f64 <= refilled, "{} sends in {refilled} s after the bucket was emptied", before.len());
}

#[tokio::test]
async fn authentication_role_and_validation_precede_the_rate_limit() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &FEW_SENDS).await;
    let (jane, sarah) = (TestUser::customer("jane"), TestUser::agent("sarah"));
    for _ in 0..20 {
        let formless = server.post(&jane, SEND, json!({ "message": " " })).await;
        assert_eq!(formless.status, StatusCode::BAD_REQUEST);
        let formless = server.agent_action(&sarah, NO_CONVERSATION, "reply", Some(json!({ "message": 7 }))).await;
        assert_eq!(formless.status, StatusCode::BAD_REQUEST);
    }
    let unknown =
        async || server.post(&jane, SEND, json!({ "message": "Hi", "conversation_id": NO_CONVERSATION })).await;
    // A request that fails after the limit has been checked counts.
    let (_, before) = until_refused(unknown).await;
    assert!(before.len() >= 3 && before.iter().all(|answer| answer.status == StatusCode::NOT_FOUND));
    assert_eq!(server.post(&jane, SEND, json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        server.post(&TestUser::anonymous(), SEND, json!({ "message": "Hi" })).await.status,
        StatusCode::UNAUTHORIZED
    );
    let reply = server.agent_action(&jane, NO_CONVERSATION, "reply", Some(json!({ "message": "Hi" }))).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_guest_is_limited_by_email_across_ip_addresses() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let mut settings = FEW_SENDS.to_vec();
    settings.push(("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1"));
    let server = ApiServer::start_with(&database, &settings).await;
    let mut calls = 0..;
    let (_, before) = until_refused(async || {
        // A new IP address each time, and two spellings of the email address.
        let n: u32 = calls.next().unwrap();
        let email = if n.is_multiple_of(2) { "jane@example.com" } else { "Jane@Example.COM" };
        guest_call(&server, &[&format!("10.{}.{}.1", n / 256, n % 256)], json!({ "message": "Hi", "email": email }))
            .await
    })
    .await;
    assert!(before.len() >= 3 && before.iter().all(|answer| answer.status == StatusCode::CREATED));
}

#[tokio::test]
async fn guest_calls_are_limited_by_ip_address_whatever_their_outcome() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &FEW_GUESTS).await;
    // Neither validation nor a forwarding header from an untrusted peer makes a difference.
    let formless = guest_call(&server, &[], json!({ "message": "" })).await;
    assert_eq!(formless.status, StatusCode::BAD_REQUEST);
    let body = json!({ "message": "Hello", "email": "jane@example.com" });
    for forwarded in [&[][..], &["198.51.100.7"], &["127.0.0.1"]] {
        let refusal = guest_call(&server, forwarded, body.clone()).await;
        assert!(is_refused(&refusal), "{forwarded:?}: {}", refusal.body);
        let wait: u64 = refusal.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    let bad_token = server.post(&TestUser { token: "x.y.z".to_owned() }, GUEST_SEND, body.clone()).await;
    assert!(is_refused(&bad_token), "a bad token counts as none");
    // A user with an account is not limited by IP address, not even with an invalid request.
    let jane = TestUser::customer("jane");
    assert_eq!(server.post(&jane, GUEST_SEND, json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post(&jane, GUEST_SEND, body).await.status, StatusCode::CREATED);
}

async fn guest_call(server: &ApiServer, forwarded: &[&str], body: Value) -> Answer {
    let request = server.request(Method::POST, &TestUser::anonymous(), GUEST_SEND);
    forwarded.iter().fold(request, |request, hops| request.header("x-forwarded-for", hops)).send(Some(body)).await
}

/// The IP address that the server stores with a conversation.
async fn kept_address(server: &ApiServer, opened: &Answer) -> Value {
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
    let id = opened.body["data"]["conversation"]["id"].as_str().unwrap();
    server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}")).await.body["data"]["ip_address"].clone()
}

#[tokio::test]
async fn a_trusted_proxys_client_address_counts_and_an_invented_one_does_not() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let mut settings = FEW_GUESTS.to_vec();
    settings.push(("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8"));
    let server = ApiServer::start_with(&database, &settings).await;
    let body = json!({ "message": "Hello", "email": "jane@example.com" });
    let first = guest_call(&server, &["198.51.100.7, 10.0.0.9"], body.clone()).await;
    assert_eq!(kept_address(&server, &first).await, "198.51.100.7");
    // The same client, with another invented address in front of those that the proxies added.
    for invented in ["1.2.3.4, 198.51.100.7", "127.0.0.1, 198.51.100.7, 10.0.0.9", "unknown,198.51.100.7"] {
        assert!(is_refused(&guest_call(&server, &[invented], body.clone()).await), "{invented}");
        assert!(is_refused(&guest_call(&server, &["1.2.3.4", "198.51.100.7"], body.clone()).await), "two headers");
    }
    let other = guest_call(&server, &["198.51.100.8"], body.clone()).await;
    assert_eq!(kept_address(&server, &other).await, "198.51.100.8");
    // All IPv6 addresses with the same 64-bit prefix count as one.
    let first = guest_call(&server, &["2001:db8:1:2::1"], body.clone()).await;
    assert_eq!(kept_address(&server, &first).await, "2001:db8:1:2::1");
    assert!(is_refused(&guest_call(&server, &["2001:db8:1:2:ffff::2"], body.clone()).await));
    assert!(!is_refused(&guest_call(&server, &["2001:db8:1:3::1"], body).await));
}

#[tokio::test]
async fn a_forwarding_header_without_a_trusted_proxy_is_ignored() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    for settings in [&[][..], &[("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "10.0.0.0/8")]] {
        let server = ApiServer::start_with(&database, settings).await;
        let opened = server
            .request(Method::POST, &TestUser::customer("jane"), SEND)
            .header("x-forwarded-for", "198.51.100.7")
            .header("forwarded", "for=198.51.100.7")
            .header("x-real-ip", "198.51.100.7")
            .send(Some(json!({ "message": "Hello" })))
            .await;
        assert_eq!(kept_address(&server, &opened).await, "127.0.0.1");
    }
}

#[tokio::test]
async fn handshakes_are_limited_by_ip_address_with_engine_ios_refusal() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings = [
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__LIMITS__HANDSHAKES_PER_SECOND", "2"),
        ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = ApiServer::start_with(&database, &settings).await;
    let handshake = async |address: &str| {
        server
            .request(Method::GET, &TestUser::anonymous(), HANDSHAKE)
            .header("x-forwarded-for", address)
            .send(None)
            .await
    };
    let mut seen = HashSet::new();
    let refusal = loop {
        let answer = handshake("198.51.100.7").await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        assert!(seen.insert(answer.body.to_string()) && seen.len() < 1000);
    };
    assert_eq!(refusal.status, StatusCode::FORBIDDEN);
    assert_eq!(refusal.body, json!({ "code": 4, "message": "Too many handshakes" }));
    assert!(seen.len() >= 2, "{}", seen.len());
    assert_eq!(handshake("198.51.100.8").await.status, StatusCode::OK);
}
