//! The idempotency key of a send, from the body or from the header `Idempotency-Key`.

use actix_web::http::header::HeaderMap;

use crate::domain::ClientMessageId;
use crate::dto::Validator;

/// The key from `client_message_id` in the body or from the header; if both are given they must agree.
pub(super) fn client_message_id(
    validator: &mut Validator,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    client_message_id_from(validator, "client_message_id", in_body, headers)
}

/// As [`client_message_id`], with another spelling of the body's field.
pub(super) fn client_message_id_from(
    validator: &mut Validator,
    name: &'static str,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    const HEADER: &str = "Idempotency-Key";
    let body_key = validator.optional(name, in_body, ClientMessageId::parse);
    let header_key = headers.get("idempotency-key").and_then(|value| {
        let Ok(value) = value.to_str() else {
            validator.fail(HEADER, "Idempotency-Key must be ASCII".to_owned());
            return None;
        };
        validator.check(HEADER, ClientMessageId::parse(value))
    });
    match (&body_key, &header_key) {
        (Some(body), Some(header)) if body != header => {
            validator.fail(HEADER, format!("Idempotency-Key and {name} must not differ"));
            None
        }
        _ => body_key.or(header_key),
    }
}
