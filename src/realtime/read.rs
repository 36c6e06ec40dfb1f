//! `read` on `/support`: the customer or an agent has read a conversation (`additions.md`, 7).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Realtime;
use super::event::payload;
use super::input::{conversation_id, invalid};
use super::presence::SupportUser;
use crate::api_error::ApiError;
use crate::domain::{Conversation, ConversationId};
use crate::identity::Person;
use crate::json_schema::Schemas;
use crate::limits::TokenCall;
use crate::use_cases::{self, ReadUpTo, limit_guest_token, void_as_unauthorized};
use socketio::{Event, Socket};

/// `read`: one side has read further.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Read")]
pub(super) struct ReadEvent {
    pub(super) conversation_id: ConversationId,
    /// `customer` or `agent`.
    #[schemars(extend("enum" = ["customer", "agent"]))]
    pub(super) reader: &'static str,
    pub(super) up_to_seq: i64,
}

/// The payload of the event that clients emit: as over REST, with the conversation's id.
pub(super) fn read_payload(_: &mut Schemas) -> Value {
    let object = |number: &str| {
        let properties = json!({
            "conversation_id": { "type": "string" },
            number: { "type": "integer", "minimum": 0 },
        });
        json!({ "type": "object", "properties": properties, "required": ["conversation_id", number] })
    };
    json!({ "anyOf": [object("up_to_seq"), object("up_to_position")] })
}

/// Marks a conversation as read: a customer by `up_to_seq`, an agent by `up_to_position`.
pub(super) async fn read(realtime: &Realtime, socket: &Socket<SupportUser>, event: &Event) -> Result<(), ApiError> {
    let payload = payload(event);
    let person = socket.data();
    let up_to = match person.agent().is_some() {
        true => ReadUpTo::Position(number(&payload, "up_to_position")?),
        false => ReadUpTo::Seq(number(&payload, "up_to_seq")?),
    };
    let id = conversation_id(&payload)?;
    let permit = |conversation: &Conversation| match &**person {
        Person::Account(principal) if principal.is_agent => Ok(()),
        Person::Account(principal) => conversation.permit_customer(&principal.id),
        Person::Guest(guest) => conversation.permit_guest(&guest.email),
    };
    if let Some(guest) = person.guest() {
        limit_guest_token(&realtime.services, guest, socket.handshake().client_address, TokenCall::Read)?;
    }
    let read = use_cases::mark_read(&realtime.services, person.account(), id, up_to, permit).await.map(drop);
    if person.guest().is_some() { read.map_err(void_as_unauthorized) } else { read }
}

fn number(payload: &Map<String, Value>, field: &'static str) -> Result<i64, ApiError> {
    let number = payload.get(field).and_then(Value::as_f64);
    number
        .filter(|number| *number >= 0.0 && number.fract() == 0.0)
        .map(|number| number as i64)
        .ok_or_else(|| invalid(field, &format!("{field} must be a whole number from 0")))
}
