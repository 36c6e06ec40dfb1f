//! `GET /api/v1/support/my-tickets` and `/ticket?ticket_number=…`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{find, find_for_guest, limit_guest, may_read, not_found, number};
use super::view::{TicketListed, UserTicket};
use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::{Caller, GuestCaller, OptionalCaller};
use crate::api::guard::check_guard;
use crate::api::query::{Query, RangeQuery};
use crate::api::user::guest_token::limit;
use crate::api_error::ApiError;
use crate::domain::{EmailAddress, Owner};
use crate::dto::{UserMessage, Validator};
use crate::json_schema::AnyTicketNumber;
use crate::limits::{GuestCall, TokenCall};
use crate::store::{self, MessageRange, TicketKey};

#[derive(Serialize, JsonSchema)]
struct TicketList<'a> {
    tickets: Vec<TicketListed<'a>>,
    total_tickets: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketQuery {
    #[schemars(with = "AnyTicketNumber")]
    ticket_number: Option<String>,
    email: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct TicketRetrieved<'a> {
    ticket: UserTicket<'a>,
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/api/v1/support/my-tickets", my_tickets)
            .operation(Tag::CustomerTickets, Access::Customer, "listOwnTickets", "The caller's tickets, newest first")
            .deprecated()
            .answers::<TicketList<'static>>(200, &["Tickets fetched"]),
        Endpoint::get("/api/v1/support/ticket", ticket)
            .operation(
                Tag::CustomerTickets,
                Access::Guest,
                "readOwnTicket",
                "A ticket by its number; without a token, `email` must match the ticket's",
            )
            .deprecated()
            .serves_guests()
            .query::<TicketQuery>()
            .query_except::<RangeQuery>("after_position")
            .answers::<TicketRetrieved<'static>>(200, &["Ticket retrieved"])
            .error(not_found("SMI-2026-001234")),
    ]
}

async fn my_tickets(api: web::Data<Api>, Caller(caller): Caller) -> Result<HttpResponse, ApiError> {
    let found = store::tickets_of(&api.services.database, caller.id.clone()).await?;
    let tickets = found.tickets.iter().filter_map(TicketListed::new).collect();
    Ok(fetched("Tickets fetched", TicketList { tickets, total_tickets: found.total }))
}

async fn ticket(
    api: web::Data<Api>,
    GuestCaller(guest): GuestCaller,
    request: HttpRequest,
    query: Query<TicketQuery>,
    range: Query<RangeQuery>,
) -> Result<HttpResponse, ApiError> {
    if let Some(guest) = &guest {
        limit(&api, guest, &request, TokenCall::Read)?;
        let number = query.ticket_number.as_deref().unwrap_or_default();
        if let Some(key) = find_for_guest(&api, number, guest).await? {
            return retrieve(&api, &key, range.by_seq()?, Some(&guest.as_owner())).await;
        }
    }
    // A token for anything else counts as none.
    let caller = OptionalCaller::of(&request)?;
    check_guard(&api, caller.as_ref(), &request, &[]).await?;
    let mut validator = Validator::default();
    let number = validator.required("ticket_number", query.ticket_number.as_deref(), number);
    let number = validator.finish(number)?;
    let range = range.by_seq()?;
    let email = query.email.as_deref();
    if let (None, Some(Ok(email))) = (&caller, email.map(EmailAddress::parse)) {
        limit_guest(&api, &email, &request, GuestCall::ReadTicket)?;
    }
    let key = find(&api, &number, caller.as_ref()).await?.filter(|key| may_read(key, caller.as_ref(), email));
    let Some(key) = key else { return Err(not_found(&number)) };
    let reader = caller.map(|caller| caller.as_owner());
    retrieve(&api, &key, range, reader.as_ref()).await
}

/// A reader without a token knows the address and the number, which does not make them the sender of a message.
async fn retrieve(
    api: &Api,
    key: &TicketKey,
    range: MessageRange,
    reader: Option<&Owner>,
) -> Result<HttpResponse, ApiError> {
    let database = &api.services.database;
    let conversation = store::ticket(database, key.id).await?.ok_or_else(ApiError::internal)?;
    let history = store::visible_messages(database, &conversation, range).await?;
    let messages = history.messages.iter().map(|posted| UserMessage::in_history(posted, reader)).collect();
    let ticket = UserTicket::new(&conversation, messages, Some(history.has_more)).ok_or_else(ApiError::internal)?;
    Ok(fetched("Ticket retrieved", TicketRetrieved { ticket }))
}
