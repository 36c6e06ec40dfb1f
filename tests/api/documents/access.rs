//! Access control: the status that every endpoint answers to every kind of caller.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api_document::{DOCUMENT, template};
use crate::support::{ApiServer, Backend, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

/// A guest with a token for another conversation is answered as the bearer of an expired token.
///
/// The status for each caller, in this order: no token, the owner, another customer, the agent who holds the conversation,
/// another agent; and four invalid tokens of the owner's account with an agent's role: expired, unsigned (`alg: none`),
/// signed with another secret, and signed by RS256.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str, [u16; 9])] = &[
    //                                                                                           anon. owner strgr holdr agent  exprd none  secrt rs256
    ("GET",  "/health/live", "",                                                                [ 200,  200,  200,  200,  200,   200,  200,  200,  200]),
    ("GET",  "/health/ready", "",                                                               [ 200,  200,  200,  200,  200,   200,  200,  200,  200]),
    // Customers.
    ("POST", "/api/v1/support/chat/send", r#"{"message":"Hi"}"#,                                [ 401,  201,  201,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/chat/send", r#"{"message":"Hi","conversation_id":"{held}"}"#,     [ 401,  201,  400,  400,  400,   401,  401,  401,  401]),
    ("GET",  "/api/v1/support/conversations", "",                                               [ 401,  200,  200,  200,  200,   401,  401,  401,  401]),
    ("GET",  "/api/v1/support/conversations/{held}", "",                                        [ 401,  200,  400,  400,  400,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/conversations/{closed}/rate", r#"{"rating":5}"#,                  [ 401,  200,  400,  400,  400,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/conversations/{held}/read", r#"{"up_to_seq":1}"#,                 [ 401,  201,  400,  400,  400,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/conversations/claim-guest", r#"{"guest_token":"{guest_token}"}"#, [ 401,  201,  201,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/create-ticket", r#"{"subject":"a","description":"b"}"#,           [ 401,  201,  201,  201,  201,   401,  401,  401,  401]),
    ("GET",  "/api/v1/support/my-tickets", "",                                                  [ 401,  200,  200,  200,  200,   401,  401,  401,  401]),
    ("POST", "/api/v1/support/ticket/{done_number}/rate", r#"{"rating":5}"#,                    [ 401,  200,  400,  400,  400,   401,  401,  401,  401]),
    ("GET",  "/api/help-center/messages", "",                                                   [ 401,  200,  200,  200,  200,   401,  401,  401,  401]),
    ("POST", "/api/help-center/messages", r#"{"text":"Hi"}"#,                                   [ 401,  201,  201,  201,  201,   401,  401,  401,  401]),
    // Where no token is required, an invalid one counts as none.
    ("POST", "/api/v1/support/chat/send-unauthenticated", r#"{"message":"Hi","email":"a@b.c"}"#,[ 201,  201,  201,  201,  201,   201,  201,  201,  201]),
    ("POST", "/api/v1/support/chat/send-unauthenticated", r#"{"message":"Hi","email":"owner@example.com","conversation_id":"{held}"}"#,
                                                                                                [ 400,  400,  400,  400,  400,   400,  400,  400,  400]),
    ("POST", "/api/v1/support/request-support", r#"{"subject":"a","description":"b","email":"a@b.c"}"#,
                                                                                                [ 201,  201,  201,  201,  201,   201,  201,  201,  201]),
    ("GET",  "/api/v1/support/ticket?ticket_number={number}", "",                               [ 404,  200,  404,  200,  200,   404,  404,  404,  404]),
    ("POST", "/api/v1/support/ticket/add-message", r#"{"ticket_number":"{number}","message":"Hi"}"#,
                                                                                                [ 400,  201,  400,  400,  400,   400,  400,  400,  400]),
    // Agents, conversations.
    ("GET",  "/api/v1/unified-admin/support/conversations", "",                                 [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("GET",  "/api/v1/unified-admin/support/conversations/{held}", "",                          [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("GET",  "/api/v1/unified-admin/support/conversations/{held}/timeline", "",                 [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/claim", "",                    [ 401,  403,  403,  201,  400,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/reply", r#"{"message":"Hi"}"#, [ 401,  403,  403,  201,  403,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/reply", r#"{"message":"Hi","is_internal":true}"#,
                                                                                                [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/close", "",                    [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/read", r#"{"up_to_position":1}"#,
                                                                                                [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/handover", r#"{"to_admin_id":"third"}"#,
                                                                                                [ 401,  403,  403,  201,  403,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/create-ticket", r#"{"subject":"a","description":"b"}"#,
                                                                                                [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/release", "",                  [ 401,  403,  403,  201,  403,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{held}/take-over", "",                [ 401,  403,  403,  201,  409,   401,  401,  401,  401]),
    ("PUT",  "/api/v1/unified-admin/support/conversations/{held}/assign", r#"{"assigned_to":"third"}"#,
                                                                                                [ 401,  403,  403,  403,  403,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/conversations/{closed}/reopen", "",                 [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/handovers/{handover}/withdraw", "",                 [ 401,  403,  403,  201,  403,   401,  401,  401,  401]),
    // The holder has requested it, and the other agent is the target.
    ("POST", "/api/v1/unified-admin/support/handovers/{handover}/respond", r#"{"status":"accepted"}"#,
                                                                                                [ 401,  403,  403,  403,  201,   401,  401,  401,  401]),
    ("GET",  "/api/v1/unified-admin/support/agents", "",                                        [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    // Agents, tickets: the ticket of a conversation is assigned to its holder.
    ("GET",  "/api/v1/unified-admin/support", "",                                               [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("GET",  "/api/v1/unified-admin/support/{ticket}", "",                                      [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/{ticket}/reply", r#"{"message":"Hi"}"#,             [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/{ticket_of_held}/reply", r#"{"message":"Hi"}"#,     [ 401,  403,  403,  201,  403,   401,  401,  401,  401]),
    ("POST", "/api/v1/unified-admin/support/{ticket_of_held}/reply", r#"{"message":"Hi","is_internal":true}"#,
                                                                                                [ 401,  403,  403,  201,  201,   401,  401,  401,  401]),
    ("PUT",  "/api/v1/unified-admin/support/{ticket}/status", r#"{"status":"resolved"}"#,       [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("PUT",  "/api/v1/unified-admin/support/{ticket}/assign", r#"{"assigned_to":"third"}"#,     [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
    ("PUT",  "/api/v1/unified-admin/support/{ticket}/priority", r#"{"priority":"low"}"#,        [ 401,  403,  403,  200,  200,   401,  401,  401,  401]),
];

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The callers, in the order of the table.
fn callers() -> [(&'static str, TestUser); 9] {
    let claims = |exp: u64| json!({ "sub": "owner", "role": "admin", "email": "owner@example.com", "exp": exp });
    let signed = |algorithm, key: &EncodingKey, exp| TestUser {
        token: encode(&Header::new(algorithm), &claims(exp), key).unwrap(),
    };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(json!({ "alg": "none", "typ": "JWT" })), part(claims(now() + 3600)));
    let ours = EncodingKey::from_secret(b"a-secret-for-tests-a-secret-for-tests");
    let another = EncodingKey::from_secret(b"another-secret-another-secret-another");
    let rsa = EncodingKey::from_rsa_pem(include_bytes!("../../keys/rsa.private.pem")).unwrap();
    [
        ("a caller without a token", TestUser::anonymous()),
        ("the owner", TestUser::customer("owner")),
        ("a stranger", TestUser::customer("stranger")),
        ("the holder", TestUser::agent("holder")),
        ("another agent", TestUser::agent("other")),
        ("an expired token", signed(Algorithm::HS256, &ours, now() - 60)),
        ("an unsigned token", TestUser { token: unsigned }),
        ("another secret", signed(Algorithm::HS256, &another, now() + 3600)),
        ("RS256", signed(Algorithm::RS256, &rsa, now() + 3600)),
    ]
}

/// A guest with a token for a conversation of their own.
async fn guest(server: &ApiServer) -> TestUser {
    let body = json!({ "message": "Hi", "email": "guest@example.com" });
    let opened = server.post(&TestUser::anonymous(), "/api/v1/support/chat/send-unauthenticated", body).await;
    TestUser { token: opened.body["data"]["guest_token"].as_str().unwrap().to_owned() }
}

/// Creates what a row's placeholder names and inserts its id.
async fn filled(server: &ApiServer, text: &str) -> String {
    let (owner, holder) = (TestUser::customer("owner"), TestUser::agent("holder"));
    let put = |name: &str, value: &str| text.replace(&format!("{{{name}}}"), value);
    if text.contains("{held}") {
        return put("held", &held(server).await);
    }
    if text.contains("{closed}") {
        let id = held(server).await;
        server.agent_action(&holder, &id, "close", None).await;
        return put("closed", &id);
    }
    if text.contains("{handover}") {
        let id = held(server).await;
        let asked = server.agent_action(&holder, &id, "handover", Some(json!({ "to_admin_id": "other" }))).await;
        return put("handover", asked.body["data"]["handover_id"].as_str().unwrap());
    }
    if text.contains("{guest_token}") {
        return put("guest_token", &guest(server).await.token);
    }
    if text.contains("{ticket_of_held}") {
        let ticket = server.create_ticket_from(&holder, &held(server).await).await;
        return put("ticket_of_held", ticket.body["data"]["ticket"]["id"].as_str().unwrap());
    }
    if ["{number}", "{ticket}", "{done_number}"].iter().any(|name| text.contains(name)) {
        let ticket = server.create_ticket(&owner, "Mine").await;
        if text.contains("{done_number}") {
            server.set_status(&holder, &ticket, "resolved").await;
        }
        return put("number", &ticket.number).replace("{done_number}", &ticket.number).replace("{ticket}", &ticket.id);
    }
    text.to_owned()
}

async fn held(server: &ApiServer) -> String {
    let id = server.open_conversation(&TestUser::customer("owner")).await;
    server.agent_action(&TestUser::agent("holder"), &id, "claim", None).await;
    id
}

on_both_databases! {
    async fn every_endpoint_answers_every_kind_of_caller_as_the_table_specifies(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        for agent in ["holder", "other", "third"] {
            // A handover's target must be in the directory.
            server.get(&TestUser::agent(agent), QUEUE).await;
        }
        let mut wrong = Vec::new();
        for (method, path, body, expected) in TABLE {
            let guest = ("a guest of another conversation", guest(&server).await);
            let guests = expected[5];
            for ((who, caller), expected) in callers().into_iter().zip(*expected).chain([(guest, guests)]) {
                // Path and body together: their placeholders may name the same conversation.
                let request = filled(&server, &format!("{path} {body}")).await;
                let (path, body) = request.split_once(' ').unwrap();
                let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
                let answer = server.request(Method::from_bytes(method.as_bytes()).unwrap(), &caller, path).send(body).await;
                if answer.status.as_u16() != expected {
                    wrong.push(format!("{method} {path} by {who}: {} instead of {expected}: {}", answer.status, answer.body));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn the_table_has_every_endpoint() {
    let listed: BTreeSet<(String, &str)> = TABLE
        .iter()
        .map(|(method, path, ..)| (method.to_lowercase(), template(path.split('?').next().unwrap()).unwrap()))
        .collect();
    let all: BTreeSet<(String, &str)> = DOCUMENT["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|method| (method.clone(), path.as_str())))
        .collect();
    assert_eq!(listed, all);
    assert!(all.iter().any(|(_, path)| *path == SEND));
}
