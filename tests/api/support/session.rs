//! A polling session on `/support` in which a test sees every packet.

use serde_json::{Value, json};
use switchboard_testkit::PollingSession;

use super::{ApiServer, TestUser};

/// A session that has joined `/support`, or may join it.
pub(crate) struct SupportSession {
    session: PollingSession,
}

impl SupportSession {
    /// Opens a session that has joined no namespace.
    pub(crate) async fn open(server: &ApiServer) -> Self {
        Self { session: PollingSession::open(&server.url).await.unwrap() }
    }

    /// Opens a session and joins the namespace.
    pub(crate) async fn join(server: &ApiServer, user: &TestUser) -> Self {
        let session = Self::open(server).await;
        session.connect(user).await;
        session
    }

    /// What the server's OPEN packet contains.
    pub(crate) fn handshake(&self) -> &Value {
        &self.session.handshake
    }

    /// Joins the namespace, for the first time or again. Returns what the CONNECT packet contains.
    pub(crate) async fn connect(&self, user: &TestUser) -> Value {
        self.send(&format!("40/support,{}", json!({ "token": user.token }))).await;
        // To an agent the server sends `agent_presence` right after it.
        let packets = self.poll().await;
        let connected = packets[0].strip_prefix("40/support,").unwrap_or_else(|| panic!("{packets:?}"));
        serde_json::from_str(connected).unwrap()
    }

    /// Sends packets, separated as in a payload.
    pub(crate) async fn send(&self, payload: &str) {
        self.session.send(payload).await.unwrap();
    }

    /// Sends packets that may end the session.
    pub(crate) async fn try_send(&self, payload: &str) {
        // Whether the server accepts them is not the question.
        let _ = self.session.send(payload).await;
    }

    /// Polls once.
    pub(crate) async fn poll(&self) -> Vec<String> {
        self.session.poll().await.unwrap()
    }

    /// Whether the server still has the session.
    pub(crate) async fn is_open(&self) -> bool {
        self.session.is_open().await
    }

    /// Joins a conversation. Returns the messages that precede the acknowledgement, and the acknowledgement.
    pub(crate) async fn join_conversation(&self, payload: Value) -> (Vec<Value>, Value) {
        self.send(&format!("42/support,1{}", json!(["join_conversation", payload]))).await;
        let mut messages = Vec::new();
        loop {
            for packet in self.poll().await {
                if let Some(ack) = packet.strip_prefix("43/support,1") {
                    return (messages, serde_json::from_str::<Value>(ack).unwrap()[0].take());
                }
                assert_ne!(packet, "1", "the session was closed");
                messages.extend(new_message(&packet));
            }
        }
    }
}

/// The message of a `new_message` event.
pub(crate) fn new_message(packet: &str) -> Option<Value> {
    let arguments = packet.strip_prefix("42/support,[\"new_message\",")?;
    let mut arguments: Value = serde_json::from_str(&format!("[{arguments}")).unwrap();
    Some(arguments[0]["message"].take())
}
