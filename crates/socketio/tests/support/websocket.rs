//! Raw WebSocket frames.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TIMEOUT;
use super::http::{Http, Response};

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
    pub async fn connect(address: SocketAddr, path: &str) -> Result<Self, Response> {
        Self::connect_with(address, path, &[]).await
    }

    pub async fn connect_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Response> {
        Self::handshake(Http::connect(address).await, path, headers).await
    }

    /// Like [`WebSocket::connect`], with a small receive buffer, for a client that does not read.
    pub async fn connect_slow_reader(address: SocketAddr, path: &str) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let http = Http { stream: socket.connect(address).await.unwrap(), buffer: BytesMut::new() };
        Self::handshake(http, path, &[]).await.unwrap()
    }

    async fn handshake(mut http: Http, path: &str, headers: &[(&str, &str)]) -> Result<Self, Response> {
        let mut all = vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend_from_slice(headers);
        let response = http.request("GET", path, &all, "").await;
        if response.status != 101 {
            return Err(response);
        }
        Ok(Self { stream: http.stream, buffer: http.buffer })
    }

    pub async fn send(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes()).await;
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.frame(0x82, bytes).await;
    }

    /// Sends a frame with any first byte. A write error is ignored; reading reports that the connection is closed.
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
        timeout(TIMEOUT, self.read()).await.expect("no frame in time")
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

    /// The next frame, which is text with this prefix.
    pub async fn expect(&mut self, prefix: &str) -> String {
        let text = self.text().await;
        assert!(text.starts_with(prefix), "{text} instead of {prefix}");
        text
    }

    /// Whether the server closes the connection, whatever it sends before that.
    pub async fn closes(&mut self) -> bool {
        loop {
            match timeout(TIMEOUT, self.read()).await {
                Ok(Frame::Close(_) | Frame::End) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Whether no frame arrives for 100 ms.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(100), self.read()).await.is_err()
    }

    /// Closes the TCP connection without a close frame.
    pub fn abort(self) {
        drop(self.stream);
    }
}
