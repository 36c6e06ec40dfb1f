//! The AsyncAPI document of `/support` and `/help-center`: every event both ways, payloads from the structs that are
//! sent.
//!
//! Which room hears an event is [`super::broadcast`]'s; here it is said in words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::help_center::ErrorPayload;
use super::payload::{
    ConversationClaimed, ConversationClosed, ConversationCreated, ConversationUpdated, HandoverRequested,
    HandoverResolved, HelpCenterTyping, NewMessage, StatusChanged, TicketAssigned, TicketCreated,
    TicketCreatedFromConversation, TicketUpdated, Typing,
};
use super::presence::AgentPresence;
use super::support::{Answer, AnswerError};
use crate::api_error::Code;
use crate::help_center::{self, MessagePayload, ThreadPayload};
use crate::json_schema::Schemas;
use crate::wire::reply::{ReplyBody, ReplyView};
use crate::wire::send::{SendBody, SentView};

const ABOUT: &str = "\
What happens live: Socket.IO v4 (`socket.io-client` 4.x) on the namespaces `/support` and `/help-center`. A message's `name` is the event's, its \
payload the event's one argument; `action: receive` is what clients emit, `action: send` what the server emits. Every event that \
clients emit is acknowledged where they ask for it. The token comes as `auth.token`, or as the handshake's `Authorization`; a bad one \
is refused on `/support` with `connect_error` `Unauthorized`, and told on `/help-center` by `help_center:error`, then put out. REST is in the OpenAPI document, docs/openapi.json.";

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut draft = Draft::default();
    clients(&mut draft);
    conversations(&mut draft);
    tickets(&mut draft);
    help_center(&mut draft);
    draft.finish()
}

/// What clients emit.
fn clients(draft: &mut Draft) {
    let conversation = json!({ "conversation_id": { "type": "string" } });
    let ticket = json!({ "ticket_id": { "type": "string" } });
    let join = json!({
        "conversation_id": { "type": "string" },
        "after_seq": {
            "description": "The last `seq` that the client has: it is first sent what came behind it",
            "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX,
        },
    });
    let one = |properties: &Value, required: &str| json!({ "type": "object", "properties": properties, "required": [required] });
    let place = json!({ "anyOf": [one(&conversation, "conversation_id"), one(&ticket, "ticket_id")] });
    draft.receives(
        "join_conversation",
        "To hear a conversation: its owner, or any agent",
        one(&join, "conversation_id"),
    );
    draft.receives("leave_conversation", "To hear it no more", one(&conversation, "conversation_id"));
    draft.receives("join_ticket", "To hear a ticket, and its conversation with it", one(&ticket, "ticket_id"));
    draft.receives("leave_ticket", "To hear it no more", one(&ticket, "ticket_id"));
    draft.receives("typing", "Somebody types in a room that the socket has joined", place.clone());
    draft.receives("stop_typing", "And has stopped", place);
    sending(draft);
}

/// `send_message`, which is acknowledged with more than the others.
fn sending(draft: &mut Draft) {
    let (customer, agent) = (draft.schemas.received::<SendBody>(), draft.schemas.received::<ReplyBody>());
    let somewhere = json!({
        "type": "object", "properties": { "conversation_id": { "type": "string" } }, "required": ["conversation_id"],
    });
    let refusal = json!({
        "type": "object",
        "properties": { "error": draft.schemas.sent::<AnswerError>() },
        "required": ["error"],
        "additionalProperties": false,
    });
    let (sent, replied) = (draft.schemas.sent::<SentView<'static>>(), draft.schemas.sent::<ReplyView<'static>>());
    let ack = json!({ "anyOf": [sent, replied, refusal] });
    draft.acknowledged(
        "send_message",
        "A customer's message, as POST chat/send takes it, or an agent's reply or note",
        json!({ "anyOf": [customer, { "allOf": [agent, somewhere] }] }),
        ("ack.send_message", "The `data` of the REST answer, or why not", ack),
    );
}

fn conversations(draft: &mut Draft) {
    draft.sends::<NewMessage<'static>>(
        "new_message",
        "To the conversation and the ticket that the message is in, each in its own words; a note to their agents alone",
    );
    draft.sends::<ConversationCreated<'static>>("conversation_created", "To all agents: a customer has begun one");
    draft.sends::<ConversationUpdated<'static>>(
        "conversation_updated",
        "For lists and badges. To all agents: new_user_message, claimed, closed, handover_accepted, handover_rejected. To the \
         customer: new_reply, claimed, closed, ticket_created, handover_completed",
    );
    draft.sends::<ConversationClaimed<'static>>(
        "conversation_claimed",
        "To the conversation: an agent has claimed it, or taken it over",
    );
    draft.sends::<ConversationClosed>("conversation_closed", "To the conversation");
    draft.sends::<HandoverRequested<'static>>("handover_requested", "To the agent who was asked to take it over");
    draft.sends::<HandoverResolved<'static>>(
        "handover_resolved",
        "To the agent who asked; where a close has settled it, to both",
    );
    draft.sends::<Typing<'static>>("typing", "To the others in the conversation or ticket");
    draft.sends::<Typing<'static>>("stop_typing", "Likewise");
    draft.sends::<AgentPresence<'static>>(
        "agent_presence",
        "To all agents: an agent's first socket has come, or the last one gone",
    );
}

