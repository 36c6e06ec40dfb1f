//! A Socket.IO client over WebSocket, framed as the stock client frames, on tokio-tungstenite.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::endpoint::{Endpoint, Stream};
use super::packet::{Arguments, Connected, Handshake, Packet};

/// How long to wait for a handshake or an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(30);

/// The size of a socket's buffers in bytes. Small, since thousands of sockets are open.
const READ_AHEAD: usize = 4096;

/// Why a socket could not connect, or has ended.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum SocketError {
    #[error("no connection: {0}")]
    Connect(String),
    #[error("the handshake was refused: {0}")]
    Refused(String),
    #[error("the connection broke")]
    Broken,
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    #[error("the server's ping did not arrive")]
    Silent,
}

impl From<tungstenite::Error> for SocketError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => Self::Refused(format!("HTTP {}", response.status().as_u16())),
            tungstenite::Error::Io(error) => Self::Connect(error.to_string()),
            _ => Self::Broken,
        }
    }
}

/// What a client sends to have its session recovered.
#[derive(Clone, Debug, Default)]
pub(super) struct Resume {
    pub(super) pid: Option<String>,
    pub(super) offset: Option<String>,
}

/// See the module.
pub(super) struct Socket {
    stream: WebSocketStream<Stream>,
    next_ack: u64,
    pub(super) resume: Resume,
    /// The server recovered the session, and has sent the missed events.
    pub(super) recovered: bool,
    /// How long the server may be silent.
    silence: Duration,
    last_received: Instant,
}

/// The handler of events: an event's name and its array.
pub(super) type OnEvent<'a> = &'a mut dyn FnMut(&str, &str);

impl Socket {
    /// Connects and joins the namespace. Recovered events are passed to `on_event` before this returns.
    pub(super) async fn connect(
        endpoint: &Endpoint,
        token: &str,
        resume: Option<Resume>,
        on_event: OnEvent<'_>,
    ) -> Result<Self, SocketError> {
        timeout(PATIENCE, Self::connecting(endpoint, token, resume, on_event))
            .await
            .unwrap_or(Err(SocketError::TimedOut))
    }

    async fn connecting(
        endpoint: &Endpoint,
        token: &str,
        resume: Option<Resume>,
        on_event: OnEvent<'_>,
    ) -> Result<Self, SocketError> {
        let stream = endpoint.connect().await.map_err(|error| SocketError::Connect(error.to_string()))?;
        let address = format!("ws://{}/socket.io/?EIO=4&transport=websocket", endpoint.authority);
        let config = WebSocketConfig::default().read_buffer_size(READ_AHEAD).write_buffer_size(READ_AHEAD);
        let (stream, _) = client_async_with_config(address.into_client_request()?, stream, Some(config)).await?;
        let resume = resume.unwrap_or_default();
        let mut auth = json!({ "token": token });
        if let (Some(auth), Some(pid)) = (auth.as_object_mut(), &resume.pid) {
            auth.insert("pid".to_owned(), json!(pid));
            auth.extend(resume.offset.as_ref().map(|offset| ("offset".to_owned(), json!(offset))));
        }
        let claimed = resume.pid.clone();
        let (silence, last_received) = (PATIENCE, Instant::now());
        let mut socket = Self { stream, next_ack: 0, resume, recovered: false, silence, last_received };
        loop {
            let frame = socket.frame().await?;
            match Packet::decode(&frame) {
                Packet::Open(handshake) => {
                    let handshake: Handshake = serde_json::from_str(handshake).map_err(|_| SocketError::Broken)?;
                    socket.silence = Duration::from_millis(handshake.ping_interval + handshake.ping_timeout);
                    socket.write(format!("40/support,{auth}").into()).await?;
                }
                Packet::Connected(answer) => {
                    let connected: Connected<'_> = serde_json::from_str(answer).map_err(|_| SocketError::Broken)?;
                    let pid = connected.pid.map(std::borrow::Cow::into_owned);
                    socket.recovered = claimed.is_some() && pid == claimed;
                    if !socket.recovered {
                        socket.resume.offset = None;
                    }
                    socket.resume.pid = pid;
                    return Ok(socket);
                }
                Packet::Refused(why) => return Err(SocketError::Refused(why.to_owned())),
                packet => socket.take(packet, on_event).await.map(drop)?,
            }
        }
    }

