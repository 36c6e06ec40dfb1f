//! A range of a conversation's messages (`decisions.md`, "Order without gaps").

use entity::messages;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, Posted};
use crate::event_codec::decode_message;

/// A range of messages or events. Customers count by `seq`, agents by `position`; `before` is a `seq` for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRange {
    /// The first ones after a place.
    After {
        /// The place; the range begins after it.
        after: u32,
        /// The maximum number.
        limit: u32,
    },
    /// The last ones before a place.
    Before {
        /// The place; the range ends before it.
        before: u32,
        /// The maximum number.
        limit: u32,
    },
    /// The last ones.
    Last {
        /// The maximum number.
        limit: u32,
    },
}

impl MessageRange {
    /// The maximum of a client's `limit`.
    pub const MAX_LIMIT: u32 = 200;
    /// The limit if the client gives none.
    pub const ALL: u32 = 1000;

    fn limit(self) -> u32 {
        match self {
            Self::After { limit, .. } | Self::Before { limit, .. } | Self::Last { limit } => limit,
        }
    }
}

/// Messages in ascending order.
#[derive(Clone, Debug)]
pub struct History {
    /// The messages.
    pub messages: Vec<Posted>,
    /// Whether there are more in the direction of the range.
    pub has_more: bool,
}

/// A range of the messages that the customer can see.
///
/// # Errors
/// [`DatabaseError`].
pub async fn visible_messages(
    database: &Database,
    conversation: &Conversation,
    range: MessageRange,
) -> Result<History, DatabaseError> {
    let visible = of(conversation).filter(messages::Column::Seq.is_not_null());
    let query = match range {
        // A position is never less than the seq at it, so the primary key serves this.
        MessageRange::After { after, .. } => visible
            .filter(messages::Column::Position.gt(i64::from(after)))
            .filter(messages::Column::Seq.gt(i64::from(after))),
        MessageRange::Before { before, .. } => visible
            .filter(messages::Column::Position.lt(i64::from(before) + events_without_seq(conversation)))
            .filter(messages::Column::Seq.lt(i64::from(before))),
        MessageRange::Last { .. } => visible,
    };
    fetch(database, query, range).await
}

/// A range of all messages, notes included.
///
/// # Errors
/// [`DatabaseError`].
pub async fn all_messages(
    database: &Database,
    conversation: &Conversation,
    range: MessageRange,
) -> Result<History, DatabaseError> {
    let all = of(conversation);
    let query = match range {
        MessageRange::After { after, .. } => all.filter(messages::Column::Position.gt(i64::from(after))),
        MessageRange::Before { before, .. } => match position_of(database, conversation, before).await? {
            Some(position) => all.filter(messages::Column::Position.lt(position)),
            None => all,
        },
        MessageRange::Last { .. } => all,
    };
    fetch(database, query, range).await
}

fn of(conversation: &Conversation) -> Select<messages::Entity> {
    messages::Entity::find().filter(messages::Column::ConversationId.eq(conversation.id.0))
}

/// The number of events without a `seq`: a message's position exceeds its `seq` by at most this. So a search by `seq`
/// reads a bounded range of the primary key, however long the conversation.
fn events_without_seq(conversation: &Conversation) -> i64 {
    conversation.version - conversation.last_seq
}

/// The position of the first message with this `seq` or a later one.
async fn position_of(database: &Database, conversation: &Conversation, seq: u32) -> Result<Option<i64>, DatabaseError> {
    // No message has seq 0; the first later one is 1, and the range below must cover its position.
    let seq = seq.max(1);
    let first = of(conversation)
        .select_only()
        .column(messages::Column::Position)
        .filter(messages::Column::Position.between(i64::from(seq), i64::from(seq) + events_without_seq(conversation)))
        .filter(messages::Column::Seq.gte(i64::from(seq)))
        .order_by_asc(messages::Column::Position)
        .limit(1)
        .into_tuple();
    database.read(async move |connection| first.one(&connection).await).await
}

async fn fetch(
    database: &Database,
    query: Select<messages::Entity>,
    range: MessageRange,
) -> Result<History, DatabaseError> {
    let limit = usize::try_from(range.limit()).unwrap_or(usize::MAX);
    let ascending = matches!(range, MessageRange::After { .. });
    let query = if ascending {
        query.order_by_asc(messages::Column::Position)
    } else {
        query.order_by_desc(messages::Column::Position)
    };
    // One more than the limit shows whether there are more.
    let query = query.limit(u64::from(range.limit()) + 1);
    let rows = database.read(async move |connection| query.all(&connection).await).await?;
    let has_more = rows.len() > limit;
    let messages = rows.into_iter().take(limit).map(decode_message).collect::<Result<Vec<_>, _>>();
    let mut messages = messages.map_err(DbErr::from)?;
    if !ascending {
        messages.reverse();
    }
    Ok(History { messages, has_more })
}
