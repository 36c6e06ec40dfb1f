//! What a guest's token permits (`additions.md`, 6): one conversation, as long as it belongs to the guest. A token that is
//! void, or is shown for anything else, is refused as a bad one.

use std::net::IpAddr;

use crate::api_error::{ApiError, Code};
use crate::domain::ConversationId;
use crate::identity::Guest;
use crate::limits::TokenCall;
use crate::services::Services;
use crate::store;

/// Admits a guest to their conversation, as it is stored.
pub(crate) async fn admit_guest(services: &Services, guest: &Guest, id: &str) -> Result<ConversationId, ApiError> {
    let id = ConversationId::parse(id).filter(|id| guest.conversation() == Some(*id));
    let id = id.ok_or_else(ApiError::unauthorized)?;
    let is_theirs = store::is_of_guest(&services.database, id, &guest.email).await?;
    if is_theirs { Ok(id) } else { Err(ApiError::unauthorized()) }
}

/// Counts what a guest does with a token: for the client's address, and for the e-mail address.
pub(crate) fn limit_guest_token(
    services: &Services,
    guest: &Guest,
    from: Option<IpAddr>,
    call: TokenCall,
) -> Result<(), ApiError> {
    services.limits.guest_token(from, guest.place.id(), &guest.email, call).map_err(Into::into)
}

/// The conversation was another's when the command was carried out: the guest's token is void.
pub(crate) fn void_as_unauthorized(error: ApiError) -> ApiError {
    match error.code {
        Code::AccessDenied | Code::NotFound => ApiError::unauthorized(),
        _ => error,
    }
}
