//! What happened to a conversation, messages and all: two tables, merged by position.

use entity::{conversation_events, messages};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};

use super::history::MessageRange;
use crate::database::{Database, DatabaseError};
use crate::domain::Conversation;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum TimelineEntry {
    /// Somebody wrote.
    Message(messages::Model),
    /// Anything else.
    Event(conversation_events::Model),
}

impl TimelineEntry {
    /// Its place: 1, 2, 3 … without a gap.
    #[must_use]
    pub fn position(&self) -> i64 {
        match self {
            Self::Message(message) => message.position,
            Self::Event(event) => event.position,
        }
    }
}

/// A stretch of a timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// In order of position, without a gap.
    pub happenings: Vec<TimelineEntry>,
    /// Whether there are more in the direction of the stretch.
    pub has_more: bool,
}

/// What happened up to the version of `conversation`. [`MessageRange::Before`] counts positions here, as the others do.
///
/// # Errors
/// [`DatabaseError`].
pub async fn timeline(
    database: &Database,
    conversation: &Conversation,
    stretch: MessageRange,
) -> Result<Timeline, DatabaseError> {
    let (id, version) = (conversation.id.0, conversation.version);
    // Positions have no gap, so where a stretch begins and ends is known before anything is read. What is stored while
    // the two tables are read lies behind the version, and is left out of both.
    let (from, to) = match stretch {
        MessageRange::After { after, limit } => {
            let after = i64::from(after).min(version);
            (after + 1, version.min(after + i64::from(limit)))
        }
        MessageRange::Before { before, limit } => {
            let to = version.min(i64::from(before) - 1);
            (1.max(to - i64::from(limit) + 1), to)
        }
        MessageRange::Last { limit } => (1.max(version - i64::from(limit) + 1), version),
    };
    let has_more = if matches!(stretch, MessageRange::After { .. }) { to < version } else { from > 1 };
    let happenings = database
        .read(async move |connection| {
            let messages = messages::Entity::find()
                .filter(messages::Column::ConversationId.eq(id))
                .filter(messages::Column::Position.between(from, to))
                .order_by(messages::Column::Position, Order::Asc)
                .limit(u64::from(MessageRange::ALL))
                .all(&connection)
                .await?;
            let events = conversation_events::Entity::find()
                .filter(conversation_events::Column::ConversationId.eq(id))
                .filter(conversation_events::Column::Position.between(from, to))
                .order_by(conversation_events::Column::Position, Order::Asc)
                .limit(u64::from(MessageRange::ALL))
                .all(&connection)
                .await?;
            let messages = messages.into_iter().map(TimelineEntry::Message);
            let mut happenings: Vec<_> = messages.chain(events.into_iter().map(TimelineEntry::Event)).collect();
            happenings.sort_by_key(TimelineEntry::position);
            Ok::<_, DbErr>(happenings)
        })
        .await?;
    Ok(Timeline { happenings, has_more })
}
