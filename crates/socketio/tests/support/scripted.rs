//! Namespaces whose clients choose, by auth payload and events, what the handlers do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, DisconnectReason, EngineConfig, Event, Handshake, Namespace, Socket, SocketIo, SocketIoConfig,
};
use serde_json::{Value, json};

use super::{Server, WebSocket, wait_until, without_recovery};

/// Entries that handlers have written.
pub type Log = Arc<Mutex<Vec<String>>>;

/// A scripted namespace that logs acknowledgements and disconnect reasons.
pub fn scripted_namespace(name: &str, log: &Log) -> Namespace<Value> {
    let disconnect_log = Arc::clone(log);
    let ack_log = Arc::clone(log);
    Namespace::<Value>::new(name, authorise)
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
        .on("ack-empty", |_: Socket<Value>, _: Event| async {})
        .on("no-ack", |_: Socket<Value>, _: Event| async { None::<()> })
        .on("delay", |_: Socket<Value>, event: Event| async move {
            tokio::time::sleep(Duration::from_millis(event.first::<u64>().unwrap())).await;
            Some(event.arguments)
        })
        .on("kick", |socket: Socket<Value>, _: Event| async move {
            socket.disconnect();
            assert!(!socket.join("again"), "a disconnected socket cannot join");
        })
        .on("ask", move |socket: Socket<Value>, _: Event| {
            let log = Arc::clone(&ack_log);
            async move {
                // In a task, because a handler that waits would delay the next event.
                actix_rt::spawn(async move {
                    let answer = match socket.emit_with_ack("question", &1, Duration::from_millis(300)).await {
                        Ok(arguments) => format!("{:?} {}", arguments.values, arguments.attachments.len()),
                        Err(error) => error.to_string(),
                    };
                    log.lock().unwrap().push(answer);
                });
            }
        })
        .on("room-count", |socket: Socket<Value>, _: Event| async move { Some(socket.rooms().len()) })
        .on_disconnect(move |_: Socket<Value>, reason: DisconnectReason| {
            let log = Arc::clone(&disconnect_log);
            async move { log.lock().unwrap().push(reason.to_string()) }
        })
}

/// `{"refuse": data}` is refused with the data, `{"slow": …}` is accepted after 200 ms.
async fn authorise(handshake: Handshake) -> Result<Value, ConnectRefusal> {
    let auth = handshake.auth.unwrap_or_else(|| json!({}));
    if let Some(data) = auth.get("refuse") {
        let data = (!data.is_null()).then(|| data.clone());
        return Err(ConnectRefusal { message: "refused".to_owned(), data });
    }
    if auth.get("slow").is_some() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(auth)
}

/// Starts a server with scripted namespaces at `/` and `/a`.
pub fn scripted_server_with(config: SocketIoConfig) -> (Server, SocketIo, Log) {
    let log = Log::default();
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(scripted_namespace("/", &log))
        .namespace(scripted_namespace("/a", &log))
        .build();
    (Server::start(io.clone()), io, log)
}

/// Like [`scripted_server_with`], without recovery.
pub fn scripted_server() -> (Server, SocketIo, Log) {
    scripted_server_with(without_recovery())
}

/// A client of the main namespace that has received its welcome.
pub async fn join(server: &Server) -> WebSocket {
    let mut socket = server.join().await;
    socket.expect("42[\"welcome\"").await;
    socket
}

/// Waits for the next entry of a log and takes it.
pub async fn next_entry(log: &Log) -> String {
    wait_until("a log entry", || !log.lock().unwrap().is_empty()).await;
    log.lock().unwrap().remove(0)
}
