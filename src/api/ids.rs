//! Ids in paths and bodies.

use crate::api_error::ApiError;
use crate::domain::{Refusal, TicketId};

pub(super) use crate::use_cases::conversation_id;

/// Parses a ticket's id. One that is no UUID is as unknown as one that names nothing (`decisions.md`).
pub(super) fn ticket_id(id: &str) -> Result<TicketId, ApiError> {
    TicketId::parse(id).ok_or_else(|| Refusal::TicketNotFound.into())
}