    /// Waits for what comes next and hands events on. `None` where it was no acknowledgement.
    pub(super) async fn step(&mut self, on_event: OnEvent<'_>) -> Result<Option<(u64, bool)>, SocketError> {
        let frame = self.frame().await?;
        self.take(Packet::decode(&frame), on_event).await
    }

    async fn take(&mut self, packet: Packet<'_>, on_event: OnEvent<'_>) -> Result<Option<(u64, bool)>, SocketError> {
        match packet {
            Packet::Ping => self.write(Utf8Bytes::from_static("3")).await?,
            Packet::Event(name, array) => {
                // The event that carries the offset is none of the application's.
                if name != "offset" {
                    on_event(name, array);
                }
                // As stock clients do, whatever the event: its last argument, if that is a string.
                if self.resume.pid.is_some() && array.ends_with("\"]") {
                    self.remember_offset(array);
                }
            }
            Packet::Ack(id, array) => return Ok(Some((id, array.contains("\"success\":true")))),
            Packet::Close | Packet::Disconnected => return Err(SocketError::Broken),
            Packet::Open(_) | Packet::Connected(_) | Packet::Refused(_) | Packet::Other => {}
        }
        Ok(None)
    }

    /// Remembers the offset at the end of an event's array. Found from the end, since parsing the array for it would double
    /// the work.
    fn remember_offset(&mut self, array: &str) {
        let quick = array.strip_suffix("\"]").and_then(|rest| rest.rsplit_once(",\"")).map(|(_, offset)| offset);
        if let Some(offset) = quick.filter(|offset| !offset.contains(['\\', '"'])) {
            match &mut self.resume.offset {
                Some(known) => {
                    known.clear();
                    known.push_str(offset);
                }
                none => *none = Some(offset.to_owned()),
            }
        } else if let Some(offset) = Arguments::<IgnoredAny>::of_event(array).and_then(|arguments| arguments.offset) {
            self.resume.offset = Some(offset.into_owned());
        }
    }

    /// Emits without an acknowledgement.
    pub(super) async fn emit(&mut self, name: &str, payload: &str) -> Result<(), SocketError> {
        self.write(format!("42/support,[\"{name}\",{payload}]").into()).await
    }

    /// Emits, and waits for the acknowledgement. Returns its `success`.
    pub(super) async fn emit_with_ack(
        &mut self,
        name: &str,
        payload: &str,
        on_event: OnEvent<'_>,
    ) -> Result<bool, SocketError> {
        let id = self.next_ack;
        self.next_ack += 1;
        self.write(format!("42/support,{id}[\"{name}\",{payload}]").into()).await?;
        let until = Instant::now() + PATIENCE;
        loop {
            match timeout_at(until, self.step(on_event)).await {
                Ok(Ok(Some((acknowledged, success)))) if acknowledged == id => return Ok(success),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(SocketError::TimedOut),
            }
        }
    }

    /// Dropping a future of this loses nothing: what was read of a frame stays with the stream.
    async fn frame(&mut self) -> Result<Utf8Bytes, SocketError> {
        loop {
            let next = timeout_at(self.last_received + self.silence, self.stream.next()).await;
            self.last_received = Instant::now();
            match next.map_err(|_| SocketError::Silent)? {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(SocketError::Broken),
                Some(Ok(_)) => {}
            }
        }
    }

    async fn write(&mut self, text: Utf8Bytes) -> Result<(), SocketError> {
        self.stream.send(Message::Text(text)).await.map_err(|_| SocketError::Broken)
    }
}
