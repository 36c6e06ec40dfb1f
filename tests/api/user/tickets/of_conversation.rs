//! The ticket of a conversation without its owner's token: as if its number did not exist.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, CREATE_TICKET, MY_CONVERSATIONS, QUEUE, REQUEST_SUPPORT, ScratchDatabase,
    TICKET, TestUser, TicketRef, on_both_databases, ticket_body,
};

const GUEST_SEND: &str = "/api/v1/support/chat/send-unauthenticated";
const UNKNOWN: &str = "SMI-2026-999999";
const JOHN: &str = "john@example.com";

/// The ticket of a conversation of John's account, and that of a guest with his address.
async fn tickets(server: &ApiServer) -> [(String, TicketRef); 2] {
    let sarah = TestUser::agent("sarah");
    let johns = server.open_conversation(&TestUser::customer("john")).await;
    let opened = server.post(&TestUser::anonymous(), GUEST_SEND, json!({ "message": "Hi", "email": JOHN })).await;
    let guests = opened.body["data"]["conversation"]["id"].as_str().unwrap().to_owned();
    let first = TicketRef::from_answer(&server.create_ticket_from(&sarah, &johns).await);
    let second = TicketRef::from_answer(&server.create_ticket_from(&sarah, &guests).await);
    [(johns, first), (guests, second)]
}

/// Everything that an answer reveals, apart from the number.
fn revealed(answer: &Answer, number: &str) -> (StatusCode, Value, Vec<(String, String)>) {
    let body = answer.body.to_string().replace(number, "NUMBER");
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        // The last one lists the same names in any order.
        .filter(|(name, _)| !["date", "x-request-id", "access-control-expose-headers"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, serde_json::from_str(&body).unwrap(), headers)
}

async fn message_count(server: &ApiServer, conversation: &str) -> Value {
    server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{conversation}")).await.body["data"]["message_count"]
        .clone()
}

on_both_databases! {
    async fn strangers_are_answered_as_for_a_number_that_does_not_exist(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let tickets = tickets(&server).await;
        let (anonymous, mallory) = (TestUser::anonymous(), TestUser::customer("mallory"));
        let bad_token = TestUser { token: "x.y.z".to_owned() };
        for user in [&anonymous, &bad_token, &mallory] {
            for email in [JOHN, "JOHN@Example.com", "mallory@example.com"] {
                let read = async |number: &str| {
                    server.get(user, &format!("{TICKET}?ticket_number={number}&email={email}")).await
                };
                let add = async |number: &str| {
                    let body = json!({ "ticket_number": number, "message": "Let me in", "email": email });
                    server.post(user, ADD_MESSAGE, body).await
                };
                let (read_unknown, added_unknown) = (read(UNKNOWN).await, add(UNKNOWN).await);
                assert_eq!(added_unknown.status, StatusCode::NOT_FOUND);
                for (_, TicketRef { number, .. }) in &tickets {
                    assert_eq!(revealed(&read(number).await, number), revealed(&read_unknown, UNKNOWN));
                    assert_eq!(revealed(&add(number).await, number), revealed(&added_unknown, UNKNOWN));
                }
            }
        }
        let rating = json!({ "rating": 1 });
        let rate = async |number: &str| {
            server.post(&mallory, &format!("{TICKET}/{number}/rate"), rating.clone()).await
        };
        let unknown = rate(UNKNOWN).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        for (conversation, TicketRef { number, .. }) in &tickets {
            assert_eq!(revealed(&rate(number).await, number), revealed(&unknown, UNKNOWN));
            assert_eq!(message_count(&server, conversation).await, 1, "nothing was added");
        }
    }

    async fn a_request_with_the_number_makes_a_new_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let tickets = tickets(&server).await;
        let (anonymous, mallory) = (TestUser::anonymous(), TestUser::customer("mallory"));
        for (user, path) in [(&anonymous, REQUEST_SUPPORT), (&mallory, REQUEST_SUPPORT), (&mallory, CREATE_TICKET)] {
            let request = async |number: &str| {
                let mut body = ticket_body("Mine");
                body["email"] = json!(JOHN);
                body["ticket_number"] = json!(number);
                server.post(user, path, body).await
            };
            // Apart from ids, times and numbers.
            let unknown = request(UNKNOWN).await.snapshot();
            for (conversation, TicketRef { id, number }) in &tickets {
                let answer = request(number).await;
                assert_ne!(&TicketRef::from_answer(&answer).id, id);
                let numbered = |snapshot: &str| {
                    snapshot.lines().filter(|line| !line.contains("\"ticket_number\"")).collect::<Vec<_>>().join("\n")
                };
                assert_eq!(numbered(&answer.snapshot()), numbered(&unknown));
                assert_eq!(message_count(&server, conversation).await, 1, "nothing was added");
            }
        }
    }

    async fn the_owners_token_and_agents_reach_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let [(conversation, johns), (_, guests)] = tickets(&server).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let mut request = ticket_body("More");
        request["ticket_number"] = json!(johns.number);
        let continued = server.post(&john, REQUEST_SUPPORT, request).await;
        assert_eq!(TicketRef::from_answer(&continued).id, johns.id);
        let added = server.post(&john, ADD_MESSAGE, json!({ "ticket_number": johns.number, "message": "More" })).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
        for (user, ticket) in [(&john, &johns), (&sarah, &johns), (&sarah, &guests)] {
            let path = format!("{TICKET}?ticket_number={}", ticket.number);
            assert_eq!(server.get(user, &path).await.body["data"]["ticket"]["id"], ticket.id.as_str());
        }
        let own = server.get(&john, &format!("{MY_CONVERSATIONS}/{conversation}")).await;
        assert_eq!(own.body["data"]["conversation"]["total_messages"], 3);
        server.set_status(&sarah, &johns, "resolved").await;
        let rated = server.post(&john, &format!("{TICKET}/{}/rate", johns.number), json!({ "rating": 5 })).await;
        assert_eq!(rated.status, StatusCode::OK, "{}", rated.body);
        // The account of a guest's address is not the owner of what the guest began.
        let path = format!("{TICKET}?ticket_number={}&email={JOHN}", guests.number);
        assert_eq!(server.request(Method::GET, &john, &path).send(None).await.status, StatusCode::NOT_FOUND);
    }
}
