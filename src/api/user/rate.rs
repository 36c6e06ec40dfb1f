//! `POST /api/v1/support/conversations/:id/rate`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::guest_token::serve_guest;
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::PersonCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{ConversationId, CustomerRating, Feedback, Rating, RatingError, Refusal, SubmitRating, Target};
use crate::dto::Validator;
use crate::identity::Person;
use crate::limits::TokenCall;
use crate::use_cases::void_as_unauthorized;

/// A rating of one to five stars.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct RateRequest {
    #[schemars(with = "Rating")]
    rating: Option<f64>,
    #[schemars(with = "Option<Feedback>")]
    feedback: Option<String>,
}

impl RateRequest {
    pub(super) fn validate(&self) -> Result<(Rating, Option<Feedback>), ApiError> {
        let mut validator = Validator::default();
        let rating = self.rating.ok_or(RatingError).and_then(Rating::parse);
        let rating = rating.map_err(|error| validator.fail("rating", error.to_string())).ok();
        let feedback = validator.optional("feedback", self.feedback.as_deref(), Feedback::parse_optional).flatten();
        Ok((validator.finish(rating)?, feedback))
    }
}

#[derive(Serialize, JsonSchema)]
struct ConversationRated {
    id: ConversationId,
    satisfaction_rating: Rating,
    feedback: Option<Feedback>,
}

/// A guest whose conversation belongs to an account now is refused as with a bad token.
pub(super) fn for_caller(caller: &Person, error: ApiError) -> ApiError {
    if caller.guest().is_some() { void_as_unauthorized(error) } else { error }
}

/// 200, unlike other POSTs (`decisions.md`, "Envelope and errors").
pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/conversations/{id}/rate", rate)
        .operation(Tag::Customers, Access::Customer, "rateConversation", "Rates a closed conversation")
        .serves_guests()
        .path_parameter("id", "The conversation's id")
        .body::<RateRequest>(json!({ "rating": 5, "feedback": "Sarah was amazing! Very quick and helpful." }))
        .answers::<ConversationRated>(200, &["Rating submitted"])
        .refusals([Refusal::NotFound, Refusal::RateNotOwn, Refusal::AlreadyRated, Refusal::RateOpen])
}

async fn rate(
    api: web::Data<Api>,
    PersonCaller(caller): PersonCaller,
    request: HttpRequest,
    id: web::Path<String>,
    Json(body): Json<RateRequest>,
) -> Result<HttpResponse, ApiError> {
    if let Person::Guest(guest) = &caller {
        serve_guest(&api, guest, &request, &id, TokenCall::Send).await?;
    }
    let (rating, feedback) = body.validate()?;
    let id = conversation_id(&id)?;
    let rate = CustomerRating { from: caller.as_customer(), rating, feedback: feedback.clone() };
    let rated = api.services.registry.execute(id, SubmitRating { target: Target::Conversation, rate }).await;
    rated.map_err(ApiError::from).map_err(|error| for_caller(&caller, error))?;
    Ok(fetched("Rating submitted", ConversationRated { id, satisfaction_rating: rating, feedback }))
}
