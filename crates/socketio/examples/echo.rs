//! The server that the official protocol test suites expect: an Engine.IO echo at `/engine.io/`, and Socket.IO at
//! `/socket.io/` with the namespaces `/` and `/custom`. Listens on the port in `PORT`, 3000 by default.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_socketio::{ConnectRefusal, Event, HalfCloseStream, Handshake, Namespace, Socket, SocketIo, SocketIoConfig};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use engineio::{CloseReason, Connection, EngineConfig, EngineHandler, EngineIo, Message, SessionHandle};
use serde_json::{Value, json};

/// Sends every message back.
struct Echo;

struct EchoConnection(SessionHandle);

impl EngineHandler for Echo {
    fn open(&self, session: SessionHandle) -> Box<dyn Connection> {
        Box::new(EchoConnection(session))
    }
}

impl Connection for EchoConnection {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn on_message(&mut self, message: Message) {
        self.0.send(&message);
    }

    fn on_close(&mut self, _: CloseReason) {}

    fn poll_finished(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// A namespace that accepts every client and keeps its auth payload as the socket's data.
fn namespace(name: &str) -> Namespace<Value> {
    Namespace::<Value>::new(name, |handshake: Handshake| async move {
        Ok::<_, ConnectRefusal>(handshake.auth.unwrap_or_else(|| json!({})))
    })
    .on_connect(|socket: Socket<Value>| async move {
        socket.emit("auth", socket.data());
    })
    .on("message", |socket: Socket<Value>, event: Event| async move {
        socket.emit_arguments("message-back", &event.into_arguments());
    })
    .on("message-with-ack", |_: Socket<Value>, event: Event| async move { event.into_arguments() })
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3000);
    let engine_config = |path: &str| EngineConfig {
        path: path.to_owned(),
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..EngineConfig::default()
    };
    let config =
        SocketIoConfig { connect_timeout: Duration::from_secs(1), recovery: None, ..SocketIoConfig::default() };
    let io = SocketIo::builder(engine_config("/socket.io"), config)
        .namespace(namespace("/"))
        .namespace(namespace("/custom"))
        .build();
    let echo = EngineIo::new(engine_config("/engine.io"), Arc::new(Echo));
    // The suites expect that an abandoned poll is noticed and a closed WebSocket ends within a second.
    actix_server::Server::build()
        // The suites send requests on two connections and expect them to be handled in that order.
        .workers(1)
        .bind("http", ("127.0.0.1", port), move || {
            let app = App::new().configure(io.configure()).configure(echo.configure());
            let http = HttpService::build()
                .h1_allow_half_closed(true)
                .client_disconnect_timeout(Duration::from_secs(2))
                .on_connect_ext(|stream: &HalfCloseStream<TcpStream>, data| stream.register(data))
                .finish(map_config(app, |_| AppConfig::default()));
            fn_service(|stream: TcpStream| async {
                let peer = stream.peer_addr().ok();
                Ok((HalfCloseStream::new(stream), Protocol::Http1, peer))
            })
            .and_then(http)
        })?
        .run()
        .await
}
