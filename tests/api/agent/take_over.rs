//! Taking over from an absent holder, assigning, and the handovers that wait: on several servers, and with a clock that
//! the test moves.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchboard_testkit::OffsetClock;

use crate::support::{
    Answer, ApiServer, Backend, QUEUE, ScratchDatabase, SupportSession, TICKETS, TestUser, on_both_databases,
};

const UNLIMITED: (&str, &str) = ("SWITCHBOARD__HANDOVER__EXPIRE_MINUTES", "0");
const BOSS: (&str, &str) = ("SWITCHBOARD__AUTH__SUPERVISOR_ROLES", "boss");

/// Servers on one database and one clock.
struct Office {
    _database: ScratchDatabase,
    servers: Vec<ApiServer>,
    clock: OffsetClock,
    sarah: TestUser,
    mike: TestUser,
    boss: TestUser,
}

impl Office {
    async fn open(backend: Backend, servers: usize) -> Self {
        let (database, clock) = (ScratchDatabase::create(backend).await, OffsetClock::default());
        let mut started = Vec::new();
        for _ in 0..servers {
            started.push(ApiServer::start_with_clock(&database, &[BOSS], clock.clone()).await);
        }
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        let boss = TestUser::with_role("boss", "boss", "Barbara", "Boss");
        let office = Self { _database: database, servers: started, clock, sarah, mike, boss };
        for agent in [&office.mike, &office.sarah, &office.boss] {
            assert_eq!(office.servers[0].get(agent, QUEUE).await.status, StatusCode::OK);
        }
        office
    }

    /// A conversation that Sarah holds.
    async fn held(&self) -> String {
        let id = self.servers[0].open_conversation(&TestUser::customer("john")).await;
        let claimed = self.servers[0].agent_action(&self.sarah, &id, "claim", None).await;
        assert_eq!(claimed.status, StatusCode::CREATED);
        id
    }

    async fn take_over(&self, server: usize, who: &TestUser, id: &str) -> Answer {
        self.servers[server].agent_action(who, id, "take-over", None).await
    }

    async fn assign(&self, who: &TestUser, id: &str, to: &str) -> Answer {
        let path = format!("{QUEUE}/{id}/assign");
        self.servers[0].request(Method::PUT, who, &path).send(Some(json!({ "assigned_to": to }))).await
    }

    async fn assign_ticket(&self, who: &TestUser, ticket: &str, to: &str) -> Answer {
        let path = format!("{TICKETS}/{ticket}/assign");
        self.servers[0].request(Method::PUT, who, &path).send(Some(json!({ "assigned_to": to }))).await
    }

    async fn detail(&self, id: &str) -> Value {
        self.servers[0].get(&self.sarah, &format!("{QUEUE}/{id}")).await.body["data"].clone()
    }

