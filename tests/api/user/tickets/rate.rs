//! `POST /api/v1/support/ticket/:ticketNumber/rate`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ApiServer, Backend, ScratchDatabase, TICKET, TestUser, on_both_databases};

on_both_databases! {
    async fn a_resolved_or_closed_ticket_is_rated_once(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let path = format!("{TICKET}/{}/rate", ticket_ref.number);
        let rating = json!({ "rating": 4, "feedback": " Quick " });
        for (user, message, code) in [
            (&TestUser::customer("mallory"), "You can only rate your own tickets", "ACCESS_DENIED"),
            (&sarah, "You can only rate your own tickets", "ACCESS_DENIED"),
            (&john, "Can only rate resolved or closed tickets", "TICKET_OPEN"),
        ] {
            let answer = server.post(user, &path, rating.clone()).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message));
            assert_eq!(answer.body["code"], code);
        }
        server.set_status(&sarah, &ticket_ref, "resolved").await;
        let rated = server.post(&john, &path, rating.clone()).await;
        allow_duplicates! { assert_snapshot!(rated.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "feedback": "Quick",
                "satisfaction_rating": 4,
                "ticket_number": "SMI-year-000001"
              },
              "message": "Rating submitted",
              "success": true
            }
            "#) };
        let again = server.post(&john, &path, rating).await;
        assert_eq!((again.status, again.message()), (StatusCode::BAD_REQUEST, "Ticket already rated"));
        let seen = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
        assert_eq!(seen.body["data"]["ticket"]["satisfaction_rating"], 4);
        assert_eq!(seen.body["data"]["ticket"]["feedback"], "Quick");
    }
}

#[tokio::test]
async fn a_rating_is_validated_before_the_ticket_is_looked_up() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let path = format!("{TICKET}/SMI-2026-999999/rate");
    for rating in [json!(0), json!(6), json!(4.5), json!(null)] {
        let answer = server.post(&john, &path, json!({ "rating": rating })).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "Rating must be between 1 and 5"));
    }
    let long = json!({ "rating": 5, "feedback": "👋".repeat(2001) });
    assert_eq!(server.post(&john, &path, long).await.message(), "feedback must be at most 2000 characters");
    let answer = server.post(&john, &path, json!({ "rating": 5, "feedback": "👋".repeat(2000) })).await;
    assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Ticket SMI-2026-999999 not found"));
}
