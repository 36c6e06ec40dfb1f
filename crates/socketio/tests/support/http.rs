//! Raw HTTP, and Engine.IO polling on it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TIMEOUT;
use super::websocket::WebSocket;

/// One HTTP connection.
pub struct Http {
    pub stream: TcpStream,
    pub(super) buffer: BytesMut,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
    pub raw_body: Vec<u8>,
}

impl Http {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), buffer: BytesMut::new() }
    }

    pub async fn get(&mut self, path: &str) -> Response {
        self.request("GET", path, &[], "").await
    }

    pub async fn post(&mut self, path: &str, body: &str) -> Response {
        let headers = [("Content-Type", "text/plain;charset=UTF-8")];
        self.request("POST", path, &headers, body).await
    }

    pub async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.send(method, path, headers, body).await;
        self.response().await
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
        // A server that refuses the request early may close the connection before all of it is written.
        let _ = self.stream.write_all(request.as_bytes()).await;
    }

    /// The next response.
    pub async fn response(&mut self) -> Response {
        timeout(TIMEOUT, self.read_response()).await.expect("no response in time")
    }

    async fn read_response(&mut self) -> Response {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            assert!(self.fill().await, "connection ended before a response");
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
            assert!(self.fill().await, "connection ended within a response");
        }
        let raw_body = self.buffer.split_to(length).to_vec();
        Response { status, headers, body: String::from_utf8_lossy(&raw_body).into_owned(), raw_body }
    }

    async fn fill(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) > 0
    }

    /// Whether the server closes the connection.
    pub async fn ends(&mut self) -> bool {
        timeout(TIMEOUT, async { while self.fill().await {} }).await.is_ok()
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
    pub async fn poll(&mut self) -> Response {
        let path = self.path();
        self.http.get(&path).await
    }

    /// Sends packets on another connection, so that a poll can wait at the same time.
    pub async fn post(&self, body: &str) -> Response {
        Http::connect(self.address).await.post(&self.path(), body).await
    }

    /// Starts a poll and returns the connection that waits for its response.
    pub async fn start_poll(&self) -> Http {
        let mut http = Http::connect(self.address).await;
        http.send("GET", &self.path(), &[], "").await;
        // Time for the server to receive it; nothing observable tells when it has.
        tokio::time::sleep(Duration::from_millis(50)).await;
        http
    }

    /// Whether the server does not know the session any more.
    pub async fn is_closed(&self) -> bool {
        let response = Http::connect(self.address).await.get(&self.path()).await;
        response.status == 400 && response.body == r#"{"code":1,"message":"Session ID unknown"}"#
    }

    /// Opens the WebSocket of an upgrade.
    pub async fn upgrade(&self) -> WebSocket {
        let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", self.sid);
        WebSocket::connect(self.address, &path).await.unwrap()
    }
}
