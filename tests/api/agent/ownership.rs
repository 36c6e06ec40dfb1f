//! `POST …/conversations/:id/release`, `…/reopen` and `POST …/handovers/:id/withdraw`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, ScratchDatabase, TestUser, on_both_databases,
};

/// A conversation of John's, held by Sarah; Mike is another agent.
struct Desk {
    database: ScratchDatabase,
    server: ApiServer,
    id: String,
    john: TestUser,
    sarah: TestUser,
    mike: TestUser,
}

impl Desk {
    async fn open(backend: Backend) -> Self {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let id = server.open_conversation(&john).await;
        let desk = Self { database, server, id, john, sarah, mike };
        assert_eq!(desk.act(&desk.sarah, "claim").await.status, StatusCode::CREATED);
        desk.server.get(&desk.mike, QUEUE).await;
        desk
    }

    async fn act(&self, who: &TestUser, action: &str) -> Answer {
        self.server.agent_action(who, &self.id, action, None).await
    }

    async fn detail(&self) -> Value {
        self.server.get(&self.sarah, &format!("{QUEUE}/{}", self.id)).await.body["data"].clone()
    }

    async fn timeline(&self) -> Vec<Value> {
        let path = format!("{QUEUE}/{}/timeline", self.id);
        self.server.get(&self.sarah, &path).await.body["data"]["events"].as_array().unwrap().clone()
    }

    async fn last_event(&self) -> Value {
        self.timeline().await.last().unwrap().clone()
    }

    async fn request_handover(&self) -> String {
        let body = Some(json!({ "to_admin_id": "mike" }));
        let answer = self.server.agent_action(&self.sarah, &self.id, "handover", body).await;
        answer.body["data"]["handover_id"].as_str().unwrap().to_owned()
    }

    async fn withdraw(&self, who: &TestUser, handover: &str) -> Answer {
        let path = format!("/api/v1/unified-admin/support/handovers/{handover}/withdraw");
        self.server.request(reqwest::Method::POST, who, &path).send(None).await
    }

    async fn rate(&self, rating: u8) -> Answer {
        let path = format!("{MY_CONVERSATIONS}/{}/rate", self.id);
        self.server.post(&self.john, &path, json!({ "rating": rating })).await
    }
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.message())
}

