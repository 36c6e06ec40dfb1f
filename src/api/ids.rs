//! How clients name things: a conversation or a ticket in a path or a body, and a send.

use actix_web::http::header::HeaderMap;

use crate::api_error::ApiError;
use crate::domain::{ClientMessageId, Refusal, TicketId};
use crate::wire::Validator;

pub(super) use crate::wire::conversation_id;

/// An id that is no UUID is as unknown as one that names nothing (`decisions.md`).
pub(super) fn ticket_id(id: &str) -> Result<TicketId, ApiError> {
    TicketId::parse(id).ok_or_else(|| Refusal::TicketNotFound.into())
}

/// The name of a send, from the body or from `Idempotency-Key`; where both are given they must agree.
pub(super) fn client_message_id(
    fields: &mut Validator,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    client_message_id_named(fields, "client_message_id", in_body, headers)
}

/// As [`client_message_id`], where the body spells it otherwise.
pub(super) fn client_message_id_named(
    fields: &mut Validator,
    name: &'static str,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    const HEADER: &str = "Idempotency-Key";
    let in_body = fields.optional(name, in_body, ClientMessageId::parse);
    let in_header = headers.get("idempotency-key").and_then(|value| {
        let Ok(value) = value.to_str() else {
            fields.fault(HEADER, "Idempotency-Key must be ASCII".to_owned());
            return None;
        };
        fields.keep(HEADER, ClientMessageId::parse(value))
    });
    match (&in_body, &in_header) {
        (Some(body), Some(header)) if body != header => {
            fields.fault(HEADER, format!("Idempotency-Key and {name} must not differ"));
            None
        }
        _ => in_body.or(in_header),
    }
}
