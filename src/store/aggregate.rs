//! A conversation's state from all its tables: its row, its ticket and its pending handover.

use entity::{conversations, handovers, tickets};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};

use crate::domain::Conversation;
use crate::event_codec::{decode_conversation, decode_handover, decode_ticket};

/// The state of this row. The ticket and the handover may be newer than the row. A decision on such a state is not
/// stored: the fence compares the row's version.
pub(super) async fn aggregate(
    connection: &DatabaseConnection,
    row: conversations::Model,
) -> Result<Conversation, DbErr> {
    let (ticket_id, handover_id) = (row.ticket_id, row.pending_handover_id);
    let mut conversation = decode_conversation(row)?;
    if let Some(id) = ticket_id {
        let row = tickets::Entity::find_by_id(id).one(connection).await?;
        conversation.ticket = row.map(decode_ticket).transpose()?.map(Box::new);
    }
    if let Some(id) = handover_id {
        let row = handovers::Entity::find_by_id(id).one(connection).await?;
        conversation.pending_since = row.as_ref().map(|row| row.created_at);
        conversation.pending_handover = row.map(decode_handover).transpose()?.map(Box::new);
    }
    Ok(conversation)
}
