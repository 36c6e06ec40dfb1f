//! Guests' tokens: what they are admitted to, and `POST /api/v1/support/conversations/claim-guest` (`additions.md`, 6).

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::Caller;
use crate::api_error::ApiError;
use crate::domain::{ClaimGuest, ConversationId, Refusal};
use crate::identity::Guest;
use crate::limits::TokenCall;
use crate::use_cases::{admit_guest, limit_guest_token};

/// Admits a guest to a conversation, in the client's spelling: 401 for any but theirs. Then the call is counted.
pub(super) async fn serve_guest(
    api: &Api,
    guest: &Guest,
    request: &HttpRequest,
    id: &str,
    call: TokenCall,
) -> Result<(), ApiError> {
    // Counted first: a void token asks the database, too.
    limit(api, guest, request, call)?;
    admit_guest(&api.services, guest, id).await.map(drop)
}

/// Counts what a guest does with a token.
pub(super) fn limit(api: &Api, guest: &Guest, request: &HttpRequest, call: TokenCall) -> Result<(), ApiError> {
    limit_guest_token(&api.services, guest, api.services.proxies.client_of(request), call)
}

/// The token of the guest who has signed in.
#[derive(Debug, Deserialize, JsonSchema)]
struct ClaimRequest {
    #[schemars(with = "String")]
    guest_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct GuestClaimed {
    conversation_id: ConversationId,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/conversations/claim-guest", claim_guest)
        .operation(
            Tag::Customers,
            Access::Customer,
            "claimGuestConversation",
            "Moves the conversation of a guest's token to the caller's account; the token is void then",
        )
        .rate_limited()
        .body::<ClaimRequest>(json!({ "guest_token": "eyJ0eXAiOiJndWVzdCtqd3QiLCJhbGciOiJIUzI1NiJ9…" }))
        .answers::<GuestClaimed>(201, &["Conversation moved to your account"])
        .refusals([Refusal::GuestTokenInvalid])
}

async fn claim_guest(
    api: web::Data<Api>,
    Caller(caller): Caller,
    Json(body): Json<ClaimRequest>,
) -> Result<HttpResponse, ApiError> {
    let services = &api.services;
    let token = body.guest_token.ok_or(Refusal::GuestTokenInvalid)?;
    services.limits.send(&caller.id)?;
    let guest = services.guest_tokens.verify(&token, services.clock.now()).ok_or(Refusal::GuestTokenInvalid)?;
    // A ticket without a conversation cannot be moved.
    let id = guest.conversation().ok_or(Refusal::GuestTokenInvalid)?;
    let claim = ClaimGuest { by: caller.as_customer(), guest: guest.email };
    services.registry.execute(id, claim).await.map_err(|error| {
        let error = ApiError::from(error);
        if error == ApiError::conversation_not_found() { Refusal::GuestTokenInvalid.into() } else { error }
    })?;
    Ok(created("Conversation moved to your account", GuestClaimed { conversation_id: id }))
}
