//! The timeline: messages and other events of a conversation, merged by position.

use entity::{conversation_events, messages};
use sea_orm::sea_query::{Expr, Func, SimpleExpr};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, Iterable, Order, QueryFilter, QueryOrder, QuerySelect};

use super::history::MessageRange;
use crate::database::{Database, DatabaseError};
use crate::domain::Conversation;

/// Characters of a message's text that are read; a preview shows fewer.
const SHOWN: i32 = 200;

/// The beginning of a text, which the database cuts.
pub(super) fn beginning(column: impl ColumnTrait) -> SimpleExpr {
    Func::cust("substr").arg(Expr::col(column)).arg(1).arg(SHOWN).into()
}

/// A row of the timeline.
#[derive(Clone, Debug)]
pub enum TimelineEntry {
    /// A message or a note, with the beginning of its text.
    Message(messages::Model),
    /// Any other event.
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

/// A range of a timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// In order of position, without a gap.
    pub entries: Vec<TimelineEntry>,
    /// Whether there are more in the direction of the range.
    pub has_more: bool,
}

/// A range of the timeline, up to the version of `conversation`. Here [`MessageRange::Before`] is a position, too.
///
/// # Errors
/// [`DatabaseError`].
pub async fn timeline(
    database: &Database,
    conversation: &Conversation,
    range: MessageRange,
) -> Result<Timeline, DatabaseError> {
    let (id, version) = (conversation.id.0, conversation.version);
    // Positions have no gap, so both ends of the range are known before anything is read. Events stored between the two
    // queries are after the version, and so in neither result.
    let (from, to) = match range {
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
    let has_more = if matches!(range, MessageRange::After { .. }) { to < version } else { from > 1 };
    let entries = database
        .read(async move |connection| {
            let messages = messages::Entity::find()
                .select_only()
                .columns(messages::Column::iter().filter(|column| !matches!(column, messages::Column::Body)))
                .column_as(beginning(messages::Column::Body), messages::Column::Body)
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
            let mut entries: Vec<_> = messages.chain(events.into_iter().map(TimelineEntry::Event)).collect();
            entries.sort_by_key(TimelineEntry::position);
            Ok::<_, DbErr>(entries)
        })
        .await?;
    Ok(Timeline { entries, has_more })
}
