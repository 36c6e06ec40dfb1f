//! An Engine.IO session over WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::disconnected::Disconnected;

/// A session over WebSocket that has had its OPEN packet.
#[derive(Debug)]
pub struct WebSocketSession {
    stream: WebSocketStream<TcpStream>,
    silence: Duration,
}

impl WebSocketSession {
    /// Opens a session. If the server sends nothing, not even a ping, for as long as `silence`, the session counts as
    /// lost.
    ///
    /// # Errors
    /// When the server refuses it, or the connection breaks.
    pub async fn open(address: SocketAddr, silence: Duration) -> Result<Self, Disconnected> {
        let opening = async {
            let stream = TcpStream::connect(address).await.map_err(|_| Disconnected)?;
            let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
            let (stream, _) = client_async(url, stream).await.map_err(|_| Disconnected)?;
            let mut session = Self { stream, silence };
            if session.receive().await?.starts_with('0') { Ok(session) } else { Err(Disconnected) }
        };
        timeout(silence, opening).await.map_err(|_| Disconnected)?
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, packet: &str) -> Result<(), Disconnected> {
        self.stream.send(Message::text(packet)).await.map_err(|_| Disconnected)
    }

    /// Waits for the next packet.
    ///
    /// # Errors
    /// When the session is over, or lost.
    pub async fn receive(&mut self) -> Result<String, Disconnected> {
        loop {
            match timeout(self.silence, self.stream.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => return Ok(text.as_str().to_owned()),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return Err(Disconnected),
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}
