//! Two concurrent ratings of one conversation.

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::json;

use super::{ROUNDS, RaceTrack, assert_created, assert_refused, succeeded};
use crate::support::MY_CONVERSATIONS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_ratings_at_once_one_counts_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    for round in 0..ROUNDS {
        let server = &track.servers[round % 2];
        let id = server.open_conversation(&track.john).await;
        assert_created(&server.agent_action(&track.sarah, &id, "close", None).await);
        let path = format!("{MY_CONVERSATIONS}/{id}/rate");
        let rate = |server: usize, stars: u8| {
            track.servers[server].post(&track.john, &path, json!({ "rating": stars, "feedback": format!("{stars}") }))
        };
        let (one, other) = join(rate(0, 1), rate(1, 5)).await;
        let (won, lost) = if succeeded(&one) { (one, other) } else { (other, one) };
        assert_eq!(won.status, StatusCode::OK, "{}", won.body);
        assert_refused(&lost, StatusCode::BAD_REQUEST, "Conversation already rated");
        assert_eq!(track.event_types(&id).await, ["created", "message", "closed", "rated"]);
        let (stored, answered) = (track.stored(&id).await, &won.body["data"]);
        for key in ["satisfaction_rating", "feedback"] {
            assert_eq!(stored[key], answered[key]);
        }
    }
}
