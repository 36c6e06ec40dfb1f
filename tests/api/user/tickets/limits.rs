//! Validation: every field at its limit, in Unicode scalar values.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, ApiServer, Backend, CREATE_TICKET, REQUEST_SUPPORT, ScratchDatabase, TestUser, ticket_body,
};

#[tokio::test]
async fn every_field_of_a_ticket_has_a_maximum_length() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    for (field, limit) in [
        ("subject", 200),
        ("description", 5000),
        ("phone_number", 64),
        ("related_transaction_id", 128),
        ("session_id", 128),
    ] {
        let create = |value: String| {
            let mut body = ticket_body("x");
            body[field] = json!(value);
            server.post(&john, CREATE_TICKET, body)
        };
        assert_eq!(create(format!(" {} ", "👋".repeat(limit))).await.status, StatusCode::CREATED, "{field}");
        let answer = create("👋".repeat(limit + 1)).await;
        let message = format!("{field} must be at most {limit} characters");
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message.as_str()));
        assert_eq!(answer.body["details"], json!([{ "field": field, "message": message }]));
        // What the database cannot store is replaced.
        let created = create("a\0b".to_owned()).await;
        assert_eq!(created.status, StatusCode::CREATED, "{field}");
        if field != "session_id" {
            assert_eq!(created.body["data"]["ticket"][field], json!("a\u{fffd}b"));
        }
    }
}

#[tokio::test]
async fn all_errors_of_a_ticket_are_reported_together() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let body = json!({
        "subject": " ", "support_type": "payment_issue", "priority": "highest", "email": "no-address",
        "device_metadata": { "k": "x".repeat(5000) }, "client_message_id": "short",
    });
    let answer = server.post(&TestUser::anonymous(), REQUEST_SUPPORT, body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let fields: Vec<&Value> = answer.body["details"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(
        fields,
        ["subject", "description", "support_type", "priority", "email", "client_message_id", "device_metadata"]
    );
    assert_eq!(answer.body["details"][3]["message"], "priority must be one of low, medium, high, urgent");
}

#[tokio::test]
async fn without_a_token_an_email_address_is_required() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for (path, body) in [
        (REQUEST_SUPPORT, ticket_body("x")),
        (ADD_MESSAGE, json!({ "ticket_number": "SMI-2026-000001", "message": "x" })),
    ] {
        let answer = server.post(&TestUser::anonymous(), path, body).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "email must not be empty"));
    }
}

#[tokio::test]
async fn a_message_has_a_maximum_length() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let ticket_ref = server.create_ticket(&john, "x").await;
    let add =
        |text: String| server.post(&john, ADD_MESSAGE, json!({ "ticket_number": ticket_ref.number, "message": text }));
    assert_eq!(add("👋".repeat(5000)).await.status, StatusCode::CREATED);
    for (text, message) in
        [("👋".repeat(5001), "message must be at most 5000 characters"), (" ".to_owned(), "message must not be empty")]
    {
        let answer = add(text).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message));
    }
    // What the database cannot store is replaced.
    let added = add("\0x".to_owned()).await;
    assert_eq!((added.status, &added.body["data"]["message"]["message"]), (StatusCode::CREATED, &json!("\u{fffd}x")));
    let nameless = server.post(&john, ADD_MESSAGE, json!({ "message": "x" })).await;
    assert_eq!(nameless.message(), "ticket_number must not be empty");
}
