//! The AsyncAPI document of `/support` and `/help-center`. Events that clients emit come from the namespaces' tables,
//! those that the server emits from [`super::emitted_event`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::emitted_event::EmittedEventDescription;
use super::event::EventDescription;
use super::{emitted_event, help_center, support};
use crate::api_error::Code;
use crate::json_schema::{SchemaFn, Schemas};

const ABOUT: &str = "\
Live events: Socket.IO v4 (`socket.io-client` 4.x) on the namespaces `/support` and `/help-center`. A message's `name` is the event's, its \
payload the event's one argument (an event `offset`, which only listeners of all events see, belongs to connection state recovery); \
`action: receive` is what clients emit, `action: send` what the server emits. Every event that clients emit is acknowledged if they ask \
for it. The token is sent as `auth.token`, or as the handshake's `Authorization`; an invalid one is refused on `/support` with \
`connect_error` `Unauthorized`, and on `/help-center` with `help_center:error` and a disconnect. REST is in \
the OpenAPI document, `/openapi.json`.";

/// The complete document.
#[must_use]
pub fn document() -> Value {
    let mut document = DocumentBuilder::new();
    document.channel = DocumentChannel::Support;
    document.client_events(support::events());
    document.emitted_events(emitted_event::support_events());
    document.emits("connect_error", "The token was refused; the client library reports it as an error", connect_error);
    document.channel = DocumentChannel::HelpCenter;
    document.client_events(help_center::events());
    document.emitted_events(emitted_event::help_center_events());
    document.finish()
}

fn connect_error(_: &mut Schemas) -> Value {
    json!({
        "type": "object",
        "properties": {
            "message": { "const": "Unauthorized" },
            "data": {
                "type": "object",
                "properties": { "code": { "const": Code::Unauthorized.as_str() } },
                "required": ["code"],
            },
        },
        "required": ["message", "data"],
    })
}

/// A channel of the document, a namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DocumentChannel {
    Support,
    HelpCenter,
}

impl DocumentChannel {
    fn key(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::HelpCenter => "helpCenter",
        }
    }
}

struct DocumentBuilder {
    schemas: Schemas,
    /// The channel that events are added to.
    channel: DocumentChannel,
    messages: BTreeMap<DocumentChannel, Map<String, Value>>,
    operations: Map<String, Value>,
}

impl DocumentBuilder {
    fn new() -> Self {
        Self {
            schemas: Schemas::new(),
            channel: DocumentChannel::Support,
            messages: BTreeMap::new(),
            operations: Map::new(),
        }
    }

    /// Events that clients emit.
    fn client_events<User: Send + Sync + 'static>(&mut self, events: Vec<EventDescription<User>>) {
        for EventDescription { name, summary, payload, ack, .. } in events {
            let payload = payload(&mut self.schemas);
            let message = self.message(&format!("emit.{name}"), name, summary, payload);
            let schema = (ack.schema)(&mut self.schemas);
            let ack = self.message(ack.key, "ack", ack.summary, schema);
            let channel = self.channel_reference();
            let reply = json!({ "channel": channel, "messages": [ack] });
            self.operations.insert(
                key(&format!("emit.{name}")),
                json!({ "action": "receive", "channel": channel, "summary": summary, "messages": [message], "reply": reply }),
            );
        }
    }

    fn emitted_events(&mut self, events: Vec<EmittedEventDescription>) {
        for EmittedEventDescription { name, summary, payload } in events {
            self.emits(name, summary, payload);
        }
    }

    /// An event that the server emits.
    fn emits(&mut self, event: &str, summary: &str, payload: SchemaFn) {
        let payload = payload(&mut self.schemas);
        let message = self.message(&format!("on.{event}"), event, summary, payload);
        let channel = self.channel_reference();
        self.operations.insert(
            key(&format!("on.{event}")),
            json!({ "action": "send", "channel": channel, "summary": summary, "messages": [message] }),
        );
    }

    /// Adds a message to the channel, and returns the reference to it.
    fn message(&mut self, name: &str, event: &str, summary: &str, payload: Value) -> Value {
        let message = json!({ "name": event, "summary": summary, "payload": payload });
        let name = key(name);
        self.messages.entry(self.channel).or_default().insert(name.clone(), message);
        json!({ "$ref": format!("#/channels/{}/messages/{name}", self.channel.key()) })
    }

    fn channel_reference(&self) -> Value {
        json!({ "$ref": format!("#/channels/{}", self.channel.key()) })
    }

    fn finish(self) -> Value {
        json!({
            "asyncapi": "3.0.0",
            "info": {
                "title": "Switchboard on Socket.IO",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": { "name": "Apache-2.0" },
            },
            "defaultContentType": "application/json",
            "servers": {
                "local": {
                    "host": "localhost:1500", "pathname": "/socket.io/", "protocol": "ws",
                    "description": "Engine.IO v4 over WebSocket, or HTTP polling",
                    "security": [{ "$ref": "#/components/securitySchemes/token" }],
                },
            },
            "channels": {
                "support": {
                    "address": support::NAME,
                    "description": "The chat namespace, for customers with an account and for agents",
                    "messages": self.messages.get(&DocumentChannel::Support),
                },
                "helpCenter": {
                    "address": help_center::NAME,
                    "description": "The help center's namespace: one conversation per customer, joined by connecting",
                    "messages": self.messages.get(&DocumentChannel::HelpCenter),
                },
            },
            "operations": self.operations,
            "components": {
                "schemas": self.schemas.definitions(),
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            },
        })
    }
}

/// AsyncAPI permits no colon in a key.
fn key(name: &str) -> String {
    name.replace(':', ".")
}
