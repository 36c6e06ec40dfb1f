//! The events after a position, for subscribers that have not received them.
//!
//! A row that cannot be decoded is left out and logged: an event of a kind that only a newer release knows, or a row
//! that was changed by hand. The events around it are still announced.

use std::collections::HashMap;

use entity::{conversation_events, handovers, messages};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use crate::domain::{Conversation, Event, Handover};
use crate::event_codec::{
    DecodeError, EventContext, decode_event, decode_handover, decode_message_event, resolved_handover_id,
};

/// Which events of a conversation to load.
#[derive(Clone, Copy, Debug)]
pub struct EventRange {
    /// Those at later positions.
    pub position: i64,
    /// At most this many, the newest.
    pub most: i64,
}

/// The events of a range, up to the conversation's version, in order of position.
pub(super) async fn events(
    connection: &DatabaseConnection,
    conversation: &Conversation,
    range: EventRange,
) -> Result<Vec<Event>, DbErr> {
    let (id, version) = (conversation.id.0, conversation.version);
    let from = (range.position + 1).max(version - range.most + 1);
    if from > version {
        return Ok(Vec::new());
    }
    let messages = messages::Entity::find()
        .filter(messages::Column::ConversationId.eq(id))
        .filter(messages::Column::Position.between(from, version))
        .all(connection)
        .await?;
    let rows = conversation_events::Entity::find()
        .filter(conversation_events::Column::ConversationId.eq(id))
        .filter(conversation_events::Column::Position.between(from, version))
        .all(connection)
        .await?;
    let handovers = resolved_handovers(connection, &rows).await?;
    let context = EventContext { conversation, handovers: &handovers };
    let messages = messages.into_iter().map(|row| (row.position, decode_message_event(row)));
    let others = rows.into_iter().map(|row| (row.position, decode_event(row, &context)));
    let mut events: Vec<Event> =
        messages.chain(others).filter_map(|(position, event)| decoded(conversation, position, event)).collect();
    events.sort_by_key(|event| event.position);
    Ok(events)
}

fn decoded(conversation: &Conversation, position: i64, event: Result<Event, DecodeError>) -> Option<Event> {
    event
        .inspect_err(|error| {
            tracing::warn!(conversation = %conversation.id, position, %error, "an event cannot be read and is left out");
        })
        .ok()
}

/// The handovers that these events resolve, by id. One that cannot be decoded is missing, and so is its event then.
async fn resolved_handovers(
    connection: &DatabaseConnection,
    rows: &[conversation_events::Model],
) -> Result<HashMap<Uuid, Handover>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().filter_map(resolved_handover_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = handovers::Entity::find().filter(handovers::Column::Id.is_in(ids)).all(connection).await?;
    Ok(found.into_iter().filter_map(|row| Some((row.id, decode_handover(row).ok()?))).collect())
}
