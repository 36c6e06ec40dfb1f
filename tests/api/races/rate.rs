//! Two ratings of one conversation.

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::json;

use super::{ROUNDS, Track, done, is_done, refused};
use crate::support::MINE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_ratings_at_once_one_counts_a_thousand_times() {
    let track = Track::lay().await;
    for round in 0..ROUNDS {
        let server = &track.servers[round % 2];
        let id = server.conversation(&track.john).await;
        done(&server.agent_does(&track.sarah, &id, "close", None).await);
        let path = format!("{MINE}/{id}/rate");
        let rate = |server: usize, stars: u8| {
            track.servers[server].post(&track.john, &path, json!({ "rating": stars, "feedback": format!("{stars}") }))
        };
        let (one, other) = join(rate(0, 1), rate(1, 5)).await;
        let (won, lost) = if is_done(&one) { (one, other) } else { (other, one) };
        assert_eq!(won.status, StatusCode::OK, "{}", won.body);
        refused(&lost, StatusCode::BAD_REQUEST, "Conversation already rated");
        assert_eq!(track.happened(&id).await, ["created", "message", "closed", "rated"]);
        let (stored, answered) = (track.stored(&id).await, &won.body["data"]);
        for key in ["satisfaction_rating", "feedback"] {
            assert_eq!(stored[key], answered[key]);
        }
    }
}
