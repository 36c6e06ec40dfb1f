//! `POST /api/v1/support/ticket/:ticketNumber/rate`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::{find, not_found};
use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::fetched;
use crate::api::extractors::Caller;
use crate::api::user::rate::{RateBody, read};
use crate::api_error::ApiError;
use crate::domain::{Feedback, Rate, Rating, SubmitRating, Target};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketRated")]
pub(in crate::api) struct Rated<'a> {
    ticket_number: &'a str,
    satisfaction_rating: Rating,
    feedback: Option<Feedback>,
}

/// 200, unlike other POSTs (`decisions.md`, "Envelope and errors").
pub(in crate::api) async fn rate(
    api: web::Data<Api>,
    Caller(caller): Caller,
    number: web::Path<String>,
    Json(body): Json<RateBody>,
) -> Result<HttpResponse, ApiError> {
    let (rating, feedback) = read(&body)?;
    let number = number.trim();
    let key = find(&api, number).await?.ok_or_else(|| not_found(number))?;
    let rate = Rate { from: caller.as_customer(), rating, feedback: feedback.clone() };
    api.registry.execute(key.conversation, SubmitRating { target: Target::Ticket, rate }).await?;
    Ok(fetched("Rating submitted", Rated { ticket_number: number, satisfaction_rating: rating, feedback }))
}
