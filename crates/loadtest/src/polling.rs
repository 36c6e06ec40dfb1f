//! An idle client that polls: a request that waits, answered pings, nothing else.

use std::rc::Rc;

use bytes::Bytes;

use super::accounts::Account;
use super::http::{Answer, Http, HttpError};
use super::packet::{Handshake, Packet};
use super::rest_actions::path;
use super::run_state::RunState;
use super::socket::SocketError;
use super::statistics::Operation;

/// Between two packets of an answer.
const SEPARATOR: char = '\x1e';

/// A session that polls.
pub(super) struct Polling {
    run_state: Rc<RunState>,
    /// One connection waits, the other one says something meanwhile.
    waiting: Http,
    saying: Http,
    address: hyper::Uri,
}

impl Polling {
    /// Connects and joins the namespace; the time it took is written down.
    pub(super) async fn start(run_state: &Rc<RunState>, account: &Account) -> Result<Self, SocketError> {
        let due = run_state.now();
        // Polling clients bring their token in the packet, not in a header.
        let nobody = Account { name: String::new(), token: String::new() };
        let (mut waiting, saying) = (run_state.http(&nobody), run_state.http(&nobody));
        let base = "/socket.io/?EIO=4&transport=polling";
        let opened = text(waiting.get(&path(base)).await)?;
        let Packet::Open(handshake) = Packet::decode(&opened) else { return Err(SocketError::Broken) };
        let handshake: Handshake = serde_json::from_str(handshake).map_err(|_| SocketError::Broken)?;
        let address = path(&format!("{base}&sid={}", handshake.sid));
        let mut polling = Self { run_state: Rc::clone(run_state), waiting, saying, address };
        polling.say(format!("40/support,{}", serde_json::json!({ "token": account.token }))).await?;
        loop {
            let answer = polling.hear().await?;
            for packet in answer.split(SEPARATOR) {
                match Packet::decode(packet) {
                    Packet::Connected(_) => {
                        run_state.record(Operation::Connect, due);
                        return Ok(polling);
                    }
                    Packet::Refused(why) => return Err(SocketError::Refused(why.to_owned())),
                    _ => {}
                }
            }
        }
    }

    /// Polls until it is over, or the session is.
    pub(super) async fn run(mut self) {
        let run_state = Rc::clone(&self.run_state);
        tokio::select! {
            () = run_state.over() => {}
            error = self.poll() => {
                run_state.count("connections lost");
                run_state.error(format!("poll: {error}"));
            }
        }
    }

    async fn poll(&mut self) -> SocketError {
        loop {
            let answer = match self.hear().await {
                Ok(answer) => answer,
                Err(error) => return error,
            };
            for packet in answer.split(SEPARATOR) {
                let outcome = match Packet::decode(packet) {
                    Packet::Ping => self.say("3".to_owned()).await,
                    Packet::Close | Packet::Disconnected => Err(SocketError::Broken),
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    return error;
                }
            }
        }
    }

    async fn hear(&mut self) -> Result<String, SocketError> {
        text(self.waiting.get(&self.address).await)
    }

    async fn say(&mut self, packet: String) -> Result<(), SocketError> {
        text(self.saying.post(&self.address, Bytes::from(packet)).await).map(drop)
    }
}

fn text(answer: Result<Answer, HttpError>) -> Result<String, SocketError> {
    let answer = answer.map_err(|error| SocketError::Connect(error.to_string()))?;
    if answer.status != 200 {
        return Err(SocketError::Refused(format!("HTTP {}", answer.status)));
    }
    String::from_utf8(answer.body.to_vec()).map_err(|_| SocketError::Broken)
}
