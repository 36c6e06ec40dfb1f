//! `GET /api/v1/support/my-tickets` and `/ticket?ticket_number=…`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{find, may_read, not_found};
use super::view::{Card, UserTicket};
use crate::api::Api;
use crate::api::envelope::fetched;
use crate::api::extractors::{Caller, Visitor};
use crate::api::guard::pass_guard;
use crate::api::query::{Query, StretchQuery};
use crate::api_error::ApiError;
use crate::domain::TextError;
use crate::json_schema::TicketNumber;
use crate::store::{self, MessageRange};
use crate::wire::Validator;
use crate::wire::view::UserMessage;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketList")]
pub(in crate::api) struct List<'a> {
    tickets: Vec<Card<'a>>,
    total_tickets: u64,
}

pub(in crate::api) async fn my_tickets(api: web::Data<Api>, Caller(caller): Caller) -> Result<HttpResponse, ApiError> {
    let found = store::tickets_of(&api.database, caller.id.clone()).await?;
    let tickets = found.tickets.iter().filter_map(Card::new).collect();
    Ok(fetched("Tickets fetched", List { tickets, total_tickets: found.total }))
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::api) struct TicketQuery {
    #[schemars(with = "TicketNumber")]
    ticket_number: Option<String>,
    email: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketRetrieved")]
pub(in crate::api) struct Retrieved<'a> {
    ticket: UserTicket<'a>,
}

pub(in crate::api) async fn ticket(
    api: web::Data<Api>,
    Visitor(caller): Visitor,
    request: HttpRequest,
    query: Query<TicketQuery>,
    stretch: Query<StretchQuery>,
) -> Result<HttpResponse, ApiError> {
    pass_guard(&api, caller.as_ref(), &request, &[]).await?;
    let mut fields = Validator::default();
    let number = fields.required("ticket_number", query.ticket_number.as_deref(), number);
    let number = fields.finish(number)?;
    let stretch = stretch.by_seq()?;
    let key = find(&api, &number).await?.filter(|key| may_read(key, caller.as_ref(), query.email.as_deref()));
    let Some(key) = key else { return Err(not_found(&number)) };
    retrieve(&api, &key, stretch).await
}

async fn retrieve(api: &Api, key: &store::TicketKey, stretch: MessageRange) -> Result<HttpResponse, ApiError> {
    let conversation = store::ticket(&api.database, key.id).await?.ok_or_else(ApiError::internal)?;
    let history = store::visible_messages(&api.database, &conversation, stretch).await?;
    let messages = history.messages.iter().map(UserMessage::in_history).collect();
    let ticket = UserTicket::new(&conversation, messages, Some(history.has_more)).ok_or_else(ApiError::internal)?;
    Ok(fetched("Ticket retrieved", Retrieved { ticket }))
}

/// A number as it was sent, less the white space around it.
pub(super) fn number(number: &str) -> Result<String, TextError> {
    match number.trim() {
        "" => Err(TextError::Empty),
        number => Ok(number.to_owned()),
    }
}
