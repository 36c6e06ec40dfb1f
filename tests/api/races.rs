//! Requests that compete, a thousand rounds on two servers: exactly one of two succeeds, the other is refused with the
//! contract's message, and what is stored agrees with the answers.

mod claim;
mod close;
mod handover;
mod rate;
mod ticket;

use std::time::Duration;

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, ApiServer, Backend, QUEUE, ScratchDatabase, TICKETS, TestUser};

const ROUNDS: usize = 1000;

/// Two servers on one database, and the users who compete.
struct RaceTrack {
    servers: [ApiServer; 2],
    john: TestUser,
    sarah: TestUser,
    mike: TestUser,
    #[expect(dead_code, reason = "dropped after the servers")]
    database: ScratchDatabase,
}

impl RaceTrack {
    async fn set_up() -> Self {
        let database = ScratchDatabase::create(Backend::Postgres).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        let track = Self { servers, john: TestUser::customer("john"), sarah, mike, database };
        track.wait_until_listed(&track.mike, "mike").await;
        track
    }

    /// Waits until an agent is in the directory of both servers and can be the target of a handover.
    async fn wait_until_listed(&self, agent: &TestUser, id: &str) {
        loop {
            assert_eq!(self.servers[1].get(agent, QUEUE).await.status, StatusCode::OK);
            // In another agent's list: callers are in their own from the first request on.
            let agents = self.servers[0].get(&self.sarah, &format!("{TICKETS}/agents")).await;
            let agents = agents.body["data"]["agents"].as_array().unwrap().clone();
            if agents.iter().any(|agent| agent["id"] == id) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Opens a conversation and has Sarah claim it; returns its id. The servers take turns at running its actor.
    async fn claimed(&self, round: usize) -> String {
        let server = &self.servers[round % 2];
        let id = server.open_conversation(&self.john).await;
        assert_created(&server.agent_action(&self.sarah, &id, "claim", None).await);
        id
    }

    /// Has Sarah request a handover to Mike; returns its id.
    async fn request_handover(&self, round: usize, id: &str) -> String {
        let body = json!({ "to_admin_id": "mike", "reason": "Yours" });
        let answer = self.servers[round % 2].agent_action(&self.sarah, id, "handover", Some(body)).await;
        assert_created(&answer);
        answer.body["data"]["handover_id"].as_str().unwrap().to_owned()
    }

    async fn respond(&self, server: usize, agent: &TestUser, handover: &str, status: &str) -> Answer {
        let path = format!("{TICKETS}/handovers/{handover}/respond");
        self.servers[server].post(agent, &path, json!({ "status": status })).await
    }

    /// The agents' detail of a conversation, which must be the same on both servers.
    async fn stored(&self, id: &str) -> Value {
        let path = format!("{QUEUE}/{id}");
        let [one, other] = [0, 1].map(|server| self.servers[server].get(&self.sarah, &path));
        let (one, other) = join(one, other).await;
        assert_eq!((one.status, &one.body), (StatusCode::OK, &other.body));
        one.body["data"].clone()
    }

    /// The types of a conversation's events, in order. Their positions have no gap.
    async fn event_types(&self, id: &str) -> Vec<String> {
        let answer = self.servers[0].get(&self.sarah, &format!("{QUEUE}/{id}/timeline")).await;
        let events = answer.body["data"]["events"].as_array().unwrap();
        let positions: Vec<usize> =
            events.iter().map(|event| usize::try_from(event["position"].as_u64().unwrap()).unwrap()).collect();
        assert!(positions.iter().copied().eq(1..=events.len()), "{positions:?}");
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

#[track_caller]
fn assert_created(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
}

fn succeeded(answer: &Answer) -> bool {
    answer.status.is_success()
}

#[track_caller]
fn assert_refused(answer: &Answer, status: StatusCode, message: &str) {
    assert_eq!((answer.status, answer.message()), (status, message), "{}", answer.body);
}
