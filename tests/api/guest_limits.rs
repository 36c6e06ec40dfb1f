//! What people without an account may do is limited by account, address and e-mail address, and no client can use up
//! what is another's (`src/limits/guest.rs`). No allowance of these tests refills while they run.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, REQUEST_SUPPORT, ScratchDatabase, TICKET, TestUser, ticket_body,
};

const GUEST_SEND: &str = "/api/v1/support/chat/send-unauthenticated";
const JANE: &str = "jane@example.com";
const NO_CONVERSATION: &str = "00000000-0000-4000-8000-000000000000";

async fn start(database: &ScratchDatabase, more: &[(&str, &str)]) -> ApiServer {
    let mut settings = vec![
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__LIMITS__GUEST_CALLS_PER_MINUTE", "2"),
        ("SWITCHBOARD__LIMITS__GUEST_EMAIL_CALLS_PER_MINUTE", "5"),
        ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    settings.extend(more);
    ApiServer::start_with(database, &settings).await
}

/// A call from an address, as the trusted proxy reports it.
async fn call(server: &ApiServer, from: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    server.request(method, &TestUser::anonymous(), path).header("x-forwarded-for", from).send(body).await
}

/// Calls from ever new addresses until one is refused. Gives the number of calls that were not.
async fn use_up(server: &ApiServer, method: Method, path: &str, body: Option<Value>) -> usize {
    for number in 0..1000 {
        let from = format!("2001:db8:{number:x}::1");
        if call(server, &from, method.clone(), path, body.clone()).await.status == StatusCode::TOO_MANY_REQUESTS {
            return number;
        }
    }
    panic!("never refused");
}

#[tokio::test]
async fn a_token_does_not_lift_the_limit_whatever_e_mail_addresses_are_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let burst = [("SWITCHBOARD__LIMITS__SENDS_PER_SECOND", "1"), ("SWITCHBOARD__LIMITS__SENDS_BURST", "4")];
    let server = start(&database, &burst).await;
    let (mallory, jane) = (TestUser::customer("mallory"), TestUser::customer("jane"));
    let send = async |user: &TestUser, number: usize| {
        // Another e-mail address, another reported address, another key each time: the account remains.
        server
            .request(Method::POST, user, GUEST_SEND)
            .header("x-forwarded-for", &format!("10.0.{}.1", number % 250))
            .send(Some(json!({ "message": "Hi", "email": format!("guest-{number}@example.com") })))
            .await
    };
    let mut sent = 0;
    let refusal = loop {
        let answer = send(&mallory, sent).await;
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        sent += 1;
        assert!(sent < 1000, "never refused");
    };
    assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refusal.headers.contains_key("retry-after") && sent >= 4, "{sent}");
    assert_eq!(send(&jane, 0).await.status, StatusCode::CREATED, "another account");
    let guest = json!({ "message": "Hi", "email": JANE });
    assert_eq!(call(&server, "10.0.0.1", Method::POST, GUEST_SEND, Some(guest)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn many_accounts_of_one_address_share_its_allowance() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[("SWITCHBOARD__LIMITS__ACCOUNT_GUEST_CALLS_PER_MINUTE", "3")]).await;
    let send = async |account: &str, from: &str| {
        server
            .request(Method::POST, &TestUser::customer(account), GUEST_SEND)
            .header("x-forwarded-for", from)
            .send(Some(json!({ "message": "Hi", "email": format!("{account}@example.com") })))
            .await
            .status
    };
    // Addresses of one IPv6 network are one.
    for (account, host) in [("a", 1), ("b", 2), ("c", 3)] {
        assert_eq!(send(account, &format!("2001:db8:1:2::{host}")).await, StatusCode::CREATED);
    }
    assert_eq!(send("d", "2001:db8:1:2:ffff::4").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send("d", "2001:db8:1:3::4").await, StatusCode::CREATED);
}

#[tokio::test]
async fn strangers_cannot_lock_out_a_person_who_has_written_before_or_continues_a_conversation() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[]).await;
    let body = json!({ "message": "Hi", "email": JANE });
    let home = "198.51.100.7";
    let opened = call(&server, home, Method::POST, GUEST_SEND, Some(body.clone())).await;
    assert_eq!(opened.status, StatusCode::CREATED);
    let id = &opened.body["data"]["conversation"]["id"];
    assert!(use_up(&server, Method::POST, GUEST_SEND, Some(body.clone())).await >= 4);
    // From the address that she has written from; and with the conversation's id, from anywhere.
    assert_eq!(call(&server, home, Method::POST, GUEST_SEND, Some(body)).await.status, StatusCode::CREATED);
    let body = json!({ "message": "More", "email": "Jane@Example.COM", "conversation_id": id });
    let sent = call(&server, "203.0.113.9", Method::POST, GUEST_SEND, Some(body)).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    // Who guesses ids is limited by address, like any caller.
    let body = json!({ "message": "More", "email": JANE, "conversation_id": NO_CONVERSATION });
    for status in [StatusCode::NOT_FOUND, StatusCode::NOT_FOUND, StatusCode::TOO_MANY_REQUESTS] {
        let guess = call(&server, "203.0.113.10", Method::POST, GUEST_SEND, Some(body.clone())).await;
        assert_eq!(guess.status, status);
    }
}

#[tokio::test]
async fn every_call_in_the_name_of_an_e_mail_address_is_limited_across_addresses() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = start(&database, &[]).await;
    let john = TestUser::customer("john");
    let number = server.create_ticket(&john, "John's").await.number;
    let mut create = ticket_body("x");
    create["email"] = json!(JANE);
    let add = json!({ "ticket_number": number, "message": "x", "email": JANE });
    let read = format!("{TICKET}?ticket_number={number}&email={JANE}");
    // The first two share one allowance, the reads have their own.
    assert!(use_up(&server, Method::POST, REQUEST_SUPPORT, Some(create)).await >= 5);
    let added = call(&server, "192.0.2.9", Method::POST, ADD_MESSAGE, Some(add)).await;
    assert_eq!(added.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(use_up(&server, Method::GET, &read, None).await >= 5);
    let johns = format!("{TICKET}?ticket_number={number}&email=john@example.com");
    assert_eq!(call(&server, "192.0.2.1", Method::GET, &johns, None).await.status, StatusCode::OK);
}
