//! Fields of event payloads.

use serde_json::{Map, Value};

use crate::api_error::{ApiError, Code, FieldError};
use crate::domain::{ConversationId, Refusal, TicketId};
use crate::use_cases;

/// A field that is invalid.
pub(super) fn invalid(field: &'static str, message: &str) -> ApiError {
    ApiError::validation(vec![FieldError { field: field.into(), message: message.to_owned() }])
}

/// A payload that is nested too deeply, or too large when it is parsed (`additions.md`, 1).
pub(super) fn unreadable() -> ApiError {
    ApiError::new(Code::ValidationError, "The payload is nested too deeply or too large")
}

/// `conversation_id`.
pub(super) fn conversation_id(payload: &Map<String, Value>) -> Result<ConversationId, ApiError> {
    use_cases::conversation_id(string(payload, "conversation_id")?)
}

/// `ticket_id`.
pub(super) fn ticket_id(payload: &Map<String, Value>) -> Result<TicketId, ApiError> {
    TicketId::parse(string(payload, "ticket_id")?).ok_or_else(|| Refusal::TicketNotFound.into())
}

/// `after_seq`, the last `seq` that the client has; it may be missing or null.
pub(super) fn after_seq(payload: &Map<String, Value>) -> Result<Option<u32>, ApiError> {
    match payload.get("after_seq") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|after| u32::try_from(after).ok()) {
            Some(after) => Ok(Some(after)),
            None => Err(invalid("after_seq", "after_seq must be a whole number from 0")),
        },
    }
}

fn string<'a>(payload: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, ApiError> {
    payload.get(field).and_then(Value::as_str).ok_or_else(|| invalid(field, &format!("{field} must be a string")))
}