fn tickets(draft: &mut Draft) {
    draft.sends::<TicketCreatedFromConversation<'static>>(
        "ticket_created_from_conversation",
        "To the conversation: a ticket was made of it",
    );
    draft.sends::<TicketCreated<'static>>("ticket_created", "To all agents");
    draft.sends::<TicketUpdated<'static>>(
        "ticket_updated",
        "For lists and badges. To all agents: new_user_message, assigned. To the customer: new_reply, status_changed",
    );
    draft.sends::<TicketAssigned<'static>>("ticket_assigned", "To the ticket");
    draft.sends::<StatusChanged<'static>>("status_changed", "To the ticket");
}

/// `help-center.md`, 3.
fn help_center(draft: &mut Draft) {
    draft.channel = "helpCenter";
    let error = draft.schemas.sent::<ErrorPayload>();
    let refusal = |error: &Value| json!({ "type": "object", "properties": { "error": error }, "required": ["error"], "additionalProperties": false });
    let message = draft.schemas.sent::<MessagePayload<'static>>();
    let sent = json!({
        "type": "object", "properties": { "message": message }, "required": ["message"], "additionalProperties": false,
    });
    let text = draft.schemas.received::<help_center::SendBody>();
    draft.acknowledged(
        "help_center:send",
        "A customer's message",
        text,
        (
            "ack.help_center.send",
            "The message as it is stored, or why not",
            json!({ "anyOf": [sent, refusal(&error)] }),
        ),
    );
    let nothing = json!({ "type": "object", "additionalProperties": false });
    draft.acknowledged(
        "help_center:typing",
        "The customer types, or has stopped: for the agents who have the conversation open",
        json!({ "type": "object", "properties": { "isTyping": { "type": "boolean" } }, "required": ["isTyping"] }),
        ("ack.help_center.typing", "Nothing, or why not", json!({ "anyOf": [nothing, refusal(&error)] })),
    );
    draft.sends::<ThreadPayload<'static>>(
        "help_center:connected",
        "On every connection: the conversation and its newest messages",
    );
    draft.sends::<MessagePayload<'static>>("help_center:message", "To all sockets of the customer: either side wrote");
    draft.sends::<HelpCenterTyping>(
        "help_center:typing",
        "To all sockets of the customer: an agent types, or has stopped",
    );
    draft.emits(
        "help_center:error",
        "The token is bad, and the connection ends; or an event failed that no acknowledgement was asked for",
        error,
    );
}

struct Draft {
    schemas: Schemas,
    /// Which channel is written: `support` or `helpCenter`.
    channel: &'static str,
    messages: BTreeMap<&'static str, Map<String, Value>>,
    operations: Map<String, Value>,
}

impl Default for Draft {
    fn default() -> Self {
        Self { schemas: Schemas::new(), channel: "support", messages: BTreeMap::new(), operations: Map::new() }
    }
}

impl Draft {
    fn message(&mut self, key: &str, event: &str, summary: &str, payload: Value) -> Value {
        let message = json!({ "name": event, "summary": summary, "payload": payload });
        // A key of such a document has no colon.
        let key = key.replace(':', ".");
        self.messages.entry(self.channel).or_default().insert(key.clone(), message);
        json!({ "$ref": format!("#/channels/{}/messages/{key}", self.channel) })
    }

    /// An event that clients emit, acknowledged with [`Answer`].
    fn receives(&mut self, event: &str, summary: &str, payload: Value) {
        let ack = self.schemas.sent::<Answer>();
        self.acknowledged(event, summary, payload, ("ack", "What an event is acknowledged with", ack));
    }

    fn acknowledged(&mut self, event: &str, summary: &str, payload: Value, ack: (&str, &str, Value)) {
        let message = self.message(&format!("emit.{event}"), event, summary, payload);
        let (key, said, shape) = ack;
        let ack = self.message(key, "ack", said, shape);
        let channel = json!({ "$ref": format!("#/channels/{}", self.channel) });
        let reply = json!({ "channel": channel, "messages": [ack] });
        self.operations.insert(
            format!("emit.{event}").replace(':', "."),
            json!({ "action": "receive", "channel": channel, "summary": summary, "messages": [message], "reply": reply }),
        );
    }

    /// An event that the server emits.
    fn sends<T: JsonSchema>(&mut self, event: &str, summary: &str) {
        let payload = self.schemas.sent::<T>();
        self.emits(event, summary, payload);
    }

    fn emits(&mut self, event: &str, summary: &str, payload: Value) {
        let message = self.message(&format!("on.{event}"), event, summary, payload);
        let channel = json!({ "$ref": format!("#/channels/{}", self.channel) });
        self.operations.insert(
            format!("on.{event}").replace(':', "."),
            json!({ "action": "send", "channel": channel, "summary": summary, "messages": [message] }),
        );
    }

    fn finish(mut self) -> Value {
        let refusal = json!({
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
        });
        self.channel = "support";
        self.emits("connect_error", "The token was refused; the client library shows it as an error", refusal);
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
                    "description": "Engine.IO v4 by WebSocket, or by polling over HTTP",
                    "security": [{ "$ref": "#/components/securitySchemes/token" }],
                },
            },
            "channels": {
                "support": {
                    "address": "/support",
                    "description": "The namespace of chat, for customers with an account and for agents",
                    "messages": self.messages.get("support"),
                },
                "helpCenter": {
                    "address": "/help-center",
                    "description": "The namespace of the help center: one conversation a customer, joined by connecting",
                    "messages": self.messages.get("helpCenter"),
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
