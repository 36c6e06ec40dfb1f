//! `GET …/agents`.

use insta::{allow_duplicates, assert_snapshot};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::support::{
    ApiServer, Backend, ScratchDatabase, TestUser, conversation_row, message_row, on_both_databases, user_row,
};

const AGENTS: &str = "/api/v1/unified-admin/support/agents";

on_both_databases! {
    async fn all_known_agents_are_listed_with_their_open_conversations(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let (mut lucy, mut mike, ann) = (user_row("lucy", true), user_row("mike", true), user_row("ann", false));
        (lucy.first_name, lucy.last_name, lucy.name) = (None, None, Some("Lucy in the Sky".to_owned()));
        (mike.first_name, mike.last_name) = (Some("Mike".to_owned()), None);
        for user in [lucy, mike, ann] {
            user.into_active_model().insert(&connection).await.unwrap();
        }
        for (status, channel) in
            [("active", "support"), ("waiting_user", "help_center"), ("closed", "support"), ("active", "ticket")]
        {
            let mut row = conversation_row("ann", 1);
            (row.status, row.channel) = (status.to_owned(), channel.to_owned());
            row.assigned_to = Some("mike".to_owned());
            message_row(&row, 2, "Hello").into_active_model().insert(&connection).await.unwrap();
            row.into_active_model().insert(&connection).await.unwrap();
        }
        // Callers are in their own list from their first request on, even before the directory has stored them.
        let answer = server.get(&TestUser::agent("sarah"), AGENTS).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "agents": [
                  {
                    "email": "lucy@example.com",
                    "first_name": "Lucy",
                    "id": "lucy",
                    "last_name": "in the Sky",
                    "online": false,
                    "open_conversations": 0
                  },
                  {
                    "email": "mike@example.com",
                    "first_name": "Mike",
                    "id": "mike",
                    "last_name": "",
                    "online": false,
                    "open_conversations": 2
                  },
                  {
                    "email": "sarah@example.com",
                    "first_name": "Sarah",
                    "id": "sarah",
                    "last_name": "Johnson",
                    "online": false,
                    "open_conversations": 0
                  }
                ]
              },
              "message": "Agents fetched",
              "success": true
            }
            "#) };
    }

    async fn an_agents_open_conversations_are_counted_on_every_request(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        for (action, held) in [("claim", 1), ("close", 0)] {
            server.agent_action(&sarah, &id, action, None).await;
            let answer = server.get(&sarah, AGENTS).await;
            let agents: &Value = &answer.body["data"]["agents"];
            assert_eq!((&agents[0]["id"], &agents[0]["open_conversations"]), (&json!("sarah"), &json!(held)), "{action}");
            assert_eq!(agents.as_array().map(Vec::len), Some(1), "a customer is no agent");
        }
    }
}
