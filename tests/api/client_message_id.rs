//! The sender recognises its own message (`additions.md`, 2): `client_message_id` is in every message that its sender reads,
//! and in none that anyone else reads.

use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, REQUEST_SUPPORT, SEND, ScratchDatabase,
    SupportSession, TICKET, TICKETS, TestUser, on_both_databases,
};

const HELP_CENTER: &str = "/api/help-center/messages";
const AS_GUEST: &str = "/api/v1/support/chat/send-unauthenticated";

/// The ids that a list of messages contains, in order; null where the key is absent.
fn ids(messages: &Value) -> Vec<Value> {
    let messages = messages.as_array().unwrap_or_else(|| panic!("no messages: {messages}"));
    for message in messages {
        assert!(!message.as_object().unwrap().get("client_message_id").is_some_and(Value::is_null), "{message}");
    }
    messages.iter().map(|message| message["client_message_id"].clone()).collect()
}

fn data(answer: &Answer) -> &Value {
    assert!(answer.status.is_success(), "{}", answer.body);
    &answer.body["data"]
}

on_both_databases! {
    async fn a_conversations_history_has_each_readers_own_ids(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let opened = server.post(&john, SEND, json!({ "message": "one", "client_message_id": "john-1" })).await;
        let conversation = &data(&opened)["conversation"];
        assert_eq!(ids(&conversation["messages"]), [json!("john-1")]);
        let id = conversation["id"].as_str().unwrap();
        // The header names a send, too.
        let sent = server.request(reqwest::Method::POST, &john, SEND).header("idempotency-key", "john-2");
        let sent = sent.send(Some(json!({ "message": "two", "conversation_id": id }))).await;
        assert_eq!(data(&sent)["message"]["client_message_id"], "john-2");
        let unnamed = server.post(&john, SEND, json!({ "message": "three", "conversation_id": id })).await;
        assert!(data(&unnamed)["message"].get("client_message_id").is_none());
        for (agent, body) in [
            (&sarah, json!({ "message": "four", "client_message_id": "sarah-4" })),
            (&sarah, json!({ "message": "five", "client_message_id": "sarah-5", "is_internal": true })),
            (&mike, json!({ "message": "six", "client_message_id": "mike-6", "is_internal": true })),
        ] {
            let replied = server.agent_action(agent, id, "reply", Some(body.clone())).await;
            assert_eq!(data(&replied)["client_message_id"], body["client_message_id"]);
        }
        // A server without caches reads what is stored.
        let server = ApiServer::start(&database).await;
        let null = Value::Null;
        let own = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
        assert_eq!(ids(&data(&own)["conversation"]["messages"]), [json!("john-1"), json!("john-2"), null.clone(), null.clone()]);
        let page = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}?after_seq=1")).await;
        assert_eq!(ids(&data(&page)["conversation"]["messages"]), [json!("john-2"), null.clone(), null.clone()]);
        for (agent, expected) in [
            (&sarah, [null.clone(), null.clone(), null.clone(), json!("sarah-4"), json!("sarah-5"), null.clone()]),
            (&mike, [null.clone(), null.clone(), null.clone(), null.clone(), null.clone(), json!("mike-6")]),
        ] {
            let seen = server.get(agent, &format!("{QUEUE}/{id}")).await;
            assert_eq!(ids(&data(&seen)["messages"]), expected);
            let socket = SupportSession::join(&server, agent).await;
            let (missed, _) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
            assert_eq!(ids(&json!(missed)), expected);
        }
        let socket = SupportSession::join(&server, &john).await;
        let (missed, _) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 1 })).await;
        assert_eq!(ids(&json!(missed)), [json!("john-2"), null.clone(), null]);
        // A repeat has the first answer, the id included.
        let again = server.post(&john, SEND, json!({ "message": "one", "client_message_id": "john-1" })).await;
        assert_eq!(again.body, opened.body);
    }

    async fn a_tickets_history_has_each_readers_own_ids(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let request = json!({ "subject": "Help", "description": "one", "client_message_id": "john-1" });
        let created = server.post(&john, REQUEST_SUPPORT, request).await;
        let ticket = &data(&created)["ticket"];
        assert_eq!(ids(&ticket["messages"]), [json!("john-1")]);
        let (id, number) = (ticket["id"].as_str().unwrap(), ticket["ticket_number"].as_str().unwrap());
        let more = json!({ "ticket_number": number, "message": "two", "client_message_id": "john-2" });
        assert_eq!(data(&server.post(&john, ADD_MESSAGE, more).await)["message"]["client_message_id"], "john-2");
        let reply = json!({ "message": "three", "client_message_id": "sarah-3" });
        let replied = server.post(&sarah, &format!("{TICKETS}/{id}/reply"), reply).await;
        assert_eq!(data(&replied)["client_message_id"], "sarah-3");
        let path = format!("{TICKET}?ticket_number={number}");
        let own = server.get(&john, &path).await;
        assert_eq!(ids(&data(&own)["ticket"]["messages"]), [json!("john-1"), json!("john-2"), Value::Null]);
        // An agent reads the ticket by either path.
        let seen = server.get(&sarah, &path).await;
        assert_eq!(ids(&data(&seen)["ticket"]["messages"]), [Value::Null, Value::Null, json!("sarah-3")]);
        let seen = server.get(&sarah, &format!("{TICKETS}/{id}")).await;
        assert_eq!(ids(&data(&seen)["messages"]), [Value::Null, Value::Null, json!("sarah-3")]);
    }

    /// A caller who knows a guest's id can repeat the send and is answered as its sender.
    async fn an_address_alone_shows_no_id_of_a_guest(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (guest, sarah) = (TestUser::anonymous(), TestUser::agent("sarah"));
        let (first, second) = ("the first one of a guest", "the second one of a guest");
        let request = json!({ "subject": "Help", "description": "one", "email": "g@example.com", "client_message_id": first });
        let created = server.post(&guest, REQUEST_SUPPORT, request.clone()).await;
        let ticket = &data(&created)["ticket"];
        assert_eq!(ids(&ticket["messages"]), [json!(first)]);
        let number = ticket["ticket_number"].as_str().unwrap();
        let mut further = request;
        (further["ticket_number"], further["client_message_id"]) = (json!(number), json!(second));
        let continued = server.post(&guest, REQUEST_SUPPORT, further).await;
        assert_eq!(ids(&data(&continued)["ticket"]["messages"]), [Value::Null, json!(second)]);
        let seen = server.get(&guest, &format!("{TICKET}?ticket_number={number}&email=g@example.com")).await;
        assert_eq!(ids(&data(&seen)["ticket"]["messages"]), [Value::Null, Value::Null]);
        let send = json!({ "message": "one", "email": "g@example.com", "client_message_id": "of a conversation" });
        let opened = server.post(&guest, AS_GUEST, send).await;
        let conversation = &data(&opened)["conversation"];
        assert_eq!(ids(&conversation["messages"]), [json!("of a conversation")]);
        let seen = server.get(&sarah, &format!("{QUEUE}/{}", conversation["id"].as_str().unwrap())).await;
        assert_eq!(ids(&data(&seen)["messages"]), [Value::Null]);
    }

    async fn the_help_center_spells_it_as_its_apps_do(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let settings = [("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", "never")];
        let server = ApiServer::start_with(&database, &settings).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let spelled = |answer: &Answer| -> Vec<Value> {
            let messages = answer.body["messages"].as_array().unwrap();
            messages.iter().map(|message| message["clientMessageId"].clone()).collect()
        };
        let sent = server.post(&john, HELP_CENTER, json!({ "text": "one", "clientMessageId": "john-1" })).await;
        assert_eq!(spelled(&sent), [json!("john-1")]);
        let id = sent.body["conversation"]["id"].as_str().unwrap();
        let named = server.request(reqwest::Method::POST, &john, HELP_CENTER).header("idempotency-key", "john-2");
        named.send(Some(json!({ "text": "two" }))).await;
        let reply = json!({ "message": "three", "client_message_id": "sarah-3" });
        assert_eq!(server.agent_action(&sarah, id, "reply", Some(reply)).await.status, 201);
        let read = server.get(&john, HELP_CENTER).await;
        assert_eq!(spelled(&read), [json!("john-1"), json!("john-2"), Value::Null]);
        let seen = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
        assert_eq!(ids(&data(&seen)["messages"]), [Value::Null, Value::Null, json!("sarah-3")]);
    }
}
