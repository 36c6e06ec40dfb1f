//! Somebody's screen: a socket that has joined one conversation, and comes back when it is cut. When it does it says
//! what it saw last (`after_seq`), so that all that it is shown together must have no hole.

use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use switchboard_loadtest::history::{Conversation, Listener, Message as Said};
use switchboard_loadtest::recording::Notice;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::fault::Fault;
use super::people::Account;
use super::run_state::World;

/// The server's ping comes more often.
const SILENCE: Duration = Duration::from_secs(4);

/// What it cannot go on after. The connection is gone.
struct Broken;

/// See the module.
pub(crate) struct Screen {
    pub(crate) world: Rc<World>,
    pub(crate) account: Account,
    pub(crate) conversation: Conversation,
    pub(crate) id: String,
    /// The proxy before its server.
    pub(crate) at: std::net::SocketAddr,
}

type Stream = WebSocketStream<TcpStream>;

impl Screen {
    /// Until the task is dropped.
    pub(crate) async fn watch(self) {
        let listener = self.world.history.borrow_mut().add_listener(self.conversation, self.account.person, true);
        loop {
            if let Ok(Ok(stream)) = timeout(SILENCE, self.connect()).await {
                let _ = self.listen(listener, stream).await;
                self.world.history.borrow_mut().end_session(listener, self.world.now());
                self.world.count("screens cut");
            }
            self.world.pause(20..150).await;
        }
    }

    async fn connect(&self) -> Result<Stream, Broken> {
        let stream = TcpStream::connect(self.at).await.map_err(|_| Broken)?;
        let address = format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.at);
        let (mut stream, _) = client_async(address, stream).await.map_err(|_| Broken)?;
        loop {
            let frame = next(&mut stream).await?;
            if frame.starts_with('0') {
                write(&mut stream, format!("40/support,{}", json!({ "token": self.account.token }))).await?;
            } else if frame.starts_with("40/support,") {
                return Ok(stream);
            } else if frame.starts_with("44/support,") {
                // 401 is for bad tokens alone, and this one is good.
                if frame.contains("UNAUTHORIZED") {
                    self.world.is_odd(format!("a good token is refused: {frame}"));
                }
                return Err(Broken);
            } else {
                pong(&mut stream, &frame).await?;
            }
        }
    }

    async fn listen(&self, listener: Listener, mut stream: Stream) -> Result<(), Broken> {
        let known = self.world.history.borrow()[listener].latest();
        let mut payload = json!({ "conversation_id": self.id });
        if known > 0 || self.world.dice(0..2) == 0 {
            payload["after_seq"] = json!(known);
        } else {
            self.world.blind.borrow_mut().push(listener);
        }
        self.world.history.borrow_mut().begin_join(listener, self.world.now());
        write(&mut stream, format!("42/support,1{}", json!(["join_conversation", payload]))).await?;
        loop {
            let frame = next(&mut stream).await?;
            if let Some(ack) = frame.strip_prefix("43/support,1") {
                let ack: Value = serde_json::from_str(ack).unwrap();
                if ack[0]["success"] != json!(true) {
                    self.world.count("joins refused");
                    return Err(Broken);
                }
                self.world.history.borrow_mut().complete_join(listener, self.world.now());
            } else if let Some(event) = frame.strip_prefix("42/support,") {
                self.hear(listener, &serde_json::from_str(event).unwrap());
            } else {
                pong(&mut stream, &frame).await?;
            }
        }
    }

    fn hear(&self, listener: Listener, event: &Value) {
        let (name, payload) = (event[0].as_str().unwrap_or_default(), &event[1]);
        let id = payload["conversation_id"].as_str().or(payload["id"].as_str());
        if id != Some(self.id.as_str()) {
            return;
        }
        let now = self.world.now();
        let mut history = self.world.history.borrow_mut();
        match name {
            "new_message" => {
                let message = &payload["message"];
                let said = self.world.message(message["message"].as_str().unwrap_or_default());
                match message["seq"].as_i64() {
                    Some(seq) => history.record_shown(listener, seq, said, now),
                    None => history.record_notice(listener, Notice::Note(said), now),
                }
            }
            // To a customer, a preview may give a note away.
            "conversation_updated" if !self.account.is_agent => {
                let said = self.world.message(payload["message"]["preview"].as_str().unwrap_or_default());
                if let Said::Of(call) = said
                    && history[call].action == switchboard_loadtest::history::Action::Note
                {
                    history.record_notice(listener, Notice::Note(said), now);
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
}

/// Connects, joins, and reads nothing any more.
pub(crate) async fn deaf(screen: Screen) {
    let Ok(Ok(mut stream)) = timeout(SILENCE, screen.connect()).await else { return };
    let payload = json!(["join_conversation", { "conversation_id": screen.id }]);
    if write(&mut stream, format!("42/support,{payload}")).await.is_ok() {
        screen.world.strikes(Fault::DeafClients);
        std::future::pending::<()>().await;
    }
}

async fn next(stream: &mut Stream) -> Result<String, Broken> {
    loop {
        match timeout(SILENCE, stream.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => return Ok(text.as_str().to_owned()),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return Err(Broken),
            Ok(Some(Ok(_))) => {}
        }
    }
}

async fn pong(stream: &mut Stream, frame: &str) -> Result<(), Broken> {
    match frame {
        "2" => write(stream, "3".to_owned()).await,
        "1" | "41/support," | "41/support" => Err(Broken),
        _ => Ok(()),
    }
}

async fn write(stream: &mut Stream, text: String) -> Result<(), Broken> {
    stream.send(Message::text(text)).await.map_err(|_| Broken)
}
