//! Guests' tokens (`additions.md`, 6).

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, REQUEST_SUPPORT, SEND, ScratchDatabase,
    SupportSession, TICKET, TICKETS, TestUser, on_both_databases,
};

const AS_GUEST: &str = "/api/v1/support/chat/send-unauthenticated";
const CLAIM: &str = "/api/v1/support/conversations/claim-guest";
const EMAIL: &str = "guest@example.com";

fn bearer(token: &Value) -> TestUser {
    TestUser { token: token.as_str().unwrap_or_else(|| panic!("no token: {token}")).to_owned() }
}

/// A guest's conversation and its token.
async fn open(server: &ApiServer) -> (String, TestUser) {
    let body = json!({ "message": "Hello", "email": EMAIL });
    let opened = server.post(&TestUser::anonymous(), AS_GUEST, body).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
    let data = &opened.body["data"];
    (data["conversation"]["id"].as_str().unwrap().to_owned(), bearer(&data["guest_token"]))
}

async fn read(server: &ApiServer, caller: &TestUser, id: &str) -> Answer {
    server.get(caller, &format!("{MY_CONVERSATIONS}/{id}")).await
}

async fn claim(server: &ApiServer, caller: &TestUser, guest: &TestUser) -> Answer {
    server.post(caller, CLAIM, json!({ "guest_token": guest.token })).await
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

on_both_databases! {
    async fn a_guest_reads_continues_and_rates_their_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let sarah = TestUser::agent("sarah");
        let (id, guest) = open(&server).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Hi" }))).await;
        let seen = read(&server, &guest, &id).await;
        assert_eq!(seen.body["data"]["conversation"]["total_messages"], 2, "{}", seen.body);
        let key = "of a guest with a token";
        let body = json!({ "message": "More", "conversation_id": id, "client_message_id": key });
        let sent = server.post(&guest, SEND, body.clone()).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
        assert_eq!(sent.body["data"]["message"]["client_message_id"], key);
        // Each send is answered with a fresh one, which serves as well.
        let fresh = bearer(&sent.body["data"]["guest_token"]);
        let seen = read(&server, &fresh, &id).await;
        assert_eq!(seen.body["data"]["conversation"]["messages"][2]["client_message_id"], key);
        assert_eq!(server.post(&guest, SEND, body).await.body["data"]["message"], sent.body["data"]["message"]);
        let continued = json!({ "message": "Again", "email": EMAIL, "conversation_id": id });
        let continued = server.post(&TestUser::anonymous(), AS_GUEST, continued).await;
        assert!(continued.body["data"]["guest_token"].is_string(), "{}", continued.body);
        let mark = server.post(&guest, &format!("{MY_CONVERSATIONS}/{id}/read"), json!({ "up_to_seq": 2 })).await;
        assert_eq!(mark.status, StatusCode::CREATED, "{}", mark.body);
        let rate = format!("{MY_CONVERSATIONS}/{id}/rate");
        assert_eq!(server.post(&guest, &rate, json!({ "rating": 5 })).await.message(), "Can only rate closed conversations");
        server.agent_action(&sarah, &id, "close", None).await;
        assert_eq!(server.post(&guest, &rate, json!({ "rating": 5 })).await.status, StatusCode::OK);
        let closed = server.post(&guest, SEND, json!({ "message": "More", "conversation_id": id })).await;
        assert_eq!(code(&closed), (400, "CONVERSATION_CLOSED"));
    }

    async fn a_token_serves_nothing_else_and_an_id_alone_nothing(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ((id, guest), (other, _)) = (open(&server).await, open(&server).await);
        let johns = server.open_conversation(&TestUser::customer("john")).await;
        let nowhere = "00000000-0000-4000-8000-000000000000";
        for elsewhere in [other.as_str(), &johns, nowhere, "no id"] {
            assert_eq!(code(&read(&server, &guest, elsewhere).await), (401, "UNAUTHORIZED"), "{elsewhere}");
            let body = json!({ "message": "Hi", "conversation_id": elsewhere });
            assert_eq!(code(&server.post(&guest, SEND, body).await), (401, "UNAUTHORIZED"), "{elsewhere}");
            let mark = format!("{MY_CONVERSATIONS}/{elsewhere}/read");
            assert_eq!(code(&server.post(&guest, &mark, json!({ "up_to_seq": 1 })).await), (401, "UNAUTHORIZED"));
            let rate = format!("{MY_CONVERSATIONS}/{elsewhere}/rate");
            assert_eq!(code(&server.post(&guest, &rate, json!({ "rating": 9 })).await), (401, "UNAUTHORIZED"));
        }
        // It opens no conversation, lists none, and is no account.
        assert_eq!(server.post(&guest, SEND, json!({ "message": "Hi" })).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get(&guest, MY_CONVERSATIONS).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get(&guest, QUEUE).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get(&guest, "/api/help-center/messages").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(claim(&server, &guest, &guest).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(read(&server, &TestUser::anonymous(), &id).await.status, StatusCode::UNAUTHORIZED);
        let stranger = read(&server, &TestUser::customer("john"), &id).await;
        assert_eq!(code(&stranger), (400, "ACCESS_DENIED"));
    }

    async fn no_token_is_issued_for_what_belongs_to_an_account_or_for_a_ticket_that_exists(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, anonymous) = (TestUser::customer("john"), TestUser::anonymous());
        let sent = server.post(&john, SEND, json!({ "message": "Hi" })).await;
        assert!(sent.body["data"].get("guest_token").is_none());
        let id = sent.body["data"]["conversation"]["id"].as_str().unwrap();
        let body = json!({ "message": "Hi", "email": "john@example.com", "conversation_id": id });
        let refused = server.post(&anonymous, AS_GUEST, body).await;
        assert_eq!(code(&refused), (400, "ACCESS_DENIED"));
        let form = json!({ "subject": "Help", "description": "Me", "email": "john@example.com" });
        let of_account = server.post(&john, REQUEST_SUPPORT, form.clone()).await;
        assert!(of_account.body["data"].get("guest_token").is_none(), "{}", of_account.body);
        // The ticket of the account's address is continued, and so is a guest's, without a token for it.
        let johns = of_account.body["data"]["ticket"]["ticket_number"].clone();
        let guests = server.post(&anonymous, REQUEST_SUPPORT, form.clone()).await;
        assert!(guests.body["data"]["guest_token"].is_string());
        let guests = guests.body["data"]["ticket"]["ticket_number"].clone();
        for number in [johns, guests] {
            let mut further = form.clone();
            further["ticket_number"] = number.clone();
            let continued = server.post(&anonymous, REQUEST_SUPPORT, further).await;
            assert_eq!(continued.message(), "Message sent", "{}", continued.body);
            assert!(continued.body["data"].get("guest_token").is_none(), "{}", continued.body);
            let added = json!({ "ticket_number": number, "message": "More", "email": "john@example.com" });
            let added = server.post(&anonymous, ADD_MESSAGE, added).await;
            assert!(added.status.is_success() && added.body["data"].get("guest_token").is_none(), "{}", added.body);
        }
    }

    async fn a_tickets_token_reads_continues_and_rates_that_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let sarah = TestUser::agent("sarah");
        let form = json!({ "subject": "Help", "description": "Me", "email": EMAIL });
        let [first, second] = [
            server.post(&TestUser::anonymous(), REQUEST_SUPPORT, form.clone()).await,
            server.post(&TestUser::anonymous(), REQUEST_SUPPORT, form).await,
        ];
        let guest = bearer(&first.body["data"]["guest_token"]);
        let number = |answer: &Answer| answer.body["data"]["ticket"]["ticket_number"].as_str().unwrap().to_owned();
        let (own, other) = (number(&first), number(&second));
        let seen = server.get(&guest, &format!("{TICKET}?ticket_number={own}")).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
        let add = |number: &str| json!({ "ticket_number": number, "message": "More" });
        let added = server.post(&guest, ADD_MESSAGE, add(&own)).await;
        let fresh = bearer(&added.body["data"]["guest_token"]);
        let rate = |number: &str| format!("{TICKET}/{number}/rate");
        assert_eq!(server.post(&fresh, &rate(&own), json!({ "rating": 4 })).await.message(), "Can only rate resolved or closed tickets");
        let id = first.body["data"]["ticket"]["id"].as_str().unwrap();
        server.request(reqwest::Method::PUT, &sarah, &format!("{TICKETS}/{id}/status")).send(Some(json!({ "status": "resolved" }))).await;
        assert_eq!(server.post(&fresh, &rate(&own), json!({ "rating": 4 })).await.status, StatusCode::OK);
        // For another ticket it counts as none.
        assert_eq!(server.get(&guest, &format!("{TICKET}?ticket_number={other}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(server.post(&guest, ADD_MESSAGE, add(&other)).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(server.post(&guest, &rate(&other), json!({ "rating": 4 })).await.status, StatusCode::UNAUTHORIZED);
        // It is no conversation's token.
        let conversation = first.body["data"]["ticket"]["id"].as_str().unwrap();
        assert_eq!(read(&server, &guest, conversation).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(code(&claim(&server, &TestUser::customer("john"), &guest).await), (400, "GUEST_TOKEN_INVALID"));
    }

    async fn the_ticket_of_a_guests_conversation_is_read_with_the_conversations_token(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ((id, guest), (_, other)) = (open(&server).await, open(&server).await);
        let ticket = json!({ "subject": "a", "description": "b" });
        let ticket = server.agent_action(&TestUser::agent("sarah"), &id, "create-ticket", Some(ticket)).await;
        let number = ticket.body["data"]["ticket"]["ticket_number"].as_str().unwrap();
        let path = format!("{TICKET}?ticket_number={number}&email={EMAIL}");
        assert_eq!(server.get(&guest, &path).await.status, StatusCode::OK);
        for caller in [&other, &TestUser::anonymous()] {
            assert_eq!(server.get(caller, &path).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(claim(&server, &TestUser::customer("john"), &guest).await.status, StatusCode::CREATED);
        assert_eq!(server.get(&guest, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(server.get(&TestUser::customer("john"), &path).await.status, StatusCode::OK);
    }

    async fn one_account_gets_a_guests_conversation_whichever_server_is_asked(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let key = "the first message of a guest";
        let first = json!({ "message": "Hello", "email": EMAIL, "client_message_id": key });
        let opened = servers[0].post(&TestUser::anonymous(), AS_GUEST, first.clone()).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap();
        let guest = bearer(&opened.body["data"]["guest_token"]);
        // Both servers have an actor for it.
        for server in &servers {
            let sent = server.post(&guest, SEND, json!({ "message": "More", "conversation_id": id })).await;
            assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
        }
        let people: Vec<TestUser> = (0..6).map(|number| TestUser::customer(&format!("person-{number}"))).collect();
        let claims = people.iter().enumerate().map(|(number, person)| claim(&servers[number % 2], person, &guest));
        let claims = join_all(claims).await;
        let won: Vec<usize> = (0..6).filter(|number| claims[*number].status == StatusCode::CREATED).collect();
        let [winner] = won[..] else { panic!("{won:?} have it") };
        for (number, answer) in claims.iter().enumerate().filter(|(number, _)| *number != winner) {
            assert_eq!(code(answer), (400, "GUEST_TOKEN_INVALID"), "{number}: {}", answer.body);
        }
        assert_eq!(claims[winner].body["data"], json!({ "conversation_id": id }));
        let owner = &people[winner];
        for server in &servers {
            assert_eq!(claim(server, owner, &guest).await.body, claims[winner].body, "repeated by the same person");
            assert_eq!(code(&claim(server, &people[(winner + 1) % 6], &guest).await), (400, "GUEST_TOKEN_INVALID"));
            // The guest's token is void.
            assert_eq!(read(server, &guest, id).await.status, StatusCode::UNAUTHORIZED);
            let send = json!({ "message": "Mine?", "conversation_id": id });
            assert_eq!(server.post(&guest, SEND, send.clone()).await.status, StatusCode::UNAUTHORIZED);
            let mut as_guest = send.clone();
            as_guest["email"] = json!(EMAIL);
            assert_eq!(server.post(&TestUser::anonymous(), AS_GUEST, as_guest).await.message(), "Access denied");
            // A repeat has its first answer, and no token.
            let again = server.post(&TestUser::anonymous(), AS_GUEST, first.clone()).await;
            assert_eq!(again.body["data"]["conversation"]["id"], id);
            assert!(again.body["data"].get("guest_token").is_none(), "{}", again.body);
            // The conversation is the account's.
            assert_eq!(read(server, owner, id).await.status, StatusCode::OK);
            assert_eq!(server.post(owner, SEND, send).await.status, StatusCode::CREATED);
            assert_eq!(server.get(owner, MY_CONVERSATIONS).await.body["data"]["conversations"][0]["id"], id);
        }
        let seen = servers[1].get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}")).await;
        assert_eq!(seen.body["data"]["user_id"], format!("person-{winner}"));
        let timeline = servers[1].get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}/timeline")).await;
        let kinds: Vec<&Value> = timeline.body["data"]["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "moved_to_account").count(), 1, "{kinds:?}");
    }
}

#[tokio::test]
async fn a_bad_token_in_the_body_does_not_end_the_session() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    for bad in [json!(""), json!("x"), json!(john.token), Value::Null, json!("a.b.c")] {
        let answer = server.post(&john, CLAIM, json!({ "guest_token": bad })).await;
        assert_eq!(code(&answer), (400, "GUEST_TOKEN_INVALID"), "{bad}");
    }
    let answer = server.post(&john, CLAIM, json!({ "guest_token": 7 })).await;
    assert_eq!(code(&answer), (400, "VALIDATION_ERROR"));
}

#[tokio::test]
async fn another_version_in_the_configuration_revokes_all_tokens() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (id, guest) = open(&server).await;
    let next = ApiServer::start_with(&database, &[("SWITCHBOARD__GUEST__TOKEN_VERSION", "2")]).await;
    assert_eq!(read(&next, &guest, &id).await.status, StatusCode::UNAUTHORIZED);
    let (id, guest) = open(&next).await;
    assert_eq!(read(&next, &guest, &id).await.status, StatusCode::OK);
    assert_eq!(read(&server, &guest, &id).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guests_have_tokens_where_users_tokens_are_signed_with_a_private_key() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/rsa.public.pem");
    let settings = [("SWITCHBOARD__AUTH__ALGORITHM", "RS256"), ("SWITCHBOARD__AUTH__PUBLIC_KEY_FILE", key)];
    let server = ApiServer::start_with(&database, &settings).await;
    let (id, guest) = open(&server).await;
    assert_eq!(read(&server, &guest, &id).await.status, StatusCode::OK);
    assert_eq!(server.get(&guest, MY_CONVERSATIONS).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn reads_and_sends_with_tokens_are_limited() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings =
        [("SWITCHBOARD__LIMITS__ENABLED", "true"), ("SWITCHBOARD__LIMITS__GUEST_TOKEN_CALLS_PER_MINUTE", "4")];
    let server = ApiServer::start_with(&database, &settings).await;
    let (id, guest) = open(&server).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(read(&server, &guest, &id).await.status.as_u16());
        let body = json!({ "message": "More", "conversation_id": id });
        statuses.push(server.post(&guest, SEND, body).await.status.as_u16());
    }
    assert_eq!(statuses[..4], [200, 201, 200, 201]);
    assert_eq!(statuses[4..], [429, 429]);
    let socket = SupportSession::join(&server, &guest).await;
    let (_, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
    assert_eq!(ack["error"]["code"], "RATE_LIMITED", "{ack}");
}
