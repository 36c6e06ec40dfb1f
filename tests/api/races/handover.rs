//! A handover is accepted while it is rejected, closed or requested again.

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::json;

use super::{ROUNDS, RaceTrack, assert_created, assert_refused, succeeded};
use crate::support::TestUser;

const RESOLVED: &str = "This handover has already been resolved";
const BEFORE: [&str; 4] = ["created", "message", "claimed", "handover_requested"];

/// The event types after the handover request.
async fn events_after_request(track: &RaceTrack, id: &str) -> Vec<String> {
    let happened = track.event_types(id).await;
    assert_eq!(happened[..4], BEFORE);
    happened[4..].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handover_is_accepted_or_rejected_and_never_both_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    for round in 0..ROUNDS {
        let id = track.claimed(round).await;
        let handover = track.request_handover(round, &id).await;
        let (accepted, rejected) = join(
            track.respond(0, &track.mike, &handover, "accepted"),
            track.respond(1, &track.mike, &handover, "rejected"),
        )
        .await;
        assert_ne!(succeeded(&accepted), succeeded(&rejected), "round {round}: {} {}", accepted.body, rejected.body);
        let stored = track.stored(&id).await;
        if succeeded(&accepted) {
            assert_refused(&rejected, StatusCode::BAD_REQUEST, RESOLVED);
            assert_eq!(events_after_request(&track, &id).await, ["handover_accepted"]);
            assert_eq!(
                (&stored["assigned_to"], &stored["handovers"][0]["status"]),
                (&json!("mike"), &json!("accepted"))
            );
        } else {
            assert_refused(&accepted, StatusCode::BAD_REQUEST, RESOLVED);
            assert_eq!(events_after_request(&track, &id).await, ["handover_rejected"]);
            assert_eq!(
                (&stored["assigned_to"], &stored["handovers"][0]["status"]),
                (&json!("sarah"), &json!("rejected"))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handover_is_accepted_before_the_close_or_not_at_all_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    for round in 0..ROUNDS {
        let id = track.claimed(round).await;
        let handover = track.request_handover(round, &id).await;
        let (accepted, closed) = join(
            track.respond(round % 2, &track.mike, &handover, "accepted"),
            track.servers[1 - round % 2].agent_action(&track.sarah, &id, "close", None),
        )
        .await;
        assert_created(&closed);
        let stored = track.stored(&id).await;
        assert_eq!(stored["status"], "closed");
        let (holder, status) = (&stored["assigned_to"], &stored["handovers"][0]["status"]);
        if succeeded(&accepted) {
            assert_eq!(events_after_request(&track, &id).await, ["handover_accepted", "closed"]);
            assert_eq!((holder, status), (&json!("mike"), &json!("accepted")));
        } else {
            assert_refused(&accepted, StatusCode::BAD_REQUEST, RESOLVED);
            assert_eq!(events_after_request(&track, &id).await, ["handover_rejected", "closed"]);
            assert_eq!((holder, status), (&json!("sarah"), &json!("rejected")));
        }
    }
}

/// After the acceptance Sarah no longer holds the conversation; before it a handover is pending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handover_request_competing_with_an_acceptance_is_refused_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    let lisa = TestUser::agent("lisa");
    track.wait_until_listed(&lisa, "lisa").await;
    for round in 0..ROUNDS {
        let id = track.claimed(round).await;
        let handover = track.request_handover(round, &id).await;
        let again = json!({ "to_admin_id": "lisa" });
        let (accepted, asked) = join(
            track.respond(round % 2, &track.mike, &handover, "accepted"),
            track.servers[1 - round % 2].agent_action(&track.sarah, &id, "handover", Some(again)),
        )
        .await;
        assert_created(&accepted);
        if asked.status == StatusCode::FORBIDDEN {
            assert_refused(&asked, StatusCode::FORBIDDEN, "Only the currently assigned agent can initiate a handover");
        } else {
            let pending = "There is already a pending handover for this conversation";
            assert_refused(&asked, StatusCode::BAD_REQUEST, pending);
        }
        assert_eq!(events_after_request(&track, &id).await, ["handover_accepted"]);
        let stored = track.stored(&id).await;
        assert_eq!(stored["assigned_to"], "mike");
        assert_eq!(stored["handovers"].as_array().unwrap().len(), 1);
    }
}

/// Two requests of the same agent, to two colleagues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_concurrent_handover_requests_one_succeeds_a_thousand_times() {
    let track = RaceTrack::set_up().await;
    let lisa = TestUser::agent("lisa");
    track.wait_until_listed(&lisa, "lisa").await;
    for round in 0..ROUNDS {
        let id = track.claimed(round).await;
        let ask = |server: usize, to: &str| {
            track.servers[server].agent_action(&track.sarah, &id, "handover", Some(json!({ "to_admin_id": to })))
        };
        let (one, other) = join(ask(0, "mike"), ask(1, "lisa")).await;
        let (won, lost) = if succeeded(&one) { (one, other) } else { (other, one) };
        assert_created(&won);
        let pending = "There is already a pending handover for this conversation";
        assert_refused(&lost, StatusCode::BAD_REQUEST, pending);
        assert_eq!(events_after_request(&track, &id).await, [""; 0]);
        let stored = track.stored(&id).await;
        assert_eq!(stored["handovers"].as_array().unwrap().len(), 1);
        assert_eq!(stored["handovers"][0]["to_admin_id"], won.body["data"]["to_admin_id"]);
    }
}
