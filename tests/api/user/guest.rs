//! `POST /api/v1/support/chat/send-unauthenticated`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

const GUEST_SEND: &str = "/api/v1/support/chat/send-unauthenticated";

on_both_databases! {
    async fn a_guest_opens_a_conversation_and_continues_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let body = json!({ "message": "I'm stuck", "email": "John@Example.com", "phone_number": "08012345678" });
        let opened = server.post(&TestUser::anonymous(), GUEST_SEND, body).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap();
        let more = json!({ "message": "More", "email": "john@example.COM", "conversation_id": id });
        let answer = server.post(&TestUser::anonymous(), GUEST_SEND, more).await;
        allow_duplicates! { assert_snapshot!(opened.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation": {
                  "assigned_admin_name": null,
                  "created_at": "[timestamp]",
                  "email": "john@example.com",
                  "feedback": null,
                  "id": "[id]",
                  "last_message_at": "[timestamp]",
                  "messages": [
                    {
                      "attachments": null,
                      "createdAt": "[timestamp]",
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": true,
                      "message": "I'm stuck",
                      "sender_email": "john@example.com",
                      "sender_name": null,
                      "seq": 1
                    }
                  ],
                  "phone_number": "08012345678",
                  "satisfaction_rating": null,
                  "status": "active",
                  "ticket": null,
                  "total_messages": 1,
                  "updated_at": "[timestamp]"
                },
                "guest_token": "[token]",
                "is_new": true
              },
              "message": "Message sent",
              "success": true
            }
            "#) };
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]",
                "guest_token": "[token]",
                "is_new": false,
                "message": {
                  "attachments": null,
                  "createdAt": "[timestamp]",
                  "created_at": "[timestamp]",
                  "id": "[id]",
                  "is_from_user": true,
                  "message": "More",
                  "sender_email": "john@example.com",
                  "sender_name": null,
                  "seq": 2
                }
              },
              "message": "Message sent",
              "success": true
            }
            "#) };
    }

    async fn a_guests_conversation_belongs_to_the_address_and_to_no_account(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        // The account has the same address, and sends it in the body.
        let john = TestUser::customer("john");
        let body = json!({ "message": "Hello", "email": "john@example.com" });
        let opened = server.post(&john, GUEST_SEND, body).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap();
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["total"], 0);
        let seen = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}")).await;
        assert_eq!(seen.body["data"]["user_id"], json!(null));
        assert_eq!(seen.body["data"]["user"], json!(null));
        assert_eq!(seen.body["data"]["email"], "john@example.com");
        let answer = server.post(&john, SEND, json!({ "message": "More", "conversation_id": id })).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "Access denied"));
    }

    async fn another_guest_is_refused(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let mine = json!({ "message": "Hello", "email": "john@example.com" });
        let opened = server.post(&TestUser::anonymous(), GUEST_SEND, mine).await;
        let guests = opened.body["data"]["conversation"]["id"].as_str().unwrap().to_owned();
        let accounts = server.open_conversation(&TestUser::customer("john")).await;
        for (id, email, message) in [
            (&guests, "mallory@example.com", "Email does not match the conversation owner"),
            (&accounts, "john@example.com", "Access denied"),
        ] {
            let body = json!({ "message": "Hello", "email": email, "conversation_id": id });
            let answer = server.post(&TestUser::anonymous(), GUEST_SEND, body).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message));
        }
    }

    async fn a_guests_idempotency_key_must_be_long(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let named = |name: &str| json!({ "message": "Hello", "email": "john@example.com", "client_message_id": name });
        let first = server.post(&TestUser::anonymous(), GUEST_SEND, named("0123456789abcdef")).await;
        let again = server.post(&TestUser::anonymous(), GUEST_SEND, named("0123456789abcdef")).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        let short = server.post(&TestUser::anonymous(), GUEST_SEND, named("0123456789abcde")).await;
        assert_eq!(short.status, StatusCode::BAD_REQUEST);
        assert_eq!(short.message(), "client_message_id must be at least 16 characters");
    }

    async fn a_signed_request_is_accepted_once_by_all_servers_together(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let secret = "a-guard-secret-a-guard-secret-32";
        let settings = [("SWITCHBOARD__GUARD__MODE", "signed"), ("SWITCHBOARD__GUARD__SECRET", secret)];
        let servers = [
            ApiServer::start_with(&database, &settings).await,
            ApiServer::start_with(&database, &settings).await,
        ];
        let body = json!({ "message": "Hello", "email": "john@example.com" }).to_string();
        let timestamp = chrono::Utc::now().timestamp_millis().to_string();
        let signature = sign(secret, &timestamp, "nonce-0123456789", &body);
        let send = |server: &ApiServer, signature: &str| {
            server.request(Method::POST, &TestUser::anonymous(), GUEST_SEND)
                .header("content-type", "application/json")
                .header("x-device-id", "d").header("x-device-fingerprint", "f").header("x-request-id", "r")
                .header("x-timestamp", &timestamp).header("x-nonce", "nonce-0123456789")
                .header("x-signature-version", "v1").header("x-signature", signature)
                .body(body.clone()).send(None)
        };
        let forged = send(&servers[0], &sign("another-secret", &timestamp, "nonce-0123456789", &body)).await;
        assert_eq!((forged.status, forged.message()), (StatusCode::BAD_REQUEST, "Invalid signature"));
        assert_eq!(send(&servers[0], &signature).await.status, StatusCode::CREATED);
        for server in &servers {
            let replayed = send(server, &signature).await;
            assert_eq!((replayed.status, replayed.message()), (StatusCode::BAD_REQUEST, "Nonce already used"));
        }
        // A request with a valid token needs no signature; an invalid token counts as none.
        let body = json!({ "message": "Hello", "email": "john@example.com" });
        assert_eq!(servers[0].post(&TestUser::customer("john"), GUEST_SEND, body.clone()).await.status, StatusCode::CREATED);
        let bad = servers[0].post(&TestUser { token: "x.y.z".to_owned() }, GUEST_SEND, body).await;
        assert_eq!((bad.status, bad.message()), (StatusCode::BAD_REQUEST, "X-Device-Id header is required"));
    }
}

/// The signature that an app computes.
fn sign(secret: &str, timestamp: &str, nonce: &str, body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!("v1:POST:{GUEST_SEND}:{timestamp}:{nonce}:{}", hex(&Sha256::digest(body)));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_guest_must_give_an_email_address() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for (body, field) in [
        (json!({ "message": "Hello" }), "email"),
        (json!({ "message": "Hello", "email": "no-address" }), "email"),
        (json!({ "message": "", "email": "a@b.c" }), "message"),
        (json!({ "message": 5, "email": "a@b.c" }), "message"),
        (json!({ "message": "Hello", "email": 5 }), "email"),
        (json!({ "message": "Hello", "email": "a@b.c", "phone_number": "1".repeat(65) }), "phone_number"),
    ] {
        let answer = server.post(&TestUser::anonymous(), GUEST_SEND, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["details"][0]["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{body}"
        );
    }
}
