//! Which ticket a number means, and who may read it. Numbers can be guessed: that must give nothing away.

use actix_web::http::header::HeaderMap;

use crate::api::Api;
use crate::api::guard::long_enough;
use crate::api::ids::client_message_id;
use crate::api_error::{ApiError, Code};
use crate::domain::{ClientMessageId, Customer, EmailAddress, preview};
use crate::identity::Principal;
use crate::store::{self, TicketKey};
use crate::wire::Validator;

/// The most characters that a number can have: 16 of the prefix, a year, and more digits than anybody will count to.
const NUMBER_LENGTH: usize = 64;

/// The ticket of this number, if there is one.
pub(super) async fn find(api: &Api, number: &str) -> Result<Option<TicketKey>, ApiError> {
    // What cannot be a number is not looked for; the database would choke on some of it.
    if number.chars().count() > NUMBER_LENGTH || number.contains('\0') {
        return Ok(None);
    }
    store::ticket_of_number(&api.database, number).await.map_err(Into::into)
}

/// No such ticket, or none of the caller's: the same for both.
pub(super) fn not_found(number: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("Ticket {} not found", preview(number)))
}

/// Whether this caller may read it: an agent any, an account its own, and anybody else the one whose address they name.
pub(super) fn may_read(ticket: &TicketKey, caller: Option<&Principal>, email: Option<&str>) -> bool {
    match caller {
        Some(caller) => caller.is_agent || ticket.user_id.as_deref() == Some(caller.id.as_str()),
        None => {
            let named = email.and_then(|email| EmailAddress::parse(email).ok());
            named.is_some() && named == ticket.email.as_deref().map(EmailAddress::stored)
        }
    }
}

/// Who writes: the account whose token it is, whatever address the body names, or whoever has that address.
pub(super) fn writer(fields: &mut Validator, caller: Option<&Principal>, email: Option<&str>) -> Option<Customer> {
    match caller {
        Some(caller) => Some(caller.as_customer()),
        None => fields.required("email", email, EmailAddress::parse).map(Customer::guest),
    }
}

/// The name of a send; a guest's is a long one.
pub(super) fn send_name(
    fields: &mut Validator,
    caller: Option<&Principal>,
    in_body: Option<&str>,
    headers: &HeaderMap,
) -> Option<ClientMessageId> {
    let id = client_message_id(fields, in_body, headers);
    if caller.is_none() {
        long_enough(fields, id.as_ref());
    }
    id
}
