//! A conversation that is closed while its customer writes.

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::json;

use super::{ROUNDS, Track, done, is_done, refused};
use crate::support::SEND;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_comes_before_the_close_or_is_refused_a_thousand_times() {
    let track = Track::lay().await;
    for round in 0..ROUNDS {
        let id = track.servers[round % 2].conversation(&track.john).await;
        let (sent, closed) = join(
            track.servers[0].post(&track.john, SEND, json!({ "message": "More", "conversation_id": id })),
            track.servers[1].agent_does(&track.sarah, &id, "close", None),
        )
        .await;
        done(&closed);
        let stored = track.stored(&id).await;
        assert_eq!(stored["status"], "closed");
        let happened = track.happened(&id).await;
        if is_done(&sent) {
            assert_eq!(happened, ["created", "message", "message", "closed"]);
            assert_eq!(stored["messages"][1]["id"], sent.body["data"]["message"]["id"]);
        } else {
            refused(&sent, StatusCode::BAD_REQUEST, "This conversation has been closed");
            assert_eq!(happened, ["created", "message", "closed"]);
        }
        assert_eq!(stored["messages"].as_array().unwrap().len(), happened.len() - 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_agents_closing_at_once_one_does_a_thousand_times() {
    let track = Track::lay().await;
    for round in 0..ROUNDS {
        let id = track.held(round).await;
        let (one, other) = join(
            track.servers[0].agent_does(&track.sarah, &id, "close", None),
            track.servers[1].agent_does(&track.mike, &id, "close", None),
        )
        .await;
        let (won, lost) = if is_done(&one) { (one, other) } else { (other, one) };
        done(&won);
        refused(&lost, StatusCode::BAD_REQUEST, "Conversation is already closed");
        assert_eq!(track.happened(&id).await, ["created", "message", "claimed", "closed"]);
    }
}
