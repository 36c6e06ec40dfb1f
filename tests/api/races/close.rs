//! A conversation is closed while its customer writes.

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::json;

use super::{ROUNDS, RaceTrack, assert_created, assert_refused, succeeded};
use crate::support::SEND;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_comes_before_the_close_or_is_refused_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    for round in 0..ROUNDS {
        let id = track.servers[round % 2].open_conversation(&track.john).await;
        let (sent, closed) = join(
            track.servers[0].post(&track.john, SEND, json!({ "message": "More", "conversation_id": id })),
            track.servers[1].agent_action(&track.sarah, &id, "close", None),
        )
        .await;
        assert_created(&closed);
        let stored = track.stored(&id).await;
        assert_eq!(stored["status"], "closed");
        let happened = track.event_types(&id).await;
        if succeeded(&sent) {
            assert_eq!(happened, ["created", "message", "message", "closed"]);
            assert_eq!(stored["messages"][1]["id"], sent.body["data"]["message"]["id"]);
        } else {
            assert_refused(&sent, StatusCode::BAD_REQUEST, "This conversation has been closed");
            assert_eq!(happened, ["created", "message", "closed"]);
        }
        assert_eq!(stored["messages"].as_array().unwrap().len(), happened.len() - 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_agents_closing_concurrently_one_succeeds_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    for round in 0..ROUNDS {
        let id = track.claimed(round).await;
        let (one, other) = join(
            track.servers[0].agent_action(&track.sarah, &id, "close", None),
            track.servers[1].agent_action(&track.mike, &id, "close", None),
        )
        .await;
        let (won, lost) = if succeeded(&one) { (one, other) } else { (other, one) };
        assert_created(&won);
        assert_refused(&lost, StatusCode::BAD_REQUEST, "Conversation is already closed");
        assert_eq!(track.event_types(&id).await, ["created", "message", "claimed", "closed"]);
    }
}
