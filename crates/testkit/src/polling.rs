//! An Engine.IO session over HTTP polling, in which a test sees every packet.

use reqwest::Client;
use serde_json::Value;

use crate::disconnected::Disconnected;

/// The path of the handshake.
const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
/// What separates packets in a payload.
const SEPARATOR: char = '\u{1e}';

/// A session over HTTP polling. It may be polled and written to at the same time.
#[derive(Debug)]
pub struct PollingSession {
    http: Client,
    url: String,
    /// What the server's OPEN packet contains.
    pub handshake: Value,
}

impl PollingSession {
    /// Opens a session on the server at this URL (`http://…`).
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn open(server_url: &str) -> Result<Self, Disconnected> {
        let http = Client::new();
        let url = format!("{server_url}{HANDSHAKE}");
        let payload = http.get(&url).send().await?.text().await?;
        let handshake: Value =
            payload.strip_prefix('0').and_then(|json| serde_json::from_str(json).ok()).ok_or(Disconnected)?;
        let url = format!("{url}&sid={}", handshake["sid"].as_str().ok_or(Disconnected)?);
        Ok(Self { http, url, handshake })
    }

    /// Sends packets, separated as in a payload.
    ///
    /// # Errors
    /// When the server does not accept them.
    pub async fn send(&self, payload: &str) -> Result<(), Disconnected> {
        let answer = self.http.post(&self.url).body(payload.to_owned()).send().await?;
        if answer.text().await? == "ok" { Ok(()) } else { Err(Disconnected) }
    }

    /// Polls once: the packets of the answer, pings among them.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn poll(&self) -> Result<Vec<String>, Disconnected> {
        let answer = self.http.get(&self.url).send().await?.error_for_status()?;
        Ok(answer.text().await?.split(SEPARATOR).map(ToOwned::to_owned).collect())
    }

    /// Whether the server still has the session.
    pub async fn is_open(&self) -> bool {
        self.send("3").await.is_ok()
    }
}
