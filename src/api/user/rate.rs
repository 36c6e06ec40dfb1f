//! `POST /api/v1/support/conversations/:id/rate`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::fetched;
use crate::api::extractors::Caller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{ConversationId, Feedback, Rate, Rating, RatingError, SubmitRating, Target};
use crate::wire::Validator;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "RateRequest")]
pub(in crate::api) struct RateBody {
    #[schemars(with = "Rating")]
    rating: Option<f64>,
    #[schemars(with = "Option<Feedback>")]
    feedback: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationRated")]
pub(in crate::api) struct Rated {
    id: ConversationId,
    satisfaction_rating: Rating,
    feedback: Option<Feedback>,
}

/// 200, unlike other POSTs (`decisions.md`, "Envelope and errors").
pub(in crate::api) async fn rate(
    api: web::Data<Api>,
    Caller(caller): Caller,
    id: web::Path<String>,
    Json(body): Json<RateBody>,
) -> Result<HttpResponse, ApiError> {
    let (rating, feedback) = read(&body)?;
    let id = conversation_id(&id)?;
    let rate = Rate { from: caller.as_customer(), rating, feedback: feedback.clone() };
    api.registry.execute(id, SubmitRating { target: Target::Conversation, rate }).await?;
    Ok(fetched("Rating submitted", Rated { id, satisfaction_rating: rating, feedback }))
}

/// What a body says, if it keeps to the rules.
pub(super) fn read(body: &RateBody) -> Result<(Rating, Option<Feedback>), ApiError> {
    let mut fields = Validator::default();
    let rating = body.rating.ok_or(RatingError).and_then(Rating::parse);
    let rating = rating.map_err(|error| fields.fault("rating", error.to_string())).ok();
    let feedback = fields.optional("feedback", body.feedback.as_deref(), Feedback::parse_or_nothing).flatten();
    Ok((fields.finish(rating)?, feedback))
}
