//! `POST /api/v1/support/conversations/:id/read`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::guest_token::serve_guest;
use super::rate::for_caller;
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::PersonCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{Conversation, ReadingSide, Refusal};
use crate::dto::{ConversationRead, ReadNumber, Validator};
use crate::identity::Person;
use crate::limits::TokenCall;
use crate::use_cases::{self, ReadUpTo};

/// What the customer has read.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReadRequest {
    #[schemars(with = "ReadNumber")]
    up_to_seq: Option<f64>,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/conversations/{id}/read", read)
        .operation(
            Tag::Customers,
            Access::Customer,
            "markConversationRead",
            "The caller has read the conversation up to a message; what was read before stays read",
        )
        .serves_guests()
        .path_parameter("id", "The conversation's id")
        .body::<ReadRequest>(json!({ "up_to_seq": 7 }))
        .answers::<ConversationRead>(201, &["Conversation read"])
        .rate_limited()
        .refusals([Refusal::NotFound, Refusal::AccessDenied])
}

async fn read(
    api: web::Data<Api>,
    PersonCaller(caller): PersonCaller,
    request: HttpRequest,
    id: web::Path<String>,
    Json(body): Json<ReadRequest>,
) -> Result<HttpResponse, ApiError> {
    if let Person::Guest(guest) = &caller {
        serve_guest(&api, guest, &request, &id, TokenCall::Read).await?;
    }
    let mut validator = Validator::default();
    let seq = ReadNumber::validate(&mut validator, "up_to_seq", body.up_to_seq);
    let up_to = ReadUpTo::Seq(validator.finish(seq)?);
    let id = conversation_id(&id)?;
    let permit = |conversation: &Conversation| match &caller {
        Person::Account(principal) => conversation.permit_customer(&principal.id),
        Person::Guest(guest) => conversation.permit_guest(&guest.email),
    };
    let read = use_cases::mark_read(&api.services, caller.account(), id, up_to, permit).await;
    let reading = read.map_err(|error| for_caller(&caller, error))?;
    Ok(created("Conversation read", ConversationRead::new(id, &reading, ReadingSide::Customer)))
}
