//! A server whose clients may come back, and clients that do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, NamespaceHandle, RecoveryConfig, Socket, SocketIo,
    SocketIoConfig,
};
use engineio::EngineConfig;
use serde_json::{Value, json};

use super::{Log, Server, WebSocket, until};

/// A server whose sockets are all in the room `always`, are greeted, and recover for whoever has the same token.
pub struct World {
    pub server: Server,
    pub io: SocketIo,
    log: Log,
}

impl World {
    pub fn new() -> Self {
        Self::with(EngineConfig::default(), RecoveryConfig::default())
    }

    pub fn with(engine: EngineConfig, recovery: RecoveryConfig) -> Self {
        let log = Log::default();
        let (came, left) = (Arc::clone(&log), Arc::clone(&log));
        let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
        let namespace = Namespace::<String>::new("/", |handshake: Handshake| async move {
            let auth = handshake.auth.unwrap_or_default();
            match auth.get("token").and_then(Value::as_str) {
                Some(token) => Ok(token.to_owned()),
                None => Err(ConnectRefusal::new("no token")),
            }
        })
        .recover_if(|old, new| old == new)
        .on_connect(move |socket: Socket<String>| {
            let came = Arc::clone(&came);
            async move {
                came.lock().unwrap().push(format!("came {}", socket.recovered()));
                socket.join("always");
                socket.emit("hello", &socket.recovered());
            }
        })
        .on("join", |socket: Socket<String>, event: Event| async move {
            Some(socket.join(event.first::<String>().unwrap()))
        })
        .on("slow", |_: Socket<String>, _: Event| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
        })
        .on_disconnect(move |_: Socket<String>, reason: DisconnectReason| {
            let left = Arc::clone(&left);
            async move { left.lock().unwrap().push(format!("left {reason}")) }
        });
        let io = SocketIo::builder(engine, config).namespace(namespace).build();
        Self { server: Server::start(io.clone()), io, log }
    }

    pub fn namespace(&self) -> NamespaceHandle {
        self.io.namespace("/").unwrap()
    }

    /// A client that connects with this, and has seen its greeting.
    pub async fn client(&self, auth: Value) -> Client {
        let mut socket = self.server.websocket().await;
        socket.send(&format!("40{auth}")).await;
        let mut missed = Vec::new();
        let mut last = Value::Null;
        loop {
            let text = socket.text().await;
            if let Some(answer) = text.strip_prefix("40") {
                let answer: Value = serde_json::from_str(answer).unwrap();
                let mut client = Client {
                    socket,
                    missed,
                    sid: answer["sid"].as_str().unwrap().to_owned(),
                    pid: answer["pid"].as_str().unwrap().to_owned(),
                    last,
                };
                // Broadcasts may come in between, as it is in its rooms already.
                loop {
                    let event = client.event().await;
                    if event[0] == "hello" {
                        return client;
                    }
                    client.missed.push(event[1].clone());
                }
            }
            let event: Value = serde_json::from_str(&text[2..]).unwrap();
            last = event[2].clone();
            missed.push(event[1].clone());
        }
    }

    /// The same client on a new connection, while the old one may live.
    pub async fn back(&self, client: &Client) -> Client {
        self.client(client.auth()).await
    }

    /// Waits until nobody is connected.
    pub async fn settled(&self) {
        until("the client is away", || self.namespace().socket_count() == 0).await;
    }

    /// Who came and left since this was asked last.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

/// What a client knows of itself.
pub struct Client {
    pub socket: WebSocket,
    /// First arguments of the events before the greeting.
    pub missed: Vec<Value>,
    pub sid: String,
    pub pid: String,
    /// The last event's last argument, as a stock client keeps it.
    pub last: Value,
}

impl Client {
    /// The next event.
    pub async fn event(&mut self) -> Value {
        let text = self.socket.expect("42").await;
        let event: Value = serde_json::from_str(&text[2..]).unwrap();
        self.last = event[event.as_array().unwrap().len() - 1].clone();
        assert!(self.last.is_string(), "every event ends with an offset");
        event
    }

    /// What it comes back with.
    pub fn auth(&self) -> Value {
        json!({"pid": self.pid, "offset": self.last, "token": "mine"})
    }

    pub async fn join(&mut self, room: &str) {
        self.socket.send(&format!("429[\"join\",\"{room}\"]")).await;
        self.socket.expect("439[true]").await;
    }
}

/// What a new client connects with.
pub fn mine() -> Value {
    json!({"token": "mine"})
}
