//! A server for one test.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use actix_socketio::{SocketIo, SocketIoConfig};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use serde_json::Value;

use super::http::{Http, Poller};
use super::websocket::WebSocket;

/// A server with two workers. It stops when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(io: SocketIo) -> Self {
        Self::run(move || App::new().configure(io.configure()))
    }

    fn run<F, T>(app: F) -> Self
    where
        F: Fn() -> App<T> + Send + Clone + 'static,
        T: actix_web::dev::ServiceFactory<
                actix_web::dev::ServiceRequest,
                Config = (),
                Response = actix_web::dev::ServiceResponse,
                Error = actix_web::Error,
                InitError = (),
            > + 'static,
    {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let server = HttpServer::new(app)
                    .workers(2)
                    .h1_allow_half_closed(false)
                    .client_disconnect_timeout(Duration::from_millis(100))
                    .shutdown_timeout(1)
                    .disable_signals()
                    .backlog(4096)
                    .bind(("127.0.0.1", 0))
                    .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = receiver.recv().unwrap();
        Self { address, handle, thread: Some(thread) }
    }

    pub async fn http(&self) -> Http {
        Http::connect(self.address).await
    }

    /// Opens a polling session.
    pub async fn poller(&self) -> Poller {
        let mut http = self.http().await;
        let path = "/socket.io/?EIO=4&transport=polling";
        let response = http.get(path).await;
        assert_eq!(response.status, 200, "{}", response.body);
        let open: Value = serde_json::from_str(&response.body[1..]).unwrap();
        Poller { address: self.address, sid: open["sid"].as_str().unwrap().to_owned(), http }
    }

    /// Opens a session on a WebSocket and reads its open packet.
    pub async fn websocket(&self) -> WebSocket {
        let mut socket = WebSocket::connect(self.address, "/socket.io/?EIO=4&transport=websocket").await.unwrap();
        let open = socket.text().await;
        assert!(open.starts_with("0{"), "{open}");
        socket
    }

    /// Opens a session on a WebSocket and joins the main namespace.
    pub async fn join(&self) -> WebSocket {
        let mut socket = self.websocket().await;
        socket.send("40").await;
        let mut answer = socket.text().await;
        // With frequent pings on a busy machine, one may arrive first.
        while answer == "2" {
            socket.send("3").await;
            answer = socket.text().await;
        }
        assert!(answer.starts_with("40{"), "{answer}");
        socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        std::thread::spawn(move || actix_rt::System::new().block_on(stopping)).join().unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The default configuration without recovery, so that events do not end with an offset.
pub fn without_recovery() -> SocketIoConfig {
    SocketIoConfig { recovery: None, ..SocketIoConfig::default() }
}
