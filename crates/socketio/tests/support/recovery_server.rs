//! A server with connection state recovery, and clients that return.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, DisconnectReason, EngineConfig, Event, Handshake, Namespace, NamespaceHandle, RecoveryConfig,
    Socket, SocketIo, SocketIoConfig,
};
use serde_json::{Value, json};

use super::{Log, Server, WebSocket, wait_until};

/// A server whose sockets are in the room `always`, are sent `hello` on connect, and recover for the same token.
pub struct RecoveryServer {
    pub server: Server,
    pub io: SocketIo,
    log: Log,
}

impl RecoveryServer {
    pub fn start() -> Self {
        Self::start_with(EngineConfig::default(), RecoveryConfig::default())
    }

    pub fn start_with(engine: EngineConfig, recovery: RecoveryConfig) -> Self {
        let log = Log::default();
        let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
        let io = SocketIo::builder(engine, config).namespace(namespace(&log)).build();
        Self { server: Server::start(io.clone()), io, log }
    }

    pub fn namespace(&self) -> NamespaceHandle {
        self.io.namespace("/").unwrap()
    }

    /// A client that connects with an auth payload and has received its `hello`.
    pub async fn client(&self, auth: Value) -> RecoveryClient {
        let mut socket = self.server.websocket().await;
        socket.send(&format!("40{auth}")).await;
        let mut missed = Vec::new();
        let mut offset = Value::Null;
        loop {
            let text = socket.text().await;
            if let Some(answer) = text.strip_prefix("40") {
                let answer: Value = serde_json::from_str(answer).unwrap();
                let mut client = RecoveryClient {
                    socket,
                    missed,
                    sid: answer["sid"].as_str().unwrap().to_owned(),
                    pid: answer["pid"].as_str().unwrap().to_owned(),
                    offset,
                };
                // Missed events, perhaps an earlier `hello` among them, and broadcasts precede the `hello` of this connection.
                let hello = json!(["hello", auth["pid"] == client.pid]);
                loop {
                    let event = client.event().await;
                    if event == hello {
                        return client;
                    }
                    client.missed.push(event[1].clone());
                }
            }
            let event: Value = serde_json::from_str(&text[2..]).unwrap();
            if event[0] == "offset" {
                offset = event[1].clone();
            } else {
                missed.push(event[1].clone());
            }
        }
    }

    /// The same client on a new connection, whether or not the old one is closed.
    pub async fn reconnect(&self, client: &RecoveryClient) -> RecoveryClient {
        self.client(client.auth()).await
    }

    /// Waits until no client is connected.
    pub async fn wait_disconnected(&self) {
        wait_until("no client is connected", || self.namespace().socket_count() == 0).await;
    }

    /// Takes the log of connects and disconnects.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

fn namespace(log: &Log) -> Namespace<String> {
    let (connect_log, disconnect_log) = (Arc::clone(log), Arc::clone(log));
    Namespace::<String>::new("/", |handshake: Handshake| async move {
        let auth = handshake.auth.unwrap_or_default();
        match auth.get("token").and_then(Value::as_str) {
            Some(token) => Ok(token.to_owned()),
            None => Err(ConnectRefusal::new("no token")),
        }
    })
    .recover_if(|old, new| old == new)
    .on_connect(move |socket: Socket<String>| {
        let log = Arc::clone(&connect_log);
        async move {
            log.lock().unwrap().push(format!("connected, recovered: {}", socket.recovered()));
            socket.join("always");
            socket.emit("hello", &socket.recovered());
        }
    })
    .on(
        "join",
        |socket: Socket<String>, event: Event| async move { Some(socket.join(event.first::<String>().unwrap())) },
    )
    .on("slow", |_: Socket<String>, _: Event| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
    })
    .on_disconnect(move |_: Socket<String>, reason: DisconnectReason| {
        let log: Arc<Mutex<Vec<String>>> = Arc::clone(&disconnect_log);
        async move { log.lock().unwrap().push(format!("disconnected: {reason}")) }
    })
}

/// A client's connection and what it needs to return.
pub struct RecoveryClient {
    pub socket: WebSocket,
    /// First arguments of the events before the `hello`.
    pub missed: Vec<Value>,
    pub sid: String,
    pub pid: String,
    /// The last offset, as a stock client keeps it.
    pub offset: Value,
}

impl RecoveryClient {
    /// The next event and its offset.
    pub async fn event(&mut self) -> Value {
        let event = self.packet().await;
        let offset = self.packet().await;
        assert_eq!(offset[0], "offset", "an offset follows each event");
        assert!(offset[1].is_string());
        self.offset = offset[1].clone();
        event
    }

    /// The next event without an offset. Pings are answered on the way.
    pub async fn packet(&mut self) -> Value {
        let mut text = self.socket.text().await;
        while text == "2" {
            self.socket.send("3").await;
            text = self.socket.text().await;
        }
        assert!(text.starts_with("42"), "{text}");
        serde_json::from_str(&text[2..]).unwrap()
    }

    /// The auth payload that recovers the client.
    pub fn auth(&self) -> Value {
        json!({"pid": self.pid, "offset": self.offset, "token": "mine"})
    }

    pub async fn join(&mut self, room: &str) {
        self.socket.send(&format!("429[\"join\",\"{room}\"]")).await;
        self.socket.expect("439[true]").await;
    }
}

/// The auth payload of a new client.
pub fn token() -> Value {
    json!({"token": "mine"})
}
