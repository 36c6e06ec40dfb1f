//! `POST /api/v1/support/conversations/:id/rate`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::fetched;
use crate::api::extractors::Caller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{ConversationId, CustomerRating, Feedback, Rating, RatingError, Refusal, SubmitRating, Target};
use crate::dto::Validator;

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

/// 200, unlike other POSTs (`decisions.md`, "Envelope and errors").
pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/conversations/{id}/rate", rate)
        .operation(Tag::Customers, Access::Customer, "rateConversation", "Rates a closed conversation")
        .path_parameter("id", "The conversation's id")
        .body::<RateRequest>(json!({ "rating": 5, "feedback": "Sarah was amazing! Very quick and helpful." }))
        .answers::<ConversationRated>(200, &["Rating submitted"])
        .refusals([Refusal::NotFound, Refusal::RateNotOwn, Refusal::AlreadyRated, Refusal::RateOpen])
}

async fn rate(
    api: web::Data<Api>,
    Caller(caller): Caller,
    id: web::Path<String>,
    Json(body): Json<RateRequest>,
) -> Result<HttpResponse, ApiError> {
    let (rating, feedback) = body.validate()?;
    let id = conversation_id(&id)?;
    let rate = CustomerRating { from: caller.as_customer(), rating, feedback: feedback.clone() };
    api.services.registry.execute(id, SubmitRating { target: Target::Conversation, rate }).await?;
    Ok(fetched("Rating submitted", ConversationRated { id, satisfaction_rating: rating, feedback }))
}
