//! Which ticket a number refers to, and who may read it. Numbers can be guessed, so an unknown number and another
//! customer's ticket are answered alike.

use actix_web::http::header::HeaderMap;

use crate::api::Api;
use crate::api::guard::check_guest_id;
use crate::api::idempotency_key::client_message_id;
use crate::api_error::{ApiError, Code};
use crate::domain::{ClientMessageId, Customer, EmailAddress, TextError, preview};
use crate::dto::Validator;
use crate::identity::Principal;
use crate::store::{self, TicketKey};

/// Characters of the longest possible number: a prefix of 16, a year, and ample digits.
const NUMBER_LENGTH: usize = 64;

/// The ticket with this number.
pub(super) async fn find(api: &Api, number: &str) -> Result<Option<TicketKey>, ApiError> {
    // PostgreSQL rejects text that contains NUL.
    if number.chars().count() > NUMBER_LENGTH || number.contains('\0') {
        return Ok(None);
    }
    store::ticket_of_number(&api.services.database, number).await.map_err(Into::into)
}

/// Trims a number.
pub(super) fn number(number: &str) -> Result<String, TextError> {
    match number.trim() {
        "" => Err(TextError::Empty),
        number => Ok(number.to_owned()),
    }
}

/// The error for a ticket that does not exist, and for one that belongs to another customer.
pub(super) fn not_found(number: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("Ticket {} not found", preview(number)))
}

/// Whether the caller may read a ticket: an agent any, an account its own, a guest the one whose address the guest
/// names.
pub(super) fn may_read(ticket: &TicketKey, caller: Option<&Principal>, email: Option<&str>) -> bool {
    match caller {
        Some(caller) => caller.is_agent || ticket.user_id.as_deref() == Some(caller.id.as_str()),
        None => {
            let named = email.and_then(|email| EmailAddress::parse(email).ok());
            named.is_some() && named == ticket.email.as_deref().map(EmailAddress::stored)
        }
    }
}

/// The author of a message: the caller's account, whatever address the body contains, or a guest with that address.
pub(super) fn author(validator: &mut Validator, caller: Option<&Principal>, email: Option<&str>) -> Option<Customer> {
    match caller {
        Some(caller) => Some(caller.as_customer()),
        None => validator.required("email", email, EmailAddress::parse).map(Customer::guest),
    }
}

/// The idempotency key; a guest's has a minimum length.
pub(super) fn message_id(
    validator: &mut Validator,
    caller: Option<&Principal>,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    let id = client_message_id(validator, in_body, headers);
    if caller.is_none() {
        check_guest_id(validator, id.as_ref());
    }
    id
}