on_both_databases! {
    async fn the_holder_releases_a_conversation_to_the_queue(backend: Backend) {
        let desk = Desk::open(backend).await;
        let forbidden = (403, "Only the currently assigned agent can release this conversation");
        assert_eq!(refused(&desk.act(&desk.mike, "release").await), forbidden);
        let answer = desk.act(&desk.sarah, "release").await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]"
              },
              "message": "Conversation released",
              "success": true
            }
            "#) };
        let detail = desk.detail().await;
        assert_eq!((&detail["assigned_to"], &detail["assigned_at"]), (&Value::Null, &Value::Null));
        assert_eq!(detail["status"], "waiting_support");
        let event = desk.last_event().await;
        assert_eq!((&event["type"], &event["actor_id"]), (&json!("released"), &json!("sarah")));
        assert_eq!(refused(&desk.act(&desk.sarah, "release").await), forbidden, "not the holder any more");
        assert_eq!(desk.act(&desk.mike, "claim").await.status, StatusCode::CREATED);
        desk.act(&desk.mike, "close").await;
        let closed = desk.act(&desk.mike, "release").await;
        assert_eq!(refused(&closed), (400, "Cannot release a closed conversation"));
        assert_eq!(closed.body["code"], "CONVERSATION_CLOSED");
        let unknown = desk.server.agent_action(&desk.sarah, "no-id", "release", None).await;
        assert_eq!(refused(&unknown), (404, "Conversation not found"));
    }

    async fn an_agent_reopens_a_closed_conversation(backend: Backend) {
        let desk = Desk::open(backend).await;
        let open = desk.act(&desk.mike, "reopen").await;
        assert_eq!((refused(&open), &open.body["code"]), ((400, "Conversation is not closed"), &json!("CONVERSATION_OPEN")));
        desk.act(&desk.sarah, "close").await;
        let answer = desk.act(&desk.mike, "reopen").await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "assigned_admin_name": "Sarah Johnson",
                "assigned_to": "mike",
                "conversation_id": "[id]"
              },
              "message": "Conversation reopened",
              "success": true
            }
            "#) };
        let detail = desk.detail().await;
        assert_eq!((&detail["assigned_to"], &detail["status"]), (&json!("mike"), &json!("active")));
        let event = desk.last_event().await;
        assert_eq!((&event["type"], &event["actor_id"]), (&json!("reopened"), &json!("mike")));
        let analytics = desk.server.get(&desk.mike, QUEUE).await.body["data"]["analytics"].clone();
        assert_eq!((&analytics["mine"], &analytics["by_status"]["closed"]), (&json!(1), &json!(0)));
        let unknown = desk.server.agent_action(&desk.sarah, "no-id", "reopen", None).await;
        assert_eq!(refused(&unknown), (404, "Conversation not found"));
    }

    async fn a_rating_stays_and_may_be_replaced_once_per_reopening(backend: Backend) {
        let desk = Desk::open(backend).await;
        desk.act(&desk.sarah, "close").await;
        assert_eq!(desk.rate(1).await.status, StatusCode::OK);
        let rated = (400, "Conversation already rated");
        assert_eq!(refused(&desk.rate(2).await), rated);
        desk.act(&desk.sarah, "reopen").await;
        assert_eq!(desk.detail().await["satisfaction_rating"], 1, "it stays");
        assert_eq!(refused(&desk.rate(2).await), (400, "Can only rate closed conversations"));
        desk.act(&desk.sarah, "close").await;
        // Another server, which reads all from the database.
        let server = ApiServer::start(&desk.database).await;
        let path = format!("{MY_CONVERSATIONS}/{}/rate", desk.id);
        assert_eq!(server.post(&desk.john, &path, json!({ "rating": 5 })).await.status, StatusCode::OK);
        assert_eq!(refused(&desk.rate(4).await), rated);
        assert_eq!(desk.detail().await["satisfaction_rating"], 5);
    }

    async fn the_requester_withdraws_a_pending_handover(backend: Backend) {
        let desk = Desk::open(backend).await;
        let handover = desk.request_handover().await;
        for unknown in ["00000000-0000-4000-8000-000000000000", "no-id"] {
            assert_eq!(refused(&desk.withdraw(&desk.sarah, unknown).await), (404, "Handover not found"));
        }
        let stranger = desk.withdraw(&desk.mike, &handover).await;
        assert_eq!(refused(&stranger), (403, "Only the agent who requested the handover can withdraw it"));
        let answer = desk.withdraw(&desk.sarah, &handover).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]",
                "handover_id": "[id]",
                "resolution": "withdrawn",
                "status": "rejected"
              },
              "message": "Handover withdrawn",
              "success": true
            }
            "#) };
        let detail = desk.detail().await;
        let handovers = &detail["handovers"][0];
        assert_eq!((&handovers["status"], &handovers["resolution"]), (&json!("rejected"), &json!("withdrawn")));
        assert_eq!(detail["assigned_to"], "sarah");
        let event = desk.last_event().await;
        assert_eq!((&event["type"], &event["actor_id"]), (&json!("handover_withdrawn"), &json!("sarah")));
        assert_eq!(refused(&desk.withdraw(&desk.sarah, &handover).await), (400, "This handover has already been resolved"));
        desk.request_handover().await;
    }

    async fn the_detail_states_how_each_handover_ended(backend: Backend) {
        let desk = Desk::open(backend).await;
        let respond = async |status: &str| {
            let handover = desk.request_handover().await;
            let path = format!("/api/v1/unified-admin/support/handovers/{handover}/respond");
            desk.server.post(&desk.mike, &path, json!({ "status": status })).await;
        };
        respond("rejected").await;
        desk.request_handover().await;
        desk.act(&desk.sarah, "release").await;
        desk.act(&desk.sarah, "claim").await;
        desk.request_handover().await;
        desk.act(&desk.mike, "close").await;
        desk.act(&desk.sarah, "reopen").await;
        respond("accepted").await;
        let detail = desk.detail().await;
        let ends: Vec<_> = detail["handovers"].as_array().unwrap().iter().map(|one| (&one["status"], &one["resolution"])).collect();
        let rejected = json!("rejected");
        let (declined, superseded, closed) = (json!("declined"), json!("superseded"), json!("closed"));
        let expected = [
            (&rejected, &declined),
            (&rejected, &superseded),
            (&rejected, &closed),
            (&json!("accepted"), &Value::Null),
        ];
        assert_eq!(ends, expected);
    }
}
