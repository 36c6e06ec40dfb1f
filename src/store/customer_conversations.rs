//! A customer's own conversations.

use entity::conversations;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::related::{Related, load_related};
use crate::database::{Database, DatabaseError};
use crate::domain::{Channel, Conversation, UserId};
use crate::event_codec::decode_conversation;

/// The list's bound. The contract says "all", but no client scrolls further.
const MAX_CONVERSATIONS: u64 = 1000;

/// A customer's list of conversations.
#[derive(Clone, Debug)]
pub struct CustomerConversations {
    /// The most recently changed first.
    pub conversations: Vec<Conversation>,
    /// Their tickets.
    pub related: Related,
    /// The number of all of them.
    pub total: u64,
}

/// An account's conversations on the support channel.
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversations_of(database: &Database, account: UserId) -> Result<CustomerConversations, DatabaseError> {
    database
        .read(async move |connection| {
            let own = conversations::Entity::find()
                .filter(conversations::Column::UserId.eq(account.as_str()))
                .filter(conversations::Column::Channel.eq(Channel::Support.as_str()));
            let rows = own
                .clone()
                .order_by_desc(conversations::Column::UpdatedAt)
                .order_by_desc(conversations::Column::Id)
                .limit(MAX_CONVERSATIONS)
                .all(&connection)
                .await?;
            let conversations = rows.into_iter().map(decode_conversation).collect::<Result<Vec<_>, _>>()?;
            let shown = conversations.len() as u64;
            let total = if shown < MAX_CONVERSATIONS { shown } else { own.count(&connection).await? };
            let related = load_related(&connection, &conversations).await?;
            Ok::<_, DbErr>(CustomerConversations { conversations, related, total })
        })
        .await
}
