//! Which ticket a number refers to, and who may read it. Numbers can be guessed, so an unknown number and another
//! customer's ticket are answered alike.
//!
//! The ticket of a conversation holds the messages of the conversation, and an e-mail address is no secret: it exists
//! for the conversation's owner, who shows a token, and for agents. For every other caller, [`find`] finds nothing, with the
//! same work as for a number that does not exist.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::api::Api;
use crate::api::idempotency_key::client_message_id;
use crate::api_error::{ApiError, Code};
use crate::domain::{ClientMessageId, Customer, EmailAddress, Owner, TextError, preview, ticket_number_spellings};
use crate::dto::{Validator, check_guest_id};
use crate::identity::{Guest, Principal};
use crate::limits::{GuestCall, GuestSource};
use crate::store::{self, TicketKey};

/// Characters of the longest possible number: a prefix of 16, a year, and ample digits.
const NUMBER_LENGTH: usize = 64;

/// The ticket with this number, as people type it, if it exists for the caller.
pub(super) async fn find(api: &Api, number: &str, caller: Option<&Principal>) -> Result<Option<TicketKey>, ApiError> {
    Ok(any(api, number).await?.filter(|ticket| exists_for(ticket, caller)))
}

/// The ticket with this number, if the guest's token serves it: a ticket without a conversation, or that of the token's
/// conversation, as long as it belongs to the guest.
pub(super) async fn find_for_guest(api: &Api, number: &str, guest: &Guest) -> Result<Option<TicketKey>, ApiError> {
    let serves = |ticket: &TicketKey| {
        let is_named = guest.ticket() == Some(ticket.id)
            || (ticket.is_of_conversation && guest.conversation() == Some(ticket.conversation));
        let email = ticket.email.as_deref().map(EmailAddress::stored);
        is_named && ticket.user_id.is_none() && email.as_ref() == Some(&guest.email)
    };
    Ok(any(api, number).await?.filter(serves))
}

async fn any(api: &Api, number: &str) -> Result<Option<TicketKey>, ApiError> {
    // PostgreSQL rejects text that contains NUL.
    if number.chars().count() > NUMBER_LENGTH || number.contains('\0') {
        return Ok(None);
    }
    let spellings = ticket_number_spellings(number);
    Ok(store::ticket_of_number(&api.services.database, spellings).await?)
}

/// The ticket of a guest's conversation exists for its token ([`find_for_guest`]) and for agents.
fn exists_for(ticket: &TicketKey, caller: Option<&Principal>) -> bool {
    !ticket.is_of_conversation || caller.is_some_and(|caller| caller.is_agent || is_owner(ticket, caller))
}

fn is_owner(ticket: &TicketKey, caller: &Principal) -> bool {
    ticket.user_id.as_deref() == Some(caller.id.as_str())
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

/// Whether the caller may read a ticket that exists for them: an agent any, an account its own, a guest the one whose address the guest
/// names.
pub(super) fn may_read(ticket: &TicketKey, caller: Option<&Principal>, email: Option<&str>) -> bool {
    match caller {
        Some(caller) => caller.is_agent || is_owner(ticket, caller),
        None => {
            let named = email.and_then(|email| EmailAddress::parse(email).ok());
            named.is_some() && named == ticket.email.as_deref().map(EmailAddress::stored)
        }
    }
}

/// Whether a caller with a token names an e-mail address that is neither the ticket's nor, for the ticket's owner, their
/// own: the app then shows the ticket of another account than the one that is signed in.
pub(super) fn names_another(ticket: &TicketKey, caller: &Principal, email: Option<&str>) -> bool {
    let Some(email) = email.filter(|email| !email.trim().is_empty()) else { return false };
    let named = EmailAddress::parse(email).ok();
    let is_named = |address: Option<&str>| named.is_some() && named == address.map(EmailAddress::stored);
    let is_own = is_owner(ticket, caller) && is_named(caller.email.as_deref());
    !is_own && !is_named(ticket.email.as_deref())
}

/// The author of a message: the caller's account, whatever address the body contains, or a guest with that address.
pub(super) fn author(validator: &mut Validator, caller: Option<&Principal>, email: Option<&str>) -> Option<Customer> {
    match caller {
        Some(caller) => Some(caller.as_customer()),
        None => validator.required("email", email, EmailAddress::parse).map(Customer::guest),
    }
}

/// Counts what the author of a message does: an account's send, or a guest's call in the name of their e-mail address.
pub(super) fn limit_author(api: &Api, author: &Owner, request: &HttpRequest) -> Result<(), ApiError> {
    match author {
        Owner::Account(id) => api.services.limits.send(id).map_err(Into::into),
        Owner::Guest(email) => limit_guest(api, email, request, GuestCall::WriteTicket),
    }
}

/// Counts a call without a token in the name of an e-mail address. Its address was counted when the caller was
/// identified.
pub(super) fn limit_guest(
    api: &Api,
    email: &EmailAddress,
    request: &HttpRequest,
    call: GuestCall<'_>,
) -> Result<(), ApiError> {
    let from = GuestSource::Address(api.services.proxies.client_of(request));
    api.services.limits.guest_email(from, email, call).map_err(Into::into)
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
