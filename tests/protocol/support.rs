//! A server on a port of its own, and clients that speak raw HTTP and raw WebSocket frames, so that tests see every byte.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses its part; a test may panic"
)]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle};
use bytes::{Buf, BytesMut};
use serde_json::Value;
use switchboard::{
    engineio::{Application, EngineConfig, EngineIo},
    socketio::{SocketIo, SocketIoConfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A server with two workers. Dropped, it stops.
pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(io: SocketIo) -> Self {
        Self::run(move || App::new().configure(io.configure()))
    }

    pub fn start_engine(config: EngineConfig, application: Arc<dyn Application>) -> Self {
        let engine = EngineIo::new(config, application);
        Self::run(move || App::new().configure(engine.configure()))
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
        let answer = http.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let open: Value = serde_json::from_str(&answer.body[1..]).unwrap();
        Poller { address: self.address, sid: open["sid"].as_str().unwrap().to_owned(), http }
    }

    /// Opens a session on a WebSocket, and has seen its first packet.
    pub async fn websocket(&self) -> WebSocket {
        let mut socket = WebSocket::connect(self.address, "/socket.io/?EIO=4&transport=websocket").await.unwrap();
        let open = socket.text().await;
        assert!(open.starts_with("0{"), "{open}");
        socket
    }

    /// Opens a session on a WebSocket and joins the main namespace.
    pub async fn joined(&self) -> WebSocket {
        let mut socket = self.websocket().await;
        socket.send("40").await;
        let answer = socket.text().await;
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

/// A configuration whose times are long enough not to matter.
pub fn quiet() -> SocketIoConfig {
    SocketIoConfig { recovery: None, ..SocketIoConfig::default() }
}

/// One HTTP connection.
pub struct Http {
    pub stream: TcpStream,
    buffer: BytesMut,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
    pub raw_body: Vec<u8>,
}

impl Http {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), buffer: BytesMut::new() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    pub async fn post(&mut self, path: &str, body: &str) -> Answer {
        let headers = [("Content-Type", "text/plain;charset=UTF-8")];
        self.request("POST", path, &headers, body).await
    }

    pub async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(method, path, headers, body).await;
        self.answer().await
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method == "POST" {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body;
        // A server that refuses early may close before all is written.
        let _ = self.stream.write_all(request.as_bytes()).await;
    }

    pub async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read_answer()).await.expect("no answer in time")
    }

    async fn read_answer(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            assert!(self.fill().await, "connection ended before an answer");
        };
        let head = String::from_utf8(self.buffer.split_to(end + 4).to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap()[9..12].parse().unwrap();
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.fill().await, "connection ended within an answer");
        }
        let raw_body = self.buffer.split_to(length).to_vec();
        Answer { status, headers, body: String::from_utf8_lossy(&raw_body).into_owned(), raw_body }
    }

    async fn fill(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) > 0
    }

    /// Whether the server closes the connection.
    pub async fn ends(&mut self) -> bool {
        timeout(PATIENCE, async { while self.fill().await {} }).await.is_ok()
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// A polling session.
pub struct Poller {
    pub address: SocketAddr,
    pub sid: String,
    pub http: Http,
}

impl Poller {
    pub fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    /// Polls on the session's own connection.
    pub async fn poll(&mut self) -> Answer {
        let path = self.path();
        self.http.get(&path).await
    }

    /// Sends on a connection of its own, so that a poll may wait meanwhile.
    pub async fn post(&self, body: &str) -> Answer {
        Http::connect(self.address).await.post(&self.path(), body).await
    }

    /// Begins to poll and returns the connection that waits.
    pub async fn begin_poll(&self) -> Http {
        let mut http = Http::connect(self.address).await;
        http.send("GET", &self.path(), &[], "").await;
        // Until the server has it: a second poll would be an error, so ask something else on the way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        http
    }

    /// Whether the session is not known any more.
    pub async fn is_dead(&self) -> bool {
        let answer = Http::connect(self.address).await.get(&self.path()).await;
        answer.status == 400 && answer.body == r#"{"code":1,"message":"Session ID unknown"}"#
    }

    /// Begins an upgrade.
    pub async fn upgrade(&self) -> WebSocket {
        let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", self.sid);
        WebSocket::connect(self.address, &path).await.unwrap()
    }
}

/// One WebSocket, frame by frame.
pub struct WebSocket {
    pub stream: TcpStream,
    buffer: BytesMut,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    End,
}

impl WebSocket {
    pub async fn connect(address: SocketAddr, path: &str) -> Result<Self, Answer> {
        Self::connect_with(address, path, &[]).await
    }

    pub async fn connect_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        Self::handshake(Http::connect(address).await, path, headers).await
    }

    /// As [`WebSocket::connect`], with a small receive buffer, for a client that will not read.
    pub async fn connect_narrow(address: SocketAddr, path: &str) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let http = Http { stream: socket.connect(address).await.unwrap(), buffer: BytesMut::new() };
        Self::handshake(http, path, &[]).await.unwrap()
    }

    async fn handshake(mut http: Http, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let mut all = vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend_from_slice(headers);
        let answer = http.request("GET", path, &all, "").await;
        if answer.status != 101 {
            return Err(answer);
        }
        Ok(Self { stream: http.stream, buffer: http.buffer })
    }

    pub async fn send(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes()).await;
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.frame(0x82, bytes).await;
    }

    /// Sends a frame with any first byte. Where the connection is gone, that is for the reading to tell.
    pub async fn frame(&mut self, first: u8, data: &[u8]) {
        let mut frame = vec![first];
        match data.len() {
            length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        let _ = self.stream.write_all(&frame).await;
    }

    pub async fn next(&mut self) -> Frame {
        timeout(PATIENCE, self.read()).await.expect("no frame in time")
    }

    async fn read(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.take() {
                return frame;
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return Frame::End;
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let short = usize::from(*self.buffer.get(1)?);
        let (header, length) = match short {
            126 => (4, u16::from_be_bytes(self.buffer.get(2..4)?.try_into().unwrap()).into()),
            127 => {
                let length = u64::from_be_bytes(self.buffer.get(2..10)?.try_into().unwrap());
                (10, usize::try_from(length).unwrap())
            }
            short => (2, short),
        };
        if self.buffer.len() < header + length {
            return None;
        }
        let first = self.buffer[0];
        self.buffer.advance(header);
        let data = self.buffer.split_to(length).to_vec();
        Some(match first {
            0x81 => Frame::Text(String::from_utf8(data).unwrap()),
            0x82 => Frame::Binary(data),
            0x8a => Frame::Pong(data),
            0x88 => Frame::Close(data.get(..2).map(|code| u16::from_be_bytes(code.try_into().unwrap()))),
            other => panic!("unexpected frame {other:x}"),
        })
    }

    /// The next frame, which is text.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Frame::Text(text) => text,
            other => panic!("{other:?} instead of text"),
        }
    }

    /// The next frame is text that begins like this.
    pub async fn expect(&mut self, beginning: &str) -> String {
        let text = self.text().await;
        assert!(text.starts_with(beginning), "{text} instead of {beginning}");
        text
    }

    /// Whether the server closes, whatever it sends before.
    pub async fn closes(&mut self) -> bool {
        loop {
            match timeout(PATIENCE, self.read()).await {
                Ok(Frame::Close(_) | Frame::End) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(100), self.read()).await.is_err()
    }

    /// Resets the connection, as a phone that lost its network does not even do.
    pub fn vanish(self) {
        drop(self.stream);
    }
}

/// Waits until something is so.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Whether tests are to take their time.
pub fn soak() -> bool {
    std::env::var_os("SOAK").is_some()
}

/// Memory of this process, server and clients together.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
