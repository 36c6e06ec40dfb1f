//! A Socket.IO client in one namespace.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::disconnected::Disconnected;
use crate::polling::PollingSession;
use crate::websocket::WebSocketSession;

/// An event's name and its payload.
pub type Event = (String, Value);

#[derive(Debug)]
enum Session {
    Polling(PollingSession),
    WebSocket(Box<WebSocketSession>),
}

impl Session {
    async fn send(&mut self, packet: &str) -> Result<(), Disconnected> {
        match self {
            Self::Polling(session) => session.send(packet).await,
            Self::WebSocket(session) => session.send(packet).await,
        }
    }

    /// The next packets, without pings, which are answered.
    async fn receive(&mut self) -> Result<Vec<String>, Disconnected> {
        loop {
            let mut packets = match self {
                Self::Polling(session) => session.poll().await?,
                Self::WebSocket(session) => vec![session.receive().await?],
            };
            if packets.iter().any(|packet| packet == "2") {
                self.send("3").await?;
            }
            packets.retain(|packet| packet != "2");
            if !packets.is_empty() {
                return Ok(packets);
            }
        }
    }
}

/// A client that has joined a namespace, over either transport.
///
/// Events and acknowledgements travel on separate paths in the server: an acknowledgement may arrive before the event
/// that its own request causes. A test therefore waits for the events that it expects ([`next_event`](Self::next_event),
/// [`events`](Self::events)), never for a time or for a later acknowledgement.
#[derive(Debug)]
pub struct SocketClient {
    session: Session,
    namespace: String,
    next_ack: u64,
    events: VecDeque<Event>,
    acks: Vec<(u64, Value)>,
}

impl SocketClient {
    /// Joins a namespace over HTTP polling.
    ///
    /// # Errors
    /// The payload of the CONNECT_ERROR packet, or null when the session ended before one came.
    pub async fn join_polling(session: PollingSession, namespace: &str, token: &str) -> Result<Self, Value> {
        Self::join(Session::Polling(session), namespace, token).await
    }

    /// Joins a namespace over WebSocket.
    ///
    /// # Errors
    /// As [`join_polling`](Self::join_polling).
    pub async fn join_websocket(session: WebSocketSession, namespace: &str, token: &str) -> Result<Self, Value> {
        Self::join(Session::WebSocket(Box::new(session)), namespace, token).await
    }

    async fn join(session: Session, namespace: &str, token: &str) -> Result<Self, Value> {
        let mut client =
            Self { session, namespace: namespace.to_owned(), next_ack: 1, events: VecDeque::new(), acks: Vec::new() };
        let connect = format!("40{namespace},{}", json!({ "token": token }));
        client.session.send(&connect).await.map_err(|_| Value::Null)?;
        loop {
            let packets = client.session.receive().await.map_err(|_| Value::Null)?;
            let mut packets = packets.into_iter();
            while let Some(packet) = packets.next() {
                if let Some(error) = packet.strip_prefix(&format!("44{namespace},")) {
                    return Err(serde_json::from_str(error).unwrap_or_default());
                }
                if packet.starts_with(&format!("40{namespace},")) {
                    for packet in packets {
                        client.accept(&packet).map_err(|_| Value::Null)?;
                    }
                    return Ok(client);
                }
            }
        }
    }

    /// Emits an event without an acknowledgement.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn emit(&mut self, event: &str, payload: &Value) -> Result<(), Disconnected> {
        let packet = format!("42{},{}", self.namespace, json!([event, payload]));
        self.session.send(&packet).await
    }

    /// Emits an event and returns the number of the acknowledgement to expect.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn emit_with_ack(&mut self, event: &str, payload: &Value) -> Result<u64, Disconnected> {
        let ack = self.next_ack;
        self.next_ack += 1;
        let packet = format!("42{},{ack}{}", self.namespace, json!([event, payload]));
        self.session.send(&packet).await?;
        Ok(ack)
    }

    /// Emits an event and waits for its acknowledgement. Events that arrive before it are kept.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn request(&mut self, event: &str, payload: &Value) -> Result<Value, Disconnected> {
        let ack = self.emit_with_ack(event, payload).await?;
        loop {
            if let Some(answer) = self.take_ack(ack) {
                return Ok(answer);
            }
            self.receive().await?;
        }
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn next_event(&mut self) -> Result<Event, Disconnected> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.receive().await?;
        }
    }

    /// Waits until at least `count` events have arrived; returns all that have.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn events(&mut self, count: usize) -> Result<Vec<Event>, Disconnected> {
        while self.events.len() < count {
            self.receive().await?;
        }
        Ok(self.events.drain(..).collect())
    }

    /// Receives once: at least one event or acknowledgement.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn receive(&mut self) -> Result<(), Disconnected> {
        for packet in self.session.receive().await? {
            self.accept(&packet)?;
        }
        Ok(())
    }

    /// The events that have arrived.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// The answer to a request, if it has arrived.
    pub fn take_ack(&mut self, ack: u64) -> Option<Value> {
        let index = self.acks.iter().position(|(number, _)| *number == ack)?;
        Some(self.acks.swap_remove(index).1)
    }

    fn accept(&mut self, packet: &str) -> Result<(), Disconnected> {
        let (kind, rest) = packet.split_at_checked(2).unwrap_or((packet, ""));
        let rest = rest.strip_prefix(self.namespace.as_str()).map(|rest| rest.trim_start_matches(','));
        match (kind, rest) {
            ("42", Some(event)) => {
                let mut parts: Vec<Value> = serde_json::from_str(event).unwrap();
                // From this event a lost connection is recovered; it is none of the application's.
                if parts[0] == "offset" {
                    return Ok(());
                }
                assert!(parts.len() <= 2, "an event has one argument: {event}");
                let payload = if parts.len() > 1 { parts.swap_remove(1) } else { Value::Null };
                self.events.push_back((parts[0].as_str().unwrap().to_owned(), payload));
                Ok(())
            }
            ("43", Some(ack)) => {
                let (number, answer) = ack.split_at(ack.find('[').unwrap());
                let [answer]: [Value; 1] = serde_json::from_str(answer).unwrap();
                self.acks.push((number.parse().unwrap(), answer));
                Ok(())
            }
            ("1" | "41", _) => Err(Disconnected),
            // A server that sends anything else is disconnected, which the test that uses this client notices.
            _ => Err(Disconnected),
        }
    }
}
