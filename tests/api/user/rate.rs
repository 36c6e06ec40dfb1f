//! `POST /api/v1/support/conversations/:id/rate`.

use futures_util::future::join_all;
use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn a_closed_conversation_is_rated_once(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        let path = format!("{MY_CONVERSATIONS}/{id}/rate");
        let rating = json!({ "rating": 5, "feedback": " Quick and helpful " });
        for (user, message) in [
            (&TestUser::customer("mallory"), "You can only rate your own conversations"),
            (&john, "Can only rate closed conversations"),
        ] {
            let answer = server.post(user, &path, rating.clone()).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message));
        }
        server.agent_action(&sarah, &id, "close", None).await;
        let rated = server.post(&john, &path, rating.clone()).await;
        allow_duplicates! { assert_snapshot!(rated.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "feedback": "Quick and helpful",
                "id": "[id]",
                "satisfaction_rating": 5
              },
              "message": "Rating submitted",
              "success": true
            }
            "#) };
        let again = server.post(&john, &path, rating).await;
        assert_eq!((again.status, again.message()), (StatusCode::BAD_REQUEST, "Conversation already rated"));
        let seen = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
        assert_eq!(seen.body["data"]["conversation"]["satisfaction_rating"], 5);
        assert_eq!(seen.body["data"]["conversation"]["feedback"], "Quick and helpful");
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["conversations"][0]["satisfaction_rating"], 5);
    }

    async fn of_two_ratings_at_once_one_counts(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        for _ in 0..50 {
            let id = server.open_conversation(&john).await;
            server.agent_action(&sarah, &id, "close", None).await;
            let path = format!("{MY_CONVERSATIONS}/{id}/rate");
            let answers = join_all([1, 5].map(|stars| server.post(&john, &path, json!({ "rating": stars })))).await;
            let taken: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
            assert_eq!(taken.len(), 1);
            let seen = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
            let kept = &seen.body["data"]["conversation"]["satisfaction_rating"];
            assert_eq!(kept, &taken[0].body["data"]["satisfaction_rating"]);
        }
    }
}

#[tokio::test]
async fn a_rating_is_a_whole_number_from_1_to_5() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    server.agent_action(&TestUser::agent("sarah"), &id, "close", None).await;
    let path = format!("{MY_CONVERSATIONS}/{id}/rate");
    for rating in [json!(0), json!(6), json!(4.5), json!(-1), json!(null)] {
        let answer = server.post(&john, &path, json!({ "rating": rating })).await;
        assert_eq!(
            (answer.status, answer.message()),
            (StatusCode::BAD_REQUEST, "Rating must be between 1 and 5"),
            "{rating}"
        );
    }
    let answer = server.post(&john, &path, json!({ "rating": 5, "feedback": "x".repeat(2001) })).await;
    assert_eq!(answer.message(), "feedback must be at most 2000 characters");
    let answer = server.post(&john, &path, json!({ "rating": 5, "feedback": "x".repeat(2000) })).await;
    assert_eq!(answer.status, StatusCode::OK);
    // Validation precedes 404.
    let unknown = format!("{MY_CONVERSATIONS}/nonsense/rate");
    assert_eq!(server.post(&john, &unknown, json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post(&john, &unknown, json!({ "rating": 5 })).await.status, StatusCode::NOT_FOUND);
}
