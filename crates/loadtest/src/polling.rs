//! An idle client over HTTP long polling: it answers pings and does nothing else.

use std::rc::Rc;

use bytes::Bytes;

use super::accounts::Account;
use super::http::{Answer, Http, HttpError};
use super::packet::{Handshake, Packet};
use super::rest_actions::path;
use super::run_state::RunState;
use super::socket::SocketError;
use super::statistics::Operation;

/// Separates the packets of an answer.
const SEPARATOR: char = '\x1e';

/// A session over HTTP long polling.
pub(super) struct Polling {
    run_state: Rc<RunState>,
    /// The connection with the pending poll.
    poll: Http,
    /// The connection for packets to the server meanwhile.
    send: Http,
    address: hyper::Uri,
}

impl Polling {
    /// Connects and joins the namespace, and records the latency as [`Operation::Connect`].
    pub(super) async fn start(run_state: &Rc<RunState>, account: &Account) -> Result<Self, SocketError> {
        let due = run_state.now();
        // Polling clients send their token in the CONNECT packet, not in a header.
        let without_token = Account { name: String::new(), token: String::new() };
        let (mut poll, send) = (run_state.http(&without_token), run_state.http(&without_token));
        let base = "/socket.io/?EIO=4&transport=polling";
        let opened = text(poll.get(&path(base)).await)?;
        let Packet::Open(handshake) = Packet::decode(&opened) else { return Err(SocketError::Broken) };
        let handshake: Handshake = serde_json::from_str(handshake).map_err(|_| SocketError::Broken)?;
        let address = path(&format!("{base}&sid={}", handshake.sid));
        let mut polling = Self { run_state: Rc::clone(run_state), poll, send, address };
        polling.send(format!("40/support,{}", serde_json::json!({ "token": account.token }))).await?;
        loop {
            let answer = polling.receive().await?;
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

    /// Polls until the run or the session ends.
    pub(super) async fn run(mut self) {
        let run_state = Rc::clone(&self.run_state);
        tokio::select! {
            () = run_state.over() => {}
            error = self.answer_pings() => {
                run_state.count("connections lost");
                run_state.error(format!("poll: {error}"));
            }
        }
    }

    async fn answer_pings(&mut self) -> SocketError {
        loop {
            let answer = match self.receive().await {
                Ok(answer) => answer,
                Err(error) => return error,
            };
            for packet in answer.split(SEPARATOR) {
                let outcome = match Packet::decode(packet) {
                    Packet::Ping => self.send("3".to_owned()).await,
                    Packet::Close | Packet::Disconnected => Err(SocketError::Broken),
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    return error;
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<String, SocketError> {
        text(self.poll.get(&self.address).await)
    }

    async fn send(&mut self, packet: String) -> Result<(), SocketError> {
        text(self.send.post(&self.address, Bytes::from(packet)).await).map(drop)
    }
}

fn text(answer: Result<Answer, HttpError>) -> Result<String, SocketError> {
    let answer = answer.map_err(|error| SocketError::Connect(error.to_string()))?;
    if answer.status != 200 {
        return Err(SocketError::Refused(format!("HTTP {}", answer.status)));
    }
    String::from_utf8(answer.body.to_vec()).map_err(|_| SocketError::Broken)
}
