//! A polling session on `/support`, whose every packet can be seen.

use serde_json::{Value, json};

use super::{Person, TestServer};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

/// See the module.
pub(crate) struct Socket<'a> {
    server: &'a TestServer,
    path: String,
}

impl<'a> Socket<'a> {
    /// A session that has joined nothing yet.
    pub(crate) async fn open(server: &'a TestServer) -> Self {
        let opening = server.get(&Person::nobody(), OPEN).await;
        let opening: Value = serde_json::from_str(&opening.body.as_str().unwrap()[1..]).unwrap();
        Self { server, path: format!("{OPEN}&sid={}", opening["sid"].as_str().unwrap()) }
    }

    pub(crate) async fn join(server: &'a TestServer, person: &Person) -> Self {
        let socket = Self::open(server).await;
        socket.comes(person).await;
        socket
    }

    /// Joins the namespace, for the first time or again.
    pub(crate) async fn comes(&self, person: &Person) {
        self.says(&format!("40/support,{}", json!({ "token": person.token }))).await;
        // An agent hears that they have come right behind it.
        let answer = self.poll().await;
        assert!(answer[0].starts_with("40/support,"), "{answer:?}");
    }

    pub(crate) async fn says(&self, packets: &str) {
        let url = format!("{}{}", self.server.url, self.path);
        let answer = self.server.http.post(url).body(packets.to_owned()).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");
    }

    /// Says something that may end the session.
    pub(crate) async fn tries(&self, packets: String) {
        let url = format!("{}{}", self.server.url, self.path);
        let _ = self.server.http.post(url).body(packets).send().await.unwrap();
    }

    pub(crate) async fn poll(&self) -> Vec<String> {
        let url = format!("{}{}", self.server.url, self.path);
        let answer = self.server.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap().split('\u{1e}').map(ToOwned::to_owned).collect()
    }

    /// Whether the server still knows the session.
    pub(crate) async fn is_known(&self) -> bool {
        let url = format!("{}{}", self.server.url, self.path);
        self.server.http.post(url).body("3").send().await.unwrap().status() == 200
    }

    /// Joins a conversation: the messages that come before the acknowledgement, and that.
    pub(crate) async fn joins(&self, payload: Value) -> (Vec<Value>, Value) {
        self.says(&format!("42/support,1{}", json!(["join_conversation", payload]))).await;
        let mut messages = Vec::new();
        loop {
            for packet in self.poll().await {
                if let Some(ack) = packet.strip_prefix("43/support,1") {
                    return (messages, serde_json::from_str::<Value>(ack).unwrap()[0].take());
                }
                assert_ne!(packet, "1", "the session was closed");
                if let Some(event) = packet.strip_prefix("42/support,[\"new_message\",") {
                    let event: Value = serde_json::from_str(&format!("[{event}")).unwrap();
                    messages.push(event[0]["message"].clone());
                }
            }
        }
    }
}
