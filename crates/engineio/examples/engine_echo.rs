//! The server that the official Engine.IO protocol suite expects: it echoes messages at `/engine.io/`. It listens on the
//! port in `PORT`, 3000 by default, and shuts down gracefully on Ctrl-C.

use std::task::{Context, Poll};
use std::time::Duration;

use actix_engineio::{
    CloseReason, Connection, EngineConfig, EngineHandler, EngineIo, HalfCloseStream, Message, SessionHandle,
};
use actix_http::{HttpService, Protocol};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;

/// Opens an [`EchoConnection`] for each session.
struct Echo;

/// Sends every message back.
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

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3000);
    let config = EngineConfig {
        path: "/engine.io".to_owned(),
        // The suite expects these.
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..EngineConfig::default()
    };
    let engine = EngineIo::new(config, Echo);
    let mount = engine.configure();
    // A server on streams that end with their WebSockets, see `HalfCloseStream`.
    let server = actix_server::Server::build()
        // The suite sends requests on two connections and expects the server to handle them in that order.
        .workers(1)
        .disable_signals()
        .bind("http", ("127.0.0.1", port), move || {
            let app = App::new().configure(mount.clone());
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
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            // First the sessions, so that clients reconnect to another server while this one still responds.
            engine.close().await;
            handle.stop(true).await;
        }
    });
    server.await
}
