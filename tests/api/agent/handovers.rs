//! `POST …/conversations/:id/handover` and `POST …/handovers/:id/respond`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, ApiServer, Backend, QUEUE, ScratchDatabase, TestUser, on_both_databases};

const HANDOVERS: &str = "/api/v1/unified-admin/support/handovers";

/// A conversation held by Sarah, and Mike as a possible target.
struct Desk {
    _database: ScratchDatabase,
    server: ApiServer,
    id: String,
    sarah: TestUser,
    mike: TestUser,
}

impl Desk {
    async fn open(backend: Backend) -> Self {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        assert_eq!(server.agent_action(&sarah, &id, "claim", None).await.status, StatusCode::CREATED);
        server.get(&mike, QUEUE).await;
        Self { _database: database, server, id, sarah, mike }
    }

    async fn ask(&self, from: &TestUser, body: Value) -> Answer {
        self.server.agent_action(from, &self.id, "handover", Some(body)).await
    }

    /// Has Sarah request a handover to Mike; returns its id.
    async fn request_handover(&self) -> String {
        let answer = self.ask(&self.sarah, json!({ "to_admin_id": "mike" })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["data"]["handover_id"].as_str().unwrap().to_owned()
    }

    async fn respond(&self, who: &TestUser, handover: &str, status: &str) -> Answer {
        self.server.post(who, &format!("{HANDOVERS}/{handover}/respond"), json!({ "status": status })).await
    }

    async fn detail(&self) -> Value {
        self.server.get(&self.sarah, &format!("{QUEUE}/{}", self.id)).await.body["data"].clone()
    }
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.message())
}

