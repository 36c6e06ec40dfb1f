//! A range of a conversation's messages (`decisions.md`, "Order without gaps").
//!
//! A range ends before its limit where its messages would be more than [`Database::answer_bytes`] as JSON, and has at
//! least one. A range that may be longer is measured in the database first, so that no more is read than is given.

use entity::messages;
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

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
    fetch(database, conversation, query, range).await
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
    fetch(database, conversation, query, range).await
}

/// Bytes of messages as JSON, estimated from above: the text as it is escaped, and everything else.
#[must_use]
pub fn json_bytes(messages: &[Posted]) -> usize {
    messages.iter().map(message_bytes).sum()
}

fn message_bytes(posted: &Posted) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    posted.message.text.as_str().bytes().map(escaped).sum::<usize>() + OTHER_FIELDS
}

/// Bytes of a message's JSON without its text: names, addresses, times and keys.
const OTHER_FIELDS: usize = 512;

/// Bytes of the longest text: 5 000 characters of 4 bytes.
const LONGEST_TEXT: usize = 20_000;

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
    conversation: &Conversation,
    query: Select<messages::Entity>,
    range: MessageRange,
) -> Result<History, DatabaseError> {
    let ascending = matches!(range, MessageRange::After { .. });
    let query = if ascending {
        query.order_by_asc(messages::Column::Position)
    } else {
        query.order_by_desc(messages::Column::Position)
    };
    let (limit, max_bytes) = (u64::from(range.limit()), database.answer_bytes());
    let most = usize::try_from(conversation.message_count.max(0)).unwrap_or(usize::MAX);
    let most = most.min(usize::try_from(limit).unwrap_or(usize::MAX));
    let may_be_too_long = most.saturating_mul(LONGEST_TEXT + OTHER_FIELDS) > max_bytes;
    let (rows, limit) = database
        .read(async move |connection| {
            let limit = match may_be_too_long {
                true => fitting(&connection, query.clone(), limit, max_bytes).await?,
                false => limit,
            };
            // One more than the limit shows whether there are more.
            Ok::<_, DbErr>((query.limit(limit + 1).all(&connection).await?, limit))
        })
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut has_more = rows.len() > limit;
    let messages = rows.into_iter().take(limit).map(decode_message).collect::<Result<Vec<_>, _>>();
    let mut messages = messages.map_err(DbErr::from)?;
    let count = first_fitting(messages.iter().map(message_bytes), max_bytes);
    has_more |= count < messages.len();
    messages.truncate(count);
    if !ascending {
        messages.reverse();
    }
    Ok(History { messages, has_more })
}

/// How many of the first messages of a query take at most so many bytes, as they are stored; at least one, and `limit` if
/// all do.
async fn fitting(
    connection: &DatabaseConnection,
    query: Select<messages::Entity>,
    limit: u64,
    max_bytes: usize,
) -> Result<u64, DbErr> {
    let size = Func::cust("octet_length").arg(Expr::col(messages::Column::Body));
    let sizes: Vec<i32> = query.select_only().expr(size).limit(limit).into_tuple().all(connection).await?;
    let measured = sizes.len();
    let sizes = sizes.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX).saturating_add(OTHER_FIELDS));
    let count = first_fitting(sizes, max_bytes);
    // Where all fit, the range keeps its limit: messages that are stored before it is read must not push others out.
    Ok(if count < measured { count as u64 } else { limit })
}

/// How many of the first sizes are at most `max` together; at least one.
fn first_fitting(sizes: impl Iterator<Item = usize>, max: usize) -> usize {
    let mut sum = 0_usize;
    let fits = |size: &usize| {
        sum = sum.saturating_add(*size);
        sum <= max
    };
    sizes.take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_sizes_fit_as_do_not_exceed_the_limit_and_at_least_one() {
        let fitting = |sizes: &[usize], max| first_fitting(sizes.iter().copied(), max);
        assert_eq!(fitting(&[3, 3, 4], 10), 3, "exactly the limit");
        assert_eq!(fitting(&[3, 3, 5], 10), 2);
        assert_eq!(fitting(&[11, 1], 10), 1);
        assert_eq!(fitting(&[usize::MAX, usize::MAX], 10), 1);
        assert_eq!(fitting(&[3, 8, 1], 10), 1, "no hole");
    }
}
