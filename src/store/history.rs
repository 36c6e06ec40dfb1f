//! A stretch of a conversation's messages (`decisions.md`, "Order without gaps").

use entity::messages;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, Posted};
use crate::event_codec::decode_message;

/// Which messages: of a customer by `seq`, of an agent by `position`; `before` is a `seq` for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRange {
    /// The first that came after.
    After {
        /// The place behind which it begins.
        after: u32,
        /// How many at most.
        limit: u32,
    },
    /// The last ones before.
    Before {
        /// The `seq` in front of which it ends.
        before: u32,
        /// How many at most.
        limit: u32,
    },
    /// The last ones.
    Last {
        /// How many at most.
        limit: u32,
    },
}

impl MessageRange {
    /// The most messages that a `limit` gives.
    pub const MAX_LIMIT: u32 = 200;
    /// The most messages that are given where nothing is asked for.
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
    /// Whether there are more in the direction of the stretch.
    pub has_more: bool,
}

/// Messages that the customer can see.
///
/// # Errors
/// [`DatabaseError`].
pub async fn visible_messages(
    database: &Database,
    conversation: &Conversation,
    stretch: MessageRange,
) -> Result<History, DatabaseError> {
    let visible = of(conversation).filter(messages::Column::Seq.is_not_null());
    let query = match stretch {
        // A message never stands before the position that its seq names: the primary key serves this.
        MessageRange::After { after, .. } => visible
            .filter(messages::Column::Position.gt(i64::from(after)))
            .filter(messages::Column::Seq.gt(i64::from(after))),
        MessageRange::Before { before, .. } => visible
            .filter(messages::Column::Position.lt(i64::from(before) + without_seq(conversation)))
            .filter(messages::Column::Seq.lt(i64::from(before))),
        MessageRange::Last { .. } => visible,
    };
    fetch(database, query, stretch).await
}

/// All messages, notes included.
///
/// # Errors
/// [`DatabaseError`].
pub async fn all_messages(
    database: &Database,
    conversation: &Conversation,
    stretch: MessageRange,
) -> Result<History, DatabaseError> {
    let all = of(conversation);
    let query = match stretch {
        MessageRange::After { after, .. } => all.filter(messages::Column::Position.gt(i64::from(after))),
        MessageRange::Before { before, .. } => match position_of(database, conversation, before).await? {
            Some(position) => all.filter(messages::Column::Position.lt(position)),
            None => all,
        },
        MessageRange::Last { .. } => all,
    };
    fetch(database, query, stretch).await
}

fn of(conversation: &Conversation) -> Select<messages::Entity> {
    messages::Entity::find().filter(messages::Column::ConversationId.eq(conversation.id.0))
}

/// Events that have no `seq`. A message stands at most this far behind the position that its `seq` names, so the
/// primary key bounds a search by `seq`, however long the conversation.
fn without_seq(conversation: &Conversation) -> i64 {
    conversation.version - conversation.last_seq
}

/// Where the first message stands that has this `seq` or a later one.
async fn position_of(database: &Database, conversation: &Conversation, seq: u32) -> Result<Option<i64>, DatabaseError> {
    // None has 0: the first that has a later one has 1, and stands where that one may stand.
    let seq = seq.max(1);
    let first = of(conversation)
        .select_only()
        .column(messages::Column::Position)
        .filter(messages::Column::Position.between(i64::from(seq), i64::from(seq) + without_seq(conversation)))
        .filter(messages::Column::Seq.gte(i64::from(seq)))
        .order_by_asc(messages::Column::Position)
        .limit(1)
        .into_tuple();
    database.read(async move |connection| first.one(&connection).await).await
}

async fn fetch(
    database: &Database,
    query: Select<messages::Entity>,
    stretch: MessageRange,
) -> Result<History, DatabaseError> {
    let limit = usize::try_from(stretch.limit()).unwrap_or(usize::MAX);
    let ascending = matches!(stretch, MessageRange::After { .. });
    let query = if ascending {
        query.order_by_asc(messages::Column::Position)
    } else {
        query.order_by_desc(messages::Column::Position)
    };
    // One more than asked for tells whether there are more.
    let query = query.limit(u64::from(stretch.limit()) + 1);
    let rows = database.read(async move |connection| query.all(&connection).await).await?;
    let has_more = rows.len() > limit;
    let messages = rows.into_iter().take(limit).map(decode_message).collect::<Result<Vec<_>, _>>();
    let mut messages = messages.map_err(DbErr::from)?;
    if !ascending {
        messages.reverse();
    }
    Ok(History { messages, has_more })
}