on_both_databases! {
    async fn a_handover_request_answers_with_the_target_and_changes_nothing_else(backend: Backend) {
        let desk = Desk::open(backend).await;
        let answer = desk.ask(&desk.sarah, json!({ "to_admin_id": "mike", "reason": " Lunch " })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]",
                "handover_id": "[id]",
                "status": "pending",
                "to_admin_id": "mike",
                "to_admin_name": "Sarah Johnson"
              },
              "message": "Handover requested",
              "success": true
            }
            "#) };
        let detail = desk.detail().await;
        assert_eq!(detail["assigned_to"], "sarah");
        assert_eq!(detail["handovers"][0]["reason"], "Lunch");
        assert_eq!(detail["handovers"][0]["status"], "pending");
    }

    async fn an_accepted_handover_assigns_the_conversation_to_the_target(backend: Backend) {
        let desk = Desk::open(backend).await;
        let handover = desk.request_handover().await;
        let answer = desk.respond(&desk.mike, &handover, "accepted").await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]",
                "handover_id": "[id]",
                "status": "accepted"
              },
              "message": "Handover accepted",
              "success": true
            }
            "#) };
        let detail = desk.detail().await;
        assert_eq!((&detail["assigned_to"], &detail["status"]), (&json!("mike"), &json!("active")));
        assert_eq!(detail["handovers"][0]["status"], "accepted");
        assert!(detail["handovers"][0]["responded_at"].is_string());
        let late = desk.server.agent_action(&desk.sarah, &desk.id, "reply", Some(json!({ "message": "Hi" }))).await;
        assert_eq!(late.status, StatusCode::FORBIDDEN);
    }

    async fn a_rejected_handover_changes_nothing_else(backend: Backend) {
        let desk = Desk::open(backend).await;
        let handover = desk.request_handover().await;
        let answer = desk.respond(&desk.mike, &handover, "rejected").await;
        assert_eq!(refused(&answer), (201, "Handover rejected"));
        assert_eq!(answer.body["data"]["status"], "rejected");
        let detail = desk.detail().await;
        assert_eq!((&detail["assigned_to"], &detail["handovers"][0]["status"]), (&json!("sarah"), &json!("rejected")));
        desk.request_handover().await;
    }

    async fn a_handover_request_is_refused_in_the_contracts_order(backend: Backend) {
        let desk = Desk::open(backend).await;
        let (id, server) = (&desk.id, &desk.server);
        for body in [json!({}), json!({ "to_admin_id": " " }), json!({ "to_admin_id": 7 })] {
            let answer = desk.ask(&desk.sarah, body).await;
            assert_eq!((answer.status.as_u16(), &answer.body["details"][0]["field"]), (400, &json!("to_admin_id")));
        }
        let unknown = "00000000-0000-4000-8000-000000000000";
        let nowhere = server.agent_action(&desk.sarah, unknown, "handover", Some(json!({ "to_admin_id": "mike" }))).await;
        assert_eq!(refused(&nowhere), (404, "Conversation not found"));
        let not_held = desk.ask(&desk.mike, json!({ "to_admin_id": "mike" })).await;
        assert_eq!(refused(&not_held), (403, "Only the currently assigned agent can initiate a handover"));
        let to_self = desk.ask(&desk.sarah, json!({ "to_admin_id": "sarah" })).await;
        assert_eq!(refused(&to_self), (400, "Cannot transfer to yourself"));
        // A customer, an unknown id, and an id that no account can have.
        let too_long = "x".repeat(129);
        for target in ["john", "unknown", too_long.as_str()] {
            let answer = desk.ask(&desk.sarah, json!({ "to_admin_id": target })).await;
            assert_eq!(refused(&answer), (404, "Target admin not found"), "{target}");
        }
        desk.request_handover().await;
        let again = desk.ask(&desk.sarah, json!({ "to_admin_id": "mike" })).await;
        assert_eq!(refused(&again), (400, "There is already a pending handover for this conversation"));
        assert_eq!(server.agent_action(&desk.mike, id, "close", None).await.status, StatusCode::CREATED);
        let closed = desk.ask(&desk.mike, json!({ "to_admin_id": "mike" })).await;
        assert_eq!(refused(&closed), (400, "Cannot transfer a closed conversation"));
    }

    async fn a_reason_has_at_most_1000_characters(backend: Backend) {
        let desk = Desk::open(backend).await;
        let reason = |length: usize| json!({ "to_admin_id": "mike", "reason": "é".repeat(length) });
        let answer = desk.ask(&desk.sarah, reason(1001)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["details"][0]["field"]), (400, &json!("reason")));
        assert_eq!(desk.ask(&desk.sarah, reason(1000)).await.status, StatusCode::CREATED);
    }

    async fn a_handover_answer_is_refused_in_the_contracts_order(backend: Backend) {
        let desk = Desk::open(backend).await;
        let handover = desk.request_handover().await;
        let answer = desk.respond(&desk.mike, &handover, "maybe").await;
        assert_eq!((answer.status.as_u16(), &answer.body["details"][0]["field"]), (400, &json!("status")));
        for unknown in ["00000000-0000-4000-8000-000000000000", "no-id"] {
            let answer = desk.respond(&desk.mike, unknown, "accepted").await;
            assert_eq!(refused(&answer), (404, "Handover not found"));
        }
        let stranger = desk.respond(&desk.sarah, &handover, "accepted").await;
        assert_eq!(refused(&stranger), (403, "Only the target admin can respond to this handover"));
        desk.respond(&desk.mike, &handover, "rejected").await;
        for who in [&desk.mike, &desk.sarah] {
            let answer = desk.respond(who, &handover, "accepted").await;
            assert_eq!(refused(&answer), (400, "This handover has already been resolved"));
        }
    }

    async fn closing_rejects_the_pending_handover(backend: Backend) {
        let desk = Desk::open(backend).await;
        let handover = desk.request_handover().await;
        desk.server.agent_action(&desk.sarah, &desk.id, "close", None).await;
        assert_eq!(desk.detail().await["handovers"][0]["status"], "rejected");
        let answer = desk.respond(&desk.mike, &handover, "accepted").await;
        assert_eq!(refused(&answer), (400, "This handover has already been resolved"));
    }

    async fn an_agent_can_be_a_target_right_after_the_first_request(backend: Backend) {
        let desk = Desk::open(backend).await;
        for number in 0..50 {
            let id = format!("new-{number}");
            // The agent's first request, immediately followed by the handover.
            desk.server.get(&TestUser::agent(&id), "/api/v1/unified-admin/support/agents").await;
            let asked = desk.ask(&desk.sarah, json!({ "to_admin_id": id })).await;
            assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
            let handover = asked.body["data"]["handover_id"].as_str().unwrap().to_owned();
            desk.respond(&TestUser::agent(&id), &handover, "rejected").await;
        }
    }
}
