//! The AsyncAPI document of `/support` and `/help-center`. Events that clients emit come from the namespaces' tables,
//! payloads from the structs that are sent; the recipients of an event, which [`super::broadcast`] decides, are
//! described in words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::event::EventDescription;
use super::help_center::HelpCenterError;
use super::payload::{
    ConversationClaimedEvent, ConversationClosedEvent, ConversationCreatedEvent, ConversationUpdatedEvent,
    HandoverRequestedEvent, HandoverResolvedEvent, HelpCenterTypingEvent, NewMessageEvent, StatusChangedEvent,
    TicketAssignedEvent, TicketCreatedEvent, TicketCreatedFromConversationEvent, TicketUpdatedEvent, TypingEvent,
};
use super::presence::AgentPresenceEvent;
use super::{help_center, support};
use crate::api_error::Code;
use crate::dto::{HelpCenterMessage, HelpCenterThread};
use crate::json_schema::{SchemaFn, Schemas};

const ABOUT: &str = "\
Live events: Socket.IO v4 (`socket.io-client` 4.x) on the namespaces `/support` and `/help-center`. A message's `name` is the event's, its \
payload the event's one argument; `action: receive` is what clients emit, `action: send` what the server emits. Every event that \
clients emit is acknowledged if they ask for it. The token is sent as `auth.token`, or as the handshake's `Authorization`; an invalid one \
is refused on `/support` with `connect_error` `Unauthorized`, and on `/help-center` with `help_center:error` and a disconnect. REST is in \
the OpenAPI document, docs/openapi.json.";

/// The complete document.
#[must_use]
pub fn document() -> Value {
    let mut document = DocumentBuilder::new();
    document.channel = DocumentChannel::Support;
    document.client_events(support::events());
    conversation_events(&mut document);
    ticket_events(&mut document);
    document.emits("connect_error", "The token was refused; the client library reports it as an error", connect_error);
    document.channel = DocumentChannel::HelpCenter;
    document.client_events(help_center::events());
    help_center_events(&mut document);
    document.finish()
}

fn conversation_events(document: &mut DocumentBuilder) {
    document.sends::<NewMessageEvent<'static>>(
        "new_message",
        "To the conversation and to its ticket, each with its own id; a note to their agents only",
    );
    document.sends::<ConversationCreatedEvent<'static>>(
        "conversation_created",
        "To all agents: a customer has started a conversation",
    );
    document.sends::<ConversationUpdatedEvent<'static>>(
        "conversation_updated",
        "For lists and badges. To all agents: new_user_message, claimed, closed, handover_accepted, handover_rejected. To the \
         customer: new_reply, claimed, closed, ticket_created, handover_completed",
    );
    document.sends::<ConversationClaimedEvent<'static>>(
        "conversation_claimed",
        "To the conversation: an agent has claimed it, or taken it over",
    );
    document.sends::<ConversationClosedEvent>("conversation_closed", "To the conversation");
    document.sends::<HandoverRequestedEvent<'static>>("handover_requested", "To the agent who is asked to take over");
    document.sends::<HandoverResolvedEvent<'static>>(
        "handover_resolved",
        "To the agent who asked; if the conversation was closed, to both",
    );
    document.sends::<TypingEvent<'static>>("typing", "To the others in the conversation or ticket");
    document.sends::<TypingEvent<'static>>("stop_typing", "To the others in the conversation or ticket");
    document.sends::<AgentPresenceEvent<'static>>(
        "agent_presence",
        "To all agents: an agent's first socket has connected, or the last one disconnected",
    );
}

fn ticket_events(document: &mut DocumentBuilder) {
    document.sends::<TicketCreatedFromConversationEvent<'static>>(
        "ticket_created_from_conversation",
        "To the conversation: a ticket was created from it",
    );
    document.sends::<TicketCreatedEvent<'static>>("ticket_created", "To all agents");
    document.sends::<TicketUpdatedEvent<'static>>(
        "ticket_updated",
        "For lists and badges. To all agents: new_user_message, assigned. To the customer: new_reply, status_changed",
    );
    document.sends::<TicketAssignedEvent<'static>>("ticket_assigned", "To the ticket");
    document.sends::<StatusChangedEvent<'static>>("status_changed", "To the ticket");
}

/// `help-center.md`, 3.
fn help_center_events(document: &mut DocumentBuilder) {
    document.sends::<HelpCenterThread<'static>>(
        "help_center:connected",
        "On every connection: the conversation and its newest messages",
    );
    document.sends::<HelpCenterMessage<'static>>(
        "help_center:message",
        "To all sockets of the customer: the customer or an agent has written",
    );
    document.sends::<HelpCenterTypingEvent>(
        "help_center:typing",
        "To all sockets of the customer: an agent types, or has stopped",
    );
    document.sends::<HelpCenterError>(
        "help_center:error",
        "The token is invalid, and the connection ends; or an event without acknowledgement has failed",
    );
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

    /// An event that the server emits.
    fn sends<T: JsonSchema>(&mut self, event: &str, summary: &str) {
        self.emits(event, summary, Schemas::serialized::<T>);
    }

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
