//! A customer's own conversations.

use entity::conversations;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::related::{Beside, related};
use crate::database::{Database, DatabaseError};
use crate::domain::{Channel, Conversation, UserId};
use crate::event_codec::decode_conversation;

/// The most that the list shows. The contract says "all"; nobody scrolls further, and nothing is unbounded.
const MOST_CONVERSATIONS: u64 = 1000;

/// What the list shows.
#[derive(Clone, Debug)]
pub struct OwnConversations {
    /// The most recently changed first.
    pub conversations: Vec<Conversation>,
    /// Tickets of them.
    pub beside: Beside,
    /// How many there are.
    pub total: u64,
}

/// An account's conversations of the support channel.
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversations_of(database: &Database, account: UserId) -> Result<OwnConversations, DatabaseError> {
    database
        .read(async move |connection| {
            let own = conversations::Entity::find()
                .filter(conversations::Column::UserId.eq(account.as_str()))
                .filter(conversations::Column::Channel.eq(Channel::Support.as_str()));
            let rows = own
                .clone()
                .order_by_desc(conversations::Column::UpdatedAt)
                .order_by_desc(conversations::Column::Id)
                .limit(MOST_CONVERSATIONS)
                .all(&connection)
                .await?;
            let conversations = rows.into_iter().map(decode_conversation).collect::<Result<Vec<_>, _>>()?;
            let shown = conversations.len() as u64;
            let total = if shown < MOST_CONVERSATIONS { shown } else { own.count(&connection).await? };
            let beside = related(&connection, &conversations).await?;
            Ok::<_, DbErr>(OwnConversations { conversations, beside, total })
        })
        .await
}
