//! `POST /api/v1/support/ticket/:ticketNumber/rate`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::access::{find, find_for_guest, not_found};
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::PersonCaller;
use crate::api::user::guest_token::limit;
use crate::api::user::rate::{RateRequest, for_caller};
use crate::api_error::ApiError;
use crate::domain::{CustomerRating, Feedback, Rating, Refusal, SubmitRating, Target};
use crate::identity::Person;
use crate::limits::TokenCall;

#[derive(Serialize, JsonSchema)]
struct TicketRated<'a> {
    ticket_number: &'a str,
    satisfaction_rating: Rating,
    feedback: Option<Feedback>,
}

/// 200, unlike other POSTs (`decisions.md`, "Envelope and errors").
pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/ticket/{number}/rate", rate)
        .operation(Tag::CustomerTickets, Access::Customer, "rateTicket", "Rates a resolved or closed ticket")
        .deprecated()
        .serves_guests()
        .path_parameter("number", "The ticket's number")
        .body::<RateRequest>(json!({ "rating": 4 }))
        .answers::<TicketRated<'static>>(200, &["Rating submitted"])
        .error(not_found("SMI-2026-001234"))
        .refusals([Refusal::TicketRateNotOwn, Refusal::TicketAlreadyRated, Refusal::TicketRateOpen])
}

async fn rate(
    api: web::Data<Api>,
    PersonCaller(caller): PersonCaller,
    request: HttpRequest,
    number: web::Path<String>,
    Json(body): Json<RateRequest>,
) -> Result<HttpResponse, ApiError> {
    let number = number.trim();
    let for_guest = match &caller {
        Person::Guest(guest) => {
            limit(&api, guest, &request, TokenCall::Send)?;
            Some(find_for_guest(&api, number, guest).await?.ok_or_else(ApiError::unauthorized)?)
        }
        Person::Account(_) => None,
    };
    let (rating, feedback) = body.validate()?;
    let key = match for_guest {
        Some(key) => key,
        None => find(&api, number, caller.account()).await?.ok_or_else(|| not_found(number))?,
    };
    let rate = CustomerRating { from: caller.as_customer(), rating, feedback: feedback.clone() };
    let rated = api.services.registry.execute(key.conversation, SubmitRating { target: Target::Ticket, rate }).await;
    rated.map_err(ApiError::from).map_err(|error| for_caller(&caller, error))?;
    Ok(fetched("Rating submitted", TicketRated { ticket_number: &key.number, satisfaction_rating: rating, feedback }))
}
