//! A socket that has joined one conversation, and joins it again whenever its connection is lost. It then names the last
//! message that it has (`after_seq`), so that what it receives altogether must have no gap.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use switchboard_loadtest::history::{Action, Conversation, Listener, Message, Notice};
use switchboard_testkit::{Disconnected, SocketClient, WebSocketSession};
use tokio::time::timeout;

use super::fault::Fault;
use super::participants::Participant;
use super::run_state::RunState;

/// Longer than the server's ping interval and timeout together.
const SILENCE: Duration = Duration::from_secs(4);

/// See the module.
pub(crate) struct ConversationListener {
    pub(crate) state: Rc<RunState>,
    pub(crate) participant: Participant,
    pub(crate) conversation: Conversation,
    pub(crate) id: String,
    /// The proxy in front of its server.
    pub(crate) address: SocketAddr,
}

impl ConversationListener {
    /// Runs until the task is aborted.
    pub(crate) async fn run(self) {
        let listener = self.state.history.borrow_mut().add_listener(self.conversation, self.participant.person, true);
        loop {
            if let Ok(Ok(socket)) = timeout(SILENCE, self.connect()).await {
                let _ = self.listen(listener, socket).await;
                self.state.history.borrow_mut().end_session(listener, self.state.now());
                self.state.count("sockets cut");
            }
            self.state.pause(20..150).await;
        }
    }

    async fn connect(&self) -> Result<SocketClient, Disconnected> {
        let session = WebSocketSession::open(self.address, SILENCE).await?;
        let joined = SocketClient::join_websocket(session, "/support", &self.participant.token).await;
        joined.map_err(|error| {
            // Only a bad token is UNAUTHORIZED, and this one is good.
            if error.to_string().contains("UNAUTHORIZED") {
                self.state.report_anomaly(format!("a good token is refused: {error}"));
            }
            Disconnected
        })
    }

    async fn listen(&self, listener: Listener, mut socket: SocketClient) -> Result<(), Disconnected> {
        let latest = self.state.history.borrow()[listener].latest();
        let mut payload = json!({ "conversation_id": self.id });
        if latest > 0 || self.state.random_in(0..2) == 0 {
            payload["after_seq"] = json!(latest);
        } else {
            self.state.without_backlog.borrow_mut().push(listener);
        }
        self.state.history.borrow_mut().begin_join(listener, self.state.now());
        let ack = socket.emit_with_ack("join_conversation", &payload).await?;
        loop {
            socket.receive().await?;
            // What precedes the acknowledgement is recorded before the listener counts as joined.
            for (event, payload) in socket.take_events() {
                self.record(listener, &event, &payload);
            }
            if let Some(answer) = socket.take_ack(ack) {
                if answer["success"] != json!(true) {
                    self.state.count("joins refused");
                    return Err(Disconnected);
                }
                self.state.history.borrow_mut().complete_join(listener, self.state.now());
            }
        }
    }

    fn record(&self, listener: Listener, event: &str, payload: &Value) {
        let id = payload["conversation_id"].as_str().or(payload["id"].as_str());
        if id != Some(self.id.as_str()) {
            return;
        }
        let now = self.state.now();
        let mut history = self.state.history.borrow_mut();
        match event {
            "new_message" => {
                let message = &payload["message"];
                let call = self.state.message(message["message"].as_str().unwrap_or_default());
                match message["seq"].as_i64() {
                    Some(seq) => history.record_shown(listener, seq, call, now),
                    None => history.record_notice(listener, Notice::Note(call), now),
                }
            }
            // A preview must not show a note to a customer.
            "conversation_updated" if !self.participant.is_agent => {
                let message = self.state.message(payload["message"]["preview"].as_str().unwrap_or_default());
                if let Message::Of(call) = message
                    && history[call].action == Action::Note
                {
                    history.record_notice(listener, Notice::Note(message), now);
                }
            }
            "conversation_claimed" => {
                if let Some(agent) = payload["assigned_to"].as_str().and_then(|name| history.find_person(name)) {
                    history.record_notice(listener, Notice::Claimed(agent), now);
                }
            }
            "conversation_closed" => history.record_notice(listener, Notice::Closed, now),
            _ => {}
        }
    }

    /// Joins the conversation and reads nothing from then on.
    pub(crate) async fn stall(self) {
        let Ok(Ok(mut socket)) = timeout(SILENCE, self.connect()).await else { return };
        if socket.emit("join_conversation", &json!({ "conversation_id": self.id })).await.is_ok() {
            self.state.effects.record(Fault::StalledClients);
            std::future::pending::<()>().await;
        }
    }
}
