//! What people do at the same moment, a thousand times, on two servers: exactly one gets their way, the other is told
//! why in the contract's words, and what is stored afterwards is what the answers said.

mod claim;
mod close;
mod handover;
mod rate;
mod ticket;

use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Person, QUEUE, TICKETS, TestDatabase, TestServer};

const ROUNDS: usize = 1000;

/// Two servers on one database, and the people who race.
struct Track {
    servers: [TestServer; 2],
    john: Person,
    sarah: Person,
    mike: Person,
    #[expect(dead_code, reason = "kept until the servers are gone")]
    database: TestDatabase,
}

impl Track {
    async fn lay() -> Self {
        let database = TestDatabase::create(Backend::Postgres).await;
        let servers = [TestServer::start(&database).await, TestServer::start(&database).await];
        let (sarah, mike) = (Person::agent("sarah"), Person::agent("mike"));
        let track = Self { servers, john: Person::customer("john"), sarah, mike, database };
        track.is_known(&track.mike, "mike").await;
        track
    }

    /// Returns when an agent is written down and can be asked to take something over.
    async fn is_known(&self, agent: &Person, id: &str) {
        loop {
            assert_eq!(self.servers[1].get(agent, QUEUE).await.status, StatusCode::OK);
            // Somebody else's list: a caller is in their own from the first.
            let agents = self.servers[0].get(&self.sarah, &format!("{TICKETS}/agents")).await;
            let agents = agents.body["data"]["agents"].as_array().unwrap().clone();
            if agents.iter().any(|agent| agent["id"] == id) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// A conversation that Sarah holds; its id. The servers take turns at being the one that knows it.
    async fn held(&self, round: usize) -> String {
        let server = &self.servers[round % 2];
        let id = server.conversation(&self.john).await;
        done(&server.agent_does(&self.sarah, &id, "claim", None).await);
        id
    }

    /// Sarah asks Mike to take it over; the handover's id.
    async fn asked(&self, round: usize, id: &str) -> String {
        let body = json!({ "to_admin_id": "mike", "reason": "Yours" });
        let answer = self.servers[round % 2].agent_does(&self.sarah, id, "handover", Some(body)).await;
        done(&answer);
        answer.body["data"]["handover_id"].as_str().unwrap().to_owned()
    }

    async fn respond(&self, server: usize, agent: &Person, handover: &str, status: &str) -> Answer {
        let path = format!("{TICKETS}/handovers/{handover}/respond");
        self.servers[server].post(agent, &path, json!({ "status": status })).await
    }

    /// What is stored, as both servers show it.
    async fn stored(&self, id: &str) -> Value {
        let path = format!("{QUEUE}/{id}");
        let [one, other] = [0, 1].map(|server| self.servers[server].get(&self.sarah, &path));
        let (one, other) = join(one, other).await;
        assert_eq!((one.status, &one.body), (StatusCode::OK, &other.body));
        one.body["data"].clone()
    }

    /// What happened, in order; the positions have no gap.
    async fn happened(&self, id: &str) -> Vec<String> {
        let answer = self.servers[0].get(&self.sarah, &format!("{QUEUE}/{id}/timeline")).await;
        let events = answer.body["data"]["events"].as_array().unwrap();
        let positions: Vec<usize> =
            events.iter().map(|event| usize::try_from(event["position"].as_u64().unwrap()).unwrap()).collect();
        assert!(positions.iter().copied().eq(1..=events.len()), "{positions:?}");
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

fn done(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
}

fn is_done(answer: &Answer) -> bool {
    answer.status.is_success()
}

#[track_caller]
fn refused(answer: &Answer, status: StatusCode, message: &str) {
    assert_eq!((answer.status, answer.message()), (status, message), "{}", answer.body);
}
