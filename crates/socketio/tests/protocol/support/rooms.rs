//! Namespaces that do what packets ask for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, Socket, SocketIo, SocketIoConfig};
use engineio::EngineConfig;
use serde_json::{Value, json};

use super::{Server, WebSocket, quiet, until};

/// What handlers noted.
pub type Log = Arc<Mutex<Vec<String>>>;

/// A namespace whose handlers do what packets ask for, and whose log tells of acknowledgements and of who left.
pub fn namespace(name: &str, log: &Log) -> Namespace<Value> {
    let left = Arc::clone(log);
    let acked = Arc::clone(log);
    Namespace::<Value>::new(name, |handshake: Handshake| async move {
        let auth = handshake.auth.unwrap_or_else(|| json!({}));
        match auth.get("refuse") {
            Some(data) => {
                Err(ConnectRefusal { message: "refused".to_owned(), data: (!data.is_null()).then(|| data.clone()) })
            }
            None => {
                if auth.get("slow").is_some() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Ok(auth)
            }
        }
    })
    .on_connect(|socket: Socket<Value>| async move {
        socket.join("all");
        socket.emit("welcome", socket.data());
    })
    .on("echo", |socket: Socket<Value>, event: Event| async move {
        if event.wants_ack {
            return event.into_arguments();
        }
        socket.emit_arguments("echo", &event.clone().into_arguments());
        event.into_arguments()
    })
    .on("nothing", |_: Socket<Value>, _: Event| async {})
    .on("none", |_: Socket<Value>, _: Event| async { None::<()> })
    .on("late", |_: Socket<Value>, event: Event| async move {
        tokio::time::sleep(Duration::from_millis(event.first::<u64>().unwrap())).await;
        Some(event.arguments)
    })
    .on("leave me", |socket: Socket<Value>, _: Event| async move {
        socket.disconnect();
        assert!(!socket.join("again"), "one that has left cannot join");
    })
    .on("ask", move |socket: Socket<Value>, _: Event| {
        let acked = Arc::clone(&acked);
        async move {
            let patience = Duration::from_millis(300);
            // Not within the handler: the answer is not held up by it, but the next event is.
            let asked = socket.clone();
            actix_rt::spawn(async move {
                let answer = match asked.emit_with_ack("question", &1, patience).await {
                    Ok(arguments) => {
                        format!("{:?} {}", arguments.values, arguments.attachments.len())
                    }
                    Err(error) => error.to_string(),
                };
                acked.lock().unwrap().push(answer);
            });
        }
    })
    .on("count", |socket: Socket<Value>, _: Event| async move { Some(socket.rooms().len()) })
    .on_disconnect(move |_: Socket<Value>, reason: DisconnectReason| {
        let left = Arc::clone(&left);
        async move { left.lock().unwrap().push(reason.to_string()) }
    })
}

/// A server with such a namespace at `/` and at `/a`.
pub fn room_server_with(config: SocketIoConfig) -> (Server, SocketIo, Log) {
    let log = Log::default();
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(namespace("/", &log))
        .namespace(namespace("/a", &log))
        .build();
    (Server::start(io.clone()), io, log)
}

/// As [`room_server_with`], with quiet times and no recovery.
pub fn room_server() -> (Server, SocketIo, Log) {
    room_server_with(quiet())
}

/// A client of the main namespace, that has seen its welcome.
pub async fn joined(server: &Server) -> WebSocket {
    let mut socket = server.joined().await;
    socket.expect("42[\"welcome\"").await;
    socket
}

/// The next entry of a log.
pub async fn logged(log: &Log) -> String {
    until("something is logged", || !log.lock().unwrap().is_empty()).await;
    log.lock().unwrap().remove(0)
}
