//! A handover, as its row of `handovers`.

use entity::handovers;

use super::{DecodeError, Table};
use crate::domain::{Event, Handover, HandoverId, Party, Reason};

const TABLE: Table = Table("handovers");

/// The row of a handover that an event requests.
pub(crate) fn encode_handover(event: &Event, handover: &Handover, is_announced: bool) -> handovers::Model {
    handovers::Model {
        id: handover.id.0,
        conversation_id: event.conversation.0,
        from_id: handover.from.id.as_str().to_owned(),
        from_name: handover.from.name.clone(),
        to_id: handover.to.id.as_str().to_owned(),
        to_name: handover.to.name.clone(),
        reason: handover.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        status: "pending".to_owned(),
        created_at: event.at,
        responded_at: None,
        resolution: None,
        is_announced,
    }
}

/// A handover as it was requested, whatever has come of it.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_handover(row: handovers::Model) -> Result<Handover, DecodeError> {
    Ok(Handover {
        id: HandoverId(row.id),
        from: Party { id: TABLE.user_id("from_id", &row.from_id)?, name: row.from_name },
        to: Party { id: TABLE.user_id("to_id", &row.to_id)?, name: row.to_name },
        reason: row.reason.map(Reason::stored),
    })
}