    async fn event_types(&self, id: &str) -> Vec<String> {
        let answer = self.servers[0].get(&self.sarah, &format!("{QUEUE}/{id}/timeline")).await;
        let events = answer.body["data"]["events"].as_array().unwrap();
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn request_handover(&self, id: &str) -> Answer {
        let body = Some(json!({ "to_admin_id": "mike", "reason": "Lunch" }));
        self.servers[0].agent_action(&self.sarah, id, "handover", body).await
    }

    /// Waits until the conversation has no pending handover.
    async fn wait_until_resolved(&self, id: &str) -> Value {
        loop {
            let detail = self.detail(id).await;
            if detail["pending_handover"].is_null() {
                return detail;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

on_both_databases! {
    async fn a_conversation_is_taken_over_when_its_holder_has_been_absent(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        let present = office.take_over(0, &office.mike, &id).await;
        assert_eq!(refused(&present), (409, "HOLDER_PRESENT"), "the holder has become so just now");
        assert_eq!(office.take_over(0, &office.sarah, &id).await.body["data"]["previous_admin_id"], Value::Null);
        office.clock.set_offset(5);
        let answer = office.take_over(0, &office.mike, &id).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::CREATED, "Conversation taken over"));
        assert_eq!(answer.body["data"], json!({
            "conversation_id": id, "assigned_to": "mike", "assigned_admin_name": "Sarah Johnson",
            "previous_admin_id": "sarah",
        }));
        assert_eq!(office.detail(&id).await["assigned_to"], "mike");
        assert_eq!(office.event_types(&id).await.last().unwrap(), "taken_over");
        let unheld = office.servers[0].open_conversation(&TestUser::customer("john")).await;
        assert_eq!(office.take_over(0, &office.mike, &unheld).await.body["data"]["previous_admin_id"], Value::Null);
        assert_eq!(office.event_types(&unheld).await.last().unwrap(), "claimed");
        office.servers[0].agent_action(&office.mike, &unheld, "close", None).await;
        for who in [&office.mike, &office.sarah] {
            assert_eq!(refused(&office.take_over(0, who, &unheld).await), (400, "CONVERSATION_CLOSED"));
        }
        let body = Some(json!({ "reason": "x".repeat(1001) }));
        let long = office.servers[0].agent_action(&office.mike, &id, "take-over", body).await;
        assert_eq!((refused(&long), &long.body["details"][0]["field"]), ((400, "VALIDATION_ERROR"), &json!("reason")));
    }

    async fn a_holder_with_a_socket_is_present(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        office.clock.set_offset(60);
        let session = SupportSession::join(&office.servers[0], &office.sarah).await;
        assert_eq!(refused(&office.take_over(0, &office.mike, &id).await), (409, "HOLDER_PRESENT"));
        drop(session);
        assert_eq!(refused(&office.take_over(0, &office.mike, &id).await), (409, "HOLDER_PRESENT"));
    }

    async fn only_a_supervisor_assigns_a_conversation(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        for who in [&office.sarah, &office.mike] {
            assert_eq!(refused(&office.assign(who, &id, "mike").await), (403, "FORBIDDEN"));
        }
        let unknown = office.assign(&office.boss, &id, "john").await;
        assert_eq!((unknown.status.as_u16(), unknown.message()), (404, "Assignee not found"));
        let answer = office.assign(&office.boss, &id, "mike").await;
        assert_eq!((answer.status, answer.message()), (StatusCode::OK, "Conversation assigned"));
        assert_eq!(answer.body["data"]["previous_admin_id"], "sarah");
        assert_eq!(office.assign(&office.boss, &id, "mike").await.body["data"]["previous_admin_id"], Value::Null);
        assert_eq!(office.event_types(&id).await.last().unwrap(), "assigned");
        office.servers[0].agent_action(&office.mike, &id, "close", None).await;
        assert_eq!(refused(&office.assign(&office.boss, &id, "sarah").await), (400, "CONVERSATION_CLOSED"));
    }

    async fn the_ticket_of_a_conversation_is_assigned_with_it(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        let ticket = office.servers[0].create_ticket_from(&office.sarah, &id).await;
        let ticket = ticket.body["data"]["ticket"]["id"].as_str().unwrap().to_owned();
        let owners = async || {
            let ticket = office.servers[0].get(&office.sarah, &format!("{TICKETS}/{ticket}")).await;
            (office.detail(&id).await["assigned_to"].clone(), ticket.body["data"]["assigned_to"].clone())
        };
        assert_eq!(refused(&office.assign_ticket(&office.mike, &ticket, "mike").await), (409, "HOLDER_PRESENT"));
        assert_eq!(refused(&office.assign_ticket(&office.mike, &ticket, "boss").await), (403, "FORBIDDEN"));
        assert_eq!(office.assign_ticket(&office.boss, &ticket, "mike").await.status, StatusCode::OK);
        assert_eq!(owners().await, (json!("mike"), json!("mike")));
        assert_eq!(office.assign_ticket(&office.mike, &ticket, "sarah").await.status, StatusCode::OK);
        assert_eq!(owners().await, (json!("sarah"), json!("sarah")));
        office.servers[0].agent_action(&office.sarah, &id, "release", None).await;
        assert_eq!(owners().await, (Value::Null, Value::Null));
        assert_eq!(office.assign_ticket(&office.mike, &ticket, "sarah").await.status, StatusCode::OK);
        office.clock.set_offset(5);
        assert_eq!(office.assign_ticket(&office.mike, &ticket, "mike").await.status, StatusCode::OK);
        assert_eq!(owners().await, (json!("mike"), json!("mike")));
        office.servers[0].agent_action(&office.mike, &id, "close", None).await;
        let resolved = office.servers[0].get(&office.sarah, &format!("{TICKETS}/{ticket}")).await.body["data"].clone();
        assert_eq!((&resolved["status"], &resolved["resolved_by"]), (&json!("resolved"), &json!("mike")));
    }

    async fn a_pending_handover_is_visible_to_both_sides(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        office.held().await;
        let list = async |who: &TestUser, side: &str| {
            let answer = office.servers[0].get(who, &format!("{QUEUE}?handover={side}")).await;
            let total = answer.body["data"]["meta"]["total"].clone();
            (total, answer.body["data"]["analytics"]["handovers_to_me"].clone())
        };
        let handover = office.request_handover(&id).await.body["data"]["handover_id"].clone();
        let pending = office.detail(&id).await["pending_handover"].clone();
        assert_eq!((&pending["id"], &pending["from_admin_id"], &pending["to_admin_id"]), (&handover, &json!("sarah"), &json!("mike")));
        assert_eq!((&pending["from_admin_name"], &pending["reason"]), (&json!("Sarah Johnson"), &json!("Lunch")));
        let time = |name: &str| chrono::DateTime::parse_from_rfc3339(pending[name].as_str().unwrap()).unwrap();
        assert_eq!(time("expires_at") - time("createdAt"), chrono::TimeDelta::minutes(30));
        let listed = office.servers[0].get(&office.mike, &format!("{QUEUE}?handover=to_me")).await;
        assert_eq!(listed.body["data"]["conversations"][0]["pending_handover"], pending);
        assert_eq!(list(&office.mike, "to_me").await, (json!(1), json!(1)));
        assert_eq!(list(&office.mike, "from_me").await, (json!(0), json!(1)));
        assert_eq!(list(&office.sarah, "from_me").await, (json!(1), json!(0)));
        let wrong = office.servers[0].get(&office.mike, &format!("{QUEUE}?handover=mine")).await;
        assert_eq!(wrong.body["details"][0]["field"], "handover");
        office.servers[0].agent_action(&office.sarah, &id, "release", None).await;
        assert_eq!(office.detail(&id).await["pending_handover"], Value::Null);
        assert_eq!(list(&office.mike, "to_me").await, (json!(0), json!(0)));
    }

    async fn a_former_agent_is_neither_a_target_nor_an_assignee(backend: Backend) {
        let office = Office::open(backend, 1).await;
        let id = office.held().await;
        let server = &office.servers[0];
        let offered = async || {
            let answer = server.get(&office.sarah, "/api/v1/unified-admin/support/agents").await;
            let agents = answer.body["data"]["agents"].as_array().unwrap().clone();
            agents.iter().any(|agent| agent["id"] == "mike")
        };
        assert!(offered().await, "Mike is an agent still");
        // The latest token counts, whichever endpoint it was presented to.
        let former = TestUser::with_role("mike", "user", "Mike", "Miller");
        assert_eq!(server.get(&former, "/api/v1/support/conversations").await.status, StatusCode::OK);
        assert!(!offered().await);
        let own = server.get(&office.mike, QUEUE).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN, "the older token has a customer's rights");
        let ticket = server.create_ticket_from(&office.sarah, &id).await;
        let ticket = ticket.body["data"]["ticket"]["id"].as_str().unwrap();
        for (answer, message) in [
            (office.request_handover(&id).await, "Target admin not found"),
            (office.assign(&office.boss, &id, "mike").await, "Assignee not found"),
            (office.assign_ticket(&office.sarah, ticket, "mike").await, "Assignee not found"),
        ] {
            assert_eq!((answer.status.as_u16(), &answer.body["message"]), (404, &json!(message)));
        }
        assert_eq!(office.detail(&id).await["assigned_to"], "sarah", "nothing has changed");
        // A later token makes them an agent again. Tokens of one second count by their arrival, so it has other claims.
        let again = TestUser::with_role("mike", "admin", "Mike", "Miller");
        assert_eq!(server.get(&again, QUEUE).await.status, StatusCode::OK);
        assert_eq!(office.request_handover(&id).await.status, StatusCode::CREATED);
    }

    async fn with_no_time_limit_a_handover_never_expires(backend: Backend) {
        let (database, clock) = (ScratchDatabase::create(backend).await, OffsetClock::default());
        let server = ApiServer::start_with_clock(&database, &[UNLIMITED], clock.clone()).await;
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        server.get(&mike, QUEUE).await;
        let office = Office { _database: database, servers: vec![server], clock, sarah, mike, boss: TestUser::agent("boss") };
        let id = office.held().await;
        let handover = office.request_handover(&id).await.body["data"]["handover_id"].clone();
        assert_eq!(office.detail(&id).await["pending_handover"]["expires_at"], Value::Null);
        office.clock.set_offset(525_600);
        let answer = json!({ "status": "accepted" });
        let path = format!("/api/v1/unified-admin/support/handovers/{}/respond", handover.as_str().unwrap());
        let accepted = office.servers[0].request(Method::POST, &office.mike, &path).send(Some(answer)).await;
        assert_eq!(accepted.status, StatusCode::CREATED, "{}", accepted.body);
        assert_eq!(office.detail(&id).await["assigned_to"], "mike");
    }

    async fn a_handover_expires_after_a_restart_and_without_an_actor(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let first = ApiServer::start(&database).await;
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        first.get(&mike, QUEUE).await;
        let id = first.open_conversation(&TestUser::customer("john")).await;
        first.agent_action(&sarah, &id, "claim", None).await;
        let asked = first.agent_action(&sarah, &id, "handover", Some(json!({ "to_admin_id": "mike" }))).await;
        assert_eq!(asked.status, StatusCode::CREATED);
        drop(first);
        let clock = OffsetClock::default();
        clock.set_offset(30);
        let second = ApiServer::start_with_clock(&database, &[], clock.clone()).await;
        let office = Office { _database: database, servers: vec![second], clock, sarah, mike, boss: TestUser::agent("boss") };
        let detail = office.wait_until_resolved(&id).await;
        assert_eq!((&detail["handovers"][0]["status"], &detail["handovers"][0]["resolution"]), (&json!("rejected"), &json!("expired")));
        assert_eq!(detail["assigned_to"], "sarah");
        assert_eq!(office.request_handover(&id).await.status, StatusCode::CREATED, "it does not block");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_one_ends_a_handover() {
    let office = Office::open(Backend::Postgres, 2).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        let id = office.held().await;
        assert_eq!(office.request_handover(&id).await.status, StatusCode::CREATED);
        ids.push(id);
    }
    office.clock.set_offset(31);
    for id in ids {
        office.wait_until_resolved(&id).await;
        let types = office.event_types(&id).await;
        assert_eq!(types.iter().filter(|kind| *kind == "handover_expired").count(), 1, "{types:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_agents_who_take_over_at_once_on_two_servers_one_succeeds() {
    let office = Office::open(Backend::Postgres, 2).await;
    let ids = futures_util::future::join_all((0..50).map(|_| office.held())).await;
    office.clock.set_offset(5);
    for id in ids {
        let (one, other, third) = futures_util::future::join3(
            office.take_over(0, &office.mike, &id),
            office.take_over(1, &office.boss, &id),
            office.servers[1].agent_action(&office.sarah, &id, "release", None),
        )
        .await;
        let winner = office.detail(&id).await["assigned_to"].clone();
        let taken = [(&one, "mike"), (&other, "boss")].map(|(answer, who)| (answer.status == StatusCode::CREATED, who));
        assert!(taken.iter().any(|(is_taken, who)| *is_taken && winner == **who), "{winner} {taken:?}");
        // The second of two finds a holder who has become so just now.
        assert_ne!(taken[0].0, taken[1].0, "{} {}", one.body, other.body);
        let types = office.event_types(&id).await;
        let expected: &[&str] =
            if third.status == StatusCode::CREATED { &["released", "claimed"] } else { &["taken_over"] };
        assert!(types.ends_with(&expected.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()), "{types:?}");
    }
}
